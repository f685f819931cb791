"""Whether a post is about our brand or about another thing of the same name, told from the words of the brand's world.

A watch may name these (`about`) and those of the other thing (`not_about`). Words that stand in the lists count as
hits; all other words count by how near they are to them in sense, against how near any word is. The brand's own name
says nothing, but a capital letter where none had to be does. The weights are learned by `nlp.relevance_training`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import orjson

from nlp.signals import lower_in_place, plain_name
from nlp.vectors import SIZE, shipped_vectors
from nlp.wording import content_words, stem

Vector = npt.NDArray[np.float64]
MEASURES: Final = ("hits", "near", "sense", "other hits", "other near", "other sense", "has other", "name", "customer")
"""What is measured of a post, in the order of the weights."""
FILE: Final = "relevance.json"
_SHIPPED: Final = Path(__file__).with_name("model")
_WORD = re.compile(r"(https?://\S+|www\.\S+|@[\w.-]*\w)|[^\W\d_]+(?:['-][^\W\d_]+)*")
_BEGINS = re.compile(r"(?:^|[.!?:\n\"“(*>])\s*$")
_CUSTOMER: Final = frozenset(
    {
        "sum", "asks", "asks_words", "order", "ignored", "asked_again", "on_hold", "money_taken", "refund", "access",
        "outage", "stranded", "closed_account", "security", "broken", "all_gone", "help", "leaving", "data_loss",
        "private", "spoiled", "unable",
    }
)  # fmt: skip
"""Signals of what people ask a company and tell of it, and seldom say of a river."""
_MOST_HITS = 3
_MOST_SIGNALS = 2
_NEAREST = 4
_CALM = 1
_LEAD = 9
_APART = 1
_REMEMBERED = 4_096
_EVERY = 16
_MOST_ODDS = 6.0


@dataclass(frozen=True, slots=True)
class Hit:
    """A word or phrase of a list that stands in a text: as the list has it, and its first span in code points."""

    words: str
    start: int
    end: int
    is_only: bool = True
    """Whether it stands there only once."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of a text, in the order of MEASURES, how many words it was told from, and the hits."""

    values: tuple[float, ...]
    words: int = 0
    hits: tuple[Hit, ...] = ()
    others: tuple[Hit, ...] = ()


@dataclass(frozen=True, slots=True)
class Relevance:
    """How likely a post is about our brand, and the words of our world and of the other thing's that stand in it.

    The chance is meant for a post of which nothing else is known: that of a coin. `odds` are told without the hits;
    `lift` and `drop` are what each hit of either world adds, up to three.
    """

    odds: float
    calm: float = 1.0
    hits: tuple[Hit, ...] = ()
    others: tuple[Hit, ...] = ()
    lift: float = 0.0
    drop: float = 0.0

    @property
    def chance(self) -> float:
        """The chance that the post is about our brand, 0..1."""
        return self.chance_with(len(self.hits), len(self.others))

    def chance_with(self, hits: int, others: int) -> float:
        """Return what the chance would be with so many hits of either world."""
        odds = self.odds + self.lift * min(hits, _MOST_HITS) + self.drop * min(others, _MOST_HITS)
        odds = min(max(odds, -_MOST_ODDS), _MOST_ODDS) * (self.calm if odds < 0 else 1.0)
        return 1 / (1 + math.exp(-odds))


CERTAIN: Final = Relevance(_MOST_ODDS)
"""What is said of a post that names one of our accounts."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What each of MEASURES adds to the odds, and a shift for all."""

    measures: tuple[float, ...]
    shift: float

    def weigh(self, measured: Measured) -> Relevance:
        """Return the relevance of a post from its measures.

        Where hardly anything is said, hardly anything is known: the fewer the words, the less is held against it.
        """
        told = dict(zip(MEASURES, zip(self.measures, measured.values, strict=True), strict=True))
        lift, drop = (told.pop(name)[0] / _MOST_HITS for name in ("hits", "other hits"))
        odds = math.fsum(weight * value for weight, value in told.values()) + self.shift
        calm = measured.words / (measured.words + _CALM)
        return Relevance(odds, calm, measured.hits, measured.others, lift, drop)

    def write(self, folder: Path, quality: Mapping[str, float]) -> None:
        """Write the weights, and how well they did on nouns that they were not learned from."""
        told = {"measures": dict(zip(MEASURES, self.measures, strict=True)), "shift": self.shift, "held_out": quality}
        (folder / FILE).write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2) + b"\n")

    @classmethod
    def load(cls, folder: Path) -> Weights:
        """Read what `write` wrote."""
        told: Mapping[str, Any] = orjson.loads((folder / FILE).read_bytes())
        return cls(tuple(float(told["measures"][name]) for name in MEASURES), float(told["shift"]))


