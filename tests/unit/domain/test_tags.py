from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.tags import TagReference, is_tag_name, normalize_tag_name, plan_tagging, validate_tag_names
from tests.support.samples import sample_tag

MOST = 15


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("  Gold ", "Gold"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("a/b", "a/b"),
        ("100 % + 1", "100 % + 1"),
        ("\u00a0x\u3000", "x"),
        ("x" * 255, "x" * 255),
    ],
)
def test_a_name_is_stored_in_nfc_and_trimmed(sent: str, stored: str) -> None:
    assert validate_tag_names([sent], maximum_characters=255) == [stored]


def test_names_keep_their_order_and_their_case_and_count_once() -> None:
    assert validate_tag_names(["b", "a", " b", "A"], maximum_characters=255) == ["b", "a", "A"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 256, "a\x00b", "a\nb", "a\u0085b", "a\ud800b"])
def test_an_unusable_name_is_refused_and_named_by_its_place(name: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        validate_tag_names(["fine", name], maximum_characters=255)

    assert refusal.value.field == "tags[1]"
    assert not is_tag_name(normalize_tag_name(name), maximum_characters=255)


@given(st.text(max_size=300))
def test_a_name_that_is_accepted_is_normal_and_stays_so(text: str) -> None:
    try:
        (name,) = validate_tag_names([text], maximum_characters=255)
    except InvalidRequest:
        return

    assert 1 <= len(name) <= 255
    assert name == name.strip() == unicodedata.normalize("NFC", name)
    assert validate_tag_names([name], maximum_characters=255) == [name]
    assert name.encode()


@given(
    has=st.sets(st.integers(1, 20), max_size=MOST),
    dead=st.sets(st.integers(1, 20)),
    known=st.sets(st.integers(1, 30)),
    wanted=st.lists(st.integers(1, 30), unique=True, max_size=20),
)
def test_an_add_puts_on_just_what_is_missing_or_is_refused_whole(
    has: set[int], dead: set[int], known: set[int], wanted: list[int]
) -> None:
    """Tag n is called "n"; a dead reference is one of an earlier generation."""
    tags = {number: sample_tag(number, str(number), generation=2) for number in has | known}
    references = [TagReference(number, 1 if number in dead else 2) for number in has]
    living = has - dead
    missing = [number for number in wanted if number not in living]
    arguments = {
        "names": [str(number) for number in wanted],
        "references": references,
        "known_by_name": {str(number): tag for number, tag in tags.items()},
        "known_by_id": {number: tags[number] for number in has},
        "maximum_tags": MOST,
    }

    if len(living) + len(missing) > MOST:
        with pytest.raises(InvalidRequest):
            plan_tagging(**arguments)  # type: ignore[arg-type]
        return
    tagging = plan_tagging(**arguments)  # type: ignore[arg-type]

    assert tagging.kept == {TagReference(number, 2) for number in living}
    assert tagging.new_names == [str(number) for number in missing]
    assert [tag.tag_id for tag in tagging.added] == [number for number in missing if number in tags]
    assert tagging.created == [str(number) for number in missing if number not in tags]


def test_a_reference_to_a_deleted_tag_frees_its_place() -> None:
    references = [TagReference(number, 1) for number in range(1, MOST + 1)]
    tags = {number: sample_tag(number, str(number)) for number in range(1, MOST)}  # the last one is gone

    tagging = plan_tagging(names=["new"], references=references, known_by_name={}, known_by_id=tags, maximum_tags=MOST)

    assert len(tagging.kept) == MOST - 1
    assert tagging.created == ["new"]


@given(st.integers(1, 2**53), st.integers(1, 10**9))
def test_a_reference_survives_storage(tag_id: int, generation: int) -> None:
    reference = TagReference(tag_id, generation)

    assert TagReference.parse(str(reference)) == reference


def test_a_reference_is_dead_once_the_generation_moves_on_or_the_tag_is_gone() -> None:
    reference = TagReference(3, 1)

    assert reference.is_live(sample_tag(3, "x", generation=1))
    assert not reference.is_live(sample_tag(3, "x", generation=2))
    assert not reference.is_live(sample_tag(4, "x", generation=1))
    assert not reference.is_live(None)
