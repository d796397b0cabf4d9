"""Where the work of a function begins if a test calls its part of the domain."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest

from chalicelib import operations
from chalicelib.domain import bulk_updates, delivering, sweeping, tagging
from chalicelib.domain.ports import Platform
from chalicelib.domain.registrations import Wallet
from tests.support.doors import WORKER_DOORS, find_api_doors
from tests.support.functions import OPERATOR, function_at_work, working_as
from tests.support.policies import policy_files


class Watcher:
    """A platform that notes who reaches for it."""

    def __init__(self) -> None:
        self.seen: str | None = "nobody"

    def __getattr__(self, name: str) -> Any:
        self.seen = function_at_work()
        raise LookupError(name)


@pytest.fixture
def watcher() -> Watcher:
    return Watcher()


def test_what_routes_call_is_the_work_of_the_api(watcher: Watcher) -> None:
    assert {(tagging, "add_tags"), (bulk_updates, "start_bulk_update")} <= find_api_doors()
    with pytest.raises(LookupError):
        tagging.empty_tag(cast(Platform, watcher), project_id=1, segment="gold")
    assert watcher.seen == "api_handler"


def test_what_a_worker_calls_is_its_work(watcher: Watcher) -> None:
    with pytest.raises(LookupError):
        bulk_updates.fail_segment(cast(Platform, watcher), ticket_id=1, segment=1)
    assert watcher.seen == "fail_segment"


def test_whoever_is_at_work_already_goes_on(watcher: Watcher) -> None:
    with working_as("update_segment"), pytest.raises(LookupError):
        tagging.empty_tag(cast(Platform, watcher), project_id=1, segment="gold")
    assert watcher.seen == "update_segment"


@pytest.mark.parametrize(("queues_lost", "function"), [(False, "resume_unfinished"), (True, None)])
def test_only_operators_say_that_queues_are_lost(watcher: Watcher, queues_lost: bool, function: str | None) -> None:
    with pytest.raises(LookupError):
        sweeping.resume_unfinished(cast(Platform, watcher), minimum_age_seconds=0, queues_lost=queues_lost)
    assert watcher.seen == function


def test_what_operators_do_is_their_own_work(watcher: Watcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "get_platform", lambda: watcher)
    with pytest.raises(LookupError):
        operations.redrive(ticket_id=1)
    assert watcher.seen == OPERATOR


def test_every_door_leads_to_a_function() -> None:
    modules: dict[tuple[ModuleType, str], list[Any]] = {
        (delivering, "deliver"): [SimpleNamespace(wallet=wallet) for wallet in Wallet]
    }
    for door, choose in WORKER_DOORS.items():
        for delivery in modules.get(door, [None]):
            assert choose({"queues_lost": False, "delivery": delivery}) in policy_files()
