"""Everything a person can do: one function and one transaction each.

Each answers with an `Outcome` whose sentence is shown to the person. Sentences are plain text and may hold names from
Slack, so whoever shows them escapes them. What was decided is on record, and its card is redrawn, before they return.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from bot.conversation import DISMISS_LABELS, Actor, Conversation, DismissReason, Event, State
from bot.ledger import Send, SendState, say_not_whole, say_what_is_up
from bot.refusals import ANOTHER_WAY, NOT_THERE, UNSURE, check_reply, say_not_yours, say_too_late, say_why_not
from bot.spoken import say_length
from bot.store import Database, Store
from bot.store.conversations import conversation, move, note
from bot.store.events import who_brought_it_here
from bot.store.mentions import mention, place_of
from bot.store.sends import (
    Approval,
    closing_send,
    insert_send,
    live_send,
    newest_send,
    require_move,
    settle,
    withdraw,
    write_posted,
)
from bot.store.suggestions import suggested_texts
from bot.way import Way, answers_alike, way_of
from listeners.contract import Posted, Shape

__all__ = [
    "Outcome",
    "approve",
    "assign",
    "check_reply",
    "claim",
    "confirm_by_hand",
    "deny_by_hand",
    "dismiss",
    "hand_over",
    "release",
    "resolve_unknown",
    "restore",
    "snooze",
    "undo",
]

_TAKEN = frozenset({State.CLAIMED, State.SENDING, State.SNOOZED})
_SAME_CLICK = frozenset(
    {SendState.APPROVED, SendState.SENDING, SendState.SENT, SendState.HANDED_OFF, SendState.CONFIRMED}
)
_URL = re.compile(r"https?://[^\s<>|]{1,2000}")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a decision: whether it holds now, and one plain sentence for the person.

    `send_id` is the row of the ledger where the decision was about one.
    """

    is_done: bool
    sentence: str
    send_id: int | None = None


def claim(store: Store, conversation_id: int, actor: Actor, now: datetime) -> Outcome:
    """Take a conversation. Of two people who claim at once, one gets it and the other is told who did."""
    with store.transaction() as db:
        found = conversation(db, conversation_id)
        if found is None:
            return Outcome(is_done=False, sentence=NOT_THERE)
        if _is_owner(found, actor) and found.state in {State.CLAIMED, State.SENDING}:
            return Outcome(is_done=True, sentence="You have this one already.")
        if found.state is State.SNOOZED and found.owner and not _is_owner(found, actor):
            return _refused(db, found, actor, now)
        return _do(db, found, Event.CLAIM, actor, now, "You have this one now.")


def release(store: Store, conversation_id: int, actor: Actor, now: datetime) -> Outcome:
    """Give a conversation back to the team. Only its owner can."""
    with store.transaction() as db:
        found = conversation(db, conversation_id)
        if found is None:
            return Outcome(is_done=False, sentence=NOT_THERE)
        if found.state is not State.CLAIMED:
            return _refused(db, found, actor, now)
        if sentence := _why_keep(db, found, actor, now):
            return Outcome(is_done=False, sentence=sentence)
        return _do(db, found, Event.RELEASE, actor, now, "It is back with the team.")


def assign(store: Store, conversation_id: int, to: Actor, actor: Actor, now: datetime) -> Outcome:
    """Give a conversation to a teammate. Anyone can, whoever has it now."""
    with store.transaction() as db:
        found = conversation(db, conversation_id)
        if found is None:
            return Outcome(is_done=False, sentence=NOT_THERE)
        if found.state is State.CLAIMED and _is_owner(found, to):
            whose = "You have" if to.id == actor.id else f"{to.name} has"
            return Outcome(is_done=True, sentence=f"{whose} this one already.")
        after = move(db, found.id, Event.ASSIGN, actor, now, f"to {to.name}", owner=to)
        if after is None:
            return _refused(db, found, actor, now)
        return Outcome(is_done=True, sentence=f"{'You have' if to.id == actor.id else f'{to.name} has'} this one now.")


