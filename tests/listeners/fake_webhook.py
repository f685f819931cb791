"""Both ends of a webhook: senders that sign by themselves, a callback that takes answers, and a port in other hands."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from clocks import NOON
from servers import Answer, Request

from listeners.contract import Platform
from listeners.mention import Batch, Mention

SECRET = "a-secret-of-the-tests-0123456789-abcdef"
NOON_SECOND = int(NOON.timestamp())


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def signed(body: bytes, secret: str = SECRET, second: int | str = NOON_SECOND) -> dict[str, str]:
    """Return the headers of a signed request, written after the manual and not after the code."""
    mac = hmac.new(secret.encode(), f"v1:{second}:".encode() + body, hashlib.sha256)
    return {"X-Cuecard-Timestamp": str(second), "X-Cuecard-Signature": "v1=" + mac.hexdigest()}


@dataclass(frozen=True)
class Heard:
    """What a sender was answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def told(self) -> dict[str, object]:
        """The object of JSON in it."""
        told = json.loads(self.body)
        assert isinstance(told, dict)
        return told


@dataclass
class Sender:
    """Sends to a webhook on this machine."""

    port: int
    path: str = "/mentions"
    secret: str = SECRET
    timeout: float = 20

    def send(self, told: object, **headers: str) -> Heard:
        """Send rows, signed; bytes are sent as they are. Headers (underscores for dashes) win over the signed ones."""
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        extra = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask("POST", body, {**signed(body, self.secret), **extra})

    def ask(self, method: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Heard:
        """Send any request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
        try:
            connection.request(method, self.path, body, dict(headers or {}))
            response = connection.getresponse()
            told = {name.lower(): value for name, value in response.getheaders()}
            return Heard(response.status, told, response.read())
        finally:
            connection.close()


class PatientSender:
    """Sends every row until it is told that it is stored, as senders of webhooks do; rows that wait go together."""

    def __init__(self, port: int) -> None:
        self.rows: dict[str, dict[str, object]] = {}
        self.statuses: list[int] = []
        self._sender = Sender(port)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send_all, daemon=True)
        self._thread.start()

    def add(self, row: dict[str, object]) -> None:
        """Have a row sent."""
        with self._lock:
            self.rows[str(row["id"])] = row

    def close(self) -> None:
        """Send no more."""
        self._stop.set()
        self._thread.join(10)

    def _send_all(self) -> None:
        while not self._stop.wait(0.01):
            if self.rows and self._is_open():
                with suppress(OSError, http.client.HTTPException):
                    self._send_rows()

    def _is_open(self) -> bool:
        """Only a door that is open is told: by then, all that a test had to add is here."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self._sender.port), timeout=1):
            return True
        return False

    def _send_rows(self) -> None:
        with self._lock:
            waiting = dict(self.rows)
        answer = self._sender.send(list(waiting.values()))
        self.statuses.append(answer.status)
        if answer.status == 202:
            with self._lock:
                self.rows = {key: row for key, row in self.rows.items() if waiting.get(key) != row}


class _HangsUp(socketserver.BaseRequestHandler):
    """Takes a connection and ends it."""


class PortTaker(socketserver.TCPServer):
    """Another program on a port, which hangs up on everyone; use it as a context, or close it."""

    allow_reuse_address = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _HangsUp)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Free the port."""
        self.shutdown()
        self._thread.join(10)
        self.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass
class Callback:
    """Takes answers as the manual says: each send_key once, then 409 with the same id; 401 for a bad signature."""

    secret: str = SECRET
    posted: dict[str, dict[str, object]] = field(default_factory=dict)
    faults: list[Answer] = field(default_factory=list)

    def __call__(self, request: Request) -> Answer:
        """Answer one request."""
        if request.method == "OPTIONS":
            return Answer(204, b"", {"Allow": "OPTIONS, POST"})
        if self.faults:
            return self.faults.pop(0)
        expected = signed(request.body, self.secret, request.headers.get("x-cuecard-timestamp", "0"))
        if request.headers.get("x-cuecard-signature") != expected["X-Cuecard-Signature"]:
            return Answer(401, b'{"error": "The signature is not right."}')
        told = json.loads(request.body)
        is_known = told["send_key"] in self.posted
        self.posted.setdefault(told["send_key"], told)
        number = 100 + list(self.posted).index(told["send_key"])
        body = json.dumps({"id": number, "url": f"https://forum.example/{number}"}).encode()
        return Answer(409 if is_known else 201, body)


class Listening:
    """Listens to a webhook in a thread, and stores what it brings, as intake does; use it as a context.

    With `stores` False nothing is ever stored, as with a database that is locked.
    """

    def __init__(self, platform: Platform, *, stores: bool = True) -> None:
        self.batches: list[Batch] = []
        self.stores = stores
        self.error: BaseException | None = None
        self.is_open = threading.Event()
        self._platform = platform
        self._thread = threading.Thread(target=self._listen, daemon=True)

    @property
    def mentions(self) -> list[Mention]:
        """Everything that was heard, repeats among them."""
        return [mention for batch in self.batches for mention in batch.mentions]

    def _listen(self) -> None:
        try:
            for batch in self._platform.listen(None):
                self.batches.append(batch)
                self.is_open.set()
                if self.stores and batch.stored is not None:
                    batch.stored()
        except BaseException as err:  # noqa: BLE001 - it is looked at where the thread is joined
            self.error = err
            self.is_open.set()

    def __enter__(self) -> Self:
        self._thread.start()
        assert self.is_open.wait(10)
        if self.error is not None:
            raise self.error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._platform.close()
        self._thread.join(10)
        assert not self._thread.is_alive()


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Wait for a condition that another thread brings about."""
    ends_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends_at, "it did not happen in time"
        time.sleep(0.005)
