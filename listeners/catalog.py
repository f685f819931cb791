"""The literal table of platforms. Importing this loads none of them."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass

from listeners.contract import FeedContext, OpensPlatform, Platform
from listeners.errors import SettingRefused


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One platform: its file, how people call it, and what its terms allow.

    `ends` is True where a feed can come to its end (a file). `may_train`: may its text train a model.
    """

    module: str
    label: str
    ends: bool = False
    may_train: bool = True


PLATFORMS: Mapping[str, CatalogEntry] = {
    "hackernews": CatalogEntry("listeners.hackernews", "Hacker News"),
    "feeds": CatalogEntry("listeners.feeds", "RSS/Atom"),
    "replay": CatalogEntry("listeners.replay", "Replay", ends=True),
}

# Where posts are from, for display; a replayed post keeps the name of the place it was first posted.
LABELS: Mapping[str, str] = {
    **{name: entry.label for name, entry in PLATFORMS.items()},
    "x": "X",
    "twitter": "X",
    "reddit": "Reddit",
    "bluesky": "Bluesky",
    "mastodon": "Mastodon",
    "reviews": "Reviews",
}


def label_of(platform: str) -> str:
    """Return the name people use for a platform; an unknown one is shown as it is."""
    return LABELS.get(platform, platform)


def open_platform(name: str, settings: Mapping[str, object], context: FeedContext) -> Platform:
    """Load the platform's file and open one feed of it.

    Raises:
        SettingRefused: the platform is unknown, or one of its settings cannot work.
    """
    entry = PLATFORMS.get(name)
    if entry is None:
        known = ", ".join(sorted(PLATFORMS))
        raise SettingRefused(f"There is no platform {name!r}; use one of {known}.", key="platform")
    opener: OpensPlatform = importlib.import_module(entry.module).open_platform
    return opener(settings, context)
