"""What the user chose for one local run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """How to run."""

    port: int
    data: Path
    engine: str | None
    """dynoxide or moto; None prefers dynoxide and makes do with moto"""
    verbose: bool = False
