"""Opens the configured feeds. Touches no network: a platform does that only when it is listened to or checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from bot.config import Secrets, Settings, SettingsError
from bot.settings_file import place_in
from listeners.catalog import open_platform
from listeners.contract import FeedContext, Platform
from listeners.errors import SettingRefused


def open_platforms(
    settings: Settings,
    secrets: Secrets,
    pause: Callable[[float], bool],
    now: Callable[[], datetime],
    only: Sequence[str] | None = None,
) -> dict[str, Platform]:
    """Open every configured feed (or `only` those named), each with the watches that apply to it.

    Args:
        settings: the settings; nothing else of them is used than their feeds and watches.
        secrets: where a platform finds a key of its own.
        pause: waits for some seconds, and returns True as soon as the feeds must stop.
        now: tells the time.
        only: the names of the feeds to open, or None for all of them.

    Raises:
        SettingsError: with one sentence for each feed that refuses a setting; none is left open then.
    """
    watches = settings.compile_watches()
    variables = secrets.for_platforms()
    opened: dict[str, Platform] = {}
    refused: list[str] = []
    for name in settings.feed if only is None else only:
        own = {key: value for key, value in settings.feed[name].items() if key != "platform"}
        context = FeedContext(name, watches.for_feed(name), pause, now, variables)
        try:
            opened[name] = open_platform(settings.platform_of(name), own, context)
        except SettingRefused as err:
            refused.append(f"{place_in(settings, ('feed', name, *err.key.split('.')))}: {str(err).rstrip('.')}.")
    if refused:
        for platform in opened.values():
            platform.close()
        raise SettingsError(*refused)
    return opened
