"""Listening to Bluesky: the stream, the notifications, and what is made of them."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from clocks import NOON
from fake_bluesky import DID, HANDLE, PASSWORD, SECRETS, FakeBluesky, post_view, refuse
from fake_jetstream import FakeJetstream, record
from servers import FAULTS, Answer, Request, Script, Server, say
from stand_bluesky import look_at, open_bluesky, texts

from listeners import bluesky
from listeners.bluesky import firehose as bluesky_firehose
from listeners.bluesky import listening as bluesky_listening
from listeners.bluesky.cursor import Cursor, read_cursor
from listeners.bluesky.jetstream import Place
from listeners.catalog import open_platform
from listeners.contract import FeedContext, Finding
from listeners.errors import Permanent, RateLimited, Retryable, SettingRefused, WatchRefused
from listeners.mention import Author, Batch, Mention, Removal
from listeners.query import QueryError, Watch, compile_watches, parse

Serve = Callable[[Script], Server]
HOUR_AGO = NOON - timedelta(hours=1)


@pytest.fixture
def stream() -> Iterator[FakeJetstream]:
    """The stream."""
    with FakeJetstream() as started:
        yield started


@pytest.fixture
def fake() -> FakeBluesky:
    """The server that our account is on, and that tells who wrote a post."""
    return FakeBluesky()


@pytest.fixture
def server(serve: Serve, fake: FakeBluesky) -> Server:
    """The same, on a port."""
    return serve(fake)


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks are short where nothing comes."""
    monkeypatch.setattr(bluesky_listening, "FIRST_SECONDS", 0.5)
    monkeypatch.setattr(bluesky_listening, "LOOK_SECONDS", 0.5)


def watching(context: FeedContext, *queries: str) -> FeedContext:
    """A feed with these watches."""
    watches = [Watch(query, "Acme", query) for query in queries]
    return replace(context, watches=compile_watches(watches))


def without_account(url: str, stream: FakeJetstream, context: FeedContext, **settings: object) -> bluesky.Bluesky:
    """A feed that only hears."""
    told: dict[str, object] = {"appview_url": url, "jetstream_url": stream.url}
    return bluesky.open_platform(told | settings, context)


def look_until(platform: bluesky.Bluesky, is_enough: Callable[[Batch], bool], cursor: str | None = None) -> list[Batch]:
    """Take batches up to the one that is waited for."""
    batches = []
    for batch in islice(platform.listen(cursor), 20):
        batches.append(batch)
        if is_enough(batch):
            break
    platform.close()
    return batches


def methods(server: Server) -> list[str]:
    """What a server was asked for."""
    return [request.path.partition("?")[0].rpartition(".")[2] for request in server.requests]


def test_a_post_that_matches_is_heard_whole(
    server: Server, stream: FakeJetstream, fake: FakeBluesky, context: FeedContext
):
    """With what the event does not tell: who wrote it, and what it answers."""
    up = "at://did:plc:ann/app.bsky.feed.post/3kup"
    fake.posts[up] = post_view(up, "which one do you use?")
    ref = {"uri": up, "cid": "bafyup"}
    stream.post("3kno", "nothing for us")
    uri = stream.post("3kyes", "ACMÉ is down", reply={"root": ref, "parent": ref}, langs=["fr"])
    (batch,) = look_at(without_account(server.url, stream, context))
    (mention,) = batch.mentions
    assert (mention.native_id, mention.text, mention.language) == (uri, "ACMÉ is down", "fr")
    assert (mention.author.handle, mention.author.name, mention.author.followers) == ("jane.example.com", "Jane", 70)
    assert (mention.thread_id, mention.in_reply_to, mention.parent_text) == (up, up, "which one do you use?")
    assert (mention.feed, mention.brand, mention.watches, mention.account) == ("main", "Acme", ("acme",), "")
    assert methods(server) == ["getProfiles", "getPosts"]


