"""The stream: both wires, resuming, and every way in which it can end."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from clocks import NOON
from fake_jetstream import MICROS, POSTS, FakeJetstream, record
from servers import Answer, Script, Server, garbage, half_close, say, trickle

from listeners.bluesky import jetstream
from listeners.bluesky.jetstream import Jetstream, Place, Stream
from listeners.bluesky.jetstream_events import Event, read_event, read_time
from listeners.errors import RateLimited, Retryable

EARLY = NOON - timedelta(hours=1)


@pytest.fixture
def fake() -> Iterator[FakeJetstream]:
    """A stream."""
    with FakeJetstream() as started:
        yield started


def source(url: str, wire: jetstream.Wire | None = None) -> Jetstream:
    """A stream that can be opened."""
    return Jetstream(url, wire, [POSTS], lambda: NOON)


def take(stream: Stream, number: int) -> list[Event]:
    """Take some events, and end the stream."""
    events = []
    while len(events) < number:
        raw = stream.take(5)
        assert raw is not None
        event = stream.read(raw)
        if event is not None:
            events.append(event)
    return events


def query(path: str) -> dict[str, list[str]]:
    """What was asked for."""
    return parse_qs(urlsplit(path).query)


@pytest.mark.parametrize("wire", ["v1", "v2"])
def test_both_wires_tell_the_same(fake: FakeJetstream, wire: jetstream.Wire):
    """Only the number of an event is missing on the old wire."""
    uri = fake.post("3kone", "acme é")
    fake.commit("3ktwo", None, operation="delete")
    fake.tell("account", "did:plc:gone", {"active": False, "did": "did:plc:gone", "status": "takendown", "seq": 7})
    stream = source(fake.url, wire).open(Place(EARLY))
    post, deletion, account = take(stream, 3)
    stream.close()
    at = datetime.fromtimestamp(fake.happenings[0].at / 1e6, UTC)
    assert (post.uri, post.at, post.operation, post.record) == (uri, at, "create", record("acme é"))
    assert (post.cid, post.rev) == ("bafy3kone3k00000000000", "3k00000000000")
    assert (deletion.operation, deletion.record, deletion.cid) == ("delete", None, "")
    assert (account.kind, account.did, account.status) == ("account", "did:plc:gone", "takendown")
    assert post.seq == (100 if wire == "v2" else None)


def test_each_wire_is_asked_in_its_own_words(fake: FakeJetstream):
    """The new one refuses the names of the old one."""
    source(fake.url, "v2").open(Place(EARLY)).close()
    source(fake.url, "v1").open(Place(EARLY)).close()
    new, old = map(query, fake.asked)
    assert new == {"kinds": ["commit", "account"], "collections": [POSTS], "cursor": [str(MICROS - 3_610_000_000)]}
    assert old == {"wantedCollections": [POSTS], "cursor": [str(MICROS - 3_610_000_000)]}


def test_without_a_wire_the_new_one_is_tried_first(fake: FakeJetstream):
    """A host that has none is asked for the old one, and not a second time for the new."""
    fake.wires = ("v1",)
    old = source(fake.url)
    assert old.open(None).wire == "v1"
    assert old.open(None).wire == "v1"
    assert [urlsplit(path).path.rpartition("/")[2][:9] for path in fake.asked] == [
        "network.b",
        "subscribe",
        "subscribe",
    ]
    fake.wires = ("v2", "v1")
    assert source(fake.url).open(None).wire == "v2"


@pytest.mark.parametrize(
    ("path", "wire"),
    [("", "v2"), ("/", "v2"), ("/subscribe", "v1"), ("/xrpc/network.bsky.jetstream.subscribeEvents", "v2")],
)
def test_a_whole_address_says_its_wire(fake: FakeJetstream, path: str, wire: str):
    """What people copy works as it is."""
    assert source(fake.url + path).open(None).wire == wire


def test_web_addresses_lead_to_streams(fake: FakeJetstream):
    """An address that begins with http is one of a stream, too."""
    assert source(fake.url.replace("ws", "http")).open(None).wire == "v2"


def test_it_is_resumed_by_number_where_the_host_is_the_same(fake: FakeJetstream):
    """At the event itself, which comes again."""
    for number in range(5):
        fake.post(f"3k{number}", f"acme {number}")
    stream = source(fake.url).open(Place(EARLY))
    take(stream, 3)
    place = stream.place()
    stream.close()
    assert place is not None
    assert (place.seq, place.host) == (102, urlsplit(fake.url).netloc)
    assert take(source(fake.url).open(place), 1)[0].seq == 102
    assert query(fake.asked[-1])["cursor"] == ["102"]
    take(source(fake.url).open(Place(place.at, "elsewhere.example", 4)), 1)
    assert query(fake.asked[-1])["cursor"] == [str(fake.happenings[2].at - 10_000_000)]


def test_a_number_that_is_too_old_is_resumed_by_time_and_the_rest_is_a_gap(fake: FakeJetstream):
    """As much as the host still has is heard; the gap ends where that begins."""
    for number in range(5):
        fake.post(f"3k{number}", f"acme {number}")
    fake.floor = 103
    left_at = NOON - timedelta(hours=50)
    stream = source(fake.url).open(Place(left_at, urlsplit(fake.url).netloc, 7))
    assert [event.seq for event in take(stream, 2)] == [103, 104]
    gap = stream.take_gap()
    assert gap is not None
    assert (gap.start, gap.end) == (left_at, datetime.fromtimestamp(fake.happenings[3].at / 1e6, UTC))
    assert "36 hours" in gap.reason
    assert stream.take_gap() is None


def test_the_old_wire_says_nothing_of_a_time_that_is_too_old(fake: FakeJetstream):
    """So it is told from the clock."""
    fake.post("3kone", "acme")
    stream = source(fake.url, "v1").open(Place(NOON - timedelta(hours=40)))
    take(stream, 1)
    gap = stream.take_gap()
    assert gap is not None
    assert gap.start == NOON - timedelta(hours=40)
    recent = source(fake.url, "v1").open(Place(NOON - timedelta(hours=30)))
    take(recent, 1)
    assert recent.take_gap() is None


def test_numbers_that_began_anew_are_given_up_for_times(fake: FakeJetstream):
    """A host that was set up again knows neither the number nor that anything is missing."""
    fake.post("3kone", "acme")
    stream = source(fake.url)
    place = Place(EARLY, urlsplit(fake.url).netloc, 9_000)
    with pytest.raises(Retryable, match="numbers its events anew"):
        take(stream.open(place), 1)
    again = stream.open(place)
    assert take(again, 1)[0].seq == 100
    assert again.place() == Place(datetime.fromtimestamp(fake.happenings[0].at / 1e6, UTC), place.host, 100)
    assert take(stream.open(again.place()), 1)[0].seq == 100
    assert query(fake.asked[-1])["cursor"] == ["100"]


@pytest.mark.parametrize("code", [1000, 1001, 1011])
def test_a_stream_that_is_closed_is_tried_again_by_the_caller(fake: FakeJetstream, code: int):
    """Also a clean close: there is no loop in here that could run hot. What was sent before comes first."""
    fake.post("3kone", "acme")
    stream = source(fake.url).open(Place(EARLY))
    take(stream, 1)
    fake.hang_up(code)
    with pytest.raises(Retryable, match=rf"ended the stream \(code {code}\)"):
        stream.take(5)


def test_a_connection_that_breaks_is_told(fake: FakeJetstream):
    """Without a word of farewell."""
    stream = source(fake.url).open(None)
    fake.break_off()
    with pytest.raises(Retryable, match="broke off"):
        stream.take(5)


def test_an_error_frame_ends_the_stream(fake: FakeJetstream):
    """The server's own name for it is told."""
    stream = source(fake.url).open(None)
    fake.say(b'{"$type":"error","error":"ConsumerTooSlow","message":"too slow"}')
    raw = stream.take(5)
    assert raw is not None
    with pytest.raises(Retryable, match="read too slowly"):
        stream.read(raw)


