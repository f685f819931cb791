"""An OpenAI-compatible endpoint on loopback that answers as it is told: well, badly, slowly, or not at all."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

Raw = Callable[[socket.socket], None]


def completion(text: object, **more: object) -> bytes:
    """Return the body of a good answer with a text; `more` changes the choice or adds to it."""
    choice: dict[str, Any] = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    message = more.pop("message", {})
    assert isinstance(message, dict)
    choice["message"] |= message
    return json.dumps({"id": "c1", "object": "chat.completion", "choices": [choice | more]}).encode()


class FakeEndpoint:
    """Serves `body` with `status` and `kind`, or lets `raw` speak on the socket; remembers what it was asked."""

    def __init__(self) -> None:
        self.body: bytes = completion("")
        self.status = 200
        self.kind = "application/json"
        self.location = ""
        self.raw: Raw | None = None
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_args: object) -> None:
                """Say nothing."""

            def do_POST(self) -> None:
                outer.paths.append(self.path)
                outer.headers.append(dict(self.headers.items()))
                outer.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                if outer.raw is not None:
                    with contextlib.suppress(OSError):
                        outer.raw(self.connection)
                    return
                self.send_response(outer.status)
                self.send_header("Content-Type", outer.kind)
                if outer.location:
                    self.send_header("Location", outer.location)
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(outer.body)

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_args: object) -> None:
                """A client that hangs up is part of the tests."""

        self._server = Quiet(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """The address that is set, up to the version."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def say(self, text: object) -> None:
        """Answer with a text from now on."""
        self.body = completion(text)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def say_nothing(seconds: float) -> Raw:
    """Keep silent that long."""
    return lambda _connection: time.sleep(seconds)


def trickle(seconds: float, head: bytes) -> Raw:
    """Send a byte at a time, so that no single read ever takes long."""

    def send(connection: socket.socket) -> None:
        ends_at = time.monotonic() + seconds
        connection.sendall(head)
        while time.monotonic() < ends_at:
            connection.sendall(b"a")
            time.sleep(0.02)

    return send


def half_close(sent: bytes) -> Raw:
    """Send part of an answer, say that there is no more, and keep listening."""

    def send(connection: socket.socket) -> None:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4_096):
            pass

    return send


def flood(connection: socket.socket) -> None:
    """Send an answer that never ends, as fast as it is taken."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"1000\r\n" + b" " * 4_096 + b"\r\n")


def hang_up(connection: socket.socket) -> None:
    """Close without a word."""
    connection.shutdown(socket.SHUT_RDWR)
