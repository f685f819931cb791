"""Jetstream: the events of the AT Protocol as JSON over a WebSocket, in both of its wires.

    v2    wss://HOST/xrpc/network.bsky.jetstream.subscribeEvents   cursors are the stream's own numbers (`seq`)
    v1    wss://HOST/subscribe                                     cursors are microseconds since 1970

A cursor is inclusive and delivery is at least once, so events come again. A number is known only to the host that gave
it, a time to all, so a place in the stream is kept as both. A stream goes back 36 hours; v2 says when that is not
enough, v1 does not. From docs/README.md of github.com/bluesky-social/jetstream (2026-08-14) and its lexicon.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from urllib.parse import urlencode, urlsplit, urlunsplit

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from listeners.bluesky.jetstream_events import Event, read_event
from listeners.errors import RateLimited, Retryable
from listeners.fetch import retry_after_seconds
from listeners.mention import Gap
from listeners.text import decode_json

Wire = Literal["v2", "v1"]
METHOD_PATH: Final = "/xrpc/network.bsky.jetstream.subscribeEvents"
LEGACY_PATH: Final = "/subscribe"
LOOK_BACK: Final = timedelta(hours=36)
OVERLAP: Final = timedelta(seconds=10)
"""How far before a time a stream is resumed there: events are only roughly in the order of their times."""
CONNECT_SECONDS: Final = 10.0
PING_SECONDS: Final = 20.0
MAX_EVENT_BYTES: Final = 32_000_000
MOST_WAITING: Final = 1_024
"""Events that wait to be taken. When so many do, nothing more is read, and the server holds the rest back."""
_AGENT: Final = "Cuecard/0.1 (listens for a social team)"
_NOT_SERVED: Final = frozenset({404, 405, 426, 501})
_SECOND: Final = timedelta(seconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stream was left: at a moment and, on `host`, at the event numbered `seq`."""

    at: datetime
    host: str = ""
    seq: int | None = None


