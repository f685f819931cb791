"""Slack does not answer, or says no: nothing is lost and nothing is doubled."""

# ruff: noqa: PLR0917 - fixtures are asked for what they set up

from __future__ import annotations

import logging

import pytest
from fake_slack import BOT_ID, FakeSlack, Fault, error, words_of
from outbox_steps import drain, posts, state_of, wait_out
from seeds import NOW, a_mention, an_assessment, hear
from slack_sdk import WebClient

from bot.clock import ManualClock
from bot.conversation import State
from bot.slack.deliver import Deliver
from bot.slack.desk import Desk
from bot.slack.people import Roster
from bot.store import Store


@pytest.mark.parametrize(
    "fault",
    [
        Fault(hang_up=True, acts=True),
        Fault("<html>bad gateway</html>", 502, acts=True),
        Fault("not json at all", 200, acts=True),
        Fault({"ok": False, "error": "internal_error"}, 500, acts=True),
        Fault({"ok": False, "error": "fatal_error"}, acts=True),
    ],
)
def test_a_card_that_may_be_there_is_looked_for_first(
    deliver: Deliver, slack: FakeSlack, store: Store, clock: ManualClock, fault: Fault
):
    """The answer was lost, the card was not: it is found and adopted, never doubled."""
    number = hear(store, a_mention())
    slack.faults["chat.postMessage"] = [fault]
    drain(deliver)
    assert state_of(store, number) is State.NEW
    wait_out(deliver, clock, 300)
    assert len(slack.messages) == 1
    view = store.card_view(number)
    assert view is not None
    assert view.message_ts == slack.messages[0]["ts"]
    assert state_of(store, number) is State.SHOWN


def test_a_card_that_is_not_there_is_posted(deliver: Deliver, slack: FakeSlack, store: Store, clock: ManualClock):
    """Looking found nothing, so it goes again."""
    hear(store, a_mention())
    slack.faults["chat.postMessage"] = [Fault(hang_up=True)]
    drain(deliver)
    wait_out(deliver, clock, 300)
    assert len(slack.messages) == 1


def test_what_was_being_posted_when_the_process_died_is_looked_for(
    desk: Desk, client: WebClient, roster: Roster, slack: FakeSlack, store: Store
):
    """Kill -9 after the post, before it was written down: the next start finds the card."""
    number = hear(store, a_mention())
    job = store.take_job(NOW)
    assert job is not None
    slack._answer(
        "chat.postMessage",
        {
            "channel": "C0MAIN",
            "text": "x",
            "blocks": [],
            "metadata": {"event_type": "mention_card", "event_payload": {"conversation_id": number, "job": job.id}},
        },
    )
    restarted = Deliver(desk, client, roster)
    restarted.recover()
    drain(restarted)
    assert len(slack.messages) == 1
    assert "kettle" in words_of(slack.messages[0]["blocks"])
    assert state_of(store, number) is State.SHOWN


def test_somebody_elses_metadata_is_not_our_card(
    desk: Desk, client: WebClient, roster: Roster, slack: FakeSlack, store: Store
):
    """Any app can write metadata; only our own bot's message is adopted."""
    number = hear(store, a_mention())
    job = store.take_job(NOW)
    assert job is not None
    slack.messages.append(
        {
            "ts": "1900000000.000100",
            "bot_id": f"{BOT_ID}X",
            "metadata": {"event_type": "mention_card", "event_payload": {"conversation_id": number, "job": job.id}},
        }
    )
    restarted = Deliver(desk, client, roster)
    restarted.recover()
    drain(restarted)
    assert len(slack.named("chat.postMessage")) == 1


def test_a_busy_channel_is_looked_through_page_by_page(
    deliver: Deliver, slack: FakeSlack, store: Store, clock: ManualClock
):
    """The card is not on the first page of the history."""
    hear(store, a_mention())
    slack.faults["chat.postMessage"] = [Fault(hang_up=True, acts=True)]
    drain(deliver)
    slack.page = 2
    slack.messages += [{"ts": f"19000000{n:02}.000100", "user": "U1", "text": "hello"} for n in range(9)]
    wait_out(deliver, clock, 300)
    assert len(slack.named("chat.postMessage")) == 1


def test_slack_away_for_an_hour_loses_nothing(
    deliver: Deliver, slack: FakeSlack, store: Store, clock: ManualClock, caplog: pytest.LogCaptureFixture
):
    """Everything waits; afterwards the best goes first, each once; the log says it once, not for every card."""
    for number in range(30):
        hear(store, a_mention(str(number), f"post {number}"), an_assessment(2, float(number)))
    slack.faults["chat.postMessage"] = [Fault(hang_up=True)] * 10_000
    with caplog.at_level(logging.ERROR, "bot.slack.deliver"):
        wait_out(deliver, clock, 3600)
    tried = len(slack.named("chat.postMessage"))
    assert tried < 120
    assert sum("Slack cannot be reached" in record.getMessage() for record in caplog.records) == 1
    slack.faults.clear()
    wait_out(deliver, clock, 600, step=60)
    assert len(slack.messages) == 30
    assert deliver.problem == ""
    assert len(set(posts(slack))) == 30


@pytest.mark.parametrize(
    "word", ["not_in_channel", "channel_not_found", "is_archived", "invalid_auth", "missing_scope"]
)
def test_what_a_person_must_mend_blocks_but_loses_nothing(
    deliver: Deliver, slack: FakeSlack, store: Store, clock: ManualClock, caplog: pytest.LogCaptureFixture, word: str
):
    """The problem is told in plain words; once it is mended, the card is posted."""
    hear(store, a_mention())
    slack.faults["chat.postMessage"] = [error(word)]
    drain(deliver)
    assert word in deliver.problem
    assert deliver.problem in caplog.text
    assert not slack.messages
    wait_out(deliver, clock, 300)
    assert len(slack.messages) == 1
    assert deliver.problem == ""


def test_a_card_slack_does_not_take_goes_shorter(deliver: Deliver, slack: FakeSlack, store: Store):
    """The conversation is seen, even if only its beginning."""
    hear(store, a_mention())
    slack.faults["chat.postMessage"] = [error("msg_blocks_too_long")]
    drain(deliver)
    assert "Slack did not take the whole card" in words_of(slack.messages[0]["blocks"])


def test_what_slack_never_takes_holds_up_nobody(deliver: Deliver, slack: FakeSlack, store: Store):
    """It is given up with its reason; the next card goes out."""
    hear(store, a_mention("1"), an_assessment(2, 90.0))
    hear(store, a_mention("2"))
    slack.faults["chat.postMessage"] = [error("invalid_blocks"), error("invalid_blocks")]
    drain(deliver)
    assert len(slack.messages) == 1
    found = store.read().execute("select problem from job where state = 'failed'").fetchone()
    assert found[0] == "invalid_blocks"
