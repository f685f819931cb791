"""Where a person is in writing an answer: begun, counted as they type, started over from another suggestion."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from slack_sdk import WebClient

from bot import decisions
from bot.ledger import ERASED, SendState
from bot.records import CardView
from bot.slack.advice import NO_DRAFT
from bot.slack.blocks import Json
from bot.slack.desk import Desk
from bot.slack.press import Opened, Press, log, value_of
from bot.slack.reply_modal import (
    REPLY_TEXT,
    Ids,
    Writing,
    draw_reply_modal,
    ids_of,
    name_way,
    read_text,
    shown_start,
    unpack_ids,
)
from bot.slack.slack_errors import UNREACHABLE, describe_error
from bot.slack.thread import read_choice
from bot.store.suggestions import Suggested
from listeners.contract import Shape
from nlp.assessment import Draft

PACE_SECONDS = 0.6
"""The shortest time between two counts in one modal: Slack allows a hundred views.update a minute or so."""
_MOST_MODALS = 500
_NOT_OUT = frozenset({SendState.REFUSED, SendState.UNDONE, SendState.NOT_SENT})


def begin_writing(desk: Desk, view: CardView) -> Writing:
    """Return the modal's beginning: words that did not leave, else the first suggestion, else a blank page."""
    writing = _start(desk, view)
    return _weigh(desk, writing, writing.text)


def _start(desk: Desk, view: CardView, number: int = 0) -> Writing:
    """Return the modal's beginning, not weighed yet; `number` names what was suggested when it was opened."""
    suggested = desk.suggested(view, number)
    drafts = suggested.drafts
    unsent = unsent_words(view)
    return Writing(
        view=view,
        capability=desk.capability(view),
        drafts=drafts,
        chosen=0 if drafts and not unsent else None,
        text=unsent or (drafts[0].text if drafts else ""),
        shape=Shape("", 0, 0),
        earlier=desk.store.mentions(view.conversation.id)[:-1] if view.earlier else (),
        hold_seconds=desk.settings.reply.hold_seconds,
        unsent=view.send if unsent else None,
        suggestion=suggested.number,
        hand_to=desk.hand_to(view),
    )


def unsent_words(view: CardView) -> str:
    """Return the words of the newest reply where it did not leave, of a thread those of the parts that did not.

    Nothing that a person typed is lost: not where the platform refused it, where it was undone or withdrawn, and not
    where a person looked and it was not there.
    """
    send = view.send
    if send is None or send.state not in _NOT_OUT or send.text == ERASED:
        return ""
    return "\n\n".join(send.left)


def resume_writing(  # noqa: PLR0913 - where a person is
    desk: Desk, view: CardView, ids: Ids, start: str, text: str, *, as_thread: bool = False
) -> Writing:
    """Return the modal while it is open: the input still begins with `start`, and `text` is what stands there now."""
    begun = _start(desk, view, ids.suggestion)
    choice = ids.chosen if ids.chosen is not None and 0 <= ids.chosen < len(begun.drafts) else None
    unsent = begun.unsent if start == begun.text else None
    has_new_way = ids.way != name_way(view, begun.capability)
    writing = replace(
        begun,
        chosen=choice,
        text=start,
        has_news=ids.has_news,
        as_thread=as_thread,
        unsent=unsent,
        way=ids.way,
        has_new_way=has_new_way,
    )
    return _weigh(desk, writing, text)


def _weigh(desk: Desk, writing: Writing, text: str) -> Writing:
    """Return the modal with what its platform makes of a text, and what stands in the way of sending it.

    That it is too long is no problem to tell here where it can go out as a thread: that choice is drawn instead.
    """
    shape = desk.shape(text, writing.view)
    suggestion = writing.drafts[writing.chosen].text if writing.chosen is not None else ""
    problem = decisions.check_reply(text, suggestion, shape, as_thread=True) if text.strip() else ""
    as_thread = writing.as_thread and bool(shape.parts)
    counted = [desk.shape(part, writing.view) for part in shape.parts] if as_thread else ()
    return replace(writing, shape=shape, problem=problem, as_thread=as_thread, counted=counted)


def start_over(press: Press) -> None:
    """Put another suggestion into the input, or nothing; a person's own words stay, above it."""
    found = _find(press)
    if found is None:
        return
    ids, view = found
    drafts = press.desk.suggested(view, ids.suggestion).drafts
    asked = value_of(press.body)
    number = int(asked) if asked.isdecimal() and int(asked) < len(drafts) else None
    if number is None and asked != NO_DRAFT:
        return
    own = _own_words(read_text(press.view, ids.chosen), drafts)
    suggestion = drafts[number].text if number is not None else ""
    text = f"{own}\n\n{suggestion}" if number is not None and own else suggestion
    as_thread = read_choice(press.view)
    writing = resume_writing(press.desk, view, replace(ids, chosen=number), text, text, as_thread=as_thread)
    _update(press.client, str(press.view.get("id")), str(press.view.get("hash") or ""), draw_reply_modal(writing))


