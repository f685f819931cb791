"""What happens by the clock."""

from __future__ import annotations

import itertools
import logging
import threading
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import decisions
from bot.clock import ManualClock
from bot.conversation import Actor, State
from bot.records import JobKind
from bot.scheduler import DAY_NAMES, Scheduler, Task, expire_old, house_tasks, next_digest, request_digest, tidy
from bot.store import Store
from tests.bot.flow_fixtures import NOW, batch, build_intake, mention, number_of, one

BERLIN = "Europe/Berlin"
ANA = Actor("U1", "Ana Lima")


@dataclass(frozen=True)
class Times:
    """When the digest comes."""

    at: str = "09:00"
    timezone: str = BERLIN
    days: tuple[str, ...] = DAY_NAMES[:5]


def utc(*parts: int) -> datetime:
    """Return a moment in UTC."""
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("now", "at", "last", "due"),
    [
        (utc(2026, 1, 5, 6), "09:00", None, utc(2026, 1, 5, 8)),
        (utc(2026, 7, 6, 6), "09:00", None, utc(2026, 7, 6, 7)),
        (utc(2026, 1, 5, 15), "09:00", None, utc(2026, 1, 5, 8)),
        (utc(2026, 1, 5, 15), "09:00", date(2026, 1, 5), utc(2026, 1, 6, 8)),
        (utc(2026, 1, 9, 15), "09:00", date(2026, 1, 9), utc(2026, 1, 12, 8)),
        (utc(2026, 1, 10, 15), "09:00", date(2026, 1, 8), utc(2026, 1, 12, 8)),
        (utc(2026, 1, 5, 23, 30), "09:00", date(2026, 1, 5), utc(2026, 1, 6, 8)),
    ],
    ids=["winter", "summer", "caught up", "sent", "weekend", "yesterday is over", "local date is tomorrow"],
)
def test_when_the_digest_is_due(now: datetime, at: str, last: date | None, due: datetime) -> None:
    """It is due at the local time of each working day, once, and today's is caught up on."""
    assert next_digest(now, at, BERLIN, DAY_NAMES[:5], last) == due


def test_a_time_that_the_clocks_skip() -> None:
    """On the last Sunday of March 02:30 does not exist in Berlin: the digest comes at 03:30 summer time."""
    due = next_digest(utc(2026, 3, 28, 23, 30), "02:30", BERLIN, DAY_NAMES, date(2026, 3, 28))
    assert due == utc(2026, 3, 29, 1, 30)
    assert due.astimezone(ZoneInfo(BERLIN)).hour == 3


def test_a_time_that_comes_twice() -> None:
    """On the last Sunday of October 02:30 comes twice in Berlin: the first counts, and the second is not another."""
    due = next_digest(utc(2026, 10, 24, 23), "02:30", BERLIN, DAY_NAMES, date(2026, 10, 24))
    assert due == utc(2026, 10, 25, 0, 30)
    again = next_digest(utc(2026, 10, 25, 1, 30), "02:30", BERLIN, DAY_NAMES, date(2026, 10, 25))
    assert again == utc(2026, 10, 26, 1, 30)


def test_no_days_is_no_digest() -> None:
    """An empty list of days turns it off."""
    assert next_digest(NOW, "09:00", BERLIN, (), None) is None


@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001 - made aware below
    st.times().map(lambda at: at.strftime("%H:%M")),
    st.sampled_from([BERLIN, "UTC", "America/Sao_Paulo", "Pacific/Apia", "Asia/Kathmandu", "Australia/Lord_Howe"]),
    st.sets(st.sampled_from(DAY_NAMES), min_size=1),
)
def test_one_digest_for_each_local_date(now: datetime, at: str, zone: str, days: set[str]) -> None:
    """Followed through a fortnight, no local date has two, none of its days is left out, and time goes forward."""
    moment, last, dates = now.replace(tzinfo=UTC), None, []
    for _ in range(10):
        due = next_digest(moment, at, zone, days, last)
        assert due is not None
        last = due.astimezone(ZoneInfo(zone)).date()
        dates.append(last)
        moment = max(moment, due)
    assert all(DAY_NAMES[each.weekday()] in days for each in dates)
    assert dates == sorted(set(dates))
    assert all((after - before).days <= 7 for before, after in itertools.pairwise(dates))


def test_the_digest_is_asked_for_once_a_day(store: Store) -> None:
    """However often the clock ticks, and although the job is done meanwhile, a local date has one digest."""
    clock = ManualClock(utc(2026, 3, 2, 7, 59))
    build_intake(store, clock).take([batch(mention("a"))])
    asked = []
    for _ in range(30):
        asked.append(request_digest(store, Times(), clock.now()))
        if job := store.take_job(clock.now(), [JobKind.DIGEST]):
            store.record_digest(job.key, "C1", "1.1", clock.now())
            store.finish_job(job, clock.now())
        clock.advance(3600)
    assert asked.count(True) == 2
    assert [asked.index(True), one(store, "select group_concat(local_date) from digest")] == [
        1,
        "2026-03-02,2026-03-03",
    ]


