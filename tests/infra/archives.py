"""The two archives of a package, laid out as Lambda lays them out."""

from __future__ import annotations

import platform
import sys
import zipfile
from pathlib import Path

import pytest

from infra.package import Package

LAYER_PACKAGES = f"python/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"

needs_their_platform = pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64"),
    reason="the archives hold Linux x86_64 binaries, which this machine cannot load",
)


def unpack_archives(package: Package, folder: Path) -> tuple[Path, Path]:
    """Where the code is, and where the layer's packages are."""
    code, layer = folder / "task", folder / "opt"
    for archive, target in ((package.code, code), (package.layer, layer)):
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(target)
    return code, layer / LAYER_PACKAGES
