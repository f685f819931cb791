"""Answering: what is allowed is known before a person writes, and a reply is posted once or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from clocks import NOON, Hands
from fake_x import OUR_HANDLE, SECRET, SECRETS, FakeX, Post, problem
from servers import FAULTS, Answer, Server, cut_short, half_close, say, slow_down
from stand import Serve
from stand_x import look, mentions, open_x

from listeners import x
from listeners.contract import FeedContext, Posted
from listeners.errors import ListenerError, Permanent, RateLimited, RefusedByRules, Retryable, Unknown
from listeners.mention import Author, Mention
from listeners.x.posts import Ref, Summons

CREATE = "POST /2/tweets"


@pytest.fixture
def fake(hands: Hands) -> FakeX:
    """X, with the tests' clock."""
    return FakeX(now=hands.now)


def heard(number: str = "12", summons: Summons = "mention", replies: str = "everyone") -> Mention:
    """A mention as it was stored."""
    ref = Ref(number, summons, replies).write()
    return Mention("x", number, "hi", Author("jane"), NOON, reply_ref=ref, account=f"@{OUR_HANDLE}" if summons else "")


def calling(fake: FakeX, **more: object) -> Post:
    """A post that calls on us."""
    return fake.add(f"@{OUR_HANDLE} help", **more)


def replies_in(server: Server) -> int:
    """How often a reply was sent."""
    return sum(request.method == "POST" for request in server.requests)


@pytest.mark.parametrize(
    ("summons", "replies", "route", "said"),
    [
        ("mention", "everyone", "api", "They mention @kettle_care"),
        ("mention", "", "api", "posted from @kettle_care, for $0.01, or $0.20 with a link"),
        ("quote", "everyone", "api", "They quote @kettle_care"),
        ("answer", "everyone", "api", "where X refuses that, you post it by hand"),
        ("", "everyone", "by_hand", "only posts that mention or quote @kettle_care"),
        ("mention", "mentionedUsers", "api", "They mention"),
        ("quote", "mentionedUsers", "by_hand", "lets only some accounts reply"),
        ("mention", "following", "by_hand", "lets only some accounts reply"),
        ("mention", "subscribers", "by_hand", "lets only some accounts reply"),
        ("mention", "verified", "by_hand", "lets only some accounts reply"),
    ],
)
def test_what_is_allowed_is_known_from_the_mention(  # noqa: PLR0917 - a row of the table
    serve: Serve, context: FeedContext, summons: Summons, replies: str, route: str, said: str
):
    """Purely, with the account to be signed in with."""
    capability = open_x(serve(FakeX()), context).capability(heard("12", summons, replies))
    assert (capability.route, capability.account) == (route, f"@{OUR_HANDLE}")
    assert said in capability.reason
    if route == "by_hand":
        assert capability.url == "https://x.com/intent/tweet?in_reply_to=12"
        assert capability.prefill == "https://x.com/intent/tweet?in_reply_to=12&text={text}"
        assert f"signed in as @{OUR_HANDLE}" in capability.reason


def test_an_enterprise_app_may_answer_anything(serve: Serve, context: FeedContext):
    """But for what the author closed."""
    feed = open_x(serve(FakeX()), context, is_enterprise=True)
    assert feed.capability(heard(summons="")).route == "api"
    assert feed.capability(heard(summons="", replies="following")).route == "by_hand"


def test_an_older_mention_is_answered_by_hand(serve: Serve, context: FeedContext):
    """One that was stored without what an answer needs."""
    feed = open_x(serve(FakeX()), context, intent_url="https://x.com/intent/post?via=a")
    capability = feed.capability(replace(heard(), reply_ref=""))
    assert (capability.route, capability.url) == ("by_hand", "https://x.com/intent/post?via=a&in_reply_to=12")


def test_a_reply_is_posted_once_with_a_signature_over_the_real_host(serve: Serve, fake: FakeX, context: FeedContext):
    """The fake checks it as X would; the post answers the one that was heard, and its price is told."""
    post = calling(fake)
    server = serve(fake)
    feed = open_x(server, context)
    (mention,) = mentions(look(feed))
    posted = feed.reply(mention, "Thank you & bye 👋", "key")
    assert fake.posts[posted.native_id].text == "Thank you & bye 👋"
    assert fake.posts[posted.native_id].replied_to == post.id
    assert posted.url == f"https://x.com/{OUR_HANDLE}/status/{posted.native_id}"
    assert posted.cost_micros == 10_000
    assert replies_in(server) == 1


