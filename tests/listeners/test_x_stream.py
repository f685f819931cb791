"""Listening by the filtered stream: its rules, its lines, its ends, and what was missed in between."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import islice

import pytest
from clocks import Hands
from fake_x import OUR_HANDLE, SECRETS, FakeX, problem
from servers import Answer, Server, redirect, say, slow_down
from stand import Serve
from stand_x import mentions, open_x, texts

from listeners import x
from listeners.contract import FeedContext
from listeners.errors import ListenerError, Permanent, RateLimited, Retryable
from listeners.mention import Batch
from listeners.pacing import Pacer
from listeners.query import Watch, compile_watches
from listeners.x import hearing as x_hearing
from listeners.x import stream as x_stream
from listeners.x.budget import Budget
from listeners.x.client import Client
from listeners.x.looks import Looker
from listeners.x.run import Run
from listeners.x.settings import Settings, read_keys
from listeners.x.stream import Connects, Stream

STREAM, RULES, MENTIONS = (
    "GET /2/tweets/search/stream",
    "POST /2/tweets/search/stream/rules",
    "GET /2/users/77/mentions",
)
HEADERS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.fixture
def fake(hands: Hands) -> Iterator[FakeX]:
    """X, with the tests' clock."""
    built = FakeX(now=hands.now)
    built.max_lines = 99
    yield built
    built.hang_up()


@pytest.fixture
def context(context: FeedContext, hands: Hands) -> FeedContext:
    """A feed whose clock runs sixty times as fast."""
    return replace(context, pause=lambda seconds: hands.pause(seconds * 60))


def open_stream(server: Server, context: FeedContext, **settings: object) -> x.X:
    """Open a feed that streams."""
    return open_x(server, context, **{"mode": "stream", "user_id": "77", **settings})


def until(listener: Iterator[Batch], wanted: int, most: int = 200) -> list[Batch]:
    """Take batches until they hold so many mentions."""
    batches: list[Batch] = []
    while len(mentions(batches)) < wanted:
        assert len(batches) < most, "nothing more is heard"
        batches.append(next(listener))
    return batches


def searched(server: Server) -> list[dict[str, str]]:
    """What the search was asked for."""
    return [request.query for request in server.requests if "/search/recent" in request.path]


# Rules


def test_our_rules_are_made_and_others_are_left_alone(serve: Serve, fake: FakeX, context: FeedContext):
    """They are told by their tag; what is there already is not made again."""
    fake.rules = [{"id": "1", "value": "cats", "tag": "somebody else's"}, {"id": "2", "value": "dogs"}]
    fake.rules += [
        {"id": "3", "value": "old", "tag": "cuecard:main:gone"},
        {"id": "4", "value": "x", "tag": "cuecard:other:w"},
    ]
    server = serve(fake)
    feed = open_stream(server, context)
    next(feed.listen(None))
    assert {(rule["value"], rule.get("tag", "")) for rule in fake.rules} == {
        ("cats", "somebody else's"),
        ("dogs", ""),
        ("x", "cuecard:other:w"),
        (f"acme -jobs -is:retweet -from:{OUR_HANDLE}", "cuecard:main:acme"),
    }
    changes = [request for request in server.requests if request.method == "POST"]
    next(feed.listen(None))
    assert [request for request in server.requests if request.method == "POST"] == changes
    feed.close()


def test_a_rule_that_somebody_else_made_will_do(serve: Serve, fake: FakeX, context: FeedContext):
    """X takes each only once; it finds what it finds, whoever's it is."""
    fake.rules = [{"id": "1", "value": f"acme -jobs -is:retweet -from:{OUR_HANDLE}", "tag": "theirs"}]
    feed = open_stream(serve(fake), context)
    listener = feed.listen(None)
    next(listener)
    fake.add("acme one", 0)
    assert texts(until(listener, 1)) == ["acme one"]
    assert [rule["tag"] for rule in fake.rules] == ["theirs"]
    listener.close()


