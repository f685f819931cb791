"""Intake end to end, decode to durable store with search, against the loop that one would write first."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

import sqlite_utils

from benchmarks.posts import lines
from benchmarks.report import Figure
from bot.clock import SystemClock
from bot.config import CardSettings
from bot.intake import Intake
from bot.store import Store
from listeners.mention import Batch, Mention
from listeners.query import Watch, Watches, compile_watches
from listeners.replay import read_rows
from nlp.assess import Assessor
from nlp.group import Grouper
from nlp.pipeline import load

POSTS = 4_000
NAIVE_POSTS = 500  # the naive loop is slow; both are given as posts per second
GROUP = 512
QUERIES = ('"kettle & fern" OR kettleandfern OR "kettle and fern"', "teapot leaks", "gift card -giveaway")


def measure() -> list[Figure]:
    """Run both on posts of the same kind, the pipeline loaded and warm in both."""
    watches = compile_watches([Watch(f"watch {n}", "Kettle & Fern", query) for n, query in enumerate(QUERIES)])
    with tempfile.TemporaryDirectory() as folder:
        naive = _naive(Path(folder) / "naive.db", lines(NAIVE_POSTS, seed=1))
        real = _real(Path(folder) / "real.db", lines(POSTS, seed=2), watches)
    detail = f"{real:,.0f} posts/s against {naive:,.0f} posts/s"
    return [Figure("intake / naive loop", real / naive, "x", "at least 4x", detail)]


def _naive(path: Path, rows: list[bytes]) -> float:
    """json, a substring loop over the words, the pipeline on each text, and one upsert per row, all durable."""
    nlp = load()
    nlp("warm up")
    db = sqlite_utils.Database(path)
    db.enable_wal()
    db.execute("pragma synchronous=full")
    table = db.table("mention")
    table.insert({"id": "0", "text": "", "score": 0.0, "watch": ""}, pk="id")
    table.enable_fts(["text"], create_triggers=True)
    words = ("kettle & fern", "kettleandfern", "kettle and fern", "teapot", "leaks", "gift", "card", "giveaway")
    started = time.perf_counter()
    for line in rows:
        row = json.loads(line)
        text = row["text"].lower()
        found = [word for word in words if word in text]
        doc = nlp(row["text"])
        score = max(doc.cats.values(), default=0.0)
        table.upsert({"id": row["id"], "text": row["text"], "score": score, "watch": ",".join(found)}, pk="id")
    seconds = time.perf_counter() - started
    db.close()
    return len(rows) / seconds


def _real(path: Path, rows: list[bytes], watches: Watches) -> float:
    assessor = Assessor()
    store = Store(path).open()
    try:
        intake = Intake(store, assessor, Grouper(), CardSettings(), SystemClock())
        assessor.assess([next(_mentions(rows, watches))])
        started = time.perf_counter()
        mentions = list(_mentions(rows, watches))
        for at in range(0, len(mentions), GROUP):
            intake.take([("bench", Batch(tuple(mentions[at : at + GROUP]), cursor=str(at)))])
        return len(rows) / (time.perf_counter() - started)
    finally:
        store.close()


def _mentions(rows: list[bytes], watches: Watches):  # noqa: ANN202
    for row in read_rows(rows, "bench", watches=watches):
        assert isinstance(row, Mention)
        yield row
