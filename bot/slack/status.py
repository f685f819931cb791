"""What a card says about where its conversation stands, in words."""

from __future__ import annotations

from collections.abc import Sequence

from slack_sdk.models.blocks import Block

from bot.conversation import DISMISS_LABELS, Actor, Event, State
from bot.ledger import Send, SendState
from bot.records import CardView, HistoryEntry
from bot.slack.blocks import context, plain, quote, section, words
from bot.slack.text import safe_line, safe_link, show_time

_MOMENT = "{date_short_pretty} {time}"
_REPLY_SHOWN = 500


def draw_status(view: CardView, history: Sequence[HistoryEntry] = ()) -> list[Block]:
    """Return the lines that say who has the conversation and what became of it; `history` names who did what."""
    if view.send is not None and view.send.state is SendState.UNKNOWN:
        return _draw_unknown(view.send)
    state = view.conversation.state
    if state is State.CLAIMED:
        return _draw_claimed(view, history)
    if state is State.SENDING and view.send is not None:
        return _draw_sending(view.send)
    if state is State.ANSWERED:
        return _draw_answered(view)
    line = _describe_rest(view, history)
    return [section(line)] if line else []


def name(actor: Actor | None) -> str:
    """Return a person's name, safe in our own words."""
    return safe_line(actor.name, 80) if actor and actor.name.strip() else "somebody"


def _last(history: Sequence[HistoryEntry], *events: Event) -> HistoryEntry | None:
    return next((entry for entry in reversed(history) if entry.event in events), None)


def _by(history: Sequence[HistoryEntry], event: Event) -> str:
    """Return ' by Ana' where the history knows."""
    entry = _last(history, event)
    return f" by {name(entry.actor)}" if entry else ""


def _draw_claimed(view: CardView, history: Sequence[HistoryEntry]) -> list[Block]:
    owner = view.conversation.owner
    taken = _last(history, Event.CLAIM, Event.ASSIGN)
    since = taken.at if taken else view.conversation.changed_at
    was_given = taken is not None and taken.event == Event.ASSIGN and owner is not None and taken.actor.id != owner.id
    verb = f"Given to {name(owner)} by {name(taken.actor)}" if was_given and taken else f"Claimed by {name(owner)}"
    lines: list[Block] = [section(f"*{verb}* · {show_time(since, '{ago}')}")]
    lines.extend(_draw_setback(view.send))
    return lines


def _draw_setback(send: Send | None) -> list[Block]:
    """Say why the last reply did not leave, where a person should know."""
    if send is None or not send.problem or send.state not in {SendState.REFUSED, SendState.UNDONE}:
        return []
    return [context(words("*Not sent:*"), plain(send.problem, 300))]


def _draw_sending(send: Send) -> list[Block]:
    who = name(send.approved_by)
    if send.state is SendState.HANDED_OFF:
        line = f"*{who} is posting this by hand.* Once it is there, press _I posted it_."
    elif send.state is SendState.SENDING:
        line = f"*{who}'s reply is going out now …*"
    else:
        line = f"*{who}'s reply goes out at {show_time(send.send_after, '{time_secs}')}*"
    return [section(line), _draw_reply(send)]


def _draw_unknown(send: Send) -> list[Block]:
    line = (
        f"*It is not known whether {name(send.approved_by)}'s reply arrived.* It will not be sent again by itself. "
        "Look at the post, then say what you see."
    )
    lines: list[Block] = [section(line), _draw_reply(send)]
    return [*lines, context(plain(send.problem, 300))] if send.problem else lines


def _draw_answered(view: CardView) -> list[Block]:
    send = view.send
    who = name(send.approved_by if send else view.conversation.owner)
    link = safe_link(send.url, "see the answer") if send and send.url else ""
    when = view.conversation.answered_at or (send.finished_at if send else None)
    parts = [f"*Answered by {who}*", *([show_time(when, _MOMENT)] if when else []), *([link] if link else [])]
    lines: list[Block] = [section(" · ".join(parts))]
    return [*lines, _draw_reply(send)] if send else lines


def _draw_reply(send: Send) -> Block:
    return quote(f"↪ {send.text}", _REPLY_SHOWN)


def _describe_rest(view: CardView, history: Sequence[HistoryEntry]) -> str:
    """Return the one line of a state in which nobody is at work."""
    conversation = view.conversation
    match conversation.state:
        case State.DISMISSED:
            why = f": {DISMISS_LABELS[conversation.dismiss_reason]}" if conversation.dismiss_reason else ""
            return f"*Dismissed{_by(history, Event.DISMISS)}*{why}"
        case State.SNOOZED:
            until = show_time(conversation.snoozed_until, _MOMENT) if conversation.snoozed_until else "later"
            return f"*Snoozed until {until}*{_by(history, Event.SNOOZE)}"
        case State.HANDED_OVER:
            entry = _last(history, Event.HAND_OVER)
            note = f": {safe_line(entry.detail, 300)}" if entry and entry.detail else ""
            return f"*Handed over{_by(history, Event.HAND_OVER)}*{note}"
        case State.EXPIRED:
            return f"*Closed by itself, unanswered* · {show_time(conversation.changed_at, _MOMENT)}"
        case State.QUIET:
            return "*Kept quiet*, below the line. Claim it to bring it into the channel."
        case _:
            return ""
