"""A playbook on disk: an edited file is taken at its next use, and a broken edit keeps the last good one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from nlp.playbook import Playbook, PlaybookError, load_playbook

Stamp = tuple[int, int, int] | None


def _say_nothing(_sentence: str) -> None:
    """Stand in for whoever wants to hear of a broken edit."""


class PlaybookFile:
    """Reads a playbook now, and again whenever its file has changed. Safe to use from several threads."""

    def __init__(self, path: Path, tell: Callable[[str], None] = _say_nothing) -> None:
        """Read the file.

        Args:
            path: the playbook.
            tell: is given one sentence, with the line, for each edit that can not be used, once; it must not raise.

        Raises:
            PlaybookError: it can not be used, and there is no earlier one to go on with.
        """
        self._path = path
        self._tell = tell
        self._lock = threading.Lock()
        self._stamp = _stamp_of(path)
        self._playbook = load_playbook(path)

    def current(self) -> Playbook:
        """Return the playbook as it stands in the file, or as it last stood there whole."""
        stamp = _stamp_of(self._path)
        if stamp == self._stamp:
            return self._playbook
        with self._lock:
            problem = self._take(stamp) if stamp != self._stamp else ""
        if problem:
            self._tell(f"{problem} Until then the playbook is used as it was.")
        return self._playbook

    def _take(self, stamp: Stamp) -> str:
        """Read the changed file; return what is wrong with it, '' where nothing is.

        A program may be half-way through writing it: what changes while it is read is read at the next use.
        """
        try:
            playbook = load_playbook(self._path)
        except PlaybookError as err:
            if _stamp_of(self._path) != stamp:
                return ""
            self._stamp = stamp
            return err.sentence
        self._stamp = stamp
        self._playbook = playbook
        return ""


def _stamp_of(path: Path) -> Stamp:
    """Return what changes when a file does, None where it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
