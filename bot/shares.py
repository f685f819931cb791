"""What a quiet brand has of the day's cards beside a loud one; pure.

Half of the budget is split evenly: so many cards a brand may count on, where so many of its posts need a reply. Where
the line would let fewer of them through, the brand has a lower line of its own until it has had them. The other half,
and what a brand leaves, goes to the best of all.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

_WEEK = 7
_LEAST_KNOWN = 0.25
_FORGOTTEN_AFTER = 21
_RANKS = 100
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Share:
    """A brand's own line: the least priority of its next cards, how many these may be, and how many are kept for it."""

    line: float
    left: int
    kept: float


@dataclass(slots=True)
class _Brand:
    """How the newest candidates of a brand rank, and how many there were each day."""

    ranks: deque[float] = field(default_factory=lambda: deque(maxlen=_RANKS))
    days: Counter[int] = field(default_factory=Counter)

    def in_a_day(self, since: datetime, now: datetime) -> float:
        """Return how many are usual in a day: the mean of the last week, or of what is known of it."""
        first = _day(now) - _WEEK + 1
        known = now.timestamp() / 86_400 - max(since.timestamp() / 86_400, first)
        return sum(number for day, number in self.days.items() if day >= first) / max(known, _LEAST_KNOWN)


class Shares:
    """Counts the candidates of each brand."""

    def __init__(self, per_day: int) -> None:
        """Take the budget."""
        self._per_day = per_day
        self._brands: dict[str, _Brand] = {}

    def add(self, brand: str, priority: float, written_at: datetime) -> None:
        """Count a candidate below grade 3."""
        known = self._brands.setdefault(brand, _Brand())
        known.ranks.append(priority)
        known.days[_day(written_at)] += 1

    def below(
        self, line: float, since: datetime, now: datetime, left: timedelta, spent_on: Mapping[str, int]
    ) -> dict[str, Share]:
        """Return the brands that this line would keep below their share.

        Args:
            line: the least priority of a card, for all brands.
            since: the first moment from which everything that was heard is known.
            now: the present.
            left: how much of the team's day is left.
            spent_on: how many cards each brand has had today.
        """
        self._forget(now)
        own = self._per_day // (2 * len(self._brands)) if self._brands else 0
        if not line or len(self._brands) == 1 or not own:
            return {}
        found = {}
        for name, brand in self._brands.items():
            room = own - spent_on.get(name, 0)
            coming = brand.in_a_day(since, now) * (left / _DAY)
            passing = coming * sum(rank >= line for rank in brand.ranks) / len(brand.ranks)
            kept = min(room, coming) - passing
            if room > 0 and kept > 0:
                found[name] = Share(_line_of(brand, room, coming), room, kept)
        return found

    def _forget(self, now: datetime) -> None:
        """Forget the days that are over for long, and brands of which nothing was heard since."""
        oldest = _day(now) - _FORGOTTEN_AFTER
        for name, brand in list(self._brands.items()):
            for day in [day for day in brand.days if day < oldest]:
                del brand.days[day]
            if not brand.days:
                del self._brands[name]


def _line_of(brand: _Brand, room: float, coming: float) -> float:
    """Return the priority that so many of a brand's newest have as its share has room for of those to come."""
    if room >= coming:
        return 0.0
    return heapq.nlargest(int(room / coming * len(brand.ranks)) + 1, brand.ranks)[-1]


def _day(moment: datetime) -> int:
    return int(moment.timestamp() // 86_400)
