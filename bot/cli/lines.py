"""Files of lines, '-' among them."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from bot.cli.failures import Failure
from bot.cli.terminal import complain


def is_stdin(file: Path | None) -> bool:
    """Return whether standard input is meant."""
    return file is None or str(file) == "-"


def name_of(file: Path | None) -> str:
    """Return what a file is called in a message."""
    return "stdin" if is_stdin(file) else str(file)


def _stdin() -> BinaryIO:
    """Return standard input through a reader of our own.

    The thread that waits in it may still wait when the program ends; Python would not survive that with its own reader.
    """
    try:
        return open(sys.stdin.fileno(), "rb", closefd=False)
    except (OSError, ValueError):  # it was replaced by something that is no file
        return sys.stdin.buffer


@contextlib.contextmanager
def opened(file: Path | None) -> Iterator[BinaryIO]:
    """Yield a file's bytes; standard input for None and '-'.

    Raises:
        Failure: it cannot be read.
    """
    if file is None or is_stdin(file):
        if sys.stdin.isatty():
            complain("Reading what you type; end with Ctrl-D.")
        yield _stdin()
        return
    try:
        stream = file.open("rb")
    except OSError as err:
        raise Failure(f"{file} cannot be read: {err.strerror}.") from err
    with stream:
        yield stream
