"""What the weights are trained on: our own corpus, judged posts, and a background of which only a part is known."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

import orjson

from nlp.signals import plain_name

T = TypeVar("T")
CORPUS: Final = Path(__file__).with_name("corpus")
FOLDS: Final = 5
_REAL: Final = 5.0
"""What a real judged post weighs; one that was written for the corpus weighs 1."""
_BACKGROUND_WEIGHT: Final = 0.3
_BACKGROUND: Final[Mapping[str, int]] = {"banking77": 700, "goemotions_background": 1_000, "spam_sms": 900, "ibm": 300}
_CRISIS: Final = "crisis"
_NO_CRISIS: Final[Mapping[str, int]] = {"banking77": 1_500, "goemotions_background": 5_000, "spam_sms": 1_500}


@dataclass(frozen=True, slots=True)
class Row:
    """One training text. `grade` is -1 where nobody judged it; `known` says whether it has at least a grade."""

    text: str
    brand: str
    known: Mapping[int, float] = field(default_factory=dict)
    grade: int = -1
    intent: str = ""
    is_sarcastic: bool = False
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class CrisisRow:
    """A text, and whether it speaks of a public tragedy; `event` is what is held out together."""

    text: str
    event: str
    is_crisis: bool


def read_rows(data_dir: Path, seed: int = 0, most_rows: int = 0) -> list[Row]:
    """Return the training rows: our own corpus, the judged posts, and a sample of the background.

    `most_rows` bounds the rows of each source (0: all).

    Raises:
        FileNotFoundError: judged.jsonl is not in `data_dir`.
    """
    ours = [_judged(line, 1.0) for path in sorted(CORPUS.glob("*.jsonl")) for line in _lines(path)]
    rows = [*ours, *(_judged(line, _REAL) for line in _lines(data_dir / "judged.jsonl"))]
    if most_rows:
        rows = _sample(rows, most_rows, seed)
    for name, wanted in _BACKGROUND.items():
        found = [row for line in _known_lines(data_dir, name) if (row := _background(line))]
        rows += _sample(found, min(wanted, most_rows or wanted), seed)
    return rows


def read_crisis_rows(data_dir: Path, seed: int = 0, most_rows: int = 0) -> list[CrisisRow]:
    """Return posts of many disasters, and posts of none; [] where the file of disasters is not in `data_dir`."""
    rows = [
        CrisisRow(str(line["text"]), str(line["labels"]["event"]), bool(line["crisis"]))  # type: ignore[index]
        for line in _known_lines(data_dir, _CRISIS)
    ]
    if not rows:
        return []
    rows = _sample(rows, most_rows, seed) if most_rows else rows
    for name, wanted in _NO_CRISIS.items():
        texts = [str(line["text"]) for line in _known_lines(data_dir, name)]
        rows += [
            CrisisRow(text, text, is_crisis=False) for text in _sample(texts, min(wanted, most_rows or wanted), seed)
        ]
    return rows


def fold_of(brand: str) -> int:
    """Return the part a brand belongs to: always the same, and no brand is in two."""
    return hashlib.blake2b(plain_name(brand).encode("utf-8", "replace"), digest_size=2).digest()[0] % FOLDS


def _sample(rows: Sequence[T], most: int, seed: int) -> list[T]:
    return random.Random(seed).sample(rows, min(most, len(rows)))  # noqa: S311 - a reproducible sample


def _lines(path: Path) -> Iterable[Mapping[str, object]]:
    with path.open("rb") as file:
        for line in file:
            if line.strip():
                yield orjson.loads(line)


def _known_lines(data_dir: Path, name: str) -> Iterable[Mapping[str, object]]:
    path = data_dir / f"{name}.jsonl"
    return _lines(path) if path.is_file() else ()


def _judged(line: Mapping[str, object], weight: float) -> Row:
    grade = int(str(line["grade"]))
    return Row(
        text=str(line["text"]),
        brand=str(line["brand"]),
        known={least: float(grade >= least) for least in (1, 2, 3)},
        grade=grade,
        intent=str(line["intent"]),
        is_sarcastic=bool(line.get("sarcastic")),
        weight=weight,
    )


def _background(line: Mapping[str, object]) -> Row | None:
    """Read a row that no one judged by the rubric: only what follows from its source is known."""
    text, intent, source = str(line["text"]), str(line.get("intent", "")), str(line["source"])
    brand, known = "", {}
    if source.startswith("banking77"):
        known = {1: 1.0}
    elif intent == "spam_promo" or (intent == "background" and "goemotions" in source):
        known = {1: 0.0, 2: 0.0, 3: 0.0}
    elif intent == "background":
        known = {3: 0.0}
    elif source.startswith("ibm"):
        brand, known = str(line.get("brand", "")), {1: 1.0}
    return Row(text, brand, known, weight=_BACKGROUND_WEIGHT) if known else None
