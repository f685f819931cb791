"""Event to card: mentions played in at 100 a second, the real bot, the rehearsal workspace.

Measured from the moment a mention was heard to the moment its card stood in the channel, on two days: one where the
channel takes cards as fast as they come, and one at Slack's own pace of a message a second, where the rest must wait.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.posts import lines
from benchmarks.report import Figure
from bot.app import Cuecard
from bot.config import Brand, CardSettings, Secrets, Settings, SlackSettings, StoreSettings
from bot.demo.rehearsal import Rehearsal
from bot.store import Database

SECONDS = 20
RATE = 100
CARDS = 60
"""The budget of cards: what a team would read in a day comes in these seconds."""


def measure() -> list[Figure]:
    """Run both days."""
    return [_run("as fast as cards come", 0.0), _run("at Slack's pace, 1 card/s", 1.0)]


def _run(name: str, interval: float) -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        feed = Path(folder) / "feed.jsonl"
        feed.write_bytes(b"\n".join(lines(SECONDS * RATE, seed=int(interval) + 3)))
        rehearsal = Rehearsal(port=0)
        rehearsal.start()
        try:
            waits = _waits(rehearsal, feed, Path(folder), interval)
        finally:
            rehearsal.stop()
    waits.sort()
    middle, late = statistics.median(waits), waits[int(len(waits) * 0.99) - 1]
    detail = f"{len(waits)} cards of {SECONDS * RATE} mentions; median {middle:.2f} s"
    return Figure(f"event to card at {RATE} mentions/s, {name}: p99", late, " s", "reported", detail)


def _waits(rehearsal: Rehearsal, feed: Path, folder: Path, interval: float) -> list[float]:
    settings = Settings(
        brand=Brand(name="Kettle & Fern", handles=("kettleandfern",)),
        slack=SlackSettings(channel=rehearsal.channel_id("mentions"), api_url=rehearsal.api_url),
        cards=CardSettings(per_day=CARDS, post_interval_seconds=interval),
        store=StoreSettings(path=folder / "bench.db"),
        playbook=Path(__file__).parents[1] / "nlp" / "playbook.example.toml",
        feed={"bench": {"platform": "replay", "path": str(feed), "pace_seconds": 1 / RATE}},
    )
    secrets = Secrets(slack_bot_token=rehearsal.bot_token, slack_app_token=rehearsal.app_token)
    with Cuecard(settings, secrets) as cuecard:
        ends_at = time.monotonic() + SECONDS + CARDS * max(interval, 0.1) + 60
        while time.monotonic() < ends_at and (not _is_played(cuecard) or cuecard.store.cards_coming()):
            time.sleep(0.5)
        return _from_heard_to_posted(cuecard.store.read())


def _is_played(cuecard: Cuecard) -> bool:
    return cuecard.listening.wait_until_drained(timeout=0.1)


def _from_heard_to_posted(db: Database) -> list[float]:
    rows = db.execute("select c.posted_at - v.heard_at from card c join conversation v on v.id = c.conversation_id")
    return [row[0] for row in rows.fetchall()]
