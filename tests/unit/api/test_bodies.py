"""Reading bodies: what is JSON, what is too deep, and how a wrong value is named."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from chalicelib.api.bodies import check_body_size, parse_json, read_form
from chalicelib.domain.errors import InvalidRequest, UnreadableBody
from chalicelib.schemas.reading import field_path, read_model
from chalicelib.settings import get_settings


class _Model(BaseModel):
    tags: list[str]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nothing",
        b"\xff\xfe\xfd",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1e999}',
        b'{"a": "\\ud800"}',
        b"[" * 100_000,
        b"9" * 10_000,
    ],
    ids=lambda body: repr(body[:20]),
)
def test_what_cannot_be_stored_as_json_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableBody):
        parse_json(body)


@pytest.mark.parametrize("body", [b"null", b"3", b'"text"', b"[]", b'{"a": "\\ud83d\\ude00"}'])
def test_any_json_document_is_read(body: bytes) -> None:
    parse_json(body)


def test_nesting_is_bounded_exactly() -> None:
    limit = get_settings().limits.body_depth

    parse_json(b"[" * limit + b"]" * limit)
    with pytest.raises(UnreadableBody, match=str(limit)):
        parse_json(b"[" * (limit + 1) + b"]" * (limit + 1))


def test_a_body_over_the_limit_names_the_limit() -> None:
    check_body_size(b"1234", maximum_bytes=4)
    with pytest.raises(InvalidRequest, match="the limit is 4"):
        check_body_size(b"12345", maximum_bytes=4)


def test_a_wrong_value_is_named_by_its_path() -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_model(_Model, {"tags": ["a", 3]})

    assert refused.value.field == "tags[1]"


@pytest.mark.parametrize("document", [None, [], "text", 3, True])
def test_a_body_must_be_an_object(document: object) -> None:
    with pytest.raises(InvalidRequest, match="body: must be a JSON object"):
        read_model(_Model, document)


def test_paths_read_like_the_document() -> None:
    assert field_path(("fields", "Points", "value")) == "fields.Points.value"
    assert field_path(("passes", 3, "tags", 0)) == "passes[3].tags[0]"


def test_the_last_value_of_a_form_field_counts() -> None:
    assert read_form(b"json=%7B%7D&api_key=a&api_key=b") == {"json": "{}", "api_key": "b"}
