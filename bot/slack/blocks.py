"""Small builders over slack_sdk's block models, which check Slack's limits as they are turned into JSON.

`plain` and `quote` take any text; `words` takes only mrkdwn that we wrote, with foreign parts already made safe.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ConfirmObject,
    ContextBlock,
    DividerBlock,
    HeaderBlock,
    InteractiveElement,
    MarkdownTextObject,
    Option,
    OverflowMenuElement,
    PlainTextObject,
    SectionBlock,
    StaticSelectElement,
    TextObject,
)

from bot.slack.text import safe, safe_line, safe_url

Json = dict[str, Any]
MOST_BLOCKS = 45
MOST_CHARACTERS = 8000
"""Slack refuses a message somewhere above 9,600 characters of block text (bolt-js#2867), and says no exact limit."""


@dataclass(frozen=True, slots=True)
class Message:
    """A Slack message: `text` is what a notification and a screen reader say, `blocks` what is drawn."""

    text: str
    blocks: list[Json] = field(default_factory=list)


def to_json(blocks: Iterable[Block]) -> list[Json]:
    """Return the blocks as JSON.

    Raises:
        slack_sdk.errors.SlackObjectFormationError: a block breaks one of Slack's limits.
    """
    return [block.to_dict() for block in blocks]


def count_characters(node: object) -> int:
    """Return how many characters of text a block, or a list of blocks, holds."""
    if isinstance(node, dict):
        own = len(node["text"]) if isinstance(node.get("text"), str) else 0
        return own + sum(count_characters(value) for value in node.values() if isinstance(value, dict | list))
    return sum(count_characters(item) for item in node) if isinstance(node, list) else 0


def plain(text: str, limit: int = 2000) -> PlainTextObject:
    """Return any text, shown as it is; a space where nothing is left, for Slack refuses an empty text."""
    return PlainTextObject(text=safe(text, limit) or " ", emoji=False)


def words(mrkdwn: str) -> MarkdownTextObject:
    """Return our own words; bare addresses and names in them are not turned into links."""
    return MarkdownTextObject(text=mrkdwn, verbatim=True)


def header(text: str) -> HeaderBlock:
    """Return a headline."""
    return HeaderBlock(text=PlainTextObject(text=safe_line(text, 150) or " ", emoji=False))


def section(mrkdwn: str, **others: Any) -> SectionBlock:  # noqa: ANN401 - passed on to the model as it is
    """Return a paragraph of our own words."""
    return SectionBlock(text=words(mrkdwn), **others)


def quote(text: str, limit: int = 2900, mark: str = "…", **others: Any) -> SectionBlock:  # noqa: ANN401
    """Return a paragraph of somebody's text, as they wrote it."""
    return SectionBlock(text=PlainTextObject(text=safe(text, limit, mark) or " ", emoji=False), **others)


def context(*parts: TextObject) -> ContextBlock:
    """Return a line of small print."""
    return ContextBlock(elements=list(parts))


def divider() -> DividerBlock:
    """Return a line."""
    return DividerBlock()


def actions(elements: Sequence[InteractiveElement]) -> ActionsBlock:
    """Return a row of buttons and menus."""
    return ActionsBlock(elements=list(elements))


def button(label: str, action_id: str, value: str, *, style: str | None = None) -> ButtonElement:
    """Return a button; `value` carries ids only."""
    return ButtonElement(
        text=PlainTextObject(text=label, emoji=False), action_id=action_id, value=value or None, style=style
    )


def careful_button(label: str, action_id: str, value: str, *, question: str, yes: str) -> ButtonElement:
    """Return a button that asks once more before it acts."""
    confirm = ConfirmObject(
        title=PlainTextObject(text=label, emoji=False),
        text=PlainTextObject(text=question, emoji=False),
        confirm=PlainTextObject(text=yes, emoji=False),
        deny=PlainTextObject(text="Back", emoji=False),
    )
    return ButtonElement(
        text=PlainTextObject(text=label, emoji=False), action_id=action_id, value=value, confirm=confirm
    )


def link_button(label: str, action_id: str, url: str, *, style: str | None = None) -> list[ButtonElement]:
    """Return a button that opens an address, or nothing where the address is not one to open."""
    address = safe_url(url)
    if not address:
        return []
    text = PlainTextObject(text=label, emoji=False)
    return [ButtonElement(text=text, action_id=action_id, url=address, style=style)]


def menu(label: str, action_id: str, options: Sequence[tuple[str, str]]) -> StaticSelectElement:
    """Return a menu of (label, value) that stands in a row of buttons."""
    return StaticSelectElement(
        placeholder=PlainTextObject(text=label, emoji=False), action_id=action_id, options=_options(options)
    )


def overflow(action_id: str, options: Sequence[tuple[str, str]]) -> OverflowMenuElement:
    """Return the three dots, with (label, value) behind them."""
    return OverflowMenuElement(action_id=action_id, options=_options(options))


def _options(pairs: Sequence[tuple[str, str]]) -> list[Option]:
    return [Option(text=PlainTextObject(text=label, emoji=False), value=value) for label, value in pairs]
