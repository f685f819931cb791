"""Mastodon heard by looking, against a server in small that pages like a real one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from urllib.parse import parse_qs, urlsplit

import pytest
from clocks import NOON
from fake_mastodon import TOKEN, FakeMastodon, told
from servers import Answer, Script, Server
from stand_mastodon import look_at, open_mastodon, texts

from listeners.contract import FeedContext
from listeners.mastodon import timelines as mastodon_timelines
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


def cursor_of(batches: list[Batch]) -> dict[str, dict[str, str]]:
    """What a cursor holds."""
    cursor = json.loads(batches[-1].cursor)
    assert isinstance(cursor, dict)
    return cursor


def test_everything_that_is_listened_to_is_heard_once(server: Server, fake: FakeMastodon, context: FeedContext):
    """Mentions of us, the home timeline, hashtags, public timelines, searches and people, each post once."""
    fake.post("@acme help", acct="bob")
    fake.post("acme at home")
    fake.post("we love #acme", acct="eve@else.example")
    fake.post("acme in public", acct="local")
    fake.post("hello from a person", acct="sam@sea.example")
    context = watching(context, "acme", "from:sam@sea.example")
    batches = look_at(open_mastodon(server, context, public="all", search=True))
    assert texts(batches) == [
        "@acme@mastodon.example help", "acme at home", "we love #acme", "acme in public", "hello from a person",
    ]  # fmt: skip
    assert len(batches) == 1


def test_what_is_listened_to_is_asked_as_documented(server: Server, context: FeedContext):
    """Each by its own path and scope, with the token, and never more than a page holds."""
    look_at(open_mastodon(server, watching(context, "#tea", '"acme cloud"'), public="local", search=True))
    asked = {urlsplit(request.path).path: parse_qs(urlsplit(request.path).query) for request in server.requests}
    assert asked["/api/v1/timelines/tag/tea"] == {"limit": ["40"]}
    assert asked["/api/v1/timelines/public"] == {"limit": ["40"], "local": ["1"]}
    assert asked["/api/v1/notifications"] == {"limit": ["40"], "types[]": ["mention", "quote"]}
    assert asked["/api/v2/search"] == {"limit": ["40"], "q": ['"acme cloud"'], "type": ["statuses"]}
    assert "/api/v1/timelines/home" in asked
    assert len([path for path in asked if "tag" in path]) == 1
    assert {request.headers.get("authorization") for request in server.requests} == {f"Bearer {TOKEN}"}


def test_what_addresses_us_is_heard_whatever_the_watches_say(server: Server, fake: FakeMastodon, context: FeedContext):
    """Somebody who speaks to us is a mention of the feed's brand, of no watch, and knows which account was meant."""
    fake.post("@acme my order is lost", acct="bob")
    (mention,) = look_at(open_mastodon(server, watching(context, "globex")))[0].mentions
    assert (mention.brand, mention.watches, mention.account) == ("Acme", (), "@acme@mastodon.example")
    assert look_at(open_mastodon(server, watching(context, "globex"), notifications=False))[0].mentions == ()


def test_a_quote_of_us_is_heard(server: Server, fake: FakeMastodon, context: FeedContext):
    """Where the server tells of quotes, one addresses us like a mention does."""
    fake.notify("quote", fake.post("look at this", acct="bob"))
    fake.notify("favourite", fake.post("a favourite", acct="bob"))
    (mention,) = look_at(open_mastodon(server, context))[0].mentions
    assert (mention.text, mention.account) == ("look at this", "@acme@mastodon.example")


def test_our_own_posts_and_boosts_are_no_mentions(server: Server, fake: FakeMastodon, context: FeedContext):
    """What we say ourselves is not news; a boost brings the post it boosts, unless that is old."""
    fake.post("acme says hello", acct="acme")
    news = fake.write("acme is up", acct="new@else.example", at=NOON - timedelta(hours=2))
    stale = fake.write("acme was up", acct="old@else.example", at=NOON - timedelta(days=2))
    fake.post("", reblog=news)
    fake.post("", reblog=stale)
    (mention,) = look_at(open_mastodon(server, context))[0].mentions
    assert (mention.native_id, mention.author.handle) == (news["uri"], "new@else.example")


