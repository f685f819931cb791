"""What the tests of bot core may lean on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A real, empty store on a temporary file."""
    with Store(tmp_path / "cuecard.db") as opened:
        yield opened
