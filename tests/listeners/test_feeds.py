"""RSS and Atom feeds, against servers that misbehave."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from clocks import NOON, Hands
from servers import FAULTS, Answer, Request, Script, Server, item, redirect, rss, say, slow_down

from listeners import feeds
from listeners.contract import FeedContext
from listeners.errors import ListenerError, Permanent, RateLimited, Retryable, SettingRefused
from listeners.mention import Author, Batch, Mention
from listeners.query import compile_watches

Serve = Callable[[Script], Server]
HOUR = timedelta(hours=1)


class Forum:
    """A server of one feed whose answer can be changed."""

    def __init__(self, *items: str, **headers: str) -> None:
        self.items = list(items)
        self.headers = headers
        self.answer: Answer | None = None

    def __call__(self, _request: Request) -> Answer:
        """Answer with the feed, or with what was set."""
        return self.answer or say(rss(*self.items), **self.headers)


def open_at(context: FeedContext, *servers: Server, **settings: object) -> feeds.Feeds:
    """Open a group of feeds on these servers."""
    told = {"urls": [f"{server.url}/feed" for server in servers], "allow_hosts": [server.host for server in servers]}
    return feeds.open_platform(told | settings, context)


def texts(batch: Batch) -> list[str]:
    """The texts in a batch."""
    return [mention.text for mention in batch.mentions]


def test_an_entry_becomes_a_mention(serve: Serve, context: FeedContext):
    """The feed's name stands for an author that is not told."""
    (mention,) = next(open_at(context, serve(Forum(item("1", "acme is down", NOON - HOUR)))).listen(None)).mentions
    assert (mention.platform, mention.text, mention.title) == ("feeds", "acme is down", "A post")
    assert (mention.url, mention.author.handle) == ("https://forum.example/1", "Acme forum")
    assert (mention.created_at, mention.brand, mention.watches) == (NOON - HOUR, "Acme", ("acme",))


def test_a_feed_without_a_name_is_told_by_its_host(serve: Serve, context: FeedContext):
    """The address of a private feed holds a key, which is not shown to anybody as the author."""
    nameless = rss(item("1", "acme is down", NOON - HOUR)).replace(b"<title>Acme forum</title>", b"")
    server = serve(lambda _request: say(nameless))
    (mention,) = next(open_at(context, server, urls=[f"{server.url}/feed?token=s3cret"]).listen(None)).mentions
    assert mention.author.handle == "127.0.0.1"
    assert "s3cret" not in repr(mention)


def test_the_first_look_does_not_flood(serve: Serve, context: FeedContext):
    """Old entries, and entries without a date, are passed over once; later ones are all heard."""
    forum = Forum(
        item("1", "acme old", NOON - 30 * HOUR), item("2", "acme undated"), item("3", "acme new", NOON - HOUR)
    )
    batches = open_at(context, serve(forum)).listen(None)
    assert texts(next(batches)) == ["acme new"]
    forum.items += [item("4", "acme undated too"), item("5", "acme dated", NOON - HOUR)]
    assert sorted(texts(next(batches))) == ["acme dated", "acme undated too"]


def test_a_feed_that_renumbers_its_history_does_not_flood(serve: Serve, context: FeedContext):
    """Entries from long before the last look are history, even with new ids."""
    forum = Forum(item("1", "acme", NOON - HOUR))
    batches = open_at(context, serve(forum)).listen(None)
    next(batches)
    forum.items += [item("9", "acme ancient", NOON - timedelta(days=400)), item("8", "acme late", NOON - 50 * HOUR)]
    assert texts(next(batches)) == ["acme late"]


def test_what_was_told_is_not_told_again_but_edits_are(serve: Serve, context: FeedContext):
    """The cursor remembers entries by id and words, across restarts too."""
    forum = Forum(item("1", "acme one", NOON - HOUR))
    server = serve(forum)
    first = next(open_at(context, server).listen(None))
    assert texts(next(open_at(context, server).listen(first.cursor))) == []
    forum.items[0] = item("1", "acme two", NOON - HOUR)
    again = next(open_at(context, server).listen(first.cursor))
    assert texts(again) == ["acme two"]
    assert again.mentions[0].native_id == first.mentions[0].native_id


