"""What a reply on Mastodon answers, and the root of its thread: the server names neither, so they are looked up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from listeners.errors import ListenerError
from listeners.mastodon.client import Client, NotOffered
from listeners.mastodon.fields import part_of, text_of
from listeners.mastodon.memory import Recent
from listeners.mastodon.posts import address_of, is_public, read_text
from listeners.mastodon.server import Server
from listeners.mastodon.timelines import RESERVE
from listeners.mention import Mention

MAX_DEPTH: Final = 8
"""How many posts up a thread is followed; beyond that the furthest that was found stands for its root."""
PER_BATCH: Final = 30
_REMEMBERED: Final = 2_000


@dataclass(frozen=True, slots=True)
class _Parent:
    """A post that was answered: its address, its words where they may be shown, and what it answers itself."""

    address: str
    words: str
    above: str


class Threads:
    """Looks up what replies answer, remembering what it found; failing to is never an error."""

    def __init__(self, client: Client, server: Server, *, may_show_private: bool) -> None:
        """Take what to ask; `may_show_private` lets the words of posts be shown that are not public."""
        self._client = client
        self._server = server
        self._may_show_private = may_show_private
        self._parents: Recent[str, _Parent | None] = Recent(_REMEMBERED)
        self._left = PER_BATCH

    def renew(self) -> None:
        """Allow as many look-ups again as a batch may take."""
        self._left = PER_BATCH

    def place(self, mention: Mention) -> Mention:
        """Return a mention with the thread it stands in and what it answers, as far as that is found."""
        parent = self._parent(mention.in_reply_to) if mention.in_reply_to else None
        if parent is None:
            return mention
        root = parent
        for _step in range(MAX_DEPTH - 1):
            above = self._parent(root.above) if root.above else None
            if above is None:
                break
            root = above
        return replace(mention, thread_id=root.address, in_reply_to=parent.address, parent_text=parent.words)

    def _parent(self, number: str) -> _Parent | None:
        if number not in self._parents:
            if self._left <= 0 or self._client.api.ratelimit_remaining < 2 * RESERVE:
                return None
            self._left -= 1
            try:
                self._parents[number] = self._read(self._client.ask(lambda api: api.status(number)))
            except NotOffered:
                self._parents[number] = None  # it is gone, or not for us to see
            except ListenerError:
                self._left = 0
                return None
        return self._parents[number]

    def _read(self, status: object) -> _Parent | None:
        if not isinstance(status, dict) or not address_of(status):
            return None
        is_shown = self._may_show_private or is_public(status)
        words = ""
        if is_shown or self._server.is_us(part_of(status, "account")):
            words = read_text(status, self._server) or text_of(status, "spoiler_text")
        return _Parent(address_of(status), words, text_of(status, "in_reply_to_id"))
