"""Bags: what a text would lose without a part of it is what is missing once the part is gone."""

from __future__ import annotations

import numpy as np
import pytest

from nlp.bags import BUCKETS, hash_words


@pytest.mark.parametrize(("start", "end"), [(0, 1), (0, 3), (4, 6), (5, 9)])
def test_what_is_lost_is_what_is_missing(start: int, end: int) -> None:
    """Cut words off an end: what was said to be lost is the difference, but for the pair at the cut."""
    words = [7_919 * (number + 1) ** 5 for number in range(9)]
    weights = np.random.default_rng(1).normal(size=(2, BUCKETS))
    whole, part = hash_words([words]), hash_words([words[start:end]])
    lost = whole.lose(part, np.array([0]), weights)
    left = hash_words([words[:start] + words[end:]]).weigh(weights)
    # a pair stood across the cut that is in neither part; it weighs at most the heaviest weight
    across = np.abs(weights).max() * 2 * whole.values[0] * 1.5
    assert np.all(np.abs(whole.weigh(weights) - lost - left) <= across)


def test_nothing_left_is_no_division_by_nothing() -> None:
    """A part that is the whole text takes nearly everything with it."""
    whole = hash_words([[11, 12, 13]])
    weights = np.ones((1, BUCKETS))
    lost = whole.lose(whole, np.array([0]), weights)
    assert np.allclose(lost, whole.weigh(weights))
