"""A clock that pauses move."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Hands:
    """A clock whose hands pauses move; after `most` seconds in all it says that the feed must stop."""

    def __init__(self, most: float = float("inf")) -> None:
        self.moment = NOON
        self.paused = 0.0
        self.most = most

    def now(self) -> datetime:
        """Tell the time."""
        return self.moment

    def pause(self, seconds: float) -> bool:
        """Move the hands."""
        self.paused += seconds
        self.moment += timedelta(seconds=seconds)
        return self.paused >= self.most
