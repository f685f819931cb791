"""What Slack must still be told. One pending job per (kind, key): asking twice is asking once.

A request made while the same job is being posted becomes a row of its own, so that what changed meanwhile is told too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from datetime import datetime

from sqlite_utils import Database

from bot.records import Job, JobKind, JobState
from bot.store.rows import change, moment, row, rows, stamp
from bot.store.texts import plain

_NOTICE, _EDIT, _DIGEST, _NEW_CARD = range(4)
_CLASSES = {JobKind.NOTICE: _NOTICE, JobKind.DIGEST: _DIGEST, JobKind.HOME: _DIGEST}


def request_job(  # noqa: PLR0913 - a job row says all of this
    db: Database,
    kind: JobKind,
    key: str,
    *,
    now: datetime,
    priority: float = 0,
    due_at: datetime | None = None,
    payload: str = "",
) -> None:
    """Ask for a job. Asked again while it waits, it keeps the higher priority, the earlier time and the newer words."""
    db.conn.execute(
        "insert into job (kind, key, state, class, priority, due_at, payload, created_at)"
        " values (?, ?, 'pending', ?, ?, ?, ?, ?)"
        " on conflict (kind, key) where state = 'pending' do update set"
        " class = excluded.class, priority = max(priority, excluded.priority),"
        " due_at = min(due_at, excluded.due_at), payload = excluded.payload",
        (
            str(kind),
            plain(key),
            _class_of(db, kind, key),
            priority,
            stamp(due_at or now),
            plain(payload),
            stamp(now),
        ),
    )


def request_card(db: Database, conversation_id: int, now: datetime) -> None:
    """Ask that the Slack message say what is true of a conversation: its own, or the one it is shown on."""
    found = row(
        db,
        "select c.id, c.priority from conversation c"
        " where c.id = (select coalesce(lead_id, id) from conversation where id = ?)",
        (conversation_id,),
    )
    if found is not None:
        request_job(db, JobKind.CARD, str(found["id"]), priority=found["priority"], now=now)


def has_card(db: Database, conversation_id: int) -> bool:
    """Return whether a conversation is shown on a message in Slack: its own, or that of the one it is a copy of."""
    return (
        row(
            db,
            "select 1 from card where conversation_id = (select coalesce(lead_id, id) from conversation where id = ?)",
            (conversation_id,),
        )
        is not None
    )


def take_job(db: Database, now: datetime, kinds: Collection[JobKind] | None = None) -> Job | None:
    """Take the due job that goes first, marked as being posted; None where nothing is due."""
    found = row(
        db,
        "update job set state = 'posting', attempts = attempts + 1 where id = ("
        " select id from job where state = 'pending' and due_at <= ? and instr(?, kind)"  # `in` would leave the index
        " order by class, priority desc, due_at limit 1) returning *",
        (stamp(now), ",".join(JobKind if kinds is None else kinds)),
    )
    return None if found is None else _job_of(found)


def is_anything_due(db: Database, now: datetime) -> bool:
    """Return whether `take_job` would find something; a read, so that an idle outbox writes nothing."""
    return row(db, "select 1 from job where state = 'pending' and due_at <= ? limit 1", (stamp(now),)) is not None


def finish_job(db: Database, job: Job, now: datetime) -> None:
    """Record that Slack was told."""
    change(
        db,
        "update job set state = 'done', problem = '', finished_at = ? where id = ? and state = 'posting'",
        (stamp(now), job.id),
    )


def fail_job(db: Database, job: Job, reason: str, now: datetime) -> None:
    """Record that Slack will never take this, and why."""
    change(
        db,
        "update job set state = 'failed', problem = ?, finished_at = ? where id = ? and state = 'posting'",
        (plain(reason), stamp(now), job.id),
    )


def retry_job(db: Database, job: Job, at: datetime, now: datetime) -> None:
    """Put a job back for `at`; where it was asked for again meanwhile, that newer request carries on in its place."""
    carried = change(
        db,
        "update job set due_at = max(due_at, ?), attempts = max(attempts, ?)"
        " where kind = ? and key = ? and state = 'pending'",
        (stamp(at), job.attempts, str(job.kind), plain(job.key)),
    )
    if carried:
        finish_job(db, job, now)
        return
    change(db, "update job set state = 'pending', due_at = ? where id = ? and state = 'posting'", (stamp(at), job.id))


def stale_posting(db: Database) -> list[Job]:
    """Return the jobs that were being posted when Cuecard last stopped: each may or may not have reached Slack."""
    return [_job_of(each) for each in rows(db, "select * from job where state = 'posting' order by id")]


def prune_jobs(db: Database, before: datetime) -> int:
    """Forget the jobs that ended before a moment; return how many."""
    return change(db, "delete from job where finished_at < ?", (stamp(before),))


def now_edits(db: Database, conversation_id: int) -> None:
    """Tell a waiting card job that its message exists by now: from here on it is an edit."""
    change(
        db,
        "update job set class = ? where kind = 'card' and key = ? and state = 'pending'",
        (_EDIT, str(conversation_id)),
    )


def _class_of(db: Database, kind: JobKind, key: str) -> int:
    """Return the class of a job: lower goes first."""
    if kind is not JobKind.CARD:
        return _CLASSES[kind]
    is_posted = row(db, "select 1 from card where conversation_id = ?", (int(key),)) is not None
    return _EDIT if is_posted else _NEW_CARD


def _job_of(found: sqlite3.Row) -> Job:
    return Job(
        id=found["id"],
        kind=JobKind(found["kind"]),
        key=found["key"],
        state=JobState(found["state"]),
        priority=found["priority"],
        due_at=moment(found["due_at"]),
        attempts=found["attempts"],
        payload=found["payload"],
        created_at=moment(found["created_at"]),
    )
