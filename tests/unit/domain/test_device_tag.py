from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import permutations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chalicelib.domain.device_tag import Changes, HeldPass, list_changes
from tests.support.profiles import examples

COLLIDING = ("registration-158368", "registration-320964")
"""found by search: their SHA-256 begins with the same five bytes"""

MANY = 497
"""passes whose vector, at one byte a version, is just short of the limit"""


def _held(**versions: int) -> list[HeldPass]:
    return [_one(name, version) for name, version in versions.items()]


def _one(name: str, version: int = 1) -> HeldPass:
    return HeldPass(registration_id=name, serial_number=f"serial {name}", version=version)


def _many(number: int, *, version: int = 1) -> list[HeldPass]:
    return [_one(f"pass-{index}", version) for index in range(number)]


def _serials(held: list[HeldPass]) -> list[str]:
    return [one.serial_number for one in held]


def _list(held: list[HeldPass], tag: str | None = None) -> Changes:
    changes = list_changes(held, tag)
    assert changes is not None
    return changes


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _entry(name: str, number: bytes) -> bytes:
    return hashlib.sha256(name.encode()).digest()[:5] + number


def _vector(*entries: bytes) -> str:
    return "v1." + _base64(b"".join(entries))


# the form


def test_the_tag_is_each_key_and_its_version_sorted_by_key() -> None:
    entries = sorted([_entry("a", b"\x01"), _entry("b", b"\xac\x02"), _entry("c", b"\x7f")])

    assert _list(_held(a=1, b=300, c=127)).tag == _vector(*entries)


def test_the_tag_does_not_depend_on_the_order_in_which_registrations_are_read() -> None:
    tags = {_list(list(held)).tag for held in permutations(_held(a=1, b=2, c=3))}

    assert len(tags) == 1


def test_the_tag_needs_no_escaping_in_a_url() -> None:
    characters = set(_list(_many(300)).tag)

    assert characters <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


def test_a_vector_of_4000_characters_is_sent_and_a_longer_one_becomes_a_hash() -> None:
    # 2,997 bytes make 3,999 characters, one byte more makes 4,001
    fitting = _list([*_many(498), _one("last", 2**28 - 1)]).tag
    too_long = _list([*_many(498), _one("last", 2**28)]).tag

    assert (fitting[:3], len(fitting)) == ("v1.", 3_999)
    assert (too_long[:3], len(too_long)) == ("h1.", 3 + 22)


def test_the_hash_is_taken_over_the_entries() -> None:
    held = _many(600)
    entries = sorted(_entry(one.registration_id, b"\x01") for one in held)

    assert _list(held).tag == "h1." + _base64(hashlib.sha256(b"".join(entries)).digest()[:16])


# what is listed


def test_without_a_tag_every_pass_is_listed_also_one_at_version_1() -> None:
    assert _list(_held(a=1, b=5)).serial_numbers == ["serial a", "serial b"]


@pytest.mark.parametrize("tag", [None, "", "v1.AAAA", _vector(_entry("a", b"\x01")), "h1.AAAAAAAAAAAAAAAAAAAAAA"])
def test_a_device_without_passes_gets_nothing_whatever_its_tag(tag: str | None) -> None:
    assert list_changes([], tag) is None


def test_the_list_right_after_a_list_is_empty() -> None:
    held = _held(a=1, b=5, c=300)

    assert list_changes(held, _list(held).tag) is None


def test_only_the_pass_whose_version_grew_is_listed_and_the_new_tag_names_all() -> None:
    tag = _list(_held(a=1, b=5, c=300)).tag

    changes = _list(_held(a=1, b=6, c=300), tag)

    assert changes.serial_numbers == ["serial b"]
    assert list_changes(_held(a=1, b=6, c=300), changes.tag) is None


def test_a_version_that_went_back_is_listed_too() -> None:
    assert _list(_held(a=4), _list(_held(a=5)).tag).serial_numbers == ["serial a"]


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_two_passes_updated_at_different_instants_are_both_listed_in_either_order_of_commits(order: str) -> None:
    versions = {"a": 1, "b": 1}
    tag = _list(_held(**versions)).tag
    listed = []
    for name in order:
        versions[name] += 1
        changes = _list(_held(**versions), tag)
        listed += changes.serial_numbers
        tag = changes.tag

    assert sorted(listed) == ["serial a", "serial b"]
    assert list_changes(_held(**versions), tag) is None


