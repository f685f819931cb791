"""`rank`, `replay` and `evaluate`: posts from files, through the real model and the real intake."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

import nlp.train
from bot.store import Store

PROJECT = Path(__file__).resolve().parents[3]
Runs = Callable[..., Result]
POSTS = [
    {"id": "a", "text": "@acme my order never came and nobody answers, I want my money back today", "brand": "acme"},
    {"id": 7, "text": "lovely weather", "platform": "x", "author": {"handle": "ana", "name": "Ana", "followers": 3}},
    {"id": "c", "text": "\u202e how do I reset my acme password? \x1b[2J", "brand": "acme"},
]
KEYS = ["id", "priority", "needs_reply", "urgent", "grade", "invited", "intent", "intents", "language", "reasons"]


def lines(*posts: object) -> str:
    """Return posts as JSONL; text stays as it is, so that a line can be bad."""
    return "".join((post if isinstance(post, str) else json.dumps(post)) + "\n" for post in posts)


def count_posts(path: Path) -> int:
    """Count the stored posts, 0 while there is no database."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as conn:
            return int(conn.execute("select count(*) from mention").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def wait_for(is_so: Callable[[], bool]) -> None:
    """Wait until something is so, half a minute at most."""
    until = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.05)


class TestRank:
    """`cuecard rank`."""

    def test_every_post_is_answered_in_its_order(self, cuecard: Runs):
        """One object in, one out, with the fields that others rely on."""
        result = cuecard("rank", stdin=lines(*POSTS))
        assert result.exit_code == 0, result.stderr
        rows = [json.loads(line) for line in result.stdout.splitlines()]
        assert [row["id"] for row in rows] == ["a", "7", "c"]
        for row in rows:
            assert list(row) == KEYS
            assert 0 <= row["priority"] <= 100
            assert 0 <= row["urgent"] <= 1
            assert 0 <= row["needs_reply"] <= 1
            assert row["grade"] in {0, 1, 2, 3}
            assert row["invited"] in {"yes", "no", "n/a"}
        assert rows[0]["priority"] > rows[1]["priority"]
        assert "\x1b" not in result.stdout
        assert "\u202e" not in result.stdout

    def test_bad_lines_are_named_and_the_others_go_on(self, cuecard: Runs, tmp_path: Path):
        """A bad line costs only itself: it is named with number and reason, and the exit code is 2."""
        (tmp_path / "posts.jsonl").write_text(lines(POSTS[0], "not json", {"id": "x"}, "", [1], POSTS[1]))
        result = cuecard("rank", "posts.jsonl")
        assert result.exit_code == 2
        assert [json.loads(line)["id"] for line in result.stdout.splitlines()] == ["a", "7"]
        told = result.stderr.splitlines()
        assert [line.partition(":")[0] for line in told] == [f"posts.jsonl, line {number}" for number in (2, 3, 5)]

    def test_drafts_have_a_gap(self, cuecard: Runs):
        """With --draft each answer also has suggestions, none of which can be sent as it is."""
        result = cuecard("rank", "--draft", "-", stdin=lines(*POSTS))
        rows = [json.loads(line) for line in result.stdout.splitlines()]
        assert [list(row) for row in rows] == [[*KEYS, "drafts"]] * 3
        drafts = [draft for row in rows for draft in row["drafts"]]
        assert drafts
        assert all(set(draft) == {"text", "kind", "source"} and "[" in draft["text"] for draft in drafts)

    def test_nothing_is_stored(self, cuecard: Runs, tmp_path: Path):
        """Ranking leaves nothing behind."""
        cuecard("rank", stdin=lines(*POSTS))
        assert list(tmp_path.iterdir()) == []

    def test_empty_input_is_fine(self, cuecard: Runs):
        """No posts, no answers, no error."""
        result = cuecard("rank", stdin="")
        assert (result.exit_code, result.stdout) == (0, "")

    def test_absent_file_and_playbook_are_one_line(self, cuecard: Runs):
        """What cannot be read is named."""
        for arguments in (["none.jsonl"], ["-", "--draft", "--playbook", "none.toml"]):
            result = cuecard("rank", *arguments, stdin="")
            assert result.exit_code == 1
            assert result.stderr.startswith("cuecard: none.")
            assert result.stderr.count("\n") == 1

    def test_slow_stream_is_answered_line_by_line(self, tmp_path: Path):
        """A program that waits for each answer before it asks again is not kept waiting."""
        process = subprocess.Popen(
            [sys.executable, "-m", "bot", "rank"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        with process:
            for post in POSTS:
                process.stdin.write(lines(post).encode())
                process.stdin.flush()
                assert json.loads(process.stdout.readline())["id"] == str(post["id"])
            process.stdin.close()
        assert process.returncode == 0


class TestReplay:
    """`cuecard replay`."""

    def test_posts_are_stored_and_counted(self, cuecard: Runs, tmp_path: Path):
        """What is played in is in the database, and the last line says what became of it."""
        (tmp_path / "posts.jsonl").write_text(lines(*POSTS))
        result = cuecard("replay", "--db", "r.db", "posts.jsonl")
        assert result.exit_code == 0, result.stderr
        assert result.stdout.startswith("r.db: 3 heard, 3 new, 0 known, ")
        with Store(tmp_path / "r.db") as store:
            assert [view.mention.native_id for view in store.search("password")] == ["c"]
            assert len(list(store.export_rows())) == 3

    def test_again_changes_nothing(self, cuecard: Runs, tmp_path: Path):
        """What is known is not heard twice."""
        (tmp_path / "posts.jsonl").write_text(lines(*POSTS))
        cuecard("replay", "--db", "r.db", "posts.jsonl")
        result = cuecard("replay", "--db", "r.db", "posts.jsonl", "posts.jsonl")
        assert "6 heard, 0 new, 6 known, 0 above the line, 0 quiet, 0 grouped, 0 refused." in result.stdout
        with Store(tmp_path / "r.db") as store:
            assert len(list(store.export_rows())) == 3

    def test_bad_lines_are_named_and_the_others_go_on(self, cuecard: Runs, tmp_path: Path):
        """Every good line is stored, every bad one named; the exit code is 2."""
        result = cuecard("replay", "--db", "r.db", "-", stdin=lines(POSTS[0], "nope", POSTS[1]))
        assert result.exit_code == 2
        assert result.stderr.startswith("stdin, line 2: ")
        assert "2 heard, 2 new" in result.stdout
        assert "1 refused" in result.stdout
        assert (tmp_path / "r.db").exists()

    def test_csv_is_read_too(self, cuecard: Runs, tmp_path: Path):
        """A spreadsheet's file is a feed like any other."""
        (tmp_path / "posts.csv").write_text("id,text,author_handle\n1,acme is down again,ana\n2,hello,ben\n")
        assert "2 heard, 2 new" in cuecard("replay", "--db", "r.db", "posts.csv").stdout

    def test_settings_give_database_watches_and_brand(self, cuecard: Runs, settings_file: Path):
        """With settings, posts go to their database, tagged with the watches they match; our own are no mentions."""
        ours = {"id": "o", "text": "acme is back", "author": "@Acme"}
        result = cuecard("replay", "-", stdin=lines(POSTS[0], {"id": "z", "text": "nothing of note"}, ours))
        assert result.exit_code == 0, result.stderr
        assert "3 heard, 2 new, 0 known, " in result.stdout
        assert result.stdout.endswith(", 1 our own.\n")
        with Store(settings_file.parent / "cuecard.db") as store:
            views = {view.mention.native_id: view.mention for view in store.search("order") + store.search("note")}
        assert views["a"].watches == ("acme",)
        assert views["a"].feed == "old"
        assert (views["z"].watches, views["z"].brand) == ((), "Acme")

    def test_absent_file_is_one_line_and_what_came_before_is_kept(self, cuecard: Runs, tmp_path: Path):
        """A file that is not there ends the command, not what was stored."""
        (tmp_path / "posts.jsonl").write_text(lines(*POSTS))
        result = cuecard("replay", "--db", "r.db", "posts.jsonl", "none.jsonl")
        assert result.exit_code == 1
        assert "cuecard: none.jsonl cannot be read: No such file or directory." in result.stderr
        assert "3 new" in result.stdout

    def test_other_programs_database_is_refused(self, cuecard: Runs, tmp_path: Path):
        """A file that is no database of ours is left as it is."""
        (tmp_path / "r.db").write_text("my diary, long enough to be looked at " * 40)
        result = cuecard("replay", "--db", "r.db", "-", stdin=lines(*POSTS))
        assert result.exit_code == 1
        assert "is not a Cuecard database" in result.stderr
        assert (tmp_path / "r.db").read_text().startswith("my diary")

    def test_ctrl_c_loses_nothing(self, tmp_path: Path):
        """What was told before Ctrl-C is stored and counted; nothing is said of a fault."""
        process = subprocess.Popen(
            [sys.executable, "-m", "bot", "replay", "--db", "r.db", "-"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdin is not None
        with process:
            process.stdin.write(lines(*POSTS).encode())
            process.stdin.flush()
            wait_for(lambda: count_posts(tmp_path / "r.db") == 3)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
        assert (process.returncode, err) == (130, b"")
        assert b"3 heard, 3 new" in out
        assert count_posts(tmp_path / "r.db") == 3

    def test_judged_posts_go_in(self, cuecard: Runs, tmp_path: Path, shared: Path):
        """500 real posts go through the real intake, each once."""
        posts = shared / "data" / "dev" / "dev_judged.jsonl"
        result = cuecard("replay", "--db", tmp_path / "r.db", posts)
        assert result.exit_code == 0, result.stderr
        assert "500 heard, 500 new, 0 known" in result.stdout


class TestEvaluate:
    """`cuecard evaluate`."""

    LABELLED = lines(
        *(
            {"id": str(n), "text": f"@acme my kettle {n} is broken, please help", "grade": 2, "brand": "acme"}
            for n in range(3)
        ),
        *({"id": f"q{n}", "text": f"what a day {n}", "grade": 0, "brand": "acme"} for n in range(3)),
    )

    def test_figures_stand_beside_baselines(self, cuecard: Runs):
        """The table names the ranking and what knows nothing."""
        result = cuecard("evaluate", "-", stdin=self.LABELLED)
        assert result.exit_code == 0, result.stderr
        assert "6 posts: 3 need a reply" in result.stdout
        assert "random" in result.stdout

    def test_json_is_for_programs(self, cuecard: Runs):
        """What could not be measured is null, as JSON has no NaN."""
        figures = json.loads(cuecard("evaluate", "--json", "-", stdin=self.LABELLED).stdout)
        assert figures["rows"] == 6
        assert figures["cuecard"]["urgent_auroc"]["value"] is None

    def test_bad_lines_are_named(self, cuecard: Runs):
        """A line without a grade is named, and the others count."""
        result = cuecard("evaluate", "-", stdin=self.LABELLED + lines({"id": "x", "text": "hi", "grade": 4}, "no"))
        assert result.exit_code == 2
        assert result.stderr.splitlines() == [
            "stdin, line 7: it has no grade from 0 to 3.",
            "stdin, line 8: it is no JSON.",
        ]
        assert "6 posts" in result.stdout

    def test_file_without_labels_is_one_line(self, cuecard: Runs):
        """Nothing to measure is said with what is needed."""
        result = cuecard("evaluate", "-", stdin="")
        assert result.exit_code == 2
        assert "stdin holds no labelled post" in result.stderr


def test_train_without_posts_says_where_to_point(cuecard: Runs, tmp_path: Path):
    """The folder of training posts is named, and how to name another."""
    result = cuecard("train", "--data", tmp_path / "none")
    assert result.exit_code == 1
    assert "--data DIR" in result.stderr


def test_train_passes_on_what_is_asked(cuecard: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Folder, place and seed reach the training, which has its own tests; progress needs no terminal."""
    calls: list[tuple[Path, Path, int]] = []

    def build(data: Path, output: Path, *, seed: int, report: Callable[[str, float], None]) -> None:
        report("reading \x1b[2J", 0.5)
        calls.append((data, output, seed))

    monkeypatch.setattr(nlp.train, "train", build)
    result = cuecard("train", "--data", tmp_path, "--output", "out", "--seed", "7")
    assert result.exit_code == 0, result.stderr
    assert calls == [(tmp_path, Path("out"), 7)]
    assert result.stdout == "Wrote out.\n"
