"""Topics: what a text is about, told from phrases that mean the same to those who ask and those who answer."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from nlp.wording import stem

_LONGEST_PHRASE = 4


def topics_of(words: Sequence[str]) -> dict[str, float]:
    """Return the topics that the words of a text touch, in order, with a weight that grows with the phrases found."""
    stems = [stem(word) for word in words]
    phrases = _phrases()
    found: dict[str, set[tuple[str, ...]]] = {}
    for start in range(len(stems)):
        for end in range(start + 1, min(start + _LONGEST_PHRASE, len(stems)) + 1):
            phrase = tuple(stems[start:end])
            for topic in phrases.get(phrase, ()):
                found.setdefault(topic, set()).add(phrase)
    return {topic: math.log1p(len(told)) for topic, told in found.items()}


@cache
def topic_names() -> tuple[str, ...]:
    """Return every topic there is, in the order of the file."""
    return tuple(_table())


@cache
def _table() -> dict[str, str]:
    table: dict[str, str] = tomllib.loads(files("nlp").joinpath("topics.toml").read_text(encoding="utf-8"))
    return table


@cache
def _phrases() -> dict[tuple[str, ...], tuple[str, ...]]:
    found: dict[tuple[str, ...], tuple[str, ...]] = {}
    for topic, told in _table().items():
        for phrase in told.split("|"):
            stems = tuple(stem(word) for word in phrase.split())
            if topic not in found.get(stems, ()):
                found[stems] = (*found.get(stems, ()), topic)
    return found