def snooze(store: Store, conversation_id: int, until: datetime, actor: Actor, now: datetime) -> Outcome:
    """Put a conversation away until a moment; it comes back to its owner, or else to the team."""
    if until <= now:
        return Outcome(is_done=False, sentence="That time has passed; choose one that is still ahead.")
    said = f"It comes back in {say_length(until - now)}."
    with store.transaction() as db:
        return _let_go(db, conversation_id, Event.SNOOZE, actor, now, said, changes={"snoozed_until": until})


def dismiss(store: Store, conversation_id: int, reason: DismissReason, actor: Actor, now: datetime) -> Outcome:
    """Let a conversation rest, and say why. Anyone can while nobody has it; after that, its owner."""
    label = DISMISS_LABELS[reason]
    with store.transaction() as db:
        return _let_go(
            db,
            conversation_id,
            Event.DISMISS,
            actor,
            now,
            f"Dismissed: {label}.",
            label,
            {"dismiss_reason": str(reason)},
        )


def restore(store: Store, conversation_id: int, actor: Actor, now: datetime) -> Outcome:
    """Take a dismissal back: the conversation goes to its owner where it had one, or else to the team."""
    with store.transaction() as db:
        found = conversation(db, conversation_id)
        if found is None:
            return Outcome(is_done=False, sentence=NOT_THERE)
        if found.state is not State.DISMISSED:
            return Outcome(is_done=False, sentence="This one is not dismissed.")
        return _do(db, found, Event.RESTORE, actor, now, "It is back.")


def hand_over(store: Store, conversation_id: int, note_text: str, actor: Actor, now: datetime) -> Outcome:
    """Pass a conversation to somebody outside Cuecard (support, legal, …), with a note that says to whom and why."""
    if not note_text.strip():
        return Outcome(is_done=False, sentence="Say in the note who takes it over.")
    with store.transaction() as db:
        return _let_go(
            db, conversation_id, Event.HAND_OVER, actor, now, "Handed over; your note is on record.", note_text
        )


def approve(  # noqa: PLR0913, PLR0917 - a person approves all of this at once
    store: Store,
    conversation_id: int,
    mention_id: int,
    text: str,
    suggestion: str,
    shape: Shape,
    route: Literal["api", "by_hand"],
    actor: Actor,
    now: datetime,
    hold: timedelta,
    *,
    as_thread: bool = False,
    way: Way | None = None,
) -> Outcome:
    """Approve one reply, exactly as shaped. Everything is checked again here, whatever was checked before.

    Args:
        store: where the ledger is.
        conversation_id: what is answered.
        mention_id: the mention the reply goes to; it may be an earlier one, if the author wrote again meanwhile.
        text: what the person wrote.
        suggestion: the draft they started from, '' for none.
        shape: the text as the platform will get it: these words are kept, shown and sent.
        route: `api` waits for `hold` and is sent; `by_hand` waits for a person to confirm.
        actor: who pressed Send; the owner, or else refused.
        now: when.
        hold: how long Undo works.
        as_thread: whether the person chose to have a long reply posted as the thread of `shape.parts`.
        way: the feed and the account that the person was shown as those that answer; None where none was shown.
    """
    with store.transaction() as db:
        found = conversation(db, conversation_id)
        if found is None:
            return Outcome(is_done=False, sentence=NOT_THERE)
        same = _same_click(db, found.id, mention_id, shape.text, actor)
        if same is not None:
            return Outcome(is_done=True, sentence=_say_approved(same.route, same.send_after - now), send_id=same.id)
        sentence = _why_no_reply(db, found, mention_id, actor, now) or _why_not_so(db, mention_id, route, way)
        starts = dict.fromkeys((suggestion, *suggested_texts(db, found.id)))
        refusals = (check_reply(text, start, shape, as_thread=as_thread) for start in starts)
        if sentence := sentence or next(filter(None, refusals), ""):
            return Outcome(is_done=False, sentence=sentence)
        send_after = now + hold if route == "api" else now
        key, parts = secrets.token_hex(16), shape.parts if as_thread else ()
        approval = Approval(
            conversation_id, mention_id, shape.text, suggestion, route, key, actor, now, send_after, parts
        )
        send_id = insert_send(db, approval)
        if send_id is None:
            return Outcome(is_done=False, sentence="A reply is already on its way.")
        require_move(db, found.id, Event.APPROVE, actor, now, "by hand" if route == "by_hand" else "")
        return Outcome(is_done=True, sentence=_say_approved(route, send_after - now), send_id=send_id)


