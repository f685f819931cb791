"""The firehose: from an event's raw bytes to the watches it matches, 500 of them with 2,000 words.

Against a loop of `json.loads` and substrings, and against the least that could be done at all: decoding the bytes and
running one bare automaton over them. The events are made up, in the form and of the size of Jetstream's; nearly half of
the posts are not all ASCII, about one in a hundred matches, one event in ten is a deletion.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson
from ahocorasick_rs import AhoCorasick

from benchmarks.events import make_events, make_names
from benchmarks.report import Figure
from bot.store import Store
from bot.store.erasure import write_removals
from listeners.bluesky.firehose import is_edit
from listeners.bluesky.jetstream_events import read_event
from listeners.firehose import Sieve
from listeners.mention import Removal
from listeners.query import Watch, Watches, compile_watches

WATCHES: Final = 500
WORDS_EACH: Final = 4
EVENTS: Final = 2_000
ROUNDS: Final = 7
ROUND_SECONDS: Final = 0.1
REMOVALS: Final = 1_000


def measure() -> list[Figure]:
    """Decide on the same events in each way, in turn."""
    words = make_names(WATCHES * WORDS_EACH)
    groups = [words[at : at + WORDS_EACH] for at in range(0, len(words), WORDS_EACH)]
    watches = compile_watches([Watch(f"watch {n}", "B", " OR ".join(group)) for n, group in enumerate(groups)])
    events = make_events(EVENTS, words)
    ways = _ways(watches, groups)
    decide = ways["ours"]
    assert all(len(decide(raw)) == len(watches.match(_text_of(raw))) for raw in events)
    hits = sum(bool(decide(raw)) for raw in events) / len(events)
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(ROUNDS):
        best |= {name: min(best[name], _microseconds(way, events)) for name, way in ways.items()}
    return [*_compare(best, hits, sum(map(len, events)) / len(events)), _measure_removals()]


def _ways(watches: Watches, groups: Sequence[Sequence[str]]) -> dict[str, Callable[[bytes], Any]]:
    passes = Sieve(watches).passes
    automaton = AhoCorasick([word for group in groups for word in group])
    words = [word for group in groups for word in group]

    def decide(raw: bytes) -> Sequence[Watch]:
        if not passes(raw) and not is_edit(raw):
            return ()
        record = read_event(raw).record
        return () if record is None else watches.match(record["text"])

    def decide_naively(raw: bytes) -> list[int]:
        text = json.loads(raw)["commit"].get("record", {}).get("text", "").lower()
        return [place for place, group in enumerate(groups) if any(word in text for word in group)]

    def look_for_words(raw: bytes) -> list[str]:
        text = json.loads(raw)["commit"].get("record", {}).get("text", "").lower()
        return [word for word in words if word in text]

    return {
        "ours": decide,
        "naive": decide_naively,
        "flat": look_for_words,
        "bare": lambda raw: automaton.find_matches_as_indexes(raw.decode()),
        "parsed": lambda raw: automaton.find_matches_as_indexes(_text_of(raw)),
    }


def _compare(best: dict[str, float], hits: float, size: float) -> list[Figure]:
    about = f"{best['ours']:.2f} µs an event of {size:.0f} bytes, {hits:.1%} of which match; best of {ROUNDS}"
    return [
        Figure("loop over each watch's words / firehose", best["naive"] / best["ours"], "x", "at least 40x",
               f"{about}, against {best['naive']:.0f} µs"),
        Figure("loop over all words at once / firehose", best["flat"] / best["ours"], "x", "reported",
               f"against {best['flat']:.0f} µs"),
        Figure("firehose / bytes.decode and a bare automaton", best["ours"] / best["bare"], "x", "at most 1.5x",
               f"against {best['bare']:.2f} µs"),
        Figure("firehose / orjson.loads and an automaton on the text", best["ours"] / best["parsed"], "x", "reported",
               f"against {best['parsed']:.2f} µs"),
    ]  # fmt: skip


def _measure_removals() -> Figure:
    """Tell the store of deletions of posts it never had: nearly all of them are."""
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    uris = (f"at://did:plc:{number:024}/app.bsky.feed.post/3k{number}" for number in range(REMOVALS))
    removals = [Removal("bluesky", now, native_id=uri) for uri in uris]
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "bench.db")
        store.open()
        with store.transaction() as db:
            started = time.perf_counter()
            write_removals(db, removals, now)
            spent = time.perf_counter() - started
        store.close()
    each = spent / REMOVALS * 1e6
    return Figure("a deletion of a post that was never stored", each, " µs", "reported", "a busy second has about ten")


def _text_of(raw: bytes) -> str:
    text = orjson.loads(raw)["commit"].get("record", {}).get("text", "")
    assert isinstance(text, str)
    return text


def _microseconds(way: Callable[[bytes], object], events: Sequence[bytes]) -> float:
    """Return the best of several runs that together take long enough to be told apart."""
    best, ends_at = float("inf"), time.perf_counter() + ROUND_SECONDS
    while time.perf_counter() < ends_at or best == float("inf"):
        started = time.perf_counter()
        for raw in events:
            way(raw)
        best = min(best, time.perf_counter() - started)
    return best / len(events) * 1e6
