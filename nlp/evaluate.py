"""How well the ranking is: measures on labelled posts, beside baselines that know nothing. Numpy only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from listeners.mention import Author, Mention
from nlp.assess import Assessor
from nlp.features import Array

_NOISE = ("irrelevant", "brand_chatter", "spam_promo")
_SCORED_INTENTS = ("complaint", "question_help", "praise", "followup_in_thread", "noise")
_TOP = 50
_BINS = 10
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Score:
    """The quality of one way to rank. NaN where the rows do not allow the measure."""

    name: str
    auroc: float
    average_precision: float
    ndcg_50: float
    urgent_auroc: float
    urgent_average_precision: float


@dataclass(frozen=True, slots=True)
class Report:
    """The quality of Cuecard's ranking, and of the baselines on the same rows."""

    rows: int
    needing: int
    urgent: int
    cuecard: Score
    baselines: tuple[Score, ...]
    intent_macro_f1: float
    intent_f1: Mapping[str, float]
    calibration_error: float
    grade_accuracy: float
    invited_accuracy: float


def evaluate(rows: Sequence[Mapping[str, Any]], assessor: Assessor | None = None) -> Report:
    """Assess labelled rows (`text`, `grade`; `intent`, `invited`, `brand`, `platform` where known) and measure.

    Positives are grades 2 and 3; NDCG's gain is 2^grade - 1, in order of priority.

    Raises:
        ValueError: a row has no text or no grade, or there are no rows.
    """
    _check(rows)
    told = (assessor or Assessor()).assess([_mention(row, number) for number, row in enumerate(rows)])
    grades = np.array([row["grade"] for row in rows])
    needs = np.array([one.needs_reply for one in told])
    lengths = np.array([len(row["text"]) for row in rows], dtype=float)
    chance = np.random.default_rng(0).random(len(rows))
    priority = np.array([one.priority for one in told])
    urgent = np.array([one.urgent for one in told])
    per_intent = _intent_f1([row.get("intent", "") for row in rows], [one.intent for one in told])
    invited = [(row.get("invited"), one.invited) for row, one in zip(rows, told, strict=True) if row.get("invited")]
    return Report(
        rows=len(rows),
        needing=int((grades >= 2).sum()),
        urgent=int((grades == 3).sum()),
        cuecard=_score("cuecard", grades, needs, priority, urgent),
        baselines=(
            _score("random", grades, chance, chance, chance),
            _score("longest first", grades, lengths, lengths, lengths),
        ),
        intent_macro_f1=float(np.mean(list(per_intent.values()))) if per_intent else float("nan"),
        intent_f1=per_intent,
        calibration_error=calibration_error(grades >= 2, needs),
        grade_accuracy=float(np.mean(grades == [one.grade for one in told])),
        invited_accuracy=float(np.mean([a == b for a, b in invited])) if invited else float("nan"),
    )


def to_table(report: Report) -> str:
    """Return the report as plain text."""
    head = f"{'':<16}{'AUROC':>8}{'AP':>8}{'NDCG@50':>9}{'urgent AUROC':>14}{'urgent AP':>11}"
    lines = [f"{report.rows} posts: {report.needing} need a reply, {report.urgent} of them now.", "", head]
    lines += [
        f"{score.name:<16}{score.auroc:>8.3f}{score.average_precision:>8.3f}{score.ndcg_50:>9.3f}"
        f"{score.urgent_auroc:>14.3f}{score.urgent_average_precision:>11.3f}"
        for score in (report.cuecard, *report.baselines)
    ]
    each = ", ".join(f"{name} {value:.2f}" for name, value in report.intent_f1.items())
    lines += [
        "",
        f"intent macro-F1    {report.intent_macro_f1:.3f}  ({each})",
        f"calibration error  {report.calibration_error:.3f}",
        f"right grade        {report.grade_accuracy:.3f}",
        f"right invited      {report.invited_accuracy:.3f}",
    ]
    return "\n".join(lines)


def auroc(positive: npt.ArrayLike, scores: Array) -> float:
    """Return the chance that a positive scores above a negative; ties count half. NaN without both."""
    marks = np.asarray(positive, dtype=bool)
    if marks.all() or not marks.any():
        return float("nan")
    values, where, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[where]
    above = ranks[marks].sum() - marks.sum() * (marks.sum() + 1) / 2
    assert len(values)
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


def ndcg(grades: Array, scores: Array, top: int = _TOP) -> float:
    """Return the discounted gain (2^grade - 1) of the first `top` by score over the best there could be."""
    gains = 2.0 ** np.asarray(grades, dtype=float) - 1
    discounts = 1 / np.log2(np.arange(2, min(top, len(gains)) + 2))
    best = float((np.sort(gains)[::-1][:top] * discounts).sum())
    return float((gains[np.argsort(-scores, kind="stable")][:top] * discounts).sum()) / best if best else float("nan")


def calibration_error(positive: npt.ArrayLike, chances: Array) -> float:
    """Return the mean gap between the chance told and the share found, over ten bins of equal width."""
    marks = np.asarray(positive, dtype=float)
    bins = np.minimum((chances * _BINS).astype(int), _BINS - 1)
    gaps = [
        (bins == each).mean() * abs(chances[bins == each].mean() - marks[bins == each].mean())
        for each in range(_BINS)
        if (bins == each).any()
    ]
    return float(sum(gaps))


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


def _score(name: str, grades: Array, needs: Array, priority: Array, urgent: Array) -> Score:
    return Score(
        name,
        auroc(grades >= 2, needs),
        average_precision(grades >= 2, needs),
        ndcg(grades, priority),
        auroc(grades == 3, urgent),
        average_precision(grades == 3, urgent),
    )


def _intent_f1(wanted: Sequence[str], told: Sequence[str]) -> dict[str, float]:
    pairs = [(_merge(want), _merge(got)) for want, got in zip(wanted, told, strict=True) if want]
    scores = {}
    for name in _SCORED_INTENTS:
        right = sum(want == got == name for want, got in pairs)
        either = sum(want == name for want, _ in pairs) + sum(got == name for _, got in pairs)
        if any(want == name for want, _ in pairs):
            scores[name] = 2 * right / either
    return scores


def _merge(intent: str) -> str:
    return "noise" if intent in _NOISE else intent
