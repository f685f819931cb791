"""Word vectors: like words lie near, and any text has one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.vectors import SIZE, quantize, shipped_vectors


def test_like_texts_lie_nearer() -> None:
    """A lost bag is nearer to missing luggage than to soup."""
    bag, luggage, soup = map(shipped_vectors().average, ("my bag is lost", "luggage missing", "nice soup"))
    assert bag @ luggage > bag @ soup


def test_handles_links_case_and_accents_do_not_matter() -> None:
    """What is masked or folded leaves the same vector."""
    average = shipped_vectors().average
    assert np.allclose(average("Café closed @ana"), average("cafe CLOSED"))
    assert np.allclose(average("see https://a.example/1"), average("see link"))


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=200))
def test_any_text_has_a_vector_of_length_one_or_none(text: str) -> None:
    """Whatever the text, the mean has length one, or nothing in it is known."""
    length = float(np.linalg.norm(shipped_vectors().average(text)))
    assert length == pytest.approx(1) or length == 0


def test_vectors_are_rounded_by_one_scale(tmp_path: Path) -> None:
    """The largest number becomes 127 and the pieces keep their order."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "tokenizer.json").write_text(json.dumps({"model": {"vocab": {"b": 1, "a": 0}}}), encoding="utf-8")
    rows = np.zeros((2, SIZE), dtype=np.float16)
    rows[0, 0], rows[1, 1] = 0.5, -2.0
    header = b"{}"
    (source / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + rows.tobytes())
    quantize(source, tmp_path / "target")
    rounded = np.load(tmp_path / "target" / "pieces.npy")
    assert (rounded[0, 0], rounded[1, 1]) == (32, -127)
    assert (tmp_path / "target" / "pieces.txt").read_text(encoding="utf-8") == "a\nb\n"
