"""What the tests of bot core may lean on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.store import Store


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database whose tables are up to date, to be copied: every step of its making is tested where the steps are."""
    path = tmp_path_factory.mktemp("empty") / "cuecard.db"
    Store(path).open().close()
    assert [file.name for file in path.parent.iterdir()] == [path.name], "all of it stands in the one file"
    return path


@pytest.fixture
def store(empty_database: Path, tmp_path: Path) -> Iterator[Store]:
    """A real, empty store on a temporary file of its own."""
    with Store(shutil.copy(empty_database, tmp_path / "cuecard.db")) as opened:
        yield opened