def test_a_digest_that_is_asked_for_and_not_posted_is_not_asked_for_again(store: Store) -> None:
    """While Slack is away the one job waits."""
    build_intake(store, ManualClock(NOW - timedelta(days=1))).take([batch(mention("a"))])
    assert [request_digest(store, Times(), NOW) for _ in range(2)] == [True, False]
    store.take_job(NOW, [JobKind.DIGEST])
    assert not request_digest(store, Times(), NOW)


def test_a_new_store_has_no_digest_to_catch_up_on(store: Store) -> None:
    """Installed in the afternoon, Cuecard does not tell of a morning it did not hear."""
    assert not request_digest(store, Times(), NOW)
    build_intake(store).take([batch(mention("a"))])
    assert not request_digest(store, Times(), NOW + timedelta(hours=1))
    assert request_digest(store, Times(), NOW + timedelta(days=1))


def test_a_snooze_ends(store: Store) -> None:
    """A snoozed conversation is back with its owner when its time has come, and no sooner."""
    build_intake(store).take([batch(mention("a"))])
    number = number_of(store, "a")
    store.record_message(number, "C1", "1.1", NOW)
    decisions.claim(store, number, ANA, NOW)
    assert decisions.snooze(store, number, NOW + timedelta(hours=1), ANA, NOW).is_done
    clock = ManualClock(NOW)
    scheduler = Scheduler(store, clock, house_tasks(Times(), timedelta(days=14)))
    states = []
    for _ in range(3):
        scheduler.run_due()
        found = store.conversation(number)
        assert found is not None
        states.append(found.state)
        clock.advance(1800)
    assert states == [State.SNOOZED, State.SNOOZED, State.CLAIMED]


def test_what_nobody_took_comes_to_rest(store: Store) -> None:
    """After a fortnight what was quiet or shown expires; what somebody holds does not."""
    build_intake(store).take([batch(mention("a"), mention("b", "chatter"), mention("c"))])
    decisions.claim(store, number_of(store, "c"), ANA, NOW)
    assert expire_old(store, timedelta(days=14), NOW + timedelta(days=13)) == 0
    assert expire_old(store, timedelta(days=14), NOW + timedelta(days=15)) == 2
    assert one(store, "select group_concat(state) from conversation order by id") == "expired,expired,claimed"


def test_more_than_one_portion_expires_in_one_turn(store: Store) -> None:
    """A storm's leftovers are worked off in several short transactions."""
    build_intake(store).take([batch(*(mention(str(each), "chatter") for each in range(1200)))])
    assert expire_old(store, timedelta(days=14), NOW + timedelta(days=15)) == 1200


def test_a_task_that_fails_is_told_and_the_others_go_on(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """The failure is in the log with its traceback and in one notice; the task has its next turn all the same."""
    turns: list[str] = []

    def fail(_: Store, now: datetime) -> None:
        turns.append(now.isoformat())
        raise RuntimeError("broken")

    clock = ManualClock(NOW)
    scheduler = Scheduler(
        store, clock, [Task("count sheep", 60, fail), Task("rest", 60, lambda *_: turns.append("ok"))]
    )
    with caplog.at_level(logging.ERROR):
        assert scheduler.run_due() == ["count sheep", "rest"]
        assert scheduler.run_due() == []
        clock.advance(60)
        scheduler.run_due()
    assert turns[1::2] == ["ok", "ok"]
    assert "Traceback" in caplog.text
    assert one(store, "select count(*) from job where kind = 'notice'") == 1
    assert "count sheep" in one(store, "select payload from job where kind = 'notice'")


def test_a_clock_set_back_an_hour_stops_no_task(store: Store) -> None:
    """What was to be done in five seconds is not put off for an hour."""
    clock, turns = ManualClock(NOW), []
    scheduler = Scheduler(store, clock, [Task("look", 5, lambda _store, now: turns.append(now))])
    scheduler.run_due()
    clock.advance(-3600)
    assert scheduler.run_due() == ["look"]
    clock.advance(2)
    assert scheduler.run_due() == []
    clock.advance(3)
    assert scheduler.run_due() == ["look"]


def test_the_thread_runs_and_stops(store: Store) -> None:
    """Started, it keeps all of the house's tasks going; stopped, it is gone soon."""
    clock = ManualClock(NOW)
    scheduler = Scheduler(store, clock, house_tasks(Times(), timedelta(days=14)))
    store.first_time("old", NOW - timedelta(days=3))
    scheduler.start()
    while one(store, "select count(*) from seen"):
        pass
    scheduler.stop()
    assert scheduler._thread is not None
    assert not scheduler._thread.is_alive()


def test_tidying_waits_for_those_who_write(store: Store) -> None:
    """The house is tidied while others write, without an error on either side."""
    stop = threading.Event()
    failed: list[Exception] = []

    def write() -> None:
        number = itertools.count()
        while not stop.is_set():
            try:
                store.first_time(f"delivery {next(number)}", NOW)
            except Exception as err:  # noqa: BLE001 - told by the test
                failed.append(err)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(30):
            tidy(store)
    finally:
        stop.set()
        writer.join()
    assert failed == []
