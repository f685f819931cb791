"""Opening, sharing, holding and closing the database."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from bot.conversation import Actor
from bot.migrations import migrations
from bot.store import Store, StoreError


def test_a_new_database_is_its_owners_alone_and_durable(store: Store):
    """Its files are 0600, its journal is WAL, and a commit is on disk."""
    store.remember_person(Actor("U1", "Ana"))
    for suffix in ("", "-wal", "-shm"):
        mode = stat.S_IMODE(store.path.with_name(store.path.name + suffix).stat().st_mode)
        assert mode == 0o600, suffix
    assert store.read().execute("pragma journal_mode").fetchone() == ("wal",)
    assert store.read().execute("pragma synchronous").fetchone() == (2,)
    assert store.read().execute("pragma foreign_keys").fetchone() == (1,)


def test_a_transaction_is_kept_whole_or_not_at_all(store: Store):
    """What raises inside a transaction leaves nothing behind."""

    def fail_halfway() -> None:
        with store.transaction() as db:
            db.execute("insert into person values ('U1', 'Ana')")
            db.execute("insert into person values ('U1', 'twice')")

    with pytest.raises(sqlite3.IntegrityError):
        fail_halfway()
    assert store.person("U1") is None
    store.remember_person(Actor("U1", "Ana"))
    assert store.person("U1") == Actor("U1", "Ana")


def test_a_transaction_inside_another_is_refused(store: Store):
    """An inner commit would break the outer one's promise."""
    with store.transaction(), pytest.raises(RuntimeError, match="pass its db on"), store.transaction():
        pass


def test_threads_have_connections_of_their_own_and_ended_ones_are_closed(store: Store):
    """Many short threads do not pile up connections."""
    seen = []
    for _ in range(5):
        thread = threading.Thread(target=lambda: seen.append(store.read()))
        thread.start()
        thread.join()
    assert len({id(db) for db in seen}) == 5
    assert len(store._opened) <= 2
    for db in seen[:-1]:
        with pytest.raises(sqlite3.ProgrammingError):
            db.execute("select 1")


def test_a_closed_store_says_so(store: Store):
    """After close nothing is opened again by accident; closing twice is harmless."""
    store.close()
    store.close()
    with pytest.raises(StoreError, match="not open"):
        store.read()


def test_a_missing_folder_is_named(tmp_path: Path):
    """The sentence has the folder and what to do."""
    with pytest.raises(StoreError, match=r"nowhere does not exist; create it"):
        Store(tmp_path / "nowhere" / "cuecard.db").open()


def test_a_folder_is_not_a_database(tmp_path: Path):
    """A path that is a folder is refused."""
    with pytest.raises(StoreError, match="is a folder"):
        Store(tmp_path).open()


def test_another_kind_of_file_is_left_alone(tmp_path: Path):
    """A file that is no database is refused, and not changed."""
    path = tmp_path / "letter.txt"
    path.write_bytes(b"Dear database, " * 1000)
    with pytest.raises(StoreError, match="not a Cuecard database"):
        Store(path).open()
    assert path.read_bytes() == b"Dear database, " * 1000


def test_another_programs_database_is_left_alone(tmp_path: Path):
    """A database with other tables is refused, and gets none of ours."""
    path = tmp_path / "other.db"
    conn = sqlite3.connect(path)
    conn.execute("create table recipe (name text)")
    conn.close()
    with pytest.raises(StoreError, match="another program's"):
        Store(path).open()
    conn = sqlite3.connect(path)
    assert conn.execute("select count(*) from sqlite_master").fetchone() == (1,)
    conn.close()


def test_a_newer_database_is_refused(store: Store):
    """An older program does not touch what a newer one wrote."""
    migrations._record_applied(store.read(), "999_from_the_future")
    store.close()
    with pytest.raises(StoreError, match="newer Cuecard"):
        Store(store.path).open()


@pytest.mark.skipif(os.geteuid() == 0, reason="the system's administrator may write everywhere")
def test_a_read_only_file_is_named(tmp_path: Path):
    """Rights that are missing are said as such."""
    path = tmp_path / "cuecard.db"
    Store(path).open().close()
    path.chmod(0o400)
    with pytest.raises(StoreError, match="cannot be written"):
        Store(path).open()


def test_one_bot_holds_the_database_and_others_may_still_write(store: Store):
    """A second bot is refused while the first runs, a replay is not, and after the first ends the second may."""
    with Store(store.path) as other:
        with store.hold():
            with pytest.raises(StoreError, match="Another Cuecard is running"), other.hold():
                pass
            other.remember_person(Actor("U1", "Ana"))
        with other.hold():
            assert store.person("U1") == Actor("U1", "Ana")


def test_two_stores_may_begin_the_same_file_at_once(tmp_path: Path):
    """Both see the tables, whoever made them."""
    stores = [Store(tmp_path / "cuecard.db") for _ in range(4)]
    errors: list[BaseException] = []

    def begin(store: Store) -> None:
        try:
            store.open()
        except BaseException as err:  # noqa: BLE001 - told to the test below
            errors.append(err)

    threads = [threading.Thread(target=begin, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    for store in stores:
        assert store.queue() == []
        store.close()


def test_close_waits_for_a_running_transaction(store: Store):
    """A transaction that runs in another thread ends before its connection is closed."""
    entered, leave = threading.Event(), threading.Event()

    def write() -> None:
        with store.transaction() as db:
            db.execute("insert into person values ('U1', 'Ana')")
            entered.set()
            leave.wait(5)

    writer = threading.Thread(target=write)
    writer.start()
    assert entered.wait(5)
    closer = threading.Thread(target=store.close)
    closer.start()
    leave.set()
    writer.join()
    closer.join()
    with Store(store.path) as again:
        assert again.person("U1") == Actor("U1", "Ana")
