"""Our account: sessions, and what can go wrong on the way to its server."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable

import pytest
from clocks import NOON
from fake_bluesky import DID, HANDLE, PASSWORD, FakeBluesky, post_view, refuse, tell
from servers import FAULTS, Answer, Request, Script, Server, bomb, redirect, say, trickle

from listeners.bluesky import line as bluesky_line
from listeners.bluesky.account import Access, Account
from listeners.bluesky.failures import SIGN_IN_REFUSED, CallFailedError
from listeners.errors import Permanent, RateLimited, Retryable

Serve = Callable[[Script], Server]
SESSION = "com.atproto.server.createSession"
NOTICES = "app.bsky.notification.listNotifications"


def account_at(url: str, password: str = PASSWORD) -> Account:
    """Our account on a server."""
    return Account(Access(url, HANDLE, password, "BLUESKY_APP_PASSWORD"), lambda: NOON)


def asked(server: Server) -> list[str]:
    """The methods that a server was asked for."""
    return [request.path.partition("?")[0].removeprefix("/xrpc/").rpartition(".")[2] for request in server.requests]


def answers_to(method: str, *answers: Answer) -> Callable[[str, Request], Answer | None]:
    """A mood: these answers to one method, one after the other, and then its own."""
    waiting = list(answers)
    return lambda called, _request: waiting.pop(0) if called == method and waiting else None


def test_it_signs_in_once(serve: Serve):
    """However much is asked: sessions are scarce."""
    server = serve(FakeBluesky())
    account = account_at(server.url)
    assert account.sign_in() == DID
    assert not account.is_own_password()
    for _ in range(3):
        assert account.ask(NOTICES, limit=1)["notifications"] == []
    assert asked(server) == ["createSession", *["listNotifications"] * 3]


def test_nobody_is_told_the_token_but_the_server_in_the_settings(serve: Serve):
    """Signing in names another host, which the client library would go to."""
    elsewhere = serve(FakeBluesky())
    server = serve(FakeBluesky(pds_url=elsewhere.url, lifetime=60))
    account = account_at(server.url)
    account.ask(NOTICES)
    account.ask(NOTICES)
    assert elsewhere.requests == []


def test_a_session_is_renewed_before_it_ends(serve: Serve):
    """The library refreshes what has less than a quarter of an hour left."""
    server = serve(FakeBluesky(lifetime=600))
    account = account_at(server.url)
    account.ask(NOTICES)
    account.ask(NOTICES)
    assert asked(server) == [
        "createSession",
        "refreshSession",
        "listNotifications",
        "refreshSession",
        "listNotifications",
    ]


@pytest.mark.parametrize(
    ("status", "name"), [(400, "ExpiredToken"), (400, "InvalidToken"), (401, "AuthenticationRequired")]
)
def test_a_session_that_is_over_is_begun_anew(serve: Serve, status: int, name: str):
    """Where the server knows it no longer, whatever its own clock or ours says."""
    server = serve(FakeBluesky(mood=answers_to(NOTICES, refuse(status, name))))
    assert account_at(server.url).ask(NOTICES)["notifications"] == []
    assert asked(server) == ["createSession", "listNotifications", "createSession", "listNotifications"]


def test_a_session_that_cannot_be_renewed_is_begun_anew(serve: Serve):
    """A refresh token runs out as well."""
    fake = FakeBluesky(lifetime=600, mood=answers_to("com.atproto.server.refreshSession", refuse(400, "ExpiredToken")))
    server = serve(fake)
    fake_account = account_at(server.url)
    fake_account.sign_in()
    assert fake_account.ask(NOTICES)["notifications"] == []
    assert asked(server)[:4] == ["createSession", "refreshSession", "createSession", "refreshSession"]


def test_a_session_is_begun_anew_once(serve: Serve):
    """Not for ever: sessions are scarce."""
    server = serve(FakeBluesky(mood=lambda method, _: refuse(401, "AuthMissing") if method == NOTICES else None))
    with pytest.raises(CallFailedError):
        account_at(server.url).ask(NOTICES)
    assert asked(server).count("createSession") == 2


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "refuses BLUESKY_APP_PASSWORD for acme.example.com"),
        (refuse(401, "AuthFactorTokenRequired", "A sign in code has been sent"), "must be an app password"),
        (refuse(401, "AccountTakedown", "Account has been taken down"), "has taken acme.example.com down"),
        (refuse(400, "InvalidRequest", "Invalid identifier or password"), "refuses BLUESKY_APP_PASSWORD"),
    ],
)
def test_who_cannot_sign_in_is_told_why(serve: Serve, answer: Answer | None, said: str):
    """For good, once, and without the password."""
    server = serve(FakeBluesky(mood=answers_to(SESSION, *([answer] if answer else []))))
    account = account_at(server.url, "s3cret-token-wrong")
    with pytest.raises(CallFailedError, match=said) as caught:
        account.ask(NOTICES)
    assert caught.value.name == SIGN_IN_REFUSED
    assert isinstance(caught.value.to_error(), Permanent)
    assert asked(server) == ["createSession"]
    assert "s3cret" not in f"{caught.value!r} {account!r} {account.access!r}"


def test_the_accounts_own_password_is_noticed(serve: Serve):
    """Its scope says so."""
    account = account_at(serve(FakeBluesky(is_own_password=True)).url)
    assert not account.is_own_password()
    account.sign_in()
    assert account.is_own_password()


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "30"}, 30.0),
        ({"ratelimit-reset": str(int(NOON.timestamp()) + 90), "ratelimit-limit": "30"}, 90.0),
        ({"ratelimit-reset": str(int(NOON.timestamp()) - 90)}, 0.0),
        ({"ratelimit-reset": "soon"}, None),
        ({}, None),
    ],
)
def test_being_asked_to_slow_down_is_obeyed(serve: Serve, headers: dict[str, str], wait: float | None):
    """In signing in as in asking, with a time or without."""
    answer = Answer(429, b'{"error":"RateLimitExceeded"}', {"Content-Type": "application/json", **headers})
    for method in (SESSION, NOTICES):
        server = serve(FakeBluesky(mood=answers_to(method, answer)))
        with pytest.raises(RateLimited, match="asks to slow down") as caught:
            account_at(server.url).read(NOTICES)
        assert caught.value.retry_after == wait


@pytest.mark.parametrize("fault", sorted(FAULTS))
@pytest.mark.parametrize("method", [SESSION, NOTICES])
def test_every_fault_is_told_in_a_sentence(serve: Serve, method: str, fault: str):
    """Whatever the server does, in signing in or later."""
    server = serve(FakeBluesky(mood=lambda called, _: FAULTS[fault]() if called == method else None))
    with pytest.raises((Retryable, Permanent)) as caught:
        account_at(server.url).read(NOTICES)
    assert str(caught.value).startswith("127.0.0.1:")
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (say("<html>Log in</html>", Content_Type="text/html"), "did not answer in JSON|as a Bluesky server"),
        (Answer(404, b"<html>no</html>"), "is no Bluesky server .PDS.: it answers 404; see to base_url"),
        (refuse(501, "MethodNotImplemented"), "501, MethodNotImplemented"),
        (tell({"accessJwt": "opaque", "refreshJwt": "opaque", "handle": HANDLE, "did": DID}), "can not be read"),
        (tell({"hello": "world"}), "does not answer as|did not answer as a Bluesky server"),
        (Answer(500, b"x" * 2_000), "answers 500"),
    ],
)
def test_what_is_no_server_of_bluesky_is_told(serve: Serve, answer: Answer, said: str):
    """A page, another kind of server, tokens of another kind."""
    server = serve(FakeBluesky(mood=lambda method, _: answer if method == SESSION else None))
    with pytest.raises(CallFailedError, match=said):
        account_at(server.url).ask(NOTICES)


def test_a_redirect_gets_no_password(serve: Serve):
    """Not even one that keeps the method."""
    elsewhere = serve(FakeBluesky())
    server = serve(lambda request: redirect(f"{elsewhere.url}{request.path}", 307))
    with pytest.raises(CallFailedError, match="leads to another address; put that one into base_url") as caught:
        account_at(server.url).sign_in()
    assert caught.value.was_refused
    assert elsewhere.requests == []


def test_a_packed_answer_is_not_unpacked(serve: Serve):
    """It was not asked for, and may be a bomb."""
    server = serve(FakeBluesky(mood=answers_to(NOTICES, bomb(60))))
    with pytest.raises(CallFailedError, match="packed its answer"):
        account_at(server.url).ask(NOTICES)


def test_a_server_that_trickles_is_left(serve: Serve, monkeypatch: pytest.MonkeyPatch):
    """A whole answer takes so long and no longer."""
    monkeypatch.setattr(bluesky_line, "TOTAL_SECONDS", 0.2)
    server = serve(FakeBluesky(mood=lambda method, _: trickle(5) if method == NOTICES else None))
    began_at = time.monotonic()
    with pytest.raises(Retryable):
        account_at(server.url).read(NOTICES)
    assert time.monotonic() - began_at < 3


def test_closing_ends_a_request(serve: Serve):
    """From another thread, at once; and later ones are refused."""
    server = serve(FakeBluesky(mood=lambda method, _: trickle(8) if method == NOTICES else None))
    account = account_at(server.url)
    account.sign_in()
    threading.Timer(0.1, account.close).start()
    began_at = time.monotonic()
    with pytest.raises(CallFailedError):
        account.ask(NOTICES)
    with pytest.raises(CallFailedError):
        account.ask(NOTICES)
    assert time.monotonic() - began_at < 4


def test_nobody_there_is_certainly_nothing_done():
    """A dead port, and a name that nobody has."""
    for url in ("http://127.0.0.1:9", "http://nobody.invalid"):
        with pytest.raises(CallFailedError, match="cannot be reached") as caught:
            account_at(url).ask(NOTICES)
        assert caught.value.was_refused
        assert isinstance(caught.value.to_error(), Retryable)


def test_debug_logs_hold_no_secret(serve: Serve, caplog: pytest.LogCaptureFixture):
    """Not of the libraries either."""
    with caplog.at_level(logging.DEBUG):
        account = account_at(serve(FakeBluesky(lifetime=600)).url)
        account.ask(NOTICES)
    assert "s3cret" not in caplog.text
    assert "eyJ" not in caplog.text


def test_a_session_that_is_not_whole_is_not_written_into_a_log(serve: Serve):
    """What does not fit is told by the library with its content."""
    broken = tell({"accessJwt": "s3cret-token-access", "refreshJwt": "s3cret-token-refresh", "did": DID})
    server = serve(FakeBluesky(mood=lambda method, _: broken if method == SESSION else None))
    with pytest.raises(CallFailedError) as caught:
        account_at(server.url).sign_in()
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))


def test_unknown_fields_are_passed_over(serve: Serve):
    """In whatever is read as it was sent."""
    fake = FakeBluesky()
    fake.add_notice("mention", post_view("at://did:plc:jane/app.bsky.feed.post/3k", "hi") | {"novelty": [1]})
    told = account_at(serve(fake).url).ask(NOTICES, limit=5, reasons=["mention"])
    assert len(told["notifications"]) == 1