def test_two_passes_updated_between_two_lists_are_both_listed_and_the_next_list_is_empty() -> None:
    changes = _list(_held(a=2, b=2), _list(_held(a=1, b=1)).tag)

    assert changes.serial_numbers == ["serial a", "serial b"]
    assert list_changes(_held(a=2, b=2), changes.tag) is None


def test_a_registration_after_the_tag_is_listed_once_its_pass_has_changed() -> None:
    tag = _list(_held(a=3)).tag

    assert list_changes(_held(a=3, b=1), tag) is None
    assert _list(_held(a=3, b=2), tag).serial_numbers == ["serial b"]


def test_a_pass_removed_and_added_again_is_offered_again() -> None:
    tag = _list(_held(a=3, first=7)).tag

    assert _list(_held(a=3, second=7), tag).serial_numbers == ["serial second"]


def test_a_pass_that_is_no_longer_registered_is_not_listed() -> None:
    tag = _list(_held(a=3, b=4)).tag

    assert list_changes(_held(a=3), tag) is None
    assert _list(_held(a=4), tag).serial_numbers == ["serial a"]


def test_a_tag_of_another_device_grants_nothing() -> None:
    assert _list(_held(a=2), _list(_held(x=9, y=9)).tag).serial_numbers == ["serial a"]


# collisions


def test_registrations_with_one_key_share_an_entry_with_the_sum_of_their_versions() -> None:
    first, second = COLLIDING

    assert _entry(first, b"") == _entry(second, b"")
    assert _list([_one(first, 100), _one(second, 200)]).tag == _vector(_entry(first, b"\xac\x02"))


def test_registrations_with_one_key_are_listed_together() -> None:
    first, second = COLLIDING
    before = [_one(first, 1), _one("other", 1), _one(second, 1)]
    after = [_one(first, 1), _one("other", 1), _one(second, 2)]

    changes = _list(after, _list(before).tag)

    assert changes.serial_numbers == [f"serial {first}", f"serial {second}"]
    assert list_changes(after, changes.tag) is None


@pytest.mark.parametrize(("versions", "is_listed"), [((1, 1), False), ((1, 2), True), ((2, 1), True)])
def test_new_registrations_with_one_key_are_listed_if_one_of_them_may_be_old(
    versions: tuple[int, int], is_listed: bool
) -> None:
    pair = [_one(name, version) for name, version in zip(COLLIDING, versions, strict=True)]
    tag = _list(_held(other=1)).tag

    changes = list_changes([_one("other", 1), *pair], tag)

    assert (changes is not None and changes.serial_numbers == _serials(pair)) is is_listed


# tags that cannot be used


_LOW, _HIGH = sorted(["a", "b"], key=lambda name: _entry(name, b""))
_GOOD = _vector(_entry(_LOW, b"\x01"), _entry(_HIGH, b"\x01"))

UNUSABLE = {
    "empty": "",
    "no entries": "v1.",
    "no prefix": _GOOD.removeprefix("v1."),
    "unknown prefix": "v2." + _GOOD.removeprefix("v1."),
    "prefix in capitals": "V1." + _GOOD.removeprefix("v1."),
    "a date": "2024-01-01T00:00:00Z",
    "a number": "1700000000",
    "bad alphabet": _GOOD[:-1] + "!",
    "standard alphabet": "v1." + base64.b64encode(b"\xff" * 5 + b"\x01").decode(),
    "not ASCII": _GOOD[:-1] + "\u0661",
    "line break": _GOOD + "\n",
    "padding": _vector(_entry("a", b"\xac\x02")) + "==",
    "one character too many": _GOOD + "A",
    "bits left over": _vector(_entry("a", b"\xac\x02"))[:-1] + "h",
    "key cut off": _vector(_entry(_LOW, b"\x01"), _entry(_HIGH, b"")[:3]),
    "version missing": _vector(_entry(_LOW, b"\x01"), _entry(_HIGH, b"")),
    "version cut off": _vector(_entry(_LOW, b"\x01"), _entry(_HIGH, b"\x81")),
    "keys descending": _vector(_entry(_HIGH, b"\x01"), _entry(_LOW, b"\x01")),
    "key repeated": _vector(_entry(_LOW, b"\x01"), _entry(_LOW, b"\x01")),
    "overlong version": _vector(_entry(_LOW, b"\x81\x00"), _entry(_HIGH, b"\x01")),
    "version 0": _vector(_entry(_LOW, b"\x00"), _entry(_HIGH, b"\x01")),
    "overlong zero": _vector(_entry(_LOW, b"\x80\x00"), _entry(_HIGH, b"\x01")),
    "over-long tag": "v1." + _base64(b"".join(sorted(_entry(f"{n}", b"\x01") for n in range(1_000)))),
    "hash cut off": "h1.AAAA",
    "half a surrogate pair": "v1.\ud800",
}


