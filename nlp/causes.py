"""What moved a post's score: the signals found in it, each with what the score would lose without it and its words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from spacy.tokens import Doc

from nlp.bags import Numbers, hash_words
from nlp.features import GRAVE, HARM, Array
from nlp.heads import GRADES, Heads, Laid, squash
from nlp.signals import Found, signals
from nlp.vectors import shipped_vectors
from nlp.words import hold_words

PRIORITY: Final = (0.10, 0.45, 0.45)
"""How much of the priority each grade's chance makes up: a likely 3 goes before any 2, and urgency counts most."""
_URGENCY: Final = 0.5
_LEAST: Final = 0.3
_FELT: Final = 0.004
"""How much must hang on a signal, of the odds of a need and of the priority (0..1), for what we count to be sure."""
_NEVER: Final = frozenset({"you", "tags_other", "link", "order", "delayed"})


@dataclass(frozen=True, slots=True)
class Cause:
    """A signal that moved the score, and by how much (in odds): above 0 it raised it, below it lowered it."""

    signal: Found
    weight: float


class Explainer:
    """Tells the causes of a reading from the weights that made it.

    What a signal did is its own weight, what the grave ones have in common, and the weights of the words it stands in.
    One is told only where the chance of a need and the priority would both fall without it, or both rise.
    """

    def __init__(self, heads: Heads) -> None:
        self._heads = heads
        self._slopes = heads.slopes[: len(GRADES)]
        pulls = heads.dense[: len(GRADES)].T * self._slopes
        columns = {name: column for column, name in enumerate(heads.features)}
        for names, shared in ((GRAVE, "grave"), (HARM, "harm_for_us")):
            for name in names & columns.keys():
                pulls[columns[name]] += pulls[columns[shared]]
        self._columns = {name: columns[name] for name in (signals().keys() & columns.keys()) - _NEVER}
        self._pulls = pulls

    def explain(self, docs: Sequence[Doc], laid: Laid, odds: Array) -> list[list[Cause]]:
        """Return the causes of each document, in the order of its signals; `odds` are those of the grades, honest."""
        found = [
            (owner, signal)
            for owner, doc in enumerate(docs)
            for signal in doc.user_data["signals"]
            if signal.name in self._columns
        ]
        causes: list[list[Cause]] = [[] for _ in docs]
        if not found:
            return causes
        owners = np.array([owner for owner, _ in found])
        pulls = self._pulls[[self._columns[signal.name] for _, signal in found]]
        pulls = pulls + self._weigh_words(docs, laid, found, owners) * self._slopes
        lost = _chances(odds[owners]) - _chances(odds[owners] - pulls)
        weights = pulls[:, 1] + _URGENCY * pulls[:, 2]
        sides = np.sign(weights)
        agree = (sides * pulls[:, 1] >= _LEAST) & (sides * (lost @ PRIORITY) >= _FELT)
        for place in np.flatnonzero(agree).tolist():
            owner, signal = found[place]
            causes[owner].append(Cause(signal, round(float(weights[place]), 3)))
        return causes

    def _weigh_words(
        self, docs: Sequence[Doc], laid: Laid, found: Sequence[tuple[int, Found]], owners: Numbers
    ) -> Array:
        """Return what the odds would lose without the words that signals stand in: signals x grades."""
        held = hold_words([docs[owner].user_data["lower"][signal.start : signal.end] for owner, signal in found])
        words, pieces = (list(each) for each in zip(*held, strict=True))
        of_grades = slice(len(GRADES))
        return laid.words.lose(hash_words(words), owners, self._heads.words[of_grades]) + laid.pieces.lose(
            shipped_vectors().bag(pieces), owners, self._heads.pieces[of_grades]
        )


def _chances(odds: Array) -> Array:
    """Return the chances of the grades: those of the higher ones are never above those of the lower."""
    chances: Array = np.minimum.accumulate(squash(odds), axis=1)
    return chances
