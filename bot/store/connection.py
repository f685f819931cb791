"""How the database is opened, shared between threads, written to and closed.

One connection per thread. A transaction starts with BEGIN IMMEDIATE, so that what it reads first still holds when it
writes. The lock between writing threads only spares them SQLite's busy sleeps; what must be unique is an index.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from sqlite_utils import Database

from bot.migrations import migrations

BUSY_SECONDS = 10
_PRAGMAS = (
    f"busy_timeout = {BUSY_SECONDS * 1000}",
    "foreign_keys = on",
    "synchronous = full",
    "secure_delete = on",  # a text that was taken down is overwritten, not only unlinked
    "temp_store = memory",
    "cache_size = -64000",  # at most: only the intake's connection touches as many pages
    "mmap_size = 268435456",
    "wal_autocheckpoint = 8000",  # the same pages of the indexes are written again and again before they go home
    "journal_size_limit = 67108864",
)


class StoreError(Exception):
    """The database cannot be used; the message is one plain sentence with what to do."""


class Connections:
    """One database file: a connection for each thread that asks, one writer at a time."""

    def __init__(self, path: Path | str) -> None:
        """Name the file; nothing is opened before `open`."""
        self.path = Path(path)
        self._local = threading.local()
        self._opened: dict[threading.Thread, Database] = {}
        self._register = threading.Lock()
        self._writing = threading.Lock()
        self._is_open = False

    def open(self) -> Self:
        """Create the file where there is none, bring its tables up to date, and return the store.

        Raises:
            StoreError: with what to do about the path or the file.
        """
        _check_place(self.path)
        with _told_plainly(self.path):
            _make_private(self.path)
            self._is_open = True
            try:
                _bring_up_to_date(self.read(), self.path)
            except BaseException:
                self.close()
                raise
        return self

    def close(self) -> None:
        """Let a running transaction end, then close the connections of all threads; closing twice is harmless."""
        self._is_open = False
        with self._writing, self._register:
            for db in self._opened.values():
                db.close()
            self._opened.clear()
            self._local = threading.local()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self) -> Database:
        """Return this thread's connection, for reads outside a transaction."""
        db = getattr(self._local, "db", None)
        if isinstance(db, Database):
            return db
        return self._connect()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Database]:
        """Yield this thread's connection inside a writing transaction: all of it is kept, or none.

        Raises:
            RuntimeError: for a transaction inside another; pass the outer one's `db` on instead.
        """
        db = self.read()
        if db.conn.in_transaction:
            raise RuntimeError("A transaction is open in this thread already: pass its db on.")
        with self._writing:
            db.execute("begin immediate")
            try:
                yield db
                db.execute("commit")
            except BaseException:
                db.rollback()
                raise

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Database]:
        """Yield this thread's connection inside a reading transaction: several reads see one moment."""
        db = self.read()
        if db.conn.in_transaction:
            yield db
            return
        db.execute("begin")
        try:
            yield db
        finally:
            db.rollback()

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Be the one running bot of this database; others may still read and write it, as `cuecard replay` does.

        The lock is a transaction on a small file beside the database, so the system frees it when the process dies.

        Raises:
            StoreError: where another bot holds it, or with what to do about the path.
        """
        _check_place(self.path)
        lock = self.path.with_name(self.path.name + ".lock")
        with _told_plainly(lock):
            _make_private(lock)
        conn = sqlite3.connect(lock, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            try:
                conn.execute("begin exclusive")
            except sqlite3.OperationalError as err:
                if "locked" not in str(err):
                    raise StoreError(_sentence(lock, str(err))) from err
                raise StoreError(
                    f"Another Cuecard is running on {self.path}; stop it first, or give this one its own store.path."
                ) from err
            yield
        finally:
            conn.close()

    def _connect(self) -> Database:
        """Open this thread's connection, and close those whose thread has ended."""
        with self._register:
            if not self._is_open:
                raise StoreError("The database is not open.")
            for thread in [thread for thread in self._opened if not thread.is_alive()]:
                self._opened.pop(thread).close()
            db = _connect(self.path)
            self._opened[threading.current_thread()] = db
            self._local.db = db
            return db


def _connect(path: Path) -> Database:
    """Open one connection. It may be closed from another thread, never used from one."""
    conn = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        db = Database(conn, execute_plugins=False)
        for pragma in _PRAGMAS:
            conn.execute(f"pragma {pragma}").close()
    except BaseException:
        conn.close()
        raise
    return db


def _check_place(path: Path) -> None:
    """Refuse a path that cannot hold a database."""
    if path.is_dir():
        raise StoreError(f"{path} is a folder; name a file for the database in store.path.")
    if not path.parent.is_dir():
        raise StoreError(f"The folder {path.parent} does not exist; create it, or change store.path.")


def _make_private(path: Path) -> None:
    """Create the file for its owner alone; SQLite gives its side files the same mode."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if hasattr(os, "fchmod"):
            with contextlib.suppress(PermissionError):  # somebody else's file that we may still write
                os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _told_plainly(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system say while opening into one sentence."""
    try:
        yield
    except sqlite3.OperationalError as err:
        raise StoreError(_sentence(path, str(err))) from err
    except sqlite3.DatabaseError as err:
        raise StoreError(f"{path} is not a Cuecard database ({err}); move it away, or change store.path.") from err
    except OSError as err:
        raise StoreError(f"{path} cannot be written ({err.strerror}); check its owner and rights.") from err


def _sentence(path: Path, said: str) -> str:
    """Say what an operational error while opening means."""
    if "locked" in said or "busy" in said:
        return f"Another program keeps {path} locked; close it and start again."
    if "readonly" in said or "read-only" in said or "unable to open" in said:
        return f"{path} cannot be written; check the rights of the file and of its folder."
    if "full" in said:
        return f"The disk that holds {path} is full; make room and start again."
    return f"{path} cannot be opened ({said})."


def _bring_up_to_date(db: Database, path: Path) -> None:
    """Apply the steps this database lacks, all or none; refuse one that is newer than this program."""
    applied = {step.name for step in migrations.applied(db)}
    ours = {step.name for step in migrations._migrations}  # noqa: SLF001 - sqlite-utils offers no other list
    if applied - ours:
        raise StoreError(f"{path} was written by a newer Cuecard; install that version, or change store.path.")
    if not applied and db.table_names():
        raise StoreError(f"{path} is another program's database; change store.path.")
    if applied == ours:
        return
    if db.execute("pragma journal_mode").fetchone()[0] != "wal":
        db.execute("pragma journal_mode = wal").fetchone()
    db.execute("begin immediate")
    try:
        migrations.apply(db)
        db.execute("commit")
    except BaseException:
        db.rollback()
        raise
