"""The threads that hear."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.backoff import next_try, wait_seconds
from bot.clock import ManualClock, SystemClock
from bot.intake import Intake, IntakeReport
from bot.listening import Feed, FeedRunner, Listening
from bot.store import Store, feed_rows
from listeners import feeds
from listeners.contract import FeedContext
from listeners.errors import ListenerError, Permanent, RateLimited, Retryable, SettingRefused
from listeners.mention import Batch
from listeners.query import Watch, compile_watches
from tests.bot.flow_fixtures import NOW, ScriptedPlatform, build_intake, mention, one


def wait_for(is_true: Callable[[], bool], seconds: float = 10) -> None:
    """Wait until something is true; fail when it never is."""
    ends_at = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < ends_at, "it never came true"
        time.sleep(0.005)


@pytest.fixture
def running(store: Store) -> Iterator[Callable[..., Listening]]:
    """Start a listening over platforms by feed name; all are stopped at the end."""
    started: list[Listening] = []

    def start(
        platforms: dict[str, ScriptedPlatform],
        clock: ManualClock | SystemClock | None = None,
        intake: Intake | None = None,
        ends: Sequence[str] = (),
        on_report: Callable[[IntakeReport], None] | None = None,
    ) -> Listening:
        clock = clock or ManualClock(NOW)
        feeds = [Feed(name, "place", platform, name in ends) for name, platform in platforms.items()]
        listening = Listening(feeds, intake or build_intake(store), store, clock, on_report=on_report)
        started.append(listening)
        listening.start()
        return listening

    yield start
    for listening in started:
        listening.stop()


class StillClock(ManualClock):
    """A clock whose waits are real but short, and do not move the hands: only the test moves them."""

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Wait a moment."""
        return stop.wait(min(seconds, 0.005))


def speak_and_hang(platform: ScriptedPlatform) -> Iterator[Batch]:
    """Say once that one listens, and nothing more."""
    yield Batch()
    platform.is_closed.wait(20)


def runner_for(store: Store, platform: ScriptedPlatform, clock: ManualClock, *, ends: bool = False) -> FeedRunner:
    """Return a runner whose batches are stored at once, stopped when its platform has no more scripts."""
    stop = threading.Event()
    intake = build_intake(store, clock)

    def give(feed: str, batch: Batch) -> bool:
        intake.take([(feed, batch)])
        return True

    def listen_and_stop(cursor: str | None) -> Iterator[Batch]:
        if not platform.scripts:
            stop.set()
            return iter(())
        return listen(cursor)

    listen = platform.listen
    platform.listen = listen_and_stop  # type: ignore[method-assign]
    with store.transaction() as db:
        feed_rows.register_feeds(db, {"feed": "place"}, clock.now())
    return FeedRunner(Feed("feed", "place", platform, ends), store, clock, stop, give)


def test_what_is_heard_is_stored_and_the_end_is_told(store: Store, running: Callable[..., Listening]) -> None:
    """A feed that ends is drained: everything it brought is stored, its cursor at the end."""
    batches = [Batch((mention(str(each)),), cursor=str(each)) for each in range(300)]
    reports: list[IntakeReport] = []
    listening = running({"feed": ScriptedPlatform(batches)}, ends=["feed"], on_report=reports.append)
    assert listening.wait_until_drained(20)
    assert one(store, "select count(*) from mention") == 300
    assert feed_rows.cursor_of(store.read(), "feed") == "299"
    assert sum(report.new for report in reports) == 300
    assert len(reports) < 100, "batches are stored in groups"
    assert listening.problems() == {}


def test_a_report_that_cannot_be_told_stops_nothing(
    store: Store, running: Callable[..., Listening], caplog: pytest.LogCaptureFixture
) -> None:
    """A mistake in whoever is told of the reports is logged, and the next groups are stored."""

    def fail(_: IntakeReport) -> None:
        raise RuntimeError("no terminal")

    batches = [Batch((mention(str(each)),)) for each in range(2000)]
    with caplog.at_level(logging.ERROR):
        listening = running({"feed": ScriptedPlatform(batches)}, ends=["feed"], on_report=fail)
        assert listening.wait_until_drained(20)
    assert one(store, "select count(*) from mention") == 2000
    assert "no terminal" in caplog.text


