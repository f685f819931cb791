"""Simulated days for the line: mentions by the hour, weekends, storms, and what an oracle would have shown."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from bot.line import judge, start_of_day
from bot.volume import Candidate, Volume, candidate_of
from nlp.assessment import Assessment

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
HOURS = (1, 1, 1, 1, 1, 1, 2, 4, 6, 8, 9, 9, 9, 8, 8, 9, 9, 9, 9, 8, 8, 6, 5, 3)
"""How much is written in each hour of the day."""
NEEDS_REPLY, URGENT = 0.22, 0.004
POLL = timedelta(minutes=10)


@dataclass(frozen=True)
class Post:
    """A mention: when it was written, what nlp says of it, and which brand it is about."""

    at: datetime
    assessment: Assessment
    brand: str = ""


@dataclass
class Day:
    """What became of a day: how many cards it had, and how these compare with the best of it."""

    posts: list[Post] = field(default_factory=list)
    shown: list[Post] = field(default_factory=list)

    @property
    def candidates(self) -> int:
        """How many posts needed a reply."""
        return sum(candidate_of(post.assessment, post.at) is not None for post in self.posts)

    def value(self, per_day: int) -> float:
        """Return what the cards below grade 3 are worth, of what an oracle's would be that knew the whole day."""
        urgent = sum(post.assessment.grade == 3 for post in self.shown)
        best = sorted((p.assessment.priority for p in self.posts if p.assessment.grade == 2), reverse=True)
        most = sum(best[: max(0, per_day - urgent)])
        got = sum(post.assessment.priority for post in self.shown if post.assessment.grade == 2)
        return got / most if most else 1.0


def write(rng: random.Random, at: datetime, *, is_storm: bool = False) -> Post:
    """Write a post: most need no reply, a few need one now; in a storm nearly all of them need one."""
    drawn = rng.random()
    if drawn < URGENT:
        return Post(at, assess(3, 75 + 25 * rng.random()))
    if drawn < (0.9 if is_storm else NEEDS_REPLY):
        return Post(at, assess(2, 32 + 60 * rng.betavariate(2 if is_storm else 1.2, 2)))
    return Post(at, assess(0, 20 * rng.random()))


def assess(grade: int, priority: float) -> Assessment:
    """Return an assessment."""
    needs = 0.9 if grade >= 2 else 0.1
    return Assessment(needs, float(grade == 3), priority, grade, "yes", "complaint", "en")  # type: ignore[arg-type]


def write_day(rng: random.Random, start: datetime, number: int, storm: int = 0) -> list[Post]:
    """Write about so many posts over a day, and a storm of more that breaks at eleven and is over by the evening."""
    hours = rng.choices(range(24), HOURS, k=round(number * rng.lognormvariate(0, 0.1)))
    posts = [write(rng, start + timedelta(hours=hour + rng.random())) for hour in hours]
    late = [min(11 + rng.gammavariate(2, 1.5), 23.9) for _ in range(storm)]
    posts += [write(rng, start + timedelta(hours=hour), is_storm=True) for hour in late]
    return sorted(posts, key=lambda post: post.at)


def write_days(
    seed: int, days: int, *, number: int = 1_000, weekend: float = 0.45, storm: int | None = None, growth: float = 1.0
) -> list[list[Post]]:
    """Write so many days from a Monday on; one of them may have three times its posts in an afternoon.

    Each day has `growth` times as many as the one before, beside what its weekday makes of it.
    """
    rng = random.Random(seed)  # noqa: S311 - a simulation
    return [
        write_day(
            rng,
            MONDAY + timedelta(days=day),
            round(number * growth**day * (weekend if day % 7 >= 5 else 1)),
            storm=3 * number if day == storm else 0,
        )
        for day in range(days)
    ]


def live(
    written: Sequence[Sequence[Post]],
    per_day: int | Callable[[datetime], int],
    *,
    timezone: str = "UTC",
    restarts: Callable[[int], bool] = lambda _poll: False,
    begins: timedelta = timedelta(0),
) -> list[Day]:
    """Live through the days: look every ten minutes, judge what was written since, show it at once.

    `restarts` says after which looks Cuecard starts anew, with nothing but what it had heard; only then it reads the
    budget. It begins to listen `begins` after the first midnight. Days are the team's own; where its midnight is not
    ours there is one more.
    """
    budget = per_day if callable(per_day) else lambda _now: per_day
    posts = [post for day in written for post in day if post.at >= MONDAY + begins]
    days, heard, spent = [Day() for _ in [*written, 0]], list[Candidate](), Counter[str]()
    limit, volume = budget(MONDAY), Volume(budget(MONDAY), timezone)
    polls = len(written) * timedelta(days=1) // POLL
    waiting, since, begun = iter(posts), None, start_of_day(MONDAY + begins, timezone)
    today = begun
    coming = next(waiting, None)
    for poll in range(polls):
        now = MONDAY + (poll + 1) * POLL
        if start_of_day(now, timezone) != today:
            today = start_of_day(now, timezone)
            spent.clear()
        if restarts(poll):
            limit, volume = budget(now), Volume(budget(now), timezone, since, heard)
        stand, passed = volume.stand(now, spent.total(), spent), Counter[str]()
        while coming is not None and coming.at <= now:
            day = days[round((today - begun) / timedelta(days=1))]
            since = since or now
            day.posts.append(coming)
            least = stand.least(coming.brand, passed)
            if judge(coming.assessment, least, spent.total(), limit):
                day.shown.append(coming)
                spent[coming.brand] += 1
                passed[coming.brand] += 1
            candidate = candidate_of(coming.assessment, coming.at, coming.brand)
            volume.add(now, candidate)
            heard += [candidate] if candidate else []
            coming = next(waiting, None)
    return [day for day in days if day.posts]


def mixed(*brands: tuple[str, Sequence[Sequence[Post]]]) -> list[list[Post]]:
    """Return the days of several brands as one feed brings them."""
    return [
        sorted((replace(post, brand=name) for name, days in brands for post in days[day]), key=lambda post: post.at)
        for day in range(len(brands[0][1]))
    ]
