"""What is kept of a feed: where it stands, when it was heard, what it cost, and the stretches it was deaf.

Runs inside the caller's open transaction. A feed turns deaf once and recovers once: each is told to the operator once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from sqlite_utils import Database

from bot.records import JobKind
from bot.spoken import say_moment
from bot.store import feed_hours
from bot.store.jobs import request_job
from bot.store.rows import change, row, stamp
from bot.store.texts import plain
from listeners.mention import Gap

MOST_NOTICES = 20
"""The most sentences of one feed that the operator is told in a month."""


def register_feeds(  # noqa: PLR0913 - what is known of the feeds, aspect by aspect
    db: Database,
    feeds: Mapping[str, str],
    now: datetime,
    *,
    silent_after: Mapping[str, timedelta] | None = None,
    settings: Mapping[str, str] | None = None,
    retire_others: bool = False,
) -> None:
    """Make the feeds known, by name with their platform: one that is never heard is reported as such.

    `silent_after` says by name how long a feed may say nothing; one that is not in it is not waited for. `settings` is
    a fingerprint, by name, of what a feed listens for: where it is another than last time, its rhythm is learned anew.
    With `retire_others`, feeds that are not among them are no longer waited for: a deaf one's gap ends, and one that
    was never heard is forgotten.
    """
    for name, platform in feeds.items():
        patience = (silent_after or {}).get(name)
        change(
            db,
            "insert into feed (name, platform, silent_after) values (?, ?, ?)"
            " on conflict (name) do update set platform = excluded.platform, silent_after = excluded.silent_after",
            (plain(name), plain(platform), patience.total_seconds() if patience else None),
        )
        feed_hours.relearn(db, name, (settings or {}).get(name, ""), now)
    if not retire_others:
        return
    names = json.dumps([plain(name) for name in feeds])
    elsewhere = "not in (select value from json_each(?))"
    for table in ("gap", "doubt"):
        change(db, f"update {table} set ended_at = ? where ended_at is null and feed {elsewhere}", (stamp(now), names))  # noqa: S608
    change(db, f"delete from feed where heard_at is null and name {elsewhere}", (names,))  # noqa: S608 - the text is ours
    retired = "deaf_since = null, paused_until = null, quiet_since = null, silent_after = null, problem = ''"
    change(db, f"update feed set {retired} where name {elsewhere}", (names,))  # noqa: S608 - the text is ours


def cursor_of(db: Database, feed: str) -> str | None:
    """Return where a feed stands, None where it never stored a cursor."""
    found = row(db, "select cursor from feed where name = ?", (plain(feed),))
    return None if found is None else found["cursor"]


def write_heard(db: Database, feed: str, cursor: str, mentions: int, now: datetime) -> None:
    """Record that a feed answered, with so many new mentions; '' leaves the cursor. Ends its deafness, if any."""
    deaf = row(db, "select deaf_since from feed where name = ? and deaf_since is not null", (plain(feed),))
    change(
        db,
        "insert into feed (name, platform, cursor, heard_at, mention_at, mentions)"
        " values (:name, '', nullif(:cursor, ''), :now, case when :mentions > 0 then :now end, :mentions)"
        " on conflict (name) do update set cursor = coalesce(excluded.cursor, cursor), heard_at = excluded.heard_at,"
        " mention_at = coalesce(excluded.mention_at, mention_at), mentions = mentions + excluded.mentions,"
        " deaf_since = null, paused_until = null, problem = ''",
        {"name": plain(feed), "cursor": plain(cursor), "now": stamp(now), "mentions": mentions},
    )
    if deaf is not None:
        change(db, "update gap set ended_at = ? where feed = ? and ended_at is null", (stamp(now), plain(feed)))
        _tell(db, feed, f"{feed} hears again.", now)


def write_gaps(db: Database, feed: str, gaps: Iterable[Gap]) -> None:
    """Record stretches that the platform's file could not hear; one told twice, or piece by piece, is one."""
    for gap in gaps:
        longer = (stamp(gap.end), plain(feed), stamp(gap.start), plain(gap.reason))
        if change(db, "update gap set ended_at = ? where feed = ? and ended_at = ? and reason = ?", longer):
            continue
        values = (plain(feed), stamp(gap.start), stamp(gap.end), plain(gap.reason))
        change(
            db,
            "insert into gap (feed, started_at, ended_at, reason) select ?1, ?2, ?3, ?4"
            " where not exists (select 1 from gap where feed = ?1 and started_at = ?2 and ended_at = ?3)",
            values,
        )


