"""What a card says about where its conversation stands, in words."""

from __future__ import annotations

from collections.abc import Sequence

from slack_sdk.models.blocks import Block, TextObject

from bot.conversation import DISMISS_LABELS, Actor, Event, State
from bot.ledger import Send, SendState, say_what_is_up
from bot.records import CardView, HistoryEntry
from bot.slack.blocks import context, plain, quote, section, words
from bot.slack.text import safe_line, safe_link, safe_url, show_time

_MOMENT = "{date_short_pretty} {time}"
_REPLY_SHOWN = 500
_NOT_OUT = frozenset({SendState.REFUSED, SendState.UNDONE, SendState.NOT_SENT})


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
    if send is None or not send.problem or send.state not in _NOT_OUT:
        return []
    lead = "*Not sent in full:*" if send.posted else "*Not sent:*"
    return [context(words(lead), *_tell(send, send.problem))]


def _tell(send: Send, sentences: str) -> list[TextObject]:
    """Return sentences about a send; the address of what is up of a thread becomes a link beside them."""
    url = safe_url(send.posted[0].url) if send.posted else ""
    if not url:
        return [plain(sentences, 500)]
    return [plain(sentences.replace(f" ({url})", ""), 500), words(safe_link(url, "see what is posted"))]


def _draw_sending(send: Send) -> list[Block]:
    who = name(send.approved_by)
    what = f"thread of {len(send.parts)}" if send.parts else "reply"
    if send.state is SendState.HANDED_OFF:
        line = f"*{who} is posting this by hand.* Once it is there, press _I posted it_."
    elif send.state is SendState.SENDING:
        line = f"*{who}'s {what} is going out now …*"
    elif send.posted:
        line = f"*{who}'s {what} goes on at {show_time(send.send_after, '{time_secs}')}*"
    else:
        line = f"*{who}'s {what} goes out at {show_time(send.send_after, '{time_secs}')}*"
    up = [context(*_tell(send, f"{say_what_is_up(send)}."))] if send.posted else []
    return [section(line), *up, _draw_reply(send)]


def _draw_unknown(send: Send) -> list[Block]:
    whose = f"{name(send.approved_by)}'s"
    what = f"part {len(send.posted) + 1} of {whose} thread" if send.parts else f"{whose} reply"
    line = (
        f"*It is not known whether {what} arrived.* It will not be sent again by itself. "
        "Look at the post, then say what you see."
    )
    lines: list[Block] = [section(line), quote(f"↪ {send.left[0] if send.left else send.text}", _REPLY_SHOWN)]
    return [*lines, context(*_tell(send, send.problem))] if send.problem else lines


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
