"""The ledger: every send, and what became of it. A row moves along `SEND_TRANSITIONS` and in no other way.

Each step here runs in the caller's transaction, and moves the conversation, its record and its card with it.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlite_utils import Database

from bot.conversation import CUECARD, Actor, Event
from bot.ledger import SEND_TRANSITIONS, Send, SendState
from bot.store.conversations import IllegalMoveError, move, note
from bot.store.rows import change, insert, moment, moment_or_none, row, rows, stamp
from bot.store.texts import plain

LOST = (
    "Cuecard stopped, or could write nothing down, while this reply was on its way. Look on the platform, and say"
    " whether it arrived."
)
TOO_LATE = (
    "Cuecard or its machine was down when this reply was due, so it was not sent. Send it again if it still fits."
)
GONE = "The author took the post down before this reply left, so it was not sent."
SET_BACK = timedelta(minutes=1)
"""By how much a clock must have been set back for what was approved before to be withdrawn."""
_STATES_LIVE = "('approved', 'sending', 'unknown', 'handed_off')"


@dataclass(frozen=True, slots=True)
class Approval:
    """What a person approved: the exact words, for which mention, and how they leave."""

    conversation_id: int
    mention_id: int
    text: str
    suggestion: str
    route: Literal["api", "by_hand"]
    send_key: str
    actor: Actor
    approved_at: datetime
    send_after: datetime


def insert_send(db: Database, approval: Approval) -> int | None:
    """Write a row of the ledger; None where the conversation has a live send already (the index decides)."""
    state = SendState.APPROVED if approval.route == "api" else SendState.HANDED_OFF
    values = (
        approval.conversation_id,
        approval.mention_id,
        str(state),
        approval.route,
        approval.text,
        plain(approval.suggestion),
        approval.send_key,
        approval.actor.id,
        plain(approval.actor.name),
        stamp(approval.approved_at),
        stamp(approval.send_after),
    )
    try:
        return insert(
            db,
            "insert into send (conversation_id, mention_id, state, route, text, suggestion, send_key,"
            " actor_id, actor_name, approved_at, send_after) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            values,
        )
    except sqlite3.IntegrityError:
        return None


def send(db: Database, send_id: int) -> Send | None:
    """Return one row of the ledger."""
    found = row(db, "select * from send where id = ?", (send_id,))
    return None if found is None else send_of(found)


def sends(db: Database, conversation_id: int) -> list[Send]:
    """Return a conversation's sends, oldest first."""
    found = rows(db, "select * from send where conversation_id = ? order by id", (conversation_id,))
    return [send_of(each) for each in found]


def newest_send(db: Database, conversation_id: int) -> Send | None:
    """Return a conversation's newest send."""
    found = row(db, "select * from send where conversation_id = ? order by id desc limit 1", (conversation_id,))
    return None if found is None else send_of(found)


def live_send(db: Database, conversation_id: int) -> Send | None:
    """Return the one send of a conversation whose outcome is open."""
    found = row(
        db,
        f"select * from send where conversation_id = ? and state in {_STATES_LIVE}",  # noqa: S608 - a constant
        (conversation_id,),
    )
    return None if found is None else send_of(found)


def due_sends(db: Database, now: datetime) -> list[Send]:
    """Return the approved sends whose hold is over, the longest waiting first; those from before a clock was set back.

    The latter were approved in what is the future now. They cannot be begun, only withdrawn.
    """
    found = rows(
        db,
        "select * from send where state = 'approved' and send_after <= ?1"
        " union all select * from send where state = 'approved' and send_after > ?2 and approved_at > ?2"
        " order by send_after",
        (stamp(now), stamp(now + SET_BACK)),
    )
    return [send_of(each) for each in found]


def begin_send(db: Database, send_id: int, now: datetime) -> Send | None:
    """Take a due send for posting; None where it was undone or taken meanwhile, or its post was taken down.

    The transaction must be committed before the network is touched.
    """
    if _withdraw_if_gone(db, send_id, now):
        return None
    found = row(
        db,
        "update send set state = 'sending', attempts = attempts + 1"
        " where id = ? and state = 'approved' and send_after <= ? returning *",
        (send_id, stamp(now)),
    )
    if found is None:
        return None
    note(db, found["conversation_id"], "begin_send", CUECARD, now)
    return send_of(found)


def finish_sent(db: Database, send_id: int, native_id: str, url: str, now: datetime) -> None:
    """Record that the platform confirmed the reply: the conversation is answered."""
    found = settle(db, send_id, SendState.SENT, now, native_id=native_id, url=url, problem="")
    require_move(db, found.conversation_id, Event.CONFIRM, CUECARD, now, "the platform confirmed the reply")


def finish_refused(db: Database, send_id: int, problem: str, now: datetime) -> None:
    """Record that the platform refused the reply: back to its owner, with the platform's sentence."""
    found = settle(db, send_id, SendState.REFUSED, now, problem=problem)
    require_move(db, found.conversation_id, Event.REFUSE, CUECARD, now, problem)


