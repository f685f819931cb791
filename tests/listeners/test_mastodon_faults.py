"""Mastodon against everything that goes wrong: what a server lacks, refuses, limits, breaks or makes up."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from clocks import Hands
from fake_mastodon import SECRETS, TOKEN, FakeMastodon, refused, told
from servers import FAULTS, Answer, Request, Script, Server, bomb, say, slow_down, trickle
from stand_mastodon import look_at, open_mastodon, texts

from listeners.contract import FeedContext
from listeners.errors import ListenerError, Permanent, RateLimited, Retryable, SettingRefused
from listeners.mastodon import client as mastodon_client
from listeners.mention import Batch
from listeners.query import Watch, compile_watches

Serve = Callable[[Script], Server]


@pytest.fixture
def fake() -> FakeMastodon:
    """A server where we follow jane."""
    return FakeMastodon(followed={"jane@far.example"})


@pytest.fixture
def server(serve: Serve, fake: FakeMastodon) -> Server:
    """The same, listening."""
    server = serve(fake)
    fake.base = server.url
    return server


def watching(context: FeedContext, *queries: str) -> FeedContext:
    """The feed, with other watches."""
    watches = [Watch(f"w{number}", "Acme", query) for number, query in enumerate(queries)]
    return replace(context, watches=compile_watches(watches))


def test_what_the_server_does_not_have_is_left_out_and_told(server: Server, fake: FakeMastodon, context: FeedContext):
    """Servers that are alike have no home timeline, or no search; the rest is listened to. Without any, it is deaf."""
    fake.flags |= {"no_home"}
    fake.post("@acme hi", acct="bob")
    platform = open_mastodon(server, watching(context, "acme", "from:nobody@else.example"))
    (batch,) = look_at(platform)
    assert texts(batch) == ["@acme@mastodon.example hi"]
    assert [notice.split(":")[0] for notice in batch.notices] == ["The home timeline", "Posts by @nobody@else.example"]


def test_a_server_that_has_nothing_of_it_is_deaf(server: Server, fake: FakeMastodon, context: FeedContext):
    """For good where the server itself says so; a page of something before it may be gone in a minute."""

    def answer(with_words: Answer) -> Callable[[str, Request], Answer | None]:
        return lambda path, _request: None if "instance" in path or "credentials" in path else with_words

    fake.mood = answer(refused(404, "Record not found"))
    with pytest.raises(Permanent, match="lets us have nothing of what this feed listens to"):
        look_at(open_mastodon(server, context))
    fake.mood = answer(Answer(404, b"<h1>nginx</h1>"))
    with pytest.raises(Retryable, match="lets us have nothing of what this feed listens to"):
        look_at(open_mastodon(server, context))


def test_what_was_left_out_is_tried_again(server: Server, fake: FakeMastodon, context: FeedContext, hands: Hands):
    """A timeline that is closed for a while is read on where it was left, an hour later; nothing is lost."""
    fake.post("acme one")
    batches = open_mastodon(server, context, poll_seconds=600).listen(None)
    assert texts(next(batches)) == ["acme one"]
    closed = refused(422, "This method requires an authenticated user")
    fake.mood = lambda path, _request: closed if "home" in path else None
    fake.post("acme two")
    assert next(batches).notices[0].startswith("The home timeline: ")
    fake.mood = lambda _path, _request: None
    began = hands.moment
    while not (heard := texts(next(batches))):
        assert hands.moment - began < timedelta(hours=2)
    assert heard == ["acme two"]
    assert hands.moment - began > timedelta(minutes=50)


def test_no_log_tells_the_token(
    server: Server, fake: FakeMastodon, context: FeedContext, caplog: pytest.LogCaptureFixture
):
    """Not even where everything is logged, and something fails."""
    caplog.set_level("DEBUG")
    fake.post("acme one")
    platform = open_mastodon(server, context, mode="stream")
    next(platform.listen(None))
    fake.faults.append(refused(500, TOKEN))
    platform.check()
    platform.close()
    assert caplog.records
    assert TOKEN not in caplog.text


def test_a_server_without_an_account_is_heard_where_it_is_open(
    server: Server, fake: FakeMastodon, context: FeedContext
):
    """Hashtags, public timelines and people, without a token and without streams."""
    fake.post("#acme at last", acct="bob")
    context = watching(context, "acme", "from:bob@mastodon.example")
    platform = open_mastodon(server, context, {}, has_account=False, mode="stream", search=True)
    assert texts(look_at(platform)) == ["#acme at last"]
    assert all("authorization" not in request.headers for request in server.requests)
    assert not [path for path in fake.asked if "streaming" in path or "notifications" in path or "search" in path]


def test_old_and_other_servers_are_understood(server: Server, fake: FakeMastodon, context: FeedContext):
    """Only the older page on itself, or none at all; and addresses that send on where they end in a slash."""
    fake.post("acme one")
    for flags in ({"no_v2"}, {"no_v2", "no_instance"}, {"trailing"}):
        fake.flags = set(flags)
        assert texts(look_at(open_mastodon(server, context))) == ["acme one"]


def test_a_missing_token_is_refused_before_anything_is_asked(server: Server, context: FeedContext):
    """The sentence names the variable; each account has its own."""
    with pytest.raises(SettingRefused, match="MASTODON_HELP_ACCESS_TOKEN is not set"):
        open_mastodon(server, context, SECRETS, env_prefix="MASTODON_HELP")
    assert not server.requests


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("tags", ["no tag"]),
        ("tags", ["123"]),
        ("handle", "a b"),
        ("base_url", "mastodon.social"),
        ("streaming_url", "wss://x.example"),
        ("mode", "push"),
        ("public", "yes"),
        ("poll_seconds", 0),
        ("env_prefix", "slack"),
    ],
)
def test_a_setting_that_cannot_work_is_refused(server: Server, context: FeedContext, setting: str, value: object):
    """With its name, before anything is asked."""
    with pytest.raises(SettingRefused) as caught:
        open_mastodon(server, context, **{setting: value})
    assert caught.value.key.split(".")[0] == setting


def test_a_feed_without_anything_to_listen_to_says_so(server: Server, context: FeedContext):
    """A watch that no hashtag can be made of, with every timeline off, hears nothing."""
    with pytest.raises(Permanent, match="has nothing to listen to"):
        look_at(open_mastodon(server, watching(context, '"acme cloud"'), notifications=False, home=False))
    with pytest.raises(Permanent, match="No watch listens on the feed 'main'"):
        look_at(open_mastodon(server, replace(context, watches=compile_watches([]))))


@pytest.mark.parametrize("fault", sorted(set(FAULTS) - {"not found", "a bomb"}))
@pytest.mark.parametrize("at", ["instance", "credentials", "notifications", "timelines/home"])
def test_faults_come_out_as_the_projects_own_errors(
    server: Server, fake: FakeMastodon, context: FeedContext, fault: str, at: str
):
    """Wherever they strike, nothing of it is a look that succeeded."""
    fake.mood = lambda path, _request: FAULTS[fault]() if at in path else None
    with pytest.raises(ListenerError) as caught:
        look_at(open_mastodon(server, context))
    assert TOKEN not in f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"
    assert server.host in str(caught.value)
    assert not isinstance(caught.value, Permanent)


@pytest.mark.parametrize("answer", [bomb(60), trickle(30)], ids=["a bomb", "a trickle"])
def test_answers_without_end_are_given_up(
    server: Server, fake: FakeMastodon, context: FeedContext, monkeypatch: pytest.MonkeyPatch, answer: Answer
):
    """Neither gigabytes nor an answer that takes for ever hold a feed up."""
    monkeypatch.setattr(mastodon_client, "TOTAL_SECONDS", 0.3)
    fake.mood = lambda _path, _request: answer
    with pytest.raises(Retryable):
        look_at(open_mastodon(server, context))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "17"}, 17),
        ({"X-RateLimit-Reset": "2001-01-01T00:00:00.000Z"}, None),
        ({"X-RateLimit-Reset": "soon"}, None),
        ({"X-RateLimit-Reset": "9" * 400}, None),
        ({"X-RateLimit-Reset": "2999-01-01T00:00:00.000Z"}, mastodon_client.LONGEST_WAIT),
    ],
)
def test_the_limit_is_told_with_its_end_where_that_is_known(
    server: Server, fake: FakeMastodon, context: FeedContext, headers: dict[str, str], seconds: float | None
):
    """A reset in the past, without sense, or in a hundred years is not obeyed to the letter."""
    fake.mood = lambda path, _request: Answer(429, b"{}", headers) if "home" in path else None
    with pytest.raises(RateLimited) as caught:
        look_at(open_mastodon(server, context))
    assert caught.value.retry_after == seconds


def test_a_reset_by_a_clock_that_is_wrong_is_corrected(server: Server, fake: FakeMastodon, context: FeedContext):
    """The server's own Date tells how far its clock is off."""

    def answer(connection: socket.socket) -> None:
        head = "Date: Wed, 01 Jan 2031 00:00:00 GMT\r\nX-RateLimit-Reset: 2031-01-01T00:01:00.000Z"
        connection.sendall(f"HTTP/1.1 429 No\r\n{head}\r\nContent-Length: 0\r\n\r\n".encode())

    fake.mood = lambda path, _request: Answer(raw=answer) if "home" in path else None
    with pytest.raises(RateLimited) as caught:
        look_at(open_mastodon(server, context))
    assert caught.value.retry_after == pytest.approx(60, abs=5)


