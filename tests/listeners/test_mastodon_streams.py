"""Mastodon heard by streams: what they tell, how they end, and what is read by page in between."""

from __future__ import annotations

import json
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from clocks import NOON
from fake_mastodon import FakeMastodon, refused
from hypothesis import given
from hypothesis import strategies as st
from servers import Answer, Script, Server, say, trickle
from stand_mastodon import open_mastodon, texts

from listeners.contract import FeedContext
from listeners.errors import Permanent, RateLimited, Retryable
from listeners.mastodon import MastodonFeed
from listeners.mastodon import client as mastodon_client
from listeners.mastodon import listening as mastodon_listening
from listeners.mastodon import streams as mastodon_streams
from listeners.mastodon.streams import EndlessEvent, read_events
from listeners.mention import Batch
from listeners.query import Watch, compile_watches

Serve = Callable[[Script], Server]


@pytest.fixture
def fake() -> Iterator[FakeMastodon]:
    """A server where we follow jane."""
    fake = FakeMastodon(followed={"jane@far.example"})
    yield fake
    fake.hang_up()


@pytest.fixture
def server(serve: Serve, fake: FakeMastodon) -> Server:
    """The same, listening."""
    server = serve(fake)
    fake.base = server.url
    return server


@pytest.fixture
def feed(server: Server, context: FeedContext) -> Iterator[MastodonFeed]:
    """A feed that streams."""
    platform = open_mastodon(server, context, mode="stream")
    yield platform
    platform.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("mastodon")]


def started(feed: MastodonFeed, cursor: str | None = None) -> Iterator[Batch]:
    """A listener that has caught up, and now follows its streams."""
    batches = feed.listen(cursor)
    next(batches)
    return batches


def test_streams_tell_of_posts_edits_and_deletions(fake: FakeMastodon, feed: MastodonFeed):
    """Each as it happens; the same post by two streams is told once."""
    batches = started(feed)
    status = fake.post("acme at home, with #acme")
    assert texts(next(batches)) == ["acme at home, with #acme"]
    fake.edit(status, "acme, edited")
    assert texts(next(batches)) == ["acme, edited"]
    fake.delete(status)
    (removal,) = next(batches).removals
    assert (removal.platform, removal.native_id) == ("mastodon", status["uri"])
    fake.post("@acme hello", acct="bob")
    (mention,) = next(batches).mentions
    assert (mention.text, mention.account) == ("@acme@mastodon.example hello", "@acme@mastodon.example")


def test_public_timelines_are_streamed(server: Server, fake: FakeMastodon, context: FeedContext):
    """Local, remote, or all of them, each by its own stream."""
    for public, acct in (("local", "bob"), ("remote", "eve@else.example"), ("all", "bob")):
        feed = open_mastodon(server, context, mode="stream", public=public, notifications=False, home=False)
        batches = started(feed)
        fake.post(f"acme in {public}", acct=acct)
        assert texts(next(batches)) == [f"acme in {public}"]
        feed.close()


def test_what_was_missed_between_two_streams_is_read(fake: FakeMastodon, feed: MastodonFeed):
    """A stream that ends is told to the caller; the next one begins where the cursor is, and repeats nothing."""
    batches = started(feed)
    fake.post("acme one")
    cursor = next(batches).cursor
    fake.hang_up()
    with pytest.raises(Retryable, match="closed the stream"):
        next(batches)
    fake.post("acme two")
    again = feed.listen(cursor)
    assert "acme two" in texts(next(again))
    fake.post("acme three")
    assert texts(next(again)) == ["acme three"]


def test_nothing_falls_between_the_pages_and_the_stream(fake: FakeMastodon, feed: MastodonFeed):
    """The streams are open before the pages are read: what is posted just then is told once, by either."""

    def post_meanwhile(path: str, _request: object) -> None:
        if path == "/api/v1/notifications" and not fake.statuses:
            fake.post("acme just now")

    fake.mood = post_meanwhile
    batches = feed.listen(None)
    first = next(batches)
    fake.post("acme later")
    assert texts([first, next(batches)]) == ["acme just now", "acme later"]