@pytest.mark.parametrize("wire", ["v1", "v2", "auto"])
def test_both_wires_are_heard(server: Server, stream: FakeJetstream, context: FeedContext, wire: str):
    """And resumed."""
    stream.post("3kone", "acme one")
    platform = without_account(server.url, stream, context, wire=wire)
    first = next(platform.listen(None))
    stream.post("3ktwo", "acme two")
    assert texts(first) == ["acme one"]
    assert "acme two" in texts(look_at(platform, first.cursor))


def test_deletions_and_accounts_that_are_gone_are_told(server: Server, stream: FakeJetstream, context: FeedContext):
    """For good or for a while: what an account posted may not be shown then. Others are no matter."""
    uri = stream.post("3kone", "acme one")
    stream.commit("3kone", None, operation="delete")
    stream.commit("3klike", None, operation="delete", collection="app.bsky.feed.like")
    for status in ("takendown", "deleted", "suspended", "deactivated", "throttled", "desynchronized"):
        stream.tell("account", f"did:plc:{status}", {"active": False, "status": status, "did": "x"})
    stream.tell("account", "did:plc:back", {"active": True, "did": "did:plc:back"})
    stream.tell("identity", "did:plc:jane", {"did": "did:plc:jane"})
    stream.post("3klast", "acme last")
    batches = look_until(without_account(server.url, stream, context), lambda batch: bool(batch.mentions))
    removals = [removal for batch in batches for removal in batch.removals]
    at = datetime.fromtimestamp(stream.happenings[1].at / 1e6, UTC)
    assert removals[0] == Removal("bluesky", at, native_id=uri)
    assert [removal.author.removeprefix("did:plc:") for removal in removals[1:]] == [
        "takendown", "deleted", "suspended", "deactivated",
    ]  # fmt: skip
    assert texts(batches) == ["acme last"]


def test_edits_come_under_the_same_id(server: Server, stream: FakeJetstream, context: FeedContext):
    """Also one that no longer matches: the words that were shown are gone."""
    uri = stream.post("3kone", "acme is bad")
    platform = without_account(server.url, stream, context)
    batches = platform.listen(None)
    first = next(batches)
    stream.commit("3kone", record("it is fine"), operation="update", rev="3kz")
    second = next(batch for batch in batches if batch.mentions)
    platform.close()
    assert [mention.native_id for mention in (*first.mentions, *second.mentions)] == [uri, uri]
    assert texts([first, second]) == ["acme is bad", "it is fine"]


def test_events_that_come_twice_or_in_another_order_do_no_harm(
    server: Server, stream: FakeJetstream, context: FeedContext
):
    """The newest version of a post counts, and a deletion is final."""
    for rev, text in (("3kc", "acme third"), ("3ka", "acme first"), ("3kc", "acme third"), ("3kb", "acme second")):
        stream.commit("3kone", record(text), operation="update", rev=rev)
    stream.commit("3ktwo", None, operation="delete", rev="3kd")
    stream.commit("3ktwo", record("acme back from the dead"), rev="3ka")
    stream.commit("3kthree", record("acme twice"), rev="3ka")
    stream.commit("3kthree", record("acme twice"), rev="3ka")
    (batch,) = look_at(without_account(server.url, stream, context))
    assert sorted(texts(batch)) == ["acme third", "acme twice"]


def test_what_we_post_ourselves_is_not_heard(server: Server, stream: FakeJetstream, context: FeedContext):
    """Our own replies name the brand often enough."""
    stream.post("3kours", "acme here, we are on it", did=DID)
    stream.post("3ktheirs", "acme?")
    (batch,) = look_at(open_bluesky(server, stream, context, notifications=False))
    assert texts(batch) == ["acme?"]


def test_a_post_that_addresses_us_says_so(server: Server, stream: FakeJetstream, context: FeedContext):
    """The reply goes out from the account that was named, answered or quoted."""
    ref = {"uri": f"at://{DID}/app.bsky.feed.post/3kours", "cid": "bafy"}
    stream.post("3kone", "acme?", reply={"root": ref, "parent": ref})
    stream.post("3ktwo", "acme!")
    (batch,) = look_at(open_bluesky(server, stream, context, notifications=False))
    assert [mention.account for mention in batch.mentions] == [HANDLE, ""]


