"""Reading rows by name, and the forms in which values stand in a row."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sqlite_utils import Database

Parameters = Sequence[object] | Mapping[str, object]


def rows(db: Database, sql: str, parameters: Parameters = ()) -> list[sqlite3.Row]:
    """Run a prepared query and return all of its rows; sqlite-utils' own `query` adds a savepoint to each."""
    cursor = db.conn.cursor()
    cursor.row_factory = sqlite3.Row
    return cursor.execute(sql, parameters).fetchall()


def row(db: Database, sql: str, parameters: Parameters = ()) -> sqlite3.Row | None:
    """Run a prepared query and return its first row, or None."""
    cursor = db.conn.cursor()
    cursor.row_factory = sqlite3.Row
    found: sqlite3.Row | None = cursor.execute(sql, parameters).fetchone()
    cursor.close()
    return found


def change(db: Database, sql: str, parameters: Parameters = ()) -> int:
    """Run a prepared statement and return how many rows it changed: the answer of a compare-and-set."""
    return db.conn.execute(sql, parameters).rowcount


def insert(db: Database, sql: str, parameters: Parameters = ()) -> int:
    """Run a prepared insert and return the new row's number."""
    number = db.conn.execute(sql, parameters).lastrowid
    assert number is not None
    return number


def stamp(moment: datetime) -> float:
    """Return a moment as the database holds it: seconds since 1970 in UTC."""
    return moment.timestamp()


def moment(seconds: float) -> datetime:
    """Return a stored time as an aware datetime in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def moment_or_none(seconds: float | None) -> datetime | None:
    """Return a stored time that may be missing."""
    return None if seconds is None else moment(seconds)
