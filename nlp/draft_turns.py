"""Taking turns: whose turn it is among wordings, so that different people are not told the same words."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import IntEnum

from nlp.draft_occasion import Occasion
from nlp.playbook import Entry
from nlp.templates import reduce, spoken_sentences, spoken_words, without_gaps


class Repeats(IntEnum):
    """What may be said again, from nothing to everything."""

    NOTHING = 0
    OTHER_GAPS = 1
    """The same words around other gaps."""
    TEXTS = 2
    """Whole texts, but no sentence of the conversation before."""
    SENTENCES = 3


class Turns:
    """What was suggested or sent lately, one item for each conversation, the newest last."""

    def __init__(self, recent: Sequence[Sequence[str]], repeats: Repeats = Repeats.NOTHING) -> None:
        """Reduce the texts once."""
        self._repeats = repeats
        self._said = [[f" {reduce(text)} " for text in texts] for texts in reversed(recent)]
        self._ever_said = "\n".join(text for texts in self._said for text in texts)
        self._ages: dict[str, int] = {}
        self._told = {self._tell(text) for texts in recent for text in texts}

    def is_new(self, text: str) -> bool:
        """Say whether nobody was lately given these very words."""
        return self._repeats >= Repeats.TEXTS or self._tell(text) not in self._told

    def is_stale(self, wording: str) -> bool:
        """Say whether the conversation before this one was given one of its sentences."""
        return bool(self._said) and self._repeats < Repeats.SENTENCES and self._age(wording) == 0

    def _tell(self, text: str) -> str:
        """Return what two texts have in common that say the same."""
        return reduce(text) if self._repeats >= Repeats.OTHER_GAPS else without_gaps(text)

    def line_up(
        self, occasion: Occasion, entries: Sequence[Entry], part: str, *, after: Collection[str] = ()
    ) -> list[Entry]:
        """Return the wordings of entries, the one whose turn it is first: the longest unsaid, then by the post's id.

        `after` are the words of other drafts for the same post (see `spoken_words`); they come last.
        """
        wordings = [wording for entry in entries for wording in occasion.wordings(entry)]
        if not wordings:
            return []
        start = occasion.seed(part) % len(wordings)
        turned = [*wordings[start:], *wordings[:start]]
        return sorted(turned, key=lambda wording: (spoken_words(wording.text) in after, -self._age(wording.text)))

    def _age(self, wording: str) -> int:
        """Return how many conversations ago one of its sentences was said, 0 for the newest; their number for never."""
        if wording not in self._ages:
            words = spoken_words(wording)
            told = spoken_sentences(wording) or ([(words,)] if words else [])
            self._ages[wording] = min(map(self._find, told), default=len(self._said))
        return self._ages[wording]

    def _find(self, pieces: Sequence[str]) -> int:
        if all(f" {piece} " in self._ever_said for piece in pieces):
            for age, texts in enumerate(self._said):
                if any(_holds(text, pieces) for text in texts):
                    return age
        return len(self._said)


def _holds(text: str, pieces: Sequence[str]) -> bool:
    """Say whether all pieces of a wording stand in a reduced text, in their order."""
    place = 0
    for piece in pieces:
        place = text.find(f" {piece} ", place)
        if place < 0:
            return False
        place += len(piece) + 1
    return True
