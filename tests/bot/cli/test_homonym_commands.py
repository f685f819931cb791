"""Words of a brand's world, from the settings and from rows, through the real commands and the real intake."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from bot.store import Store

Runs = Callable[..., Result]
AIRLINE = "Is anyone else having trouble with the Delta app? I can't get my boarding pass for the flight tonight"
RIVER = "Is anyone else having trouble getting into the delta? I can't get past the sandbank where the river splits"
LISTS = {"about": ["flight", "boarding pass", "airport", "luggage", "seat"], "not_about": ["river", "sediment"]}


def posts(*, brand: str = "", **more: object) -> str:
    """Return both posts as JSONL."""
    rows = [{"id": name, "text": text, **more} for name, text in (("airline", AIRLINE), ("river", RIVER))]
    return "".join(json.dumps(row | ({"brand": brand} if brand else {})) + "\n" for row in rows)


@pytest.fixture
def delta(settings_file: Path) -> Path:
    """Settings that listen for delta, without words of its world."""
    text = settings_file.read_text("utf-8").replace("Acme", "Delta").replace("acme", "delta")
    settings_file.write_text(text, "utf-8")
    (settings_file.parent / "posts.jsonl").write_text(posts(), "utf-8")
    return settings_file


def shown(path: Path) -> list[str]:
    """Return the ids of the posts that a card was asked for."""
    with Store(path) as store:
        told = store.read().execute(
            "select mention.native_id from mention join conversation on conversation.id = mention.conversation_id"
            " where conversation.state <> 'quiet' order by 1"
        )
        return [row[0] for row in told]


@pytest.mark.parametrize(("has_words", "expected"), [(False, ["airline", "river"]), (True, ["airline"])])
def test_only_the_airline_becomes_a_card(cuecard: Runs, delta: Path, has_words: bool, expected: list[str]):
    """Two posts with the same noun: with the words of its world only the airline's post is shown."""
    if has_words:
        words = "".join(f"{key} = {json.dumps(value)}\n" for key, value in LISTS.items())
        delta.write_text(delta.read_text("utf-8").replace("[feed.old]", f"{words}\n[feed.old]"), "utf-8")
    result = cuecard("replay", "posts.jsonl")
    assert result.exit_code == 0, result.stderr
    assert shown(delta.parent / "cuecard.db") == expected


def test_rows_bring_their_own_words(cuecard: Runs):
    """A row with words is judged by them, the next one without is not; the fields stay what they are."""
    plain = [json.loads(line) for line in cuecard("rank", stdin=posts(brand="Delta")).stdout.splitlines()]
    result = cuecard("rank", stdin=posts(brand="Delta", **LISTS) + posts(brand="Delta"))
    assert result.exit_code == 0, result.stderr
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert rows[2:] == plain
    assert rows[0]["needs_reply"] == plain[0]["needs_reply"]
    assert rows[1]["needs_reply"] < plain[1]["needs_reply"] / 3
    assert (rows[1]["grade"], rows[1]["intent"], rows[1]["invited"]) == (0, "irrelevant", "n/a")
    assert rows[1].keys() == plain[1].keys()


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"about": "flight"}, "about must be a list of words"),
        ({"about": [1]}, "about must be a list of words"),
        ({"about": ["!"]}, "holds no word"),
        ({"not_about": ["river"]}, "only beside `about`"),
        ({"about": ["delta"]}, "own name"),
        ({"about": [f"word{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(61)]}, "60 are the most"),
    ],
)
def test_bad_words_are_named_and_the_others_go_on(cuecard: Runs, more: dict[str, object], reason: str):
    """A row whose words cannot be used is told with its number, and skipped."""
    line, _ = posts(brand="Delta", **more).splitlines(keepends=True)
    result = cuecard(
        "rank", stdin='{"id": 1, "text": "what about it"}\n' + line + '{"id": 3, "text": "x", "about": null}\n'
    )
    assert result.exit_code == 2
    assert [json.loads(each)["id"] for each in result.stdout.splitlines()] == ["1", "3"]
    assert "stdin, line 2: " in result.stderr
    assert reason in result.stderr


def test_csv_has_no_lists(cuecard: Runs, tmp_path: Path):
    """A column of that name is passed over like any other that is not known."""
    (tmp_path / "posts.csv").write_text(f'id,text,brand,about\n1,"{RIVER}",Delta,"flight"\n')
    result = cuecard("rank", "posts.csv")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["needs_reply"] > 0.5


def test_check_says_which_watch_needs_words(cuecard: Runs, delta: Path):
    """It is said kindly, and is no mistake; once there are words nothing is said."""
    assert "Watch delta: Delta is a common word too." in cuecard("check", "--offline").stdout
    words = 'about = ["flight", "airport"]\n'
    delta.write_text(delta.read_text("utf-8").replace("[feed.old]", f"{words}\n[feed.old]"), "utf-8")
    assert "common word" not in cuecard("check", "--offline").stdout
