"""Event to card: mentions played in at 100 a second, the real bot, the rehearsal workspace, all in one process.

Measured from the moment a line of the feed is read to the moment its card stands in the channel. Once with a workspace
that takes messages as fast as they come, and once at Slack's own pace of a message a second and channel, where all but
the best must wait: there, what counts is that cards do not wait for anything but the pace.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.posts import BRAND, lines
from benchmarks.report import Figure
from bot.app import Cuecard
from bot.config import Brand, CardSettings, Settings, SlackSettings, StoreSettings
from bot.demo.limits import Rules
from bot.demo.rehearsal import Rehearsal
from bot.demo.show import HERE, secrets_of
from bot.store import Database

CHANNEL = "C0MENTIONS"
SECONDS = 20
RATE = 100
LONGEST = 75.0
"""Seconds after the last mention until the count: at Slack's pace the rest of the cards would take hours."""


@dataclass(frozen=True, slots=True)
class Day:
    """One run: what the workspace allows and what the team wants."""

    name: str
    asked: str
    rules: Rules
    interval: float
    per_day: int


DAYS = (
    Day("as fast as they come", "p99 reported", Rules(is_paced=False), 0.0, 5_000),
    Day("at Slack's pace, a card a second", "reported", Rules(), 1.0, 60),
)


def measure() -> list[Figure]:
    """Run each day."""
    return [_run(day) for day in DAYS]


def _run(day: Day) -> Figure:
    print(f"  {day.name}", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as folder, Rehearsal(rules=day.rules) as rehearsal:
        waits, still = _waits(rehearsal, day, Path(folder))
    detail = (
        f"{SECONDS * RATE} mentions, {len(waits)} cards posted, {still} still waiting;"
        f" median {_at(waits, 0.5):.2f} s, slowest {waits[-1]:.2f} s"
    )
    return Figure(f"event to card at {RATE} mentions/s, {day.name}: p99", _at(waits, 0.99), " s", day.asked, detail)


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def _waits(rehearsal: Rehearsal, day: Day, folder: Path) -> tuple[list[float], int]:
    """Return how long each card took, shortest first, and how many were not posted in time."""
    feed = folder / "feed.jsonl"
    feed.write_bytes(b"\n".join(lines(SECONDS * RATE, seed=3, is_dated=False)))
    settings = Settings(
        brand=Brand(name=BRAND, handles=("kettleandfern",)),
        slack=SlackSettings(channel=CHANNEL, api_url=rehearsal.api_url),
        cards=CardSettings(per_day=day.per_day, post_interval_seconds=day.interval),
        store=StoreSettings(path=folder / "bench.db"),
        playbook=Path(str(HERE / "playbook.toml")),
        feed={"bench": {"platform": "replay", "path": str(feed), "pace_seconds": 1 / RATE}},
    )
    with Cuecard(settings, secrets_of(rehearsal)) as cuecard:
        cuecard.listening.wait_until_drained(timeout=SECONDS * 5)
        ends_at = time.monotonic() + LONGEST
        while time.monotonic() < ends_at and cuecard.store.cards_coming():
            time.sleep(0.5)
        return sorted(_from_event_to_card(cuecard.store.read())), cuecard.store.cards_coming()


def _from_event_to_card(db: Database) -> list[float]:
    """Return the seconds from a conversation's first mention, which was written when it was read, to its card."""
    rows = db.execute(
        "select k.posted_at - (select min(created_at) from mention m where m.conversation_id = k.conversation_id)"
        " from card k"
    )
    return [row[0] for row in rows.fetchall()]
