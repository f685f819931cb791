"""The outbox to Slack: exactly once, at Slack's pace."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from fake_slack import FakeSlack, Fault, error, words_of
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from outbox_steps import drain, posts, state_of, wait_out
from seeds import ANA, NOW, a_mention, an_assessment, hear
from slack_sdk import WebClient

from bot import decisions
from bot.clock import ManualClock, SystemClock
from bot.config import Settings
from bot.conversation import State
from bot.records import JobKind
from bot.slack import deliver as module
from bot.slack.deliver import Deliver
from bot.slack.desk import Desk
from bot.slack.pace import Pace
from bot.slack.people import Roster
from bot.store import Store


def test_a_new_conversation_gets_one_card(deliver: Deliver, slack: FakeSlack, store: Store):
    """It is posted in the channel, remembered, and the conversation counts as shown."""
    number = hear(store, a_mention())
    drain(deliver)
    view = store.card_view(number)
    assert view is not None
    assert (view.conversation.state, view.channel, view.message_ts) == (State.SHOWN, "C0MAIN", slack.messages[0]["ts"])
    assert len(slack.messages) == 1


def test_a_post_pings_nobody_and_carries_ids_only(deliver: Deliver, slack: FakeSlack, store: Store):
    """Nothing unfurls, no name becomes a link, and the metadata, which anyone can read, says no word of the post."""
    number = hear(store, a_mention(text="secret kettle @everyone"))
    drain(deliver)
    call = slack.named("chat.postMessage")[0]
    assert call["metadata"]["event_type"] == "mention_card"
    assert set(call["metadata"]["event_payload"]) == {"conversation_id", "job"}
    assert call["metadata"]["event_payload"]["conversation_id"] == number
    falsy = {False, "0", "false"}
    assert call["unfurl_links"] in falsy
    assert call["unfurl_media"] in falsy
    assert call["link_names"] in falsy
    assert call["parse"] == "none"


def test_a_change_edits_the_card_in_place(deliver: Deliver, slack: FakeSlack, store: Store):
    """No second message: the card says what is true."""
    number = hear(store, a_mention())
    drain(deliver)
    decisions.claim(store, number, ANA, NOW)
    drain(deliver)
    assert len(slack.messages) == 1
    assert "Claimed by Ana Lima" in words_of(slack.messages[0]["blocks"])


def test_the_most_needed_go_first(deliver: Deliver, slack: FakeSlack, store: Store):
    """After a storm the best cards stand on top of the queue."""
    for number, priority in ((1, 20.0), (2, 90.0), (3, 50.0)):
        hear(store, a_mention(str(number), f"post {number}"), an_assessment(2, priority))
    drain(deliver)
    assert [text[-1] for text in posts(slack)] == ["2", "3", "1"]


def test_one_message_a_second(deliver: Deliver, slack: FakeSlack, store: Store, clock: ManualClock):
    """Ten cards take nine seconds of the channel's time."""
    for number in range(10):
        hear(store, a_mention(str(number)))
    drain(deliver)
    assert len(slack.messages) == 10
    assert 9 <= (clock.now() - NOW).total_seconds() < 11


