"""The heads: calibrated linear models over signals, measures, the mean word vector and hashed words. Numpy only.

Heads of their own say how far a post should be answered (the chance that its grade is at least 1, 2 and 3), which of
the ten intents it has, whether its praise is meant, and whether it speaks of a public tragedy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson

from nlp.assessment import INTENTS
from nlp.bags import Bags
from nlp.features import Array
from nlp.vectors import SIZE, shipped_vectors

GRADES: Final = (1, 2, 3)
PLAIN: Final = ("sarcastic", "crisis")
OUTPUTS: Final = (*(f"grade {grade}" for grade in GRADES), *PLAIN, *INTENTS)
_DIGITS: Final = 5
_FILES: Final = ("heads.json", "dense.npy", "words.npy")


@dataclass(frozen=True, slots=True)
class Reading:
    """What the heads say of one text: chances, each 0..1."""

    at_least: Mapping[int, float]
    intents: Mapping[str, float]
    sarcastic: float
    crisis: float


@dataclass(frozen=True, slots=True)
class Laid:
    """Texts, laid out to be weighed: a row of measured features each, and their word pieces and hashed words."""

    measured: Array
    pieces: Bags
    words: Bags


@dataclass(frozen=True)
class Heads:
    """The weights, a row for each of OUTPUTS: `dense` over the measured features, the vector's places and a bias.

    `words` are the weights of the buckets; `features` are the names of the measured features. `slopes` and `shifts`
    make the odds of the plain chances honest: odds * slope + shift.
    """

    features: tuple[str, ...]
    dense: Array
    words: npt.NDArray[np.float32]
    slopes: Array
    shifts: Array

    @cached_property
    def pieces(self) -> npt.NDArray[np.float32]:
        """What each word piece adds to the odds, worked out once from the weights over its vector."""
        return shipped_vectors().project(self.dense[:, -SIZE - 1 : -1])

    def weigh(self, laid: Laid) -> Array:
        """Return the odds: texts x outputs, those of the plain chances calibrated.

        Without BLAS: for so little it would wake a thread a core, and these spin on.
        """
        measured: Array = np.einsum("rf,wf->rw", laid.measured, self.dense[:, : -SIZE - 1])
        odds = measured + self.dense[:, -1] + laid.pieces.weigh(self.pieces) + laid.words.weigh(self.words)
        plain = len(GRADES) + len(PLAIN)
        odds[:, :plain] = odds[:, :plain] * self.slopes + self.shifts
        return odds

    def read(self, odds: Array) -> list[Reading]:
        """Return a reading of each text from its odds, calibrated."""
        plain = len(GRADES) + len(PLAIN)
        chances = squash(odds[:, :plain])
        # a post that must be answered now must be answered: the chances fall from grade to grade
        grades = np.minimum.accumulate(chances[:, : len(GRADES)], axis=1).tolist()
        intents = soften(odds[:, plain:]).tolist()
        return [
            Reading(dict(zip(GRADES, grade, strict=True)), dict(zip(INTENTS, intent, strict=True)), *other)
            for grade, other, intent in zip(grades, chances[:, len(GRADES) :].tolist(), intents, strict=True)
        ]

    def write(self, folder: Path) -> None:
        """Write the weights, rounded so that a rebuild writes the same files."""
        folder.mkdir(exist_ok=True)
        told = {"outputs": OUTPUTS, "features": self.features}
        told |= {name: np.round(getattr(self, name), _DIGITS).tolist() for name in ("slopes", "shifts")}
        (folder / _FILES[0]).write_bytes(orjson.dumps(told))
        np.save(folder / _FILES[1], np.round(self.dense, _DIGITS).astype(np.float32))
        np.save(folder / _FILES[2], self.words.astype(np.float16))

    @classmethod
    def load(cls, folder: Path) -> Heads | None:
        """Read what `write` wrote; None where it tells other outputs than this code reads."""
        told: Mapping[str, Any] = orjson.loads((folder / _FILES[0]).read_bytes())
        if told.get("outputs") != list(OUTPUTS):
            return None
        dense, words = (np.load(folder / name, allow_pickle=False) for name in _FILES[1:])
        slopes, shifts = np.array(told["slopes"]), np.array(told["shifts"])
        return cls(tuple(told["features"]), dense.astype(np.float64), words.astype(np.float32), slopes, shifts)


def squash(values: Array) -> Array:
    """Return the logistic function of `values`."""
    squashed: Array = 1.0 / (1.0 + np.exp(-np.clip(values, -30, 30)))
    return squashed


def soften(values: Array) -> Array:
    """Return the softmax of each row."""
    raised = np.exp(values - values.max(axis=1, keepdims=True))
    softened: Array = raised / raised.sum(axis=1, keepdims=True)
    return softened
