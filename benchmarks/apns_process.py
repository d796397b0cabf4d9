"""Apple's push service and the iPhones that it reaches, in a process of their own: they share no interpreter with us.

`python -m benchmarks.apns_process FOLDER` prints where it is reached, then takes jobs for phones, each in a line of
JSON, and prints how far they are. It ends with its input.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.push_phones import Phones
from local.apns import ApnsServer
from local.server_certificates import make_server_certificate

_STOP_SECONDS = 10.0


@dataclass(frozen=True)
class ApnsProcess:
    """The running process."""

    url: str
    ca_file: str
    process: subprocess.Popen[str]

    @property
    def variables(self) -> dict[str, str]:
        """The settings that lead pushes here."""
        return {"PASSEL_APNS_BASE_URL": self.url, "PASSEL_CA_FILE": self.ca_file}

    def write(self, document: dict[str, Any]) -> None:
        """Gives it a job."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(document) + "\n")
        self.process.stdin.flush()

    def read(self) -> dict[str, Any]:
        """What it says next.

        Raises:
            RuntimeError: it has ended.
        """
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the process of the push service has ended")
        document: dict[str, Any] = json.loads(line)
        return document


@contextmanager
def start_apns(folder: Path) -> Iterator[ApnsProcess]:
    """Starts the process for as long as the block runs; its certificate is made in `folder`."""
    command = [sys.executable, "-m", __name__, str(folder)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        where = json.loads(process.stdout.readline())
        yield ApnsProcess(url=where["url"], ca_file=where["ca_file"], process=process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(_STOP_SECONDS)


def main() -> None:
    """Runs until the input ends."""
    certificate = make_server_certificate(Path(sys.argv[1]))
    phones = Phones()
    with ApnsServer(certificate, answer=phones.take_push) as server:
        _say({"url": server.url, "ca_file": str(certificate.ca_file)})
        for line in sys.stdin:
            for news in phones.follow(json.loads(line)):
                _say(news)


def _say(document: dict[str, Any]) -> None:
    print(json.dumps(document), flush=True)


if __name__ == "__main__":
    main()
