"""Learning a team's taste from what it decided. Numpy only.

The correction is anchored to the shipped model: every weight costs, posts below the line that nobody decided on stand
beside the decisions with what the model says of them, and as many posts pass as before. It is kept only where the
decisions are twenty times likelier with it than without (by their evidence, which counts every weight as a price), and
decisions that it did not see are told and ordered better. So a team that presses at random, or agrees with the model,
changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from nlp.features import Array
from nlp.heads import squash
from nlp.laplace import Evidence, fit
from nlp.team import MOST_PULL, NO_TASTE, Taste, corrected
from nlp.traits import Flags, Traits

FEWEST: Final = 60
"""Decisions below which nothing is learned."""
FEWEST_OF_EACH: Final = 12
"""Decisions of the rarer kind (answered, or left alone) below which nothing is learned."""
FEWEST_THERE: Final = 10
"""Decisions on posts of a place, and on posts of others, below which nothing is learned about that place."""
BEYOND_DOUBT: Final = 20.0
"""How many times likelier the decisions must be with the correction than without."""
_SURE: Final = 1.0
_FREE: Final = 1e-6
_RIDGES: Final = (0.3, 1.0, 3.0, 10.0)
_SLOPE_RIDGE: Final = 1.0
_SHIFT_RIDGE: Final = 0.25
_PLACE_SCALE: Final = 0.7
_ANCHORS: Final = 0.12
"""What all posts that nobody decided on weigh together, of what the decisions weigh."""
_PARTS: Final = 5
_LEAST_SLOPE: Final = -0.4
"""The model's own odds keep at least six tenths of their say, so that no correction can turn its order over."""
_TOLD_FROM: Final = 0.4
_FEWEST_OF_KIND: Final = 5


@dataclass(frozen=True)
class Lessons:
    """Decisions, oldest first: what the model reads of each post, whether the team answered it, and what it weighs.

    A decision that says little weighs less than 1.
    """

    traits: Traits
    answered: Flags
    weights: Array

    def __len__(self) -> int:
        return len(self.answered)

    def ordered(self, odds: Array, taken: Flags | None = None) -> float:
        """Return how well some odds order the decisions, or some of them: their average precision.

        NaN where none of them was answered.
        """
        some = np.ones(len(self), dtype=bool) if taken is None else taken
        return average_precision(self.answered[some], odds[some], self.weights[some])


@dataclass(frozen=True)
class Learned:
    """What came of the lessons.

    `before` and `after` order the decisions: the odds by the shipped model alone, and by corrections that did not see
    the decision they are told of. `why_not` says why nothing was learned, '' where something was; `gain` is how many
    times likelier the decisions are with the correction, as a logarithm. `moves` says how far posts of an intent or a
    place are raised or lowered beside the others.
    """

    taste: Taste
    decisions: int
    before: Array
    after: Array
    gain: float = 0.0
    why_not: str = ""
    moves: Mapping[str, float] = field(default_factory=dict)


def learn(lessons: Lessons, recent: Traits, undecided: Flags) -> Learned:
    """Learn a team's taste; the same lessons give the same correction.

    Args:
        lessons: the decisions.
        recent: what was heard of late, decided or not: as many of these pass with the correction as without.
        undecided: which of `recent` nobody decided on.
    """
    plain, count, answered = lessons.traits.odds, len(lessons), int(lessons.answered.sum())
    if count < FEWEST or min(answered, count - answered) < FEWEST_OF_EACH:
        return Learned(NO_TASTE, count, plain, plain, why_not=_say_too_few(count, answered))
    heard = (recent, undecided) if len(recent) else (lessons.traits, np.zeros(count, dtype=bool))
    table = _Table(lessons, *heard)
    everything = np.ones(count, dtype=bool)
    found = {choice: table.fit(everything, choice) for choice in table.choices()}
    choice = max(found, key=lambda each: found[each].log)
    gain = found[choice].log - table.fit(everything, _NOTHING).log
    after = table.told_held_out(choice)
    if gain < np.log(BEYOND_DOUBT) or not _is_told_better(lessons, plain, after):
        why_not = "The decisions agree with the shipped model, or say too little to improve on it beyond doubt."
        return Learned(NO_TASTE, count, plain, after, gain, why_not)
    taste = table.taste_of(found[choice], choice)
    return Learned(taste, count, plain, after, gain, moves=_moves(taste, heard[0]))


def average_precision(answered: Flags, scores: Array, weights: Array) -> float:
    """Return the mean precision at each answered post, best score first, of posts that weigh differently."""
    order = np.argsort(-scores, kind="stable")
    gained = (answered * weights)[order]
    precision = np.cumsum(gained) / np.cumsum(weights[order])
    return float((precision * gained).sum() / gained.sum()) if gained.sum() else float("nan")


def _is_told_better(lessons: Lessons, before: Array, after: Array) -> bool:
    """Whether the decisions are ordered better, and told better by more than their spread, both odds made honest.

    The second is what a correction learned from decisions at random hardly ever comes to.
    """
    lost, wanted = [], lessons.answered.astype(np.float64)
    for odds in (before, after):
        told = np.column_stack([odds, np.ones(len(odds))])
        honest = told @ fit(told, np.zeros(len(odds)), wanted, lessons.weights, np.full(2, _FREE)).weights
        lost.append((np.logaddexp(0, honest) - wanted * honest) * lessons.weights)
    gained = lost[0] - lost[1]
    is_sure = gained.sum() > _SURE * np.sqrt((gained**2).sum())
    return bool(is_sure and lessons.ordered(after) > lessons.ordered(before))


