"""Where a person is in writing an answer: begun, counted as they type, started over from another suggestion."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from slack_sdk import WebClient

from bot import decisions
from bot.records import CardView
from bot.slack.blocks import Json
from bot.slack.desk import Desk
from bot.slack.press import Press, log, value_of
from bot.slack.reply_modal import (
    NO_DRAFT,
    Ids,
    Writing,
    draw_reply_modal,
    read_text,
    shown_start,
    unpack_ids,
)
from bot.slack.slack_errors import UNREACHABLE, describe_error

PACE_SECONDS = 0.6
"""The shortest time between two counts in one modal: Slack allows a hundred views.update a minute or so."""
_MOST_MODALS = 500


def begin_writing(desk: Desk, view: CardView) -> Writing:
    """Return the modal's beginning: the first suggestion, or a blank page where there is none."""
    drafts = desk.drafts(view)
    text = drafts[0].text if drafts else ""
    shape = desk.shape(text, view)
    return Writing(
        view=view,
        capability=desk.capability(view),
        drafts=drafts,
        chosen=0 if drafts else None,
        text=text,
        shape=shape,
        problem=decisions.check_reply(text, text, shape) if text else "",
        earlier=desk.store.mentions(view.conversation.id)[:-1] if view.earlier else (),
        hold_seconds=desk.settings.reply.hold_seconds,
    )


def resume_writing(desk: Desk, view: CardView, ids: Ids, start: str, text: str) -> Writing:
    """Return the modal while it is open: the input still begins with `start`, and `text` is what stands there now."""
    begun = begin_writing(desk, view)
    choice = ids.chosen if ids.chosen is not None and 0 <= ids.chosen < len(begun.drafts) else None
    shape = desk.shape(text, view)
    suggestion = begun.drafts[choice].text if choice is not None else ""
    problem = decisions.check_reply(text, suggestion, shape) if text.strip() else ""
    return replace(begun, chosen=choice, text=start, shape=shape, problem=problem, has_news=ids.has_news)


def start_over(press: Press) -> None:
    """Put another suggestion into the input, or nothing; a person's own words stay, above it."""
    found = _find(press)
    if found is None:
        return
    ids, view = found
    begun = begin_writing(press.desk, view)
    asked = value_of(press.body)
    number = int(asked) if asked.isdecimal() and int(asked) < len(begun.drafts) else None
    if number is None and asked != NO_DRAFT:
        return
    before, typed = shown_start(press.view), read_text(press.view, ids.chosen)
    suggestion = begun.drafts[number].text if number is not None else ""
    is_own = typed.strip() not in {"", before.strip(), *(draft.text for draft in begun.drafts)}
    text = f"{typed.rstrip()}\n\n{suggestion}" if number is not None and is_own else suggestion
    writing = resume_writing(press.desk, view, replace(ids, chosen=number), text, text)
    _update(press.client, str(press.view.get("id")), str(press.view.get("hash") or ""), draw_reply_modal(writing))


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
    """Counts as people type, at a pace Slack allows: of many keystrokes only the newest words are counted."""

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
        writing = resume_writing(press.desk, view, ids, shown_start(press.view), value_of(press.body))
        drawn, told = draw_reply_modal(writing), str(press.view.get("hash") or "")
        newest = _update(press.client, view_id, told, drawn)
        if not newest and typing.hash not in {"", told}:  # typed before our last count had reached their screen
            newest = _update(press.client, view_id, typing.hash, drawn)
        typing.hash = newest


def _update(client: WebClient, view_id: str, known_hash: str, drawn: Json) -> str:
    """Draw an open modal again; return its new hash, or '' where it has changed or gone meanwhile."""
    try:
        answer = client.views_update(view_id=view_id, hash=known_hash or None, view=drawn)
    except UNREACHABLE as err:
        log.info("A modal was not redrawn: %s", describe_error(err))
        return ""
    view: Mapping[str, Any] = answer.get("view") or {}
    return str(view.get("hash") or "")
