"""What X costs: every object it returns has a price, and a month has a budget.

X bills "per resource returned"; what it returns beside a post (its author, the post it answers) is taken to be billed,
too. The same object is charged once in a UTC day (https://docs.x.com/x-api/getting-started/pricing, read in 2026), so
it is counted once, for as long as this process remembers it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Final, Literal

from listeners.errors import Paused
from listeners.x.settings import Settings, in_micros, say_dollars

_MOST_REMEMBERED: Final = 50_000

Kind = Literal["post", "own"]
"""A post from the search or the stream, or one from our own mentions."""

MOST_A_PAGE: Final = 100
LEAST_A_PAGE: Final[Mapping[Kind, int]] = {"post": 10, "own": 5}
"""Posts in a page, and the fewest that may be asked for (https://docs.x.com/x-api/fundamentals/rate-limits)."""


def objects_in(told: Mapping[str, object], key: str) -> list[Mapping[str, object]]:
    """Return the objects under a name: one or a list."""
    found = told.get(key)
    listed = found if isinstance(found, list) else [found]
    return [each for each in listed if isinstance(each, dict)]


def included(told: Mapping[str, object], *names: str) -> list[Mapping[str, object]]:
    """Return the objects X sent along, under any of the names it has for them."""
    includes = told.get("includes")
    return [each for name in names for each in objects_in(includes, name)] if isinstance(includes, dict) else []


class Budget:
    """Counts what this process spends on top of what was stored before, and says when to hold back."""

    def __init__(self, settings: Settings, spent: Callable[[], int], now: Callable[[], datetime]) -> None:
        """Take `FeedContext.spent` and `.now`; nothing is asked before it is needed."""
        self._settings = settings
        self._stored = spent
        self._now = now
        self._lock = threading.Lock()
        self._month = ""
        self._before = 0
        self._own = 0
        self._untold = 0
        self._day = ""
        self._charged: set[tuple[str, str]] = set()

    def spent(self) -> int:
        """Return what this feed cost so far in this month (UTC), in millionths of a US dollar."""
        stored = self._stored()
        with self._lock:
            self._turn_month()
            return max(stored, self._before + self._own)

    def charge(self, micros: int) -> None:
        """Count what was spent; the next batch tells it."""
        with self._lock:
            self._turn_month()
            self._own += micros
            self._untold += micros

    def charge_reply(self, micros: int) -> None:
        """Count what a reply cost, which no batch tells."""
        with self._lock:
            self._turn_month()
            self._own += micros

    def charge_posts(self, told: Mapping[str, object], kind: Kind = "post") -> None:
        """Count an answer of X with posts: from our own mentions (`own`), or any other."""
        prices = self._settings
        post = in_micros(prices.price_own_read if kind == "own" else prices.price_post_read)
        posts = self._new(kind, objects_in(told, "data"))
        others = self._new("post", included(told, "tweets", "posts"))
        users = self._new("user", included(told, "users"))
        micros = posts * post + others * in_micros(prices.price_post_read) + users * in_micros(prices.price_user_read)
        self.charge(micros)

    def charge_user(self, user: Mapping[str, object]) -> None:
        """Count an account that was looked up."""
        self.charge(self._new("user", [user]) * in_micros(self._settings.price_user_read))

    def take_untold(self) -> int:
        """Return what was spent and no batch has told yet."""
        with self._lock:
            untold, self._untold = self._untold, 0
        return untold

    def is_slow(self) -> bool:
        """Whether so much is spent that only the cheap calls are left."""
        budget = self._settings.budget_micros
        if not budget:
            return False
        is_over = self.spent() >= budget * self._settings.slow_at_percent / 100
        return is_over or self._affordable("post") < LEAST_A_PAGE["post"]

    def room(self, kind: Kind) -> int:
        """Return how many posts may be asked for at once.

        Raises:
            Paused: not even the fewest X gives; wait for the next month.
        """
        if not self._settings.budget_micros:
            return MOST_A_PAGE
        affordable = self._affordable(kind)
        if affordable < LEAST_A_PAGE[kind]:
            raise self.used_up()
        return min(MOST_A_PAGE, affordable)

    def used_up(self) -> Paused:
        """Say that the budget is used up, until when."""
        now = self._now().astimezone(UTC)
        turn = _next_month(now)
        sentence = (
            f"The budget of {say_dollars(self._settings.budget_micros)} for this month is used up. Raise "
            f"budget_usd_per_month to go on at once; otherwise X is heard again from {turn.day} {turn:%B} on."
        )
        return Paused(sentence, until=turn, now=now)

    def say_slow(self) -> str:
        """Say that listening slows down to save money."""
        share, budget = self._settings.slow_at_percent, say_dollars(self._settings.budget_micros)
        return (
            f"X has cost {share:g} % of this month's {budget}: until the next month only posts that mention "
            f"{self._settings.account} are heard, which are cheap."
        )

    def say(self) -> str:
        """Say what this month has cost, as in '$12.40 of $50.00 spent this month'."""
        spent = say_dollars(self.spent())
        if not self._settings.budget_micros:
            return f"{spent} spent this month; no budget is set"
        return f"{spent} of {say_dollars(self._settings.budget_micros)} spent this month"

    def is_used_up(self) -> bool:
        """Whether so little is left that not even our own mentions can be looked at."""
        return bool(self._settings.budget_micros) and self._affordable("own") < LEAST_A_PAGE["own"]

    def _affordable(self, kind: Kind) -> int:
        return (self._settings.budget_micros - self.spent()) // max(1, self._dearest(kind))

    def _dearest(self, kind: Kind) -> int:
        """Return the most that one post can cost with all that comes along with it: it may answer one and quote one."""
        prices, asked = self._settings, self._settings.expansions
        post = prices.price_own_read if kind == "own" else prices.price_post_read
        author = prices.price_user_read if asked != "none" else 0.0
        others = 2 * prices.price_post_read if asked == "all" else 0.0
        return in_micros(post + author + others)

    def _new(self, kind: str, objects: Iterable[Mapping[str, object]]) -> int:
        """Return how many objects X had not charged for on this UTC day."""
        today = self._now().astimezone(UTC).date().isoformat()
        with self._lock:
            if today != self._day or len(self._charged) > _MOST_REMEMBERED:
                self._day = today
                self._charged.clear()
            found = {(kind, str(each.get("id", ""))) for each in objects}
            new = found - self._charged
            self._charged |= new
        return len(new)

    def _turn_month(self) -> None:
        month = self._now().astimezone(UTC).strftime("%Y-%m")
        if month != self._month:
            self._month, self._before, self._own = month, self._stored(), 0


def _next_month(now: datetime) -> datetime:
    year, month = (now.year + 1, 1) if now.month == 12 else (now.year, now.month + 1)
    return datetime(year, month, 1, tzinfo=UTC)
