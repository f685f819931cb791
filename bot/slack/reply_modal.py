"""The modal in which a person writes the answer. Pure.

What it carries in `private_metadata` are ids: the conversation, the mention the person is reading, and which of the
suggestions they started from. The suggestion itself is worked out again when the answer comes in; see `Desk.drafts`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import Block, InputBlock, PlainTextInputElement, PlainTextObject
from slack_sdk.models.blocks.basic_components import DispatchActionConfig
from slack_sdk.models.views import View

from bot.ledger import Send
from bot.records import CardView
from bot.slack.blocks import (
    Json,
    actions,
    button,
    careful_button,
    context,
    divider,
    link_button,
    plain,
    quote,
    section,
    words,
)
from bot.slack.buttons import OPEN_POST
from bot.slack.card import describe_author, describe_route, list_reasons
from bot.slack.modals import MOST_TEXT
from bot.slack.status import name
from bot.slack.text import clean, cut, excerpt, one_line, safe_line, show_time
from bot.slack.thread import CHANGED, draw_thread, name_parts
from listeners.catalog import label_of
from listeners.contract import Capability, Shape
from listeners.mention import Mention
from nlp.assessment import Draft

REPLY_VIEW = "reply"
REPLY_TEXT = "reply_text"
NO_DRAFT = "none"
MOST_DRAFTS = 3
STARTS = (*(f"reply_start_{number}" for number in range(MOST_DRAFTS)), f"reply_start_{NO_DRAFT}")
"""The buttons that choose what to start from: a suggestion, or a blank page."""
_NEWS = "They wrote again while you were writing. Here is the new message; your words are still below."
_PAGE = 2800
_MOST_PAGES = 5
_EARLIER_SHOWN = 5
_DRAFT_WORDS: Mapping[str, str] = {"answer": "An answer", "ask": "Ask for more", "private": "Move to private"}


@dataclass(frozen=True, slots=True)
class Writing:
    """Where a person is in writing an answer.

    `chosen` is which of `drafts` they started from, None for a blank page. `text` is what stands in the input, `shape`
    what the platform makes of it, `problem` why it can not be sent as it stands ('' where it can, and where only the
    choice to post a thread is open). `has_news` says on top that the author wrote again meanwhile.

    `as_thread` is whether the person chose a thread, `counted` then what the platform makes of each part, and
    `has_new_parts` says that these are other parts than those they saw. `unsent` is the reply that did not leave, or
    not whole, where the input begins with its words.
    """

    view: CardView
    capability: Capability
    drafts: Sequence[Draft]
    chosen: int | None
    text: str
    shape: Shape
    problem: str = ""
    has_news: bool = False
    earlier: Sequence[Mention] = ()
    hold_seconds: float = 30
    as_thread: bool = False
    counted: Sequence[Shape] = ()
    has_new_parts: bool = False
    unsent: Send | None = None


@dataclass(frozen=True, slots=True)
class Ids:
    """What `private_metadata` says: hints from outside, to be looked up and never trusted.

    `parts` is the short name of the parts of a thread that were shown, '' where none were.
    """

    conversation_id: int
    mention_id: int
    chosen: int | None = None
    has_news: bool = False
    parts: str = ""


def pack_ids(ids: Ids) -> str:
    """Return the ids as `private_metadata`."""
    packed: Json = {"c": ids.conversation_id, "m": ids.mention_id, "d": ids.chosen, "n": int(ids.has_news)}
    if ids.parts:
        packed["t"] = ids.parts
    return json.dumps(packed, separators=(",", ":"))


def unpack_ids(metadata: str) -> Ids | None:
    """Return the ids, or None where the metadata is not ours."""
    try:
        found = json.loads(metadata)
        chosen = found.get("d")
        number, mention = int(found["c"]), int(found["m"])
        parts = str(found.get("t") or "")
        return Ids(number, mention, None if chosen is None else int(chosen), bool(found.get("n")), parts)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return None


def text_block(chosen: int | None) -> str:
    """Return the input's block id: another one for another start, so that Slack shows the new text."""
    return f"text_{NO_DRAFT if chosen is None else chosen}"


def draw_reply_modal(writing: Writing) -> Json:
    """Return the modal."""
    parts = name_parts(writing.shape.parts) if writing.as_thread else ""
    ids = Ids(writing.view.conversation.id, writing.view.mention_id, writing.chosen, writing.has_news, parts)
    blocks: list[Block] = [
        *([section(f"*{_NEWS}*"), divider()] if writing.has_news else []),
        *([section(f"*{CHANGED}*"), divider()] if writing.has_new_parts else []),
        *_draw_mention(writing),
        divider(),
        *_draw_advice(writing),
        _draw_input(writing),
        *draw_count(writing.shape, writing.problem),
        *draw_thread(writing.shape, writing.counted, is_chosen=writing.as_thread),
        context(plain(_describe_send(writing), 300)),
    ]
    return View(
        type="modal",
        callback_id=REPLY_VIEW,
        title=PlainTextObject(text=f"Reply to #{ids.conversation_id}"[:24], emoji=False),
        submit=PlainTextObject(text="Send" if writing.capability.route == "api" else "Get it ready", emoji=False),
        close=PlainTextObject(text="Cancel", emoji=False),
        private_metadata=pack_ids(ids),
        blocks=blocks,
    ).to_dict()


def draw_count(shape: Shape, problem: str) -> list[Block]:
    """Return the live line under the input: 'Characters: 132 of 280', and what still stands in the way."""
    of_limit = f" of {shape.limit:,}" if shape.limit else ""
    over = " · too long" if shape.limit and shape.count > shape.limit else ""
    line = f"{shape.unit.capitalize()}: {shape.count:,}{of_limit}{over}"
    parts = [plain(line, 200), *([plain(f"Not yet: {problem}", 400)] if problem else [])]
    return [context(*parts)]


