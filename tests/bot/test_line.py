"""Which conversations become a card."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.conversation import Conversation, State
from bot.line import judge, start_of_day, still_worth_showing
from bot.records import CardView
from tests.bot.flow_fixtures import NOW, Cards, assess, mention


def view(state: State = State.NEW, grade: int = 2, age: timedelta = timedelta(0)) -> CardView:
    """Return the view of a conversation that has waited for `age`."""
    heard_at = NOW - age
    conversation = Conversation(1, state, "place", "feed", "ana", "", 50.0, grade, heard_at, heard_at)
    return CardView(conversation, 1, mention("1"), assess("leaks"))


@pytest.mark.parametrize(
    ("text", "line", "shown", "cause"),
    [
        ("leaks [60]", 0.0, 0, ""),
        ("chatter [60]", 0.0, 0, "line"),
        ("leaks [60]", 61.0, 0, "budget"),
        ("leaks [60]", 60.0, 0, ""),
        ("leaks [60]", 0.0, 5, "budget"),
        ("urgent [1]", 99.0, 5, ""),
    ],
)
def test_each_cause_has_its_case(text: str, line: float, shown: int, cause: str) -> None:
    """Below one half is below the line, beyond the day's share is over the budget, and grade 3 always passes."""
    assert judge(assess(text), line, shown, per_day=5).cause == cause
    assert bool(judge(assess(text), line, shown, per_day=5)) is (cause == "")


def test_a_new_card_goes_stale_while_slack_is_away() -> None:
    """After two days a card that nobody saw is not worth showing, one hour before it is."""
    assert still_worth_showing(view(age=timedelta(hours=49)), NOW, 0, Cards()).cause == "stale"
    assert still_worth_showing(view(age=timedelta(hours=47)), NOW, 0, Cards())


def test_a_new_card_over_the_budget_stays_quiet() -> None:
    """The sixty-first card of the day is not posted."""
    assert still_worth_showing(view(), NOW, 60, Cards()).cause == "budget"
    assert still_worth_showing(view(), NOW, 59, Cards())


def test_what_must_be_answered_now_is_shown_however_late() -> None:
    """Grade 3 passes age and budget."""
    assert still_worth_showing(view(grade=3, age=timedelta(days=9)), NOW, 600, Cards())


@pytest.mark.parametrize("state", [state for state in State if state is not State.NEW])
def test_what_people_know_stays_in_sight(state: State) -> None:
    """A conversation that is past its first showing is never hidden by age or budget."""
    assert still_worth_showing(view(state, age=timedelta(days=9)), NOW, 600, Cards())


def test_the_day_begins_where_the_team_lives() -> None:
    """In Berlin the day of 23:30 UTC began at 23:00 UTC."""
    began = start_of_day(datetime(2026, 1, 5, 23, 30, tzinfo=UTC), "Europe/Berlin")
    assert began == datetime(2026, 1, 5, 23, 0, tzinfo=UTC)
