"""`cuecard check`: every finding is a line, with what to do."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from seeds import a_mention, hear
from typer.testing import Result

import bot.cli.check
from bot.store import Store, feed_hours, feed_rows
from listeners.contract import FeedContext, Finding
from listeners.errors import Permanent, WatchRefused
from tests.nlp.fake_endpoint import FakeEndpoint

Runs = Callable[..., Result]


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch, cuecard: Runs) -> Runs:
    """Run commands with both tokens set."""
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1-abc")
    monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-1-abc")
    return cuecard


@pytest.fixture
def posts(settings_file: Path) -> Path:
    """The posts of the configured feed."""
    path = settings_file.parent / "posts.jsonl"
    path.write_text('{"id": "1", "text": "acme"}\n')
    return path


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    """What Slack is found to be; the real one has its own tests."""
    findings = [Finding(is_good=True, sentence="Slack: the bot token works.")]
    monkeypatch.setattr(bot.cli.check, "_check_slack", lambda _settings, _secrets: findings)
    return findings


@pytest.mark.usefixtures("posts", "slack")
def test_all_that_works_is_said_and_ends_with_zero(tokens: Runs):
    """Everything is looked at: files, tokens, watches, database, the feed and Slack."""
    result = tokens("check")
    assert result.exit_code == 0, result.stdout
    assert all(line.startswith("✓ ") for line in result.stdout.splitlines()[:-1])
    for word in (
        "Settings",
        "tokens",
        "Playbook",
        "Watches: acme",
        "Database",
        "Feed old",
        "Slack",
        "Everything works.",
    ):
        assert word in result.stdout


@pytest.mark.usefixtures("posts")
def test_what_slack_lacks_is_said_with_its_remedy(tokens: Runs, slack: list[Finding]):
    """One thing that does not work makes the exit code 1; the line below it says what to do."""
    slack.append(Finding(is_good=False, sentence="Slack: not in the channel.", remedy="Write /invite @Cuecard there."))
    result = tokens("check")
    assert result.exit_code == 1
    assert "✗ Slack: not in the channel.\n    → Write /invite @Cuecard there.\n" in result.stdout
    assert "Everything works" not in result.stdout


@pytest.mark.usefixtures("posts")
def test_missing_tokens_are_said_and_slack_is_not_asked(cuecard: Runs):
    """Without tokens Slack is not called; what is missing is named."""
    result = cuecard("check")
    assert result.exit_code == 1
    assert "✗ SLACK_BOT_TOKEN is not set" in result.stdout
    assert "✗ SLACK_APP_TOKEN is not set" in result.stdout


@pytest.mark.usefixtures("posts")
def test_offline_leaves_out_feeds_and_slack(tokens: Runs):
    """Files can be looked at without a network; what was left out is said."""
    result = tokens("check", "--offline")
    assert result.exit_code == 0
    assert "– Feed old: left out" in result.stdout
    assert "– Slack: left out" in result.stdout
    assert "Everything works" not in result.stdout


@pytest.mark.usefixtures("slack")
def test_feed_that_does_not_work_is_said(tokens: Runs, settings_file: Path):
    """A feed whose file is not there is found, and so is one whose setting is refused."""
    assert tokens("check").exit_code == 1
    settings_file.write_text(settings_file.read_text() + "\n[feed.hn]\nplatform = 'hackernews'\nsecret_key = 1\n")
    result = tokens("check")
    assert "[feed.old] path: There is no file" in result.stdout
    assert f"✗ {settings_file.name}, line " in result.stdout
    assert "[feed.hn] secret_key" in result.stdout


@pytest.mark.usefixtures("posts", "slack")
def test_database_is_looked_at_and_not_left_behind(tokens: Runs, settings_file: Path):
    """A look makes no database; one that cannot be used is named."""
    folder = settings_file.parent
    assert "will be made at the first start" in tokens("check").stdout
    assert not list(folder.glob("cuecard.db*"))
    (folder / "cuecard.db").write_text("my diary, long enough to be looked at " * 40)
    result = tokens("check")
    assert result.exit_code == 1
    assert "✗ Database: " in result.stdout


class Slow:
    """A platform whose check takes its time, fails, or never ends, as its settings ask."""

    kind = "hackernews"
    together = threading.Barrier(3, timeout=5)
    spent: ClassVar[list[int]] = []
    hang = threading.Event()

    def __init__(self, settings: Mapping[str, object], context: FeedContext) -> None:
        self.mode, self.context = settings["mode"], context

    def check(self) -> list[Finding]:
        """Do as asked."""
        if self.mode == "together":
            self.together.wait()
        elif self.mode == "broken":
            raise KeyError("text")
        elif self.mode == "refused":
            raise Permanent("The key was taken back.")
        elif self.mode == "hangs":
            self.hang.wait(20)
        else:
            self.spent.append(self.context.spent())
        return [Finding(is_good=True, sentence=f"{self.context.feed} answers.")]

    def close(self) -> None:
        """Free nothing."""


@pytest.fixture
def slow_feeds(monkeypatch: pytest.MonkeyPatch, settings_file: Path, slack: list[Finding]) -> Callable[..., None]:
    """Set up feeds by name, each with how its check behaves."""
    del slack
    monkeypatch.setattr("bot.platforms.open_platform", lambda _kind, settings, context: Slow(settings, context))
    text = settings_file.read_text().split("[feed.old]", maxsplit=1)[0]

    def write(**modes: str) -> None:
        feeds = [f'[feed.{name}]\nplatform = "hackernews"\nmode = "{mode}"\n' for name, mode in modes.items()]
        settings_file.write_text(text + "".join(feeds))

    return write


def test_feeds_are_tried_at_the_same_time_and_told_in_order(tokens: Runs, slow_feeds: Callable[..., None]):
    """Each waits for the two others here: one after the other none would ever end."""
    slow_feeds(c="together", a="together", b="together")
    result = tokens("check")
    assert result.exit_code == 0, result.stdout
    told = [line for line in result.stdout.splitlines() if line.startswith("✓ Feed")]
    assert told == [f"✓ Feed {name}: {name} answers." for name in "cab"]


def test_one_feed_that_breaks_keeps_no_other_from_being_told(tokens: Runs, slow_feeds: Callable[..., None]):
    """A fault of ours, and an error that says what to do, are findings like any other."""
    slow_feeds(first="broken", second="refused", third="works")
    result = tokens("check")
    assert result.exit_code == 1
    assert "✗ Feed first: something went wrong inside Cuecard (KeyError).\n    → Run `cuecard --debug" in result.stdout
    assert "✗ Feed second: The key was taken back.\n" in result.stdout
    assert "✓ Feed third: third answers." in result.stdout
    assert "✓ Slack" in result.stdout


def test_one_feed_that_never_answers_is_left_behind(
    tokens: Runs, slow_feeds: Callable[..., None], monkeypatch: pytest.MonkeyPatch
):
    """After its time it is told, and the command ends."""
    monkeypatch.setattr(bot.cli.check, "_PATIENCE", 0.3)
    slow_feeds(first="hangs", second="works")
    began = time.monotonic()
    result = tokens("check")
    Slow.hang.set()
    assert time.monotonic() - began < 10
    assert (result.exit_code, "✗ Feed first: no answer came within 0 seconds." in result.stdout) == (1, True)
    assert "✓ Feed second: second answers." in result.stdout


def test_what_a_feed_cost_so_far_is_known_to_its_check(
    tokens: Runs, slow_feeds: Callable[..., None], settings_file: Path
):
    """From the bot's own book, where there is one; without a database nothing was spent, and none is made."""
    slow_feeds(paid="works")
    Slow.spent.clear()
    assert tokens("check").exit_code == 0
    assert not (settings_file.parent / "cuecard.db").exists()
    with Store(settings_file.parent / "cuecard.db") as store, store.transaction() as db:
        feed_rows.write_spend(db, "paid", 1_230_000, datetime.now(UTC))
        feed_rows.write_spend(db, "other", 5, datetime.now(UTC))
    assert tokens("check").exit_code == 0
    assert Slow.spent == [0, 1_230_000]


