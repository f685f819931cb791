"""How fast Slack lets an app call, as token buckets. Source of the numbers: Slack's method pages, by tier."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rules:
    """How strict the workspace is. The defaults are Slack's own; tests may shorten the waits.

    Times are seconds. `redeliver_after` holds the pauses before each repetition of an event that was not acknowledged.
    `message_burst` is how many messages one channel takes at once before the one-a-second rule bites.
    """

    is_paced: bool = True
    ack_seconds: float = 3.0
    trigger_seconds: float = 3.0
    redeliver_after: tuple[float, ...] = (1.0, 60.0, 300.0)
    message_burst: int = 5
    leave_seconds: float = 10.0


PER_MINUTE = {1: 1, 2: 20, 3: 50, 4: 100, 5: 600}
"""Calls a minute by tier; 5 stands for Slack's special tiers."""


class Bucket:
    """A token bucket: `capacity` at once, refilled at `per_second`."""

    def __init__(self, capacity: float, per_second: float) -> None:
        self._capacity = capacity
        self._per_second = per_second
        self._level = capacity
        self._at: float | None = None

    def take(self, now: float) -> float:
        """Take one token; return 0, or the seconds to wait for the next."""
        since = 0.0 if self._at is None else max(0.0, now - self._at)
        self._at = now
        self._level = min(self._capacity, self._level + since * self._per_second)
        if self._level >= 1:
            self._level -= 1
            return 0.0
        return (1 - self._level) / self._per_second


class Pace:
    """The buckets of one app in one workspace."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._buckets: dict[str, Bucket] = {}

    def wait_for(self, method: str, tier: int, channel: str, now: float) -> float:
        """Return the seconds this call must wait, 0 where it may go ahead now."""
        if not self._rules.is_paced:
            return 0.0
        per_minute = PER_MINUTE[tier]
        wait = self._bucket(method, per_minute, per_minute / 60).take(now)
        if wait == 0 and method == "chat.postMessage" and channel:
            wait = self._bucket(f"{method} {channel}", self._rules.message_burst, 1.0).take(now)
        return wait

    def _bucket(self, name: str, capacity: float, per_second: float) -> Bucket:
        if name not in self._buckets:
            self._buckets[name] = Bucket(capacity, per_second)
        return self._buckets[name]