def write_notices(db: Database, feed: str, sentences: Iterable[str], now: datetime) -> None:
    """Tell the operator what a feed has to say: each sentence once in a month (UTC), and never a flood of them."""
    month = now.astimezone(UTC).strftime("%Y-%m")
    for sentence in dict.fromkeys(sentences):
        is_news = change(
            db,
            "insert into told (feed, month, sentence) select ?1, ?2, ?3"
            " where (select count(*) from told where feed = ?1 and month = ?2) < ?4 on conflict do nothing",
            (plain(feed), month, plain(sentence), MOST_NOTICES),
        )
        if is_news:
            key = hashlib.sha256(plain(sentence).encode()).hexdigest()[:16]
            request_job(db, JobKind.NOTICE, f"notice:{feed}:{key}", payload=f"{feed}: {sentence}", now=now)


def prune_told(db: Database, now: datetime) -> int:
    """Forget what was told in earlier months; return how many sentences."""
    return change(db, "delete from told where month < ?", (now.astimezone(UTC).strftime("%Y-%m"),))


def write_spend(db: Database, feed: str, micros: int, now: datetime) -> None:
    """Add to what a feed cost on this UTC day, in millionths of a US dollar."""
    change(
        db,
        "insert into spend (feed, day, micros) values (?, ?, ?)"
        " on conflict (feed, day) do update set micros = micros + excluded.micros",
        (plain(feed), now.astimezone(UTC).date().isoformat(), micros),
    )


def spent_in_month(db: Database, feed: str, now: datetime) -> int:
    """Return what a feed cost so far in this month (UTC), in millionths of a US dollar."""
    month = now.astimezone(UTC).strftime("%Y-%m-")
    sql = "select coalesce(sum(micros), 0) as micros from spend where feed = ? and day >= ? and day < ?"
    found = row(db, sql, (plain(feed), f"{month}01", f"{month}99"))
    return 0 if found is None else int(found["micros"])


def note_problem(db: Database, feed: str, problem: str) -> None:
    """Record in one sentence what is wrong with a feed, deaf or not yet; '' for nothing."""
    change(db, "update feed set problem = ? where name = ? and problem <> ?1", (plain(problem), plain(feed)))


def mark_deaf(  # noqa: PLR0913 - all that is told of it
    db: Database, feed: str, since: datetime, reason: str, now: datetime, *, paused_until: datetime | None = None
) -> bool:
    """Record that a feed does not hear since a moment; return whether that is news (told to the operator then).

    The gap begins when the feed last answered, which is earlier than its first failure. `paused_until` is given where
    the feed holds back on purpose until a moment: nothing is broken then.
    """
    until = None if paused_until is None else stamp(paused_until)
    told = (plain(reason), until, plain(feed))
    if until is None:
        _end_pause(db, feed, now)
    change(db, "update feed set problem = ?, paused_until = ? where name = ?", told)
    change(db, "update gap set paused_until = ? where feed = ? and ended_at is null", told[1:])
    is_news = change(
        db,
        "update feed set deaf_since = max(min(coalesce(heard_at, ?1), ?1),"
        " coalesce((select max(ended_at) from gap where feed = ?2 and paused_until is not null), 0.0))"
        " where name = ?2 and deaf_since is null",
        (stamp(since), plain(feed)),
    )
    if not is_news:
        return False
    change(
        db,
        "insert into gap (feed, started_at, reason, paused_until) select name, deaf_since, ?, ? from feed"
        " where name = ? on conflict (feed) where ended_at is null do nothing",
        told,
    )
    what = "does not hear" if paused_until is None else f"is paused until {say_moment(paused_until)}"
    _tell(db, feed, f"{feed} {what}: {reason}", now)
    return True


def _end_pause(db: Database, feed: str, now: datetime) -> None:
    """End a pause that turned into a failure: that is another stretch, and news."""
    sql = "update feed set deaf_since = null, paused_until = null where name = ? and paused_until is not null"
    if change(db, sql, (plain(feed),)):
        change(db, "update gap set ended_at = ? where feed = ? and ended_at is null", (stamp(now), plain(feed)))


def _tell(db: Database, feed: str, sentence: str, now: datetime) -> None:
    request_job(db, JobKind.NOTICE, f"feed:{feed}", payload=sentence, now=now)
