"""The fast loader: files of dynoxide with very many passes, made once and kept for the next run.

Projects, templates, tags and all numbers are made by the code that clients use, on an engine in memory. The rows of the
passes come from `population`, in as many processes as there are processors, as a DynamoDB export; the engine's own
import puts all of it into a file. `python -m benchmarks.loaded_file 1000000x1` loads and says how long it took.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import click

from benchmarks.load import make_template
from benchmarks.population import (
    PLAIN_TABLE,
    Deltas,
    Family,
    Share,
    Written,
    add_counts,
    counter_rows,
    export_line,
    was_installed,
    write_export,
    write_share,
)
from chalicelib import operations
from chalicelib.domain.counted_index import SEGMENT_SIZE
from chalicelib.domain.ports import Platform
from chalicelib.domain.tagging import resolve_tags
from chalicelib.domain.templates import Template
from chalicelib.store.models import MODELS, SegmentRow
from chalicelib.store.tags import put_new_tag
from chalicelib.store.transactions import Transaction
from chalicelib.wiring import get_database, get_platform
from infra.definition import create_tables, read_tables
from local.clients import create_client
from local.embedded import forget_settings
from local.engine import start_dynoxide
from local.environment import PREFIX, apply_environment, build_environment
from local.install import DEFAULT_FOLDER, VERSION, obtain_binary

FOLDER = Path(__file__).resolve().parent.parent / "build" / "bench"
LOADER = 1
"""grows with every change of what is loaded"""

_SHARES_AT_ONCE = 5
_TASKS_IN_THIS_PROCESS = 2
_NOWHERE = "http://127.0.0.1:9"
_PLAIN_SCHEMA = {
    "TableName": PREFIX + PLAIN_TABLE,
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [
        {"AttributeName": "pass_id", "AttributeType": "N"},
        {"AttributeName": "tag", "AttributeType": "S"},
    ],
    "KeySchema": [
        {"AttributeName": "pass_id", "KeyType": "HASH"},
        {"AttributeName": "tag", "KeyType": "RANGE"},
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by_tag",
            "KeySchema": [
                {"AttributeName": "tag", "KeyType": "HASH"},
                {"AttributeName": "pass_id", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    ],
}


@dataclass(frozen=True)
class Wish:
    """A project with so many passes of one template, which all have `tag-0`, `tag-1`, ..."""

    passes: int
    tags: int = 1


@dataclass(frozen=True)
class Population:
    """A loaded project. Its pass ids begin with a segment, and every segment but the last is full."""

    project_id: int
    template_id: int
    passes: int
    tags: int
    blocks: list[int]
    """its segments in ascending order"""

    @property
    def pass_ids(self) -> list[int]:
        """All of them, ascending."""
        places = (divmod(number, SEGMENT_SIZE) for number in range(self.passes))
        return [self.blocks[block] * SEGMENT_SIZE + place for block, place in places]

    @property
    def bounds(self) -> tuple[int, int]:
        """A range of pass ids that holds them all and no other project's."""
        return self.blocks[0] * SEGMENT_SIZE, (self.blocks[-1] + 1) * SEGMENT_SIZE - 1


@dataclass(frozen=True)
class Loaded:
    """A file that is whole, with what is in it. It is never written: `copy_for_writing` makes one that may be."""

    database: Path
    populations: list[Population]
    seconds: float
    """that loading took when it was made"""

    @contextmanager
    def copy_for_writing(self) -> Iterator[Path]:
        """A copy for as long as the block runs; cheap where the file system can share blocks."""
        with _own_folder(self.database.parent) as own:
            copy = own / "bench.db"
            if subprocess.run(["cp", "--reflink=auto", str(self.database), str(copy)], capture_output=True).returncode:
                shutil.copyfile(self.database, copy)
            yield copy


def provide_file(wishes: Sequence[Wish], *, folder: Path = FOLDER) -> Loaded:
    """The file with these projects, loaded now unless an earlier run has left it.

    Sets this process's environment, and forgets its settings: call it before the stack is started.
    """
    folder.mkdir(parents=True, exist_ok=True)
    remove_abandoned(folder)
    name = "-".join(f"{wish.passes}x{wish.tags}" for wish in wishes)
    database = folder / f"passes-{name}-{_digest()}.db"
    facts = database.with_suffix(".json")
    # the facts are written last, so a file that has them is whole
    if not (database.exists() and facts.exists()):
        facts.unlink(missing_ok=True)
        populations, seconds = _load(wishes, database)
        document = {"seconds": seconds, "populations": [asdict(population) for population in populations]}
        facts.write_text(json.dumps(document), encoding="utf-8")
    document = json.loads(facts.read_text(encoding="utf-8"))
    return Loaded(database, [Population(**each) for each in document["populations"]], document["seconds"])


