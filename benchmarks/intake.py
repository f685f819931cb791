"""Intake end to end, file to durable store with search, against the loop that one would write first.

The loop comes twice: on a database as sqlite-utils opens it, and on one with a write-ahead log and full-text search,
as somebody would have it who knows where the time goes. The model is ours in all three, and each survives a power cut.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import sqlite_utils
from spacy.language import Language

from benchmarks.posts import lines
from benchmarks.report import Figure
from bot.clock import SystemClock
from bot.config import CardSettings
from bot.intake import Intake
from bot.listening import GROUP_MENTIONS
from bot.store import Store
from listeners.contract import FeedContext
from listeners.mention import Batch
from listeners.query import Watch, compile_watches
from listeners.replay import open_platform
from nlp.assess import Assessor
from nlp.group import Grouper
from nlp.pipeline import load

POSTS = 4_096
NAIVE_POSTS = 512  # the naive loop is slow; both are given as posts per second
ROUNDS = 5
QUERIES = ('"kettle & fern" OR kettleandfern OR "kettle and fern"', "teapot leaks", "gift card -giveaway")
WORDS = ("kettle & fern", "kettleandfern", "kettle and fern", "teapot", "leaks", "gift", "card", "giveaway")


def measure() -> list[Figure]:
    """Run both in turn on posts of the same kind, the model loaded and warm in both; the middle of several rounds."""
    nlp, assessor = load(), Assessor()
    nlp("warm up")
    assessor.warm()  # tells the garbage collector to pass over what is loaded, which serves the loop as well
    first, tuned, real = [], [], []
    for turn in range(ROUNDS):
        first.append(_rate(lambda place, rows: _run_naive(place, rows, nlp, is_tuned=False), NAIVE_POSTS, seed=turn))
        tuned.append(_rate(lambda place, rows: _run_naive(place, rows, nlp, is_tuned=True), NAIVE_POSTS, seed=turn))
        real.append(_rate(lambda place, rows: _run_real(place, rows, assessor), POSTS, seed=100 + turn))
    return [
        _compare("the naive loop", "at least 4x", real, first),
        _compare("the naive loop with a write-ahead log", "reported", real, tuned),
    ]


def _compare(name: str, asked: str, real: list[float], naive: list[float]) -> Figure:
    ratio = statistics.median(fast / slow for fast, slow in zip(real, naive, strict=True))
    rates = (f"{statistics.median(rate):,.0f}" for rate in (real, naive))
    return Figure(
        f"intake end to end / {name}", ratio, "x", asked, f"{' against '.join(rates)} posts/s, median of {ROUNDS}"
    )


def _rate(run: Callable[[Path, list[bytes]], float], number: int, seed: int) -> float:
    """Return posts per second."""
    with tempfile.TemporaryDirectory() as folder:
        return number / run(Path(folder), lines(number, seed))


def _run_naive(folder: Path, rows: list[bytes], nlp: Language, *, is_tuned: bool) -> float:
    """json, a substring loop over the words, the pipeline on each text, and one upsert per row."""
    db = sqlite_utils.Database(folder / "naive.db")
    table = db.table("mention")
    table.insert({"id": "0", "text": "", "score": 0.0, "watch": ""}, pk="id")
    if is_tuned:
        db.enable_wal()
        table.enable_fts(["text"], create_triggers=True)
    assert db.execute("pragma synchronous").fetchone()[0] == 2  # full, as SQLite has it by default
    started = time.perf_counter()
    for line in rows:
        row = json.loads(line)
        text = row["text"].lower()
        found = [word for word in WORDS if word in text]
        doc = nlp(row["text"])
        score = max(doc.cats.values(), default=0.0)
        table.upsert({"id": row["id"], "text": row["text"], "score": score, "watch": ",".join(found)}, pk="id")
    seconds = time.perf_counter() - started
    db.close()
    return seconds


def _run_real(folder: Path, rows: list[bytes], assessor: Assessor) -> float:
    """Play a file through the replay listener and the intake, in groups of the size that the intake thread takes."""
    (folder / "feed.jsonl").write_bytes(b"\n".join(rows))
    watches = compile_watches([Watch(f"watch {n}", "Kettle & Fern", query) for n, query in enumerate(QUERIES)])
    context = FeedContext("bench", watches, lambda _: False, lambda: datetime.now(UTC))
    platform = open_platform({"path": str(folder / "feed.jsonl")}, context)
    with Store(folder / "real.db") as store:
        intake = Intake(store, assessor, Grouper(), CardSettings(), SystemClock())
        intake.replayed.add("bench")
        started = time.perf_counter()
        group: list[tuple[str, Batch]] = []
        stored = 0
        for batch in platform.listen(None):
            group.append(("bench", batch))
            if sum(len(each.mentions) for _, each in group) >= GROUP_MENTIONS:
                stored += intake.take(group).new
                group = []
        if group:
            stored += intake.take(group).new
        seconds = time.perf_counter() - started
    assert stored == len(rows)
    return seconds