@cache
def shipped_weights() -> Weights:
    """Return the weights shipped with Cuecard, loaded once."""
    return Weights.load(_SHIPPED)


class _Word(NamedTuple):
    """A word of a text: in lower case, its stem, whether it says what the text is about, and its span."""

    lower: str
    stem: str
    is_content: bool
    start: int
    end: int


class World:
    """A list of words and phrases, prepared: their stems, and what is near them in sense."""

    def __init__(self, phrases: Sequence[str], name: Collection[str] = ()) -> None:
        """Prepare a list; what holds no word but the brand's `name` (stems) tells nothing and is left out."""
        self._by_first: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        read = {phrase: tuple(word.stem for word in _read_words(phrase)) for phrase in phrases}
        telling = {phrase: stems for phrase, stems in read.items() if not set(stems) <= set(name)}
        for phrase, stems in telling.items():
            self._by_first.setdefault(stems[0], []).append((stems, phrase))
        self._rows = np.array([shipped_vectors().average(phrase) for phrase in telling]).reshape(-1, SIZE)
        self._middle = _unit(self._rows.sum(axis=0))
        usual = np.einsum("bs,ps->bp", _any_words(), self._rows).max(axis=1, initial=-1.0)
        self._usual, self._spread = float(usual.mean()), max(float(usual.std()), 1e-3)
        self.nearness = lru_cache(maxsize=_REMEMBERED)(self._measure_nearness)

    def find(self, words: Sequence[_Word], taken: Collection[int] = ()) -> tuple[tuple[Hit, ...], set[int]]:
        """Return what of the list stands in a text, each once, and the places of all its words.

        `taken` are places that belong to something else.
        """
        stems = ["" if place in taken else word.stem for place, word in enumerate(words)]
        found: dict[str, Hit] = {}
        places: set[int] = set()
        for start, first in enumerate(stems):
            for phrase, told in self._by_first.get(first, ()):
                end = start + len(phrase)
                if tuple(stems[start:end]) == phrase and _stand_together(words[start:end]):
                    hit = Hit(told, words[start].start, words[end - 1].end)
                    found[told] = replace(found[told], is_only=False) if told in found else hit
                    places.update(range(start, end))
        return tuple(found.values()), places

    def sense(self, meant: Vector) -> float:
        """Return how near the mean of a text is to the middle of the list: a cosine."""
        return float(np.einsum("s,s->", meant, self._middle))

    def _measure_nearness(self, word: str) -> float:
        """Return how much nearer a word is to the nearest of the list than any word is, in spreads; at least 0."""
        nearest = float(np.einsum("ps,s->p", self._rows, shipped_vectors().average(word)).max(initial=-1.0))
        return max(0.0, (nearest - self._usual) / self._spread)


