"""The web server of the rehearsal: one port on loopback, in a thread of its own."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

import uvicorn
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.demo.stage import DROPPED

T = TypeVar("T")
HOST = "127.0.0.1"
_OWN_NAMES = {"127.0.0.1", "localhost", "[::1]"}


class PortTaken(OSError):  # noqa: N818 - the sentence is for people
    """Another program uses the port."""


class Gate:
    """The outermost layer: keeps other web sites out, and cuts connections where a fault asks for it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and not is_own(Headers(scope=scope)):
            await send({"type": "http.response.start", "status": 403, "headers": []})
            await send({"type": "http.response.body", "body": b"This page only answers to itself."})
            return

        async def send_or_cut(message: Message) -> None:
            if message.get("status") == DROPPED:
                transport_of(send).abort()
            await send(message)

        await self._app(scope, receive, send_or_cut)


def transport_of(send: Send) -> asyncio.Transport:
    """Return the connection below uvicorn's `send`, which is a method of its request cycle."""
    transport: asyncio.Transport = send.__self__.transport  # type: ignore[attr-defined]
    return transport


def is_own(headers: Headers) -> bool:
    """Is this request from a program here or from our own page? Names and origins of elsewhere are refused."""
    host = headers.get("host", "")
    if host.rpartition(":")[0] not in _OWN_NAMES and host not in _OWN_NAMES:
        return False
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == host


async def arguments_of(request: Request) -> Mapping[str, Any]:
    """Return a Web API call's arguments: JSON, form or query."""
    kind = request.headers.get("content-type", "")
    body = await request.body()
    if kind.startswith("application/json"):
        try:
            row: Any = json.loads(body or b"{}")
        except ValueError:
            return {}
        return row if isinstance(row, dict) else {}
    form = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {**request.query_params, **dict(form)}


class Server:
    """Runs an ASGI app in a thread."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        self._port = port
        self._thread: threading.Thread | None = None
        self._server: uvicorn.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def port(self) -> int:
        """The port that is used, once started."""
        return self._port

    def start(self) -> None:
        """Bind and serve.

        Raises:
            PortTaken: the port is in use.
        """
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((HOST, self._port))
        except OSError as err:
            bound.close()
            raise PortTaken(f"Port {self._port} is in use by another program.") from err
        bound.listen(128)
        self._port = bound.getsockname()[1]
        config = uvicorn.Config(
            Gate(self._app),
            log_config=None,
            access_log=False,
            log_level="warning",
            lifespan="off",
            proxy_headers=False,
            http="h11",
            ws="websockets-sansio",
            ws_ping_interval=0.5,  # slack_sdk closes only between two frames: let it not wait long
            loop="asyncio",
            timeout_graceful_shutdown=2,
        )
        self._server = uvicorn.Server(config)
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(bound, ready), name="rehearsal", daemon=True)
        self._thread.start()
        ready.wait(10)

    def _run(self, bound: socket.socket, ready: threading.Event) -> None:
        assert self._server is not None

        async def serve(server: uvicorn.Server) -> None:
            self._loop = asyncio.get_running_loop()
            ready.set()
            await server.serve(sockets=[bound])

        try:
            asyncio.run(serve(self._server))
        finally:
            bound.close()

    def run(self, work: Callable[[], Awaitable[T]], timeout: float = 30.0) -> T:
        """Run `work` on the server's thread, and return what it returns; once stopped, nothing else runs, so here."""

        async def whole() -> T:
            return await work()

        loop = self._loop
        if loop is None or not loop.is_running():
            return asyncio.run(whole())
        return asyncio.run_coroutine_threadsafe(whole(), loop).result(timeout)

    def stop(self) -> None:
        """Stop serving and wait for the thread."""
        if self._server is not None:
            self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(10)
