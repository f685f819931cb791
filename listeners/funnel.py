"""Between a client that pushes, in a thread of its own, and `listen`, which yields: a queue of bounded size."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Funnel(Generic[T]):
    """Holds what was pushed until it is taken. Where it is full, `put` waits: nothing is dropped in silence."""

    def __init__(self, size: int = 5_000) -> None:
        """Take how many items it holds at most."""
        self._size = size
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._is_over = False
        self._is_closed = False
        self._error: BaseException | None = None

    def put(self, item: T, timeout: float | None = None) -> bool:
        """Add an item; wait for room, `timeout` seconds at most (None: for ever). False: it was not added."""
        with self._changed:
            has_room = self._changed.wait_for(lambda: self._is_closed or len(self._items) < self._size, timeout)
            if self._is_closed or not has_room:
                return False
            self._items.append(item)
            self._changed.notify_all()
            return True

    def end(self, error: BaseException | None = None) -> None:
        """Say that nothing more comes: after an error, or None where the source ended without a word."""
        with self._changed:
            if not self._is_over:
                self._is_over, self._error = True, error
            self._changed.notify_all()

    def take(self, most: int, seconds: float) -> list[T]:
        """Return up to `most` items, waiting up to `seconds` for the first; [] where none came.

        Raises:
            BaseException: what the source ended with, once everything before it was taken.
            EndedError: it ended without a word, or was closed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._is_over or self._is_closed, seconds)
            taken = [self._items.popleft() for _ in range(min(most, len(self._items)))]
            self._changed.notify_all()
            if taken or not (self._is_over or self._is_closed):
                return taken
            if self._error is not None:
                raise self._error
            raise EndedError

    def close(self) -> None:
        """End every wait; what is still in it is given up."""
        with self._changed:
            self._is_closed = True
            self._items.clear()
            self._changed.notify_all()


class EndedError(Exception):
    """Nothing more comes."""
