"""Answers to a webhook's posts: one signed request, and what it means."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from clocks import NOON
from fake_webhook import SECRET, Callback, free_port, signed
from servers import FAULTS, Answer, Script, Server, cut_short, half_close, redirect, say, trickle

from listeners import webhook
from listeners.contract import FeedContext, Posted
from listeners.errors import ListenerError, Permanent, RateLimited, RefusedByRules, Retryable, Unknown
from listeners.mention import Author, Mention
from listeners.webhook.callback import Caller

Serve = Callable[[Script], Server]
Open = Callable[..., webhook.Webhook]
MENTION = Mention("forum", "17", "acme", Author("jane"), NOON, feed="main", url="https://forum.example/17")
TOLD = {"in_reply_to": "17", "platform": "forum", "text": "a", "send_key": "k", "account": "", "author": "jane"}


@pytest.fixture
def open_at(context: FeedContext) -> Open:
    """Open a webhook with a callback."""
    told = replace(context, secrets={"WEBHOOK_SECRET": SECRET})
    return lambda server, **settings: webhook.open_platform(
        {"callback_url": f"{server.url}/replies?a=b", "callback_timeout": 5, **settings}, told
    )


def test_an_answer_is_posted_once_and_signed(serve: Serve, open_at: Open):
    """With everything that the receiver needs to post it."""
    callback = Callback()
    server = serve(callback)
    posted = open_at(server).reply(MENTION, "hello \ud83d ü", "key-1")
    assert posted == Posted("100", "https://forum.example/100")
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/replies?a=b")
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.body) == {
        "in_reply_to": "17",
        "platform": "forum",
        "text": "hello \ud83d ü",
        "send_key": "key-1",
        "account": "",
        "author": "jane",
    }
    expected = signed(request.body)
    assert {name: request.headers[name.lower()] for name in expected} == expected


def test_an_address_may_hold_any_letters(serve: Serve, open_at: Open):
    """They are written as the web writes them."""
    server = serve(Callback())
    open_at(server, callback_url=f"{server.url}/r é?to=a b").reply(MENTION, "hello", "key")
    assert server.requests[0].path == "/r%20%C3%A9?to=a%20b"


def test_an_answer_that_is_there_already_is_posted(serve: Serve, open_at: Open):
    """409 with its id: the receiver had it, and it is not there twice."""
    callback = Callback()
    platform = open_at(serve(callback))
    assert platform.reply(MENTION, "hello", "key") == platform.reply(MENTION, "hello", "key")
    assert len(callback.posted) == 1


def test_the_next_part_of_a_thread_answers_the_one_before(serve: Serve, open_at: Open):
    """Not the mention again."""
    server = serve(Callback())
    open_at(server).reply(MENTION, "two", "key", Posted("100"))
    assert json.loads(server.requests[0].body)["in_reply_to"] == "100"


def test_the_account_is_the_rows_then_the_settings(serve: Serve, open_at: Open):
    """Who was summoned answers; the capability says so before."""
    server = serve(Callback())
    platform = open_at(server, account="@acme")
    summoned = replace(MENTION, account="@acme_uk")
    assert platform.capability(summoned).account == "@acme_uk"
    capability = platform.capability(MENTION)
    assert (capability.route, capability.account) == ("api", "@acme")
    platform.reply(summoned, "hello", "key")
    assert json.loads(server.requests[0].body)["account"] == "@acme_uk"


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (Answer(403, b'{"error": "Closed by its author."}'), Permanent, "Closed by its author."),
        (Answer(409, b'{"error": "Somebody answered already."}'), Permanent, "Somebody answered"),
        (Answer(403, b'{"error": "By hand.", "by_hand_url": "https://a.example/17"}'), RefusedByRules, "By hand."),
        (Answer(403, b'{"error": "By hand.", "by_hand_url": "javascript:alert(1)"}'), Permanent, "By hand."),
        (Answer(429, b"", {"Retry-After": "9"}), RateLimited, "slow down"),
        (
            Answer(429, b"", {"Retry-After": format_datetime(NOON + timedelta(seconds=9), usegmt=True)}),
            RateLimited,
            "slow",
        ),
        (Answer(403, b"<html>"), Unknown, r"answered 403"),
        (Answer(403, b'{"error": ""}'), Unknown, r"answered 403"),
        (Answer(409, b"{}"), Unknown, r"answered 409"),
        (Answer(500, b'{"error": "oops"}'), Unknown, r"answered 500"),
        (Answer(503, b"", {"Retry-After": "9"}), Unknown, r"answered 503"),
        (Answer(200, b"{}"), Unknown, r"answered 200"),
        (Answer(200, b'{"id": ""}'), Unknown, r"answered 200"),
        (Answer(200, b'{"id": true}'), Unknown, r"answered 200"),
        (Answer(200, b'{"id": ["1"]}'), Unknown, r"answered 200"),
        (Answer(200, b"[1]"), Unknown, r"answered 200"),
        (Answer(200, b'{"id": 5'), Unknown, r"answered 200"),
        (Answer(200, b"\xff"), Unknown, r"answered 200"),
        (redirect("/elsewhere", 307), Unknown, r"answered 307"),
        (say("<html>Log in to the hotel's network</html>"), Unknown, r"answered 200"),
        (cut_short(), Unknown, "answered 200"),
        (half_close(), Unknown, "broke off"),
    ],
)
def test_what_the_callback_says_is_told_as_what_to_do(
    open_at: Open, serve: Serve, answer: Answer, kind: type[ListenerError], words: str
):
    """Only what is certain is told as certain; nothing is ever posted twice."""
    server = serve(Callback(faults=[answer]))
    with pytest.raises(kind, match=words) as caught:
        open_at(server).reply(MENTION, "hello", "key")
    assert type(caught.value) is kind
    assert len(server.requests) == 1
    if isinstance(caught.value, RateLimited):
        assert caught.value.retry_after == 9
    if isinstance(caught.value, RefusedByRules):
        assert caught.value.url == "https://a.example/17"


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_is_translated(open_at: Open, serve: Serve, name: str):
    """Whatever the other side does, only the project's own errors come out."""
    server = serve(Callback(faults=[FAULTS[name]()]))
    with pytest.raises((Unknown, RateLimited)):
        open_at(server).reply(MENTION, "hello", "key")
    assert len(server.requests) == 1


