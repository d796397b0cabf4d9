"""How large the package is and how fast it starts, and what of a start is ours.

Each start is a process of its own. Those of the package run from the unpacked archives alone and without writing
bytecode, as on Lambda, whose file system is read-only. Those beside `bare_app` run from the sources, with bytecode, in
turns: both import, make a client and answer the same event of the gateway. Ours reads the credentials too, which is a
third call. Lambda's processor is another one: what counts are the proportions.

`python -m benchmarks.cold_start` measures this alone; STARTS is how often.
"""

from __future__ import annotations

import json
import os
import platform
import re
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.gateway import basic, gateway_event
from benchmarks.load import create_passes
from benchmarks.reporting import Row, report_parts
from infra.package import Package, build_package
from infra.stages import CONFIG, Stage, read_stage
from local.embedded import run_embedded

STARTS = 9
"""of each kind, in turns, of which the median counts"""
STARTS_BESIDE_BARE = 21
BAR = 1.3
"""of the bare start; a third of it is what we may add"""
TOP = 15
"""imports that are listed"""
EXPENSIVE = ("boto3", "PIL", "cryptography", "httpx", "google.auth", "jinja2", "pydantic")
"""libraries that a start is better off without"""

_ARCHITECTURES = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
_IMPORT_LINE = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \|\s+(\S+)")
_PROCESS = Path(__file__).with_name("cold_process.py")
_PROJECT = Path(__file__).parents[1]
_PASSES = 10
_ON_LAMBDA = {"AWS_LAMBDA_FUNCTION_NAME": "passel-local-api"}
"""there the application imports the routes that it is asked for"""

Parts = dict[str, list[Row]]
Folders = tuple[Path, Path]


def measure_cold_start(*, environment: Mapping[str, str], event: Mapping[str, Any], starts: int = STARTS) -> Parts:
    """Sizes, starts of each module that Lambda is given, the first answer to `event`, and the dearest imports.

    Builds the package for this machine and this interpreter if that is not done yet. `environment` holds the settings
    that lead the application to its database.
    """
    with tempfile.TemporaryDirectory() as name:
        package = build_package(stage=stage_of_this_machine(), out=Path(name) / "package")
        folders = _unpack(package, Path(name))
        settings = {"PATH": os.environ["PATH"], **environment, **_ON_LAMBDA}
        modules = handler_modules(package)
        return {
            "sizes": list(_measure_sizes(package)),
            "starts": _measure_starts(folders, modules, settings, starts),
            "first answer": _measure_answer(folders, event, settings, starts),
            "imports": _measure_imports(folders, settings, starts),
        }


def stage_of_this_machine() -> Stage:
    """A stage whose binaries this machine can load.

    Raises:
        SystemExit: there is none.
    """
    machine = _ARCHITECTURES.get(platform.machine()) if platform.system() == "Linux" else None
    for name in json.loads(CONFIG.read_text(encoding="utf-8"))["stages"]:
        stage = read_stage(name)
        if stage.architecture == machine:
            return stage
    raise SystemExit("cold starts are measured on Linux, and no stage of .chalice/config.json is for this machine")


def handler_modules(package: Package) -> list[str]:
    """What Lambda imports, by the template: the application and the workers."""
    resources = json.loads(package.template.read_text(encoding="utf-8"))["Resources"].values()
    handlers = [resource["Properties"].get("Handler") for resource in resources]
    return sorted({handler.rpartition(".")[0] for handler in handlers if handler})


def _unpack(package: Package, folder: Path) -> Folders:
    for archive, target in ((package.code, "task"), (package.layer, "opt")):
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(folder / target)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return folder / "task", folder / "opt" / "python" / "lib" / version / "site-packages"


def _measure_sizes(package: Package) -> Iterator[Row]:
    zipped, unzipped = 0, 0
    for label, archive in (("code", package.code), ("dependencies", package.layer)):
        with zipfile.ZipFile(archive) as opened:
            size = sum(item.file_size for item in opened.infolist())
        yield _size(label, archive.stat().st_size, size)
        zipped, unzipped = zipped + archive.stat().st_size, unzipped + size
    yield _size("together", zipped, unzipped)


def _size(label: str, zipped: int, unzipped: int) -> Row:
    return {"archive": label, "zipped_mb": round(zipped / 1e6, 2), "unzipped_mb": round(unzipped / 1e6, 2)}


def _measure_starts(folders: Folders, modules: Sequence[str], settings: Mapping[str, str], starts: int) -> list[Row]:
    figures: dict[str, list[dict[str, Any]]] = {module: [] for module in modules}
    for _ in range(starts):
        for module in modules:
            figures[module].append(_start(folders, [module], settings))
    return [
        {
            "module": module,
            "import_milliseconds": _median(runs, "import"),
            "of_it_processor": _median(runs, "import_cpu"),
            "modules_loaded": len(runs[0]["modules"]),
            "expensive_ones": " ".join(name for name in EXPENSIVE if name in runs[0]["modules"]) or "none",
        }
        for module, runs in figures.items()
    ]


