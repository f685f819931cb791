"""The whole bot hearing Hacker News and RSS from servers here, and answers given by hand."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.app import Cuecard
from bot.config import Secrets, WatchSettings
from bot.demo.limits import Rules
from bot.demo.rehearsal import Rehearsal
from bot.ledger import SendState
from bot.slack import buttons
from bot.slack.reply_modal import REPLY_TEXT
from tests.end_to_end.loop import ANA, CHANNEL, Loop, post, settings_for, write_posts
from tests.listeners.servers import Algolia, Server, hit, item, rss, say

ON_HN = (
    "Does anyone from Kettle &amp; Fern read this? My order never arrived and support does not answer. What can I do?"
)
IN_FEED = "Kettle and Fern charged me twice and nobody answers. I want my money back today, what now?"
ANSWER = (
    "I work at Kettle & Fern. I found your order: the parcel came back to us, and I sent it out again this morning."
)


@pytest.fixture
def hearing(tmp_path: Path) -> Iterator[Loop]:
    """A bot with a Hacker News feed and an RSS feed, each with one post about the brand and one about nothing."""
    now = int(time.time())
    found = Algolia([hit(1, now - 60, ON_HN), hit(2, now - 50, "A kettle of fish, and a fern.")])
    pages = rss(item("a", IN_FEED, datetime.now(UTC)), item("b", "Nothing to see", datetime.now(UTC)))
    with ExitStack() as stack:
        search = stack.enter_context(Server(found))
        forum = stack.enter_context(Server(lambda _request: say(pages, **{"Content-Type": "application/rss+xml"})))
        rehearsal = stack.enter_context(Rehearsal(rules=Rules(is_paced=False)))
        settings = settings_for(rehearsal, tmp_path, write_posts(tmp_path / "posts.jsonl", [post(1, "nothing")]))
        feeds = {
            "hn": {"platform": "hackernews", "base_url": search.url},
            "forum": {"platform": "feeds", "urls": [f"{forum.url}/feed.xml"], "allow_hosts": [forum.host]},
        }
        watch = (WatchSettings(name="us", query='"kettle & fern" OR "kettle and fern"'),)
        settings = settings.model_copy(update={"feed": feeds, "watch": watch})
        secrets = Secrets(slack_bot_token=rehearsal.bot_token, slack_app_token=rehearsal.app_token)
        cuecard = stack.enter_context(Cuecard(settings, secrets))
        rehearsal.wait_for(lambda: rehearsal.connections)
        yield Loop(rehearsal, cuecard)


def test_live_feeds_are_heard_and_matched(hearing: Loop):
    """What matches becomes a card, whichever server it came from; the rest is not even stored."""
    hearing.card("order never arrived")
    hearing.card("charged me twice")
    assert hearing.cuecard.store.search("fish") == []
    assert hearing.cuecard.store.search("nothing") == []


def test_live_feeds_are_answered_by_hand(hearing: Loop):
    """On Hacker News nothing is suggested and nothing is posted: the person pastes, and says that it is done."""
    rehearsal = hearing.rehearsal
    ts = hearing.card("order never arrived")["ts"]
    rehearsal.press(ANA, CHANNEL, ts, buttons.CLAIM)
    hearing.shows(ts, "Claimed by Ana Lima")
    rehearsal.press(ANA, CHANNEL, ts, buttons.REPLY)
    view = rehearsal.wait_for(lambda: rehearsal.views(ANA))[-1]
    block = next(b for b in view["blocks"] if b.get("element", {}).get("action_id") == REPLY_TEXT)
    assert "initial_value" not in block["element"]
    rehearsal.submit(ANA, view["id"], {block["block_id"]: {REPLY_TEXT: {"value": ANSWER}}})
    assert "parcel came back" in json.dumps(rehearsal.wait_for(lambda: rehearsal.views(ANA))[-1])
    number = hearing.cuecard.store.conversation_of_message("C0MENTIONS", ts)
    (send,) = hearing.cuecard.store.sends(number)
    assert send.state is SendState.HANDED_OFF
    hearing.shows(ts, buttons.POSTED)
    rehearsal.press(ANA, CHANNEL, ts, buttons.NOT_POSTED)
    hearing.shows(ts, "Claimed by Ana Lima")
    assert hearing.cuecard.store.sends(number)[-1].state is SendState.NOT_SENT
