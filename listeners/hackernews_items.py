"""Single items of Hacker News by their number, through its official API: what became of posts heard before.

Source: the README of HackerNews/API (2025-01). An item has `id`, `type`, `by`, `time`, `text` (HTML), `title`, `url`,
`parent`, and `deleted` or `dead` where they are so; of a number it does not know the answer is `null`. It is free,
needs no account, and states no limit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from listeners.contract import Finding
from listeners.errors import ListenerError, Retryable
from listeners.fetch import Fetcher
from listeners.mention import Batch, Mention, Removal
from listeners.text import decode_json, html_to_text, whole_characters

_NAME: Final = "The official API of Hacker News"


@dataclass(frozen=True, slots=True)
class Items:
    """Asks for items, one at a time."""

    fetcher: Fetcher
    firebase_url: str
    now: Callable[[], datetime]

    def recheck(self, mentions: Sequence[Mention], should_stop: Callable[[], bool]) -> Batch:
        """Look at posts again: those that changed as mentions, those that are gone as removals; see `Platform`.

        Where it fails or must stop in the middle, what was seen until then is told, and the rest is asked for again.

        Raises:
            RateLimited, Retryable: nothing at all was seen.
        """
        edits: list[Mention] = []
        removals: list[Removal] = []
        checked: list[str] = []
        for mention in mentions:
            if should_stop():
                break
            try:
                item = self._ask(mention.native_id)
            except ListenerError:
                if not checked:
                    raise
                break
            checked.append(mention.native_id)
            if item is None:
                continue
            if item.get("deleted") is True or item.get("dead") is True:
                removals.append(Removal(mention.platform, self.now(), native_id=mention.native_id))
            elif (edited := reread(mention, item)) is not None:
                edits.append(edited)
        return Batch(tuple(edits), removals=tuple(removals), checked=tuple(checked))

    def check(self) -> Finding:
        """Ask for the newest number."""
        try:
            newest = self._read("maxitem.json")
            if isinstance(newest, bool) or not isinstance(newest, int):
                raise Retryable(f"{_NAME} did not tell a number.")
        except ListenerError as err:
            remedy = "Without it, edits and deletions are not noticed; see whether this machine can reach it."
            return Finding(is_good=False, sentence=str(err), remedy=remedy)
        return Finding(is_good=True, sentence=f"{_NAME} answers.")

    def _ask(self, native_id: str) -> Mapping[str, object] | None:
        """Return an item; None for one that is not known there (also for a while, when it is very new)."""
        item = self._read(f"item/{native_id}.json")
        if item is None:
            return None
        if not isinstance(item, dict) or str(item.get("id")) != native_id:
            raise Retryable(f"{_NAME} answered with something else than the item that was asked for.")
        return item

    def _read(self, path: str) -> object:
        body = self.fetcher.get(f"{self.firebase_url.rstrip('/')}/{path}", {"Accept": "application/json"}).body
        try:
            return decode_json(body)
        except ValueError as err:
            raise Retryable(f"{_NAME} did not answer in JSON.") from err


def write_text(html: str, title: str, link: str, *, is_reply: bool) -> str:
    """Return the text of a mention: a comment's own, or a story's text (else its title) and link."""
    body = html_to_text(html)
    return body if is_reply else f"{body or title}\n{link}".strip()


def reread(mention: Mention, item: Mapping[str, object]) -> Mention | None:
    """Return the mention in the words its item has now; None where they are the same, but for space, or there are none.

    The search and this API may differ in white space, which is no edit.
    """
    is_reply = bool(mention.in_reply_to)
    title = mention.title if is_reply else whole_characters(_text_of(item, "title")) or mention.title
    text = write_text(_text_of(item, "text"), title, whole_characters(_text_of(item, "url")), is_reply=is_reply)
    if not text or (text.split(), title.split()) == (mention.text.split(), mention.title.split()):
        return None
    return replace(mention, text=text, title=title)


def _text_of(item: Mapping[str, object], key: str) -> str:
    value = item.get(key)
    return value.strip() if isinstance(value, str) else ""
