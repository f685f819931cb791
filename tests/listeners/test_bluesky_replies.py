"""Answering on Bluesky: once, in the right place, and truly told."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from clocks import NOON
from fake_bluesky import DID, HANDLE, POSTS, SECRETS, FakeBluesky, post_view, refuse, tell
from hypothesis import given
from hypothesis import strategies as st
from servers import FAULTS, Answer, Request, Script, Server

from listeners import bluesky
from listeners.bluesky.replies import make_key, shape_reply
from listeners.contract import FeedContext, Posted
from listeners.errors import ListenerError, Permanent, RateLimited, Retryable, Unknown
from listeners.mention import Author, Mention

Serve = Callable[[Script], Server]
CREATE = "com.atproto.repo.createRecord"
URI = "at://did:plc:jane/app.bsky.feed.post/3kone"
ROOT = {"uri": "at://did:plc:bob/app.bsky.feed.post/3kroot", "cid": "bafyroot"}
UP = {"uri": "at://did:plc:ann/app.bsky.feed.post/3kup", "cid": "bafyup"}
MENTION = Mention(
    platform="bluesky",
    native_id=URI,
    text="acme is down",
    author=Author("jane.example.com", native_id="did:plc:jane"),
    created_at=NOON - timedelta(minutes=5),
    url="https://bsky.app/profile/jane.example.com/post/3kone",
    language="pt-BR",
    reply_ref=json.dumps({"uri": URI, "cid": "bafyold", "root": ROOT}),
)


def bluesky_at(url: str, context: FeedContext, **settings: object) -> bluesky.Bluesky:
    """A feed that only answers."""
    asked: dict[str, object] = {"handle": HANDLE, "base_url": url, "appview_url": url, "firehose": False}
    return bluesky.open_platform(asked | settings, replace(context, secrets=SECRETS))


def with_post(**others: object) -> FakeBluesky:
    """A server where the post is."""
    viewer = others.pop("viewer", None)
    assert viewer is None or isinstance(viewer, dict)
    return FakeBluesky(posts={URI: post_view(URI, "acme is down", viewer=viewer, **others)})


def creations(server: Server) -> list[Request]:
    """The requests to create something."""
    return [request for request in server.requests if request.path.endswith(CREATE)]


def fault(method: str, answer: Answer) -> Callable[[str, Request], Answer | None]:
    """A mood in which one method always answers so."""
    return lambda called, _request: answer if called == method else None


def test_a_reply_names_its_parent_and_the_root_as_they_are_now(serve: Serve, context: FeedContext):
    """Not as they were heard: a post that was edited has another hash."""
    fake = with_post(reply={"root": ROOT, "parent": UP})
    server = serve(fake)
    posted = bluesky_at(server.url, context).reply(MENTION, "We are on it.", "key-1")
    (created,) = fake.created()
    assert created == {
        "$type": POSTS,
        "text": "We are on it.",
        "createdAt": "2026-11-23T12:00:00.000Z",
        "reply": {"root": ROOT, "parent": {"uri": URI, "cid": "bafyone"}},
        "langs": ["pt-BR"],
    }
    key = make_key("key-1", MENTION.created_at)
    assert posted.native_id == f"at://{DID}/{POSTS}/{key}"
    assert posted.url == f"https://bsky.app/profile/{HANDLE}/post/{key}"
    assert len(creations(server)) == 1


def test_a_post_that_answers_nothing_is_its_own_root(serve: Serve, context: FeedContext):
    """The first of a thread is parent and root."""
    fake = with_post()
    bluesky_at(serve(fake).url, context).reply(replace(MENTION, language=""), "Hello", "key")
    (created,) = fake.created()
    assert created["reply"] == {"root": {"uri": URI, "cid": "bafyone"}, "parent": {"uri": URI, "cid": "bafyone"}}
    assert "langs" not in created


@pytest.mark.parametrize("language", ["", "und?", "english please", "x", "\u202een"])
def test_a_language_that_is_none_is_not_passed_on(serve: Serve, context: FeedContext, language: str):
    """Strangers write it, and the server refuses a record for it."""
    fake = with_post()
    bluesky_at(serve(fake).url, context).reply(replace(MENTION, language=language), "Hello", "key")
    assert "langs" not in fake.created()[0]


def test_links_tags_and_names_work(serve: Serve, context: FeedContext):
    """Their places are counted in bytes; a name that nobody has is only text."""
    fake = with_post()
    text = "Olá é @jane.example.com e @nobody.example.com, https://acme.com/help #aqui"
    bluesky_at(serve(fake).url, context).reply(MENTION, text, "key")
    (created,) = fake.created()
    raw = text.encode()
    facets = created["facets"]
    assert isinstance(facets, list)
    found = {}
    for facet in facets:
        start, end = facet["index"]["byteStart"], facet["index"]["byteEnd"]
        found[raw[start:end].decode()] = {key: value for key, value in facet["features"][0].items() if key != "$type"}
    assert found == {
        "@jane.example.com": {"did": "did:plc:jane"},
        "https://acme.com/help": {"uri": "https://acme.com/help"},
        "#aqui": {"tag": "aqui"},
    }


def test_the_next_part_of_a_thread_answers_the_one_before(serve: Serve, context: FeedContext):
    """The root stays."""
    fake = with_post(reply={"root": ROOT, "parent": UP})
    platform = bluesky_at(serve(fake).url, context)
    first = platform.reply(MENTION, "One", "key-1")
    platform.reply(MENTION, "Two", "key-2", after=first)
    one, two = fake.created()
    key = make_key("key-1", MENTION.created_at)
    assert two["reply"] == {"root": ROOT, "parent": {"uri": first.native_id, "cid": f"bafy{key}"}}
    assert one["reply"] != two["reply"]
    with pytest.raises(Permanent, match="how to answer the part before"):
        platform.reply(MENTION, "Three", "key-3", after=Posted("x"))


@pytest.mark.parametrize(
    ("fake", "said"),
    [
        (FakeBluesky(), "taken down, or its author has blocked us"),
        (with_post(viewer={"replyDisabled": True}), "lets only some accounts answer there"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_the_reason(
    serve: Serve, context: FeedContext, fake: FakeBluesky, said: str
):
    """The post is looked at just before; nothing is created."""
    server = serve(fake)
    with pytest.raises(Permanent, match=said):
        bluesky_at(server.url, context).reply(MENTION, "Hello", "key")
    assert creations(server) == []


@pytest.mark.parametrize("method", ["app.bsky.feed.getPosts", "com.atproto.server.createSession"])
@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_fault_before_the_post_leaves_nothing_posted(serve: Serve, context: FeedContext, method: str, name: str):
    """So it may be tried again, or is refused; it is never unknown."""
    fake = with_post()
    fake.mood = lambda called, _request: FAULTS[name]() if called == method else None
    server = serve(fake)
    with pytest.raises((Retryable, Permanent)):
        bluesky_at(server.url, context).reply(MENTION, "Hello", "key")
    assert creations(server) == []


@pytest.mark.parametrize("name", sorted(set(FAULTS) - {"asked to slow down", "not found", "a redirect inwards"}))
def test_a_fault_in_the_post_itself_is_unknown_and_says_where_to_look(serve: Serve, context: FeedContext, name: str):
    """One request to create, never a second."""
    fake = with_post()
    fake.mood = lambda called, _request: FAULTS[name]() if called == CREATE else None
    server = serve(fake)
    with pytest.raises(Unknown, match=f"If the reply was posted, it is at https://bsky.app/profile/{HANDLE}/post/"):
        bluesky_at(server.url, context).reply(MENTION, "Hello", "key")
    assert len(creations(server)) == 1


def test_a_post_whose_answer_was_lost_is_found(serve: Serve, context: FeedContext):
    """Its key is known beforehand, so it can be looked up."""
    fake = with_post()

    def lose(called: str, request: Request) -> Answer | None:
        if called != CREATE or fake.records:
            return None
        fake._create_record(request)
        return Answer(502)

    fake.mood = lose
    server = serve(fake)
    posted = bluesky_at(server.url, context).reply(MENTION, "Hello", "key")
    assert posted.native_id == f"at://{DID}/{POSTS}/{make_key('key', MENTION.created_at)}"
    assert len(fake.created()) == len(creations(server)) == 1


def test_the_same_send_cannot_become_two_posts(serve: Serve, context: FeedContext):
    """Bluesky refuses a key that is taken, and the post that has it is ours."""
    fake = with_post()
    platform = bluesky_at(serve(fake).url, context)
    first = platform.reply(MENTION, "Hello", "key")
    assert platform.reply(MENTION, "Hello", "key") == first
    assert len(fake.created()) == 1
    with pytest.raises(Unknown):
        platform.reply(MENTION, "Something else", "key")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refuse(400, "InvalidRequest", "Invalid app.bsky.feed.post record"), Permanent),
        (refuse(400, "ExpiredToken"), Retryable),
        (refuse(401, "AuthMissing"), Retryable),
        (refuse(403, "Forbidden"), Permanent),
        (refuse(404, "XRPCNotSupported"), Permanent),
        (refuse(409, "RecordAlreadyExists"), Unknown),
        (refuse(413, "PayloadTooLarge"), Permanent),
        (refuse(429, "RateLimitExceeded"), RateLimited),
        (refuse(500, "InternalServerError"), Unknown),
        (refuse(501, "MethodNotImplemented"), Permanent),
        (tell({"uri": "at://did:plc:else/x/y", "cid": "b"}), Unknown),
        (tell({}), Unknown),
        (Answer(302, b"", {"Location": "http://10.0.0.1/"}), Retryable),
    ],
)
def test_each_refusal_is_what_it_is(serve: Serve, context: FeedContext, answer: Answer, kind: type[ListenerError]):
    """Certainly not posted, refused for good, or not known."""
    fake = with_post()
    fake.mood = fault(CREATE, answer)
    server = serve(fake)
    with pytest.raises(ListenerError) as caught:
        bluesky_at(server.url, context).reply(MENTION, "Hello", "key")
    assert type(caught.value) is kind
    assert len(creations(server)) == 1


def test_an_expired_session_is_begun_anew_at_the_next_try(serve: Serve, context: FeedContext):
    """What was refused for it was not posted."""
    fake = with_post()
    waiting = [refuse(400, "ExpiredToken")]
    fake.mood = lambda called, _request: waiting.pop() if called == CREATE and waiting else None
    server = serve(fake)
    platform = bluesky_at(server.url, context)
    with pytest.raises(Retryable):
        platform.reply(MENTION, "Hello", "key")
    platform.reply(MENTION, "Hello", "key")
    assert len(fake.created()) == 1
    assert sum(request.path.endswith("createSession") for request in server.requests) == 2


def test_a_dead_line_is_certainly_not_posted(context: FeedContext):
    """Nobody listens there."""
    with pytest.raises(Retryable, match="cannot be reached"):
        bluesky_at("http://127.0.0.1:9", context).reply(MENTION, "Hello", "key")


def test_without_an_account_a_person_answers(context: FeedContext):
    """The post is opened, and the reason says what to do."""
    platform = bluesky.open_platform({}, context)
    capability = platform.capability(MENTION)
    assert (capability.route, capability.url, capability.account) == ("by_hand", MENTION.url, "")
    assert "paste the reply" in capability.reason
    with pytest.raises(Permanent):
        platform.reply(MENTION, "Hello", "key")


def test_the_card_says_whether_we_were_addressed(context: FeedContext):
    """And by whom the reply would be; a thread that is closed to us is not answered at all."""
    platform = bluesky_at("http://127.0.0.1:9", context)
    addressed = platform.capability(replace(MENTION, account=HANDLE))
    unasked = platform.capability(MENTION)
    closed = platform.capability(replace(MENTION, reply_ref=json.dumps({"uri": URI, "cid": "b", "closed": True})))
    assert (addressed.route, addressed.account) == ("api", f"@{HANDLE}")
    assert addressed.reason == "The author addressed our account."
    assert "did not address our account" in unasked.reason
    assert (closed.route, closed.url) == ("none", "")
    assert "lets only some accounts answer" in closed.reason


@pytest.mark.parametrize(
    ("text", "count", "problem"),
    [
        ("a" * 300, 300, ""),
        ("a" * 301, 301, "This is 1 characters too long: 301 of 300."),
        ("👩‍👩‍👧" * 100, 100, ""),
        ("👩‍👩‍👧" * 200, 200, "This is 600 bytes too long: 3,600 of 3,000."),
        ("e\u0301" * 300, 300, ""),
        ("  ", 0, "There is no text to post."),
        ("a\0b", 2, ""),
    ],
)
def test_characters_and_bytes_are_counted(text: str, count: int, problem: str):
    """Characters as people see them: 300 of them, and 3,000 bytes."""
    shape = shape_reply(text, 300)
    assert (shape.count, shape.limit, shape.problem) == (count, 300, problem)


@given(st.lists(st.sampled_from(["word", "👩‍👩‍👧", "é", "longer. ", "東京", "\n\n", "\ud800"]), max_size=200))
def test_what_is_too_long_is_cut_into_posts_that_fit(words: list[str]):
    """Every part fits, and no word is lost."""
    shape = shape_reply(" ".join(words), 100)
    assert all(not shape_reply(part, 100).problem for part in shape.parts)
    assert not shape.parts or " ".join(shape.parts).split() == shape.text.split()


@given(st.text(st.characters(codec="utf-8")), st.datetimes(timezones=st.just(UTC)))
def test_keys_are_keys(send_key: str, when: datetime):
    """Of the protocol's form, and the same for the same send."""
    key = make_key(send_key, when)
    assert len(key) == 13
    assert key[0] in "234567abcdefghij"
    assert not set(key) - set("234567abcdefghijklmnopqrstuvwxyz")
    assert key == make_key(send_key, when)
    assert make_key(f"{send_key}-2", when) != key


def test_keys_are_of_a_time_that_was():
    """Decoded as any program would: in the minutes before the post that is answered."""
    number = 0
    for sign in make_key("key", NOON):
        number = number * 32 + "234567abcdefghijklmnopqrstuvwxyz".index(sign)
    seconds = NOON.timestamp() - (number >> 10) / 1e6
    assert 0 <= seconds < 1_100
