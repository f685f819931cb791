"""The line to X, under tweepy: no cookies, no proxy, no second try, and another thread can cut it."""

from __future__ import annotations

import functools
import socket
import threading
import weakref
from collections.abc import Callable
from http.cookiejar import DefaultCookiePolicy
from typing import Any, TypeVar

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.exceptions import NewConnectionError
from urllib3.response import HTTPResponse

C = TypeVar("C", bound=HTTPConnection)


class Line(HTTPAdapter):
    """Opens the connections of one session, and remembers them for as long as they are in use."""

    def __init__(self) -> None:
        super().__init__(max_retries=0)
        self._lock = threading.Lock()
        self._connections: weakref.WeakSet[HTTPConnection] = weakref.WeakSet()
        self._responses: weakref.WeakSet[HTTPResponse] = weakref.WeakSet()
        self._is_cut = False

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as its parent's
        """Return a pool whose connections are remembered."""
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        if "ConnectionCls" not in vars(pool):
            pool.ConnectionCls = _remembered(pool.ConnectionCls, self._remember)
        return pool

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:  # noqa: ANN401 - as above
        """Remember an answer whose body is still to be read."""
        with self._lock:
            self._responses.add(resp)
        return super().build_response(req, resp)

    def cut(self) -> None:
        """End every request that runs, and refuse later ones."""
        with self._lock:
            self._is_cut = True
            connections, responses = list(self._connections), list(self._responses)
        for response in responses:
            _shut(response.shutdown)
        for connection in connections:
            if connection.sock is not None:
                _shut(functools.partial(connection.sock.shutdown, socket.SHUT_RDWR))

    def _remember(self, connection: HTTPConnection) -> None:
        with self._lock:
            if self._is_cut:
                raise NewConnectionError(connection, "the line is cut")
            self._connections.add(connection)


def lay_line(session: requests.Session) -> Line:
    """Make a session use a line of its own, and return it."""
    line = Line()
    session.trust_env = False  # a proxy, or another password from ~/.netrc
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.mount("https://", line)
    session.mount("http://", line)
    return line


def _remembered(kind: type[C], remember: Callable[[HTTPConnection], None]) -> type[C]:
    class Remembered(kind):  # type: ignore[valid-type, misc]
        def connect(self) -> None:
            remember(self)
            super().connect()

    return Remembered


def _shut(close: Callable[[], object]) -> None:
    try:
        close()
    except (ValueError, RuntimeError, OSError):
        return  # it was closed already