def _say_too_few(count: int, answered: int) -> str:
    return (
        f"{count} decision{'' if count == 1 else 's'}, {answered} of them answers: too few to learn from"
        f" (at least {FEWEST}, of them {FEWEST_OF_EACH} answers and {FEWEST_OF_EACH} left alone)."
    )


@dataclass(frozen=True, slots=True)
class _Choice:
    """What a correction may weigh, and how much each weight costs."""

    has_traits: bool
    has_places: bool
    ridge: float


_NOTHING: Final = _Choice(has_traits=False, has_places=False, ridge=1.0)


class _Table:
    """The decisions and the posts they are anchored to, as arrays: traits, places, the odds themselves, and ones."""

    def __init__(self, lessons: Lessons, recent: Traits, undecided: Flags) -> None:
        self._lessons = lessons
        self._recent = recent
        self._anchors = recent.take(np.flatnonzero(undecided & ~recent.is_urgent & recent.is_read & (recent.odds < 0)))
        self._places = _places_to_learn(lessons.traits)
        self._columns = self._lay_out(lessons.traits)
        self._anchor_columns = self._lay_out(self._anchors)

    def choices(self) -> list[_Choice]:
        """Return every choice there is."""
        sets = [(True, False), (False, True), (True, True)] if self._places else [(True, False)]
        return [_Choice(*each, ridge) for each in sets for ridge in _RIDGES]

    def fit(self, rows: Flags, choice: _Choice) -> Evidence:
        """Return the correction that fits these decisions; that of nothing is a slope and a shift of the odds."""
        kept = self._kept(choice)
        decided = (self._lessons.weights * self._lessons.traits.is_read)[rows]
        anchor = _ANCHORS * decided.sum() / max(1, len(self._anchors))
        return fit(
            np.vstack([self._columns[rows], self._anchor_columns])[:, kept],
            np.concatenate([self._lessons.traits.odds[rows], self._anchors.odds]),
            np.concatenate([self._lessons.answered[rows], squash(self._anchors.odds)]),
            np.concatenate([decided, np.full(len(self._anchors), anchor)]),
            np.array([*([choice.ridge] * (len(kept) - 2)), _SLOPE_RIDGE, _SHIFT_RIDGE]),
        )

    def taste_of(self, found: Evidence, choice: _Choice) -> Taste:
        """Return the correction, shifted so that as many of the recent posts pass as before."""
        spread = np.zeros(self._columns.shape[1])
        spread[self._kept(choice)] = found.weights
        width = self._lessons.traits.rows.shape[1]
        weights, slope = spread[:width], max(float(spread[-2]), _LEAST_SLOPE)
        there = (spread[width:-2] * _PLACE_SCALE).tolist() if choice.has_places else []
        places = dict(zip(self._places, there, strict=False))
        shift = self._shift(Taste(weights, places, slope))
        return Taste(weights, places, slope, shift)

    def told_held_out(self, choice: _Choice) -> Array:
        """Return the corrected odds of each decision, by a correction that saw none made about the same time."""
        count = len(self._lessons)
        told = np.zeros(count)
        for part in range(_PARTS):
            asked = np.arange(count) * _PARTS // count == part
            taste = self.taste_of(self.fit(~asked, choice), choice)
            told[asked] = corrected(taste, self._lessons.traits.take(np.flatnonzero(asked)))
        return told

    def _kept(self, choice: _Choice) -> npt.NDArray[np.intp]:
        width, end = self._lessons.traits.rows.shape[1], self._columns.shape[1] - 2
        traits = range(width if choice.has_traits else 0)
        places = range(width, end if choice.has_places else width)
        return np.array([*traits, *places, end, end + 1], dtype=np.intp)

    def _shift(self, taste: Taste) -> float:
        moving = self._recent.take(np.flatnonzero(~self._recent.is_urgent & self._recent.is_read))
        ordered = np.sort(moving.odds + taste.pull_of(moving))[::-1]
        passing = int((moving.odds >= 0).sum())
        if not 0 < passing < len(moving):
            return 0.0
        return float(np.clip(-ordered[passing - 1 : passing + 1].mean(), -MOST_PULL, MOST_PULL))

    def _lay_out(self, traits: Traits) -> Array:
        there = [[_PLACE_SCALE * (place in each) for place in self._places] for each in traits.places]
        marked = np.array(there, dtype=np.float64).reshape(len(traits), len(self._places))
        return np.hstack([traits.rows, marked, traits.odds[:, None], np.ones((len(traits), 1))])


def _places_to_learn(traits: Traits) -> list[str]:
    counted = Counter(place for each in traits.places for place in each)
    return sorted(place for place, number in counted.items() if FEWEST_THERE <= number <= len(traits) - FEWEST_THERE)


def _moves(taste: Taste, recent: Traits) -> dict[str, float]:
    """Return how far the correction moves posts of each intent and place beside all posts, where it does so much."""
    pulls = taste.pull_of(recent)
    known = taste.places.keys()
    kinds = [{intent, *(set(places) & known)} for intent, places in zip(recent.intents, recent.places, strict=True)]
    told = {}
    for kind in sorted(set().union(*kinds)):
        own = np.array([kind in each for each in kinds])
        if own.sum() >= _FEWEST_OF_KIND:
            told[kind] = round(float(pulls[own].mean() - pulls.mean()), 2)
    return {name: move for name, move in sorted(told.items(), key=lambda each: -each[1]) if abs(move) >= _TOLD_FROM}
