"""Opening the configured feeds."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.config import Brand, Secrets, Settings, SettingsError, WatchSettings, load_settings
from bot.platforms import fingerprint, open_platforms
from nlp.playbook import EXAMPLE


def pause(_seconds: float) -> bool:
    """Stop at once."""
    return True


def now() -> datetime:
    """Tell a fixed time."""
    return datetime(2026, 3, 2, tzinfo=UTC)


def settings_of(**feeds: dict[str, object]) -> Settings:
    """Return settings with these feeds."""
    return Settings(brand=Brand(name="Acme"), feed=feeds)


def test_every_feed_is_opened_by_its_name(tmp_path: Path):
    """Each configured feed is there under its own name."""
    (tmp_path / "a.jsonl").touch()
    settings = settings_of(
        old={"platform": "replay", "path": str(tmp_path / "a.jsonl")},
        hn={"platform": "hackernews"},
    )
    platforms = open_platforms(settings, Secrets(), pause, now)
    assert list(platforms) == ["old", "hn"]
    for platform in platforms.values():
        platform.close()
    assert list(open_platforms(settings, Secrets(), pause, now, only=["hn"])) == ["hn"]


def test_every_refused_setting_is_told_with_its_feed():
    """What a platform refuses is told like any other mistake, for all feeds at once."""
    settings = settings_of(
        hn={"platform": "hackernews", "poll_seconds": -1}, blogs={"platform": "feeds"}, ok={"platform": "hackernews"}
    )
    with pytest.raises(SettingsError) as caught:
        open_platforms(settings, Secrets(), pause, now)
    first, second = caught.value.sentences
    assert first.startswith("[feed.hn] poll_seconds: ")
    assert second.startswith("[feed.blogs] urls: ")


def test_a_fingerprint_changes_with_what_a_feed_listens_for():
    """Another query or setting of the feed, or a watch more, is another rhythm; what concerns other feeds is not."""

    def told(query: str = "kettle", feeds: tuple[str, ...] = (), **own: object) -> str:
        settings = settings_of(hn={"platform": "hackernews", **own}, blog={"platform": "feeds"})
        watch = WatchSettings(name="kettles", query=query, feeds=feeds)
        return fingerprint(settings.model_copy(update={"watch": (watch,)}), "hn")

    assert told() == told(feeds=("hn",)) == told(may_train=False)
    assert len({told(), told("teapot"), told(feeds=("blog",)), told(poll_seconds=5)}) == 4


def test_refused_setting_is_told_with_its_line(tmp_path: Path):
    """Where the settings are from a file, its name and line are told."""
    (tmp_path / "playbook.toml").write_bytes(EXAMPLE.read_bytes())
    path = tmp_path / "cuecard.toml"
    path.write_text('[brand]\nname = "Acme"\n[feed.hn]\nplatform = "hackernews"\npoll_second = 5\n')
    with pytest.raises(SettingsError) as caught:
        open_platforms(load_settings(path, {}), Secrets(), pause, now)
    (sentence,) = caught.value.sentences
    assert sentence.startswith(f"{path}, line 5, [feed.hn] poll_second: ")
