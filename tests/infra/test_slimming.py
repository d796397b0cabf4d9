"""The package is small, and still holds all that production uses: tried from the archives, held against this machine.

What a clean interpreter does with the archives, `exercises.py` says.
"""

from __future__ import annotations

import ast
import base64
import gzip
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms

from infra import slimming
from infra.binaries import BinaryError, blank_unloaded, is_binary, list_needed_libraries, read_architecture
from infra.layer_contents import is_kept, list_unmatched
from infra.package import Package
from infra.slimming import SlimmingError, add_bytecode, is_outdated, slim_layer
from tests.infra import exercises
from tests.infra.archives import LAYER_PACKAGES, needs_their_platform, unpack_archives
from tests.support.certificates import as_pem, elliptic_key, make_bundle

MAXIMUM_BYTES = 13_250_000
"""of code and dependencies together, zipped; 9 MB of it are the compiled parts of cryptography, pydantic and Pillow,
half a megabyte is the viewer of the API's description, which no cold start reads"""

NEVER_LOADED = {
    "botocore.crt.auth": "needs awscrt",
    "botocore.docs.translator": "needs docutils",
    "certifi.__main__": "a program",
    "dateutil.tz.win": "needs Windows",
    "httpcore._async.socks_proxy": "needs socksio",
    "httpcore._backends.trio": "needs trio",
    "httpcore._sync.socks_proxy": "needs socksio",
    "urllib3.contrib.pyopenssl": "needs pyOpenSSL",
    "urllib3.contrib.socks": "needs PySocks",
}
"""modules of the layer that cannot be loaded, nor could before it was cut"""


