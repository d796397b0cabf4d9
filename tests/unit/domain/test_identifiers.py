"""UUIDs that carry a number."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.identifiers import LARGEST_NUMBER, number_in, uuid_carrying

_A_UUID = "aff7ffbf-04d7-4180-9da2-c790e08da012"


@given(number=st.integers(0, LARGEST_NUMBER), random=st.uuids(version=4))
def test_the_number_comes_back_from_a_version_4_uuid(number: int, random: uuid.UUID) -> None:
    text = uuid_carrying(number, random=random)

    assert number_in(text) == number
    assert uuid.UUID(text).version == 4
    assert uuid.UUID(text).variant == uuid.RFC_4122
    assert text[:23] == str(random)[:23]


@pytest.mark.parametrize("text", ["", "61", "not-a-uuid", _A_UUID.upper(), _A_UUID.replace("-", "")])
def test_anything_but_a_uuid_as_we_write_it_carries_nothing(text: str) -> None:
    assert number_in(text) is None


@pytest.mark.parametrize("number", [-1, LARGEST_NUMBER + 1])
def test_a_number_that_does_not_fit_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="48 bits"):
        uuid_carrying(number, random=uuid.uuid4())
