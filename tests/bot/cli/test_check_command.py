"""`cuecard check`: every finding is a line, with what to do."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

import bot.cli.check
from listeners.contract import Finding

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
