"""Builds the shipped weights from judged posts: the same seed gives the same bytes on one machine.

The categoriser's scores that the heads learn from are cross-validated by brand (a post is scored by a categoriser that
saw no post of its brand), because scores of posts it was trained on would look far too sure.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import fix_random_seed

from nlp.assessment import INTENTS
from nlp.features import Array, feature_signs
from nlp.heads import fit
from nlp.model_text import read
from nlp.pipeline import HeadsComponent, Words, build_pipeline, names_of
from nlp.signals import plain_name

CORPUS = Path(__file__).with_name("corpus")
FOLDS = 5
_ROUNDS = 8
_BATCH = 32
_RIDGE = 0.005
_BACKGROUND: Mapping[str, int] = {"banking77": 700, "goemotions_background": 1_000, "spam_sms": 900, "ibm": 300}
Report = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Row:
    """One training text: judged by the rubric, or background whose labels are only partly known."""

    text: str
    brand: str
    labels: Mapping[str, float]
    grade: int = -1
    intent: str = ""

    @property
    def is_judged(self) -> bool:
        """Say whether a person judged it by the rubric."""
        return self.grade >= 0


def _say_nothing(_step: str, _done: float) -> None:
    """Report to nobody."""


def train(data_dir: Path, output: Path, *, seed: int = 0, report: Report = _say_nothing, most_rows: int = 0) -> None:
    """Train on `data_dir` (judged.jsonl, background files) and our own corpus; write the pipeline to `output`.

    `report` is told the step and how much of all is done, 0..1. `most_rows` bounds the rows of each file (0: all).

    Raises:
        FileNotFoundError: judged.jsonl is not in `data_dir`.
    """
    rows = read_rows(data_dir, seed, most_rows)
    judged = [row for row in rows if row.is_judged]
    folds = [fold_of(row.brand or row.text) for row in judged]
    features = np.zeros((len(judged), len(names_of(_labels()))))
    for fold in range(FOLDS):
        report(f"cross-validating, part {fold + 1} of {FOLDS}", fold / (FOLDS + 1))
        kept = [row for row, at in zip(judged, folds, strict=True) if at != fold]
        nlp = _train_categoriser([*kept, *(row for row in rows if not row.is_judged)], seed)
        held = [number for number, at in enumerate(folds) if at == fold]
        if held:
            features[held] = _features(nlp, [judged[number] for number in held])
    report("training on everything", FOLDS / (FOLDS + 1))
    nlp = _train_categoriser(rows, seed)
    component = nlp.get_pipe("cuecard_heads")
    assert isinstance(component, HeadsComponent)
    grades, intents = [row.grade for row in judged], [row.intent for row in judged]
    component.heads = fit(component_names(), features, grades, intents, _signs(), ridge=_ridge())
    _write(nlp, output)
    report("done", 1.0)


def component_names() -> tuple[str, ...]:
    """Return the names of the features the heads weigh."""
    return names_of(_labels())


def read_rows(data_dir: Path, seed: int = 0, most_rows: int = 0) -> list[Row]:
    """Return the training rows: our own corpus, the judged posts, and a sample of the background."""
    ours = [row for path in sorted(CORPUS.glob("*.jsonl")) for row in _judged(path)]
    rows = [*ours, *_judged(data_dir / "judged.jsonl")]
    if most_rows:
        rows = random.Random(seed).sample(rows, min(most_rows, len(rows)))  # noqa: S311 - a reproducible sample
    for name, wanted in _BACKGROUND.items():
        path = data_dir / f"{name}.jsonl"
        if path.is_file():
            found = [row for row in map(_background, _lines(path)) if row]
            size = min(wanted, most_rows or wanted, len(found))
            rows += random.Random(seed).sample(found, size)  # noqa: S311 - a reproducible sample
    return rows


def fold_of(brand: str) -> int:
    """Return the part a brand belongs to: always the same, and no brand is in two."""
    return hashlib.blake2b(plain_name(brand).encode("utf-8", "replace"), digest_size=2).digest()[0] % FOLDS


def _labels() -> tuple[str, ...]:
    return ("needs_reply", "urgent", "worth", *INTENTS)


def _signs() -> Array:
    names = component_names()
    pulls = {"reads as needs_reply": 1.0, "reads as urgent": 1.0, "reads as worth": 1.0}
    plain = feature_signs()
    return np.concatenate([plain, [pulls.get(name, 0.0) for name in names[len(plain) :]]])


def _ridge() -> Array:
    """A signal is a rule that a person wrote, so it costs a quarter: the grave ones are rare and must count."""
    told = len(feature_signs())
    return np.array([_RIDGE / 4] * told + [_RIDGE] * (len(component_names()) - told))


def _lines(path: Path) -> Iterable[Mapping[str, object]]:
    with path.open("rb") as file:
        for line in file:
            if line.strip():
                yield orjson.loads(line)


def _judged(path: Path) -> list[Row]:
    rows = []
    for line in _lines(path):
        grade, intent = int(str(line["grade"])), str(line["intent"])
        labels = {"worth": float(grade >= 1), "needs_reply": float(grade >= 2), "urgent": float(grade >= 3)}
        labels |= {name: float(name == intent) for name in INTENTS}
        rows.append(Row(str(line["text"]), str(line["brand"]), labels, grade, intent))
    return rows


def _background(line: Mapping[str, object]) -> Row | None:
    """Read a row that no one judged by the rubric: only the labels that follow from its source are set."""
    text, intent, source = str(line["text"]), str(line.get("intent", "")), str(line["source"])
    if source.startswith("banking77"):
        return Row(text, "", {"worth": 1.0, "needs_reply": 1.0, "irrelevant": 0.0, "spam_promo": 0.0, "praise": 0.0})
    if intent == "spam_promo":
        nothing = {"worth": 0.0, "needs_reply": 0.0, "urgent": 0.0}
        return Row(text, "", nothing | {name: float(name == "spam_promo") for name in INTENTS})
    if intent == "background":
        labels = {"urgent": 0.0, "spam_promo": 0.0, "churn_risk": 0.0, "purchase_intent": 0.0}
        return Row(text, "", labels | ({"worth": 0.0, "needs_reply": 0.0} if "goemotions" in source else {}))
    if source.startswith("ibm"):
        return Row(text, str(line.get("brand", "")), {"worth": 1.0, "irrelevant": 0.0, "spam_promo": 0.0})
    return None


def to_doc(nlp: Language, text: str, brand: str) -> Doc:
    """Return the document of a post, not yet run through the pipeline."""
    words = nlp.tokenizer
    assert isinstance(words, Words)
    ours = frozenset({plain_name(brand)} - {""})
    return words.read(read(text).text, ours)


def _train_categoriser(rows: Sequence[Row], seed: int) -> Language:
    fix_random_seed(seed)
    nlp = build_pipeline()
    examples = [Example.from_dict(to_doc(nlp, row.text, row.brand), {"cats": dict(row.labels)}) for row in rows]
    whole = Example.from_dict(to_doc(nlp, "all labels", ""), {"cats": dict.fromkeys(_labels(), 0.0)})
    with nlp.select_pipes(enable="textcat_multilabel"):
        optimizer = nlp.initialize(lambda: [whole, *examples])
        optimizer.learn_rate = 0.002
        order = random.Random(seed)  # noqa: S311 - a reproducible order
        for _ in range(_ROUNDS):
            order.shuffle(examples)
            for start in range(0, len(examples), _BATCH):
                nlp.update(examples[start : start + _BATCH], sgd=optimizer, drop=0.1)
    return nlp


def _features(nlp: Language, rows: Sequence[Row]) -> Array:
    docs = [to_doc(nlp, row.text, row.brand) for row in rows]
    return np.array([doc.user_data["features"] for doc in nlp.pipe(docs)])


def _write(nlp: Language, output: Path) -> None:
    """Write the pipeline without the words it happened to meet; they are hashed, so nothing needs them."""
    nlp.meta.update(name="cuecard", version="1", description="Which mentions need a person.", license="Apache-2.0")
    nlp.to_disk(output, exclude=["vocab"])
