"""One connection to X's filtered stream, in a thread of its own.

tweepy's client reconnects without end and without pause, parses in the reading thread, and can only be asked to stop
at the next line. Here a connection is one connection: its lines go into a funnel as they are, what ended it is told to
whoever takes from the funnel, and `stop` closes the socket.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

import requests
import tweepy  # type: ignore[import-untyped]

from listeners.errors import ListenerError, RateLimited, Retryable
from listeners.funnel import Funnel
from listeners.x.client import CONNECT_SECONDS, quieten_libraries
from listeners.x.line import lay_line
from listeners.x.problems import read_problem, translate
from listeners.x.settings import Keys, Settings

MOST_CONNECTS: Final = 50
CONNECT_WINDOW: Final = timedelta(minutes=15)
"""How often an app may connect (https://docs.x.com/x-api/fundamentals/rate-limits, read in 2026)."""
SILENT_SECONDS: Final = 21.0
"""X sends a line every 20 seconds, if only an empty one."""
_HELD_LINES: Final = 2_000
_LONGEST_LINE: Final = 2_000_000
_READ: Final = 65_536
_PATIENCE: Final = 2.0
_RULES_SECONDS: Final = 20.0
_ROUTE: Final = "/2/tweets/search/stream"


class Connects:
    """Counts connections, over all that one feed makes, and refuses the one that X would refuse."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Take the clock."""
        self._now = now
        self._made: deque[datetime] = deque(maxlen=MOST_CONNECTS)

    def add(self) -> None:
        """Count one that is about to be made.

        Raises:
            RateLimited: there were too many.
        """
        now = self._now()
        if len(self._made) == MOST_CONNECTS and now - self._made[0] < CONNECT_WINDOW:
            left = (self._made[0] + CONNECT_WINDOW - now).total_seconds()
            raise RateLimited("X's stream broke off too often; it lets nobody in for some minutes.", retry_after=left)
        self._made.append(now)


class Stream(tweepy.StreamingClient):  # type: ignore[misc]
    """One connection; `lines` is where its lines arrive, b'' for each sign of life."""

    def __init__(self, settings: Settings, keys: Keys, now: Callable[[], datetime]) -> None:
        """Take what to connect to; nothing is asked yet."""
        super().__init__(keys.bearer, return_type=requests.Response, max_retries=0, daemon=True)
        quieten_libraries()
        self._line = lay_line(self.session)
        self.session.max_redirects = 0
        self.session.hooks["response"].append(self._look_at)
        self.lines: Funnel[bytes] = Funnel(_HELD_LINES)
        self._settings = settings
        self.keys = keys
        self._now = now
        self._refusal: ListenerError | None = None
        self._reader: threading.Thread | None = None
        self.is_connected = False
        self.has_no_rules = False
        self._is_stopped = False
        self._ready = threading.Event()

    def __repr__(self) -> str:
        return "Stream()"

    def start(self, params: Mapping[str, str]) -> None:
        """Connect in a thread of its own."""
        self._reader = threading.Thread(
            target=self._connect, args=("GET", "search"), kwargs={"params": params}, name="stream of X", daemon=True
        )
        self._reader.start()

    def is_ready(self, seconds: float) -> bool:
        """Wait until it is connected, or has failed; `is_connected` tells which."""
        return self._ready.wait(seconds)

    def stop(self) -> None:
        """Hang up; the thread ends soon."""
        self._is_stopped = True
        self.running = False
        self.lines.close()
        self._line.cut()
        if self._reader is not None and self._reader is not threading.current_thread():
            self._reader.join(_PATIENCE)

    def on_connect(self) -> None:
        """Begin to hear, unless something else than a stream answered."""
        if self._refusal is not None or self._is_stopped:
            self._end(self._refusal or Retryable("The stream was closed."))
        else:
            self.is_connected = True
            self._ready.set()

    def on_data(self, raw_data: bytes) -> None:
        """Pass a line on as it is; where nobody takes it, wait, so that X notices."""
        line = raw_data.removeprefix(b"data:").strip()  # as X's own playground writes its lines
        if not self.lines.put(b"" if line.startswith(b":") else line):
            self.running = False

    def on_keep_alive(self) -> None:
        """Pass a sign of life on."""
        if not self.lines.put(b""):
            self.running = False

    def on_closed(self, response: object) -> None:
        """Tell that X closed the stream."""
        del response
        self._end(Retryable("X closed the stream."))

    def on_request_error(self, status_code: int) -> None:
        """Tell that X refused the connection, and why."""
        self._end(self._refusal or Retryable(f"X's stream answered {status_code}."))

    def on_connection_error(self) -> None:
        """Tell that the connection broke."""
        self._end_by(sys.exc_info()[1])

    def on_exception(self, exception: Exception) -> None:
        """Tell that something unforeseen ended the stream."""
        self._end_by(exception)

    def on_disconnect(self) -> None:
        """Tell that there is no more, where nothing else was told."""
        self._end(Retryable("X's stream ended."))

    def _connect(self, method: str, endpoint: str, **kwargs: Any) -> None:  # noqa: ANN401 - the signature is tweepy's
        del endpoint
        self.session.headers["Authorization"] = f"Bearer {self.keys.bearer}"
        address = f"{self._settings.base_url.rstrip('/')}{_ROUTE}"
        times = {"timeout": (CONNECT_SECONDS, SILENT_SECONDS)}
        tweepy.streaming.BaseStream._connect(self, method, address, **times, **kwargs)  # noqa: SLF001 - its own parent

    def _look_at(self, response: requests.Response, **_kwargs: object) -> None:
        """Look at an answer before its body is read: why X refuses stands in it, and tweepy would only log it."""
        if response.status_code != HTTPStatus.OK:
            body = response.raw.read(_READ, decode_content=True)
            headers = {name.lower(): value for name, value in response.headers.items()}
            problem = read_problem(response.status_code, headers, body, self._now(), self.keys)
            self._refusal = translate(problem, self._settings)
            if response.status_code == HTTPStatus.CONFLICT:
                self.has_no_rules = True
                self._refusal = RateLimited("X has not taken in the rules yet.", retry_after=_RULES_SECONDS)
        elif response.headers.get("Content-Type", "").startswith("text/html"):
            self._refusal = Retryable("A web page answers where X's stream should be.")
        response.iter_lines = lambda **_size: _read_lines(response)  # type: ignore[assignment, method-assign]

    def _end_by(self, err: BaseException | None) -> None:
        lost = Retryable("The connection to X's stream broke.")
        lost.__cause__ = err
        self._end(lost)

    def _end(self, error: ListenerError) -> None:
        self.running = False
        self.lines.end(error)
        self._ready.set()


def _read_lines(response: requests.Response) -> Iterator[bytes]:
    """Yield lines as soon as they are whole, b'' for an empty one; requests would wait for a block to fill."""
    rest = bytearray()
    while data := response.raw.read1(_READ, decode_content=True):
        rest += data
        *lines, last = rest.replace(b"\r\n", b"\n").split(b"\n") if b"\n" in data else (rest,)
        yield from (bytes(line) for line in lines)
        rest = bytearray(last)
        if len(rest) > _LONGEST_LINE:
            raise requests.exceptions.ChunkedEncodingError("the line has no end")
