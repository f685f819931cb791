"""Servers that misbehave on demand, on this machine only."""

from __future__ import annotations

import gzip
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Request:
    """What the server was asked."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def query(self) -> dict[str, str]:
        """The query's names and first values."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}


@dataclass(frozen=True)
class Answer:
    """What the server says; `raw` takes over the socket instead, for what HTTP does not allow."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: Callable[[socket.socket], None] | None = None


Script = Callable[[Request], Answer]


class Server:
    """A server on a free port of 127.0.0.1 that answers by a script, and remembers what it was asked."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests: list[Request] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

            def _answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.command, self.path, headers, self.rfile.read(length))
                outer.requests.append(request)
                answer = outer.script(request)
                self.close_connection = True
                if answer.raw is not None:
                    answer.raw(self.connection)
                    return
                self.send_response(answer.status)
                for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                    self.send_header(name, value)
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_POST = do_PUT = do_DELETE = do_OPTIONS = _answer  # noqa: N815 - as the standard library calls them

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_args: object) -> None:
                """A client that hangs up is part of the tests."""

        self._server = Quiet(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.005,), daemon=True)

    @property
    def host(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        """The server's root."""
        return f"http://{self.host}"

    def wrap(self, context: ssl.SSLContext) -> None:
        """Speak TLS from now on."""
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def say(body: bytes | str, **headers: str) -> Answer:
    """Answer 200 with a body; names of headers are written with underscores."""
    data = body.encode() if isinstance(body, str) else body
    return Answer(200, data, {name.replace("_", "-"): value for name, value in headers.items()})


def slow_down(retry_after: str = "") -> Answer:
    """429, with or without a word on when to come back."""
    return Answer(429, b"slow down", {"Retry-After": retry_after} if retry_after else {})


def redirect(target: str, status: int = 302) -> Answer:
    """Send the client elsewhere."""
    return Answer(status, b"", {"Location": target})


def cut_short() -> Answer:
    """Promise more than is sent."""

    def send(connection: socket.socket) -> None:
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"hits": [')

    return Answer(raw=send)


def cut_chunk() -> Answer:
    """Break off in the middle of a chunk."""

    def send(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc")

    return Answer(raw=send)


def half_close() -> Answer:
    """Take the question and close without a word."""

    def send(connection: socket.socket) -> None:
        connection.shutdown(socket.SHUT_RDWR)

    return Answer(raw=send)


def garbage() -> Answer:
    """Speak something that is not HTTP."""

    def send(connection: socket.socket) -> None:
        connection.sendall(b"SSH-2.0-OpenSSH_9.9\r\n")

    return Answer(raw=send)


def trickle(seconds: float, head: bytes = b"HTTP/1.1 200 OK\r\n\r\n") -> Answer:
    """Send one byte at a time, for that long, in a way that never runs into a time-out for a single read."""

    def send(connection: socket.socket) -> None:
        end = time.monotonic() + seconds
        try:
            connection.sendall(head)
            while time.monotonic() < end:
                connection.sendall(b"a")
                time.sleep(0.02)
        except OSError:
            return

    return Answer(raw=send)


def bomb(megabytes: int) -> Answer:
    """A few kilobytes that unpack to that many megabytes."""
    packed = gzip.compress(bytes(megabytes * 1_000_000))
    return Answer(200, packed, {"Content-Encoding": "gzip"})


def flood(count: int) -> Answer:
    """That many bytes without saying so before."""

    def send(connection: socket.socket) -> None:
        try:
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            for _part in range(count // 10_000):
                connection.sendall(b"a" * 10_000)
        except OSError:
            return

    return Answer(raw=send)


FAULTS: Mapping[str, Callable[[], Answer]] = {
    "asked to slow down": slow_down,
    "broken inside": lambda: Answer(500, b"<html>oops</html>"),
    "bad gateway": lambda: Answer(502),
    "away for a while": lambda: Answer(503, b"", {"Retry-After": "30"}),
    "a page instead": lambda: say("<html><body>Log in to the hotel's network</body></html>", Content_Type="text/html"),
    "broken off": cut_short,
    "broken off in a chunk": cut_chunk,
    "hung up": half_close,
    "not HTTP": garbage,
    "a bomb": lambda: bomb(60),
    "a redirect inwards": lambda: redirect("http://10.0.0.1/latest"),
    "half a document": lambda: say(b'{"hits": [{"objectID"'),
    "nothing": lambda: say(b""),
    "not found": lambda: Answer(404),
}


def hit(number: int, second: int, text: str, **others: object) -> dict[str, object]:
    """A comment as the search of Hacker News tells it."""
    told: dict[str, object] = {
        "objectID": str(number),
        "created_at_i": second,
        "author": "jane",
        "title": None,
        "url": None,
        "story_text": None,
        "comment_text": text,
        "story_id": 1,
        "story_title": "A story",
        "parent_id": 1,
        "_tags": ["comment", "author_jane", "story_1"],
    }
    return told | others


class Algolia:
    """The search of Hacker News in small: words, times, pages, and the most it tells of one question."""

    def __init__(self, hits: list[dict[str, object]], most: int = 1_000) -> None:
        self.hits = hits
        self.most = most
        self.faults: list[Answer] = []

    def __call__(self, request: Request) -> Answer:
        """Answer one question."""
        if self.faults:
            return self.faults.pop(0)
        asked = request.query
        limits = dict(re.findall(r"created_at_i([<>])=(\d+)", asked["numericFilters"]))
        query = asked.get("query", "").casefold()
        words = [query.strip('"')] if query.startswith('"') else query.split()
        found = [
            one
            for one in self.hits
            if all(word in json.dumps(one, ensure_ascii=False).casefold() for word in words)
            and int(limits.get(">", 0)) <= int(str(one["created_at_i"])) <= int(limits.get("<", 10**12))
        ]
        found.sort(key=lambda one: -int(str(one["created_at_i"])))
        size, page = int(asked["hitsPerPage"]), int(asked["page"])
        told = found[: self.most][page * size : (page + 1) * size]
        pages = -(-min(len(found), self.most) // size)
        return say(json.dumps({"hits": told, "nbHits": len(found), "nbPages": pages, "page": page}))


def rss(*items: str, head: str = "") -> bytes:
    """An RSS document around items."""
    return (
        '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel>'
        f"<title>Acme forum</title>{head}{''.join(items)}</channel></rss>"
    ).encode()


def item(guid: str, text: str, when: datetime | None = None, title: str = "A post") -> str:
    """One item of RSS; `when` is an aware datetime."""
    date = f"<pubDate>{format_datetime(when)}</pubDate>" if when is not None else ""
    return (
        f"<item><guid>{guid}</guid><link>https://forum.example/{guid}</link><title>{title}</title>"
        f"<description>{text}</description>{date}</item>"
    )
