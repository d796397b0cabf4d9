"""Every error of the domain has an answer, and no answer shows what is inside."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from chalicelib.domain import errors
from chalicelib.errors import (
    AIRSHIP_DESCRIPTIONS,
    AIRSHIP_STATUSES,
    PASSWORKS_CODES,
    ErrorAnswer,
    airship_answer,
    passworks_answer,
)
from chalicelib.schemas.passworks_answers import PassworksError

KEYS = {"code", "description", "details", "error", "error_code"}

PASSWORKS_STATUSES = {400, 401, 404, 405, 412, 422, 500, 503}
"""what Passworks clients know, as far as we use it (passworks-v2, section 3)"""

ANSWERS = [airship_answer, passworks_answer]


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


@pytest.mark.parametrize("kind", _all_errors(), ids=lambda kind: kind.__name__)
def test_every_domain_error_has_a_passworks_answer_of_its_own(kind: type[errors.PasselError]) -> None:
    answer = passworks_answer(_make(kind))

    assert answer.status != 500
    assert answer.status in PASSWORKS_STATUSES
    assert list(answer.body) == ["status_code", "error_code", "message", "errors"]
    assert answer.body["status_code"] == answer.status
    assert type(answer.body["error_code"]) is int
    assert answer.body["message"]
    assert type(answer.body["errors"]) is dict
    assert {type(value) for value in answer.body["errors"].values()} <= {str, list}


def test_clients_can_read_what_every_code_means() -> None:
    words = PassworksError.model_fields["error_code"].description or ""
    assert {str(code) for _, _, code in PASSWORKS_CODES} <= set(re.findall(r"\b[0-9]{5}\b", words))


@pytest.mark.parametrize("rows", [AIRSHIP_STATUSES, PASSWORKS_CODES], ids=["airship", "passworks"])
def test_no_row_of_a_map_hides_a_later_one(rows: tuple[tuple[type[errors.PasselError], int], ...]) -> None:
    kinds = [row[0] for row in rows]

    assert not [
        (hidden.__name__, kind.__name__)
        for place, kind in enumerate(kinds)
        for hidden in kinds[place + 1 :]
        if issubclass(hidden, kind)
    ]


@pytest.mark.parametrize(
    ("error", "status", "error_code", "message", "problems"),
    [
        (
            errors.InvalidRequest("can't be blank", field="name"),
            422,
            10100,
            "Validation failed",
            {"name": ["can't be blank"]},
        ),
        (errors.InvalidRequest("is odd"), 422, 10100, "Validation failed", {"base": ["is odd"]}),
        (errors.AlreadyExists("is taken", field="name"), 422, 10100, "Validation failed", {"name": ["is taken"]}),
        (
            errors.InvalidFilter("Unknown filter 'a'", advice="Attributes: b."),
            422,
            10101,
            "Unknown filter 'a'. Attributes: b.",
            {"q": "Unknown filter 'a'"},
        ),
        (errors.StateRefused("Can't resume"), 412, 10102, "Can't resume", {"state": "Can't resume"}),
        (errors.InUse("in use by 1", field="asset"), 412, 10103, "in use by 1", {"asset": "in use by 1"}),
        (
            errors.DeleteRefused("campaign", 7),
            412,
            10104,
            "Campaign not found.",
            {"campaign": "Campaign not found."},
        ),
        (errors.RedeemRefused("already redeemed"), 412, 10105, "already redeemed", {"pass": "already redeemed"}),
        (errors.PreconditionFailed("has changed"), 412, 10106, "has changed", {"base": "has changed"}),
        (
            errors.KeyReused("is another's", field="Idempotency-Key"),
            422,
            10107,
            "Validation failed",
            {"Idempotency-Key": ["is another's"]},
        ),
        (errors.StillAtWork("at work"), 503, 10500, "at work", {}),
        (errors.NotFound("pass", 7), 404, 10004, "Pass not found.", {"pass": "Pass not found."}),
        (errors.Unauthorized("who?"), 401, 10001, "who?", {}),
        (errors.UnreadableBody("no JSON"), 400, 10000, "no JSON", {}),
        (errors.Busy("busy"), 503, 10500, "busy", {}),
        (ValueError("secret"), 500, 10500, "an unexpected error occurred", {}),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_passworks_answers_are_the_contracts(
    error: Exception, status: int, error_code: int, message: str, problems: dict[str, object]
) -> None:
    answer = passworks_answer(error)

    assert answer.status == status
    assert answer.body == {"status_code": status, "error_code": error_code, "message": message, "errors": problems}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.InvalidFilter("a"), 400),
        (errors.StateRefused("a"), 400),
        (errors.RedeemRefused("a"), 400),
        (errors.InUse("a"), 400),
        (errors.DeleteRefused("template", 7), 404),
    ],
    ids=lambda value: type(value).__name__,
)
def test_airship_clients_see_none_of_the_passworks_statuses(error: Exception, status: int) -> None:
    assert airship_answer(error).status == status


def test_only_the_passworks_401_asks_for_credentials() -> None:
    error = errors.Unauthorized("who?")

    assert passworks_answer(error).headers == {"WWW-Authenticate": 'Basic realm="Passworks"'}
    assert airship_answer(error).headers == {}


@pytest.mark.parametrize("answer_to", ANSWERS)
def test_an_unexpected_error_shows_nothing_of_itself(answer_to: Callable[[Exception], ErrorAnswer]) -> None:
    answer = answer_to(ValueError("secret of the house"))

    assert answer.status == 500
    assert "secret" not in str(answer.body)


@pytest.mark.parametrize("answer_to", ANSWERS)
@pytest.mark.parametrize("kind", [errors.Busy, errors.Conflict])
def test_what_may_be_tried_again_says_when(
    kind: type[errors.PasselError], answer_to: Callable[[Exception], ErrorAnswer]
) -> None:
    answer = answer_to(_make(kind))

    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) >= 1


def test_an_invalid_value_is_named_with_its_place() -> None:
    answer = airship_answer(errors.InvalidRequest("is too long", field="tags[3]"))

    assert (answer.status, answer.body["details"]) == (400, "tags[3]: is too long")


@pytest.mark.parametrize("answer", ANSWERS)
def test_what_an_operator_has_to_do_is_not_told_to_clients(answer: Callable[[Exception], ErrorAnswer]) -> None:
    refused = answer(errors.NumberTaken("ticket 7 exists already; `check --repair` moves the sequence on"))

    assert (refused.status, refused.headers["Retry-After"]) == (503, "1")
    assert "check" not in str(refused.body)
