"""What one run of listening on Mastodon remembers: where to go on from, and what was told already.

Only the cursor outlives the run; what was not stored is told again in the next one.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime
from typing import Final, Generic, TypeVar

import orjson

from listeners.mastodon.fields import Fields, moment_of, part_of, text_of
from listeners.mastodon.posts import address_of
from listeners.mastodon.timelines import newer_of

KNOWN: Final = 200
"""How many posts the cursor keeps the ids of, because a deletion is told by the id alone."""
_REMEMBERED: Final = 20_000

K = TypeVar("K")
V = TypeVar("V")


class Recent(OrderedDict[K, V], Generic[K, V]):
    """A dictionary that forgets what was put in longest ago."""

    def __init__(self, most: int = _REMEMBERED) -> None:
        """Take how much it holds at most."""
        super().__init__()
        self._most = most

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        while len(self) > self._most:
            self.popitem(last=False)


class Memory:
    """What is remembered of one server."""

    def __init__(self, cursor: str | None, host: str) -> None:
        """Take the cursor to go on from; one that cannot be read, or is of another server, counts as none."""
        told = _read(cursor, host)
        self._host = host
        self.newest = {key: text_of(part_of(told, "newest"), key) for key in part_of(told, "newest")}
        self.addresses: Recent[str, str] = Recent()
        self._versions: Recent[str, tuple[datetime | None, int]] = Recent()
        self._removed: Recent[str, None] = Recent()
        known = part_of(told, "known")
        for number in known:
            self.addresses[number] = text_of(known, number)

    def cursor(self) -> str:
        """Return where to go on from, as text."""
        known = dict(list(self.addresses.items())[-KNOWN:])
        return orjson.dumps({"host": self._host, "newest": self.newest, "known": known}).decode()

    def reach(self, key: str, native: str) -> None:
        """Note that a source was heard up to an id."""
        self.newest[key] = newer_of(self.newest.get(key, ""), native)

    def is_new(self, status: Fields, words: str) -> bool:
        """Whether what a post says was not told yet, and is neither removed nor older than what was told."""
        if text_of(status, "id") in self._removed:
            return False
        edited_at = moment_of(status, "edited_at")
        known = self._versions.get(address_of(status))
        if known is None:
            return True
        is_older = known[0] is not None and (edited_at is None or edited_at < known[0])
        return known[1] != hash(words) and not is_older

    def note(self, status: Fields, words: str) -> None:
        """Note what a post says now, and that it needs not be told again."""
        self._versions[address_of(status)] = (moment_of(status, "edited_at"), hash(words))

    def was_told(self, status: Fields) -> bool:
        """Whether a post was told as a mention, in this run or lately."""
        return text_of(status, "id") in self.addresses

    def note_mention(self, status: Fields) -> None:
        """Note that a post was told as a mention."""
        self.addresses[text_of(status, "id")] = address_of(status)

    def remove(self, number: str) -> str:
        """Note that a post is gone; return its address where it was told as a mention, else ''."""
        self._removed[number] = None
        return self.addresses.pop(number, "")


def _read(cursor: str | None, host: str) -> Fields:
    try:
        told = orjson.loads(cursor or "{}")
    except orjson.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) and told.get("host") == host else {}
