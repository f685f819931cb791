"""Fits linear heads to labelled rows: log loss with a ridge, each weight kept on its allowed side. Numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nlp.bags import BUCKETS, Bags
from nlp.features import Array
from nlp.heads import soften, squash

_STEPS = 400
_LOOKS = 12
_PLATT_STEPS = 30
_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Table:
    """What is learned from: rows x features, their words in buckets, and the wanted rows x outputs.

    `weights` say what each label weighs; one that is not known weighs nothing.
    """

    rows: Array
    words: Bags
    wanted: Array
    weights: Array


@dataclass(frozen=True, slots=True)
class Costs:
    """What weights cost, of each dense feature and of a bucket; and which way a dense feature may pull (0: either)."""

    dense: Array
    words: float
    signs: Array


def descend(table: Table, costs: Costs, *, is_one_of: bool = False) -> tuple[Array, Array]:
    """Return dense weights (outputs x features and a bias) and weights of the buckets (outputs x BUCKETS).

    Accelerated projected gradient, started over wherever it overshoots. With `is_one_of` the outputs are a softmax,
    otherwise each is a chance of its own.
    """
    link = soften if is_one_of else squash
    shares = table.weights / table.weights.sum(axis=0, keepdims=True).clip(min=1e-9)
    ridge = np.concatenate([costs.dense, [0.0], np.full(BUCKETS, costs.words)])
    lowest = np.concatenate([np.where(costs.signs > 0, 0.0, -np.inf), np.full(1 + BUCKETS, -np.inf)])
    highest = np.concatenate([np.where(costs.signs < 0, 0.0, np.inf), np.full(1 + BUCKETS, np.inf)])
    pace = 1.0 / (_steepness(table, shares.max(axis=1), 0.5 if is_one_of else 0.25) + ridge.max())
    found = ahead = np.zeros((table.wanted.shape[1], len(ridge)))
    momentum = 1.0
    for _ in range(_STEPS):
        errors = (link(_weigh(table, ahead)) - table.wanted) * shares
        moved = np.clip(ahead - pace * (_pull(table, errors) + ahead * ridge), lowest, highest)
        overshoots = np.vdot(ahead - moved, moved - found) > 0
        faster = 1.0 if overshoots else (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = moved if overshoots else moved + (momentum - 1) / faster * (moved - found)
        found, momentum = moved, faster
    return found[:, :-BUCKETS], found[:, -BUCKETS:]


def _weigh(table: Table, weights: Array) -> Array:
    """Return the odds of each row: rows x outputs. With BLAS, for the many rows of a training."""
    dense, words = weights[:, :-BUCKETS], weights[:, -BUCKETS:]
    weighed: Array = table.rows @ dense[:, :-1].T + dense[:, -1] + table.words.weigh(words)
    return weighed


def _pull(table: Table, errors: Array) -> Array:
    """Return what the errors of the rows ask of each weight."""
    return np.hstack([errors.T @ table.rows, errors.sum(axis=0)[:, None], table.words.pull(errors)])


def calibrate(odds: Array, wanted: Array, weights: Array) -> tuple[float, float]:
    """Return slope and shift that make odds of rows not learned from honest: Platt's scaling, by Newton's method."""
    told = np.column_stack([odds, np.ones(len(odds))])
    shares, line = weights / weights.sum(), np.zeros(2)
    loss = _loss(told @ line, wanted, shares)
    for _ in range(_PLATT_STEPS):
        chances = squash(told @ line)
        bend = (told * (chances * (1 - chances) * shares)[:, None]).T @ told + 1e-9 * np.eye(2)
        step = np.linalg.solve(bend, told.T @ ((chances - wanted) * shares))
        while (better := _loss(told @ (line - step), wanted, shares)) > loss and np.abs(step).max() > _TINY:
            step /= 2
        line, loss = line - step, min(loss, better)
    return float(line[0]), float(line[1])


def _loss(odds: Array, wanted: Array, shares: Array) -> float:
    return float(((np.logaddexp(0, odds) - wanted * odds) * shares).sum())


def _steepness(table: Table, shares: Array, bend: float) -> float:
    """Return a bound on how fast the slope of the loss can change, by the power method."""
    guess: Array = np.random.default_rng(0).standard_normal((1, table.rows.shape[1] + 1 + BUCKETS))
    size = 1.0
    for _ in range(_LOOKS):
        guess = _pull(table, _weigh(table, guess) * shares[:, None])
        size = float(np.linalg.norm(guess))
        guess /= size
    return 1.1 * bend * size
