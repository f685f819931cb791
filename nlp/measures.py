"""Measures of a ranking, and how sure they are. Numpy only.

`scores` are everywhere an array of floats, higher for what should come first; `positive` marks the rows that should.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nlp.features import Array

BINS = 10
_CERTAINTY = 95
_RESAMPLES = 400


@dataclass(frozen=True, slots=True)
class Figure:
    """A measure, and the interval that 95 of 100 samples of as many rows fall into. NaN where it means nothing."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows that were told about the same chance: the mean of what was told, the share that was found, and how many."""

    told: float
    found: float
    rows: int


def auroc(positive: npt.ArrayLike, scores: Array) -> float:
    """Return the chance that a positive scores above a negative; ties count half. NaN without both."""
    marks = np.asarray(positive, dtype=bool)
    if marks.all() or not marks.any():
        return float("nan")
    _, where, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[where]
    above = ranks[marks].sum() - marks.sum() * (marks.sum() + 1) / 2
    return float(above / (marks.sum() * (~marks).sum()))


def average_precision(positive: npt.ArrayLike, scores: Array) -> float:
    """Return the mean of the precision at each positive, best score first; equal scores enter together."""
    marks = np.asarray(positive, dtype=bool)
    if not marks.any():
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(marks[order])
    last_of_tie = np.append(np.diff(scores[order]) != 0, True)
    hits_then, seen = hits[last_of_tie], np.flatnonzero(last_of_tie) + 1
    gained = np.diff(np.insert(hits_then, 0, 0))
    return float((gained * hits_then / seen).sum() / marks.sum())


def ndcg(grades: Array, scores: Array, top: int) -> float:
    """Return the discounted gain (2^grade - 1) of the first `top` by score over the best there could be."""
    gains = 2.0 ** np.asarray(grades, dtype=float) - 1
    discounts = 1 / np.log2(np.arange(2, min(top, len(gains)) + 2))
    best = float((np.sort(gains)[::-1][:top] * discounts).sum())
    return float((gains[np.argsort(-scores, kind="stable")][:top] * discounts).sum()) / best if best else float("nan")


def precision_at(positive: npt.ArrayLike, scores: Array, top: int) -> float:
    """Return the share of positives among the first `top` by score. NaN where there are no rows."""
    marks = np.asarray(positive, dtype=float)[np.argsort(-scores, kind="stable")][:top]
    return float(marks.mean()) if len(marks) else float("nan")


def recall_at(positive: npt.ArrayLike, scores: Array, false_alarms: float) -> float:
    """Return the share of positives that are found where at most that share of negatives is called, too."""
    marks = np.asarray(positive, dtype=bool)
    if marks.all() or not marks.any():
        return float("nan")
    negatives = np.sort(scores[~marks])[::-1]
    line = negatives[min(int(false_alarms * len(negatives)), len(negatives) - 1)]
    return float((scores[marks] > line).mean())


def reliability(positive: npt.ArrayLike, chances: Array) -> list[Bin]:
    """Return ten bins of equal width, those without rows left out: does the chance that is told come true?"""
    marks = np.asarray(positive, dtype=float)
    places = np.minimum((chances * BINS).astype(int), BINS - 1)
    return [
        Bin(float(chances[inside].mean()), float(marks[inside].mean()), int(inside.sum()))
        for each in range(BINS)
        if (inside := places == each).any()
    ]


def calibration_error(positive: npt.ArrayLike, chances: Array) -> float:
    """Return the mean gap between the chance told and the share found, over the bins of `reliability`."""
    found = reliability(positive, chances)
    return sum(each.rows * abs(each.told - each.found) for each in found) / max(1, sum(each.rows for each in found))


def f1(wanted: Sequence[str], told: Sequence[str], label: str) -> float:
    """Return how well one label is told, between precision and recall. NaN where no row has it."""
    right = sum(want == got == label for want, got in zip(wanted, told, strict=True))
    has, got = wanted.count(label), told.count(label)
    return 2 * right / (has + got) if has else float("nan")


def resample(measure: Callable[[npt.NDArray[np.int64]], float], rows: int, seed: int = 0) -> Figure:
    """Return a measure with its interval, by the bootstrap.

    `measure` is given the numbers of the rows to take: all of them once, then as many drawn with repeats, again and
    again. The same seed gives the same interval.
    """
    rng = np.random.default_rng(seed)
    drawn = [measure(rng.integers(0, rows, rows)) for _ in range(_RESAMPLES)]
    known = np.array([value for value in drawn if not np.isnan(value)])
    value = measure(np.arange(rows))
    if not len(known):
        return Figure(value, float("nan"), float("nan"))
    low, high = np.percentile(known, [(100 - _CERTAINTY) / 2, (100 + _CERTAINTY) / 2])
    return Figure(value, float(low), float(high))
