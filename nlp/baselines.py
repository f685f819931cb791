"""Other ways to rank the same posts, to compare with. What they need is the optional extra `cuecard[evaluate]`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from nlp.features import Array

CORPUS = Path(__file__).with_name("corpus")
MISSING = "VADER and TF-IDF are left out: install them with pip install 'cuecard[evaluate]'."


@dataclass(frozen=True, slots=True)
class Ranking:
    """A way to rank: scores for the need of a reply, for urgency, and for the order of the cards."""

    name: str
    needs: Array
    urgent: Array
    priority: Array


def plain_rankings(texts: Sequence[str]) -> list[Ranking]:
    """Return the rankings that know nothing: at random, and the longest first."""
    chance = np.random.default_rng(0).random(len(texts))
    lengths = np.array([len(text) for text in texts], dtype=float)
    return [_one_for_all("random", chance), _one_for_all("longest first", lengths)]


def learned_rankings(texts: Sequence[str]) -> list[Ranking]:
    """Return VADER, the most negative first, and logistic regression on TF-IDF, trained on our own corpus.

    Raises:
        ImportError: the optional extra is not installed.
    """
    return [_vader(texts), _tfidf(texts)]


def _one_for_all(name: str, scores: Array) -> Ranking:
    return Ranking(name, scores, scores, scores)


def _vader(texts: Sequence[str]) -> Ranking:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer  # noqa: PLC0415 - optional

    analyzer = SentimentIntensityAnalyzer()
    return _one_for_all("VADER", np.array([-analyzer.polarity_scores(text)["compound"] for text in texts]))


def _tfidf(texts: Sequence[str]) -> Ranking:
    words, regressions = _learned()
    needs, urgent = (regression.predict_proba(words.transform(texts))[:, 1] for regression in regressions)
    return Ranking("TF-IDF", needs, urgent, 0.5 * needs + 0.5 * urgent)


@cache
def _learned() -> tuple[Any, tuple[Any, Any]]:
    """Return what turns texts into words, and the regressions for grades of at least 2 and 3."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415 - optional
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - optional

    known = [orjson.loads(line) for file in sorted(CORPUS.glob("*.jsonl")) for line in file.read_bytes().splitlines()]
    grades = np.array([row["grade"] for row in known])
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    learned = words.fit_transform([row["text"] for row in known])
    needs, urgent = (LogisticRegression(C=4, max_iter=2_000).fit(learned, grades >= least) for least in (2, 3))
    return words, (needs, urgent)
