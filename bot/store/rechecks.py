"""Which posts are due to be looked at again on their platform. Runs inside the caller's open transaction.

A post is due a day after it was heard or last looked at. What is taken is put off for an hour first, and committed
before the platform is asked: a restart, or a platform that never answers for a post, makes nobody ask for it at once.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlite_utils import Database

from bot.store.mentions import mention_of
from bot.store.rows import change, rows, stamp
from bot.store.texts import plain
from listeners.mention import Mention

AGAIN_AFTER = timedelta(days=1)
PUT_OFF = timedelta(hours=1)
MOST = 100
"""The most posts a platform is asked for in one call."""
_ROUNDS = 20  # of posts that are too old, or another platform's, and are put aside without asking
_NEVER = math.inf
_DUE = "coalesce(check_at, heard_at + 86400.0)"  # the words of the index `mention_to_check`


@dataclass(frozen=True, slots=True)
class Due:
    """Posts to ask the platform for, and whether more may be due."""

    mentions: list[Mention]
    has_more: bool


def take_due(db: Database, feed: str, platform: str, now: datetime, days: int | None) -> Due:
    """Take the posts of a feed that have waited longest to be looked at again.

    Args:
        db: the open transaction.
        feed: the feed's name.
        platform: what the feed is set up for; posts from when it was another platform's are left alone.
        now: the present.
        days: for how long after a post was heard it is looked at, None for as long as its text is kept.
    """
    oldest = -math.inf if days is None else stamp(now - timedelta(days=days))
    due = Due([], has_more=True)
    for _ in range(_ROUNDS):
        due = _take(db, feed, platform, now, oldest)
        if due.mentions or not due.has_more:
            break
    return due


def write_checked(db: Database, platform: str, native_ids: Collection[str], now: datetime) -> None:
    """Record that posts were looked at: they are due again in a day."""
    change(
        db,
        "update mention set check_at = ? where removed_at is null and id in (select m.id from json_each(?) as looked"
        " cross join mention as m on m.platform = ? and m.native_id = looked.value)",
        (stamp(now + AGAIN_AFTER), json.dumps([plain(each) for each in native_ids]), plain(platform)),
    )


def _take(db: Database, feed: str, platform: str, now: datetime, oldest: float) -> Due:
    found = rows(
        db,
        f"select * from mention where feed = ? and removed_at is null and {_DUE} <= ?"  # noqa: S608 - a constant
        f" order by {_DUE} limit ?",
        (plain(feed), stamp(now), MOST),
    )
    asked = [each for each in found if each["heard_at"] >= oldest and each["feed_platform"] in {"", plain(platform)}]
    taken = {each["id"] for each in asked}
    db.conn.executemany(
        "update mention set check_at = ? where id = ?",
        [(_put_off(each, taken, oldest, now), each["id"]) for each in found],
    )
    return Due([mention_of(each) for each in asked], len(found) == MOST)


def _put_off(found: sqlite3.Row, taken: Collection[int], oldest: float, now: datetime) -> float:
    """Return when a post that was found due is due again."""
    if found["id"] in taken:
        return stamp(now + PUT_OFF)
    return _NEVER if found["heard_at"] < oldest else stamp(now + AGAIN_AFTER)
