"""How one feed of X hears: by the stream, by looks, or by looks at our own mentions alone.

    stream:    rules ▶ connect ▶ look (what was missed) ▶ lines … look again once the search knows of the last seconds
    by looks:  search and own mentions, each at its own pace

Either turns into looks at our own mentions, which are cheap, while money is short. One call of `listen` holds one
connection; what ends it is raised, and the next call begins with a look at what was missed.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final, TypeAlias

from listeners.contract import FeedContext
from listeners.errors import ListenerError, RateLimited, Retryable
from listeners.funnel import EndedError
from listeners.mention import Batch
from listeners.pacing import Pacer, spread
from listeners.text import decode_json
from listeners.x.budget import Budget, objects_in
from listeners.x.client import Client
from listeners.x.looks import Looker, wanted
from listeners.x.problems import STREAM_TAKEN, LostError, ProblemError, read_problem, translate
from listeners.x.rule_book import Rule, RuleBook
from listeners.x.run import PER_BATCH, Left, Run
from listeners.x.settings import Keys, Settings
from listeners.x.stream import Connects, Stream

_BREATH: Final = 0.05
_LINE_WAIT: Final = 0.5
_QUIET_SECONDS: Final = 60.0
_PATIENCE: Final = timedelta(minutes=30)
"""For how long looks beside a stream that hears may fail: twice the window of X's limits."""
_SEARCH_PACE: Final = 900 / 400
"""Seconds from one search to the next: X allows 450 in 15 minutes (https://docs.x.com/x-api/fundamentals/rate-limits)."""

UntilStop: TypeAlias = Generator[Batch, None, bool]
"""Yields batches, and returns True where listening must stop, False where it must go on in another way."""


class Hearing:
    """Listens to one feed of X."""

    def __init__(  # noqa: PLR0913, PLR0917 - everything it leans on is handed to it
        self,
        settings: Settings,
        keys: Keys,
        context: FeedContext,
        budget: Budget,
        rules: Sequence[Rule],
        queries: Sequence[str],
    ) -> None:
        """Take the feed, and what its watches ask of X; nothing is asked yet."""
        self._settings = settings
        self._keys = keys
        self._context = context
        self._budget = budget
        self._rules = rules
        self._queries = queries
        self._client = Client(settings, keys, context.now)
        self._looker = Looker(self._client, settings, budget, context.now)
        self._book = RuleBook(self._client, settings, context.feed)
        self._pacer = Pacer(context.pause)
        self.connects = Connects(context.now)
        self._stream: Stream | None = None
        self._left: Left | None = None

    def listen(self, cursor: str | None) -> Iterator[Batch]:
        """Listen until told to stop; see `Listens`."""
        queries = () if self._settings.mode == "mentions" else self._queries
        left, self._left = self._left, None
        run = Run(self._settings, self._context, self._looker, self._budget, queries, cursor, left)
        try:
            while not self._pacer.is_closed():
                is_live = self._settings.mode == "stream" and bool(self._rules) and not run.is_slow()
                must_stop = yield from (self._hear_live(run) if is_live else self._hear_by_looks(run))
                if must_stop:
                    return
        except ListenerError:
            self._left = run.leave()
            raise

    def is_connected(self) -> bool:
        """Whether the stream is ours right now."""
        return self._stream is not None and self._stream.is_connected

    def close(self) -> None:
        """End a running `listen`, whatever it waits for."""
        self._pacer.close()
        self._client.close()
        if self._stream is not None:
            self._stream.stop()

    def _hear_by_looks(self, run: Run) -> UntilStop:
        """Look at the search and at our own mentions, each when it is due."""
        search_pace = max(self._settings.poll_seconds, len(self._queries) * _SEARCH_PACE)
        own_left = search_left = 0.0
        while True:
            is_slow = run.is_slow()
            if self._settings.mode == "stream" and self._rules and not is_slow:
                return False
            has_searches = bool(self._queries) and self._settings.mode != "mentions" and not is_slow
            is_own_due, is_search_due = own_left <= 0, has_searches and search_left <= 0
            yield from run.look(run.sources(own=is_own_due, searches=is_search_due))
            own_left = spread(self._settings.mentions_seconds) if is_own_due else own_left
            search_left = spread(search_pace) if is_search_due else search_left
            wait = min(own_left, search_left) if has_searches else own_left
            if self._pacer.wait(wait):
                return True
            own_left, search_left = own_left - wait, search_left - wait

    def _hear_live(self, run: Run) -> UntilStop:
        """Hold one connection to the stream."""
        self._book.reconcile(self._rules)
        self.connects.add()
        self._stream = stream = Stream(self._settings, self._keys, self._context.now)
        try:
            stream.start(wanted(self._settings))
            if self._waits_in_vain(stream):
                return True
            yield from run.look(run.sources(own=True, searches=True))
            return (yield from _Live(self._settings, self._context, self._pacer, run, stream).hear())
        except EndedError:
            return True  # it was closed
        finally:
            stream.stop()
            self._stream = None

    def _waits_in_vain(self, stream: Stream) -> bool:
        """Wait for the connection; return whether it is time to stop.

        Raises:
            RateLimited, Retryable, Permanent: X does not let us in.
        """
        while not stream.is_ready(_LINE_WAIT):
            if self._pacer.wait(_BREATH):
                return True
        if stream.is_connected:
            return self._pacer.is_closed()
        try:
            stream.lines.take(1, 0)
        except RateLimited as err:
            if str(err) != STREAM_TAKEN or not self._settings.clear_ghosts:
                raise
            self._clear_ghosts()
            raise Retryable("X let go of this app's other stream connections; Cuecard connects again.") from err
        return True

    def _clear_ghosts(self) -> None:
        try:
            self._client.request("DELETE", "/2/connections/all")
        except ProblemError as err:
            raise translate(err.problem, self._settings) from err
        except LostError as err:
            raise Retryable("X cannot be reached.") from err


