"""A long reply cut into the posts of a thread: nothing lost, nothing torn, and even."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import regex
from hypothesis import example, given
from hypothesis import strategies as st

from listeners.parts import cut_parts
from listeners.text import count_graphemes

LETTER = (
    "Hi Sam! Thank you for telling us, and I am sorry this happened twice. It was charged on Monday and again on"
    " Tuesday, because the first payment timed out.\n\nThe second charge is on its way back to you: it takes two to"
    " four days. If it is not there on Friday, please write to me. Best, Ana"
)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
PIECES = st.one_of(
    WORDS,
    st.sampled_from(
        [" ", "  ", "\n", "\n\n", "\r\n", "\xa0", "\u2028", ". ", "! ", "。", " \u0301", "\u200d", "👩‍👩‍👧"]
    ),
)
TEXTS = st.one_of(
    st.lists(WORDS, min_size=1, max_size=60).map(" ".join),
    st.lists(PIECES, min_size=1, max_size=80).map("".join),
)


def within(limit: int) -> Callable[[str], bool]:
    """Return whether a piece is at most `limit` characters, as a person counts them."""
    return lambda piece: count_graphemes(piece) <= limit


@given(TEXTS, st.integers(1, 60), st.integers(2, 12))
@example("a b", 1, 2)
@example("word \u0301x word", 6, 5)
@example("a\xa0b c\xa0d", 3, 2)
@example("0\x1f\r0", 2, 2)
def test_nothing_is_lost_and_every_part_fits(text: str, limit: int, most: int) -> None:
    """The parts are the text in its order with only white space left out, none empty, all of a post's length."""
    parts = cut_parts(text, within(limit), most)
    assert not parts or 2 <= len(parts) <= most
    left = text
    for part in parts:
        assert part
        assert part == part.strip()
        assert count_graphemes(part) <= limit
        gap, found, left = left.partition(part)
        assert found
        assert not gap.strip()
    assert not parts or not left.strip()


@given(st.lists(st.from_regex(r"[a-z]{1,9}[.,!]?", fullmatch=True), min_size=1, max_size=60), st.integers(10, 60))
def test_words_that_fit_are_always_cut_whole(words: list[str], limit: int) -> None:
    """A text of short words that is too long is always cut, between words, into as few posts as fit or one more."""
    text = " ".join(words)
    parts = cut_parts(text, within(limit), most=200)
    if len(text) <= limit:
        assert parts == ()
        return
    assert " ".join(parts) == text
    assert len(parts) <= _fewest(words, limit) + 1


def _fewest(words: list[str], limit: int) -> int:
    """Count the posts where each is filled up before the next begins."""
    count, room = 0, -1
    for word in words:
        if len(word) + 1 > room:
            count, room = count + 1, limit + 1
        room -= len(word) + 1
    return count


@given(TEXTS, st.integers(1, 40))
@example(" \u0300 0", 1)
def test_no_cut_goes_through_a_character(text: str, limit: int) -> None:
    """Every part begins and ends where a character does, as a person sees characters."""
    text = text.strip()  # white space around it is left out before anything is cut
    starts = {found.start() for found in regex.finditer(r"\X", text)} | {len(text)}
    at = 0
    for part in cut_parts(text, within(limit)):
        at = text.index(part, at)
        assert at in starts
        at += len(part)
        assert at in starts


def test_a_short_text_needs_no_thread() -> None:
    """What fits one post is not cut, and neither is nothing."""
    assert cut_parts("Short.", within(280)) == ()
    assert cut_parts(" \n ", within(280)) == ()


def test_it_is_cut_between_paragraphs() -> None:
    """A paragraph's end near the middle is the best place to cut."""
    assert cut_parts(LETTER, within(200)) == tuple(LETTER.split("\n\n"))


def test_it_is_cut_between_sentences_where_no_paragraph_ends() -> None:
    """No sentence is torn where the sentences themselves are short enough."""
    for limit in (100, 120, 140, 160):
        parts = cut_parts(LETTER, within(limit))
        assert len(parts) > 1
        assert all(part.endswith((".", "!", "Ana")) for part in parts)


def test_it_is_cut_between_words_where_a_sentence_is_too_long() -> None:
    """A sentence longer than a post is cut between words."""
    text = "and so on " * 20
    parts = cut_parts(text, within(60))
    assert " ".join(parts) == text.strip()


def test_the_parts_are_even() -> None:
    """The last part is not what was left over: no part is much shorter than the others."""
    parts = cut_parts("abcd " * 57, within(280))
    assert len(parts) == 2
    assert abs(len(parts[0]) - len(parts[1])) <= 5


def test_a_last_word_or_two_are_no_part_of_their_own() -> None:
    """A signature is not left alone in the last post, though a sentence is torn for it."""
    parts = cut_parts(f"{'so it is ' * 30}and that is all.\n\nBest, Ana", within(290))
    assert len(parts) == 2
    assert len(parts[1].split()) > 10


def test_a_word_too_long_for_a_post_cannot_be_cut() -> None:
    """A word that fits no post makes the whole text unfit for a thread."""
    assert cut_parts(f"look: {'a' * 300} there", within(280)) == ()


def test_a_scrap_is_avoided_whatever_it_takes() -> None:
    """Where sentences would leave a scrap, the parts are made even instead."""
    text = f"{'so it was '.strip() * 9}. {'a word ' * 13}end. Bye."
    parts = cut_parts(text, within(100))
    assert len(parts) == 2
    assert len(parts[1].split()) > 2


def test_more_parts_than_a_thread_may_have_are_refused() -> None:
    """What would need more than the most posts is not cut at all."""
    assert len(cut_parts("word " * 100, within(50), most=10)) == 10
    assert cut_parts("word " * 110, within(50), most=10) == ()


def test_addresses_names_and_held_words_stay_whole() -> None:
    """No address, @name or pair of words held together by a no-break space is torn."""
    kept = ["https://example.com/a/long/address。and?more=1", "@acme_help", "10\xa0000", "@a。b"]
    parts = cut_parts(" ".join(kept * 8), within(60), most=40)
    assert parts
    assert [word for part in parts for word in part.split(" ")] == kept * 8


def test_scripts_without_spaces_are_cut_after_a_sentence() -> None:
    """Japanese has no white space between sentences; it is cut after a full stop, and nothing is lost."""
    text = "ご連絡ありがとうございます。注文を確認しました。「返金は二日かかります。」金曜日までお待ちください。"
    parts = cut_parts(text, within(30))
    assert "".join(parts) == text
    assert all(part.endswith(("。", "」")) for part in parts)


def test_abbreviations_do_not_end_a_sentence() -> None:
    """A full stop before a small letter is none that ends a sentence."""
    parts = cut_parts("It works with most cards, e.g. those of your bank. We will look at yours today.", within(55))
    assert parts[0].endswith("your bank.")


def test_what_counts_is_what_the_platform_counts() -> None:
    """The measure is the caller's: here every address counts for 23, however long it is."""
    address = f"https://example.com/{'x' * 100}"
    text = f"Please read {address} first, and then write to me again if that was not it at all."

    def fits(piece: str) -> bool:
        return sum(23 if word.startswith("https://") else len(word) + 1 for word in piece.split()) <= 60

    assert "".join(cut_parts(text, fits)).count(address) == 1


def test_composed_characters_are_kept_as_they_are() -> None:
    """Cutting prepares nothing: the characters are those of the text."""
    text = unicodedata.normalize("NFD", "déjà vu " * 20).strip()
    assert " ".join(cut_parts(text, within(50))) == text