@pytest.fixture(scope="session")
def unpacked(package: Package, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return unpack_archives(package, tmp_path_factory.mktemp("slim-lambda"))


def contents(archive: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as opened:
        return {name.removeprefix(f"{LAYER_PACKAGES}/"): opened.read(name) for name in opened.namelist()}


def run_clean(unpacked: tuple[Path, Path], code: list[str], *, stdin: str = "") -> str:
    """What a Python prints that has its standard library and these archives, and nothing else."""
    environment = {"AWS_REGION": "us-east-1", "PASSEL_PREFIX": "passel-dev-", "PATH": os.environ["PATH"]}
    command = [sys.executable, "-I", "-S", "-B", "-W", "error", *code, *map(str, unpacked)]
    result = subprocess.run(command, env=environment, cwd="/", input=stdin, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("which", ["package", "production_package"])
def test_code_and_dependencies_are_small(which: str, request: pytest.FixtureRequest) -> None:
    package: Package = request.getfixturevalue(which)
    size = package.code.stat().st_size + package.layer.stat().st_size
    print(f"{which}: {size:,} bytes")
    assert size <= MAXIMUM_BYTES


@pytest.mark.parametrize(("which", "architecture"), [("package", "x86_64"), ("production_package", "arm64")])
def test_every_binary_is_for_the_machine_of_its_stage(
    which: str, architecture: str, request: pytest.FixtureRequest
) -> None:
    package: Package = request.getfixturevalue(which)
    found = {name: read_architecture(data) for name, data in contents(package.layer).items() if is_binary(data)}
    assert len(found) > 10
    assert {name: machine for name, machine in found.items() if machine != architecture} == {}


def test_no_library_is_missed_and_none_is_left_over(package: Package) -> None:
    files = contents(package.layer)
    libraries = {name.rpartition("/")[2] for name in files if name.startswith("pillow.libs/")}
    needed = {name for data in files.values() if is_binary(data) for name in list_needed_libraries(data)}
    assert libraries == {name for name in needed if "-" in name and not name.startswith("ld-linux")}


def test_of_aws_only_what_is_called_is_described(package: Package) -> None:
    data = {name for name in contents(package.layer) if name.startswith("botocore/data/")}
    assert {name.split("/")[2] for name in data if name.count("/") > 2} == set(exercises.SERVICES)
    assert not [name for name in data if name.endswith(".gz")]


def test_scanners_still_see_which_versions_these_are(package: Package) -> None:
    names = {name for name in contents(package.layer) if name.endswith("/METADATA")}
    found = {name.partition("-")[0] for name in names}
    assert {"botocore", "cryptography", "pillow", "pydantic_core"} <= found
    assert "pip" not in found
    metadata = next(data for name, data in contents(package.layer).items() if name.startswith("pillow-"))
    assert metadata.startswith(b"Metadata-Version: ")
    assert b"\nName: pillow\nVersion: " in metadata


@pytest.fixture(scope="session")
def inputs() -> exercises.Inputs:
    bundle = make_bundle()
    return {
        "certificate": bundle.certificate_pem.decode(),
        "key": bundle.key_pem.decode(),
        "wwdr": bundle.wwdr_pem.decode(),
        "elliptic key": as_pem(elliptic_key()).decode(),
        **{f"image {name}": base64.b64encode(data).decode() for name, data in make_images()},
    }


def make_images() -> Iterator[tuple[str, bytes]]:
    """One of each kind that people upload, and some that are refused."""
    picture = Image.linear_gradient("L").convert("RGB").resize((300, 200))
    exif = Image.Exif()
    exif[0x0112] = 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    yield "png", write(picture, "PNG")
    yield "jpeg", write(picture, "JPEG", exif=exif, icc_profile=profile)
    yield "jpeg in print colours", write(picture.convert("CMYK"), "JPEG")
    yield "several jpegs", write(picture, "MPO", save_all=True, append_images=[picture.rotate(90)])
    yield "gif", write(picture.convert("P"), "GIF", save_all=True, append_images=[picture.rotate(90)])
    yield "transparent png", write(picture.convert("RGBA"), "PNG")
    for kind in ("WEBP", "TIFF", "BMP"):
        yield kind.lower(), write(picture, kind)
    yield "text", b"no image"


def write(picture: Image.Image, kind: str, **options: Any) -> bytes:
    file = BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


@pytest.fixture(scope="session")
def from_archives(unpacked: tuple[Path, Path], inputs: exercises.Inputs) -> exercises.Results:
    printed = run_clean(unpacked, [str(Path(exercises.__file__))], stdin=json.dumps(inputs))
    results: exercises.Results = json.loads(printed)
    return results


@needs_their_platform
@pytest.mark.parametrize("exercise", exercises.EXERCISES)
def test_the_archives_do_what_the_installed_packages_do(
    exercise: str, from_archives: exercises.Results, inputs: exercises.Inputs
) -> None:
    here = json.loads(json.dumps(exercises.EXERCISES[exercise](inputs)))
    assert from_archives[exercise] == here
    assert here


@needs_their_platform
def test_images_are_really_converted(from_archives: exercises.Results) -> None:
    """Not all refused alike."""
    counts = {name: len(digests) for name, digests in from_archives["convert_images"].items()}
    assert {name for name, count in counts.items() if count > 1} == {
        f"image {kind}" for kind in ("png", "jpeg", "jpeg in print colours", "several jpegs", "gif", "transparent png")
    }


@needs_their_platform
def test_every_module_that_is_left_can_be_loaded(package: Package, unpacked: tuple[Path, Path]) -> None:
    """So nothing that stays leans on something that went."""
    names = [module_of(name) for name in contents(package.layer) if name.endswith(".pyc")]
    assert len(names) > 400
    code = (
        "import importlib, json, sys, warnings\n"
        "sys.path[:0] = sys.argv[1:3]\n"
        "warnings.simplefilter('ignore')\n"
        "failed = {}\n"
        "for name in json.load(sys.stdin):\n"
        "    try:\n"
        "        importlib.import_module(name)\n"
        "    except (Exception, SystemExit) as error:\n"
        "        failed[name] = repr(error)\n"
        "print(json.dumps(failed), file=sys.__stdout__)"
    )
    failed = json.loads(run_clean(unpacked, ["-c", code], stdin=json.dumps(names)).splitlines()[-1])
    assert {name: error for name, error in failed.items() if name not in NEVER_LOADED} == {}


def module_of(path: str) -> str:
    return path.removesuffix(".pyc").replace("/", ".").removesuffix(".__init__")


@needs_their_platform
def test_every_import_of_ours_finds_what_it_names(package: Package, unpacked: tuple[Path, Path]) -> None:
    """Those inside functions too, which a start does not reach."""
    imports = sorted({line for source in our_sources(package) for line in imports_of(source)})
    assert len(imports) > 300
    code = "import sys; sys.path[:0] = sys.argv[1:3]; exec(sys.stdin.read())"
    run_clean(unpacked, ["-c", code], stdin="\n".join(imports))


def our_sources(package: Package) -> list[bytes]:
    """Of the application, and of Chalice below it."""
    return [data for name, data in contents(package.code).items() if name.endswith(".py")]


def imports_of(source: bytes) -> Iterator[str]:
    """Each import as a line of its own; those for the type checker are left out."""
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield ast.unparse(node)
        waiting += ast.iter_child_nodes(node)


def test_no_start_compiles_anything(package: Package) -> None:
    layer, code = contents(package.layer), contents(package.code)
    assert not [name for name in layer if name.endswith(".py")]
    tag = sys.implementation.cache_tag
    sources = [Path(name) for name in code if name.endswith(".py") and name != "app.py"]
    missing = [path for path in sources if f"{path.parent}/__pycache__/{path.stem}.{tag}.pyc" not in code]
    assert len(sources) > 100
    assert missing == []


@needs_their_platform
def test_bytecode_is_what_is_run(unpacked: tuple[Path, Path]) -> None:
    """None of it is of another version of Python, which would compile our sources instead."""
    code = (
        "import sys; sys.path[:0] = sys.argv[1:3]\n"
        "import importlib.machinery as machinery\n"
        "def refuse(self, data, path, **options): raise AssertionError(path)\n"
        "machinery.SourceFileLoader.source_to_code = refuse\n"
        "import chalicelib.workers.bulk, chalice.app, pydantic, pynamodb.models"
    )
    run_clean(unpacked, ["-c", code])


@needs_their_platform
def test_tracebacks_name_files_as_lambda_has_them(unpacked: tuple[Path, Path]) -> None:
    """Without the source beside it, bytecode alone says where it comes from."""
    code = "import sys; sys.path[:0] = sys.argv[1:3]; import h11; print(h11.Connection.send.__code__.co_filename)"
    assert run_clean(unpacked, ["-c", code]).strip() == f"/opt/{LAYER_PACKAGES}/h11/_connection.py"


def test_a_second_run_changes_nothing(package: Package) -> None:
    before = package.layer.read_bytes(), package.code.read_bytes()
    slim_layer(package.layer)
    add_bytecode(package.code)
    assert (package.layer.read_bytes(), package.code.read_bytes()) == before


def test_the_rules_are_known_by_a_mark(package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_outdated(package.layer)
    monkeypatch.setattr(slimming, "_current_mark", lambda: b"passel other rules")
    assert is_outdated(package.layer)


def make_layer(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(f"{LAYER_PACKAGES}/{name}", data)
    return path


def binary_of(package: Package) -> bytes:
    return next(data for name, data in contents(package.layer).items() if name.startswith("_cffi_backend"))


def small_layer(package: Package) -> dict[str, bytes]:
    """The least that is accepted: one binary, and what botocore needs."""
    endpoints: dict[str, Any] = {
        "partitions": [{"services": {service: {} for service in (*exercises.SERVICES, "other")}}]
    }
    described = gzip.compress(json.dumps({"documentation": "long", "shapes": {"documentation": {"a": 1}}}).encode())
    return {
        "_cffi_backend.so": binary_of(package),
        "module.py": b'"""Long."""\nVALUE = 1\n',
        "botocore/data/endpoints.json": json.dumps(endpoints).encode(),
        **{
            f"botocore/data/{service}/2020-01-01/{name}.json.gz": described
            for service in exercises.SERVICES
            for name in ("service-2", "endpoint-rule-set-1")
        },
    }


def without_sqs(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name: data for name, data in files.items() if "/sqs/" not in name}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without_sqs, "botocore has no service-2.json of sqs"),
        (lambda files: files | {"broken.py": b"def"}, "broken.py does not compile"),
        (lambda files: files | {"a.so": b"\x7fELF\x01\x01" + bytes(60)}, "a module that Lambda cannot load"),
        (lambda files: files | {"PIL/Image.py": b""}, "layer_contents.py keeps what no package has: PIL/"),
        (lambda files: {"module.py": b""}, "holds modules for: no machine"),
    ],
)
def test_what_is_not_as_expected_is_named(
    package: Package, tmp_path: Path, change: Callable[[dict[str, bytes]], dict[str, bytes]], message: str
) -> None:
    layer = make_layer(tmp_path / "layer.zip", change(small_layer(package)))
    before = layer.read_bytes()
    with pytest.raises(SlimmingError, match=message):
        slim_layer(layer)
    assert layer.read_bytes() == before
    assert list(tmp_path.iterdir()) == [layer]


@pytest.mark.parametrize(
    ("name", "message"),
    [("app.py", "no layer of Python packages"), ("python/lib/python3.8/site-packages/a.py", "is for Python 3.8")],
)
def test_other_archives_are_refused(tmp_path: Path, name: str, message: str) -> None:
    archive = tmp_path / "other.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr(name, b"")
    with pytest.raises(SlimmingError, match=message):
        slim_layer(archive)


def test_descriptions_lose_their_documentation_and_nothing_else(package: Package, tmp_path: Path) -> None:
    layer = make_layer(tmp_path / "layer.zip", small_layer(package))
    slim_layer(layer)
    files = contents(layer)
    assert json.loads(files["botocore/data/sqs/2020-01-01/service-2.json"]) == {
        "documentation": "",
        "shapes": {"documentation": {"a": 1}},
    }
    services = json.loads(files["botocore/data/endpoints.json"])["partitions"][0]["services"]
    assert sorted(services) == sorted(exercises.SERVICES)
    assert "module.pyc" in files


def test_the_same_layer_gives_the_same_bytes(package: Package, tmp_path: Path) -> None:
    one, other = (make_layer(tmp_path / f"{name}.zip", small_layer(package)) for name in ("one", "other"))
    slim_layer(one)
    slim_layer(other)
    assert one.read_bytes() == other.read_bytes()


def test_what_a_library_loads_stays_in_its_place(package: Package) -> None:
    symbols = b"a name of a function"
    data = binary_of(package)
    blanked = blank_unloaded(data + symbols)
    assert symbols not in blanked
    assert blank_unloaded(blanked) == blanked
    assert list_needed_libraries(blanked) == list_needed_libraries(data)


@pytest.mark.parametrize("data", [b"", b"\x7fELF", b"\x7fELF\x02\x01" + bytes(12) + b"\xf3\x00" + bytes(60)])
def test_what_lambda_cannot_run_is_refused(data: bytes) -> None:
    with pytest.raises(BinaryError):
        read_architecture(data)


def test_packages_that_are_not_named_stay_whole() -> None:
    assert is_kept("another/module.py")
    assert not is_kept("pip/__init__.py")
    assert not is_kept("PIL/WebPImagePlugin.py")
    assert list_unmatched(["another/module.py"]) == []