def test_servers_are_asked_whether_anything_changed(serve: Serve, context: FeedContext):
    """ETag and Last-Modified come back as conditions; 304 is an empty batch that says 'I am listening'."""
    forum = Forum(item("1", "acme", NOON - HOUR), ETag='"v1"', Last_Modified="Mon, 23 Nov 2026 10:00:00 GMT")
    server = serve(forum)
    batches = open_at(context, server).listen(None)
    first = next(batches)
    forum.answer = Answer(304)
    second = next(batches)
    assert second.mentions == ()
    assert json.loads(second.cursor).keys() == json.loads(first.cursor).keys()
    assert server.requests[1].headers["if-none-match"] == '"v1"'
    assert server.requests[1].headers["if-modified-since"] == "Mon, 23 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("forum", "least"),
    [
        (Forum(item("1", "x")), 810),
        (Forum(item("1", "x"), Cache_Control="public, max-age=7200"), 6480),
        (Forum(item("1", "x"), "<ttl>120</ttl>"), 6480),
        (Forum(item("1", "x"), Cache_Control="max-age=999999999"), 77_760),
        (Forum(item("1", "x"), Cache_Control="max-age=1"), 810),
    ],
)
def test_the_wish_of_the_server_sets_the_pace(
    serve: Serve, context: FeedContext, hands: Hands, forum: Forum, least: float
):
    """Never sooner than the setting, later where the server asks for it; meanwhile batches say 'I am listening'."""
    server = serve(forum)
    batches = open_at(context, server).listen(None)
    cursors, said = set(), hands.paused
    while len(server.requests) < 2:
        cursors.add(next(batches).cursor)
        assert hands.paused - said <= 1201
        said = hands.paused
    assert least <= hands.paused <= max(990, least * 1.25)
    assert len(cursors) <= 2


def test_one_bad_address_does_not_deafen_the_others(serve: Serve, context: FeedContext):
    """The bad one is told once, with the reason; the good one goes on."""
    good, bad = Forum(item("1", "acme one", NOON - HOUR)), Forum()
    bad.answer = Answer(500)
    batches = open_at(context, serve(bad), serve(good)).listen(None)
    first, second = next(batches), next(batches)
    assert texts(first) == ["acme one"]
    assert second.refused == ("127.0.0.1 answers 500 (Internal Server Error).",)
    later = [next(batches) for _look in range(4)]
    assert not any(batch.refused for batch in later)
    good.items.append(item("2", "acme two", NOON))
    assert any("acme two" in texts(next(batches)) for _look in range(4))


def test_a_bad_address_that_recovers_is_heard_again(serve: Serve, context: FeedContext):
    """What came meanwhile is told."""
    good, bad = Forum(item("1", "acme one", NOON - HOUR)), Forum(item("2", "acme back", NOON - HOUR))
    bad.answer = slow_down("60")
    batches = open_at(context, serve(bad), serve(good)).listen(None)
    next(batches)
    next(batches)
    bad.answer = None
    assert any("acme back" in texts(next(batches)) for _look in range(3))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(500), Retryable),
        (slow_down("600"), RateLimited),
        (Answer(404), Retryable),
        (Answer(410), Permanent),
        (redirect("http://10.0.0.1/"), Permanent),
        (say("<html>"), Retryable),
    ],
)
def test_when_no_address_works_the_feed_is_deaf(
    serve: Serve, context: FeedContext, answer: Answer, kind: type[ListenerError]
):
    """The caller is told as for any platform, at once: a batch would say that we are listening."""
    batches = open_at(context, serve(lambda _request: answer)).listen(None)
    with pytest.raises(kind) as caught:
        next(batches)
    assert type(caught.value) is kind
    if isinstance(caught.value, RateLimited):
        assert caught.value.retry_after == 600


