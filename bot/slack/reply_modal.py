"""The modal in which a person writes the answer. Pure.

What it carries in `private_metadata` are ids: the conversation, the mention the person is reading, what was suggested
then and which of it they started from, and a short name of the account that answers. The suggestions themselves are
looked up again when the answer comes in; see `Desk.suggested`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import Block, InputBlock, PlainTextInputElement, PlainTextObject
from slack_sdk.models.blocks.basic_components import DispatchActionConfig
from slack_sdk.models.views import View

from bot.ledger import Send
from bot.records import CardView
from bot.slack.advice import NO_DRAFT, draw_advice, draw_sources
from bot.slack.blocks import (
    Json,
    actions,
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
from bot.slack.text import clean, cut, one_line, safe_line, show_time
from bot.slack.thread import CHANGED, draw_thread, name_parts
from listeners.catalog import label_of
from listeners.contract import Capability, Shape
from listeners.mention import Mention
from nlp.draft import Drafts
from nlp.playbook import HandTo

REPLY_VIEW = "reply"
REPLY_TEXT = "reply_text"
_NEWS = "They wrote again while you were writing. Here is the new message; your words are still below."
_NEW_WAY = "answers this by now, not the account you saw first. Your words are still there; send them if they fit."
_PAGE = 2800
_MOST_PAGES = 5
_EARLIER_SHOWN = 5
_MOST_NUMBER = 2**53


@dataclass(frozen=True, slots=True)
class Writing:
    """Where a person is in writing an answer.

    `chosen` is which of `drafts` they started from, None for a blank page, and `suggestion` the drafts' number. `text`
    is what stands in the input, `shape` what the platform makes of it, `problem` why it can not be sent as it stands
    ('' where it can, and where only the choice to post a thread is open). `has_news` says on top that the author wrote
    again meanwhile, `has_new_way` that not the `way` they were shown leads back, but another account answers. `hand_to`
    is whom the playbook would pass this on to.

    `as_thread` is whether the person chose a thread, `counted` then what the platform makes of each part, and
    `has_new_parts` says that these are other parts than those they saw. `unsent` is the reply that did not leave, or
    not whole, where the input begins with its words.
    """

    view: CardView
    capability: Capability
    drafts: Drafts
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
    suggestion: int = 0
    hand_to: HandTo | None = None
    way: str = ""
    has_new_way: bool = False


@dataclass(frozen=True, slots=True)
class Ids:
    """What `private_metadata` says: hints from outside, to be looked up and never trusted.

    `parts` is the short name of the parts of a thread that were shown, '' where none were. `suggestion` is the number
    of what was suggested, 0 for nothing, and `way` the short name of the feed and account that were to answer.
    """

    conversation_id: int
    mention_id: int
    chosen: int | None = None
    has_news: bool = False
    parts: str = ""
    suggestion: int = 0
    way: str = ""


def pack_ids(ids: Ids) -> str:
    """Return the ids as `private_metadata`."""
    packed: Json = {"c": ids.conversation_id, "m": ids.mention_id, "d": ids.chosen, "n": int(ids.has_news)}
    packed |= {"s": ids.suggestion, "w": ids.way, **({"t": ids.parts} if ids.parts else {})}
    return json.dumps(packed, separators=(",", ":"))


def unpack_ids(metadata: str) -> Ids | None:
    """Return the ids, or None where the metadata is not ours."""
    try:
        found = json.loads(metadata)
        chosen = found.get("d")
        return Ids(
            _number(found["c"]),
            _number(found["m"]),
            None if chosen is None else _number(chosen),
            bool(found.get("n")),
            str(found.get("t") or ""),
            _number(found.get("s") or 0),
            str(found.get("w") or ""),
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return None


def _number(value: Any) -> int:  # noqa: ANN401 - JSON can be anything
    """Return a number that a database can be asked for.

    Raises:
        ValueError, TypeError, OverflowError: it is none.
    """
    number = int(value)
    if abs(number) > _MOST_NUMBER:
        raise ValueError(number)
    return number


def name_way(view: CardView, capability: Capability) -> str:
    """Return a short name of the feed and the account that answer a conversation, the same while they are."""
    mention = view.mention
    told = repr((mention.feed, mention.feed_platform, mention.account, capability.account))
    return hashlib.blake2b(told.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def text_block(chosen: int | None) -> str:
    """Return the input's block id: another one for another start, so that Slack shows the new text."""
    return f"text_{NO_DRAFT if chosen is None else chosen}"


def draw_reply_modal(writing: Writing) -> Json:
    """Return the modal."""
    ids = ids_of(writing)
    blocks: list[Block] = [
        *([section(f"*{_NEWS}*"), divider()] if writing.has_news else []),
        *([section(f"*{_name_account(writing.capability)} {_NEW_WAY}*"), divider()] if writing.has_new_way else []),
        *([section(f"*{CHANGED}*"), divider()] if writing.has_new_parts else []),
        *_draw_mention(writing),
        divider(),
        *_draw_unsent(writing.unsent),
        *draw_advice(writing.drafts, writing.chosen, writing.hand_to),
        _draw_input(writing),
        *draw_count(writing.shape, writing.problem),
        *draw_thread(writing.shape, writing.counted, is_chosen=writing.as_thread),
        *draw_sources(writing.drafts),
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


def ids_of(writing: Writing) -> Ids:
    """Return what the modal carries."""
    parts = name_parts(writing.shape.parts) if writing.as_thread else ""
    way = writing.way or name_way(writing.view, writing.capability)
    number, mention_id = writing.view.conversation.id, writing.view.mention_id
    return Ids(number, mention_id, writing.chosen, writing.has_news, parts, writing.suggestion, way)


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


def _draw_unsent(unsent: Send | None) -> list[Block]:
    """Say where the words in the input come from, if they are a reply that did not leave."""
    if unsent is None:
        return []
    rest = "The rest of " if unsent.posted else ""
    return [section(f"*{rest}{name(unsent.approved_by)}'s reply was not sent.* The words stand below.")]


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


def _name_account(capability: Capability) -> str:
    return safe_line(capability.account, 80) or "Another account"


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
