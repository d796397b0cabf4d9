from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.wallets.apple.fields import render_fields
from tests.support.wallet_passes import wallet_pass


def rendered(**fields: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    return render_fields(wallet_pass(fields=fields).content)


def one(**attributes: Any) -> dict[str, Any]:
    """A secondary field with these attributes, as rendered and without its key."""
    (field,) = rendered(field={"fieldType": "secondary", **attributes})["secondaryFields"]
    assert field.pop("key") == "field"
    return field


def test_each_field_goes_to_the_place_of_its_type_and_the_tertiary_to_the_auxiliary() -> None:
    types = ("header", "primary", "secondary", "auxiliary", "tertiary", "back")
    groups = rendered(**{name: {"fieldType": name, "value": ""} for name in types})

    assert {group: [field["key"] for field in fields] for group, fields in groups.items()} == {
        "headerFields": ["header"],
        "primaryFields": ["primary"],
        "secondaryFields": ["secondary"],
        "auxiliaryFields": ["auxiliary", "tertiary"],
        "backFields": ["back"],
    }


@pytest.mark.parametrize("field_type", ["notAssigned", "textModulesData", None, 3])
def test_fields_without_a_place_on_a_pass_are_left_out(field_type: object) -> None:
    assert not any(rendered(field={"fieldType": field_type, "value": "x"}).values())


def test_fields_stand_by_order_and_then_as_stored_those_without_order_last() -> None:
    groups = rendered(
        d={"fieldType": "back"},
        c={"fieldType": "back", "order": 2},
        b={"fieldType": "back", "order": "1"},
        e={"fieldType": "back", "order": None},
        a={"fieldType": "back", "order": 2},
    )

    assert [field["key"] for field in groups["backFields"]] == ["b", "c", "a", "d", "e"]


@pytest.mark.parametrize("empty", [None, "", "  "])
def test_an_empty_value_is_hidden_where_the_field_asks_for_it_and_else_an_empty_text(empty: str | None) -> None:
    assert rendered(field={"fieldType": "back", "value": empty, "hideEmpty": True})["backFields"] == []
    assert one(value=empty, hideEmpty=False) == {"value": empty or ""}
    assert one(value=0, hideEmpty=True) == {"value": 0}


@pytest.mark.parametrize(
    ("value", "shown"),
    [(3, 3), (3.5, 3.5), ("3", "3"), ("", ""), (True, "true"), (float("inf"), "inf"), (["a"], "['a']")],
)
def test_numbers_stay_numbers_and_the_rest_is_text(value: object, shown: object) -> None:
    field = one(value=value)

    assert field == {"value": shown}
    assert type(field["value"]) is type(shown)


def test_a_label_is_a_text_and_left_out_when_empty() -> None:
    assert one(value="x", label="Points") == {"label": "Points", "value": "x"}
    assert one(value="x", label=5) == {"label": "5", "value": "x"}
    assert one(value="x", label="") == {"value": "x"}


@pytest.mark.parametrize(
    ("attributes", "shown"),
    [
        ({"value": 33, "formatType": "Number"}, {"numberStyle": "PKNumberStyleDecimal", "value": 33}),
        ({"value": "33.0", "formatType": "Number"}, {"numberStyle": "PKNumberStyleDecimal", "value": 33.0}),
        ({"value": "-7"}, {"numberStyle": "PKNumberStyleDecimal", "value": -7}),
        ({"value": "007", "formatType": "Number"}, {"value": "007"}),
        ({"value": "many", "formatType": "Number"}, {"value": "many"}),
        ({"value": "", "formatType": "Number"}, {"value": ""}),
        ({"value": "5234567890123456", "formatType": "Number"}, {"value": "5234567890123456"}),
        ({"value": "33.0", "formatType": "String"}, {"value": "33.0"}),
        ({"value": "33.0", "formatType": "Phone"}, {"value": "33.0"}),
        ({"value": "33", "formatType": "Number", "numberStyle": "fancy"}, {"value": "33"}),
    ],
)
def test_a_number_style_is_said_only_of_a_number(attributes: dict[str, Any], shown: dict[str, Any]) -> None:
    assert one(**{"numberStyle": "PKNumberStyleDecimal", **attributes}) == shown


@pytest.mark.parametrize(
    ("attributes", "shown"),
    [
        ({"value": "9.99", "currencyCode": "EUR"}, {"value": 9.99, "currencyCode": "EUR"}),
        ({"value": 10, "currencyCode": "eur"}, {"value": 10, "currencyCode": "EUR"}),
        (
            {"value": 10, "currencyCode": "EUR", "numberStyle": "PKNumberStyleDecimal"},
            {"value": 10, "currencyCode": "EUR"},
        ),
        ({"value": "€ 10", "currencyCode": "EUR"}, {"value": "€ 10"}),
        ({"value": "10", "currencyCode": "Euro"}, {"value": "10"}),
        ({"value": "10"}, {"value": "10"}),
    ],
)
def test_a_currency_is_said_only_of_an_amount(attributes: dict[str, Any], shown: dict[str, Any]) -> None:
    assert one(formatType="Currency", **attributes) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (
            "2026-05-06T7:08-08:00",
            {"value": "2026-05-06T07:08:00-08:00", "dateStyle": "PKDateStyleMedium", "timeStyle": "PKDateStyleShort"},
        ),
        (
            "2026-05-06",
            {
                "value": "2026-05-06T00:00:00+00:00",
                "dateStyle": "PKDateStyleMedium",
                "timeStyle": "PKDateStyleNone",
                "ignoresTimeZone": True,
            },
        ),
        ("tomorrow", {"value": "tomorrow"}),
        ("", {"value": ""}),
        (20260506, {"value": 20260506}),
    ],
)
def test_a_date_style_is_said_only_of_a_date(value: object, shown: dict[str, Any]) -> None:
    assert one(formatType="Date", value=value) == shown


