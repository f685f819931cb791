"""Where a feed of X stands: what travels with each batch, as text."""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass, field
from datetime import UTC, datetime
from typing import Final

_VERSION: Final = 1


@dataclass(slots=True)
class Place:
    """How far one search, or our own mentions, is heard; numbers of posts are text, '' for none.

    `newest`: every post up to it is heard. `since`: where there is none, the second from which to look. A look that is
    under way or was broken off has read from `first` down to `until`; what is between `until` and `newest` is still to
    be read, and what came after `first` too. `looked_at` is the second of the last whole look's first page, `began_at`
    that of the one under way.
    """

    newest: str = ""
    since: int = 0
    first: str = ""
    until: str = ""
    looked_at: int = 0
    began_at: int = 0

    def read_page(self, ids: list[str], now: int) -> None:
        """Note that a page was read."""
        self.began_at = self.began_at or now
        if ids:
            self.first = self.first or max(ids, key=int)
            self.until = min(ids, key=int)

    def finish(self) -> None:
        """Note that the last page was read."""
        self.advance(self.first, self.began_at)
        self.first, self.until, self.began_at = "", "", 0

    def advance(self, native_id: str, now: int) -> None:
        """Note that every post up to one is heard, and all that there was up to now."""
        self.looked_at = now
        if native_id and int(native_id) > int(self.newest or 0):
            self.newest = native_id


@dataclass(slots=True)
class Cursor:
    """Where a feed stands: when all of it was last heard, since when only our own mentions are, and each place."""

    heard_at: int
    slow_since: int = 0
    places: dict[str, Place] = field(default_factory=dict)

    def write(self) -> str:
        """Return it as text."""
        places = {key: list(astuple(each)) for key, each in self.places.items()}
        told = {"v": _VERSION, "at": self.heard_at, "slow": self.slow_since, "places": places}
        return json.dumps(told, separators=(",", ":"))

    def newest(self) -> str:
        """Return the newest post heard by any of them."""
        return max((each.newest for each in self.places.values()), key=lambda newest: int(newest or 0), default="")


def read_cursor(text: str | None) -> Cursor | None:
    """Read a cursor; None for none, and for one that cannot be read (the feed then looks back as at its start)."""
    try:
        told = json.loads(text or "")
        if told["v"] != _VERSION:
            return None
        places = {str(key): _place(*value) for key, value in told["places"].items()}
        return Cursor(int(told["at"]), int(told["slow"]), places)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _place(newest: str, since: int, first: str, until: str, *seconds: int) -> Place:
    for number in (newest, first, until):
        int(number or 0)
    looked_at, began_at = seconds
    return Place(str(newest), int(since), str(first), str(until), int(looked_at), int(began_at))


def moment(second: float) -> datetime:
    """Return a second as a moment."""
    return datetime.fromtimestamp(second, UTC)
