"""Posts are found by address and by author through their clues, as surely as by an index of their own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seeds import NOW, a_mention, hear

from bot.store import Store
from bot.store.clues import address_clue, author_clue, candidates, clues_of, place_clue
from bot.store.erasure import write_removals
from listeners.mention import Author, Removal

PLAIN = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(PLAIN, PLAIN, PLAIN)
def test_a_clue_is_one_word_of_the_search_index(url: str, author: str, author_id: str):
    """Whatever an address or a handle holds, its clues are letters and digits, and those it is looked up by."""
    clues = clues_of(url, author, author_id).split()
    assert all(clue.isascii() and clue.isalnum() for clue in clues)
    if url:
        assert address_clue(url) in clues
    for name in (author, author_id):
        assert not name or author_clue(name) in clues


@pytest.mark.parametrize(
    "other",
    ["http://a.example/b?x=1", "https://a.example/b?x=1#c", "https://a.example/b?x=1/", "HTTPS://a.example/b?x=1"],
)
def test_forms_of_an_address_share_a_clue(other: str):
    """With http or https, a fragment or a last slash, it is the same address."""
    assert address_clue(other) == address_clue("https://a.example/b?x=1")


def test_addresses_at_one_place_share_its_clue_only():
    """What differs in the query is another post at the same place."""
    one, two = "https://a.example/b?x=1", "https://a.example/b/?x=2"
    assert address_clue(one) != address_clue(two)
    assert place_clue(one) == place_clue(two)
    assert place_clue(one) not in clues_of("https://a.example/b", "", "")


def test_an_author_is_found_by_handle_in_any_case_and_by_id(store: Store):
    """`_ÉVA-9` has hardly a word in it, and is found all the same; another platform's namesake is left alone."""
    hear(store, a_mention("1", author=Author("_ÉVA-9", native_id="did:plc:Q1")))
    hear(store, a_mention("2", author=Author("-_-", native_id="77")))
    for author, number in (("_ÉVA-9", "1"), ("did:plc:Q1", "1"), ("77", "2"), ("-_-", "2")):
        with store.transaction() as db:
            assert [each["native_id"] for each in candidates(db, "m.native_id", [author_clue(author)])] == [number]
    with store.transaction() as db:
        assert write_removals(db, [Removal("elsewhere", NOW, author="-_-")], NOW) == []
        assert len(write_removals(db, [Removal("stage", NOW, author="-_-")], NOW)) == 1
    assert store.forget_author(None, "@_éva-9") == 1


def test_nobody_is_not_an_author(store: Store):
    """Posts without an author are not all one person's."""
    hear(store, a_mention("1", author=Author("")))
    assert store.forget_author(None, "") == 0


def test_a_clue_is_no_word_to_search_for(store: Store):
    """People search what was said and by whom, not our hashes."""
    hear(store, a_mention("1"))
    assert store.search(address_clue("https://stage.example/posts/1")) == []
    assert len(store.search("kettle")) == 1


def test_an_erased_post_leaves_no_clue(store: Store):
    """After forgetting, neither its address nor its author leads anywhere, and the search index is sound."""
    hear(store, a_mention("1"))
    assert store.forget_post("https://stage.example/posts/1/") == 1
    db = store.read()
    assert db.execute("select clues from mention").fetchall() == [("",)]
    for clue in (address_clue("https://stage.example/posts/1"), author_clue("author_1"), author_clue("id-1")):
        assert candidates(db, "m.id", [clue]) == []
    db.execute("insert into mention_fts (mention_fts, rank) values ('integrity-check', 1)")


def test_looking_up_a_clue_walks_the_search_index(store: Store):
    """The candidates come from the search index, and their rows by number: nothing is scanned."""
    statements: list[str] = []
    store.read().conn.set_trace_callback(statements.append)
    store.find_conversation("https://stage.example/posts/1?x=1")
    store.read().conn.set_trace_callback(None)
    looked_up = [sql for sql in statements if "mention_fts match" in sql]
    assert len(looked_up) == 2
    for sql in looked_up:
        first, second = (step[3] for step in store.read().execute(f"explain query plan {sql}"))
        assert first.startswith("SCAN mention_fts VIRTUAL TABLE INDEX")
        assert second == "SEARCH m USING INTEGER PRIMARY KEY (rowid=?)"
