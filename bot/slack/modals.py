"""The small modals: give it to somebody, hand it over, say that a reply is there, look at what is quiet. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from slack_sdk.models.blocks import (
    Block,
    InputBlock,
    PlainTextInputElement,
    PlainTextObject,
    UserSelectElement,
)
from slack_sdk.models.views import View

from bot.records import CardView
from bot.slack.blocks import Json, actions, context, link_button, plain, quote, section
from bot.slack.buttons import OPEN_POST
from bot.slack.rows import draw_row
from bot.slack.text import cut, escape
from nlp.playbook import HandTo

ASSIGN_VIEW = "assign"
HAND_OVER_VIEW = "hand_over"
POSTED_VIEW = "posted"
FOUND_VIEW = "found"

ASSIGN_TO = "assign_to"
NOTE = "hand_over_note"
URL = "reply_url"
_MOST_NOTE = 1000
_CODE_PAGE = 2800
MOST_TEXT = 3000
"""The most Slack takes in one input."""


def draw_assign(conversation_id: int) -> Json:
    """Ask who should take a conversation."""
    element = UserSelectElement(action_id=ASSIGN_TO, placeholder=_label("Choose a teammate"))
    return _modal(
        ASSIGN_VIEW,
        f"Give #{conversation_id} to …",
        "Give it",
        [InputBlock(block_id=ASSIGN_TO, label=_label("Who takes it?"), element=element)],
        str(conversation_id),
    )


def draw_hand_over(conversation_id: int, hint: HandTo | None = None) -> Json:
    """Ask for the note with which a conversation leaves the team's hands."""
    element = PlainTextInputElement(action_id=NOTE, multiline=True, max_length=_MOST_NOTE)
    blocks: list[Block] = [context(plain("It leaves the queue. The note stays on the card; nobody outside sees it."))]
    if hint is not None:
        note = f": {hint.note}" if hint.note else ""
        blocks.append(context(plain(f"The playbook says: {hint.who}{note}", 600)))
    blocks.append(InputBlock(block_id=NOTE, label=_label("To whom, and what should they know?"), element=element))
    return _modal(HAND_OVER_VIEW, f"Hand over #{conversation_id}", "Hand over", blocks, str(conversation_id))


def draw_posted(view: CardView, text: str) -> Json:
    """Show the words to post by hand and where to, and ask for the answer's address once it is there."""
    number = view.conversation.id
    blocks: list[Block] = [
        section("*1.* Copy your words. *2.* Open the post and paste them. *3.* Come back and press _I posted it_."),
        *[section(f"```{page}```") if "```" not in text else quote(page) for page in _code_pages(text)],
        *_draw_way_there(view),
        _ask_url(),
    ]
    return _modal(POSTED_VIEW, f"Post #{number} by hand", "I posted it", blocks, str(number), close="Later")


def draw_found(view: CardView) -> Json:
    """Ask for the address of a reply that turned out to be there."""
    number = view.conversation.id
    blocks: list[Block] = [
        section("Good. The conversation then counts as answered."),
        *_draw_way_there(view),
        _ask_url(),
    ]
    return _modal(FOUND_VIEW, f"#{number} is answered", "It is there", blocks, str(number))


def draw_notice(sentence: str) -> Json:
    """Tell a person one thing where a message can not."""
    return View(type="modal", title=_label("Cuecard"), close=_label("Close"), blocks=[quote(sentence)]).to_dict()


def draw_quiet(views: Sequence[CardView], *, has_more: bool = False) -> Json:
    """Show what was kept below the line, newest first, each with what can be done."""
    blocks: list[Block] = [context(plain("Kept below the line: it never reached the channel. Claim one to bring it."))]
    for view in views:
        blocks.extend(draw_row(view, ""))
    if not views:
        blocks.append(quote("Nothing is quiet."))
    if has_more:
        blocks.append(context(plain(f"These are the {len(views)} newest; /mentions and words find the others.")))
    return View(type="modal", title=_label("Kept quiet"), close=_label("Close"), blocks=blocks).to_dict()


def read_value(view: Mapping[str, Any], block_id: str) -> str:
    """Return what was entered in a block of a submitted modal: words, or a chosen person's id."""
    entered = ((view.get("state") or {}).get("values") or {}).get(block_id) or {}
    value = entered.get(block_id) or {}
    return str(value.get("selected_user") or value.get("value") or "")


def read_number(view: Mapping[str, Any]) -> int | None:
    """Return the conversation a small modal is about, to be looked up; None where it does not say."""
    metadata = str(view.get("private_metadata") or "")
    return int(metadata) if re.fullmatch(r"\d{1,15}", metadata) else None


def _ask_url() -> Block:
    element = PlainTextInputElement(action_id=URL, placeholder=_label("https://…"), max_length=2000)
    return InputBlock(
        block_id=URL, label=_label("Its address, so that others can see it"), element=element, optional=True
    )


def _draw_way_there(view: CardView) -> list[Block]:
    opener = link_button("Open post", OPEN_POST, view.mention.url)
    return [actions(opener)] if opener and not view.is_removed else []


def _code_pages(text: str) -> list[str]:
    """Return a person's own words, exactly, as escaped parts that fit a block each."""
    size = _CODE_PAGE if len(escape(text)) == len(text) else _CODE_PAGE // 5
    left = text[:MOST_TEXT]
    found: list[str] = []
    while left:
        part = cut(left, size, "")
        found.append(part)
        left = left[len(part) :]
    return found if "```" in text else [escape(part) for part in found]


def _label(text: str) -> PlainTextObject:
    return PlainTextObject(text=text[:150], emoji=False)


def _modal(  # noqa: PLR0913, PLR0917 - a modal has these parts
    callback_id: str, title: str, submit: str, blocks: list[Block], metadata: str, close: str = "Cancel"
) -> Json:
    return View(
        type="modal",
        callback_id=callback_id,
        title=_label(title[:24]),
        submit=_label(submit),
        close=_label(close),
        private_metadata=metadata,
        blocks=blocks,
    ).to_dict()
