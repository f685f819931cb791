"""The schema, as a new database gets it."""

from __future__ import annotations

import re

from bot.ledger import LIVE
from bot.migrations import migrations
from bot.store import Store


def _sql_of(store: Store, name: str) -> str:
    return str(store.read().execute("select sql from sqlite_master where name = ?", (name,)).fetchone()[0])


def test_every_table_of_ours_is_strict(store: Store):
    """A table that takes a word for a time would keep it."""
    found = store.read().execute("select name, strict from pragma_table_list where schema = 'main' and type = 'table'")
    loose = {name for name, strict in found if not strict and not name.startswith("sqlite_")}
    assert loose == {"_sqlite_migrations"}


def test_the_live_index_and_the_ledger_name_the_same_states(store: Store):
    """At most one live send: the index that holds it lists exactly the states that are live."""
    listed = set(re.findall(r"'(\w+)'", _sql_of(store, "send_live")))
    assert listed == {str(state) for state in LIVE}


def test_applying_twice_changes_nothing(store: Store):
    """A step that is applied is not applied again."""
    before = store.read().schema
    migrations.apply(store.read())
    assert store.read().schema == before
    assert migrations.pending(store.read()) == []


def test_the_search_index_follows_the_mentions(store: Store):
    """What is inserted, changed and deleted is found, changed and gone in the index as well."""
    with store.transaction() as db:
        db.execute(
            "insert into conversation (id, key, platform, feed, author, state, priority, grade, needs_reply,"
            " heard_at, changed_at) values (1, 'k', 'p', 'f', 'a', 'new', 1, 1, 1, 1, 1)"
        )
        db.execute(
            "insert into mention (id, conversation_id, platform, native_id, feed, author, text, created_at, heard_at,"
            " needs_reply, urgent, priority, grade, invited, intent)"
            " values (1, 1, 'p', '1', 'f', 'a', 'Crème brûlée', 1, 1, 1, 1, 1, 1, 'no', 'praise')"
        )
    matches = "select count(*) from mention_fts where mention_fts match ?"
    assert store.read().execute(matches, ("creme",)).fetchone() == (1,)
    store.read().execute("update mention set text = 'pudding'")
    assert store.read().execute(matches, ("creme",)).fetchone() == (0,)
    assert store.read().execute(matches, ("pudding",)).fetchone() == (1,)
    store.read().execute("delete from mention")
    assert store.read().execute(matches, ("pudding",)).fetchone() == (0,)
