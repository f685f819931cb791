"""Answering on Reddit: one press is one request, and what became of it is told for certain, or as unknown."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from clocks import Hands
from fake_reddit import BLOCK_PAGE, SECOND, SECRETS, FakeReddit, comment, complain, refuse, submission
from servers import FAULTS, Answer, Request, Script, Server, cut_chunk, cut_short, garbage, half_close, say, slow_down
from stand_reddit import look_at, open_reddit

from listeners.contract import FeedContext, Posted
from listeners.errors import ListenerError, Permanent, RateLimited, RefusedByRules, Retryable, Unknown
from listeners.mention import Mention
from listeners.reddit.posts import Thing, read_post

Serve = Callable[[Script], Server]


def mention_of(**others: object) -> Mention:
    """A comment that was heard."""
    read = read_post(Thing("t1", comment("c1", "acme is down", **others)), "main", "https://www.reddit.com")
    assert isinstance(read, Mention)
    return read


def answer(
    serve: Serve, context: FeedContext, fake: FakeReddit, mention: Mention | None = None, **settings: object
) -> Posted:
    """Answer a comment on a server."""
    fake.add(comment("c1", "acme is down"))
    platform = open_reddit(serve(fake), context, **settings)
    try:
        return platform.reply(mention or mention_of(), "We are on it.", "key")
    finally:
        platform.close()


def at_comments(told: Callable[[], Answer]) -> Callable[[str, Request], Answer | None]:
    """A mood in which only replies are answered like this."""
    return lambda path, _request: told() if path == "api/comment" else None


def test_a_reply_is_posted_once_under_what_it_answers(serve: Serve, context: FeedContext):
    """With the text as it is, and the address where it stands."""
    fake = FakeReddit()
    posted = answer(serve, context, fake)
    assert fake.posted == [("t1_c1", "We are on it.")]
    assert posted.native_id == "t1_new1"
    assert posted.url.endswith("/r/tea/comments/root/how_do_you_brew/new1/")


def test_a_reply_opens_a_connection_of_its_own(serve: Serve, context: FeedContext):
    """One that was kept may be closed over there: a reply that breaks off on it would be unknown for nothing."""
    fake = FakeReddit([comment("c1", "acme", SECOND - 5)])
    server = serve(fake)
    platform = open_reddit(server, context)
    next(platform.listen(None))
    platform.reply(mention_of(), "hello", "key")
    kept = {request.method: request.headers["connection"] for request in server.requests if "token" not in request.path}
    assert kept == {"GET": "keep-alive", "POST": "close"}


def test_a_submission_is_answered_and_then_the_answer(serve: Serve, context: FeedContext):
    """A comment under the thread's root, and one under our own."""
    fake = FakeReddit([submission("s1", "Acme?")])
    platform = open_reddit(serve(fake), context)
    (batch,) = look_at(platform)
    first = platform.reply(batch.mentions[0], "Hello", "key")
    platform.reply(batch.mentions[0], "and more", "key2", after=first)
    assert fake.posted == [("t3_s1", "Hello"), ("t1_new1", "and more")]


def test_any_text_arrives_as_it_was_written(serve: Serve, context: FeedContext):
    """Markdown, signs and every script, as a form."""
    fake = FakeReddit([comment("c1", "acme")])
    platform = open_reddit(serve(fake), context)
    text = "**So** sorry & thanks; 100% 茶 🫖\n\n> quote\n\nu/jane"
    platform.reply(mention_of(), platform.shape(text, mention_of()).text, "key")
    assert fake.posted == [("t1_c1", text)]