@pytest.mark.parametrize(
    ("status", "headers", "body", "said"),
    [
        (500, {}, b"oops", "answers|refuses the stream: 500"),
        (503, {"Retry-After": "30"}, b"", "refuses the stream: 503"),
        (400, {}, b'{"error":"InvalidRequest","message":"no"}', "400, InvalidRequest"),
        (200, {"Content-Type": "text/html"}, b"<html>Log in</html>", "a page instead of a stream"),
        (301, {"Location": "https://elsewhere.example/"}, b"", "page instead|does not speak"),
        (403, {}, b"<html>no</html>", "refuses the stream: 403"),
    ],
)
def test_a_refusal_is_told(fake: FakeJetstream, status: int, headers: dict[str, str], body: bytes, said: str):
    """In one sentence, to be tried again."""
    fake.refusals = [(status, headers, body)]
    with pytest.raises(Retryable, match=said) as caught:
        source(fake.url, "v2").open(None)
    assert not isinstance(caught.value, RateLimited)


@pytest.mark.parametrize(("headers", "wait"), [({"Retry-After": "30"}, 30.0), ({}, None)])
def test_being_asked_to_slow_down_is_obeyed(fake: FakeJetstream, headers: dict[str, str], wait: float | None):
    """With the host's own time, where it gives one."""
    fake.refusals = [(429, headers, b"")]
    with pytest.raises(RateLimited) as caught:
        source(fake.url).open(None)
    assert caught.value.retry_after == wait


def test_a_host_without_any_stream_is_told(fake: FakeJetstream):
    """With the settings to look at."""
    fake.wires = ()
    with pytest.raises(Retryable, match=r"has no Jetstream \(404\); see to jetstream_url and wire"):
        source(fake.url).open(None)


