"""The slash commands."""

# ruff: noqa: ARG001 - tests build payloads of any shape, and fixtures are asked for what they set up

from __future__ import annotations

import re

import pytest
from hands import Hands, state_of
from seeds import a_mention, an_assessment, hear, show

from bot.conversation import State
from bot.slack import buttons
from bot.store import Store

# Commands


def test_claiming_by_number_and_by_link(ana: Hands, ben: Hands, heard: int, store: Store):
    """A number, a post's address and a card's own link mean the same conversation."""
    assert "You have this one now. <https://team.slack.com/archives/C1/p1700000001000100|#1>" in ana.command(
        "/claim", "#1"
    )
    assert "Ana Lima claimed this" in ben.command("/claim", "https://stage.example/posts/1")
    assert "Ana Lima claimed this" in ben.command("/claim", "<https://team.slack.com/archives/C1/p1700000001000100>")
    assert state_of(store) is State.CLAIMED


@pytest.mark.parametrize("text", ["", "   ", "99", "no such thing", "<!channel>", "' or 1=1 --"])
def test_a_claim_of_nothing_says_what_to_write(ana: Hands, heard: int, text: str):
    """One kind sentence, and nothing is pinged."""
    said = ana.command("/claim", text)
    assert "/claim 12" in said or "heard no post" in said
    assert "<!" not in said


def test_mentions_shows_the_queue_best_first(ana: Hands, store: Store):
    """The most urgent stands on top, with a way to its card and a Claim button."""
    for number, grade in ((1, 1), (2, 3), (3, 2)):
        show(store, hear(store, a_mention(str(number), f"post {number}"), an_assessment(grade)))
    said = ana.command("/mentions")
    assert re.findall(r"post (\d)", said) == ["2", "3", "1"]
    assert "Open card" in said


def test_mentions_with_words_searches(ana: Hands, store: Store):
    """What holds all the words is found, answered or not."""
    hear(store, a_mention("1", "my kettle leaks"))
    hear(store, a_mention("2", "lovely teapot"))
    said = ana.command("/mentions", "teapot <!here>")
    assert "<!" not in said
    assert "lovely teapot" in ana.command("/mentions", "teapot")
    assert "kettle" not in ana.command("/mentions", "teapot")


def test_mentions_of_nothing_says_so(ana: Hands, store: Store):
    """An empty queue is not an empty answer."""
    del store
    assert "Nothing waits for an answer." in ana.command("/mentions")
    assert "holds all of these words" in ana.command("/mentions", "xyzzy")


def test_claiming_from_a_list_says_that_it_worked(ana: Hands, heard: int):
    """A list that only this person sees is not redrawn, so they are told."""
    ana.press(
        buttons.CLAIM, container={"type": "message", "is_ephemeral": True, "message_ts": "1.3", "channel_id": "C1"}
    )
    assert ana.told() == ["You have this one now."]


def test_the_digest_is_shown_to_who_asks(ana: Hands, heard: int):
    """Nothing is posted in the channel."""
    said = ana.command("/digest")
    assert "1 conversation waits for an answer" in said
    assert "my kettle leaks" in said
    assert not ana.slack.named("chat.postMessage")