def finish_unknown(db: Database, send_id: int, problem: str, now: datetime) -> None:
    """Record that the reply may or may not have arrived: its owner must look. It is never sent again by itself."""
    found = settle(db, send_id, SendState.UNKNOWN, now, problem=problem)
    require_move(db, found.conversation_id, Event.LOSE, CUECARD, now, problem)


def back_to_approved(db: Database, send_id: int, at: datetime, problem: str, now: datetime) -> None:
    """Record that the platform certainly posted nothing: try again at `at`. Until then it can be undone."""
    found = settle(db, send_id, SendState.APPROVED, now, problem=problem, send_after=at)
    note(db, found.conversation_id, "retry_later", CUECARD, now, problem)


def stale_sending(db: Database, now: datetime) -> list[Send]:
    """Record while nothing is being sent: what was on its way becomes unknown; return those sends."""
    found = [send_of(each) for each in rows(db, "select * from send where state = 'sending' order by id")]
    for each in found:
        finish_unknown(db, each.id, LOST, now)
    return found


def is_late(send: Send, now: datetime, late_after: timedelta) -> bool:
    """Return whether an approved send must not leave any more: it was due too long ago, or nobody can tell when."""
    return send.send_after <= now - late_after or send.approved_at > now + SET_BACK


def withdraw_late(db: Database, now: datetime, late_after: timedelta) -> list[Send]:
    """Record that what should have left longer ago than `late_after` is not sent any more; return those sends."""
    late = [each for each in due_sends(db, now) if is_late(each, now, late_after)]
    for each in late:
        settle(db, each.id, SendState.UNDONE, now, problem=TOO_LATE)
        require_move(db, each.conversation_id, Event.UNDO, CUECARD, now, TOO_LATE)
    return late


def _withdraw_if_gone(db: Database, send_id: int, now: datetime) -> bool:
    """Withdraw an approved send whose post its author took down during the hold; return whether that was so."""
    found = row(
        db,
        "select s.conversation_id from send s join mention m on m.id = s.mention_id"
        " where s.id = ? and s.state = 'approved' and m.removed_at is not null",
        (send_id,),
    )
    if found is None:
        return False
    settle(db, send_id, SendState.UNDONE, now, problem=GONE)
    require_move(db, found["conversation_id"], Event.UNDO, CUECARD, now, GONE)
    return True


def settle(
    db: Database,
    send_id: int,
    after: SendState,
    now: datetime,
    **changes: object,
) -> Send:
    """Move one row of the ledger, and nothing else; return it as it was.

    Raises:
        IllegalMoveError: where the table has no such step, or there is no such row.
    """
    found = send(db, send_id)
    if found is None or after not in SEND_TRANSITIONS[found.state]:
        state = "missing" if found is None else found.state
        raise IllegalMoveError(f"Send {send_id} is {state}; it cannot become {after}.")
    columns = {name: _column(value) for name, value in changes.items()} | {"state": str(after)}
    columns["finished_at"] = None if after is SendState.APPROVED else stamp(now)
    sets = ", ".join(f"{name} = :{name}" for name in columns)
    moved = change(
        db,
        f"update send set {sets} where id = :id and state = :before",  # noqa: S608 - names are ours
        columns | {"id": send_id, "before": str(found.state)},
    )
    assert moved == 1, "the transaction holds the only write lock"
    return found


def require_move(  # noqa: PLR0913, PLR0917 - as `move`
    db: Database, conversation_id: int, event: Event, actor: Actor, now: datetime, detail: str = ""
) -> None:
    """Move a conversation along with its send.

    Raises:
        IllegalMoveError: where the table has no such step: ledger and conversation contradict each other.
    """
    if move(db, conversation_id, event, actor, now, detail) is None:
        raise IllegalMoveError(f"Conversation {conversation_id} cannot {event} with its send.")


def send_of(found: sqlite3.Row) -> Send:
    """Return the send of a row of `send`."""
    return Send(
        id=found["id"],
        conversation_id=found["conversation_id"],
        mention_id=found["mention_id"],
        state=SendState(found["state"]),
        text=found["text"],
        suggestion=found["suggestion"],
        approved_by=Actor(found["actor_id"], found["actor_name"]),
        approved_at=moment(found["approved_at"]),
        send_after=moment(found["send_after"]),
        attempts=found["attempts"],
        native_id=found["native_id"],
        url=found["url"],
        problem=found["problem"],
        finished_at=moment_or_none(found["finished_at"]),
        route=found["route"],
        send_key=found["send_key"],
    )


def _column(value: object) -> object:
    """Return a value as its column holds it."""
    if isinstance(value, datetime):
        return stamp(value)
    return plain(value) if isinstance(value, str) else value
