"""The people in Slack, the deliveries of Slack's that were handled, and the digests that were posted."""

from __future__ import annotations

from datetime import datetime

from sqlite_utils import Database

from bot.conversation import Actor
from bot.store.rows import change, moment_or_none, row, stamp
from bot.store.texts import plain


def remember_person(db: Database, person: Actor) -> None:
    """Remember the name that a Slack id goes by; in conversations they own, too."""
    name = plain(person.name)
    change(
        db,
        "insert into person (id, name) values (?, ?) on conflict (id) do update set name = excluded.name",
        (person.id, name),
    )


def person(db: Database, user_id: str) -> Actor | None:
    """Return who a Slack id is, or None where they were never seen."""
    found = row(db, "select id, name from person where id = ?", (user_id,))
    return None if found is None else Actor(found["id"], found["name"])


def first_time(db: Database, key: str, now: datetime) -> bool:
    """Return True for the first caller with this key, ever since it was last pruned."""
    return bool(change(db, "insert into seen (key, at) values (?, ?) on conflict do nothing", (plain(key), stamp(now))))


def first_seen(db: Database, key: str) -> datetime | None:
    """Return when somebody first asked with this key; None where nobody did, or it was pruned."""
    found = row(db, "select at from seen where key = ?", (plain(key),))
    return None if found is None else moment_or_none(found["at"])


def prune_seen(db: Database, before: datetime) -> int:
    """Forget the deliveries handled before a moment; return how many."""
    return change(db, "delete from seen where at < ?", (stamp(before),))


def record_digest(db: Database, local_date: str, channel: str, ts: str, now: datetime) -> None:
    """Remember that the digest of a local date stands in Slack."""
    change(
        db,
        "insert into digest (local_date, channel, ts, posted_at) values (?, ?, ?, ?)"
        " on conflict (local_date) do update set channel = excluded.channel, ts = excluded.ts",
        (local_date, channel, ts, stamp(now)),
    )


def digest_message(db: Database, local_date: str) -> tuple[str, str] | None:
    """Return the channel and ts of a local date's digest, or None where it was not posted."""
    found = row(db, "select channel, ts from digest where local_date = ?", (local_date,))
    return None if found is None else (found["channel"], found["ts"])


def last_digest(db: Database) -> str | None:
    """Return the newest local date (YYYY-MM-DD) whose digest was posted."""
    found = row(db, "select max(local_date) as newest from digest")
    return None if found is None else found["newest"]