def test_retry_after_is_obeyed_and_nothing_is_lost(
    deliver: Deliver, slack: FakeSlack, store: Store, clock: ManualClock
):
    """The job goes back until Slack's own time, and the channel rests; then it is posted once."""
    hear(store, a_mention())
    hear(store, a_mention("2"))
    slack.faults["chat.postMessage"] = [Fault({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": "30"})]
    drain(deliver)
    clock.advance(29)
    drain(deliver)
    assert len(slack.named("chat.postMessage")) == 1
    clock.advance(3)
    drain(deliver)
    assert len(slack.messages) == 2


def test_what_is_stale_by_then_stays_quiet(deliver: Deliver, slack: FakeSlack, store: Store, clock: ManualClock):
    """Slack was away for three days: what nobody would answer any more is not shown, what must be answered is."""
    old = hear(store, a_mention("1"))
    urgent = hear(store, a_mention("2"), an_assessment(3))
    clock.advance(3 * 86_400)
    drain(deliver)
    assert state_of(store, old) is State.QUIET
    assert state_of(store, urgent) is State.SHOWN
    assert len(slack.messages) == 1


def test_the_days_budget_is_kept(desk: Desk, client: WebClient, roster: Roster, slack: FakeSlack, store: Store):
    """The overflow stays quiet, and is counted as such."""
    small = Settings.model_validate({**desk.settings.model_dump(), "cards": {"per_day": 2}})
    deliver = Deliver(Desk(store, small, desk.platforms, desk.drafting, desk.clock), client, roster)
    numbers = [hear(store, a_mention(str(n)), an_assessment(2, 90.0 - n)) for n in range(4)]
    drain(deliver)
    assert [state_of(store, number) for number in numbers] == [State.SHOWN, State.SHOWN, State.QUIET, State.QUIET]
    assert len(slack.messages) == 2


def test_a_card_somebody_deleted_comes_back_while_it_waits(deliver: Deliver, slack: FakeSlack, store: Store):
    """What was heard is kept: an open conversation gets another card."""
    number = hear(store, a_mention())
    drain(deliver)
    slack.messages.clear()
    slack.faults["chat.update"] = [error("message_not_found")]
    decisions.claim(store, number, ANA, NOW)
    drain(deliver)
    view = store.card_view(number)
    assert view is not None
    assert view.message_ts == slack.messages[0]["ts"]


def test_a_deleted_card_that_is_settled_stays_away(deliver: Deliver, slack: FakeSlack, store: Store):
    """Nobody has to see what is done."""
    number = hear(store, a_mention())
    drain(deliver)
    slack.messages.clear()
    slack.faults["chat.update"] = [error("message_not_found")]
    decisions.hand_over(store, number, "to Eve", ANA, NOW)
    drain(deliver)
    assert not slack.messages
    assert store.take_job(NOW + timedelta(days=1)) is None


def test_an_edit_that_failed_is_made_again(deliver: Deliver, slack: FakeSlack, store: Store, clock: ManualClock):
    """Editing twice does no harm, so it is simply repeated."""
    number = hear(store, a_mention())
    drain(deliver)
    decisions.claim(store, number, ANA, NOW)
    slack.faults["chat.update"] = [
        Fault(hang_up=True),
        Fault({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": "2"}),
    ]
    wait_out(deliver, clock, 120)
    assert "Claimed by Ana Lima" in words_of(slack.messages[0]["blocks"])


def test_a_storm_of_edits_leaves_room_for_new_cards(
    deliver: Deliver, slack: FakeSlack, store: Store, clock: ManualClock
):
    """Edits go first, but never so that a new card has to wait for all of them; in the end all are made."""
    numbers = [hear(store, a_mention(str(n), f"post {n}")) for n in range(60)]
    drain(deliver)
    for number in numbers:
        decisions.claim(store, number, ANA, clock.now())
    hear(store, a_mention("urgent", "it burns"), an_assessment(3), now=clock.now())
    began = clock.now()
    while len(slack.messages) < 61:
        deliver.step()
    assert (clock.now() - began).total_seconds() < 5
    assert len(slack.named("chat.update")) <= 15  # ten at once, and fifty a minute
    wait_out(deliver, clock, 120)
    assert sum("Claimed by Ana Lima" in words_of(message["blocks"]) for message in slack.messages) == 60
    assert len(slack.named("chat.update")) == 60


def test_a_quiet_conversation_that_is_claimed_gets_its_card(deliver: Deliver, slack: FakeSlack, store: Store):
    """Bringing it into the channel is what claiming it means."""
    number = hear(store, a_mention(), an_assessment(1), cause="line")
    drain(deliver)
    assert not slack.messages
    decisions.claim(store, number, ANA, NOW)
    drain(deliver)
    assert "Claimed by Ana Lima" in words_of(slack.messages[0]["blocks"])


def test_copies_make_no_cards_of_their_own(deliver: Deliver, slack: FakeSlack, store: Store):
    """Two hundred who say the same stand on one card."""
    lead = a_mention("0")
    hear(store, lead)
    drain(deliver)
    for number in range(1, 6):
        hear(store, a_mention(str(number)), cause="copy", twin_of=lead)
    drain(deliver)
    assert len(slack.messages) == 1
    assert "+5 posts say the same" in words_of(slack.messages[0]["blocks"])


def test_the_digest_is_posted_once_per_day(deliver: Deliver, slack: FakeSlack, store: Store):
    """Asked for again the same day, it is not posted again."""
    hear(store, a_mention())
    drain(deliver)
    for _ in range(2):
        store.request_job(JobKind.DIGEST, "2026-03-02", now=NOW)
        drain(deliver)
    digests = [message for message in slack.messages if message["metadata"]["event_type"] == "digest"]
    assert len(digests) == 1
    assert "1 conversation waits for an answer" in digests[0]["text"]
    assert store.last_digest() == "2026-03-02"


def test_a_digest_that_may_be_there_is_not_doubled(
    deliver: Deliver, slack: FakeSlack, store: Store, clock: ManualClock
):
    """It is found by its date."""
    store.request_job(JobKind.DIGEST, "2026-03-02", now=NOW)
    slack.faults["chat.postMessage"] = [Fault(hang_up=True, acts=True)]
    wait_out(deliver, clock, 120)
    assert len(slack.messages) == 1
    assert store.digest_message("2026-03-02") == ("C0MAIN", slack.messages[0]["ts"])


def test_a_notice_goes_to_the_operators_channel(
    desk: Desk, client: WebClient, roster: Roster, slack: FakeSlack, store: Store
):
    """Where there is one; the words of a platform in it are harmless."""
    values = desk.settings.model_dump()
    values["slack"]["ops_channel"] = "C0OPS"
    deliver = Deliver(Desk(store, Settings.model_validate(values), {}, desk.drafting, desk.clock), client, roster)
    store.request_job(JobKind.NOTICE, "feed:hn", now=NOW, payload="hn does not hear: <!channel> HTTP 500")
    drain(deliver)
    assert slack.messages[0]["channel"] == "C0OPS"
    assert "&lt;!channel&gt;" in slack.messages[0]["text"]
    assert "<" not in words_of(slack.messages[0]["blocks"])


def test_home_is_published_to_its_person(deliver: Deliver, slack: FakeSlack, store: Store):
    """Mine and the team's, each with its way to the card."""
    number = hear(store, a_mention())
    drain(deliver)
    decisions.claim(store, number, ANA, NOW)
    store.request_job(JobKind.HOME, "U1", now=NOW)
    drain(deliver)
    published = slack.named("views.publish")[0]
    assert published["user_id"] == "U1"
    assert "my kettle leaks" in words_of(published["view"])


def test_a_bug_in_drawing_holds_up_nobody(
    deliver: Deliver, slack: FakeSlack, store: Store, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    """One poisoned job is tried again later; the others go on; the traceback is in the log."""
    hear(store, a_mention("1", "poison"), an_assessment(2, 90.0))
    hear(store, a_mention("2", "fine"))
    real = module.draw_card

    def draw(view, *others):  # noqa: ANN001, ANN002, ANN202
        if "poison" in view.mention.text:
            raise ZeroDivisionError("poisoned")
        return real(view, *others)

    monkeypatch.setattr(module, "draw_card", draw)
    drain(deliver)
    assert [text[-4:] for text in posts(slack)] == ["fine"]
    assert "poisoned" in caplog.text


def test_the_thread_wakes_works_and_stops(
    desk: Desk, client: WebClient, roster: Roster, slack: FakeSlack, store: Store
):
    """With the real clock: a wake-up is heard at once."""
    deliver = Deliver(Desk(store, desk.settings, desk.platforms, desk.drafting, SystemClock()), client, roster)
    deliver.start()
    hear(store, a_mention(), now=SystemClock().now())
    deliver.wake()
    deadline = time.monotonic() + 10
    while not slack.messages and time.monotonic() < deadline:
        time.sleep(0.01)
    deliver.stop()
    assert len(slack.messages) == 1


@hypothesis_settings(deadline=None)
@given(st.lists(st.floats(min_value=0, max_value=5), max_size=40), st.integers(1, 10))
def test_a_lane_never_goes_faster_than_it_may(gaps: list[float], burst: int):
    """In any stretch, at most the burst and one more each second."""
    pace, now, calls = Pace(), NOW, []
    for gap in gaps:
        now += timedelta(seconds=gap)
        now += timedelta(seconds=pace.wait("lane", now, 1.0, burst))
        pace.note("lane", now, 1.0)
        calls.append(now)
    for first in range(len(calls)):
        for last in range(first, len(calls)):
            seconds = (calls[last] - calls[first]).total_seconds()
            assert last - first + 1 <= burst + seconds + 0.001
