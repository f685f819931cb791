"""The small modals: give it to somebody, hand it over, say that a reply is there, look at what is quiet. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote as quote_plainly

from slack_sdk.models.blocks import (
    Block,
    InputBlock,
    PlainTextInputElement,
    PlainTextObject,
    UserSelectElement,
)
from slack_sdk.models.views import View

from bot.records import CardView
from bot.slack.blocks import Json, actions, context, link_button, plain, quote, section, words
from bot.slack.buttons import OPEN_POST
from bot.slack.rows import draw_row
from bot.slack.text import cut, escape, safe_line, safe_url
from bot.slack.thread import name_part
from listeners.contract import Capability
from nlp.playbook import HandTo

ASSIGN_VIEW = "assign"
HAND_OVER_VIEW = "hand_over"
POSTED_VIEW = "posted"
FOUND_VIEW = "found"

ASSIGN_TO = "assign_to"
NOTE = "hand_over_note"
URL = "reply_url"
FILLED_IN = "posted_open_filled_in"
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


def draw_posted(view: CardView, capability: Capability, parts: Sequence[str]) -> Json:
    """Show the words to post by hand and where to, and ask for the answer's address once it is there.

    `parts` are the posts of a thread, or the one text of a single post; the words are put into the platform's own
    window where `capability` knows how.
    """
    number = view.conversation.id
    filled = "" if view.is_removed else fill_in(capability.prefill, parts[0])
    account = [section(f"Sign in as *{safe_line(capability.account, 80)}*.")] if capability.account else []
    blocks: list[Block] = [
        *account,
        section(_describe_steps(len(parts), is_filled_in=bool(filled))),
        *_draw_words(parts),
        *_draw_way_there(view, filled, capability.url),
        _ask_url(),
    ]
    return _modal(POSTED_VIEW, f"Post #{number} by hand", "I posted it", blocks, str(number), close="Later")


def fill_in(template: str, text: str) -> str:
    """Return the address that opens a platform with a reply filled in, '' where there is none.

    Every character of the text is percent-encoded, so it can be nothing but text there. Where the address would be too
    long for a button it is left out; the person pastes then.
    """
    address = template.replace("{text}", quote_plainly(text, safe="", errors="replace"))
    return safe_url(address) if "{text}" in template else ""


def _describe_steps(count: int, *, is_filled_in: bool) -> str:
    """Say what to do to post by hand, in order."""
    if count == 1 and not is_filled_in:
        steps = ["Copy your words.", "Open the post and paste them."]
    elif count == 1:
        steps = ["Open the post with your words filled in, and post them."]
    else:
        how = "Open the post with part 1 filled in, and post it." if is_filled_in else "Copy part 1 into the post."
        steps = [how, "Answer it with part 2." if count == 2 else "Answer it with part 2, that one with 3, and so on."]
    steps.append("Come back and press _I posted it_.")
    return " ".join(f"*{number}.* {step}" for number, step in enumerate(steps, start=1))


def _draw_words(parts: Sequence[str]) -> list[Block]:
    """Return the words for copying; each part of a thread has blocks of its own."""
    blocks: list[Block] = []
    for number, text in enumerate(parts, start=1):
        if len(parts) > 1:
            blocks.append(context(words(f"*{name_part(number, len(parts))}*")))
        blocks += [section(f"```{page}```") if "```" not in text else quote(page) for page in _code_pages(text)]
    return blocks


def draw_found(view: CardView) -> Json:
    """Ask for the address of a reply, or of a part of it, that turned out to be there."""
    number = view.conversation.id
    is_whole = view.send is None or len(view.send.left) <= 1
    rest = "The rest of the thread did not go out. Press Reply after this; it begins with those words."
    line = "Good. The conversation then counts as answered." if is_whole else f"Good. {rest}"
    blocks: list[Block] = [
        section(line),
        *_draw_way_there(view),
        _ask_url(),
    ]
    title = f"#{number} is answered" if is_whole else f"#{number}: it is there"
    return _modal(FOUND_VIEW, title, "It is there", blocks, str(number))


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


def _draw_way_there(view: CardView, filled: str = "", url: str = "") -> list[Block]:
    """Return the buttons that lead to the post: with the words filled in, and plainly."""
    if view.is_removed:
        return []
    openers = link_button("Open with your words filled in", FILLED_IN, filled, style="primary")
    openers += link_button("Open post", OPEN_POST, url) or link_button("Open post", OPEN_POST, view.mention.url)
    return [actions(openers)] if openers else []


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
