"""Creating many passes under one Idempotency-Key: several transactions, and still each pass at most once."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

from chalicelib.domain.errors import InvalidRequest, Refused
from chalicelib.domain.idempotency import Claim
from chalicelib.domain.issuing import Outcome, PassNumbers, create_passes, take_pass_numbers
from chalicelib.domain.passes import NewPass, Pass, as_milliseconds, from_milliseconds
from chalicelib.domain.ports import Platform
from chalicelib.domain.templates import TemplateReference


def create_passes_once(
    platform: Platform,
    *,
    project_id: int,
    template: TemplateReference,
    new: Sequence[NewPass | Refused],
    claim: Claim,
    write_notes: Callable[[Claim], None],
) -> list[Outcome]:
    """`create_passes` for a request whose earlier tries may have made some of the passes.

    The ids are noted before the first pass is made, as an import does it: whoever comes after a death finds the passes
    that were made by their ids, and makes the others. One call more, and one for each 100 if there was an earlier try.

    Raises:
        NotFound, StateRefused, ClaimLost, Busy
    """
    made: dict[int, Pass] = {}
    if claim.notes is None:
        numbers = take_pass_numbers(platform, project_id=project_id, count=max(len(new), 1))
        write_notes(replace(claim, notes=_encode(numbers)))
    else:
        numbers = _decode(claim.notes)
        found = platform.passes.get_passes(numbers.pass_ids, consistent=True)
        made = {place: found[pass_id] for place, pass_id in enumerate(numbers.pass_ids) if pass_id in found}
    left = [_MADE if place in made else each for place, each in enumerate(new)]
    outcomes = create_passes(platform, project_id=project_id, template=template, new=left, numbers=numbers)
    return [made.get(place, outcome) for place, outcome in enumerate(outcomes)]


_MADE = InvalidRequest("was made by an earlier try")
"""stands in the place of a pass that is not to be made again"""


def _encode(numbers: PassNumbers) -> str:
    return json.dumps({"ids": list(numbers.pass_ids), "at": as_milliseconds(numbers.at)}, separators=(",", ":"))


def _decode(notes: str) -> PassNumbers:
    document = json.loads(notes)
    return PassNumbers(document["ids"], from_milliseconds(document["at"]))
