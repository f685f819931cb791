"""How much of what is heard could become a card, and where the line stands that lets the day's budget through; pure.

Above the line stands, of what is still to come today, just as much as the budget has left. What is to come is learned
by the hour: from the same hour of earlier days (of the same weekday above all), times how today's last hours compare
with theirs. How it ranks is learned from the newest candidates. So a Saturday spends its budget though Friday was four
times as full, a storm raises the line within the hour, and the morning leaves room for the evening.

Brands share the budget. Where one is so loud that another would have fewer cards than half of an equal share, the quiet
one has a line of its own until it has that many: see `bot.shares`.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.line import LEAST_NEEDS_REPLY, MUST_ANSWER
from bot.shares import Share, Shares
from nlp.assessment import Assessment

REMEMBERED = timedelta(days=21)
"""How far back the hours of earlier days are learned from."""
_DAYS = REMEMBERED.days
_RANKS = 400
_SAME_WEEKDAY, _SAME_KIND, _OTHER_KIND = 4.0, 1.0, 0.1
_FADES = 0.95
_BESIDE = ((0, 1.0), (-1, 0.25), (1, 0.25))
_FLAT = 0.2
"""What the mean of all hours weighs beside the hours of earlier days."""
_KNOWS_ITS_MEAN_AFTER = 6
_TIMES_THE_BUDGET = 2.0
"""How many candidates a day to expect of each card in the budget, while nothing is known."""
_LOOKS_BACK = 12
_HALVES_AFTER = 2.0
_DOUBT = 5.0
_FIRST = timedelta(hours=1)
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """A post that could become a card: when it was written, how it ranks, and for which brand.

    `is_urgent`: it passes whatever the line.
    """

    written_at: datetime
    priority: float
    is_urgent: bool = False
    brand: str = ""


def candidate_of(assessment: Assessment, written_at: datetime, brand: str = "") -> Candidate | None:
    """Return the candidate that a post is, None where it needs no reply."""
    is_urgent = assessment.grade >= MUST_ANSWER
    is_one = is_urgent or assessment.needs_reply >= LEAST_NEEDS_REPLY
    return Candidate(written_at, assessment.priority, is_urgent, brand) if is_one else None


@dataclass(frozen=True, slots=True)
class Stand:
    """Where the line stands: the least priority of a card, how many posts that need a reply are still expected today.

    `spent` of `per_day` cards are shown today, or wait to be. `shares` are the brands that have a line of their own.
    """

    line: float
    coming: float
    spent: int
    per_day: int
    shares: Mapping[str, Share] = field(default_factory=dict)

    def least(self, brand: str, passed: Counter[str]) -> float:
        """Return the least priority of a card for a brand, after so many of each passed since the line was looked at.

        It is infinite where all that is left of the budget is kept for other brands.
        """
        share = self.shares.get(brand)
        if share is not None and passed[brand] < share.left:
            return min(self.line, share.line)
        kept = sum(share.kept for share in self.shares.values())
        return math.inf if self.spent + passed.total() + kept >= self.per_day else self.line


def say_stand(stand: Stand) -> str:
    """Say where the line stands, and how many cards it lets through."""
    lead = f"{stand.spent} of today's {stand.per_day} cards are used, and about {stand.coming:.0f} more posts that need"
    lead += " a reply are expected today"
    if stand.spent >= stand.per_day:
        return f"{lead}: only what must be answered now is still shown."
    if not stand.line:
        return f"{lead}: for now all of them are shown."
    own = [f"{share.line:.0f} for {brand or 'posts without a brand'}" for brand, share in stand.shares.items()]
    beside = f" ({', '.join(own[:_NAMED])})" if own else ""
    return f"{lead}: a card needs a priority of {stand.line:.0f}{beside}, or grade 3."


class Volume:
    """The candidates of the last weeks by the hour, and how the newest rank."""

    def __init__(
        self,
        per_day: int,
        timezone: str = "UTC",
        since: datetime | None = None,
        candidates: Iterable[Candidate] = (),
    ) -> None:
        """Take the budget, where its day begins, and what was heard before this start.

        Args:
            per_day: how many cards a day.
            timezone: the team's time zone.
            since: the first moment from which everything that was heard is known; None: nothing was heard yet.
            candidates: what was heard since then, oldest first.
        """
        self._per_day = per_day
        self._zone = ZoneInfo(timezone)
        self._since = since
        self._hours: Counter[int] = Counter()
        self._newest: deque[Candidate] = deque(maxlen=max(_RANKS, 2 * per_day))
        self._usual: tuple[int, dict[int, float]] = (0, {})
        self._shares = Shares(per_day)
        for candidate in candidates:
            self._count(candidate, candidate.written_at)

    def add(self, now: datetime, candidate: Candidate | None) -> None:
        """Count a new post; None for one that needs no reply."""
        if self._since is None:
            self._since = now
        if candidate is not None:
            self._count(candidate, now)

    def _count(self, candidate: Candidate, now: datetime) -> None:
        """Count a candidate in the hour it was written: what is heard late did not come all at once."""
        written_at = min(candidate.written_at, now)
        if self._since is not None and written_at >= self._since.replace(minute=0, second=0, microsecond=0):
            self._hours[_hour(written_at)] += 1
        self._newest.append(candidate)
        if not candidate.is_urgent:
            self._shares.add(candidate.brand, candidate.priority, written_at)

    def stand(self, now: datetime, spent: int, spent_on: Mapping[str, int] | None = None) -> Stand:
        """Return where the line stands now, and what is still expected today.

        Args:
            now: the present.
            spent: how many cards are shown today, or wait to be.
            spent_on: how many of these for each brand; None where there is only one.
        """
        if self._since is None or not self._newest:
            return Stand(0.0, 0.0, spent, self._per_day)
        coming = self._coming(now)
        if now - self._since < _FIRST and spent < self._per_day / 2:  # a burst, for all that is known
            return Stand(0.0, coming, spent, self._per_day)
        line = self._line(coming, spent)
        left = _end_of_day(now, self._zone) - now
        shares = self._shares.below(line, self._since, now, left, spent_on or {})
        if shares:
            line = self._line(coming, spent + sum(share.kept for share in shares.values()))
        return Stand(line, coming, spent, self._per_day, shares)

    def _line(self, coming: float, spent: float) -> float:
        """Return the priority that so many of the newest have as the budget has room for of those to come."""
        ordinary = [each.priority for each in self._newest if not each.is_urgent]
        share = len(ordinary) / len(self._newest)
        room = max(0.0, self._per_day - spent - coming * (1 - share))
        if room >= coming * share:
            return 0.0
        passing = room / (coming * share) * len(ordinary)
        return heapq.nlargest(int(passing) + 1, ordinary)[-1]

    def _coming(self, now: datetime) -> float:
        """Return how many candidates are to be expected until the team's day ends."""
        assert self._since is not None
        at, first = now.timestamp() / 3600, self._since.timestamp() / 3600
        end = _end_of_day(now, self._zone).timestamp() / 3600
        usual = self._usual_hours(int(at))
        ahead = sum(usual[hour] * (min(hour + 1, end) - max(hour, at)) for hour in range(int(at), math.ceil(end)))
        heard = expected = _DOUBT
        for hour in range(max(int(at) - _LOOKS_BACK, int(first)), int(at) + 1):
            weight = 0.5 ** (max(0.0, at - hour - 0.5) / _HALVES_AFTER)
            heard += weight * self._hours[hour]
            expected += weight * usual[hour] * max(0.0, min(hour + 1, at) - max(hour, first))
        return ahead * heard / expected

    def _usual_hours(self, now: int) -> dict[int, float]:
        """Return what is usual in the hours about now, each from the days before it; worked out once an hour."""
        if self._usual[0] != now:
            for old in [hour for hour in self._hours if hour < now - 24 * (_DAYS + 1)]:
                del self._hours[old]
            mean = self._mean(now)
            self._usual = now, {hour: self._usual_of(hour, mean) for hour in range(now - _LOOKS_BACK, now + 27)}
        return self._usual[1]

    def _mean(self, now: int) -> float:
        assert self._since is not None
        known = now - max(_hour(self._since), now - 24 * _DAYS)
        if known < _KNOWS_ITS_MEAN_AFTER:
            return self._per_day * _TIMES_THE_BUDGET / 24
        return sum(number for hour, number in self._hours.items() if hour < now) / known

    def _usual_of(self, hour: int, mean: float) -> float:
        """Return what is usual in an hour: a mean of logarithms, so that last week's storm is not awaited again."""
        assert self._since is not None
        first, weekday = _hour(self._since), datetime.fromtimestamp(hour * 3600, self._zone).weekday()
        total, weights = _FLAT * math.log1p(mean), _FLAT
        for days in range(1, _DAYS + 1):
            then = hour - 24 * days
            is_same_kind = ((weekday - days) % 7 >= 5) == (weekday >= 5)
            kind = _SAME_WEEKDAY if days % 7 == 0 else _SAME_KIND if is_same_kind else _OTHER_KIND
            for beside, share in _BESIDE:
                if then + beside >= first:
                    weight = kind * share * _FADES**days
                    total += weight * math.log1p(self._hours[then + beside])
                    weights += weight
        return math.expm1(total / weights)


def _hour(moment: datetime) -> int:
    return int(moment.timestamp() // 3600)


def _end_of_day(now: datetime, zone: ZoneInfo) -> datetime:
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), zone).astimezone(UTC)
