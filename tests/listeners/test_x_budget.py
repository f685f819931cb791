"""Every object is counted once, and listening holds back before the money is gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from clocks import Hands
from fake_x import OUR_HANDLE, FakeX
from stand import Serve
from stand_x import look, open_x, texts

from listeners.contract import FeedContext
from listeners.errors import RateLimited
from listeners.mention import Batch
from listeners.x.budget import Budget
from listeners.x.settings import Settings


def budget_of(hands: Hands, stored: int = 0, **settings: object) -> Budget:
    """A budget of a feed that spent so much before."""
    return Budget(Settings.model_validate({"handle": OUR_HANDLE, **settings}), lambda: stored, hands.now)


def told(*ids: str, user: str = "5") -> dict[str, object]:
    """An answer of X."""
    return {"data": [{"id": each} for each in ids], "includes": {"users": [{"id": user}], "tweets": [{"id": "8"}]}}


def test_everything_that_x_sends_is_counted(hands: Hands):
    """Posts, those they answer, and those who wrote them."""
    budget = budget_of(hands)
    budget.charge_posts(told("1", "2"))
    assert budget.take_untold() == 2 * 5_000 + 5_000 + 10_000
    assert budget.take_untold() == 0
    assert budget.spent() == 25_000


def test_our_own_mentions_cost_a_fifth(hands: Hands):
    """Their authors cost what they cost elsewhere."""
    budget = budget_of(hands)
    budget.charge_posts(told("1"), "own")
    assert budget.spent() == 1_000 + 5_000 + 10_000


def test_the_same_object_is_charged_once_a_day(hands: Hands):
    """As X does, until midnight in UTC."""
    budget = budget_of(hands)
    budget.charge_posts(told("1"))
    budget.charge_posts(told("1"))
    assert budget.spent() == 20_000
    hands.moment += timedelta(hours=13)
    budget.charge_posts(told("1"))
    assert budget.spent() == 40_000


def test_what_was_stored_and_what_was_not_are_never_counted_twice(hands: Hands):
    """The store learns of a batch some time after it was told."""
    stored = 3_000_000
    budget = Budget(Settings(handle=OUR_HANDLE), lambda: stored, hands.now)
    assert budget.spent() == 3_000_000
    budget.charge(500_000)
    assert budget.spent() == 3_500_000
    stored += 500_000
    assert budget.spent() == 3_500_000
    budget.charge_reply(10_000)
    assert budget.take_untold() == 500_000


def test_a_month_begins_anew(hands: Hands):
    """In UTC, whatever this process has spent before."""
    stored = 49_000_000
    budget = Budget(Settings(handle=OUR_HANDLE), lambda: stored, hands.now)
    budget.charge(2_000_000)
    assert budget.is_used_up()
    stored, hands.moment = 0, datetime(2026, 12, 1, tzinfo=UTC)
    assert not budget.is_used_up()
    assert budget.say() == "$0.00 of $50.00 spent this month"


def test_a_page_is_never_dearer_than_what_is_left(hands: Hands):
    """It is asked for fewer posts, then for none."""
    assert budget_of(hands, 0).room("post") == 100
    assert budget_of(hands, 49_000_000).room("post") == 40
    assert budget_of(hands, 49_000_000).room("own") == 47
    assert budget_of(hands, 49_000_000, expansions="none").room("post") == 100
    assert budget_of(hands, 99_000_000, budget_usd_per_month=0).room("post") == 100
    with pytest.raises(RateLimited, match="again from 1 December on") as caught:
        budget_of(hands, 49_900_000).room("post")
    assert caught.value.retry_after == timedelta(days=7, hours=12).total_seconds()


def test_money_is_said_in_dollars(hands: Hands):
    """For `cuecard check`."""
    assert budget_of(hands, 12_400_000).say() == "$12.40 of $50.00 spent this month"
    assert budget_of(hands, 12_400_000, budget_usd_per_month=0).say() == "$12.40 spent this month; no budget is set"


def test_listening_slows_down_once_and_recovers(serve: Serve, context: FeedContext, hands: Hands):
    """Own mentions go on; the notice comes once; in the next month all is heard, and the rest of the time is a gap."""
    fake = FakeX(now=hands.now)
    stored = [7_980_000]
    context = replace(context, spent=lambda: stored[0])
    feed = open_x(serve(fake), context, budget_usd_per_month=10, slow_at_percent=80, look_back_hours=24)
    fake.add("acme one")
    fake.add("acme two")
    (first,) = look(feed)
    assert first.cost_micros == 30_000
    assert not first.notices
    batches: list[Batch] = []
    listener = feed.listen(first.cursor)
    batches.append(next(listener))
    fake.add("acme four", 0)
    fake.add(f"acme @{OUR_HANDLE} five", 0)
    batches.append(next(listener))
    listener.close()
    assert texts(batches) == ["acme @kettle_care five"]
    (notice,) = [notice for batch in batches for notice in batch.notices]
    assert "80 % of this month's $10.00" in notice
    stopped_at, hands.moment, stored[0] = hands.moment, datetime(2026, 12, 1, 1, tzinfo=UTC), 0
    fake.add("acme six", 30)
    listener = feed.listen(batches[-1].cursor)
    again = next(listener)
    listener.close()
    assert "acme six" in texts([again])
    assert "acme four" not in texts([again])
    (gap,) = again.gaps
    assert abs(gap.start - stopped_at) < timedelta(minutes=3)
    assert gap.end == datetime(2026, 11, 30, 1, tzinfo=UTC)
    assert "budget" in gap.reason
    feed.close()


def test_listening_ends_before_the_budget_is_exceeded(serve: Serve, context: FeedContext, hands: Hands):
    """With a sentence and the time until the next month; X is not asked at all."""
    fake = FakeX(now=hands.now)
    server = serve(fake)
    prices = {"price_own_read": 0.05, "budget_usd_per_month": 1}
    feed = open_x(server, context, user_id="77", mode="mentions", **prices)
    for number in range(30):
        fake.add(f"@{OUR_HANDLE} {number}", author_id=str(100 + number))
        fake.add_user(str(100 + number), f"user{number}")
    fake.page_size = 2
    with pytest.raises(RateLimited, match="used up") as caught:
        look(feed)
    assert caught.value.retry_after is not None
    assert caught.value.retry_after > 86_400
    read = [native_id for kind, native_id in fake.billed if kind == "own"]
    assert 50_000 * len(read) + 10_000 * len(read) <= 1_000_000
    assert len(read) == len(set(read)) == 12
    asked = len(server.requests)
    with pytest.raises(RateLimited):
        look(feed)
    assert len(server.requests) == asked
    assert any(not finding.is_good and "used up" in finding.sentence for finding in feed.check())
    feed.close()


def test_nothing_is_asked_where_nothing_is_left(serve: Serve, context: FeedContext, hands: Hands):
    """Not even for our account's number, which costs a cent."""
    server = serve(FakeX(now=hands.now))
    feed = open_x(server, replace(context, spent=lambda: 50_000_000), mode="stream")
    with pytest.raises(RateLimited, match="used up"):
        look(feed)
    assert not server.requests


def test_a_small_budget_slows_down_before_it_ends(hands: Hands):
    """Where a search could not be paid any more, our own mentions still can."""
    budget = budget_of(hands, 780_000, budget_usd_per_month=1)
    assert budget.is_slow()
    assert not budget.is_used_up()
    assert budget.room("own") == 10
    assert not budget_of(hands, 10**9, budget_usd_per_month=0).is_slow()


def test_what_the_settings_price_is_what_is_counted(hands: Hands):
    """For the day X changes its prices."""
    budget = budget_of(hands, price_post_read=0.1, price_user_read=0)
    budget.charge_posts(told("1"))
    assert budget.spent() == 200_000
