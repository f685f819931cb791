"""The measures, against figures worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.assess import Assessor
from nlp.evaluate import auroc, average_precision, calibration_error, evaluate, ndcg, to_table


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
    assert ndcg(grades, np.array([3.0, 2.0, 1.0])) == pytest.approx(1)
    worse = (0 + 7 / math.log2(3) + 3 / 2) / (7 + 3 / math.log2(3))
    assert ndcg(grades, np.array([2.0, 1.0, 3.0])) == pytest.approx(worse)


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


def test_a_report_stands_beside_baselines(assessor: Assessor) -> None:
    """Labelled rows give a table with the baselines in it."""
    rows = [
        {
            "text": "@halcyon you charged me twice, refund now",
            "grade": 3,
            "intent": "complaint",
            "invited": "yes",
            "brand": "halcyon",
        },
        {
            "text": "@halcyon how do I change my seat?",
            "grade": 2,
            "intent": "question_help",
            "invited": "yes",
            "brand": "halcyon",
        },
        {"text": "tide went out", "grade": 0, "intent": "irrelevant", "brand": None},
        {"text": "flying halcyon, window seat", "grade": 0, "intent": "brand_chatter"},
    ]
    report = evaluate(rows, assessor)
    assert (report.rows, report.needing, report.urgent) == (4, 2, 1)
    assert report.cuecard.auroc == pytest.approx(1)
    table = to_table(report)
    assert "random" in table
    assert "longest first" in table
    assert "4 posts: 2 need a reply" in table


@pytest.mark.parametrize(
    ("rows", "words"),
    [([], "no rows"), ([{"grade": 1}], "row 1 has no text"), ([{"text": "x", "grade": 4}], "row 1 has no grade")],
)
def test_rows_without_labels_are_refused(assessor: Assessor, rows: list[dict[str, object]], words: str) -> None:
    """The first row that can not be measured is named."""
    with pytest.raises(ValueError, match=words):
        evaluate(rows, assessor)