@pytest.mark.parametrize("how", ["clean", "cut", "reset"])
def test_however_a_stream_ends_it_is_retried(fake: FakeMastodon, feed: MastodonFeed, how: str):
    """A clean close, a chunk that breaks off, and a connection that is gone: what came before is told first."""
    batches = started(feed)
    fake.post("acme last words")
    time.sleep(0.02)
    fake.hang_up(how)
    assert texts(next(batches)) == ["acme last words"]
    with pytest.raises(Retryable):
        next(batches)


def test_a_silent_stream_is_given_up(fake: FakeMastodon, feed: MastodonFeed, monkeypatch: pytest.MonkeyPatch):
    """One without a sign of life is dead, though its connection stands."""
    monkeypatch.setattr(mastodon_streams, "SILENCE_SECONDS", 0.2)
    fake.heartbeat = 30
    with pytest.raises(Retryable):
        list(feed.listen(None))


def test_a_quiet_feed_says_that_it_listens(fake: FakeMastodon, feed: MastodonFeed, monkeypatch: pytest.MonkeyPatch):
    """As long as every stream shows signs of life, and only then."""
    monkeypatch.setattr(mastodon_listening, "SIGN_SECONDS", 0.1)
    monkeypatch.setattr(mastodon_listening, "TAKE_SECONDS", 0.05)
    heard: list[Batch] = []
    thread = threading.Thread(target=lambda: [heard.append(batch) for batch in feed.listen(None)], daemon=True)
    thread.start()
    while len(heard) < 4:
        time.sleep(0.01)
    for line in fake.lines[1:]:
        line.mute()
    time.sleep(0.2)
    count = len(heard)
    time.sleep(0.4)
    assert len(heard) == count
    feed.close()
    thread.join(5)
    assert not any(batch.mentions for batch in heard)


def test_events_without_sense_are_passed_over(fake: FakeMastodon, feed: MastodonFeed):
    """Broken JSON, unknown events, and events that are none of ours end no stream."""
    batches = started(feed)
    fake.push("user", "update", '{"id": "1", "content"')
    fake.push("user", "update", "[1, 2]")
    fake.push("user", "filters_changed", "undefined")
    fake.push("user", "brand_new", '{"a": 1}')
    fake.push("user", "delete", "9umDrYheeY451cQnEe")
    fake.push("user", "notification", '{"type": "follow"}')
    fake.post("acme still here")
    batch = next(batches)
    while not batch.mentions:
        assert batch.refused == ("Mastodon streamed an event that cannot be read.",)
        batch = next(batches)
    assert texts(batch) == ["acme still here"]


def test_doubled_and_reordered_events_are_put_right(fake: FakeMastodon, feed: MastodonFeed):
    """An update that comes twice or after its edit, and one after its deletion, change nothing."""
    batches = started(feed)
    status = fake.post("acme one")
    old = json.dumps(status)
    next(batches)
    fake.edit(status, "acme two")
    next(batches)
    fake.push("user", "update", old)
    fake.push("user", "status.update", json.dumps(status))
    gone = fake.write("acme gone")
    fake.push("user", "delete", str(gone["id"]))
    fake.push("user", "update", json.dumps(gone))
    fake.post("acme three")
    assert texts(next(batches)) == ["acme three"]


def test_a_deletion_after_a_restart_is_understood(fake: FakeMastodon, feed: MastodonFeed):
    """It is told by a number alone; the cursor knows which post that was."""
    status = fake.post("acme one", at=NOON - timedelta(hours=3))
    cursor = next(feed.listen(None)).cursor
    batches = started(feed, cursor)
    fake.delete(status)
    (removal,) = next(batches).removals
    assert removal.native_id == status["uri"]


