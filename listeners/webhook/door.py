"""The HTTP side of a webhook: one address that takes POST, in a thread of its own, and trusts no sender.

One request a connection, so many connections at once, so many seconds to send a request and to hear the answer, so many
bytes; anything else is answered in one sentence of JSON or cut off. HTTP itself is read by uvicorn and h11, which have
seen more of it than a server of our own would; what they leave open, a head or a body that trickles in, is closed here.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from listeners.errors import Permanent, Retryable

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

log = logging.getLogger(__name__)

MAX_CONNECTIONS: Final = 32
READ_SECONDS: Final = 10.0
"""How long a request may take to come in."""
LIFE_SECONDS: Final = 30.0
"""How long a connection may take in all: to send, to wait until it is stored, and to take the answer."""
_BUSY_SECONDS: Final = 15
_MAX_HEAD: Final = 16_384
_PATIENCE: Final = 10  # bodies of up to so many times the size allowed are read to their end, to be told so
_CLOSING_SECONDS: Final = 2
_BUSY: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: %d\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    % _BUSY_SECONDS
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a sender is told: a status, an object of JSON, and headers."""

    status: int
    told: Mapping[str, object]
    headers: Mapping[str, str] = field(default_factory=dict)


def refuse(status: int, sentence: str, **headers: str) -> Answer:
    """Return an answer that says in one sentence what is wrong; names of headers are written with underscores."""
    return Answer(status, {"error": sentence}, {name.replace("_", "-"): value for name, value in headers.items()})


def ask_again(sentence: str) -> Answer:
    """Return an answer after which the sender sends the same again."""
    return refuse(503, sentence, Retry_After=str(_BUSY_SECONDS))


Handler = Callable[[Mapping[str, str], bytes], Awaitable[Answer]]
"""Answers a request by its headers (names in lower case) and body; runs in the door's own event loop."""


class _Cut(Exception):  # noqa: N818 - reads as what happened
    """The request ends early, with an answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


class Door:
    """Listens on a port and hands requests to a handler; `close` frees the port."""

    def __init__(self, path: str, max_bytes: int, handler: Handler, on_end: Callable[[Retryable], None]) -> None:
        """Take the one path, the size of a body, the handler, and who is told when the server ends by itself."""
        self._path = path
        self._max_bytes = max_bytes
        self._handler = handler
        self._on_end = on_end
        config = uvicorn.Config(
            self._serve,
            http=_GuardedProtocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level="error",  # what strangers send is no news
            access_log=False,
            proxy_headers=False,
            server_header=False,
            h11_max_incomplete_event_size=_MAX_HEAD,
            timeout_graceful_shutdown=_CLOSING_SECONDS,
        )
        self._server = uvicorn.Server(config)
        self._thread: threading.Thread | None = None

    def open(self, host: str, port: int) -> None:
        """Bind the port, and serve it from now on.

        Raises:
            Retryable: the port is taken, or the host has no such address now. Permanent: it may not be used.
        """
        bound = bind(host, port)
        self._thread = threading.Thread(target=self._run, args=(bound,), name=f"webhook {port}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take no more requests, and wait until the port is free."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(2 * _CLOSING_SECONDS)

    def _run(self, bound: socket.socket) -> None:
        try:
            with bound:
                asyncio.run(self._server.serve(sockets=[bound]))
        except Exception:  # whatever ended the server, the feed must hear that it is deaf
            log.exception("The webhook's server broke down.")
        if not self._server.should_exit:
            self._on_end(Retryable("The webhook's server ended by itself."))

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            async with asyncio.timeout(READ_SECONDS):
                body = await self._read(scope, receive, headers)
            answer = await self._handler(headers, body)
        except _Cut as err:
            answer = err.answer
        except TimeoutError:
            answer = refuse(408, f"The request did not come in within {READ_SECONDS:g} seconds.")
        data = json.dumps(answer.told).encode()
        told = {"Content-Type": "application/json", "Connection": "close", "Content-Length": str(len(data))}
        raw = [(name.encode(), value.encode()) for name, value in {**told, **answer.headers}.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": raw})
        await send({"type": "http.response.body", "body": data})

    async def _read(self, scope: Scope, receive: Receive, headers: Mapping[str, str]) -> bytes:
        """Return the body; one that is refused is read to its end first, so that the sender hears why."""
        length = headers.get("content-length", "")
        if "expect" in headers and length.isdigit() and int(length[:18]) > self._max_bytes:
            raise _Cut(self._too_long())  # the sender waits for a word before it sends
        body, size, has_more = bytearray(), 0, True
        while has_more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _Cut(refuse(400, "The request broke off."))
            part = message.get("body", b"")
            size += len(part)
            if size <= self._max_bytes:
                body += part
            elif size > _PATIENCE * self._max_bytes:
                break
            has_more = message.get("more_body", False)
        if scope["path"] != self._path:
            raise _Cut(refuse(404, "There is nothing here."))
        if scope["method"] != "POST":
            raise _Cut(refuse(405, "Only POST is taken here.", Allow="POST"))
        if size > self._max_bytes:
            raise _Cut(self._too_long())
        return bytes(body)

    def _too_long(self) -> Answer:
        return refuse(413, f"The body is longer than {self._max_bytes:,} bytes; send it in parts.")


class _GuardedProtocol(H11Protocol):
    """HTTP/1.1 by uvicorn, with an end to what it waits for without one: connections, and requests that trickle in."""

    _is_refused = False
    _alarms: tuple[asyncio.TimerHandle, ...] = ()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in the class above
        if len(self.connections) >= MAX_CONNECTIONS:
            self._is_refused = True
            transport.write(_BUSY)
            transport.close()
            return
        super().connection_made(transport)
        self._alarms = (
            self.loop.call_later(READ_SECONDS, self._cut_without_request),
            self.loop.call_later(LIFE_SECONDS, transport.abort),
        )

    def data_received(self, data: bytes) -> None:
        if not self._is_refused:
            super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        for alarm in self._alarms:
            alarm.cancel()
        if not self._is_refused:
            super().connection_lost(exc)

    def shutdown(self) -> None:
        """End it with the server: at once where the request is not here yet, else once it is answered."""
        if getattr(self.cycle, "more_body", False):
            self.transport.abort()
        else:
            super().shutdown()

    def _cut_without_request(self) -> None:
        if getattr(self, "cycle", None) is None:
            self.transport.abort()


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        Retryable: the port is taken, or the host has no such address now. Permanent: it may not be used.
    """
    place = f"port {port} of {host}"
    try:
        family, *_rest, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=MAX_CONNECTIONS)
    except PermissionError as err:
        raise Permanent(f"This user may not listen on {place}; choose a port above 1023.") from err
    except (socket.gaierror, UnicodeError) as err:
        raise Retryable(f"Cuecard cannot listen on {place}: there is no such address.") from err
    except OSError as err:
        reason = os.strerror(err.errno or 0).lower()
        raise Retryable(f"Cuecard cannot listen on {place}: {reason}.") from err
