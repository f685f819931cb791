"""`cuecard init`: what it writes works as it is."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel
from typer.testing import Result

from bot.cli.init import FILES
from bot.config import (
    Brand,
    CardSettings,
    DigestSettings,
    DrafterSettings,
    ReplySettings,
    Settings,
    SlackSettings,
    StoreSettings,
    WatchSettings,
    load_settings,
)
from listeners.catalog import PLATFORMS, open_platform
from listeners.contract import FeedContext
from listeners.query import Watch, compile_watches

TEMPLATE = dict(FILES)["cuecard.toml"][0].read_text("utf-8")
ENV_EXAMPLE = dict(FILES)[".env.example"][0].read_text("utf-8")
TABLES: dict[str, type[BaseModel]] = {
    "brand": Brand,
    "slack": SlackSettings,
    "cards": CardSettings,
    "reply": ReplySettings,
    "digest": DigestSettings,
    "store": StoreSettings,
    "drafter": DrafterSettings,
    "watch": WatchSettings,
}


def test_written_settings_load(cuecard: Callable[..., Result], tmp_path: Path):
    """What init writes is loaded, playbook included, without a word of complaint."""
    result = cuecard("init")
    assert result.exit_code == 0, result.output
    settings = load_settings(tmp_path / "cuecard.toml", {})
    assert settings.slack.channel == ""
    assert [watch.name for watch in settings.compile_watches().match("I love YourBrand")] == ["brand"]


def test_every_file_is_written_and_named(cuecard: Callable[..., Result], tmp_path: Path):
    """Settings, playbook, the example of .env and the Slack manifest are there, in a folder that was made for them."""
    result = cuecard("init", "new/folder")
    for name, _ in FILES:
        assert (tmp_path / "new" / "folder" / name).stat().st_size > 100
        assert name in result.stdout
    assert "cuecard check" in result.stdout


def test_nothing_is_overwritten(cuecard: Callable[..., Result], tmp_path: Path):
    """A file that is there stays as it is, and is told."""
    (tmp_path / "playbook.toml").write_text("mine")
    result = cuecard("init")
    assert (tmp_path / "playbook.toml").read_text() == "mine"
    assert "kept    playbook.toml" in result.stdout
    assert "wrote   cuecard.toml" in result.stdout
    assert "wrote" not in cuecard("init").stdout


def test_folder_that_can_not_be_written_is_one_line(cuecard: Callable[..., Result], tmp_path: Path):
    """A file in the place of the folder is told in one line."""
    (tmp_path / "here").write_text("a file")
    result = cuecard("init", "here")
    assert result.exit_code == 1
    assert result.stderr == "cuecard: here: File exists.\n"


def test_written_manifest_is_the_projects_own(cuecard: Callable[..., Result], tmp_path: Path, project: Path):
    """The manifest that init hands on is the one that is shipped."""
    cuecard("init")
    assert (tmp_path / "manifest.yml").read_bytes() == (project / "manifest.yml").read_bytes()


def test_template_shows_every_setting_and_its_default(cuecard: Callable[..., Result], tmp_path: Path):
    """With every '#' before a setting taken away, the template still says what holds without it."""
    cuecard("init")
    path = tmp_path / "cuecard.toml"
    bare = re.sub(r"^# (\w+ = \S[^#\n]*?)(?:  +.*)?$", r"\1", TEMPLATE, flags=re.MULTILINE)
    path.write_text(bare.partition("# Every public post")[0], "utf-8")
    settings = load_settings(path, {})
    assert (settings.slack, settings.cards, settings.reply) == (SlackSettings(), CardSettings(), ReplySettings())
    assert (settings.drafter, settings.digest) == (DrafterSettings(), DigestSettings())
    assert settings.store.path == tmp_path / StoreSettings().path
    keys = {name: set(table) for name, table in tomllib.loads(path.read_text()).items() if isinstance(table, dict)}
    for name, model in TABLES.items():
        shown = set(tomllib.loads(path.read_text())["watch"][0]) if name == "watch" else keys[name]
        assert shown == set(model.model_fields), name


def test_template_shows_a_feed_of_every_platform_but_replay():
    """With every '#' before a feed taken away, the feeds can be opened, given the secrets of .env.example."""
    bare = re.sub(r"^# (\w+ = \S.*|\[feed.*)$", r"\1", TEMPLATE.partition("[feed.hn]")[2], flags=re.MULTILINE)
    feeds = tomllib.loads(f"[feed.hn]{bare}")["feed"]
    assert {feed["platform"] for feed in feeds.values()} == set(PLATFORMS) - {"replay"}
    secrets = dict.fromkeys(re.findall(r"^# ([A-Z_]+)=$", ENV_EXAMPLE, re.MULTILINE), "s" * 40)
    secrets["REDDIT_USERNAME"] = "brand"
    watches = compile_watches([Watch("brand", "Brand", "yourbrand")])
    for name, feed in feeds.items():
        own = {key: value for key, value in feed.items() if key != "platform"}
        open_platform(feed["platform"], own, FeedContext(name, watches, lambda _seconds: True, secrets=secrets)).close()


def test_the_table_above_is_whole():
    """No table of settings is left out of the test above it."""
    assert set(TABLES) | {"playbook", "feed"} == set(Settings.model_fields)
