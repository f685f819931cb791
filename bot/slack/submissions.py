"""What each modal does when it is submitted. An answer is what Slack's ack is given: {} closes the modal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

from bot import decisions
from bot.decisions import Outcome
from bot.records import CardView
from bot.slack.desk import Desk
from bot.slack.modals import ASSIGN_TO, NOTE, URL, draw_posted, read_number, read_value
from bot.slack.people import NotAdmittedError
from bot.slack.press import GONE, Press
from bot.slack.reply_modal import (
    Ids,
    draw_reply_modal,
    name_way,
    read_text,
    shown_start,
    text_block,
    unpack_ids,
)
from bot.slack.text import cut, safe_url
from bot.slack.thread import name_parts, read_choice
from bot.slack.writing import resume_writing
from bot.way import way_of
from listeners.contract import Shape
from nlp.gap import open_gaps

Answer = dict[str, Any]
CLOSE: Answer = {}
_News = Literal["", "post", "way", "parts"]
_NO_SUCH_URL = "That is not a web address. Leave it empty if you have none."


def refuse(block_id: str, sentence: str) -> Answer:
    """Return the answer that keeps the modal open and shows a sentence under one input."""
    return {"response_action": "errors", "errors": {block_id: cut(sentence, 1000)}}


def send_reply(press: Press) -> Answer:
    """Approve these very words, or say why not; by hand, show them for copying."""
    ids = unpack_ids(str(press.view.get("private_metadata") or ""))
    view = press.desk.store.card_view(ids.conversation_id) if ids else None
    block_id = _input_block(press, ids)
    if ids is None or view is None:
        return refuse(block_id, GONE)
    text = read_text(press.view, ids.chosen)
    shape = press.desk.shape(text, view)
    parts = shape.parts if read_choice(press.view) else ()
    outcome = Outcome(is_done=True, sentence="") if _was_taken(press, view, text) else None
    outcome = outcome or _refuse(press, view, text, shape)
    if outcome is None and not view.is_removed and (news := _news(press, view, ids, parts)):
        return _show_again(press, view, ids, text, news)
    outcome = outcome or _approve(press, view, ids, text, shape)
    if not outcome.is_done:
        return refuse(block_id, outcome.sentence)
    press.redraw()
    capability = press.desk.capability(view)
    if capability.route == "by_hand":
        return {"response_action": "update", "view": draw_posted(view, capability, parts or (shape.text,))}
    return CLOSE


def _news(press: Press, view: CardView, ids: Ids, parts: Sequence[str]) -> _News:
    """Return what is not as the person saw it, '' where all of it is."""
    if view.mention_id != ids.mention_id:
        return "post"
    if name_way(view, press.desk.capability(view)) != ids.way:
        return "way"
    return "" if name_parts(parts) in {"", ids.parts} else "parts"


def _was_taken(press: Press, view: CardView, text: str) -> bool:
    """Return whether this very submission was approved before: Slack may deliver it again, minutes later.

    It is answered as the first time, whatever has become of the reply since; even one that was undone in between does
    not leave after all. Another modal with the same words is another decision.
    """
    store, key = press.desk.store, submission_key(press)
    if store.first_time(key, press.now):
        return False
    since = store.first_seen(key)
    words = {text, press.desk.shape(text, view).text}
    return any(
        send.text in words and send.approved_by.id == press.actor.id and (since is None or send.approved_at >= since)
        for send in store.sends(view.conversation.id)
    )


def _refuse(press: Press, view: CardView, text: str, shape: Shape) -> Outcome | None:
    """Refuse what cannot leave, or what no person finished, whatever it began with; None for the rest."""
    capability = press.desk.capability(view)
    if capability.route == "none":
        return Outcome(is_done=False, sentence=capability.reason or "No answer is possible there.")
    for start in _all_starts(press, view):
        if sentence := decisions.check_reply(text, start, shape, as_thread=read_choice(press.view)):
            return Outcome(is_done=False, sentence=sentence)
    return None


def _approve(press: Press, view: CardView, ids: Ids, text: str, shape: Shape) -> Outcome:
    """Approve, unless the store knows better by now."""
    route = press.desk.capability(view).route
    assert route != "none", "this was refused before"
    suggestion = _suggestion(press.desk, view, ids)
    hold = timedelta(seconds=press.desk.settings.reply.hold_seconds)
    return decisions.approve(
        press.desk.store,
        view.conversation.id,
        view.mention_id,
        text,
        suggestion,
        shape,
        route,
        press.actor,
        press.now,
        hold,
        as_thread=read_choice(press.view),
        way=way_of(view.mention),
    )


def submission_key(press: Press) -> str:
    """Return what tells a submission from every other: the modal, its version and what was entered.

    A refused submission leaves the version as it is, so the words have to be part of the key.
    """
    entered = json.dumps((press.view.get("state") or {}).get("values"), sort_keys=True)
    digest = hashlib.sha256(entered.encode("utf-8", "surrogatepass")).hexdigest()[:24]
    return f"view:{press.view.get('id')}:{press.view.get('hash')}:{digest}"


def _suggestion(desk: Desk, view: CardView, ids: Ids) -> str:
    """Return the suggestion that the person started from, found again in what is stored."""
    drafts = desk.suggested(view, ids.suggestion).drafts
    return drafts[ids.chosen].text if ids.chosen is not None and 0 <= ids.chosen < len(drafts) else ""


def _all_starts(press: Press, view: CardView) -> Iterable[str]:
    """Return every text that is no person's own: all that was ever suggested, and what the input began with.

    The last comes back from Slack and proves nothing, but may only add a reason to refuse. It counts while it has an
    open gap; without one it is what the person had written when the author wrote again.
    """
    start = shown_start(press.view)
    return ["", *press.desk.store.suggested_texts(view.conversation.id), *([start] if open_gaps(start) else [])]


def _show_again(press: Press, view: CardView, ids: Ids, text: str, news: _News) -> Answer:
    """Show what is not as it was shown: the author wrote again, another account answers, a thread is cut otherwise.

    The words stay, and the next Send means what stands there then.
    """
    way = name_way(view, press.desk.capability(view))
    shown = replace(ids, mention_id=view.mention_id, way=way)
    if news == "post":
        shown = replace(shown, has_news=True, chosen=None, suggestion=0)
    writing = resume_writing(press.desk, view, shown, text, text, as_thread=read_choice(press.view))
    drawn = draw_reply_modal(replace(writing, has_new_way=news == "way", has_new_parts=news == "parts"))
    return {"response_action": "update", "view": drawn}


def _input_block(press: Press, ids: Ids | None) -> str:
    """Return the block under which a refusal is shown: the input, under whatever name it was drawn."""
    for block in press.view.get("blocks") or ():
        if block.get("type") == "input":
            return str(block.get("block_id"))
    return text_block(ids.chosen if ids else None)


def give_to(press: Press) -> Answer:
    """Give the conversation to the chosen teammate."""
    number = read_number(press.view)
    if number is None:
        return refuse(ASSIGN_TO, GONE)
    try:
        to = press.roster.admit(read_value(press.view, ASSIGN_TO))
    except NotAdmittedError:
        return refuse(ASSIGN_TO, "They can not answer from here. Choose a member of this workspace.")
    outcome = decisions.assign(press.desk.store, number, to, press.actor, press.now)
    return _answer(press, outcome, ASSIGN_TO)


def hand_over(press: Press) -> Answer:
    """Pass the conversation out of the team's hands, with the note."""
    number = read_number(press.view)
    if number is None:
        return refuse(NOTE, GONE)
    note = read_value(press.view, NOTE)
    return _answer(press, decisions.hand_over(press.desk.store, number, note, press.actor, press.now), NOTE)


def confirm_posted(press: Press) -> Answer:
    """Note that the reply was posted by hand, and where."""
    store = press.desk.store
    return _confirm(press, lambda number, url: decisions.confirm_by_hand(store, number, url, press.actor, press.now))


def confirm_found(press: Press) -> Answer:
    """Note that the reply of unknown outcome is there, and where."""
    store, was_sent = press.desk.store, True
    return _confirm(
        press, lambda number, url: decisions.resolve_unknown(store, number, was_sent, url, press.actor, press.now)
    )


def _confirm(press: Press, decide: Callable[[int, str], Outcome]) -> Answer:
    """Take the address that a person gives for a reply, or none, and decide with it."""
    number, url = read_number(press.view), read_value(press.view, URL).strip()
    if number is None:
        return refuse(URL, GONE)
    if url and not safe_url(url):
        return refuse(URL, _NO_SUCH_URL)
    return _answer(press, decide(number, url), URL)


def _answer(press: Press, outcome: Outcome, block_id: str) -> Answer:
    if not outcome.is_done:
        return refuse(block_id, outcome.sentence)
    press.redraw()
    return CLOSE