def _own_words(typed: str, drafts: Sequence[Draft]) -> str:
    """Return what a person wrote themselves: what stands there, without a suggestion that was put below it."""
    own = typed.rstrip()
    for draft in drafts:
        own = own.removesuffix(draft.text.rstrip()).rstrip()
    return own


def await_late_draft(press: Press, writing: Writing, opened: Opened) -> None:
    """Have a model's draft offered in the open modal once it is there, unless somebody has begun to write in it.

    What stands in the input stays: the draft is one more to choose from. A modal that changed meanwhile, as it does
    with the first keystroke, is left alone (`hash`); the draft is offered the next time it is opened.
    """
    desk, view, ids = press.desk, writing.view, ids_of(writing)
    if desk.late_drafts is None:
        return

    def offer(suggested: Suggested) -> None:
        newest = desk.store.card_view(ids.conversation_id)
        if newest is None or newest.mention_id != ids.mention_id:
            return
        more = replace(ids, suggestion=suggested.number)
        drawn = draw_reply_modal(resume_writing(desk, newest, more, writing.text, writing.text))
        _update(press.client, opened.id, opened.hash, drawn)

    suggested = desk.suggested(view, writing.suggestion)
    desk.late_drafts.ask(view, lambda text: desk.shape(text, view), suggested, desk.now(), offer)


def _find(press: Press) -> tuple[Ids, CardView] | None:
    ids = unpack_ids(str(press.view.get("private_metadata") or ""))
    view = press.desk.store.card_view(ids.conversation_id) if ids else None
    return (ids, view) if ids and view else None


@dataclass
class _Typing:
    """One open modal: the newest words, and whether somebody is about to count them."""

    press: Press
    is_due: bool = False
    counted_at: float = float("-inf")
    hash: str = ""


class LiveCount:
    """Counts as people type or choose a thread, at a pace Slack allows: of many keystrokes only the newest counts."""

    def __init__(
        self, sleep: Callable[[float], None] = time.sleep, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._sleep = sleep
        self._clock = clock
        self._modals: dict[str, _Typing] = {}
        self._lock = threading.Lock()

    def __call__(self, press: Press) -> None:
        """Take a keystroke; returns once it is counted, or at once where an earlier one's turn will count it."""
        view_id = str(press.view.get("id") or "")
        with self._lock:
            typing = self._modals.get(view_id)
            if typing is None:
                self._forget_oldest()
                typing = self._modals[view_id] = _Typing(press)
            typing.press = press
            if typing.is_due:
                return
            typing.is_due = True
            wait = typing.counted_at + PACE_SECONDS - self._clock()
        if wait > 0:
            self._sleep(wait)
        with self._lock:
            typing.is_due = False
            typing.counted_at = self._clock()
            newest = typing.press
        self._count(view_id, newest, typing)

    def _forget_oldest(self) -> None:
        while len(self._modals) >= _MOST_MODALS:
            self._modals.pop(next(iter(self._modals)))

    def _count(self, view_id: str, press: Press, typing: _Typing) -> None:
        found = _find(press)
        if found is None or found[1].mention_id != found[0].mention_id:
            return  # they wrote again: Send will show it, and the count can wait
        ids, view = found
        start, choice = shown_start(press.view), read_choice(press.view)
        text = value_of(press.body) if is_typed(press.body) else read_text(press.view, ids.chosen)
        writing = resume_writing(press.desk, view, ids, start, text, as_thread=choice)
        drawn, told = draw_reply_modal(writing), str(press.view.get("hash") or "")
        newest = _update(press.client, view_id, told, drawn)
        if not newest and typing.hash not in {"", told}:  # typed before our last count had reached their screen
            newest = _update(press.client, view_id, typing.hash, drawn)
        typing.hash = newest


def is_typed(body: Mapping[str, Any]) -> bool:
    """Return whether a delivery is a keystroke in the answer."""
    action = next(iter(body.get("actions") or ()), None)
    return isinstance(action, Mapping) and action.get("action_id") == REPLY_TEXT


def _update(client: WebClient, view_id: str, known_hash: str, drawn: Json) -> str:
    """Draw an open modal again; return its new hash, or '' where it has changed or gone meanwhile."""
    try:
        answer = client.views_update(view_id=view_id, hash=known_hash or None, view=drawn)
    except UNREACHABLE as err:
        log.info("A modal was not redrawn: %s", describe_error(err))
        return ""
    view: Mapping[str, Any] = answer.get("view") or {}
    return str(view.get("hash") or "")
