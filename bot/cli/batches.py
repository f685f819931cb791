"""Cutting a stream into batches without making a slow stream wait."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")
_AHEAD = 4  # how many batches are read ahead


class _Failed(Generic[T]):
    """The stream broke; the error is raised where the batches are taken."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


class _End:
    """The stream is over."""


def in_batches(stream: Iterable[T], size: int, patience: float = 0.05) -> Iterator[list[T]]:
    """Yield lists of at most `size`, in order: full ones from a fast stream, prompt ones from a slow one.

    Args:
        stream: read in a thread of its own; an error of it is raised here, after what came before it.
        size: the most that one batch holds.
        patience: for how many seconds a batch waits to be filled up.
    """
    ready: queue.Queue[T | _Failed[T] | _End] = queue.Queue(size * _AHEAD)
    threading.Thread(target=_pour, args=(stream, ready), name="reader", daemon=True).start()
    while True:
        batch, end = _fill(ready, size, patience)
        if batch:
            yield batch
        if isinstance(end, _Failed):
            raise end.error
        if end is not None:
            return


def _pour(stream: Iterable[T], ready: queue.Queue[T | _Failed[T] | _End]) -> None:
    end: _Failed[T] | _End = _End()
    try:
        for item in stream:
            ready.put(item)
    except BaseException as err:  # noqa: BLE001 - it is raised again where the batches are taken
        end = _Failed(err)
    ready.put(end)


def _fill(
    ready: queue.Queue[T | _Failed[T] | _End], size: int, patience: float
) -> tuple[list[T], _Failed[T] | _End | None]:
    """Wait for the first item as long as it takes, for the others until the patience ends."""
    batch: list[T] = []
    until = 0.0
    while len(batch) < size:
        try:
            item = ready.get(timeout=max(0.0, until - time.monotonic())) if batch else ready.get()
        except queue.Empty:
            break
        if isinstance(item, _Failed | _End):
            return batch, item
        until = until or time.monotonic() + patience
        batch.append(item)
    return batch, None