def test_an_empty_file_was_heard_too(store: Store, running: Callable[..., Listening]) -> None:
    """A feed that ends without a word is not one that was never heard."""
    assert running({"feed": ScriptedPlatform([])}, ends=["feed"]).wait_until_drained(10)
    assert store.feed_states()[0].heard_at == NOW


def test_a_feed_resumes_from_the_stored_cursor(store: Store) -> None:
    """After a failure, and after a restart, listening goes on where storing ended."""
    platform = ScriptedPlatform([Batch(cursor="c1"), Retryable("reset")], [Batch(cursor="c2"), Retryable("reset")], [])
    runner_for(store, platform, ManualClock(NOW)).run()
    assert platform.cursors == [None, "c1", "c2"]
    again = ScriptedPlatform([])
    runner_for(store, again, ManualClock(NOW)).run()
    assert again.cursors == ["c2"]


def test_an_endless_feed_that_returns_backs_off(store: Store) -> None:
    """A listener that returns at once, again and again, is called ever more rarely."""
    clock = ManualClock(NOW)
    runner_for(store, ScriptedPlatform(*([] for _ in range(12))), clock).run()
    assert clock.now() - NOW > timedelta(minutes=10)


def test_a_feed_that_speaks_and_breaks_off_at_once_backs_off(store: Store) -> None:
    """One batch before each failure is no reason to hammer the platform."""
    clock = ManualClock(NOW)
    runner_for(store, ScriptedPlatform(*([Batch(), Retryable("reset")] for _ in range(12))), clock).run()
    assert clock.now() - NOW > timedelta(minutes=10)


def test_a_platforms_retry_after_is_obeyed(store: Store) -> None:
    """Asked to stay away for twenty minutes, the feed does."""
    clock = ManualClock(NOW)
    runner_for(store, ScriptedPlatform([RateLimited("Too many.", retry_after=1200)]), clock).run()
    assert clock.now() - NOW >= timedelta(minutes=20)


def test_a_long_wait_is_deafness_too(store: Store, running: Callable[..., Listening]) -> None:
    """While a feed only waits to be tried again it hears nothing, and that is told in time."""
    clock = StillClock(NOW)
    platform = ScriptedPlatform([RateLimited("Too many.", retry_after=3000)])
    running({"feed": platform}, clock)
    wait_for(lambda: store.feed_states()[0].problem == "Too many.")
    clock.advance(11 * 60)
    wait_for(lambda: store.feed_states()[0].deaf_since == NOW)
    assert one(store, "select payload from job where kind = 'notice'") == "feed does not hear: Too many."
    assert len(platform.cursors) == 1


def test_hanging_after_a_failure_is_deafness(store: Store, running: Callable[..., Listening]) -> None:
    """A feed that failed once and then hangs is not taken for well because it does not fail again."""
    clock = StillClock(NOW)
    platform = ScriptedPlatform([Retryable("reset")])
    running({"feed": platform}, clock)
    wait_for(lambda: store.feed_states()[0].problem == "reset")
    clock.advance(60)
    wait_for(lambda: len(platform.cursors) == 2)
    clock.advance(600)
    wait_for(lambda: store.feed_states()[0].deaf_since == NOW)


def test_a_clock_set_back_an_hour_keeps_no_feed_waiting(store: Store) -> None:
    """A feed that was to be tried again in a second is not left alone until that hour comes again."""
    waits: list[float] = []

    class SetBackOnce(ManualClock):
        """Goes back an hour during the first wait."""

        def wait(self, stop: threading.Event, seconds: float) -> bool:
            """Wait."""
            waits.append(seconds)
            if len(waits) == 1:
                self.advance(-3600)
            return super().wait(stop, seconds)

    clock = SetBackOnce(NOW)
    runner_for(store, ScriptedPlatform([Retryable("reset")], [Batch()]), clock).run()
    assert store.feed_states()[0].heard_at is not None
    assert sum(waits) < 60


def test_a_short_failure_is_no_deafness(store: Store) -> None:
    """A feed that is heard again within minutes made no gap; its problem was on record while it lasted."""
    clock = ManualClock(NOW)
    runner_for(store, ScriptedPlatform([Retryable("reset")], [Retryable("reset")]), clock).run()
    assert store.feed_states()[0].problem == "reset"
    runner_for(store, ScriptedPlatform([Batch()]), clock).run()
    assert one(store, "select count(*) from gap") == one(store, "select count(*) from job") == 0


