"""From a mention on each platform to an answer there, or to a person's word that they posted it by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from places import ANSWERED_THERE, BY_HAND, Place, Town

from bot.app import Cuecard
from bot.config import Brand, Secrets, WatchSettings
from bot.demo.limits import Rules
from bot.demo.rehearsal import Rehearsal
from bot.ledger import SendState
from bot.slack import buttons, modals
from bot.slack.reply_modal import REPLY_TEXT
from listeners.catalog import PLATFORMS
from tests.end_to_end.loop import ANA, CHANNEL, Loop, settings_for, write_posts

ANSWER = "I am sorry. I found the second charge for your order and sent it back just now. Ana at Acme"


@contextmanager
def listening(folder: Path, build: Callable[[Town], Place]) -> Iterator[tuple[Loop, Place]]:
    """Start the place, the workspace, and a bot that listens there."""
    with Town() as town:
        place = build(town)
        rehearsal = town.enter_context(Rehearsal(rules=Rules(is_paced=False)))
        settings = settings_for(rehearsal, folder, write_posts(folder / "posts.jsonl", []))
        settings = settings.model_copy(
            update={
                "brand": Brand(name="Acme"),
                "feed": {"place": place.settings},
                "watch": (WatchSettings(name="us", query="acme"),),
            }
        )
        secrets = _secrets(rehearsal, place.secrets)
        cuecard = town.enter_context(Cuecard(settings, secrets, town.clock))
        rehearsal.wait_for(lambda: rehearsal.connections)
        yield Loop(rehearsal, cuecard), place


def _secrets(rehearsal: Rehearsal, variables: Mapping[str, str]) -> Secrets:
    secrets = Secrets(slack_bot_token=rehearsal.bot_token, slack_app_token=rehearsal.app_token)
    secrets._variables.update(variables)
    return secrets


def write_answer(loop: Loop) -> str:
    """Claim the one card, write the answer, and send it; return the card's ts."""
    ts = loop.card("order 8841")["ts"]
    loop.rehearsal.press(ANA, CHANNEL, ts, buttons.CLAIM)
    loop.rehearsal.press(ANA, CHANNEL, ts, buttons.REPLY)
    view = loop.rehearsal.wait_for(lambda: loop.rehearsal.views(ANA))[-1]
    block = next(b["block_id"] for b in view["blocks"] if b.get("element", {}).get("action_id") == REPLY_TEXT)
    assert not loop.rehearsal.submit(ANA, view["id"], {block: {REPLY_TEXT: {"value": ANSWER}}}).errors
    return str(ts)


def test_every_platform_has_a_place():
    """No platform is left out, but for the one that plays files, which all other tests here use."""
    assert {*ANSWERED_THERE, *BY_HAND} == set(PLATFORMS) - {"replay"}


@pytest.mark.parametrize("name", sorted(ANSWERED_THERE))
def test_a_mention_is_answered_where_it_was_made(name: str, tmp_path: Path):
    """The post becomes a card; what a person wrote and sent stands on the platform, once, and the card says so."""
    with listening(tmp_path, ANSWERED_THERE[name]) as (loop, place):
        ts = write_answer(loop)
        loop.shows(ts, f"Answered by {ANA}")
        (posted,) = place.posted()
        assert posted.endswith(ANSWER)
        assert [send.state for send in loop.cuecard.store.sends(1)] == [SendState.SENT]
        assert len(loop.cards()) == 1


@pytest.mark.parametrize("name", sorted(BY_HAND))
def test_a_mention_is_answered_by_hand(name: str, tmp_path: Path):
    """Where programs may not answer, the person gets the post and the words, posts them, and confirms it."""
    with listening(tmp_path, BY_HAND[name]) as (loop, place):
        ts = write_answer(loop)
        shown = loop.rehearsal.wait_for(lambda: loop.rehearsal.views(ANA))[-1]
        assert "second charge" in json.dumps(shown)
        loop.shows(ts, buttons.POSTED)
        loop.rehearsal.press(ANA, CHANNEL, ts, buttons.POSTED)
        asked = loop.rehearsal.wait_for(
            lambda: next((view for view in loop.rehearsal.views(ANA) if modals.URL in json.dumps(view)), None)
        )
        assert not loop.rehearsal.submit(ANA, asked["id"]).errors
        loop.shows(ts, f"Answered by {ANA}")
        assert place.posted() == []
        assert loop.cuecard.store.sends(1)[-1].state is SendState.CONFIRMED
