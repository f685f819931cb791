"""Where the line stands: simulated days meet their budget, with the best of the day, from the first day on."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from line_days import MONDAY, POLL, Day, Post, assess, live, mixed, write_days

from bot.clock import ManualClock
from bot.shares import Share
from bot.store import Store
from bot.store.volume import Pace, pace_of, spent_on, volume_of
from bot.volume import Candidate, Stand, Volume, candidate_of, say_stand
from listeners.mention import Author, Mention
from nlp.assessment import Assessment
from tests.bot.flow_fixtures import NOW, Cards, ExactGrouper, batch, build_intake, mention

HOUR = timedelta(hours=1)


def check_budget(days: list[Day], per_day: int) -> None:
    """Each day has its budget of cards, or all that needs a reply where that is less, give or take 15 %."""
    for day in days:
        urgent = sum(post.assessment.grade == 3 for post in day.shown)
        wanted = min(per_day, day.candidates)
        assert len(day.shown) >= 0.85 * wanted
        assert len(day.shown) <= 1.15 * wanted or len(day.shown) - urgent <= per_day - 0.5 * urgent
        assert len(day.shown) - urgent <= per_day


@pytest.mark.parametrize(("per_day", "seed"), [(60, 0), (200, 1), (500, 0)])
def test_weeks_meet_their_budget_with_the_best_of_each_day(per_day: int, seed: int):
    """A thousand mentions a day, weekends of less than half: the first day included, and settled from the second on."""
    days = live(write_days(seed, 14), per_day)[:14]
    check_budget(days, per_day)
    values = [day.value(per_day) for day in days]
    assert values[0] >= 0.8
    assert min(values[1:]) >= 0.9
    assert sum(values) / len(values) >= 0.96


def test_quiet_weekends_are_learned():
    """Where hardly anybody writes on a weekend it has all of its cards once one was seen."""
    days = live(write_days(3, 21, weekend=0.2), 60)[:21]
    check_budget([days[each] for each in (12, 13, 19, 20)], 60)


def test_room_is_kept_for_what_must_be_answered(monkeypatch: pytest.MonkeyPatch):
    """On days with forty-five posts of grade 3 these do not come on top of the budget."""
    monkeypatch.setattr("line_days.URGENT", 0.045)
    for day in live(write_days(0, 8), 60)[1:5]:
        urgent = sum(post.assessment.grade == 3 for post in day.shown)
        assert urgent > 30
        assert 51 <= len(day.shown) <= 69


def test_a_small_budget_is_met_beside_what_must_be_answered():
    """Five cards a day: grade 3 passes whatever else, and leaves that much less room."""
    for day in live(write_days(0, 14), 5)[:14]:
        urgent = sum(post.assessment.grade == 3 for post in day.shown)
        assert urgent == sum(post.assessment.grade == 3 for post in day.posts)
        assert min(5, urgent) <= len(day.shown) <= max(5, urgent) + 4
        assert len(day.shown) - urgent <= 5


@pytest.mark.parametrize("per_day", [60, 200])
def test_a_storm_leaves_the_budget_and_the_days_after_it_alone(per_day: int):
    """Four times the posts in an afternoon raise the line within the hour; it is not awaited a week later."""
    days = live(write_days(1, 18, storm=9), per_day)[:18]
    check_budget(days, per_day)
    assert days[9].candidates > 8 * days[8].candidates
    assert min(day.value(per_day) for day in days[10:16]) >= 0.9


def test_a_day_that_begins_late_has_its_cards():
    """Installed at ten in the morning, without any history, the day's budget still lasts until the evening."""
    for seed in range(3):
        first, *_ = days = live(write_days(seed, 4), 60, begins=10 * HOUR)[:4]
        check_budget(days, 60)
        assert max(post.at for post in first.shown).hour >= 20


