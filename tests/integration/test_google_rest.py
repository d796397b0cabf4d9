"""Passes at Google over real connections: links, updates, quotas and faults (wallets, sections 4.4 and 7)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from chalicelib.domain.content import ContentUpdate
from chalicelib.domain.google_passes import GooglePassChannel, record_shared_update
from chalicelib.domain.google_ports import Announcement, Pace
from chalicelib.domain.passes import Pass
from chalicelib.domain.push_channels import Outcome, PushBatch
from chalicelib.domain.registrations import Wallet
from chalicelib.domain.wallet_services import GoogleAccount
from chalicelib.store.google_objects import DynamoGoogleObjectStore
from chalicelib.wiring import get_database
from local.google_api import Answer, Received
from tests.support.fake_google_store import FakeGoogleStore
from tests.support.google_issuer import (
    EMAIL,
    ISSUER,
    PROJECT_ID,
    TYPES,
    Issuer,
    apply,
    make_content,
    make_key_file,
    make_pass,
    make_template,
    read_claims,
    run_issuer,
    write_values,
)
from tests.support.stack import Stack

MOST_LINK_CHARACTERS = 1800
_numbers = itertools.count(900_000)
"""ids that no other test has, of templates and passes in the store that all share"""


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """Google with nothing there yet."""
    with run_issuer() as running:
        yield running


@pytest.fixture
def saved(issuer: Issuer) -> Pass:
    """A pass that Google has, of a template with one announced field."""
    template = make_template()
    pass_ = make_pass(template)
    issuer.add(pass_, template=template)
    assert issuer.link(pass_) is not None
    issuer.api.received.clear()
    return pass_


def outcomes(issuer: Issuer, *pass_ids: int) -> list[Outcome]:
    return [result.outcome for result in issuer.deliver(*pass_ids)]


def methods(issuer: Issuer) -> list[str]:
    return [f"{one.method} {one.path.partition('/')[0]}" for one in issuer.api.requests()]


def notifies(received: Received) -> bool:
    return "notifyPreference" in received.body


def fail_first(count: int, answer: Answer, *, method: str = "") -> Callable[[Received], Answer | None]:
    """Answers the first requests of a method so, tokens apart, and the others as usual."""
    left = [answer] * count

    def choose(received: Received) -> Answer | None:
        is_meant = received.path != "token" and received.method.startswith(method)
        return left.pop() if left and is_meant else None

    return choose


@pytest.mark.parametrize("campaign_type", TYPES)
def test_every_type_of_pass_is_inserted_as_google_wants_it(issuer: Issuer, campaign_type: str) -> None:
    template = make_template(campaign_type)
    pass_ = make_pass(template)
    issuer.add(pass_, template=template)

    link = issuer.link(pass_)

    google_type = {
        "generics": "generic",
        "coupons": "offer",
        "event_tickets": "eventTicket",
        "store_cards": "loyalty",
        "boarding_passes": "transit",
    }[campaign_type]
    assert issuer.api.faults == []
    assert link is not None
    assert methods(issuer) == [f"POST {google_type}Class", f"POST {google_type}Object"]
    assert list(issuer.api.resources[f"{google_type}Class"]) == [f"{ISSUER}.{template.campaign_id}"]
    assert list(issuer.api.resources[f"{google_type}Object"]) == [f"{ISSUER}.{pass_.serial_number}"]
    assert issuer.shows(pass_, "points") == "0"
    assert list(read_claims(link)[1]["payload"]) == [f"{google_type}Objects"]


def test_a_save_link_is_signed_and_names_an_object_that_is_there(issuer: Issuer) -> None:
    template = make_template("store_cards")
    pass_ = make_pass(template)
    issuer.add(pass_, template=template)

    link = issuer.link(pass_)

    assert link is not None
    assert link.startswith("https://pay.google.com/gp/v/save/")
    assert len(link) < MOST_LINK_CHARACTERS
    header, claims = read_claims(link)
    assert header == {"typ": "JWT", "alg": "RS256", "kid": make_key_file()["private_key_id"]}
    assert claims == {
        "iss": EMAIL,
        "aud": "google",
        "typ": "savetowallet",
        "iat": int(issuer.clock.now().timestamp()),
        "origins": ["https://passes.example.com"],
        "payload": {
            "loyaltyObjects": [{"id": f"{ISSUER}.{pass_.serial_number}", "classId": f"{ISSUER}.{template.campaign_id}"}]
        },
    }
    assert claims["payload"]["loyaltyObjects"][0]["id"] in issuer.api.resources["loyaltyObject"]


def test_a_second_link_without_a_change_asks_nobody_and_reads_once(issuer: Issuer, saved: Pass) -> None:
    assert isinstance(issuer.store, FakeGoogleStore)
    reads, writes = issuer.store.reads, issuer.store.writes

    assert issuer.link(saved) is not None

    assert issuer.api.received == []
    assert (issuer.store.reads - reads, issuer.store.writes - writes) == (1, 0)


def test_a_changed_pass_is_patched_before_its_link_is_given(issuer: Issuer, saved: Pass) -> None:
    changed = issuer.change(saved.pass_id, 1, points="7")

    assert issuer.link(changed) is not None

    assert methods(issuer) == ["PATCH genericObject"]
    assert issuer.shows(changed, "points") == "7"


def test_a_page_that_read_the_pass_too_early_does_not_bring_back_old_values(issuer: Issuer, saved: Pass) -> None:
    issuer.change(saved.pass_id, 1, points="7")
    issuer.deliver()

    assert issuer.link(saved) is not None

    assert issuer.shows(saved, "points") == "7"


def test_there_is_no_link_without_a_service_account(issuer: Issuer, saved: Pass) -> None:
    issuer.account = replace(issuer.account, service_account=None)
    assert issuer.link(saved) is None

    issuer.account = GoogleAccount(issuer_id=ISSUER, service_account={"client_email": EMAIL})
    assert issuer.link(saved) is None
    assert issuer.api.received == []


@pytest.mark.parametrize("answer", [Answer(status=503), Answer(status=403, reason="permissionDenied")])
def test_there_is_no_link_to_an_object_that_could_not_be_inserted(issuer: Issuer, answer: Answer) -> None:
    template = make_template()
    pass_ = make_pass(template)
    issuer.add(pass_, template=template)
    issuer.api.answer = lambda one: answer if one.path == "genericObject" else None
    assert issuer.link(pass_) is None

    issuer.api.answer = lambda _: None
    assert issuer.link(pass_) is not None
    assert issuer.shows(pass_, "points") == "0"


def test_what_is_at_google_already_is_patched_and_what_is_missing_inserted(issuer: Issuer, saved: Pass) -> None:
    assert isinstance(issuer.store, FakeGoogleStore)
    issuer.store.objects.clear()
    assert issuer.link(issuer.change(saved.pass_id, 1, points="5")) is not None
    assert methods(issuer) == ["POST genericObject", "PATCH genericObject"]
    assert issuer.shows(saved, "points") == "5"

    issuer.api.received.clear()
    issuer.api.resources["genericObject"].clear()
    issuer.change(saved.pass_id, 2, points="6")
    assert outcomes(issuer) == [Outcome.SENT]
    assert methods(issuer) == ["PATCH genericObject", "POST genericObject"]
    assert issuer.shows(saved, "points") == "6"


def test_one_token_serves_many_requests(issuer: Issuer, saved: Pass) -> None:
    for ticket_id in range(1, 6):
        issuer.change(saved.pass_id, ticket_id, points=str(ticket_id))
        issuer.deliver()

    assert len(issuer.api.requests()) == 5
    assert issuer.api.token_requests() == []


def test_a_refused_token_is_replaced_once(issuer: Issuer, saved: Pass) -> None:
    issuer.api.tokens.clear()
    issuer.change(saved.pass_id, 1, points="1")
    assert outcomes(issuer) == [Outcome.SENT]
    assert [len(issuer.api.token_requests()), len(issuer.api.requests())] == [1, 2]

    issuer.api.received.clear()
    issuer.api.answer = lambda one: None if one.path == "token" else Answer(status=401, reason="authError")
    issuer.change(saved.pass_id, 2, points="2")
    assert outcomes(issuer) == [Outcome.MISCONFIGURED]
    assert [len(issuer.api.token_requests()), len(issuer.api.requests())] == [1, 2]


def test_a_token_is_replaced_shortly_before_it_ends(issuer: Issuer) -> None:
    issuer.api.token_seconds = 60
    template = make_template()
    pass_ = make_pass(template)
    issuer.add(pass_, template=template)

    issuer.link(pass_)

    assert len(issuer.api.token_requests()) == 2


def test_an_account_that_gets_no_token_is_misconfigured(issuer: Issuer, saved: Pass) -> None:
    issuer.account = replace(issuer.account, service_account=make_key_file(client_email="other@example.com"))
    issuer.change(saved.pass_id, 1, points="1")

    (result,) = issuer.deliver()

    assert (result.outcome, result.reason) == (Outcome.MISCONFIGURED, "token_refused")
    assert issuer.api.requests() == []


def test_a_token_server_that_is_down_is_asked_once_and_later_again(issuer: Issuer, saved: Pass) -> None:
    issuer.api.tokens.clear()
    issuer.api.answer = lambda one: Answer(status=503) if one.path == "token" else None
    issuer.change(saved.pass_id, 1, points="1")
    assert [(one.outcome, one.reason) for one in issuer.deliver()] == [(Outcome.RETRY, "token_server")]
    assert len(issuer.api.token_requests()) == 1

    issuer.api.answer = lambda _: None
    assert outcomes(issuer) == [Outcome.SENT]


def test_an_update_of_every_pass_is_one_patch_of_the_class(issuer: Issuer) -> None:
    template = make_template()
    passes = [make_pass(template, pass_id) for pass_id in range(1000, 1050)]
    issuer.add(*passes, template=template)
    for pass_ in passes:
        issuer.link(pass_)
    issuer.api.received.clear()

    issuer.change_all(5, points="100")

    assert outcomes(issuer) == [Outcome.SENT] * 50
    assert [one for one in methods(issuer) if "addMessage" not in one].count("PATCH genericClass") == 1
    assert issuer.api.requests(to="genericObject") == []
    assert {issuer.shows(pass_, "points") for pass_ in passes} == {"100"}

    issuer.api.received.clear()
    assert outcomes(issuer) == [Outcome.SENT] * 50
    assert issuer.api.received == []


def test_a_pass_with_a_value_of_its_own_keeps_it(issuer: Issuer) -> None:
    template = make_template()
    own, plain, equal = (make_pass(template, pass_id) for pass_id in (1, 2, 3))
    issuer.add(own, plain, equal, template=template)
    for pass_ in (own, plain, equal):
        issuer.link(pass_)
    issuer.change(own.pass_id, 9, points="own")
    # written by a later ticket than the shared update, though it is what the class shows for now
    issuer.change(equal.pass_id, 9, points="0")
    issuer.deliver()

    issuer.change_all(5, points="shared")
    issuer.deliver(plain.pass_id)

    assert issuer.shows(plain, "points") == "shared"
    assert issuer.shows(own, "points") == "own"
    assert issuer.shows(equal, "points") == "0"


def test_an_update_of_one_pass_after_one_of_all_wins_in_its_object(issuer: Issuer) -> None:
    template = make_template()
    first, second = make_pass(template, 1), make_pass(template, 2)
    issuer.add(first, second, template=template)
    for pass_ in (first, second):
        issuer.link(pass_)
    issuer.change_all(5, points="shared")
    issuer.deliver()
    issuer.api.received.clear()

    issuer.change(first.pass_id, 6, points="mine")
    issuer.deliver()

    assert methods(issuer) == ["PATCH genericObject"]
    assert (issuer.shows(first, "points"), issuer.shows(second, "points")) == ("mine", "shared")

    issuer.change_all(7, points="again")
    issuer.deliver()
    assert (issuer.shows(first, "points"), issuer.shows(second, "points")) == ("again", "again")


def test_a_field_that_a_pass_empties_does_not_show_the_shared_value(issuer: Issuer, saved: Pass) -> None:
    changed = issuer.change(saved.pass_id, 1, points="")
    issuer.deliver()

    assert issuer.shows(changed, "points").strip() == ""
    assert issuer.shows(changed, "points") != ""


def test_a_template_update_changes_no_pass_that_google_has(issuer: Issuer, saved: Pass) -> None:
    template = make_template(content=make_content({"points": {"fieldType": "primary", "value": "new"}}))
    later = make_pass(template, 2)
    issuer.add(later, template=template)

    assert issuer.link(later) is not None

    assert (issuer.shows(saved, "points"), issuer.shows(later, "points")) == ("0", "new")


def test_updates_of_all_are_noted_in_any_order_and_any_number_of_times(issuer: Issuer, saved: Pass) -> None:
    for ticket_id in (5, 8, 5, 8):
        update = write_values(points=f"of {ticket_id}")
        record_shared_update(issuer.parts.store, template_id=saved.template_id, update=update, ticket_id=ticket_id)

    issuer.deliver()

    (document,) = issuer.api.resources["genericClass"].values()
    assert [module["body"] for module in document["textModulesData"]] == ["of 8"]


def test_a_field_that_only_one_pass_has_gets_a_place_in_the_class(issuer: Issuer, saved: Pass) -> None:
    added = ContentUpdate(fields={"back1": {"value": "Terms", "label": "Small print"}})
    issuer.passes[saved.pass_id] = apply(saved, added, 3)

    assert outcomes(issuer) == [Outcome.SENT]

    assert methods(issuer) == ["PATCH genericClass", "PATCH genericObject"]
    assert issuer.shows(saved, "back1") == "Terms"
    (document,) = issuer.api.resources["genericClass"].values()
    assert "object.textModulesData['back1']" in str(document["classTemplateInfo"])


def test_at_most_three_notifying_patches_a_day_then_silent_ones(issuer: Issuer, saved: Pass) -> None:
    for ticket_id in range(1, 6):
        issuer.change(saved.pass_id, ticket_id, points=str(ticket_id))
        assert outcomes(issuer) == [Outcome.SENT]

    assert [notifies(one) for one in issuer.api.requests("PATCH")] == [True, True, True, False, False]
    assert issuer.shows(saved, "points") == "5"

    issuer.clock.advance(hours=25)
    issuer.change(saved.pass_id, 6, points="6")
    issuer.deliver()
    assert notifies(issuer.api.requests("PATCH")[-1])


def test_what_the_class_told_counts_for_each_of_its_passes(issuer: Issuer) -> None:
    template = make_template("store_cards")
    pass_ = make_pass(template)
    issuer.add(pass_, template=template)
    issuer.link(pass_)
    for ticket_id in range(1, 5):
        issuer.change_all(ticket_id, points=str(ticket_id))
        issuer.deliver()
    issuer.change(pass_.pass_id, 5, points="5")
    issuer.deliver()

    patches = issuer.api.requests("PATCH")
    assert [one.path.partition("/")[0] for one in patches] == ["loyaltyClass"] * 4 + ["loyaltyObject"]
    assert [notifies(one) for one in patches] == [True, True, True, False, False]


def test_only_a_field_with_a_change_message_notifies(issuer: Issuer) -> None:
    fields = {"name": {"fieldType": "primary", "value": "Luis"}}
    template = make_template(content=make_content(fields))
    pass_ = make_pass(template)
    issuer.add(pass_, template=template)
    issuer.link(pass_)
    issuer.change(pass_.pass_id, 1, name="Ana")

    issuer.deliver()

    assert [notifies(one) for one in issuer.api.requests("PATCH")] == [False]


def test_a_change_that_the_class_told_of_is_not_told_again_by_the_object(issuer: Issuer) -> None:
    fields = {
        "points": {"fieldType": "primary", "value": "0", "changeMessage": "%@"},
        "name": {"fieldType": "secondary", "value": "Luis"},
    }
    template = make_template("store_cards", make_content(fields))
    pass_ = make_pass(template)
    issuer.add(pass_, template=template)
    issuer.link(pass_)
    issuer.change_all(1, points="9")
    issuer.deliver()
    issuer.change(pass_.pass_id, 2, name="Ana")
    issuer.deliver()

    patches = issuer.api.requests("PATCH")
    assert [(one.path.partition("/")[0], notifies(one)) for one in patches] == [
        ("loyaltyClass", True),
        ("loyaltyObject", False),
    ]


def test_a_generic_class_tells_by_a_message(issuer: Issuer, saved: Pass) -> None:
    issuer.change_all(1, points="9")
    issuer.deliver()

    patch, message = issuer.api.requests()
    assert not notifies(patch)
    assert message.path == f"genericClass/{ISSUER}.{issuer.templates[saved.template_id].campaign_id}/addMessage"
    assert message.body == {
        "message": {"header": "Points", "body": "You have 9 points", "messageType": "TEXT_AND_NOTIFY"}
    }


def test_over_the_quota_a_patch_is_repeated_silently_exactly_once(issuer: Issuer, saved: Pass) -> None:
    over = Answer(status=403, reason="quotaExceeded")
    issuer.api.answer = lambda one: over if notifies(one) else None
    issuer.change(saved.pass_id, 1, points="1")
    assert outcomes(issuer) == [Outcome.SENT]
    assert [notifies(one) for one in issuer.api.requests()] == [True, False]
    assert issuer.shows(saved, "points") == "1"

    issuer.api.received.clear()
    issuer.api.answer = lambda one: over
    issuer.change(saved.pass_id, 2, points="2")
    assert outcomes(issuer) == [Outcome.RETRY]
    assert [notifies(one) for one in issuer.api.requests()] == [True, False]


def test_over_the_quota_a_message_is_added_silently(issuer: Issuer, saved: Pass) -> None:
    object_id = f"{ISSUER}.{saved.serial_number}"
    news = Announcement(name="points", header="Points", body="You have 9 points")

    answers = [
        issuer.client.add_message(issuer.account, "genericObject", object_id, news, pace=Pace()) for _ in range(4)
    ]

    assert all(answer.is_sent for answer in answers)
    kinds = [one.body["message"]["messageType"] for one in issuer.api.requests()]
    assert kinds == ["TEXT_AND_NOTIFY"] * 4 + ["TEXT"]
    document = issuer.client.get(issuer.account, "genericObject", object_id, pace=Pace())
    assert document is not None
    assert len(document["messages"]) == 4


def test_too_many_requests_end_a_delivery_and_hold_everybody_off(issuer: Issuer) -> None:
    template = make_template()
    passes = [make_pass(template, pass_id) for pass_id in range(1, 11)]
    issuer.add(*passes, template=template)
    for pass_ in passes:
        issuer.link(pass_)
        issuer.change(pass_.pass_id, 1, points="1")
    issuer.api.received.clear()
    issuer.api.answer = fail_first(1, Answer(status=429, headers={"Retry-After": "30"}), method="PATCH")

    assert isinstance(issuer.store, FakeGoogleStore)
    writes = issuer.store.writes
    results = issuer.deliver()

    assert {(one.outcome, one.retry_after_seconds) for one in results} == {(Outcome.RETRY, 30.0)}
    assert len(issuer.api.requests()) == 1
    assert issuer.store.writes - writes == 2
    assert {one.outcome for one in issuer.deliver()} == {Outcome.RETRY}
    assert len(issuer.api.requests()) == 1

    issuer.clock.advance(seconds=30)
    assert outcomes(issuer) == [Outcome.SENT] * 10


@pytest.mark.parametrize("reason", ["rateLimitExceeded", "userRateLimitExceeded"])
def test_a_rate_that_google_calls_forbidden_is_tried_later(issuer: Issuer, saved: Pass, reason: str) -> None:
    issuer.api.answer = fail_first(1, Answer(status=403, reason=reason))
    issuer.change(saved.pass_id, 1, points="1")

    (result,) = issuer.deliver()

    assert (result.outcome, result.reason) == (Outcome.RETRY, reason)
    assert result.retry_after_seconds is not None


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (500, Outcome.RETRY),
        (503, Outcome.RETRY),
        (403, Outcome.MISCONFIGURED),
        (400, Outcome.REFUSED),
    ],
)
def test_what_google_answers_decides_what_becomes_of_a_pass(
    issuer: Issuer, saved: Pass, status: int, outcome: Outcome
) -> None:
    issuer.api.answer = fail_first(1, Answer(status=status, reason="why"))
    issuer.change(saved.pass_id, 1, points="1")

    (result,) = issuer.deliver()

    assert (result.outcome, result.reason) == (outcome, "why")
    assert result.token == f"{ISSUER}.{saved.serial_number}"
    # nothing is taken for sent, so the next try sends it
    assert outcomes(issuer) == [Outcome.SENT]
    assert issuer.shows(saved, "points") == "1"


def test_a_failed_try_does_not_use_up_the_notifications_of_the_day(issuer: Issuer, saved: Pass) -> None:
    issuer.change(saved.pass_id, 1, points="1")
    issuer.api.answer = lambda _: Answer(status=503)
    for _ in range(4):
        issuer.deliver()
    issuer.api.answer = lambda _: None

    issuer.deliver()

    assert issuer.api.notified == [f"{ISSUER}.{saved.serial_number}"]


def test_a_google_that_is_down_is_not_asked_for_every_pass(issuer: Issuer) -> None:
    template = make_template()
    passes = [make_pass(template, pass_id) for pass_id in range(1, 11)]
    issuer.add(*passes, template=template)
    for pass_ in passes:
        issuer.link(pass_)
        issuer.change(pass_.pass_id, 1, points="1")
    issuer.api.received.clear()
    issuer.api.answer = lambda _: Answer(status=503)

    assert outcomes(issuer) == [Outcome.RETRY] * 10
    assert len(issuer.api.requests()) == 3


def test_a_delivery_ends_when_its_time_is_up(issuer: Issuer) -> None:
    template = make_template()
    passes = [make_pass(template, pass_id) for pass_id in range(1, 11)]
    issuer.add(*passes, template=template)

    def take_long(received: Received) -> None:
        issuer.clock.advance(seconds=8)

    issuer.api.answer = take_long
    results = issuer.deliver(registered={pass_.pass_id: str(pass_.pass_id) for pass_ in passes})

    # a token, the class, one object and another take 8 seconds each, of 25
    assert [one.outcome for one in results] == [Outcome.SENT] * 2 + [Outcome.RETRY] * 8
    assert {one.reason for one in results[2:]} == {"time_is_up"}


def test_a_pass_that_google_refuses_holds_no_other_up(issuer: Issuer) -> None:
    template = make_template()
    passes = [make_pass(template, pass_id) for pass_id in range(1, 9)]
    issuer.add(*passes, template=template)
    for pass_ in passes:
        issuer.link(pass_)
        issuer.change(pass_.pass_id, 1, points="1")
    issuer.api.answer = fail_first(4, Answer(status=400, reason="invalid"))

    assert outcomes(issuer) == [Outcome.REFUSED] * 4 + [Outcome.SENT] * 4


def test_a_google_that_says_nothing_is_waited_for_so_long_only() -> None:
    with run_issuer(timeout_seconds=0.2) as issuer:
        template = make_template()
        pass_ = make_pass(template)
        issuer.add(pass_, template=template)
        issuer.api.answer = lambda one: Answer(hangs=True) if one.path != "token" else None

        results = issuer.deliver(registered={pass_.pass_id: "token"})

    assert [(one.outcome, one.reason) for one in results] == [(Outcome.RETRY, "network")]


def test_a_pass_that_is_gone_becomes_inactive_once(issuer: Issuer, saved: Pass) -> None:
    del issuer.passes[saved.pass_id]

    assert outcomes(issuer, saved.pass_id) == [Outcome.SENT]
    assert outcomes(issuer, saved.pass_id) == [Outcome.SENT]

    assert methods(issuer) == ["PATCH genericObject"]
    (document,) = issuer.api.resources["genericObject"].values()
    assert document["state"] == "INACTIVE"
    assert document["header"]


def test_whoever_meets_another_worker_sends_what_is_stored_last(issuer: Issuer, saved: Pass) -> None:
    met: list[Received] = []

    def interrupt(received: Received) -> None:
        """While the first patch is on its way, another worker sends a later change, and is done first."""
        if received.method == "PATCH" and not met:
            met.append(received)
            issuer.change(saved.pass_id, 2, points="later")
            assert outcomes(issuer) == [Outcome.SENT]

    issuer.api.answer = interrupt
    issuer.change(saved.pass_id, 1, points="earlier")

    assert outcomes(issuer) == [Outcome.SENT]

    assert issuer.shows(saved, "points") == "later"
    issuer.api.received.clear()
    assert outcomes(issuer) == [Outcome.SENT]
    assert issuer.api.received == []


def test_two_workers_may_bring_the_same_class_at_once(issuer: Issuer) -> None:
    template = make_template()
    first, second = make_pass(template, 1), make_pass(template, 2)
    issuer.add(first, second, template=template)
    met: list[Received] = []

    def interrupt(received: Received) -> None:
        if received.path == "genericClass" and not met:
            met.append(received)
            assert issuer.link(second) is not None

    issuer.api.answer = interrupt

    assert issuer.link(first) is not None
    assert len(issuer.api.resources["genericObject"]) == 2


def test_a_pass_that_google_never_heard_of_is_left_out(issuer: Issuer) -> None:
    template = make_template()
    pass_ = make_pass(template)
    issuer.add(pass_, template=template)

    assert issuer.deliver() == []
    assert issuer.api.received == []


def test_a_registered_pass_is_inserted_even_if_nothing_is_remembered_of_it(issuer: Issuer) -> None:
    template = make_template()
    pass_ = make_pass(template)
    issuer.add(pass_, template=template)
    channel = GooglePassChannel(issuer.parts, issuer.read_passes, issuer.read_template)
    token = f"{ISSUER}.{pass_.serial_number}"
    batch = PushBatch(
        project_id=PROJECT_ID,
        wallet=Wallet.GOOGLE_WALLET,
        pass_type="google",
        tokens=(token, f"{ISSUER}.no-pass"),
    )

    results = {one.token: one.outcome for one in channel.push(batch)}

    assert results == {token: Outcome.SENT, f"{ISSUER}.no-pass": Outcome.GONE}
    assert token in issuer.api.resources["genericObject"]


def test_what_is_remembered_is_kept_in_the_real_store_as_well(stack: Stack) -> None:
    with run_issuer(DynamoGoogleObjectStore(get_database())) as issuer:
        template = make_template("store_cards", template_id=next(_numbers))
        passes = [make_pass(template, next(_numbers)) for _ in range(3)]
        issuer.add(*passes, template=template)
        for pass_ in passes:
            assert issuer.link(pass_) is not None
        issuer.api.received.clear()
        with stack.count_calls() as calls:
            assert issuer.link(passes[0]) is not None
        assert (calls.total, issuer.api.received) == (1, [])

        issuer.change_all(5, points="100")
        issuer.change(passes[0].pass_id, 6, points="mine")

        assert outcomes(issuer) == [Outcome.SENT] * 3
        assert methods(issuer) == ["PATCH loyaltyClass", "PATCH loyaltyObject"]
        assert [issuer.shows(pass_, "points") for pass_ in passes] == ["mine", "100", "100"]


def test_without_a_service_account_nothing_is_tried(issuer: Issuer, saved: Pass) -> None:
    issuer.account = replace(issuer.account, service_account=None)

    (result,) = issuer.deliver(registered={saved.pass_id: "token"})

    assert (result.token, result.outcome) == ("token", Outcome.REFUSED)