def test_the_next_part_answers_the_one_before(serve: Serve, fake: FakeX, context: FeedContext):
    """In a thread of our own, where one is asked for."""
    calling(fake)
    feed = open_x(serve(fake), context)
    (mention,) = mentions(look(feed))
    first = feed.reply(mention, "one", "a")
    second = feed.reply(mention, "two", "b", after=first)
    assert fake.posts[second.native_id].replied_to == first.native_id


def test_an_edited_post_is_answered_in_its_newest_version(serve: Serve, fake: FakeX, context: FeedContext):
    """Its stored number is the first one."""
    first = calling(fake)
    second = calling(fake, minutes_ago=1)
    second.versions = (first.id, second.id)
    first.fate = "edited"
    feed = open_x(serve(fake), context)
    (mention,) = mentions(look(feed))
    assert mention.native_id == first.id
    posted = feed.reply(mention, "hello", "key")
    assert fake.posts[posted.native_id].replied_to == second.id


def test_a_reply_with_a_link_is_dear(serve: Serve, fake: FakeX, context: FeedContext):
    """Twenty times; the store is told what it was."""
    calling(fake)
    feed = open_x(serve(fake), context)
    (mention,) = mentions(look(feed))
    assert feed.reply(mention, "see acme.com/help", "key").cost_micros == 200_000
    assert "$0.2" in feed.check()[-1].sentence


def test_what_may_not_be_answered_is_not_tried(serve: Serve, fake: FakeX, context: FeedContext):
    """The sentence has the page on which a person can."""
    server = serve(fake)
    feed = open_x(server, context)
    with pytest.raises(RefusedByRules, match="in_reply_to=12") as caught:
        feed.reply(heard(summons=""), "hello", "key")
    assert caught.value.url == "https://x.com/intent/tweet?in_reply_to=12"
    assert replies_in(server) == 0


def test_a_refusal_by_rules_turns_to_by_hand(serve: Serve, fake: FakeX, context: FeedContext):
    """Never tried again by itself; the bot remembers it by the kind of the error."""
    post = fake.add("acme please")
    server = serve(fake)
    feed = open_x(server, context)
    with pytest.raises(RefusedByRules) as caught:
        feed.reply(heard(post.id, "answer"), "hello", "key")
    assert f"https://x.com/intent/tweet?in_reply_to={post.id}" in str(caught.value)
    assert "have not been mentioned" in str(caught.value)
    assert f"signed in as @{OUR_HANDLE}" in str(caught.value)
    assert caught.value.url.endswith(post.id)
    assert replies_in(server) == 1


