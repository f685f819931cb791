"""The heads: small calibrated logistic models over signals, measures and the text categoriser's scores. Numpy only.

`at_least` holds the chance that the grade is at least 1, 2 and 3; `intents` is a softmax over the ten intents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nlp.assessment import INTENTS
from nlp.features import Array

GRADES = (1, 2, 3)
_STEPS = 1_500
_CERTAIN = 0.995
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Reading:
    """What the heads say of one text."""

    at_least: Mapping[int, float]
    intents: Mapping[str, float]


@dataclass(frozen=True)
class Heads:
    """The weights: one row a grade and one a row an intent, over the same features, the last column the bias."""

    features: tuple[str, ...]
    grades: Array
    intents: Array

    def read(self, rows: Array) -> list[Reading]:
        """Return a reading of each row of features."""
        inputs = _with_bias(rows)
        grades = squash(_weigh(inputs, self.grades))
        # a post that must be answered now must be answered: the chances fall from grade to grade
        grades = np.minimum.accumulate(grades, axis=1)
        intents = soften(_weigh(inputs, self.intents))
        return [
            Reading(dict(zip(GRADES, at_least, strict=True)), dict(zip(INTENTS, chances, strict=True)))
            for at_least, chances in zip(grades.tolist(), intents.tolist(), strict=True)
        ]

    def to_json(self) -> dict[str, Any]:
        """Return the weights as plain values, rounded so that a rebuild writes the same file."""
        return {
            "features": list(self.features),
            "grades": np.round(self.grades, _DIGITS).tolist(),
            "intents": np.round(self.intents, _DIGITS).tolist(),
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Heads:
        """Read what `to_json` wrote."""
        return cls(tuple(told["features"]), np.array(told["grades"]), np.array(told["intents"]))


def fit(  # noqa: PLR0913 - the labels of one table
    names: Sequence[str],
    rows: Array,
    grades: Sequence[int],
    intents: Sequence[str],
    signs: Array,
    *,
    ridge: float | Array = 0.005,
) -> Heads:
    """Fit the heads to judged rows. `signs` says which way a feature may move the grades (0: either).

    `ridge` is what a weight costs, one for all features or one each: the less, the sooner few posts move it.
    """
    inputs = _with_bias(rows)
    strength = np.append(np.broadcast_to(ridge, rows.shape[1]), 0.0)
    even = np.full(len(rows), 1 / len(rows))
    held = np.append(signs, 0.0)
    per_grade = [
        _descend(inputs, np.array([[float(grade >= least)] for grade in grades]), even, held, strength)[0]
        for least in GRADES
    ]
    wanted = np.array([[float(intent == name) for name in INTENTS] for intent in intents])
    free = np.zeros_like(held)
    # rare intents count for more than their share, or the common ones would swallow them
    rare = (1 / np.sqrt(wanted.sum(axis=0) + 1))[wanted.argmax(axis=1)]
    return Heads(tuple(names), np.array(per_grade), _descend(inputs, wanted, rare / rare.sum(), free, strength))


def squash(values: Array) -> Array:
    """Return the logistic function of `values`."""
    squashed: Array = 1.0 / (1.0 + np.exp(-np.clip(values, -30, 30)))
    return squashed


def spread(chances: Array) -> Array:
    """Return the log odds of `chances`, within reason."""
    chances = np.clip(chances, 1 - _CERTAIN, _CERTAIN)
    odds: Array = np.log(chances / (1 - chances))
    return odds


def soften(values: Array) -> Array:
    """Return the softmax of each row."""
    raised = np.exp(values - values.max(axis=1, keepdims=True))
    softened: Array = raised / raised.sum(axis=1, keepdims=True)
    return softened


def _weigh(inputs: Array, weights: Array) -> Array:
    """Multiply without BLAS: for so little it would wake a thread a core, and these spin on long after."""
    weighed: Array = np.einsum("rf,wf->rw", inputs, weights)
    return weighed


def _with_bias(rows: Array) -> Array:
    return np.hstack([rows, np.ones((len(rows), 1))])


def _descend(inputs: Array, wanted: Array, weights: Array, signs: Array, ridge: Array) -> Array:
    """Minimise the weighted log loss with a ridge, keeping each weight on its allowed side (accelerated, projected)."""
    guess = ahead = np.zeros((wanted.shape[1], inputs.shape[1]))
    link = squash if wanted.shape[1] == 1 else soften
    pace = 1.0 / (0.5 * np.linalg.norm(inputs * np.sqrt(weights)[:, None], 2) ** 2 + ridge.max())
    momentum = 1.0
    for _ in range(_STEPS):
        errors = (link(inputs @ ahead.T) - wanted) * weights[:, None]
        moved = ahead - pace * (errors.T @ inputs + ahead * ridge)
        moved = np.where(signs > 0, np.maximum(moved, 0), np.where(signs < 0, np.minimum(moved, 0), moved))
        faster = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = moved + (momentum - 1) / faster * (moved - guess)
        guess, momentum = moved, faster
    return guess
