"""Faults on demand: what a test asks the workspace to do wrong."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import Literal

How = Literal["ratelimited", "server_error", "error_after", "drop_before", "drop_after"]
"""`*_before` and `server_error` do nothing first; `*_after` do the work and lose the answer: the ambiguous kind."""


class Faults:
    """The faults still to come, per method."""

    def __init__(self) -> None:
        self._planned: dict[str, deque[How]] = defaultdict(deque)
        self.is_away = False

    def plan(self, method: str, how: How, times: int = 1) -> None:
        """Let the next `times` calls of `method` go wrong."""
        self._planned[method].extend([how] * times)

    def next_for(self, method: str) -> How | None:
        """Take the fault that this call of `method` must suffer, if any."""
        if self.is_away:
            return "drop_before"
        planned = self._planned.get(method)
        return planned.popleft() if planned else None
