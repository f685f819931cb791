"""What it means for an assessment that a post may be about another thing of the same name: pure values.

A post is lowered only where it is likelier about the other thing than about us, and then by how much likelier; one that
must be answered now or names harm only where it is at least four times as likely. A post that tags us is never lowered,
nor one heard by any watch that has no words of its own, nor one whose language the words are not in.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from listeners.mention import Mention
from nlp.assessment import Intent, Reason
from nlp.features import GRAVE
from nlp.model_text import ModelText
from nlp.relevance import CERTAIN, Context, Hit, Relevance

_EVEN, _FOUR_TO_ONE = 0.5, 0.2
_URGENT = 0.25
"""From this chance on a post counts as one that must be answered now: as in `nlp.assess`."""
_LEAST = 0.08
_SURE = 1e-9


@dataclass(frozen=True, slots=True)
class Standing:
    """How a post stands to our brand: its relevance, the brand's name, and what is left of its chances (0..1).

    From the chance `enough` on, of being about us, nothing is lowered.
    """

    relevance: Relevance
    brand: str = ""
    enough: float = _EVEN
    share: float = 1.0

    def reasons(self, needs: float, text: ModelText) -> tuple[Reason, ...]:
        """Return what a card says of it; `needs` is the chance of a need before it was lowered."""
        if self.share == 1 and not self.relevance.hits:
            return ()
        return tuple(reason for reason in (self._speaks_of(needs, text), self._reads_like(needs, text)) if reason)

    def _speaks_of(self, needs: float, text: ModelText) -> Reason | None:
        """Return that words of our world are there, and what the need would lose without them."""
        hits, others = self.relevance.hits, len(self.relevance.others)
        alone = [hit for hit in hits if hit.is_only][:1]
        for told, left in ((alone, len(hits) - 1), (hits, 0)):
            without = min(1.0, self.relevance.chance_with(left, others) / self.enough)
            weight = _odds(needs * self.share) - _odds(needs * without)
            if told and weight >= _LEAST:
                words = ", ".join(hit.words for hit in told)
                return Reason(f"speaks of your field: {words}", round(weight, 3), _place(told, text))
        return None

    def _reads_like(self, needs: float, text: ModelText) -> Reason | None:
        """Return that the post is lowered, and the word of the other thing that stands in it, if one does."""
        weight = _odds(needs * self.share) - _odds(needs)
        if weight > -_LEAST:
            return None
        told = [hit for hit in self.relevance.others if hit.is_only][:1]
        words = f": {told[0].words}" if told else ""
        return Reason(f"reads like another {self.brand}{words}", round(weight, 3), _place(told, text))

    def lower(self, intents: Mapping[str, float]) -> Mapping[str, float]:
        """Return the chances of the intents; what the others lose, 'irrelevant' gains."""
        if self.share == 1:
            return intents
        irrelevant: Intent = "irrelevant"
        lowered = {name: chance * self.share for name, chance in intents.items()}
        return lowered | {irrelevant: lowered[irrelevant] + 1 - self.share}


UNJUDGED: Final = Standing(CERTAIN)
"""Of a post to which contexts must not matter."""


def stand(  # noqa: PLR0913 - all that may speak for leaving a post alone
    mention: Mention,
    contexts: Mapping[str, Context],
    text: ModelText,
    signals: Collection[str],
    urgent: float,
    *,
    is_unread: bool,
) -> Standing:
    """Return how a post stands to the brands of the watches that heard it; UNJUDGED where that must not matter.

    `contexts` are those of the watches, by name; of several the one that makes the post likeliest ours counts.
    `signals` are the names of those found in it, `urgent` is the chance that it must be answered now, and `is_unread`
    says that its language is not the model's.
    """
    watches = sorted(set(mention.watches))
    if not watches or mention.account or "tagged" in signals or any(watch not in contexts for watch in watches):
        return UNJUDGED
    judged = [(contexts[watch].judge(text.text, signals), contexts[watch].brand) for watch in watches]
    relevance, brand = max(judged, key=lambda each: each[0].chance)
    if is_unread and not relevance.hits and not relevance.others:
        return UNJUDGED
    is_grave = urgent >= _URGENT or not GRAVE.isdisjoint(signals)
    enough = _FOUR_TO_ONE if is_grave else _EVEN
    return Standing(relevance, brand, enough, min(1.0, relevance.chance / enough))


def _place(told: Sequence[Hit], text: ModelText) -> tuple[int, int] | None:
    """Return the span of what is told where it stands in one place."""
    return text.original_span(told[0].start, told[0].end) if len(told) == 1 and told[0].is_only else None


def _odds(chance: float) -> float:
    within = min(max(chance, _SURE), 1 - _SURE)
    return math.log(within / (1 - within))