def test_a_renamed_watch_keeps_its_rule(serve: Serve, fake: FakeX, context: FeedContext):
    """It asks the same, so there is no moment without it."""
    fake.rules = [{"id": "1", "value": f"acme -jobs -is:retweet -from:{OUR_HANDLE}", "tag": "cuecard:main:before"}]
    next(open_stream(serve(fake), context).listen(None))
    assert [rule["id"] for rule in fake.rules] == ["1"]


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (
            {"title": "UnprocessableEntity", "details": ["no viable alternative"]},
            "the watch 'acme' .no viable alternative.",
        ),
        ({"title": "RulesCapExceeded", "type": "https://api.x.com/2/problems/rule-cap"}, "takes no more rules"),
    ],
)
def test_a_rule_that_x_does_not_take_is_told(
    serve: Serve, fake: FakeX, context: FeedContext, refusal: dict[str, object], said: str
):
    """By the watch's name: a person must change something."""
    value = f"acme -jobs -is:retweet -from:{OUR_HANDLE}"
    fake.faults[RULES] = [say(json.dumps({"errors": [{"value": value, **refusal}], "meta": {}}))]
    with pytest.raises(Permanent, match=said):
        next(open_stream(serve(fake), context).listen(None))


def test_without_a_watch_only_mentions_are_heard(serve: Serve, fake: FakeX, context: FeedContext):
    """No stream is opened for nothing."""
    fake.add(f"@{OUR_HANDLE} please")
    feed = open_stream(serve(fake), replace(context, watches=compile_watches([])), brand="Acme")
    (mention,) = mentions([next(feed.listen(None))])
    assert (mention.brand, mention.watches) == ("Acme", ())
    assert fake.connects == 0


# Lines


def test_posts_are_heard_as_they_are_made(serve: Serve, fake: FakeX, context: FeedContext):
    """Each with what it cost, also where it is no mention."""
    feed = open_stream(serve(fake), context)
    listener = feed.listen(None)
    first = next(listener)
    assert (first.mentions, first.cost_micros) == ((), 0)
    fake.add("acme one", 0)
    heard = until(listener, 1)
    assert texts(heard) == ["acme one"]
    assert sum(batch.cost_micros for batch in heard) == 15_000
    listener.close()
    assert fake.connects == 1


def test_words_that_are_only_quoted_are_paid_and_left_out(serve: Serve, fake: FakeX, context: FeedContext):
    """The stream reads the quoted post, too; our own matcher reads the post itself."""
    fake.add_user("6", "joe")
    quoted = fake.add("acme said so", 60 * 24 * 8, author_id="6")
    feed = open_stream(serve(fake), context)
    listener = feed.listen(None)
    next(listener)
    fake.add("look at that", 0, quoted=quoted.id)
    batch = next(each for each in listener if each.cost_micros)
    assert (batch.mentions, batch.cost_micros) == ((), 5_000 + 5_000 + 10_000)
    listener.close()


def test_a_quote_of_ours_is_heard(serve: Serve, fake: FakeX, context: FeedContext):
    """It calls on us, and may be answered by program, though its own words name nobody."""
    ours = fake.add("acme has news", 60 * 24 * 8, author_id="77")
    feed = open_stream(serve(fake), context)
    listener = feed.listen(None)
    next(listener)
    fake.add("terrible", 0, quoted=ours.id)
    (mention,) = mentions(until(listener, 1))
    assert (mention.text, mention.parent_text, mention.account) == ("terrible", "acme has news", f"@{OUR_HANDLE}")
    assert feed.capability(mention).route == "api"
    listener.close()


