from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from chalicelib.domain.certificates import CertificateBundle
from chalicelib.domain.errors import Busy
from chalicelib.wallets.apple.keyring import Keyring
from tests.support.certificates import NOW, Life, make_bundle, make_certificate, make_wwdr, pass_name

SECONDS = 300


@dataclass
class FakeSource:
    """Bundles by scope, kept in memory; counts how often each scope is read."""

    bundles: dict[str, list[CertificateBundle]]
    reads: list[str] = field(default_factory=list)

    def read_bundles(self, scope: str) -> list[CertificateBundle]:
        self.reads.append(scope)
        return sorted(self.bundles.get(scope, []), key=lambda bundle: bundle.name)


@dataclass
class Clock:
    """Shows what it is set to."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


def bundle_of(pass_type: str, *, name: str = "default", days: int = 300) -> CertificateBundle:
    life = Life(end=NOW + timedelta(days=days))
    return make_bundle(name, certificate=make_certificate(pass_name(uid=pass_type), life=life))


def broken(name: str = "default") -> CertificateBundle:
    return replace(make_bundle(name), key_pem=b"")


def keyring(source: FakeSource, clock: Clock | None = None) -> Keyring:
    return Keyring(source, now=clock or Clock(), cache_seconds=SECONDS)


def default_of(project_id: int, **bundles: list[CertificateBundle]) -> str | None:
    source = FakeSource({scope.removeprefix("project"): found for scope, found in bundles.items()})
    found = keyring(source).get_credentials(project_id, None)
    return None if found is None else found.pass_type_identifier


def test_a_project_sees_its_own_certificates_by_name_and_then_the_shared_but_no_others() -> None:
    source = FakeSource(
        {
            "shared": [bundle_of("pass.shared")],
            "1": [bundle_of("pass.b", name="b"), bundle_of("pass.a", name="a")],
            "2": [bundle_of("pass.foreign")],
        }
    )

    found = [one.pass_type_identifier for one in keyring(source).list_credentials(1)]

    assert found == ["pass.a", "pass.b", "pass.shared"]


def test_a_certificate_is_found_by_its_id_in_its_own_project_and_among_the_shared() -> None:
    keys = keyring(FakeSource({"shared": [bundle_of("pass.shared")], "1": [bundle_of("pass.own")]}))
    own, shared = keys.list_credentials(1)

    assert keys.get_credentials(1, own.certificate_id) == own
    assert keys.get_credentials(2, shared.certificate_id) == shared
    assert keys.get_credentials(2, own.certificate_id) is None


def test_the_default_is_the_projects_own_bundle_of_that_name() -> None:
    own = [bundle_of("pass.a", name="a"), bundle_of("pass.own")]

    assert default_of(1, project1=own, shared=[bundle_of("pass.shared")]) == "pass.own"


def test_without_a_bundle_of_that_name_the_default_is_the_projects_first() -> None:
    own = [bundle_of("pass.b", name="b"), bundle_of("pass.a", name="a")]

    assert default_of(1, project1=own, shared=[bundle_of("pass.shared")]) == "pass.a"


def test_a_project_without_certificates_signs_with_the_shared_default() -> None:
    assert default_of(1, shared=[bundle_of("pass.a", name="a"), bundle_of("pass.shared")]) == "pass.shared"
    assert default_of(1) is None


def test_an_unfit_default_is_not_replaced_by_another_pass_type() -> None:
    assert default_of(1, project1=[broken(), bundle_of("pass.z", name="z")], shared=[bundle_of("pass.s")]) is None


def test_a_bad_bundle_is_left_out_and_its_problem_logged_once_for_each_load(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    keys = keyring(FakeSource({"shared": [broken("bad"), bundle_of("pass.good", name="good")]}), clock)

    with caplog.at_level(logging.ERROR, logger="passel"):
        for _ in range(3):
            assert [one.pass_type_identifier for one in keys.list_credentials(1)] == ["pass.good"]
        assert [record.getMessage() for record in caplog.records] == [
            "the certificate bundle shared/bad: the key is missing"
        ]
        clock.now += timedelta(seconds=SECONDS + 1)
        keys.list_credentials(1)

    assert len(caplog.records) == 2


def test_a_scope_is_read_again_when_its_time_is_up_and_a_renewed_certificate_signs_then() -> None:
    clock = Clock()
    source = FakeSource({"shared": [bundle_of("pass.old")]})
    keys = keyring(source, clock)

    def signs() -> str:
        found = keys.get_credentials(1, None)
        assert found is not None
        return found.pass_type_identifier

    assert signs() == "pass.old"
    source.bundles["shared"] = [bundle_of("pass.new")]
    clock.now += timedelta(seconds=SECONDS - 1)
    assert signs() == "pass.old"
    assert source.reads == ["1", "shared"]
    clock.now += timedelta(seconds=2)
    assert signs() == "pass.new"


def test_a_certificate_that_ends_while_it_is_remembered_signs_no_more() -> None:
    clock = Clock()
    end = NOW + timedelta(seconds=60)
    certificate = make_certificate(life=Life(end=end))
    keys = keyring(FakeSource({"shared": [make_bundle(certificate=certificate)]}), clock)
    assert keys.get_credentials(1, None) is not None

    clock.now = end + timedelta(seconds=1)

    assert keys.get_credentials(1, None) is None
    assert keys.list_credentials(1) == []


def test_a_source_that_cannot_be_reached_is_not_taken_for_an_empty_one() -> None:
    class Unreachable(FakeSource):
        def read_bundles(self, scope: str) -> list[CertificateBundle]:
            raise Busy("the certificates cannot be read") from OSError("no route")

    keys = keyring(Unreachable({}))

    with pytest.raises(Busy):
        keys.get_credentials(1, None)
    assert keys.check_all(["shared"]) == ["shared: the certificates cannot be read: no route"]


def test_the_check_lists_what_is_wrong_and_what_ends_within_thirty_days() -> None:
    soon = Life(end=NOW + timedelta(days=29))
    source = FakeSource(
        {
            "shared": [bundle_of("pass.good"), broken("bad")],
            "1": [bundle_of("pass.soon", name="soon", days=29), make_bundle("under", wwdr=make_wwdr(life=soon))],
            "2": [bundle_of("pass.later", days=31)],
        }
    )

    assert keyring(source).check_all(["shared", "1", "2", "3"]) == [
        "the certificate bundle shared/bad: the key is missing",
        "the certificate bundle 1/soon: the pass certificate expires on 2026-01-31T03:04:05+00:00",
        "the certificate bundle 1/under: the WWDR certificate expires on 2026-01-31T03:04:05+00:00",
    ]