def test_a_team_of_little_volume_sees_everything():
    """Where fewer posts need a reply than the budget has cards, every one of them gets one."""
    for day in live(write_days(2, 10, number=120), 60)[:10]:
        assert len(day.shown) == day.candidates


@pytest.mark.parametrize(("growth", "number"), [(1.06, 300), (0.92, 1_500)])
def test_a_trend_is_followed(growth: float, number: int):
    """Where each day brings six in a hundred more, or eight fewer, than the last, every day meets its budget."""
    days = live(write_days(0, 15, growth=growth, number=number), 60)[:15]
    check_budget(days, 60)
    assert min(day.value(60) for day in days[1:]) >= 0.88


@pytest.mark.parametrize(("before", "after"), [(60, 120), (120, 60)])
def test_another_budget_holds_on_the_same_day(before: int, after: int):
    """Changed at eleven in the morning, with the restart that takes, the day ends with the new number of cards."""
    eleven = MONDAY + timedelta(days=4, hours=11)
    days = live(
        write_days(3, 6),
        lambda now: before if now < eleven else after,
        restarts=lambda poll: MONDAY + (poll + 1) * POLL == eleven,
    )
    check_budget(days[1:4], before)
    check_budget(days[4:5], after)


@pytest.mark.parametrize("storm", [None, 9])
def test_a_quiet_brand_is_not_starved(storm: int | None):
    """Beside a brand with fifty times its posts, all of which rank higher, a small one still has its cards each day.

    So it has on the day of a storm, whose twenty-five posts of grade 3 leave little room.
    """
    quiet = [[replace(post, assessment=assess_low(post)) for post in day] for day in write_days(50, 12, number=30)]
    days = live(mixed(("loud", write_days(0, 12, number=1_500, storm=storm)), ("quiet", quiet)), 60)[:12]
    check_budget(days, 60)
    for day in days[1:]:
        wanted = [post for post in day.posts if post.brand == "quiet" and post.assessment.grade >= 2]
        shown = [post for post in day.shown if post.brand == "quiet"]
        assert len(shown) >= min(10, 0.5 * len(wanted))
    assert sum(day.value(60) for day in days) / 12 >= 0.9


def assess_low(post: Post) -> Assessment:
    """Return the assessment of a post that ranks below every other that needs a reply."""
    return assess(2, 5.0) if post.assessment.grade == 2 else post.assessment


@pytest.mark.parametrize("timezone", ["Asia/Kolkata", "America/Los_Angeles"])
def test_the_budget_is_that_of_the_teams_own_day(timezone: str):
    """Also where its midnight is not ours, nor on the hour."""
    days = live(write_days(3, 8), 60, timezone=timezone)
    check_budget(days[1:7], 60)


def test_restarts_change_nothing():
    """Cuecard that starts anew every half hour shows, post for post, what one that runs through shows."""
    written = write_days(4, 6)
    through, anew = live(written, 60), live(written, 60, restarts=lambda poll: poll % 3 == 0)
    assert [day.shown for day in anew] == [day.shown for day in through]


def a_volume(seed: int, hours: int, per_day: int = 60) -> tuple[Volume, datetime]:
    """Return what so many hours brought, four candidates in each, and the present."""
    rng = random.Random(seed)  # noqa: S311 - a simulation
    volume, now = Volume(per_day), MONDAY
    for number in range(4 * hours):
        now = MONDAY + HOUR * number / 4
        volume.add(now, Candidate(now, 100 * rng.random(), is_urgent=rng.random() < 0.05))
    return volume, now


@given(st.integers(0, 5), st.integers(1, 200), st.integers(0, 90), st.integers(0, 90))
def test_the_more_is_spent_the_higher_the_line(seed: int, hours: int, one: int, other: int):
    """At one moment a fuller channel never lowers the line, and the line is the priority of something heard."""
    volume, now = a_volume(seed, hours)
    less, more = (volume.stand(now, spent).line for spent in sorted((one, other)))
    assert 0 <= less <= more
    assert more in {0.0, *(each.priority for each in volume._newest)}


