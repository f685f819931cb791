"""Finding posts by address and by author without an index of their own.

Each post carries a few short hashes, its clues, and the search index holds them. It takes entries in bulk and merges
them at leisure, whereas addresses and handles, which come in no order, would cost a B-tree a page each. A clue leads to
candidates; whoever looks something up compares the columns themselves.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from hashlib import blake2b

from sqlite_utils import Database

from bot.store.rows import rows

_QUERY = re.compile(r"[?#]")
_SCHEME = re.compile(r"https?://", re.IGNORECASE)


def clues_of(url: str, author: str, author_id: str) -> str:
    """Return the clues of a post, as they stand in its row."""
    found = [_clue("a", name) for name in dict.fromkeys((author.casefold(), author_id.casefold())) if name]
    if url:
        found.append(address_clue(url))
        if "?" in url:
            found.append(place_clue(url))
    return " ".join(found)


def author_clue(name: str) -> str:
    """Return the clue of every post of an author, by handle or by the platform's own id, whatever its case."""
    return _clue("a", name.casefold())


def address_clue(url: str) -> str:
    """Return the clue of the posts at an address, with http or https, a last slash and a fragment or without them."""
    return _clue("u", _SCHEME.sub("", url.split("#", 1)[0]).rstrip("/"))


def place_clue(url: str) -> str:
    """Return the clue of the posts whose addresses differ from this one, or from each other, in their query only."""
    return _clue("p", _SCHEME.sub("", place_of(url)))


def place_of(url: str) -> str:
    """Return an address without its query, fragment and last slash."""
    return _QUERY.split(url, maxsplit=1)[0].rstrip("/")


def candidates(db: Database, columns: str, clues: Iterable[str], limit: int = -1) -> list[sqlite3.Row]:
    """Return these columns of the posts (`m`) with any of the clues, oldest first. Empty without a clue."""
    wanted = " OR ".join(dict.fromkeys(clues))
    if not wanted:
        return []
    return rows(
        db,
        f"select {columns} from mention_fts cross join mention m on m.id = mention_fts.rowid"  # noqa: S608 - columns are ours
        " where mention_fts match ? order by mention_fts.rowid limit ?",
        (f"clues : ({wanted})", limit),
    )


def _clue(kind: str, value: str) -> str:
    return kind + blake2b(value.encode(), digest_size=6).hexdigest()
