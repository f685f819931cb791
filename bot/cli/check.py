"""`cuecard check`: what is set, and whether it works."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.options import SettingsOption, folder_of
from bot.cli.terminal import say

if TYPE_CHECKING:
    from bot.config import Secrets, Settings
    from listeners.contract import Finding

_GOOD, _BAD, _LEFT_OUT = "✓", "✗", "–"  # noqa: RUF001 - a dash is meant


def check(
    settings: SettingsOption = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Look at the files only; do not touch the network.")
    ] = False,
) -> None:
    """Say what is set and whether it works. The exit code is 1 where something does not."""
    from bot.config import SettingsError, load_secrets, load_settings

    try:
        loaded = load_settings(settings)
        secrets = load_secrets(folder_of(loaded))
    except SettingsError as err:
        for sentence in err.sentences:
            say(f"{_BAD} {sentence}")
        raise typer.Exit(1) from err
    is_good = True
    for finding in _findings(loaded, secrets):
        is_good &= _tell(finding)
    for title, look in _network(loaded, secrets):
        if offline:
            say(f"{_LEFT_OUT} {title}: left out, as --offline asks.")
            continue
        for finding in look():
            is_good &= _tell(finding)
    if not is_good:
        raise typer.Exit(1)
    say("Nothing wrong was found in the files." if offline else "Everything works.")


def _tell(finding: Finding) -> bool:
    say(f"{_GOOD if finding.is_good else _BAD} {finding.sentence}")
    if finding.remedy and not finding.is_good:
        say(f"    → {finding.remedy}")
    return finding.is_good


def _findings(settings: Settings, secrets: Secrets) -> Iterator[Finding]:
    """Look at all that needs no network."""
    from bot.cli.run import missing_for_run
    from listeners.contract import Finding

    yield Finding(is_good=True, sentence=f"Settings: {settings.source}, for {settings.brand.name}.")
    missing = missing_for_run(settings, secrets)
    for sentence in missing:
        yield Finding(is_good=False, sentence=sentence)
    if not missing:
        yield Finding(is_good=True, sentence="Both Slack tokens and the channel are set.")
    yield Finding(is_good=True, sentence=f"Playbook: {settings.playbook}.")
    yield from _watching(settings)
    yield _database(settings.store.path)


def _watching(settings: Settings) -> Iterator[Finding]:
    from listeners.contract import Finding

    if settings.watch:
        names = ", ".join(watch.name for watch in settings.watch)
        yield Finding(is_good=True, sentence=f"Watches: {names}.")
    else:
        yield Finding(is_good=False, sentence="No watch is set.", remedy="Add a [[watch]] with a name and a query.")
    if not settings.feed:
        remedy = "Add a [feed.NAME] with a platform; docs/settings.md lists them."
        yield Finding(is_good=False, sentence="No feed is set, so nothing would be heard.", remedy=remedy)


def _database(path: Path) -> Finding:
    """Open the database as the bot would; one that does not exist is not left behind."""
    from bot.store import Store, StoreError
    from listeners.contract import Finding

    existed = path.exists()
    try:
        if not existed:
            return _place_for_database(path)
        with Store(path):
            return Finding(is_good=True, sentence=f"Database: {path}.")
    except StoreError as err:
        return Finding(is_good=False, sentence=f"Database: {err}")


def _place_for_database(path: Path) -> Finding:
    import os

    from listeners.contract import Finding

    if os.access(path.parent, os.W_OK | os.X_OK):
        return Finding(is_good=True, sentence=f"Database: {path} will be made at the first start.")
    return Finding(
        is_good=False,
        sentence=f"Database: {path} cannot be made.",
        remedy=f"Make the folder {path.parent} and let this user write in it, or change [store] path.",
    )


def _network(settings: Settings, secrets: Secrets) -> Iterator[tuple[str, Callable[[], list[Finding]]]]:
    """Yield what is to be tried for real: every feed, and Slack."""
    for name in settings.feed:
        yield f"Feed {name}", functools.partial(_check_feed, settings, secrets, name)
    if not secrets.problems():
        yield "Slack", functools.partial(_check_slack, settings, secrets)


def _check_feed(settings: Settings, secrets: Secrets, name: str) -> list[Finding]:
    import time
    from datetime import UTC, datetime

    from bot.config import SettingsError
    from bot.platforms import open_platforms
    from listeners.contract import Finding

    def pause(seconds: float) -> bool:
        time.sleep(min(seconds, 1.0))
        return True

    try:
        platform = open_platforms(settings, secrets, pause, lambda: datetime.now(UTC), only=[name])[name]
    except SettingsError as err:
        return [Finding(is_good=False, sentence=sentence) for sentence in err.sentences]
    try:
        return [Finding(each.is_good, f"Feed {name}: {each.sentence}", each.remedy) for each in platform.check()]
    finally:
        platform.close()


def _check_slack(settings: Settings, secrets: Secrets) -> list[Finding]:
    from bot.slack.connection import check_slack

    return check_slack(settings, secrets)
