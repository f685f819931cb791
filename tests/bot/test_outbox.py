"""What leaves: approved replies, each at most once."""

from __future__ import annotations

import random
import sqlite3
import threading
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import decisions
from bot.clock import ManualClock
from bot.conversation import Actor, State
from bot.ledger import Send, SendState
from bot.outbox import MOST_ATTEMPTS, Sender, next_attempt
from bot.store import Store
from listeners.contract import Posted, Shape
from listeners.errors import ListenerError, Permanent, RateLimited, Retryable, Unknown
from tests.bot.flow_fixtures import NOW, ScriptedPlatform, batch, build_intake, mention, number_of

ANA = Actor("U1", "Ana Lima")
WORDS = "So sorry, a new lid is on its way."


def approve(store: Store, native_id: str = "a", hold: float = 30) -> int:
    """Hear, claim and approve; return the conversation."""
    build_intake(store).take([batch(mention(native_id))])
    number = number_of(store, native_id)
    view = store.card_view(number)
    assert view is not None
    assert decisions.claim(store, number, ANA, NOW).is_done
    shape = Shape(WORDS, len(WORDS), 280)
    outcome = decisions.approve(
        store, number, view.mention_id, WORDS, "", shape, "api", ANA, NOW, timedelta(seconds=hold)
    )
    assert outcome.is_done, outcome.sentence
    return number


def only_send(store: Store, number: int) -> Send:
    """Return the one row of the ledger."""
    (send,) = store.sends(number)
    return send


def raiser(error: Exception) -> ScriptedPlatform:
    """Return a platform whose every reply fails."""

    def answer(_text: str) -> Posted:
        raise error

    return ScriptedPlatform(answer=answer)


def test_nothing_leaves_within_the_hold(store: Store) -> None:
    """Until the hold is over the network is not touched; then the exact words leave once."""
    number = approve(store, hold=30)
    clock, platform = ManualClock(NOW), ScriptedPlatform()
    sender = Sender(store, {"feed": platform}, clock)
    clock.advance(29)
    assert (sender.send_due(), platform.replies) == (0, [])
    clock.advance(1)
    assert sender.send_due() == 1
    assert sender.send_due() == 0
    assert [text for text, _ in platform.replies] == [WORDS]
    send = only_send(store, number)
    assert (send.state, send.url) == (SendState.SENT, "https://place.example/reply")
    found = store.conversation(number)
    assert found is not None
    assert found.state is State.ANSWERED


def test_the_ledger_says_sending_before_the_network_is_touched(store: Store) -> None:
    """Another connection sees the row as being sent, committed, while the platform is called, and no transaction."""
    number = approve(store, hold=0)
    seen: list[str] = []

    def answer(_text: str) -> Posted:
        other = sqlite3.connect(store.path, timeout=0)
        seen.append(other.execute("select state from send").fetchone()[0])
        other.execute("begin immediate")  # would fail inside a transaction of the sender's
        other.rollback()
        other.close()
        return Posted("r1")

    Sender(store, {"feed": ScriptedPlatform(answer=answer)}, ManualClock(NOW)).send_due()
    assert seen == ["sending"]
    assert only_send(store, number).native_id == "r1"


@pytest.mark.parametrize("error", [Unknown("timed out"), ConnectionResetError("reset"), RuntimeError("a mistake")])
def test_an_uncertain_outcome_is_never_repeated(store: Store, error: Exception) -> None:
    """Whatever is not certainly refused is unknown: never sent again, and its owner is told where to look."""
    number = approve(store, hold=0)
    clock, platform = ManualClock(NOW), raiser(error)
    sender = Sender(store, {"feed": platform}, clock)
    for _ in range(5):
        sender.send_due()
        clock.advance(3600)
    send = only_send(store, number)
    assert len(platform.replies) == 1
    assert send.state is SendState.UNKNOWN
    assert "https://place.example/a" in send.problem
    found = store.conversation(number)
    assert found is not None
    assert (found.state, found.owner) == (State.CLAIMED, ANA)


def test_a_refusal_is_given_back_with_the_platforms_sentence(store: Store) -> None:
    """The owner has the conversation back and reads why."""
    number = approve(store, hold=0)
    Sender(store, {"feed": raiser(Permanent("The thread is locked."))}, ManualClock(NOW)).send_due()
    assert (only_send(store, number).state, only_send(store, number).problem) == (
        SendState.REFUSED,
        "The thread is locked.",
    )


def test_what_was_certainly_not_posted_is_tried_again_with_the_same_key(store: Store) -> None:
    """A refused connection is tried again later, then succeeds: one reply, one key."""
    number = approve(store, hold=0)
    outcomes: list[ListenerError | None] = [Retryable("refused"), None]

    def answer(_text: str) -> Posted:
        outcome = outcomes.pop(0)
        if outcome:
            raise outcome
        return Posted("r1")

    clock, platform = ManualClock(NOW), ScriptedPlatform(answer=answer)
    sender = Sender(store, {"feed": platform}, clock)
    sender.send_due()
    assert (only_send(store, number).state, sender.send_due()) == (SendState.APPROVED, 0)
    clock.advance(5)
    sender.send_due()
    assert only_send(store, number).state is SendState.SENT
    assert len({key for _, key in platform.replies}) == 1


def test_a_reply_can_be_undone_between_two_tries(store: Store) -> None:
    """What certainly was not posted, and waits to be tried again, can still be stopped."""
    number = approve(store, hold=0)
    clock, platform = ManualClock(NOW), raiser(Retryable("refused"))
    sender = Sender(store, {"feed": platform}, clock)
    sender.send_due()
    assert decisions.undo(store, number, ANA, clock.now()).is_done
    clock.advance(3600)
    assert (sender.send_due(), len(platform.replies)) == (0, 1)


