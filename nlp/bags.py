"""What texts are made of, as bags of numbers: hashed words and pairs of words, or word pieces. Numpy only.

A bag weighs the less each, the more is in it, so that a long post does not shout a short one down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
import numpy.typing as npt

from nlp.features import Array

BITS = 15
BUCKETS = 2**BITS
_WEIGHT = 2.5
_CALM = 2
_ONE = np.uint64(0x9E3779B97F4A7C15)
_TWO = np.uint64(0xC2B2AE3D27D4EB4F)
_SHIFT = np.uint64(64 - BITS)

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Bags:
    """The bags of some texts, one after the other: what is in them, where each begins, and what its parts weigh.

    No bag is empty; every number is below `width`. The parts of a bag of n weigh the less, the larger n + `calm`.
    """

    numbers: Numbers
    starts: Numbers
    values: Array
    width: int
    calm: float = 0.0

    def __len__(self) -> int:
        return len(self.starts)

    def weigh(self, weights: npt.NDArray[np.floating]) -> Array:
        """Return what rows of weights (outputs x width) give each bag: bags x outputs."""
        sums = np.add.reduceat(weights[:, self.numbers], self.starts, axis=1)
        weighed: Array = sums.T * self.values[:, None]
        return weighed

    def lose(self, parts: Bags, owners: Numbers, weights: npt.NDArray[np.floating]) -> Array:
        """Return what bags (`owners`) would lose of what rows of weights give them without a part of each.

        What is left then weighs more: parts x outputs.
        """
        whole, value, sizes = self.weigh(weights)[owners], self.values[owners][:, None], self._sizes()[owners]
        left = np.maximum(sizes - parts._sizes(), 1)
        raised = value * np.sqrt((sizes + self.calm) / (left + self.calm))[:, None]
        lost: Array = whole - raised * (whole / value - replace(parts, values=np.ones(len(parts))).weigh(weights))
        return lost

    def pull(self, errors: Array) -> Array:
        """Return what each number did to the errors of the bags (bags x outputs): outputs x width."""
        owners, scaled = np.repeat(np.arange(len(self)), self._sizes()), errors * self.values[:, None]
        return np.array([np.bincount(self.numbers, each[owners], self.width) for each in scaled.T])

    def take(self, rows: Numbers) -> Bags:
        """Return some of the bags, by their places."""
        ends = self.starts + self._sizes()
        parts = [self.numbers[self.starts[row] : ends[row]] for row in rows]
        starts = np.cumsum([0, *(len(part) for part in parts)])[:-1]
        return Bags(
            np.concatenate(parts) if parts else self.numbers[:0], starts, self.values[rows], self.width, self.calm
        )

    def _sizes(self) -> Numbers:
        return np.diff(np.append(self.starts, len(self.numbers)))


def hash_words(words: Sequence[Sequence[int]]) -> Bags:
    """Return the words of each text, numbers of 64 bits, and its pairs of neighbours, each once, as buckets."""
    lengths = np.array([len(each) for each in words])
    run = np.fromiter(chain.from_iterable(words), np.uint64, lengths.sum())
    owner = np.repeat(np.arange(len(words)), lengths) << BITS
    single = (run * _ONE) >> _SHIFT
    pair = ((run[:-1] * _TWO ^ run[1:]) * _ONE) >> _SHIFT
    pairs = (owner[:-1] | pair.astype(np.int64))[owner[1:] == owner[:-1]]
    keys = np.sort(np.concatenate([owner | single.astype(np.int64), pairs]))
    keys = keys[np.append(True, keys[1:] != keys[:-1])]  # np.unique takes three times as long
    starts = np.searchsorted(keys, np.arange(len(words)) << BITS)
    sizes = np.diff(np.append(starts, len(keys)))
    return Bags(keys & (BUCKETS - 1), starts, _WEIGHT / np.sqrt(sizes + _CALM), BUCKETS, _CALM)