def test_pictures_of_anybody_are_passed_over_in_silence(server: Server, fake: FakeMastodon, context: FeedContext):
    """A post without words is told as refused only where it addresses us."""
    fake.post("")
    fake.notify("mention", fake.write("", acct="bob"))
    (batch,) = look_at(open_mastodon(server, context))
    assert batch.mentions == ()
    assert [sentence.endswith("has no words.") for sentence in batch.refused] == [True]


def test_private_messages_are_left_out_and_that_is_told(server: Server, fake: FakeMastodon, context: FeedContext):
    """A card would show them to the whole channel; hear_private shows them, and other people's followers-only posts."""
    fake.post("@acme secret", acct="bob", visibility="direct")
    fake.post("@acme for followers", acct="bob", visibility="private")
    fake.post("acme among friends", visibility="private")
    (batch,) = look_at(open_mastodon(server, context))
    assert texts(batch) == ["@acme@mastodon.example for followers"]
    assert batch.notices[0].startswith("Private messages arrive at @acme@mastodon.example.")
    (open_batch,) = look_at(open_mastodon(server, context, hear_private=True))
    assert len(open_batch.mentions) == 3
    assert open_batch.notices == ()


def test_a_reply_knows_its_thread_and_what_it_answers(server: Server, fake: FakeMastodon, context: FeedContext):
    """The root and the parent are looked up, once for all who answer there."""
    root = fake.post("who knows a good tea?", acct="bob")
    parent = fake.post("try acme", acct="eve@else.example", in_reply_to_id=root["id"])
    for number in range(3):
        fake.post(f"@acme is it good? {number}", in_reply_to_id=parent["id"])
    mentions = look_at(open_mastodon(server, context))[0].mentions
    for mention in mentions:
        assert (mention.thread_id, mention.in_reply_to) == (root["uri"], parent["uri"])
        assert mention.parent_text == "try acme"
    assert fake.asked.count(f"/api/v1/statuses/{parent['id']}") == 1
    assert len(mentions) == 3


def test_a_thread_that_cannot_be_read_keeps_nobody_waiting(server: Server, fake: FakeMastodon, context: FeedContext):
    """A parent that is gone, or a server that fails just then, costs the parent's words and nothing else."""
    fake.post("@acme yes", in_reply_to_id="123")
    fake.mood = lambda path, _request: Answer(500) if path.endswith("/124") else None
    fake.post("@acme no", in_reply_to_id="124")
    for mention in look_at(open_mastodon(server, context))[0].mentions:
        assert (mention.thread_id, mention.parent_text) == ("", "")
        assert mention.in_reply_to in {"123", "124"}


def test_a_private_parent_is_not_shown(server: Server, fake: FakeMastodon, context: FeedContext):
    """Words that were for followers stay out of the channel; ours do not, since we know them."""
    parent = fake.post("for friends", acct="bob", visibility="private")
    fake.post("@acme and acme?", in_reply_to_id=parent["id"])
    own = fake.post("we say", acct="acme", visibility="private")
    fake.post("@acme what?", in_reply_to_id=own["id"])
    assert [mention.parent_text for mention in look_at(open_mastodon(server, context))[0].mentions] == ["", "we say"]


def test_many_posts_are_paged_and_none_is_lost(
    server: Server, fake: FakeMastodon, context: FeedContext, monkeypatch: pytest.MonkeyPatch
):
    """At the first look and after a long silence alike, in batches whose cursors can be resumed from."""
    monkeypatch.setattr("listeners.mastodon.listening.PER_BATCH", 50)
    said = [f"acme {number}" for number in range(130)]
    for text in said[:65]:
        fake.post(text)
    first = look_at(open_mastodon(server, context), looks=1)
    for text in said[65:]:
        fake.post(text)
    batches = list(islice(open_mastodon(server, context).listen(first[-1].cursor), 2))
    heard = dict.fromkeys(texts(first) + texts(batches))
    assert list(heard) == said
    again = list(islice(open_mastodon(server, context).listen(batches[0].cursor), 2))
    assert set(said) <= set(texts(first) + texts(batches[:1]) + texts(again))


def test_a_post_that_arrives_late_is_heard(server: Server, fake: FakeMastodon, context: FeedContext):
    """Posts of other servers are put in by the time they were made, below newer ones: looks overlap."""
    fake.post("acme one", at=NOON - timedelta(minutes=5))
    batches = open_mastodon(server, context).listen(None)
    next(batches)
    fake.post("acme late", at=NOON - timedelta(minutes=9))
    fake.post("acme too late", at=NOON - timedelta(minutes=20))
    assert texts(next(batches)) == ["acme late"]
    assert texts(next(batches)) == []