@pytest.mark.usefixtures("posts", "slack")
def test_what_came_and_was_no_mention_is_counted(tokens: Runs, settings_file: Path):
    """An operator sees how much of what a feed brought could not be used; it is no failure."""
    with Store(settings_file.parent / "cuecard.db") as store, store.transaction() as db:
        feed_hours.write_hour(db, "old", 0, 3, datetime.now(UTC))
        feed_hours.write_hour(db, "old", 0, 4, datetime.now(UTC) - timedelta(days=8))
    result = tokens("check")
    assert result.exit_code == 0
    assert "– Feed old: in the last week 3 of the items that came were no mentions; the log says why." in result.stdout


@pytest.mark.usefixtures("slack")
def test_where_the_line_stands_is_told(tokens: Runs, settings_file: Path):
    """Once posts were heard that need a reply; how many more are expected, and what a card needs."""
    path = settings_file.parent / "cuecard.db"
    with Store(path):
        assert "Line:" not in tokens("check", "--offline").stdout
    with Store(path) as store:
        for number in range(3):
            hear(store, a_mention(str(number)), now=datetime.now(UTC) - timedelta(minutes=40 * number))
    (line,) = [line for line in tokens("check", "--offline").stdout.splitlines() if "Line:" in line]
    assert line.startswith("– Line: 3 of today's 60 cards are used, and about ")
    assert line.endswith("more posts that need a reply are expected today: for now all of them are shown.")


