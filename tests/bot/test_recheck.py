"""Looking again, once a day, at what was heard."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest

from bot.clock import ManualClock, SystemClock
from bot.conversation import State
from bot.listening import Feed, Listening
from bot.recheck import FIRST_AFTER, LOOK_EVERY, PACE, Rechecks
from bot.store import Store, feed_rows
from bot.store.rechecks import MOST, PUT_OFF
from listeners.errors import Permanent, RateLimited, Retryable
from listeners.mention import Batch, Mention, Removal
from tests.bot.flow_fixtures import NOW, MarkAssessor, ScriptedPlatform, build_intake, mention, number_of, one

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


class Place(ScriptedPlatform):
    """A platform that tells of edits and deletions only when asked; `texts` is what stands there now."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self.asked: list[list[str]] = []
        self.error: Exception | None = None
        self.cost_micros = 0
        self.strangers: tuple[Mention, ...] = ()

    def recheck(self, mentions: Sequence[Mention]) -> Batch:
        """Tell what became of the posts that stand there or stood there; of others nothing."""
        self.asked.append([each.native_id for each in mentions])
        if self.error is not None:
            raise self.error
        known = [each for each in mentions if each.native_id in self.texts]
        return Batch(
            (*(mention(each.native_id, self.texts[each.native_id]) for each in known), *self.strangers),
            cursor="not to be kept",
            removals=tuple(
                Removal("place", NOW, native_id=each.native_id) for each in known if not self.texts[each.native_id]
            ),
            checked=tuple(each.native_id for each in known),
            cost_micros=self.cost_micros,
        )


class Desk:
    """A store, a clock, a platform, and re-checks whose batches are stored at once."""

    def __init__(self, store: Store, days: int | None = 7) -> None:
        self.store = store
        self.clock = ManualClock(NOW)
        self.place = Place()
        self.assessor = MarkAssessor()
        self.intake = build_intake(store, self.clock, assessor=self.assessor)
        self.intake.platforms["feed"] = "place"
        self.feed = Feed("feed", "place", self.place, recheck_days=days)
        self.given: list[Batch] = []
        self.stop = threading.Event()
        self.rechecks = self.start()

    def start(self) -> Rechecks:
        """Begin, as a process does."""
        return Rechecks([self.feed], self.store, self.clock, self.give, self.stop)

    def give(self, feed: str, batch: Batch) -> bool:
        """Store a batch."""
        self.given.append(batch)
        self.intake.take([(feed, batch)])
        return True

    def hear(self, *mentions: Mention, feed: str = "feed") -> None:
        """Hear posts that stand on the platform."""
        self.place.texts |= {each.native_id: each.text for each in mentions}
        self.intake.take([(feed, Batch(mentions, cursor="c1"))])

    def wait(self, span: timedelta) -> None:
        """Let time go by, and look at once."""
        self.clock.advance(span.total_seconds())
        self.rechecks.run_due()


@pytest.fixture
def desk(store: Store) -> Desk:
    """Everything a re-check needs."""
    return Desk(store)


def test_a_post_is_looked_at_once_a_day(desk: Desk) -> None:
    """Not on the first day, then once on each, until the week is over."""
    desk.hear(mention("a"))
    for _ in range(10 * 24 * 6):
        desk.wait(LOOK_EVERY)
    assert desk.place.asked == [["a"]] * 7
    assert desk.assessor.calls == [1], "a post that did not change is not assessed again"


@pytest.mark.parametrize(("days", "looks"), [(0, 0), (2, 2), (None, 29)])
def test_for_as_long_as_the_platform_asks_for(store: Store, days: int | None, looks: int) -> None:
    """Never, for some days, or for as long as the text is kept."""
    desk = Desk(store, days)
    desk.hear(mention("a"))
    for _ in range(30 * 24):
        desk.wait(timedelta(hours=1))
    assert abs(len(desk.place.asked) - looks) <= 1
    assert bool(desk.place.asked) is bool(looks)