class _Live:
    """Takes the lines of one connection, and looks beside it at our own mentions."""

    def __init__(self, settings: Settings, context: FeedContext, pacer: Pacer, run: Run, stream: Stream) -> None:
        self._settings = settings
        self._now = context.now
        self._pacer = pacer
        self._run = run
        self._stream = stream
        self._is_settled = False
        self._newest = ""
        self._quiet = 0.0
        self._own_left = spread(settings.mentions_seconds)
        self._settle_left = settings.overlap_seconds
        self._failing_since: datetime | None = None

    def hear(self) -> UntilStop:
        """Yield what the stream tells, at least one batch a minute, until money is short or it must stop."""
        before = self._now()
        while True:
            if self._pacer.wait(_BREATH):
                return True
            if self._run.is_slow():
                return False
            yield from self._take_lines()
            passed = min(max((self._now() - before).total_seconds(), 0.0), _QUIET_SECONDS)
            before = self._now()
            self._quiet += passed
            self._own_left -= passed
            self._settle_left -= passed
            yield from self._look_beside()

    def _take_lines(self) -> Iterator[Batch]:
        """Yield what the next lines bring.

        Raises:
            RateLimited, Retryable: the stream told that it ends, or ended.
        """
        ending: ListenerError | None = None
        lines = self._stream.lines.take(PER_BATCH, _LINE_WAIT)
        for line in lines:
            ending = ending or (self._read(line) if line else None)
        if self._run.pile.answers or (ending is None and self._quiet >= _QUIET_SECONDS):
            self._run.note_live(self._newest, is_caught_up=self._is_settled and len(lines) < PER_BATCH)
            self._quiet = 0.0
            yield self._run.batch()
        if ending is not None:
            raise ending

    def _read(self, line: bytes) -> ListenerError | None:
        """Take one line; return what it says ends the stream."""
        try:
            told = decode_json(line)
        except ValueError:
            told = None
        if not isinstance(told, dict):
            self._run.pile.refused.append("X's stream told a line that is no post, and no JSON.")
            return None
        if "data" in told:
            self._run.take(told)
            ids = [str(each.get("id", "")) for each in objects_in(told, "data")]
            self._newest = max([self._newest, *filter(str.isdigit, ids)], key=lambda each: int(each or 0))
            return None
        return self._ending(line) if told.get("errors") or told.get("title") else None

    def _ending(self, line: bytes) -> ListenerError:
        keys, now = self._stream.keys, self._now()
        problem = read_problem(HTTPStatus.TOO_MANY_REQUESTS, {}, line, now, keys)
        if problem.is_about_money or problem.is_stream_taken:
            return translate(problem, self._settings)
        return Retryable(f"X ended the stream {problem.say()}.")

    def _look_beside(self) -> Iterator[Batch]:
        """Look at our own mentions when they are due, and at the search once it knows of the first seconds.

        While the stream hears, a look that fails is made again, for some minutes.

        Raises:
            RateLimited, Retryable, Permanent: it goes on failing.
        """
        is_own_due = self._own_left <= 0
        is_search_due = not self._is_settled and self._settle_left <= 0
        if not (is_own_due or is_search_due):
            return
        try:
            yield from self._run.look(self._run.sources(own=is_own_due, searches=is_search_due))
        except Retryable as err:
            self._bear(err)
            return
        self._failing_since = None
        self._is_settled = self._is_settled or is_search_due
        self._own_left = spread(self._settings.mentions_seconds) if is_own_due else self._own_left

    def _bear(self, err: Retryable) -> None:
        """Put the next look off, unless it was put off for too long, or must be for longer."""
        now = self._now()
        self._failing_since = self._failing_since or now
        wait = max(err.retry_after or 0.0 if isinstance(err, RateLimited) else 0.0, _QUIET_SECONDS)
        if now - self._failing_since + timedelta(seconds=wait) > _PATIENCE:
            raise err
        self._own_left = max(self._own_left, wait)
        self._settle_left = max(self._settle_left, wait)
