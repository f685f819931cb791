"""Training: the same seed, the same bytes; and what comes out can be loaded and used."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from listeners.mention import Mention
from nlp.assess import Assessor
from nlp.assessment import INTENTS
from nlp.bags import hash_words
from nlp.features import feature_signs
from nlp.fit import Costs, Table, calibrate, descend
from nlp.heads import Heads, squash
from nlp.pipeline import MODEL_DIR, load
from nlp.signals import plain_name
from nlp.train import train
from nlp.training_rows import FOLDS, fold_of, read_crisis_rows, read_rows


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small training folder of our own making, in the shape of the real one."""
    folder = tmp_path_factory.mktemp("data")
    judged = [
        {"text": f"@brand{n} {text} {n}", "brand": f"brand{n}", "grade": grade, "intent": intent}
        for n in range(12)
        for text, grade, intent in (("where is my order", 2, "question_help"), ("lovely day out", 0, "brand_chatter"))
    ]
    (folder / "judged.jsonl").write_text("\n".join(map(json.dumps, judged)) + "\n", encoding="utf-8")
    spam = [{"text": f"win a prize {n}", "intent": "spam_promo", "source": "sms"} for n in range(5)]
    (folder / "spam_sms.jsonl").write_text("\n".join(map(json.dumps, spam)), encoding="utf-8")
    return folder


