"""An account on a Bluesky server (PDS): atproto with its traps taken out.

The session is in memory only. Signing in is limited to 30 times in 5 minutes and 300 a day (rate limits, docs.bsky.app,
2026-04), so it is done once; atproto refreshes the session, and where that fails it is begun anew. atproto would send
every later request, token included, to whatever host the answer to signing in names. Here all go to `base_url`, from
where Bluesky forwards them (PDS Entryway, docs.bsky.app), so that another server can stand in for it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http.client import HTTPException
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from atproto_client import Client, Session  # type: ignore[import-untyped]
from atproto_client.exceptions import (  # type: ignore[import-untyped]
    LoginRequiredError,
    ModelError,
    RateLimitExceededError,
    RequestErrorBase,
)
from atproto_client.models.common import XrpcError  # type: ignore[import-untyped]
from atproto_client.models.dot_dict import DotDict  # type: ignore[import-untyped]
from atproto_client.models.utils import get_model_as_dict  # type: ignore[import-untyped]
from atproto_client.request import Request, Response  # type: ignore[import-untyped]
from atproto_core.exceptions import AtProtocolError  # type: ignore[import-untyped]
from atproto_server.exceptions import InvalidTokenError  # type: ignore[import-untyped]
from urllib3.exceptions import HTTPError

from listeners.bluesky.failures import SIGN_IN_REFUSED, CallFailedError
from listeners.bluesky.line import BadAnswerError, Line
from listeners.errors import ListenerError, Retryable
from listeners.sent import was_never_sent
from listeners.text import whole_characters

_JSON: Final = "application/json"
_WHOLE_ACCESS: Final = "com.atproto.access"
"""The scope of a session that was begun with the account's own password."""
_MOST_SAID: Final = 200
_NOT_SERVED: Final = frozenset({404, 405, 501})
# What comes of JSON of quite another form than atproto expects.
_UNFORESEEN: Final = (AttributeError, LookupError, TypeError, ValueError)
_BROKEN: Final = (httpx.HTTPError, HTTPError, HTTPException, OSError)
_FAILURES: Final = (AtProtocolError, ListenerError, BadAnswerError, *_BROKEN, *_UNFORESEEN)


@dataclass(frozen=True, slots=True)
class Access:
    """Where an account is and what opens it; `variable` is what the app password is kept in."""

    base_url: str
    handle: str
    password: str = field(repr=False)
    variable: str

    @property
    def host(self) -> str:
        """The server as it is named to people."""
        return urlsplit(self.base_url).netloc


class Account:
    """Our account. It signs in when it is first needed; requests go one after the other."""

    def __init__(self, access: Access, now: Callable[[], datetime]) -> None:
        """Take what opens it."""
        self.access = access
        self._now = now
        self._line = Line()
        self._lock = threading.RLock()
        self._client: Client | None = None
        self._session: Session | None = None
        logging.getLogger("httpx").setLevel(logging.WARNING)  # it writes a line for every request

    def sign_in(self) -> str:
        """Begin a session unless there is one; return the account's DID.

        Raises:
            CallFailedError: there is none.
        """
        return str(self._signed_in()[1].did)

    def is_own_password(self) -> bool:
        """Whether the session, once there is one, was begun with the account's own password."""
        return self._session is not None and self._session.access_jwt_payload.scope == _WHOLE_ACCESS

    def ask(self, method: str, **parameters: object) -> Mapping[str, Any]:
        """Ask the server and return its answer; a session that is over is begun anew, once.

        Raises:
            CallFailedError: there was none.
        """

        def look(client: Client) -> Response:
            return client.invoke_query(method, DotDict(parameters), output_encoding=_JSON)

        try:
            return self._call(look)
        except CallFailedError as err:
            if not err.is_session_over:
                raise
        return self._call(look)

    def read(self, method: str, **parameters: object) -> Mapping[str, Any]:
        """Ask the server, for somebody who only wants to read.

        Raises:
            RateLimited, Retryable, Permanent: there was no answer.
        """
        try:
            return self.ask(method, **parameters)
        except CallFailedError as err:
            raise err.to_error() from err

    def send(self, method: str, data: Mapping[str, object]) -> Mapping[str, Any]:
        """Have the server do something, once, and return its answer.

        Raises:
            CallFailedError: it is not certain that it was done; `was_refused` where it certainly was not.
        """
        told = DotDict(dict(data))
        return self._call(lambda client: client.invoke_procedure(method, data=told, input_encoding=_JSON))

    def find_facets(self, text: str) -> list[Mapping[str, Any]]:
        """Return what in a text is a link, a hashtag, or the name of somebody the server knows.

        Raises:
            CallFailedError: the server could not be asked for the names.
        """
        with self._lock:
            facets = self._attempt(lambda client: client.detect_facets(text))
        return [get_model_as_dict(facet) for facet in facets]

    def close(self) -> None:
        """End the request that runs, and refuse later ones."""
        self._line.cut()

    def _call(self, call: Callable[[Client], Response]) -> Mapping[str, Any]:
        with self._lock:
            answer = self._attempt(call)
        if not isinstance(answer.content, dict):
            raise CallFailedError(f"{self.access.host} did not answer in JSON.", status=answer.status_code)
        return answer.content

    def _attempt(self, call: Callable[[Client], Any]) -> Any:  # noqa: ANN401 - whatever the call returns
        client, _session = self._signed_in()
        try:
            return call(client)
        except _FAILURES as err:
            failure = _explain(err, self.access.host, self._now())
            if failure.is_session_over:
                self._client = None
            raise failure from _tellable(err)

    def _signed_in(self) -> tuple[Client, Session]:
        with self._lock:
            if self._client is None or self._session is None:
                self._client, self._session = self._begin()
            return self._client, self._session

    def _begin(self) -> tuple[Client, Session]:
        access, sessions = self.access, list[Session]()
        client = Client(access.base_url, Request(transport=self._line, trust_env=False))

        def stay(_event: object, session: Session) -> None:
            client.update_base_url(access.base_url)
            sessions.append(session)

        client.on_session_change(stay)
        try:
            client.login(access.handle, access.password, fetch_bsky_profile=False)
        except _FAILURES as err:
            failure = _explain(err, access.host, self._now())
            raise _explain_sign_in(failure, access.host, access.handle, access.variable) from _tellable(err)
        return client, sessions[-1]


