"""The states of a send, by their table."""

from __future__ import annotations

from bot.ledger import LIVE, SEND_TRANSITIONS, SendState


def test_live_is_what_can_still_change():
    """A send blocks another exactly while its own outcome is open."""
    assert {state for state, after in SEND_TRANSITIONS.items() if after} == LIVE


def test_an_unknown_send_is_never_tried_again():
    """From unknown no path leads to sending: only a person's word settles it."""
    reached, frontier = set[SendState](), {SendState.UNKNOWN}
    while frontier:
        reached |= frontier
        frontier = {after for state in frontier for after in SEND_TRANSITIONS[state]} - reached
    assert SendState.SENDING not in reached
    assert SendState.APPROVED not in reached


def test_an_undone_send_is_never_sent():
    """Undone is the end of a row."""
    assert not SEND_TRANSITIONS[SendState.UNDONE]


def test_every_state_is_in_the_table():
    """A state that is missing in the table would let anything happen."""
    assert set(SEND_TRANSITIONS) == set(SendState)
