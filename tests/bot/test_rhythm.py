"""What a feed usually brings, and which silence is unusual for it: learned from feeds played out hour by hour."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rhythm import SLOTS, Hour, Silence, find_silence, say_silence, slots_between

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
FIRST = int(MONDAY.timestamp() // 3600)
WEEK = 7 * 24
QUARTER = 90 * 24
ALL = (1 << SLOTS) - 1


def moment(hours: float) -> datetime:
    """Return the moment so many hours after the feed was first listened to."""
    return MONDAY + timedelta(hours=hours)


def liveliness(hour: int) -> float:
    """Return how lively an hour is: little by night, less at the weekend."""
    of_day, day = hour % 24, hour // 24 % 7
    by_hour = 0.05 if of_day < 7 or of_day == 23 else 0.5 if of_day in {7, 22} else 1.0
    return by_hour * (0.4 if day >= 5 else 1.0)


@dataclass(frozen=True)
class People:
    """How people write: so many mentions in a lively hour, and what is special about them.

    `moods` lets whole days differ, `crowd` lets one mention draw others within minutes, `holidays` makes days almost
    silent, `uproar` makes one day in thirty fifty times as loud, and `summer_time` moves the day by an hour.
    """

    rate: float
    moods: float = 0.0
    crowd: float = 0.0
    holidays: float = 0.0
    uproar: bool = False
    summer_time: bool = False
    never_sleep: bool = False

    def write(self, hours: int, seed: int) -> list[float]:
        """Return when mentions came, in hours."""
        rng = random.Random(seed)  # noqa: S311 - plays people, keeps no secret
        return sorted(at for at in self._write(hours, rng) if at < hours)

    def _write(self, hours: int, rng: random.Random) -> Iterator[float]:
        of_day = 1.0
        for hour in range(hours):
            if hour % 24 == 0:
                of_day = math.exp(rng.gauss(0, self.moods)) * (0.25 if rng.random() < self.holidays else 1.0)
                of_day *= 50 if self.uproar and hour // 24 % 30 == 20 else 1
            moved = hour + (1 if self.summer_time and hour > hours // 2 else 0)
            expected = self.rate * of_day * (1.0 if self.never_sleep else liveliness(moved))
            for _ in range(_count(expected / (1 + self.crowd), rng)):
                at = hour + rng.random()
                yield at
                for _ in range(_count(self.crowd, rng)):
                    at += rng.expovariate(4)
                    yield at


def _count(expected: float, rng: random.Random) -> int:
    """Return how many of independent events happen."""
    number, waited = 0, rng.expovariate(1)
    while waited < expected:
        number, waited = number + 1, waited + rng.expovariate(1)
    return number


def heard(times: Sequence[float], until: float, listened: range | None = None) -> list[Hour]:
    """Return what is remembered at `until` of the last eight weeks; of a feed that was always listened to, or then."""
    rows = {hour: [0, 0] for hour in range(max(0, int(until) - 8 * WEEK), int(until) + 1)}
    for at in times:
        if at < until and int(at) in rows:
            rows[int(at)][0] += 1
            rows[int(at)][1] |= 1 << int(at % 1 * SLOTS)
    return [
        Hour(FIRST + hour, mentions, ALL, brought)
        for hour, (mentions, brought) in rows.items()
        if listened is None or hour in listened
    ]


def look(times: Sequence[float], at: float, listened: range | None = None) -> Silence | None:
    """Return what is found at a moment."""
    return find_silence(heard(times, at, listened), moment(at))


def longest_gaps(times: Sequence[float], number: int) -> list[float]:
    """Return when the heaviest gaps of the quarter after the first week ended, a moment before."""
    gaps = [(begin, end) for begin, end in zip([0.0, *times], times, strict=False) if end > WEEK and end - begin > 0.5]
    weights = {end: sum(liveliness(int(begin + (end - begin) * part / 8)) for part in range(8)) for begin, end in gaps}
    gaps.sort(key=lambda gap: -weights[gap[1]] * (gap[1] - gap[0]))
    return [end - 1e-6 for _, end in gaps[:number]]


def false_alarms(people: People, seed: int) -> int:
    """Return how often silence is called unusual in a quarter in which nothing was wrong."""
    times = people.write(WEEK + QUARTER, seed)
    return sum(look(times, end) is not None for end in longest_gaps(times, 8))


STEADY = [People(rate) for rate in (60, 20, 5, 1, 0.2, 0.02)]
ODD = [
    People(20, moods=0.5),
    People(5, moods=0.5),
    People(20, crowd=3),
    People(4, crowd=6),
    People(20, holidays=0.04),
    People(20, summer_time=True),
    People(1, uproar=True),
    People(2, never_sleep=True),
]


@pytest.mark.parametrize("people", [*STEADY, *ODD], ids=repr)
def test_a_feed_that_is_well_raises_at_most_an_alarm_a_quarter(people: People) -> None:
    """Steady or moody, in crowds, over holidays and a change of the clocks: what chance explains is no alarm."""
    assert false_alarms(people, 1) + false_alarms(people, 2) <= 2


@pytest.mark.parametrize(
    ("people", "within"),
    [
        (People(60), 0.75),
        (People(20), 1.25),
        (People(20, moods=0.3), 1.75),
        (People(20, summer_time=True), 1.5),
        (People(5), 5),
        (People(20, crowd=3), 4),
    ],
    ids=repr,
)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_feed_that_falls_silent_by_day_is_told_in_time(people: People, within: float, seed: int) -> None:
    """Twenty an hour that stop at noon are missed after about an hour; the fewer and the wilder, the later."""
    noon = 3 * WEEK + 24 + 12
    times = [at for at in people.write(noon, seed) if at < noon]
    found = look(times, noon + within)
    assert found is not None
    assert abs((found.since - moment(times[-1])).total_seconds()) <= 300


@pytest.mark.parametrize(
    ("rate", "days", "unit"),
    [(20, 0.1, "an hour at that time of day"), (0.4, 10, "a day"), (0.075, 14, "a week")],
)
def test_what_is_usual_is_told(rate: float, days: float, unit: str) -> None:
    """An hour's number where there is one, otherwise that of a day or of a week."""
    noon = 8 * WEEK + 24 + 12
    found = look(People(rate).write(noon, 5), noon + days * 24)
    assert found is not None
    about, number, of = found.usual.split(maxsplit=2)
    assert (about, of) == ("about", unit)
    assert {"an hour at that time of day": 15, "a day": 3, "a week": 3}[unit] <= int(number) <= 25


