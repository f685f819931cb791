"""Hearing Reddit while it misbehaves: what fails is told once, what can be heard is heard, and nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import islice

import pytest
from clocks import Hands
from fake_reddit import SECOND, SECRETS, FakeReddit, comment, listing, submission
from servers import FAULTS, Answer, Request, Script, Server, say, slow_down
from stand_reddit import look_at, open_reddit, texts

from listeners import reddit
from listeners.contract import FeedContext
from listeners.errors import RateLimited, Retryable
from listeners.reddit import looks as reddit_looks

Serve = Callable[[Script], Server]


def test_a_listing_that_repeats_itself_is_at_its_end(serve: Serve, context: FeedContext):
    """A server that does not know pages tells the first again and again."""
    page = json.dumps(listing(comment("c1", "acme"), after="t1_c1"))
    fake = FakeReddit(mood=lambda path, _: say(page) if path == "r/tea/comments" else None)
    (batch,) = look_at(open_reddit(serve(fake), context))
    assert texts(batch) == ["acme"]
    assert fake.asked.count("r/tea/comments") == 2
    assert not batch.gaps


def test_duplicates_and_disorder_in_a_listing_do_no_harm(serve: Serve, context: FeedContext):
    """Each is told once, in order of time."""
    told = [comment("c2", "acme 2", SECOND - 20), comment("c1", "acme 1", SECOND - 30)]
    page = json.dumps(listing(*told, *told[::-1], comment("c3", "acme 3", SECOND - 10)))
    fake = FakeReddit(mood=lambda path, _: say(page) if path == "r/tea/comments" else None)
    batches = look_at(open_reddit(serve(fake), context), looks=2)
    assert [texts(batch) for batch in batches] == [["acme 1", "acme 2", "acme 3"], []]


def test_a_post_from_the_future_does_not_deafen(serve: Serve, context: FeedContext):
    """A clock that runs ahead over there cannot push the cursor past our own time."""
    fake = FakeReddit([comment("c1", "acme tomorrow", SECOND + 90_000)])
    server = serve(fake)
    (first,) = look_at(open_reddit(server, context, overlap_seconds=0))
    assert texts(first) == ["acme tomorrow"]
    assert json.loads(first.cursor)["r/tea/comments/"] == SECOND
    fake.things[:] = [comment("c2", "acme now", SECOND + 30)]
    (second,) = look_at(open_reddit(server, context, overlap_seconds=0), first.cursor)
    assert texts(second) == ["acme now"]


@pytest.mark.parametrize(
    "cursor", ["", "nonsense", "[]", "{", '{"r/tea/comments/": "x"}', '{"r/tea/comments/": -4}', '{"gone": 5}']
)
def test_a_cursor_that_cannot_be_read_looks_back(serve: Serve, context: FeedContext, cursor: str):
    """A damaged cursor costs a second look, never a crash."""
    (batch,) = look_at(open_reddit(serve(FakeReddit([comment("c1", "acme")])), context), cursor)
    assert texts(batch) == ["acme"]


def test_a_cursor_of_the_future_is_brought_back(serve: Serve, context: FeedContext):
    """Also one that this machine wrote while its clock was wrong."""
    cursor = json.dumps({"r/tea/comments/": SECOND + 10**6})
    (batch,) = look_at(open_reddit(serve(FakeReddit([comment("c1", "acme", SECOND - 60)])), context), cursor)
    assert texts(batch) == ["acme"]


def test_rubbish_in_a_listing_is_refused_once(serve: Serve, context: FeedContext):
    """The reason is told in the first look only, and the rest is heard."""
    page = json.dumps({"data": {"children": [7, {"kind": "t1", "data": comment("c1", "acme")}], "after": 3}})
    fake = FakeReddit(mood=lambda path, _: say(page) if path == "r/tea/comments" else None)
    first, second = look_at(open_reddit(serve(fake), context), looks=2)
    assert texts(first) == ["acme"]
    assert first.refused == ("Reddit told of something, which is no post.",)
    assert not second.refused


@pytest.mark.parametrize("fault", sorted(set(FAULTS) - {"asked to slow down", "a bomb"}))
def test_a_fault_everywhere_is_a_retry(serve: Serve, context: FeedContext, fault: str):
    """Whatever comes instead of an answer, at the login or later, no batch is told and nothing hangs."""
    with pytest.raises(Retryable):
        look_at(open_reddit(serve(lambda _request: FAULTS[fault]()), context))
    fake = FakeReddit([comment("c1", "acme")])
    fake.mood = lambda path, _: None if path == "api/v1/access_token" else FAULTS[fault]()
    with pytest.raises(Retryable):
        look_at(open_reddit(serve(fake), context))


@pytest.mark.parametrize("fault", sorted(set(FAULTS) - {"asked to slow down", "a bomb"}))
def test_a_fault_in_one_place_leaves_the_others(serve: Serve, context: FeedContext, fault: str):
    """The reason is told once; when the place answers again, what it had is heard."""
    fake = FakeReddit([comment("c1", "acme one"), submission("s1", "acme two")])
    is_broken = True
    fake.mood = lambda path, _: FAULTS[fault]() if is_broken and path == "r/tea/comments" else None
    batches = open_reddit(serve(fake), context).listen(None)
    first, second = next(batches), next(batches)
    assert texts(first) == ["acme two"]
    assert len(first.refused) == 1
    assert not second.refused
    is_broken = False
    assert texts(next(batches)) == ["acme one"]


def test_a_place_that_stays_silent_is_a_gap(serve: Serve, context: FeedContext, hands: Hands):
    """After an hour, and then once an hour, while the others are heard."""
    fake = FakeReddit()
    batches = open_reddit(serve(fake), context, poll_seconds=600).listen(None)
    next(batches)
    fake.closed["tea"] = (403, "private")
    fake.mood = lambda path, _: say(json.dumps(listing())) if path == "r/tea/new" else None
    told = [gap for batch in islice(batches, 14) for gap in batch.gaps]
    assert [gap.reason for gap in told] == ["r/tea is private: its moderators must let the account in."] * len(told)
    assert 1 <= len(told) <= 2
    assert (told[0].end - told[0].start) >= timedelta(hours=1)
    assert hands.now() > told[-1].end - timedelta(seconds=1)


def test_a_place_that_came_back_is_no_gap(serve: Serve, context: FeedContext):
    """Once it is heard again nothing is missing; when it falls silent anew, that is news."""
    fake = FakeReddit()
    is_broken = True
    fake.mood = lambda path, _: Answer(503) if is_broken and path == "r/tea/new" else None
    batches = open_reddit(serve(fake), context, poll_seconds=600).listen(None)
    assert next(batches).refused
    is_broken = False
    assert not [gap for batch in islice(batches, 10) for gap in batch.gaps]
    is_broken = True
    told = next(batches)
    assert told.refused
    assert not told.gaps


@pytest.mark.parametrize(
    ("status", "reason", "words"),
    [
        (403, "private", "r/tea is private"),
        (403, "quarantined", "r/tea is quarantined"),
        (404, "banned", "r/tea was banned by Reddit"),
        (404, "", "There is no r/tea"),
        (302, "", "There is no r/tea"),
        (403, "", "does not let the account read r/tea"),
    ],
)
def test_a_closed_subreddit_is_tried_again(serve: Serve, context: FeedContext, status: int, reason: str, words: str):
    """It may open again tomorrow, as many did after their protests; the sentence names it."""
    with pytest.raises(Retryable, match=words):
        look_at(open_reddit(serve(FakeReddit(closed={"tea": (status, reason)})), context))


def test_a_wrong_address_is_said(serve: Serve, context: FeedContext):
    """A redirect is not followed: it would take the account's token along."""
    fake = FakeReddit(mood=lambda path, _: Answer(301, b"", {"Location": "http://x/"}) if path[0] == "r" else None)
    with pytest.raises(Retryable, match="leads elsewhere"):
        look_at(open_reddit(serve(fake), context))
    nobody = reddit.open_platform(
        {"base_url": "http://127.0.0.1:9", "oauth_url": "http://127.0.0.1:9"}, replace(context, secrets=SECRETS)
    )
    with pytest.raises(Retryable, match="could not be reached"):
        next(nobody.listen(None))