@pytest.mark.parametrize("answer", [Answer(404), Answer(410), Answer(500)])
def test_one_address_that_stays_bad_is_a_gap(serve: Serve, context: FeedContext, hands: Hands, answer: Answer):
    """The others are heard, but the digest is to know what was not: without holes, about once an hour."""
    forum, good = Forum(item("1", "acme", NOON - HOUR)), Forum(item("2", "acme", NOON - HOUR))
    batches = open_at(context, serve(forum), serve(good)).listen(None)
    next(batches)
    looked = hands.now()
    forum.answer = answer
    gaps = []
    while hands.now() - looked < timedelta(hours=5):
        gaps += next(batches).gaps
    assert 2 <= len(gaps) <= 5
    assert gaps[0].start == looked
    assert [gap.start for gap in gaps[1:]] == [gap.end for gap in gaps[:-1]]
    assert all(gap.reason.startswith("127.0.0.1 answers ") for gap in gaps)


def test_an_address_that_fails_once_is_no_gap(serve: Serve, context: FeedContext, hands: Hands):
    """What was missed for minutes is still there at the next look."""
    forum, good = Forum(item("1", "acme", NOON - HOUR)), Forum(item("2", "acme", NOON - HOUR))
    server = serve(forum)
    batches = open_at(context, server, serve(good)).listen(None)
    next(batches)
    asked = len(server.requests)
    forum.answer = Answer(500)
    while len(server.requests) == asked:
        assert not next(batches).gaps
    forum.answer = None
    while hands.paused < 12_000:
        assert not next(batches).gaps


def test_an_address_that_is_gone_is_left_alone(serve: Serve, context: FeedContext):
    """410 means stop asking; the other address goes on."""
    gone = serve(lambda _request: Answer(410))
    batches = open_at(context, gone, serve(Forum(item("1", "acme", NOON - HOUR)))).listen(None)
    for _look in range(6):
        next(batches)
    assert len(gone.requests) == 1


def test_the_time_to_wait_is_kept(serve: Serve, context: FeedContext, hands: Hands):
    """A server that asked for half an hour is not asked before, whatever the others do."""
    limited = Forum()
    limited.answer = slow_down(
        format_datetime(NOON + timedelta(minutes=30), usegmt=True)
    )  # later in the past, so as good as nothing
    server = serve(limited)
    batches = open_at(context, server, serve(Forum(item("1", "x"))), poll_seconds=60).listen(None)
    while hands.paused < 1700:
        next(batches)
    assert len(server.requests) == 1
    while hands.paused < 2000:
        next(batches)
    assert 2 <= len(server.requests) <= 5


def test_a_feed_that_moved_on_too_fast_is_a_gap(serve: Serve, context: FeedContext, hands: Hands):
    """When nothing of the last look is left, entries may have come and gone unseen."""
    forum = Forum(item("1", "acme", NOON - HOUR))
    batches = open_at(context, serve(forum)).listen(None)
    next(batches)
    looked = hands.now()
    forum.items = [item("7", "acme", NOON + timedelta(minutes=10)), item("8", "x", NOON + timedelta(minutes=12))]
    (gap,) = next(batches).gaps
    assert (gap.start, gap.end) == (looked, NOON + timedelta(minutes=10))
    assert "Acme forum" in gap.reason


def test_a_date_in_the_future_is_now(serve: Serve, context: FeedContext):
    """A server whose clock runs ahead does not write tomorrow's cards."""
    (mention,) = next(open_at(context, serve(Forum(item("1", "acme", NOON + 99 * HOUR)))).listen(None)).mentions
    assert mention.created_at == NOON


@pytest.mark.parametrize("cursor", ["", "nonsense", "[]", "{}", '{"x": 1}', '{"x": {"looked": "y"}}', "null", "5"])
def test_a_cursor_that_cannot_be_read_is_a_first_look(serve: Serve, context: FeedContext, cursor: str):
    """A damaged cursor costs a look, never a crash."""
    batches = open_at(context, serve(Forum(item("1", "acme", NOON - HOUR)))).listen(cursor)
    assert texts(next(batches)) == ["acme"]


