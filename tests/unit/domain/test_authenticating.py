"""Who is let in while keys are issued, rotated and revoked, over a store kept in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from chalicelib.domain.authenticating import CredentialCache, authenticate, issue_key, rotate_key
from chalicelib.domain.errors import AlreadyExists, Conflict, InvalidRequest, Unauthorized
from chalicelib.domain.ports import Platform
from chalicelib.domain.projects import Credential, Project
from chalicelib.domain.rate_limits import RateLimit

START = datetime(2026, 1, 1, tzinfo=UTC)
OVERLAP = timedelta(days=7)


@dataclass
class FakeProjects:
    """Credentials of one project. `lose_answer` makes a replacement take effect and fail all the same."""

    credentials: dict[str, Credential] = field(default_factory=dict)
    reads: int = 0
    lose_answer: bool = False
    limit: RateLimit | None = None

    def get_project(self, *, project_id: int) -> Project:
        return Project(project_id, "Club", START, limit=self.limit)

    def create_credential(self, credential: Credential) -> None:
        if credential.key in self.credentials:
            raise AlreadyExists("is already in use", field="key")
        self.credentials[credential.key] = credential

    def get_credential(self, *, key: str) -> Credential | None:
        self.reads += 1
        return self.credentials.get(key)

    def replace_credential(self, *, old_key: str, expires_at: datetime, new: Credential) -> None:
        old = self.credentials[old_key]
        if old.revoked_at is not None or old.expires_at is not None:
            raise Conflict("condition failed: old")
        self.create_credential(new)
        self.credentials[old_key] = replace(old, expires_at=expires_at)
        if self.lose_answer:
            raise Conflict("condition failed: new, old")

    def revoke(self, key: str, at: datetime) -> None:
        self.credentials[key] = replace(self.credentials[key], revoked_at=at)


@dataclass
class Door:
    """What lets in, at a time that tests set. Its cache forgets only when it is told to."""

    now: datetime = START
    projects: FakeProjects = field(default_factory=FakeProjects)
    cache: CredentialCache = field(default_factory=lambda: CredentialCache(seconds=3600))

    @property
    def platform(self) -> Platform:
        parts: Any = type("Parts", (), {"projects": self.projects, "now": lambda _: self.now})()
        return cast(Platform, parts)

    def issue(self) -> tuple[str, str]:
        return issue_key(self.platform, project_id=1)

    def rotate(self, old: str, **more: Any) -> tuple[str, str]:
        new, secret, _ = rotate_key(self.platform, old=self.projects.credentials[old], overlap=OVERLAP, **more)
        return new.key, secret

    def opens(self, key: str, secret: str) -> bool:
        try:
            return authenticate(self.platform, self.cache, key=key, secret=secret).project_id == 1
        except Unauthorized:
            return False


def test_both_pairs_open_during_the_overlap_and_the_new_one_alone_after_it() -> None:
    door = Door()
    old = door.issue()
    new = door.rotate(old[0])

    assert door.opens(*old)
    assert door.opens(*new)
    door.now = START + OVERLAP - timedelta(seconds=1)
    assert door.opens(*old)
    door.now = START + OVERLAP
    assert not door.opens(*old)
    assert door.opens(*new)


def test_what_is_remembered_of_a_credential_does_not_outlast_its_end() -> None:
    door = Door()
    old = door.issue()
    door.rotate(old[0])
    assert door.opens(*old)
    reads = door.projects.reads
    assert door.opens(*old)
    assert door.projects.reads == reads

    door.now = START + OVERLAP
    assert not door.opens(*old)


def test_what_was_remembered_before_the_rotation_is_forgotten_as_after_a_revocation() -> None:
    door = Door()
    old = door.issue()
    assert door.opens(*old)
    door.rotate(old[0])
    door.now = START + OVERLAP
    assert door.opens(*old)

    door.cache = CredentialCache(seconds=3600)  # as after its minute
    assert not door.opens(*old)


def test_whoever_is_not_let_in_is_not_told_why() -> None:
    door = Door()
    key, _ = door.issue()
    for pair in ((key, "wrong"), ("unknown", "wrong")):
        with pytest.raises(Unauthorized, match=r"^the credentials are unknown or wrong$"):
            authenticate(door.platform, door.cache, key=pair[0], secret=pair[1])


@pytest.mark.parametrize(("pair", "missing"), [({"key": "a" * 20}, "secret"), ({"secret": "b" * 40}, "key")])
def test_half_a_pair_is_refused_by_the_half_that_is_missing(pair: dict[str, str], missing: str) -> None:
    with pytest.raises(InvalidRequest, match="bring both halves of a pair, or none") as refused:
        issue_key(Door().platform, project_id=1, **pair)

    assert refused.value.field == missing


def test_a_new_pair_is_limited_as_its_project_and_as_the_pair_before_it() -> None:
    """Requests read the limits beside the key, and nothing else."""
    door = Door()
    of_project, own = RateLimit(per_second=5, burst=10), RateLimit(per_second=1, burst=2)
    door.projects.limit = of_project
    key, _ = door.issue()
    issued = door.projects.credentials[key]
    assert (issued.limit, issued.project_limit) == (None, of_project)

    door.projects.credentials[key] = replace(issued, limit=own)
    key, _ = door.rotate(key)
    rotated = door.projects.credentials[key]
    assert (rotated.limit, rotated.project_limit) == (own, of_project)


@pytest.mark.parametrize("how", ["revoked", "rotated", "expired"])
def test_a_key_that_has_an_end_is_not_rotated_again(how: str) -> None:
    door = Door()
    key, _ = door.issue()
    if how == "revoked":
        door.projects.revoke(key, START)
    else:
        door.rotate(key)
        door.now = START + OVERLAP if how == "expired" else START
    before = dict(door.projects.credentials)

    with pytest.raises(InvalidRequest, match="is not in force any more" if how != "rotated" else "has been rotated"):
        door.rotate(key)
    assert door.projects.credentials == before


def test_of_two_who_rotate_at_once_one_is_refused_and_nobody_gets_a_pair_too_many() -> None:
    door = Door()
    key, _ = door.issue()
    seen = door.projects.credentials[key]
    door.rotate(key)

    with pytest.raises(InvalidRequest, match="changed by somebody else meanwhile"):
        rotate_key(door.platform, old=seen, overlap=OVERLAP)
    assert len(door.projects.credentials) == 2


def test_a_rotation_whose_answer_was_lost_still_gives_its_secret() -> None:
    door = Door()
    key, _ = door.issue()
    door.projects.lose_answer = True

    assert door.opens(*door.rotate(key))


def test_a_pair_of_another_place_can_succeed_and_a_taken_key_cannot() -> None:
    door = Door()
    first, _ = door.issue()
    second, _ = door.issue()

    assert door.rotate(first, key="mine", secret="a secret of 16+ characters")[0] == "mine"
    with pytest.raises(AlreadyExists):
        door.rotate(second, key="mine", secret="a secret of 16+ characters")
    with pytest.raises(AlreadyExists):
        door.rotate(second, key=second, secret="a secret of 16+ characters")
    assert door.projects.credentials[second].expires_at is None
