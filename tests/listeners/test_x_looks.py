"""Listening by looks: what came since the last one, page by page, and nothing paid twice."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import islice

import pytest
from clocks import NOON, Hands
from fake_x import OUR_HANDLE, FakeX, id_of, problem
from servers import FAULTS, Answer, Request, Server, say, slow_down, trickle
from stand import Serve
from stand_x import look, mentions, open_x, texts

from listeners.contract import FeedContext
from listeners.errors import ListenerError, Permanent, RateLimited, Retryable
from listeners.mention import Batch
from listeners.query import Watch, compile_watches
from listeners.x import client as x_client
from listeners.x.cursor import Cursor, Place, read_cursor

SEARCH, MENTIONS = "GET /2/tweets/search/recent", "GET /2/users/77/mentions"


@pytest.fixture
def fake(hands: Hands) -> FakeX:
    """X, with the tests' clock."""
    return FakeX(now=hands.now)


def asked(server: Server, path: str = "/2/tweets/search/recent") -> list[dict[str, str]]:
    """What a path was asked for."""
    return [request.query for request in server.requests if request.path.startswith(path)]


def test_watches_and_mentions_are_heard(serve: Serve, fake: FakeX, context: FeedContext):
    """What a watch wants, and whatever calls on our account; oldest first, and each once."""
    fake.add("acme is down", 9)
    fake.add(f"@{OUR_HANDLE} please", 8)
    fake.add(f"acme and @{OUR_HANDLE}", 7)
    fake.add("nothing", 6)
    fake.add("acme jobs", 5)
    feed = open_x(serve(fake), context)
    (batch,) = look(feed)
    assert texts([batch]) == ["acme is down", "@kettle_care please", "acme and @kettle_care"]
    assert [each.watches for each in batch.mentions] == [("acme",), (), ("acme",)]
    assert {each.brand for each in batch.mentions} == {"Acme"}
    assert [each.account for each in batch.mentions] == ["", "@kettle_care", "@kettle_care"]
    assert not batch.refused


def test_our_own_posts_and_reposts_are_left_out(serve: Serve, fake: FakeX, context: FeedContext):
    """Also where X sends them."""
    original = fake.add("acme said", 9)
    fake.add("acme by ourselves", 8, author_id="77")
    fake.add(f"RT @jane: acme said @{OUR_HANDLE}", 7, reposted=original.id)
    feed = open_x(serve(fake), context)
    assert texts(look(feed)) == ["acme said"]


def test_mentions_mode_asks_for_nothing_else(serve: Serve, fake: FakeX, context: FeedContext):
    """The cheapest way: a post is a tenth of a cent."""
    fake.add("acme is down")
    fake.add(f"@{OUR_HANDLE} please")
    server = serve(fake)
    feed = open_x(server, context, mode="mentions", user_id="77", expansions="none")
    (batch,) = look(feed)
    assert texts([batch]) == ["@kettle_care please"]
    assert batch.cost_micros == 1_000
    assert not asked(server)


def test_the_account_is_looked_up_once(serve: Serve, fake: FakeX, context: FeedContext):
    """For a cent, which the first batch tells."""
    server = serve(fake)
    feed = open_x(server, context)
    first, second = look(feed, looks=2)
    assert (first.cost_micros, second.cost_micros) == (10_000, 0)
    look(feed, second.cursor)
    assert len(asked(server, "/2/users/by/username/kettle_care")) == 1


def test_an_account_that_is_not_found_by_its_handle_is_found_by_its_keys(
    serve: Serve, fake: FakeX, context: FeedContext
):
    """Where they are its own; somebody else's are not taken for it."""
    fake.add(f"@{OUR_HANDLE} please")
    fake.faults["GET /2/users/by"] = [Answer(404), Answer(404)]
    assert texts(look(open_x(serve(fake), context))) == [f"@{OUR_HANDLE} please"]
    with pytest.raises(Retryable):
        look(open_x(serve(fake), context, handle="somebody"))
    fake.faults.clear()
    with pytest.raises(Permanent, match="Could not find user"):
        look(open_x(serve(fake), context, handle="nobody"))


def test_a_look_starts_where_the_last_one_ended(serve: Serve, fake: FakeX, context: FeedContext, hands: Hands):
    """By the newest post of its first page; a little earlier where the search may have learnt of more since."""
    old = fake.add("acme one", 30)
    server = serve(fake)
    feed = open_x(server, context)
    first = look(feed)
    assert "since_id" not in asked(server)[0]
    look(feed, first[0].cursor)
    assert asked(server)[1]["since_id"] == old.id
    fresh = fake.add("acme two", 0)
    second = look(feed, first[0].cursor)
    look(feed, second[0].cursor)
    assert int(asked(server)[3]["since_id"]) == int(id_of(hands.moment - timedelta(seconds=60)))
    assert int(asked(server)[3]["since_id"]) < int(fresh.id)