def test_room_is_left_for_the_people_who_answer(server: Server, fake: FakeMastodon, context: FeedContext, hands: Hands):
    """Listening waits when the account's requests are nearly used up, instead of using up the last."""
    reset = datetime.now(UTC) + timedelta(seconds=120)
    fake.headers = {"X-RateLimit-Remaining": "3", "X-RateLimit-Reset": reset.isoformat()}
    look_at(open_mastodon(server, context, home=False, tags=["acme"]))
    assert hands.paused == pytest.approx(2 * 120, abs=10)


def test_headers_that_the_library_fails_on_are_passed_over(server: Server, fake: FakeMastodon, context: FeedContext):
    """Limits that cannot be read, and notes on endpoints that are going away, break no look."""
    fake.post("acme one")
    for headers in (
        {"X-RateLimit-Reset": "never", "X-RateLimit-Remaining": "many"},
        {"X-RateLimit-Reset": "9" * 400},
        {"X-RateLimit-Reset": "2026-01-01T00:00:00Z", "Date": "today"},
        {"Deprecation": "@1750000000"},
    ):
        fake.headers = headers
        assert texts(look_at(open_mastodon(server, context))) == ["acme one"]


def test_a_token_that_expires_is_told_with_its_variable(server: Server, fake: FakeMastodon, context: FeedContext):
    """The feed is deaf until a person makes a new one."""
    batches = open_mastodon(server, context).listen(None)
    next(batches)
    fake.tokens.clear()
    with pytest.raises(Permanent, match="does not accept the access token; put a new one into MASTODON_ACCESS_TOKEN"):
        next(batches)