def test_a_dead_host_is_not_asked_for_every_place(serve: Serve, context: FeedContext):
    """A hundred places that each run into a time-out would hold up a look for an hour."""
    fake = FakeReddit(mood=lambda path, _: FAULTS["hung up"]() if path != "api/v1/access_token" else None)
    with pytest.raises(Retryable):
        look_at(open_reddit(serve(fake), context, subreddits=[f"sub{number}" for number in range(20)]))
    assert len([path for path in fake.asked if path.startswith("r/")]) == 3


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (slow_down("30"), 30.0),
        (slow_down(), None),
        (slow_down("soon"), None),
        (Answer(429, b"", {"X-Ratelimit-Reset": "41.5"}), 41.5),
        (Answer(429, b"<html>Too Many Requests</html>", {"Retry-After": "Mon, 23 Nov 2026 12:01:00 GMT"}), 60.0),
    ],
)
def test_being_asked_to_slow_down_is_told_with_the_time(
    serve: Serve, context: FeedContext, answer: Answer, seconds: float | None
):
    """In whatever form it is given; at once, since it holds for the whole client."""
    fake = FakeReddit(mood=lambda path, _: answer if path == "r/tea/comments" else None)
    with pytest.raises(RateLimited) as caught:
        look_at(open_reddit(serve(fake), context))
    assert caught.value.retry_after == seconds


def test_many_places_make_looks_rarer(serve: Serve, context: FeedContext, hands: Hands):
    """A hundred subreddits are two hundred requests: a look every 150 seconds."""
    names = [f"sub{number}" for number in range(100)]
    batches = open_reddit(serve(FakeReddit()), context, subreddits=names).listen(None)
    next(batches)
    next(batches)
    assert hands.paused == pytest.approx(150)


def test_a_reader_closes_in_the_middle_of_a_look(serve: Serve, context: FeedContext):
    """The rest of the look is given up, and nothing half is told."""
    fake = FakeReddit([comment("c1", "acme")])
    platform = open_reddit(serve(fake), context, subreddits=["tea", "pots"])

    def close_then(path: str, _request: Request) -> None:
        if path == "r/tea/new":
            platform.close()

    fake.mood = close_then
    assert list(platform.listen(None)) == []
    assert "r/pots/new" not in fake.asked


def test_the_memory_of_a_run_does_not_grow(serve: Serve, context: FeedContext, hands: Hands):
    """What lies behind the overlap is forgotten, also where another place is quiet for ever."""
    fake = FakeReddit([submission("s1", "an old thread", SECOND - 10**7)])
    source_count = 2
    platform = open_reddit(serve(fake), context, overlap_seconds=60)
    looks = platform._start()
    sinces: dict[str, int] = {}
    for number in range(30):
        fake.add(comment(f"c{number}", "acme", int(hands.now().timestamp())))
        assert list(looks.look(sinces, SECOND - 600))
        hands.pause(120)
    assert len(looks._told) <= 2
    assert len(sinces) == source_count
    assert reddit_looks.read_cursor(reddit_looks.write_cursor(sinces), sinces, 10**11) == sinces