def test_an_edit_reaches_the_card_and_is_assessed(desk: Desk) -> None:
    """The post has its newer words, its way back is that of the feed that heard it, and the old words are kept."""
    desk.hear(mention("a", "my kettle leaks", reply_ref="ref", watches=("kettles",)))
    desk.place.texts["a"] = "urgent: my kettle burns"
    desk.wait(DAY + MINUTE)
    view = desk.store.card_view(number_of(desk.store, "a"))
    assert view is not None
    assert (view.mention.text, view.assessment.grade) == ("urgent: my kettle burns", 3)
    assert (view.mention.feed, view.mention.reply_ref, view.mention.watches) == ("feed", "ref", ("kettles",))
    assert one(desk.store, "select text from revision") == "my kettle leaks"


def test_a_post_that_is_gone_is_emptied_and_not_asked_for_again(desk: Desk) -> None:
    """The words go from here, the conversation rests, and nobody looks for it any more."""
    desk.hear(mention("a", "private words"))
    desk.place.texts["a"] = ""
    desk.wait(DAY + MINUTE)
    view = desk.store.card_view(number_of(desk.store, "a"))
    assert view is not None
    assert (view.is_removed, view.mention.text, view.conversation.state) == (True, "", State.EXPIRED)
    for _ in range(3):
        desk.wait(DAY)
    assert len(desk.place.asked) == 1


def test_a_recheck_is_no_sign_of_life_and_moves_no_cursor(desk: Desk) -> None:
    """A feed that is deaf stays so however well its posts are looked at again; its numbers stay what they were."""
    desk.hear(mention("a"))
    with desk.store.transaction() as db:
        feed_rows.mark_deaf(db, "feed", NOW, "It is down.", NOW)
    desk.wait(DAY + MINUTE)
    (state,) = desk.store.feed_states()
    assert desk.given != []
    assert (state.heard_at, state.deaf_since, state.cursor, state.mentions) == (NOW, NOW, "c1", 1)
    assert one(desk.store, "select count(*) from heard_hour") == 1


def test_a_platform_that_forgets_to_say_what_it_looked_at(desk: Desk) -> None:
    """What it tells of was looked at: such a batch is no sign of life either, and the post is not asked for at once."""
    desk.hear(mention("a"))
    desk.place.recheck = lambda _mentions: Batch((mention("a", "newer words"),), cursor="9")  # type: ignore[method-assign]
    desk.wait(DAY + MINUTE)
    (state,) = desk.store.feed_states()
    assert (state.heard_at, state.cursor, one(desk.store, "select text from mention")) == (NOW, "c1", "newer words")
    assert one(desk.store, "select check_at from mention") == (desk.clock.now() + DAY).timestamp()


def test_nobody_is_asked_after_the_stop(desk: Desk) -> None:
    """A platform that is being closed is left alone."""
    desk.hear(mention("a"))
    desk.stop.set()
    desk.wait(DAY + MINUTE)
    assert desk.place.asked == []


def test_a_post_that_nobody_heard_begins_nothing(desk: Desk) -> None:
    """What a platform tells beyond what it was asked is left out, and so is what was forgotten meanwhile."""
    desk.hear(mention("a"))
    desk.place.strangers = (mention("stranger"),)
    desk.wait(DAY + MINUTE)
    assert one(desk.store, "select count(*) from mention") == 1
    desk.intake.take([("feed", Batch((mention("stranger"),), checked=("stranger",)))])
    assert one(desk.store, "select count(*) from mention") == one(desk.store, "select count(*) from conversation") == 1


def test_at_most_a_hundred_at_a_time_the_longest_waiting_first(desk: Desk) -> None:
    """A backlog is worked off call by call, at a gentle pace, oldest first."""
    for minute in range(250):
        desk.hear(mention(f"{minute:03}"))
        desk.clock.advance(60)
    desk.wait(DAY)
    assert desk.place.asked == [[f"{minute:03}" for minute in range(MOST)]]
    desk.wait(PACE / 2)
    assert len(desk.place.asked) == 1
    desk.wait(PACE / 2)
    desk.wait(PACE)
    assert [len(asked) for asked in desk.place.asked] == [100, 100, 50]
    assert sorted(itertools.chain(*desk.place.asked)) == [f"{minute:03}" for minute in range(250)]


