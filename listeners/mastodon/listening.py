"""One run of listening to Mastodon: streams where there are any, with what was missed read by page; else looks."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from listeners.contract import FeedContext
from listeners.errors import ListenerError, Permanent, Retryable
from listeners.funnel import EndedError
from listeners.mastodon.client import Access, Client, NotAllowed, NotOffered
from listeners.mastodon.hearing import Hearing
from listeners.mastodon.memory import Memory
from listeners.mastodon.server import read_server
from listeners.mastodon.settings import Settings
from listeners.mastodon.sources import Source
from listeners.mastodon.streams import MAX_STREAMS, Streams, channel_of
from listeners.mastodon.threads import Threads
from listeners.mastodon.timelines import Timelines
from listeners.mention import Batch
from listeners.pacing import Pacer, spread

PER_BATCH: Final = 200
SIGN_SECONDS: Final = 30.0
"""How often a quiet feed says that it listens: twice the time between two signs of life of a stream."""
TAKE_SECONDS: Final = 0.25
SECONDS_PER_REQUEST: Final = 1.2
"""300 requests in 5 minutes are allowed to each account (docs.joinmastodon.org/api/rate-limits); a few are spared."""
_SLOWEST: Final = 1_200.0
_LEFT_OUT_FOR: Final = timedelta(hours=1)


class Run:
    """One call of `listen`; what it remembers ends with it."""

    def __init__(
        self, settings: Settings, context: FeedContext, access: Access, sources: Sequence[Source], pacer: Pacer
    ) -> None:
        """Take what to listen to; nothing is asked yet."""
        self._settings = settings
        self._context = context
        self._access = access
        self._sources = sources
        self._left_out: dict[Source, datetime] = {}
        self._pacer = pacer
        self._client = Client(access)
        self._timelines = Timelines(self._client, settings, context.now, pacer)
        self._streams: Streams | None = None

    def close(self) -> None:
        """End the streams; `listen` ends soon after."""
        if self._streams is not None:
            self._streams.close()

    def listen(self, cursor: str | None) -> Iterator[Batch]:
        """Yield batches from the cursor on; see `Listens`."""
        try:
            server = read_server(self._client, self._settings.handle)
            if server.has_quotes:
                self._timelines.types.append("quote")
            self._memory = Memory(cursor, server.host)
            threads = Threads(self._client, server, may_show_private=self._settings.hear_private)
            self._hearing = Hearing(self._settings, self._context, server, self._memory, threads)
            if self._settings.mode == "stream" and self._settings.has_account:
                yield from self._stream()
            else:
                yield from self._poll()
        except ListenerError:
            if not self._pacer.is_closed():  # a stream that we closed ourselves ends like any other
                raise
        finally:
            self.close()
            self._client.close()

    def _poll(self) -> Iterator[Batch]:
        """Look at everything, again and again."""
        while not self._pacer.is_closed():
            yield from self._look(self._sources)
            if self._pacer.wait(self._seconds_between(self._sources)):
                return

    def _stream(self) -> Iterator[Batch]:
        """Open the streams, read what came before them, then follow them; look at what is not streamed."""
        channels = list(dict.fromkeys(filter(None, map(channel_of, self._sources))))[:MAX_STREAMS]
        self._streams = Streams(self._access, channels)
        refused = self._streams.open()
        followed = {*channels} - {*refused}
        if not followed:
            yield from self._poll()
            return
        if refused:
            what = ", ".join(refused)
            self._hearing.notice(f"{self._access.host} does not stream {what}; it is looked at now and then instead.")
        yield from self._look(self._sources)
        yield from self._follow(self._streams, [each for each in self._sources if channel_of(each) not in followed])

    def _follow(self, streams: Streams, polled: Sequence[Source]) -> Iterator[Batch]:
        looked_at = given_at = time.monotonic()
        wait = self._seconds_between(polled)
        while not self._pacer.is_closed():
            try:
                self._hearing.take_events(streams.take(PER_BATCH, TAKE_SECONDS))
            except EndedError:
                return
            now = time.monotonic()
            is_quiet = now - given_at >= SIGN_SECONDS and streams.were_heard_since(given_at)
            if polled and now - looked_at >= wait:
                yield from self._look(polled)
                looked_at = given_at = time.monotonic()
            elif self._hearing.has_news() or is_quiet:
                yield self._hearing.give()
                given_at = now
            if self._context.pause(0):
                return

    def _look(self, sources: Sequence[Source]) -> Iterator[Batch]:
        """Read what is new in each source: one batch, or more where there is much."""
        given_at = time.monotonic()
        for source in sources:
            if self._left_out.get(source, self._context.now()) > self._context.now():
                continue
            try:
                for page in self._timelines.read(source, self._memory.newest.get(source.key, "")):
                    self._hearing.take_page(source, page)
                    if self._pacer.is_closed():
                        return
                    if self._hearing.count >= PER_BATCH or time.monotonic() - given_at > SIGN_SECONDS:
                        yield self._hearing.give()
                        given_at = time.monotonic()
                self._left_out.pop(source, None)
            except (NotOffered, NotAllowed) as err:
                self._leave_out(source, err)
        yield self._hearing.give()

    def _leave_out(self, source: Source, err: NotOffered | NotAllowed) -> None:
        """Go on for a while without a source that the server does not let us have; without any, the feed is deaf."""
        if isinstance(err, NotAllowed) and source.kind == "notifications":
            raise err  # what people say to us is not to be missed in silence
        self._left_out[source] = self._context.now() + _LEFT_OUT_FOR
        if len(self._left_out) < len(self._sources):
            self._hearing.notice(f"{err} The feed goes on without it.")
            return
        sentence = f"{self._access.host} lets us have nothing of what this feed listens to. {err}"
        if isinstance(err, NotOffered) and not err.words:  # it may not be the server itself that answers
            raise Retryable(sentence) from err
        raise Permanent(sentence) from err

    def _seconds_between(self, sources: Sequence[Source]) -> float:
        busy = 2 * len(sources) * SECONDS_PER_REQUEST
        return min(_SLOWEST, max(spread(self._settings.poll_seconds), busy))
