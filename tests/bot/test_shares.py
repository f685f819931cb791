"""What a quiet brand has of the day's cards beside a loud one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.shares import Shares

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
SINCE = NOON - timedelta(days=10)
HALF_A_DAY = timedelta(hours=12)


def shares_of(*brands: tuple[str, int, float], per_day: int = 60) -> Shares:
    """Return what so many candidates a day of each brand, of one priority each, come to."""
    shares = Shares(per_day)
    for hour in range(240):
        for name, number, priority in brands:
            for each in range(number):
                if each % 24 == hour % 24:
                    shares.add(name, priority, SINCE + timedelta(hours=hour))
    return shares


def test_one_brand_needs_no_share():
    """Where all posts are of one brand the line is one."""
    assert shares_of(("alone", 200, 50.0)).below(80.0, SINCE, NOON, HALF_A_DAY, {}) == {}


def test_a_day_with_room_needs_no_shares():
    """Without a line nobody is kept out."""
    assert shares_of(("loud", 200, 80.0), ("quiet", 4, 10.0)).below(0.0, SINCE, NOON, HALF_A_DAY, {}) == {}


def test_a_brand_below_the_line_has_its_own():
    """All that a quiet brand still brings today is let through, and so much room is kept for it."""
    (share,) = shares_of(("loud", 200, 80.0), ("quiet", 4, 10.0)).below(70.0, SINCE, NOON, HALF_A_DAY, {}).values()
    assert (share.line, share.left) == (0.0, 15)
    assert 1.5 < share.kept < 2.5


def test_a_brand_that_has_had_its_share_has_no_more():
    """Half of an equal share is what a brand can count on, and no card beyond."""
    shares = shares_of(("loud", 200, 80.0), ("quiet", 100, 10.0))
    assert shares.below(70.0, SINCE, NOON, HALF_A_DAY, {"quiet": 14})["quiet"].left == 1
    assert "quiet" not in shares.below(70.0, SINCE, NOON, HALF_A_DAY, {"quiet": 15})


def test_a_brand_that_passes_anyway_needs_no_share():
    """Brands that rank alike meet the same line, and nothing is kept aside."""
    shares = shares_of(("one", 100, 80.0), ("other", 100, 80.0))
    assert shares.below(70.0, SINCE, NOON, HALF_A_DAY, {}) == {}


def test_more_brands_than_cards_have_no_shares():
    """With five cards for ten brands the best of all are shown."""
    shares = shares_of(*((f"brand {each}", 5, 10.0 * each) for each in range(10)), per_day=5)
    assert shares.below(70.0, SINCE, NOON, HALF_A_DAY, {}) == {}


def test_a_brand_that_fell_silent_is_forgotten():
    """Three weeks after its last post a brand takes no share from the others."""
    shares = shares_of(("loud", 24, 80.0), ("gone", 4, 10.0))
    later = NOON + timedelta(days=30)
    shares.add("loud", 80.0, later)
    assert shares.below(70.0, SINCE, later, HALF_A_DAY, {}) == {}
    assert set(shares._brands) == {"loud"}


@given(
    st.lists(st.tuples(st.integers(1, 40), st.floats(0, 100)), min_size=1, max_size=5),
    st.floats(0, 100),
    st.integers(1, 80),
    st.dictionaries(st.integers(0, 4).map(str), st.integers(0, 40)),
)
def test_no_more_than_half_of_the_budget_is_kept_aside(
    brands: list[tuple[int, float]], line: float, per_day: int, spent: dict[str, int]
):
    """Whatever was heard and shown, shares are within the budget and their lines below the common one."""
    shares = shares_of(*((str(each), *brand) for each, brand in enumerate(brands)), per_day=per_day)
    found = shares.below(line, SINCE, NOON, HALF_A_DAY, spent)
    assert sum(share.kept for share in found.values()) <= per_day / 2
    for share in found.values():
        assert 0 <= share.line <= line
        assert share.left >= 1
        assert share.kept > 0
