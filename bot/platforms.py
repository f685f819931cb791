"""Opens the configured feeds. Touches no network: a platform does that only when it is listened to or checked."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b

from bot.config import Secrets, Settings, SettingsError
from bot.settings_file import place_in
from listeners.catalog import open_platform
from listeners.contract import FeedContext, Platform
from listeners.errors import SettingRefused, WatchRefused
from listeners.mention import Mention


def open_platforms(  # noqa: PLR0913 - everything a feed leans on is handed to it
    settings: Settings,
    secrets: Secrets,
    pause: Callable[[float], bool],
    now: Callable[[], datetime],
    *,
    only: Sequence[str] | None = None,
    spent: Callable[[str], int] = lambda _feed: 0,
) -> dict[str, Platform]:
    """Open every configured feed (or `only` those named), each with the watches that apply to it.

    Args:
        settings: the settings; nothing else of them is used than their feeds and watches.
        secrets: where a platform finds a key of its own.
        pause: waits for some seconds, and returns True as soon as the feeds must stop.
        now: tells the time.
        only: the names of the feeds to open, or None for all of them.
        spent: tells what a feed, by name, cost so far in this month, in millionths of a US dollar.

    Raises:
        SettingsError: with one sentence for each feed that refuses a setting; none is left open then.
    """
    watches = settings.compile_watches()
    variables = secrets.for_platforms()
    opened: dict[str, Platform] = {}
    refused: list[str] = []
    for name in settings.feed if only is None else only:
        context = FeedContext(name, watches.for_feed(name), pause, now, variables, functools.partial(spent, name))
        try:
            opened[name] = open_platform(settings.platform_of(name), settings.own_settings(name), context)
        except WatchRefused as err:
            place = next(number for number, watch in enumerate(settings.watch) if watch.name == err.watch)
            refused.append(f"{place_in(settings, ('watch', place, 'query'))}: {str(err).rstrip('.')}.")
        except SettingRefused as err:
            refused.append(f"{place_in(settings, ('feed', name, *err.key.split('.')))}: {str(err).rstrip('.')}.")
    if refused:
        for platform in opened.values():
            platform.close()
        raise SettingsError(*refused)
    return opened


def fingerprint(settings: Settings, feed: str) -> str:
    """Return a short text that changes with what a feed listens for: its watches and its platform's own settings."""
    watches = [(watch.name, watch.query) for watch in settings.watch if not watch.feeds or feed in watch.feeds]
    told = repr((settings.platform_of(feed), sorted(settings.own_settings(feed).items()), watches))
    return blake2b(told.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def way_back(platforms: Mapping[str, Platform], mention: Mention) -> Platform | None:
    """Return the opened feed that heard a mention, and so can answer it; None where it is no longer set up.

    A feed whose name was given to another platform meanwhile is another feed.
    """
    platform = platforms.get(mention.feed)
    if platform is None or mention.feed_platform not in {"", platform.kind}:
        return None
    return platform