@pytest.mark.parametrize("answer", [garbage, half_close, lambda: say("<html>hi</html>"), lambda: Answer(500)])
def test_what_is_no_stream_is_told(serve: Callable[[Script], Server], answer: Callable[[], Answer]):
    """Whatever listens there."""
    server = serve(lambda _request: answer())
    with pytest.raises(Retryable):
        source(server.url).open(None)


def test_nobody_there_is_told():
    """A dead port."""
    with pytest.raises(Retryable, match="cannot be reached for the stream"):
        source("ws://127.0.0.1:9").open(None)


def test_a_host_that_trickles_is_left(serve: Callable[[Script], Server], monkeypatch: pytest.MonkeyPatch):
    """Opening takes so long and no longer."""
    monkeypatch.setattr(jetstream, "CONNECT_SECONDS", 0.2)
    server = serve(lambda _request: trickle(5, b"HTTP/1.1 101 Switching Protocols\r\nX-Long: "))
    with pytest.raises(Retryable, match="did not open the stream within"):
        source(server.url, "v2").open(None)


def test_what_is_not_taken_waits_with_the_server(fake: FakeJetstream, monkeypatch: pytest.MonkeyPatch):
    """The queue is bounded, nothing is dropped, and nothing changes places."""
    monkeypatch.setattr(jetstream, "MOST_WAITING", 8)
    for number in range(1_000):
        fake.post(f"3k{number}", "acme " * 4_000)
    stream = source(fake.url).open(Place(EARLY))
    before = -1
    while before < fake.told:
        before = fake.told
        time.sleep(0.2)
    assert 0 < before < 900
    assert [event.rkey for event in take(stream, 1_000)] == [f"3k{number}" for number in range(1_000)]


def test_closing_ends_a_wait(fake: FakeJetstream):
    """Another thread may do so."""
    stream = source(fake.url).open(None)
    threading.Timer(0.1, stream.close).start()
    with pytest.raises(Retryable):
        stream.take(10)


def test_nothing_is_no_end(fake: FakeJetstream):
    """A silent stream is still a stream."""
    assert source(fake.url).open(None).take(0.01) is None


def test_a_place_needs_no_event_that_can_be_read(fake: FakeJetstream):
    """Where the last one can not, it is resumed before it."""
    place = Place(EARLY)
    stream = source(fake.url).open(place)
    assert stream.place() == place
    fake.say(b'{"$type":"message","payload":{"$ty')
    raw = stream.take(5)
    assert raw is not None
    with pytest.raises(ValueError, match="it is no JSON"):
        stream.read(raw)
    assert stream.place() == place


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"[]", "it is no object"),
        (b"{}", "it has neither a kind nor a payload"),
        (b'{"$type":"message","payload":{"$type":"plain"}}', "it has neither a kind nor a payload"),
        (b'{"kind":"commit","did":"did:plc:a"}', "it has no time"),
        (b'{"kind":"commit","did":"did:plc:a","time_us":-1}', "it has no time"),
        (b'{"kind":"commit","did":"did:plc:a","time_us":99999999999999999999}', "it has no time"),
        (b'{"kind":"commit","did":7,"time_us":1}', "it does not say whose it is"),
        (b'{"$type":"message","payload":{"$type":"x#commit","did":"did:plc:a"}}', "it has no number"),
        (
            b'{"$type":"message","payload":{"$type":"x#commit","seq":1,"did":"did:plc:a","time":"now"}}',
            "it has no time",
        ),
        (b"\xff", "it is not UTF-8"),
    ],
)
def test_what_is_no_event_says_why(raw: bytes, why: str):
    """In plain words."""
    with pytest.raises(ValueError, match=re.escape(why)):
        read_event(raw)


def test_unknown_things_are_passed_over():
    """New kinds, new fields, and fields of another form than they have today."""
    event = read_event(b'{"kind":"novelty","did":"did:plc:a","time_us":1,"novelty":{"x":1},"more":[]}')
    assert (event.kind, event.did) == ("novelty", "did:plc:a")
    odd = {"kind": "commit", "did": "did:plc:a", "time_us": 1, "commit": {"rkey": 3, "record": [], "operation": None}}
    assert read_event(json.dumps(odd).encode()) == Event(
        "commit", "did:plc:a", read_time("1970-01-01T00:00:00.000001Z")
    )
    assert read_event(b'{"$type":"message","payload":{"$type":"a#info"}}') == Event("info")


def test_times_are_in_utc():
    """However they are written; what is none is none."""
    assert read_time("2026-11-23T14:00:00+02:00") == read_time("2026-11-23T12:00:00") == NOON
    assert read_time("0001-01-01T00:00:00+23:00") is None
    assert read_time("soon") is None
    assert read_time(7) is None
