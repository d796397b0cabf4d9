"""How long certificates last, as the daily watch measures it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.certificates import CertificateBundle
from chalicelib.domain.errors import Busy
from chalicelib.wallets.apple.survey import Survey, survey_certificates
from tests.support.certificates import NOW, Life, make_bundle, make_certificate, make_wwdr, pass_name

Bundles = dict[str, list[CertificateBundle]]


class FakeSource:
    """Bundles by scope."""

    def __init__(self, bundles: Bundles) -> None:
        self._bundles = bundles

    def read_bundles(self, scope: str) -> list[CertificateBundle]:
        return self._bundles.get(scope, [])


class SilentSource:
    """Cannot be reached."""

    def read_bundles(self, scope: str) -> list[CertificateBundle]:
        raise Busy("the certificates cannot be read")


def ending_in(days: float, *, name: str = "default") -> CertificateBundle:
    life = Life(end=NOW + timedelta(days=days))
    return make_bundle(name, certificate=make_certificate(pass_name(), life=life))


def survey(**bundles: list[CertificateBundle]) -> Survey:
    found = {scope.removeprefix("project"): own for scope, own in bundles.items()}
    return survey_certificates(FakeSource(found), ["shared", "1", "2"], now=NOW)


def test_the_first_to_end_counts_by_kind_of_scope() -> None:
    found = survey(
        shared=[ending_in(200)], project1=[ending_in(90), ending_in(40, name="other")], project2=[ending_in(60)]
    )

    assert found.days_left == {"shared": 200, "project": 40}
    assert found.problems == []


def test_days_are_whole_ones_that_are_left() -> None:
    assert survey(shared=[ending_in(29.9)]).days_left == {"shared": 29}


def test_apples_intermediate_ends_as_well() -> None:
    wwdr = make_wwdr(life=Life(end=NOW + timedelta(days=20)))

    assert survey(shared=[make_bundle(wwdr=wwdr)]).days_left == {"shared": 20}


def test_a_certificate_that_has_ended_is_a_problem_and_still_measured() -> None:
    found = survey(shared=[ending_in(-2)])

    assert found.days_left == {"shared": -2}
    assert len(found.problems) == 1
    assert "expired on" in found.problems[0]


def test_a_bundle_that_cannot_sign_is_a_problem_and_keeps_no_other_from_being_measured() -> None:
    broken = replace(make_bundle("broken"), key_pem=b"", certificate_pem=b"nonsense")
    found = survey(shared=[broken, ending_in(80)])

    assert found.days_left == {"shared": 80}
    assert found.problems == [
        "the certificate bundle shared/broken: the pass certificate is not a certificate in PEM form"
    ]


def test_no_certificate_at_all_is_a_problem() -> None:
    found = survey()

    assert found.days_left == {}
    assert found.problems == ["there is no certificate; PASSEL_CERTIFICATES says where they are read from"]


def test_a_source_that_cannot_be_reached_is_asked_again_and_no_problem_of_a_certificate() -> None:
    with pytest.raises(Busy):
        survey_certificates(SilentSource(), ["shared"], now=NOW)
