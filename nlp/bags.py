"""Words and pairs of neighbouring words, hashed into buckets, for a batch of documents at once. Numpy only.

A document weighs each bucket it touches once, and the less the more of them it touches, so that a long post does not
shout a short one down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nlp.features import Array

BITS = 15
BUCKETS = 2**BITS
_WEIGHT = 2.5
_CALM = 25
_ONE = np.uint64(0x9E3779B97F4A7C15)
_TWO = np.uint64(0xC2B2AE3D27D4EB4F)
_SHIFT = np.uint64(64 - BITS)

Weights = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Grams:
    """The buckets of some documents, one after the other; where each document begins, and what its buckets weigh."""

    buckets: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    values: Array

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def owners(self) -> npt.NDArray[np.int64]:
        """The document of each bucket."""
        ends = np.append(self.starts[1:], len(self.buckets))
        return np.repeat(np.arange(len(self.starts)), ends - self.starts)

    def weigh(self, weights: Weights) -> Array:
        """Return what rows of weights (outputs x BUCKETS) give each document: documents x outputs."""
        sums = np.add.reduceat(weights[:, self.buckets], self.starts, axis=1)
        weighed: Array = sums.T * self.values[:, None]
        return weighed

    def pull(self, errors: Array) -> Array:
        """Return what each bucket did to the errors of the documents (documents x outputs): outputs x BUCKETS."""
        owners, scaled = self.owners, errors * self.values[:, None]
        return np.array([np.bincount(self.buckets, each[owners], BUCKETS) for each in scaled.T])

    def take(self, rows: npt.NDArray[np.int64]) -> Grams:
        """Return the grams of some documents, in the order of their numbers."""
        ends = np.append(self.starts[1:], len(self.buckets))
        parts = [self.buckets[self.starts[row] : ends[row]] for row in rows]
        starts = np.cumsum([0, *(len(part) for part in parts)])[:-1]
        return Grams(np.concatenate(parts) if parts else self.buckets[:0], starts, self.values[rows])


def to_grams(words: Sequence[npt.NDArray[np.uint64]]) -> Grams:
    """Hash the words of each document, given as numbers of 64 bits; none may be without words."""
    lengths = np.array([len(each) for each in words])
    run = np.concatenate(words)
    owner = np.repeat(np.arange(len(words)), lengths)
    single = (run * _ONE) >> _SHIFT
    pair = ((run[:-1] * _TWO ^ run[1:]) * _ONE) >> _SHIFT
    is_neighbour = owner[1:] == owner[:-1]
    keys = np.concatenate(
        [owner << BITS | single.astype(np.int64), (owner[:-1] << BITS | pair.astype(np.int64))[is_neighbour]]
    )
    keys = np.unique(keys)
    owners = keys >> BITS
    starts = np.searchsorted(owners, np.arange(len(words)))
    sizes = np.diff(np.append(starts, len(keys)))
    return Grams(keys & (BUCKETS - 1), starts, _WEIGHT / np.sqrt(sizes + _CALM))