def test_odd_lines_harm_nobody(serve: Serve, fake: FakeX, context: FeedContext):
    """Cut short, doubled, out of order, empty, new: the posts among them are heard once, and the rest is told."""
    feed = open_stream(serve(fake), context)
    listener = feed.listen(None)
    next(listener)
    second = fake.add("acme two", 0)
    fake.add("acme one", 1)
    whole = json.dumps({"data": fake.tell(second), "includes": {"users": [fake.users["5"]]}}).encode()
    for line in (whole, whole[:30], b"[]", b"null", b'{"new": 1}', b"\xff", b": keep-alive", b"data: " + whole, whole):
        fake.send(line)
    fake.add("acme last", 0)
    batches = until(listener, 3)
    assert sorted(texts(batches)) == ["acme last", "acme one", "acme two"]
    assert sum(batch.cost_micros for batch in batches) == 3 * 5_000 + 10_000
    refused = [sentence for batch in batches for sentence in batch.refused]
    assert refused == ["X's stream told a line that is no post, and no JSON."] * 4
    listener.close()


def test_a_quiet_stream_says_that_it_listens(serve: Serve, fake: FakeX, context: FeedContext, hands: Hands):
    """At least once a minute, where X gives a sign of life."""
    feed = open_stream(serve(fake), context, mentions_seconds=1_200)
    listener = feed.listen(None)
    next(listener)
    began = hands.moment
    assert [batch.mentions for batch in islice(listener, 3)] == [(), (), ()]
    assert timedelta(minutes=1) <= hands.moment - began < timedelta(minutes=5)
    listener.close()


def test_our_own_mentions_are_looked_at_beside_it(serve: Serve, fake: FakeX, context: FeedContext):
    """They need not match a watch."""
    feed = open_stream(serve(fake), context, mentions_seconds=5)
    listener = feed.listen(None)
    next(listener)
    fake.add(f"@{OUR_HANDLE} please", 0)
    assert texts(until(listener, 1)) == [f"@{OUR_HANDLE} please"]
    listener.close()


def test_a_look_that_fails_beside_it_does_not_end_it(serve: Serve, fake: FakeX, context: FeedContext, hands: Hands):
    """The stream goes on hearing; only a look that fails for long is told."""
    fast = replace(context, pause=lambda seconds: hands.pause(seconds * 1_000))
    feed = open_stream(serve(fake), fast, mentions_seconds=5)
    listener = feed.listen(None)
    next(listener)
    fake.faults[MENTIONS] = [slow_down("600")] + [Answer(503)] * 99
    began = hands.moment
    while len(fake.faults[MENTIONS]) > 97:
        next(listener)
    fake.add("acme still", 0)
    assert "acme still" in texts(until(listener, 1))
    with pytest.raises(Retryable):
        list(listener)
    assert hands.moment - began > timedelta(minutes=15)
    assert fake.connects == 1


# Gaps


def test_what_was_missed_is_looked_up(serve: Serve, fake: FakeX, context: FeedContext):
    """After a break, from the last cursor on; nothing twice, nothing lost."""
    server = serve(fake)
    feed = open_stream(server, context)
    listener = feed.listen(None)
    next(listener)
    fake.add("acme one", 0)
    heard = until(listener, 1)
    fake.hang_up()
    with pytest.raises(Retryable, match="X closed the stream"):
        list(listener)
    fake.add("acme meanwhile", 0)
    again = feed.listen(heard[-1].cursor)
    batches = until(again, 2)
    fake.add("acme later", 0)
    batches += until(again, 1)
    assert sorted(set(texts(batches))) == ["acme later", "acme meanwhile", "acme one"]
    again.close()


def test_what_the_search_learns_of_late_is_looked_up_a_minute_later(
    serve: Serve, fake: FakeX, context: FeedContext, hands: Hands
):
    """A post of the seconds before the connection is neither in the stream nor, at first, in the search."""
    fake.lag = timedelta(seconds=30)
    server = serve(fake)
    feed = open_stream(server, context, mentions_seconds=1_200)
    fake.add("acme just before", 0.1)
    listener = feed.listen(None)
    first = next(listener)
    assert texts([first]) == []
    assert texts(until(listener, 1)) == ["acme just before"]
    asked = len(searched(server))
    fake.add("acme live", 0)
    live = until(listener, 1)
    assert texts(live) == ["acme live"]
    later = [next(listener) for _batch in range(3)]
    assert len(searched(server)) == asked == 2
    listener.close()
    hands.moment += timedelta(minutes=5)
    fake.add("acme away", 1)
    again = feed.listen(later[-1].cursor)
    assert texts([next(again)]) == ["acme away"]
    assert int(searched(server)[-1]["since_id"]) > int(searched(server)[0].get("since_id", 0))
    again.close()


