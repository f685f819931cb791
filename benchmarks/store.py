"""Top of the queue, claim and insert: what they cost at a million stored mentions against ten thousand.

Three in a hundred conversations are on the desk, the others quiet, as after years of use. Ids, authors and addresses
come in no order, which is the worst an index can meet. Every write is a transaction of its own, synced to the disk.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from itertools import islice
from pathlib import Path

from benchmarks.posts import START, mentions
from benchmarks.report import Figure
from bot import decisions
from bot.conversation import Actor
from bot.line import Verdict
from bot.store import Store
from bot.store.hearing import Heard, columns_of, conversation_key, write_mentions
from listeners.mention import Mention
from nlp.assessment import Assessment, Reason

SMALL, LARGE = 10_000, 1_000_000
CHUNK = 10_000
ROUNDS = {1: 60, 100: 30, 512: 10}
"""Rounds by how many are inserted at once; so few that the small store stays small."""
READ_ROUNDS = 60
_FILLING = ("synchronous = off", "cache_size = -500000", "wal_autocheckpoint = 50000")
ANA = Actor("U1", "Ana")
LATER = START + timedelta(days=30)
REASONS = (Reason("asks a question", 1.2, (0, 20)), Reason("names a sum of money", 0.4, (24, 28)))
INTENTS = {"complaint": 0.6213, "question_help": 0.2548, "praise": 0.0124, "purchase_intent": 0.0411}


def measure() -> list[Figure]:
    """Fill two stores, then measure both in turn, the median of many rounds."""
    with tempfile.TemporaryDirectory() as folder:
        stores = {size: _filled(Path(folder) / f"{size}.db", size) for size in (SMALL, LARGE)}
        try:
            return [
                _compare("top of the queue", {n: partial(s.queue, 20) for n, s in stores.items()}, READ_ROUNDS),
                _compare("claim", {n: _claims(s) for n, s in stores.items()}, READ_ROUNDS),
                _compare("a post found by its address", {n: _finds(s, n) for n, s in stores.items()}, READ_ROUNDS),
                *(
                    _compare(f"insert of {number}", {n: _inserts(s, number) for n, s in stores.items()}, rounds)
                    for number, rounds in ROUNDS.items()
                ),
            ]
        finally:
            for store in stores.values():
                store.close()


def _compare(name: str, actions: Mapping[int, Callable[[], object]], rounds: int) -> Figure:
    times: dict[int, list[float]] = {size: [] for size in actions}
    for turn in range(rounds):
        for size in list(actions) if turn % 2 else reversed(list(actions)):
            started = time.perf_counter()
            actions[size]()
            times[size].append((time.perf_counter() - started) * 1000)
    small, large = (statistics.median(times[size]) for size in (SMALL, LARGE))
    means = " and ".join(f"{statistics.fmean(times[size]):.2f}" for size in (LARGE, SMALL))
    detail = f"{large:.2f} ms against {small:.2f} ms, median of {rounds} (means {means})"
    return Figure(f"{name}, at {LARGE:,} / at {SMALL:,} mentions", large / small, "x", "at most 1.5x", detail)


def _claims(store: Store) -> Callable[[], object]:
    ids = iter([view.conversation.id for view in store.queue(READ_ROUNDS)])

    def claim() -> None:
        assert decisions.claim(store, next(ids), ANA, LATER).is_done

    return claim


def _finds(store: Store, size: int) -> Callable[[], object]:
    ids = iter(range(1, size, size // READ_ROUNDS))

    def find() -> None:
        found = store.mention(next(ids))
        assert found is not None
        assert store.find_conversation(found.url) is not None

    return find


def _inserts(store: Store, number: int) -> Callable[[], object]:
    fresh = iter([_heard(mention) for mention in mentions(ROUNDS[number] * number, seed=1000 + number)])

    def insert() -> None:
        with store.transaction() as db:
            assert write_mentions(db, list(islice(fresh, number)), LATER).new == number

    return insert


def _heard(mention: Mention, *, is_shown: bool = False) -> Heard:
    assessment = Assessment(0.8, 0.1, 60.0, 2, "yes", "complaint", "en", INTENTS, REASONS)
    verdict = Verdict() if is_shown else Verdict("line")
    return Heard(conversation_key(mention), columns_of(mention, assessment, LATER), assessment, verdict)


def _filled(path: Path, size: int) -> Store:
    """Return a store with `size` mentions, of which 3 % stand on the desk; filling it does not wait for the disk."""
    with Store(path) as filling:
        for pragma in _FILLING:
            filling.read().execute(f"pragma {pragma}").fetchone()
        _fill(filling, size)
        filling.read().execute("pragma wal_checkpoint(truncate)").fetchone()
    return Store(path).open()


def _fill(store: Store, size: int) -> None:
    posts = mentions(size)
    done = 0
    while chunk := list(islice(posts, CHUNK)):
        heard = [_heard(each, is_shown=(done + i) % 33 == 0) for i, each in enumerate(chunk)]
        with store.transaction() as db:
            write_mentions(db, heard, LATER)
            db.execute("update conversation set state = 'shown', shown_at = heard_at where state = 'new'")
            db.execute("delete from job")
        done += len(chunk)
        if done % 100_000 == 0:
            print(f"  {done:,} of {size:,} stored", file=sys.stderr, flush=True)
