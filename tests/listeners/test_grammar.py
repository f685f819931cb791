"""The grammar of the watch language."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listeners.grammar import (
    MAX_DEPTH,
    AllOf,
    AnyOf,
    From,
    Language,
    Not,
    QueryError,
    Term,
    needed_leaves,
    parse,
    push_negations,
)


def test_or_binds_weaker_than_words_side_by_side():
    """`a b OR c` is (a and b) or c."""
    root = parse("a b OR c").root
    assert root == AnyOf((AllOf((Term("a", 0), Term("b", 2))), Term("c", 7)))


def test_brackets_and_negations_nest():
    """Groups can be negated, and negations stand before one part only."""
    root = parse('acme -(jobs OR "hiring now") x').root
    group = AnyOf((Term("jobs", 7), Term("hiring now", 15, is_phrase=True)))
    assert root == AllOf((Term("acme", 0), Not(group, 5), Term("x", 29)))


def test_fields_are_read_in_any_case():
    """`LANG:EN` and `from:@Jane` are understood; the handle keeps its spelling for the platform."""
    assert parse("acme LANG:PT-br from:@Jane").root == AllOf((Term("acme"), Language("pt-br", 5), From("Jane", 16)))


def test_a_handle_may_be_quoted():
    """Feeds have authors with spaces in their names."""
    assert parse('from:"Jane Doe" acme').root == AllOf((From("Jane Doe", 0), Term("acme", 16)))


def test_curly_quotes_are_quotes():
    """Phones write curly quotes; they mean the same."""
    assert parse("“acme  cloud”").root == Term("acme cloud", 0, is_phrase=True)


def test_a_hyphen_inside_a_word_is_part_of_it():
    """Only a '-' in front is a negation."""
    assert parse("acme-cloud").root == Term("acme-cloud")


def test_addresses_are_words():
    """A colon before // is no field."""
    assert parse("https://acme.com/x").root == Term("https://acme.com/x")


@pytest.mark.parametrize(
    ("query", "position", "words"),
    [
        ("", 0, "empty"),
        ("   ", 0, "empty"),
        ('acme "cloud', 5, "never closed"),
        ("acme (cloud", 5, "never closed"),
        ("acme (", 5, "never closed"),
        ("acme)", 4, "closes nothing"),
        ("acme ()", 5, "empty"),
        ('acme ""', 5, "no word"),
        ("acme OR", 5, "after this OR"),
        ("OR acme", 0, "before this OR"),
        ("acme OR OR x", 5, "after this OR"),
        ("(acme OR) x", 6, "after this OR"),
        ("acme -", 5, "nothing follows"),
        ("acme - x", 5, "nothing follows"),
        ("(acme -)", 6, "nothing follows"),
        ("acme -OR", 5, "nothing follows"),
        ("-acme", 0, "nearly every post"),
        ("-acme -cloud", 0, "nearly every post"),
        ("acme OR -cloud", 8, "nearly every post"),
        ("acme OR lang:en", 8, "nearly every post"),
        ("lang:en", 0, "nearly every post"),
        ("-(acme cloud)", 2, "nearly every post"),
        ("acme lang:", 5, "language code"),
        ("acme lang:english", 5, "language code"),
        ("acme from:", 5, "handle"),
        ("acme from:@", 5, "handle"),
        ("acme to:jane", 5, "to: is not known"),
        ("acme or cloud", 5, "capitals"),
        ("acme | cloud", 5, "capitals"),
        ("acme AND cloud", 5, "not needed"),
        ("acme NOT cloud", 5, "-word"),
        ("acme, cloud", 0, "take the ','"),
        ("'acme cloud'", 0, "double quotes"),
        ("acme +", 5, "no word"),
        ("(" * (MAX_DEPTH + 1) + "a" + ")" * (MAX_DEPTH + 1), MAX_DEPTH, "nested"),
        ("-" * (MAX_DEPTH + 1) + "a", MAX_DEPTH, "nested"),
    ],
)
def test_a_query_that_cannot_work_is_refused_with_its_place(query: str, position: int, words: str):
    """The sentence says what is wrong, and where, counting columns from 1."""
    with pytest.raises(QueryError) as caught:
        parse(query)
    assert caught.value.position == position
    assert words in caught.value.sentence
    assert f"Column {position + 1}:" in caught.value.sentence


def test_negations_are_pushed_to_the_leaves():
    """-(a OR -b) is -a and b."""
    pushed = push_negations(parse("x -(a OR -b)").root)
    assert pushed == AllOf((Term("x"), AllOf((Not(Term("a", 4), 4), Term("b", 10)))))


def test_the_fewest_leaves_that_miss_nothing_are_searched_for():
    """Of words that must all be there one is enough to search for; of alternatives all are needed."""
    leaves = needed_leaves(push_negations(parse("acme (outage OR down OR slow) OR globex from:jane").root))
    assert [leaf.text if isinstance(leaf, Term) else leaf.handle for leaf in leaves] == ["acme", "globex"]


@given(st.text(alphabet="ab ()-\"OR:langfrom@#,'\ud800é\0", max_size=40))
def test_any_text_is_parsed_or_refused_in_a_sentence(text: str):
    """Nothing but QueryError comes out, and its place lies in the text."""
    try:
        query = parse(text)
    except QueryError as err:
        refusal = err
    else:
        assert needed_leaves(push_negations(query.root))
        return
    assert refusal.sentence.endswith(".")
    assert 0 <= refusal.position <= len(text)
