"""How large the package is and how fast it starts, measured on the archives that Lambda gets.

Each start is a process of its own, from the unpacked archives alone and without writing bytecode, as on Lambda, whose
file system is read-only. Lambda's processor is another one: what counts are the proportions.

`python -m benchmarks.cold_start` measures this alone.
"""

from __future__ import annotations

import base64
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.load import create_passes
from benchmarks.reporting import Row, report_parts
from infra.package import Package, build_package
from infra.stages import CONFIG, Stage, read_stage
from local.embedded import run_embedded

STARTS = 9
"""of each kind, in turns, of which the median counts"""
TOP = 15
"""imports that are listed"""
EXPENSIVE = ("boto3", "PIL", "cryptography", "httpx", "google.auth", "jinja2")
"""libraries that a start is better off without"""

_ARCHITECTURES = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
_IMPORT_LINE = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \|\s+(\S+)")
_PROCESS = Path(__file__).with_name("cold_process.py")
_PASSES = 10

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
        settings = {"PATH": os.environ["PATH"], **environment}
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


def _start(
    folders: Folders, arguments: Sequence[str], settings: Mapping[str, str], *, stdin: str = ""
) -> dict[str, Any]:
    printed = _run([str(_PROCESS), *map(str, folders), *arguments], settings, stdin=stdin).stdout
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


def _run(arguments: Sequence[str], settings: Mapping[str, str], *, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-S", "-B", *arguments]
    result = subprocess.run(
        command, env=dict(settings), cwd="/", input=stdin, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        raise RuntimeError(result.stderr)
    return result


def measure_with_a_stack() -> Parts:
    """The same, asking for the tags of a pass in an engine that is started for it."""
    with run_embedded() as stack:
        from chalicelib import operations
        from chalicelib.wiring import get_platform

        project_id, pass_ids = create_passes(get_platform(), count=_PASSES, tags=3, advance=lambda _: None)
        key = operations.issue_key(project_id=project_id)
        names = ("PASSEL_", "AWS_", "NO_PROXY", "no_proxy")
        environment = {name: value for name, value in os.environ.items() if name.startswith(names)}
        del stack
        return measure_cold_start(environment=environment, event=_ask_for_tags(pass_ids[0], key.key, key.secret))


def _ask_for_tags(pass_id: int, key: str, secret: str) -> dict[str, Any]:
    authorization = base64.b64encode(f"{key}:{secret}".encode()).decode()
    path, parameters = "/v1/pass/{identifier}/tags", {"identifier": str(pass_id)}
    return {
        "resource": path,
        "path": path.format(**parameters),
        "httpMethod": "GET",
        "headers": {"Api-Revision": "1.2", "Authorization": f"Basic {authorization}"},
        "multiValueQueryStringParameters": None,
        "pathParameters": parameters,
        "stageVariables": None,
        "requestContext": {"httpMethod": "GET", "resourcePath": path, "path": f"/api{path}"},
        "body": None,
        "isBase64Encoded": False,
    }


if __name__ == "__main__":
    report_parts(measure_with_a_stack(), name="cold_start")
