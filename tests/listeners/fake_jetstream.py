"""Jetstream in small, both wires, after docs/README.md section 5 and the lexicon subscribeEvents; with moods.

Times are microseconds since 1970, as on the wire.
"""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from clocks import NOON
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

V1_PATH, V2_PATH = "/subscribe", "/xrpc/network.bsky.jetstream.subscribeEvents"
METHOD = "network.bsky.jetstream.subscribeEvents"
POSTS = "app.bsky.feed.post"
MICROS = int(NOON.timestamp()) * 1_000_000
FIRST_TIME = 10**15
LOOK_BACK = 36 * 3600 * 1_000_000
KINDS = {"commit", "identity", "account", "sync"}
Data = dict[str, object]


@dataclass(frozen=True)
class Happening:
    """One event: its number, when it was seen, and what it says."""

    seq: int
    at: int
    kind: str
    did: str
    told: Mapping[str, object]

    def on_v1(self) -> bytes:
        """The event as /subscribe tells it."""
        frame = {"did": self.did, "time_us": self.at, "cursor": self.seq, "kind": self.kind, self.kind: self.told}
        return json.dumps(frame, ensure_ascii=False, separators=(",", ":")).encode()

    def on_v2(self) -> bytes:
        """The event as subscribeEvents tells it."""
        time = datetime.fromtimestamp(self.at / 1e6, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        inner = self.told if self.kind == "commit" else {self.kind: self.told}
        head = {"$type": f"{METHOD}#{self.kind}", "seq": self.seq, "did": self.did, "time": time, "witnessedAt": time}
        frame = {"$type": "message", "payload": head | dict(inner)}
        return json.dumps(frame, ensure_ascii=False, separators=(",", ":")).encode()


def record(text: str, **others: object) -> Data:
    """A post's record."""
    return {"$type": POSTS, "createdAt": "2026-11-23T11:50:00.000Z", "langs": ["en"], "text": text} | others


@dataclass
class FakeJetstream:
    """A server of the stream on a free port; use it as a context.

    `wires` are those it has; `floor` is the first event it still has, by its number. `refusals` are answered, one a
    connection, instead of a stream. `asked` are the paths it was asked for, `told` the events that it got rid of.
    """

    wires: tuple[str, ...] = ("v2", "v1")
    floor: int = 1
    now: Callable[[], int] = lambda: MICROS
    refusals: list[tuple[int, Mapping[str, str], bytes]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    happenings: list[Happening] = field(default_factory=list)
    told: int = 0

    def __enter__(self) -> Self:
        silent = logging.getLogger("fake jetstream")
        silent.setLevel(logging.CRITICAL)
        self._changed = threading.Condition()
        self._connections: list[ServerConnection] = []
        self._server: Server = serve(
            self._stream,
            "127.0.0.1",
            0,
            process_request=self._judge,
            compression=None,
            logger=silent,
            close_timeout=0.2,
        )
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hang_up()
        self._server.shutdown()
        self._thread.join()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}"

    def tell(self, kind: str, did: str, told: Mapping[str, object], at: int | None = None) -> Happening:
        """Let something happen."""
        with self._changed:
            seq = self.happenings[-1].seq + 1 if self.happenings else 100
            happening = Happening(
                seq, at if at is not None else MICROS - 600_000_000 + seq * 1_000_000, kind, did, told
            )
            self.happenings.append(happening)
            self._changed.notify_all()
        return happening

    def commit(
        self,
        rkey: str,
        value: Mapping[str, object] | None,
        *,
        did: str = "did:plc:jane",
        operation: str = "create",
        collection: str = POSTS,
        rev: str = "",
        at: int | None = None,
    ) -> str:
        """Let a record be created, updated or deleted; return its address."""
        rev = rev or f"3k{len(self.happenings):011}"
        told: Data = {"rev": rev, "operation": operation, "collection": collection, "rkey": rkey}
        if value is not None:
            told |= {"record": value, "cid": f"bafy{rkey}{rev}"}
        self.tell("commit", did, told, at)
        return f"at://{did}/{collection}/{rkey}"

    def post(self, rkey: str, text: str, *, did: str = "did:plc:jane", **others: object) -> str:
        """Let somebody post; return the post's address."""
        return self.commit(rkey, record(text, **others), did=did)

    def say(self, raw: bytes) -> None:
        """Say something to everyone that is listening, as it is."""
        for connection in self.wait_for_listeners():
            connection.send(raw, text=True)

    def hang_up(self, code: int = 1000) -> None:
        """Close every stream properly."""
        for connection in self._connections:
            connection.close(code)

    def break_off(self) -> None:
        """Cut every connection without a word."""
        for connection in self.wait_for_listeners():
            connection.socket.shutdown(socket.SHUT_RDWR)

    def wait_for_listeners(self) -> list[ServerConnection]:
        """Return the open streams, of which there is at least one."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._connections, 10)
            return list(self._connections)

    def _judge(self, connection: ServerConnection, request: Request) -> Response | None:
        self.asked.append(request.path)
        if self.refusals:
            status, headers, body = self.refusals.pop(0)
            return _respond(status, body, headers)
        wire = {V1_PATH: "v1", V2_PATH: "v2"}.get(urlsplit(request.path).path)
        if wire not in self.wires:
            return _respond(404, b'{"message":"Not Found"}')
        query = parse_qs(urlsplit(request.path).query)
        problem = self._find_fault(query) if wire == "v2" else ""
        if problem:
            name, _, message = problem.partition(": ")
            return _respond(400, json.dumps({"error": name, "message": message}).encode())
        del connection
        return None

    def _find_fault(self, query: Mapping[str, list[str]]) -> str:
        for old, new in (("wantedCollections", "collections"), ("wantedDids", "dids")):
            if old in query:
                return f"InvalidRequest: use {new} instead of {old}"
        kinds = set(query.get("kinds", KINDS))
        if kinds - KINDS or ("collections" in query and "commit" not in kinds):
            return "InvalidRequest: no such kinds"
        cursor = int(query.get("cursor", ["0"])[0])
        if 0 < cursor < min(self.floor, FIRST_TIME):
            return f"CursorTooOld: the floor is {self.floor}"
        return ""

    def _stream(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        parts = urlsplit(connection.request.path)
        is_v2, query = parts.path == V2_PATH, parse_qs(parts.query)
        at, notice = self._find_place(int(query["cursor"][0]) if "cursor" in query else None, is_v2=is_v2)
        with self._changed:
            self._connections.append(connection)
            self._changed.notify_all()
        try:
            if notice:
                payload = {"$type": f"{METHOD}#info", "name": notice, "message": "told once"}
                connection.send(json.dumps({"$type": "message", "payload": payload}))
            self._tell_all(connection, at, query, is_v2=is_v2)
        except ConnectionClosed:
            return
        finally:
            self._connections.remove(connection)

    def _tell_all(self, connection: ServerConnection, at: int, query: Mapping[str, list[str]], *, is_v2: bool) -> None:
        while True:
            with self._changed:
                if len(self.happenings) <= at:
                    self._changed.wait(0.05)
                if len(self.happenings) <= at:
                    if connection.state.name != "OPEN":
                        return
                    continue
                happening = self.happenings[at]
            at += 1
            if _is_wanted(happening, query, is_v2=is_v2):
                connection.send(happening.on_v2() if is_v2 else happening.on_v1(), text=True)
                self.told += 1

    def _find_place(self, cursor: int | None, *, is_v2: bool) -> tuple[int, str]:
        """Return the position of the first event to tell, and what is to be said of it."""
        held = [place for place, each in enumerate(self.happenings) if each.seq >= self.floor]
        first, end = (held[0] if held else len(self.happenings)), len(self.happenings)
        if cursor is None:
            return end, ""
        following = self.happenings[-1].seq + 1 if self.happenings else 1
        if cursor < FIRST_TIME and cursor > following:
            return end, "FutureCursor" if is_v2 else ""
        if cursor < FIRST_TIME:
            return next((place for place in held if self.happenings[place].seq >= cursor), end), ""
        found = next((place for place in held if self.happenings[place].at >= cursor), end)
        is_clamped = cursor < self.now() - LOOK_BACK or (self.floor > 1 and found == first and end > 0)
        return found, "OutdatedCursor" if is_clamped and is_v2 else ""


def _is_wanted(happening: Happening, query: Mapping[str, list[str]], *, is_v2: bool) -> bool:
    collections = query.get("collections" if is_v2 else "wantedCollections", [])
    if happening.kind == "commit":
        return (not collections or happening.told["collection"] in collections) and _has_kind("commit", query)
    return _has_kind(happening.kind, query) if is_v2 else happening.kind != "sync"


def _has_kind(kind: str, query: Mapping[str, list[str]]) -> bool:
    return kind in query.get("kinds", KINDS)


def _respond(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> Response:
    told = {"Content-Length": str(len(body)), "Connection": "close", **(headers or {})}
    return Response(status, HTTPStatus(status).phrase, Headers(told), body)