def undo(store: Store, conversation_id: int, actor: Actor, now: datetime) -> Outcome:
    """Stop a reply that has not left yet, or the rest of a thread. Anyone on the team can; who did is on record."""
    with store.transaction() as db:
        newest = newest_send(db, conversation_id)
        if newest is None or newest.state is not SendState.APPROVED:
            is_undone = newest is not None and newest.state is SendState.UNDONE
            return Outcome(is_undone, say_too_late(newest, now), newest.id if newest else None)
        withdraw(db, newest, say_not_whole(newest, f"{actor.name} undid it."), actor, now)
        up = say_what_is_up(newest)
        said = f"Stopped: {up}, and the rest is not sent." if up else "Undone: nothing was sent."
        return Outcome(is_done=True, sentence=said, send_id=newest.id)


def confirm_by_hand(store: Store, conversation_id: int, url: str, actor: Actor, now: datetime) -> Outcome:
    """Say that a reply was posted by hand, with its address where there is one."""
    return _resolve(store, conversation_id, SendState.HANDED_OFF, SendState.CONFIRMED, url, actor, now)


def deny_by_hand(store: Store, conversation_id: int, actor: Actor, now: datetime) -> Outcome:
    """Say that a reply was not posted by hand after all."""
    return _resolve(store, conversation_id, SendState.HANDED_OFF, SendState.NOT_SENT, "", actor, now)


def resolve_unknown(  # noqa: PLR0913, PLR0917 - fixed by the other rooms
    store: Store, conversation_id: int, was_sent: bool, url: str, actor: Actor, now: datetime
) -> Outcome:
    """Say, having looked, whether a reply of unknown outcome did arrive."""
    after = SendState.SENT if was_sent else SendState.NOT_SENT
    return _resolve(store, conversation_id, SendState.UNKNOWN, after, url if was_sent else "", actor, now)


def _resolve(  # noqa: PLR0913, PLR0917 - three decisions in one
    store: Store, conversation_id: int, before: SendState, after: SendState, url: str, actor: Actor, now: datetime
) -> Outcome:
    """Settle a send by what a person says of it."""
    address = url.strip()
    if address and not _URL.fullmatch(address):
        return Outcome(is_done=False, sentence="That is not a web address; leave it empty if you have none.")
    with store.transaction() as db:
        live = live_send(db, conversation_id)
        if live is None or live.state is not before:
            newest = newest_send(db, conversation_id)
            is_so = newest is not None and newest.state is after
            return Outcome(is_so, "That is on record already." if is_so else "There is no such reply to speak of.")
        if before is SendState.UNKNOWN and after is SendState.SENT and len(live.left) > 1:
            return _find_part(db, live, address, actor, now)
        up = say_what_is_up(live)
        problem = live.problem if after is not SendState.NOT_SENT else say_not_whole(live, "").strip()
        settle(db, live.id, after, now, url=live.posted[0].url if live.posted else address, problem=problem)
        if after is not SendState.NOT_SENT:
            require_move(db, conversation_id, Event.CONFIRM, actor, now, f"{actor.name} says it arrived")
            return Outcome(is_done=True, sentence="Answered. Thank you for looking.", send_id=live.id)
        if before is SendState.HANDED_OFF:
            require_move(db, conversation_id, Event.UNDO, actor, now, "not posted by hand")
        else:
            note(db, conversation_id, "find_not_sent", actor, now, f"{actor.name} says it did not arrive")
        said = f"Noted: {up}. You can reply with the rest." if up else "Noted: nothing was posted. You can reply again."
        return Outcome(is_done=True, sentence=said, send_id=live.id)


def _find_part(db: Database, live: Send, url: str, actor: Actor, now: datetime) -> Outcome:
    """Record that the part in doubt is there: the parts after it were never sent, so nothing is answered yet."""
    found = replace(live, posted=(*live.posted, Posted("", url)))
    up = say_what_is_up(found)
    settle(
        db, live.id, SendState.NOT_SENT, now, posted=write_posted(found.posted), problem=f"{up}; the rest was not sent."
    )
    note(db, live.conversation_id, "find_part", actor, now, f"{actor.name} says that {up}")
    return Outcome(is_done=True, sentence=f"Noted: {up}. You can reply with the rest.", send_id=live.id)