def test_posts_that_the_search_learns_of_late_are_heard(serve: Serve, fake: FakeX, context: FeedContext):
    """Though a newer one was heard before, and each only once."""
    fake.lag = timedelta(seconds=30)
    feed = open_x(serve(fake), context)
    listener = feed.listen(None)
    batches = [next(listener)]
    fake.add("acme one", 0)
    batches.append(next(listener))
    fake.add("acme late", 0.9)
    batches += islice(listener, 6)  # looks at the search and at our own mentions take turns, at paces that vary
    listener.close()
    assert sorted(texts(batches)) == ["acme late", "acme one"]


def test_all_pages_are_read_and_the_first_one_tells_where_to_resume(serve: Serve, fake: FakeX, context: FeedContext):
    """`newest_id` of the first page, though later pages have one too."""
    posts = [fake.add(f"acme {number}", 30 - number) for number in range(7)]
    fake.page_size = 3
    server = serve(fake)
    feed = open_x(server, context)
    (batch,) = look(feed)
    assert len(batch.mentions) == 7
    cursor = read_cursor(batch.cursor)
    assert cursor is not None
    assert {place.newest for key, place in cursor.places.items() if key != "mentions"} == {posts[-1].id}
    assert [request.get("next_token") for request in asked(server)] == [None, "b3", "b6"]


def test_a_look_that_breaks_off_is_not_paid_for_twice(serve: Serve, fake: FakeX, context: FeedContext):
    """It tells nothing, since it failed; the next one goes on below it, and tells all."""
    posts = [fake.add(f"acme {number}", 30 - number) for number in range(7)]
    fake.page_size = 3
    server = serve(fake)
    feed = open_x(server, context)
    inner, calls = server.script, iter([None, Answer(503)])

    def break_second(request: Request) -> Answer:
        fault = next(calls, None) if "search/recent" in request.path else None
        return fault or inner(request)

    server.script = break_second
    with pytest.raises(Retryable):
        look(feed)
    later = fake.add("acme newer", 1)
    (again,) = look(feed)
    assert texts([again]) == [post.text for post in [*posts, later]]
    assert asked(server)[2]["until_id"] == posts[4].id
    billed = [native_id for kind, native_id in fake.billed if kind == "post"]
    assert all(billed.count(post.id) == 1 for post in [*posts, later])


def test_a_look_that_breaks_off_is_made_again_from_another_cursor(serve: Serve, fake: FakeX, context: FeedContext):
    """What was left belongs to one cursor only."""
    feed = open_x(serve(fake), context)
    (before,) = look(feed)
    fake.add("acme one", 1)
    fake.faults[SEARCH] = [Answer(503)]
    with pytest.raises(Retryable):
        look(feed)
    assert texts(look(feed, before.cursor)) == ["acme one"]
    assert texts(look(feed)) == ["acme one"]


def test_half_a_failure_is_no_sign_of_life(serve: Serve, fake: FakeX, context: FeedContext):
    """Our own mentions are heard and the search is not: a batch would hide that the feed is half deaf."""
    fake.add(f"@{OUR_HANDLE} please")
    feed = open_x(serve(fake), context)
    fake.faults[SEARCH] = [Answer(503), Answer(503)]
    for _attempt in range(2):
        with pytest.raises(Retryable):
            next(feed.listen(None))
    assert texts(look(feed)) == [f"@{OUR_HANDLE} please"]


def test_what_was_not_stored_is_told_again(serve: Serve, fake: FakeX, context: FeedContext):
    """Called with an old cursor, on the same object: at least once."""
    feed = open_x(serve(fake), context)
    before = look(feed)[0].cursor
    fake.add("acme one", 1)
    assert texts(look(feed, before)) == texts(look(feed, before)) == ["acme one"]


def test_a_post_that_is_too_old_to_look_from_is_given_up_for_the_time(
    serve: Serve, fake: FakeX, context: FeedContext, hands: Hands
):
    """X refuses it after seven days; what it found nothing since is no gap, what nobody listened to is."""
    fake.add("acme old", 30)
    server = serve(fake)
    feed = open_x(server, context)
    (first,) = look(feed)
    stopped_at = hands.moment
    hands.moment += timedelta(days=9)
    fake.add("acme unheard", 2 * 24 * 60 + 60 * 24 * 6)
    fake.add("acme heard", 60 * 24 * 6)
    (again,) = look(feed, first.cursor)
    assert texts([again]) == ["acme heard"]
    (gap,) = again.gaps
    assert (gap.start, gap.end) == (stopped_at, hands.moment - timedelta(days=7))
    assert [("since_id" in each, "start_time" in each) for each in asked(server)[1:]] == [(True, False), (False, True)]


