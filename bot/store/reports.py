"""What is read for the digest and for the export. Reads only; nothing is changed here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import cast

from sqlite_utils import Database

from bot.conversation import DismissReason
from bot.digest import TOP, DeafStretch, DigestFacts
from bot.line import MUST_ANSWER, QuietCause
from bot.records import CardView, FeedState, JobKind
from bot.store import feed_hours
from bot.store.cards import card_views
from bot.store.rows import moment, moment_or_none, row, rows, stamp
from bot.store.texts import whole

_NOBODY_LISTENED = "Nothing has come from it since then, not even a sign; perhaps Cuecard was not running."
_CAUSES = frozenset({"line", "budget", "stale", "copy"})
# The partial indexes of `conversation` hold for exactly these words.
_WAITING = "state in ('shown', 'claimed', 'sending')"
_DUE = "state = 'snoozed' and snoozed_until <= ?"
# A conversation answered twice waited twice: each answer counts from when its author last wrote first.
_ANSWERS = """
select e.conversation_id, e.at, e.at - (
    select max(b.at) from event b
    where b.conversation_id = e.conversation_id and b.id < e.id and b.event in ('hear', 'reopen')
) as waited
from event e where e.at >= ? and e.at < ? and e.after = 'answered' and e.before <> 'answered'
"""
_GAPS = """
select feed, started_at, ended_at, reason, paused_until from gap where ended_at is null or ended_at >= ?
order by started_at
"""
_DOUBTS = """
select feed, started_at, ended_at, usual as reason, null as paused_until from doubt
where ended_at is null or ended_at >= ? order by started_at
"""
_EXPORT = """
select c.id as number, c.state, c.platform, c.feed, c.brand, c.author, c.priority, c.grade, c.heard_at, c.shown_at,
    c.claimed_at, c.answered_at, c.owner_name, c.dismiss_reason, c.quiet_cause, c.lead_id, c.copies, c.mentions,
    m.author_name, m.title, m.text, m.text_exact, m.url, m.intent, m.created_at, m.removed_at,
    s.text as reply_text, s.url as reply_url, s.state as reply_state, s.actor_name as reply_by,
    s.finished_at as replied_at
from conversation c
left join mention m on m.id = c.newest_mention_id
left join send s on s.id = (select max(id) from send where conversation_id = c.id)
where c.id > ? order by c.id limit 500
"""


def feed_states(db: Database) -> list[FeedState]:
    """Return what is known of every feed, by name."""
    return [
        FeedState(
            name=each["name"],
            platform=each["platform"],
            cursor=each["cursor"],
            heard_at=moment_or_none(each["heard_at"]),
            deaf_since=moment_or_none(each["deaf_since"]),
            problem=each["problem"],
            mentions=each["mentions"],
            silent_after=None if each["silent_after"] is None else timedelta(seconds=each["silent_after"]),
            quiet_since=moment_or_none(each["quiet_since"]),
            paused_until=moment_or_none(each["paused_until"]),
        )
        for each in rows(db, "select * from feed order by name")
    ]


def digest_facts(db: Database, since: datetime, until: datetime, now: datetime, top: int = TOP) -> DigestFacts:
    """Return what happened from `since` to `until`, and what is unanswered now."""
    start, end = stamp(since), stamp(until)
    states = feed_states(db)
    waits = [each["waited"] for each in rows(db, _ANSWERS, (start, end)) if each["waited"] is not None]
    return DigestFacts(
        since=since,
        until=until,
        now=now,
        unanswered=_unanswered(db, now, top),
        unanswered_count=_unanswered_count(db, now),
        urgent_count=_unanswered_count(db, now, least_grade=MUST_ANSWER),
        heard=_number(db, "select count(*) from mention where heard_at >= ? and heard_at < ?", start, end),
        unshown=_number(db, "select count(*) from conversation where state = 'new'"),
        unsure=_number(db, f"select count(*) from send where {_LIVE} and state = 'unknown'"),  # noqa: S608 - a constant
        waits=waits,
        expired=_number(db, _EXPIRED, start, end),
        quiet=_quiet(db, start, end),
        dismissed=_dismissed(db, start, end),
        gaps=[*_gaps(db, start, end), *_silences(states, now)],
        doubts=_stretches(db, _DOUBTS, start, end),
        never_heard=[state for state in states if state.heard_at is None],
        refused=feed_hours.refused_between(db, since, until),
    )


_LIVE = "state in ('approved', 'sending', 'unknown', 'handed_off')"  # the words of the index `send_live`
# What expired because its post is gone did not run out of time; nor did what was quiet, whose cause is counted.
_EXPIRED = """
select count(*) from event where at >= ? and at < ? and event = 'expire' and before in ('new', 'shown')
    and not exists (
        select 1 from conversation c join mention m on m.id = c.newest_mention_id
        where c.id = event.conversation_id and m.removed_at is not null
    )
