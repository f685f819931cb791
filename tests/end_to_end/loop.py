"""The whole loop for tests: the real bot, the rehearsal workspace, posts played in from a file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from bot.app import Cuecard
from bot.config import Brand, CardSettings, ReplySettings, Secrets, Settings, SlackSettings, StoreSettings
from bot.demo.limits import Rules
from bot.demo.rehearsal import Rehearsal

PLAYBOOK = Path(__file__).parents[2] / "nlp" / "playbook.example.toml"
CHANNEL = "#mentions"
ANA, BEN, CHLOE = "Ana Lima", "Ben Okafor", "Chloe Martin"
CHARGED = (
    "@kettleandfern you charged my card twice for order 8841 and nobody answers my emails. I want my money back today"
)
ASKED = "@kettleandfern does the glass teapot come with a lid? Can't find it on the page"
BURNED = "@kettleandfern the handle of your kettle came off and my daughter burned her hand. Not safe, please answer me"
CHATTER = "a pot of tea and a rainy window, that is the whole plan"


@dataclass
class Loop:
    """The running bot, and the workspace it posts to."""

    rehearsal: Rehearsal
    cuecard: Cuecard

    def cards(self) -> list[dict[str, Any]]:
        """Return the cards in the channel, in the order in which they came."""
        return [m for m in self.rehearsal.messages(CHANNEL) if kind_of(m) == "mention_card"]

    def digests(self) -> list[dict[str, Any]]:
        """Return the digests in the channel."""
        return [m for m in self.rehearsal.messages(CHANNEL) if kind_of(m) == "digest"]

    def waiting(self, kind: str) -> int:
        """Return how many jobs of a kind Slack was not told yet."""
        sql = "select count(*) from job where kind = ? and state in ('pending', 'posting')"
        return int(self.cuecard.store.read().execute(sql, (kind,)).fetchone()[0])

    def card(self, words: str) -> dict[str, Any]:
        """Wait for the card whose text holds these words, and return it."""
        return self.rehearsal.wait_for(
            lambda: next((card for card in self.cards() if words in json.dumps(card, ensure_ascii=False)), None), 20
        )

    def shows(self, ts: str, words: str) -> dict[str, Any]:
        """Wait until the card at `ts` says something."""
        return self.rehearsal.wait_for(
            lambda: next(
                (card for card in self.cards() if card["ts"] == ts and words in json.dumps(card, ensure_ascii=False)),
                None,
            ),
            20,
        )

    def told(self, person: str, words: str) -> dict[str, Any]:
        """Wait until this person alone was told something."""
        return self.rehearsal.wait_for(
            lambda: next((m for m in self.rehearsal.ephemerals(CHANNEL, person) if words in json.dumps(m)), None)
        )


def kind_of(message: dict[str, Any]) -> str:
    """Return what a message of the bot is, by its metadata."""
    return str((message.get("metadata") or {}).get("event_type", ""))


def write_posts(path: Path, rows: Sequence[dict[str, object]]) -> Path:
    """Write posts as a replay reads them."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def post(number: int, text: str, handle: str = "", **more: object) -> dict[str, object]:
    """Return one post."""
    handle = handle or f"person{number}"
    return {
        "id": str(number),
        "text": text,
        "platform": "x",
        "brand": "Kettle & Fern",
        "author": {"handle": handle, "name": handle.title()},
        "url": f"https://example.com/{handle}/{number}",
        **more,
    }


def settings_for(rehearsal: Rehearsal, folder: Path, feed: Path, **changes: BaseModel) -> Settings:
    """Return the settings of a bot that plays `feed` into the rehearsal workspace, hurriedly."""
    return Settings(
        brand=Brand(name="Kettle & Fern", handles=("kettleandfern",)),
        slack=SlackSettings(channel="C0MENTIONS", ops_channel="C0OPS", api_url=rehearsal.api_url),
        playbook=PLAYBOOK,
        store=StoreSettings(path=folder / "cuecard.db"),
        feed={"story": {"platform": "replay", "path": str(feed), "stage_url": rehearsal.stage_url}},
        **{
            "cards": CardSettings(post_interval_seconds=0.05),
            "reply": ReplySettings(hold_seconds=1),
            **changes,
        },
    )


@contextmanager
def playing(folder: Path, rows: Sequence[dict[str, object]], **changes: BaseModel) -> Iterator[Loop]:
    """Start workspace and bot, and play these posts."""
    feed = write_posts(folder / "posts.jsonl", rows)
    with Rehearsal(rules=Rules(is_paced=False)) as rehearsal:
        secrets = Secrets(slack_bot_token=rehearsal.bot_token, slack_app_token=rehearsal.app_token)
        with Cuecard(settings_for(rehearsal, folder, feed, **changes), secrets) as cuecard:
            rehearsal.wait_for(lambda: rehearsal.connections)
            yield Loop(rehearsal, cuecard)
