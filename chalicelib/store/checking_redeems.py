"""Passes that do not say how many redeems they have.

The table of redeems is read before the passes, so that their counts fit into a few bytes a pass. Where it was not, or
not by this process, each pass that says it was redeemed costs a query.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from functools import partial

from chalicelib.domain.checking import Row, Subject
from chalicelib.domain.counted_index import SEGMENT_SIZE, redeems_of_pass, segment_of
from chalicelib.store.checking_passes import Surroundings
from chalicelib.store.checking_reads import Reader
from chalicelib.store.transactions import SLOTS_PER_SEGMENT


class RedeemCounts:
    """How many redeems each pass has."""

    def __init__(self) -> None:
        self.is_complete = False
        """whether every redeem was counted"""
        self._of_block: dict[int, array[int]] = {}

    def add(self, pass_ids: Iterable[int]) -> None:
        """One redeem of each of these passes."""
        for pass_id in pass_ids:
            block = self._of_block.setdefault(
                segment_of(pass_id), array("L", bytes(array("L").itemsize * SEGMENT_SIZE))
            )
            block[pass_id % SEGMENT_SIZE] += 1

    def of(self, pass_id: int) -> int:
        """How many a pass has."""
        block = self._of_block.get(segment_of(pass_id))
        return block[pass_id % SEGMENT_SIZE] if block else 0


def find_miscounted(around: Surroundings, counts: RedeemCounts, rows: Mapping[int, Row]) -> list[Subject]:
    """Passes whose number of redeems is not that of their rows, and the counters of these."""
    doubtful = [
        pass_id
        for pass_id, row in rows.items()
        if (row.get("redeemed_count") != counts.of(pass_id) if counts.is_complete else row.get("redeemed_count"))
    ]
    # what was redeemed since the table was read is counted again
    held = around.reader.run_parallel([partial(around.reader.count, "redeems", {"pass_id": each}) for each in doubtful])
    wrong = [
        pass_id for pass_id, count in zip(doubtful, held, strict=True) if rows[pass_id].get("redeemed_count") != count
    ]
    return [subject for pass_id in wrong for subject in _suspect(around.reader, rows[pass_id])]


def _suspect(reader: Reader, row: Row) -> list[Subject]:
    collection = redeems_of_pass(int(row["pass_id"]))
    slots = reader.query("segments", {"collection": collection.key})
    segments = sorted({int(slot["slot"]) // SLOTS_PER_SEGMENT for slot in slots})
    counters = [Subject("counter", (collection.key, segment, row["project_id"])) for segment in segments]
    return [Subject("pass", (row["pass_id"],)), *counters]
