"""Who would be called by a message. Escaped entities call nobody, exactly as in Slack."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.demo.blocks import texts_of

_LIVE = re.compile(r"<(![a-z]+(?:\^[A-Z0-9]+)?|@[UW][A-Z0-9]+)(?:\|[^>]*)?>")
_BARE = re.compile(r"(?<![\w<])@(channel|here|everyone)\b")


@dataclass(frozen=True, slots=True)
class Ping:
    """Somebody was called: `target` is '!channel', '@U0ANALIMA' and the like."""

    channel: str
    ts: str
    target: str


def targets_in(text: str, *, is_linking: bool = False) -> Iterator[str]:
    """Yield what mrkdwn text calls; with `is_linking` (`link_names` or `parse=full`), bare names call too."""
    for match in _LIVE.finditer(text):
        if not match[1].startswith("!date"):
            yield match[1]
    if is_linking:
        yield from (f"!{name}" for name in _BARE.findall(text))


def pings_of(message: dict[str, Any], channel: str, *, is_linking: bool = False) -> list[Ping]:
    """Return all that a message calls, in its text and in every text of its blocks that is not plain."""
    texts = [str(message.get("text", ""))]
    texts += [t["text"] for t in texts_of(message.get("blocks", [])) if t["type"] != "plain_text"]
    return [Ping(channel, message["ts"], t) for text in texts for t in targets_in(text, is_linking=is_linking)]
