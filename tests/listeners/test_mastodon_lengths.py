"""How long a reply is as Mastodon counts, and how it is prepared."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mastodon._url_regex import url_regex

from listeners.mastodon.lengths import count_characters, shape_reply
from listeners.mastodon.posts import ReplyRef
from listeners.text import count_graphemes

JANE: Final = ReplyRef(
    "7", "mastodon.example", "mastodon.example", "jane@far.example", "@acme@mastodon.example", "public"
)
BOB: Final = replace(JANE, author="bob@mastodon.example")
LONG: Final = "This is a sentence of nine words, for Jane. " * 20


def test_the_author_is_named_unless_the_person_named_them():
    """Nobody is told of an answer that does not name them; a second name would look foolish."""
    assert shape_reply(" Thank you! ", JANE, 0).text == "@jane@far.example Thank you!"
    for text in ("@jane@far.example thanks", "thanks, @Jane@Far.Example!", "thanks\n@jane@far.example"):
        assert shape_reply(text, JANE, 0).text == text
    assert shape_reply("@bob thanks", BOB, 0).text == "@bob thanks"
    assert shape_reply("thanks", BOB, 0).text == "@bob@mastodon.example thanks"


def test_half_a_name_is_completed():
    """On our server @jane is somebody else than jane of another one, who would be told instead."""
    assert shape_reply("@jane thanks", JANE, 0).text == "@jane@far.example thanks"
    assert shape_reply("ask @jane@far.examples", JANE, 0).text.startswith("@jane@far.example ask @jane@far.examples")
    assert shape_reply("see https://far.example/@jane", JANE, 0).text.endswith("far.example/@jane")


def test_a_reply_to_nobody_known_names_nobody():
    """A replayed post has no reference; its text is left as it is."""
    assert shape_reply("hello", ReplyRef(), 0).text == "hello"


def test_a_name_alone_is_no_reply():
    """Nor is nothing at all."""
    for text in ("", "  ", "@jane@far.example", "@jane"):
        assert shape_reply(text, JANE, 0).problem == "There is no text to post."


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("hello", 5),
        ("👩‍👩‍👧 e\u0301", 3),
        ("@jane@far.example hi", 8),
        ("@jane hi", 8),
        ("see https://example.com/" + "a" * 100, 4 + 23),
        ("(https://example.com/a_(b)_c).", 1 + 23 + 2),
        ("https://a.example https://b.example/x?y=1#z", 23 + 1 + 23),
        ("example.com is no link without https", 36),
        ("http://münchen.example/straße!", 23 + 1),
        ("https://mastodon.social/@acme@far.example/1", 23),
        ("mail me@example.com", 19),
        ("https:// is none", 16),
        ("https://localhost/x", 19),
    ],
)
def test_characters_are_counted_as_mastodon_counts(text: str, count: int):
    """As people see them, a link as 23, and of a name of another server what stands before its second '@'."""
    assert count_characters(text, JANE) == count


@pytest.mark.parametrize(
    "address",
    [
        "https://example.com",
        "http://www.example.co.uk/path/to/page.html",
        "https://en.wikipedia.org/wiki/Tea_(drink)",
        "https://example.com/a?b=c&d=e#f",
        "https://example.com:8080/x",
        "https://example.com/a-b_c~d/e.",
        "https://example.com/%E2%9C%93,",
        "https://example.com/a;b=c!",
        "https://sub.domain.example.org/",
        "https://xn--mnchen-3ya.com/x",
    ],
)
def test_links_end_where_the_library_says_they_do(address: str):
    """The port of twitter-text in Mastodon.py finds the same addresses in a sentence."""
    text = f"Look at {address} and tell"
    found = url_regex.search(text)
    assert found is not None
    expected = count_graphemes(text.replace(found[3], "x" * 23))
    assert count_characters(text, JANE) == expected


def test_the_limit_is_the_servers_or_that_of_the_settings():
    """What was told when the post was heard holds for the preview and for the send alike."""
    assert shape_reply("a" * 600, JANE, 0).limit == 500
    assert shape_reply("a" * 600, replace(JANE, limit=5_000), 0).problem == ""
    assert shape_reply("a" * 600, replace(JANE, limit=5_000), 100).limit == 100
    shape = shape_reply("a" * 600, JANE, 0)
    assert (shape.count, shape.problem) == (606, "This is 106 characters too long: 606 of 500.")


def test_the_content_warning_counts_too():
    """It is kept from the post that is answered, and a part of the limit."""
    shape = shape_reply("a" * 490, replace(JANE, warning="work, food"), 0)
    assert shape.count == 10 + 6 + 490
    assert shape.problem.endswith("The content warning counts too.")


def test_a_long_reply_can_be_cut_into_a_thread():
    """The author is named once in public; in private in each part, or they would not see it."""
    public = shape_reply(LONG, JANE, 0).parts
    assert len(public) == 2
    assert [part.count("@jane@far.example") for part in public] == [1, 0]
    assert " ".join(public).split() == shape_reply(LONG, JANE, 0).text.split()
    for visibility in ("private", "direct", "local", ""):
        private = shape_reply(LONG, replace(JANE, visibility=visibility), 0).parts
        assert [part.startswith("@jane@far.example ") for part in private] == [True] * len(private)
        assert all(count_characters(part, JANE) <= 500 for part in private)
    assert shape_reply("a" * 600, JANE, 0).parts == ()
    assert shape_reply("short", JANE, 0).parts == ()


WORDS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["@jane", "@jane@far.example", "@Jane@FAR.example", "https://example.com/x", "@bob", "\r\n", "\0"]),
)


@given(st.lists(WORDS, max_size=8).map(" ".join), st.sampled_from([JANE, BOB, ReplyRef()]))
def test_what_is_prepared_stays_as_it_is(text: str, ref: ReplyRef):
    """Prepared twice is prepared once: what the preview shows is what is sent."""
    shape = shape_reply(text, ref, 0)
    again = shape_reply(shape.text, ref, 0)
    assert (again.text, again.count, again.problem) == (shape.text, shape.count, shape.problem)
    assert shape.text == shape.text.strip()
    if not shape.problem and ref.author:
        assert ref.author in shape.text.lower() or f"@{ref.author.partition('@')[0]}" in shape.text.lower()
