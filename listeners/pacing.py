"""Waiting between looks at a platform, so that a stop is noticed at once."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Final

_SLICE: Final = 1.0  # seconds: how late a `close` may be noticed while the caller's pause goes on


class Pacer:
    """Waits by the caller's own `pause`, in slices, until it is told to stop or is closed."""

    def __init__(self, pause: Callable[[float], bool]) -> None:
        """Take `FeedContext.pause`."""
        self._pause = pause
        self._closed = threading.Event()

    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed.is_set()

    def close(self) -> None:
        """End a wait soon, and every later one at once."""
        self._closed.set()

    def wait(self, seconds: float) -> bool:
        """Wait; return True as soon as the feed must stop."""
        left = seconds
        while left > 0:
            if self.is_closed() or self._pause(min(left, _SLICE)):
                return True
            left -= _SLICE
        return self.is_closed()


def spread(seconds: float) -> float:
    """Return about as many seconds, so that many feeds do not all knock at the same moment."""
    return seconds * random.uniform(0.9, 1.1)  # noqa: S311 - a spread is no secret
