"""Learns the weights of `nlp.relevance` from the corpus: posts heard for a plain noun, judged about the brand or not.

Each post is shown twice, with and without the words of the other thing, for a watch may lack them. What is not about
the brand was written down far more often than it is heard, so either outcome weighs half. How sure the chances may be
is learned from nouns that were held out; the same nouns tell the quality.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import orjson

from nlp.features import Array
from nlp.fit import calibrate
from nlp.heads import squash
from nlp.laplace import fit
from nlp.measures import auroc, average_precision, calibration_error
from nlp.relevance import MEASURES, Context, Weights
from nlp.signals import find_signals
from nlp.training_rows import CORPUS, FOLDS, fold_of

CONTEXTS: Final = CORPUS / "contexts.toml"
_NOT_SHOWN: Final = frozenset({"irrelevant", "spam_promo"})
_SHARES: Final = (0.5, 0.25, 0.25)
"""What weighs as much as what: posts not about the brand, those about it, and those shown as if."""
_RIDGE: Final = 0.1
_FREE: Final = 1e-3
_DIGITS: Final = 4


@dataclass(frozen=True, slots=True)
class NamedPost:
    """A post that was heard for a plain noun, and whether it is about the brand.

    `is_real` is False for one that was said of an invented brand of the same trade, and is shown as if of the noun.
    """

    text: str
    noun: str
    is_ours: bool
    grade: int
    is_real: bool = True


@dataclass(frozen=True, slots=True)
class _Shown:
    """What is learned from: a row of measures for each showing of a post."""

    rows: Array
    is_ours: Array
    is_real: npt.NDArray[np.bool_]
    grades: Array
    weights: Array
    folds: Array


def read_named_posts(corpus: Path = CORPUS) -> list[NamedPost]:
    """Return the posts of the corpus whose brand is a plain noun, and those that are shown as if it were."""
    nouns = read_contexts()
    trades = {ending: noun for noun, words in nouns.items() for ending in words.get("like", ())}
    lines = [orjson.loads(line) for file in sorted(corpus.glob("*.jsonl")) for line in file.read_bytes().splitlines()]
    heard = [
        NamedPost(line["text"], line["brand"].casefold(), line["intent"] != "irrelevant", int(line["grade"]))
        for line in lines
        if line["brand"].casefold() in nouns
    ]
    shown = [
        NamedPost(_rename(line["text"], line["brand"], noun), noun, True, int(line["grade"]), is_real=False)  # noqa: FBT003
        for line in lines
        if (noun := trades.get(line["brand"].split()[-1])) and line["intent"] not in _NOT_SHOWN
        if "@" not in line["text"]
    ]
    return heard + shown


def _rename(text: str, brand: str, noun: str) -> str:
    """Return a text in which a brand's name, and its first word alone, is a noun; with a capital where it had one."""
    first = brand.split(maxsplit=1)[0]
    names = "|".join(re.escape(name) for name in (brand, brand.replace(" ", ""), first))
    return re.sub(
        rf"(?<!\w)(?:{names})(?!\w)",
        lambda match: noun.title() if match[0][0].isupper() else noun,
        text,
        flags=re.IGNORECASE,
    )


def read_contexts(path: Path = CONTEXTS) -> Mapping[str, Mapping[str, Sequence[str]]]:
    """Return the `about`, the `not_about` and, where there are some, the `like` of each plain noun."""
    told: Mapping[str, Mapping[str, Sequence[str]]] = tomllib.loads(path.read_text(encoding="utf-8"))
    return told


def learn_relevance() -> tuple[Weights, dict[str, float]]:
    """Return the weights, and how well the nouns that were held out were told: the same each time."""
    shown = _show(read_named_posts(), read_contexts())
    odds = np.zeros(len(shown.rows))
    for part in range(FOLDS):
        asked = shown.folds == part
        odds[asked] = shown.rows[asked] @ _fit(shown, ~asked)
    slope, shift = calibrate(odds, shown.is_ours, shown.weights)
    line = np.round(slope * _fit(shown, np.ones(len(odds), dtype=bool)) + [*(0.0 for _ in MEASURES), shift], _DIGITS)
    return Weights(tuple(line[:-1].tolist()), float(line[-1])), _judge(shown, slope * odds + shift)


def _show(posts: Sequence[NamedPost], nouns: Mapping[str, Mapping[str, Sequence[str]]]) -> _Shown:
    signals = [{signal.name for signal in find_signals(post.text)} for post in posts]
    rows = []
    for is_told in (False, True):
        contexts = {
            noun: Context(noun, words["about"], words["not_about"] if is_told else ()) for noun, words in nouns.items()
        }
        rows += [contexts[post.noun].measure(post.text, found) for post, found in zip(posts, signals, strict=True)]
    kinds = np.array([post.is_ours + post.is_ours * (not post.is_real) for post in posts] * 2)
    shares = np.array(_SHARES) / np.bincount(kinds, minlength=len(_SHARES)) * len(posts)
    return _Shown(
        rows=np.array([(*row.values, 1.0) for row in rows if row]),
        is_ours=(kinds > 0).astype(np.float64),
        is_real=kinds < 2,
        grades=np.array([post.grade for post in posts] * 2),
        weights=shares[kinds] / 2,  # two showings are one post
        folds=np.array([fold_of(post.noun) for post in posts] * 2),
    )


def _fit(shown: _Shown, rows: Array) -> Array:
    ridges = np.array([_RIDGE] * len(MEASURES) + [_FREE])
    seen = shown.rows[rows]
    return fit(seen, np.zeros(len(seen)), shown.is_ours[rows], shown.weights[rows], ridges).weights


def _judge(shown: _Shown, odds: Array) -> dict[str, float]:
    """Return the figures of the held-out nouns, for posts with the words of the other thing and without.

    For the calibration error the chances are told for the share of posts about the brand that the corpus has.
    """
    figures = {"posts": float(shown.is_real.sum() // 2), "shown": float((~shown.is_real).sum() // 2)}
    share = shown.is_ours[shown.is_real].mean()
    has_other = shown.rows[:, MEASURES.index("has other")] > 0
    for name, told in (("about", ~has_other), ("both", has_other)):
        asked = told & shown.is_real
        ours = shown.is_ours[asked] > 0
        figures[f"{name}_auroc"] = auroc(ours, odds[asked])
        figures[f"{name}_average_precision"] = average_precision(ours, odds[asked])
        chances = squash(odds[asked] + np.log(share / (1 - share)))
        figures[f"{name}_calibration_error"] = calibration_error(ours, chances)
        needy = told & ~shown.is_real & (shown.grades >= 2)
        figures[f"{name}_lost"] = float((odds[needy] < 0).mean())
    return {name: round(value, 3) for name, value in figures.items()}