def _let_go(  # noqa: PLR0913, PLR0917 - what three decisions share
    db: Database,
    conversation_id: int,
    event: Event,
    actor: Actor,
    now: datetime,
    said: str,
    detail: str = "",
    changes: Mapping[str, object] | None = None,
) -> Outcome:
    """Do what anyone may do while nobody has the conversation, and then only its owner."""
    found = conversation(db, conversation_id)
    if found is None:
        return Outcome(is_done=False, sentence=NOT_THERE)
    if found.state in _TAKEN and found.owner and (sentence := _why_keep(db, found, actor, now)):
        return Outcome(is_done=False, sentence=sentence)
    return _do(db, found, event, actor, now, said, detail, changes)


def _do(  # noqa: PLR0913, PLR0917 - as `move`
    db: Database,
    found: Conversation,
    event: Event,
    actor: Actor,
    now: datetime,
    said: str,
    detail: str = "",
    changes: Mapping[str, object] | None = None,
) -> Outcome:
    """Move the conversation, or say why it cannot."""
    if move(db, found.id, event, actor, now, detail, changes=changes) is None:
        return _refused(db, found, actor, now)
    return Outcome(is_done=True, sentence=said)


def _refused(db: Database, found: Conversation, actor: Actor, now: datetime) -> Outcome:
    """Say who did what to the conversation, and when, so that this cannot be done now."""
    return Outcome(
        is_done=False, sentence=say_why_not(found, who_brought_it_here(db, found.id, found.state), actor, now)
    )


def _why_keep(db: Database, found: Conversation, actor: Actor, now: datetime) -> str:
    """Return why `actor` cannot let go of a conversation that somebody has, or ''."""
    if not _is_owner(found, actor):
        return say_not_yours(found, now)
    return UNSURE if found.state is State.CLAIMED and live_send(db, found.id) is not None else ""


def _why_no_reply(db: Database, found: Conversation, mention_id: int, actor: Actor, now: datetime) -> str:
    """Return why `actor` cannot reply to this mention now, or ''."""
    if found.state is not State.CLAIMED:
        return say_why_not(found, who_brought_it_here(db, found.id, found.state), actor, now)
    if not _is_owner(found, actor):
        return say_not_yours(found, now)
    if live_send(db, found.id) is not None:
        return UNSURE
    place = place_of(db, mention_id)
    if place is None or place[0] != found.id:
        return "That post is not part of this conversation; open the reply again."
    return "The author took this post down, so there is nothing left to reply to." if place[1] else ""


def _why_not_so(db: Database, mention_id: int, route: str, shown: Way | None) -> str:
    """Return why a reply to this mention can not leave by this route, or from where the person was shown, or ''."""
    if route == "api" and closing_send(db, mention_id) is not None:
        return "Programs may not answer this post; open the reply again to post it by hand."
    answered = mention(db, mention_id)
    is_same = shown is None or answered is None or answers_alike(shown, way_of(answered))
    return "" if is_same else ANOTHER_WAY


def _same_click(db: Database, conversation_id: int, mention_id: int, text: str, actor: Actor) -> Send | None:
    """Return the send that these very words already made: Slack may deliver one click twice."""
    newest = newest_send(db, conversation_id)
    if newest is None or newest.state not in _SAME_CLICK:
        return None
    is_same = (newest.mention_id, newest.text, newest.approved_by.id) == (mention_id, text, actor.id)
    return newest if is_same else None


def _is_owner(found: Conversation, actor: Actor) -> bool:
    return found.owner is not None and found.owner.id == actor.id


def _say_approved(route: str, hold: timedelta) -> str:
    """Tell what happens next to an approved reply."""
    if route == "by_hand":
        return "Open the post, paste your reply, and confirm it on the card."
    seconds = int(hold.total_seconds())
    return f"Your reply leaves in {seconds} seconds; until then, Undo is on the card." if seconds > 0 else "On its way."
