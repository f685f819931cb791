"""Builds the shipped weights from judged posts: the same seed gives the same bytes on one machine.

How sure the chances may be is learned from posts of brands that were held out (cross-validated by brand), because on
posts they were fitted to the heads would look far too sure. The same held-out posts tell the quality.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import orjson
from spacy.language import Language
from spacy.tokens import Doc

from nlp.assessment import INTENTS
from nlp.bags import BUCKETS, Bags
from nlp.features import Array, feature_names, feature_signs
from nlp.fit import Costs, Table, calibrate, descend
from nlp.heads import GRADES, OUTPUTS, PLAIN, Heads, squash
from nlp.measures import auroc, average_precision, calibration_error, recall_at
from nlp.model_text import read
from nlp.pipeline import HeadsComponent, build_pipeline, lay_out
from nlp.relevance_training import learn_relevance
from nlp.signals import plain_name
from nlp.training_rows import FOLDS, CrisisRow, Row, fold_of, read_crisis_rows, read_rows
from nlp.vectors import SIZE, shipped_vectors
from nlp.words import Words

_RIDGE = 0.004
_SIGNAL_RIDGE = _RIDGE / 4
"""A signal is a rule that a person wrote, so it costs less: the grave ones are rare and must count."""
_WORD_RIDGE = 0.00015
_FALSE_ALARMS = 0.01
_TRAGEDIES = 0.1
"""The share of posts on public tragedies for which the chance of one is honest: high, so as to be careful."""
_TRAGIC = frozenset({"disaster", "deaths"})
Report = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Quality:
    """How well held-out brands and disasters were told: figures for the model card."""

    posts: int
    auroc: float
    average_precision: float
    urgent_average_precision: float
    calibration_error: float
    sarcastic_auroc: float
    crisis_recall: float


def _say_nothing(_step: str, _done: float) -> None:
    """Report to nobody."""


def train(data_dir: Path, output: Path, *, seed: int = 0, report: Report = _say_nothing, most_rows: int = 0) -> Quality:
    """Train on `data_dir` (judged.jsonl, background files) and our own corpus; write the pipeline to `output`.

    `report` is told the step and how much of all is done, 0..1. `most_rows` bounds the rows of each file (0: all).

    Raises:
        FileNotFoundError: judged.jsonl is not in `data_dir`.
    """
    report("reading the posts", 0.0)
    nlp = build_pipeline()
    posts = _Posts(nlp, read_rows(data_dir, seed, most_rows))
    told = read_crisis_rows(data_dir, seed, most_rows)
    heads, quality = _fit_heads(posts, _Tragedies(nlp, told, posts) if told else None, report)
    component = nlp.get_pipe("cuecard_heads")
    assert isinstance(component, HeadsComponent)
    component.heads = heads
    _write(nlp, output, quality)
    report("learning to tell homonyms apart", 0.95)
    relevance, figures = learn_relevance()
    relevance.write(output, figures)
    report("done", 1.0)
    return quality


def to_doc(nlp: Language, text: str, brand: str) -> Doc:
    """Return the document of a post, not yet run through the pipeline."""
    words = nlp.tokenizer
    assert isinstance(words, Words)
    ours = frozenset({plain_name(brand)} - {""})
    return words.read(read(text).text, ours)


def _lay_out(nlp: Language, posts: Sequence[tuple[str, str]]) -> tuple[Array, Bags]:
    """Return the features of posts, the vector's among them, and their words in buckets."""
    laid = lay_out(list(nlp.pipe(to_doc(nlp, text, brand) for text, brand in posts)))
    return np.hstack([laid.measured, shipped_vectors().sum_up(laid.pieces)]), laid.words


class _Posts:
    """The posts that the heads but one learn from, laid out, with what is known of each."""

    def __init__(self, nlp: Language, rows: Sequence[Row]) -> None:
        self.dense, self.words = _lay_out(nlp, [(row.text, row.brand) for row in rows])
        self.weights = np.array([row.weight for row in rows])
        self.grades = np.array([row.grade for row in rows])
        self.is_judged = self.grades >= 0
        self.folds = np.array([fold_of(row.brand or row.text) for row in rows])
        self.floors = np.array([[row.known.get(grade, np.nan) for grade in GRADES] for row in rows])
        self.sarcastic = np.array([float(row.is_sarcastic) for row in rows])
        self.intents = np.array([[float(row.intent == name) for name in INTENTS] for row in rows])

    def table(self, wanted: Array, weights: Array, rows: npt.NDArray[np.int64]) -> Table:
        return Table(self.dense[rows], self.words.take(rows), wanted[rows], weights[rows])

    def held_out(self) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
        """Return, for each part, the rows to learn from and the judged rows to be told."""
        parts = [
            (
                np.flatnonzero((self.folds != part) | ~self.is_judged),
                np.flatnonzero((self.folds == part) & self.is_judged),
            )
            for part in range(FOLDS)
        ]
        return [(learned, asked) for learned, asked in parts if len(asked)]