@contextmanager
def _own_folder(beside: Path) -> Iterator[Path]:
    """A folder that is gone after the block; if the process is killed, the next one removes it."""
    with tempfile.TemporaryDirectory(dir=beside, prefix=f"process-{os.getpid()}-") as name:
        yield Path(name)


def remove_abandoned(folder: Path) -> None:
    """Removes what processes left that were killed."""
    for left in folder.glob("process-*"):
        if not _is_running(int(left.name.split("-")[1])):
            shutil.rmtree(left, ignore_errors=True)


def _is_running(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _digest() -> str:
    """Changes with tables, attributes of rows, loader and engine, so that an old file is not taken for a new one."""
    rows = {model.__name__: sorted(model.get_attributes()) for model in MODELS}
    what = json.dumps([LOADER, VERSION, read_tables(""), rows], sort_keys=True)
    return hashlib.sha256(what.encode()).hexdigest()[:12]


def _load(wishes: Sequence[Wish], database: Path) -> tuple[list[Population], float]:
    begin = time.perf_counter()
    binary = obtain_binary(DEFAULT_FOLDER)
    with _own_folder(database.parent) as own:
        export = own / "export"
        engine = start_dynoxide(binary, None)
        try:
            apply_environment(build_environment(dynamodb_url=engine.url, sqs_url=_NOWHERE))
            forget_settings()
            client = create_client("dynamodb", endpoint_url=engine.url)
            create_tables(client, PREFIX)
            seeds = [_seed(get_platform(), wish) for wish in wishes]
            for table in read_tables(PREFIX):
                pages = client.get_paginator("scan").paginate(TableName=table["TableName"])
                lines = [export_line(item) for page in pages for item in page["Items"]]
                write_export(export, table["TableName"], "seed", lines)
            client.close()
        finally:
            engine.stop()
        _write_rows(export, seeds)
        schema = own / "schema.json"
        schema.write_text(json.dumps([{"Table": table} for table in [*read_tables(PREFIX), _PLAIN_SCHEMA]]))
        whole = own / "bench.db"
        _import(binary, export, schema, whole, expected_bytes=sum(map(_expect_bytes, wishes)))
        whole.replace(database)
    return [seed.population for seed in seeds], round(time.perf_counter() - begin, 1)


@dataclass(frozen=True)
class _Seed:
    population: Population
    family: Family
    shares: list[Share]


def _seed(platform: Platform, wish: Wish) -> _Seed:
    """Project, template and tags, and all numbers that the passes take, a second between blocks and a millisecond
    between registrations, all of it before now."""
    project = operations.create_project(name=f"bench {wish.passes} x {wish.tags}")
    template = make_template(platform, project_id=project.project_id)
    names = [f"tag-{number}" for number in range(wish.tags)]
    tags, new_tags = resolve_tags(platform, project_id=project.project_id, names=names)
    transaction = Transaction(get_database())
    for tag in new_tags:
        put_new_tag(transaction, tag)
    transaction.commit()
    took_seconds = wish.passes // SEGMENT_SIZE + wish.passes / 1000
    begun_at = platform.now().replace(microsecond=0) - timedelta(days=1, seconds=took_seconds)
    blocks: list[range] = []
    while (taken := sum(map(len, blocks))) < wish.passes:
        pass_ids, _ = platform.sequences.allocate_pass_ids(
            project_id=project.project_id,
            count=min(SEGMENT_SIZE, wish.passes - taken),
            now=begun_at + timedelta(seconds=len(blocks)),
        )
        blocks.append(range(pass_ids[0], pass_ids[-1] + 1))
    population = Population(
        project_id=project.project_id,
        template_id=template.template_id,
        passes=wish.passes,
        tags=wish.tags,
        blocks=[block[0] // SEGMENT_SIZE for block in blocks],
    )
    family = Family(template=template, tags=tuple(tags[name] for name in names), with_plain_table=wish.tags == 1)
    return _Seed(population, family, _share(platform, template, blocks, begun_at))


def _share(platform: Platform, template: Template, blocks: Sequence[range], begun_at: datetime) -> list[Share]:
    passes, holders = sum(map(len, blocks)), [sum(map(was_installed, block)) for block in blocks]
    installed_from = begun_at + timedelta(seconds=len(blocks))
    name = f"codes:{template.template_id}"
    first_code, _ = platform.sequences.next_values(name=name, count=passes, now=installed_from)
    first_number, _ = platform.sequences.next_values(
        name=f"registrations:{template.template_id}",
        count=sum(holders) or 1,
        now=installed_from + timedelta(milliseconds=sum(holders) + 1),
    )
    return [
        Share(
            pass_ids=block,
            first_code=first_code + sum(map(len, blocks[:position])),
            first_registration=first_number + sum(holders[:position]),
            created_at=begun_at + timedelta(seconds=position),
            registrations_from=installed_from,
        )
        for position, block in enumerate(blocks)
    ]


def _write_rows(export: Path, seeds: Sequence[_Seed]) -> None:
    """Rows of all passes, and at last the counters that no share has for itself."""
    counted: Deltas = {}
    tasks = [
        partial(write_share, export, f"{number}-{start:06d}", seed.family, seed.shares[start : start + _SHARES_AT_ONCE])
        for number, seed in enumerate(seeds)
        for start in range(0, len(seed.shares), _SHARES_AT_ONCE)
    ]
    with click.progressbar(length=sum(seed.population.passes for seed in seeds), label="making rows") as progress:
        for passes, deltas in _run(tasks):
            add_counts(counted, deltas)
            progress.update(passes)
    write_export(export, PREFIX + _table_name(SegmentRow), "shared", map(export_line, counter_rows(counted)))


def _run(tasks: Sequence[partial[Written]]) -> Iterator[Written]:
    """What the tasks come to, as they end; in parallel if it is worth starting processes."""
    if len(tasks) <= _TASKS_IN_THIS_PROCESS:
        yield from (task() for task in tasks)
        return
    # spawned, since the store's client must not be shared with a forked process
    # who presses Ctrl-C means the whole run, which ends its processes itself
    spawn, ignore = multiprocessing.get_context("spawn"), (signal.SIGINT, signal.SIG_IGN)
    with ProcessPoolExecutor(mp_context=spawn, initializer=signal.signal, initargs=ignore) as processes:
        for ended in as_completed([processes.submit(task) for task in tasks]):
            yield ended.result()


def _table_name(model: Any) -> str:
    name: str = model.Meta.table_name
    return name.removeprefix(PREFIX)


def _expect_bytes(wish: Wish) -> int:
    """About the size of its rows in the file, for the progress bar."""
    return wish.passes * (6500 + 1500 * wish.tags)


def _import(binary: Path, export: Path, schema: Path, database: Path, *, expected_bytes: int) -> None:
    """Runs the engine's import.

    Raises:
        SystemExit: it failed; the message quotes it.
    """
    command = [str(binary), "import", "--source", str(export), "--schema", str(schema), "--output", str(database)]
    with (
        tempfile.TemporaryFile() as output,
        click.progressbar(length=expected_bytes, label="importing them") as progress,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT) as process,
    ):
        shown = 0
        while process.poll() is None:
            time.sleep(0.5)
            size = min(_size(database), expected_bytes)
            progress.update(max(size - shown, 0))
            shown = max(size, shown)
        progress.update(expected_bytes - shown)
        if process.returncode:
            output.seek(0)
            raise SystemExit(f"the import failed: {output.read().decode('utf-8', 'replace')[-2000:]}")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


class _WishType(click.ParamType[Wish]):
    name = "PASSESxTAGS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Wish:
        """Reads `20000x3`, or `20000` for one tag."""
        found = re.fullmatch(r"([1-9][0-9]*)(?:x([1-9]|[1-4][0-9]|50))?", str(value))
        if found is None:
            self.fail(f"{value} is no number of passes and of tags (1 to 50), such as 20000x3", param, ctx)
        return Wish(int(found[1]), int(found[2] or 1))


@click.command()
@click.argument("wishes", nargs=-1, required=True, type=_WishType(), metavar="PASSESxTAGS...")
@click.option("--folder", type=click.Path(path_type=Path), default=FOLDER, show_default=True)
def main(wishes: Sequence[Wish], folder: Path) -> None:
    """Loads a file, unless it is there, and prints what is in it."""
    loaded = provide_file(wishes, folder=folder)
    document = {
        "database": str(loaded.database),
        "megabytes": round(_size(loaded.database) / 1e6, 1),
        "seconds": loaded.seconds,
        "projects": [each.project_id for each in loaded.populations],
    }
    click.echo(json.dumps(document))


if __name__ == "__main__":
    main()
