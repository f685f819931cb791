"""The ledger: every send, and what became of it. A row moves along `SEND_TRANSITIONS` and in no other way.

Each step here runs in the caller's transaction, and moves the conversation, its record and its card with it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlite_utils import Database

from bot.conversation import CUECARD, Actor, Event
from bot.ledger import ERASED, SEND_TRANSITIONS, Send, SendState, say_not_whole, say_unsure
from bot.store.conversations import IllegalMoveError, move, note
from bot.store.feed_rows import write_spend
from bot.store.rows import change, insert, moment, moment_or_none, row, rows, stamp
from bot.store.texts import plain
from listeners.contract import Posted

LOST = (
    "Cuecard stopped, or could write nothing down, while this reply was on its way. Look on the platform, and say"
    " whether it arrived."
)
TOO_LATE_FOR_THE_REST = "Cuecard or its machine was down when the rest was due. Send it again if it still fits."
TOO_LATE = (
    "Cuecard or its machine was down when this reply was due, so it was not sent. Send it again if it still fits."
)
GONE = "The author took the post down before this reply left, so it was not sent."
GONE_MEANWHILE = "The author took the post down."
FORGOTTEN_MEANWHILE = "The post was erased before this reply was sent, so it was not sent."
SET_BACK = timedelta(minutes=1)
"""By how much a clock must have been set back for what was approved before to be withdrawn."""
_STATES_LIVE = "('approved', 'sending', 'unknown', 'handed_off')"


@dataclass(frozen=True, slots=True)
class Approval:
    """What a person approved: the exact words, for which mention, and how they leave; `parts` where as a thread."""

    conversation_id: int
    mention_id: int
    text: str
    suggestion: str
    route: Literal["api", "by_hand"]
    send_key: str
    actor: Actor
    approved_at: datetime
    send_after: datetime
    parts: tuple[str, ...] = ()


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
        json.dumps(approval.parts, ensure_ascii=False),
    )
    try:
        return insert(
            db,
            "insert into send (conversation_id, mention_id, state, route, text, suggestion, send_key,"
            " actor_id, actor_name, approved_at, send_after, parts) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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


def closing_send(db: Database, mention_id: int) -> Send | None:
    """Return the send with which a platform said that this mention is only answered by a person, None for none."""
    found = row(
        db,
        "select * from send where mention_id = ? and state = 'refused' and route = 'by_hand' order by id desc limit 1",
        (mention_id,),
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
    """Take a due send, or the next part of a thread, for posting; None where it may not go, or not any more.

    It was undone or taken meanwhile, or its post was taken down. The transaction must be committed before the network
    is touched.
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


def finish_part(db: Database, send_id: int, posted: Posted, now: datetime) -> None:
    """Record that a part of a thread is up and what it cost; the next one may be begun from now on."""
    found = _found(db, send_id)
    up = (*found.posted, posted)
    settle(db, send_id, SendState.APPROVED, now, posted=write_posted(up), send_after=now, attempts=0, problem="")
    _write_cost(db, found, posted.cost_micros, now)
    note(db, found.conversation_id, "post_part", CUECARD, now, f"{len(up)} of {len(found.parts)}: {posted.url}")


def finish_sent(  # noqa: PLR0913 - what a platform tells of a post
    db: Database,
    send_id: int,
    native_id: str,
    url: str,
    now: datetime,
    *,
    reply_ref: str = "",
    cost_micros: int = 0,
) -> None:
    """Record that the platform confirmed the reply, or the last part of it: the conversation is answered."""
    found = _found(db, send_id)
    changes: dict[str, object] = {"native_id": native_id, "url": url, "problem": ""}
    if found.parts:
        up = (*found.posted, Posted(native_id, url, reply_ref, cost_micros))
        changes |= {"native_id": up[0].native_id, "url": up[0].url, "posted": write_posted(up)}
    settle(db, send_id, SendState.SENT, now, **changes)
    _write_cost(db, found, cost_micros, now)
    require_move(db, found.conversation_id, Event.CONFIRM, CUECARD, now, "the platform confirmed the reply")