def test_the_first_look_reaches_back_so_far(server: Server, fake: FakeMastodon, context: FeedContext):
    """An install does not flood the channel with history."""
    fake.post("acme yesterday", at=NOON - timedelta(hours=3))
    fake.post("acme today", at=NOON - timedelta(hours=1))
    assert texts(look_at(open_mastodon(server, context, look_back_hours=2))) == ["acme today"]


@pytest.mark.parametrize("is_resumed", [False, True])
def test_more_than_can_be_read_is_a_gap(
    *,
    is_resumed: bool,
    server: Server,
    fake: FakeMastodon,
    context: FeedContext,
    monkeypatch: pytest.MonkeyPatch,
):
    """After so many pages the newest are read, and the time between is told."""
    monkeypatch.setattr(mastodon_timelines, "MAX_PAGES", 2)
    cursor = None
    if is_resumed:
        fake.post("acme first", at=NOON - timedelta(hours=2))
        cursor = look_at(open_mastodon(server, context))[-1].cursor
    for number in range(200):
        fake.post(f"acme {number}", at=NOON - timedelta(minutes=50, seconds=-number))
    batches = look_at(open_mastodon(server, context, notifications=False, tags=["tea"], overlap_seconds=0), cursor)
    (gap,) = [gap for batch in batches for gap in batch.gaps]
    assert gap.reason == "The home timeline: there was more than can be read."
    assert NOON - timedelta(hours=24) <= gap.start < gap.end < NOON
    assert texts(batches)[-1] == "acme 199"
    assert cursor_of(batches)["newest"]["home"] == max(fake.statuses)


def test_an_edit_is_told_and_an_old_version_is_not(server: Server, fake: FakeMastodon, context: FeedContext):
    """The same id with other words; a page that is told late, with the old words, changes nothing back."""
    status = fake.post("acme one", at=NOON - timedelta(minutes=2))
    old = dict(status)
    batches = open_mastodon(server, context).listen(None)
    next(batches)
    fake.edit(status, "acme two")
    assert texts(next(batches)) == ["acme two"]
    fake.edit(status, "it was globex, not them")
    assert texts(next(batches)) == ["it was globex, not them"]
    status |= old
    assert texts(next(batches)) == []


def test_a_cursor_of_another_server_counts_as_none(server: Server, fake: FakeMastodon, context: FeedContext):
    """Numbers of one server mean nothing on another; nor does what is no cursor."""
    fake.post("acme one")
    cursor = look_at(open_mastodon(server, context))[-1].cursor
    for other in (cursor.replace(server.host, "other.example"), "{", "[]", '{"host": 3}', "null", '{"newest": []}'):
        assert texts(look_at(open_mastodon(server, context), other)) == ["acme one"]


def test_ids_that_hold_no_time_are_gone_on_from(server: Server, fake: FakeMastodon, context: FeedContext):
    """Small numbers, as of test servers and old ones, order by length; nothing overlaps then."""
    fake.post("acme nine", id="9")
    batches = open_mastodon(server, context).listen(None)
    assert texts(next(batches)) == ["acme nine"]
    fake.post("acme ten", id="10")
    assert texts(next(batches)) == ["acme ten"]
    assert mastodon_timelines.step_back("01HFZ3Y5C3Q2VCP8A9Q4D2M9ZK", 600) == "01HFZ3Y5C3Q2VCP8A9Q4D2M9ZK"


def test_a_server_that_ignores_where_to_go_on_from_ends_the_look(
    server: Server, fake: FakeMastodon, context: FeedContext
):
    """Old servers do not know min_id, and some no max_id or offset: they tell the newest page again and again."""
    status = fake.post("acme one", at=NOON - timedelta(minutes=1))
    page, found = told([status]), told({"statuses": [status]})
    fake.mood = lambda path, _request: page if "timelines" in path else found if "search" in path else None
    (batch,) = look_at(open_mastodon(server, context, search=True))
    assert (len(batch.mentions), batch.gaps) == (1, ())
    assert look_at(open_mastodon(server, context, search=True, overlap_seconds=0), batch.cursor)[0].mentions == ()
    assert fake.asked.count("/api/v1/timelines/home") < 6
    assert fake.asked.count("/api/v2/search") < 6
