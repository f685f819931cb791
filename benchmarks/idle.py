"""Idle: what a process holds that listens to every platform, and has heard nothing yet that needs the model.

The platforms' own little servers, those of the tests, stand in for the real ones, in another process. Run with `-m`,
this module is the process that is measured: it takes the feeds' settings as JSON and says what it holds, in megabytes.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from benchmarks.report import Figure
from bot.clock import SystemClock
from bot.config import CardSettings
from bot.intake import Intake
from bot.listening import Feed, Listening
from bot.store import Store
from listeners.catalog import PLATFORMS, open_platform
from listeners.contract import FeedContext
from listeners.query import Watch, compile_watches
from nlp.group import Grouper

TESTS: Final = Path(__file__).resolve().parents[1] / "tests/listeners"
SECONDS: Final = 20.0
"""How long the feeds have to be heard; then the process is looked at once more a little later."""
_REST: Final = 3.0


def measure() -> list[Figure]:
    """Start the servers and a process that listens to them; without /proc there is no figure."""
    if not sys.platform.startswith("linux"):
        return []
    sys.path.insert(0, str(TESTS))
    server: Any = importlib.import_module("servers").Server
    stands: Any = importlib.import_module("stands").STANDS
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        feeds = {}
        for name in PLATFORMS:
            stand = stands[name](lambda script: stack.enter_context(server(script)), Path(folder))
            stack.callback(stand.close)
            feeds[name] = {"settings": stand.settings, "secrets": dict(stand.secrets)}
        told = subprocess.run(
            [sys.executable, "-m", "benchmarks.idle"],
            input=json.dumps(feeds),
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        ).stdout
    held, heard = told.split()
    detail = f"{heard} of {len(PLATFORMS)} platforms heard, with the store and the Slack side, without spaCy"
    return [
        Figure("memory of an idle process that listens to all platforms", float(held), " MB", "at most 150 MB", detail)
    ]


def _listen(feeds: dict[str, dict[str, Any]], folder: str) -> tuple[float, int]:
    """Listen to every feed; return the megabytes held, and how many feeds were heard."""
    importlib.import_module("bot.slack.connection")
    stop, clock = threading.Event(), SystemClock()
    store = Store(Path(folder) / "idle.db")
    store.open()
    watches = compile_watches([Watch("acme", "Acme", "acme")])
    opened = []
    for name, feed in feeds.items():
        context = FeedContext(name, watches, stop.wait, secrets=feed["secrets"])
        platform = open_platform(name, feed["settings"], context)
        opened.append(Feed(name, name, platform, ends=PLATFORMS[name].ends))
    intake = Intake(store, _Unasked(), Grouper(), CardSettings(), clock)
    listening = Listening(opened, intake, store, clock, stop=stop)
    listening.start()
    ends_at = time.monotonic() + SECONDS
    while time.monotonic() < ends_at and _count_heard(store) < len(feeds):
        time.sleep(0.1)
    time.sleep(_REST)
    held = int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    heard = _count_heard(store)
    listening.stop()
    store.close()
    assert "spacy" not in sys.modules
    return held, heard


def _count_heard(store: Store) -> int:
    return sum(state.heard_at is not None for state in store.feed_states())


class _Unasked:
    """Stands for the model: nothing that needs it is heard."""

    def assess(self, mentions: object) -> list[Any]:
        """Refuse: it would have to be loaded."""
        raise AssertionError(f"the model was asked: {mentions!r}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as own:
        print(*_listen(json.load(sys.stdin), own))
