"""The choice to post a long reply as a thread: drawn under the input, with the parts as they will stand. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from slack_sdk.models.blocks import ActionsBlock, Block, CheckboxesElement, Option, PlainTextObject

from bot.refusals import name_thread, say_too_long
from bot.slack.blocks import context, plain, quote, section, words
from bot.slack.text import safe_line
from listeners.contract import Shape

AS_THREAD = "reply_as_thread"
_BLOCK = "thread"
_YES = "yes"
CHANGED = "This is how your words will be cut. Please look at the parts, then press Send."


def draw_thread(shape: Shape, counted: Sequence[Shape], *, is_chosen: bool) -> list[Block]:
    """Return the choice where a reply is too long for one post, and once it is made the parts; nothing otherwise.

    `counted` is what the platform makes of each part.
    """
    if not shape.parts:
        return []
    goes = "It goes out" if is_chosen else "It can go out"
    line = f"{say_too_long(shape)}. {goes} as a thread of {len(shape.parts)}."
    option = Option(text=PlainTextObject(text=name_thread(shape), emoji=False), value=_YES)
    box = CheckboxesElement(action_id=AS_THREAD, options=[option], initial_options=[option] if is_chosen else None)
    blocks: list[Block] = [section(safe_line(line, 300)), ActionsBlock(block_id=_BLOCK, elements=[box])]
    return [*blocks, *_draw_parts(shape.parts, counted)] if is_chosen else blocks


def _draw_parts(parts: Sequence[str], counted: Sequence[Shape]) -> list[Block]:
    blocks: list[Block] = []
    for number, (part, shape) in enumerate(zip(parts, counted, strict=True), start=1):
        count = f"{shape.count:,} of {shape.limit:,} {shape.unit}" if shape.limit else f"{shape.count:,} {shape.unit}"
        blocks += [context(words(f"*{name_part(number, len(parts))}*"), plain(count, 100)), quote(part)]
    return blocks


def name_part(number: int, count: int) -> str:
    """Return what one part of a thread is called."""
    return f"Part {number} of {count}"


def read_choice(view: Mapping[str, Any]) -> bool:
    """Return whether the thread is chosen in a modal, as Slack tells it."""
    values: Mapping[str, Mapping[str, Any]] = (view.get("state") or {}).get("values") or {}
    chosen = ((values.get(_BLOCK) or {}).get(AS_THREAD) or {}).get("selected_options") or ()
    return any(isinstance(option, Mapping) and option.get("value") == _YES for option in chosen)


def name_parts(parts: Sequence[str]) -> str:
    """Return a short name of exactly these parts, to tell whether a person saw them; '' for none."""
    whole = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(whole).hexdigest()[:16] if parts else ""
