"""`cuecard check`: what is set, and whether it works."""

from __future__ import annotations

import contextlib
import functools
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.failures import plain_sentence
from bot.cli.options import SettingsOption, folder_of
from bot.cli.pace import say_pace
from bot.cli.terminal import say

if TYPE_CHECKING:
    from bot.config import Secrets, Settings
    from bot.store import Store
    from listeners.contract import Finding

log = logging.getLogger(__name__)

_PATIENCE = 60.0
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
    with contextlib.ExitStack() as opened:
        store, finding = _open_database(loaded.store.path, opened)
        is_good &= _tell(finding)
        looks = dict(_network(loaded, secrets, store))
        if offline:
            for title in looks:
                say(f"{_LEFT_OUT} {title}: left out, as --offline asks.")
        else:
            for finding in _look_at_all(looks):
                is_good &= _tell(finding)
        for sentence in (*_namesakes(loaded), *([] if store is None else say_pace(store, loaded)), *_refused(store)):
            say(f"{_LEFT_OUT} {sentence}")
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


def _namesakes(settings: Settings) -> list[str]:
    """Say which watches will hear much about other things of the brand's name, and what helps."""
    from bot.watch_words import watches_without_words

    return [
        f"Watch {watch}: {brand} is a common word too. A few words of your field in its `about`, such as what you sell"
        " and what people ask you for, keep posts about other things away."
        for watch, brand in watches_without_words(settings)
    ]


def _open_database(path: Path, opened: contextlib.ExitStack) -> tuple[Store | None, Finding]:
    """Open the database as the bot would, until `opened` is closed; one that does not exist is not left behind."""
    from bot.store import Store, StoreError
    from listeners.contract import Finding

    existed = path.exists()
    try:
        if not existed:
            return None, _place_for_database(path)
        return opened.enter_context(Store(path)), Finding(is_good=True, sentence=f"Database: {path}.")
    except StoreError as err:
        return None, Finding(is_good=False, sentence=f"Database: {err}")


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


def _network(
    settings: Settings, secrets: Secrets, store: Store | None
) -> Iterator[tuple[str, Callable[[], list[Finding]]]]:
    """Yield what is to be tried for real: every feed, the drafter where there is one, and Slack."""
    for name in settings.feed:
        yield f"Feed {name}", functools.partial(_check_feed, settings, secrets, store, name)
    if settings.drafter.url:
        yield "Drafter", functools.partial(_check_drafter, settings, secrets)
    if not secrets.problems():
        yield "Slack", functools.partial(_check_slack, settings, secrets)


def _look_at_all(looks: Mapping[str, Callable[[], list[Finding]]]) -> Iterator[Finding]:
    """Try everything at the same time; yield what was found, in order, as soon as it is known.

    What does not end within a minute is left behind, and told.
    """
    from bot.cli.progress import waiting
    from listeners.contract import Finding

    answers: dict[str, queue.Queue[list[Finding]]] = {title: queue.Queue() for title in looks}
    for title, look in looks.items():
        threading.Thread(target=_look, args=(title, look, answers[title]), name=title, daemon=True).start()
    ends_at = time.monotonic() + _PATIENCE
    for title, answer in answers.items():
        try:
            with waiting(f"{title} …"):
                found = answer.get(timeout=max(0.0, ends_at - time.monotonic()))
        except queue.Empty:
            found = [Finding(is_good=False, sentence=f"{title}: no answer came within {_PATIENCE:.0f} seconds.")]
        yield from found


def _look(title: str, look: Callable[[], list[Finding]], answer: queue.Queue[list[Finding]]) -> None:
    """Try one thing; a fault in its own code is found like any other, and keeps no other from being told."""
    from listeners.contract import Finding

    try:
        answer.put(look())
    except Exception as err:
        log.debug("%s could not be checked.", title, exc_info=True)
        fault = f"something went wrong inside Cuecard ({type(err).__name__})."
        remedy = "Run `cuecard --debug check` and send us the traceback, without tokens."
        sentence = plain_sentence(err)
        answer.put(
            [Finding(is_good=False, sentence=f"{title}: {sentence or fault}", remedy="" if sentence else remedy)]
        )


def _check_feed(settings: Settings, secrets: Secrets, store: Store | None, name: str) -> list[Finding]:
    from datetime import UTC, datetime

    from bot.config import SettingsError
    from bot.platforms import open_platforms
    from listeners.contract import Finding

    def pause(seconds: float) -> bool:
        time.sleep(min(seconds, 1.0))
        return True

    def now() -> datetime:
        return datetime.now(UTC)

    def spent(feed: str) -> int:
        return store.spent_in_month(feed, now()) if store else 0

    try:
        platform = open_platforms(settings, secrets, pause, now, only=[name], spent=spent)[name]
    except SettingsError as err:
        return [Finding(is_good=False, sentence=sentence) for sentence in err.sentences]
    try:
        return [Finding(each.is_good, f"Feed {name}: {each.sentence}", each.remedy) for each in platform.check()]
    finally:
        platform.close()


def _check_drafter(settings: Settings, secrets: Secrets) -> list[Finding]:
    """Ask the drafter one small thing."""
    from bot.late_drafts import drafter_of
    from listeners.contract import Finding
    from nlp.endpoint import EndpointError, ask

    drafter = drafter_of(settings, secrets)
    assert drafter is not None, "it is only looked at where one is set"
    try:
        ask(drafter.endpoint, [{"role": "user", "content": "Answer with the one word: yes"}])
    except EndpointError as err:
        remedy = "Look at [drafter] and DRAFTER_KEY. Until it answers, the playbook's drafts are offered alone."
        return [Finding(is_good=False, sentence=f"Drafter: {err.sentence}", remedy=remedy)]
    told = f"Drafter: {drafter.endpoint.model} answers; it sees posts of {', '.join(settings.drafter.platforms)}."
    return [Finding(is_good=True, sentence=told)]


def _refused(store: Store | None) -> list[str]:
    """Say for each feed how much of what it brought of late was no mention."""
    from datetime import UTC, datetime

    if store is None:
        return []
    now = datetime.now(UTC)
    return [
        f"Feed {feed}: in the last week {number} of the items that came were no mentions; the log says why."
        for feed, number in store.refused_between(now - timedelta(days=7), now).items()
    ]


def _check_slack(settings: Settings, secrets: Secrets) -> list[Finding]:
    from bot.slack.connection import check_slack

    return check_slack(settings, secrets)
