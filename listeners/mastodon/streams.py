"""The streams of one feed of Mastodon: a thread for each, all into one bounded queue.

The library connects; the events are read here, because its own reader goes byte by byte, and gives a whole stream up
for one event that it cannot read.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import requests
from mastodon import Mastodon, StreamListener

from listeners.errors import ListenerError, Retryable
from listeners.funnel import Funnel
from listeners.mastodon.client import FAILURES, Access, Client, StreamRefused
from listeners.mastodon.sources import Source
from listeners.text import decode_json

MAX_STREAMS: Final = 16
"""How many connections a feed keeps open; further hashtags are looked at by polling."""
SILENCE_SECONDS: Final = 60.0
"""A Mastodon server sends a sign of life every 15 seconds (streaming/index.js); one this quiet is gone."""
MAX_EVENT: Final = 4_000_000
"""Bytes: more than any post has; a stream that sends more without an end to the event is given up."""
CONNECT_SECONDS: Final = 30.0
CLOSE_SECONDS: Final = 2.0
_CHUNK: Final = 65_536
_HEARD: Final = frozenset({"update", "status.update", "delete", "notification"})


@dataclass(frozen=True, slots=True)
class Event:
    """Something a stream told: what of, by which stream, and its data, None where that cannot be read."""

    name: str
    channel: str
    told: object


def channel_of(source: Source) -> str:
    """Return the stream that tells of a source, '' where none does."""
    if source.kind in {"notifications", "home"}:
        return "user"
    return source.key if source.kind in {"tag", "public"} else ""


class _Stream(StreamListener):
    """One stream, read in a thread of its own."""

    def __init__(self, client: Client, channel: str, funnel: Funnel[Event]) -> None:
        """Take what to connect with, which stream, and where its events go."""
        self.channel = channel
        self.error: ListenerError | None = None
        self.is_refused = False
        self.heard_at = 0.0
        self.settled = threading.Event()
        self.thread = threading.Thread(target=self._run, name=f"mastodon {channel}", daemon=True)
        self._funnel = funnel
        self._client = client
        self._response: requests.Response | None = None
        self._is_closed = False

    def close(self) -> None:
        """End it: a read that waits returns at once."""
        self._is_closed = True
        if self._response is not None:
            with contextlib.suppress(ValueError, RuntimeError, OSError, AttributeError):  # it may have ended just now
                self._response.raw.shutdown()

    def handle_stream(self, response: requests.Response) -> None:
        """Read events until the stream ends; the library calls this once it is open."""
        self._response = response
        if "html" in response.headers.get("Content-Type", ""):
            raise Retryable(f"{self._client.access.host} answers with a page where a stream was asked for.")
        self.heard_at = time.monotonic()
        self.settled.set()
        for name, data in read_events(self._read(response)):
            self.heard_at = time.monotonic()
            if name in _HEARD and not self._funnel.put(Event(name, self.channel, _read_data(name, data))):
                return

    def _read(self, response: requests.Response) -> Iterator[bytes]:
        while not self._is_closed and (chunk := response.raw.read1(_CHUNK, decode_content=True)):
            yield chunk

    def _run(self) -> None:
        try:
            _connect(self._client.api, self.channel, self)
            self.error = Retryable(f"{self._client.access.host} closed the stream.")
        except StreamRefused as err:
            self.is_refused = 400 <= err.status < 500 and err.status != requests.codes.too_many
            self.error = self._client.explain(err)
        except ListenerError as err:
            self.error = err
        except FAILURES as err:
            self.error = self._client.explain(err)
            self.error.__cause__ = self._client.cause_of(err)
        finally:
            if not self.is_refused:
                self._funnel.end(self.error)
            self.settled.set()


def _connect(api: Mastodon, channel: str, listener: StreamListener) -> None:
    """Open a stream, and read it until it ends."""
    kind, _, value = channel.partition(":")
    if kind == "tag":
        api.stream_hashtag(value, listener, timeout=SILENCE_SECONDS)
    elif kind == "public":
        api.stream_public(listener, local=value == "local", remote=value == "remote", timeout=SILENCE_SECONDS)
    else:
        api.stream_user(listener, timeout=SILENCE_SECONDS)


def _read_data(name: str, data: bytes) -> object:
    """Return the data of an event; of a deletion the bare id, which some servers put in no quotes."""
    if name == "delete":
        return data.decode("utf-8", errors="replace").strip().strip('"')
    try:
        return decode_json(data)
    except ValueError:
        return None


class Streams:
    """All streams of one feed."""

    def __init__(self, access: Access, channels: Sequence[str]) -> None:
        """Take where to connect, and which streams; nothing is opened yet."""
        # All share one client, which asks once where the streams are; beyond that it only opens connections.
        self._client = Client(access)
        self._funnel: Funnel[Event] = Funnel()
        self._streams = [_Stream(self._client, channel, self._funnel) for channel in channels]

    def open(self) -> tuple[str, ...]:
        """Open them all; return those that the server does not open for us.

        Raises:
            RateLimited, Retryable: one of them could not be opened now.
        """
        ends_at = time.monotonic() + CONNECT_SECONDS
        for some in (self._streams[:1], self._streams[1:]):
            for stream in some:
                stream.thread.start()
            for stream in some:
                if not stream.settled.wait(max(0.0, ends_at - time.monotonic())):
                    raise Retryable(f"{self._client.access.host} opens no stream.")
                if stream.error is not None and not stream.is_refused:
                    raise stream.error
        return tuple(stream.channel for stream in self._streams if stream.is_refused)

    def take(self, most: int, seconds: float) -> list[Event]:
        """Return up to `most` events, waiting up to `seconds` for the first.

        Raises:
            RateLimited, Retryable: a stream ended, and everything before that was taken.
            EndedError: they were closed.
        """
        return self._funnel.take(most, seconds)

    def were_heard_since(self, moment: float) -> bool:
        """Whether every open stream showed a sign of life after a moment of the monotonic clock."""
        return all(stream.heard_at > moment for stream in self._streams if not stream.is_refused)

    def close(self) -> None:
        """End all of them, waiting a little for their threads."""
        self._funnel.close()
        for stream in self._streams:
            stream.close()
            stream.settled.set()
        ends_at = time.monotonic() + CLOSE_SECONDS
        for stream in self._streams:
            if stream.thread.is_alive():
                stream.thread.join(max(0.0, ends_at - time.monotonic()))
        self._client.close()


class EndlessEvent(ValueError):  # noqa: N818 - reads as what happened
    """An event, or a line, does not end."""


def read_events(chunks: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the data of each event; ('', b'') for a sign of life. One that is not ended is not told.

    Raises:
        EndlessEvent: more came without an end than any post has.
    """
    name, data, size = "", list[bytes](), 0
    for line in _read_lines(chunks):
        size += len(line) + 1
        if size > MAX_EVENT:
            raise EndlessEvent
        if not line:
            if name or data:
                yield name or "message", b"\n".join(data)
            name, data, size = "", [], 0
            continue
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if not field:
            yield "", b""
        elif field == b"event":
            name = value.decode("utf-8", errors="replace")
        elif field == b"data":
            data.append(value)


def _read_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield lines without their ends; what follows the last end is not told."""
    rest = bytearray()
    for chunk in chunks:
        rest += chunk
        if len(rest) > 2 * MAX_EVENT:
            raise EndlessEvent
        if b"\n" in chunk:
            *lines, last = bytes(rest).split(b"\n")
            rest = bytearray(last)
            yield from (line.removesuffix(b"\r") for line in lines)
