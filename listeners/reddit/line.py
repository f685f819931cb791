"""The line to Reddit beneath praw: every request once, in bounded time and size, with Reddit's limit obeyed.

prawcore (4.0) sends a request up to three times, POST included, sleeps where Reddit's limit is near, and stumbles over
headers it does not expect. Whatever is not a plain success is therefore raised here, by a `Requestor` of our own, as an
error that prawcore does not know and so never repeats.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from io import BytesIO
from typing import Any, Final

from prawcore import Requestor
from prawcore.const import ACCESS_TOKEN_PATH
from prawcore.exceptions import RequestException
from requests import Response, Session

from listeners.errors import RateLimited
from listeners.fetch import retry_after_seconds
from listeners.text import decode_json

PER_MINUTE: Final = 100
"""Requests for each client, averaged over `WINDOW` (Reddit's Data API Wiki, 2023)."""
WINDOW: Final = 600.0
_RESERVE: Final = 10  # of the requests left, for replies
_SLOWEST: Final = 60.0
_TIMEOUTS: Final = (5.0, 20.0)  # to connect, and between two bytes
_TOTAL_SECONDS: Final = 60.0
_MAX_BYTES: Final = 20_000_000
_CHUNK: Final = 65_536
_LIMITS: Final = ("x-ratelimit-remaining", "x-ratelimit-used", "x-ratelimit-reset")
_AUTH_ERROR: Final = re.compile(r'error="?(\w+)')


class NoAnswerError(Exception):
    """No answer came, or not all of it. `cause` is what the network said."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__(type(cause).__name__)
        self.cause = cause


class BadAnswerError(Exception):
    """An answer that is no success.

    `code` is Reddit's own name for it ('private', 'THREAD_LOCKED', …) and `words` its own words, '' where not told.
    `is_page` says that it is a page for a browser; `is_token` that it was the request for access, before any other.
    """

    def __init__(self, answer: Response, body: bytes, *, is_token: bool, now: datetime) -> None:
        super().__init__(f"Reddit answered {answer.status_code}")
        self.status = answer.status_code
        self.location = answer.headers.get("location", "")
        self.is_token = is_token
        self.is_page = body.lstrip()[:1] == b"<"
        self.retry_after = _retry_after(answer.headers, now)
        self.code, self.words = _read_complaint(body)
        found = _AUTH_ERROR.search(answer.headers.get("www-authenticate", ""))
        if found is not None:
            self.code = found[1]


class Allowance:
    """What Reddit says is left of its limit, for all requests of one client together."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Take the clock."""
        self.now = now
        self._told: tuple[float, float, float] | None = None  # requests left, requests used, and the window's end

    def note(self, headers: Mapping[str, str]) -> None:
        """Read what an answer says of the limit; nothing where it does not say all of it."""
        left, used, reset = (_number(headers.get(name, "")) for name in _LIMITS)
        if left is not None and used is not None and reset is not None:
            self._told = (left, used, self.now().timestamp() + min(reset, WINDOW))

    def seconds_to_wait(self) -> float:
        """Return how long to wait before the next read, so that what is left lasts until the window ends.

        Raises:
            RateLimited: what is left is kept for replies.
        """
        if self._told is None:
            return 0.0
        left, used, end = self._told
        seconds = min(end - self.now().timestamp(), WINDOW)
        if seconds <= 0:
            return 0.0
        if left <= _RESERVE:
            raise RateLimited("Reddit's limit of requests is used up for now.", retry_after=seconds)
        is_scarce = left / (left + used) < seconds / WINDOW
        return min(seconds / (left - _RESERVE), _SLOWEST) if is_scarce else 0.0

    def seconds_until_reset(self) -> float | None:
        """Return the seconds until more may be asked where nothing at all is left, else None."""
        if self._told is None or self._told[0] > 0:
            return None
        seconds = self._told[2] - self.now().timestamp()
        return seconds if seconds > 0 else None


class Line(Requestor):
    """Sends one request and returns a success with its whole body, or raises."""

    def __init__(
        self, *, allowance: Allowance, session: Session, oauth_url: str, reddit_url: str, user_agent: str
    ) -> None:
        """Take the allowance to note, and what prawcore's own requestor takes."""
        super().__init__(oauth_url=oauth_url, reddit_url=reddit_url, session=session, user_agent=user_agent)
        self._allowance = allowance

    def request(self, *args: Any, timeout: float | None = None, **kwargs: Any) -> Response:  # noqa: ANN401 - as above it
        """Send a request; see `requests.Session.request`.

        Raises:
            NoAnswerError: the connection was not made, or broke, or took too long.
            BadAnswerError: any status but 2xx; redirects are not followed.
        """
        del timeout  # praw does not hand its own setting on
        kwargs |= {"timeout": _TIMEOUTS, "stream": True, "allow_redirects": False}
        try:
            answer = super().request(*args, **kwargs)
            body = _read_body(answer)
        except RequestException as err:
            raise NoAnswerError(err.original_exception) from err.original_exception
        except Exception as err:
            raise NoAnswerError(err) from err
        self._allowance.note(answer.headers)
        if not 200 <= answer.status_code < 300:
            is_token = str(args[1]).endswith(ACCESS_TOKEN_PATH)
            raise BadAnswerError(answer, body, is_token=is_token, now=self._allowance.now())
        for name in _LIMITS:
            answer.headers.pop(name, None)  # prawcore would sleep, and break at what is no number
        answer.raw = BytesIO(body)
        return answer


def _read_body(answer: Response) -> bytes:
    """Read the whole body as it comes, so that neither a trickle nor a bomb is read for ever."""
    deadline = time.monotonic() + _TOTAL_SECONDS
    body = bytearray()
    try:
        while part := answer.raw.read1(_CHUNK, decode_content=True):
            body += part
            if len(body) > _MAX_BYTES:
                raise ValueError("it is too large")
            if time.monotonic() > deadline:
                raise TimeoutError("it takes too long")
    finally:
        answer.close()
    return bytes(body)


def _retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    wait = retry_after_seconds(headers.get("retry-after", ""), now)
    return wait if wait is not None else _number(headers.get("x-ratelimit-reset", ""))


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _read_complaint(body: bytes) -> tuple[str, str]:
    """Return the name and the words of what Reddit complains of, in either of the two forms it has for that."""
    try:
        told = decode_json(body)
    except ValueError:
        return "", ""
    if not isinstance(told, dict):
        return "", ""
    wrapped = told.get("json")
    errors = wrapped.get("errors") if isinstance(wrapped, dict) else None
    named: list[object] = [told.get("reason") or told.get("error"), told.get("explanation")]
    if isinstance(errors, list) and errors and isinstance(errors[0], list):
        named = [*errors[0], "", ""]
    code, words = (each if isinstance(each, str) else "" for each in named[:2])
    return code, words
