"""Reading a URL that somebody else chose, safely.

A feed's address, and every redirect, can point into our own network, trickle for ever or unpack to gigabytes. So: only
http and https on their own ports; every address of the host must be public, at every redirect, and the connection goes
to the very address that was checked; 5 seconds to look a name up, 5 to connect, 20 in all; a cap on bytes, also after
unpacking; no cookies, no proxy from the environment, no user names in addresses. Hosts in `allow_hosts` ("host" or
"host:port") may be private and use any port: for intranets and tests. Sentences name the host only: the rest of an
address may be secret.
"""

from __future__ import annotations

import http.client
import ssl
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError
from urllib3.response import BaseHTTPResponse

from listeners.errors import ListenerError, Permanent, RateLimited, Retryable
from listeners.lookup import Lookup, Resolver, is_public, resolve_host
from listeners.wire import CONNECT_SECONDS, Wire

__all__ = ["Fetched", "Fetcher", "Gone", "is_public", "retry_after_seconds"]

MAX_REDIRECTS: Final = 3
LOOKUP_SECONDS: Final = 5.0
TOTAL_SECONDS: Final = 20.0
LONGEST_WAIT: Final = 86_400.0
_CHUNK: Final = 65_536
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_AGENT: Final = "Cuecard/0.1 (reads feeds for a social team)"


class Gone(Permanent):
    """The address is gone for good (410): stop asking."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer: status 2xx, or 304 with an empty body. Names of headers are in lower case."""

    url: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def is_unchanged(self) -> bool:
        """Whether the server says that nothing changed since the last look."""
        return self.status == HTTPStatus.NOT_MODIFIED