def test_posts_come_due_as_they_were_heard(desk: Desk) -> None:
    """What was heard over a day is looked at over the next one, not all at once."""
    for hour in range(24):
        desk.hear(mention(f"{hour:02}"))
        desk.clock.advance(3600)
    for _ in range(24 * 6):
        desk.wait(LOOK_EVERY)
    assert max(len(asked) for asked in desk.place.asked) == 1
    assert len(desk.place.asked) == 24


def test_posts_that_are_too_old_are_never_met_again(store: Store) -> None:
    """When its time is over a post is put aside for good, so that a million of them cost the next look nothing."""
    desk = Desk(store, days=2)
    desk.hear(*(mention(str(each)) for each in range(MOST * 3)))
    desk.wait(timedelta(days=30))
    assert desk.place.asked == []
    assert one(store, "select count(*) from mention where check_at > 1e300") == MOST * 3
    desk.hear(mention("new"))
    desk.wait(DAY + MINUTE)
    assert desk.place.asked == [["new"]]


def test_a_restart_asks_for_nothing_twice(desk: Desk) -> None:
    """What was looked at today is not looked at again because the process is new."""
    desk.hear(mention("a"))
    desk.wait(DAY + MINUTE)
    for _ in range(5):
        desk.rechecks = desk.start()
        desk.wait(FIRST_AFTER)
    assert len(desk.place.asked) == 1


def test_an_end_between_the_answer_and_the_store_costs_an_hour(desk: Desk) -> None:
    """Where the answer was lost, the same posts are asked for again, but not at once and not for ever."""
    desk.hear(mention("a"))
    desk.rechecks._give = lambda _feed, _batch: False
    desk.wait(DAY + MINUTE)
    desk.rechecks = desk.start()
    desk.wait(FIRST_AFTER)
    assert len(desk.place.asked) == 1
    desk.wait(PUT_OFF)
    assert len(desk.place.asked) == 2
    assert one(desk.store, "select check_at from mention") > (desk.clock.now() + DAY / 2).timestamp()


def test_a_post_that_is_never_answered_for_holds_nobody_up(desk: Desk) -> None:
    """A hundred posts that the platform says nothing of are asked for again in an hour; the others have their turn."""
    desk.hear(*(mention(f"mute{each}") for each in range(MOST)))
    desk.place.texts.clear()
    desk.clock.advance(60)
    desk.hear(mention("later"))
    desk.wait(DAY)
    desk.wait(PACE)
    assert [len(asked) for asked in desk.place.asked] == [100, 1]
    desk.wait(LOOK_EVERY)
    assert len(desk.place.asked) == 2
    desk.wait(PUT_OFF)
    assert [len(asked) for asked in desk.place.asked] == [100, 1, 100]


def test_a_wish_to_wait_is_obeyed(desk: Desk) -> None:
    """Asked to stay away for an hour, it does, and then goes on."""
    desk.hear(mention("a"))
    desk.place.error = RateLimited("Too many.", retry_after=7200)
    desk.wait(DAY + MINUTE)
    desk.wait(timedelta(minutes=110))
    assert len(desk.place.asked) == 1
    desk.place.error = None
    desk.wait(timedelta(minutes=30))
    assert len(desk.place.asked) == 2