def test_the_night_is_no_silence() -> None:
    """A feed that sleeps from ten to seven has said nothing for nine hours, and nobody is woken."""
    people = People(20)
    times = [at for at in people.write(4 * WEEK, 7) if liveliness(int(at)) > 0.2]
    evening, morning = 3 * WEEK + 23, 3 * WEEK + 24 + 7
    assert look([at for at in times if at < evening], morning) is None
    assert look([at for at in times if at < evening], morning + 3) is not None


def test_a_day_that_begins_an_hour_late_is_no_silence() -> None:
    """When the clocks change, the usual morning is an hour away; two hours are not."""
    morning = 4 * WEEK + 24 + 8
    times = [at for at in People(60).write(morning, 3) if 8 <= at % 24 < 20]
    assert look(times, morning + 0.95) is None
    assert look(times, morning + 1.95) is not None


@pytest.mark.parametrize("seed", [1, 3])
def test_less_than_before_is_not_nothing(seed: int) -> None:
    """After a campaign a feed brings a fifth of what it did: it is measured by that soon, and raises no storm."""
    over = 8 * WEEK
    times = [at for at in People(20).write(over, seed) if at < over]
    times += [over + at for at in People(4).write(20 * 24, seed)]
    assert sum(look(times, end) is not None for end in longest_gaps(times, 20)) == 0


def test_too_little_is_known_in_the_first_week() -> None:
    """However suddenly it falls silent, a feed of six days has no rhythm yet; one of eight days has."""
    times = People(20).write(6 * 24, 1)
    assert look(times, 6 * 24 + 15) is None
    times = People(20).write(8 * 24 + 12, 1)
    assert look(times, 8 * 24 + 12 + 2) is not None


def test_a_mention_a_week_is_never_missed() -> None:
    """Of a feed that hardly ever brings anything nobody can say what is unusual."""
    times = [week * WEEK + 12.0 for week in range(8)]
    assert all(look(times, 8 * WEEK + hours) is None for hours in (24, 5 * WEEK, 7 * WEEK))


