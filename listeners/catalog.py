"""The literal table of platforms. Importing this loads none of them."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType

from listeners.contract import Compiled, CompilesQuery, FeedContext, OpensPlatform, Platform
from listeners.errors import SettingRefused, WatchRefused
from listeners.query import Query, QueryError


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One platform: its file, how people call it, and what its terms allow.

    `ends` is True where a feed can come to its end (a file). `may_train`: may its text train a model; a feed's own
    setting wins. `recheck_days` is for how long after a post was heard it is looked at again once a day, because the
    platform tells of no edits and deletions: 0 where that is never needed, None for as long as its text is kept.
    `may_suggest` is False where the house rules ask for no drafted text.
    """

    module: str
    label: str
    ends: bool = False
    may_train: bool = True
    recheck_days: int | None = 0
    may_suggest: bool = True


PLATFORMS: Mapping[str, CatalogEntry] = {
    "x": CatalogEntry("listeners.x", "X", may_train=False, recheck_days=None),
    "hackernews": CatalogEntry("listeners.hackernews", "Hacker News", recheck_days=14, may_suggest=False),
    "reddit": CatalogEntry("listeners.reddit", "Reddit", may_train=False, recheck_days=None),
    "bluesky": CatalogEntry("listeners.bluesky", "Bluesky", recheck_days=30),
    "mastodon": CatalogEntry("listeners.mastodon", "Mastodon", recheck_days=None),
    "feeds": CatalogEntry("listeners.feeds", "RSS/Atom"),
    "webhook": CatalogEntry("listeners.webhook", "Webhook", may_train=False),  # nobody knows where its text is from
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


def may_train(platform: str) -> bool:
    """Whether the terms of a platform let its text train a model; of a place that is not known, they do not."""
    entry = PLATFORMS.get(platform)
    return entry is not None and entry.may_train


def may_suggest(platform: str) -> bool:
    """Whether replies may be suggested on a platform; of a place that is not known, they may."""
    entry = PLATFORMS.get(platform)
    return entry is None or entry.may_suggest


def label_of(platform: str) -> str:
    """Return the name people use for a platform; an unknown one is shown as it is."""
    return LABELS.get(platform, platform)


def open_platform(name: str, settings: Mapping[str, object], context: FeedContext) -> Platform:
    """Load the platform's file and open one feed of it.

    Raises:
        SettingRefused: the platform is unknown, or one of its settings cannot work.
        WatchRefused: the platform cannot express one of the watches.
    """
    module = _load(name)
    compiler: CompilesQuery = module.compile_query
    for watch, query in context.watches.queries:
        try:
            compiler(query)
        except QueryError as err:
            raise WatchRefused(f"{label_of(name)} cannot listen for this: {err.sentence}", watch=watch.name) from err
    opener: OpensPlatform = module.open_platform
    return opener(settings, context)


def compile_query(name: str, query: Query) -> Compiled:
    """Load the platform's file and say what it is asked for a watch.

    Raises:
        SettingRefused: the platform is unknown.
        QueryError: the platform cannot express the watch.
    """
    compiler: CompilesQuery = _load(name).compile_query
    return compiler(query)


def _load(name: str) -> ModuleType:
    entry = PLATFORMS.get(name)
    if entry is None:
        known = ", ".join(sorted(PLATFORMS))
        raise SettingRefused(f"There is no platform {name!r}; use one of {known}.", key="platform")
    return importlib.import_module(entry.module)