def pages(text: str) -> list[str]:
    """Return a long text as parts that fit a block each; the rest of a very long one is left to the post itself."""
    left = clean(text[: 4 * _PAGE * _MOST_PAGES])
    found: list[str] = []
    while left and len(found) < _MOST_PAGES:
        part = left if len(left) <= _PAGE else cut(left, _PAGE, "")
        found.append(part)
        left = left[len(part) :].lstrip("\n")
    return [*found[:-1], f"{found[-1]} … (the rest is in the post)"] if left else found


def _draw_mention(writing: Writing) -> list[Block]:
    view, mention = writing.view, writing.view.mention
    place = f"{label_of(mention.platform)} · {describe_author(mention)}"
    blocks: list[Block] = [context(plain(place, 400), words(f"posted {show_time(mention.created_at, '{ago}')}"))]
    blocks += [
        context(
            words(f"earlier, {show_time(each.created_at, '{ago}')}:"), plain(cut(clean(each.text[:12_000]), 600), 1900)
        )
        for each in writing.earlier[-_EARLIER_SHOWN:]
    ]
    if mention.parent_text:
        blocks.append(context(words("in answer to:"), _draw_beginning(mention.parent_text)))
    if mention.title:
        blocks.append(quote(one_line(mention.title), 500))
    blocks += [quote(page) for page in pages(mention.text)] or [quote("(a post without words)")]
    reasons = list_reasons(view.assessment.reasons)
    if reasons:
        blocks.append(context(words("*Why:*"), plain(reasons, 450)))
    opener = link_button("Open post", OPEN_POST, mention.url)
    return [*blocks, actions(opener)] if opener else blocks


def _draw_beginning(text: str) -> PlainTextObject:
    return plain(cut(clean(text[:12_000]), 600), 1900)


def _draw_advice(writing: Writing) -> list[Block]:
    """Return what to know before writing, and the choice of where to start from."""
    blocks: list[Block] = []
    if writing.unsent is not None:
        rest = "The rest of " if writing.unsent.posted else ""
        blocks.append(
            section(f"*{rest}{name(writing.unsent.approved_by)}'s reply was not sent.* The words stand below.")
        )
    if not writing.capability.may_suggest:
        rule = writing.capability.reason or "The house rules there ask for a person's own words."
        blocks.append(section(f"*House rule:* {safe_line(rule, 400)} Nothing is suggested here."))
    elif not writing.drafts:
        blocks.append(context(plain("Nothing is suggested here: the words are yours.")))
    else:
        blocks.append(context(plain("Fill in what stands in [brackets]; a suggestion is never sent as it is.")))
        starts = [
            button(_describe_draft(draft, number), STARTS[number], str(number), style=_chosen(writing, number))
            for number, draft in enumerate(writing.drafts[:MOST_DRAFTS])
        ]
        question = "Everything that stands in the answer is taken away."
        blank = careful_button("A blank page", STARTS[-1], NO_DRAFT, question=question, yes="Clear it")
        blocks.append(actions([*starts, blank]))
    return blocks


def _chosen(writing: Writing, number: int | None) -> str | None:
    return "primary" if writing.chosen == number else None


def _describe_draft(draft: Draft, number: int) -> str:
    return excerpt(_DRAFT_WORDS.get(draft.kind, draft.kind), 60) or f"Suggestion {number + 1}"


def _draw_input(writing: Writing) -> Block:
    element = PlainTextInputElement(
        action_id=REPLY_TEXT,
        multiline=True,
        max_length=MOST_TEXT,
        initial_value=cut(writing.text, MOST_TEXT) or None,
        focus_on_load=True,
        dispatch_action_config=DispatchActionConfig(trigger_actions_on=["on_character_entered"]),
    )
    return InputBlock(
        block_id=text_block(writing.chosen),
        label=PlainTextObject(text=_name_input(writing.capability), emoji=False),
        element=element,
        dispatch_action=True,
    )


def _name_input(capability: Capability) -> str:
    """Return the input's label: it names the account whose words these will be."""
    account = safe_line(capability.account, 80)
    if not account:
        return "Your answer"
    return f"Your answer, from {account}" if capability.route == "api" else f"Your answer, to be posted as {account}"


def _describe_send(writing: Writing) -> str:
    if writing.capability.route != "api":
        return describe_route(writing.capability)
    account = f" from {writing.capability.account}" if writing.capability.account else ""
    thread = f" as a thread of {len(writing.shape.parts)}" if writing.as_thread and writing.shape.parts else ""
    return f"It is posted{account}{thread}, {writing.hold_seconds:g} seconds after Send; until then Undo works."


def read_text(view: Mapping[str, Any], chosen: int | None = None) -> str:
    """Return what stands in the input of a submitted modal."""
    values: Mapping[str, Mapping[str, Any]] = (view.get("state") or {}).get("values") or {}
    block: Mapping[str, Any] = values.get(text_block(chosen)) or next(
        (each for each in values.values() if REPLY_TEXT in each), {}
    )
    return str((block.get(REPLY_TEXT) or {}).get("value") or "")


def shown_start(view: Mapping[str, Any]) -> str:
    """Return the text that the input began with, as Slack tells it back: only ever used to refuse, never to allow."""
    for block in view.get("blocks") or ():
        element = block.get("element") or {}
        if element.get("action_id") == REPLY_TEXT:
            return str(element.get("initial_value") or "")
    return ""