@pytest.mark.parametrize("minutes", [-8, -20, 8, 20])
def test_a_wrong_clock_is_told_or_does_no_harm(serve: Serve, context: FeedContext, hands: Hands, minutes: int):
    """Some minutes do not matter; more is not taken for a wrong setting."""
    fake = FakeX(now=lambda: hands.moment + timedelta(minutes=minutes))
    fake.add("acme one", 25)
    feed = open_x(serve(fake), context, look_back_hours=168 if minutes > 0 else 0.0)
    if abs(minutes) < 10 and minutes > 0:
        assert texts(look(feed)) == ["acme one"]
    else:
        with pytest.raises(Retryable, match="clock"):
            look(feed)


def test_a_rare_word_is_no_gap(serve: Serve, fake: FakeX, context: FeedContext, hands: Hands):
    """Nothing was said for nine days while somebody listened."""
    fake.add("acme old", 30)
    feed = open_x(serve(fake), context)
    (batch,) = look(feed)
    for _day in range(9):
        hands.moment += timedelta(days=1)
        (batch,) = look(feed, batch.cursor)
        assert not batch.gaps
    fake.add("acme at last", 1)
    assert texts(look(feed, batch.cursor)) == ["acme at last"]


def test_too_much_for_one_look_is_a_gap(
    serve: Serve, fake: FakeX, context: FeedContext, monkeypatch: pytest.MonkeyPatch
):
    """The newest are heard, and the time of the rest is told."""
    monkeypatch.setattr("listeners.x.looks.MOST_PAGES", 2)
    fake.page_size = 3
    posts = [fake.add(f"acme {number}", 30 - number) for number in range(9)]
    feed = open_x(serve(fake), context)
    (batch,) = look(feed)
    assert len(batch.mentions) == 6
    (gap,) = batch.gaps
    assert gap.end == batch.mentions[0].created_at
    assert "more posts than" in gap.reason
    assert texts(look(feed, batch.cursor)) == []
    assert posts


def test_a_new_watch_begins_where_the_others_stand(serve: Serve, fake: FakeX, context: FeedContext, hands: Hands):
    """Nothing old floods in, nothing new is missed."""
    fake.add("globex before", 30)
    fake.add("acme one", 20)
    server = serve(fake)
    (first,) = look(open_x(server, context))
    hands.moment += timedelta(minutes=1)
    fake.add("globex after", 0.5)
    watches = compile_watches([Watch("acme", "Acme", "acme -jobs"), Watch("globex", "Globex", "globex")])
    both = open_x(server, replace(context, watches=watches))
    assert texts(look(both, first.cursor)) == ["globex after"]


def test_many_watches_share_requests(serve: Serve, fake: FakeX, context: FeedContext):
    """And looks are further apart where there are many still."""
    watches = compile_watches([Watch(f"w{number}", "Acme", f"brand{number}x{'y' * 30}") for number in range(300)])
    server = serve(fake)
    hands = Hands()
    feed = open_x(server, replace(context, watches=watches, pause=hands.pause, now=hands.now), poll_seconds=5)
    listener = feed.listen(None)
    next(listener)
    first = len(asked(server))
    assert first < 50
    while len(asked(server)) == first:
        next(listener)
    assert hands.paused >= first * 2
    listener.close()


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_fault_is_told_and_the_next_look_hears_all(serve: Serve, fake: FakeX, context: FeedContext, fault: str):
    """Whatever answers in X's place."""
    fake.add("acme one")
    feed = open_x(serve(fake), context, user_id="77")
    fake.faults[SEARCH] = [FAULTS[fault]()]
    listener = feed.listen(None)
    with pytest.raises(ListenerError) as caught:
        list(islice(listener, 3))
    assert isinstance(caught.value, Retryable)
    assert texts(look(feed)) == ["acme one"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (lambda: problem(401, "", "Unauthorized"), Permanent),
        (lambda: problem(403, "client-forbidden", reason="client-not-enrolled"), Permanent),
        (lambda: problem(402, "credits", "You have no credits."), RateLimited),
        (lambda: problem(429, "usage-capped"), RateLimited),
        (lambda: slow_down("7"), RateLimited),
        (lambda: say(b'{"data": 7, "meta": []}'), None),
        (lambda: say(b'{"errors": [{"detail": "partly"}], "meta": {"result_count": 0}}'), None),
        (lambda: say(b'{"data": [7, null, {"id": "x"}], "includes": 3}'), None),
    ],
)
def test_what_x_itself_may_say(
    serve: Serve, fake: FakeX, context: FeedContext, answer: Callable[[], Answer], error: type[ListenerError] | None
):
    """Refusals are told as what they are; odd answers harm nobody."""
    feed = open_x(serve(fake), context, user_id="77")
    fake.faults[SEARCH] = [answer()]
    if error is None:
        (batch,) = look(feed)
        assert len(batch.refused) <= 1
    else:
        with pytest.raises(error):
            look(feed)


