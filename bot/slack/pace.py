"""How fast Slack may be told things, pure: one message a second and channel, other calls within their tier."""

from __future__ import annotations

from datetime import datetime, timedelta


class Pace:
    """Says how long to wait before a call, and is told of each call made.

    A lane is what Slack counts together: the messages of one channel, or one method. A lane lets `burst` calls through
    at once and after that one each `seconds`.
    """

    def __init__(self) -> None:
        self._free_at: dict[str, datetime] = {}
        self._seen: datetime | None = None

    def wait(self, lane: str, now: datetime, seconds: float, burst: int = 1) -> float:
        """Return the seconds to wait before the next call on a lane."""
        self._follow(now)
        free_at = self._free_at.get(lane, now) - timedelta(seconds=seconds * (burst - 1))
        return max((free_at - now).total_seconds(), 0.0)

    def note(self, lane: str, now: datetime, seconds: float) -> None:
        """Record a call on a lane."""
        self._follow(now)
        self._free_at[lane] = max(self._free_at.get(lane, now), now) + timedelta(seconds=seconds)

    def _follow(self, now: datetime) -> None:
        """Set the lanes back with a clock that was set back: they are to be waited for as long as before."""
        if self._seen is not None and now < self._seen:
            back = self._seen - now
            self._free_at = {lane: free_at - back for lane, free_at in self._free_at.items()}
        self._seen = now