def _tellable(err: Exception) -> Exception | None:
    """Return an error that may stand in a log: what does not fit a model is told with its content, tokens included."""
    return None if isinstance(err, ModelError | ValueError) else err


def _explain(err: Exception, host: str, now: datetime) -> CallFailedError:
    """Say in a sentence what went wrong with a request to a host."""
    if isinstance(err, RequestErrorBase) and err.response is not None:
        return _explain_answer(err, host, now)
    if isinstance(err, BadAnswerError):
        return CallFailedError(str(err), was_refused=err.was_refused)
    if isinstance(err, LoginRequiredError | InvalidTokenError):
        said = f"{host} gave a session that can not be read; is it a Bluesky server (PDS)?"
        return CallFailedError(said, name="InvalidToken", was_refused=True)
    said, was_refused = _explain_silence(err)
    return CallFailedError(f"{host} {said}.", was_refused=was_refused)


def _explain_silence(err: Exception) -> tuple[str, bool]:
    """Return what a host did that gave no proper answer, and whether it certainly did nothing else."""
    if was_never_sent(err) or isinstance(err, Retryable):
        return "cannot be reached", True
    if isinstance(err, TimeoutError):
        return "did not answer in time", False
    if isinstance(err, _BROKEN):
        return "broke off before it had answered", False
    return "did not answer as a Bluesky server (PDS) does; see to base_url", False


def _explain_answer(err: RequestErrorBase, host: str, now: datetime) -> CallFailedError:
    answer = err.response
    status, content = answer.status_code, answer.content
    is_told = isinstance(content, XrpcError)
    name, words = (_tidy(content.error), _tidy(content.message)) if is_told else ("", "")
    wait = None
    said = f"{host} answers {status}{f', {name}' if name else ''}{f': {words}' if words else ''}."
    if isinstance(err, RateLimitExceededError):
        wait = err.retry_after
        if wait is None and err.reset_at is not None:
            wait = max(0.0, (err.reset_at - now).total_seconds())
        said = f"{host} asks to slow down (429)."
    elif status in _NOT_SERVED and not name:
        said = f"{host} is no Bluesky server (PDS): it answers {status}; see to base_url."
    was_refused = status == 501 or (400 <= status < 500 and status not in {408, 409})
    return CallFailedError(said, status=status, name=name, words=words, retry_after=wait, was_refused=was_refused)


def _explain_sign_in(failure: CallFailedError, host: str, handle: str, variable: str) -> CallFailedError:
    """Say why an account could not sign in, and what to do about it where the server refused it."""
    if failure.status not in {400, 401, 403}:
        return failure
    said = f"{host} refuses {variable} for {handle}."
    if failure.name == "AuthFactorTokenRequired":
        said = f"{host} wants a code from an e-mail for {handle}: {variable} must be an app password."
    elif failure.name == "AccountTakedown":
        said = f"{host} has taken {handle} down."
    return CallFailedError(said, status=401, name=SIGN_IN_REFUSED, words=failure.words, was_refused=True)


def _tidy(words: object) -> str:
    """Return what a server said as one short line."""
    if not isinstance(words, str):
        return ""
    line = " ".join(whole_characters(words).split())
    return line.rstrip(".") if len(line) <= _MOST_SAID else f"{line[:_MOST_SAID]}…"
