"""Matching: 500 watches with 2,000 words between them, against a loop over all words of all watches."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Sequence

from benchmarks.posts import texts
from benchmarks.report import Figure
from listeners.query import Watch, compile_watches

WATCHES = 500
WORDS_EACH = 4
POSTS = 2_000
ROUNDS = 5
_STARTS = ("kes", "bran", "tor", "mil", "fen", "gal", "hol", "pas", "rud", "vel", "win", "zor")
_ENDS = ("kettle", "wick", "land", "mere", "by", "ton", "field", "ford", "ley", "stow", "worth", "den")


def measure() -> list[Figure]:
    """Match the same posts in both ways, in turn; the loop does not even look for whole words or accents."""
    words = _words(WATCHES * WORDS_EACH)
    groups = [words[at : at + WORDS_EACH] for at in range(0, len(words), WORDS_EACH)]
    watches = compile_watches([Watch(f"watch {n}", "B", _query(group)) for n, group in enumerate(groups)])
    posts = list(texts(POSTS))
    naive, real = [], []
    for _ in range(ROUNDS):
        naive.append(_microseconds(lambda text: _match_naively(text, groups), posts))
        real.append(_microseconds(watches.match, posts))
    ratio = statistics.median(slow / fast for fast, slow in zip(real, naive, strict=True))
    detail = f"{statistics.median(real):.1f} µs a post against {statistics.median(naive):.1f} µs"
    return [Figure(f"loop / matching, {WATCHES} watches of {len(words):,} words", ratio, "x", "reported", detail)]


def _words(number: int) -> list[str]:
    rng = random.Random(5)  # noqa: S311 - benchmark material
    made = (f"{rng.choice(_STARTS)}{rng.choice(_ENDS)}{place:x}" for place in range(number - 8))
    return ["kettle", "teapot", "sampler", "infuser", "gift", "card", "parcel", "subscription", *made]


def _query(words: Sequence[str]) -> str:
    return f'({words[0]} OR "{words[1]} {words[2]}") -{words[3]}'


def _match_naively(text: str, groups: Sequence[Sequence[str]]) -> list[int]:
    lower = text.lower()
    return [
        place
        for place, (one, two, three, never) in enumerate(groups)
        if (one in lower or f"{two} {three}" in lower) and never not in lower
    ]


def _microseconds(match: Callable[[str], object], posts: Sequence[str]) -> float:
    started = time.perf_counter()
    for post in posts:
        match(post)
    return (time.perf_counter() - started) / len(posts) * 1e6