def test_watches_for_people_are_heard(server: Server, stream: FakeJetstream, fake: FakeBluesky, context: FeedContext):
    """A handle is looked up once; what they post is heard without any word."""
    fake.add_profile("did:plc:bob", "bob.example.com")
    stream.post("3kone", "good morning")
    stream.post("3ktwo", "acme", did="did:plc:bob")
    stream.post("3kthree", "good evening", did="did:plc:bob")
    watched = watching(context, "from:jane.example.com", "acme -from:Bob.example.com", "from:nobody.example.com")
    (batch,) = look_at(without_account(server.url, stream, watched))
    assert [(mention.text, mention.watches) for mention in batch.mentions] == [
        ("good morning", ("from:jane.example.com",))
    ]
    assert batch.notices == ("Nobody on Bluesky is called nobody.example.com.",)


def test_nothing_is_heard_where_people_of_watches_cannot_be_looked_up(
    serve: Serve, stream: FakeJetstream, context: FeedContext
):
    """Posts could not be judged."""
    broken = serve(lambda _request: Answer(500))
    with pytest.raises(Retryable):
        look_at(without_account(broken.url, stream, watching(context, "from:jane.example.com")))


def test_the_firehose_is_heard_where_we_cannot_be_looked_up(serve: Serve, stream: FakeJetstream, context: FeedContext):
    """Who we are is known from our own server, or does not matter for a while."""
    broken = serve(lambda _request: Answer(500))
    stream.post("3kone", "acme one")
    (batch,) = look_at(open_bluesky(broken, stream, context, notifications=False))
    assert texts(batch) == ["acme one"]


def test_look_ups_that_fail_hold_nothing_up(serve: Serve, stream: FakeJetstream, context: FeedContext):
    """The author is shown by number, and for a minute nobody is asked again."""
    broken = serve(lambda _request: Answer(500))
    stream.post("3kone", "acme one")
    platform = without_account(broken.url, stream, context)
    batches = platform.listen(None)
    first = next(batches)
    stream.post("3ktwo", "acme two")
    second = next(batch for batch in batches if batch.mentions)
    platform.close()
    assert [mention.author.handle for mention in (*first.mentions, *second.mentions)] == ["did:plc:jane"] * 2
    assert len(broken.requests) == 1


def test_authors_are_asked_for_together_and_remembered(
    server: Server, stream: FakeJetstream, fake: FakeBluesky, context: FeedContext
):
    """Twenty-five at a time; again only when they changed their name."""
    for number in range(30):
        fake.add_profile(f"did:plc:p{number}", f"p{number}.example.com")
        stream.post(f"3k{number}", "acme", did=f"did:plc:p{number}")
    platform = without_account(server.url, stream, context, wire="v1")
    batches = platform.listen(None)
    assert len(next(batches).mentions) == 30
    assert methods(server) == ["getProfiles", "getProfiles"]
    stream.post("3kagain", "acme again", did="did:plc:p1")
    assert next(batch for batch in batches if batch.mentions).mentions[0].author.handle == "p1.example.com"
    assert len(server.requests) == 2
    fake.add_profile("did:plc:p1", "renamed.example.com")
    stream.tell("identity", "did:plc:p1", {"did": "did:plc:p1", "handle": "renamed.example.com"})
    stream.post("3kmore", "acme more", did="did:plc:p1")
    assert next(batch for batch in batches if batch.mentions).mentions[0].author.handle == "renamed.example.com"
    platform.close()


