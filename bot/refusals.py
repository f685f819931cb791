"""Why something cannot be done, in one kind sentence: who did what, when, and what to do instead. Pure."""

from __future__ import annotations

from datetime import datetime

from bot.conversation import Actor, Conversation, State
from bot.ledger import Send, SendState, say_what_is_up
from bot.spoken import say_ago, say_length
from bot.store.texts import is_fit
from listeners.contract import Shape
from nlp.gap import is_unchanged, open_gaps

NOT_THERE = "There is no such conversation."
UNSURE = "Nobody knows yet whether the last reply arrived. Look on the platform, and say so on the card first."
ANOTHER_WAY = (
    "By now another of our accounts answers this post; your words are still here. Copy them, close this and press Reply"
    " again."
)
_REST = {
    State.DISMISSED: "{who} dismissed this {ago}; restore it first.",
    State.HANDED_OVER: "{who} handed this over {ago}; claim it to take it back.",
    State.EXPIRED: "Nobody took this in time, so it was let rest {ago}; claim it to open it again.",
    State.ANSWERED: "{owner} answered this {ago}.",
}


def check_reply(text: str, suggestion: str, shape: Shape, *, as_thread: bool = False) -> str:
    """Return '' where a reply may be sent, or the sentence why it is refused.

    Args:
        text: what the person wrote.
        suggestion: the draft they started from, '' for none.
        shape: the text as the platform will get it.
        as_thread: whether the person chose a thread; it takes effect where the shape has parts.
    """
    if not text.strip() or not shape.text.strip():
        return "The reply is empty."
    if not is_fit(text) or not is_fit(shape.text):
        return "The reply holds a broken character that cannot be posted; delete it or type it again."
    gaps = open_gaps(text, suggestion) or open_gaps(shape.text, suggestion)
    if gaps:
        more = f" ({len(gaps) - 1} more after that)" if len(gaps) > 1 else ""
        return f"Fill in {gaps[0]} first{more}: only you know what belongs there."
    if is_unchanged(text, suggestion) or is_unchanged(shape.text, suggestion):
        return "These are still the suggestion's words. Say it in your own."
    return "" if as_thread and shape.parts else _check_length(shape)


def _check_length(shape: Shape) -> str:
    if shape.parts:
        return f"{say_too_long(shape)}: shorten it, or tick “{name_thread(shape)}”."
    if shape.limit and shape.count > shape.limit:
        return f"{say_too_long(shape)}: {shape.count} of {shape.limit}."
    return shape.problem


def say_too_long(shape: Shape) -> str:
    """Say by how much a reply is too long, without a full stop."""
    over = shape.count - shape.limit
    unit = shape.unit.removesuffix("s") if over == 1 else shape.unit
    return f"This is {over:,} {unit} too long{' for one post' if shape.parts else ''}"


def name_thread(shape: Shape) -> str:
    """Return what a person ticks to have a long reply posted as a thread."""
    return f"Post it as a thread of {len(shape.parts)}"


def say_why_not(found: Conversation, brought: tuple[Actor, datetime] | None, actor: Actor, now: datetime) -> str:
    """Say why a conversation cannot be changed as asked: what it is now, by whom and since when.

    Args:
        found: the conversation.
        brought: who brought it to its state, and when.
        actor: who asks; is called 'you'.
        now: the present.
    """
    who = _name(brought[0] if brought else None, actor)
    ago = say_ago(brought[1] if brought else found.changed_at, now)
    if found.state in {State.CLAIMED, State.SENDING}:
        return _say_taken(found, actor, now)
    if found.state is State.SNOOZED and found.snoozed_until is not None:
        return f"{who} snoozed this {ago}; it comes back in {say_length(found.snoozed_until - now)}."
    if found.state in _REST:
        return _REST[found.state].format(who=who, owner=_name(found.owner, actor), ago=ago)
    return "Nobody has this one yet; claim it first."


def say_not_yours(found: Conversation, now: datetime) -> str:
    """Say who has a conversation, to somebody who has not."""
    assert found.owner is not None
    since = say_ago(found.claimed_at or found.changed_at, now)
    return f"{found.owner.name} has this one (claimed {since}); only they can do that."


def say_too_late(newest: Send | None, now: datetime) -> str:
    """Say why a send can no longer be undone."""
    if newest is None:
        return "There is no reply to undo."
    since = say_ago(newest.finished_at or newest.approved_at, now)
    if newest.state is SendState.UNDONE and newest.posted:
        return f"The rest of this thread was stopped {since}: {say_what_is_up(newest)}."
    if newest.state is SendState.SENDING and len(newest.left) > 1:
        return "A part of the thread is leaving right now. Press Undo again in a moment to stop the rest."
    return {
        SendState.UNDONE: f"This reply was undone {since}; nothing was sent.",
        SendState.SENDING: "Too late to undo: the reply is leaving right now.",
        SendState.UNKNOWN: UNSURE,
        SendState.HANDED_OFF: "This reply is posted by hand; say on the card that you did not post it.",
        SendState.SENT: f"Too late to undo: the reply was sent {since}.",
        SendState.CONFIRMED: f"Too late to undo: the reply was posted by hand {since}.",
    }.get(newest.state, "There is no reply to undo: the last one was not sent.")


def _say_taken(found: Conversation, actor: Actor, now: datetime) -> str:
    """Say who has it, and whether a reply is on its way."""
    is_mine = found.owner is not None and found.owner.id == actor.id
    if found.state is State.SENDING:
        whose = "Your" if is_mine else f"{_name(found.owner, actor)}'s"
        return f"{whose} reply to this is already on its way."
    if is_mine:
        return "You have this one already."
    return f"{_name(found.owner, actor)} claimed this {say_ago(found.claimed_at or found.changed_at, now)}."


def _name(person: Actor | None, actor: Actor) -> str:
    if person is None:
        return "Somebody"
    return "You" if person.id == actor.id else person.name
