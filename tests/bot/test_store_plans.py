"""What runs often walks an index, whatever the number of mentions: SQLite's own plans say so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from seeds import ANA, NOW, a_mention, hear, newest_mention, shaped, show

from bot import decisions
from bot.records import JobKind
from bot.store import Store, erasure, feed_hours, feed_rows, rechecks
from listeners.mention import Removal

PARTIAL = "conversation_(queue|quiet|coming)|job_(due|posting)|send_sending"
"""Indexes that hold only what waits: walking one from its start is the point of it."""


@pytest.fixture
def asked(store: Store) -> Iterator[list[str]]:
    """Every statement that runs on the store during the test."""
    statements: list[str] = []
    store.read().conn.set_trace_callback(statements.append)
    yield statements
    store.read().conn.set_trace_callback(None)


def slow_steps(store: Store, statement: str) -> list[str]:
    """Return the steps of a statement's plan that grow with what is stored."""
    steps = [step[3] for step in store.read().execute(f"explain query plan {statement}")]
    scans = [
        step for step in steps if re.match(r"SCAN (conversation|mention|event|card|job|send|seen|c|m|k|s)\b", step)
    ]
    return [
        step
        for step in steps
        if "TEMP B-TREE" in step or (step in scans and not re.search(rf"USING .*INDEX ({PARTIAL})\b", step))
    ]


def test_nothing_that_runs_often_grows_with_what_is_stored(store: Store, asked: list[str]):
    """Hearing, the queue, every decision, the outbox and the clock: no scan of a table, no sort of one."""
    first, second = hear(store, a_mention("1")), hear(store, a_mention("2"))
    for number in (first, second):
        show(store, number)
    decisions.claim(store, first, ANA, NOW)
    mention_id = newest_mention(store, first)
    hold = timedelta(0)
    outcome = decisions.approve(store, first, mention_id, "Hi", "", shaped("Hi"), "api", ANA, NOW, hold)
    assert outcome.send_id is not None
    assert store.due_sends(NOW) != []
    store.begin_send(outcome.send_id, NOW)
    store.finish_sent(outcome.send_id, "9", "", NOW)
    decisions.snooze(store, second, NOW + hold + timedelta(hours=1), ANA, NOW)
    for owner in (None, "U1"):
        store.queue(owner=owner, now=NOW)
    for kinds in (None, {JobKind.CARD}):
        store.take_job(NOW, kinds)
    store.find_conversation("https://stage.example/elsewhere?x=1")
    store.quiet(), store.search("kettle"), store.history(first), store.sends(first)
    store.stale_sending(NOW), store.stale_posting(), store.wake_snoozed(NOW), store.expire_unclaimed(NOW, NOW)
    store.prune(NOW), store.cards_shown_since(NOW), store.cards_coming(), store.first_time("x", NOW)
    ours = {sql for sql in asked if re.match(r"\s*(select|insert into (?!mention)|update|delete)\b", sql)}
    assert len(ours) > 40
    store.read().conn.set_trace_callback(None)
    # FTS5 walks its own index from the newest entry
    slow = {sql: steps for sql in ours if "mention_fts" not in sql and (steps := slow_steps(store, sql))}
    assert slow == {}


def test_what_every_batch_writes_walks_an_index(store: Store, asked: list[str]):
    """Signs of life, hours, deletions, and posts to look at again: no scan of a table at a million mentions."""
    hear(store, a_mention("1")), hear(store, a_mention("2"))
    asked.clear()
    later = NOW + timedelta(days=2)
    with store.transaction() as db:
        feed_hours.write_hour(db, "stage-feed", 1, 0, NOW)
        feed_rows.write_heard(db, "stage-feed", "c", 1, NOW)
        feed_rows.write_notices(db, "stage-feed", ["It listens less."], NOW)
        due = rechecks.take_due(db, "stage-feed", "stage", later, 14)
        rechecks.write_checked(db, "stage", [mention.native_id for mention in due.mentions], later)
        gone = [Removal("stage", NOW, native_id="1"), Removal("stage", NOW, author="author_2")]
        assert len(erasure.write_removals(db, gone, NOW)) == 2
    feed_hours.hours_of(store.read(), "stage-feed", NOW)
    assert len(due.mentions) == 2
    ours = {sql for sql in asked if re.match(r"\s*(select|insert into (?!mention)|update|delete)\b", sql)}
    assert len(ours) > 15
    store.read().conn.set_trace_callback(None)
    slow = {sql: slow_steps(store, sql) for sql in ours if "mention_fts" not in sql}
    assert [step for steps in slow.values() for step in steps if "SCAN" in step] == []  # what is found may be sorted


def test_what_is_due_is_read_from_its_index_in_order(store: Store, asked: list[str]):
    """The hundred that waited longest are the first hundred entries of the feed's part of the index."""
    with store.transaction() as db:
        rechecks.take_due(db, "feed", "stage", NOW, None)
    store.read().conn.set_trace_callback(None)
    (sql,) = [each for each in asked if each.startswith("select * from mention")]
    plan = [step[3] for step in store.read().execute(f"explain query plan {sql}")]
    assert plan == ["SEARCH mention USING INDEX mention_to_check (feed=? AND <expr><?)"]


def test_the_queue_reads_its_order_from_the_index(store: Store, asked: list[str]):
    """The first twenty of a million are the first twenty entries of an index that holds nothing else needed."""
    store.queue(now=NOW)
    store.queue(owner="U1", now=NOW)
    store.read().conn.set_trace_callback(None)
    plans = [
        [step[3] for step in store.read().execute(f"explain query plan {sql}")]
        for sql in asked
        if "order by grade desc" in sql
    ]
    assert plans == [
        ["SCAN conversation USING INDEX conversation_queue"],
        ["SEARCH conversation USING INDEX conversation_owner (owner_id=?)"],
    ]
