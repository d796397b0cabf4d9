"""Sequences against the numbers that are in use: whoever takes a number that is taken writes over somebody's row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from chalicelib.domain.checking import Row, Subject
from chalicelib.store.checking_reads import Reader

PROJECTS, TEMPLATES, TICKETS = "projects", "templates", "tickets"
"""sequences of the whole deployment"""

Used = tuple[str, int, int]
"""a sequence, a number of it that is in use, and whose it is: a project, or 0 for the deployment"""


class Sequences:
    """How far the sequences are, and the highest numbers that were seen in use."""

    def __init__(self, reader: Reader, values: Mapping[str, int]) -> None:
        self._reader = reader
        self._values = dict(values)
        """as they were when last read, which is enough to clear a number of suspicion"""
        self._highest: dict[str, int] = {}
        """of those that lagged"""

    def find_behind(self, used: Iterable[Used]) -> list[Subject]:
        """Sequences that have not got as far as a number in use; again, if a higher one turns up."""
        highest: dict[str, tuple[int, int]] = {}
        for name, number, project_id in used:
            if number > max(self._values.get(name, 0), highest.get(name, (0, 0))[0], self._highest.get(name, 0)):
                highest[name] = (number, project_id)
        if not highest:
            return []
        self._values |= {
            row["name"]: row["value"]
            for row in self._reader.batch_get("sequences", [{"name": name} for name in highest])
        }
        behind = {name: each for name, each in highest.items() if each[0] > self._values.get(name, 0)}
        self._highest |= {name: number for name, (number, _) in behind.items()}
        return [Subject("sequence", (name, number, project_id)) for name, (number, project_id) in behind.items()]

    def highest(self, name: str, number: int) -> int:
        """The highest number in use that is known: the given one, or one that was seen since."""
        return max(number, self._highest.get(name, 0))

    def value(self, name: str) -> int:
        """How far a sequence was when it was last read."""
        return self._values.get(name, 0)


def numbers_of_pass(row: Row, *, latest_ticket: int) -> list[Used]:
    """What a pass has of each sequence but its own id, which its block tells."""
    numbers = [
        (TICKETS, max(latest_ticket, int(row["changed_ticket"])), 0),
        (TEMPLATES, int(row["template_id"]), 0),
    ]
    code = str(row["redeem_code"])
    if not row.get("own_code") and code.isdecimal():
        numbers.append((f"codes:{row['template_id']}", int(code), int(row["project_id"])))
    return numbers