def _about(dense: Array) -> Array:
    """Return features with those only that tell what a text is about, not what it wants."""
    kept = dense.copy()
    kept[:, [column for column, name in enumerate(feature_names()) if name not in _TRAGIC]] = 0.0
    return kept


class _Tragedies:
    """Posts on public tragedies, and others, laid out; only what they are about is looked at."""

    def __init__(self, nlp: Language, rows: Sequence[CrisisRow], posts: _Posts) -> None:
        dense, self.words = _lay_out(nlp, [(row.text, "") for row in rows])
        self.dense = _about(dense)
        self.wanted = np.array([[float(row.is_crisis)] for row in rows])
        self.folds = np.array([fold_of(row.event) for row in rows])
        shares = np.where(self.wanted > 0, _TRAGEDIES, 1 - _TRAGEDIES)
        self.weights = shares / np.where(self.wanted > 0, self.wanted.sum(), (1 - self.wanted).sum())
        self.others, self.other_words = _about(posts.dense), posts.words

    def table(self, rows: npt.NDArray[np.int64]) -> Table:
        return Table(self.dense[rows], self.words.take(rows), self.wanted[rows], self.weights[rows])


@dataclass(frozen=True, slots=True)
class _Head:
    """Weights of some outputs, and how to make their odds honest."""

    dense: Array
    words: Array
    lines: Sequence[tuple[float, float]] = ()


def _fit_heads(posts: _Posts, tragedies: _Tragedies | None, report: Report) -> tuple[Heads, Quality]:
    report("learning which posts need a reply", 0.1)
    grades, odds = _fit_grades(posts, report)
    report("learning sarcasm", 0.6)
    sarcastic, sarcastic_auroc = _fit_sarcasm(posts)
    report("learning intents", 0.65)
    judged = np.flatnonzero(posts.is_judged)
    rare = (1 / np.sqrt(posts.intents[judged].sum(axis=0) + 1))[posts.intents[judged].argmax(axis=1)]
    weights = np.zeros((len(posts.weights), 1))
    # rare intents count for more than their share, or the common ones would swallow them
    weights[judged, 0] = rare * posts.weights[judged]
    intents = _Head(*descend(posts.table(posts.intents, weights, judged), _costs(is_free=True), is_one_of=True))
    report("learning public tragedies", 0.8)
    crisis, crisis_recall = _fit_crisis(tragedies) if tragedies else (_nothing(), float("nan"))
    parts = (grades, sarcastic, crisis, intents)
    lines = [line for part in (grades, sarcastic, crisis) for line in part.lines]
    heads = Heads(
        feature_names(),
        np.vstack([part.dense for part in parts]),
        np.vstack([part.words for part in parts]).astype(np.float32),
        np.array([slope for slope, _ in lines]),
        np.array([shift for _, shift in lines]),
    )
    assert len(heads.dense) == len(OUTPUTS)
    assert len(lines) == len(GRADES) + len(PLAIN)
    return heads, _judge(posts, grades, odds, sarcastic_auroc, crisis_recall)


def _fit_grades(posts: _Posts, report: Report) -> tuple[_Head, Array]:
    """Return the heads of the grades, and the odds they would give to posts of brands they had not seen."""
    weights = posts.weights[:, None] * ~np.isnan(posts.floors)
    wanted = np.nan_to_num(posts.floors)
    odds = np.zeros(wanted.shape)
    for part, (learned, asked) in enumerate(posts.held_out()):
        report(f"learning without the brands of part {part + 1}", 0.1 + 0.08 * part)
        dense, words = descend(posts.table(wanted, weights, learned), _costs())
        odds[asked] = posts.dense[asked] @ dense[:, :-1].T + dense[:, -1] + posts.words.take(asked).weigh(_f32(words))
    judged = posts.is_judged
    lines = [
        calibrate(odds[judged, place], wanted[judged, place], posts.weights[judged]) for place in range(len(GRADES))
    ]
    everything = np.arange(len(weights))
    return _Head(*descend(posts.table(wanted, weights, everything), _costs()), lines), odds


