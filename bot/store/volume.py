"""What the line is learned from after a start: the candidates of the last weeks. Reads only; bounded on any store."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlite_utils import Database

from bot.line import LEAST_NEEDS_REPLY, MUST_ANSWER
from bot.store.rows import moment, row, rows, stamp
from bot.volume import REMEMBERED, Candidate, Volume

_SCANNED = 20_000
_WEEK, _FIRST = timedelta(days=7), timedelta(hours=1)


def volume_of(db: Database, per_day: int, timezone: str, now: datetime) -> Volume:
    """Return what was heard of late, as the line needs it: copies apart, which cost no card."""
    found = row(
        db,
        "select min(heard_at) as since from"
        " (select heard_at from mention where heard_at > ? order by heard_at desc limit ?)",
        (stamp(now - REMEMBERED), _SCANNED),
    )
    if found is None or found["since"] is None:
        return Volume(per_day, timezone)
    candidates = rows(
        db,
        "select m.created_at, m.heard_at, m.priority, m.grade, m.brand from mention m"
        " join conversation c on c.id = m.conversation_id"
        " where m.heard_at >= ? and c.lead_id is null and (m.needs_reply >= ? or m.grade >= ?) order by m.heard_at",
        (found["since"], LEAST_NEEDS_REPLY, MUST_ANSWER),
    )
    return Volume(per_day, timezone, moment(found["since"]), [_candidate_of(each) for each in candidates])


def spent_on(db: Database, since: datetime) -> Counter[str]:
    """Count by brand the cards that were posted since a moment, or wait to be: what the budget has gone to."""
    found = rows(
        db,
        "select c.brand from card join conversation c on c.id = card.conversation_id where card.posted_at >= ?"
        " union all select brand from conversation where state = 'new'",
        (stamp(since),),
    )
    return Counter(each["brand"] for each in found)


@dataclass(frozen=True, slots=True)
class Pace:
    """What a usual day of the last week brought: posts heard, those that need a reply, and cards posted."""

    heard: float
    candidates: float
    cards: float


def pace_of(db: Database, now: datetime) -> Pace | None:
    """Return the usual day of the last week, or of as much of it as is known; None before a first hour is known."""
    start = stamp(now - _WEEK)
    found = row(
        db,
        "select count(*) as heard, sum(needs_reply >= ? or grade >= ?) as candidates, min(heard_at) as since,"
        " (select count(*) from card where posted_at >= ?) as cards from mention where heard_at >= ?",
        (LEAST_NEEDS_REPLY, MUST_ANSWER, start, start),
    )
    if found is None or found["since"] is None or stamp(now) - found["since"] < _FIRST.total_seconds():
        return None
    days = (stamp(now) - found["since"]) / 86_400
    return Pace(found["heard"] / days, found["candidates"] / days, found["cards"] / days)


def _candidate_of(found: sqlite3.Row) -> Candidate:
    written_at = moment(min(found["created_at"], found["heard_at"]))
    return Candidate(written_at, found["priority"], is_urgent=found["grade"] >= MUST_ANSWER, brand=found["brand"])
