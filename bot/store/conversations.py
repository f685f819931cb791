"""Conversations: the one function that changes their state, and what the scheduler asks of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime

from sqlite_utils import Database

from bot.conversation import CUECARD, OPEN, Actor, Conversation, DismissReason, Event, State, next_state
from bot.store.events import append_event
from bot.store.jobs import has_card, request_card
from bot.store.rows import change, moment, moment_or_none, row, rows, stamp
from bot.store.texts import plain

_CHANGEABLE = frozenset({"snoozed_until", "dismiss_reason", "quiet_cause"})


class IllegalMoveError(Exception):
    """The state machine has no such step; nothing was changed."""


def move(  # noqa: PLR0913, PLR0917 - a change of state says all of this
    db: Database,
    conversation_id: int,
    event: Event,
    actor: Actor,
    now: datetime,
    detail: str = "",
    *,
    owner: Actor | None = None,
    redraw: bool = True,
    changes: Mapping[str, object] | None = None,
) -> State | None:
    """Let `event` happen to a conversation: new state, event row and card job, in the caller's transaction.

    Args:
        db: the open transaction.
        conversation_id: which conversation.
        event: what happens; the transition table decides whether it can.
        actor: who did it; becomes the owner by a claim.
        now: when.
        detail: plain words for the record.
        owner: the new owner, for an assignment.
        redraw: ask for the card job; False where the card says it already.
        changes: columns that the event sets: `snoozed_until` (a datetime), `dismiss_reason`, `quiet_cause`.

    Returns:
        The state after it, or None where it cannot happen (nothing was changed then).
    """
    before = row(db, "select state, owner_id, lead_id from conversation where id = ?", (conversation_id,))
    if before is None:
        return None
    after = next_state(State(before["state"]), event, has_owner=before["owner_id"] is not None)
    if after is None:
        return None
    columns = _effects(event, after, actor if event is Event.CLAIM else owner, now) | _checked(changes or {})
    columns |= {"state": str(after), "changed_at": stamp(now)}
    _update(db, conversation_id, columns)
    if before["lead_id"] is not None and after in {State.SHOWN, State.CLAIMED}:
        _detach(db, conversation_id, before["lead_id"], now)
    append_event(db, conversation_id, event, before["state"], after, actor=actor, now=now, detail=detail)
    if redraw and (after in OPEN or has_card(db, conversation_id)):
        request_card(db, conversation_id, now)
    return after


def note(db: Database, conversation_id: int, event: str, actor: Actor, now: datetime, detail: str = "") -> None:  # noqa: PLR0913, PLR0917 - as `move`
    """Put on record what happened to a conversation without changing its state, and redraw its card."""
    found = row(db, "select state from conversation where id = ?", (conversation_id,))
    assert found is not None, f"there is no conversation {conversation_id}"
    append_event(db, conversation_id, event, found["state"], found["state"], actor=actor, now=now, detail=detail)
    request_card(db, conversation_id, now)


def conversation_of(found: sqlite3.Row) -> Conversation:
    """Return the conversation of a row of `conversation`."""
    owner = None if found["owner_id"] is None else Actor(found["owner_id"], found["owner_name"])
    reason = found["dismiss_reason"]
    return Conversation(
        id=found["id"],
        state=State(found["state"]),
        platform=found["platform"],
        feed=found["feed"],
        author=found["author"],
        brand=found["brand"],
        priority=found["priority"],
        grade=found["grade"],
        heard_at=moment(found["heard_at"]),
        changed_at=moment(found["changed_at"]),
        owner=owner,
        snoozed_until=moment_or_none(found["snoozed_until"]),
        lead_id=found["lead_id"],
        dismiss_reason=None if reason is None else DismissReason(reason),
        shown_at=moment_or_none(found["shown_at"]),
        answered_at=moment_or_none(found["answered_at"]),
        claimed_at=moment_or_none(found["claimed_at"]),
    )


def conversation(db: Database, conversation_id: int) -> Conversation | None:
    """Return one conversation, or None where there is none of that number."""
    found = row(db, "select * from conversation where id = ?", (conversation_id,))
    return None if found is None else conversation_of(found)


def reopen(db: Database, conversation_id: int, now: datetime, detail: str = "") -> State | None:
    """Open a conversation again because its author wrote again: to its owner where it has one.

    Returns:
        The new state, or None where it is open already (or being answered), so that only its card changes.
    """
    return move(db, conversation_id, Event.REOPEN, CUECARD, now, detail or "the author wrote again")


def wake_snoozed(db: Database, now: datetime) -> list[int]:
    """Bring back every conversation whose snooze is over; return their numbers."""
    due = rows(
        db, "select id from conversation where state = 'snoozed' and snoozed_until <= ? limit 500", (stamp(now),)
    )
    return [each["id"] for each in due if move(db, each["id"], Event.WAKE, CUECARD, now, "the snooze is over")]


def expire_unclaimed(db: Database, before: datetime, now: datetime) -> list[int]:
    """Let rest what nobody claimed and nothing changed since `before`, 500 at a time; return their numbers."""
    old = rows(
        db,
        "select id from conversation where state in ('new', 'shown', 'quiet') and changed_at < ?"
        " order by changed_at limit 500",
        (stamp(before),),
    )
    return [each["id"] for each in old if move(db, each["id"], Event.EXPIRE, CUECARD, now, "nobody took it in time")]


def _effects(event: Event, after: State, owner: Actor | None, now: datetime) -> dict[str, object]:
    """Return the columns that an event sets beside the state."""
    columns: dict[str, object] = {}
    if event in {Event.CLAIM, Event.ASSIGN}:
        assert owner is not None
        columns |= {"owner_id": owner.id, "owner_name": plain(owner.name), "claimed_at": stamp(now)}
    elif event is Event.RELEASE:
        columns |= {"owner_id": None, "owner_name": None, "claimed_at": None}
    elif event is Event.CONFIRM:
        columns |= {"answered_at": stamp(now)}
    if after is State.SHOWN:
        columns |= {"shown_at": stamp(now)}
    if after is not State.SNOOZED:
        columns |= {"snoozed_until": None}
    if after is not State.DISMISSED:
        columns |= {"dismiss_reason": None}
    if after is not State.QUIET:
        columns |= {"quiet_cause": ""}
    return columns


def _checked(changes: Mapping[str, object]) -> dict[str, object]:
    """Return what the caller sets, as columns."""
    assert changes.keys() <= _CHANGEABLE, f"move() does not set {sorted(changes.keys() - _CHANGEABLE)}"
    return {name: stamp(value) if isinstance(value, datetime) else value for name, value in changes.items()}


def _update(db: Database, conversation_id: int, columns: dict[str, object]) -> None:
    """Set columns; `shown_at` keeps the first time."""
    sets = ", ".join(
        "shown_at = coalesce(shown_at, :shown_at)" if name == "shown_at" else f"{name} = :{name}" for name in columns
    )
    change(db, f"update conversation set {sets} where id = :id", columns | {"id": conversation_id})  # noqa: S608 - names are ours


def _detach(db: Database, conversation_id: int, lead_id: int, now: datetime) -> None:
    """Give a copy that a person took (or whose author wrote again) a card of its own."""
    change(db, "update conversation set lead_id = null where id = ?", (conversation_id,))
    change(db, "update conversation set copies = max(0, copies - 1) where id = ?", (lead_id,))
    if has_card(db, lead_id):
        request_card(db, lead_id, now)