def test_the_same_seed_gives_the_same_bytes(
    data_dir: Path, tmp_path: Path, say: Callable[..., Mention], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two runs write the same files; the result loads, without a warning, and assesses."""
    monkeypatch.setattr("nlp.fit._STEPS", 20)
    steps: list[float] = []
    train(data_dir, tmp_path / "one", most_rows=40, report=lambda _, done: steps.append(done))
    train(data_dir, tmp_path / "two", most_rows=40)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert files
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes(), file
    assert steps == sorted(steps)
    assert steps[-1] == 1
    (one,) = Assessor(load(tmp_path / "one")).assess([say("where is my order?")])
    assert 0 <= one.needs_reply <= 1


def test_no_judged_posts_is_an_error(tmp_path: Path) -> None:
    """Without judged.jsonl there is nothing to train on."""
    with pytest.raises(FileNotFoundError):
        read_rows(tmp_path)


def test_a_brand_is_in_one_part() -> None:
    """A brand and its support handle are held out together, and the parts are all used."""
    assert fold_of("hulu_support") == fold_of("Hulu")
    assert {fold_of(f"brand {number}") for number in range(100)} == set(range(FOLDS))


def _table(wanted: np.ndarray, rows: np.ndarray, words: list[list[int]]) -> Table:
    hashed = hash_words([np.array(each, dtype=np.uint64) for each in words])
    return Table(rows, hashed, wanted, np.ones(wanted.shape))


def test_a_weight_keeps_to_its_side() -> None:
    """A feature that may only raise the need never lowers it, whatever the labels say; a word takes over."""
    rows = np.array([[1.0, 0.0], [0.0, 1.0]] * 20)
    table = _table(np.array([[0.0], [1.0]] * 20), rows, [[1, 2], [3, 4]] * 20)
    dense, words = descend(table, Costs(np.full(2, 0.01), 0.01, np.array([1.0, 0.0])))
    assert dense[0, 0] >= 0
    odds = rows @ dense[:, :-1].T + dense[:, -1] + table.words.weigh(words)
    assert odds[0, 0] < 0 < odds[1, 0]


def test_labels_that_are_not_known_weigh_nothing() -> None:
    """Rows whose label is not known change no weight."""
    rows, words = np.array([[1.0], [0.0]] * 10), [[1], [2]] * 10
    costs = Costs(np.full(1, 0.01), 0.01, np.zeros(1))
    alone = descend(_table(np.array([[1.0], [0.0]] * 10), rows, words), costs)
    both = _table(np.array([[1.0], [0.0]] * 10 + [[0.0]] * 20), np.vstack([rows, rows]), words * 2)
    both.weights[20:] = 0
    assert descend(both, costs)[0] == pytest.approx(alone[0], abs=1e-3)


def test_calibrated_odds_come_true() -> None:
    """Odds that are three times too sure are made honest."""
    rng = np.random.default_rng(0)
    true = rng.normal(0, 1.5, 20_000)
    marks = (rng.random(20_000) < squash(true)).astype(float)
    slope, shift = calibrate(3 * true, marks, np.ones(20_000))
    assert slope == pytest.approx(1 / 3, abs=0.03)
    assert shift == pytest.approx(0, abs=0.06)


def test_the_chances_fall_from_grade_to_grade(assessor: Assessor, say: Callable[..., Mention]) -> None:
    """What must be answered now must be answered; and what is written and loaded again reads the same."""
    (one,) = assessor.assess([say("you charged me twice and nobody answers, refund me today")])
    assert one.urgent <= one.needs_reply
    heads = Heads.load(MODEL_DIR / "cuecard_heads")
    assert heads is not None
    assert (heads.dense[:3, : len(feature_signs())] * feature_signs() >= 0).all()


def test_a_head_of_public_tragedies_is_learned_where_there_are_some(data_dir: Path) -> None:
    """Without the file of disasters there is nothing to hold against other posts."""
    assert read_crisis_rows(data_dir) == []


def test_the_corpus_follows_its_guide(corpus: list[dict[str, Any]]) -> None:
    """Every post has its fields, a known grade and intent, words of its own, and a reason that stands in it."""
    assert len(corpus) >= 3_000
    assert len({row["id"] for row in corpus}) == len(corpus)
    assert len({row["text"].casefold() for row in corpus}) == len(corpus)
    for row in corpus:
        assert set(row) == {"id", "text", "platform", "brand", "grade", "intent", "invited", "sarcastic", "why"}
        assert row["grade"] in (0, 1, 2, 3)
        assert row["intent"] in INTENTS
        assert row["invited"] in ("yes", "no", "n/a")
        assert row["sarcastic"] in (0, 1)
        assert row["why"] in row["text"]


def test_hardly_a_post_of_the_corpus_is_like_another(corpus: list[dict[str, Any]]) -> None:
    """Fewer than three in a hundred posts share a third of their three-word runs with another."""
    runs = [_runs(row["text"]) for row in corpus]
    holders: dict[tuple[str, ...], list[int]] = {}
    for number, mine in enumerate(runs):
        for run in mine:
            holders.setdefault(run, []).append(number)
    shared = Counter(pair for numbers in holders.values() for pair in combinations(numbers, 2))
    alike = {each for pair, count in shared.items() if count * 3 > len(runs[pair[0]] | runs[pair[1]]) for each in pair}
    assert len(alike) < 0.03 * len(corpus)


def _runs(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.casefold())
    return {tuple(words[start : start + 3]) for start in range(max(1, len(words) - 2))}


def test_a_brand_is_made_up_in_one_file(project: Path) -> None:
    """No invented brand is in two files of the corpus; a plain noun may be, and the split holds it out as one."""
    files: dict[str, set[str]] = {}
    for path in (project / "nlp" / "corpus").glob("*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["intent"] != "irrelevant":
                files.setdefault(plain_name(row["brand"]), set()).add(path.name)
    assert not {brand for brand, names in files.items() if len(names) > 1}
    assert fold_of("Delta") == fold_of("delta")


def test_no_row_of_a_data_set_is_in_the_corpus(corpus: list[dict[str, Any]], shared: Path) -> None:
    """The corpus is our own: no text of the data beside the project is in it."""
    ours = {row["text"].casefold().strip() for row in corpus}
    for path in sorted((shared / "data").rglob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert json.loads(line).get("text", "").casefold().strip() not in ours


def test_the_shipped_model_is_small(project: Path) -> None:
    """Weights and vectors stay within 12 MB."""
    folders = (project / "nlp" / "model", project / "nlp" / "vectors_int8")
    assert sum(path.stat().st_size for folder in folders for path in folder.rglob("*")) < 12_000_000