@pytest.mark.parametrize(
    "fault",
    [
        lambda: Answer(500),
        lambda: Answer(502, b"<html>oops</html>"),
        lambda: Answer(503, b"", {"Retry-After": "1"}),
        lambda: Answer(504),
        lambda: Answer(520),
        lambda: Answer(408),
        cut_short,
        cut_chunk,
        half_close,
        garbage,
        lambda: say(b""),
        lambda: say(b"<html>Log in to the hotel's network</html>"),
        lambda: say(b'{"json"'),
        lambda: say(b"[" * 100_000),
        lambda: say("7"),
        lambda: say('{"json": {"errors": []}}'),
        lambda: say('{"json": {"errors": [[]]}}'),
        lambda: say('{"json": {"errors": [], "data": {"things": [{"kind": "t1", "data": {}}]}}}'),
        lambda: say('{"json": {"errors": [], "data": {"things": [{"kind": "t3", "data": {"id": "x"}}]}}}'),
        lambda: say('{"json": {"errors": [], "data": {"things": []}}}'),
        lambda: Answer(204),
    ],
)
def test_what_is_not_certain_is_unknown_after_exactly_one_request(
    serve: Serve, context: FeedContext, fault: Callable[[], Answer]
):
    """Left alone, prawcore would send a reply up to three times; here it goes once, whatever becomes of it."""
    fake = FakeReddit(mood=at_comments(fault))
    with pytest.raises(Unknown):
        answer(serve, context, fake)
    assert fake.asked.count("api/comment") == 1


def test_a_reply_that_is_never_answered_is_unknown(serve: Serve, context: FeedContext, monkeypatch: pytest.MonkeyPatch):
    """The time-out ends the wait, and there is no second try."""
    monkeypatch.setattr("listeners.reddit.line._TIMEOUTS", (5.0, 0.2))
    fake = FakeReddit(mood=at_comments(lambda: Answer(raw=lambda _connection: time.sleep(0.5))))
    with pytest.raises(Unknown):
        answer(serve, context, fake)
    assert fake.asked.count("api/comment") == 1


@pytest.mark.parametrize("lost", [lambda: Answer(503), half_close, lambda: say(b"<html>oops</html>")])
def test_a_reply_that_was_made_and_not_confirmed_is_found(
    serve: Serve, context: FeedContext, lost: Callable[[], Answer]
):
    """Among the newest comments of the account: what is there for certain is not unknown. It is not posted again."""
    fake = FakeReddit([comment("c1", "acme"), comment("c2", "acme")])

    def make_and_lose(path: str, request: Request) -> Answer | None:
        if path != "api/comment":
            return None
        fake._serve(path, request)
        return lost()

    platform = open_reddit(serve(fake), context)
    platform.reply(mention_of(id="c2", name="t1_c2"), "hello", "key")
    fake.mood = make_and_lose
    posted = platform.reply(mention_of(), "hello", "key2")
    assert (posted.native_id, posted.url[-6:]) == ("t1_new2", "/new2/")
    assert fake.posted == [("t1_c2", "hello"), ("t1_c1", "hello")]


def test_a_reply_that_is_not_found_stays_unknown(serve: Serve, context: FeedContext):
    """Also where the account's name is not known, or the look itself fails; another reply there is not taken for it."""
    fake = FakeReddit([comment("c1", "acme")], refresh_tokens={"r"})
    server = serve(fake)
    platform = open_reddit(server, context)
    platform.reply(mention_of(), "another", "key")
    fake.mood = at_comments(lambda: Answer(503))
    with pytest.raises(Unknown):
        platform.reply(mention_of(), "hello", "key")
    fake.mood = lambda path, _: None if path == "api/v1/access_token" else Answer(503)
    with pytest.raises(Unknown):
        platform.reply(mention_of(), "hello", "key")
    secrets = {"REDDIT_REFRESH_TOKEN": "r", "REDDIT_CLIENT_ID": "client-9"}
    nameless = open_reddit(server, context, secrets | {"REDDIT_CLIENT_SECRET": SECRETS["REDDIT_CLIENT_SECRET"]})
    with pytest.raises(Unknown):
        nameless.reply(mention_of(), "hello", "key")
    assert [path for path in fake.asked if path.startswith("user/")] == ["user/acme_care/comments"] * 2


