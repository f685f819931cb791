"""An edited playbook is taken at its next use; a broken edit keeps the last good one and is told once."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from nlp.playbook import PlaybookError
from nlp.playbook_file import PlaybookFile

GOOD = '[[opener]]\ntext = "One."\n'
BETTER = '[[opener]]\ntext = "Two, and more."\n'
BROKEN = '[[opener]]\ntext = "Three."\ntone = "loud"\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A good playbook."""
    path = tmp_path / "playbook.toml"
    path.write_text(GOOD, encoding="utf-8")
    return path


def test_an_edit_is_taken_at_its_next_use(path: Path) -> None:
    """No restart: what stands in the file is what is suggested."""
    told: list[str] = []
    file = PlaybookFile(path, told.append)
    first = file.current()
    assert file.current() is first
    path.write_text(BETTER, encoding="utf-8")
    assert file.current().openers[0].text == "Two, and more."
    assert told == []


def test_a_broken_edit_keeps_the_old_one_and_is_told_once_with_its_line(path: Path) -> None:
    """The operator hears of each broken edit once, and of none that is mended."""
    told: list[str] = []
    file = PlaybookFile(path, told.append)
    path.write_text(BROKEN, encoding="utf-8")
    for _ in range(3):
        assert file.current().openers[0].text == "One."
    assert len(told) == 1
    assert told[0].startswith(f"{path}, line 3, [[opener]] 1: 'loud' is not one of")
    assert told[0].endswith("Until then the playbook is used as it was.")
    path.write_text(BETTER, encoding="utf-8")
    assert file.current().openers[0].text == "Two, and more."
    path.write_text(BROKEN + "\n", encoding="utf-8")
    file.current()
    assert len(told) == 2


def test_a_file_that_is_gone_for_a_moment_is_waited_for(path: Path) -> None:
    """Editors save by putting a new file in the place of the old."""
    told: list[str] = []
    file = PlaybookFile(path, told.append)
    path.unlink()
    assert file.current().openers[0].text == "One."
    path.write_text(BETTER, encoding="utf-8")
    assert file.current().openers[0].text == "Two, and more."
    assert len(told) == 1


def test_a_file_that_changes_while_it_is_read_is_read_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A half-written file is no mistake of anybody's: nothing is told, and the next use reads the whole."""
    told: list[str] = []
    file = PlaybookFile(path, told.append)
    path.write_text(BROKEN[:20], encoding="utf-8")

    def read_and_change(place: Path) -> None:
        path.write_text(BETTER, encoding="utf-8")
        raise PlaybookError(f"{place}: half of it.")

    monkeypatch.setattr("nlp.playbook_file.load_playbook", read_and_change)
    assert file.current().openers[0].text == "One."
    monkeypatch.undo()
    assert file.current().openers[0].text == "Two, and more."
    assert told == []


def test_a_first_playbook_that_can_not_be_used_is_refused(path: Path) -> None:
    """There is no older one to go on with."""
    path.write_text(BROKEN, encoding="utf-8")
    with pytest.raises(PlaybookError, match="line 3"):
        PlaybookFile(path)


def test_many_threads_take_one_edit_once(path: Path) -> None:
    """A broken edit is read and told by one of them."""
    told: list[str] = []
    file = PlaybookFile(path, told.append)
    path.write_text(BROKEN, encoding="utf-8")
    together = threading.Barrier(8)

    def use() -> None:
        together.wait()
        file.current()

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 1
