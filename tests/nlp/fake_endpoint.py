"""An OpenAI-compatible endpoint on loopback that answers as it is told: well, badly, slowly, or not at all."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Callable
from typing import Any

from servers import Answer, Request, Server

Raw = Callable[[socket.socket], None]


def completion(text: object, **more: object) -> bytes:
    """Return the body of a good answer with a text; `more` changes the choice or adds to it."""
    choice: dict[str, Any] = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    message = more.pop("message", {})
    assert isinstance(message, dict)
    choice["message"] |= message
    return json.dumps({"id": "c1", "object": "chat.completion", "choices": [choice | more]}).encode()


class FakeEndpoint(Server):
    """Serves `body` with `status` and `kind`, or lets `raw` speak on the socket; remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.body: bytes = completion("")
        self.status = 200
        self.kind = "application/json"
        self.location = ""
        self.raw: Raw | None = None

    @property
    def url(self) -> str:
        """The address that is set, up to the version."""
        return f"{super().url}/v1"

    @property
    def asked(self) -> list[dict[str, Any]]:
        """What it was asked, one object for each request."""
        return [json.loads(request.body) for request in self.requests]

    def say(self, text: object) -> None:
        """Answer with a text from now on."""
        self.body = completion(text)

    def _answer(self, _request: Request) -> Answer:
        headers = {"Content-Type": self.kind} | ({"Location": self.location} if self.location else {})
        return Answer(self.status, self.body, headers, self._speak if self.raw else None)

    def _speak(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self.raw is not None:
                self.raw(connection)


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
