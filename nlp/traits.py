"""What a team's taste is learned over: what the model told of a post, and the place it was posted in. Numpy only.

The signals and the word vectors are left out: on the corpus neither told more of a taste than the intents do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from listeners.mention import Mention
from nlp.assessment import INTENTS
from nlp.features import Array
from nlp.heads import Heads, Reading

Flags = npt.NDArray[np.bool_]
Places = tuple[str, ...]
TRAITS: Final = (*INTENTS, "worth an answer", "urgent")
"""The names of the traits, in their order."""
PLATFORM: Final = "platform:"
BRAND: Final = "brand:"
_INTENT_SCALE: Final = 2.5
_ODDS_SCALE: Final = 0.16
_MOST_ODDS: Final = 6.0


@dataclass(frozen=True, slots=True)
class Traits:
    """What the shipped model reads of posts: a row of traits each, and the odds that it needs a reply.

    `urgent` are the odds that it must be answered now: below these no taste lowers the odds of a reply; `is_urgent`
    marks grade 3, `is_read` what is in a language the model reads; `intents` are the likeliest ones; `places` name the
    platform and the brand of each.
    """

    rows: Array
    odds: Array
    urgent: Array
    is_urgent: Flags
    is_read: Flags
    intents: Sequence[str]
    places: Sequence[Places]

    def __len__(self) -> int:
        return len(self.odds)

    def take(self, taken: Iterable[int]) -> Traits:
        """Return the traits of some posts, by their numbers."""
        numbers = np.array(list(taken), dtype=np.intp)
        return Traits(
            rows=self.rows[numbers],
            odds=self.odds[numbers],
            urgent=self.urgent[numbers],
            is_urgent=self.is_urgent[numbers],
            is_read=self.is_read[numbers],
            intents=[self.intents[number] for number in numbers],
            places=[self.places[number] for number in numbers],
        )


def join(parts: Sequence[Traits]) -> Traits:
    """Return the traits of several lots of posts as one."""
    if not parts:
        nothing = np.zeros(0, dtype=bool)
        return Traits(np.zeros((0, len(TRAITS))), np.zeros(0), np.zeros(0), nothing, nothing, (), ())
    return Traits(
        rows=np.concatenate([part.rows for part in parts]),
        odds=np.concatenate([part.odds for part in parts]),
        urgent=np.concatenate([part.urgent for part in parts]),
        is_urgent=np.concatenate([part.is_urgent for part in parts]),
        is_read=np.concatenate([part.is_read for part in parts]),
        intents=[intent for part in parts for intent in part.intents],
        places=[places for part in parts for places in part.places],
    )


def rows_of(readings: Sequence[Reading]) -> Array:
    """Return the traits of posts, a row each, of how they were read."""
    intents = np.array([[reading.intents[name] for name in INTENTS] for reading in readings])
    odds = to_odds(np.array([[reading.at_least[1], reading.at_least[3]] for reading in readings]))
    return np.hstack([intents * _INTENT_SCALE, odds * _ODDS_SCALE])


def places_of(mention: Mention) -> Places:
    """Return where a post was heard: on which platform and, where that is known, for which brand."""
    brand = mention.brand.strip().casefold()
    return (PLATFORM + mention.platform, *([BRAND + brand] if brand else ()))


def to_odds(chances: Array) -> Array:
    """Return chances as log odds, within bounds."""
    within = np.clip(chances, 1e-9, 1 - 1e-9)
    odds: Array = np.clip(np.log(within / (1 - within)), -_MOST_ODDS, _MOST_ODDS)
    return odds


def fingerprint(name: str, version: str, heads: Heads) -> str:
    """Return what names exactly these weights: the model's name and version, and a hash of all that it weighs."""
    digest = hashlib.blake2b("\n".join((*TRAITS, *heads.features)).encode(), digest_size=8)
    for weights in (heads.dense, heads.words, heads.slopes, heads.shifts):
        digest.update(np.ascontiguousarray(weights).tobytes())
    return f"{name}-{version}-{digest.hexdigest()}"