def test_what_waits_to_be_read_is_not_called_heard(fake: FakeX, context: FeedContext, monkeypatch: pytest.MonkeyPatch):
    """In a rush, a cursor must not pass over posts that come out of order behind it."""
    monkeypatch.setattr(x_hearing, "PER_BATCH", 3)
    settings = Settings(handle=OUR_HANDLE, user_id="77")
    keys = read_keys(SECRETS, "X")
    budget = Budget(settings, context.spent, context.now)
    looker = Looker(Client(settings, keys, context.now), settings, budget, context.now)
    run = Run(settings, context, looker, budget, ["acme"], None, None)
    stream = Stream(settings, keys, context.now)
    live = x_hearing._Live(settings, context, Pacer(context.pause), run, stream)
    live._is_settled = True
    posts = [fake.add(f"acme {number}", 3 - number) for number in (0, 2, 3, 1)]
    for post in posts:
        assert stream.lines.put(json.dumps({"data": fake.tell(post)}).encode())
    (rushed,), (calm,) = list(live._take_lines()), list(live._take_lines())
    assert (len(rushed.mentions), len(calm.mentions)) == (3, 1)
    assert posts[2].id not in rushed.cursor
    assert posts[2].id in calm.cursor


def test_a_stream_that_flaps_pays_for_nothing_twice(serve: Serve, fake: FakeX, context: FeedContext, hands: Hands):
    """Each look begins where the last one ended, but for the overlap, however short the connections are."""
    feed = open_stream(serve(fake), context, overlap_seconds=0)
    cursor = None
    for number in range(6):
        hands.moment += timedelta(seconds=5)
        fake.add(f"acme {number}", 0.02)
        listener = feed.listen(cursor)
        cursor = next(listener).cursor
        fake.hang_up()
        with pytest.raises(Retryable):
            list(listener)
    billed = [native_id for kind, native_id in fake.billed if kind == "post"]
    assert len(billed) == len(set(billed)) == 6


# Refusals and ends


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (problem(401, "", "Unauthorized"), (Permanent, "does not accept the keys")),
        (problem(403, "client-forbidden", reason="client-not-enrolled"), (Permanent, "no access")),
        (problem(409, "streaming-connection"), (RateLimited, "not taken in the rules")),
        (problem(429, "usage-capped", title="UsageCapExceeded"), (RateLimited, "paused this app for its spending")),
        (problem(402, "credits"), (RateLimited, "paused this app for its spending")),
        (slow_down("9"), (RateLimited, "slow down")),
        (slow_down(), (RateLimited, "slow down")),
        (Answer(503, b"<html>"), (Retryable, "answered 503")),
        (Answer(200, b"<html>log in</html>", {"Content-Type": "text/html"}), (Retryable, "web page")),
        (Answer(200, b"", {"Content-Type": "application/json"}), (Retryable, "X closed the stream")),
        (Answer(raw=lambda connection: connection.sendall(b"SSH-2.0\r\n")), (Retryable, "broke")),
        (Answer(raw=lambda connection: connection.close()), (Retryable, "broke")),
        (
            Answer(raw=lambda connection: connection.sendall(HEADERS + b"Content-Encoding: gzip\r\n\r\nabc\n")),
            (Retryable, "broke"),
        ),
        (redirect("http://10.0.0.1/"), (Retryable, "broke")),
    ],
)
def test_a_connection_that_x_refuses_is_told_as_what_it_is(
    serve: Serve, fake: FakeX, context: FeedContext, answer: Answer, told: tuple[type[ListenerError], str]
):
    """In the body, which the library would only log."""
    fake.rules = [{"id": "1", "value": f"acme -jobs -is:retweet -from:{OUR_HANDLE}", "tag": "cuecard:main:acme"}]
    fake.faults[STREAM] = [say(json.dumps({"data": fake.rules})), answer]
    feed = open_stream(serve(fake), context)
    error, said = told
    with pytest.raises(error, match=said) as caught:
        list(feed.listen(None))
    assert type(caught.value) is error
    feed.close()