def test_the_cursor_forgets_addresses_that_were_taken_away(serve: Serve, context: FeedContext):
    """It does not grow for ever."""
    one, two = serve(Forum(item("1", "acme"))), serve(Forum(item("2", "acme")))
    first = next(open_at(context, one).listen(None))
    assert list(json.loads(next(open_at(context, two).listen(first.cursor)).cursor)) == [f"{two.url}/feed"]


def test_a_private_address_is_refused_unless_allowed(serve: Serve, context: FeedContext):
    """Feeds inside our own network need allow_hosts."""
    server = serve(Forum(item("1", "acme")))
    batches = open_at(context, server, allow_hosts=[]).listen(None)
    with pytest.raises(Permanent, match="allow_hosts"):
        next(batches)
    assert not server.requests


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_translated_and_survived(serve: Serve, context: FeedContext, name: str):
    """After any fault the feed is heard again."""
    forum = Forum(item("1", "acme", NOON - HOUR))
    forum.answer = FAULTS[name]()
    server = serve(forum)
    batches = open_at(context, server).listen(None)
    with pytest.raises(Permanent if name == "a redirect inwards" else Retryable):
        next(batches)
    forum.answer = None
    assert texts(next(open_at(context, server).listen(None))) == ["acme"]


@pytest.mark.parametrize(
    ("told", "key"),
    [
        ({}, "urls"),
        ({"urls": []}, "urls"),
        ({"urls": ["ftp://x"]}, "urls.0"),
        ({"urls": ["https://jane:s3cret@x.example/"]}, "urls.0"),
        ({"urls": ["https://x.example/", "https://x.example/"]}, "urls"),
        ({"urls": ["https://x.example/"], "poll_seconds": 0}, "poll_seconds"),
        ({"urls": ["https://x.example/"], "max_items": "many"}, "max_items"),
        ({"urls": ["https://x.example/"], "pol_seconds": 900}, "pol_seconds"),
    ],
)
def test_settings_that_cannot_work_are_refused_with_the_key(context: FeedContext, told: dict[str, object], key: str):
    """One sentence, the key, and no password."""
    with pytest.raises(SettingRefused) as caught:
        feeds.open_platform(told, context)
    assert caught.value.key == key
    assert key in str(caught.value)
    assert "s3cret" not in f"{caught.value!r} {caught.value}"


def test_check_reads_every_address(serve: Serve, context: FeedContext):
    """Each one gets its own line."""
    findings = open_at(context, serve(Forum(item("1", "x"))), serve(lambda _request: Answer(404))).check()
    assert [finding.is_good for finding in findings] == [True, False]
    assert findings[0].sentence == "'Acme forum' can be read: 1 entries."


def test_no_watch_is_told_not_sat_out(serve: Serve, context: FeedContext):
    """A feed that nothing listens on says so."""
    platform = open_at(replace(context, watches=compile_watches([])), serve(Forum()))
    with pytest.raises(Permanent, match="No watch listens"):
        next(platform.listen(None))


def test_replies_are_by_hand_where_there_is_a_page(context: FeedContext):
    """Without a link there is no way at all."""
    platform = feeds.open_platform({"urls": ["https://x.example/"]}, context)
    mention = Mention("feeds", "1", "acme", Author("x"), NOON, url="https://x.example/1")
    assert platform.capability(mention).route == "by_hand"
    assert platform.capability(replace(mention, url="")).route == "none"
    with pytest.raises(Permanent):
        platform.reply(mention, "hello", "key")


def test_recorded_feeds_go_through_the_listener(serve: Serve, context: FeedContext, shared: Path):
    """Real and broken feeds, served again: each is heard or told with a reason."""
    folder = shared / "recorded/rss/feedparser/tests"
    files = sorted(folder.rglob("*.xml"))[::15]
    served = serve(lambda request: say(files[int(request.path.strip("/"))].read_bytes()))
    urls = [f"{served.url}/{number}" for number in range(len(files))]
    platform = feeds.open_platform({"urls": urls, "allow_hosts": [served.host]}, context)
    batches = platform.listen(None)
    looked = [next(batches) for _url in urls]
    refused = sum(bool(batch.refused) for batch in looked)
    assert len(served.requests) == len(files)
    assert 0 < refused < len(files)
