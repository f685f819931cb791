"""What the heads weigh: every signal, and a few plain measures of the text. Names and order are part of the weights."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from nlp.signals import signals

Array = npt.NDArray[np.float64]

_CAPITALS = re.compile(r"[A-Z]")
SELF = frozenset(
    {"i", "i'm", "i've", "i'd", "i'll", "im", "ive", "my", "me", "we", "we're", "we've", "our", "us", "mine"}
)
_DIGIT = re.compile(r"\d")
_LETTER = re.compile(r"[^\W\d_]")
# what nobody would let wait; each alone is too rare to be weighed well, so they are also weighed together
GRAVE = frozenset(
    {"hurt", "danger", "threat", "allergy", "spoiled", "unfair", "private", "security", "legal", "data_loss"}
)
HARM = frozenset({"hurt", "danger", "allergy", "spoiled"})
_UNHEARD = frozenset({"ignored", "asked_again", "on_hold"})
_FAULTS = frozenset(
    {
        "broken",
        "unable",
        "access",
        "closed_account",
        "outage",
        "all_gone",
        "security",
        "money_taken",
        "order",
        "stranded",
    }
)
MEASURES: Mapping[str, int] = {
    "words": 0,
    "few_words": 0,
    "capitals": 0,
    "exclaims": 0,
    "hashtags": -1,
    "speaks_of_self": 1,
    "starts_with_tag": 0,
    "has_number": 0,
    "no_letters": -1,
    "asks_us": 1,
    "fault_for_us": 1,
    "self_fault": 1,
    "self_fault_untagged": 1,
    "fault_untagged": 1,
    "self_untagged": 0,
    "asks_untagged": 0,
    "bare_thanks": -1,
    "plain_praise": -1,
    "grave": 1,
    "grave_for_us": 1,
    "harm_for_us": 1,
    "harm_to_frail": 1,
    "money_unheard": 1,
    "unheard_twice": 1,
    "fault_soon": 1,
    "leaving_why": 1,
    "sour": 1,
}


def feature_names() -> tuple[str, ...]:
    """Return the names of the features, signals first."""
    return (*signals(), *MEASURES)


def feature_signs() -> Array:
    """Return which way each feature may move the need of an answer (0: either)."""
    return np.array([*(signal.sign for signal in signals().values()), *MEASURES.values()], dtype=np.float64)


def measure(texts: Sequence[str], spoken: Sequence[tuple[int, bool]], found: Sequence[Collection[str]]) -> Array:
    """Return the features of texts, a row for each.

    `spoken` are the number of words in each, and whether it speaks of oneself; `found` are the signals found in it.
    """
    places = _places()
    rows = np.zeros((len(texts), len(places) + len(MEASURES)))
    owners = [number for number, names in enumerate(found) for _ in names]
    rows[owners, [places[name] for names in found for name in names]] = 1.0
    rows[:, len(places) :] = [_measure(*each) for each in zip(texts, spoken, found, strict=True)]
    return rows


def _measure(text: str, spoken: tuple[int, bool], found: Collection[str]) -> tuple[float, ...]:
    """Return the measures of a text, in the order of MEASURES."""
    words, self = spoken
    asks = "asks" in found or "asks_words" in found or "help" in found
    names = set(found)
    fault = not names.isdisjoint(_FAULTS)
    grave = not names.isdisjoint(GRAVE)
    harm = not names.isdisjoint(HARM)
    unheard = not names.isdisjoint(_UNHEARD)
    to_us = "tagged" in found
    return (
        math.log1p(words) / 4,
        words <= 5,
        len(_CAPITALS.findall(text)) / (len(text) + 10),
        "!" in text,
        min(text.count("#"), 4) / 4,
        self,
        text.startswith(("@", ".@")),
        _DIGIT.search(text) is not None,
        not _LETTER.search(text),
        asks and to_us,
        fault and to_us,
        fault and self,
        fault and self and not to_us,
        fault and not to_us,
        self and not to_us,
        asks and not to_us,
        "thanks" in found and not asks and not fault and words <= 14,
        "praise" in found and not (asks or fault or grave or unheard or "sarcasm" in found or "anger" in found),
        grave,
        grave and (to_us or self),
        harm and (to_us or self),
        harm and "frail" in found,
        unheard and ("money_taken" in found or "refund" in found),
        "ignored" in found and "asked_again" in found,
        fault and "deadline" in found,
        "leaving" in found and (fault or unheard or "anger" in found),
        "sarcasm" in found and (fault or unheard or to_us),
    )


@cache
def _places() -> Mapping[str, int]:
    return {name: place for place, name in enumerate(signals())}
