"""A process that is the queues: prints their address, and runs until it is killed."""

from __future__ import annotations

import signal

from local.engine import start_queues


def main() -> None:
    """Serve."""
    print(start_queues().url, flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
