"""The record of everything that happened: rows are added, never changed."""

from __future__ import annotations

from datetime import datetime

from sqlite_utils import Database

from bot.conversation import Actor, State
from bot.records import HistoryEntry
from bot.store.rows import moment, row, rows, stamp
from bot.store.texts import plain

HEARD = "hear"
"""The first event of every conversation: before '', after 'new'."""


def append_event(  # noqa: PLR0913 - an event row says all of this
    db: Database,
    conversation_id: int,
    event: str,
    before: State | str,
    after: State | str,
    *,
    actor: Actor,
    now: datetime,
    detail: str = "",
) -> None:
    """Record that `actor` did `event` to a conversation, which was `before` and is `after` (often the same)."""
    db.conn.execute(
        "insert into event (conversation_id, at, actor_id, actor_name, event, before, after, detail)"
        " values (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            conversation_id,
            stamp(now),
            actor.id,
            plain(actor.name),
            str(event),
            str(before),
            str(after),
            plain(detail),
        ),
    )


def history(db: Database, conversation_id: int) -> list[HistoryEntry]:
    """Return all that happened to a conversation, oldest first."""
    found = rows(db, "select * from event where conversation_id = ? order by id", (conversation_id,))
    return [
        HistoryEntry(
            conversation_id=each["conversation_id"],
            at=moment(each["at"]),
            actor=Actor(each["actor_id"], each["actor_name"]),
            event=each["event"],
            before=each["before"],
            after=each["after"],
            detail=each["detail"],
        )
        for each in found
    ]


def who_brought_it_here(db: Database, conversation_id: int, state: State) -> tuple[Actor, datetime] | None:
    """Return who last moved a conversation into `state`, and when."""
    found = row(
        db,
        "select actor_id, actor_name, at from event where conversation_id = ? and after = ? and before <> after"
        " order by id desc limit 1",
        (conversation_id, str(state)),
    )
    return None if found is None else (Actor(found["actor_id"], found["actor_name"]), moment(found["at"]))
