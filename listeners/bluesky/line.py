"""The line to a Bluesky server, under atproto: each request once, in bounded time and size; another thread can cut it.

httpx as atproto sets it up has no limit for a whole answer, follows redirects with the password in hand, and heeds
proxies of the environment; this transport does none of that.
"""

from __future__ import annotations

import ssl
import threading
from contextlib import closing
from typing import Final, TypeVar

import httpx
from urllib3.connection import HTTPConnection
from urllib3.response import BaseHTTPResponse

from listeners.errors import Retryable
from listeners.lookup import Lookup, resolve_host
from listeners.wire import CONNECT_SECONDS, Wire

TOTAL_SECONDS: Final = 20.0
MAX_BYTES: Final = 5_000_000
_CHUNK: Final = 65_536
_PORTS: Final = {"http": 80, "https": 443}
_OWN_HEADERS: Final = frozenset({"accept-encoding", "connection", "content-length", "transfer-encoding"})

T = TypeVar("T", Wire, Lookup)


class BadAnswerError(Exception):
    """An answer that can not be used: it is too large, packed, or leads elsewhere. The message is a plain sentence."""

    def __init__(self, sentence: str, *, was_refused: bool = False) -> None:
        """Take the sentence, and whether it is certain that the request was not carried out."""
        super().__init__(sentence)
        self.was_refused = was_refused


class Line(httpx.BaseTransport):
    """Sends one request at a time over a connection of its own."""

    def __init__(self) -> None:
        """Connect to nothing yet."""
        self._lock = threading.Lock()
        self._running: Wire | Lookup | None = None
        self._is_cut = False
        self._tls: ssl.SSLContext | None = None

    def cut(self) -> None:
        """End the request that runs, and refuse later ones."""
        with self._lock:
            self._is_cut = True
            running = self._running
        if running is not None:
            running.cut()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and read its whole answer.

        Raises:
            urllib3.exceptions.HTTPError, HTTPException, OSError, Retryable: there was no answer, or not all of it.
            BadAnswerError: there is nothing to be done with it.
        """
        host, port = request.url.host, request.url.port or _PORTS[request.url.scheme]
        try:
            addresses = self._hold(Lookup(resolve_host, host, port)).wait(CONNECT_SECONDS)
        except OSError as err:
            raise Retryable(f"No address is known for {host}.") from err
        with self._hold(Wire(TOTAL_SECONDS)) as wire:
            connection = wire.connect(addresses, port, host, self._tls_for(request.url.scheme))
            try:
                answer, body = self._exchange(connection, request)
            finally:
                connection.close()
            if wire.is_cut:  # a cut answer of unknown length looks like a whole one
                raise TimeoutError
        return httpx.Response(answer.status, headers=list(answer.headers.items()), content=body, request=request)

    def _exchange(self, connection: HTTPConnection, request: httpx.Request) -> tuple[BaseHTTPResponse, bytes]:
        headers = {name: value for name, value in request.headers.items() if name not in _OWN_HEADERS}
        connection.request(
            request.method,
            request.url.raw_path.decode(),
            body=request.read() or None,
            headers={**headers, "Accept-Encoding": "identity"},
            preload_content=False,
            decode_content=False,
        )
        answer = connection.getresponse()
        with closing(answer):  # which may have taken the socket over
            return answer, self._read(answer, request.url.netloc.decode())

    def _read(self, answer: BaseHTTPResponse, host: str) -> bytes:
        if 300 <= answer.status < 400:
            raise BadAnswerError(f"{host} leads to another address; put that one into base_url.", was_refused=True)
        if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise BadAnswerError(f"{host} packed its answer, which was not asked for.")
        body = bytearray()
        while chunk := answer.read(_CHUNK, decode_content=False):
            body += chunk
            if len(body) > MAX_BYTES:
                raise BadAnswerError(f"{host} sent more than {MAX_BYTES:,} bytes.")
        return bytes(body)

    def _hold(self, running: T) -> T:
        with self._lock:
            self._running = running
            is_cut = self._is_cut
        if is_cut:
            running.cut()
        return running

    def _tls_for(self, scheme: str) -> ssl.SSLContext | None:
        if scheme == "https" and self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls if scheme == "https" else None
