"""The door of a webhook, and those who come with something else than a request."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import pytest
from fake_webhook import Heard, Sender, free_port, wait_until

from listeners.errors import Permanent, Retryable
from listeners.webhook import door as webhook_door
from listeners.webhook.door import Answer, Door, bind, refuse

LIMIT = 10_000
Open = Callable[..., Sender]


@pytest.fixture
def bodies() -> list[bytes]:
    """The bodies that reached the handler."""
    return []


@pytest.fixture
def open_door(bodies: list[bytes]) -> Iterator[Open]:
    """Open doors, each behind a sender."""
    with ExitStack() as stack:

        def build() -> Sender:
            async def handle(_headers: object, body: bytes) -> Answer:
                bodies.append(body)
                if body == b"fail":
                    raise ZeroDivisionError("a secret of the inside")
                return Answer(202, {"length": len(body)}, {"X-Test": "yes"})

            port = free_port()
            door = Door("/mentions", LIMIT, handle, lambda _err: None)
            door.open("127.0.0.1", port)
            stack.callback(door.close)
            return Sender(port)

        yield build


def talk(port: int, *parts: bytes, seconds: float = 5) -> bytes:
    """Send parts with a small pause between them, and return everything that is answered."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(0.01)
        return read_all(connection)


def read_all(connection: socket.socket) -> bytes:
    """Read until the other side ends it."""
    heard = b""
    with suppress(ConnectionResetError):
        while part := connection.recv(65_536):
            heard += part
    return heard


def trickle(port: int, head: bytes, seconds: float = 10) -> tuple[bytes, float]:
    """Send a byte at a time; return what is answered, and after how many seconds the other side had enough."""
    start = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        connection.sendall(head)
        connection.settimeout(0.02)
        while time.monotonic() - start < seconds:
            try:
                connection.sendall(b"a")
                return read_all(connection), time.monotonic() - start
            except TimeoutError:
                continue
            except OSError:
                break
    return b"", time.monotonic() - start


def test_a_post_reaches_the_handler(open_door: Open, bodies: list[bytes]):
    """And the handler's answer the sender, in JSON; the connection ends with it."""
    answer = open_door().ask("POST", b"hello")
    assert (answer.status, answer.told, bodies) == (202, {"length": 5}, [b"hello"])
    assert (answer.headers["content-type"], answer.headers["connection"]) == ("application/json", "close")
    assert answer.headers["x-test"] == "yes"
    assert "server" not in answer.headers


def test_a_body_in_chunks_is_read(open_door: Open, bodies: list[bytes]):
    """Some clients do not know the length before."""
    head = b"POST /mentions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    heard = talk(open_door().port, head, b"3\r\nhel\r\n", b"2\r\nlo\r\n0\r\n\r\n")
    assert heard.startswith(b"HTTP/1.1 202")
    assert bodies == [b"hello"]


def test_a_query_is_passed_over(open_door: Open):
    """Some senders add one."""
    sender = open_door()
    sender.path = "/mentions?source=reviews"
    assert sender.ask("POST", b"hello").status == 202


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_only_post_is_taken(open_door: Open, bodies: list[bytes], method: str):
    """Anything else is told so."""
    answer = open_door().ask(method, b"hello")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert bodies == []


def test_head_is_answered_without_a_body(open_door: Open):
    """As HTTP asks for."""
    assert open_door().ask("HEAD") == Heard(405, open_door().ask("HEAD").headers, b"")


@pytest.mark.parametrize("path", ["/", "/mentions/", "/mentions2", "/../mentions", "/Mentions", "*"])
def test_other_paths_are_not_there(open_door: Open, bodies: list[bytes], path: str):
    """There is one address, and nothing beside it."""
    sender = open_door()
    sender.path = path
    assert sender.ask("POST", b"hello").status in {400, 404}
    assert bodies == []


@pytest.mark.parametrize("size", [LIMIT + 1, 3 * LIMIT])
def test_a_body_that_is_too_long_is_refused(open_door: Open, bodies: list[bytes], size: int):
    """The sender hears so, though it sends all of it first."""
    answer = open_door().ask("POST", b"a" * size)
    assert answer.status == 413
    assert "longer than 10,000 bytes" in str(answer.told["error"])
    assert bodies == []