@given(st.integers(0, 3), st.integers(2, 60), st.integers(1, 100), st.integers(101, 300))
def test_a_larger_budget_has_a_lower_line(seed: int, hours: int, small: int, large: int):
    """Whoever wants to read more sees more."""
    narrow, now = a_volume(seed, hours, small)
    wide, _ = a_volume(seed, hours, large)
    assert wide.stand(now, 0).line <= narrow.stand(now, 0).line


def test_nothing_heard_has_no_line():
    """The first posts of all are judged by their need alone; so are those after many that need no reply."""
    volume = Volume(1)
    assert volume.stand(NOW, 0).line == 0.0
    for _ in range(100):
        volume.add(NOW, candidate_of(assess(0, 99.0), NOW))
    assert volume.stand(NOW + HOUR, 0) == Stand(0.0, 0.0, 0, 1)


def test_a_first_burst_is_shown():
    """In the first hour half of the budget may go at once: nobody knows yet what else the day brings."""
    volume = Volume(60)
    for second in range(40):
        volume.add(NOW + timedelta(seconds=second), Candidate(NOW, 50.0 + second))
    assert volume.stand(NOW + timedelta(minutes=2), 29).line == 0.0
    assert volume.stand(NOW + timedelta(minutes=2), 30).line > 50.0


def test_what_is_heard_late_did_not_come_all_at_once():
    """After hours without a connection a feed brings what was written meanwhile; that is no storm."""
    steady, now = a_volume(0, 100)
    late, _ = a_volume(0, 90)
    for number in range(360, 400):
        late.add(now, Candidate(MONDAY + HOUR * number / 4, 50.0))
    assert late.stand(now, 0).coming == pytest.approx(steady.stand(now, 0).coming, rel=0.05)


def test_a_clock_that_is_ahead_counts_now():
    """A post from the future, as its platform's clock has it, counts in the hour it was heard."""
    volume, now = a_volume(0, 50)
    before = volume.stand(now, 0).coming
    volume.add(now, Candidate(now + timedelta(days=3), 50.0))
    assert volume.stand(now, 0).coming > before
    assert max(volume._hours) * 3600 <= now.timestamp()


def test_memory_is_bounded():
    """Of months of posts the hours of three weeks and the newest candidates are kept."""
    volume = Volume(5)
    for hour in range(24 * 40):
        now = MONDAY + HOUR * hour
        volume.add(now, Candidate(now, 50.0))
        volume.stand(now, 0)
    assert len(volume._hours) <= 24 * 23
    assert len(volume._newest) <= 400


def test_where_the_line_stands_is_said_in_a_sentence():
    """What is used, what is expected, and what a card needs."""
    lead = "20 of today's 60 cards are used, and about 143 more posts that need a reply are expected today: "
    assert say_stand(Stand(71.3, 142.8, 20, 60)) == lead + "a card needs a priority of 71, or grade 3."
    assert say_stand(Stand(0.0, 142.8, 20, 60)) == lead + "for now all of them are shown."
    assert say_stand(Stand(80.0, 9.0, 60, 60)).endswith("only what must be answered now is still shown.")
    shares = {"Halcyon": Share(12.4, 3, 1.5), "": Share(0.0, 5, 2.0)}
    assert say_stand(Stand(71.3, 142.8, 20, 60, shares)) == (
        lead + "a card needs a priority of 71 (12 for Halcyon, 0 for posts without a brand), or grade 3."
    )


