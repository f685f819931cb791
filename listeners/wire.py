"""A connection for one request that another thread can cut: at its deadline, or to stop."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from listeners.errors import Retryable

CONNECT_SECONDS: Final = 5.0


class Wire:
    """Makes one connection, and holds on to its socket until it is left; use it as a context."""

    def __init__(self, seconds: float) -> None:
        """Cut it after so many seconds, whatever a single read may take: a server that trickles keeps within those."""
        self._ends_at = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self.is_cut = False
        self._timer = threading.Timer(max(0.0, seconds), self.cut)
        self._timer.daemon = True
        self._timer.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            self._drop()

    def cut(self) -> None:
        """End what runs on it, and everything later."""
        with self._lock:
            self.is_cut = True
            self._shut()

    def connect(self, addresses: Sequence[str], port: int, host: str, tls: ssl.SSLContext | None) -> HTTPConnection:
        """Return a connection to the first of the addresses that listens; with `tls`, to one with the host's name.

        Raises:
            urllib3.exceptions.HTTPError, OSError: no connection could be made; nothing was sent.
            Retryable: there is no address, or no time left.
        """
        failure: Exception = Retryable(f"No address is known for {host}.")
        for address in addresses:
            left = min(CONNECT_SECONDS, self._ends_at - time.monotonic())
            if left <= 0 or self.is_cut:
                break
            connection = self._build(address, port, host, tls, left)
            try:
                connection.connect()
            except (NewConnectionError, ConnectTimeoutError) as err:
                failure = err
                continue
            connection.timeout = max(1.0, self._ends_at + 1 - time.monotonic())  # for each read; it is cut before
            return connection
        raise failure

    def _build(
        self, address: str, port: int, host: str, tls: ssl.SSLContext | None, seconds: float
    ) -> _HeldHTTP | _HeldHTTPS:
        if tls is None:
            plain = _HeldHTTP(address, port, timeout=seconds)
            plain.wire = self
            return plain
        secure = _HeldHTTPS(address, port, timeout=seconds, ssl_context=tls, server_hostname=host)
        secure.wire = self
        return secure

    def _hold(self, connected: socket.socket) -> None:
        with self._lock:
            self._drop()
            self._socket = connected.dup()  # stays ours while TLS wraps the other
            if self.is_cut:
                self._shut()

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
    wire: Wire

    def _new_conn(self) -> socket.socket:
        connected = super()._new_conn()
        self.wire._hold(connected)  # noqa: SLF001 - the two belong together
        return connected


class _HeldHTTPS(HTTPSConnection):
    wire: Wire

    def _new_conn(self) -> socket.socket:
        connected = super()._new_conn()
        self.wire._hold(connected)  # noqa: SLF001 - the two belong together
        return connected