def test_watch_that_a_platform_cannot_express_is_told_with_its_place(
    tokens: Runs, settings_file: Path, monkeypatch: pytest.MonkeyPatch
):
    """The line of the query is named, and so is why the platform cannot listen for it."""
    refusal = WatchRefused("X cannot listen for this: a search needs a word.", watch="acme")

    def refuse(*_: object) -> None:
        raise refusal

    monkeypatch.setattr("bot.platforms.open_platform", refuse)
    result = tokens("check")
    assert result.exit_code == 1
    line = settings_file.read_text().splitlines().index('query = "acme"') + 1
    place = f"✗ {settings_file.name}, line {line}, [[watch]] number 1, query: X cannot listen"
    assert place in result.stdout, result.stdout


@pytest.mark.usefixtures("slack")
def test_without_a_watch_or_a_feed_nothing_would_be_heard(tokens: Runs, settings_file: Path):
    """Settings that hear nothing are allowed to load, and are told here."""
    settings_file.write_text('[brand]\nname = "Acme"\n[slack]\nchannel = "C0123456789"\n')
    result = tokens("check")
    assert result.exit_code == 1
    assert "✗ No watch is set." in result.stdout
    assert "✗ No feed is set" in result.stdout


def test_mistakes_in_the_settings_are_findings(cuecard: Runs, settings_file: Path):
    """Settings that do not load are told like all else, one line each."""
    settings_file.write_text(settings_file.read_text() + '\n[digest]\nat = "9"\n')
    result = cuecard("check")
    assert result.exit_code == 1
    (line,) = result.stdout.splitlines()
    assert line.startswith("✗ cuecard.toml, line ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.usefixtures("posts", "slack")
def test_folder_that_can_not_be_written_is_named(tokens: Runs, settings_file: Path):
    """A folder without the right to write in it is told before the bot starts."""
    settings_file.parent.chmod(0o555)
    try:
        assert "cannot be made" in tokens("check").stdout
    finally:
        settings_file.parent.chmod(0o755)


@pytest.mark.usefixtures("posts", "slack")
def test_a_broken_playbook_is_told_with_its_line(tokens: Runs, settings_file: Path):
    """A bot that runs goes on with the old one; check says what is wrong with the new."""
    path = settings_file.parent / "playbook.toml"
    path.write_text("[[opener]]\ntext = 'I see.'\ntone = 'loud'\n")
    result = tokens("check", "--offline")
    assert result.exit_code == 1
    assert "playbook.toml, line 3" in result.stdout


@pytest.mark.usefixtures("posts", "slack")
def test_a_drafter_is_tried(tokens: Runs, settings_file: Path, monkeypatch: pytest.MonkeyPatch):
    """Whether the model answers, and whose posts it may see; its key is shown nowhere."""
    monkeypatch.setenv("DRAFTER_KEY", "s3cret-of-the-model")
    with FakeEndpoint() as endpoint:
        table = f"\n[drafter]\nurl = '{endpoint.url}'\nmodel = 'small'\nplatforms = ['bluesky']\n"
        settings_file.write_text(settings_file.read_text() + table)
        endpoint.say("yes")
        good = tokens("check")
        assert good.exit_code == 0, good.stdout
        assert "✓ Drafter: small answers; it sees posts of bluesky." in good.stdout
        endpoint.status = 401
        bad = tokens("check")
        assert "✗ Drafter: The drafter answers 401.\n    → Look at [drafter] and DRAFTER_KEY." in bad.stdout
        assert bad.exit_code == 1
        asked = len(endpoint.asked)
        assert "– Drafter: left out" in tokens("check", "--offline").stdout
        assert (len(endpoint.asked), endpoint.requests[0].headers["authorization"]) == (
            asked,
            "Bearer s3cret-of-the-model",
        )
        assert "s3cret" not in good.stdout + bad.stdout
