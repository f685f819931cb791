"""The ledger as the sender uses it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from seeds import ANA, NOW, a_mention, hear, newest_mention, shaped, show

from bot import decisions
from bot.conversation import State
from bot.ledger import SendState
from bot.store import Store
from bot.store.conversations import IllegalMoveError

HOLD = timedelta(seconds=30)
DUE = NOW + HOLD


@pytest.fixture
def approved(store: Store) -> int:
    """An approved send, not due before `DUE`."""
    number = hear(store, a_mention())
    show(store, number)
    decisions.claim(store, number, ANA, NOW)
    mention_id = newest_mention(store, number)
    outcome = decisions.approve(store, number, mention_id, "Hi!", "", shaped("Hi!"), "api", ANA, NOW, HOLD)
    assert outcome.send_id is not None
    return outcome.send_id


def states(store: Store, send_id: int) -> tuple[SendState, State]:
    """Return where a send and its conversation stand."""
    send = store.send(send_id)
    assert send is not None
    conversation = store.conversation(send.conversation_id)
    assert conversation is not None
    return send.state, conversation.state


def test_nothing_leaves_before_its_hold_is_over(store: Store, approved: int):
    """Within the hold it is neither due nor can it be begun."""
    early = DUE - timedelta(milliseconds=1)
    assert store.due_sends(early) == []
    assert store.begin_send(approved, early) is None
    assert [send.id for send in store.due_sends(DUE)] == [approved]


def test_a_send_is_begun_once(store: Store, approved: int):
    """Of two senders one gets it."""
    begun = store.begin_send(approved, DUE)
    assert begun is not None
    assert (begun.state, begun.attempts, begun.text) == (SendState.SENDING, 1, "Hi!")
    assert store.begin_send(approved, DUE) is None
    assert store.due_sends(DUE) == []


def test_sent_answers_the_conversation(store: Store, approved: int):
    """The platform's id and address are kept; an earlier try's problem is not."""
    store.begin_send(approved, DUE)
    store.back_to_approved(approved, DUE + HOLD, "Slow down.", DUE)
    assert store.begin_send(approved, DUE) is None
    store.begin_send(approved, DUE + HOLD)
    store.finish_sent(approved, "99", "https://stage.example/99", DUE + HOLD)
    assert states(store, approved) == (SendState.SENT, State.ANSWERED)
    send = store.send(approved)
    assert send is not None
    assert (send.native_id, send.url, send.problem, send.attempts) == ("99", "https://stage.example/99", "", 2)
    assert send.finished_at == DUE + HOLD


def test_refused_and_unknown_go_back_to_the_owner_with_a_sentence(store: Store, approved: int):
    """The person sees why, and has the conversation again."""
    store.begin_send(approved, DUE)
    store.finish_refused(approved, "The post is locked.", DUE)
    assert states(store, approved) == (SendState.REFUSED, State.CLAIMED)
    send = store.send(approved)
    assert send is not None
    assert send.problem == "The post is locked."
    entry = store.history(send.conversation_id)[-1]
    assert (entry.event, entry.detail) == ("refuse", "The post is locked.")


def test_what_was_on_its_way_at_a_crash_is_unknown_at_start(store: Store, approved: int):
    """It is not sent again; a person must look."""
    store.begin_send(approved, DUE)
    assert [send.id for send in store.stale_sending(DUE)] == [approved]
    assert states(store, approved) == (SendState.UNKNOWN, State.CLAIMED)
    assert store.stale_sending(DUE) == []
    assert store.due_sends(DUE + timedelta(days=1)) == []
    assert store.begin_send(approved, DUE + timedelta(days=1)) is None


def test_what_should_have_left_long_ago_is_withdrawn(store: Store, approved: int):
    """After a long sleep the reply may no longer fit: it is not sent, and its owner has it again."""
    late_after = timedelta(minutes=15)
    assert store.withdraw_late(DUE + timedelta(minutes=14), late_after) == []
    assert [send.id for send in store.withdraw_late(DUE + timedelta(minutes=15), late_after)] == [approved]
    assert states(store, approved) == (SendState.UNDONE, State.CLAIMED)


@pytest.mark.parametrize("step", ["finish_sent", "finish_refused", "finish_unknown", "back_to_approved"])
def test_a_step_that_the_table_has_not_is_refused_and_changes_nothing(store: Store, approved: int, step: str):
    """What was never begun cannot be finished, and neither can what is not there."""
    steps = {
        "finish_sent": lambda number: store.finish_sent(number, "1", "", DUE),
        "finish_refused": lambda number: store.finish_refused(number, "no", DUE),
        "finish_unknown": lambda number: store.finish_unknown(number, "?", DUE),
        "back_to_approved": lambda number: store.back_to_approved(number, DUE, "later", DUE),
    }
    before = states(store, approved)
    for number in (approved, 404):
        with pytest.raises(IllegalMoveError):
            steps[step](number)
    assert states(store, approved) == before


def test_the_index_holds_one_live_send_per_conversation(store: Store, approved: int):
    """Even a caller that checks nothing cannot write a second live row."""
    with pytest.raises(Exception, match=r"UNIQUE constraint failed: send\.conversation_id"):
        store.read().execute(
            "insert into send (conversation_id, mention_id, state, route, text, send_key, actor_id, actor_name,"
            " approved_at, send_after) select conversation_id, mention_id, 'handed_off', route, text, 'other',"
            " actor_id, actor_name, approved_at, send_after from send"
        )
    assert store.live_send(1) == store.send(approved)
