"""Logistic weights with a normal prior, and how well they explain what was decided (Laplace's method). Numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nlp.features import Array
from nlp.heads import squash

_STEPS = 30
_CLOSE = 1e-5
_SHORTEST = 1e-4


@dataclass(frozen=True, slots=True)
class Evidence:
    """The likeliest weights, and the logarithm of the chance of the wanted values, over all weights there could be.

    It falls with every weight that explains nothing, so that of two priors the better one can be chosen by it.
    """

    weights: Array
    log: float


def fit(rows: Array, odds: Array, wanted: Array, weights: Array, ridges: Array) -> Evidence:
    """Return the weights over `rows` that, added to `odds`, fit the wanted chances best, by Newton's method.

    `weights` are what each row counts; `ridges` what each weight costs (the prior's precision).
    """
    line = np.zeros(rows.shape[1])
    loss = _loss(rows, odds, wanted, weights, ridges, line)
    for _ in range(_STEPS):
        slope = rows.T @ ((squash(odds + rows @ line) - wanted) * weights) + ridges * line
        step = np.linalg.solve(_bend(rows, odds, weights, ridges, line), slope)
        size = 1.0
        while (better := _loss(rows, odds, wanted, weights, ridges, line - size * step)) > loss and size > _SHORTEST:
            size /= 2
        if better >= loss:
            break
        line, gained, loss = line - size * step, loss - better, better
        if gained < _CLOSE * abs(loss):
            break
    _, volume = np.linalg.slogdet(_bend(rows, odds, weights, ridges, line))
    return Evidence(line, float(-loss + 0.5 * np.log(ridges).sum() - 0.5 * volume))


def _bend(rows: Array, odds: Array, weights: Array, ridges: Array, line: Array) -> Array:
    chances = squash(odds + rows @ line)
    bend: Array = (rows * (chances * (1 - chances) * weights)[:, None]).T @ rows + np.diag(ridges)
    return bend


def _loss(rows: Array, odds: Array, wanted: Array, weights: Array, ridges: Array, line: Array) -> float:  # noqa: PLR0913, PLR0917 - the whole problem
    told = odds + rows @ line
    return float((weights * (np.logaddexp(0, told) - wanted * told)).sum() + 0.5 * (ridges * line**2).sum())
