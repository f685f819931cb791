"""`cuecard demo` as its parts: the story, the settings, the workspace that equals the manifest, a taken port."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path

import pytest
import yaml

from bot.config import SettingsError
from bot.demo import team
from bot.demo.rehearsal import Rehearsal
from bot.demo.show import AT_ONCE, build_settings, open_demo, run_demo, story
from listeners.replay import Refusal, read_rows
from nlp.playbook import load_playbook


def test_the_workspace_grants_what_the_manifest_asks_for(project: Path):
    """Scopes, events and slash commands of the rehearsal are those of the shipped manifest, so it is never kinder."""
    manifest = yaml.safe_load((project / "manifest.yml").read_text("utf-8"))
    assert set(team.SCOPES) == set(manifest["oauth_config"]["scopes"]["bot"])
    assert set(team.EVENTS) == set(manifest["settings"]["event_subscriptions"]["bot_events"])
    asked = {(c["command"], c["description"], c.get("usage_hint", "")) for c in manifest["features"]["slash_commands"]}
    assert {(c.name, c.description, c.hint) for c in team.COMMANDS} == asked


def test_every_row_of_the_story_can_be_heard():
    """The story reads without a refusal, each post once, from many places, and some write again."""
    lines = [json.dumps(row).encode() for row in story()]
    rows = [row for row in read_rows(lines, "the story") if not isinstance(row, Refusal)]
    assert len(rows) == len(lines) == len({row.native_id for row in rows})
    assert {row.platform for row in rows} >= {"x", "reddit", "hackernews", "bluesky", "mastodon", "reviews", "feeds"}
    assert any(row.in_reply_to for row in rows)
    assert len({row.platform for row in rows[:AT_ONCE]}) >= 4


def test_the_settings_are_whole(tmp_path: Path):
    """They pass their own checks, and the playbook of the made-up brand loads."""
    rehearsal = Rehearsal()
    settings = build_settings(rehearsal, tmp_path, pace=0.5)
    assert settings.slack.api_url == rehearsal.api_url
    assert settings.feed["replay"]["pace_seconds"] == 0.5
    assert load_playbook(settings.playbook).brand == "Kettle & Fern"
    first = json.loads((tmp_path / "opening.jsonl").read_text("utf-8").splitlines()[0])
    assert first["url"].startswith(f"{rehearsal.url}/stage/")
    assert "minutes_ago" not in first


def test_an_own_feed_is_played_as_it_is(tmp_path: Path):
    """A file given by hand is one feed, and its posts can be shown on the stage."""
    feed = tmp_path / "mine.jsonl"
    feed.write_text('{"id": "a", "text": "Hello", "author": "mara"}\nnot JSON\n', "utf-8")
    rehearsal = Rehearsal()
    settings = build_settings(rehearsal, tmp_path, feed=feed)
    assert settings.feed["replay"]["path"] == str(feed)
    assert rehearsal._stage.posts["a"].handle == "mara"
    with pytest.raises(SettingsError, match="There is no file"):
        build_settings(rehearsal, tmp_path, feed=tmp_path / "none.jsonl")


def test_a_taken_port_is_one_sentence():
    """The person is told which port, and what to type instead."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"Port {port} is in use by another program. .*--port"):
            run_demo(port=port, open_browser=False)


def test_the_demo_shows_cards_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The real bot posts into the workspace, calls nobody, and its folder is gone afterwards."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with open_demo(pace=0) as (rehearsal, _):
        rehearsal.wait_for(lambda: len(rehearsal.messages("#mentions")) >= 3, 30)
        assert all(message["blocks"] for message in rehearsal.messages("#mentions"))
        assert rehearsal.pings == []
        assert {call.result for call in rehearsal.calls} == {"ok"}
    assert list(tmp_path.iterdir()) == []


def test_the_example_in_the_documentation_runs(project: Path):
    """What docs/rehearsal.md shows is what happens."""
    text = (project / "docs" / "rehearsal.md").read_text("utf-8")
    [example] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(compile(example, "docs/rehearsal.md", "exec"), {})  # noqa: S102 - our own documentation
