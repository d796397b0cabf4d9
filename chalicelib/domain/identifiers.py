"""UUIDs that carry a number: random to everyone else, but we find the row behind one without an index.

A serial number or campaign id is a version 4 UUID whose last 48 bits are the pass or template id. Of the other 80 bits
six are the version and the variant and 74 are random, so it cannot be guessed, and it is compared whole with the stored
one.
"""

from __future__ import annotations

import uuid

_NUMBER_BITS = 48
LARGEST_NUMBER = 2**_NUMBER_BITS - 1


def uuid_carrying(number: int, *, random: uuid.UUID) -> str:
    """A version 4 UUID with `number` in its last 12 digits and everything else from `random`.

    Raises:
        ValueError: the number does not fit.
    """
    if not 0 <= number <= LARGEST_NUMBER:
        raise ValueError(f"{number} does not fit into {_NUMBER_BITS} bits")
    return str(uuid.UUID(int=(random.int >> _NUMBER_BITS << _NUMBER_BITS) | number))


def number_in(text: str) -> int | None:
    """The number that a UUID of ours carries; None for anything that is not a UUID in its usual spelling."""
    try:
        parsed = uuid.UUID(text)
    except ValueError:
        return None
    return parsed.int & LARGEST_NUMBER if str(parsed) == text else None