class Context:
    """The world of one watch, prepared once: the brand's name and accounts, its own words, and the other thing's."""

    def __init__(
        self, brand: str, about: Sequence[str], not_about: Sequence[str] = (), handles: Collection[str] = ()
    ) -> None:
        self.brand = brand
        self._name = frozenset(word.stem for word in _read_words(brand))
        self._about = World(about, self._name)
        self._other = World(not_about, self._name) if not_about else None
        # an account that is called like the noun tells nothing
        plain = {_plain_handle(handle) for handle in handles} - {"", plain_name(brand)}
        self._handles = frozenset(handle for handle in plain if stem(handle) not in self._name)

    def judge(self, text: str, signals: Collection[str] = (), weights: Weights | None = None) -> Relevance:
        """Return how likely `text` is about our brand. Any text will do, the empty one included.

        `signals` are the names of those found in it (`nlp.signals`); `weights` are the shipped ones if none are given.
        """
        measured = self.measure(text, signals)
        return CERTAIN if measured is None else (weights or shipped_weights()).weigh(measured)

    def measure(self, text: str, signals: Collection[str] = ()) -> Measured | None:
        """Return what is measured of a text; None where it names one of our accounts."""
        words = _read_words(text)
        if self._handles and self._is_named(text, words):
            return None
        hits, taken = self._about.find(words)
        others, passed = self._other.find(words, taken) if self._other else ((), set())
        open_words = [word for place, word in enumerate(words) if place not in taken]
        rest = [
            word
            for place, word in enumerate(words)
            if place not in taken and place not in passed and word.stem not in self._name
        ]
        meant = shipped_vectors().average(" ".join(word.lower for word in rest))
        content = {word.lower for word in rest if word.is_content}
        values = (
            *_weigh_world(self._about, content, meant, len(hits)),
            *_weigh_world(self._other, content, meant, len(others)),
            float(self._other is not None),
            self._look_at_name(text, words, open_words),
            min(len(_CUSTOMER.intersection(signals)), _MOST_SIGNALS) / _MOST_SIGNALS,
        )
        return Measured(values, len(content), hits, others)

    def _is_named(self, text: str, words: Sequence[_Word]) -> bool:
        """Say whether a text names one of our accounts, tagged or not."""
        tags = (_plain_handle(match[1]) for match in _WORD.finditer(text) if match[1])
        return not self._handles.isdisjoint((*tags, *(word.lower for word in words)))

    def _look_at_name(self, text: str, words: Sequence[_Word], open_words: Sequence[_Word]) -> float:
        """Return 1 where the name has a capital inside a sentence, -1 where it has none, 0 where that tells nothing.

        `open_words` are those that are no hits: only these can speak against us.
        """
        if any(self._is_inside(text, word) and text[word.start].isupper() for word in words):
            return 1.0 if any(text[word.start].islower() for word in words) else 0.0
        is_mixed = any(text[word.start].isupper() for word in open_words if word.stem not in self._name)
        return -1.0 if is_mixed and any(self._is_inside(text, word) for word in open_words) else 0.0

    def _is_inside(self, text: str, word: _Word) -> bool:
        """Say whether a word is the brand's name, and no sentence begins with it."""
        return word.stem in self._name and not _BEGINS.search(text, max(0, word.start - _LEAD), word.start)


def _weigh_world(world: World | None, content: Collection[str], meant: Vector, hits: int) -> tuple[float, float, float]:
    """Return the measures of a world: hits, nearness of the nearest words, and sense."""
    if world is None:
        return 0.0, 0.0, 0.0
    nearest = sorted((world.nearness(word) for word in content), reverse=True)[:_NEAREST]
    return min(hits, _MOST_HITS) / _MOST_HITS, math.fsum(nearest) / _NEAREST, world.sense(meant)


def _plain_handle(handle: str) -> str:
    return "".join(char for char in handle.casefold() if char.isalnum())


def _stand_together(words: Sequence[_Word]) -> bool:
    return all(after.start - word.end <= _APART for word, after in pairwise(words))


def _read_words(text: str) -> list[_Word]:
    """Return the words of a text in lower case; of links and handles nothing."""
    return [
        _Word(match[0], *_know(match[0]), match.start(), match.end())
        for match in _WORD.finditer(lower_in_place(text))
        if not match[1]
    ]


@cache
def _any_words() -> Vector:
    """Return the vectors of words in general, against which nearness is told."""
    return shipped_vectors().sample(_EVERY)


@lru_cache(maxsize=20_000)
def _know(word: str) -> tuple[str, bool]:
    return stem(word), len(word) > 1 and bool(content_words(word))


def _unit(row: Vector) -> Vector:
    length = math.sqrt(float(np.einsum("s,s->", row, row)))
    return row / length if length else row