"""


def _unanswered(db: Database, now: datetime, limit: int) -> list[CardView]:
    """Return the first of what is unanswered: what must be answered now, then the rest, each oldest first."""
    found = rows(
        db,
        f"select id, grade, heard_at from conversation where {_WAITING}"  # noqa: S608 - the text is ours
        f" union all select id, grade, heard_at from conversation where {_DUE}",
        (stamp(now),),
    )
    first = sorted(found, key=lambda each: (each["grade"] < MUST_ANSWER, each["heard_at"], each["id"]))[:limit]
    return card_views(db, [each["id"] for each in first])


def _unanswered_count(db: Database, now: datetime, least_grade: int = 0) -> int:
    waiting = f"select count(*) from conversation where {_WAITING} and grade >= ?"  # noqa: S608 - the text is ours
    due = f"select count(*) from conversation where {_DUE} and grade >= ?"  # noqa: S608
    return _number(db, waiting, least_grade) + _number(db, due, stamp(now), least_grade)


def _quiet(db: Database, start: float, end: float) -> dict[QuietCause, int]:
    """Count by cause what was heard in the period and is quiet still."""
    found = rows(
        db,
        "select quiet_cause, count(*) as number from conversation"
        " where state = 'quiet' and heard_at >= ? and heard_at < ? group by quiet_cause",
        (start, end),
    )
    return {cast("QuietCause", each["quiet_cause"]): each["number"] for each in found if each["quiet_cause"] in _CAUSES}


def _dismissed(db: Database, start: float, end: float) -> dict[DismissReason, int]:
    """Count by reason what was dismissed in the period and is so still."""
    found = rows(
        db,
        "select c.dismiss_reason, count(distinct c.id) as number from event e join conversation c"
        " on c.id = e.conversation_id where e.at >= ? and e.at < ? and e.event = 'dismiss'"
        " and c.state = 'dismissed' and c.dismiss_reason is not null group by c.dismiss_reason",
        (start, end),
    )
    return {DismissReason(each["dismiss_reason"]): each["number"] for each in found}


def _gaps(db: Database, start: float, end: float) -> list[DeafStretch]:
    """Return the stretches of the period that were not heard, and those told of in it, oldest first."""
    return _stretches(db, _GAPS, start, end)


def _stretches(db: Database, sql: str, start: float, end: float) -> list[DeafStretch]:
    return [
        DeafStretch(
            each["feed"],
            moment(each["started_at"]),
            moment_or_none(each["ended_at"]),
            each["reason"],
            moment_or_none(each["paused_until"]),
        )
        for each in rows(db, sql, (start,))
        if each["started_at"] < end
    ]


def _silences(states: Iterable[FeedState], now: datetime) -> list[DeafStretch]:
    """Return the feeds that nobody has heard of for too long though none was found deaf: Cuecard was not running."""
    unheard = [(state.name, state.unheard_since(now)) for state in states if state.deaf_since is None]
    return [DeafStretch(name, since, None, _NOBODY_LISTENED) for name, since in unheard if since is not None]


def last_digest_day(db: Database) -> str | None:
    """Return the newest local date whose digest was posted, or is asked for already."""
    found = row(
        db,
        "select max(day) as day from (select max(local_date) as day from digest"
        " union all select max(key) from job where kind = ? and key glob '????-??-??')",
        (str(JobKind.DIGEST),),
    )
    return None if found is None else found["day"]


def last_digest_at(db: Database) -> datetime | None:
    """Return when the newest digest was posted."""
    found = row(db, "select posted_at from digest order by local_date desc limit 1")
    return None if found is None else moment(found["posted_at"])


def first_heard_at(db: Database) -> datetime | None:
    """Return when the first conversation of all began."""
    found = row(db, "select heard_at from conversation order by id limit 1")
    return None if found is None else moment(found["heard_at"])


def export_rows(db: Database) -> Iterator[dict[str, object]]:
    """Yield one row per conversation, in their order, 500 at a time; times as ISO 8601 in UTC, waits in seconds."""
    last = 0
    while found := rows(db, _EXPORT, (last,)):
        for each in found:
            yield _export_row(dict(each))
        last = found[-1]["number"]


def _export_row(found: Mapping[str, object]) -> dict[str, object]:
    """Return one row of the export, in the order of its columns."""
    text, blob = found["text"], found["text_exact"]
    times = {name: _iso(found[name]) for name in _TIMES}
    return {
        **{name: found[name] for name in ("number", "state", "platform", "feed", "brand", "author", "author_name")},
        "title": found["title"],
        "text": whole(cast("str", text or ""), cast("bytes | None", blob)),
        "url": found["url"],
        **{name: found[name] for name in ("grade", "priority", "intent", "mentions", "copies", "lead_id")},
        **times,
        "owner": found["owner_name"],
        "dismiss_reason": found["dismiss_reason"],
        "quiet_cause": found["quiet_cause"],
        "is_removed": found["removed_at"] is not None,
        **{name: found[name] for name in ("reply_state", "reply_by", "reply_text", "reply_url")},
        "seconds_to_claim": _seconds(found["heard_at"], found["claimed_at"]),
        "seconds_to_answer": _seconds(found["heard_at"], found["answered_at"]),
    }


_TIMES = ("created_at", "heard_at", "shown_at", "claimed_at", "answered_at", "replied_at")


def _iso(value: object) -> str | None:
    return moment(value).isoformat(timespec="seconds") if isinstance(value, float) else None


def _seconds(start: object, end: object) -> int | None:
    return round(end - start) if isinstance(start, float) and isinstance(end, float) else None


def _number(db: Database, sql: str, *values: object) -> int:
    found = row(db, sql, values)
    return 0 if found is None else int(found[0])