def test_another_programs_connection_is_told_and_ended_where_asked(serve: Serve, fake: FakeX, context: FeedContext):
    """By the settings only, since it ends every stream of the app."""
    fake.max_lines = 1
    server = serve(fake)
    other = open_stream(server, context).listen(None)
    next(other)
    with pytest.raises(RateLimited, match="only stream connection"):
        list(open_stream(server, context).listen(None))
    assert not any(request.method == "DELETE" for request in server.requests)
    with pytest.raises(Retryable, match="connects again"):
        list(open_stream(server, context, clear_ghosts=True).listen(None))
    with pytest.raises(Retryable):
        list(other)


@pytest.mark.parametrize(
    ("line", "ending"),
    [
        (
            {"title": "operational-disconnect", "detail": "Disconnected upstream for operational reasons."},
            (Retryable, "for operational reasons"),
        ),
        ({"title": "UsageCapExceeded", "type": "https://api.x.com/2/problems/usage-capped"}, (RateLimited, "spending")),
    ],
)
def test_an_ending_that_the_stream_announces(
    serve: Serve, fake: FakeX, context: FeedContext, line: dict[str, str], ending: tuple[type[ListenerError], str]
):
    """What came before it is told first."""
    listener = open_stream(serve(fake), context).listen(None)
    next(listener)
    fake.add("acme one", 0)
    fake.send(json.dumps({"errors": [line]}).encode())
    assert texts(until(listener, 1)) == ["acme one"]
    with pytest.raises(ending[0], match=ending[1]):
        list(listener)


def test_a_stream_that_falls_silent_is_told(
    serve: Serve, fake: FakeX, context: FeedContext, monkeypatch: pytest.MonkeyPatch
):
    """X gives a sign of life every twenty seconds; without one the line is dead, whatever TCP says."""
    monkeypatch.setattr(x_stream, "SILENT_SECONDS", 0.2)

    def fall_silent(connection: socket.socket) -> None:
        connection.sendall(HEADERS + b"\r\n")
        time.sleep(1)

    fake.rules = [{"id": "1", "value": f"acme -jobs -is:retweet -from:{OUR_HANDLE}", "tag": "cuecard:main:acme"}]
    fake.faults[STREAM] = [say(json.dumps({"data": fake.rules})), Answer(raw=fall_silent)]
    with pytest.raises(Retryable, match="broke"):
        list(open_stream(serve(fake), context).listen(None))


def test_no_more_than_fifty_connections_in_fifteen_minutes(
    serve: Serve, fake: FakeX, context: FeedContext, hands: Hands
):
    """Over all calls; then it says how long to wait, without asking X."""
    fake.rules = [{"id": "1", "value": f"acme -jobs -is:retweet -from:{OUR_HANDLE}", "tag": "cuecard:main:acme"}]
    feed = open_stream(serve(fake), replace(context, pause=lambda _seconds: False))
    for _attempt in range(50):
        listener = feed.listen(None)
        next(listener)
        listener.close()
    with pytest.raises(RateLimited, match="too often") as caught:
        list(feed.listen(None))
    assert (fake.connects, caught.value.retry_after) == (50, 900)
    hands.moment += timedelta(minutes=15)
    next(feed.listen(None))
    assert fake.connects == 51


def test_connections_of_long_ago_do_not_count(hands: Hands):
    """Only those of the last fifteen minutes."""
    connects = Connects(hands.now)
    for _minute in range(120):
        connects.add()
        hands.moment += timedelta(seconds=20)


# Threads and memory


def streaming(server: Server) -> Stream:
    """One connection, by itself."""
    settings = Settings(handle=OUR_HANDLE, base_url=server.url)
    return Stream(settings, read_keys(SECRETS, "X"), Hands().now)


