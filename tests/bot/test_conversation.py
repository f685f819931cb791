"""The conversation's state machine, by its table."""

from __future__ import annotations

import pytest

from bot.conversation import DISMISS_LABELS, OPEN, TRANSITIONS, UNANSWERED, DismissReason, Event, State, next_state


@pytest.mark.parametrize("event", [Event.WAKE, Event.REOPEN, Event.RESTORE])
def test_what_comes_back_goes_to_its_owner(event: Event):
    """A woken, re-opened or restored conversation is claimed where it has an owner, and shown where it has none."""
    starts = [state for state, what in TRANSITIONS if what is event]
    assert starts
    for state in starts:
        assert next_state(state, event, has_owner=True) is State.CLAIMED
        assert next_state(state, event, has_owner=False) is State.SHOWN


def test_release_gives_it_to_the_team_though_it_has_an_owner():
    """A release is not a way back to the owner."""
    assert next_state(State.CLAIMED, Event.RELEASE, has_owner=True) is State.SHOWN


@pytest.mark.parametrize("state", list(State))
def test_only_a_claimed_conversation_can_be_answered(state: State):
    """A reply is approved by an owner, so in no other state."""
    assert (next_state(state, Event.APPROVE) is not None) == (state is State.CLAIMED)


@pytest.mark.parametrize("state", [State.SENDING, State.CLAIMED, State.ANSWERED])
def test_what_a_person_holds_or_answered_never_expires(state: State):
    """Only what nobody took is let rest by the clock."""
    assert next_state(state, Event.EXPIRE) is None


@pytest.mark.parametrize("event", [Event.CLAIM, Event.RELEASE, Event.SNOOZE, Event.DISMISS, Event.ASSIGN])
def test_nothing_is_decided_while_a_reply_is_on_its_way(event: Event):
    """While sending, only the send's own end (or its undo) moves the conversation."""
    assert next_state(State.SENDING, event, has_owner=True) is None


def test_every_state_can_be_reached_and_left():
    """No state is a dead end, and none is only on paper."""
    assert set(TRANSITIONS.values()) | {State.NEW} == set(State)
    assert {state for state, _ in TRANSITIONS} == set(State)


def test_every_reason_has_a_label_and_unanswered_is_open():
    """What a person picks has words, and nothing unanswered counts as closed."""
    assert set(DISMISS_LABELS) == set(DismissReason)
    assert UNANSWERED <= OPEN