def test_the_home_timeline_can_be_left_out(server: Server, fake: FakeMastodon, context: FeedContext):
    """Its posts come by on the stream of our account all the same; edits of what was told are heard."""
    feed = open_mastodon(server, context, mode="stream", home=False)
    batches = started(feed)
    fake.post("acme at home")
    status = fake.post("@acme hello")
    assert texts(next(batches)) == ["@acme@mastodon.example hello"]
    fake.edit(status, "acme, hello")
    assert texts(next(batches)) == ["acme, hello"]
    feed.close()


def test_a_server_without_streams_is_looked_at(server: Server, fake: FakeMastodon, context: FeedContext):
    """Servers that only speak WebSocket have none of this kind; where only some are missing, that is told."""
    fake.flags.add("no_streams")
    fake.post("acme one")
    feed = open_mastodon(server, context, mode="stream")
    batches = feed.listen(None)
    assert texts(next(batches)) == ["acme one"]
    fake.post("acme two")
    assert texts(next(batches)) == ["acme two"]
    fake.flags.clear()
    fake.mood = lambda path, _request: refused(401, "no") if path.endswith("/streaming/hashtag") else None
    again = feed.listen(None)
    assert next(again).notices == (f"{server.host} does not stream tag:acme; it is looked at now and then instead.",)
    feed.close()


def test_what_is_not_streamed_is_looked_at_in_between(
    server: Server, fake: FakeMastodon, context: FeedContext, monkeypatch: pytest.MonkeyPatch
):
    """Searches and people have no stream; more hashtags than streams may be open have none either."""
    monkeypatch.setattr(mastodon_streams, "MAX_STREAMS", 1)
    monkeypatch.setattr(mastodon_listening, "MAX_STREAMS", 1)
    monkeypatch.setattr(mastodon_listening, "SECONDS_PER_REQUEST", 0)
    context = replace(context, watches=compile_watches([Watch("w", "Acme", "acme OR from:sam@sea.example")]))
    feed = open_mastodon(server, context, mode="stream", search=True, poll_seconds=1)
    fake.post("hello", acct="sam@sea.example", at=NOON - timedelta(days=3))
    batches = started(feed)
    fake.post("acme found", acct="eve@else.example")
    fake.post("anything", acct="sam@sea.example")
    assert texts(next(batches)) == ["acme found", "anything"]
    assert [path for path in fake.asked if "/streaming/" in path] == ["/api/v1/streaming/user"]
    feed.close()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(429, b"", {"Retry-After": "9"}), RateLimited),
        (Answer(500), Retryable),
        (Answer(503), Retryable),
        (say("<html>Log in</html>", Content_Type="text/html"), Retryable),
    ],
    ids=["429", "500", "503", "a page"],
)
def test_a_stream_that_cannot_be_opened_now_is_an_error(
    fake: FakeMastodon, feed: MastodonFeed, answer: Answer, error: type[Exception]
):
    """No batch says that the feed hears, since it does not."""
    fake.mood = lambda path, _request: answer if "streaming" in path else None
    with pytest.raises(error) as caught:
        next(feed.listen(None))
    if isinstance(caught.value, RateLimited):
        assert caught.value.retry_after == 9


def test_a_token_that_is_withdrawn_ends_the_feed(fake: FakeMastodon, feed: MastodonFeed):
    """The server closes the stream, and the next try says what is wrong."""
    batches = started(feed)
    fake.tokens.clear()
    fake.hang_up()
    with pytest.raises(Retryable):
        next(batches)
    with pytest.raises(Permanent, match="does not accept the access token"):
        next(feed.listen(None))


def test_streams_of_another_host_are_followed(serve: Serve, server: Server, fake: FakeMastodon, context: FeedContext):
    """Where the server says so, or where the settings do, whatever the server says."""
    asked: list[str] = []

    def stream(request: object) -> Answer:
        asked.append(str(request))
        return fake(request)  # type: ignore[arg-type]

    other = serve(stream)
    fake.base = other.url
    for settings in ({}, {"streaming_url": f"{other.url}/"}):
        asked.clear()
        feed = open_mastodon(server, context, mode="stream", **settings)
        started(feed)
        assert len(asked) == 2
        feed.close()
        fake.base = "http://nowhere.invalid"