def _fit_sarcasm(posts: _Posts) -> tuple[_Head, float]:
    judged = np.flatnonzero(posts.is_judged)
    wanted, weights = posts.sarcastic[:, None], posts.weights[:, None].copy()
    odds = np.zeros(len(wanted))
    for learned, asked in posts.held_out():
        known = learned[posts.is_judged[learned]]
        dense, words = descend(posts.table(wanted, weights, known), _costs(is_free=True))
        weighed = posts.dense[asked] @ dense[:, :-1].T + dense[:, -1] + posts.words.take(asked).weigh(_f32(words))
        odds[asked] = weighed[:, 0]
    line = calibrate(odds[judged], wanted[judged, 0], posts.weights[judged])
    head = _Head(*descend(posts.table(wanted, weights, judged), _costs(is_free=True)), [line])
    return head, auroc(wanted[judged, 0] > 0, odds[judged])


def _fit_crisis(told: _Tragedies) -> tuple[_Head, float]:
    """Return the head of public tragedies, and the share of unseen disasters' posts found at 1 % false alarms."""
    odds = np.zeros(len(told.wanted))
    for part in range(FOLDS):
        learned, asked = np.flatnonzero(told.folds != part), np.flatnonzero(told.folds == part)
        if not len(asked) or not len(learned):
            continue
        dense, words = descend(told.table(learned), _costs(is_free=True))
        weighed = told.dense[asked] @ dense[:, :-1].T + dense[:, -1] + told.words.take(asked).weigh(_f32(words))
        odds[asked] = weighed[:, 0]
    head = _Head(
        *descend(told.table(np.arange(len(odds))), _costs(is_free=True)),
        [calibrate(odds, told.wanted[:, 0], told.weights[:, 0])],
    )
    weighed = told.others @ head.dense[:, :-1].T + head.dense[:, -1] + told.other_words.weigh(_f32(head.words))
    found = told.wanted[:, 0] > 0
    scores = np.concatenate([odds[found], weighed[:, 0]])
    marks = np.concatenate([np.ones(found.sum()), np.zeros(len(weighed))])
    return head, recall_at(marks, scores, _FALSE_ALARMS)


def _nothing() -> _Head:
    """Return a head that finds nothing, where there is nothing to learn from."""
    return _Head(np.zeros((1, len(feature_names()) + SIZE + 1)), np.zeros((1, BUCKETS)), [(1.0, -10.0)])


def _judge(posts: _Posts, grades: _Head, odds: Array, sarcastic_auroc: float, crisis_recall: float) -> Quality:
    judged = posts.is_judged
    chances = squash(odds[judged] * [slope for slope, _ in grades.lines] + [shift for _, shift in grades.lines])
    found = posts.grades[judged]
    return Quality(
        posts=int(judged.sum()),
        auroc=auroc(found >= 2, chances[:, 1]),
        average_precision=average_precision(found >= 2, chances[:, 1]),
        urgent_average_precision=average_precision(found == 3, chances[:, 2]),
        calibration_error=calibration_error(found >= 2, chances[:, 1]),
        sarcastic_auroc=sarcastic_auroc,
        crisis_recall=crisis_recall,
    )


def _costs(*, is_free: bool = False) -> Costs:
    signs = feature_signs()
    dense = np.concatenate([np.full(len(signs), _SIGNAL_RIDGE), np.full(SIZE, _RIDGE)])
    pulls = np.concatenate([np.zeros(len(signs)) if is_free else signs, np.zeros(SIZE)])
    return Costs(dense, _WORD_RIDGE, pulls)


def _f32(words: Array) -> npt.NDArray[np.float32]:
    return words.astype(np.float32)


def _write(nlp: Language, output: Path, quality: Quality) -> None:
    """Write the pipeline without the words it happened to meet; they are hashed, so nothing needs them."""
    nlp.meta.update(name="cuecard", version="2", description="Which mentions need a person.", license="Apache-2.0")
    nlp.to_disk(output, exclude=["vocab"])
    figures = {name: round(value, 3) for name, value in asdict(quality).items()}
    (output / "quality.json").write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2) + b"\n")