def test_what_cannot_be_read_is_refused_once(server: Server, stream: FakeJetstream, context: FeedContext):
    """A server that is at odds with us does not fill the log."""
    stream.commit("3kone", {"$type": "app.bsky.feed.post"})
    stream.commit("3ktwo", {"$type": "app.bsky.feed.post", "text": None})
    platform = without_account(server.url, stream, context)
    batches = platform.listen(None)
    refused = [*next(batches).refused]
    stream.say(b"[]")
    stream.say(b"\xff")
    stream.post("3klast", "acme")
    for batch in batches:
        refused += batch.refused
        if batch.mentions:
            break
    platform.close()
    assert refused == [
        "Bluesky's stream told of a post without a text, at://did:plc:jane/app.bsky.feed.post/3kone.",
        "Bluesky's stream told of an event that cannot be read: it is no object.",
        "Bluesky's stream told of an event that cannot be read: it is not UTF-8.",
    ]


def test_silence_is_said_and_a_dead_stream_is_left(
    server: Server, stream: FakeJetstream, context: FeedContext, monkeypatch: pytest.MonkeyPatch
):
    """An empty batch says that it listens; where nothing at all comes, something is wrong."""
    monkeypatch.setattr(bluesky_firehose, "MOST_QUIET", 0.8)
    heard: list[Batch] = []
    with pytest.raises(Retryable, match="has told nothing for"):
        heard.extend(without_account(server.url, stream, context).listen(None))
    assert [batch.mentions for batch in heard] == [()]
    assert heard[0].cursor


def test_what_was_told_before_the_end_is_kept(server: Server, stream: FakeJetstream, context: FeedContext):
    """The end comes with the next look."""
    stream.post("3kone", "acme one")
    batches = without_account(server.url, stream, context).listen(None)

    def end() -> None:
        stream.wait_for_listeners()
        time.sleep(0.05)
        stream.hang_up()

    threading.Thread(target=end).start()
    assert texts(next(batches)) == ["acme one"]
    with pytest.raises(Retryable, match="ended the stream"):
        list(islice(batches, 3))


def test_what_is_out_of_reach_is_a_gap(server: Server, stream: FakeJetstream, context: FeedContext):
    """With its times."""
    stream.post("3kone", "acme one")
    stream.post("3ktwo", "acme two")
    stream.floor = 101
    left_at = NOON - timedelta(hours=60)
    cursor = Cursor(Place(left_at, stream.url.removeprefix("ws://"), 5), NOON).write()
    (batch,) = look_at(without_account(server.url, stream, context), cursor)
    assert texts(batch) == ["acme two"]
    assert [(gap.start, gap.end) for gap in batch.gaps] == [
        (left_at, datetime.fromtimestamp(stream.happenings[1].at / 1e6, UTC))
    ]


def test_being_asked_to_slow_down_is_passed_on(server: Server, stream: FakeJetstream, context: FeedContext):
    """The caller waits."""
    stream.refusals = [(429, {"Retry-After": "7"}, b"")]
    with pytest.raises(RateLimited) as caught:
        look_at(without_account(server.url, stream, context))
    assert caught.value.retry_after == 7


def test_the_firehose_is_not_read_where_no_watch_listens(server: Server, stream: FakeJetstream, context: FeedContext):
    """There is nothing to match; what addresses us is heard all the same."""
    unwatched = replace(context, watches=compile_watches([]))
    with pytest.raises(Permanent, match="No watch listens on the feed 'main'"):
        look_at(without_account(server.url, stream, unwatched))
    look_at(open_bluesky(server, stream, unwatched))
    assert stream.asked == []


def hear_notices(server: Server, stream: FakeJetstream, context: FeedContext, **settings: object) -> list[Mention]:
    """What a first look at the notifications brings."""
    (batch,) = look_at(open_bluesky(server, stream, context, **{"firehose": False, **settings}))
    return [*batch.mentions]