def test_close_ends_threads_that_read(fake: FakeMastodon, feed: MastodonFeed):
    """Within moments, also where the server says nothing."""
    fake.heartbeat = 30
    batches = started(feed)
    before = time.monotonic()
    feed.close()
    assert list(batches) == []
    assert time.monotonic() - before < 2
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("mastodon")]


def test_close_ends_a_feed_that_is_connecting(fake: FakeMastodon, feed: MastodonFeed):
    """A server that takes the connection and says nothing holds nobody up."""
    fake.mood = lambda path, _request: trickle(1, b"") if "streaming" in path else None
    done = threading.Event()
    threading.Thread(target=lambda: (list(feed.listen(None)), done.set()), daemon=True).start()
    while not [path for path in fake.asked if "streaming" in path]:
        time.sleep(0.01)
    feed.close()
    assert done.wait(5)
    for thread in threading.enumerate():
        if thread.name.startswith("mastodon"):
            thread.join(5)


def test_close_ends_threads_that_read_through_tls(
    serve: Serve, fake: FakeMastodon, context: FeedContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A stream that is encrypted is no harder to end."""
    file = tmp_path / "server.pem"
    words = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(file), "-out", str(tmp_path / "cert.pem")]
    try:
        subprocess.run([*words.split(), *names], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("no openssl on this machine to make a certificate with")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "cert.pem", file)
    server = serve(fake)
    server.wrap(tls)
    fake.base, fake.heartbeat = f"https://{server.host}", 30
    plain = mastodon_client._Session.__init__

    def trust(session: mastodon_client._Session, streaming_url: str) -> None:
        plain(session, streaming_url)
        session.verify = str(tmp_path / "cert.pem")

    monkeypatch.setattr(mastodon_client._Session, "__init__", trust)
    feed = open_mastodon(server, context, mode="stream", base_url=fake.base)
    batches = started(feed)
    fake.post("acme in secret")
    assert texts(next(batches)) == ["acme in secret"]
    before = time.monotonic()
    feed.close()
    assert list(batches) == []
    assert time.monotonic() - before < 2
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("mastodon")]


CHUNKS = st.lists(st.binary(min_size=1, max_size=7), max_size=40)


@given(CHUNKS)
def test_events_do_not_depend_on_how_the_bytes_arrive(chunks: list[bytes]):
    """Any cut through them gives the same, whatever they are."""
    assert list(read_events(chunks)) == list(read_events([b"".join(chunks)]))


@given(
    st.lists(st.tuples(st.sampled_from(["update", "delete"]), st.text(st.characters(exclude_categories=["C", "Z"]))))
)
def test_events_come_out_as_they_went_in(events: list[tuple[str, str]]):
    """With signs of life in between, with and without a space, with either end of line."""
    sent = b"\xef\xbb\xbf:)\n".removeprefix(b"\xef\xbb\xbf")
    for number, (name, data) in enumerate(events):
        end = "\r\n" if number % 2 else "\n"
        space = " " if number % 3 else ""
        sent += f"event:{space}{name}{end}data:{space}{data}{end}{end}:thump{end}".encode()
    heard = [(name, data.decode()) for name, data in read_events([sent]) if name]
    assert heard == events


def test_data_of_several_lines_is_one():
    """As the standard of such events has it; an event that is not ended is none."""
    sent = b"data: a\ndata: b\n\nevent: update\ndata\n\nid: 3\n\nevent: delete\ndata: 1\n"
    assert list(read_events([sent])) == [("message", b"a\nb"), ("update", b"")]


def test_an_event_without_end_is_refused(monkeypatch: pytest.MonkeyPatch):
    """Neither one long line nor many short ones fill the memory."""
    monkeypatch.setattr(mastodon_streams, "MAX_EVENT", 1_000)
    for endless in ([b"data: " + b"a" * 3_000], [b"data: a\n"] * 500):
        with pytest.raises(EndlessEvent):
            list(read_events(endless))
