"""The rhythm of a feed, learned from what it brought hour by hour; pure. Is this silence unusual for it?

A feed can answer every look and still hear nothing: a watch that no longer fits, an access that was narrowed, a stream
that forgot its rules. What gives it away is that it brings nothing when it usually would.

    a silence weighs what it usually brings in that time: at noon an hour weighs much, at night next to nothing
    it is unusual where it weighs clearly more than the silences of the last weeks let chance explain

Time is cut into slots of five minutes, and a slot counts once, however much it brought: a burst is one event, and a day
of uproar teaches little. Slots in which nobody listened are no data, and no silence. What a slot usually brings goes by
the hour of the local day and by the day of the week; of three neighbouring hours the quietest counts, so that a morning
that begins late, or clocks that change, weigh nothing. A day, or a week, on which less was heard from the start makes
its own silences weigh less.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

SLOTS = 12
"""Slots in an hour."""
SLOT_SECONDS = 3600 // SLOTS
REMEMBERED = timedelta(weeks=8)
"""For how long the hours of a feed are kept."""
SHORTEST = timedelta(minutes=30)
"""No silence is unusual before."""
_LEARNED_AFTER = timedelta(days=7)
_LEAST_LISTENED = SLOTS * 24 * 5
_LEAST_BROUGHT = 30
_QUARTER = SLOTS * 24 * 90
_FALSE_PER_QUARTER = 0.25
_MARGIN = 1.4
_MOST_WEIGHT = 3.0
_DAY, _WEEK = SLOTS * 12, SLOTS * 24 * 7
_DOUBT = 3.0
_Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Hour:
    """What a feed brought in one hour: `number` counts hours since 1970, `mentions` what came.

    `listened` and `brought` have a bit for each slot (the lowest is the first): was it listened to, and did it bring
    anything.
    """

    number: int
    mentions: int
    listened: int
    brought: int


@dataclass(frozen=True, slots=True)
class Silence:
    """An unusual silence: when it began, and in words what the feed usually brings: 'about 12 an hour'."""

    since: datetime
    usual: str


@dataclass(frozen=True, slots=True)
class _Rhythm:
    """How much a silent slot weighs, by the hour of the day and by the day of the week."""

    by_hour: tuple[float, ...]
    by_day: tuple[float, ...]

    def weight(self, place: _Place) -> float:
        day, hour = place
        return min(_MOST_WEIGHT, self.by_hour[hour] * self.by_day[day % 7])


class _Level:
    """How much is heard of late beside what is usual: 1 for as much, or more; less on a quiet day."""

    def __init__(self, memory: int) -> None:
        self._keeps = math.exp(-1 / memory)
        self._heard = 0.0
        self._usual = 0.0

    def add(self, slots: int, brought: int, weight: float) -> None:
        kept = self._keeps**slots
        self._heard = self._heard * kept + brought
        self._usual = self._usual * kept - slots * math.expm1(-weight)

    @property
    def share(self) -> float:
        return min(1.0, (_DOUBT + self._heard) / (_DOUBT + self._usual))


def find_silence(hours: Sequence[Hour], now: datetime, zone: tzinfo = UTC) -> Silence | None:
    """Return the silence that lasts now, where it is unusual for the feed; None where it is not, or not known to be.

    Args:
        hours: what is remembered, oldest first; only hours in which the feed was listened to.
        now: the present. The slot that is not over counts only for what it brought.
        zone: where the feed's people live, as far as anyone knows; days and weeks are cut there.
    """
    if not hours or not _is_learned(hours):
        return None
    last = _last_brought(hours)
    present = int(now.timestamp() // SLOT_SECONDS)
    if present - last <= SHORTEST / timedelta(seconds=SLOT_SECONDS):
        return None
    places = [_place(hour.number, zone) for hour in hours]
    *past, weight = _weigh(hours, places, _learn(hours, places), present)
    if weight < _limit(past, hours):
        return None
    since = datetime.fromtimestamp((last + 1) * SLOT_SECONDS, UTC)
    return Silence(since, _say_usual(hours, places, _place(int(now.timestamp() // 3600), zone)))


def say_silence(feed: str, silence: Silence, now: datetime, zone: tzinfo) -> str:
    """Return what the operator is told of a silence: two sentences, the second one says what to do."""
    since = silence.since.astimezone(zone)
    is_today = since.date() == now.astimezone(zone).date()
    when = since.strftime("%H:%M" if is_today else "%a %d %b %H:%M")
    what = f"{feed} answers, but has brought nothing since {when}, where it usually brings {silence.usual}."
    return f"{what} Look whether its watches and its access still fit."


def slots_between(start: datetime | None, end: datetime) -> Iterator[tuple[int, int]]:
    """Yield hour and bits of the slots after that of `start` up to that of `end`; without a start, of the last only."""
    last = int(end.timestamp() // SLOT_SECONDS)
    first = last if start is None else min(last, int(start.timestamp() // SLOT_SECONDS) + 1)
    bits: dict[int, int] = defaultdict(int)
    for slot in range(first, last + 1):
        bits[slot // SLOTS] |= 1 << slot % SLOTS
    yield from bits.items()


def _is_learned(hours: Sequence[Hour]) -> bool:
    """Return whether enough was heard to know a rhythm."""
    span = timedelta(hours=hours[-1].number - hours[0].number + 1)
    listened = sum(hour.listened.bit_count() for hour in hours)
    brought = sum(hour.brought.bit_count() for hour in hours)
    return span >= _LEARNED_AFTER and listened >= _LEAST_LISTENED and brought >= _LEAST_BROUGHT


def _place(number: int, zone: tzinfo) -> _Place:
    """Return the day, as a number, and the hour of the day, in local time."""
    local = datetime.fromtimestamp(number * 3600, zone)
    return local.toordinal(), local.hour


def _learn(hours: Sequence[Hour], places: Sequence[_Place]) -> _Rhythm:
    """Learn what a slot weighs: by the hour, and how the days of the week differ; the loudest days teach little."""
    by_clock: list[list[Hour]] = [[] for _ in range(24)]
    for hour, (_, of_day) in zip(hours, places, strict=True):
        by_clock[of_day].append(hour)
    told = [_told(alike) for alike in by_clock]
    mean = sum(brought for brought, _ in told) / sum(listened for _, listened in told)
    shares = [(brought + _DOUBT) / (listened + _DOUBT / mean) for brought, listened in told]
    plain = [_weight_of(share) for share in shares]
    by_hour = tuple(min(plain[hour - 1], plain[hour], plain[(hour + 1) % 24]) for hour in range(24))
    heard: dict[int, int] = defaultdict(int)
    usual: dict[int, float] = defaultdict(float)
    for hour, (day, of_day) in zip(hours, places, strict=True):
        heard[day] += hour.brought.bit_count()
        usual[day] -= hour.listened.bit_count() * math.expm1(-plain[of_day])
    beside = {day: (_DOUBT + heard[day]) / (_DOUBT + usual[day]) for day in usual}
    by_day = tuple(_quiet_mean([beside[day] for day in beside if day % 7 == of_week]) for of_week in range(7))
    return _Rhythm(by_hour, by_day)


def _told(hours: Sequence[Hour]) -> tuple[float, int]:
    """Return how many slots of such hours brought something, and of how many; an uproar counts as a lively hour."""
    shares = sorted(hour.brought.bit_count() / hour.listened.bit_count() for hour in hours)
    most = max(1 / SLOTS, shares[len(shares) * 7 // 8]) if shares else 0.0
    brought = sum(min(hour.brought.bit_count(), most * hour.listened.bit_count()) for hour in hours)
    return brought, sum(hour.listened.bit_count() for hour in hours)


def _quiet_mean(values: Sequence[float]) -> float:
    """Return the mean without the highest eighth, and without the highest of three or more; 0.0 of nothing."""
    kept = sorted(values)[: len(values) - max(len(values) // 8, int(len(values) > 2))]
    return sum(kept) / len(kept) if kept else 0.0


def _weight_of(share: float) -> float:
    """Return how much one silent slot weighs where such a share of slots brings something."""
    return -math.log1p(-min(share, -math.expm1(-_MOST_WEIGHT)))


def _weigh(hours: Sequence[Hour], places: Sequence[_Place], rhythm: _Rhythm, present: int) -> Iterator[float]:
    """Yield what each silence weighed, oldest first; the last is the one that lasts now."""
    levels = _Level(_DAY), _Level(_WEEK)
    share = weight = 0.0
    for hour, place in zip(hours, places, strict=True):
        of_slot = rhythm.weight(place)
        for slots, is_silent in _runs(hour, present):
            for level in levels:
                level.add(slots, 0 if is_silent else slots, of_slot)
            if is_silent:
                weight += slots * of_slot * share
                continue
            yield weight
            share = min(level.share for level in levels)
            weight = 0.0
    yield weight


def _runs(hour: Hour, present: int) -> Iterator[tuple[int, bool]]:
    """Yield the runs of silent and of other slots of an hour: how many, and whether silent. Unheard ones are none."""
    if not hour.brought and hour.number * SLOTS + SLOTS <= present:
        yield hour.listened.bit_count(), True
        return
    for place in range(SLOTS):
        bit = 1 << place
        if hour.brought & bit:
            yield 1, False
        elif hour.listened & bit and hour.number * SLOTS + place < present:
            yield 1, True


def _limit(past: Sequence[float], hours: Sequence[Hour]) -> float:
    """Return from which weight on a silence is unusual.

    Were everything heard independently, weights would be spread as waiting times are, and the heaviest of so many would
    grow with their logarithm. A feed whose people come in crowds has heavier ones: by how much, the third heaviest
    says, so that one or two silences that were faults teach nothing.
    """
    told = sorted((weight for weight in past if weight), reverse=True)
    listened = sum(hour.listened.bit_count() for hour in hours)
    in_quarter = max(1.0, len(told) * _QUARTER / listened)
    crowds = told[2] / math.log(len(told) / 2.5) if len(told) >= 10 else 1.0
    return _MARGIN * max(1.0, crowds) * math.log(in_quarter / _FALSE_PER_QUARTER)


def _last_brought(hours: Sequence[Hour]) -> int:
    """Return the last slot that brought something."""
    found = next(hour for hour in reversed(hours) if hour.brought)
    return found.number * SLOTS + found.brought.bit_length() - 1


def _say_usual(hours: Sequence[Hour], places: Sequence[_Place], now: _Place) -> str:
    """Say how much usually comes at this time of such a day, or in a day or a week where an hour brings too little."""
    same = [(hour, day) for hour, (day, of_day) in zip(hours, places, strict=True) if of_day == now[1]]
    alike = [hour for hour, day in same if _is_weekend(day) is _is_weekend(now[0])]
    rates = sorted(hour.mentions * SLOTS / hour.listened.bit_count() for hour in alike or [hour for hour, _ in same])
    an_hour = rates[len(rates) // 2] if rates else 0.0
    if an_hour >= 1:
        return f"about {an_hour:.0f} an hour at that time of day"
    a_day = sum(hour.mentions for hour in hours) * 24 * SLOTS / sum(hour.listened.bit_count() for hour in hours)
    return f"about {a_day:.0f} a day" if a_day >= 1 else f"about {a_day * 7:.0f} a week"


def _is_weekend(day: int) -> bool:
    return day % 7 in {6, 0}  # the first day of the calendar was a Monday, and is number 1
