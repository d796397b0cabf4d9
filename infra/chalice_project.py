"""The copy of the project that the Chalice CLI works on, and how that CLI is called.

The files of `.chalice/` serve every stage and account: `${Prefix}` and `${Stage}` in them are the stage's, and are
filled in here. `${AWS::Region}`, `${AWS::AccountId}` and `${AWS::Partition}` are where it goes: CloudFormation fills
them in, and for `chalice deploy` this module does.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.slimming import is_outdated
from infra.stages import PROJECT, Stage

WORKSPACE = PROJECT / "build" / "project"
RECORDS = PROJECT / ".chalice" / "deployed"

_PACKAGED = ("app.py", "chalicelib", "vendor", "requirements.txt")
_BYTECODE = shutil.ignore_patterns("__pycache__", "*.pyc")
_RUN_CHALICE = "import sys; from chalice.cli import main; sys.exit(main())"


@dataclass(frozen=True)
class Place:
    """Where a stage is deployed to."""

    account: str
    region: str
    partition: str
    """`aws`, or that of another cloud of Amazon's, such as `aws-cn`"""

    @property
    def placeholders(self) -> dict[str, str]:
        """What CloudFormation calls these."""
        return {
            "${AWS::AccountId}": self.account,
            "${AWS::Region}": self.region,
            "${AWS::Partition}": self.partition,
        }


@contextmanager
def chalice_project(stage: Stage, *, place: Place | None = None) -> Iterator[Path]:
    """A copy of the project that holds only what Lambda gets, for one process at a time.

    Tests, bytecode and local files stay out of it. What Chalice remembers of builds and deployments
    (`.chalice/deployments`, `.chalice/deployed`) is the project's own and outlives the copy. Without `place`, where it
    goes is left for CloudFormation.
    """
    WORKSPACE.parent.mkdir(parents=True, exist_ok=True)
    with (WORKSPACE.parent / "project.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if WORKSPACE.exists():
            shutil.rmtree(WORKSPACE)
        _copy_project(WORKSPACE)
        placeholders = {"${Prefix}": stage.prefix, "${Stage}": stage.name}
        _fill_in(WORKSPACE / ".chalice", placeholders | (place.placeholders if place is not None else {}))
        _drop_unusable_archives((WORKSPACE / ".chalice" / "deployments").glob("*.zip"))
        yield WORKSPACE


def _copy_project(target: Path) -> None:
    (target / ".chalice").mkdir(parents=True)
    for name in _PACKAGED:
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=_BYTECODE)
        elif source.exists():
            shutil.copy2(source, target / name)
    for source in (PROJECT / ".chalice").glob("*.json"):
        shutil.copy2(source, target / ".chalice")
    for kept in ("deployments", "deployed"):
        (PROJECT / ".chalice" / kept).mkdir(exist_ok=True)
        (target / ".chalice" / kept).symlink_to(PROJECT / ".chalice" / kept, target_is_directory=True)


def _fill_in(folder: Path, values: Mapping[str, str]) -> None:
    for file in folder.glob("*.json"):
        text = file.read_text(encoding="utf-8")
        for placeholder, value in values.items():
            text = text.replace(placeholder, value)
        file.write_text(text, encoding="utf-8")


def _drop_unusable_archives(archives: Iterable[Path]) -> None:
    """Remove what an interrupted build left behind, and what other rules made small: Chalice would take it as it is."""
    for archive in archives:
        if not zipfile.is_zipfile(archive) or is_outdated(archive):
            archive.unlink()


def chalice_command(*arguments: str) -> list[str]:
    """The Chalice CLI of this interpreter, which also decides the Lambda runtime."""
    return [sys.executable, "-c", _RUN_CHALICE, *arguments]


def chalice_environment() -> dict[str, str]:
    """The environment for the Chalice CLI: the stage's settings count, not those of the calling shell."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("PASSEL_", "PYTHONPATH"))}
    return ours | {"PYTHONDONTWRITEBYTECODE": "1"}


def deployment_record(stage: Stage) -> Path:
    """Where Chalice writes down what it made of a stage."""
    return RECORDS / f"{stage.name}.json"