def finish_refused(db: Database, send_id: int, problem: str, now: datetime, *, by_hand_at: str | None = None) -> None:
    """Record that the platform refused the reply: back to its owner, with the platform's sentence.

    `by_hand_at` is given where programs may not answer this mention: it is the address where a person can ('' where
    none is known), and from now on nothing is sent there any more.
    """
    changes = {} if by_hand_at is None else {"route": "by_hand", "url": by_hand_at}
    found = settle(db, send_id, SendState.REFUSED, now, problem=problem, **changes)
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
        finish_unknown(db, each.id, say_unsure(each, LOST), now)
    return found


def is_late(send: Send, now: datetime, late_after: timedelta) -> bool:
    """Return whether an approved send must not leave any more: it was due too long ago, or nobody can tell when."""
    return send.send_after <= now - late_after or send.approved_at > now + SET_BACK


def withdraw_late(db: Database, now: datetime, late_after: timedelta) -> list[Send]:
    """Record that what should have left longer ago than `late_after` is not sent any more; return those sends."""
    late = [each for each in due_sends(db, now) if is_late(each, now, late_after)]
    for each in late:
        withdraw(db, each, say_not_whole(each, TOO_LATE_FOR_THE_REST) if each.posted else TOO_LATE, CUECARD, now)
    return late


def withdraw(db: Database, waiting: Send, problem: str, actor: Actor, now: datetime) -> None:
    """Record that an approved send, or what is left of a thread, does not leave: back to its owner, who reads why."""
    settle(db, waiting.id, SendState.UNDONE, now, problem=problem)
    require_move(db, waiting.conversation_id, Event.UNDO, actor, now, problem)


def _withdraw_if_gone(db: Database, send_id: int, now: datetime) -> bool:
    """Withdraw an approved send whose post, or whose own words, are there no more; return whether that was so.

    The author took the post down during the hold or between two parts, or a person had the words erased while a part
    was on its way.
    """
    found = row(
        db,
        "select s.*, m.removed_at from send s join mention m on m.id = s.mention_id"
        " where s.id = ? and s.state = 'approved'"
        " and (m.removed_at is not null or s.text = ? or (s.parts = '[]' and s.posted <> '[]'))",
        (send_id, ERASED),
    )
    if found is None:
        return False
    waiting = send_of(found)
    why = FORGOTTEN_MEANWHILE
    if found["removed_at"] is not None:
        why = say_not_whole(waiting, GONE_MEANWHILE) if waiting.posted else GONE
    withdraw(db, waiting, why, CUECARD, now)
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
    found = _found(db, send_id)
    if after not in SEND_TRANSITIONS[found.state]:
        raise IllegalMoveError(f"Send {send_id} is {found.state}; it cannot become {after}.")
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


def _found(db: Database, send_id: int) -> Send:
    """Return one row of the ledger.

    Raises:
        IllegalMoveError: where there is none.
    """
    found = send(db, send_id)
    if found is None:
        raise IllegalMoveError(f"Send {send_id} is missing.")
    return found


def _write_cost(db: Database, sent: Send, micros: int, now: datetime) -> None:
    """Add what a post cost to what its feed cost."""
    found = row(db, "select feed from mention where id = ?", (sent.mention_id,))
    if micros and found is not None:
        write_spend(db, found["feed"], micros, now)


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
        parts=tuple(json.loads(found["parts"])),
        posted=tuple(Posted(**each) for each in json.loads(found["posted"])),
    )


def write_posted(posted: Sequence[Posted]) -> str:
    """Return the parts of a thread that are up as their column holds them."""
    return json.dumps([asdict(each) for each in posted], ensure_ascii=False)


def _column(value: object) -> object:
    """Return a value as its column holds it."""
    if isinstance(value, datetime):
        return stamp(value)
    return plain(value) if isinstance(value, str) else value
