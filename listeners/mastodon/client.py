"""One client of a Mastodon server: Mastodon.py with its traps taken out, and its errors in our own words.

What is different from the library as it comes: 20 seconds for a read instead of 300, 60 for a whole answer, and at most
20 MB of it; a limit of the server is an error, never a sleep; no proxy and no password file of this machine is used; a
POST follows no redirect, which would make a GET of it; rate limit headers that cannot be read are passed over, because
the library fails on them even after a post was made; and a token is never taken for the name of a file.
"""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeVar, cast
from urllib.parse import urlsplit

import requests
from mastodon import Mastodon, MastodonAPIError, MastodonError, MastodonNetworkError, MastodonRatelimitError
from mastodon.errors import MastodonDeprecationWarning, MastodonWarning
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from listeners.errors import ListenerError, Permanent, RateLimited, Retryable
from listeners.fetch import retry_after_seconds
from listeners.text import decode_json, whole_characters

REQUEST_SECONDS: Final = 20.0
TOTAL_SECONDS: Final = 60.0
MAX_BYTES: Final = 20_000_000
LONGEST_WAIT: Final = 3_600.0
"""Limits are per 5 minutes, those on posting per 3 hours (docs.joinmastodon.org/api/rate-limits); none is a day."""
_CHUNK: Final = 65_536
_MOST_SAID: Final = 300
_MOST_DIGITS: Final = 12
_AGENT: Final = "Cuecard/0.1 (listens for a social team)"
_STREAMING: Final = "/api/v1/streaming/"
_NOT_OFFERED: Final = frozenset({404, 405, 410, 501})
_REFUSED: Final = frozenset({403, 422})
# Beside its own errors, the library lets through what comes of JSON of quite another form than it expects.
_UNFORESEEN: Final = (AttributeError, LookupError, TypeError, ValueError)
FAILURES: Final = (MastodonError, requests.RequestException, HTTPError, *_UNFORESEEN)

T = TypeVar("T")


class NotOffered(Permanent):
    """The server does not know what it was asked for."""

    def __init__(self, message: str = "", *, words: str = "") -> None:
        """Take the sentence, and what the server itself said: '' where only something before it may have answered."""
        super().__init__(message)
        self.words = words


class NotAllowed(Permanent):
    """The server does not let this account, or this token, have what it asked for."""


class StreamRefused(MastodonNetworkError):  # noqa: N818 - reads as what happened
    """A stream was answered with another status than 200, which the library does not tell."""

    def __init__(self, status: int) -> None:
        """Take the HTTP status."""
        super().__init__(f"status {status}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Access:
    """Where a server is and what opens it: no token where nobody signs in; `variable` is what the token is kept in."""

    base_url: str = field(repr=False)
    token: str = field(default="", repr=False)
    variable: str = ""
    streaming_url: str = field(default="", repr=False)

    @property
    def host(self) -> str:
        """The server as it is named to people, and in the references that replies are made with."""
        parts = urlsplit(self.base_url)
        host = parts.hostname or ""
        return f"{host}:{parts.port}" if parts.port else host


class _Adapter(HTTPAdapter):
    """Reads whole answers with a cap on their size and on the time they take; streams are left open."""

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:  # noqa: ANN401 - as there
        response: requests.Response = super().build_response(req, resp)
        if not is_stream(req.url):
            response._content = _read_capped(response)  # noqa: SLF001 - what requests would have read without caps
        return response


def _read_capped(response: requests.Response) -> bytes:
    deadline = time.monotonic() + TOTAL_SECONDS
    data = bytearray()
    while chunk := response.raw.read1(_CHUNK, decode_content=True):
        data += chunk
        if len(data) > MAX_BYTES or time.monotonic() > deadline:
            response.close()
            raise requests.ConnectionError("the answer is too long, or takes too long")
    response.raw.release_conn()
    return bytes(data)


def is_stream(url: str | None) -> bool:
    """Whether an address is that of a stream, whose answer does not end."""
    path = urlsplit(url or "").path
    return _STREAMING in path and not path.endswith("/health")


class _Session(requests.Session):
    """What the library sends its requests with."""

    def __init__(self, streaming_url: str) -> None:
        super().__init__()
        self.trust_env = False
        self.retry_after: float | None = None
        self.words = ""
        self._streaming_url = streaming_url.rstrip("/")
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter())
        self.hooks["response"].append(self._look_at)

    def send(self, request: requests.PreparedRequest, **others: Any) -> requests.Response:  # noqa: ANN401 - as there
        if self._streaming_url and request.url and is_stream(request.url):
            at = request.url.index(_STREAMING)
            request.url = self._streaming_url + request.url[at:]
        return super().send(request, **others)

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        is_read = resp.request.method in {"GET", "HEAD"}
        return super().get_redirect_target(resp) if is_read else None

    def _look_at(self, response: requests.Response, **_others: object) -> None:
        headers = response.headers
        headers.pop("deprecation", None)
        # The library fails on times that it cannot read, even those of a post that was made: it gets plain seconds.
        reset, told_at = (_read_moment(headers.pop(name, "")) for name in ("X-RateLimit-Reset", "Date"))
        if reset is not None:
            headers["X-RateLimit-Reset"] = str(int(reset + time.time() - (told_at or time.time())))
        self.words = "" if response.ok or is_stream(response.request.url) else _read_words(response.content)
        self.retry_after = retry_after_seconds(headers.get("Retry-After", ""), datetime.now(UTC))
        if is_stream(response.request.url) and response.status_code != requests.codes.ok and not response.is_redirect:
            response.close()
            raise StreamRefused(response.status_code)


