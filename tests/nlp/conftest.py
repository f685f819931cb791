"""Mentions, playbooks and one loaded assessor for the tests of nlp."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from listeners.mention import Author, Mention
from nlp.assess import Assessor
from nlp.assessment import Assessment

Say = Callable[..., Mention]


@pytest.fixture(scope="session")
def say() -> Say:
    """Make a mention of a text."""

    def make(text: str, native_id: str = "1", name: str = "", handle: str = "someone", **more: object) -> Mention:
        values: dict[str, Any] = {
            "platform": "x",
            "brand": "Halcyon Air",
            "created_at": datetime(2026, 11, 23, tzinfo=UTC),
        } | more
        return Mention(native_id=native_id, text=text, author=Author(handle, name), **values)

    return make


@pytest.fixture(scope="session")
def told() -> Callable[..., Assessment]:
    """Make an assessment."""

    def make(grade: int = 2, intent: str = "complaint", language: str = "en", **more: object) -> Assessment:
        values: dict[str, Any] = {"needs_reply": 0.8, "urgent": 0.2, "priority": 50.0, "invited": "yes"} | more
        return Assessment(grade=grade, intent=intent, language=language, **values)

    return make


@pytest.fixture(scope="session")
def assessor() -> Assessor:
    """The shipped model, loaded once."""
    return Assessor()


@pytest.fixture(scope="session")
def corpus(project: Path) -> list[dict[str, Any]]:
    """Our own judged posts."""
    files = sorted((project / "nlp" / "corpus").glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
