"""Top of the queue, claim and insert: what they cost at a million stored mentions against ten thousand.

Three in a hundred conversations are on the desk, the others quiet or long answered, as after years of use.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
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
from nlp.assessment import Assessment

SMALL, LARGE = 10_000, 1_000_000
ROUNDS = 60
ANA = Actor("U1", "Ana")
LATER = START + timedelta(days=30)


def measure() -> list[Figure]:
    """Fill two stores, then measure both in turn, the median of many rounds."""
    with tempfile.TemporaryDirectory() as folder:
        stores = {size: _filled(Path(folder) / f"{size}.db", size) for size in (SMALL, LARGE)}
        try:
            return [
                _compare("top of the queue", {n: lambda s=s: s.queue(20) for n, s in stores.items()}),
                _compare("claim", {n: _claims(s) for n, s in stores.items()}),
                _compare("insert of one mention", {n: _inserts(s, 1) for n, s in stores.items()}),
                _compare("insert of 100 mentions", {n: _inserts(s, 100) for n, s in stores.items()}),
            ]
        finally:
            for store in stores.values():
                store.close()


def _compare(name: str, actions: dict[int, Callable[[], object]]) -> Figure:
    times: dict[int, list[float]] = {size: [] for size in actions}
    for _ in range(ROUNDS):
        for size, action in actions.items():
            started = time.perf_counter()
            action()
            times[size].append(time.perf_counter() - started)
    small, large = (statistics.median(times[size]) * 1000 for size in (SMALL, LARGE))
    detail = f"{large:.2f} ms against {small:.2f} ms, median of {ROUNDS}"
    return Figure(f"{name}, at {LARGE:,} / at {SMALL:,} mentions", large / small, "x", "at most 1.5x", detail)


def _claims(store: Store) -> Callable[[], object]:
    ids = iter([view.conversation.id for view in store.queue(ROUNDS)])
    return lambda: decisions.claim(store, next(ids), ANA, LATER)


def _inserts(store: Store, number: int) -> Callable[[], object]:
    fresh = mentions(ROUNDS * number, seed=1000 + number)

    def insert() -> None:
        with store.transaction() as db:
            write_mentions(db, [_heard(mention) for mention in islice(fresh, number)], LATER)

    return insert


def _heard(mention: Mention, *, is_shown: bool = False) -> Heard:
    assessment = Assessment(0.8, 0.1, 60.0, 2, "yes", "complaint", "en")
    verdict = Verdict() if is_shown else Verdict("line")
    return Heard(conversation_key(mention), columns_of(mention, assessment, LATER), assessment, verdict)


def _filled(path: Path, size: int) -> Store:
    """Return a store with `size` mentions, of which 3 % stand on the desk."""
    store = Store(path).open()
    posts = mentions(size)
    done = 0
    while chunk := list(islice(posts, 5000)):
        heard = [_heard(each, is_shown=(done + i) % 33 == 0) for i, each in enumerate(chunk)]
        with store.transaction() as db:
            write_mentions(db, heard, LATER)
            db.execute("update conversation set state = 'shown', shown_at = heard_at where state = 'new'")
            db.execute("delete from job")
        done += len(chunk)
        print(f"  {path.name}: {done:,} of {size:,}", end="\r", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return store
