"""How well the ranking is, on labelled posts: a report, beside rankings that know less."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from listeners.mention import Author, Mention
from nlp.assess import Assessor
from nlp.baselines import MISSING, Ranking, learned_rankings, plain_rankings
from nlp.features import Array
from nlp.measures import (
    Bin,
    Figure,
    auroc,
    average_precision,
    calibration_error,
    f1,
    ndcg,
    precision_at,
    reliability,
    resample,
)

BUDGET = 60
_NOISE = ("irrelevant", "brand_chatter", "spam_promo")
_SCORED_INTENTS = ("complaint", "question_help", "praise", "followup_in_thread", "noise")
_TOP = 50
_FEWEST = 20
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
Told = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Score:
    """The quality of one way to rank some rows. NDCG and the precision at the budget go by priority."""

    name: str
    rows: int
    auroc: Figure
    average_precision: Figure
    ndcg_50: Figure
    precision_at_budget: Figure
    urgent_auroc: Figure
    urgent_average_precision: Figure


@dataclass(frozen=True, slots=True)
class Report:
    """The quality of Cuecard's ranking: overall, by source, and of the baselines on the same rows.

    `reliability` says whether the chances come true. `left_out` is a sentence on baselines that are not installed.
    """

    rows: int
    needing: int
    urgent: int
    budget: int
    cuecard: Score
    baselines: tuple[Score, ...]
    by_source: tuple[Score, ...]
    intent_macro_f1: Figure
    intent_f1: Mapping[str, float]
    calibration_error: Figure
    reliability: tuple[Bin, ...]
    grade_accuracy: float
    invited_accuracy: float
    left_out: str = ""


def _tell_nobody(_step: str, _done: float) -> None:
    """Report to nobody."""


def evaluate(
    rows: Sequence[Mapping[str, Any]],
    assessor: Assessor | None = None,
    *,
    budget: int = BUDGET,
    tell: Told = _tell_nobody,
) -> Report:
    """Assess labelled rows and measure.

    A row has `text` and `grade`; where known `intent`, `invited`, `brand`, `source` and `platform`.

    Positives are grades 2 and 3. `budget` is how many cards a day the rows would get: the precision of the first so
    many is told. `tell` is told the step and how much of all is done.

    Raises:
        ValueError: a row has no text or no grade, or there are no rows.
    """
    _check(rows)
    tell("assessing", 0.0)
    told = (assessor or Assessor()).assess([_mention(row, number) for number, row in enumerate(rows)])
    grades = np.array([row["grade"] for row in rows])
    needs = np.array([one.needs_reply for one in told])
    ours = Ranking("cuecard", needs, np.array([one.urgent for one in told]), np.array([one.priority for one in told]))
    tell("baselines", 0.3)
    others, left_out = _baselines([row["text"] for row in rows])
    tell("measuring", 0.5)
    wanted = [_merge(row.get("intent") or "") for row in rows]
    given = [_merge(one.intent) for one in told]
    per_intent = {name: value for name in _SCORED_INTENTS if not np.isnan(value := f1(wanted, given, name))}
    invited = [(row.get("invited"), one.invited) for row, one in zip(rows, told, strict=True) if row.get("invited")]
    report = Report(
        rows=len(rows),
        needing=int((grades >= 2).sum()),
        urgent=int((grades == 3).sum()),
        budget=budget,
        cuecard=_score(ours, grades, budget),
        baselines=tuple(_score(each, grades, budget) for each in others),
        by_source=tuple(_by_source(rows, ours, grades, budget)),
        intent_macro_f1=_macro_f1(wanted, given),
        intent_f1=per_intent,
        calibration_error=resample(lambda taken: calibration_error(grades[taken] >= 2, needs[taken]), len(rows)),
        reliability=tuple(reliability(grades >= 2, needs)),
        grade_accuracy=float(np.mean(grades == [one.grade for one in told])),
        invited_accuracy=float(np.mean([a == b for a, b in invited])) if invited else float("nan"),
        left_out=left_out,
    )
    tell("done", 1.0)
    return report


def _baselines(texts: Sequence[str]) -> tuple[list[Ranking], str]:
    """Return what to compare with, and a sentence on what is not installed."""
    try:
        return [*plain_rankings(texts), *learned_rankings(texts)], ""
    except ImportError:
        return plain_rankings(texts), MISSING


def _score(ranking: Ranking, grades: Array, budget: int) -> Score:
    def over(measure: Callable[[Array, Array], float], scores: Array) -> Figure:
        return resample(lambda taken: measure(grades[taken], scores[taken]), len(grades))

    return Score(
        ranking.name,
        len(grades),
        auroc=over(lambda grade, score: auroc(grade >= 2, score), ranking.needs),
        average_precision=over(lambda grade, score: average_precision(grade >= 2, score), ranking.needs),
        ndcg_50=over(lambda grade, score: ndcg(grade, score, _TOP), ranking.priority),
        precision_at_budget=over(lambda grade, score: precision_at(grade >= 2, score, budget), ranking.priority),
        urgent_auroc=over(lambda grade, score: auroc(grade == 3, score), ranking.urgent),
        urgent_average_precision=over(lambda grade, score: average_precision(grade == 3, score), ranking.urgent),
    )


def _by_source(rows: Sequence[Mapping[str, Any]], ours: Ranking, grades: Array, budget: int) -> list[Score]:
    """Return a score for each source (or platform) with enough rows, where there is more than one."""
    sources = np.array([str(row.get("source") or row.get("platform") or "") for row in rows])
    found = [name for name in np.unique(sources).tolist() if (sources == name).sum() >= _FEWEST]
    if len(found) < 2:
        return []
    scores = []
    for name in found:
        inside = sources == name
        part = Ranking(name, ours.needs[inside], ours.urgent[inside], ours.priority[inside])
        share = max(1, round(budget * inside.mean()))
        scores.append(_score(part, grades[inside], share))
    return scores


def _macro_f1(wanted: Sequence[str], given: Sequence[str]) -> Figure:
    """Return the mean over the intents that some row has; the rows whose intent is not known are left out."""
    known = [number for number, want in enumerate(wanted) if want]
    if not known:
        return Figure(*[float("nan")] * 3)
    wants, gets = [wanted[number] for number in known], [given[number] for number in known]

    def measure(taken: npt.NDArray[np.int64]) -> float:
        some, others = [wants[number] for number in taken], [gets[number] for number in taken]
        values = [f1(some, others, name) for name in _SCORED_INTENTS]
        return float(np.nanmean(values)) if not np.isnan(values).all() else float("nan")

    return resample(measure, len(known))


def _check(rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        raise ValueError("there are no rows to evaluate")
    for number, row in enumerate(rows, start=1):
        if not isinstance(row.get("text"), str):
            raise ValueError(f"row {number} has no text")  # noqa: TRY004 - a fault of the file, not of the call
        if row.get("grade") not in (0, 1, 2, 3):
            raise ValueError(f"row {number} has no grade from 0 to 3")


def _mention(row: Mapping[str, Any], number: int) -> Mention:
    return Mention(
        platform=str(row.get("platform") or "replay"),
        native_id=str(row.get("id", number)),
        text=row["text"],
        author=Author("someone"),
        created_at=_EPOCH,
        title=str(row.get("title") or ""),
        brand=str(row.get("brand") or ""),
    )


def _merge(intent: str) -> str:
    return "noise" if intent in _NOISE else intent
