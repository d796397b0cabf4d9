"""`python -m local`: run Passel on this machine until Ctrl-C."""

from __future__ import annotations

import json
import logging
import signal
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from local.errors import StackError
from local.options import Options

if TYPE_CHECKING:
    from local.signing import SigningFolder
    from local.stack import RunningStack

_WATCH_SECONDS = 0.2
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@click.command(help=__doc__)
@click.option(
    "--port", envvar="PORT", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one."
)
@click.option(
    "--data",
    envvar="DATA",
    default=".local",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder for everything that is kept.",
)
@click.option(
    "--engine",
    envvar="ENGINE",
    type=click.Choice(["dynoxide", "moto"]),
    help="What serves DynamoDB. Default: dynoxide, or moto where there is no build of it.",
)
@click.option("--verbose", envvar="VERBOSE", is_flag=True, help="Log every request.")
def command(*, port: int, data: Path, engine: str | None, verbose: bool) -> int:
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    return run(Options(port=port, data=data.resolve(), engine=engine, verbose=verbose))


def run(options: Options) -> int:
    """Run until a signal asks to stop (exit code 0) or the engine ends by itself (1).

    Raises:
        StackError: it could not start.
    """
    stopping = threading.Event()
    for number in _STOP_SIGNALS:
        signal.signal(number, lambda *_: stopping.set())
    # From here on a signal only sets the event, so that no step of starting or stopping is left half done.
    from local.stack import start_stack  # slow to import, and Ctrl-C may come meanwhile

    with ExitStack() as cleanup:
        stack = start_stack(options, cleanup=cleanup, warn=_warn)
        if not stopping.is_set():
            _announce(stack)
        while not stopping.wait(_WATCH_SECONDS):
            if stack.engine is not None and stack.engine.exit_code is not None:
                _warn(f"dynoxide ended by itself (exit code {stack.engine.exit_code}); stopping")
                return 1
    return 0


def _announce(stack: RunningStack) -> None:
    template = {
        "name": "Loyalty",
        "vendor": "Apple",
        "vendorId": 1,
        "type": "Store Card",
        "projectType": "loyalty",
        "fields": {"Points": {"fieldType": "primary", "label": "Points", "value": "0"}},
    }
    credentials = stack.credentials
    print(f"Passel is ready on {stack.url}\n")
    print("Make a first template:")
    print(
        f"curl -u {credentials.key}:{credentials.secret} -H 'Api-Revision: 1.2' -H 'Content-Type: application/json'"
        f" -d '{json.dumps(template, separators=(',', ':'))}' {stack.url}/v1/template\n"
    )
    _announce_certificates(stack.signing)
    print("Ctrl-C stops it.", flush=True)


def _announce_certificates(signing: SigningFolder) -> None:
    if not signing.is_test:
        print(f"Passes are signed with the certificates in {signing.path}\n")
        return
    print("Passes are signed with a test certificate THAT NO PHONE TRUSTS. To use your own, start with")
    print("PASSEL_CERTIFICATES=file:<folder> make run")
    print("where <folder>/shared/default holds certificate.pem, key.pem and wwdr.pem.\n")


def _warn(message: str) -> None:
    print(f"passel: {message}", file=sys.stderr, flush=True)


def main() -> int:
    """Parse the command line and run; every foreseen failure is one line on stderr and a non-zero exit code."""
    from chalicelib.settings import SettingsError

    try:
        code = command.main(prog_name="python -m local", standalone_mode=False)
    except click.ClickException as error:
        _warn(error.format_message())
        return error.exit_code
    except (StackError, SettingsError) as error:
        _warn(str(error))
        return 1
    return int(code or 0)


if __name__ == "__main__":
    sys.exit(main())
