"""What nlp says of a mention. Values only: importing this loads no model.

Grades and intents are those of the rubric (docs/glossary.md): 3 must answer now, 2 should answer,
1 nice to answer, 0 leave alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

Intent = Literal[
    "complaint",
    "question_help",
    "praise",
    "purchase_intent",
    "churn_risk",
    "safety_legal_crisis",
    "spam_promo",
    "irrelevant",
    "brand_chatter",
    "followup_in_thread",
]
INTENTS: tuple[Intent, ...] = get_args(Intent)
Invited = Literal["yes", "no", "n/a"]
Grade = Literal[0, 1, 2, 3]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a mention ranks where it does: words for the card, its weight, and where in the text it stands.

    `weight` is signed: above 0 it raised the score, below it lowered it. `span` is [start, end) in code points of
    the mention's text, or None where the reason is not a place in the text.
    """

    text: str
    weight: float
    span: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Assessment:
    """Does it need a reply, how soon, were we invited, what is it about, and why.

    `needs_reply` is the probability that the grade is 2 or 3, `urgent` that it is 3, both 0..1. `priority`, 0..100,
    is the order in which cards are shown. `closes` is True for a message that only closes a thread ('thanks, works').
    `sarcastic` is the probability that its praise or thanks is not meant, `crisis` that it speaks of a public tragedy.
    `model` names the weights that said so.
    """

    needs_reply: float
    urgent: float
    priority: float
    grade: Grade
    invited: Invited
    intent: Intent
    language: str
    intents: Mapping[str, float] = field(default_factory=dict)
    reasons: tuple[Reason, ...] = ()
    closes: bool = False
    sarcastic: float = 0.0
    crisis: float = 0.0
    model: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A suggested, unsent reply with at least one gap. `kind` says what it tries; `source` names its playbook entry."""

    text: str
    kind: str
    source: str
