"""App Home over feeds that are not surely heard."""

from __future__ import annotations

from dataclasses import replace

from fake_slack import words_of
from seeds import NOW

from bot.records import FeedState
from bot.slack.home import HomeView, draw_home, is_all_heard

HEARD = FeedState("hn", "hackernews", None, NOW, None, mentions=5)
QUIET = replace(HEARD, quiet_since=NOW)


def home_over(*feeds: FeedState) -> str:
    """Return what Home says over these feeds, with nothing that waits."""
    return words_of(draw_home(HomeView([], [], 0, feeds, lambda _channel, _ts: "", NOW)))


def test_home_never_gives_a_clean_bill_over_an_unusual_silence():
    """A feed that answers but brings nothing, though it usually does, is a doubt that stands beside 'nothing waits'."""
    said = home_over(HEARD, replace(QUIET, name="blog"))
    assert "not every feed is heard" in said
    assert "Nothing waits for an answer." not in said
    assert "*unusually silent since" in said
    assert said.index("blog") < said.index("hn")
    assert "Nothing waits for an answer." in home_over(HEARD)
    assert (is_all_heard([HEARD], NOW), is_all_heard([HEARD, QUIET], NOW)) == (True, False)


def test_a_feed_that_holds_back_is_paused_and_not_deaf():
    """Its budget is spent: until when it is paused, and why; it is no clean bill either."""
    said = home_over(replace(HEARD, deaf_since=NOW, paused_until=NOW, problem="The budget is used up."))
    assert "*paused until" in said
    assert "The budget is used up." in said
    assert "deaf" not in said
    assert "Nothing waits for an answer." not in said


def test_a_feed_that_is_deaf_is_not_only_silent():
    """The graver word wins."""
    said = home_over(replace(QUIET, deaf_since=NOW))
    assert "*deaf since" in said
    assert "silent" not in said
