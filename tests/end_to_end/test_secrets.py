"""Secrets are never written down: planted, then looked for in everything a troubled run leaves behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.demo.limits import Rules
from bot.demo.rehearsal import Rehearsal
from bot.slack import buttons
from bot.slack.reply_modal import REPLY_TEXT
from tests.end_to_end.loop import ANA, ASKED, BEN, BURNED, CHANNEL, CHARGED, PLAYBOOK, kind_of, post, write_posts

PLANTED_KEY = "planted-platform-key-QfZ7Rt2Lw9"
PLANTED_IN_ADDRESS = "planted-in-address-Uk4Wm8Xs1"
PLANTED_WITH_THE_DRAFTER = "planted-with-the-drafter-Hy6Tn3Vb5"
PLANTED_TOKEN = "xoxb-planted-999-AbCdEf"


def write_settings(folder: Path, rehearsal: Rehearsal) -> Path:
    """Write the settings of a bot whose private feed cannot be read, and whose drafter is none."""
    rows = [post(n, text, handle=f"someone{n}") for n, text in enumerate((CHARGED, ASKED, BURNED), 1)]
    write_posts(folder / "posts.jsonl", rows)
    env = f"FORUM_KEY={PLANTED_KEY}\nDRAFTER_KEY={PLANTED_WITH_THE_DRAFTER}\n"
    (folder / ".env").write_text(env, encoding="utf-8")
    settings = folder / "cuecard.toml"
    settings.write_text(
        f"""
playbook = "{PLAYBOOK}"
[brand]
name = "Kettle & Fern"
[slack]
channel = "C0MENTIONS"
api_url = "{rehearsal.api_url}"
[cards]
post_interval_seconds = 0.05
[reply]
hold_seconds = 0.2
[drafter]
url = "{rehearsal.url}/no/model/here/v1"
model = "none"
platforms = ["x", "replay"]
[[watch]]
name = "kettles"
query = "kettle"
[feed.story]
platform = "replay"
path = "posts.jsonl"
stage_url = "{rehearsal.stage_url}"
[feed.private]
platform = "feeds"
urls = ["{rehearsal.url}/nothing/here?key={PLANTED_IN_ADDRESS}"]
allow_hosts = ["{rehearsal.url.removeprefix("http://")}"]
""",
        encoding="utf-8",
    )
    return settings


@contextmanager
def running(settings: Path, bot_token: str, app_token: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run the bot, telling all it can tell; end it in order."""
    environ = {**os.environ, "SLACK_BOT_TOKEN": bot_token, "SLACK_APP_TOKEN": app_token}
    command = [sys.executable, "-m", "bot", "--debug", "run", "--settings", str(settings)]
    with (settings.parent / "log.txt").open("ab") as log:
        process = subprocess.Popen(command, env=environ, stderr=log, stdout=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(20)


def have_trouble(rehearsal: Rehearsal) -> None:
    """Let everything go wrong that can, while two people work."""
    for method, how in (
        ("chat.postMessage", "drop_after"),
        ("conversations.history", "ratelimited"),
        ("chat.update", "drop_after"),
        ("users.info", "server_error"),
        ("views.publish", "drop_before"),
    ):
        rehearsal.fail(method, how)  # type: ignore[arg-type]
    cards = rehearsal.wait_for(
        lambda: [m for m in rehearsal.messages(CHANNEL) if kind_of(m) == "mention_card"] if _has_all(rehearsal) else [],
        40,
    )
    rehearsal.press(BEN, CHANNEL, cards[0]["ts"], buttons.CLAIM)
    rehearsal.wait_for(lambda: rehearsal.ephemerals(CHANNEL, BEN))  # Slack did not say who he is
    rehearsal.misbehave_on_stage("drop_after")
    write_reply(rehearsal, cards[1]["ts"], "I looked myself and it is put right. Ana")
    rehearsal.fail("views.open", "server_error")
    rehearsal.press(ANA, CHANNEL, cards[2]["ts"], buttons.REPLY)
    rehearsal.command(BEN, CHANNEL, "/digest")
    rehearsal.open_home(ANA)
    rehearsal.cut_connections()
    rehearsal.fail("apps.connections.open", "server_error")
    rehearsal.wait_for(lambda: rehearsal.connections, 20)
    rehearsal.wait_for(lambda: any("not known" in json.dumps(m) for m in rehearsal.messages(CHANNEL)), 20)


def write_reply(rehearsal: Rehearsal, ts: str, words: str) -> None:
    """Write a reply to a card, and press Send."""
    rehearsal.press(ANA, CHANNEL, ts, buttons.REPLY)
    view = rehearsal.wait_for(lambda: rehearsal.views(ANA))[-1]
    block = next(b["block_id"] for b in view["blocks"] if b.get("element", {}).get("action_id") == REPLY_TEXT)
    assert not rehearsal.submit(ANA, view["id"], {block: {REPLY_TEXT: {"value": words}}}).errors


def _has_all(rehearsal: Rehearsal) -> bool:
    return sum(kind_of(message) == "mention_card" for message in rehearsal.messages(CHANNEL)) == 3


def left_behind(folder: Path, rehearsal: Rehearsal) -> dict[str, bytes]:
    """Return all that was written: the log, the database's files, what Slack was told, what the public sees."""
    kept = {
        path.name: path.read_bytes()
        for path in folder.iterdir()
        if path.name == "log.txt" or path.name.startswith("cuecard.db")
    }
    told = {
        "messages": [rehearsal.messages(channel) for channel in (CHANNEL, "C0OPS")],
        "alone": [rehearsal.ephemerals(CHANNEL, person) for person in (ANA, BEN)],
        "views": [[rehearsal.views(person), rehearsal.home(person)] for person in (ANA, BEN)],
        "calls": [(call.method, call.arguments) for call in rehearsal.calls],
        "stage": rehearsal.replies_on_stage(),
    }
    return kept | {name: json.dumps(value, default=str, ensure_ascii=False).encode() for name, value in told.items()}


@pytest.mark.timeout(110)
def test_no_planted_secret_is_left_anywhere(tmp_path: Path):
    """After every kind of failure, at the most talkative log level: no token, no key, no part of one."""
    with Rehearsal(rules=Rules(is_paced=False, trigger_seconds=30)) as rehearsal:
        settings = write_settings(tmp_path, rehearsal)
        with running(settings, PLANTED_TOKEN, rehearsal.app_token) as refused:
            assert refused.wait(30) == 1, "a token that Slack refuses ends the start"
        with running(settings, rehearsal.bot_token, rehearsal.app_token):
            rehearsal.wait_for(lambda: rehearsal.connections, 30)
            have_trouble(rehearsal)
        found = left_behind(tmp_path, rehearsal)
    assert b"invalid_auth" in found["log.txt"] or b"SLACK_BOT_TOKEN" in found["log.txt"]
    assert b"The feed private failed" in found["log.txt"]
    assert b"The drafter answers 404" in found["log.txt"]
    assert {"log.txt", "cuecard.db", "messages", "calls"} <= found.keys()
    secrets = [PLANTED_TOKEN, PLANTED_KEY, PLANTED_IN_ADDRESS, PLANTED_WITH_THE_DRAFTER]
    secrets += [rehearsal.bot_token, rehearsal.app_token]
    secrets += [secret.rsplit("-", 1)[-1] for secret in secrets]
    for place, written in found.items():
        for secret in secrets:
            assert secret.encode() not in written, (place, secret[:8])
