"""Checks that say nothing about an operation. Anything that is not here is checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, kw_only=True)
class Exclusion:
    """A check that is not made of an operation."""

    check: str
    operation: str
    why: str


EXCLUSIONS: Final = (
    Exclusion(
        check="negative_data_rejection",
        operation="POST /v1/log",
        why="a body of another shape is dropped, and answered 200 all the same (wallets, 2.2, 5)",
    ),
    Exclusion(
        check="negative_data_rejection",
        operation="GET /v1/devices/{device_id}/registrations/{pass_type}",
        why="a device that cannot be registered is an unknown one, and those are answered 204 (wallets, 2.2, 3)",
    ),
    Exclusion(
        check="what_is_there_is_found",
        operation="POST /v2/{campaign_type}/{campaign_id}/redeem",
        why="the code of the pass is in the body, and drawn",
    ),
    Exclusion(
        check="what_is_there_is_found",
        operation="GET /v1/pass/{identifier}/download",
        why="with a wrong token it does not say what is there, and the token is drawn",
    ),
    *(
        Exclusion(
            check="what_is_there_is_found",
            operation=f"{method} /v1/project/{{identifier}}/settings/callback",
            why="the path names the project, and what need not be there is its callback",
        )
        for method in ("GET", "DELETE")
    ),
)


def as_settings() -> list[dict[str, Any]]:
    """What Schemathesis is told of them."""
    return [{"include-name": each.operation, "checks": {each.check: {"enabled": False}}} for each in EXCLUSIONS]


def is_excluded(check: str, operation: str) -> bool:
    """Whether a check of ours is not made of an operation."""
    return any((each.check, each.operation) == (check, operation) for each in EXCLUSIONS)