def _read_moment(value: str) -> float | None:
    """Return the time in a header, seconds since 1970, ISO 8601 or as in `Date`, in seconds; None for no time."""
    if value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS:
        return float(value)
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        with contextlib.suppress(ValueError, IndexError, OverflowError):
            return read(value).timestamp()
    return None


def _read_words(body: bytes) -> str:
    """Return the sentence in an error's answer, cut to a reasonable length; '' where it is a page or none."""
    try:
        answer = decode_json(body)
    except ValueError:
        return ""
    words = answer.get("error") if isinstance(answer, dict) else answer
    line = " ".join(whole_characters(words).split()) if isinstance(words, str) else ""
    return line if len(line) <= _MOST_SAID else f"{line[:_MOST_SAID]}…"


class Client:
    """One client, for one thread; opening it touches no network."""

    def __init__(self, access: Access) -> None:
        """Take where to ask."""
        # The library warns of timelines that are closed to us, and of old endpoints; we ask, and tell what is answered.
        for kind in (MastodonWarning, MastodonDeprecationWarning):
            warnings.filterwarnings("ignore", category=kind)
        self.access = access
        self._session = _Session(access.streaming_url)
        self.api = Mastodon(
            api_base_url=access.base_url,
            request_timeout=REQUEST_SECONDS,
            ratelimit_method="throw",
            version_check_mode="none",
            session=self._session,
            user_agent=_AGENT,
        )
        self.api.access_token = access.token or None

    def close(self) -> None:
        """Let go of the connections."""
        self._session.close()

    def ask(self, question: Callable[[Mastodon], T]) -> T:
        """Return the answer to a question that only reads.

        Raises:
            NotOffered, Permanent, RateLimited, Retryable: as `explain` says.
        """
        try:
            return question(self.api)
        except FAILURES as err:
            raise self.explain(err) from self.cause_of(err)

    def explain(self, err: BaseException) -> ListenerError:
        """Say what a failed read means: what to do, in one sentence, without the token or a whole address."""
        host, status = self.access.host, status_of(err)
        if is_rate_limit(err) or status == requests.codes.too_many:
            return RateLimited(f"{host} asks to slow down.", retry_after=self.seconds_to_wait())
        if status:
            return self._explain_status(status, self.words_of(err))
        if isinstance(err, MastodonNetworkError | requests.RequestException | HTTPError):
            return Retryable(f"{host} cannot be reached, or did not answer to the end.")
        return Retryable(f"{host} does not answer as a Mastodon server does; see whether base_url is right.")

    def _explain_status(self, status: int, words: str) -> ListenerError:
        host = self.access.host
        said = f" It says: {words}" if words else ""
        if status == requests.codes.unauthorized and self.access.token:
            return Permanent(f"{host} does not accept the access token; put a new one into {self.access.variable}.")
        if status == requests.codes.unauthorized:
            return Permanent(f"{host} tells this to its own accounts only.{said}")
        if status in _NOT_OFFERED:
            return NotOffered(f"{host} does not know what it was asked for ({status}).{said}", words=words)
        if status in _REFUSED and words:
            return NotAllowed(f"{host} does not allow this with this access token.{said}")
        if status == requests.codes.unavailable and self._session.retry_after:
            return RateLimited(f"{host} is away for a while.", retry_after=self.seconds_to_wait())
        return Retryable(f"{host} answers with an error ({status}).{said}")

    def seconds_to_wait(self) -> float | None:
        """Return how long the server asked us to stay away, None where it did not say."""
        asked = self._session.retry_after
        reset = cast("float | None", self.api.ratelimit_reset)
        if asked is None and reset is not None:
            asked = max(0.0, reset - time.time())
        return None if asked is None else min(asked, LONGEST_WAIT)

    def words_of(self, err: BaseException) -> str:
        """Return what the server itself said of an error, in one line, or ''; the library mostly loses it."""
        return self._hide(self._session.words) if status_of(err) else ""

    def cause_of(self, err: BaseException) -> BaseException | None:
        """Return the error to chain to ours; None where one of its words is secret or is the body of an answer."""
        each: BaseException | None = err
        while each is not None:
            told = f"{each} {each!r}"
            if self._hide(told) != told or "json content was" in told:
                return None
            each = each.__cause__ or each.__context__
        return err

    def _hide(self, text: str) -> str:
        for secret in (self.access.token, urlsplit(self.access.base_url).path.strip("/")):
            text = text.replace(secret, "…") if secret else text
        return text


def status_of(err: BaseException | None) -> int:
    """Return the HTTP status that an error of the library tells of, 0 where it tells none."""
    if isinstance(err, StreamRefused):
        return err.status
    if isinstance(err, MastodonAPIError) and len(err.args) > 1:
        with contextlib.suppress(TypeError, ValueError):
            return int(err.args[1])
    return 0


def is_rate_limit(err: BaseException) -> bool:
    """Whether a request was refused for the server's limit; the library's error of that name means other things too."""
    return isinstance(err, MastodonRatelimitError) and str(err) == "Hit rate limit."
