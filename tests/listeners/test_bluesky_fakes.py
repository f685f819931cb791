"""The fakes keep the protocols' rules: the library's own clients get along with them; what breaks a rule is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlencode

import pytest
from atproto_client import Client, models  # type: ignore[import-untyped]
from atproto_client.exceptions import BadRequestError, UnauthorizedError  # type: ignore[import-untyped]
from atproto_client.models.dot_dict import DotDict  # type: ignore[import-untyped]
from atproto_jetstream import JetstreamClient  # type: ignore[import-untyped]
from atproto_jetstream.exceptions import JetstreamCursorTooOldError  # type: ignore[import-untyped]
from fake_bluesky import DID, HANDLE, PASSWORD, FakeBluesky, find_fault, post_view
from fake_jetstream import MICROS, POSTS, V1_PATH, V2_PATH, FakeJetstream, record
from servers import Script, Server
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

Serve = Callable[[Script], Server]
URI = "at://did:plc:jane/app.bsky.feed.post/3kone"


@pytest.fixture
def stream() -> Iterator[FakeJetstream]:
    """The stream, in which something happened."""
    with FakeJetstream() as started:
        started.post("3kone", "acme one")
        started.tell(
            "identity", "did:plc:jane", {"did": "did:plc:jane", "handle": "jane.example.com", "seq": 1, "time": "t"}
        )
        started.commit("3klike", {"$type": "app.bsky.feed.like"}, collection="app.bsky.feed.like")
        started.tell("account", "did:plc:jane", {"active": True, "did": "did:plc:jane", "seq": 2, "time": "t"})
        yield started


def frames(stream: FakeJetstream, path: str, number: int, **query: object) -> list[dict[str, object]]:
    """Connect by hand and read some frames."""
    with connect(f"{stream.url}{path}?{urlencode(query, doseq=True)}", proxy=None, compression=None) as connection:
        return [json.loads(connection.recv(5)) for _ in range(number)]


def test_the_librarys_client_signs_in_reads_and_posts(serve: Serve):
    """As it does with the real one."""
    fake = FakeBluesky(posts={URI: post_view(URI, "acme is down")})
    server = serve(fake)
    fake.pds_url = server.url
    client = Client(server.url)
    client.login(HANDLE, PASSWORD, fetch_bsky_profile=False)
    assert [post.record.text for post in client.get_posts([URI]).posts] == ["acme is down"]
    assert client.app.bsky.notification.list_notifications().notifications == []
    made = client.app.bsky.feed.post.create(
        DID, models.AppBskyFeedPost.Record(text="hi", created_at=client.get_current_time_iso()), rkey="3k2aaaaaaaaaa"
    )
    assert made.uri == f"at://{DID}/{POSTS}/3k2aaaaaaaaaa"
    with pytest.raises(UnauthorizedError):
        Client(server.url).login(HANDLE, "wrong", fetch_bsky_profile=False)
    with pytest.raises(BadRequestError):
        client.invoke_query("app.bsky.feed.getPosts", DotDict({"uris": [URI] * 26}))


def test_the_librarys_client_hears_the_stream(stream: FakeJetstream):
    """And is told of a cursor that is too old."""
    stream.floor = 101
    heard = []
    params = {"kinds": ["commit"], "cursor": 101}
    client = JetstreamClient(params, base_uri=f"{stream.url}/xrpc", compress=False)

    def hear(message: object) -> None:
        heard.append(message)
        client.stop()

    client.start(hear)
    assert [message.collection for message in heard] == ["app.bsky.feed.like"]  # type: ignore[attr-defined]
    late = JetstreamClient({"cursor": 7}, base_uri=f"{stream.url}/xrpc", compress=False)
    with pytest.raises(JetstreamCursorTooOldError):
        late.start(hear)


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ({}, ["commit", "identity", "commit", "account"]),
        ({"kinds": ["commit", "account"], "collections": POSTS}, ["commit", "account"]),
        ({"collections": POSTS}, ["commit", "identity", "account"]),
        ({"kinds": "identity"}, ["identity"]),
    ],
)
def test_the_new_wire_filters_what_it_is_told_to(stream: FakeJetstream, query: Mapping[str, object], kinds: list[str]):
    """Collections concern commits only."""
    told = frames(stream, V2_PATH, len(kinds), cursor=100, **query)
    assert [str(frame["payload"]["$type"]).partition("#")[2] for frame in told] == kinds  # type: ignore[index]


def test_the_old_wire_tells_of_accounts_in_any_case(stream: FakeJetstream):
    """As it always did."""
    told = frames(stream, V1_PATH, 3, wantedCollections=POSTS, cursor=MICROS - 3_600_000_000)
    assert [frame["kind"] for frame in told] == ["commit", "identity", "account"]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"wantedCollections": POSTS}, "InvalidRequest"),
        ({"wantedDids": DID}, "InvalidRequest"),
        ({"kinds": "novelty"}, "InvalidRequest"),
        ({"kinds": "account", "collections": POSTS}, "InvalidRequest"),
        ({"cursor": 5}, "CursorTooOld"),
    ],
)
def test_the_new_wire_refuses_what_it_does_not_know(stream: FakeJetstream, query: Mapping[str, object], name: str):
    """Before the stream begins."""
    stream.floor = 100
    with pytest.raises(InvalidStatus) as caught:
        frames(stream, V2_PATH, 1, **query)
    assert json.loads(caught.value.response.body or b"")["error"] == name


@pytest.mark.parametrize(
    ("cursor", "floor", "first"),
    [
        (9_000, 1, "FutureCursor"),
        (MICROS - 40 * 3_600_000_000, 1, "OutdatedCursor"),
        (MICROS - 3_600_000_000, 102, "OutdatedCursor"),
    ],
)
def test_notices_come_first(stream: FakeJetstream, cursor: int, floor: int, first: str):
    """And have no number."""
    stream.floor = floor
    (frame,) = frames(stream, V2_PATH, 1, cursor=cursor)
    payload = frame["payload"]
    assert isinstance(payload, dict)
    assert (payload["name"], "seq" in payload) == (first, False)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({}, ""),
        ({"text": "a" * 301}, "graphemes"),
        ({"text": "👩‍👩‍👧" * 299}, "graphemes"),
        ({"text": 7}, "string"),
        ({"createdAt": "now"}, "datetime"),
        ({"langs": ["en", "de", "fr", "pt"]}, "langs"),
        ({"facets": [{"index": {"byteStart": 0, "byteEnd": 99}}]}, "facets"),
        ({"reply": {"root": {"uri": "at://x", "cid": ""}, "parent": {"uri": "at://x", "cid": "b"}}}, "root"),
    ],
)
def test_a_record_that_breaks_the_lexicon_is_refused(changes: dict[str, object], fault: str):
    """As the real server does."""
    assert fault in find_fault(record("acme") | changes)
    assert bool(fault) is bool(find_fault(record("acme") | changes))


def test_methods_and_paths_are_those_of_the_protocol(serve: Serve):
    """What there is not is not answered."""
    client = Client(serve(FakeBluesky()).url)
    with pytest.raises(Exception, match="501 MethodNotImplemented"):
        client.app.bsky.feed.get_timeline()
    with pytest.raises(UnauthorizedError):
        client.app.bsky.notification.list_notifications()
