"""A post of Bluesky as a mention, whatever is in its record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from clocks import NOON
from fake_bluesky import post_view
from fake_jetstream import FakeJetstream, Happening, record
from hypothesis import given
from hypothesis import strategies as st

from listeners.bluesky.jetstream_events import Event, read_event
from listeners.bluesky.posts import (
    COLLECTION,
    Post,
    Profile,
    Ref,
    build_mention,
    read_profile,
    read_reply_ref,
    read_view,
    read_words,
    write_reply_ref,
)
from listeners.mention import Mention

JANE = Profile("did:plc:jane", "jane.example.com", "Jane", 70)
URI = "at://did:plc:jane/app.bsky.feed.post/3kone"
KEYS = st.sampled_from([
    "text", "langs", "createdAt", "facets", "features", "index", "byteStart", "byteEnd", "uri", "cid", "did", "embed",
    "record", "reply", "root", "parent", "$type", "author", "viewer", "indexedAt", "replyDisabled", "handle", "x",
])  # fmt: skip
LINK, NAME, TAG = (f"app.bsky.richtext.facet#{kind}" for kind in ("link", "mention", "tag"))


def post(text: str = "acme", **others: object) -> Post:
    """A post."""
    return Post(Ref(URI, "bafyone"), "did:plc:jane", record(text, **others), NOON)


def mention(told: Post, profile: Profile = JANE, parent: Post | None = None) -> Mention:
    """A post as a mention."""
    return build_mention(told, profile, "main", "https://bsky.app", parent)


def facet(text: str, part: str, **feature: object) -> dict[str, object]:
    """What a part of a text means."""
    start = text.encode().index(part.encode())
    return {"index": {"byteStart": start, "byteEnd": start + len(part.encode())}, "features": [feature]}


def events(shared: Path) -> Iterator[Event]:
    """The recorded events, and again as the new wire would tell them."""
    for name in ("golden_v1.jsonl", "expected_v1.jsonl"):
        for seq, line in enumerate((shared / "recorded/bluesky" / name).read_bytes().splitlines()):
            yield read_event(line)
            told = json.loads(line)
            yield read_event(Happening(seq, told["time_us"], told["kind"], told["did"], told[told["kind"]]).on_v2())


def test_every_recorded_event_is_read(shared: Path):
    """Each of the 162 is a post that becomes a mention, a deletion, or none of ours; on both wires alike."""
    kinds = {"post": 0, "deletion": 0, "no post": 0, "account": 0, "identity": 0}
    for event in events(shared):
        assert event.at is not None
        if event.kind != "commit":
            kinds[event.kind] += 1
        elif event.collection != COLLECTION:
            kinds["no post"] += 1
        elif event.operation == "delete":
            kinds["deletion"] += 1
        else:
            kinds["post"] += 1
            assert event.record is not None
            made = mention(Post(Ref(event.uri, event.cid), event.did, event.record, event.at))
            assert made.text
            assert made.native_id == event.uri
            assert timedelta(0) <= event.at - made.created_at < timedelta(days=1)
            assert made.url.startswith("https://bsky.app/profile/jane.example.com/post/3")
            assert (made.thread_id == "") is ("reply" not in event.record)
            refs = read_reply_ref(made.reply_ref)
            assert refs is not None
            assert refs[0] == Ref(event.uri, event.cid)
            assert refs[1].uri == (made.thread_id or event.uri)
    assert {kind: number // 2 for kind, number in kinds.items()} == {
        "post": 18, "deletion": 1, "no post": 139, "account": 2, "identity": 2,
    }  # fmt: skip


def test_a_whole_post_is_a_whole_mention():
    """With its author, language, thread, parent, and all it takes to answer it."""
    reply = {
        "root": {"uri": "at://did:plc:bob/c/root", "cid": "b1"},
        "parent": {"uri": "at://did:plc:ann/c/up", "cid": "b2"},
    }
    parent = Post(Ref("at://did:plc:ann/c/up"), "did:plc:ann", record("what is acme?"), NOON)
    made = mention(post("acme é", reply=reply, langs=["pt-BR", "en"]), parent=parent)
    assert made == Mention(
        platform="bluesky",
        native_id=URI,
        text="acme é",
        author=made.author,
        created_at=NOON - timedelta(minutes=10),
        feed="main",
        url="https://bsky.app/profile/jane.example.com/post/3kone",
        language="pt-BR",
        thread_id="at://did:plc:bob/c/root",
        in_reply_to="at://did:plc:ann/c/up",
        parent_text="what is acme?",
        reply_ref=made.reply_ref,
    )
    assert (made.author.handle, made.author.name, made.author.followers) == ("jane.example.com", "Jane", 70)
    assert (made.author.native_id, made.author.url) == ("did:plc:jane", "https://bsky.app/profile/jane.example.com")
    assert read_reply_ref(made.reply_ref) == (Ref(URI, "bafyone"), Ref("at://did:plc:bob/c/root", "b1"), False)


def test_an_author_of_whom_nothing_is_known_is_shown_by_number():
    """The page is there under the number, too."""
    made = mention(post(), Profile("did:plc:jane"))
    assert (made.author.handle, made.author.followers) == ("did:plc:jane", None)
    assert made.url == "https://bsky.app/profile/did:plc:jane/post/3kone"


@pytest.mark.parametrize(
    ("written", "minutes"),
    [
        ("2026-11-23T11:00:00Z", 60),
        ("2026-11-23T13:00:00Z", 0),
        ("2126-11-23T13:00:00Z", 0),
        ("yesterday", 0),
        (None, 0),
        (7, 0),
        ("2026-11-23T11:00:00+02:00", 180),
    ],
)
def test_a_clock_that_is_wrong_does_not_matter(written: object, minutes: int):
    """No post is newer than the moment it was seen."""
    assert mention(post(createdAt=written)).created_at == NOON - timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("text", "part", "address", "words"),
    [
        (
            "é acme.com/a/lo... is",
            "acme.com/a/lo...",
            "https://acme.com/a/long/way",
            "é https://acme.com/a/long/way is",
        ),
        ("see www.acme.com/ab…", "www.acme.com/ab…", "https://www.acme.com/abc", "see https://www.acme.com/abc"),
        ("see here", "here", "https://acme.com/", "see here (https://acme.com/)"),
        ("see acme.com", "acme.com", "https://acme.com/", "see acme.com"),
        ("see other.com/...", "other.com/...", "https://acme.com/", "see other.com/... (https://acme.com/)"),
        ("see here", "here", "javascript:alert(1)", "see here"),
        ("🙂 here 🙂", "here", "https://a.example", "🙂 here (https://a.example) 🙂"),
    ],
)
def test_links_are_written_out(text: str, part: str, address: str, words: str):
    """What was shortened for display is whole, and what leads elsewhere says where."""
    assert read_words(record(text, facets=[facet(text, part, **{"$type": LINK}, uri=address)])) == words


@pytest.mark.parametrize(
    "facets",
    [
        "x",
        [None],
        [{"index": {"byteStart": 0}}],
        [{"index": {"byteStart": 9, "byteEnd": 2}, "features": [{"uri": "https://a.example"}]}],
        [{"index": {"byteStart": -1, "byteEnd": 2}, "features": [{"uri": "https://a.example"}]}],
        [{"index": {"byteStart": 0, "byteEnd": 900}, "features": [{"uri": "https://a.example"}]}],
        [{"index": {"byteStart": 1, "byteEnd": 3}, "features": [{"uri": "https://a.example"}]}],
        [{"index": {"byteStart": 0, "byteEnd": 2}, "features": [{"uri": 7}, "x"]}],
    ],
)
def test_broken_facets_leave_the_words_alone(facets: object):
    """Also those that begin inside a character."""
    assert read_words(record("éa acme", facets=facets)) == "éa acme"


@given(st.text(), st.lists(st.tuples(st.integers(-2, 40), st.integers(-2, 40), st.text(max_size=9))))
def test_no_facets_lose_any_words(text: str, facets: list[tuple[int, int, str]]):
    """Whatever strangers wrote there: what is not in a link stays, and nothing breaks."""
    told = [
        {"index": {"byteStart": start, "byteEnd": end}, "features": [{"$type": LINK, "uri": f"https://{address}"}]}
        for start, end, address in facets
    ]
    words = read_words(record(text, facets=told))
    if text.strip() and not told:
        assert words == text
    assert words


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from([LINK, NAME, URI]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)


@given(st.dictionaries(KEYS, ANYTHING), ANYTHING)
def test_whatever_a_stranger_writes_becomes_a_mention_or_nothing(value: dict[str, object], view: object):
    """Records are free in form: nothing in them breaks the stream."""
    told = Post(Ref(URI, "b"), "did:plc:jane", value, NOON)
    made = mention(told, parent=told)
    assert made.text
    assert made.created_at <= NOON
    assert made.language == told.language
    told.addresses("did:plc:acme")
    assert read_reply_ref(made.reply_ref) is not None
    read_view(view, NOON)
    read_profile(view)


@pytest.mark.parametrize(
    ("embed", "words"),
    [
        ({"$type": "app.bsky.embed.images"}, "(a picture, without words)"),
        ({"$type": "app.bsky.embed.record"}, "(a quoted post, without words)"),
        ({"$type": "app.bsky.embed.novelty"}, "(without words)"),
        ("x", "(without words)"),
    ],
)
def test_a_post_without_words_says_what_it_shows(embed: object, words: str):
    """A picture sent to us is not nothing."""
    assert read_words(record("  ", embed=embed)) == words


def test_whom_a_post_addresses():
    """Who is named, answered or quoted; not who is only spoken of."""
    text = "hi @acme.example.com"
    named = facet(text, "@acme.example.com", **{"$type": NAME}, did="did:plc:acme")
    ours, ref = "did:plc:acme", {"uri": "at://did:plc:acme/app.bsky.feed.post/3k", "cid": "b"}
    assert post(text, facets=[named]).addresses(ours)
    assert post(reply={"root": {"uri": "at://did:plc:x/y/z", "cid": "b"}, "parent": ref}).addresses(ours)
    assert post(embed={"$type": "app.bsky.embed.record", "record": ref}).addresses(ours)
    assert post(embed={"$type": "app.bsky.embed.recordWithMedia", "record": {"record": ref}}).addresses(ours)
    assert not post(text, facets=[{**named, "features": [{"$type": TAG, "did": ours}]}]).addresses(ours)
    assert not post(text, facets=[{**named, "features": [{"$type": NAME, "did": [ours]}]}]).addresses(ours)
    assert not post("acme", reply={"root": ref, "parent": {"uri": "at://did:plc:x/y/z", "cid": "b"}}).addresses(ours)
    assert not post(text, facets=[named]).addresses("")


def test_a_view_is_a_post():
    """As the app's server shows it, also with what we may not do there."""
    read = read_view(post_view(URI, "acme", viewer={"replyDisabled": True}), NOON)
    assert read is not None
    assert (read.ref.uri, read.did, read.text, read.is_closed) == (URI, "did:plc:jane", "acme", True)
    assert read.seen_at == NOON - timedelta(minutes=5)
    assert read_reply_ref(mention(read).reply_ref) == (read.ref, read.ref, True)
    for broken in (None, {}, {"uri": URI}, {"uri": "https://x", "author": {"did": "d"}, "record": {}}, [1]):
        assert read_view(broken, NOON) is None


