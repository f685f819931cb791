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
from nlp.heads import Heads, fit
from nlp.pipeline import load
from nlp.signals import plain_name
from nlp.train import FOLDS, fold_of, read_rows, train


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
    monkeypatch.setattr("nlp.train._ROUNDS", 2)
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


def test_a_head_keeps_to_its_side() -> None:
    """A feature that may only raise the need never lowers it, whatever the labels say."""
    rows = np.array([[1.0, 0.0], [0.0, 1.0]] * 20)
    heads = fit(("up", "free"), rows, [0, 3] * 20, ["complaint", "praise"] * 20, np.array([1.0, 0.0]))
    assert (heads.grades[:, 0] >= 0).all()
    first, second = heads.read(rows[:2])
    assert first.at_least[2] < 0.5 < second.at_least[2]
    assert max(first.intents, key=lambda name: first.intents[name]) == "complaint"
    assert second.at_least[1] >= second.at_least[2] >= second.at_least[3]
    again = Heads.from_json(json.loads(json.dumps(heads.to_json())))
    assert again.read(rows)[0].at_least[2] == pytest.approx(first.at_least[2], abs=1e-4)


def test_the_corpus_follows_its_guide(corpus: list[dict[str, Any]]) -> None:
    """Every post has its fields, a known grade and intent, words of its own, and a reason that stands in it."""
    assert len(corpus) >= 1_600
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
