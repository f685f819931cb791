"""Posts that are gone or edited are found by X's own jobs, which are free."""

from __future__ import annotations

from dataclasses import replace

import pytest
from clocks import Hands
from fake_x import FakeX, problem
from servers import Answer, Server
from stand import Serve
from stand_x import look, mentions, open_x

from listeners import x
from listeners.contract import FeedContext
from listeners.errors import ListenerError, RateLimited
from listeners.mention import Batch, Mention


@pytest.fixture
def fake(hands: Hands) -> FakeX:
    """X, with the tests' clock."""
    return FakeX(now=hands.now)


def listening(server: Server, context: FeedContext, **settings: object) -> tuple[x.X, list[Mention]]:
    """A feed, and what it heard."""
    feed = open_x(server, context, user_id="77", **settings)
    return feed, mentions(look(feed))


def test_what_is_gone_is_removed_and_the_rest_was_seen(serve: Serve, fake: FakeX, context: FeedContext):
    """Whatever the reason; the job costs nothing."""
    posts = [fake.add(f"acme {number}") for number in range(5)]
    server = serve(fake)
    feed, stored = listening(server, context)
    for post, fate in zip(posts, ["deleted", "protected", "suspended"], strict=False):
        post.fate = fate
    billed = len(fake.billed)
    batch = feed.recheck(stored)
    assert {removal.native_id for removal in batch.removals} == {post.id for post in posts[:3]}
    assert set(batch.checked) == {post.id for post in posts}
    assert (batch.mentions, batch.cursor, len(fake.billed)) == ((), "", billed)
    assert [request.method for request in server.requests[-4:]] == ["POST", "PUT", "GET", "GET"]
    assert "authorization" in server.requests[-3].headers


def test_an_edited_post_is_read_again(serve: Serve, fake: FakeX, context: FeedContext):
    """Its newest words come under its first number, and are paid for."""
    first, other = fake.add("acme is dwon", 20), fake.add("acme fine", 19)
    feed, stored = listening(serve(fake), context)
    second = fake.add("it is up again", 1)
    second.versions = first.versions = (first.id, second.id)
    batch = feed.recheck(stored)
    (mention,) = batch.mentions
    assert (mention.native_id, mention.text, mention.watches, mention.brand) == (
        first.id,
        second.text,
        ("acme",),
        "Acme",
    )
    assert second.id in mention.reply_ref
    assert set(batch.checked) == {first.id, other.id}
    assert batch.cost_micros == 5_000
    assert not batch.removals


def test_an_edited_post_that_cannot_be_paid_is_asked_for_again(serve: Serve, fake: FakeX, context: FeedContext):
    """It is not called seen."""
    first = fake.add("acme is dwon", 20)
    spent = [0]
    feed, stored = listening(serve(fake), replace(context, spent=lambda: spent[0]))
    second = fake.add("acme is down", 1)
    second.versions = (first.id, second.id)
    spent[0] = 50_000_000
    batch = feed.recheck(stored)
    assert (batch.mentions, batch.checked) == ((), ())


def test_a_job_that_takes_long_is_looked_at_in_the_next_call(serve: Serve, fake: FakeX, context: FeedContext):
    """Nothing waits for it, and no second one is made."""
    post = fake.add("acme one")
    feed, stored = listening(serve(fake), context)
    post.fate, fake.job_looks = "deleted", 7
    assert feed.recheck(stored) == Batch()
    assert [removal.native_id for removal in feed.recheck([]).removals] == [post.id]
    assert len(fake.jobs) == 1


def test_a_job_of_an_earlier_run_is_cancelled_and_others_are_left(serve: Serve, fake: FakeX, context: FeedContext):
    """X works on one list at a time."""
    fake.add("acme one")
    feed, stored = listening(serve(fake), context)
    fake.jobs["7"] = {"id": "7", "status": "in_progress", "name": "somebody else's"}
    with pytest.raises(RateLimited, match="another list") as caught:
        feed.recheck(stored)
    assert (caught.value.retry_after, fake.jobs["7"]["status"]) == (300, "in_progress")
    fake.jobs["7"]["name"] = "cuecard:main"
    with pytest.raises(RateLimited):
        feed.recheck(stored)
    assert fake.jobs["7"]["status"] == "canceled"
    assert feed.recheck(stored).checked


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("POST /2/compliance", Answer(503)),
        ("POST /2/compliance", problem(429, "rate-limit-exceeded")),
        ("POST /2/compliance", problem(403, "client-forbidden")),
        ("POST /2/compliance", Answer(200, b'{"data": {"id": "1", "upload_url": "file:///etc/passwd"}}')),
        ("POST /2/compliance", Answer(200, b'{"data": {"id": "1"}}')),
        ("POST /2/compliance", Answer(200, b"[]")),
        ("POST /2/compliance", Answer(200, b"<html>")),
        ("PUT /2/compliance", Answer(403, b"<html>")),
        ("GET /2/compliance/jobs/1000/download", Answer(500)),
        ("GET /2/compliance/jobs/1000/download", Answer(200, b'{"id": ')),
        ("GET /2/compliance/jobs/1000", Answer(200, b'{"data": {"status": "failed"}}')),
        ("GET /2/compliance/jobs/1000", Answer(502)),
    ],
)
def test_a_fault_is_told_and_the_next_call_finds_all(
    serve: Serve, fake: FakeX, context: FeedContext, path: str, answer: Answer
):
    """A job that broke off is not waited for."""
    post = fake.add("acme one")
    feed, stored = listening(serve(fake), context)
    post.fate = "deleted"
    fake.faults[path] = [answer]
    with pytest.raises(ListenerError):
        feed.recheck(stored)
    batch = Batch()
    for _attempt in range(3):
        try:
            batch = feed.recheck(stored)
        except RateLimited:
            continue
        break
    assert [removal.native_id for removal in batch.removals] == [post.id]


def test_the_token_is_shown_to_x_alone(serve: Serve, fake: FakeX, context: FeedContext):
    """An address elsewhere that X names gets the list, and no key."""
    fake.add("acme one")
    elsewhere = serve(lambda _request: Answer(200))
    feed, stored = listening(serve(fake), context)
    told = f'{{"data": {{"id": "1000", "upload_url": "{elsewhere.url}/u", "download_url": "{elsewhere.url}/d"}}}}'
    fake.faults["POST /2/compliance"] = [Answer(200, told.encode())]
    fake.jobs["1000"] = {"id": "1000", "status": "complete"}
    assert feed.recheck(stored).checked == (stored[0].native_id,)
    assert [(request.method, request.path) for request in elsewhere.requests] == [("PUT", "/u"), ("GET", "/d")]
    assert not any("authorization" in request.headers for request in elsewhere.requests)


def test_nothing_to_look_at_asks_nobody(serve: Serve, fake: FakeX, context: FeedContext):
    """Neither an empty list nor numbers that X never gave out."""
    fake.add("acme one")
    server = serve(fake)
    feed, stored = listening(server, context)
    asked = len(server.requests)
    assert feed.recheck([]) == Batch()
    assert feed.recheck([replace(stored[0], native_id="abc")]).checked == ("abc",)
    assert len(server.requests) == asked


def test_a_stop_ends_the_wait(serve: Serve, fake: FakeX, context: FeedContext):
    """It does not hold the end of the bot."""
    fake.add("acme one")
    feed, stored = listening(serve(fake), context)
    feed_that_stops = open_x(serve(fake), replace(context, pause=lambda _seconds: True), user_id="77")
    assert feed_that_stops.recheck(stored).checked == ()
    feed.close()