def test_a_long_failure_is_one_gap_one_notice_and_one_recovery(store: Store) -> None:
    """However often it fails, deafness is told once; the first batch ends it, which is told once."""
    clock = ManualClock(NOW)
    runner_for(store, ScriptedPlatform([Batch()], *([Retryable("down")] for _ in range(30))), clock).run()
    (state,) = store.feed_states()
    assert state.deaf_since == NOW
    assert one(store, "select count(*) from gap where ended_at is null") == 1
    assert one(store, "select count(*) from job where kind = 'notice'") == 1
    job = store.take_job(clock.now())
    assert job is not None
    store.finish_job(job, clock.now())
    runner_for(store, ScriptedPlatform([Batch(), Batch()]), clock).run()
    assert store.feed_states()[0].deaf_since is None
    assert one(store, "select count(*) from gap where ended_at is null") == 0
    assert one(store, "select payload from job where kind = 'notice' and state = 'pending'") == "feed hears again."


def test_a_feed_whose_address_never_answers_turns_deaf(store: Store) -> None:
    """A real feed on an address where nobody listens: never heard, and after some minutes deaf."""
    clock, stop = ManualClock(NOW), threading.Event()
    watches = compile_watches([Watch("kettles", "Acme", "kettle")])
    context = FeedContext("feed", watches, lambda seconds: clock.wait(stop, seconds), clock.now)
    settings = {"urls": ["http://127.0.0.1:9/"], "allow_hosts": ["127.0.0.1:9"]}
    platform = feeds.open_platform(settings, context)
    listen, tries = platform.listen, iter(range(12))

    def listen_and_stop(cursor: str | None) -> Iterator[Batch]:
        if next(tries, None) is None:
            stop.set()
        return listen(cursor)

    platform.listen = listen_and_stop  # type: ignore[method-assign]
    intake = build_intake(store, clock)
    with store.transaction() as db:
        feed_rows.register_feeds(db, {"feed": "feeds"}, clock.now())
    give = lambda feed, batch: intake.take([(feed, batch)]) is not None  # noqa: E731 - one line says it
    FeedRunner(Feed("feed", "feeds", platform), store, clock, stop, give).run()
    (state,) = store.feed_states()
    assert (state.heard_at, state.deaf_since) == (None, NOW)
    assert [feed.name for feed in store.digest_facts(NOW, clock.now(), clock.now()).never_heard] == ["feed"]


@pytest.mark.parametrize("error", [Permanent("The key was taken back."), SettingRefused("No such group.", key="group")])
def test_a_feed_that_fails_for_good_is_deaf_at_once(store: Store, error: ListenerError) -> None:
    """It is not tried again, and the digest and the operator know."""
    platform = ScriptedPlatform([error], [Batch()])
    runner = runner_for(store, platform, ManualClock(NOW))
    runner.run()
    assert (len(platform.cursors), runner.is_over) == (1, True)
    assert store.feed_states()[0].deaf_since == NOW
    assert one(store, "select payload from job where kind = 'notice'") == f"feed does not hear: {error}"


