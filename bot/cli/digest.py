"""`cuecard digest`: what is unanswered, now."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from bot.cli.options import SettingsOption, open_existing_store
from bot.cli.terminal import say

if TYPE_CHECKING:
    from bot.store import Store


def digest(
    post: Annotated[bool, typer.Option("--post", help="Have the running bot post it in the channel.")] = False,
    settings: SettingsOption = None,
) -> None:
    """Print today's digest, and post it if asked.

    What is unanswered, how fast we were, what was kept quiet, and which feeds were deaf since when.
    """
    from bot.config import load_settings
    from bot.digest import build_digest, period_start, to_text

    loaded = load_settings(settings)
    now = datetime.now(UTC)
    with open_existing_store(loaded.store.path) as store:
        facts = store.digest_facts(period_start(now, store.last_digest_at()), now, now)
        say(to_text(build_digest(facts, loaded.digest.timezone)))
        if post:
            say()
            say(_ask_for_post(store, now, loaded.digest.timezone))


def _ask_for_post(store: Store, now: datetime, timezone: str) -> str:
    """Ask for today's message, which there is once a day, and say what comes of it."""
    from bot.records import JobKind

    today = now.astimezone(ZoneInfo(timezone)).date().isoformat()
    if store.digest_message(today) is not None:
        return "Today's digest stands in the channel already; there is one a day."
    store.request_job(JobKind.DIGEST, today, now=now)
    return "Asked for: the running bot posts it within seconds, one that is stopped when it starts again."
