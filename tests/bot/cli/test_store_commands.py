"""`digest`, `export` and `forget`: what they read of a real store, and what they change in it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seeds import ANA, a_mention, hear, show
from typer.testing import Result

from bot.cli.export import _cell
from bot.records import JobKind
from bot.store import Store

NOW = datetime.now(UTC)
Runs = Callable[..., Result]


@pytest.fixture
def database(settings_file: Path) -> Path:
    """Two conversations: one that waits, one from three days ago that holds what could act."""
    path = settings_file.parent / "cuecard.db"
    with Store(path) as store:
        show(store, hear(store, a_mention("1", "my kettle leaks"), now=NOW), NOW)
        nasty = a_mention("2", '=HYPERLINK("https://evil.example")\x1b[2J\u202eabc, "quoted"\nline two\ud800')
        hear(store, nasty, cause="line", now=NOW - timedelta(days=3))
    return path


@pytest.mark.usefixtures("database")
class TestDigest:
    """`cuecard digest`."""

    def test_what_waits_is_told(self, cuecard: Runs):
        """The digest is printed as it would be posted."""
        result = cuecard("digest")
        assert result.exit_code == 0, result.stderr
        assert result.stdout.startswith("1 conversation waits for an answer")
        assert "my kettle leaks" in result.stdout

    def test_nothing_is_asked_for_without_post(self, cuecard: Runs, database: Path):
        """To print is not to post."""
        cuecard("digest")
        with Store(database) as store:
            assert store.take_job(datetime.now(UTC) + timedelta(minutes=1), [JobKind.DIGEST]) is None

    def test_post_asks_the_running_bot_once(self, cuecard: Runs, database: Path):
        """`--post` leaves the bot one job for today, however often it is said."""
        cuecard("digest", "--post")
        result = cuecard("digest", "--post")
        assert "the running bot posts it" in result.stdout
        with Store(database) as store:
            job = store.take_job(datetime.now(UTC) + timedelta(minutes=1), [JobKind.DIGEST])
            assert job is not None
            assert job.key == datetime.now(UTC).date().isoformat()
            assert store.take_job(datetime.now(UTC) + timedelta(minutes=1), [JobKind.DIGEST]) is None

    def test_posted_digest_is_not_posted_again(self, cuecard: Runs, database: Path):
        """There is one digest a day."""
        with Store(database) as store:
            store.record_digest(datetime.now(UTC).date().isoformat(), "C1", "1.1", NOW)
        assert "stands in the channel already" in cuecard("digest", "--post").stdout


@pytest.mark.usefixtures("database")
class TestExport:
    """`cuecard export`."""

    def test_jsonl_holds_the_exact_text_and_no_escape(self, cuecard: Runs):
        """A program gets the text whole; a terminal that shows it is not acted upon."""
        result = cuecard("export", "--format", "jsonl")
        rows = [json.loads(line) for line in result.stdout.splitlines()]
        assert [row["text"] for row in rows][1].endswith('\x1b[2J\u202eabc, "quoted"\nline two\ud800')
        assert "\x1b" not in result.stdout
        assert "\u202e" not in result.stdout

    def test_csv_has_one_row_each_and_no_formula(self, cuecard: Runs, tmp_path: Path):
        """A spreadsheet reads every row, and takes none of the text for a formula."""
        result = cuecard("export", "--output", tmp_path / "out.csv")
        assert result.exit_code == 0, result.stderr
        with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert [row["number"] for row in rows] == ["1", "2"]
        assert rows[0]["text"] == "my kettle leaks"
        assert rows[1]["text"].startswith("'=HYPERLINK")
        assert rows[0]["owner"] == ""
        assert "2 conversations written to" in result.stderr
        assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []

    def test_since_leaves_out_what_was_heard_before(self, cuecard: Runs):
        """`--since` takes the days from then on."""
        day = (NOW - timedelta(days=1)).date().isoformat()
        rows = list(csv.DictReader(io.StringIO(cuecard("export", "--since", day).stdout)))
        assert [row["text"] for row in rows] == ["my kettle leaks"]

    def test_day_that_is_none_is_refused(self, cuecard: Runs):
        """A date in another form is wrong usage."""
        result = cuecard("export", "--since", "yesterday")
        assert result.exit_code == 2
        assert "--since" in result.stderr

    def test_place_that_can_not_be_written_is_one_line(self, cuecard: Runs, tmp_path: Path):
        """A folder that is not there is named."""
        result = cuecard("export", "-o", tmp_path / "none" / "out.csv")
        assert result.exit_code == 1
        assert "No such file or directory" in result.stderr


@given(st.text(st.characters(exclude_categories=())))
def test_no_cell_is_a_formula(text: str):
    """Whatever a mention says, no cell of it begins as a formula does, and it can be written."""
    cell = str(_cell(text, is_terminal=False))
    cell.encode("utf-8")
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert "\x00" not in cell


@pytest.mark.usefixtures("database")
class TestForget:
    """`cuecard forget`."""

    def test_author_is_erased_with_every_word(self, cuecard: Runs, database: Path):
        """After it, neither the name nor the words stand anywhere in the file."""
        result = cuecard("forget", "--author", "stage:@author_1", "--yes")
        assert result.exit_code == 0, result.stderr
        assert result.stdout == "Erased 1 post.\n"
        files = b"".join(path.read_bytes() for path in database.parent.glob("cuecard.db*"))
        assert b"kettle" not in files
        assert b"author_1" not in files

    def test_post_is_erased_by_its_address_or_id(self, cuecard: Runs, database: Path):
        """A post is named as people see it, or as the platform does."""
        assert cuecard("forget", "--post", "https://stage.example/posts/1", "-y").stdout == "Erased 1 post.\n"
        assert cuecard("forget", "--post", "stage:2", "-y").stdout == "Erased 1 post.\n"
        with Store(database) as store:
            assert store.search("kettle") == []

    def test_nothing_is_erased_without_a_yes(self, cuecard: Runs, database: Path):
        """Anything but yes erases nothing."""
        for answer in ("n\n", ""):
            assert cuecard("forget", "--post", "stage:1", stdin=answer).exit_code == 1
        with Store(database) as store:
            assert len(store.search("kettle")) == 1

    def test_what_is_not_stored_is_said(self, cuecard: Runs):
        """Nothing to erase is no error."""
        result = cuecard("forget", "--author", "stage:nobody", "-y")
        assert (result.exit_code, result.stdout) == (0, "Nothing of that is stored.\n")

    @pytest.mark.parametrize(
        "arguments", [[], ["--author", "a:b", "--post", "c"], ["--author", "nocolon"], ["--author", "x:"]]
    )
    def test_unclear_wish_is_refused(self, cuecard: Runs, arguments: list[str]):
        """One of both must be said, in a form that can be understood."""
        assert cuecard("forget", *arguments, "--yes").exit_code == 2


@pytest.mark.parametrize("command", [["digest"], ["export"], ["forget", "--post", "x", "--yes"]])
def test_database_that_is_not_there_is_not_made(cuecard: Runs, settings_file: Path, command: list[str]):
    """To read what was heard, something must have been: a wrong folder is noticed."""
    result = cuecard(*command)
    assert result.exit_code == 1
    assert "There is no database" in result.stderr
    assert not (settings_file.parent / "cuecard.db").exists()


def test_owner_is_in_the_export(cuecard: Runs, database: Path):
    """Who had it is told by name."""
    from bot.decisions import claim  # noqa: PLC0415

    with Store(database) as store:
        assert claim(store, 1, ANA, NOW).is_done
    rows = list(csv.DictReader(io.StringIO(cuecard("export").stdout)))
    assert rows[0]["owner"] == "Ana Lima"
    assert rows[0]["state"] == "claimed"