def test_what_addresses_our_account_is_heard_without_a_watch(
    server: Server, stream: FakeJetstream, fake: FakeBluesky, context: FeedContext
):
    """Who mentions, answers or quotes us; not who likes us. With the account to answer from."""
    for number, reason in enumerate(("mention", "like", "reply", "quote", "follow", "mention")):
        view = post_view(
            f"at://did:plc:jane/app.bsky.feed.post/3kn{number}", f"post {number}", at=f"2026-11-23T11:5{number}:00.000Z"
        )
        fake.add_notice(reason, view)
    fake.posts["at://did:plc:jane/app.bsky.feed.post/3kn3"]["viewer"] = {"replyDisabled": True}
    fake.notices[0]["record"]["text"] = "acme, hello"  # type: ignore[index]
    heard = hear_notices(server, stream, context)
    assert [(mention.text, mention.account, mention.watches) for mention in heard] == [
        ("post 0", HANDLE, ()),
        ("post 2", HANDLE, ()),
        ("post 3", HANDLE, ()),
        ("acme, hello", HANDLE, ("acme",)),
    ]
    assert {mention.brand for mention in heard} == {"Acme"}
    assert heard[0].author.followers == 70
    platform = open_bluesky(server, stream, context)
    assert [platform.capability(mention).route for mention in heard] == ["api", "api", "none", "api"]


def test_notifications_are_resumed(server: Server, stream: FakeJetstream, fake: FakeBluesky, context: FeedContext):
    """What comes late is heard, and what was heard is not told again in the same run."""
    fake.add_notice("mention", post_view("at://did:plc:jane/app.bsky.feed.post/3ka", "one"))
    batches = open_bluesky(server, stream, context, firehose=False).listen(None)
    first = next(batches)
    fake.add_notice(
        "reply", post_view("at://did:plc:jane/app.bsky.feed.post/3kb", "late", at="2026-11-23T11:50:00.000Z")
    )
    assert (texts(first), texts(next(batches)), texts(next(batches))) == (["one"], ["late"], [])
    assert read_cursor(first.cursor, NOON).heard_until == NOON - timedelta(minutes=5)
    again = look_at(open_bluesky(server, stream, context, firehose=False), first.cursor)
    assert sorted(texts(again)) == ["late", "one"]


def test_a_notification_from_the_future_does_not_close_the_door(
    server: Server, stream: FakeJetstream, fake: FakeBluesky, context: FeedContext
):
    """The server's clock may be ahead of ours: what comes after it is heard as well."""
    ahead = post_view("at://did:plc:jane/app.bsky.feed.post/3ka", "ahead", at="2026-11-23T14:00:00.000Z")
    fake.add_notice("mention", ahead)
    (batch,) = look_at(open_bluesky(server, stream, context, firehose=False))
    assert texts(batch) == ["ahead"]
    assert read_cursor(batch.cursor, HOUR_AGO).heard_until == NOON


