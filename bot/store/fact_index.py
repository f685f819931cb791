"""Facts by their words: a small full-text index in memory, built of the playbook whenever that changes."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Mapping, Sequence

_MOST_FOUND = 12


class FactIndex:
    """Finds the facts that share words with a post. Safe to ask from several threads."""

    def __init__(self, facts: Mapping[str, str]) -> None:
        """Index facts by name; the values are the words they are found by."""
        self._lock = threading.Lock()
        self._db = sqlite3.connect(":memory:", check_same_thread=False)
        self._db.execute(
            "create virtual table fact using fts5"
            " (name unindexed, words, tokenize='porter unicode61 remove_diacritics 2')"
        )
        self._db.executemany("insert into fact (name, words) values (?, ?)", list(facts.items()))

    def search(self, terms: Sequence[str]) -> tuple[str, ...]:
        """Return the names of the facts that hold any of the terms, the likeliest (by bm25) first, at most twelve."""
        sought = " OR ".join(f'"{term.replace(chr(34), "")}"' for term in terms if "\0" not in term)
        if not sought:
            return ()
        with self._lock:
            found = self._db.execute(
                "select name from fact where fact match ? order by bm25(fact), rowid limit ?", (sought, _MOST_FOUND)
            ).fetchall()
        return tuple(str(name) for (name,) in found)

    def close(self) -> None:
        """Free the index."""
        with self._lock:
            self._db.close()
