"""`cuecard run`: the bot, against the Slack workspace of the tokens."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING

from bot.cli.failures import Failure
from bot.cli.options import SettingsOption, folder_of

if TYPE_CHECKING:
    from bot.config import Secrets, Settings


class _Asked(BaseException):
    """The system asks the bot to stop; raised in the main thread, wherever it waits."""


def run(settings: SettingsOption = None) -> None:
    """Run the bot until Ctrl-C or SIGTERM."""
    from bot.config import load_secrets, load_settings

    loaded = load_settings(settings)
    secrets = load_secrets(folder_of(loaded))
    if missing := missing_for_run(loaded, secrets):
        raise Failure("\n".join([*missing, "`cuecard check` looks at the rest."]))

    from bot.app import Cuecard

    cuecard = Cuecard(loaded, secrets)
    try:
        with _stopped_by_sigterm():
            cuecard.start()
            cuecard.wait()
    finally:
        cuecard.stop()


def missing_for_run(settings: Settings, secrets: Secrets) -> list[str]:
    """Return one sentence for each thing without which the bot would half-start."""
    from bot.settings_file import place_in

    missing = secrets.problems()
    if not settings.slack.channel:
        place = place_in(settings, ("slack", "channel"))
        missing.append(f"{place}: no channel is set for the cards; put its id here (Slack shows it in its details).")
    return missing


@contextlib.contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end the block; a second one ends the process at once, which loses nothing either."""

    def ask(_signal: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        raise _Asked

    before = signal.signal(signal.SIGTERM, ask)
    try:
        with contextlib.suppress(_Asked):
            yield
    finally:
        signal.signal(signal.SIGTERM, before)
