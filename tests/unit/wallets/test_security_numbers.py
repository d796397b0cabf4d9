"""Numbers that lie in storage although no body may bring them any more: nobody's pass is lost over one."""

from __future__ import annotations

import json

import pytest

from chalicelib.domain.content import Content, Entry
from chalicelib.wallets.apple.fields import render_fields
from chalicelib.wallets.apple.values import as_number, as_whole_number, is_number
from chalicelib.wallets.google.texts import list_placed, read_field

TOO_LARGE = (10**309, -(10**400), 10**4000)


@pytest.mark.parametrize("number", TOO_LARGE, ids=lambda number: f"{len(str(number))} digits")
def test_what_no_double_holds_is_no_number(number: int) -> None:
    assert not is_number(number)
    assert as_number(number) is None
    assert as_whole_number(number, maximum=10) is None


@pytest.mark.parametrize("number", TOO_LARGE, ids=lambda number: f"{len(str(number))} digits")
def test_a_pass_with_such_a_number_shows_its_digits(number: int) -> None:
    attributes = {"fieldType": "primary", "value": number, "order": number, "currencyCode": "EUR"}
    content = Content(fields={"Points": Entry(attributes)})

    (field,) = render_fields(content)["primaryFields"]

    assert field["value"] == str(number)
    assert json.loads(json.dumps(field)) == field
    assert list_placed(content) == ["Points"]
    assert read_field(content, "Points").body == str(number)


def test_the_largest_numbers_are_numbers() -> None:
    for number in (2**53, 10**308, 1.7e308, 5e-324):
        assert as_number(number) == number
