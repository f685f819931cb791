"""The fake of Reddit behaves as the real one, as far as praw can tell; and praw has the traps guarded against."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import islice

import praw
import prawcore
import pytest
from fake_reddit import SECOND, SECRETS, FakeReddit, comment, complain, submission
from praw.exceptions import RedditAPIException
from servers import Answer, Script, Server

Serve = Callable[[Script], Server]


@pytest.fixture
def open_praw(serve: Serve) -> Callable[..., praw.Reddit]:
    """Open praw as its documentation says, against a fake."""

    def open_it(fake: FakeReddit, **others: str) -> praw.Reddit:
        server = serve(fake)
        told = {name.removeprefix("REDDIT_").lower(): value for name, value in SECRETS.items()} | others
        return praw.Reddit(
            "DEFAULT",
            user_agent="linux:test:v1 (by /u/acme_care)",
            reddit_url=server.url,
            oauth_url=f"{server.url}/",
            check_for_updates=False,
            check_for_async=False,
            ratelimit_seconds=5,
            timeout=5,
            **{f"{name}_kind": f"t{number}" for number, name in enumerate(_KINDS, 1)},
            **told,
        )

    return open_it


_KINDS = ("comment", "redditor", "submission", "message", "subreddit", "trophy")


def test_praw_pages_through_a_listing(open_praw: Callable[..., praw.Reddit]):
    """In hundreds, newest first, up to the most that is told."""
    fake = FakeReddit([comment(f"c{number}", "x", SECOND - number) for number in range(1_050)])
    reddit = open_praw(fake)
    found = [each.id for each in reddit.subreddit("tea").comments(limit=None)]
    assert found == [f"c{number}" for number in range(1_000)]
    assert fake.asked.count("r/tea/comments") == 10
    assert len(list(reddit.subreddit("tea").new(limit=5))) == 0
    assert len(list(reddit.subreddit("pots+tea").comments(limit=5))) == 5


def test_of_an_anchor_that_is_gone_nothing_is_told(open_praw: Callable[..., praw.Reddit]):
    """This is why places are read by time, and not from a remembered post on."""
    fake = FakeReddit([comment(f"c{number}", "x", SECOND - number) for number in range(10)])
    comments = open_praw(fake).subreddit("tea").comments
    assert [each.id for each in comments(params={"before": "t1_c2"})] == ["c0", "c1"]
    del fake.things[2]
    assert list(comments(params={"before": "t1_c2"})) == []
    assert list(comments(params={"after": "t1_c2"})) == []


def test_a_stream_of_praw_loses_what_does_not_fit_a_page(
    open_praw: Callable[..., praw.Reddit], monkeypatch: pytest.MonkeyPatch
):
    """This is why it is not used: after a busy minute only the last hundred are told."""
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    fake = FakeReddit([comment("old", "x", SECOND - 1_000)])
    stream = open_praw(fake).subreddit("tea").stream.comments(pause_after=-1)
    assert [each.id for each in heard(stream)] == ["old"]
    fake.add(*(comment(f"c{number}", "x", SECOND - number) for number in range(250)))
    assert len(heard(stream) + heard(stream) + heard(stream)) == 100


def heard(stream: Iterator[praw.models.Comment | None]) -> list[praw.models.Comment]:
    """What a stream tells before it pauses."""
    told: list[praw.models.Comment] = []
    for each in islice(stream, 1_000):
        if each is None:
            break
        told.append(each)
    return told


def test_the_search_finds_submissions_by_words_and_author(open_praw: Callable[..., praw.Reddit]):
    """Within a time, newest first."""
    fake = FakeReddit([
        submission("s1", "Acme tea", SECOND - 60),
        submission("s2", "pots", SECOND - 50, selftext="of acme"),
        submission("s3", "pots", SECOND - 40, author="bob"),
        submission("s4", "acme", SECOND - 90_000),
        comment("c1", "acme"),
    ])  # fmt: skip
    everywhere = open_praw(fake).subreddit("all")
    assert [each.id for each in everywhere.search('"acme"', sort="new")] == ["s2", "s1", "s4"]
    assert [each.id for each in everywhere.search('"acme" OR author:"bob"', time_filter="day")] == ["s3", "s2", "s1"]


def test_posts_the_account_and_the_inbox_are_told(open_praw: Callable[..., praw.Reddit]):
    """Posts by their ids in the order asked; those that are not there are left out."""
    fake = FakeReddit([comment("c1", "x"), submission("s1", "y")], inbox={"mentions": [comment("c9", "u/acme_care")]})
    reddit = open_praw(fake)
    assert [each.fullname for each in reddit.info(fullnames=["t3_s1", "t1_no", "t1_c1"])] == ["t3_s1", "t1_c1"]
    assert str(reddit.user.me()) == "acme_care"
    assert [each.id for each in reddit.inbox.mentions()] == ["c9"]
    assert list(reddit.inbox.comment_replies()) == []


def test_a_comment_is_made_or_refused(open_praw: Callable[..., praw.Reddit]):
    """With the parent, the text and the account; closed threads are refused as Reddit refuses them."""
    fake = FakeReddit([comment("c1", "x"), submission("s1", "y", locked=True)])
    reddit = open_praw(fake)
    made = reddit.comment("c1").reply("hello")
    assert made is not None
    assert (made.id, str(made.author), made.parent_id) == ("new1", "acme_care", "t1_c1")
    with pytest.raises(RedditAPIException) as caught:
        reddit.submission("s1").reply("hello")
    assert caught.value.items[0].error_type == "THREAD_LOCKED"
    with pytest.raises(prawcore.Forbidden):
        reddit.comment("nowhere").reply("hello")
    assert fake.posted == [("t1_c1", "hello")]


def test_praw_logs_in_again_and_is_told_what_it_may_not(open_praw: Callable[..., praw.Reddit]):
    """Where a token was taken back; where the client, the password or a scope is wrong."""
    fake = FakeReddit([comment("c1", "x")], scope="read")
    reddit = open_praw(fake)
    assert len(list(reddit.subreddit("tea").comments())) == 1
    with pytest.raises(prawcore.InsufficientScope):
        list(reddit.inbox.mentions())
    with pytest.raises(prawcore.OAuthException, match="invalid_grant"):
        list(open_praw(fake, password="no").subreddit("tea").comments())
    with pytest.raises(prawcore.ResponseException, match="401"):
        list(open_praw(fake, client_secret="no").subreddit("tea").comments())


@pytest.mark.parametrize(
    ("told", "error", "least"),
    [
        (lambda: Answer(503), prawcore.ServerError, 2),
        (lambda: complain("RATELIMIT", "try again in 1 second."), RedditAPIException, 3),
    ],
)
def test_left_alone_praw_sends_a_reply_more_than_once(
    open_praw: Callable[..., praw.Reddit],
    monkeypatch: pytest.MonkeyPatch,
    told: Callable[[], Answer],
    error: type[Exception],
    least: int,
):
    """This is why replies go through a line of our own; should praw change, this fails and the line can go."""
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    fake = FakeReddit([comment("c1", "x")], mood=lambda path, _: told() if path == "api/comment" else None)
    with pytest.raises(error):
        open_praw(fake).comment("c1").reply("hello")
    assert fake.asked.count("api/comment") >= least
