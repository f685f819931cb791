"""Reads a text run by run, a run being what stands between spaces. Most were met before, so they are remembered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
MOST_RUNS = 20_000
LONGEST_RUN = 40
"""Longer runs are links, names, or whole sentences of scripts without spaces: they hardly come back."""


class Runs(Generic[T]):
    """Remembers what `read` makes of a run; it depends on the run alone, and is nothing that counts as false."""

    def __init__(self, read: Callable[[str], T]) -> None:
        self._read = read
        self._known: dict[str, T] = {}

    def __len__(self) -> int:
        """Return how many runs are remembered."""
        return len(self._known)

    def read_all(self, runs: list[str]) -> list[T]:
        """Return what each run of a text holds."""
        get = self._known.get
        return [get(run) or self._meet(run) for run in runs]

    def _meet(self, run: str) -> T:
        held = self._read(run)
        if len(run) <= LONGEST_RUN:
            if len(self._known) >= MOST_RUNS:
                self._known = {}  # the common ones are soon back
            self._known[run] = held
        return held
