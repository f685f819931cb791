"""Buttons, menus and Home, through the real Bolt app over a real store."""

# ruff: noqa: ARG001 - tests build payloads of any shape, and fixtures are asked for what they set up

from __future__ import annotations

import pytest
from fake_slack import words_of
from hands import TICKS, Hands, Woken, state_of
from seeds import ANA, BEN, NOW, a_mention, an_assessment, hear

from bot.conversation import State
from bot.records import JobKind
from bot.slack import buttons
from bot.store import Store

# Claiming


def test_a_claim_is_one_persons(ana: Hands, ben: Hands, heard: int, store: Store):
    """The first gets it; the second is told who did, and nobody else hears of it."""
    ana.press(buttons.CLAIM)
    ben.press(buttons.CLAIM)
    found = store.conversation(heard)
    assert found is not None
    assert (found.state, found.owner) == (State.CLAIMED, ANA)
    assert [call["user"] for call in ana.slack.named("chat.postEphemeral")] == ["U2"]
    assert ana.told()[0].startswith("Ana Lima claimed this")


def test_a_decision_leaves_the_drawing_to_the_outbox(ana: Hands, heard: int, store: Store, woken: Woken):
    """The handler changes nothing in Slack itself; the card and the person's Home are asked for."""
    ana.press(buttons.CLAIM)
    assert not ana.slack.named("chat.update")
    assert woken.outbox == 1
    kinds = []
    while job := store.take_job(NOW):
        kinds.append((job.kind, job.key))
    assert kinds == [(JobKind.CARD, str(heard)), (JobKind.HOME, "U1")]


def test_release_snooze_dismiss_and_restore(ana: Hands, heard: int, store: Store):
    """Each does what it says."""
    ana.press(buttons.CLAIM)
    ana.press(buttons.RELEASE)
    assert state_of(store) is State.SHOWN
    ana.choose(buttons.SNOOZE, "1:4h")
    assert state_of(store) is State.SNOOZED
    ana.press(buttons.CLAIM)
    ana.choose(buttons.DISMISS, "1:spam")
    assert state_of(store) is State.DISMISSED
    ana.press(buttons.RESTORE)
    assert state_of(store) is State.CLAIMED
    assert not ana.told()


@pytest.mark.parametrize("value", ["", "x", "99", "-1", "1; drop table", "1:x:y", "9" * 30])
def test_a_forged_number_finds_nothing(ana: Hands, heard: int, store: Store, value: str):
    """What a button carries is only ever looked up."""
    ana.press(buttons.CLAIM, value)
    assert state_of(store) is State.SHOWN
    assert ana.told() == ["There is no such conversation."]


@pytest.mark.parametrize("action_id", [buttons.DISMISS, buttons.SNOOZE, buttons.MORE])
def test_a_forged_choice_does_nothing(ana: Hands, heard: int, store: Store, action_id: str):
    """A choice that is not on the menu is no choice."""
    ana.choose(action_id, "1:everything")
    assert state_of(store) is State.SHOWN
    assert not ana.slack.named("views.open")


def test_a_link_button_only_wants_to_be_heard(ana: Hands, heard: int, store: Store):
    """Opening the post changes nothing."""
    assert ana.press(buttons.OPEN_POST).status == 200
    assert state_of(store) is State.SHOWN


# Giving away


def test_giving_a_conversation_to_a_teammate(ana: Hands, heard: int, store: Store):
    """The teammate has it then."""
    ana.choose(buttons.MORE, "1:assign")
    assert ana.submit(ana.opened(), assign_to={"assign_to": {"selected_user": "U2"}}) == {}
    found = store.conversation(heard)
    assert found is not None
    assert found.owner == BEN


@pytest.mark.parametrize("user", ["UGUEST", "UALIEN", "UBOT", "UGONE", "UNOBODY"])
def test_nothing_is_given_to_who_may_not_act(ana: Hands, heard: int, store: Store, user: str):
    """Guests, strangers and programs cannot own a conversation."""
    ana.choose(buttons.MORE, "1:assign")
    answer = ana.submit(ana.opened(), assign_to={"assign_to": {"selected_user": user}})
    assert "member of this workspace" in str(answer["errors"])
    assert state_of(store) is State.SHOWN


def test_handing_over_needs_a_note(ana: Hands, heard: int, store: Store):
    """The note is on record; without one nothing happens. The playbook's own advice is shown."""
    ana.choose(buttons.MORE, "1:hand_over")
    assert "Support: say which order" in words_of(ana.opened())
    assert "note" in str(ana.submit(ana.opened(), hand_over_note={"hand_over_note": {"value": " "}})["errors"])
    assert ana.submit(ana.opened(), hand_over_note={"hand_over_note": {"value": "To Eve: refund"}}) == {}
    assert state_of(store) is State.HANDED_OVER
    assert store.history(heard)[-1].detail == "To Eve: refund"


# Home


def open_home(hands: Hands, tab: str = "home") -> None:
    """Open the app's own tab."""
    event = {"type": "app_home_opened", "user": hands.user, "tab": tab}
    hands.deliver({"type": "event_callback", "event_id": f"Ev{next(TICKS)}", "team_id": "T1", "event": event})


def test_opening_home_has_it_drawn(ana: Hands, store: Store):
    """The outbox publishes it; the Messages tab needs nothing."""
    open_home(ana, "messages")
    assert store.take_job(NOW) is None
    open_home(ana)
    job = store.take_job(NOW)
    assert job is not None
    assert (job.kind, job.key) == (JobKind.HOME, "U1")


def test_looking_at_what_is_quiet(ana: Hands, store: Store):
    """What never reached the channel can be seen, and claimed from there."""
    hear(store, a_mention(), an_assessment(1), cause="line")
    home = {"type": "home", "id": "VH"}
    ana.press("home_look", "", view=home, container={"type": "view", "view_id": "VH"}, channel=None)
    assert "my kettle leaks" in words_of(ana.opened())
    modal = {**ana.opened(), "id": "VM"}
    ana.press(buttons.CLAIM, view=modal, container={"type": "view", "view_id": "VM"}, channel=None)
    assert state_of(store) is State.CLAIMED
    assert "You have this one now." in words_of(ana.slack.named("views.push")[-1]["view"])


def test_a_refusal_in_home_is_told_in_a_modal(ana: Hands, ben: Hands, heard: int):
    """Home has no channel to whisper in."""
    ana.press(buttons.CLAIM)
    home = {"type": "home", "id": "VH"}
    ben.press(buttons.CLAIM, view=home, container={"type": "view", "view_id": "VH"}, channel=None)
    assert "Ana Lima claimed this" in words_of(ben.opened())
