"""Which project leased which block of pass ids, and how far the sequences are."""

from __future__ import annotations

from collections import defaultdict

from chalicelib.domain.checking import Row
from chalicelib.domain.counted_index import SEGMENT_SIZE
from chalicelib.store.checking_reads import Reader

NEWEST_BLOCK = "pass-blocks"
"""the sequence that gives out blocks"""

_LEASE, _PASSES = "block:", "passes:"


class Blocks:
    """The leases of a deployment, two numbers for each 1,000 passes, and the values of all other sequences."""

    def __init__(self) -> None:
        self.leases: dict[int, list[tuple[int, int]]] = defaultdict(list)
        """block to the projects that leased it, each with the number that the block has there"""
        self.newest = 0
        """the last block that was given out, as its sequence has it"""
        self.values: dict[str, int] = {}
        """how far every sequence is"""
        self._of_project: dict[int, dict[int, int]] = defaultdict(dict)
        self._issued: dict[int, int] = {}

    def note(self, row: Row) -> None:
        """Takes in a row of the sequences."""
        name, value = str(row["name"]), int(row["value"])
        if name == NEWEST_BLOCK:
            self.newest = value
        elif name.startswith(_PASSES):
            self._issued[int(name.removeprefix(_PASSES))] = value
        elif name.startswith(_LEASE):
            project_id, index = map(int, name.removeprefix(_LEASE).split(":"))
            self.leases[value].append((project_id, index))
            self._of_project[project_id][index] = value
            return
        self.values[name] = value

    @property
    def projects(self) -> list[int]:
        """Projects that leased a block, ascending."""
        return sorted(self._of_project)

    @property
    def highest(self) -> int:
        """The largest number of a block that was given out or leased."""
        return max([self.newest, *self.leases])

    def blocks_of(self, project_id: int) -> dict[int, int]:
        """A project's blocks, by their number there."""
        return dict(sorted(self._of_project.get(project_id, {}).items()))

    def owner(self, pass_id: int) -> int | None:
        """The project whose pass it is, by its lease alone."""
        leases = self.leases.get(pass_id // SEGMENT_SIZE)
        return leases[0][0] if leases else None

    def index_of(self, project_id: int, block: int) -> int | None:
        """The number of a block in a project."""
        return next((index for owner, index in self.leases.get(block, ()) if owner == project_id), None)

    def issued(self, project_id: int) -> int:
        """How many pass ids a project has taken."""
        return self._issued.get(project_id, 0)


def read_blocks(reader: Reader) -> Blocks:
    """Reads every sequence: about 8 units for each 1,000 blocks."""
    blocks, after, is_over = Blocks(), None, False
    while not is_over:
        rows, after = reader.scan_page("sequences", after, ConsistentRead=True)
        for row in rows:
            blocks.note(row)
        is_over = after is None
    return blocks


def sequence_of_passes(project_id: int) -> str:
    """The sequence that numbers a project's passes."""
    return f"{_PASSES}{project_id}"


def lease_name(project_id: int, index: int) -> str:
    """The row of a lease."""
    return f"{_LEASE}{project_id}:{index}"
