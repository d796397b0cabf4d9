"""Many writers behind DynamoDB's rules of contention, each with a memory of its own, as a function's containers have.

All is real but for time: production code, botocore, HTTP, the engine (`virtual_time`, `conflict_rule`, `aws_proxy`).
"""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from chalicelib.domain import bulk_updates, issuing, tagging, updating
from chalicelib.domain.content import ContentUpdate
from chalicelib.domain.errors import PasselError
from chalicelib.domain.passes import NewPass, PassReference
from chalicelib.domain.ports import Platform
from chalicelib.domain.reporting import Event
from chalicelib.domain.templates import TemplateReference
from chalicelib.settings import Settings, get_settings, read_settings
from chalicelib.store.connection import Database, StripeChoice
from chalicelib.store.models import MODELS
from chalicelib.store.pass_rows import UPDATED_SHARDS
from chalicelib.wiring import build_platform, get_database
from infra.definition import read_tables
from local.environment import PREFIX
from tests.support import devices
from tests.support.aws_proxy import Proxy, let_through, run_proxy
from tests.support.conflict_rule import ContentionCounts, ContentionRule
from tests.support.virtual_time import VirtualClock, run_in_virtual_time, seeded
from tests.support.write_requests import Item

Result = TypeVar("Result")

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one writer does: the act named `kind`, once for each number, one after the other."""

    kind: str
    project_id: int
    numbers: Sequence[int]
    """passes, segments, or any numbers for what is to be made"""
    template_id: int = 0
    tag: str = ""
    ticket_id: int = 0


@dataclass(slots=True)
class Work:
    """What one writer did: when each of its acts began and ended, and how many failed."""

    spans: list[tuple[float, float]] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a scene."""

    works: Sequence[Work]
    counts: ContentionCounts

    @property
    def failures(self) -> Counter[str]:
        """By the error's name, over all writers."""
        return sum((work.failures for work in self.works), Counter())

    @property
    def seconds(self) -> list[float]:
        """How long each act took, ascending."""
        return sorted(ended - began for work in self.works for began, ended in work.spans)

    def quantile_seconds(self, share: float) -> float:
        """What that share of the acts did not exceed."""
        seconds = self.seconds
        return seconds[min(len(seconds) - 1, int(len(seconds) * share))]

    @property
    def per_second(self) -> float:
        """Acts a second, until the first writer was done: after that there are fewer."""
        until = min(work.spans[-1][1] for work in self.works)
        return sum(ended <= until for work in self.works for _, ended in work.spans) / until


def _tag(platform: Platform, share: Share, pass_id: int) -> None:
    reference = PassReference(pass_id=pass_id)
    tagging.add_tags(platform, project_id=share.project_id, reference=reference, names=[share.tag])


def _create(platform: Platform, share: Share, _: int) -> None:
    new = NewPass(update=ContentUpdate(), tag_names=(share.tag,) if share.tag else ())
    template = TemplateReference(template_id=share.template_id)
    issuing.create_pass(platform, project_id=share.project_id, template=template, new=new)


def _update(platform: Platform, share: Share, pass_id: int) -> None:
    update = ContentUpdate(fields={"Points": {"value": str(next(_numbers))}})
    reference = PassReference(pass_id=pass_id)
    updating.update_pass(platform, project_id=share.project_id, reference=reference, update=update)


def _register(platform: Platform, share: Share, pass_id: int) -> None:
    device = f"device {next(_numbers)}"
    devices.install(platform, project_id=share.project_id, pass_id=pass_id, device=device)


def _view(platform: Platform, share: Share, _: int) -> None:
    platform.counts.count_event(template_id=share.template_id, event=Event.VIEWS, at=platform.now())


def _complete(platform: Platform, share: Share, segment: int) -> None:
    bulk_updates.update_segment(platform, ticket_id=share.ticket_id, segment=segment)


KINDS: Mapping[str, Callable[[Platform, Share, int], None]] = {
    "tag": _tag,
    "create": _create,
    "update": _update,
    "register": _register,
    "view": _view,
    "complete": _complete,
}


class _OneByOne(Database):
    """The clock knows writers, not the threads that they would hand calls to."""

    def run_parallel(self, tasks: Sequence[Callable[[], Result]]) -> list[Result]:
        return [task() for task in tasks]


class Scene:
    """Writers behind a proxy."""

    def __init__(self, proxy: Proxy, database: Database) -> None:
        self._proxy = proxy
        self._database = database

    def run(
        self, shares: Sequence[Share], *, seed: int, stripes: int | None = None, memory_seconds: float | None = None
    ) -> Outcome:
        """A writer for each share, all at the same time. None of them remembers a conflict when it begins."""
        clock = VirtualClock(workers=len(shares))
        rule = ContentionRule(
            read_tables(PREFIX),
            seed=seed,
            unnamed={(f"{PREFIX}passes", "by_updated"): _updated_shard},
            clock=clock.read,
            pause=clock.pause,
        )
        changed = {"PASSEL_STRIPES": stripes, "PASSEL_STRIPE_MEMORY_SECONDS": memory_seconds}
        settings = _read_settings({name: str(value) for name, value in changed.items() if value is not None})
        platforms = [build_platform(settings, self._forgetful(settings, clock)) for _ in shares]
        tasks = [partial(_work, *each, clock) for each in zip(platforms, shares, strict=True)]
        self._proxy.rule = rule
        try:
            with seeded(seed):
                works = run_in_virtual_time(clock, tasks)
        finally:
            self._proxy.rule = let_through
        return Outcome(works, rule.counts)

    def _forgetful(self, settings: Settings, clock: VirtualClock) -> Database:
        """The same connections with a memory of its own."""
        own = _OneByOne.__new__(_OneByOne)
        own.__dict__.update(self._database.__dict__)
        own.settings = settings
        own.stripes = StripeChoice(
            count=settings.stripes, memory_seconds=settings.stripe_memory_seconds, clock=clock.read
        )
        return own


def _read_settings(changed: Mapping[str, str]) -> Settings:
    return read_settings({**os.environ, **changed})


def _work(platform: Platform, share: Share, clock: VirtualClock) -> Work:
    act, work = KINDS[share.kind], Work()
    for number in share.numbers:
        began = clock.now
        try:
            act(platform, share, number)
        except PasselError as error:
            work.failures[type(error).__name__] += 1
        work.spans.append((began, clock.now))
    return work


def _updated_shard(item: Item) -> str:
    """Of a project's; scenes have one project that is updated."""
    return str(int(item.value("pass_id")) % UPDATED_SHARDS)


@contextmanager
def open_scene() -> Iterator[Scene]:
    """A scene on the running stack. Until the block ends, all models of this process are reached through its proxy."""
    settings = get_settings()
    assert settings.dynamodb_endpoint is not None
    get_database()  # so that the models have connections to go back to
    before = {model: model._connection for model in MODELS}
    with run_proxy(settings.dynamodb_endpoint) as proxy:
        changed = {"AWS_ENDPOINT_URL_DYNAMODB": proxy.url, "PASSEL_READ_TIMEOUT_SECONDS": "60"}
        proxied = Database(_read_settings(changed))
        try:
            yield Scene(proxy, proxied)
        finally:
            for model, connection in before.items():
                model._connection = connection
            proxied.connection.client.close()