@pytest.mark.parametrize("tag", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_an_unusable_tag_lists_everything_also_passes_at_version_1(tag: str) -> None:
    held = _held(a=1, b=1)

    changes = _list(held, tag)

    assert changes.serial_numbers == ["serial a", "serial b"]
    assert changes.tag == _GOOD != tag


def test_the_tag_from_which_the_unusable_ones_were_made_is_usable() -> None:
    assert list_changes(_held(a=1, b=1), _GOOD) is None


def test_a_tag_is_read_up_to_8000_characters() -> None:
    longest = _vector(_entry("a", b"\xff" * 5_991 + b"\x01"))
    too_long = _vector(_entry("a", b"\xff" * 5_992 + b"\x01"))

    assert (len(longest), len(too_long)) == (7_999, 8_001)
    assert list_changes(_held(other=1), longest) is None
    assert _list(_held(other=1), too_long).serial_numbers == ["serial other"]


# hashes


def test_an_equal_hash_lists_nothing_and_another_lists_everything_under_a_new_tag() -> None:
    before, after = _many(600), [*_many(599), _one("pass-599", 2)]
    tag = _list(before).tag

    changes = _list(after, tag)

    assert list_changes(before, tag) is None
    assert changes.serial_numbers == _serials(after)
    assert changes.tag.startswith("h1.")
    assert changes.tag != tag
    assert list_changes(after, changes.tag) is None


def test_a_vector_that_outgrows_the_limit_lists_what_changed_and_goes_on_as_a_hash() -> None:
    before = _many(499)
    after = [*before, _one("new", 2)]

    changes = _list(after, _list(before).tag)

    assert changes.serial_numbers == ["serial new"]
    assert changes.tag.startswith("h1.")
    assert list_changes(after, changes.tag) is None


def test_a_hash_of_a_device_that_gave_up_passes_lists_the_rest_and_goes_on_as_a_vector() -> None:
    before, after = _many(600), _many(10)

    changes = _list(after, _list(before).tag)

    assert changes.serial_numbers == _serials(after)
    assert changes.tag.startswith("v1.")
    assert list_changes(after, changes.tag) is None


# any interleaving


@dataclass
class _World:
    """Passes, registrations, and one device which does what the phone does: keeps a tag, fetches what is listed."""

    versions: dict[str, int] = field(default_factory=dict)
    registrations: dict[str, str] = field(default_factory=dict)
    """serial number to registration id"""
    fetched: dict[str, int] = field(default_factory=dict)
    tag: str | None = None
    registered: int = 0

    def bump(self, serial_number: str) -> None:
        self.versions[serial_number] = self.versions.get(serial_number, 1) + 1

    def register(self, serial_number: str, *, file_version: int) -> None:
        """Adds the pass from a file, which may be old; a second call is a re-registration and keeps the id."""
        if serial_number not in self.registrations:
            self.registered += 1
            self.registrations[serial_number] = f"registration {self.registered}"
            self.fetched[serial_number] = min(file_version, self.versions.setdefault(serial_number, 1))

    def remove(self, serial_number: str) -> None:
        self.registrations.pop(serial_number, None)
        self.fetched.pop(serial_number, None)

    def held(self) -> list[HeldPass]:
        return [
            HeldPass(registration_id=id_, serial_number=serial_number, version=self.versions[serial_number])
            for serial_number, id_ in self.registrations.items()
        ]

    def ask(self, held: list[HeldPass]) -> list[str]:
        """One list call, answered from `held`."""
        changes = list_changes(held, self.tag)
        if changes is None:
            return []
        assert changes.serial_numbers
        assert changes.tag
        assert changes.tag != self.tag, "code 6"
        assert {one.serial_number for one in held} >= set(changes.serial_numbers), "code 4"
        self.tag = changes.tag
        return changes.serial_numbers

    def fetch(self, serial_numbers: list[str]) -> None:
        for serial_number in serial_numbers:
            if serial_number in self.registrations:
                self.fetched[serial_number] = self.versions[serial_number]

    def current(self) -> dict[str, int]:
        return {serial_number: self.versions[serial_number] for serial_number in self.registrations}


_serial_numbers = st.sampled_from("abcd")
_change = st.one_of(
    st.tuples(st.just("bump"), _serial_numbers),
    st.tuples(st.just("register"), _serial_numbers, st.integers(1, 5)),
    st.tuples(st.just("remove"), _serial_numbers),
    st.tuples(st.just("grow"), st.sampled_from([0, 1, MANY])),
)
_step = st.one_of(
    _change, st.tuples(st.just("ask"), st.lists(_change, max_size=3)), st.just(("forge", "v1.AAAA")), st.just(("poll",))
)


def _change_world(world: _World, change: tuple[object, ...]) -> None:
    match change:
        case ("bump", str(serial_number)):
            world.bump(serial_number)
        case ("register", str(serial_number), int(file_version)):
            world.register(serial_number, file_version=file_version)
        case ("remove", str(serial_number)):
            world.remove(serial_number)
        case ("grow", int(number)):
            _resize(world, number)
        case _:
            raise AssertionError(change)


def _resize(world: _World, number: int) -> None:
    """Brings the ballast to `number` passes, so that the form of the tag changes back and forth."""
    wanted = [f"ballast {index}" for index in range(number)]
    for serial_number in [name for name in world.registrations if name.startswith("ballast") and name not in wanted]:
        world.remove(serial_number)
    for serial_number in wanted:
        world.register(serial_number, file_version=1)


def _run(world: _World, steps: list[tuple[object, ...]]) -> Iterator[str]:
    for step in steps:
        match step:
            case ("poll",):
                world.fetch(world.ask(world.held()))
            case ("ask", list(changes)):
                # whatever commits after the read and before the device fetches
                listed = world.ask(world.held())
                for change in changes:
                    _change_world(world, change)
                world.fetch(listed)
            case ("forge", str(tag)):
                world.tag = tag
            case _:
                _change_world(world, step)
        yield (world.tag or "")[:3]


@given(st.lists(_step, max_size=25))
@settings(max_examples=examples(200))
@example([("grow", MANY), ("poll",), ("register", "a", 1), ("register", "b", 1), ("register", "c", 1), ("poll",)])
@example([("register", "a", 1), ("poll",), ("bump", "a"), ("remove", "a"), ("register", "a", 1)])
def test_a_device_ends_up_with_every_current_version_whatever_happens_between_its_lists(
    steps: list[tuple[object, ...]],
) -> None:
    world = _World()
    for _ in _run(world, steps):
        pass

    world.fetch(world.ask(world.held()))

    assert world.fetched == world.current()
    assert world.ask(world.held()) == [], "the list right after a list is empty"


def test_the_model_meets_both_forms_of_the_tag() -> None:
    world = _World()
    steps: list[tuple[object, ...]] = [("grow", MANY), *(("register", name, 1) for name in "abcd"), ("poll",)]

    assert list(_run(world, [*steps, ("grow", 1), ("poll",)]))[-3:] == ["h1.", "h1.", "v1."]


@given(st.permutations("aabbcd"), st.lists(st.booleans(), min_size=6, max_size=6))
def test_commits_in_any_order_with_lists_in_between_reach_the_device(order: list[str], lists: list[bool]) -> None:
    world = _World()
    for serial_number in "abcd":
        world.register(serial_number, file_version=1)
    world.fetch(world.ask(world.held()))
    for serial_number, has_list in zip(order, lists, strict=True):
        world.bump(serial_number)
        if has_list:
            world.fetch(world.ask(world.held()))

    world.fetch(world.ask(world.held()))

    assert world.fetched == {"a": 3, "b": 3, "c": 2, "d": 2}
    assert world.ask(world.held()) == []


@given(
    st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(1, 2**70)), unique_by=lambda one: one[0]),
    st.text() | st.from_regex(r"[A-Za-z0-9_-]*", fullmatch=True),
)
def test_any_text_is_a_tag_that_does_no_harm(versions: list[tuple[str, int]], tag: str) -> None:
    held = [_one(name, version) for name, version in versions]

    for sent in (tag, f"v1.{tag}", f"h1.{tag}"):
        changes = list_changes(held, sent)

        assert changes is None or (changes.serial_numbers and changes.tag != sent)
