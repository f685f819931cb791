"""Signed requests to an address of the settings: answers to a webhook's posts, and a question whether it is there.

Answering is one POST of JSON, signed as the requests to the webhook are:

    {"in_reply_to": "17", "platform": "forum", "text": "…", "send_key": "…", "account": "@acme", "author": "jane"}

A 2xx with {"id": "18", "url": "https://…"} says that it is posted, and 409 with the same that it was there already: the
receiver knows a `send_key` it has seen. A 4xx with {"error": "a sentence"} refuses, and with {"by_hand_url": "https://…"}
says where only a person may answer; 429 asks to slow down. After anything else nobody knows whether it is posted.
"""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

from urllib3.exceptions import HTTPError

from listeners.contract import Finding, Posted
from listeners.errors import ListenerError, Permanent, RateLimited, RefusedByRules, Retryable, Unknown
from listeners.fetch import retry_after_seconds
from listeners.lookup import Lookup, Resolver, resolve_host
from listeners.text import decode_json, whole_characters
from listeners.webhook.signature import headers_for
from listeners.wire import Wire

_MAX_ANSWER: Final = 100_000
_ALWAYS: Final = {"Accept": "application/json", "User-Agent": "Cuecard/0.1"}
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_LOOK: Final = "The callback did not confirm the reply (it answered {status}); look there before trying again."
_REACHES: Final = "See whether callback_url is right and this machine can reach it."


@dataclass(frozen=True, slots=True)
class _Heard:
    """What the callback answered; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def read(self) -> dict[str, str]:
        """Return the texts of the object of JSON that was answered; nothing where it is none."""
        try:
            told = decode_json(self.body)
        except ValueError:
            return {}
        if not isinstance(told, dict):
            return {}
        return {
            key: whole_characters(str(value)).strip()
            for key, value in told.items()
            if isinstance(value, str | int) and not isinstance(value, bool)
        }


@dataclass(frozen=True, slots=True)
class Caller:
    """Sends signed requests to one address; `seconds` is how long each may take in all."""

    url: str
    secret: str = field(repr=False)
    seconds: float
    now: Callable[[], datetime]
    resolve: Resolver = resolve_host
    tls: ssl.SSLContext | None = None

    def answer(self, told: Mapping[str, str]) -> Posted:
        """Post an answer to a mention, once.

        Raises:
            RateLimited, Retryable: certainly not posted. Permanent: refused. RefusedByRules: a person may post it.
            Unknown: it may be posted.
        """
        try:
            heard = self._send("POST", json.dumps(told).encode("ascii"))
        except Retryable as err:
            raise Retryable(f"{err} Nothing was posted.") from err
        except Unknown as err:
            raise Unknown(f"{err} The reply may or may not be there; look before trying again.") from err
        if heard.status == 429:
            wait = retry_after_seconds(heard.headers.get("retry-after", ""), self.now())
            raise RateLimited("The callback asks to slow down.", retry_after=wait)
        said = heard.read()
        is_posted = 200 <= heard.status < 300 or heard.status == 409
        if is_posted and said.get("id"):
            return Posted(said["id"], _web_only(said.get("url", "")))
        if 400 <= heard.status < 500 and said.get("error"):
            by_hand = _web_only(said.get("by_hand_url", ""))
            raise RefusedByRules(said["error"], url=by_hand) if by_hand else Permanent(said["error"])
        raise Unknown(_LOOK.format(status=heard.status))

    def check(self) -> Finding:
        """Ask which methods the address takes (OPTIONS), which changes nothing there and needs no answer by heart."""
        try:
            heard = self._send("OPTIONS", b"")
        except ListenerError as err:
            return Finding(is_good=False, sentence=str(err), remedy=_REACHES)
        problem = _problem_of(heard)
        if problem:
            return Finding(is_good=False, sentence=f"The callback {problem}.", remedy=_REACHES)
        return Finding(is_good=True, sentence=f"The callback answers ({heard.status}).")

    def is_webhook(self) -> bool:
        """Whether a webhook with the same secret listens at the address: an empty list is harmless, and signed."""
        try:
            return self._send("POST", b"[]").status == 202
        except ListenerError:
            return False

    def _send(self, method: str, body: bytes) -> _Heard:
        """Send one request on a connection of its own, without retries, redirects or proxies; what is POSTed is signed.

        Raises:
            Retryable: no connection was made. Unknown: it broke off after that.
        """
        parts = urlsplit(self.url)
        host, port = parts.hostname or "", parts.port or _DEFAULT_PORTS[parts.scheme]
        tls = (self.tls or ssl.create_default_context()) if parts.scheme == "https" else None
        asked = {"Host": parts.netloc, "Content-Type": "application/json", **_ALWAYS}
        if method == "POST":
            asked |= headers_for(self.secret, body, self.now())
        with Wire(self.seconds) as wire:
            try:
                addresses = Lookup(self.resolve, host, port).wait(self.seconds)
                connection = wire.connect(addresses, port, host, tls)
            except (HTTPError, OSError, UnicodeError, Retryable) as err:
                raise Retryable(f"The callback at {host} cannot be reached.") from err
            try:
                connection.request(method, _target(parts), body, asked, preload_content=False, decode_content=False)
                response = connection.getresponse()
                headers = {name.lower(): value for name, value in response.headers.items()}
                return _Heard(response.status, headers, response.read(_MAX_ANSWER))
            except (HTTPError, http.client.HTTPException, OSError) as err:
                raise Unknown(f"The callback at {host} broke off before it answered.") from err
            finally:
                connection.close()


def _target(parts: SplitResult) -> str:
    query = f"?{quote(parts.query, safe='/%:=&?~+!$,;@()*[]')}" if parts.query else ""
    return quote(parts.path or "/", safe="/%:=&~+!$,;'@()*[]") + query


def _problem_of(heard: _Heard) -> str:
    """Return what is wrong with an answer to OPTIONS; many servers know no OPTIONS and say so, which will do."""
    allowed = heard.headers.get("allow", "").upper()
    if 300 <= heard.status < 400:
        return f"redirects ({heard.status}); callback_url must be the address it redirects to"
    if heard.status == 404:
        return "is not there (404)"
    if heard.status >= 500 and heard.status != 501:
        return f"is broken ({heard.status})"
    if allowed and "POST" not in allowed:
        return f"takes no POST (it takes {allowed})"
    return ""


def _web_only(url: str) -> str:
    return url if url.startswith(("https://", "http://")) else ""
