"""What happens by the clock: waking the snoozed, expiring the old, asking for the digest, keeping house.

The table of tasks is literal. Each task is a function of `(store, now)`; one that fails is logged, told to the
operator, and tried again at its next turn, and the others go on.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Protocol
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.records import JobKind
from bot.rhythm import find_silence
from bot.store import Store, erasure, feed_hours, feed_rows, reports

log = logging.getLogger(__name__)

DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def next_digest(now: datetime, at: str, timezone: str, days: Collection[str], last: date | None) -> datetime | None:
    """Return when the next digest is due, in UTC; a moment that has passed means now.

    Args:
        now: the present.
        at: the local time of day, 'HH:MM'.
        timezone: the team's time zone.
        days: on which days ('mon' … 'sun').
        last: the local date of the newest digest, None where there was none.

    Only today's digest is caught up on after downtime; one of a day that is over is not. None where `days` is empty.
    A local time that the clocks skip counts as the same span after midnight; of one that comes twice the first counts.
    """
    zone = ZoneInfo(timezone)
    today = now.astimezone(zone).date()
    moment = time.fromisoformat(at)
    for ahead in range(8):
        day = today + timedelta(days=ahead)
        if DAY_NAMES[day.weekday()] in days and (last is None or day > last):
            return datetime.combine(day, moment, zone).astimezone(UTC)
    return None


@dataclass(slots=True)
class Task:
    """Something to do every so many seconds; `next_at` is when it is due, None for at once."""

    name: str
    every: float
    run: Callable[[Store, datetime], object]
    next_at: datetime | None = field(default=None)

    def is_due(self, now: datetime) -> bool:
        """Return whether it is its turn; a turn too far ahead is from before the clock was set back."""
        return self.next_at is None or not timedelta() < self.next_at - now <= timedelta(seconds=self.every)


class DigestTimes(Protocol):
    """The part of the settings that says when the digest comes; `bot.config.DigestSettings` has it."""

    @property
    def at(self) -> str:
        """The local time of day, 'HH:MM'."""
        ...

    @property
    def timezone(self) -> str:
        """The time zone's name."""
        ...

    @property
    def days(self) -> Collection[str]:
        """The days, 'mon' … 'sun'."""
        ...


def house_tasks(digest: DigestTimes, expire_after: timedelta) -> list[Task]:
    """Return the table of everything that happens by the clock."""
    return [
        Task("wake the snoozed", 5, lambda store, now: store.wake_snoozed(now)),
        Task("ask for the digest", 10, lambda store, now: request_digest(store, digest, now)),
        Task("let the old rest", 600, lambda store, now: expire_old(store, expire_after, now)),
        Task("look for unusual silence", 300, lambda store, now: note_silences(store, ZoneInfo(digest.timezone), now)),
        Task("forget handled deliveries", 3600, lambda store, now: store.prune(now - timedelta(days=1))),
        Task("forget old hours", 86_400, forget_hours),
        Task("tidy the database", 86_400, lambda store, now: tidy(store)),  # noqa: ARG005 - the table's shape
    ]


class Scheduler:
    """The clock thread."""

    def __init__(self, store: Store, clock: Clock, tasks: Sequence[Task]) -> None:
        """Take the tasks; `house_tasks` returns them all."""
        self._store = store
        self._clock = clock
        self._tasks = list(tasks)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; every task has its first turn at once."""
        self._thread = threading.Thread(target=self._loop, name="scheduler", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Let the running task end, and stop."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def run_due(self) -> list[str]:
        """Give every task that is due its turn; return the names of those that had it."""
        now = self._clock.now()
        due = [task for task in self._tasks if task.is_due(now)]
        for task in due:
            task.next_at = now + timedelta(seconds=task.every)
            self._run(task, now)
        return [task.name for task in due]

    def _loop(self) -> None:
        while not self._stop.is_set():
            self.run_due()
            self._clock.wait(self._stop, 1.0)

    def _run(self, task: Task, now: datetime) -> None:
        """Run a task; its failure is the operator's to know, and no other task's concern."""
        try:
            task.run(self._store, now)
        except Exception as err:
            log.exception("The task %r failed.", task.name)
            with contextlib.suppress(Exception):  # the store itself may be what failed; the log has it
                sentence = f"Cuecard could not {task.name}: {type(err).__name__}. The log says more."
                self._store.request_job(JobKind.NOTICE, f"task:{task.name}", payload=sentence, now=now)


def request_digest(store: Store, digest: DigestTimes, now: datetime) -> bool:
    """Ask for today's digest where it is due and was not asked for; return whether it was asked for now.

    A store that had heard nothing before the digest's time, as on the day of the installation, has nothing to tell.
    """
    db = store.read()
    newest = reports.last_digest_day(db)
    due = next_digest(now, digest.at, digest.timezone, digest.days, date.fromisoformat(newest) if newest else None)
    if due is None or due > now:
        return False
    first = reports.first_heard_at(db)
    if newest is None and (first is None or first > due):
        return False
    local_date = due.astimezone(ZoneInfo(digest.timezone)).date().isoformat()
    store.request_job(JobKind.DIGEST, local_date, now=now)
    return True


def note_silences(store: Store, zone: tzinfo, now: datetime) -> list[str]:
    """Put on record, and tell the operator, which feeds answer but are unusually silent; return their names.

    A feed that nobody hears, or that is not waited for, is none of them.
    """
    found = []
    for feed in store.feed_states():
        is_heard = feed.silent_after is not None and feed.heard_at is not None and feed.unheard_since(now) is None
        if not is_heard or feed.quiet_since is not None:
            continue
        silence = find_silence(feed_hours.hours_of(store.read(), feed.name, now), now, zone)
        if silence is None:
            continue
        with store.transaction() as db:
            if feed_hours.mark_quiet(db, feed.name, silence, zone, now):
                found.append(feed.name)
    return found


def forget_hours(store: Store, now: datetime) -> None:
    """Forget the hours that no rhythm is learned from any more, and what feeds said in earlier months."""
    with store.transaction() as db:
        feed_hours.prune_hours(db, now)
        feed_rows.prune_told(db, now)


def expire_old(store: Store, after: timedelta, now: datetime) -> int:
    """Let rest what nobody took for so long, some at a time, so that nothing else waits for it; return how many."""
    number = 0
    for _ in range(20):
        expired = store.expire_unclaimed(now - after, now)
        number += len(expired)
        if not expired:
            break
    return number


def tidy(store: Store) -> None:
    """Keep the search index, the planner's statistics and the log of the database small."""
    with store.transaction() as db:
        erasure.tidy(db)
    erasure.checkpoint(store.read())