def test_tries_come_to_an_end(store: Store) -> None:
    """After so many certain failures the reply is refused, with a sentence."""
    number = approve(store, hold=0)
    clock, platform = ManualClock(NOW), raiser(Retryable("No route."))
    sender = Sender(store, {"feed": platform}, clock)
    for _ in range(20):
        sender.send_due()
        clock.advance(600)
    assert len(platform.replies) == MOST_ATTEMPTS
    assert only_send(store, number).state is SendState.REFUSED
    assert only_send(store, number).problem == "Not posted after 6 attempts: No route."


def test_a_feed_that_is_gone_cannot_answer(store: Store) -> None:
    """A reply for a feed that was taken out of the settings is refused, not lost."""
    number = approve(store, hold=0)
    Sender(store, {}, ManualClock(NOW)).send_due()
    assert only_send(store, number).state is SendState.REFUSED
    assert "no longer set up" in only_send(store, number).problem


def test_a_crash_while_sending_is_unknown_at_the_next_start(store: Store) -> None:
    """What was on its way when the process died is never sent again by itself."""
    number = approve(store, hold=0)
    assert store.begin_send(only_send(store, number).id, NOW) is not None
    platform = ScriptedPlatform()
    sender = Sender(store, {"feed": platform}, ManualClock(NOW))
    sender.recover()
    sender.send_due()
    assert (only_send(store, number).state, platform.replies) == (SendState.UNKNOWN, [])


def test_a_reply_that_is_long_due_at_start_is_withdrawn(store: Store) -> None:
    """After an hour of downtime the words may no longer fit: its owner decides again. One just due leaves."""
    late, fresh = approve(store, "a", hold=0), approve(store, "b", hold=50 * 60)
    clock, platform = ManualClock(NOW + timedelta(hours=1)), ScriptedPlatform()
    sender = Sender(store, {"feed": platform}, clock)
    sender.recover()
    sender.send_due()
    assert (only_send(store, late).state, only_send(store, fresh).state) == (SendState.UNDONE, SendState.SENT)
    assert len(platform.replies) == 1


def test_a_result_that_cannot_be_written_is_written_later(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy disk after the platform confirmed does not lose the confirmation, nor repeat the reply."""
    number = approve(store, hold=0)
    finish, failures = store.finish_sent, [OSError("busy"), OSError("busy")]

    def fail_first(*values: object, **named: object) -> None:
        if failures:
            raise failures.pop()
        finish(*values, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "finish_sent", fail_first)
    platform = ScriptedPlatform()
    Sender(store, {"feed": platform}, ManualClock(NOW)).send_due()
    assert (only_send(store, number).state, len(platform.replies)) == (SendState.SENT, 1)


def test_a_result_that_can_never_be_written_is_unknown_as_soon_as_anything_can(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk stays full after the platform posted: soon a person is asked to look, and nothing is repeated."""
    number = approve(store, hold=0)

    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    platform = ScriptedPlatform()
    sender = Sender(store, {"feed": platform}, ManualClock(NOW))
    with monkeypatch.context() as full:
        full.setattr(store, "finish_sent", fail)
        with pytest.raises(OSError, match="disk full"):
            sender.send_due()
    assert only_send(store, number).state is SendState.SENDING
    assert sender.send_due() == 0
    assert (only_send(store, number).state, len(platform.replies)) == (SendState.UNKNOWN, 1)


@pytest.mark.parametrize("slept", [timedelta(minutes=16), timedelta(hours=1), timedelta(hours=-1)])
def test_a_reply_in_its_hold_when_the_clock_jumps_is_withdrawn(store: Store, slept: timedelta) -> None:
    """The machine slept, or its clock was set: no reply leaves without the time for Undo, or an hour late."""
    number = approve(store, hold=30)
    clock, platform = ManualClock(NOW), ScriptedPlatform()
    sender = Sender(store, {"feed": platform}, clock)
    sender.recover()
    clock.advance(slept.total_seconds())
    assert sender.send_due() == 0
    send = only_send(store, number)
    assert (send.state, platform.replies) == (SendState.UNDONE, [])
    assert "was down when this reply was due" in send.problem


def test_the_thread_sends_and_stops(store: Store) -> None:
    """Started, it sends by itself; stopped, it is gone."""
    approve(store, hold=0)
    sent = threading.Event()

    def answer(_text: str) -> Posted:
        sent.set()
        return Posted("r1")

    sender = Sender(store, {"feed": ScriptedPlatform(answer=answer)}, ManualClock(NOW))
    sender.start()
    assert sent.wait(5)
    sender.stop()
    assert sender._thread is not None
    assert not sender._thread.is_alive()


@given(st.integers(1, 40), st.floats(0, 1e6), st.integers())
def test_a_retry_after_is_obeyed(attempts: int, seconds: float, seed: int) -> None:
    """A reply is never tried before the platform's time; later only by the back-off."""
    again = next_attempt(attempts, RateLimited(retry_after=seconds), NOW, random.Random(seed))  # noqa: S311 - spreads waits
    if attempts >= MOST_ATTEMPTS:
        assert again is None
    else:
        assert again is not None
        assert again - NOW >= timedelta(seconds=min(seconds, 86_400))


@pytest.mark.parametrize("error", [Permanent(), Unknown(), ListenerError(), ValueError(), TimeoutError()])
def test_only_what_certainly_did_not_happen_is_tried_again(error: Exception) -> None:
    """Every other error ends the send at its first attempt."""
    assert next_attempt(1, error, NOW) is None