def test_a_profile_is_read_as_far_as_it_goes():
    """A handle that leads nowhere is none."""
    told = {"did": "did:plc:a", "handle": "handle.invalid", "displayName": 7, "followersCount": "many"}
    assert read_profile(told) == Profile("did:plc:a")
    assert read_profile({"handle": "a.example"}) is None
    assert read_profile("x") is None


@pytest.mark.parametrize("text", ["", "{}", "[]", "3k", '{"uri": "https://x"}', "\ud800"])
def test_what_is_no_reference_is_none(text: str):
    """A replayed post has none."""
    assert read_reply_ref(text) is None


@given(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8")), st.booleans())
def test_references_survive_storage(key: str, cid: str, is_closed: bool):
    """As text, and back."""
    ref, root = Ref(f"at://did:plc:a/b/{key}", cid), Ref("at://did:plc:a/b/root", "r")
    assert read_reply_ref(write_reply_ref(ref, root, is_closed=is_closed)) == (ref, root, is_closed)


def test_the_fake_tells_posts_as_they_were_recorded(shared: Path):
    """The old wire of the fake has the fields of the real one, and no others but the number."""
    line = json.loads((shared / "recorded/bluesky/golden_v1.jsonl").read_bytes().splitlines()[1])
    with FakeJetstream() as fake:
        fake.post("3kone", "acme")
        told = json.loads(fake.happenings[0].on_v1())
    assert told.keys() - {"cursor"} == line.keys()
    assert told["commit"].keys() == line["commit"].keys()
    assert line["commit"]["record"].keys() - told["commit"]["record"].keys() == {"reply"}