def test_nothing_at_all_is_no_alarm() -> None:
    """A feed that never brought anything, or was never listened to, has no rhythm."""
    assert find_silence([], MONDAY) is None
    assert look([], 5 * WEEK) is None


def test_hours_that_nobody_listened_to_are_no_silence() -> None:
    """A machine that was off from noon to four missed nothing by its own silence; hours after it count anew."""
    noon = 3 * WEEK + 24 + 12
    times = People(20).write(noon, 2)
    away = [hour for hour in heard(times, noon + 4.5) if hour.number < FIRST + noon or hour.number >= FIRST + noon + 4]
    assert find_silence(away, moment(noon + 4.5)) is None
    assert find_silence(heard(times, noon + 4.5), moment(noon + 4.5)) is not None


def test_a_machine_that_runs_by_day_only_learns_too() -> None:
    """Hours in which it is switched off are no data: what is left is a rhythm, and its silence is noticed."""
    noon = 5 * WEEK + 24 + 12
    times = [at for at in People(20).write(noon, 4) if 8 <= at % 24 < 18]
    by_day = [hour for hour in heard(times, noon + 1.5) if 8 <= hour.number % 24 < 18]
    assert find_silence(by_day, moment(noon + 1.5)) is not None
    assert find_silence(by_day, moment(noon + 0.1)) is None


def test_two_faults_of_the_past_do_not_hide_the_next() -> None:
    """After two silences of days the third is still noticed on its first day."""
    noon = 6 * WEEK + 24 + 12
    faults = (range(2 * WEEK, 2 * WEEK + 48), range(4 * WEEK, 4 * WEEK + 48))
    times = [at for at in People(20).write(noon, 6) if not any(int(at) in fault for fault in faults)]
    assert look(times, noon + 3) is not None


def test_the_slot_that_lasts_still_is_no_silence_yet() -> None:
    """A mention of this moment ends a silence at once, and one of the future (a clock set back) is not counted on."""
    noon = 3 * WEEK + 24 + 12
    times = People(20).write(noon, 2)
    assert look([*times, noon + 2.999], noon + 3) is None
    assert find_silence(heard([*times, noon + 9.0], noon + 10), moment(noon + 3)) is None


def test_a_weekend_in_another_zone_is_cut_there() -> None:
    """Where the week begins at another hour, its rhythm is learned by the local days."""
    noon = 5 * WEEK + 12
    zone = ZoneInfo("Pacific/Auckland")
    times = People(20).write(noon, 3)
    assert find_silence(heard(times, noon + 0.2), moment(noon + 0.2), zone) is None
    assert find_silence(heard(times, noon + 3), moment(noon + 3), zone) is not None


def test_the_sentence_says_since_when_and_what_to_do() -> None:
    """Today's time of day is enough; of another day the date stands there too; both in the team's own zone."""
    silence = Silence(datetime(2026, 3, 2, 13, 10, tzinfo=UTC), "about 12 an hour at that time of day")
    berlin = ZoneInfo("Europe/Berlin")
    assert say_silence("hn", silence, datetime(2026, 3, 2, 14, 0, tzinfo=UTC), berlin) == (
        "hn answers, but has brought nothing since 14:10, where it usually brings about 12 an hour at that time of day."
        " Look whether its watches and its access still fit."
    )
    later = say_silence("hn", silence, datetime(2026, 3, 2, 23, 30, tzinfo=UTC), berlin)
    assert "since Mon 02 Mar 14:10, where" in later


@given(st.integers(0, 3000), st.none() | st.integers(-4000, 4000))
def test_the_slots_of_a_stretch_are_each_of_them_once(end: int, length: int | None) -> None:
    """From the slot after the start to that of the end: as many as there are; the last one always."""
    until = MONDAY + timedelta(seconds=end)
    since = None if length is None else until - timedelta(seconds=length)
    found = [
        hour * SLOTS + place
        for hour, bits in slots_between(since, until)
        for place in range(SLOTS)
        if bits >> place & 1
    ]
    last = int(until.timestamp() // 300)
    assert found[-1] == last
    first = last if since is None else min(last, int(since.timestamp() // 300) + 1)
    assert found == list(range(first, last + 1))