def test_stop_ends_the_thread_at_once(serve: Serve, fake: FakeX):
    """Also while it waits for a line, and while X has not answered at all."""
    fake.rules = [{"id": "1", "value": "acme", "tag": "t"}]
    server = serve(fake)
    before = threading.active_count()
    stream = streaming(server)
    stream.start({})
    assert stream.is_ready(5)
    began = time.monotonic()
    stream.stop()
    fake.faults[STREAM] = [Answer(raw=lambda _connection: time.sleep(1.5))]
    waiting = streaming(server)
    waiting.start({})
    while fake.faults[STREAM]:
        time.sleep(0.01)
    waiting.stop()
    assert time.monotonic() - began < 1.5
    fake.hang_up()
    while threading.active_count() > before:
        time.sleep(0.01)


def test_what_nobody_takes_stays_with_x(serve: Serve, fake: FakeX, monkeypatch: pytest.MonkeyPatch):
    """The funnel holds so many lines and no more; nothing is dropped."""
    monkeypatch.setattr(x_stream, "_HELD_LINES", 10)
    fake.rules = [{"id": "1", "value": "acme", "tag": "t"}]
    stream = streaming(serve(fake))
    stream.start({})
    assert stream.is_ready(5)
    for number in range(500):
        fake.send(json.dumps({"data": number}).encode())
    time.sleep(0.2)
    told: list[bytes] = []
    while len(told) < 500:
        taken = stream.lines.take(100, 1)
        assert len(taken) <= 10
        told += [line for line in taken if line]
    assert [json.loads(line)["data"] for line in told] == list(range(500))
    stream.stop()


def test_a_line_without_an_end_ends_the_stream(serve: Serve, fake: FakeX, monkeypatch: pytest.MonkeyPatch):
    """Memory is bounded, whatever is sent."""
    monkeypatch.setattr(x_stream, "_LONGEST_LINE", 100_000)

    def flood(connection: socket.socket) -> None:
        connection.sendall(HEADERS + b"\r\n")
        for _part in range(100):
            connection.sendall(b"x" * 10_000)

    fake.faults[STREAM] = [Answer(raw=flood)]
    stream = streaming(serve(fake))
    stream.start({})
    with pytest.raises(Retryable, match="broke"):
        stream.lines.take(1, 5)


def test_a_line_is_heard_at_once_also_where_it_comes_in_no_chunk(serve: Serve, fake: FakeX):
    """The library would wait for five hundred bytes more."""

    def tell(connection: socket.socket) -> None:
        connection.sendall(HEADERS + b'\r\n{"data": 1}\r')
        time.sleep(0.05)
        connection.sendall(b'\n\r\n{"data": 2}\n{"data"')
        time.sleep(1)

    fake.faults[STREAM] = [Answer(raw=tell)]
    stream = streaming(serve(fake))
    stream.start({})
    began, told = time.monotonic(), []
    while len(told) < 3:
        told += stream.lines.take(9, 1)
    assert told == [b'{"data": 1}', b"", b'{"data": 2}']
    assert time.monotonic() - began < 0.9
    stream.stop()


def test_two_feeds_of_one_app_have_rules_of_their_own(serve: Serve, fake: FakeX, context: FeedContext):
    """Each hears what its own watches want, though X sends both everything."""
    server = serve(fake)
    tea = compile_watches([Watch("tea", "Tea", "teapot")])
    first = open_stream(server, context).listen(None)
    second = open_stream(server, replace(context, feed="tea", watches=tea)).listen(None)
    next(first)
    next(second)
    fake.add("acme teapot", 0)
    fake.add("acme only", 0)
    assert texts(until(first, 2)) == ["acme teapot", "acme only"]
    assert texts(until(second, 1)) == ["acme teapot"]
    assert {rule["tag"] for rule in fake.rules} == {"cuecard:main:acme", "cuecard:tea:tea"}
    first.close()
    second.close()