def test_links_are_plain_texts() -> None:
    for format_type, value in (("URL", "https://x.example"), ("Phone", "+351 1"), ("Email", "a@x.example")):
        assert one(formatType=format_type, value=value) == {"value": value}


def test_a_change_is_announced_only_by_a_message_with_a_place_for_the_value() -> None:
    assert one(value=1, changeMessage="Now %@") == {"value": 1, "changeMessage": "Now %@"}
    assert one(value=1, changeMessage="Changed") == {"value": 1}
    assert one(value=1, changeMessage=None) == {"value": 1}


def test_alignment_is_said_only_where_wallet_allows_it() -> None:
    aligned = {"value": "x", "textAlignment": "PKTextAlignmentRight"}
    groups = rendered(**{name: {"fieldType": name, **aligned} for name in ("primary", "back", "header")})

    assert one(**aligned) == aligned
    assert one(value="x", textAlignment="middle") == {"value": "x"}
    assert [name for name, (*fields,) in groups.items() if any("textAlignment" in one for one in fields)] == [
        "headerFields"
    ]


_ATTRIBUTES = st.fixed_dictionaries(
    {"fieldType": st.sampled_from(["header", "primary", "secondary", "tertiary", "auxiliary", "back"])},
    optional={
        "value": st.one_of(
            st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.sampled_from(["7", "2026-01-01"])
        ),
        "formatType": st.sampled_from(["Number", "String", "URL", "Date", "Currency", "Phone", "Email", None]),
        "numberStyle": st.sampled_from(["PKNumberStyleDecimal", "PKNumberStylePercent", None]),
        "currencyCode": st.sampled_from(["EUR", "x", None]),
        "order": st.one_of(st.none(), st.integers(), st.floats(), st.text()),
        "hideEmpty": st.booleans(),
    },
)


@given(st.dictionaries(st.text(), _ATTRIBUTES))
def test_whatever_is_stored_keys_are_unique_values_fit_and_styles_stand_on_what_bears_them(
    fields: dict[str, dict[str, Any]],
) -> None:
    shown = [field for group in rendered(**fields).values() for field in group]

    assert len({field["key"] for field in shown}) == len(shown)
    for field in shown:
        assert isinstance(field["value"], str | int | float)
        assert not isinstance(field["value"], bool)
        if "numberStyle" in field or "currencyCode" in field:
            assert not isinstance(field["value"], str)
        if "dateStyle" in field:
            assert isinstance(field["value"], str)
