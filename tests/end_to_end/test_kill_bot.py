"""The whole bot as a real process, killed while it posts cards and replies, and started again."""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.demo.limits import Rules
from bot.demo.rehearsal import Rehearsal
from bot.slack import buttons
from bot.slack.reply_modal import REPLY_TEXT
from bot.store import Store
from tests.end_to_end.loop import ANA, CHANNEL, PLAYBOOK, kind_of, post, write_posts

POSTS = 24
KILLS = 4
THINGS = ("kettle", "teapot", "tin", "mug", "infuser", "parcel")
TROUBLES = ("arrived broken and nobody answers me", "was charged twice, I want my money back", "leaks boiling water")


@contextlib.contextmanager
def running(settings: Path, rehearsal: Rehearsal) -> Iterator[subprocess.Popen[bytes]]:
    """Run the bot as a process; kill it at the end as an outage would."""
    environ = {**os.environ, "SLACK_BOT_TOKEN": rehearsal.bot_token, "SLACK_APP_TOKEN": rehearsal.app_token}
    with (settings.parent / "log.txt").open("ab") as log:
        command = [sys.executable, "-m", "bot", "run", "--settings", str(settings)]
        process = subprocess.Popen(command, env=environ, stderr=log, stdout=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait(10)


def write_settings(folder: Path, rehearsal: Rehearsal) -> Path:
    """Write the settings of a hurried bot."""
    rows = [
        post(n, f"@kettleandfern my {THINGS[n % 6]} number {n * 37} {TROUBLES[n % 3]}", handle=f"someone{n}")
        for n in range(1, POSTS + 1)
    ]
    write_posts(folder / "posts.jsonl", rows)
    settings = folder / "cuecard.toml"
    settings.write_text(
        f"""
playbook = "{PLAYBOOK}"
[brand]
name = "Kettle & Fern"
handles = ["kettleandfern"]
[slack]
channel = "C0MENTIONS"
api_url = "{rehearsal.api_url}"
[cards]
post_interval_seconds = 0.1
[reply]
hold_seconds = 0.3
[feed.story]
platform = "replay"
path = "posts.jsonl"
pace_seconds = 0.1
stage_url = "{rehearsal.stage_url}"
""",
        encoding="utf-8",
    )
    return settings


def answer(rehearsal: Rehearsal, ts: str, text: str) -> bool:
    """Claim a card, open its modal and send these words, as far as the bot lives; return whether it took them."""
    rehearsal.press(ANA, CHANNEL, ts, buttons.CLAIM)
    rehearsal.press(ANA, CHANNEL, ts, buttons.REPLY)
    views = rehearsal.views(ANA)
    if not views:
        return False
    view = views[-1]
    block = next(b["block_id"] for b in view["blocks"] if b.get("element", {}).get("action_id") == REPLY_TEXT)
    return not rehearsal.submit(ANA, view["id"], {block: {REPLY_TEXT: {"value": text}}}).errors


def cards_of(rehearsal: Rehearsal) -> list[tuple[int, str]]:
    """Return conversation and ts of every card in the channel."""
    return [
        (message["metadata"]["event_payload"]["conversation_id"], message["ts"])
        for message in rehearsal.messages(CHANNEL)
        if kind_of(message) == "mention_card"
    ]


def act_for(rehearsal: Rehearsal, rng: random.Random, said: dict[int, str], seconds: float) -> None:
    """Answer cards that were not answered yet, for a while."""
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        waiting = [(number, ts) for number, ts in cards_of(rehearsal) if number not in said]
        if waiting and rehearsal.connections:
            number, ts = rng.choice(waiting)
            said[number] = f"I looked into number {number} myself and it is put right now. Ana {rng.random()}"
            answer(rehearsal, ts, said[number])
        time.sleep(0.05)


@pytest.mark.timeout(110)
def test_kill_bot_at_random_points(tmp_path: Path):
    """After every kill and restart: each card stands once, each approved reply left at most once, nothing else left."""
    rng = random.Random()  # noqa: S311 - where to kill is no secret
    said: dict[int, str] = {}
    with Rehearsal(rules=Rules(is_paced=False, trigger_seconds=30)) as rehearsal:
        settings = write_settings(tmp_path, rehearsal)
        for _ in range(KILLS):
            with running(settings, rehearsal):
                rehearsal.wait_for(lambda: rehearsal.connections and cards_of(rehearsal), 30)
                act_for(rehearsal, rng, said, rng.uniform(0.2, 1.6))
        with running(settings, rehearsal) as process, Store(tmp_path / "cuecard.db").open() as store:
            rehearsal.wait_for(lambda: rehearsal.connections, 30)
            rehearsal.wait_for(lambda: store.feed_states()[0].mentions == POSTS and store.cards_coming() == 0, 40)
            act_for(rehearsal, rng, said, 1.0)
            rehearsal.wait_for(lambda: _count(store, "send where state in ('approved', 'sending')") == 0, 20)
            assert process.poll() is None, (tmp_path / "log.txt").read_text()
            shown = [number for number, _ in cards_of(rehearsal)]
            conversations, mentions = _count(store, "conversation"), _count(store, "mention")
            left = Counter(reply["text"] for reply in rehearsal.replies_on_stage())
            approved = {row[0] for row in store.read().execute("select text from send").fetchall()}
    assert Counter(shown).most_common(1)[0][1] == 1
    assert (mentions, conversations) == (POSTS, POSTS)
    assert left
    assert max(left.values()) == 1
    assert set(left) <= approved <= set(said.values())


def _count(store: Store, what: str) -> int:
    return int(store.read().execute(f"select count(*) from {what}").fetchone()[0])  # noqa: S608 - our own words
