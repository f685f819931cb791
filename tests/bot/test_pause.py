"""A feed that holds back on purpose, as when its budget is spent: paused until a moment, and not called deaf."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.clock import ManualClock
from bot.digest import build_digest
from bot.store import Store, feed_rows, reports
from listeners.errors import ListenerError, Paused, Permanent, RateLimited
from listeners.mention import Batch
from tests.bot.flow_fixtures import NOW, ScriptedPlatform
from tests.bot.test_listening import runner_for

UNTIL = NOW + timedelta(days=20)
SPENT = "The budget of $50.00 for this month is used up."


def pause() -> Paused:
    """Return what a feed raises whose budget is spent."""
    return Paused(SPENT, until=UNTIL, now=NOW)


def notice(store: Store) -> str:
    """Return what the operator is told of the feed: of what was not told yet, the newest."""
    (told,) = [told for (told,) in store.read().execute("select payload from job where kind = 'notice'")]
    return str(told)


def warnings(store: Store, clock: ManualClock) -> tuple[str, ...]:
    """Return what the digest says of the feeds."""
    with store.snapshot() as db:
        facts = reports.digest_facts(db, NOW - timedelta(days=1), clock.now() + timedelta(seconds=1), clock.now())
    return build_digest(facts).warnings


def test_a_pause_is_a_request_to_wait():
    """Whoever knows nothing of pauses waits until then."""
    assert isinstance(pause(), RateLimited)
    assert pause().retry_after == timedelta(days=20).total_seconds()


def test_a_pause_is_told_at_once_and_says_until_when(store: Store) -> None:
    """Nothing is broken: the operator, the digest and the feed's state say that it is paused, and why."""
    clock = ManualClock(NOW)
    runner_for(store, ScriptedPlatform([Batch(), pause()]), clock).run()
    assert notice(store) == f"feed is paused until 22 March 10:00 UTC: {SPENT}"
    (state,) = store.feed_states()
    assert (state.paused_until, state.unheard_since(NOW)) == (UNTIL, NOW)
    assert warnings(store, ManualClock(NOW + timedelta(hours=1))) == (
        f"feed is paused until Sun 22 Mar 10:00, not heard since Mon 02 Mar 10:00: {SPENT}",
    )


def test_a_pause_that_is_over_is_a_gap_still(store: Store) -> None:
    """What nobody heard is told, but not as deafness."""
    clock = ManualClock(NOW)
    runner_for(store, ScriptedPlatform([Batch(), pause()], [Batch()]), clock).run()
    assert notice(store) == "feed hears again."
    assert store.feed_states()[0].paused_until is None
    assert warnings(store, clock)[0].startswith("feed was paused from Mon 02 Mar 10:00 to ")


@pytest.mark.parametrize("error", [Permanent("The key is not taken."), RateLimited("Slow down.", retry_after=1200)])
def test_what_fails_after_a_pause_is_told_as_a_failure(store: Store, error: ListenerError) -> None:
    """The feed is deaf then, from the end of its pause on, and the operator hears of it once it lasts."""
    clock = ManualClock(NOW)
    scripts = [[Batch(), pause()], [error], [error]]
    runner_for(store, ScriptedPlatform(*scripts), clock).run()
    assert notice(store) == f"feed does not hear: {error}"
    (state,) = store.feed_states()
    assert state.paused_until is None
    assert state.deaf_since is not None
    assert state.deaf_since > NOW
    deaf, paused = warnings(store, clock)
    assert deaf.startswith("feed is deaf since ")
    assert paused.startswith("feed was paused from Mon 02 Mar 10:00 to ")


def test_a_feed_that_was_deaf_is_called_paused_once_it_is(store: Store) -> None:
    """The newest reason counts; one stretch that nobody heard is told once."""
    with store.transaction() as db:
        feed_rows.register_feeds(db, {"feed": "place"}, NOW)
        assert feed_rows.mark_deaf(db, "feed", NOW, "It is down.", NOW)
        assert not feed_rows.mark_deaf(db, "feed", NOW, SPENT, NOW, paused_until=UNTIL)
    assert "paused until Sun 22 Mar" in warnings(store, ManualClock(NOW + timedelta(hours=1)))[0]
