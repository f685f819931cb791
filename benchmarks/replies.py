"""Finding the reply that answers a post: the true one among ten of its brand, over public pairs of posts and replies.

Each of a brand's posts is put to its true reply and nine others drawn from the brand's (brands with at least ten), in
five draws. What may be remembered are the brand's other pairs, but none of the ten: a reply that is known to have
answered another post would be ruled out by that alone. The weights of the signals are learned anew for each tenth of
the pairs, on the others.

Many of these replies are one text with another name in it, and no reader could tell which of two such was sent. So two
more figures are told: how often the reply that was picked says the same as the true one (three fifths of all their
words in common, links and handles aside), and how often the true one is picked among ten of which none says the same.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import orjson
from sklearn.feature_extraction.text import TfidfVectorizer

from benchmarks.report import Figure
from nlp.retrieval import SIGNALS, Pair, compare
from nlp.wording import content_words, plain_words

Array = npt.NDArray[np.float64]
PAIRS = Path(__file__).resolve().parents[2] / "shared" / "data" / "train" / "reply_pairs_ibm.jsonl"
ASKED = "at least 0.55"
_AMONG, _DRAWS, _FOLDS = 10, 5, 10
_SAME = 0.6
_LINK = re.compile(r"https?://\S+")
_STEPS, _PACE, _RESTRAINT = 300, 0.3, 3.0


@dataclass(frozen=True)
class _Question:
    """A post put to ten replies: signals for each, scores by TF-IDF, which one is true, and which say the same."""

    pair: int
    signals: Array
    plain: Array
    true: int
    same: Sequence[bool]


def measure() -> list[Figure]:
    """Ask every post in every draw; needs the folder of public pairs beside the project."""
    pairs = _read_pairs()
    any_of_brand = [_draw(pairs, seed, are_different=False) for seed in range(_DRAWS)]
    different = [_draw(pairs, seed, are_different=True) for seed in range(_DRAWS)]
    what = f"the true reply among {_AMONG} of its brand"
    return [
        *_figures(what, any_of_brand, _is_true, ASKED),
        *_figures(f"{what}, or one that says the same", any_of_brand, _says_the_same, "reported"),
        *_figures(f"{what}, of which none says the same", different, _is_true, "reported"),
    ]


def _figures(
    name: str, draws: Sequence[Sequence[_Question]], is_hit: Callable[[_Question, int], bool], asked: str
) -> list[Figure]:
    ours = [_share(questions, _by_weights(questions), is_hit) for questions in draws]
    plain = [_share(questions, (each.plain for each in questions), is_hit) for questions in draws]
    return [
        _figure(name, ours, asked, len(draws[0])),
        _figure(f"{name}: TF-IDF alone", plain, "reported", len(draws[0])),
    ]


def _figure(name: str, shares: Sequence[float], asked: str, posts: int) -> Figure:
    spread = f"{min(shares):.3f} to {max(shares):.3f} in {len(shares)} draws of {posts} posts"
    return Figure(name, float(np.mean(shares)), "", asked, spread)


def _share(questions: Sequence[_Question], scores: Iterable[Array], is_hit: Callable[[_Question, int], bool]) -> float:
    return float(np.mean([is_hit(each, int(np.argmax(told))) for each, told in zip(questions, scores, strict=True)]))


def _is_true(question: _Question, picked: int) -> bool:
    return picked == question.true


def _says_the_same(question: _Question, picked: int) -> bool:
    return question.same[picked]


def _by_weights(questions: Sequence[_Question]) -> list[Array]:
    """Return each question's scores, by weights that were learned without its pair."""
    weights = [learn_weights([each for each in questions if each.pair % _FOLDS != left]) for left in range(_FOLDS)]
    return [each.signals @ weights[each.pair % _FOLDS] for each in questions]


def learn_weights(questions: Sequence[_Question]) -> Array:
    """Return the weights of the signals by which the true replies are likeliest, held back a little."""
    signals = np.array([each.signals for each in questions])
    true = signals[np.arange(len(questions)), [each.true for each in questions]]
    weights = np.zeros(len(SIGNALS))
    for _ in range(_STEPS):
        odds = np.exp(signals @ weights)
        chances = odds / odds.sum(axis=1, keepdims=True)
        slope = ((signals * chances[..., None]).sum(axis=1) - true).mean(axis=0)
        weights -= _PACE * (slope + _RESTRAINT * weights / len(questions))
    return weights


def _draw(pairs: Mapping[str, Sequence[Pair]], seed: int, *, are_different: bool) -> list[_Question]:
    """Put every post to its reply and nine others, in an order of chance."""
    chance = random.Random(seed)  # noqa: S311 - a draw, no secret
    plain = _Plain([text for own in pairs.values() for pair in own for text in (pair.question, pair.answer)])
    questions: list[_Question] = []
    every = [(own, pair) for own in pairs.values() for pair in own]
    for number, (own, pair) in enumerate(every):
        others = sorted({other.answer for other in own} - {pair.answer})
        if are_different:
            others = [other for other in others if not _are_same(other, pair.answer)]
        if len(others) < _AMONG - 1:
            continue
        answers = [*chance.sample(others, _AMONG - 1), pair.answer]
        chance.shuffle(answers)
        memory = [other for other in own if other.answer not in answers]
        signals = compare(pair.question, answers, memory)
        same = [_are_same(answer, pair.answer) for answer in answers]
        true = answers.index(pair.answer)
        questions.append(_Question(number, signals, plain.scores(pair.question, answers), true, same))
    return questions


class _Plain:
    """TF-IDF over words, without handles, links and stop words."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._words = TfidfVectorizer(analyzer=content_words, sublinear_tf=True).fit(texts)

    def scores(self, question: str, answers: Sequence[str]) -> Array:
        asked, given = self._words.transform([question]), self._words.transform(answers)
        return np.asarray((given @ asked.T).toarray()).ravel()


def _are_same(one: str, other: str) -> bool:
    words, others = (set(plain_words(_LINK.sub(" ", text))) for text in (one, other))
    return len(words & others) >= _SAME * len(words | others)


def _read_pairs() -> dict[str, list[Pair]]:
    """Return the pairs of each brand that has enough different replies."""
    found: dict[str, list[Pair]] = defaultdict(list)
    for line in PAIRS.read_bytes().splitlines():
        row = orjson.loads(line)
        found[row["brand"]].append(Pair(row["message"], row["reply"]))
    return {brand: own for brand, own in sorted(found.items()) if len({pair.answer for pair in own}) >= _AMONG}
