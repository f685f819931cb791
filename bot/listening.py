"""The threads that hear: one per feed, and one that stores what they bring.

    feed threads ──batches──▶ bounded queue ──group commit──▶ intake thread

A feed resumes from the last cursor that was stored, so nothing is lost between a failure, or the end of the process,
and the next try. When the store is slow the queue fills and the feeds wait. A feed that fails goes on trying, ever less
often; once it has not been heard for long it is deaf, which is on record, told to the operator once, and told
again when it hears. A feed that fails for good is deaf at once and stays so; one that holds back on purpose is paused
at once, and says until when.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.backoff import next_try
from bot.clock import Clock
from bot.intake import Intake, IntakeReport
from bot.store import Store, feed_rows
from listeners.contract import Platform
from listeners.errors import ListenerError, Paused
from listeners.mention import Batch

log = logging.getLogger(__name__)

DEAF_AFTER = timedelta(minutes=10)
SILENT_AFTER = timedelta(hours=1)
GROUP_MENTIONS = 512
GROUP_SECONDS = 0.05
_QUEUED_BATCHES = 64
_PATIENCE = 0.2
_HELD_OUT = timedelta(minutes=1)
_TROUBLING = 3
_LOOK_EVERY = timedelta(seconds=30)
_SILENT = "It says nothing, not even that it listens."
_ENDED = "It ended without a word."


@dataclass(frozen=True, slots=True)
class Feed:
    """One opened feed: its name in the settings, its platform, and whether it comes to an end (`catalog.ends`).

    One that ends is a file that a person plays in: it is never deaf. Any other that says nothing for `silent_after`,
    not even with an empty batch that it listens, is; give one that looks rarely more time. `recheck_days` is for how
    long its posts are looked at again (`CatalogEntry`), `settings` a fingerprint of what it listens for.
    """

    name: str
    platform_name: str
    platform: Platform
    ends: bool = False
    silent_after: timedelta = SILENT_AFTER
    recheck_days: int | None = 0
    settings: str = ""


class FeedRunner:
    """Listens to one feed in a thread of its own, through failures, until it ends or is told to stop."""

    def __init__(
        self, feed: Feed, store: Store, clock: Clock, stop: threading.Event, give: Callable[[str, Batch], bool]
    ) -> None:
        """Take the feed, and `give`, which passes a batch on and returns False when it is time to stop."""
        self.feed = feed
        self.problem = ""
        self.paused_until: datetime | None = None
        self.is_over = False
        self.last_heard: datetime | None = None
        self.deaf_after = DEAF_AFTER
        self._store = store
        self._clock = clock
        self._stop = stop
        self._give = give
        self._attempts = 0
        self._began_at = clock.now()
        self._failing_since: datetime | None = None
        self._rng = random.Random()  # noqa: S311 - spreads waits, keeps no secret
        self.thread = threading.Thread(target=self.run, name=f"feed {feed.name}", daemon=True)

    def run(self) -> None:
        """Listen until the feed is over or told to stop."""
        self.last_heard = self._clock.now()
        try:
            while not self._stop.is_set() and self._listen_once():
                pass
        finally:
            self.is_over = not self._stop.is_set()

    def deaf_since(self, now: datetime) -> datetime | None:
        """Return since when this feed is to be taken for deaf, None while it hears or may yet.

        It is after failing for long, and after saying nothing for long; a file that is played in never is.
        """
        failing_since, last_heard = self._failing_since, self.last_heard
        if self.feed.ends or last_heard is None:
            return None
        if failing_since is not None and now - failing_since >= self.deaf_after:
            return failing_since
        return last_heard if now - last_heard >= self.feed.silent_after else None

    def _listen_once(self) -> bool:
        """Listen from the last stored cursor until it breaks off; wait as long as that asks for; True to go on."""
        error: Exception | None = None
        try:
            cursor = feed_rows.cursor_of(self._store.read(), self.feed.name)
            self._began_at = self._clock.now()
            with _closed_after(self.feed.platform.listen(cursor)) as batches:
                for batch in batches:
                    self._hear()
                    if not self._give(self.feed.name, batch):
                        return False
        except Exception as err:  # noqa: BLE001 - whatever a listener does, the feed is tried again and the others go on
            error = err
        if self._stop.is_set():
            return False
        if error is None and self.feed.ends:
            self._give(self.feed.name, Batch())  # an empty file was heard, too
            return False
        return self._fail(error)

    def _hear(self) -> None:
        """Note that the feed brought something; only one that holds out for a while may be tried soon again."""
        self._failing_since, self.paused_until, self.problem = None, None, ""
        self.last_heard = self._clock.now()
        if self.last_heard - self._began_at >= _HELD_OUT:
            self._attempts = 0

    def _fail(self, error: Exception | None) -> bool:
        """Record a failure and wait until the next try; return False where there is none."""
        now = self._clock.now()
        self._attempts += 1
        was_paused, self.paused_until = self.paused_until, error.until if isinstance(error, Paused) else None
        is_over = was_paused is not None and self.paused_until is None
        self._failing_since = now if is_over else self._failing_since or now
        self.problem = _sentence(error)
        log.warning(
            "The feed %s failed (attempt %d): %s",
            self.feed.name,
            self._attempts,
            self.problem,
            exc_info=error if error is not None and not isinstance(error, ListenerError) else None,
        )
        again_at = next_try(self._attempts, error, now, self._rng)
        self._record(now, is_final=again_at is None)
        if again_at is None:
            return False
        return not self._wait_until(again_at)

    def _record(self, now: datetime, *, is_final: bool) -> None:
        """Put the failure on record, as deafness once it lasts; a store that fails too is in the log."""
        since = now if (is_final or self.paused_until) and not self.feed.ends else self.deaf_since(now)
        try:
            with self._store.transaction() as db:
                if since is not None:
                    feed_rows.mark_deaf(db, self.feed.name, since, self.problem, now, paused_until=self.paused_until)
                else:
                    feed_rows.note_problem(db, self.feed.name, self.problem)
        except Exception:
            log.exception("The failure of the feed %s could not be put on record.", self.feed.name)

    def _wait_until(self, moment: datetime) -> bool:
        """Wait; return whether it is time to stop. A clock that is set back makes it no longer than twice as long."""
        before = self._clock.now()
        while not self._stop.is_set() and (left := (moment - before).total_seconds()) > 0:
            self._clock.wait(self._stop, left)
            now = self._clock.now()
            moment -= max(before - now, timedelta())
            before = now
        return self._stop.is_set()


class Listening:
    """All feeds, and the thread that stores what they bring."""

    def __init__(  # noqa: PLR0913 - everything it leans on is handed to it
        self,
        feeds: Sequence[Feed],
        intake: Intake,
        store: Store,
        clock: Clock,
        *,
        stop: threading.Event | None = None,
        on_report: Callable[[IntakeReport], None] | None = None,
        retire_others: bool = False,
    ) -> None:
        """Take the opened feeds and where their batches go.

        Args:
            feeds: the opened feeds.
            intake: stores what they bring.
            store: where the feeds' state is kept.
            clock: tells the time and waits.
            stop: set to stop everything; give the event that the feeds' own `pause` waits on.
            on_report: told after every transaction, in the intake thread; what was refused is its to tell.
            retire_others: these are all the feeds there are: no other is waited for any more.
        """
        self._intake = intake
        self._store = store
        self._clock = clock
        self._stop = stop or threading.Event()
        self._on_report = on_report
        self._retire_others = retire_others
        self._queue: queue.Queue[tuple[str, Batch]] = queue.Queue(_QUEUED_BATCHES)
        self._pending = 0
        self._settled = threading.Condition()
        self._looked_at: datetime | None = None
        self.runners = [FeedRunner(feed, store, clock, self._stop, self.give) for feed in feeds]
        self._thread = threading.Thread(target=self._store_all, name="intake", daemon=True)

    def start(self) -> None:
        """Make the feeds known to the store and begin to listen."""
        feeds = {runner.feed.name: runner.feed.platform_name for runner in self.runners}
        patience = {runner.feed.name: runner.feed.silent_after for runner in self.runners if not runner.feed.ends}
        settings = {runner.feed.name: runner.feed.settings for runner in self.runners}
        with self._store.transaction() as db:
            feed_rows.register_feeds(
                db,
                feeds,
                self._clock.now(),
                silent_after=patience,
                settings=settings,
                retire_others=self._retire_others,
            )
        self._intake.platforms |= feeds
        self._intake.replayed |= {runner.feed.name for runner in self.runners if runner.feed.ends}
        self._thread.start()
        for runner in self.runners:
            runner.thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Stop listening and close the feeds; what is queued and not stored will be heard again from the cursor."""
        self._stop.set()
        for runner in self.runners:
            try:
                runner.feed.platform.close()
            except Exception:
                log.exception("The feed %s did not close cleanly.", runner.feed.name)
        ends_at = time.monotonic() + timeout
        for thread in (*(runner.thread for runner in self.runners), self._thread):
            if thread.is_alive():
                thread.join(max(0.1, ends_at - time.monotonic()))

    def wait_until_drained(self, timeout: float | None = None) -> bool:
        """Wait until every feed that ends has ended and all it brought is stored; False when time ran out or stopped.

        `timeout` is in real seconds.
        """
        ends_at = None if timeout is None else time.monotonic() + timeout
        while not self._stop.is_set():
            is_over = all(runner.is_over for runner in self.runners if runner.feed.ends)
            with self._settled:
                if is_over and self._pending == 0:
                    return True
                self._settled.wait(0.05)
            if ends_at is not None and time.monotonic() >= ends_at:
                return False
        return False

    def problems(self) -> dict[str, str]:
        """Return what is wrong right now, by feed."""
        return {runner.feed.name: runner.problem for runner in self.runners if runner.problem}

    def give(self, feed: str, batch: Batch) -> bool:
        """Queue a batch to be stored, waiting for room; return False when it is time to stop."""
        with self._settled:
            self._pending += 1
        while not self._stop.is_set():
            with contextlib.suppress(queue.Full):
                self._queue.put((feed, batch), timeout=_PATIENCE)
                return True
        self._settle(1)
        return False

    def _settle(self, number: int) -> None:
        with self._settled:
            self._pending -= number
            self._settled.notify_all()

    def _store_all(self) -> None:
        """Store what is queued, in groups, until told to stop."""
        while not self._stop.is_set():
            group = self._next_group()
            if group and self._take(group):
                self._settle(len(group))
            self._look_for_silence()

    def _next_group(self) -> list[tuple[str, Batch]]:
        """Return what is queued: up to so many mentions, or what comes within a moment, for one transaction."""
        try:
            group = [self._queue.get(timeout=_PATIENCE)]
        except queue.Empty:
            return []
        ends_at = time.monotonic() + GROUP_SECONDS
        mentions = len(group[0][1].mentions)
        while mentions < GROUP_MENTIONS:
            try:
                group.append(self._queue.get(timeout=max(0.0, ends_at - time.monotonic())))
            except queue.Empty:
                break
            mentions += len(group[-1][1].mentions)
        return group

    def _take(self, group: list[tuple[str, Batch]]) -> bool:
        """Store a group, trying for as long as it takes: going on without it would lose it. False when stopped."""
        attempts = 0
        while not self._stop.is_set():
            try:
                report = self._intake.take(group)
            except Exception as err:
                attempts += 1
                log.exception("Storing %d batches failed (attempt %d).", len(group), attempts)
                again_at = next_try(attempts, None, self._clock.now(), random.Random())  # noqa: S311 - spreads waits
                if attempts == _TROUBLING:
                    self._note_failure(group, err)
                assert again_at is not None
                self._clock.wait(self._stop, min(30.0, (again_at - self._clock.now()).total_seconds()))
            else:
                _confirm(group)
                self._tell(report)
                return True
        return False

    def _note_failure(self, group: list[tuple[str, Batch]], error: Exception) -> None:
        """Try to put on record, for each feed, that what it brings cannot be stored."""
        now = self._clock.now()
        with contextlib.suppress(Exception), self._store.transaction() as db:  # the store may be what failed
            for feed in {feed for feed, _ in group}:
                feed_rows.mark_deaf(db, feed, now, f"What it brings cannot be stored ({type(error).__name__}).", now)

    def _tell(self, report: IntakeReport) -> None:
        """Pass a report on; whoever takes it cannot keep the next group from being stored."""
        try:
            if self._on_report is not None:
                self._on_report(report)
        except Exception:
            log.exception("What became of a group of mentions could not be told.")

    def _look_for_silence(self) -> None:
        """Put on record which feeds are deaf by now, though they wait for their next try or hang without a word."""
        now = self._clock.now()
        if self._looked_at is not None and abs(now - self._looked_at) < _LOOK_EVERY:
            return
        self._looked_at = now
        for runner in self.runners:
            since = runner.deaf_since(now)
            if since is None:
                continue
            try:
                with self._store.transaction() as db:
                    problem, until = runner.problem or _SILENT, runner.paused_until
                    feed_rows.mark_deaf(db, runner.feed.name, since, problem, now, paused_until=until)
            except Exception:
                log.exception("The silence of the feed %s could not be put on record.", runner.feed.name)


def _confirm(group: list[tuple[str, Batch]]) -> None:
    """Say of each batch that it is safely kept, where its sender waits for that word."""
    for feed, batch in group:
        if batch.stored is None:
            continue
        try:
            batch.stored()
        except Exception:
            log.exception("The feed %s could not take the word that its batch is stored.", feed)


@contextlib.contextmanager
def _closed_after(batches: Iterator[Batch]) -> Iterator[Iterator[Batch]]:
    """Yield what a listener brings, and let it clean up as soon as nobody listens to it any more."""
    try:
        yield batches
    finally:
        close = getattr(batches, "close", None)
        if callable(close):
            close()


def _sentence(error: Exception | None) -> str:
    """Say what went wrong; an error of a kind nobody foresaw is in the log with its traceback."""
    if error is None:
        return _ENDED
    if isinstance(error, ListenerError):
        return str(error)
    return f"Something unforeseen went wrong ({type(error).__name__}); the log says more."
