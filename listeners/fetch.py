"""Reading a URL that somebody else chose, safely.

A feed's address, and every redirect, can point into our own network, trickle for ever or unpack to gigabytes. So: only
http and https on their own ports; every address of the host must be public, at every redirect, and the connection goes
to the very address that was checked; 5 seconds to connect, 20 in all; a cap on bytes, also after unpacking; no cookies,
no proxy from the environment, no user names in addresses. Hosts in `allow_hosts` ("host" or "host:port") may be
private and use any port: for intranets and tests. Sentences name the host only: the rest of an address may be secret.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final, TypeAlias
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError
from urllib3.response import BaseHTTPResponse

from listeners.errors import ListenerError, Permanent, RateLimited, Retryable

MAX_REDIRECTS: Final = 3
CONNECT_SECONDS: Final = 5.0
TOTAL_SECONDS: Final = 20.0
LONGEST_WAIT: Final = 86_400.0
_CHUNK: Final = 65_536
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_AGENT: Final = "Cuecard/0.1 (reads feeds for a social team)"

Resolver: TypeAlias = Callable[[str, int], Sequence[str]]


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


def resolve_host(host: str, port: int) -> list[str]:
    """Return the addresses of a host, in the order to try them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet, whatever it is wrapped in."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None or ip.teredo is not None or ip.is_site_local:
            return False
        inner = ip.sixtofour or _inside_nat64(ip)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def _inside_nat64(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if ip in ipaddress.IPv6Network("64:ff9b::/96"):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return None


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


class _Wire:
    """Holds on to the socket of one request, so that another thread can cut it: at the deadline, or to stop."""

    def __init__(self, seconds: float) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self.is_cut = False
        self._timer = threading.Timer(seconds, self.cut)
        self._timer.daemon = True
        self._timer.start()

    def hold(self, connected: socket.socket) -> None:
        with self._lock:
            self._drop()
            self._socket = connected.dup()  # stays ours while TLS wraps the other
            if self.is_cut:
                self._shut()

    def cut(self) -> None:
        with self._lock:
            self.is_cut = True
            self._shut()

    def release(self) -> None:
        self._timer.cancel()
        with self._lock:
            self._drop()

    def _shut(self) -> None:
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it was closed already

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class _HeldHTTP(HTTPConnection):
    wire: _Wire

    def _new_conn(self) -> socket.socket:
        connected = super()._new_conn()
        self.wire.hold(connected)
        return connected


class _HeldHTTPS(HTTPSConnection):
    wire: _Wire

    def _new_conn(self) -> socket.socket:
        connected = super()._new_conn()
        self.wire.hold(connected)
        return connected


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
    _wire: _Wire | None = field(default=None, init=False, repr=False)
    _is_closed: bool = field(default=False, init=False, repr=False)

    def close(self) -> None:
        """Stop a running read, and refuse any later one."""
        self._is_closed = True
        wire = self._wire
        if wire is not None:
            wire.cut()

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
            target = self._aim(url)
            host = target.host
            answer = self._ask(target, headers or {}, url, deadline)
            location = answer.headers.get("location", "")
            if answer.status not in {301, 302, 303, 307, 308} or not location:
                return self._judge(answer, host)
            url = _join(url, location, host)
        raise Retryable(f"{host} redirects more than {MAX_REDIRECTS} times.")

    def _aim(self, url: str) -> _Target:
        parts, port = _split(url)
        host = parts.hostname or ""
        is_allowed = bool(
            {name.strip().lower() for name in self.allow_hosts} & {host, f"{host}:{port}", f"[{host}]:{port}"}
        )
        if not is_allowed and port not in {80, 443}:
            raise Permanent(f"{host} is asked for on port {port}; only 80 and 443 are read, or hosts in allow_hosts.")
        path = quote(parts.path or "/", safe="/%:=&~+!$,;'@()*[]")
        query = f"?{quote(parts.query, safe='/%:=&?~+!$,;@()*[]')}" if parts.query else ""
        return _Target(parts.scheme, host, port, path + query, self._find_addresses(host, port, is_allowed=is_allowed))

    def _find_addresses(self, host: str, port: int, *, is_allowed: bool) -> Sequence[str]:
        try:
            addresses = self.resolve(host, port)
        except UnicodeError as err:
            raise Permanent(f"{host} is not the name of a host.") from err
        except OSError as err:
            raise Retryable(f"No address is known for {host}.") from err
        if not is_allowed and not all(is_public(address) for address in addresses):
            raise Permanent(f"{host} is not on the public internet; add it to allow_hosts if it may be read.")
        return addresses

    def _ask(self, target: _Target, headers: Mapping[str, str], url: str, deadline: float) -> Fetched:
        with self._hold_wire(deadline) as wire, _translated(target.host, wire, self):
            connection = self._connect(target, wire, deadline)
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
    def _hold_wire(self, deadline: float) -> Iterator[_Wire]:
        wire = self._wire = _Wire(max(0.0, deadline - time.monotonic()))
        if self._is_closed:
            wire.cut()
        try:
            yield wire
        finally:
            self._wire = None
            wire.release()

    def _connect(self, target: _Target, wire: _Wire, deadline: float) -> HTTPConnection:
        failure: Exception = Retryable(f"No address is known for {target.host}.")
        for address in target.addresses:
            left = min(CONNECT_SECONDS, deadline - time.monotonic())
            if left <= 0 or wire.is_cut:
                break
            connection = self._build(target, address, wire, left)
            try:
                connection.connect()
            except (NewConnectionError, ConnectTimeoutError) as err:
                failure = err
                continue
            connection.timeout = self.total_seconds + 1  # for each read; the wire is cut before
            return connection
        raise failure

    def _build(self, target: _Target, address: str, wire: _Wire, seconds: float) -> HTTPConnection:
        if target.scheme == "http":
            plain = _HeldHTTP(address, target.port, timeout=seconds)
            plain.wire = wire
            return plain
        if self.tls is None:
            self.tls = ssl.create_default_context()
        secure = _HeldHTTPS(address, target.port, timeout=seconds, ssl_context=self.tls, server_hostname=target.host)
        secure.wire = wire
        return secure

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
def _translated(host: str, wire: _Wire, fetcher: Fetcher) -> Iterator[None]:
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