def test_a_repeat_is_told_as_one(serve: Serve, fake: FakeX, context: FeedContext):
    """It may be the very reply whose fate was not known."""
    calling(fake)
    feed = open_x(serve(fake), context)
    (mention,) = mentions(look(feed))
    feed.reply(mention, "hello", "a")
    with pytest.raises(Permanent, match="said just this already") as caught:
        feed.reply(mention, "hello", "b")
    assert not isinstance(caught.value, RefusedByRules)
    assert "https://x.com/intent/tweet" in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (lambda: problem(401, "", "Unauthorized"), Permanent, "does not accept the keys"),
        (lambda: problem(403, "oauth1-permissions"), Permanent, "may only read"),
        (lambda: problem(403, "client-forbidden", reason="client-not-enrolled"), Permanent, "no access"),
        (lambda: problem(402, "credits", "No credits."), Permanent, "paused this app for its spending"),
        (lambda: problem(403, "usage-capped"), Permanent, "paused this app for its spending"),
        (lambda: problem(403, "", "You are not permitted to perform this action."), RefusedByRules, "not permitted"),
        (lambda: problem(400, "invalid-request", "text is empty"), Permanent, "text is empty"),
        (lambda: problem(404, "resource-not-found", "No such post"), Permanent, "No such post"),
        (lambda: slow_down("30"), RateLimited, "slow down"),
        (lambda: problem(500, "", "oops"), Unknown, "answered 500"),
        (lambda: problem(503, "", "over capacity, no credits"), Unknown, "answered 503"),
        (lambda: Answer(403, b"<html>blocked</html>"), Unknown, "answered 403"),
        (lambda: Answer(302, b"", {"Location": "http://127.0.0.1:1/"}), Unknown, "answered 302"),
        (lambda: say(b"<html>"), Unknown, "did not say where"),
        (lambda: say(b'{"data": {}}'), Unknown, "did not say where"),
        (lambda: say(b'{"data": {"id": "x"}}'), Unknown, "did not say where"),
        (cut_short, Unknown, "broke"),
        (half_close, Unknown, "broke"),
    ],
)
def test_only_what_is_certain_is_told_as_certain(  # noqa: PLR0917 - a row of the table
    serve: Serve, fake: FakeX, context: FeedContext, answer: Callable[[], Answer], error: type[ListenerError], said: str
):
    """Everything else is not known, and nothing is sent twice."""
    fake.faults[CREATE] = [answer()]
    server = serve(fake)
    with pytest.raises(error, match=said) as caught:
        open_x(server, context).reply(heard(), "hello", "key")
    assert type(caught.value) is error
    assert replies_in(server) == 1
    cause: BaseException | None = caught.value
    while cause is not None:
        assert SECRET not in f"{cause} {cause!r}"
        cause = cause.__cause__


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_every_fault_leaves_one_post_at_most(serve: Serve, fake: FakeX, context: FeedContext, fault: str):
    """Whatever answers, the reply was sent once, and its end is certain or unknown."""
    fake.faults[CREATE] = [FAULTS[fault]()]
    server = serve(fake)
    with pytest.raises(ListenerError) as caught:
        open_x(server, context).reply(heard(), "hello", "key")
    assert isinstance(caught.value, Unknown | RateLimited)
    assert replies_in(server) == 1


def test_a_dead_line_is_told_as_not_posted(context: FeedContext):
    """No byte left, so it may be tried again."""
    settings = {"handle": OUR_HANDLE, "base_url": "http://127.0.0.1:9"}
    feed = x.open_platform(settings, replace(context, secrets=SECRETS))
    with pytest.raises(Retryable):
        feed.reply(heard(), "hello", "key")


def test_a_wrong_key_is_refused_by_the_signature(serve: Serve, fake: FakeX, context: FeedContext):
    """Each of the four that sign."""
    calling(fake)
    server = serve(fake)
    for name in ("X_API_KEY", "X_API_SECRET", "X_ACCESS_TOKEN", "X_ACCESS_SECRET"):
        feed = open_x(server, context, secrets={**SECRETS, name: "another"})
        with pytest.raises(Permanent, match="does not accept the keys X_"):
            feed.reply(heard(), "hello", "key")


def test_shape_prepares_what_is_sent(serve: Serve, context: FeedContext):
    """One form of each letter, no space around, lines as X counts them."""
    feed = open_x(serve(FakeX()), context)
    shape = feed.shape("  e\u0301\r\nhttps://acme.com/a/long/path  ", heard())
    assert (shape.text, shape.count, shape.limit, shape.problem) == ("é\nhttps://acme.com/a/long/path", 25, 280, "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no text"),
        ("a" * 281, "takes 280 characters, and this counts 281"),
        ("日" * 141, "this counts 282"),
        ("a\ud800", "broken character"),
        ("$ACME and $GLBX", "at most one"),
    ],
)
def test_what_x_would_refuse_is_told_before(serve: Serve, context: FeedContext, text: str, said: str):
    """In one sentence."""
    assert said in open_x(serve(FakeX()), context).shape(text, heard()).problem


def test_symbols_are_counted_only_where_a_program_posts(serve: Serve, context: FeedContext):
    """A person may name as many as they like."""
    feed = open_x(serve(FakeX()), context)
    assert not feed.shape("$ACME and $GLBX", heard(summons="")).problem
    assert not open_x(serve(FakeX()), context, limit=1_000).shape("a" * 900, heard()).problem


def test_a_posted_part_is_enough_to_go_on(serve: Serve, fake: FakeX, context: FeedContext):
    """Also after a restart, when only its number is known."""
    calling(fake)
    feed = open_x(serve(fake), context)
    (mention,) = mentions(look(feed))
    first = feed.reply(mention, "one", "a")
    assert (
        fake.posts[feed.reply(mention, "two", "b", after=Posted(first.native_id)).native_id].replied_to
        == first.native_id
    )
