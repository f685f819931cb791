"""The time, injected. Code that decides takes `now` as an argument; only loops hold a clock."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> datetime:
        """Return the present as an aware datetime in UTC."""
        ...

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Wait, at most until `stop` is set; return whether it is set."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the present."""
        return datetime.now(UTC)

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Wait for real."""
        return stop.wait(max(0.0, seconds))


class ManualClock:
    """A clock that stands still until it is told to move; waiting moves it."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return where the hands stand."""
        with self._lock:
            return self._now

    def advance(self, seconds: float) -> None:
        """Move the hands."""
        with self._lock:
            self._now += timedelta(seconds=seconds)

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Move the hands by `seconds`, letting other threads run."""
        self.advance(max(0.0, seconds))
        time.sleep(0)
        return stop.is_set()
