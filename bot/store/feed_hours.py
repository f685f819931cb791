"""What a feed brought hour by hour, and the stretches in which it brought nothing for unusually long.

Runs inside the caller's open transaction. What is unusual is decided in `bot.rhythm`; a feed falls quiet once and
recovers once, and each is told to the operator once.
"""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from sqlite_utils import Database

from bot.records import JobKind
from bot.rhythm import REMEMBERED, Hour, Silence, say_silence, slots_between
from bot.store.jobs import request_job
from bot.store.rows import change, moment, row, rows, stamp
from bot.store.texts import plain

_ONE_LISTENING = timedelta(minutes=25)
"""Two signs of life this far apart are of one listening: a feed owes one every twenty minutes."""


def write_hour(db: Database, feed: str, mentions: int, refused: int, now: datetime) -> None:
    """Record that a feed was listened to since its last sign of life, and how much it brought now.

    Call it before that sign is written. Mentions end a silence that was told as unusual.
    """
    found = row(db, "select heard_at, quiet_since from feed where name = ?", (plain(feed),))
    before = None if found is None or found["heard_at"] is None else moment(found["heard_at"])
    is_one = before is not None and timedelta() <= now - before <= _ONE_LISTENING
    for hour, listened in slots_between(before if is_one else None, now):
        _add(db, feed, hour, listened=listened)
    ((hour, slot),) = slots_between(None, now)
    _add(db, feed, hour, mentions=mentions, refused=refused, listened=slot, brought=slot if mentions else 0)
    if mentions and found is not None and found["quiet_since"] is not None:
        end_quiet(db, feed, now)
        _tell(db, feed, f"{feed} brings mentions again.", now)


def hours_of(db: Database, feed: str, now: datetime) -> list[Hour]:
    """Return what is remembered of a feed, oldest first."""
    found = rows(
        db,
        "select hour, mentions, listened, brought from heard_hour"
        " where feed = ? and hour between ? and ? and listened <> 0 order by hour",
        (plain(feed), _hour(now - REMEMBERED), _hour(now)),
    )
    return [Hour(each["hour"], each["mentions"], each["listened"], each["brought"]) for each in found]


def mark_quiet(db: Database, feed: str, silence: Silence, zone: tzinfo, now: datetime) -> bool:
    """Record that a feed answers but is unusually silent; return whether that is news.

    The operator is told then, with the time as it is in `zone`.
    """
    is_news = change(
        db,
        "update feed set quiet_since = ? where name = ? and quiet_since is null and deaf_since is null",
        (stamp(silence.since), plain(feed)),
    )
    if not is_news:
        return False
    change(
        db,
        "insert into doubt (feed, started_at, usual) values (?, ?, ?) on conflict (feed) where ended_at is null"
        " do nothing",
        (plain(feed), stamp(silence.since), silence.usual),
    )
    _tell(db, feed, say_silence(feed, silence, now, zone), now)
    return True


def end_quiet(db: Database, feed: str, now: datetime) -> None:
    """Record that a silence is over, or that nobody waits for its end any more."""
    change(db, "update feed set quiet_since = null where name = ?", (plain(feed),))
    change(db, "update doubt set ended_at = ? where feed = ? and ended_at is null", (stamp(now), plain(feed)))


def relearn(db: Database, feed: str, settings: str, now: datetime) -> None:
    """Forget the rhythm of a feed that listens for something else than before; '' says nothing about that."""
    found = row(db, "select settings from feed where name = ?", (plain(feed),))
    if found is None or not settings or found["settings"] == settings:
        return
    change(db, "update feed set settings = ? where name = ?", (settings, plain(feed)))
    if found["settings"] is not None:
        change(db, "update heard_hour set listened = 0, brought = 0 where feed = ?", (plain(feed),))
        end_quiet(db, feed, now)


def prune_hours(db: Database, now: datetime) -> int:
    """Forget the hours that are too old to learn from; return how many."""
    return change(db, "delete from heard_hour where hour < ?", (_hour(now - REMEMBERED),))


def refused_between(db: Database, start: datetime, end: datetime) -> dict[str, int]:
    """Return by feed how many items, whole hours counted, were no mention."""
    found = rows(
        db,
        "select feed, sum(refused) as number from heard_hour where hour between ? and ? group by feed"
        " having number > 0 order by feed",
        (_hour(start), _hour(end)),
    )
    return {each["feed"]: each["number"] for each in found}


def _add(  # noqa: PLR0913 - the columns of the row
    db: Database, feed: str, hour: int, *, mentions: int = 0, refused: int = 0, listened: int = 0, brought: int = 0
) -> None:
    change(
        db,
        "insert into heard_hour (feed, hour, mentions, refused, listened, brought) values (?, ?, ?, ?, ?, ?)"
        " on conflict (feed, hour) do update set mentions = mentions + excluded.mentions,"
        " refused = refused + excluded.refused, listened = listened | excluded.listened,"
        " brought = brought | excluded.brought",
        (plain(feed), hour, mentions, refused, listened, brought),
    )


def _hour(moment: datetime) -> int:
    return int(stamp(moment) // 3600)


def _tell(db: Database, feed: str, sentence: str, now: datetime) -> None:
    request_job(db, JobKind.NOTICE, f"quiet:{feed}", payload=sentence, now=now)
