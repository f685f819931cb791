"""Looking again, once a day, at the posts of platforms that tell of no edits and deletions by themselves.

    store ──due posts──▶ the platform's recheck() ──a batch──▶ the queue of what was heard ──▶ intake

One thread, at its own gentle pace, asks one feed after the other for the posts that have waited longest, at most a
hundred at a time. What it finds goes the way of everything that is heard: an edit gives a post its newer words, a
removal takes them away here, and that the posts were looked at is written in the same transaction.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.backoff import next_try
from bot.clock import Clock
from bot.listening import Feed
from bot.store import Store, feed_rows
from bot.store.rechecks import take_due
from listeners.errors import ListenerError
from listeners.mention import Batch, Mention

log = logging.getLogger(__name__)

LOOK_EVERY = timedelta(minutes=10)
"""How often a feed is asked about what has come due meanwhile: so the calls spread over the day as the posts did."""
PACE = timedelta(seconds=10)
"""The least time between two calls while more is due than one call takes, as after a stop of days."""
FIRST_AFTER = timedelta(minutes=1)
REFUSED_FOR = timedelta(days=1)
_TICK = 1.0
_REFUSED = "cannot look again at the posts it heard, so that edits and deletions are missed; it tries again in a day."


@dataclass(slots=True)
class _Turn:
    """A feed, when it is its turn, and how often it failed in a row."""

    feed: Feed
    next_at: datetime
    attempts: int = 0


class Rechecks:
    """The thread. A feed that fails waits ever longer; none of this keeps a feed from being heard."""

    def __init__(
        self,
        feeds: Sequence[Feed],
        store: Store,
        clock: Clock,
        give: Callable[[str, Batch], bool],
        stop: threading.Event | None = None,
    ) -> None:
        """Take the opened feeds, and `give` (`Listening.give`), which queues a batch to be stored."""
        self._store = store
        self._clock = clock
        self._give = give
        self._stop = stop or threading.Event()
        self._rng = random.Random()  # noqa: S311 - spreads waits, keeps no secret
        first_at = clock.now() + FIRST_AFTER
        self._turns = [_Turn(feed, first_at) for feed in feeds if feed.recheck_days != 0]
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, where there is a feed that needs it."""
        if self._turns:
            self._thread = threading.Thread(target=self._loop, name="recheck", daemon=True)
            self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Stop; closing the platforms first ends a call that is on its way."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def run_due(self) -> list[str]:
        """Give every feed whose turn it is one call; return the names of those whose platform was asked."""
        asked = []
        for turn in self._turns:
            now = self._clock.now()
            if self._stop.is_set():
                break
            if turn.next_at <= now or turn.next_at - now > REFUSED_FOR * 2:  # the latter: the clock was set back
                asked += [turn.feed.name] if self._take_turn(turn, now) else []
        return asked

    def _loop(self) -> None:
        while not self._stop.is_set():
            self.run_due()
            self._clock.wait(self._stop, _TICK)

    def _take_turn(self, turn: _Turn, now: datetime) -> bool:
        """Look again at what is due of a feed; return whether its platform was asked."""
        was_asked = False
        try:
            with self._store.transaction() as db:
                due = take_due(db, turn.feed.name, turn.feed.platform_name, now, turn.feed.recheck_days)
            turn.next_at = now + (PACE if due.has_more else LOOK_EVERY)
            if due.mentions:
                was_asked = True
                self._hand_in(turn.feed.name, due.mentions, turn.feed.platform.recheck(due.mentions))
        except Exception as err:  # noqa: BLE001 - whatever a platform does, the other feeds have their turn
            if not self._stop.is_set():
                self._fail(turn, err)
        else:
            turn.attempts = 0
        return was_asked

    def _hand_in(self, feed: str, asked: Sequence[Mention], found: Batch) -> None:
        """Pass on what was found, marked as what it is; a post that was told of was looked at."""
        edited, gone = {each.native_id for each in found.mentions}, {each.native_id for each in found.removals}
        told = {*found.checked, *edited, *gone}
        seen = tuple(mention.native_id for mention in asked if mention.native_id in told)
        if seen:
            self._give(feed, replace(found, checked=seen))
        elif found.cost_micros:
            with self._store.transaction() as db:
                feed_rows.write_spend(db, feed, found.cost_micros, self._clock.now())

    def _fail(self, turn: _Turn, error: Exception) -> None:
        """Wait as long as the failure asks for: a day, and told to the operator, where a person must act."""
        now = self._clock.now()
        turn.attempts += 1
        is_foreseen = isinstance(error, ListenerError)
        log.warning(
            "Looking again at posts of %s failed (attempt %d): %s",
            turn.feed.name,
            turn.attempts,
            error if is_foreseen else type(error).__name__,
            exc_info=None if is_foreseen else error,
        )
        again_at = next_try(turn.attempts, error, now, self._rng)
        turn.next_at = again_at or now + REFUSED_FOR
        if again_at is None:
            self._tell(turn.feed.name, f"{_REFUSED} {error}", now)

    def _tell(self, feed: str, sentence: str, now: datetime) -> None:
        try:
            with self._store.transaction() as db:
                feed_rows.write_notices(db, feed, [sentence], now)
        except Exception:
            log.exception("That %s refuses to look again could not be put on record.", feed)
