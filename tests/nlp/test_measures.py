"""The measures, against figures worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.measures import (
    auroc,
    average_precision,
    calibration_error,
    f1,
    ndcg,
    precision_at,
    recall_at,
    reliability,
    resample,
)


def test_auroc_is_the_chance_of_a_right_order() -> None:
    """Three of four pairs in order, ties half."""
    assert auroc([True, False, True, False], np.array([0.9, 0.8, 0.7, 0.1])) == pytest.approx(0.75)
    assert auroc([True, False], np.array([0.5, 0.5])) == pytest.approx(0.5)
    assert math.isnan(auroc([True, True], np.array([0.5, 0.4])))


def test_average_precision_is_taken_at_each_positive() -> None:
    """Hits at ranks 1 and 3: (1 + 2/3) / 2; one tie of all is the share of positives."""
    assert average_precision([True, False, True], np.array([0.9, 0.8, 0.7])) == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision([True, False, False, False], np.zeros(4)) == pytest.approx(0.25)
    assert math.isnan(average_precision([False], np.zeros(1)))


def test_ndcg_is_one_for_the_best_order() -> None:
    """The best order is 1; swapping a 3 behind a 0 costs what it should."""
    grades = np.array([3, 2, 0])
    assert ndcg(grades, np.array([3.0, 2.0, 1.0]), 50) == pytest.approx(1)
    worse = (0 + 7 / math.log2(3) + 3 / 2) / (7 + 3 / math.log2(3))
    assert ndcg(grades, np.array([2.0, 1.0, 3.0]), 50) == pytest.approx(worse)


def test_calibration_error_is_the_gap_between_told_and_found() -> None:
    """Told .8, found 1 and .1, found 0: a mean gap of .15."""
    assert calibration_error([True, False], np.array([0.8, 0.1])) == pytest.approx(0.15)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=60))
def test_auroc_counts_pairs(rows: list[tuple[bool, int]]) -> None:
    """The fast way equals counting every pair."""
    up = [score for is_up, score in rows if is_up]
    down = [score for is_up, score in rows if not is_up]
    told = auroc([is_up for is_up, _ in rows], np.array([score for _, score in rows], dtype=float))
    if not up or not down:
        assert math.isnan(told)
        return
    pairs = sum((a > b) + (a == b) / 2 for a in up for b in down)
    assert told == pytest.approx(pairs / (len(up) * len(down)))


def test_precision_at_the_budget_is_a_share_of_the_first() -> None:
    """Of the first two one is right; a budget above all is the share of all."""
    scores = np.array([0.9, 0.8, 0.1])
    assert precision_at([True, False, True], scores, 2) == pytest.approx(0.5)
    assert precision_at([True, False, True], scores, 9) == pytest.approx(2 / 3)
    assert math.isnan(precision_at([], np.zeros(0), 3))


def test_recall_is_told_at_so_many_false_alarms() -> None:
    """With one false alarm in four negatives, two of three positives stand above the second-best negative."""
    positive = [True, True, True, False, False, False, False]
    scores = np.array([0.9, 0.5, 0.1, 0.7, 0.4, 0.3, 0.2])
    assert recall_at(positive, scores, 0.25) == pytest.approx(2 / 3)
    assert recall_at(positive, scores, 0.0) == pytest.approx(1 / 3)


def test_reliability_leaves_out_empty_bins() -> None:
    """Two bins hold rows, and say how many."""
    bins = reliability([True, False, True], np.array([0.95, 0.92, 0.05]))
    assert [(each.rows, each.found) for each in bins] == [(1, 1.0), (2, 0.5)]


def test_f1_is_between_precision_and_recall() -> None:
    """One right of two told and of one wanted."""
    assert f1(["a", "b"], ["a", "a"], "a") == pytest.approx(2 / 3)
    assert math.isnan(f1(["b"], ["b"], "a"))


def test_an_interval_holds_the_value_and_narrows_with_the_rows() -> None:
    """The same seed gives the same interval; a hundred times the rows make it about ten times as narrow."""
    few, many = np.arange(40) % 2, np.arange(4_000) % 2
    wide = resample(lambda taken: float(few[taken].mean()), 40)
    narrow = resample(lambda taken: float(many[taken].mean()), 4_000)
    assert wide == resample(lambda taken: float(few[taken].mean()), 40)
    assert wide.low < wide.value < wide.high
    assert 5 < (wide.high - wide.low) / (narrow.high - narrow.low) < 20