def test_a_body_of_the_longest_length_is_taken(open_door: Open):
    """The limit itself is allowed."""
    assert open_door().ask("POST", b"a" * LIMIT).told == {"length": LIMIT}


def test_a_body_without_end_is_not_read_for_ever(open_door: Open, bodies: list[bytes]):
    """Whoever sends gigabytes is cut off soon; nothing of it is kept."""
    head = b"POST /mentions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    sent = 0
    with socket.create_connection(("127.0.0.1", open_door().port), timeout=5) as connection:
        connection.sendall(head)
        with suppress(OSError):
            while sent < 1_000 * LIMIT:
                connection.sendall(b"3e8\r\n" + b"a" * 1_000 + b"\r\n")
                sent += 1_000
    assert sent < 1_000 * LIMIT
    assert bodies == []


def test_who_asks_before_sending_is_told_before(open_door: Open):
    """`Expect: 100-continue` spares the sender a body that will be refused, and lets it send one that will not."""
    sender = open_door()
    head = "POST /mentions HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n"
    assert talk(sender.port, head.format(LIMIT + 1).encode()).startswith(b"HTTP/1.1 413")
    assert talk(sender.port, head.format(5).encode(), b"hello").startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202")


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"POST /mentions HTTP/1.1\r\n\r\n",
        b"POST /mentions HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"POST /mentions HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\nhello",
        b"POST /mentions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    ],
)
def test_what_is_no_request_is_refused(open_door: Open, bodies: list[bytes], said: bytes):
    """Without a traceback, and the door stays open for others."""
    sender = open_door()
    heard = talk(sender.port, said)
    assert heard == b"" or heard.startswith(b"HTTP/1.1 400")
    assert b"Traceback" not in heard
    assert bodies == []
    assert sender.ask("POST", b"hello").status == 202


def test_a_head_without_end_is_refused(open_door: Open):
    """Headers are short."""
    heard = talk(open_door().port, b"POST /mentions HTTP/1.1\r\nHost: a\r\nX: ", *[b"a" * 9_000] * 3)
    assert heard == b"" or heard.startswith(b"HTTP/1.1 400")


def test_a_connection_takes_one_request(open_door: Open, bodies: list[bytes]):
    """A second one behind it is not heard, so that nothing is hidden there."""
    request = b"POST /mentions HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
    assert talk(open_door().port, request + request).count(b"HTTP/1.1 202") == 1
    assert bodies == [b"hello"]


def test_a_fault_of_ours_tells_nothing_of_the_inside(open_door: Open, caplog: pytest.LogCaptureFixture):
    """The sender sees 500, the log has the traceback, and the door stays open."""
    sender = open_door()
    answer = sender.ask("POST", b"fail")
    assert (answer.status, answer.body) == (500, b"Internal Server Error")
    assert "ZeroDivisionError" in caplog.text
    assert sender.ask("POST", b"hello").status == 202


@pytest.mark.parametrize("head", [b"", b"POST /mentions HTTP/1.1\r\nX: "])
def test_a_head_that_trickles_is_cut(open_door: Open, monkeypatch: pytest.MonkeyPatch, head: bytes):
    """However steadily the bytes come."""
    monkeypatch.setattr(webhook_door, "READ_SECONDS", 0.15)
    heard, seconds = trickle(open_door().port, head)
    assert (heard, seconds < 3) == (b"", True)


def test_a_body_that_trickles_is_refused(open_door: Open, monkeypatch: pytest.MonkeyPatch, bodies: list[bytes]):
    """With a word, as its head was a request."""
    monkeypatch.setattr(webhook_door, "READ_SECONDS", 0.15)
    head = b"POST /mentions HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\n"
    heard = talk(open_door().port, head, b"a")
    assert heard.startswith(b"HTTP/1.1 408")
    assert bodies == []