@dataclass(frozen=True, slots=True)
class _Target:
    """One hop: where to connect to, after all checks."""

    scheme: str
    host: str
    port: int
    path: str
    addresses: Sequence[str]

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def retry_after_seconds(value: str, now: datetime) -> float | None:
    """Read a Retry-After header, seconds or an HTTP date, as seconds from `now`: 0 to a day; None if unreadable."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), LONGEST_WAIT)


@dataclass(slots=True)
class Fetcher:
    """Reads URLs, one at a time; `close` from another thread ends a running read.

    `resolve` and `tls` replace the system's own resolver and trusted certificates.
    """

    allow_hosts: Sequence[str] = ()
    max_bytes: int = 2_000_000
    total_seconds: float = TOTAL_SECONDS
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    resolve: Resolver = resolve_host
    tls: ssl.SSLContext | None = None
    _running: Wire | Lookup | None = field(default=None, init=False, repr=False)
    _is_closed: bool = field(default=False, init=False, repr=False)

    def close(self) -> None:
        """Stop a running read, and refuse any later one."""
        self._is_closed = True
        running = self._running
        if running is not None:
            running.cut()

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Fetched:
        """Read a URL.

        Raises:
            Gone: 410. Permanent: an address that may not be read.
            RateLimited: 429, or 5xx with Retry-After. Retryable: everything else that went wrong; also other 4xx,
                because a page that is missing or forbidden today is often back tomorrow.
        """
        deadline = time.monotonic() + self.total_seconds
        host = ""
        for _hop in range(MAX_REDIRECTS + 1):
            target = self._aim(url, deadline)
            host = target.host
            answer = self._ask(target, headers or {}, url, deadline)
            location = answer.headers.get("location", "")
            if answer.status not in {301, 302, 303, 307, 308} or not location:
                return self._judge(answer, host)
            url = _join(url, location, host)
        raise Retryable(f"{host} redirects more than {MAX_REDIRECTS} times.")

    def _aim(self, url: str, deadline: float) -> _Target:
        parts, port = _split(url)
        host = parts.hostname or ""
        is_allowed = bool(
            {name.strip().lower() for name in self.allow_hosts} & {host, f"{host}:{port}", f"[{host}]:{port}"}
        )
        if not is_allowed and port not in {80, 443}:
            raise Permanent(f"{host} is asked for on port {port}; only 80 and 443 are read, or hosts in allow_hosts.")
        path = quote(parts.path or "/", safe="/%:=&~+!$,;'@()*[]")
        query = f"?{quote(parts.query, safe='/%:=&?~+!$,;@()*[]')}" if parts.query else ""
        addresses = self._find_addresses(host, port, deadline)
        if not is_allowed and not all(is_public(address) for address in addresses):
            raise Permanent(f"{host} is not on the public internet; add it to allow_hosts if it may be read.")
        return _Target(parts.scheme, host, port, path + query, addresses)

    def _find_addresses(self, host: str, port: int, deadline: float) -> Sequence[str]:
        lookup = self._running = Lookup(self.resolve, host, port)
        if self._is_closed:
            lookup.cut()
        seconds = min(LOOKUP_SECONDS, max(0.0, deadline - time.monotonic()))
        try:
            return lookup.wait(seconds)
        except TimeoutError as err:
            said = self.explain_cut(host) if self._is_closed else f"No address was found for {host} in {seconds:.2g} s."
            raise Retryable(said) from err
        except UnicodeError as err:
            raise Permanent(f"{host} is not the name of a host.") from err
        except OSError as err:
            raise Retryable(f"No address is known for {host}.") from err
        finally:
            self._running = None

    def _ask(self, target: _Target, headers: Mapping[str, str], url: str, deadline: float) -> Fetched:
        with self._hold_wire(deadline) as wire, _translated(target.host, wire, self):
            connection = wire.connect(target.addresses, target.port, target.host, self._tls_for(target.scheme))
            try:
                asked = {"Host": target.host_header, "User-Agent": _AGENT, "Accept-Encoding": "gzip", **headers}
                connection.request("GET", target.path, headers=asked, preload_content=False, decode_content=False)
                response = connection.getresponse()
                told = {name.lower(): value for name, value in response.headers.items()}
                body = self._read(response, told, target.host) if 200 <= response.status < 300 else b""
            finally:
                connection.close()
            if wire.is_cut:  # a cut answer of unknown length looks like a whole one
                raise Retryable
            return Fetched(url, response.status, told, body)

    @contextmanager
    def _hold_wire(self, deadline: float) -> Iterator[Wire]:
        with Wire(deadline - time.monotonic()) as wire:
            self._running = wire
            if self._is_closed:
                wire.cut()
            try:
                yield wire
            finally:
                self._running = None

    def _tls_for(self, scheme: str) -> ssl.SSLContext | None:
        if scheme == "https" and self.tls is None:
            self.tls = ssl.create_default_context()
        return self.tls if scheme == "https" else None

    def _read(self, response: BaseHTTPResponse, headers: Mapping[str, str], host: str) -> bytes:
        encoding = headers.get("content-encoding", "").strip().lower()
        if encoding not in {"", "identity", "gzip", "x-gzip"}:
            raise Retryable(f"{host} packed its answer in a way that was not asked for.")
        unpack = zlib.decompressobj(wbits=31) if "gzip" in encoding else None
        body = bytearray()
        while chunk := response.read(_CHUNK, decode_content=False):
            body += unpack.decompress(chunk, self.max_bytes + 1 - len(body)) if unpack else chunk
            if len(body) > self.max_bytes:
                raise Retryable(f"{host} sent more than {self.max_bytes:,} bytes.")
        if unpack is not None and body and not unpack.eof:
            raise Retryable(f"{host} broke off in the middle of its answer.")
        return bytes(body)

    def _judge(self, answer: Fetched, host: str) -> Fetched:
        status = answer.status
        if 200 <= status < 300 or answer.is_unchanged:
            return answer
        wait = retry_after_seconds(answer.headers.get("retry-after", ""), self.now())
        if status == HTTPStatus.TOO_MANY_REQUESTS or (status >= 500 and wait is not None):
            raise RateLimited(f"{host} asks to slow down ({status}).", retry_after=wait)
        said = f"{host} answers {status}{_phrase(status)}."
        if status == HTTPStatus.GONE:
            raise Gone(said)
        raise Retryable(said)

    def explain_cut(self, host: str) -> str:
        """Return why a request was cut."""
        return (
            f"Reading {host} was stopped."
            if self._is_closed
            else f"{host} did not finish within {self.total_seconds:g} s."
        )


def _split(url: str) -> tuple[SplitResult, int]:
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as err:
        raise Permanent("This is not a web address.") from err
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise Permanent("Only addresses that begin with http:// or https:// are read.")
    if parts.username is not None or parts.password is not None:
        raise Permanent(f"The address of {parts.hostname} holds a user name; that is not read.")
    return parts, port if port is not None else _DEFAULT_PORTS[parts.scheme]


def _join(url: str, location: str, host: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as err:
        raise Retryable(f"{host} redirects to something that is no address.") from err


def _phrase(status: int) -> str:
    try:
        return f" ({HTTPStatus(status).phrase})"
    except ValueError:
        return ""


@contextmanager
def _translated(host: str, wire: Wire, fetcher: Fetcher) -> Iterator[None]:
    """Turn what the network throws into what the caller should do."""
    try:
        yield
    except (HTTPError, http.client.HTTPException, OSError, zlib.error, ListenerError) as err:
        if wire.is_cut:
            raise Retryable(fetcher.explain_cut(host)) from err
        if isinstance(err, ListenerError):
            raise
        raise Retryable(_explain(host, err)) from err


def _explain(host: str, err: Exception) -> str:
    if isinstance(err, NewConnectionError):  # which is also a kind of ConnectTimeoutError
        return f"{host} cannot be reached."
    if isinstance(err, ConnectTimeoutError):
        return f"{host} did not answer within {CONNECT_SECONDS:g} s."
    if isinstance(err, ssl.SSLCertVerificationError):
        return f"The certificate of {host} cannot be trusted: {err.verify_message}."
    if isinstance(err, ssl.SSLError):
        return f"No secure connection to {host} could be made."
    return f"{host} broke off in the middle of its answer."