def test_failures_come_ever_more_rarely(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """A platform that is down is tried a few times an hour, whatever breaks; the log has the reason."""
    desk.hear(*(mention(str(each)) for each in range(200)))
    for error in (Retryable("It is down."), KeyError("text")):
        desk.place.error, before = error, len(desk.place.asked)
        with caplog.at_level(logging.WARNING):
            desk.wait(DAY + MINUTE)
            for _ in range(3600):
                desk.wait(timedelta(seconds=1))
        assert 1 <= len(desk.place.asked) - before < 25
    assert "It is down." in caplog.text
    assert "KeyError" in caplog.text


def test_a_refusal_waits_a_day_and_is_told_once_a_month(desk: Desk) -> None:
    """Where a person must act, the operator is told that edits and deletions are missed, and nobody hammers."""
    desk.hear(mention("a"))
    desk.place.error = Permanent("The key was taken back.")
    desk.wait(DAY + MINUTE)
    for _ in range(9 * 24):
        desk.wait(timedelta(hours=1))
    assert 5 <= len(desk.place.asked) <= 9
    assert one(desk.store, "select payload from job where kind = 'notice'") == (
        "feed: cannot look again at the posts it heard, so that edits and deletions are missed; it tries again in a"
        " day. The key was taken back."
    )
    assert one(desk.store, "select count(*) from job where kind = 'notice'") == 1


def test_what_it_cost_is_written(desk: Desk) -> None:
    """Each look is counted, also one that found nothing out."""
    desk.hear(mention("a"))
    desk.place.cost_micros = 500
    desk.wait(DAY + MINUTE)
    assert desk.store.spent_in_month("feed", desk.clock.now()) == 500
    desk.place.texts.clear()
    desk.wait(DAY + MINUTE)
    assert desk.store.spent_in_month("feed", desk.clock.now()) == 1000


def test_posts_of_another_platform_under_the_same_name_are_left_alone(desk: Desk) -> None:
    """A feed whose name was given to another platform does not ask that one for the old posts; a later one may."""
    desk.intake.platforms["feed"] = "elsewhere"
    desk.hear(mention("old"))
    desk.intake.platforms["feed"] = "place"
    desk.hear(mention("new"))
    for _ in range(3):
        desk.wait(DAY + MINUTE)
    assert desk.place.asked == [["new"]] * 3


def test_posts_of_other_feeds_are_not_asked_for(desk: Desk) -> None:
    """Each feed is asked for what it heard itself."""
    desk.intake.platforms["other"] = "place"
    desk.hear(mention("theirs"), feed="other")
    desk.hear(mention("ours"))
    desk.wait(DAY + MINUTE)
    assert desk.place.asked == [["ours"]]


def test_a_clock_set_back_does_not_stop_it(desk: Desk) -> None:
    """A turn from a future that is no more is not waited for."""
    desk.hear(mention("a"))
    desk.wait(timedelta(days=400))
    desk.clock.advance(-timedelta(days=398).total_seconds())
    desk.hear(mention("b"))
    desk.wait(DAY + MINUTE)
    assert desk.place.asked[-1] == ["b"]


def test_it_runs_beside_the_listening_and_stops_with_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real thread hands its batches to the queue of what is heard; a call that hangs keeps nobody from ending."""
    monkeypatch.setattr("bot.recheck.FIRST_AFTER", timedelta())
    monkeypatch.setattr("bot.recheck._TICK", 0.01)
    desk = Desk(store)
    desk.hear(mention("a"))
    with store.transaction() as db:
        db.execute("update mention set heard_at = heard_at - 100000")
    desk.place.texts["a"] = "newer words"
    feed = Feed("feed", "place", desk.place, recheck_days=None)
    stop = threading.Event()
    listening = Listening([feed], desk.intake, store, SystemClock(), stop=stop)
    rechecks = Rechecks([feed], store, SystemClock(), listening.give, stop)
    listening.start()
    rechecks.start()
    wait_for(lambda: one(store, "select text from mention") == "newer words")
    is_asked = threading.Event()

    def hang(_mentions: Sequence[Mention]) -> Batch:
        is_asked.set()
        desk.place.is_closed.wait(20)
        raise Retryable("closed")

    desk.place.recheck = hang  # type: ignore[method-assign]
    with store.transaction() as db:
        db.execute("update mention set check_at = 0")
    rechecks._turns[0].next_at = NOW - timedelta(days=9999)
    assert is_asked.wait(5)
    began = time.monotonic()
    listening.stop()
    rechecks.stop()
    assert time.monotonic() - began < 3
    assert rechecks._thread is not None
    assert not rechecks._thread.is_alive()


def test_nothing_runs_where_no_platform_needs_it(store: Store) -> None:
    """A thread for feeds that tell of edits by themselves would be one too many."""
    rechecks = Rechecks([Feed("feed", "place", Place())], store, ManualClock(NOW), lambda _feed, _batch: True)
    rechecks.start()
    assert rechecks._thread is None
    rechecks.stop()


def wait_for(is_true: Callable[[], bool], seconds: float = 10) -> None:
    """Wait until something is true; fail when it never is."""
    ends_at = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < ends_at, "it never came true"
        time.sleep(0.005)
