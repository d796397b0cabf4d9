"""A process that serves the API on a port, as a function of Lambda would: it is killed without warning."""

from __future__ import annotations

import signal
import sys

from app import app
from chalicelib import logs
from local.engine import HOST
from local.server import HttpServer


def main() -> None:
    """Serve, and say so."""
    logs.set_up()
    logs.write_json(sys.stderr)
    HttpServer(app, host=HOST, port=int(sys.argv[1])).start()
    print("ready", flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
