"""What drills are answered agrees with the description of the API too."""

from tests.contract.conftest import _described, _faults

__all__ = ["_described", "_faults"]
