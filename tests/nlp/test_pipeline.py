"""The pipeline is loaded whole, or not at all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from nlp.pipeline import MODEL_DIR, ModelMismatchError, load


def test_the_shipped_weights_fit_the_code():
    """What is shipped loads, and weighs what this code measures."""
    assert load().pipe_names[-1] == "cuecard_heads"


def test_weights_of_another_version_are_refused(tmp_path: Path):
    """Weights for other features are named for what they are when they are loaded, not at the first mention."""
    folder = shutil.copytree(MODEL_DIR, tmp_path / "model")
    (heads,) = folder.glob("cuecard_heads/*.json")
    told = json.loads(heads.read_text("utf-8"))
    told["features"][0] = "a feature of tomorrow"
    heads.write_text(json.dumps(told), "utf-8")
    with pytest.raises(ModelMismatchError, match="cuecard train"):
        load(folder)
