"""What is told of a team's taste: how well its decisions are ordered, and which posts are ranked higher and lower."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from listeners.catalog import LABELS
from nlp.lessons import average_precision
from nlp.traits import BRAND, PLATFORM, Flags

if TYPE_CHECKING:
    from bot.taste import Study

_NAMED = 3
_INTENT_WORDS: Mapping[str, str] = {
    "complaint": "complaints",
    "question_help": "questions",
    "praise": "praise",
    "purchase_intent": "wishes to buy",
    "churn_risk": "people who are leaving",
    "safety_legal_crisis": "matters of safety or law",
    "spam_promo": "promotion",
    "irrelevant": "other subjects",
    "brand_chatter": "chatter",
    "followup_in_thread": "parts of a thread",
}


def say_moves(moves: Mapping[str, float]) -> str:
    """Say what a correction ranks higher and lower, '' where it is nothing that has a name."""
    named = {_name_of(kind): move for kind, move in moves.items() if _name_of(kind)}
    ordered = sorted(named, key=lambda name: -abs(named[name]))
    ways = (("higher", [name for name in ordered if named[name] > 0]), ("lower", [n for n in ordered if named[n] < 0]))
    parts = [f"{way}: {', '.join(names[:_NAMED])}" for way, names in ways if names]
    return f" It ranks {'; '.join(parts)}." if parts else ""


def _name_of(kind: str) -> str:
    """Return the words for an intent or a place, '' for anything else."""
    if kind.startswith(PLATFORM):
        platform = kind.removeprefix(PLATFORM)
        return f"posts on {LABELS.get(platform, platform)}"
    if kind.startswith(BRAND):
        return f"posts about {kind.removeprefix(BRAND)!r}"
    return _INTENT_WORDS.get(kind, "")


@dataclass(frozen=True, slots=True)
class Score:
    """How well some of the decisions are ordered, without and with the correction: average precisions."""

    words: str
    decisions: int
    before: float
    after: float


def score(studied: Study) -> list[Score]:
    """Return how well the decisions are ordered by a correction that did not see them: all, and each reason alone.

    A reason to leave a post alone is held against everything answered, and the other way round.
    """
    answered = studied.lessons.answered
    everything = np.ones(len(answered), dtype=bool)
    scores = [
        _score("all decisions", studied, everything, len(answered)),
        _score("those below grade 3", studied, ~studied.lessons.traits.is_urgent),
    ]
    for label in dict.fromkeys(studied.labels):
        own = np.array([each == label for each in studied.labels], dtype=bool)
        scores.append(_score(label.words, studied, own | (answered != label.is_answered), int(own.sum())))
    return scores


def _score(words: str, studied: Study, rows_of: Flags, number: int | None = None) -> Score:
    lessons, learned = studied.lessons, studied.learned
    answered, weights = lessons.answered[rows_of], lessons.weights[rows_of]
    before, after = (average_precision(answered, odds[rows_of], weights) for odds in (learned.before, learned.after))
    return Score(words, int(rows_of.sum()) if number is None else number, before, after)
