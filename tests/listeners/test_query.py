"""Watches: matched in one pass, and exactly as a slow and simple reading of the language says."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listeners.grammar import AllOf, AnyOf, From, Language, Node, Not, Term
from listeners.match import fold
from listeners.query import QueryError, Watch, compile_watches, parse

CJK = frozenset([*range(0x3040, 0x3100), *range(0x4E00, 0xA000)])


def is_word_sign(sign: str) -> bool:
    """Whether a sign belongs to words, told by its category alone."""
    return unicodedata.category(sign)[0] in "LNM"


def has_border(text: str, place: int) -> bool:
    """Whether a word may begin or end between two signs of a text."""
    if place in {0, len(text)}:
        return True
    left, right = text[place - 1], text[place]
    return ord(left) in CJK or ord(right) in CJK or not (is_word_sign(left) and is_word_sign(right))


def has_term(text: str, term: str) -> bool:
    """Look for a term at every place of a text, one after the other."""
    is_tag = term[0] in "@#$"
    for start in range(len(text) - len(term) + 1):
        end = start + len(term)
        if text[start:end] != term or not has_border(text, end):
            continue
        before, after = text[start - 1 : start], text[end : end + 1]
        if is_tag and (after == "_" or before == "_" or (before and is_word_sign(before) and ord(before) not in CJK)):
            continue
        if is_tag or has_border(text, start):
            return True
    return False


def holds(node: Node, text: str, author: str, language: str) -> bool | None:
    """Judge a condition in three values; None is 'not known'."""
    if isinstance(node, Term):
        return has_term(fold(text), fold(node.text))
    if isinstance(node, From):
        return node.handle.lower() == author.lower()
    if isinstance(node, Language):
        return None if language in {"", "und"} else language == node.code or language.startswith(f"{node.code}-")
    if isinstance(node, Not):
        inner = holds(node.part, text, author, language)
        return None if inner is None else not inner
    parts = [holds(part, text, author, language) for part in node.parts]
    decisive = isinstance(node, AnyOf)
    assert decisive or isinstance(node, AllOf)
    if decisive in parts:
        return decisive
    return None if None in parts else not decisive


WORDS = st.sampled_from(
    ["acme", "ACME", "acmé", "acme's", "acmes", "@acme", "#acme", "@acme_help", "x@acme.com", "cloud", "Cloud,", "down"]
) | st.sampled_from(["acme-cloud", "c++", "東京", "は東京へ", "👍", "👍🏽", "\ud800", "é", "e\u0301", "a", "_", "’s"])
TEXTS = st.lists(st.tuples(WORDS, st.sampled_from([" ", "  ", "\n", "", ".", "/", "_"]))).map(
    lambda pairs: "".join(word + between for word, between in pairs)
)
LEAVES = st.sampled_from(
    ["acme", "Acme", '"acme cloud"', "@acme", "#acme", "acme-cloud", "cloud", "down", "c++", "東京", "👍", "é", "a"]
) | st.sampled_from(["lang:en", "lang:pt", "from:jane", "from:@Bob", '"cloud down"', "acme's"])


def combine(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Build larger queries of smaller ones."""
    return st.one_of(
        st.tuples(parts, parts).map(" ".join),
        st.tuples(parts, parts).map(" OR ".join),
        parts.map(lambda part: f"({part})"),
        parts.map(lambda part: f"-({part})"),
    )


QUERIES = st.recursive(LEAVES, combine, max_leaves=8)


@settings(max_examples=500)
@given(
    st.lists(QUERIES, max_size=6),
    TEXTS,
    st.sampled_from(["", "jane", "BOB", "ann"]),
    st.sampled_from(["", "und", "en", "en-us", "pt", "fr"]),
)
def test_one_pass_matches_what_the_slow_reading_matches(queries: list[str], text: str, author: str, language: str):
    """The automaton with its short cuts agrees with judging every watch on every text from scratch."""
    parsed = []
    for query in queries:
        try:
            parsed.append(parse(query))
        except QueryError:
            continue
    watches = [Watch(str(number), "", query.text) for number, query in enumerate(parsed)]
    found = compile_watches(watches).match(text, author=author, language=language)
    expected = [
        watch
        for watch, query in zip(watches, parsed, strict=True)
        if holds(query.root, text, author, language) is not False
    ]
    assert list(found) == expected


def test_watches_answer_in_their_own_order():
    """The order is that of the settings, not of the text."""
    watches = compile_watches([Watch("b", "", "beta"), Watch("a", "", "alpha OR beta"), Watch("c", "", "gamma")])
    assert [watch.name for watch in watches.match("beta alpha")] == ["b", "a"]


def test_a_language_that_is_not_known_leaves_nothing_out():
    """It is better to hear one too many."""
    watches = compile_watches([Watch("en", "", "acme lang:en"), Watch("no", "", "acme -lang:en")])
    assert len(watches.match("acme")) == len(watches.match("acme", language="und")) == 2
    assert [watch.name for watch in watches.match("acme", language="EN_us")] == ["en"]


def test_platforms_are_told_the_fewest_terms():
    """Terms are spelled as written and told once; authors stand apart."""
    watches = compile_watches(
        [Watch("a", "", "Acme outage"), Watch("b", "", "acme OR globex"), Watch("c", "", "from:Jane lang:en")]
    )
    assert watches.terms == ("Acme", "globex")
    assert watches.authors == ("Jane",)


def test_watches_are_chosen_for_a_feed():
    """No feeds means all feeds; an empty choice is false."""
    watches = compile_watches([Watch("all", "", "acme"), Watch("news", "", "acme", ("news",))])
    assert [watch.name for watch in watches.for_feed("news").match("acme")] == ["all", "news"]
    assert [watch.name for watch in watches.for_feed("other").watches] == ["all"]
    assert watches
    assert not compile_watches([Watch("n", "", "acme", ("news",))]).for_feed("other")


def test_a_watch_that_cannot_work_is_named():
    """The sentence names the watch and the column."""
    with pytest.raises(QueryError) as caught:
        compile_watches([Watch("good", "", "acme"), Watch("bad", "", "acme OR")])
    assert caught.value.sentence == "Watch 'bad': Column 6: nothing stands after this OR."


def test_two_watches_cannot_share_a_name():
    """Names are how people tell watches apart."""
    with pytest.raises(QueryError, match="Two watches are named 'a'"):
        compile_watches([Watch("a", "", "x"), Watch("a", "", "y")])


def test_five_hundred_watches_of_two_thousand_words_hold_up():
    """A large team's watches compile and match, also in one watch."""
    words = [f"word{number:04}" for number in range(2_000)]
    watches = [Watch(str(n), "", f"({' OR '.join(words[n * 4 : n * 4 + 4])}) -never{n}") for n in range(500)]
    watches.append(Watch("every", "", " OR ".join(words)))
    compiled = compile_watches(watches)
    assert [watch.name for watch in compiled.match("about word0007 and Word1999!")] == ["1", "499", "every"]
    assert [watch.name for watch in compiled.match("word1999 never499")] == ["every"]


def test_a_very_long_text_is_read_whole():
    """A hundred thousand characters, with the word at the end."""
    watches = compile_watches([Watch("a", "", "acme")])
    assert watches.match("é acmes " * 12_500 + "acme")