def test_a_mistake_in_a_listener_is_survived(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """An error of no known kind is logged with its traceback, on record in plain words, and tried again."""
    platform = ScriptedPlatform([KeyError("text")], [Batch((mention("a"),))])
    with caplog.at_level(logging.WARNING):
        runner_for(store, platform, ManualClock(NOW)).run()
    assert "Traceback" in caplog.text
    assert one(store, "select count(*) from mention") == 1
    runner_for(store, ScriptedPlatform([KeyError("secret words")]), ManualClock(NOW)).run()
    assert store.feed_states()[0].problem == "Something unforeseen went wrong (KeyError); the log says more."


def test_one_broken_feed_does_not_stop_the_others(store: Store, running: Callable[..., Listening]) -> None:
    """Beside a feed that fails for good and one that always fails, the third is heard."""
    platforms = {
        "dead": ScriptedPlatform([Permanent("no")]),
        "sick": ScriptedPlatform(*([ValueError("x")] for _ in range(1000))),
        "well": ScriptedPlatform([Batch((mention("a"),))]),
    }
    running(platforms, StillClock(NOW))
    wait_for(lambda: one(store, "select count(*) from mention") == 1)


def test_silence_is_deafness(store: Store, running: Callable[..., Listening]) -> None:
    """A feed that hangs, without an error and without a word, is deaf after an hour."""
    clock = StillClock(NOW)
    platform = ScriptedPlatform()
    platform.listen = lambda cursor: speak_and_hang(platform)  # type: ignore[method-assign] # noqa: ARG005
    running({"feed": platform}, clock)
    wait_for(lambda: store.feed_states()[0].heard_at is not None)
    clock.advance(59 * 60)
    time.sleep(0.3)
    assert store.feed_states()[0].deaf_since is None
    clock.advance(2 * 60)
    wait_for(lambda: store.feed_states()[0].deaf_since == NOW)
    assert one(store, "select payload from job where kind = 'notice'").startswith("feed does not hear: It says nothing")


def test_a_store_that_fails_holds_the_feed_back_and_loses_nothing(
    store: Store, running: Callable[..., Listening], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """While nothing can be stored, the queue is bounded and no later cursor gets ahead; then all of it is stored."""
    intake = build_intake(store)
    take, is_broken = intake.take, threading.Event()
    is_broken.set()

    def take_or_fail(batches: Sequence[tuple[str, Batch]]) -> IntakeReport:
        if is_broken.is_set():
            raise OSError("disk full")
        return take(batches)

    monkeypatch.setattr(intake, "take", take_or_fail)
    given: list[int] = []

    def batches() -> Iterator[Batch]:
        for each in range(3000):
            given.append(each)
            yield Batch((mention(str(each)),), cursor=str(each))

    platform = ScriptedPlatform()
    platform.listen = lambda cursor: batches()  # type: ignore[method-assign] # noqa: ARG005
    with caplog.at_level(logging.CRITICAL):
        listening = running({"feed": platform}, StillClock(NOW), intake, ends=["feed"])
        time.sleep(0.5)
        assert len(given) < 1200
        assert feed_rows.cursor_of(store.read(), "feed") is None
        is_broken.clear()
        assert listening.wait_until_drained(20)
    assert one(store, "select count(*) from mention") == 3000


def test_stopping_is_prompt(store: Store) -> None:
    """Feeds that wait, back off or are blocked on a full queue all end within moments, and are closed."""
    platforms = {
        "hanging": ScriptedPlatform([Batch()]),
        "failing": ScriptedPlatform([RateLimited(retry_after=9999)]),
        "chatty": ScriptedPlatform([Batch((mention(str(each)),)) for each in range(100_000)]),
    }
    feeds = [Feed(name, "place", platform) for name, platform in platforms.items()]
    listening = Listening(feeds, build_intake(store), store, SystemClock())
    listening.start()
    time.sleep(0.3)
    began = time.monotonic()
    listening.stop()
    assert time.monotonic() - began < 3
    assert not any(runner.thread.is_alive() for runner in listening.runners)
    assert not listening._thread.is_alive()
    assert all(platform.is_closed.is_set() for platform in platforms.values())
    assert not listening.wait_until_drained(1)


def test_waiting_for_the_end_gives_up_in_time(running: Callable[..., Listening]) -> None:
    """A file that does not end is not waited for beyond the time given."""
    listening = running({"feed": ScriptedPlatform()}, ends=["feed"])
    assert not listening.wait_until_drained(0.2)


@given(st.integers(1, 1000), st.integers())
def test_the_wait_grows_and_stays_bounded(attempts: int, seed: int) -> None:
    """Between half and all of the doubled wait, never more than five minutes, never nothing."""
    full = min(300.0, 2.0 ** min(attempts - 1, 30))
    assert full / 2 <= wait_seconds(attempts, random.Random(seed)) <= full  # noqa: S311 - spreads waits


@given(st.integers(1, 50), st.floats(allow_nan=True, allow_infinity=True), st.integers())
def test_any_retry_after_can_be_lived_with(attempts: int, seconds: float, seed: int) -> None:
    """A platform's nonsense (negative, endless, not a number) never makes a hot loop or an endless wait."""
    again = next_try(attempts, RateLimited(retry_after=seconds), NOW, random.Random(seed))  # noqa: S311 - spreads waits
    assert again is not None
    assert timedelta(seconds=0.5) <= again - NOW <= timedelta(days=1.1)
    if 0 <= seconds <= 86_400:
        assert again - NOW >= timedelta(seconds=seconds) - timedelta(milliseconds=1)
