"""tweepy's client, for any host, with time-outs and a cap; it follows no redirect, repeats nothing and prints no key.

tweepy signs for api.twitter.com and waits for ever. Here the host that is really asked is signed, so that a proxy or a
server under test can stand in.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

import requests
import tweepy  # type: ignore[import-untyped]
from tweepy.auth import OAuth1UserHandler  # type: ignore[import-untyped]
from urllib3.exceptions import HTTPError

from listeners.errors import Permanent, Retryable
from listeners.text import decode_json
from listeners.x.line import lay_line
from listeners.x.problems import LostError, ProblemError, host_of, read_problem, translate
from listeners.x.settings import Keys, Settings

CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 20.0
TOTAL_SECONDS: Final = 60.0
MOST_BYTES: Final = 20_000_000
_CHUNK: Final = 65_536
_DEFAULT_ORIGIN: Final = "https://api.x.com"
_TALKATIVE: Final = ("tweepy", "requests_oauthlib", "oauthlib")


@dataclass(frozen=True, slots=True)
class Answer:
    """What X answered: the object in its body, and its headers with names in lower case."""

    told: Mapping[str, object]
    headers: Mapping[str, str]


class Client(tweepy.Client):  # type: ignore[misc]
    """One session with X."""

    def __init__(self, settings: Settings, keys: Keys, now: Callable[[], datetime]) -> None:
        """Take what to ask and how to sign; nothing is asked yet."""
        super().__init__(
            keys.bearer,
            keys.api_key,
            keys.api_secret,
            keys.access_token,
            keys.access_secret,
            return_type=requests.Response,
            wait_on_rate_limit=False,
        )
        quieten_libraries()
        self._line = lay_line(self.session)
        self._settings = settings
        self._keys = keys
        self._now = now

    def __repr__(self) -> str:
        return f"Client({host_of(self._settings)})"

    def request(
        self,
        method: str,
        route: str,
        params: Mapping[str, str] | None = None,
        json: object = None,
        user_auth: bool = False,
    ) -> requests.Response:
        """Ask once, as the app or, with `user_auth`, in our account's name; `route` may be a whole address of X's.

        Raises:
            ProblemError: X refused.
            LostError: there was no whole answer.
        """
        return self.send(method, self._address(route), params=params, json=json, user_auth=user_auth)

    def send(  # noqa: PLR0913 - the parts of a request
        self,
        method: str,
        address: str,
        *,
        params: Mapping[str, str] | None = None,
        json: object = None,
        data: bytes | None = None,
        user_auth: bool = False,
    ) -> requests.Response:
        """Do as `request` does, with a body of any kind; errors as there."""
        headers = {"Accept": "application/json", "User-Agent": self.user_agent, "Connection": "close"}
        if data is not None:
            headers["Content-Type"] = "text/plain"
        auth = self._sign() if user_auth else None
        if not user_auth and is_of(address, self._settings):
            headers["Authorization"] = f"Bearer {self._keys.bearer}"
        try:
            with self.session.request(
                method,
                address,
                params=params,
                json=json,
                data=data,
                headers=headers,
                auth=auth,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
                stream=True,
            ) as answered:
                response: requests.Response = answered
                body = self._read(response)
        except (requests.RequestException, HTTPError, OSError, ValueError) as err:
            raise LostError from err
        if not HTTPStatus.OK <= response.status_code < HTTPStatus.MULTIPLE_CHOICES:
            headers = {name.lower(): value for name, value in response.headers.items()}
            raise ProblemError(read_problem(response.status_code, headers, body, self._now(), self._keys))
        response._content = body  # noqa: SLF001 - it was read here, within bounds
        return response

    def read(self, route: str, params: Mapping[str, str] | None = None, *, user_auth: bool = False) -> Answer:
        """Ask for something; errors are those of a look.

        Raises:
            RateLimited, Retryable, Permanent: as `listen`.
        """
        return self.ask("GET", route, params=params, user_auth=user_auth)

    def ask(
        self,
        method: str,
        route: str,
        *,
        params: Mapping[str, str] | None = None,
        json: object = None,
        user_auth: bool = False,
    ) -> Answer:
        """Ask for something with any method; errors are those of a look.

        Raises:
            RateLimited, Retryable, Permanent: as `listen`.
        """
        try:
            response = self.request(method, route, params, json, user_auth)
        except ProblemError as err:
            raise translate(err.problem, self._settings) from err
        except LostError as err:
            raise Retryable(f"X cannot be reached at {host_of(self._settings)}.") from err
        return read_answer(response, self._settings)

    def close(self) -> None:
        """End a running request, and free what is held."""
        self._line.cut()
        self.session.close()

    def _address(self, route: str) -> str:
        return route if "://" in route else f"{self._settings.base_url.rstrip('/')}{route}"

    def _sign(self) -> Any:  # noqa: ANN401 - requests_oauthlib has no types
        keys = self._keys
        return OAuth1UserHandler(keys.api_key, keys.api_secret, keys.access_token, keys.access_secret).apply_auth()

    def _read(self, response: requests.Response) -> bytes:
        """Read a body, as long as it neither trickles nor floods."""
        ends_at = time.monotonic() + TOTAL_SECONDS
        body = bytearray()
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            body += chunk
            if len(body) > MOST_BYTES or time.monotonic() > ends_at:
                raise ValueError("the answer is too long, or takes too long")
        return bytes(body)


def read_answer(response: requests.Response, settings: Settings) -> Answer:
    """Read the object in an answer.

    Raises:
        Retryable: there is none, so that something else than X answered.
    """
    try:
        told = decode_json(response.content)
    except ValueError as err:
        raise Retryable(f"What answers at {host_of(settings)} does not speak X's language (JSON).") from err
    if not isinstance(told, dict):
        raise Retryable(f"What answers at {host_of(settings)} does not answer as X does.")
    return Answer(told, {name.lower(): value for name, value in response.headers.items()})


def is_of(address: str, settings: Settings) -> bool:
    """Whether an address is X's own, which the bearer token may be shown to."""
    origin = "/".join(address.split("/")[:3]).lower()
    return origin in {_DEFAULT_ORIGIN, "/".join(settings.base_url.split("/")[:3]).lower()}


def data_of(answer: Answer) -> Mapping[str, object]:
    """Return the one object that was asked for.

    Raises:
        Permanent: X says why there is none.
        Retryable: it says nothing.
    """
    data = answer.told.get("data")
    if isinstance(data, dict):
        return data
    errors = answer.told.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    if isinstance(first.get("detail"), str):
        raise Permanent(f"X does not give what was asked for ({first['detail'][:200].rstrip('.')}).")
    raise Retryable("X answered with nothing.")


def quieten_libraries() -> None:
    """Keep what the libraries say when they are debugged out of the log: keys and signatures are in it."""
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL)