def test_a_reply_in_a_quarantined_community_is_looked_for(serve: Serve, context: FeedContext):
    """Reddit makes the comment there, and does not say so."""
    fake = FakeReddit([comment("q1", "acme", quarantine=True)])
    posted = open_reddit(serve(fake), context).reply(mention_of(id="q1", name="t1_q1"), "hello", "key")
    assert posted.native_id == "t1_new1"
    assert len(fake.posted) == 1


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("Looks like you've been doing that a lot. Take a break for 9 minutes before trying again.", 540.0),
        ("you are doing that too much. try again in 5 seconds.", 5.0),
        ("you are doing that too much. try again in 500 milliseconds.", 0.5),
        ("you are doing that too much. try again in 1 hour.", 3_600.0),
        ("you are doing that too much. try again later.", None),
    ],
)
def test_an_account_that_is_too_fast_waits_as_long_as_it_is_told(
    serve: Serve, context: FeedContext, words: str, seconds: float | None
):
    """Left alone, praw would sleep and send again; the outbox decides that here."""
    fake = FakeReddit(mood=at_comments(lambda: complain("RATELIMIT", words, "ratelimit")))
    began = time.monotonic()
    with pytest.raises(RateLimited) as caught:
        answer(serve, context, fake)
    assert caught.value.retry_after == seconds
    assert fake.asked.count("api/comment") == 1
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("told", "seconds"),
    [(slow_down("30"), 30.0), (slow_down(), None), (Answer(429, b"", {"X-Ratelimit-Reset": "12"}), 12.0)],
)
def test_a_limit_for_all_requests_is_obeyed(serve: Serve, context: FeedContext, told: Answer, seconds: float | None):
    """Nothing was posted, for certain."""
    fake = FakeReddit(mood=at_comments(lambda: told))
    with pytest.raises(RateLimited) as caught:
        answer(serve, context, fake)
    assert caught.value.retry_after == seconds
    assert fake.asked.count("api/comment") == 1


def test_nothing_is_sent_where_nothing_is_left(serve: Serve, context: FeedContext, hands: Hands):
    """The request would be refused anyway; it waits until Reddit counts anew."""
    limits = {"X-Ratelimit-Remaining": "0.0", "X-Ratelimit-Used": "1000", "X-Ratelimit-Reset": "100"}
    fake = FakeReddit([comment("c1", "acme")], limits=limits)
    platform = open_reddit(serve(fake), context)
    with pytest.raises(RateLimited):
        next(platform.listen(None))
    with pytest.raises(RateLimited) as caught:
        platform.reply(mention_of(), "hello", "key")
    assert caught.value.retry_after == 100.0
    assert not fake.posted
    hands.pause(101)
    assert platform.reply(mention_of(), "hello", "key").native_id == "t1_new1"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("THREAD_LOCKED", "locked this thread"),
        ("TOO_OLD", "archived"),
        ("DELETED_COMMENT", "The comment was deleted"),
        ("DELETED_LINK", "The post was deleted"),
        ("COMMENT_NOT_ACCESSIBLE", "The comment was removed"),
        ("USER_BLOCKED", "blocked the other"),
        ("SUBREDDIT_NOTALLOWED", "may not post in the community r/tea"),
        ("BANNED_FROM_SUBREDDIT", "banned from the community r/tea"),
        ("USER_MUTED", "muted in the community r/tea"),
        ("IN_TIMEOUT", "suspended the account"),
        ("TOO_LONG", "longer than Reddit takes"),
        ("NO_TEXT", "no text"),
        ("DOMAIN_BANNED", "holds a link"),
        ("SOMETHING_NEW", r"Reddit refused the reply \(SOMETHING_NEW\): not today$"),
        ("", r"Reddit refused the reply \(without a reason\): not today$"),
    ],
)
def test_what_reddit_refuses_is_told_in_plain_words(serve: Serve, context: FeedContext, code: str, words: str):
    """Whether it comes as an error in JSON with status 200, or as a status with a reason."""
    fake = FakeReddit(mood=at_comments(lambda: complain(code, "not \n today")))
    with pytest.raises(Permanent, match=words):
        answer(serve, context, fake)
    if code not in {"", "SOMETHING_NEW"}:
        fake = FakeReddit(mood=at_comments(lambda: refuse(403, reason=code, explanation="no", fields=["parent"])))
        with pytest.raises(Permanent, match=words):
            answer(serve, context, fake)
        fake = FakeReddit(mood=at_comments(lambda: Answer(400, complain(code).body)))
        with pytest.raises(Permanent, match=words):
            answer(serve, context, fake)