def _measure_answer(folders: Folders, event: Mapping[str, Any], settings: Mapping[str, str], starts: int) -> list[Row]:
    route = f"{event['httpMethod']} {event['resource']}"
    runs = [_start(folders, ["app", route], settings, stdin=json.dumps(event)) for _ in range(starts)]
    return [
        {
            "request": route,
            "import_milliseconds": _median(runs, "import"),
            "answer_milliseconds": _median(runs, "answer"),
            "together": round(statistics.median(run["import"] + run["answer"] for run in runs)),
            "of_it_processor": round(statistics.median(run["import_cpu"] + run["answer_cpu"] for run in runs)),
        }
    ]


def _median(runs: Sequence[Mapping[str, Any]], figure: str) -> int:
    return int(statistics.median(run[figure] for run in runs))


def measure_beside_bare(
    *, environment: Mapping[str, str], event: Mapping[str, Any], starts: int = STARTS_BESIDE_BARE
) -> list[Row]:
    """Starts of the application and of `bare_app` to the first answer, in turns; and the proportion."""
    folders = (_PROJECT, Path(sysconfig.get_paths()["purelib"]))
    settings = {"PATH": os.environ["PATH"], **environment, **_ON_LAMBDA}
    route = f"{event['httpMethod']} {event['resource']}"
    runs: dict[str, list[dict[str, Any]]] = {"benchmarks.bare_app": [], "app": []}
    for number in range(starts + 1):
        for module, figures in runs.items():
            figures.append(_start(folders, [module, route], settings, stdin=json.dumps(event), keep=True))
            if number == 0:  # writes the bytecode
                figures.clear()
    rows = [_sum_up(module, figures) for module, figures in runs.items()]
    bare, ours = rows
    proportions = {name: f"{ours[name] / bare[name]:.2f}" for name in bare if name != "process"}
    return [*rows, {"process": f"proportion, at most {BAR}", **proportions}]


def _sum_up(module: str, runs: Sequence[Mapping[str, Any]]) -> Row:
    return {
        "process": module,
        "import_milliseconds": _median(runs, "import"),
        "answer_milliseconds": _median(runs, "answer"),
        "together": round(statistics.median(run["import"] + run["answer"] for run in runs)),
        "of_it_processor": round(statistics.median(run["import_cpu"] + run["answer_cpu"] for run in runs)),
        "modules_loaded": len(runs[0]["modules"]),
    }


def _start(
    folders: Folders, arguments: Sequence[str], settings: Mapping[str, str], *, stdin: str = "", keep: bool = False
) -> dict[str, Any]:
    """What a start printed; with `keep` its bytecode is kept."""
    printed = _run([str(_PROCESS), *map(str, folders), *arguments], settings, stdin=stdin, keep=keep).stdout
    figures: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return figures


def _measure_imports(folders: Folders, settings: Mapping[str, str], starts: int) -> list[Row]:
    """The imports of the application that take longest themselves, each at its fastest."""
    code = f"import sys; sys.path[:0] = {[str(folder) for folder in folders]!r}; import app"
    fastest: dict[str, tuple[float, float]] = {}
    for _ in range(starts):
        for line in _run(["-X", "importtime", "-c", code], settings).stderr.splitlines():
            if found := _IMPORT_LINE.match(line):
                own, whole = int(found[1]) / 1000, int(found[2]) / 1000
                before = fastest.get(found[3], (own, whole))
                fastest[found[3]] = min(own, before[0]), min(whole, before[1])
    dearest = sorted(fastest.items(), key=lambda item: item[1], reverse=True)[:TOP]
    return [
        {"import": name, "own_milliseconds": round(own, 1), "with_what_it_imports": round(whole, 1)}
        for name, (own, whole) in dearest
    ]


def _run(
    arguments: Sequence[str], settings: Mapping[str, str], *, stdin: str = "", keep: bool = False
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-S", *([] if keep else ["-B"]), *arguments]
    result = subprocess.run(
        command, env=dict(settings), cwd="/", input=stdin, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        raise RuntimeError(result.stderr)
    return result


def measure() -> Parts:
    """All of it, asking for the tags of a pass in an engine that is started for it."""
    with run_embedded(variables={"PASSEL_LOG_LEVEL": "WARNING"}):
        from chalicelib import operations
        from chalicelib.wiring import get_platform

        project_id, pass_ids = create_passes(get_platform(), count=_PASSES, tags=3, advance=lambda _: None)
        key = operations.issue_key(project_id=project_id)
        names = ("PASSEL_", "AWS_", "NO_PROXY", "no_proxy")
        environment = {name: value for name, value in os.environ.items() if name.startswith(names)}
        environment["PASSEL_LOG_LEVEL"] = "INFO"
        headers = {"Api-Revision": "1.2", **basic(key.key, key.secret)}
        event = gateway_event("GET", "/v1/pass/{identifier}/tags", headers=headers, identifier=str(pass_ids[0]))
        starts = int(os.environ.get("STARTS", STARTS_BESIDE_BARE))
        beside = measure_beside_bare(environment=environment, event=event, starts=starts)
        return {"beside bare": beside, **measure_cold_start(environment=environment, event=event)}


def report(parts: Parts) -> None:
    """Writes benchmarks/results/cold_start.md and .json."""
    report_parts(parts, name="cold_start")


if __name__ == "__main__":
    report(measure())
