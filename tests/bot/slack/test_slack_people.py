"""Who may act."""

# ruff: noqa: ARG001, PLR0917 - tests build payloads of any shape, and fixtures are asked for what they set up

from __future__ import annotations

import pytest
from fake_slack import FakeSlack, error
from hands import Hands, state_of
from slack_bolt import App

from bot.clock import ManualClock
from bot.conversation import State
from bot.slack import buttons
from bot.slack.people import CANNOT_TELL, IS_A_BOT, IS_A_GUEST, NOT_ONE_OF_US
from bot.slack.reply_modal import REPLY_VIEW
from bot.store import Store

# Who may act


@pytest.mark.parametrize(
    ("user", "sentence"),
    [
        ("UGUEST", IS_A_GUEST),
        ("UALIEN", NOT_ONE_OF_US),
        ("UBOT", IS_A_BOT),
        ("UGONE", NOT_ONE_OF_US),
        ("UNOBODY", NOT_ONE_OF_US),
    ],
)
def test_only_our_own_people_may_act(app: App, slack: FakeSlack, heard: int, store: Store, user: str, sentence: str):
    """Others are told in one sentence, whatever they use."""
    hands = Hands(app, slack, user=user)
    hands.press(buttons.CLAIM)
    assert hands.told() == [sentence]
    assert sentence in hands.command("/claim", "1")
    answer = hands.submit(
        {
            "type": "modal",
            "callback_id": REPLY_VIEW,
            "private_metadata": "{}",
            "blocks": [{"type": "input", "block_id": "text_0"}],
        }
    )
    assert answer["errors"] == {"text_0": sentence}
    assert state_of(store) is State.SHOWN


def test_a_team_id_in_the_payload_is_not_believed(app: App, slack: FakeSlack, heard: int, store: Store):
    """Who somebody is, is asked of Slack."""
    Hands(app, slack, user="UALIEN", team="T1").press(buttons.CLAIM)
    assert state_of(store) is State.SHOWN


def test_slack_is_asked_once_in_ten_minutes(ana: Hands, heard: int, clock: ManualClock):
    """A press costs no call, until what is known gets old."""
    ana.press(buttons.CLAIM)
    ana.press(buttons.RELEASE)
    assert len(ana.slack.named("users.info")) == 1
    clock.advance(601)
    ana.press(buttons.CLAIM)
    assert len(ana.slack.named("users.info")) == 2


def test_who_was_admitted_before_may_act_while_slack_cannot_say(
    ana: Hands, heard: int, store: Store, clock: ManualClock
):
    """A hiccup of users.info stops nobody who is known, and lets nobody in who is not."""
    ana.press(buttons.CLAIM)
    clock.advance(601)
    ana.slack.faults["users.info"] = [error("internal_error"), error("internal_error")]
    ana.press(buttons.RELEASE)
    assert state_of(store) is State.SHOWN
    Hands(ana.app, ana.slack, user="U2").press(buttons.CLAIM)
    assert state_of(store) is State.SHOWN
    assert ana.told() == [CANNOT_TELL]