def test_a_scope_that_is_missing_is_told_with_what_it_is_for(server: Server, fake: FakeMastodon, context: FeedContext):
    """In the server's own words; a 403 without words may be anything before it, and is tried again."""
    fake.scopes = {"read:accounts", "read:statuses"}
    with pytest.raises(Permanent, match=r"^Mentions of our account: .* It says: This action is outside"):
        look_at(open_mastodon(server, context))
    fake.mood = lambda _path, _request: say("<html>Checking your browser", Content_Type="text/html")
    with pytest.raises(Retryable, match="does not answer as a Mastodon server does"):
        look_at(open_mastodon(server, context))
    fake.mood = lambda _path, _request: Answer(403, b"<html>Checking your browser")
    with pytest.raises(Retryable, match="403"):
        look_at(open_mastodon(server, context))


def test_unknown_and_missing_fields_break_nothing(server: Server, fake: FakeMastodon, context: FeedContext):
    """Items that are no posts are passed over or refused, and the others are heard."""
    good = fake.write("acme one")
    page: list[object] = [3, None, {}, {"id": "7"}, {"id": "8", "uri": "https://x.example/8"}, good | {"new": [1]}]
    fake.mood = lambda path, _request: told(page) if path == "/api/v1/timelines/home" else None
    (batch,) = islice(open_mastodon(server, context, notifications=False, tags=["tea"]).listen(None), 1)
    assert texts(batch) == ["acme one"]
    assert batch.refused == (
        "Mastodon told of a post without an address.",
        "Mastodon post https://x.example/8 has no author.",
    )


def test_what_the_server_says_never_holds_the_token(server: Server, fake: FakeMastodon, context: FeedContext):
    """A server that echoes what it was sent gives nothing away."""
    fake.mood = lambda path, _request: refused(403, f"no for Bearer {TOKEN}") if "notif" in path else None
    with pytest.raises(Permanent) as caught:
        look_at(open_mastodon(server, context))
    assert TOKEN not in f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"
    assert "no for Bearer …" in str(caught.value)


def test_looks_are_so_far_apart_that_the_limit_holds(server: Server, context: FeedContext, hands: Hands):
    """Many hashtags are looked at less often."""
    platform = open_mastodon(server, context, tags=[f"tag{number}" for number in range(40)], poll_seconds=10)
    list(islice(platform.listen(None), 2))
    asked = len(server.requests) / 2
    assert 300 * hands.paused / 300 >= asked


def test_a_wait_ends_a_look_when_the_feed_is_closed(server: Server, fake: FakeMastodon, context: FeedContext):
    """Between two pages too."""
    for number in range(90):
        fake.post(f"acme {number}")
    platform = open_mastodon(server, context, notifications=False)

    def close(_path: str, _request: Request) -> None:
        platform.close()

    fake.mood = close
    heard: Iterator[Batch] = platform.listen(None)
    assert list(heard) == []
    assert len(server.requests) < 5


def test_slow_down_without_a_word_is_the_callers_to_time(server: Server, fake: FakeMastodon, context: FeedContext):
    """429 with nothing else is a limit without an end."""
    fake.faults.append(slow_down())
    with pytest.raises(RateLimited) as caught:
        look_at(open_mastodon(server, context))
    assert caught.value.retry_after is None
