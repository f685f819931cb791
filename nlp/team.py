"""A team's own taste, as it is used: a small correction of the shipped model's odds. Numpy only.

It adds to the odds that a post needs a reply: a weighed sum of the traits of the post, what the team makes of the place
it was posted in, and a part of the odds themselves. How it is learned stands in `nlp.lessons`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from nlp.features import Array
from nlp.traits import Places, Traits

MOST_PULL: Final = 6.0
"""How far a correction moves the odds at most."""
_DIGITS: Final = 5


@dataclass(frozen=True)
class Taste:
    """The correction: what each trait and place adds to the odds, what of the odds themselves, and a shift for all.

    `base` is the fingerprint of the model it corrects, `version` its number, 0 for the one that changes nothing.
    """

    weights: Array = field(default_factory=lambda: np.zeros(0))
    places: Mapping[str, float] = field(default_factory=dict)
    slope: float = 0.0
    shift: float = 0.0
    base: str = ""
    version: int = 0

    def pull(self, rows: Array, odds: Array, places: Sequence[Places]) -> Array:
        """Return what is added to the odds of posts, within bounds; `rows` are their traits."""
        there = np.array([sum(self.places.get(place, 0.0) for place in each) for each in places])
        read = np.einsum("rt,t->r", rows[:, : len(self.weights)], self.weights)
        moved = read + there + self.slope * odds + self.shift
        pulls: Array = np.clip(moved, -MOST_PULL, MOST_PULL)
        return pulls

    def pull_of(self, traits: Traits) -> Array:
        """Return what is added to the odds of posts that were read."""
        return self.pull(traits.rows, traits.odds, traits.places)

    def to_json(self) -> dict[str, Any]:
        """Return the weights as plain values."""
        return {
            "traits": [round(float(each), _DIGITS) for each in self.weights],
            "places": {name: round(float(each), _DIGITS) for name, each in self.places.items()},
            "slope": round(self.slope, _DIGITS),
            "shift": round(self.shift, _DIGITS),
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any], base: str = "", version: int = 0) -> Taste:
        """Read what `to_json` wrote."""
        weights = np.array(told["traits"], dtype=np.float64)
        return cls(weights, dict(told["places"]), float(told["slope"]), float(told["shift"]), base, version)


NO_TASTE: Final = Taste()


def settle(chance: float, pull: float, least: float = 0.0) -> float:
    """Return a chance corrected by a pull of its odds; it is not lowered below `least`."""
    if not pull:
        return chance
    within = min(max(chance, 1e-9), 1 - 1e-9)
    odds = within / (1 - within) * float(np.exp(pull))
    return max(odds / (1 + odds), min(chance, least))


def corrected(taste: Taste, traits: Traits) -> Array:
    """Return the corrected odds of posts, as the assessor settles them."""
    moved: Array = traits.odds + taste.pull_of(traits) * traits.is_read
    return np.maximum(moved, np.minimum(traits.odds, traits.urgent))
