"""The report on labelled rows."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import pytest

from nlp.assess import Assessor
from nlp.baselines import MISSING
from nlp.evaluate import evaluate
from nlp.report import draw, to_table


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
    assert report.cuecard.auroc.value == pytest.approx(1)
    assert [score.name for score in report.baselines] == ["random", "longest first", "VADER", "TF-IDF"]
    table = to_table(report)
    assert all(score.name in table for score in report.baselines)
    assert "4 posts: 2 need a reply" in table
    assert "came true" in table


@pytest.mark.parametrize(
    ("rows", "words"),
    [([], "no rows"), ([{"grade": 1}], "row 1 has no text"), ([{"text": "x", "grade": 4}], "row 1 has no grade")],
)
def test_rows_without_labels_are_refused(assessor: Assessor, rows: list[dict[str, object]], words: str) -> None:
    """The first row that can not be measured is named."""
    with pytest.raises(ValueError, match=words):
        evaluate(rows, assessor)


def _mixed(count: int = 60) -> list[dict[str, object]]:
    texts = (("@halcyon you charged me twice, refund", 3), ("nice day", 0), ("@halcyon how do I change my seat?", 2))
    numbers = range(count)
    return [{"text": f"{text} {n}", "grade": grade, "source": f"s{n % 2}"} for n in numbers for text, grade in texts]


def test_each_source_is_measured_alone(assessor: Assessor) -> None:
    """Where there are several with enough rows; one source alone is the whole."""
    rows = _mixed()
    report = evaluate(rows, assessor, budget=10)
    assert [(score.name, score.rows) for score in report.by_source] == [("s0", 90), ("s1", 90)]
    assert report.cuecard.precision_at_budget.value == pytest.approx(1)
    assert evaluate([row for row in rows if row["source"] == "s0"], assessor).by_source == ()


def test_baselines_that_are_not_installed_are_left_out_and_said(
    assessor: Assessor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The figures of the ranker need no extra."""
    real = builtins.__import__

    def refuse(name: str, *args: Any, **kwargs: Any) -> object:  # noqa: ANN401 - as the built-in
        if name.startswith(("vaderSentiment", "sklearn")):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    report = evaluate(_mixed(2), assessor)
    assert [score.name for score in report.baselines] == ["random", "longest first"]
    assert MISSING in to_table(report)


def test_a_picture_is_drawn(assessor: Assessor, tmp_path: Path) -> None:
    """A PNG with the calibration and the comparison."""
    draw(evaluate(_mixed(4), assessor), tmp_path / "figures.png")
    assert (tmp_path / "figures.png").read_bytes().startswith(b"\x89PNG")
