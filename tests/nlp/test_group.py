"""Near-duplicates: copies make one card, different people do not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.group import Grouper

POST = "The app has been logging everyone out since the update this morning, is anybody at Pocketleaf awake?"
ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=()), max_size=200)


@pytest.mark.parametrize(
    "copy",
    [
        POST,
        POST.upper(),
        f"RT @ana: {POST}",
        f"RT @ana: RT @bo: {POST[:90]}",
        f"{POST} https://a.example/1",
        f"@pocketleaf @ana {POST} 😡😡",
        POST.replace("anybody", "anbyody"),
        POST.replace("this morning", "this fine morning"),
        f"omg yes this!! {POST}",
        POST[: len(POST) * 3 // 4],
    ],
)
def test_a_copy_is_found(copy: str) -> None:
    """Reposts, links, tags, typos, small edits, prefixes and cut ends are copies."""
    grouper = Grouper()
    assert grouper.place(1, f"{POST} https://t.example/xyz") is None
    assert grouper.place(2, copy) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("thanks!", "thanks!"),
        ("same here", "same here too"),
        ("@x 😂😂😂", "@y 😂😂😂"),
        (
            "My order 20417 has not arrived and nobody answers the phone",
            "My order 99213 has not arrived and nobody answers the phone",
        ),
        (
            "Flight HA204 was cancelled at the gate and we were left alone",
            "Flight HA911 was cancelled at the gate and we were left alone",
        ),
        (POST, "Is there any way to export my notes as plain text from the app?"),
        ("", ""),
        ("日本語のテキスト", "日本語のテキスト"),
    ],
)
def test_different_people_stay_apart(one: str, other: str) -> None:
    """Short texts are never grouped, and neither are the same words with other numbers."""
    grouper = Grouper()
    assert grouper.place(1, one) is None
    assert grouper.place(2, other) is None


def test_two_hundred_copies_have_one_lead() -> None:
    """However many, and in whatever dress, all point to the first."""
    grouper = Grouper()
    assert {grouper.place(key, f"RT @user{key}: {POST} https://t.example/{key}") for key in range(200)} == {None, 0}


def test_our_corpus_holds_no_copies(corpus: list[dict[str, Any]]) -> None:
    """Three hundred different posts stay three hundred."""
    grouper = Grouper()
    assert [row["id"] for row in corpus if grouper.place(int(row["id"][5:]), row["text"]) is not None] == []


def test_memory_is_bounded_and_the_oldest_go_first(corpus: list[dict[str, Any]]) -> None:
    """Beyond its capacity a grouper forgets the oldest, and keeps nothing of them."""
    texts = [row["text"] for row in corpus if len(row["text"]) > 60][:40]
    grouper = Grouper(capacity=10)
    grouper.prime(enumerate(texts))
    assert len(grouper) == 10
    assert len(grouper._by_band) <= 10 * 16
    assert grouper.place(100, texts[-1]) == len(texts) - 1
    assert grouper.place(101, texts[0]) is None


def test_a_lead_that_left_memory_still_leads_its_copies() -> None:
    """A flood of copies pushes the first out; the next copy still goes to its card."""
    grouper = Grouper(capacity=5)
    assert [grouper.place(key, POST) for key in range(20)] == [None, *[0] * 19]


def test_a_forgotten_lead_hands_on() -> None:
    """When the lead is erased, the oldest copy leads; when all are, the text is new."""
    grouper = Grouper()
    for key in (1, 2, 3):
        grouper.place(key, POST)
    grouper.forget(1)
    assert grouper.place(4, POST) == 2
    for key in (2, 3, 4):
        grouper.forget(key)
    grouper.forget(99)
    assert len(grouper._by_band) == 0
    assert grouper.place(5, POST) is None


def test_an_edited_post_is_placed_anew() -> None:
    """Placing a key again takes its old text back."""
    grouper = Grouper()
    grouper.place(1, POST)
    assert grouper.place(1, POST) is None
    assert len(grouper) == 1


def test_no_room_is_refused() -> None:
    """A grouper of no size makes no sense."""
    with pytest.raises(ValueError, match="at least one"):
        Grouper(0)


@given(st.lists(ANY_TEXT, max_size=20), st.integers(1, 8))
def test_any_texts_can_be_placed(texts: list[str], capacity: int) -> None:
    """Whatever the texts, a lead is a key that was placed before, and memory stays bounded."""
    grouper = Grouper(capacity)
    for key, text in enumerate(texts):
        lead = grouper.place(key, text)
        assert lead is None or 0 <= lead < key
        assert len(grouper) <= capacity


@given(ANY_TEXT)
def test_a_text_groups_with_itself_or_not_at_all(text: str) -> None:
    """The same text twice is a copy exactly where it is long enough."""
    grouper = Grouper()
    assert grouper.place(1, text) is None
    assert grouper.place(2, text) == (1 if len(grouper) else None)
