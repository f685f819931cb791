"""What surrounds every handler: deliveries, faults, and the tables themselves."""

# ruff: noqa: ARG001 - tests build payloads of any shape, and fixtures are asked for what they set up

from __future__ import annotations

from typing import Any

import pytest
from fake_slack import error
from hands import OWN_WORDS, Hands, StagePlatform, Woken, send
from seeds import ANA, NOW
from slack_bolt import App

from bot import decisions
from bot.slack import buttons
from bot.slack.desk import Desk
from bot.slack.handlers import ACTIONS, COMMANDS, EVENTS, VIEWS, delivery_key
from bot.slack.reply_modal import REPLY_TEXT
from bot.store import Store
from listeners.contract import Capability

# Deliveries


def test_a_press_delivered_twice_is_done_once(ana: Hands, heard: int, store: Store, woken: Woken):
    """Both are acknowledged; one acts."""
    ana.press(buttons.CLAIM)
    assert ana.deliver(ana.sent[-1]).status == 200
    assert woken.outbox == 1
    assert [entry.event for entry in store.history(heard)].count("claim") == 1


def test_the_same_button_pressed_again_is_another_press(ana: Hands, heard: int, woken: Woken):
    """Slack gives each press its own time."""
    ana.press(buttons.CLAIM)
    ana.press(buttons.CLAIM)
    assert woken.outbox == 2


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ({"type": "event_callback", "event_id": "Ev1", "event": {}}, "event:Ev1"),
        ({"command": "/claim", "trigger_id": "t1"}, "command:t1"),
        ({"type": "view_submission", "view": {"id": "V", "hash": "h"}}, ""),
        ({"type": "block_actions", "actions": [{"action_id": REPLY_TEXT, "action_ts": "1"}]}, ""),
        ({"type": "block_actions", "actions": []}, ""),
        (
            {
                "type": "block_actions",
                "team": {"id": "T1"},
                "user": {"id": "U1"},
                "container": {"message_ts": "1.2"},
                "actions": [{"action_id": "a", "action_ts": "9.9"}],
            },
            "press:T1:U1:1.2:a:9.9",
        ),
    ],
)
def test_what_makes_two_deliveries_the_same(body: dict[str, Any], key: str):
    """The keys of each kind of delivery."""
    assert delivery_key(body) == key


def test_words_in_a_thread_are_nobodys_business(ana: Hands, heard: int, store: Store):
    """A message in a card's thread reaches no handler: nothing is read, stored or sent."""
    ana.press(buttons.CLAIM)
    before = list(ana.slack.calls)
    history = store.history(heard)
    event = {"type": "message", "user": "U1", "channel": "C1", "thread_ts": "1700000001.000100", "text": OWN_WORDS}
    answer = ana.deliver({"type": "event_callback", "event_id": "Ev9", "team_id": "T1", "event": event})
    assert answer.status == 404
    assert ana.slack.calls == before
    assert store.history(heard) == history
    assert not store.sends(heard)
    assert not [name for name in EVENTS if name.startswith("message")]


def test_a_bug_is_told_kindly_and_logged(
    ana: Hands, heard: int, stage: StagePlatform, caplog: pytest.LogCaptureFixture
):
    """The person gets one sentence, the operator the traceback; the words in a modal stay."""
    ana.press(buttons.REPLY)
    view = ana.opened()

    def fail(_mention: object) -> Capability:
        raise RuntimeError("boom")

    stage.capability = fail  # type: ignore[method-assign]
    assert ana.press(buttons.REPLY).status == 200
    assert ana.told()[-1].startswith("Something went wrong on Cuecard's side")
    answer = send(ana, view, OWN_WORDS)
    assert "Your words are still here" in str(answer["errors"])
    assert "boom" in caplog.text


def test_a_modal_that_slack_did_not_open_is_told(ana: Hands, heard: int):
    """Three seconds are over quickly: the person hears to press again."""
    ana.slack.faults["views.open"] = [error("expired_trigger_id")]
    ana.press(buttons.REPLY)
    assert "press it again" in ana.told()[0]


def test_a_sentence_that_does_not_arrive_breaks_nothing(ana: Hands, ben: Hands, heard: int):
    """An ephemeral message is never guaranteed."""
    ana.press(buttons.CLAIM)
    ben.slack.faults["chat.postEphemeral"] = [error("user_not_in_channel")]
    assert ben.press(buttons.CLAIM).status == 200


# The tables


def test_the_tables_are_literal_and_served(app: App):
    """Every entry has its Bolt listener."""
    assert len(app._listeners) == len(ACTIONS) + len(VIEWS) + len(COMMANDS) + len(EVENTS)


def test_no_handler_can_send(ana: Hands, heard: int, store: Store, desk: Desk):
    """Whatever is pressed with whatever value, only a submitted reply ever reaches the ledger as approved."""
    del desk
    decisions.claim(store, heard, ANA, NOW)
    for action_id in ACTIONS:
        for value in ("1", "1:assign", "1:spam", "0", "none"):
            ana.press(action_id, value)
            ana.choose(action_id, value)
    assert not store.sends(heard)