def test_nobody_stays_for_ever(open_door: Open, monkeypatch: pytest.MonkeyPatch):
    """A connection has an end, whatever goes on in it."""
    monkeypatch.setattr(webhook_door, "LIFE_SECONDS", 0.15)
    start = time.monotonic()
    assert talk(open_door().port, b"POST /mentions HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n") == b""
    assert time.monotonic() - start < 3


def test_connections_are_counted(open_door: Open, monkeypatch: pytest.MonkeyPatch):
    """One too many is sent away with a time to come again; when one has gone, there is room."""
    monkeypatch.setattr(webhook_door, "MAX_CONNECTIONS", 3)
    sender = open_door()
    idle = [socket.create_connection(("127.0.0.1", sender.port)) for _ in range(3)]
    heard: list[bytes] = []
    wait_until(lambda: heard.append(talk(sender.port)) is None and heard[-1] != b"")
    assert heard[-1].startswith(b"HTTP/1.1 503")
    assert b"Retry-After: 15\r\n" in heard[-1]
    for connection in idle:
        connection.close()
    wait_until(lambda: sender_is_served(sender))


def sender_is_served(sender: Sender) -> bool:
    """Whether there is room again."""
    with suppress(OSError):
        return sender.ask("POST", b"hello").status == 202
    return False


def test_many_senders_at_once_are_served(open_door: Open, bodies: list[bytes]):
    """Twenty of them, each heard once."""
    sender = open_door()
    answers: list[Heard] = []
    threads = [
        threading.Thread(target=lambda number=number: answers.append(sender.ask("POST", b"%d" % number)))
        for number in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert [answer.status for answer in answers] == [202] * 20
    assert sorted(bodies, key=int) == [b"%d" % number for number in range(20)]


def test_a_close_does_not_wait_for_who_trickles(bodies: list[bytes]):
    """A request that is not here yet is cut; the port is free at once."""

    async def handle(_headers: object, body: bytes) -> Answer:
        bodies.append(body)
        return refuse(400, "no")

    port = free_port()
    door = Door("/mentions", LIMIT, handle, lambda _err: None)
    door.open("127.0.0.1", port)
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as slow,
        socket.create_connection(("127.0.0.1", port), timeout=5) as idle,
    ):
        slow.sendall(b"POST /mentions HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n")
        wait_until(lambda: len(door._server.server_state.tasks) == 1)
        start = time.monotonic()
        door.close()
        assert time.monotonic() - start < 1.5
        assert read_all(slow) == read_all(idle) == b""
    bind("127.0.0.1", port).close()


def test_a_request_in_hand_is_answered_while_the_door_closes():
    """Who is being served when Cuecard stops hears how it ended."""
    is_here, may_end = threading.Event(), threading.Event()

    async def handle(_headers: object, _body: bytes) -> Answer:
        is_here.set()
        await asyncio.to_thread(may_end.wait, 5)
        return refuse(400, "no")

    port = free_port()
    door = Door("/mentions", LIMIT, handle, lambda _err: None)
    door.open("127.0.0.1", port)
    with socket.create_connection(("127.0.0.1", port), timeout=5) as sender:
        sender.sendall(b"POST /mentions HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n1")
        assert is_here.wait(5)
        closing = threading.Thread(target=door.close)
        closing.start()
        time.sleep(0.05)
        may_end.set()
        assert read_all(sender).startswith(b"HTTP/1.1 400 ")
        closing.join(5)


def test_a_port_that_is_not_ours_to_take_is_told(monkeypatch: pytest.MonkeyPatch):
    """Low ports need rights; another port is the way out."""

    def refuse_port(*_args: object, **_told: object) -> socket.socket:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket, "create_server", refuse_port)
    with pytest.raises(Permanent, match="choose a port above 1023"):
        bind("127.0.0.1", 80)


def test_a_port_that_is_taken_is_told():
    """With the reason of the system, and without a number of an error."""
    port = free_port()
    with (
        bind("127.0.0.1", port),
        pytest.raises(Retryable, match=rf"port {port} of 127\.0\.0\.1: address already in use\."),
    ):
        bind("127.0.0.1", port)
