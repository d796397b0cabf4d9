"""JSON schemas of models, and models of bodies that routes read by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from chalicelib.api.passkit.devices import _read_push_token
from chalicelib.domain.errors import InvalidRequest
from chalicelib.schemas import airship, passworks, passworks_templates, read_by_hand
from chalicelib.schemas.bounds import one_of
from openapi.models import Models, tidy

TEXTS: list[Any] = ["", " ", "a", " a", "a b", "a\n", "\x7f", "é", "x" * 1024, "x" * 1025, None, 5, []]


def is_allowed(model: Any, document: Any) -> bool:
    """Whether the schema of a model allows a document."""
    return bool(Draft202012Validator(model.model_json_schema()).is_valid(document))


def is_taken(model: Any, document: Any) -> bool:
    """Whether the model does."""
    try:
        model.model_validate(document)
    except ValueError:
        return False
    return True


def _reads(token: Any) -> bool:
    try:
        _read_push_token(token)
    except InvalidRequest:
        return False
    return True


@pytest.mark.parametrize("token", TEXTS)
def test_a_push_token_is_read_as_described(token: Any) -> None:
    assert _reads(token) is is_allowed(read_by_hand.RegistrationBody, {"pushToken": token})


SPOTS: list[tuple[Any, Callable[[Any], Any], list[Any]]] = [
    (airship.UpdateBody, lambda value: {"fields": {"Points": {"value": value}}}, [1, "x" * 8193, [], {}, None, True]),
    (airship.UpdateBody, lambda value: {"fields": value}, [{"x" * 101: {}}, {"": {}}, {"a": 5}, [], None]),
    (airship.UpdateBody, lambda value: {"fields": {str(n): {} for n in range(value)}}, [200, 201]),
    (
        airship.UpdateBody,
        lambda value: {"locations": [{"latitude": value, "longitude": 0}]},
        [90, 91, "5", True, 1.5],
    ),
    (airship.CreatePassBody, lambda value: {"externalId": value}, [5, "5", "", "x" * 256, None, 5.5, True]),
    (airship.CreatePassBody, lambda value: {"publicURL": {"type": value}}, ["SINGLE", "Multiple", "both", None, 5]),
    (airship.CreatePassBody, lambda value: {"publicUrl": {"type": value}}, ["SINGLE", "both"]),
    (airship.CreatePassBody, lambda value: {"publicURL": {"type": "single"}, "publicUrl": value}, [5]),
    (airship.CreatePassBody, lambda value: {"tags": value}, [["a"], [5], None, "a"]),
    (airship.TemplateBody, lambda value: {"name": value}, ["a", "", "x" * 256, None, 5]),
    (passworks.CampaignBody, lambda value: {"name": value}, ["a", "", " ", "x" * 256, None, 5, []]),
    (passworks.CampaignBody, lambda value: {"og": value}, [True, "true", 1, None]),
    (passworks.CampaignBody, lambda value: {"code_type": value}, ["sequencial", "other", None]),
    (
        passworks.CampaignBody,
        lambda value: {"associated_store_identifiers": value},
        [[5], ["5"], ["x"], {}, None, [5] * 101],
    ),
    (passworks.PassBody, lambda value: {"barcode": value}, [{}, [], None, "", [5]]),
    (passworks.PassBody, lambda value: {"back_fields": value}, [[], {}, None, "", {"a": 1}, [{"key": 5}], [{}]]),
    (passworks.PassBody, lambda value: {"user_info": value}, [{"a": 1}, [], None, "a"]),
    (passworks.PassBody, lambda value: {"max_distance": value}, [0, -1, None, "5", True]),
    (passworks.PassBody, lambda value: {"thumbnail_id": value}, ["", None, "a", 5]),
    (
        passworks.UpdatePassBody,
        lambda value: {"merge": value},
        [True, False, "true", "0", "1", "yes", 1, 0, 2, None, []],
    ),
    (
        passworks.PassBody,
        lambda value: {"beacons": [{"proximity_uuid": "0f8e4cbb-9f0b-6a2e-0c6c-11f000000000", "major": value}]},
        [0, 65535, 65536, "5", "70000", "x", None, True, 1.5],
    ),
    (
        passworks_templates.DeleteTemplateBody,
        lambda value: {"delete_assets": value},
        [True, "yes", "ON", 1, 2, "x", "yes\n", None],
    ),
    (
        passworks_templates.NewTemplateBody,
        lambda value: {"name": "a", "icon_id": "i", **value},
        [
            {"pass_type": "coupon"},
            {"pass_type": "voucher"},
            {"pass_type": "boardingPass"},
            {"pass_type": "boardingPass", "transit_type": "air"},
            {"pass_type": "coupon", "transit_type": "rocket"},
            {"pass_type": "eventTicket", "strip_id": "a", "background_id": "b"},
            {"pass_type": "eventTicket", "strip_id": "a", "background_id": ""},
            {"pass_type": "coupon", "name": " "},
            {"pass_type": "coupon", "description": None},
        ],
    ),
]
"""a model, a place in its document, and values for it"""


@pytest.mark.parametrize(
    ("model", "document"), [(model, make(value)) for model, make, values in SPOTS for value in values]
)
def test_a_schema_allows_what_code_takes_and_nothing_else(model: Any, document: Any) -> None:
    assert is_allowed(model, document) is is_taken(model, document)


@pytest.mark.parametrize("values", [("", 0, False, None), (1, 2, "1", "2"), (True, False, "0", 1, None)])
def test_one_of_some_values_is_each_of_them_and_nothing_else(values: tuple[Any, ...]) -> None:
    schema = one_of(*values)
    candidates: list[Any] = ["", "0", "1", "2", 0, 1, 2, False, True, None, [], {}]
    for value in candidates:
        wanted = any(value == each and type(value) is type(each) for each in values)
        assert Draft202012Validator(schema).is_valid(value) is wanted, value
    for choice in schema["anyOf"]:
        assert len({type(each) for each in choice.get("enum", [""])}) == 1, "a generator finds no type for it"


def test_titles_go_but_not_members_of_that_name() -> None:
    schema = {
        "title": "A",
        "type": "object",
        "properties": {"title": {"title": "Title", "type": "string", "default": None}},
    }
    assert tidy(schema) == {"type": "object", "properties": {"title": {"type": "string"}}}


def test_two_models_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    models = Models()
    models.refer("airship.Location")
    monkeypatch.setattr("openapi.models.find", lambda name: type("Location", (), {}))
    with pytest.raises(ValueError, match="two models are called Location"):
        models.refer("other.Location")