@pytest.mark.parametrize(("body", "url"), [(b'{"id": 5}', ""), (b'{"id": 5, "url": "javascript:alert(1)"}', "")])
def test_only_a_web_address_is_linked_to(open_at: Open, serve: Serve, body: bytes, url: str):
    """The reply counts as posted all the same."""
    assert open_at(serve(lambda _request: say(body))).reply(MENTION, "hello", "key") == Posted("5", url)


def test_a_callback_with_another_secret_refuses(open_at: Open, serve: Serve):
    """And its sentence is shown."""
    with pytest.raises(Permanent, match="signature is not right"):
        open_at(serve(Callback("x" * 32))).reply(MENTION, "hello", "key")


def test_a_callback_that_is_not_there_has_posted_nothing(open_at: Open, serve: Serve):
    """A refused connection may be tried again."""
    platform = open_at(serve(Callback()), callback_url=f"http://127.0.0.1:{free_port()}/")
    with pytest.raises(Retryable, match=r"127\.0\.0\.1 cannot be reached\. Nothing was posted"):
        platform.reply(MENTION, "hello", "key")


def caller(url: str, seconds: float = 10, **told: object) -> Caller:
    """A caller of an address."""
    return Caller(url, SECRET, seconds, lambda: NOON, **told)  # type: ignore[arg-type]


