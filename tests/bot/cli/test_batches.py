"""Batches of a stream."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cli.batches import in_batches


@given(items=st.lists(st.integers(), max_size=60), size=st.integers(1, 7))
def test_every_item_comes_once_and_in_order(items: list[int], size: int):
    """However a stream is cut, nothing is lost, doubled or moved, and no batch is empty or too large."""
    batches = list(in_batches(iter(items), size))
    assert [item for batch in batches for item in batch] == items
    assert all(1 <= len(batch) <= size for batch in batches)


def test_slow_stream_is_not_waited_for():
    """What came is handed on while the stream still waits for more."""
    more = threading.Event()

    def slow() -> Iterator[int]:
        yield 1
        more.wait(10)
        yield 2

    batches = in_batches(slow(), 100, patience=0.01)
    assert next(batches) == [1]
    more.set()
    assert list(batches) == [[2]]


def test_fast_stream_comes_in_full_batches():
    """A fast stream fills its batches."""
    assert [len(batch) for batch in in_batches(range(10), 5, patience=10)] == [5, 5]


def test_error_comes_after_what_came_before_it():
    """A stream that breaks loses nothing of what it brought."""

    def broken() -> Iterator[int]:
        yield 1
        raise OSError("gone")

    batches = in_batches(broken(), 5)
    assert next(batches) == [1]
    with pytest.raises(OSError, match="gone"):
        next(batches)


_ENDS_EARLY = """
import sys
from bot.cli.batches import in_batches
from bot.cli.lines import opened
with opened(None) as lines:
    for batch in in_batches(lines, 10):
        sys.exit(3)
"""


def test_program_can_end_while_its_input_is_still_open(project: Path, tmp_path: Path):
    """An error or Ctrl-C ends the program in order although the reader still waits for more."""
    process = subprocess.Popen(
        [sys.executable, "-c", _ENDS_EARLY],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(project)},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stderr is not None
    with process:
        process.stdin.write(b"one\n")
        process.stdin.flush()
        assert process.wait(30) == 3
        assert process.stderr.read() == b""
