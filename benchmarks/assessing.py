"""Assessing: posts through the shipped model, batched, on one core, against VADER's `polarity_scores` on the same."""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from benchmarks.posts import texts
from benchmarks.report import Figure
from listeners.mention import Author, Mention
from nlp.assess import Assessor

POSTS = 3_000
ROUNDS = 5
_ALONE = 300


def measure() -> list[Figure]:
    """Time both on the same posts, in turn, in this thread's processor time; then one post at a time."""
    assessor, analyzer = Assessor(), SentimentIntensityAnalyzer()
    mentions = [_mention(number, text) for number, text in enumerate(texts(POSTS))]
    assessor.assess(mentions)
    ratios, ours, theirs = [], [], []
    for _ in range(ROUNDS):
        started = time.thread_time()
        assessor.assess(mentions)
        between = time.thread_time()
        for mention in mentions:
            analyzer.polarity_scores(mention.text)
        ours.append((between - started) / POSTS * 1e6)
        theirs.append((time.thread_time() - between) / POSTS * 1e6)
        ratios.append(ours[-1] / theirs[-1])
    alone = sorted(_alone(assessor, mention) for mention in mentions[:_ALONE])
    detail = f"{statistics.median(ours):.0f} against {statistics.median(theirs):.0f} µs a post, median of {ROUNDS}"
    return [
        Figure("assessing, batched / VADER polarity_scores", statistics.median(ratios), "x", "at most 2x", detail),
        Figure("one post alone, once warm: p99", alone[int(len(alone) * 0.99)], "ms", "at most 5 ms", "of 300 posts"),
    ]


def _alone(assessor: Assessor, mention: Mention) -> float:
    started = time.perf_counter()
    assessor.assess([mention])
    return (time.perf_counter() - started) * 1e3


def _mention(number: int, text: str) -> Mention:
    return Mention("x", str(number), text, Author("someone"), datetime(2026, 11, 23, tzinfo=UTC), brand="Kettle & Fern")