@pytest.mark.parametrize(
    ("status", "reason", "words"),
    [
        (403, "private", "The community r/tea is private"),
        (404, "banned", "The community r/tea was banned"),
        (404, "", "not there any more"),
        (400, "", "refused the reply"),
        (413, "", "refused the reply"),
        (302, "", "refused the reply"),
    ],
)
def test_a_status_that_refuses_is_permanent(serve: Serve, context: FeedContext, status: int, reason: str, words: str):
    """Reddit did not post it, and would not do so next time."""
    fake = FakeReddit(mood=at_comments(lambda: refuse(status, reason=reason)))
    with pytest.raises(Permanent, match=words) as caught:
        answer(serve, context, fake)
    assert not isinstance(caught.value, RefusedByRules)
    assert fake.asked.count("api/comment") == 1


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (refuse(403), "closed, or the account is suspended or banned from the community r/tea"),
        (refuse(403, reason="quarantined"), "quarantined"),
        (Answer(403, BLOCK_PAGE), "network security blocks this machine"),
        (Answer(403, b"", {"WWW-Authenticate": 'Bearer error="insufficient_scope"'}), "scope submit"),
    ],
)
def test_where_a_person_may_still_answer_the_post_is_handed_over(
    serve: Serve, context: FeedContext, told: Answer, words: str
):
    """A program is kept out, or Reddit does not say why: a person opens the post and sees."""
    with pytest.raises(RefusedByRules, match=words) as caught:
        answer(serve, context, FakeReddit(mood=at_comments(lambda: told)))
    assert caught.value.url == mention_of().url


def test_an_access_that_was_taken_back_is_renewed_before_the_next_try(serve: Serve, context: FeedContext):
    """Nothing was posted, for certain; the outbox tries again, and then there is a new token."""
    fake = FakeReddit([comment("c1", "acme")])
    platform = open_reddit(serve(fake), context)
    platform.reply(mention_of(), "one", "key")
    fake.take_back_tokens()
    with pytest.raises(Retryable):
        platform.reply(mention_of(), "two", "key2")
    assert fake.asked.count("api/comment") == 2
    platform.reply(mention_of(), "two", "key2")
    assert [text for _, text in fake.posted] == ["one", "two"]


@pytest.mark.parametrize("fault", sorted(set(FAULTS) - {"a bomb"}))
def test_whatever_goes_wrong_at_the_login_nothing_was_posted(serve: Serve, context: FeedContext, fault: str):
    """The login comes before the reply: its failure is never unknown."""
    fake = FakeReddit(mood=lambda path, _: FAULTS[fault]() if path == "api/v1/access_token" else None)
    with pytest.raises(Retryable):
        answer(serve, context, fake)
    assert "api/comment" not in fake.asked


def test_a_login_that_is_refused_is_permanent(serve: Serve, context: FeedContext):
    """And one that the network's guard stops is left to a person."""
    fake = FakeReddit()
    platform = open_reddit(serve(fake), context, SECRETS | {"REDDIT_PASSWORD": "old"})
    with pytest.raises(Permanent, match="REDDIT_PASSWORD"):
        platform.reply(mention_of(), "hello", "key")
    blocked = FakeReddit(mood=lambda path, _: Answer(403, BLOCK_PAGE) if "token" in path else None)
    with pytest.raises(RefusedByRules) as caught:
        answer(serve, context, blocked)
    assert caught.value.url == mention_of().url
    assert "api/comment" not in fake.asked + blocked.asked


def test_a_connection_that_was_never_made_posted_nothing(serve: Serve, context: FeedContext):
    """The login worked; the host of the API is not there."""
    with pytest.raises(Retryable, match="nothing was posted"):
        answer(serve, context, FakeReddit(), oauth_url="http://127.0.0.1:9")


@pytest.mark.parametrize("fault", [half_close, lambda: Answer(503), lambda: complain("THREAD_LOCKED")])
def test_no_error_holds_a_secret(serve: Serve, context: FeedContext, fault: Callable[[], Answer]):
    """Nor does what it came from, down to the last cause."""
    with pytest.raises(ListenerError) as caught:
        answer(serve, context, FakeReddit(mood=at_comments(fault)))
    err: BaseException | None = caught.value
    while err is not None:
        assert "s3cret" not in f"{err} {err!r}"
        err = err.__cause__ or err.__context__


def test_listening_and_answering_do_not_share_a_login(serve: Serve, context: FeedContext):
    """They run in threads of their own, and praw is not made for two."""
    fake = FakeReddit([comment("c1", "acme", SECOND - 5)])
    platform = open_reddit(serve(fake), context)
    next(platform.listen(None))
    platform.reply(mention_of(), "hello", "key")
    assert fake.asked.count("api/v1/access_token") == 2
