"""Hearing every post of Bluesky: what of Jetstream concerns the watches, gathered into one look after the other."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from listeners.bluesky.hearing import Found, Teller
from listeners.bluesky.jetstream import Place, Stream
from listeners.bluesky.jetstream_events import Event
from listeners.bluesky.people import People
from listeners.bluesky.posts import COLLECTION, PLATFORM, Post, Ref
from listeners.errors import ListenerError, Retryable
from listeners.firehose import Sieve
from listeners.mention import Gap, Removal
from listeners.query import Watch

_EDIT: Final = b'"update"'
_HEAD: Final = 384
"""Bytes in which every server has told what happened, before what was written."""
_TICK: Final = 0.1
"""Seconds without an event after which what was gathered is told; one look waits so long for the next event."""
_TOLD_WITHIN: Final = 1.0
_MOST_POSTS, _MOST_REMOVALS = 200, 1_000
MOST_QUIET: Final = 300.0
"""Seconds without any event after which the stream is taken for dead; of all posts there are dozens in a second."""
_REMEMBERED: Final = 10_000
# What an account's status says of its posts (com.atproto.sync.subscribeRepos#account): they may not be shown any more.
_GONE: Final = frozenset({"deleted", "takendown", "suspended", "deactivated"})


def is_edit(raw: bytes) -> bool:
    """Whether an event may be an edit: of a post that was told of, it is told also where it no longer matches."""
    return raw.find(_EDIT, 0, _HEAD) >= 0


@dataclass
class Catch:
    """What one look at the stream brought."""

    posts: dict[str, Found] = field(default_factory=dict)
    removals: list[Removal] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    events: int = 0

    @property
    def is_urgent(self) -> bool:
        """Whether it holds what people wait for."""
        return bool(self.posts or self.gaps or self.refused)

    @property
    def is_full(self) -> bool:
        """Whether it is as much as one batch should hold."""
        return len(self.posts) >= _MOST_POSTS or len(self.removals) >= _MOST_REMOVALS


class Firehose:
    """One run of listening to the stream; what it remembers ends with it."""

    def __init__(
        self, stream: Stream, sieve: Sieve, teller: Teller, people: People, should_stop: Callable[[], bool]
    ) -> None:
        """Take the open stream, what decides on its posts, and `should_stop`, which is asked while nothing comes."""
        self._stream = stream
        self._sieve = sieve
        self._teller = teller
        self._people = people
        self._should_stop = should_stop
        self._known: OrderedDict[str, tuple[str, tuple[Watch, ...]]] = (
            OrderedDict()
        )  # by post: its rev, and its watches
        self._refusals: set[str] = set()
        self._failure: ListenerError | None = None
        self._heard_at = time.monotonic()

    def gather(self, seconds: float) -> Catch:
        """Return what comes within some seconds; where it is urgent, soon.

        Raises:
            Retryable: the stream is over, and all it told before was returned.
        """
        if self._failure is not None:
            raise self._failure
        catch = Catch()
        try:
            self._fill(catch, time.monotonic() + seconds)
        except ListenerError as err:
            if not catch.events:
                raise
            self._failure = err
        gap = self._stream.take_gap()
        catch.gaps += [gap] if gap is not None else []
        return catch

    def place(self, before: Place) -> Place:
        """Return where to resume after what was gathered so far; `before` where nothing was."""
        return self._stream.place() or before

    def _fill(self, catch: Catch, ends_at: float) -> None:
        is_urgent = False
        while (now := time.monotonic()) < ends_at and not catch.is_full:
            raw = self._stream.take(min(_TICK, ends_at - now))
            if raw is None:
                self._endure(now)
                if is_urgent or self._should_stop():
                    return
                continue
            self._heard_at = now
            catch.events += 1
            if self._sieve.passes(raw) or (self._known and is_edit(raw)):
                self._read(raw, catch)
            if not is_urgent and catch.is_urgent:
                is_urgent, ends_at = True, min(ends_at, now + _TOLD_WITHIN)

    def _endure(self, now: float) -> None:
        if now - self._heard_at > MOST_QUIET:
            raise Retryable(f"The stream of Bluesky has told nothing for {MOST_QUIET / 60:g} minutes.")

    def _read(self, raw: bytes, catch: Catch) -> None:
        try:
            event = self._stream.read(raw)
        except ValueError as err:
            self._refuse(catch, f"Bluesky's stream told of an event that cannot be read: {err}.")
            return
        if event is None or event.at is None:
            return
        if event.kind == "account" and event.status in _GONE:
            catch.removals.append(Removal(PLATFORM, event.at, author=event.did))
        elif event.kind == "identity":
            self._people.forget(event.did)
        elif event.kind == "commit" and event.collection == COLLECTION:
            self._read_commit(event, event.at, catch)

    def _read_commit(self, event: Event, at: datetime, catch: Catch) -> None:
        rev, watches = self._known.get(event.uri, ("", ()))
        if event.rev and event.rev <= rev:
            return  # it came before, or something newer did
        if event.operation == "delete":
            self._remember(event, ())
            catch.posts.pop(event.uri, None)
            catch.removals.append(Removal(PLATFORM, at, native_id=event.uri))
            return
        post = Post(Ref(event.uri, event.cid), event.did, event.record or {}, at)
        if post.text is None:
            self._refuse(catch, f"Bluesky's stream told of a post without a text, {event.uri}.")
        elif event.did != self._teller.own_did and (found := self._teller.match(post) or watches):
            self._remember(event, found)
            catch.posts[event.uri] = Found(post, found)

    def _remember(self, event: Event, watches: tuple[Watch, ...]) -> None:
        self._known[event.uri] = (event.rev, watches)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    def _refuse(self, catch: Catch, sentence: str) -> None:
        """Tell of a kind of refusal once: a server that is at odds with us would fill the log."""
        kind = sentence.partition(",")[0]
        if kind not in self._refusals:
            self._refusals.add(kind)
            catch.refused.append(sentence)