def test_many_notifications_are_read_page_by_page(
    server: Server, stream: FakeJetstream, fake: FakeBluesky, context: FeedContext
):
    """Back to where the last look ended, and no further."""
    for number in range(260):
        at = (NOON - timedelta(minutes=270 - number)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        fake.add_notice("mention", post_view(f"at://did:plc:jane/app.bsky.feed.post/3k{number:03}", f"{number}", at=at))
    assert len(hear_notices(server, stream, context, look_back_hours=36)) == 260
    assert len(hear_notices(server, stream, context, look_back_hours=2)) == 120
    assert methods(server).count("listNotifications") == 3 + 2


def test_more_notifications_than_can_be_read_are_a_gap(
    server: Server, stream: FakeJetstream, fake: FakeBluesky, context: FeedContext, monkeypatch: pytest.MonkeyPatch
):
    """With its times."""
    monkeypatch.setattr("listeners.bluesky.notifications.MOST_PAGES", 2)
    for number in range(201):
        fake.add_notice("mention", post_view(f"at://did:plc:jane/app.bsky.feed.post/3k{number:03}", f"{number}"))
    (batch,) = look_at(open_bluesky(server, stream, context, firehose=False))
    assert len(batch.mentions) == 200
    assert [(gap.start, gap.end) for gap in batch.gaps] == [
        (HOUR_AGO - timedelta(minutes=10), NOON - timedelta(minutes=5))
    ]


def test_a_notification_that_is_no_post_is_refused(
    server: Server, stream: FakeJetstream, fake: FakeBluesky, context: FeedContext
):
    """Once, and the others are heard."""
    fake.notices = [
        {"reason": "mention", "uri": "at://x", "indexedAt": "2026-11-23T11:55:00Z"},
        {"reason": "mention"},
        "odd",  # type: ignore[list-item]
    ]
    fake.mood = lambda method, _request: (
        say(json.dumps({"notifications": fake.notices}), Content_Type="application/json")
        if method == "app.bsky.notification.listNotifications"
        else None
    )
    (batch,) = look_at(open_bluesky(server, stream, context, firehose=False))
    assert [sentence.split(",")[0] for sentence in batch.refused] == ["Bluesky told of a mention that is no post"] * 2


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_no_fault_of_the_account_is_taken_for_silence(
    server: Server, stream: FakeJetstream, fake: FakeBluesky, context: FeedContext, fault: str
):
    """A look that failed raises."""
    fake.mood = lambda method, _request: FAULTS[fault]() if method.endswith("listNotifications") else None
    with pytest.raises((Retryable, Permanent)):
        look_at(open_bluesky(server, stream, context, firehose=False))


def test_the_stream_goes_on_a_little_where_the_account_fails(
    server: Server, stream: FakeJetstream, fake: FakeBluesky, context: FeedContext
):
    """What it told is kept, with its place, before the failure is."""
    stream.post("3kone", "acme one")
    fake.mood = lambda method, _request: Answer(502) if method.endswith("listNotifications") else None
    batches = open_bluesky(server, stream, context).listen(None)
    first = next(batches)
    assert texts(first) == ["acme one"]
    assert read_cursor(first.cursor, NOON).place.seq == 100
    stream.post("3ktwo", "acme two")  # a busy stream does not hide it
    with pytest.raises(Retryable):
        next(batches)


def test_both_are_heard_in_one_feed(server: Server, stream: FakeJetstream, fake: FakeBluesky, context: FeedContext):
    """Each has its own place in the cursor."""
    stream.post("3kone", "acme one")
    fake.add_notice("mention", post_view("at://did:plc:jane/app.bsky.feed.post/3kb", "hello you"))
    (batch,) = look_at(open_bluesky(server, stream, context))
    assert sorted(texts(batch)) == ["acme one", "hello you"]
    cursor = read_cursor(batch.cursor, NOON)
    assert (cursor.place.seq, cursor.heard_until) == (100, NOON - timedelta(minutes=5))
    assert PASSWORD not in batch.cursor


def test_posts_are_looked_at_again(server: Server, stream: FakeJetstream, fake: FakeBluesky, context: FeedContext):
    """Twenty-five at a time: what was edited comes with its new words, what is gone as a removal."""
    uris = [stream.post(f"3k{number:02}", f"acme {number}") for number in range(30)]
    platform = without_account(server.url, stream, context)
    (batch,) = look_at(platform)
    for number, uri in enumerate(uris[1:], 1):
        fake.posts[uri] = post_view(uri, f"acme {number}" if number > 1 else "changed")
    again = without_account(server.url, stream, context).recheck(batch.mentions)
    assert [(mention.native_id, mention.text) for mention in again.mentions] == [(uris[1], "changed")]
    assert again.removals == (Removal("bluesky", NOON, native_id=uris[0]),)
    assert set(again.checked) == set(uris)
    assert methods(server).count("getPosts") == 2
    assert without_account(server.url, stream, context).recheck([]) == Batch()


@pytest.mark.parametrize("answer", [Answer(500), say("<html>"), say("{}"), say('{"posts": 7}'), say("[]")])
def test_a_look_again_that_fails_removes_nothing(
    serve: Serve, stream: FakeJetstream, context: FeedContext, answer: Answer
):
    """A page instead of posts is no proof that they are gone."""
    broken = serve(lambda _request: answer)
    stream.post("3kone", "acme")
    (batch,) = look_at(without_account(broken.url, stream, context))
    with pytest.raises(Retryable):
        without_account(broken.url, stream, context).recheck(batch.mentions)


def findings(platform: bluesky.Bluesky) -> tuple[list[str], list[Finding]]:
    """What is good, and what is not."""
    told = platform.check()
    platform.close()
    return [each.sentence for each in told if each.is_good], [each for each in told if not each.is_good]


def test_a_check_that_finds_everything_well(server: Server, stream: FakeJetstream, context: FeedContext):
    """It names the wire, the hosts and the account."""
    good, bad = findings(open_bluesky(server, stream, context))
    host = stream.url.removeprefix("ws://")
    assert good == [
        f"{host} streams what happens on Bluesky (wire v2).",
        f"{server.host} tells who wrote a post.",
        f"{server.host} lets {HANDLE} in.",
    ]
    assert bad == []


def mood_for(method: str, answer: Answer) -> Callable[[str, Request], Answer | None]:
    """A mood in which one method always answers so."""
    return lambda called, _request: answer if called.endswith(method) else None


@pytest.mark.parametrize(
    ("mood", "settings", "said", "remedy"),
    [
        (
            mood_for("createSession", refuse(401, "AuthenticationRequired")),
            {},
            "refuses BLUESKY_APP_PASSWORD",
            "app password",
        ),
        (
            mood_for("createSession", refuse(401, "AuthFactorTokenRequired")),
            {},
            "must be an app password",
            "app password",
        ),
        (mood_for("createSession", refuse(429, "RateLimitExceeded")), {}, "slow down", "300 a day"),
        (
            mood_for("createSession", say("<html>", Content_Type="text/html")),
            {},
            "did not answer as a Bluesky",
            "base_url",
        ),
        (mood_for("createSession", Answer(404, b"<html>")), {}, "is no Bluesky server", "base_url"),
        (mood_for("listNotifications", Answer(500)), {}, "answers 500", "base_url"),
        (mood_for("getProfiles", say("<html>", Content_Type="text/html")), {}, "did not answer in JSON", "appview_url"),
        (mood_for("getProfiles", say('{"profiles": []}')), {}, f"knows nobody called {HANDLE}", "handle"),
        (
            mood_for("", None or Answer(500)),
            {"base_url": "http://127.0.0.1:9"},
            "127.0.0.1:9 cannot be reached",
            "base_url",
        ),
        (
            mood_for("nothing", Answer()),
            {"jetstream_url": "ws://127.0.0.1:9"},
            "cannot be reached for the stream",
            "jetstream_url",
        ),
        (mood_for("nothing", Answer()), {"wire": "v1"}, "has no Jetstream", "wire"),
    ],
)
def test_a_check_tells_each_fault_truly(  # noqa: PLR0917 - a row of the table is as long as it is
    server: Server,
    stream: FakeJetstream,
    fake: FakeBluesky,
    context: FeedContext,
    mood: Callable[[str, Request], Answer | None],
    settings: Mapping[str, object],
    said: str,
    remedy: str,
):
    """With what to do about it, and no secret."""
    fake.mood = mood
    stream.wires = ("v2",)
    _, bad = findings(open_bluesky(server, stream, context, **settings))
    assert any(said in finding.sentence and remedy in finding.remedy for finding in bad), bad
    assert PASSWORD not in repr(bad)


def test_a_check_without_an_account_or_a_watch(server: Server, stream: FakeJetstream, context: FeedContext):
    """Nobody signs in; that nothing is listened for is a fault."""
    good, bad = findings(without_account(server.url, stream, replace(context, watches=compile_watches([]))))
    assert len(good) == 2
    assert [finding.sentence for finding in bad] == ["No watch listens on this feed, so its firehose is not read."]
    assert methods(server) == ["getProfiles"]


def test_the_accounts_own_password_is_a_fault(
    server: Server, stream: FakeJetstream, fake: FakeBluesky, context: FeedContext
):
    """It opens everything, and cannot be taken back by itself."""
    fake.is_own_password = True
    _, (finding,) = findings(open_bluesky(server, stream, context))
    assert finding.sentence == "BLUESKY_APP_PASSWORD is the account's own password."
    assert "Make an app password" in finding.remedy


@pytest.mark.parametrize(
    ("settings", "secrets", "key"),
    [
        ({"handle": HANDLE}, {}, "env_prefix"),
        ({"handle": HANDLE, "env_prefix": "BSKY_HELP"}, SECRETS, "env_prefix"),
        ({}, SECRETS, "handle"),
        ({"firehose": False}, {}, "firehose"),
        ({"handle": HANDLE, "firehose": False, "notifications": False}, SECRETS, "firehose"),
        ({"handle": "acme"}, {}, "handle"),
        ({"handle": "acme.example.com/"}, {}, "handle"),
        ({"jetstream_url": "ftp://x"}, {}, "jetstream_url"),
        ({"jetstream_url": "wss://me:pw@x.example"}, {}, "jetstream_url"),
        ({"base_url": "bsky.social"}, {}, "base_url"),
        ({"wire": "v3"}, {}, "wire"),
        ({"limit": 301}, {}, "limit"),
        ({"look_back_hours": 37}, {}, "look_back_hours"),
    ],
)
def test_settings_that_cannot_work_are_refused(
    context: FeedContext, settings: dict[str, object], secrets: Mapping[str, str], key: str
):
    """With the key, and without the secret."""
    with pytest.raises(SettingRefused) as caught:
        bluesky.open_platform(settings, replace(context, secrets=secrets))
    assert caught.value.key == key
    assert PASSWORD not in str(caught.value)


def test_handles_are_taken_as_people_write_them(context: FeedContext):
    """With an @ before them, and capitals."""
    platform = bluesky.open_platform({"handle": "@Acme.Example.com"}, replace(context, secrets=SECRETS))
    mention = Mention("bluesky", "at://x", "hi", Author("jane"), NOON)
    assert platform.capability(mention).account == "@acme.example.com"


def test_watches_compile_to_what_is_asked():
    """Nothing of their words; people that are watched are looked up."""
    compiled = bluesky.compile_query(parse('acme OR "acme cloud" -jobs OR from:jane.bsky.social'))
    assert compiled.asks == (
        "subscribeEvents?kinds=commit&kinds=account&collections=app.bsky.feed.post",
        "getProfiles?actors=jane.bsky.social",
    )
    assert "is matched here" in compiled.checked_here
    assert bluesky.compile_query(parse("acme -from:acme_corp")).asks == compiled.asks[:1]
    with pytest.raises(QueryError, match="'jane' is no handle of Bluesky") as caught:
        bluesky.compile_query(parse("acme OR from:jane"))
    assert caught.value.position == 8


def test_a_watch_for_somebody_who_cannot_be_there_is_refused_at_the_start(context: FeedContext):
    """With the watch and the reason."""
    with pytest.raises(WatchRefused, match="Bluesky cannot listen for this: 'jane' is no handle"):
        open_platform("bluesky", {}, watching(context, "from:jane"))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"at": 7, "host": [], "seq": "x", "heard": false}', '{"seq": -1}', "\ud800"]
)
def test_a_cursor_that_is_none_begins_at_the_start(text: str):
    """It is not ours, or of an older version."""
    assert read_cursor(text, HOUR_AGO) == Cursor(Place(HOUR_AGO), HOUR_AGO)


def test_cursors_survive_storage():
    """As text, and back."""
    cursor = Cursor(Place(NOON, "jetstream.example", 7), HOUR_AGO)
    assert read_cursor(cursor.write(), NOON) == cursor


def test_a_feed_without_an_account_does_not_load_the_client_library():
    """It is large, and only an account needs it."""
    script = (
        "import sys; from listeners.catalog import open_platform; from listeners.contract import FeedContext;"
        "from listeners.query import compile_watches;"
        "open_platform('bluesky', {}, FeedContext('main', compile_watches([]), lambda _: True)).close();"
        "assert not any(name.startswith('atproto') for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
