"""Cut the layer of dependencies down to what Lambda needs, and have it start fast.

Packages are installed whole by Chalice: 40 MB zipped, two fifths of it descriptions of AWS services that nobody calls.
`infra/layer_contents.py` says what stays. Of that, botocore's data lose their documentation, compiled libraries what is
never loaded, and modules become bytecode. Nothing that a program can call is changed.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from infra.archives import write_archive
from infra.binaries import (
    BinaryError,
    blank_unloaded,
    is_binary,
    list_needed_libraries,
    read_architecture,
)
from infra.bytecode import BytecodeError, compile_folder
from infra.layer_contents import (
    ENDPOINTS,
    LIBRARIES,
    SERVICE_FILES,
    SERVICES,
    SERVICES_DATA,
    is_kept,
    list_unmatched,
)
from infra.reachable import find_reachable

LAYER_FOLDER = "/opt"
CODE_FOLDER = "/var/task"
"""where Lambda unpacks an archive: https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html"""

_PACKAGES = re.compile(r"python/lib/python(\d+)\.(\d+)/site-packages/")
_MARK = b"passel "
_METADATA_HEAD = re.compile(r"(?:Metadata-Version|Name|Version|License-Expression|License): \S.*")

Files = Mapping[str, bytes]


class SlimmingError(Exception):
    """The archive is not as expected; the message says what is missing."""


def slim_layer(archive: Path) -> None:
    """Rewrite a layer that Chalice built, all at once. One that is slim already is left alone.

    The same layer gives the same bytes each time. Everything is for the Python that runs this.

    Raises:
        SlimmingError: this is no such layer, or a package is laid out otherwise than `infra/layer_contents.py` says.
    """
    if _read_mark(archive) == _current_mark():
        return
    prefix, files = _read_layer(archive)
    slim = _keep_needed(files)
    slim |= _keep_names(files, slim)
    slim = {path: _shorten(path, data) for path, data in slim.items()}
    slim = _describe_services(slim)
    slim = _replace_sources(slim, f"{LAYER_FOLDER}/{prefix.rstrip('/')}")
    write_archive(archive, {prefix + path: data for path, data in slim.items()}, comment=_current_mark())


def add_bytecode(archive: Path) -> None:
    """Put bytecode beside the sources of the code archive that Chalice built. One that has it is left alone.

    Sources stay, so that tracebacks show their lines; but those of the command line, which no function imports, go.

    Raises:
        SlimmingError: a module does not compile.
    """
    if _read_mark(archive) == _current_mark():
        return
    with zipfile.ZipFile(archive) as opened:
        files = {name: opened.read(name) for name in opened.namelist()}
    reachable = find_reachable(files)
    files = {name: data for name, data in files.items() if name in reachable or not name.endswith(".py")}
    compiled = _compile(files, CODE_FOLDER, docstrings=True)
    # what lies on top is not imported but named by Lambda, and is small
    beside = {_cached(path): data for path, data in compiled.items() if "/" in path}
    write_archive(archive, files | beside, comment=_current_mark())


def is_outdated(archive: Path) -> bool:
    """Whether the archive was rewritten by other rules than today's: what they dropped, only Chalice can bring back."""
    return _read_mark(archive) not in (b"", _current_mark())


def _read_mark(archive: Path) -> bytes:
    with zipfile.ZipFile(archive) as opened:
        return opened.comment if opened.comment.startswith(_MARK) else b""


@cache
def _current_mark() -> bytes:
    """Names the rules: whatever they are made of. Chalice's own name of an archive tells Python and machine."""
    digest = hashlib.sha256()
    for name in ("archives.py", "binaries.py", "bytecode.py", "layer_contents.py", "reachable.py", "slimming.py"):
        digest.update((Path(__file__).parent / name).read_bytes())
    return _MARK + digest.hexdigest()[:32].encode()


def _read_layer(archive: Path) -> tuple[str, dict[str, bytes]]:
    """The path of its packages, and their files by the path inside it."""
    with zipfile.ZipFile(archive) as opened:
        names = opened.namelist()
        found = _PACKAGES.match(names[0]) if names else None
        if found is None or not all(name.startswith(found.group()) for name in names):
            raise SlimmingError(f"{archive} is no layer of Python packages")
        if (int(found[1]), int(found[2])) != sys.version_info[:2]:
            raise SlimmingError(f"{archive} is for Python {found[1]}.{found[2]}, this is another")
        return found.group(), {name.removeprefix(found.group()): opened.read(name) for name in names}


def _keep_needed(files: Files) -> dict[str, bytes]:
    unmatched = list_unmatched(list(files))
    if unmatched:
        raise SlimmingError(f"infra/layer_contents.py keeps what no package has: {', '.join(unmatched)}")
    kept = {path: data for path, data in files.items() if is_kept(path) and not path.startswith(f"{LIBRARIES}/")}
    kept = {path: data for path, data in kept.items() if ".dist-info/" not in path}
    return kept | _keep_libraries(files, kept)