class Jetstream:
    """A stream that can be opened: where it is, and what is wanted of it."""

    def __init__(self, url: str, wire: Wire | None, collections: Sequence[str], now: Callable[[], datetime]) -> None:
        """Take the address of the host, or of the stream; None for the wire finds out which one it speaks."""
        parts = urlsplit(url)
        path = parts.path.rstrip("/")
        if path.endswith((METHOD_PATH, LEGACY_PATH)):
            wire = wire or ("v2" if path.endswith(METHOD_PATH) else "v1")
            path = path.removesuffix(METHOD_PATH).removesuffix(LEGACY_PATH)
        scheme = {"https": "wss", "http": "ws"}.get(parts.scheme, parts.scheme)
        self._root = urlunsplit((scheme, parts.netloc, path, "", ""))
        self.host = parts.netloc
        self._wires: tuple[Wire, ...] = (wire,) if wire else ("v2", "v1")
        self._collections = tuple(collections)
        self._now = now
        self._has_numbers_anew = False

    def open(self, place: Place | None) -> Stream:
        """Connect, and go on at a place; None is what happens from now on.

        Raises:
            RateLimited, Retryable: there is no stream now.
        """
        for wire in self._wires:
            try:
                stream = self._open(wire, place)
            except InvalidStatus as err:
                if wire != self._wires[-1] and _is_not_served(err):
                    continue
                raise self._explain_status(err) from None  # its repr holds all that the server said
            except (WebSocketException, OSError, EOFError) as err:
                raise self._explain(err) from err
            self._wires = (wire,)
            return stream
        raise AssertionError("unreachable: the last wire returns or raises")

    def _open(self, wire: Wire, place: Place | None) -> Stream:
        is_numbered = wire == "v2" and place is not None and place.host == self.host and not self._has_numbers_anew
        if is_numbered and place is not None and place.seq is not None:
            try:
                return Stream(self._dial(wire, str(place.seq)), wire, self, place)
            except InvalidStatus as err:
                if _error_name(err) != "CursorTooOld":
                    raise
        cursor = "" if place is None else str((place.at - OVERLAP - _EPOCH) // timedelta(microseconds=1))
        is_clamped = wire == "v1" and place is not None and self._now() - place.at > LOOK_BACK
        return Stream(self._dial(wire, cursor), wire, self, place, is_clamped=is_clamped)

    def _dial(self, wire: Wire, cursor: str) -> ClientConnection:
        if wire == "v2":
            asked = [("kinds", "commit"), ("kinds", "account")]
            asked += [("collections", collection) for collection in self._collections]
        else:
            asked = [("wantedCollections", collection) for collection in self._collections]
        asked += [("cursor", cursor)] if cursor else []
        opening = connect(
            f"{self._root}{METHOD_PATH if wire == 'v2' else LEGACY_PATH}?{urlencode(asked)}",
            subprotocols=[Subprotocol("xrpc.v1.json")] if wire == "v2" else None,
            compression=None,
            proxy=None,
            user_agent_header=_AGENT,
            open_timeout=CONNECT_SECONDS,
            ping_interval=PING_SECONDS,
            ping_timeout=PING_SECONDS,
            close_timeout=1,
            max_size=MAX_EVENT_BYTES,
            max_queue=MOST_WAITING,
        )
        return ExitStack().enter_context(opening)  # `Stream.close` does all that leaving it would

    def begin_numbers_anew(self) -> None:
        """Note that the host no longer knows the numbers it gave: the next stream is resumed by its time."""
        self._has_numbers_anew = True

    def trust_numbers(self) -> None:
        """Note that the host tells numbers that can be resumed at."""
        self._has_numbers_anew = False

    def _explain_status(self, err: InvalidStatus) -> Retryable:
        status = err.response.status_code
        if status == 429:
            wait = retry_after_seconds(err.response.headers.get("Retry-After", ""), self._now())
            return RateLimited(f"{self.host} asks to slow down (429).", retry_after=wait)
        if status < 400:
            return Retryable(f"{self.host} answers with a page instead of a stream; see to jetstream_url.")
        if status in _NOT_SERVED:
            return Retryable(f"{self.host} has no Jetstream ({status}); see to jetstream_url and wire.")
        name = _error_name(err)
        return Retryable(f"{self.host} refuses the stream: {status}{f', {name}' if name else ''}.")

    def _explain(self, err: Exception) -> Retryable:
        if isinstance(err, TimeoutError):
            return Retryable(f"{self.host} did not open the stream within {CONNECT_SECONDS:g} s.")
        if isinstance(err, OSError):
            return Retryable(f"{self.host} cannot be reached for the stream.")
        return Retryable(f"{self.host} does not speak WebSocket there; see to jetstream_url.")


class Stream:
    """An open stream. One thread takes from it; another may close it."""

    def __init__(
        self,
        connection: ClientConnection,
        wire: Wire,
        source: Jetstream,
        place: Place | None,
        *,
        is_clamped: bool = False,
    ) -> None:
        """Take the connection, and where it was resumed; `is_clamped` where that is further back than it goes."""
        self.wire = wire
        self._connection = connection
        self._source = source
        self._place = place
        self._last: bytes | None = None
        self._lost_since = place.at if place is not None and is_clamped else None
        self._gap: Gap | None = None

    def take(self, seconds: float) -> bytes | None:
        """Return the next event as it came; None where none came within some seconds.

        Raises:
            Retryable: the stream is over.
        """
        try:
            raw = self._connection.recv(seconds, decode=False)
        except TimeoutError:
            return None
        except ConnectionClosed as err:
            raise Retryable(self._explain_end(err)) from err
        self._last = raw
        if self._lost_since is not None:
            self._end_gap(self._lost_since, raw)
        return raw

    def read(self, raw: bytes) -> Event | None:
        """Return what an event says; None for a notice about the stream itself.

        Raises:
            ValueError: it is no event; the reason in a few plain words.
            Retryable: the server ends the stream.
        """
        event = read_event(raw)
        if event.kind == "error":
            slow = " because it was read too slowly" if event.name == "ConsumerTooSlow" else ""
            raise Retryable(f"{self._source.host} ended the stream{slow} ({event.name or 'no reason given'}).")
        if event.kind == "info":
            self._heed(event.name)
            return None
        return event

    def place(self) -> Place | None:
        """Return where to resume so that nothing is missed that came after what was taken so far."""
        if self._last is not None:
            try:
                event = read_event(self._last)
            except ValueError:
                return self._place
            if event.at is not None:
                self._place = Place(event.at, self._source.host, event.seq)
                self._source.trust_numbers()
            self._last = None
        return self._place

    def take_gap(self) -> Gap | None:
        """Return what could not be resumed, once."""
        gap, self._gap = self._gap, None
        return gap

    def close(self) -> None:
        """End it; whoever waits for an event is told so."""
        self._connection.close()

    def _heed(self, name: str) -> None:
        """Act on a notice: the place asked for is out of the window, or is no place of this stream."""
        if self._place is None:
            return
        if name == "OutdatedCursor":
            self._lost_since = self._place.at
        elif name == "FutureCursor" and self._place.seq is not None:
            self._source.begin_numbers_anew()
            raise Retryable(f"{self._source.host} numbers its events anew; the stream is resumed by time.")

    def _end_gap(self, since: datetime, raw: bytes) -> None:
        try:
            at = read_event(raw).at
        except ValueError:
            return
        if at is not None:
            self._lost_since = None
            if at - since > _SECOND:
                self._gap = Gap(
                    since, at, f"{self._source.host} goes back no further than {LOOK_BACK / _SECOND / 3600:g} hours."
                )

    def _explain_end(self, err: ConnectionClosed) -> str:
        if err.rcvd is None:
            return f"The connection to {self._source.host} broke off."
        return f"{self._source.host} ended the stream (code {err.rcvd.code})."


def _error_name(err: InvalidStatus) -> str:
    """Return the name of the error in a refusal, as XRPC has it; '' where there is none."""
    try:
        told = decode_json(bytes(err.response.body or b""))
    except ValueError:
        return ""
    name = told.get("error") if isinstance(told, dict) else None
    return name if isinstance(name, str) and name.isalnum() else ""


def _is_not_served(err: InvalidStatus) -> bool:
    """Whether the host has no stream at this path, so that the other wire is worth a try."""
    status = err.response.status_code
    return status in _NOT_SERVED or (status == 400 and not _error_name(err))