def test_a_name_that_nobody_knows_has_posted_nothing():
    """Nor has one whose look-up does not end."""

    def fail(_host: str, _port: int) -> list[str]:
        raise socket.gaierror("no such name")

    def hang(_host: str, _port: int) -> list[str]:
        time.sleep(1)
        return ["127.0.0.1"]

    for resolve in (fail, hang):
        with pytest.raises(Retryable, match="Nothing was posted"):
            caller("https://nowhere.test/", 0.3, resolve=resolve).answer(TOLD)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(raw=lambda _connection: time.sleep(1)),
        trickle(3),
        trickle(3, b"HTTP/1.1 200 OK\r\nX: "),
        trickle(3, b""),
    ],
)
def test_a_callback_that_is_too_slow_is_unknown(serve: Serve, answer: Answer):
    """However steadily it trickles: the words went out, and nobody knows whether they are there."""
    server = serve(lambda _request: answer)
    start = time.monotonic()
    with pytest.raises(Unknown):
        caller(f"{server.url}/", 0.3).answer(TOLD)
    assert time.monotonic() - start < 2
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("answer", "is_good", "words"),
    [
        (Answer(204, b"", {"Allow": "OPTIONS, POST"}), True, "answers (204)"),
        (Answer(200), True, "answers (200)"),
        (Answer(401), True, "answers (401)"),
        (Answer(405, b"", {"Allow": "POST"}), True, "answers (405)"),
        (Answer(501), True, "answers (501)"),
        (Answer(404), False, "is not there (404)"),
        (Answer(405, b"", {"Allow": "GET, HEAD"}), False, "takes no POST (it takes GET, HEAD)"),
        (redirect("https://elsewhere.example/"), False, "redirects (302)"),
        (Answer(500), False, "is broken (500)"),
        (Answer(502), False, "is broken (502)"),
        (half_close(), False, "broke off"),
    ],
)
def test_check_asks_without_posting(serve: Serve, answer: Answer, is_good: bool, words: str):
    """A harmless question: it is not signed, holds no words, and changes nothing."""
    server = serve(lambda _request: answer)
    finding = caller(server.url).check()
    assert (finding.is_good, words in finding.sentence) == (is_good, True), finding
    assert finding.is_good or finding.remedy
    (request,) = server.requests
    assert (request.method, request.body) == ("OPTIONS", b"")
    assert "x-cuecard-signature" not in request.headers


def test_check_tells_of_port_and_callback(serve: Serve, open_at: Open):
    """Each for itself."""
    server = serve(Callback())
    assert [finding.is_good for finding in open_at(server, port=free_port()).check()] == [True, True]
    dead = f"http://127.0.0.1:{free_port()}/"
    assert [finding.is_good for finding in open_at(server, port=free_port(), callback_url=dead).check()] == [
        True,
        False,
    ]


def test_the_limit_counts_characters_as_people_see_them(serve: Serve, open_at: Open):
    """0 is any number."""
    server = serve(Callback())
    shape = open_at(server, limit=3).shape(" 👩‍👩‍👧e\u0301b! ", MENTION)
    assert (shape.text, shape.count, shape.problem) == ("👩‍👩‍👧\u00e9b!", 4, "This is too long: 4 of 3 characters.")
    assert not open_at(server, limit=4).shape(" 👩‍👩‍👧e\u0301b! ", MENTION).problem
    assert not open_at(server).shape("a" * 100_000, MENTION).problem


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for secure.test and its key, in one file, made for this test."""
    file = tmp_path / "secure.pem"
    words = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=secure.test"
    command = [*words.split(), "-addext", "subjectAltName=DNS:secure.test", "-keyout", str(file), "-out", "-"]
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on this machine to make a certificate with")
    made = subprocess.run(command, check=True, capture_output=True, timeout=30)
    with file.open("ab") as end:
        end.write(made.stdout)
    return file


def test_tls_is_checked_before_a_word_is_sent(certificate: Path):
    """A certificate of somebody else means that nothing was posted."""
    callback = Callback()
    server = Server(callback)
    own = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    own.load_cert_chain(certificate)
    server.wrap(own)
    trusted = ssl.create_default_context(cafile=str(certificate))
    told: Mapping[str, object] = {"resolve": lambda _host, _port: ["127.0.0.1"], "tls": trusted}
    port = server.host.partition(":")[2]
    with server:
        assert caller(f"https://secure.test:{port}/", **told).answer(TOLD).native_id == "100"
        with pytest.raises(Retryable, match="Nothing was posted"):
            caller(f"https://other.test:{port}/", **told).answer(TOLD)
    assert len(server.requests) == 1
