"""Watches become rules and queries that X takes, and that find no less than the watches want."""

from __future__ import annotations

import pytest
from fake_x_rules import Looked, read_rule
from hypothesis import given
from hypothesis import strategies as st

from listeners.catalog import compile_query
from listeners.grammar import QueryError, parse
from listeners.query import Watch, compile_watches
from listeners.x.rules import finish, join_searches, rules_for, searches_for

WORDS = ["acme", "globex", "café", "cafe", "coca-cola", "c++", "@acme", "#acme", "$acme", "straße", "or", "don't", "😀"]
LANGUAGES = ["en", "de", "he", "zh", "und"]


@pytest.mark.parametrize(
    ("watch", "rules"),
    [
        ("acme", ["acme"]),
        ("acme -jobs", ["acme -jobs"]),
        ("acme OR globex", ["acme OR globex"]),
        ('(acme OR "acme cloud") refund', ['(acme OR "acme cloud") refund']),
        ("acme -(jobs OR hiring)", ["acme -jobs -hiring"]),
        ("acme -(jobs hiring)", ["acme"]),
        ("acme (cloud OR -jobs)", ["acme"]),
        ("acme lang:en", ["acme lang:en"]),
        ("acme lang:he", ["acme lang:iw"]),
        ("acme lang:zh", ["acme (lang:zh-CN OR lang:zh-TW)"]),
        ("acme -lang:zh", ["acme -lang:zh-CN -lang:zh-TW"]),
        ("acme -lang:tlh", ["acme"]),
        ("from:jane", ["from:jane"]),
        ("acme -from:jane.example", ["acme"]),
        ("@acme OR #acme OR $acme", ["@acme OR #acme OR $acme"]),
        ("@acme-help", ['"@acme-help"']),
        ("#2026", ['"#2026"']),
        ("coca-cola", ['"coca-cola"']),
        ("acme -coca-cola", ["acme"]),
        ('acme -"now hiring"', ['acme -"now hiring"']),
        ('"or" acme', ['"or" acme']),
        ("café", ["café OR cafe"]),
        ("acme -café", ["acme -café -cafe"]),
        ("AT&T", ['"AT&T"']),
        ("a\\b", ['"a b"']),
        ("😀", ['"😀"']),
    ],
)
def test_a_watch_becomes_a_rule(watch: str, rules: list[str]):
    """In X's own grammar; what X would read as an operator is quoted, what it cannot say is left to our own matcher."""
    assert rules_for(parse(watch)) == rules
    for rule in rules:
        read_rule(finish(rule, "kettle_care"))


def test_a_search_needs_no_second_spelling():
    """The search does not compare accents, so its characters are saved."""
    assert searches_for(parse("café")) == ["café"]


@pytest.mark.parametrize(
    ("watch", "sentence", "position"),
    [
        ("acme lang:pt-br", "write lang:pt", 5),
        ("acme lang:tlh", "does not know the language 'tlh'", 5),
        ("acme OR from:jane.example", "nobody on X can be called 'jane.example'", 8),
        ("acme from:a_name_of_sixteen", "nobody on X", 5),
        ("acme " + "x" * 2_100, "longer; leave words out", 0),
    ],
)
def test_what_x_cannot_express_is_refused_with_the_place(watch: str, sentence: str, position: int):
    """Before anything listens in vain."""
    with pytest.raises(QueryError, match=sentence) as caught:
        compile_query("x", parse(watch))
    assert caught.value.position == position


def test_a_long_choice_becomes_several_rules():
    """Each of them within the limit, ending included, and together they ask for every word."""
    words = [f"word{number}" for number in range(400)]
    rules = rules_for(parse(" OR ".join(words)))
    assert len(rules) > 1
    assert all(len(finish(rule, "a" * 15)) <= 1_024 for rule in rules)
    assert {word for rule in rules for word in rule.split(" OR ")} == set(words)


def test_a_long_choice_beside_other_words_is_cut_in_its_middle():
    """Every part keeps the words beside it."""
    words = [f"word{number}" for number in range(200)]
    searches = searches_for(parse(f"acme ({' OR '.join(words)}) -jobs"))
    assert all(search.startswith("acme (") and search.endswith(") -jobs") for search in searches)
    assert all(len(finish(search, "a" * 15)) <= 512 for search in searches)
    assert {word for search in searches for word in words if f"{word} " in search or f"{word})" in search} == set(words)


def test_exclusions_that_do_not_fit_are_made_here():
    """X finds more then, and our own matcher leaves it out."""
    (search,) = searches_for(parse("acme " + " ".join(f"-word{number}" for number in range(300))))
    assert search.startswith("acme -word0 -word1 ")
    assert len(finish(search, "a" * 15)) <= 512


def test_a_watch_that_needs_too_many_rules_is_refused():
    """It would fill the project's rules, which others need too."""
    left, right = (" OR ".join(f"{side}{number}{'x' * 60}" for number in range(150)) for side in "ab")
    with pytest.raises(QueryError, match="rules for this"):
        rules_for(parse(f"({left}) ({right})"))


def test_a_watch_for_an_enterprise_account_says_so():
    """It can be tried, and is refused at start only where the settings allow less."""
    compiled = compile_query("x", parse(" ".join(f"word{number}" for number in range(100))))
    assert "Enterprise" in compiled.checked_here
    assert "Enterprise" not in compile_query("x", parse("acme")).checked_here


def test_short_queries_share_a_request():
    """A hundred watches are a few requests, none of them too long."""
    joined = join_searches([f"brand{number} -jobs" for number in range(100)], 512)
    assert 1 < len(joined) < 8
    assert all(len(finish(query, "a" * 15)) <= 512 for query in joined)
    assert sum(query.count(" OR ") + 1 for query in joined) == 100


leaves = st.one_of(
    st.sampled_from(WORDS).filter(lambda word: word != "or"),
    st.lists(st.sampled_from(["acme", "cloud", "or", "jobs"]), min_size=2, max_size=3).map(
        lambda w: f'"{" ".join(w)}"'
    ),
    st.sampled_from(LANGUAGES[:-1]).map(lambda code: f"lang:{code}"),
    st.sampled_from(["from:jane", "from:kettle_care"]),
)
queries = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=4).map(" ".join),
        st.lists(inner, min_size=2, max_size=4).map(lambda parts: f"({' OR '.join(parts)})"),
        inner.map(lambda part: f"-({part})"),
    ),
    max_leaves=9,
)
posts = st.builds(
    lambda words, handle, language: Looked(" ".join(words), handle, language),
    st.lists(st.sampled_from([*WORDS, "cloud", "jobs", "CAFÉ,", "acme's", "x"]), max_size=6),
    st.sampled_from(["jane", "joe"]),
    st.sampled_from(["en", "de", "iw", "zh"]),
)


@given(query=queries, post=posts, is_short=st.booleans())
def test_x_finds_everything_that_a_watch_wants(query: str, post: Looked, is_short: bool):
    """For any watch and any post in the spelling the watch has: what our own matcher takes, X was asked for."""
    try:
        parsed = parse(query)
    except QueryError:
        return
    watches = compile_watches([Watch("w", "Acme", query)])
    ours = {"iw": "he"}.get(post.language, post.language)
    if not watches.match(post.text, author=post.handle, language=ours):
        return
    length = 120 if is_short else 512
    try:
        searches = searches_for(parsed, length)
    except QueryError:
        return
    plain = Looked(post.text, post.handle, post.language, keeps_accents=False)
    assert any(read_rule(finish(search))(plain) for search in searches), searches
