"""`cuecard team` and `cuecard evaluate --team`: what was learned is shown, and taken back, in one command."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from seeds import ANA, a_mention, an_assessment
from typer.testing import Result

from bot.conversation import CUECARD, Event
from bot.line import Verdict
from bot.store import Store
from bot.store.conversations import move
from bot.store.hearing import Heard, columns_of, conversation_key, write_mentions
from bot.store.taste_versions import Fitted, begin_version
from nlp.assess import Assessor
from nlp.team import NO_TASTE

NOW = datetime.now(UTC)
FEED = """
[feed.stage-feed]
platform = "replay"
path = "stage.jsonl"
may_train = true
"""
Runs = Callable[..., Result]


@pytest.fixture(scope="module")
def base() -> str:
    """What names the shipped weights."""
    return Assessor().base


@pytest.fixture
def database(settings_file: Path) -> Path:
    """An empty database where the settings say, and a feed that may train."""
    settings_file.write_text(settings_file.read_text() + FEED)
    path = settings_file.parent / "cuecard.db"
    with Store(path):
        return path


def begin(path: Path, base: str, *, decisions: int = 214) -> None:
    """Put a version into use."""
    moves = {"praise": 1.2, "churn_risk": -0.8}
    with Store(path) as store, store.transaction() as db:
        begin_version(db, Fitted(base, decisions, 0.62, 0.71, NO_TASTE.to_json(), moves, frozenset()), NOW)


def decide(path: Path, corpus: Path) -> None:
    """Let a team hand over every question, and leave the rest alone, on two hundred posts of our corpus."""
    lines = [json.loads(line) for file in sorted(corpus.glob("*.jsonl")) for line in file.read_bytes().splitlines()]
    loose = [line for line in lines if line["grade"] < 3]
    drawn = loose[:: len(loose) // 200][:200]
    posts = [a_mention(str(n), line["text"], brand=line["brand"]) for n, line in enumerate(drawn)]
    told = an_assessment()
    heard = [Heard(conversation_key(one), columns_of(one, told, NOW, may_train=True), told, Verdict()) for one in posts]
    with Store(path) as store, store.transaction() as db:
        write_mentions(db, heard, NOW - timedelta(days=1))
        for number, line in enumerate(drawn, start=1):
            move(db, number, Event.SHOW, CUECARD, NOW)
            if line["intent"] == "question_help":
                move(db, number, Event.HAND_OVER, ANA, NOW)
            else:
                move(db, number, Event.DISMISS, ANA, NOW, changes={"dismiss_reason": "no_reply_needed"})


@pytest.mark.usefixtures("database")
def test_nothing_learned_is_said(cuecard: Runs):
    """A new installation ranks as shipped, and there is nothing to take back."""
    assert cuecard("team").stdout == "Cuecard ranks as shipped; nothing that was learned from the team is in use.\n"
    result = cuecard("team", "undo")
    assert result.exit_code == 1
    assert "Nothing that was learned is in use" in result.stderr


def test_what_is_in_use_is_shown(cuecard: Runs, database: Path, base: str):
    """The version, what it was learned from, what it ranks higher and lower, and the versions before it."""
    begin(database, base, decisions=90)
    begin(database, base)
    told = cuecard("team").stdout
    assert told.startswith("Version 2 is in use. It was learned from 214 decisions.\n")
    assert "It ranks higher: praise; lower: people who are leaving." in told
    table = told.splitlines()[-2:]
    assert table[0].split() == ["2", *f"{NOW:%Y-%m-%d %H:%M}".split(), "214", "0.620", "0.710", "yes"]
    assert table[1].split()[-3:] == ["90", "0.620", "0.710"]


def test_a_version_of_another_model_is_shown_as_such(cuecard: Runs, database: Path):
    """After an upgrade it is not used any more."""
    begin(database, "cuecard-1-0")
    assert cuecard("team").stdout.startswith("Version 1 was learned on another model and is not used")


def test_undo_is_one_command(cuecard: Runs, database: Path, base: str):
    """It goes back to the version before, then to none; nothing new is learned until asked for."""
    begin(database, base)
    begin(database, base)
    assert cuecard("team", "undo").stdout == (
        "Version 2 is taken back. Version 1 is in use again. Nothing new is learned until `cuecard team learn`.\n"
    )
    assert "Version 1 is taken back. Cuecard ranks as shipped again." in cuecard("team", "undo").stdout
    assert "`cuecard team learn` goes on learning." in cuecard("team").stdout


def test_learn_looks_at_once(cuecard: Runs, database: Path, base: str, project: Path):
    """Real posts, read by the shipped model: a team that answers questions only has a taste of its own."""
    decide(database, project / "nlp" / "corpus")
    begin(database, base)
    cuecard("team", "undo")
    told = cuecard("team", "learn", "--db", database).stdout
    assert told.startswith("Cuecard learned from 200 decisions of the team. With version 2")
    assert "It ranks higher: questions" in told
    assert cuecard("team").stdout.startswith("Version 2 is in use.")


def test_evaluate_tells_the_gain_and_the_history(cuecard: Runs, database: Path, base: str, project: Path):
    """A row for all decisions and for each reason, what it comes to, and the versions there were; also as JSON."""
    decide(database, project / "nlp" / "corpus")
    begin(database, base)
    told = cuecard("evaluate", "--team").stdout
    assert told.startswith("200 decisions that may be learned from.")
    for words in ("all decisions", "those below grade 3", "handed over", "dismissed: needs no reply"):
        assert f"\n{words} " in told
    assert "Surely better" in told
    assert "0.620" in told
    figures = json.loads(cuecard("evaluate", "--team", "--json", "--db", database).stdout)
    first = figures["decisions"][0]
    assert (first["of"], first["number"]) == ("all decisions", 200)
    assert first["after"] > first["before"] + 0.05
    assert [each["version"] for each in figures["versions"]] == [1]
    assert figures["is_better"] is True


def test_a_source_that_may_not_train_any_more_teaches_nothing(
    cuecard: Runs, database: Path, settings_file: Path, project: Path
):
    """The settings decide, also about what was stored while they said otherwise."""
    decide(database, project / "nlp" / "corpus")
    settings_file.write_text(settings_file.read_text().replace("may_train = true", "may_train = false"))
    assert cuecard("team", "learn").stdout.startswith("0 decisions, 0 of them answers: too few")
    assert cuecard("evaluate", "--team").stdout.startswith("0 decisions")


def test_what_is_heard_and_where_the_line_stands_is_shown(cuecard: Runs, database: Path):
    """How much comes in a usual day, and what a card needs now."""
    told = an_assessment()
    posts = [a_mention(str(number)) for number in range(96)]
    with Store(database) as store:
        for number, post in enumerate(posts):
            heard_at = NOW - timedelta(hours=48) + timedelta(minutes=30 * number)
            columns = columns_of(replace(post, created_at=heard_at), told, heard_at)
            with store.transaction() as db:
                write_mentions(db, [Heard(conversation_key(post), columns, told, Verdict())], heard_at)
    heard, line = cuecard("team").stdout.splitlines()[-2:]
    assert heard == "Heard: in a usual day 48 posts, of which 48 need a reply and 0 become cards; the budget is 60."
    assert line.startswith("Line: 96 of today's 60 cards are used, and about ")


@pytest.mark.usefixtures("database")
def test_evaluate_of_no_decisions_is_no_fault(cuecard: Runs):
    """What cannot be measured is a dash, or null."""
    assert "0 decisions, 0 of them answers: too few to learn from" in cuecard("evaluate", "--team").stdout
    figures = json.loads(cuecard("evaluate", "--team", "--json").stdout)
    assert figures["decisions"][0]["before"] is None


def test_evaluate_takes_a_file_or_the_team(cuecard: Runs, tmp_path: Path):
    """Neither, both, or a picture of the team is written wrong; a database that is not there is named."""
    assert cuecard("evaluate").exit_code == 2
    assert cuecard("evaluate", "posts.jsonl", "--team").exit_code == 2
    assert cuecard("evaluate", "--team", "--plot", "a.png").exit_code == 2
    missing = cuecard("evaluate", "--team", "--db", tmp_path / "none.db")
    assert missing.exit_code == 1
    assert "There is no database" in missing.stderr
