"""Every error of the domain has an answer, and no answer shows what is inside."""

from __future__ import annotations

import pytest

from chalicelib.domain import errors
from chalicelib.errors import AIRSHIP_DESCRIPTIONS, airship_answer

KEYS = {"code", "description", "details", "error", "error_code"}


def _all_errors() -> list[type[errors.PasselError]]:
    found, waiting = [], [errors.PasselError]
    while waiting:
        for child in waiting.pop().__subclasses__():
            found.append(child)
            waiting.append(child)
    return [error for error in found if error.__module__.startswith("chalicelib.domain")]


def _make(kind: type[errors.PasselError]) -> errors.PasselError:
    return kind("pass", 7) if issubclass(kind, errors.NotFound) else kind("a problem")


@pytest.mark.parametrize("kind", _all_errors(), ids=lambda kind: kind.__name__)
def test_every_domain_error_has_an_answer_of_its_own(kind: type[errors.PasselError]) -> None:
    answer = airship_answer(_make(kind))

    assert answer.status != 500
    assert answer.status in AIRSHIP_DESCRIPTIONS
    assert set(answer.body) == KEYS
    assert answer.body["code"] == answer.body["error_code"] == answer.status
    assert answer.body["error"] == answer.body["description"]


def test_an_unexpected_error_shows_nothing_of_itself() -> None:
    answer = airship_answer(ValueError("secret of the house"))

    assert answer.status == 500
    assert "secret" not in str(answer.body)


@pytest.mark.parametrize("kind", [errors.Busy, errors.Conflict])
def test_what_may_be_tried_again_says_when(kind: type[errors.PasselError]) -> None:
    answer = airship_answer(_make(kind))

    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) >= 1


def test_an_invalid_value_is_named_with_its_place() -> None:
    answer = airship_answer(errors.InvalidRequest("is too long", field="tags[3]"))

    assert (answer.status, answer.body["details"]) == (400, "tags[3]: is too long")