def test_a_store_gives_back_what_was_heard(store: Store):
    """After a restart the line stands where it stood: copies and what needs no reply counted for nothing."""
    clock = ManualClock(NOW)
    intake = build_intake(store, clock, grouper=ExactGrouper(), cards=Cards(per_day=3))
    for number in range(60):
        clock.advance(1_200)
        posts = [
            mention(f"{number}a", f"leaks [{number}]", created_at=clock.now(), author=Author(f"a{number}")),
            mention(f"{number}b", "same words [99]", created_at=clock.now(), author=Author(f"b{number}")),
            mention(f"{number}c", f"chatter {number}", created_at=clock.now(), author=Author(f"c{number}")),
        ]
        intake.take([batch(*posts)])
    running, now = intake._volume, clock.now() + timedelta(minutes=7)
    assert running is not None
    read = volume_of(store.read(), 3, "UTC", now)
    assert read.stand(now, 1) == running.stand(now, 1)
    assert len(read._newest) == 61
    assert read.stand(now, 1).line > 0


def test_an_empty_store_has_no_line(store: Store):
    """There is nothing to learn from before the first post."""
    assert volume_of(store.read(), 60, "UTC", NOW).stand(NOW, 0).line == 0.0


def test_cards_that_wait_for_slack_count_as_spent(store: Store):
    """While Slack is away the line leaves through what the day has room for, and what is better than all before it."""
    clock = ManualClock(NOW)
    intake = build_intake(store, clock, cards=Cards(per_day=4))
    shown = 0
    for number in range(30):
        clock.advance(1_300)
        post = mention(str(number), f"leaks [{50 + 7 * number % 30}]", created_at=clock.now())
        shown += intake.take([batch(post)]).shown
    assert 2 <= shown <= 7


def test_a_burst_of_a_quiet_brand_has_its_share_and_no_more(store: Store) -> None:
    """What comes at once passes one after the other: a lower line is not an open door."""
    clock = ManualClock(NOW - timedelta(days=2))
    intake = build_intake(store, clock, cards=Cards(per_day=20))
    for number in range(48):
        clock.advance(3_600)
        posts = [loud(f"{number}-{each}", clock, 50 + (7 * number + each) % 40) for each in range(8)]
        intake.take([batch(*posts)])
        for (conversation,) in store.read().execute("select id from conversation where state = 'new'").fetchall():
            store.record_message(conversation, "C1", f"1.{conversation}", clock.now())
    clock.advance(60)
    intake.take([batch(mention("q", "leaks [20]", brand="quiet", created_at=clock.now()))])
    clock.advance(60)
    burst = [mention(f"q{each}", "leaks [20]", brand="quiet", created_at=clock.now()) for each in range(50)]
    shown = intake.take([batch(*burst)]).shown
    assert 1 <= shown <= 5
    assert spent_on(store.read(), clock.now())["quiet"] >= shown


def loud(native_id: str, clock: ManualClock, priority: int) -> Mention:
    """Return a post of a loud brand."""
    return mention(native_id, f"leaks [{priority}]", brand="loud", created_at=clock.now())


def test_the_pace_of_a_usual_day(store: Store) -> None:
    """Posts, those that need a reply, and cards, a day; nothing is said before an hour is known."""
    clock = ManualClock(NOW)
    intake = build_intake(store, clock)
    assert pace_of(store.read(), NOW) is None
    intake.take([batch(mention("first"))])
    assert pace_of(store.read(), NOW + timedelta(minutes=30)) is None
    for number in range(1, 8):
        clock.advance(12 * 3_600)
        intake.take([batch(mention(f"{number}", created_at=clock.now()), mention(f"c{number}", f"chatter {number}"))])
    store.record_message(1, "C1", "1.1", NOW)
    assert pace_of(store.read(), NOW + timedelta(days=5)) == Pace(15 / 5, 8 / 5, 1 / 5)


def test_what_the_budget_has_gone_to(store: Store) -> None:
    """Cards posted today and those that wait for Slack, by brand."""
    build_intake(store).take([batch(*(mention(str(n), brand="one" if n else "") for n in range(3)))])
    store.record_message(1, "C1", "1.1", NOW)
    assert spent_on(store.read(), NOW) == {"": 1, "one": 2}
    assert spent_on(store.read(), NOW + timedelta(minutes=1)) == {"one": 2}