def _keep_libraries(files: Files, kept: Files) -> dict[str, bytes]:
    """The libraries that the remaining modules need, and those that these need."""
    libraries = {PurePosixPath(path).name: path for path in files if path.startswith(f"{LIBRARIES}/")}
    found: dict[str, bytes] = {}
    waiting = [data for path, data in kept.items() if path.endswith(".so")]
    architectures = set()
    while waiting:
        data = waiting.pop()
        try:
            architectures.add(read_architecture(data))
            needed = [libraries[name] for name in list_needed_libraries(data) if name in libraries]
        except BinaryError as error:
            raise SlimmingError(f"the layer holds a module that Lambda cannot load: {error}") from error
        waiting += [files[path] for path in needed if path not in found]
        found |= {path: files[path] for path in needed}
    if len(architectures) != 1:
        raise SlimmingError(f"the layer holds modules for: {', '.join(sorted(architectures)) or 'no machine'}")
    return found


def _keep_names(files: Files, kept: Files) -> dict[str, bytes]:
    """Name, version and licence of the packages that stay, for scanners that look for known faults."""
    metadata = {}
    for path in files:
        folder, _, name = path.partition("/")
        if name == "METADATA" and folder.endswith(".dist-info") and _is_installed(files, folder, kept):
            head = [line for line in _head(files[path]) if _METADATA_HEAD.fullmatch(line)]
            metadata[path] = ("\n".join(head) + "\n").encode()
    return metadata


def _is_installed(files: Files, folder: str, kept: Files) -> bool:
    record = files.get(f"{folder}/RECORD", b"").decode()
    return any(line.partition(",")[0] in kept for line in record.splitlines())


def _head(metadata: bytes) -> list[str]:
    return metadata.decode().partition("\n\n")[0].splitlines()


def _shorten(path: str, data: bytes) -> bytes:
    if is_binary(data):
        return blank_unloaded(data)
    if path == ENDPOINTS:
        return _dump(_cut_endpoints(json.loads(data)))
    return data


def _cut_endpoints(endpoints: Any) -> Any:
    for partition in endpoints["partitions"]:
        services = partition["services"]
        partition["services"] = {name: services[name] for name in SERVICES if name in services}
    if sorted(endpoints["partitions"][0]["services"]) != sorted(SERVICES):
        raise SlimmingError(f"{ENDPOINTS} does not know each of: {', '.join(SERVICES)}")
    return endpoints


def _describe_services(files: Files) -> dict[str, bytes]:
    """`files` with the newest description of each service, without documentation, and not compressed twice."""
    described = {path: data for path, data in files.items() if not _is_description(path)}
    for service in SERVICES:
        versions = {path.split("/")[3] for path in files if path.startswith(f"{SERVICES_DATA}/{service}/")}
        folder = f"{SERVICES_DATA}/{service}/{max(versions, default='')}"
        found = {path: data for path, data in files.items() if path.startswith(f"{folder}/")}
        for path, data in found.items():
            plain = gzip.decompress(data) if path.endswith(".gz") else data
            described[path.removesuffix(".gz")] = _dump(_without_documentation(json.loads(plain)))
        for name in ("service-2.json", "endpoint-rule-set-1.json"):
            if f"{folder}/{name}" not in described:
                raise SlimmingError(f"botocore has no {name} of {service} in {folder}")
    return described


def _is_description(path: str) -> bool:
    return path.startswith(f"{SERVICES_DATA}/") and path.removesuffix(".gz").endswith(SERVICE_FILES)


def _without_documentation(value: Any) -> Any:
    """Empty texts remain, since botocore looks for some; a member of a structure that is called so is no text."""
    match value:
        case dict():
            return {
                key: "" if key == "documentation" and isinstance(item, str) else _without_documentation(item)
                for key, item in value.items()
            }
        case list():
            return [_without_documentation(item) for item in value]
    return value


def _dump(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _replace_sources(files: Files, shown_as: str) -> dict[str, bytes]:
    """`files` with bytecode in the place of sources."""
    compiled = _compile(files, shown_as, docstrings=False)
    others = {path: data for path, data in files.items() if path not in compiled}
    return others | {f"{path}c": data for path, data in compiled.items()}


def _compile(files: Files, shown_as: str, *, docstrings: bool) -> dict[str, bytes]:
    """Bytecode by the path of its source."""
    sources = {path: data for path, data in files.items() if path.endswith(".py")}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path, data in sources.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        try:
            compile_folder(folder, shown_as=shown_as, docstrings=docstrings)
        except BytecodeError as error:
            raise SlimmingError(str(error)) from error
        return {path: (folder / f"{path}c").read_bytes() for path in sources}


def _cached(source: str) -> str:
    """Where Python looks for the bytecode of a source."""
    path = PurePosixPath(source)
    return str(path.parent / "__pycache__" / f"{path.stem}.{sys.implementation.cache_tag}.pyc")
