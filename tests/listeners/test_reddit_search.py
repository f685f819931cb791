"""What Reddit's search is asked for a watch finds all that the watch wants, in a question that Reddit takes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listeners.grammar import QueryError, parse
from listeners.query import Watch, compile_watches
from listeners.reddit.search import MAX_QUESTION, compile_query, is_searchable, questions


@pytest.mark.parametrize(
    ("query", "asks"),
    [
        ("acme", ('"acme"',)),
        ("Acme OR globex", ('"Acme" OR "globex"',)),
        ('"acme  cloud" (refund OR money)', ('("acme cloud" AND ("refund" OR "money"))',)),
        ("(a b) OR c", ('("a" AND "b") OR "c"',)),
        ("acme -jobs lang:en", ('"acme"',)),
        ("acme -(a b)", ('"acme"',)),
        ("from:jane", ('author:"jane"',)),
        ("from:jane OR acme", ('author:"jane" OR "acme"',)),
        ("@acme", ('"acme"',)),
        ('"kettle & fern"', ('("kettle" AND "fern")',)),
        ('"OR"', ('"OR"',)),
        ("🫖 acme", ('"acme"',)),
        ("🫖", ()),
        ("🫖 OR acme", ()),
        ("from:jane@mastodon.example", ()),
        ("from:jane@mastodon.example OR acme", ('"acme"',)),
        ("from:jane@mastodon.example acme", ()),
    ],
)
def test_a_watch_is_asked_for_in_reddits_words(query: str, asks: tuple[str, ...]):
    """Words and phrases in quotes, AND in brackets beside OR; what must not be there is left to our own matcher."""
    assert compile_query(parse(query)).asks == asks


@pytest.mark.parametrize(
    ("query", "words"), [("acme", "matched here"), ("🫖", "no word that must be there"), ("from:a@b.c", "Nobody")]
)
def test_what_is_judged_here_is_said(query: str, words: str):
    """A person who tries a watch sees what Reddit does not do for it."""
    assert words in compile_query(parse(query)).checked_here


@pytest.mark.parametrize(
    ("query", "is_found"), [("acme", True), ("🫖", False), ("🫖 OR acme", False), ("from:a@b.c", True)]
)
def test_a_watch_that_the_search_would_miss_is_known(query: str, *, is_found: bool):
    """What nobody on Reddit can be is not missed."""
    assert is_searchable(parse(query).root) is is_found


def test_the_questions_of_many_watches_are_few():
    """Joined by OR up to the most that Reddit takes, each word once."""
    roots = [parse(f"word{number} OR acme").root for number in range(100)]
    asks = questions(roots)
    assert 2 < len(asks) < 6
    assert all(len(ask) <= MAX_QUESTION for ask in asks)
    assert sorted(re.findall(r'"(\w+)"', " ".join(asks))) == sorted(
        {"acme", *(f"word{number}" for number in range(100))}
    )


def test_a_question_that_is_too_long_becomes_a_wider_one():
    """The parts that fit are kept; a word that no question can hold is not searched for."""
    anyway = " OR ".join(f'"a long phrase with number {number}"' for number in range(40))
    assert compile_query(parse(f"acme ({anyway})")).asks == ('("acme")',)
    assert not compile_query(parse("a" * 600)).asks
    assert not is_searchable(parse("a" * 600).root)


_WORDS = st.sampled_from(["acme", "tea", "globex", "pot", "🫖", '"acme tea"', "from:jane", "lang:en", "@acme", "a&b"])
_QUERIES = st.recursive(
    _WORDS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} OR {pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} {pair[1]})"),
        inner.map(lambda part: f"-{part}"),
    ),
    max_leaves=8,
)


def finds(ask: str, text: str, author: str) -> bool:
    """Judge a question as the search would: quoted phrases and authors, AND, OR and brackets."""
    spoken = re.sub(r'author:"([^"]*)"', lambda found: str(found[1] == author), ask)
    spoken = re.sub(r'"([^"]*)"', lambda found: str(f" {found[1]} " in f" {re.sub('[^a-z]+', ' ', text)} "), spoken)
    return bool(eval(spoken.replace("AND", "and").replace("OR", "or")))  # noqa: S307 - made of True, and, or, brackets


@given(_QUERIES, st.lists(st.sampled_from(["acme", "tea", "globex", "pot", "🫖", "@acme", "a&b", "x"]), max_size=5))
def test_the_search_finds_whatever_a_watch_matches(query: str, words: list[str]):
    """However a watch is built: if our matcher would take a post, the questions find it."""
    try:
        parsed = parse(query)
    except QueryError:
        return
    text = " ".join(words)
    for author in ("jane", "bob"):
        if compile_watches([Watch("w", "", query)]).match(text, author=author) and is_searchable(parsed.root):
            assert any(finds(ask, text, author) for ask in questions([parsed.root]))