def test_an_answer_that_trickles_does_not_hold_the_feed(
    serve: Serve, fake: FakeX, context: FeedContext, monkeypatch: pytest.MonkeyPatch
):
    """Each byte is in time, and all of them are not."""
    monkeypatch.setattr(x_client, "TOTAL_SECONDS", 0.1)
    fake.faults[SEARCH] = [trickle(5)]
    feed = open_x(serve(fake), context, user_id="77")
    with pytest.raises(Retryable):
        look(feed)


def test_close_ends_a_request_that_hangs(serve: Serve, fake: FakeX, context: FeedContext):
    """Not after the twenty seconds that X has for an answer."""

    def hang(_connection: object) -> None:
        time.sleep(5)

    fake.faults[SEARCH] = [Answer(raw=hang)]
    feed = open_x(serve(fake), context, user_id="77")
    errors: list[BaseException] = []

    def listen() -> None:
        try:
            look(feed)
        except ListenerError as err:
            errors.append(err)

    thread = threading.Thread(target=listen)
    thread.start()
    while fake.faults[SEARCH]:
        time.sleep(0.01)
    time.sleep(0.05)
    feed.close()
    thread.join(2)
    assert not thread.is_alive()


def test_both_spellings_of_the_fields_are_asked_for(serve: Serve, fake: FakeX, context: FeedContext):
    """X is renaming them, and the settings choose."""
    fake.spelling = "post"
    parent = fake.add("hello", 20, author_id="77")
    fake.add("acme answers", replied_to=parent.id)
    server = serve(fake)
    (mention,) = mentions(look(open_x(server, context, field_names="post")))
    assert mention.parent_text == "hello"
    query = asked(server)[0]
    assert "referenced_posts" in query["post.fields"]
    assert query["expansions"] == "author_id,referenced_posts.id"


def test_without_expansions_nothing_comes_along(serve: Serve, fake: FakeX, context: FeedContext):
    """A post is half a cent then, and its author a number."""
    fake.add("acme one")
    server = serve(fake)
    (batch,) = look(open_x(server, context, expansions="none", user_id="77"))
    assert batch.cost_micros == 5_000
    assert batch.mentions[0].author.handle == "5"
    assert "expansions" not in asked(server)[0]


def test_a_cursor_that_cannot_be_read_looks_back():
    """As at a first start; what is read back is what was written."""
    for text in (
        None,
        "",
        "x",
        "{}",
        "[]",
        '{"v":2}',
        '{"v":1,"at":"x","slow":0,"places":{}}',
        '{"v":1,"places":{"a":[1]}}',
    ):
        assert read_cursor(text) is None
    cursor = Cursor(7, 8, {"a": Place("1", 2, "3", "4", 5, 6)})
    assert read_cursor(cursor.write()) == cursor


def test_a_cursor_stays_small(serve: Serve, fake: FakeX, context: FeedContext):
    """Also with five hundred watches."""
    watches = compile_watches([Watch(f"w{number}", "Acme", f"brand{number}{'x' * 90}") for number in range(500)])
    (batch,) = look(open_x(serve(fake), replace(context, watches=watches)))
    assert len(batch.cursor) < 30_000
    assert json.loads(batch.cursor)["v"] == 1


def test_what_cannot_become_a_mention_is_told_once(serve: Serve, fake: FakeX, context: FeedContext):
    """In one sentence, though it comes with every look."""
    post = fake.add("acme nobody", 0, author_id="")
    feed = open_x(serve(fake), context)
    listener = feed.listen(None)
    batches: list[Batch] = list(islice(listener, 3))
    listener.close()
    assert [sentence for batch in batches for sentence in batch.refused] == [
        f"X post {post.id} came without its author."
    ]


def test_an_edit_replaces_the_first_words(serve: Serve, fake: FakeX, context: FeedContext):
    """And an older version that comes late does not bring the old words back."""
    first = fake.add("acme is dwon", 5)
    feed = open_x(serve(fake), context)
    listener = feed.listen(None)
    batches = [next(listener)]
    second = fake.add("acme is down", 0)
    second.versions = (first.id, second.id)
    batches.append(next(listener))
    batches.append(next(listener))
    listener.close()
    told = mentions(batches)
    assert [(each.native_id, each.text) for each in told] == [(first.id, "acme is dwon"), (first.id, "acme is down")]
    assert NOON.year == told[0].created_at.year
