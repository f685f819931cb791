"""What an author does after their first post: here, edits."""

from __future__ import annotations

from bot import decisions
from bot.conversation import Actor, DismissReason, State
from bot.store import Store
from tests.bot.flow_fixtures import NOW, batch, build_intake, mention, number_of, one

ANA = Actor("U1", "Ana Lima")


def state_of(store: Store, native_id: str) -> State:
    """Return the state of the conversation that a mention is in."""
    found = store.conversation(number_of(store, native_id))
    assert found is not None
    return found.state


def test_an_edit_keeps_what_was_said_before(store: Store) -> None:
    """The card says the new words, and the first ones are kept; the search finds the new ones only."""
    intake = build_intake(store)
    intake.take([batch(mention("a", "first wordings"))])
    report = intake.take([batch(mention("a", "second wordings [77]"))])
    view = store.card_view(number_of(store, "a"))
    assert view is not None
    assert (report.edited, view.mention.text, view.conversation.priority) == (1, "second wordings [77]", 77.0)
    assert one(store, "select text from revision") == "first wordings"
    assert store.search("first") == []


def test_an_edit_can_bring_a_quiet_one_forward(store: Store) -> None:
    """A post that its author makes serious is shown."""
    intake = build_intake(store)
    intake.take([batch(mention("a", "chatter"))])
    intake.take([batch(mention("a", "urgent"))])
    assert state_of(store, "a") is State.SHOWN


def test_an_edit_that_must_be_answered_opens_what_was_settled(store: Store) -> None:
    """A dismissed post that its author makes urgent is back with its owner; other edits, and later ones, are not."""
    intake = build_intake(store)
    intake.take([batch(mention("a", "my kettle leaks"))])
    number = number_of(store, "a")
    decisions.claim(store, number, ANA, NOW)
    for text, after in (("it leaks a bit", "dismissed"), ("urgent: it burned", "claimed"), ("urgent!", "dismissed")):
        decisions.dismiss(store, number, DismissReason.NO_REPLY_NEEDED, ANA, NOW)
        intake.take([batch(mention("a", text))])
        assert state_of(store, "a") == after, text
