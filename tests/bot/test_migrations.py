"""The schema, as a new database gets it."""

from __future__ import annotations

import re
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from sqlite_utils import Database

from bot.ledger import LIVE
from bot.migrations import migrations
from bot.store import Store
from bot.store.rechecks import take_due


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


def test_a_database_of_the_first_version_is_brought_up_to_date(tmp_path: Path):
    """What it holds is kept; each post belongs to the platform of its feed, and is due to be looked at again."""
    path = tmp_path / "old.db"
    old = Database(sqlite3.connect(path, isolation_level=None))
    migrations.apply(old, stop_before="002_every_feed")
    old.execute("insert into feed (name, platform) values ('hn', 'hackernews')")
    old.execute(
        "insert into conversation (id, key, platform, feed, author, state, priority, grade, needs_reply,"
        " heard_at, changed_at) values (1, 'k', 'p', 'f', 'a', 'new', 1, 1, 1, 1, 1)"
    )
    for number, feed in ((1, "hn"), (2, "gone")):
        old.execute(
            "insert into mention (id, conversation_id, platform, native_id, feed, author, text, created_at, heard_at,"
            " needs_reply, urgent, priority, grade, invited, intent)"
            " values (?1, 1, 'p', ?1, ?2, 'a', 'words', 1, 1, 1, 1, 1, 1, 'no', 'praise')",
            (number, feed),
        )
    old.close()
    with Store(path) as store:
        found = (
            store.read().execute("select feed_platform, may_train, check_at, text from mention order by id").fetchall()
        )
        assert found == [("hackernews", 0, None, "words"), ("", 0, None, "words")]
        with store.transaction() as db:
            due = take_due(db, "hn", "hackernews", datetime(1970, 1, 3, tzinfo=UTC), 14)
        assert [mention.native_id for mention in due.mentions] == ["1"]
        assert store.feed_states()[0].quiet_since is None


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
