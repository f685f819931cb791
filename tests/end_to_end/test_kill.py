"""A real process, killed at random points of a replay and started again until it is through."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from bot.store import Store

POSTS = 3000
KILLS = 6

SCRIPT = '''
"""Replays a file through the real feed thread, intake and store, with a cheap stand-in for nlp."""
import json, sys
from datetime import UTC, datetime
from bot.clock import SystemClock
from bot.intake import Intake
from bot import listening as rooms
from bot.listening import Feed, Listening
from bot.store import Store
from listeners.mention import Author, Batch, Mention, Removal
from nlp.assessment import Assessment

rooms.GROUP_MENTIONS = 60  # many transactions, so many moments at which to be killed

class CheapAssessor:
    def assess(self, mentions):
        return [
            Assessment(0.8 if each.text.startswith("help") else 0.1, 0.0, 50.0, 2 if "help" in each.text else 0,
                       "yes", "complaint", "en")
            for each in mentions
        ]

class NoGrouper:
    def prime(self, texts): list(texts)
    def place(self, key, text): return None
    def forget(self, key): pass

class Lines:
    """Ten lines a batch; the cursor is the number of the next line."""
    def __init__(self, path): self.path = path
    def close(self): pass
    def listen(self, cursor):
        lines = open(self.path, encoding="utf-8").read().splitlines()
        for start in range(int(cursor or 0), len(lines), 10):
            rows = [json.loads(line) for line in lines[start:start + 10]]
            yield Batch(tuple(self.read(row) for row in rows), cursor=str(start + len(rows)))
    def read(self, row):
        now = datetime(2026, 3, 2, tzinfo=UTC)
        return Mention("place", row["id"], row["text"], Author(row["author"]), now, thread_id=row["thread"])

class Cards:
    per_day = 100_000
    stale_after_hours = 1e6

with Store(sys.argv[1]) as store:
    print("open", flush=True)
    intake = Intake(store, CheapAssessor(), NoGrouper(), Cards(), SystemClock())
    listening = Listening([Feed("lines", "place", Lines(sys.argv[2]), ends=True)], intake, store, SystemClock())
    listening.start()
    assert listening.wait_until_drained(60)
    listening.stop()
print("done", flush=True)
'''


def write_posts(path: Path) -> list[dict[str, str]]:
    """Write posts of which some share author and thread, and some come twice; return each once."""
    rng = random.Random(7)  # noqa: S311 - draws samples
    rows = []
    for number in range(POSTS):
        thread = number // 3 if number % 5 == 0 else number
        rows.append(
            {
                "id": f"p{number}",
                "text": ("help " if number % 2 else "nothing ") + str(number),
                "author": f"a{thread % 50}",
                "thread": f"t{thread}",
            }
        )
    lines = rows + rng.sample(rows, 100)
    path.write_text("\n".join(json.dumps(row) for row in lines), encoding="utf-8")
    return rows


def stored(database: Path) -> int:
    """Return how many mentions stand in the database, as another process sees it."""
    with Store(database) as store:
        return int(store.read().execute("select count(*) from mention").fetchone()[0])


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system cannot kill as hard")
def test_a_replay_killed_at_any_moment_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """After kills at random moments and as many starts, every post is stored once, with what belongs to it."""
    database, script, posts = tmp_path / "cuecard.db", tmp_path / "replay.py", tmp_path / "posts.jsonl"
    script.write_text(SCRIPT, encoding="utf-8")
    rows = write_posts(posts)
    command = [sys.executable, str(script), str(database), str(posts)]
    rng = random.Random()  # noqa: S311 - other moments in each run: each is another sample
    counts = [_run_and_kill(command, tmp_path, rng.uniform(0.0, 0.2), database) for _ in range(KILLS)]
    final = subprocess.run(command, cwd=_project(), capture_output=True, text=True, timeout=60, check=False)
    assert final.stdout.split() == ["open", "done"], final.stderr
    assert counts == sorted(counts), "what was stored once stays stored"
    _check(database, rows)


def _project() -> Path:
    return Path(__file__).resolve().parents[2]


def _run_and_kill(command: list[str], folder: Path, after: float, database: Path) -> int:
    """Start the replay, kill it some moments after it opened the store, and return what is stored by then."""
    log = folder / "stderr.txt"
    with log.open("w") as errors:
        process = subprocess.Popen(command, cwd=_project(), stdout=subprocess.PIPE, stderr=errors)
        assert process.stdout is not None
        with process.stdout:
            assert process.stdout.readline() == b"open\n", log.read_text()
            time.sleep(after)
            process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)
    return stored(database)


def _check(database: Path, rows: list[dict[str, str]]) -> None:
    """Compare the store with what was played in."""
    with Store(database) as store:
        execute = store.read().execute
        ids = [native_id for (native_id,) in execute("select native_id from mention").fetchall()]
        assert sorted(ids) == sorted(row["id"] for row in rows)
        wanted = Counter((row["thread"], row["author"]) for row in rows)
        found = dict(execute("select key, mentions from conversation").fetchall())
        assert found == {f"place|{thread}|{author}": number for (thread, author), number in wanted.items()}
        assert execute("select cursor, mentions from feed").fetchall() == [(str(POSTS + 100), POSTS)]
        _check_records(store)


def _check_records(store: Store) -> None:
    """Every conversation has its record, its newest mention, and a card job exactly where it asks for a card."""
    execute = store.read().execute
    stray = "select count(*) from conversation c left join mention m on m.id = c.newest_mention_id"
    assert execute(f"{stray} where m.conversation_id is not c.id").fetchone() == (0,)
    once = "select conversation_id from event where event = 'hear' group by 1 having count(*) <> 1"
    assert execute(once).fetchall() == []
    heard = "select count(*) from event where event = 'hear'"
    assert execute(heard).fetchone() == execute("select count(*) from conversation").fetchone()
    jobs = execute("select key from job where kind = 'card' and state = 'pending'").fetchall()
    asking = execute("select cast(id as text) from conversation where state in ('new', 'shown')").fetchall()
    assert sorted(jobs) == sorted(asking)
    assert execute("pragma integrity_check").fetchone() == ("ok",)
    execute("insert into mention_fts (mention_fts, rank) values ('integrity-check', 1)")
