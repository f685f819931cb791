"""Which answer fits a question: what past replies and facts have to do with a post, judged by six signals.

`rank` compares answers with each other for one question. Where earlier questions and their answers are known, what
was said then is a hint of what is said now. The weights were learned by `benchmarks/replies.py` from public pairs of
posts and replies; it measures them on pairs that they were not learned from.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from nlp.topics import topic_names, topics_of
from nlp.vectors import SIZE, shipped_vectors
from nlp.wording import content_words, plain_words, stem

Array = npt.NDArray[np.float64]
SIGNALS = ("letters", "words", "sense", "topics", "said then", "done then")
WEIGHTS = (0.39, 0.35, 0.06, 0.37, 0.44, 0.09)
_BUCKETS = 1 << 16
_MOST_WORDS = 120
_NEAR, _SHARED = 0.6, 0.3
"""How near the mean vectors of posts that ask for the same are, and how many words they share."""
_ACTS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\bdm\b|direct message|private message|message us",
        r"\?",
        r"https?:|www\.",
        r"\bthank|appreciate",
        r"sorry|apolog|oh no|yikes|frustrat",
        r"\bsteps?\b|\btry\b|tried|restart|clear|reset|update",
        r"more (?:info|detail)|tell us|keep us posted|\bshare\b|details",
        r"hope (?:this|that) helps|let us know if (?:this|that)",
        r"feedback|suggest",
        r"contact|reach out to|\bcall\b|\bchat\b|phone|support team",
        r"polic|guideline|terms|appeal|review",
        r"error message|exact wording|specific error|screenshot",
    )
)
"""What a reply does: asks, thanks, links, regrets, hands on."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A question that was asked, and the answer that a person gave."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What is compared of a text."""

    words: tuple[str, ...]
    places: npt.NDArray[np.float32]
    mean: Array
    grams: npt.NDArray[np.int64]
    counts: Array
    topics: Array
    acts: Array


@lru_cache(maxsize=1_000)
def read_for_ranking(text: str) -> Reading:
    """Read a text once."""
    every, content = plain_words(text), tuple(content_words(text)[:_MOST_WORDS])
    ids, counts = np.unique(_grams(every), return_counts=True)
    told = topics_of(every)
    lower = text.lower()
    return Reading(
        words=content,
        places=np.array([_place(word) for word in content], dtype=np.float32).reshape(-1, SIZE),
        mean=shipped_vectors().average(text),
        grams=ids,
        counts=1 + np.log(counts),
        topics=np.array([told.get(name, 0.0) for name in topic_names()]),
        acts=np.array([float(act.search(lower) is not None) for act in _ACTS]),
    )


def rank(question: str, answers: Sequence[str], memory: Sequence[Pair] = ()) -> list[float]:
    """Say how well each answer fits the question, beside the others: the higher the better, around 0."""
    return [float(value) for value in compare(question, answers, memory) @ np.array(WEIGHTS)]


def compare(question: str, answers: Sequence[str], memory: Sequence[Pair] = ()) -> Array:
    """Return a row of signals for each answer, each signal with mean 0 and deviation 1 over the answers."""
    if not answers:
        return np.zeros((0, len(SIGNALS)))
    asked, given = read_for_ranking(question), [read_for_ranking(answer) for answer in answers]
    questions = [read_for_ranking(pair.question) for pair in memory]
    replies = [read_for_ranking(pair.answer) for pair in memory]
    columns = [
        _by_letters(asked, given, [*questions, *replies]),
        _by_words(asked, given, [*questions, *replies]),
        _by_sense(asked, given, questions, replies),
        _by_topics(asked, given, replies),
        *_by_memory(asked, given, questions, replies),
    ]
    table = np.column_stack(columns)
    return np.asarray((table - table.mean(axis=0)) / (table.std(axis=0) + 1e-6))


def _by_letters(asked: Reading, given: Sequence[Reading], others: Sequence[Reading]) -> Array:
    """Compare runs of three to five letters, the rarer ones more: forgives endings and slips of the pen."""
    every = [asked, *given, *others]
    seen = np.bincount(np.concatenate([each.grams for each in every]), minlength=_BUCKETS)
    rarity = 1 + np.log((1 + len(every)) / (1 + seen))
    wanted = np.zeros(_BUCKETS)
    wanted[asked.grams] = asked.counts * rarity[asked.grams]
    found = []
    for each in given:
        own = each.counts * rarity[each.grams]
        found.append(float(own @ wanted[each.grams]) / (float(np.sqrt(own @ own)) + 1e-9))
    return np.array(found)


def _by_words(asked: Reading, given: Sequence[Reading], others: Sequence[Reading]) -> Array:
    """Look for the nearest word of the answer to each word of the question, the rarer ones counting more."""
    if not asked.words:
        return np.zeros(len(given))
    every = [asked, *given, *others]
    seen: dict[str, int] = {}
    for each in every:
        for word in each.words:
            seen[word] = seen.get(word, 0) + 1
    rarity = np.array([np.log(1 + len(every) / seen[word]) for word in asked.words])
    found = []
    for each in given:
        near = np.zeros(len(asked.words))
        if each.words:
            near = np.clip(asked.places @ each.places.T, 0, 1).max(axis=1) ** 2
        found.append(float(near @ rarity) / float(rarity.sum()))
    return np.array(found)


def _by_sense(
    asked: Reading, given: Sequence[Reading], questions: Sequence[Reading], replies: Sequence[Reading]
) -> Array:
    """Compare mean vectors, each without what all questions, or all answers, have in common."""
    common_asked = np.mean([each.mean for each in (asked, *questions)], axis=0) if questions else np.zeros(SIZE)
    common_given = np.mean([each.mean for each in (*given, *replies)], axis=0)
    return np.array([_unit(each.mean - common_given) @ _unit(asked.mean - common_asked) for each in given])


def _by_topics(asked: Reading, given: Sequence[Reading], replies: Sequence[Reading]) -> Array:
    """Compare topics, those that few answers touch counting more."""
    table = np.array([each.topics for each in (*given, *replies)])
    rarity = -np.log(((table > 0).sum(axis=0) + 1) / (len(table) + 2))
    wanted = _unit(asked.topics * rarity)
    return np.array([_unit(each.topics * rarity) @ wanted for each in given])


def _by_memory(
    asked: Reading, given: Sequence[Reading], questions: Sequence[Reading], replies: Sequence[Reading]
) -> tuple[Array, Array]:
    """Compare with what was said, and done, in answer to the questions most like this one."""
    if len(questions) < 5:
        return np.zeros(len(given)), np.zeros(len(given))
    common = np.mean([each.mean for each in questions], axis=0)
    like = np.array([_unit(each.mean - common) for each in questions]) @ _unit(asked.mean - common)
    centre = np.mean([each.mean for each in replies], axis=0)
    said = np.array([_unit(each.mean - centre) for each in replies])
    done = np.array([each.acts for each in replies])
    said_hint = _softmax(like / 0.1) @ said - said.mean(axis=0)
    done_hint = _softmax(like / 0.15) @ done - done.mean(axis=0)
    by_said = [float(_unit(each.mean - centre) @ said_hint) for each in given]
    by_done = [float(each.acts @ done_hint) for each in given]
    return np.array(by_said), np.array(by_done)


def _grams(words: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return the numbers of all runs of three to five letters, word by word, ends marked by a space."""
    found = [
        zlib.crc32(padded[start : start + size].encode()) & (_BUCKETS - 1)
        for padded in (f" {word} " for word in words)
        for size in (3, 4, 5)
        for start in range(max(1, len(padded) - size + 1))
    ]
    return np.array(found, dtype=np.int64)


@lru_cache(maxsize=5_000)
def _place(word: str) -> npt.NDArray[np.float32]:
    return shipped_vectors().average(word).astype(np.float32)


def _softmax(values: Array) -> Array:
    raised = np.exp(values - values.max())
    return np.asarray(raised / raised.sum())


def _unit(vector: Array) -> Array:
    length = float(np.sqrt(vector @ vector))
    return np.asarray(vector / length) if length > 1e-9 else vector


def is_alike(question: str, other: str) -> bool:
    """Say whether two posts ask for the same: a third of their words, a topic in common, and near in sense."""
    stems, others = _stems(question), _stems(other)
    if len(stems & others) < _SHARED * (len(stems) * len(others)) ** 0.5 or not stems & others:
        return False
    one, two = read_for_ranking(question), read_for_ranking(other)
    return bool(((one.topics > 0) & (two.topics > 0)).any()) and float(one.mean @ two.mean) >= _NEAR


@lru_cache(maxsize=2_000)
def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in content_words(text)[:_MOST_WORDS])
