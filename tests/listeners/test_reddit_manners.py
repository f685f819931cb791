"""Before an answer on Reddit is written: whether and how it can be given, and how long it may be."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fake_reddit import SECRETS, FakeReddit, comment
from hypothesis import given
from hypothesis import strategies as st
from servers import Script, Server
from stand_reddit import open_reddit

from listeners import reddit
from listeners.contract import FeedContext
from listeners.errors import Permanent
from listeners.mention import Mention
from listeners.query import Watch, compile_watches
from listeners.reddit.posts import Thing, read_post

Serve = Callable[[Script], Server]


def mention_of(**others: object) -> Mention:
    """A comment that was heard."""
    read = read_post(Thing("t1", comment("c1", "acme is down", **others)), "main", "https://www.reddit.com")
    assert isinstance(read, Mention)
    return read


@pytest.mark.parametrize(
    ("others", "route", "words"),
    [
        ({}, "api", "Read the rules of r/tea first, and say whom you work for"),
        ({"locked": True}, "none", "locked"),
        ({"archived": True}, "none", "archived"),
        ({"quarantine": True}, "by_hand", "quarantined"),
    ],
)
def test_how_a_post_can_be_answered_is_told_before(
    context: FeedContext, serve: Serve, others: dict[str, object], route: str, words: str
):
    """And a reply that cannot be made is refused without a request."""
    fake = FakeReddit()
    platform = open_reddit(serve(fake), context)
    mention = mention_of(**others)
    capability = platform.capability(mention)
    assert capability.route == route
    assert words in capability.reason
    assert capability.account == ("" if route == "none" else "u/acme_care")
    assert bool(capability.url) is (route == "by_hand")
    if route == "none":
        with pytest.raises(Permanent, match=words):
            platform.reply(mention, "hello", "key")
        assert not fake.asked


def test_a_post_that_is_not_of_reddit_is_not_answered(context: FeedContext, serve: Serve):
    """Such as a row of a replay with an id of its own."""
    fake = FakeReddit()
    platform = open_reddit(serve(fake), context)
    stranger = Mention("reddit", "17", "acme", mention_of().author, mention_of().created_at)
    with pytest.raises(Permanent, match="no post of Reddit"):
        platform.reply(stranger, "hello", "key")
    assert platform.capability(stranger).route == "api"
    assert not fake.asked


@pytest.fixture(scope="module")
def closed_reddit() -> reddit.Reddit:
    """A feed that is never asked anything."""
    watches = compile_watches([Watch("acme", "Acme", "acme")])
    return reddit.open_platform({}, FeedContext("main", watches, lambda _seconds: True, secrets=SECRETS))


def test_characters_are_counted_as_reddit_counts(closed_reddit: reddit.Reddit):
    """Unicode characters, after composing them: a family of three is five, an é is one."""
    for text, count in (("👩‍👩‍👧", 5), ("e\u0301", 1), ("  a b  ", 3)):
        assert closed_reddit.shape(text, mention_of()).count == count
    assert not closed_reddit.shape("a" * 10_000, mention_of()).problem
    long = closed_reddit.shape("a" * 10_001, mention_of())
    assert long.problem == "A comment may have 10,000 characters; this has 10,001."
    assert (long.limit, long.parts) == (10_000, ())
    assert closed_reddit.shape(" \n ", mention_of()).problem


def test_a_text_that_is_too_long_is_not_sent(serve: Serve, context: FeedContext):
    """The preview said so before."""
    fake = FakeReddit()
    with pytest.raises(Permanent, match="10,000"):
        open_reddit(serve(fake), context).reply(mention_of(), "a" * 10_001, "key")
    assert not fake.asked


@given(st.text(st.characters()))
def test_a_shaped_text_stays_as_it_is(closed_reddit: reddit.Reddit, text: str):
    """What the preview shows can be sent, and shaping it again changes nothing."""
    shape = closed_reddit.shape(text, mention_of())
    assert closed_reddit.shape(shape.text, mention_of()).text == shape.text
    assert shape.count == len(shape.text.encode().decode())
    assert bool(shape.problem) is (not shape.text)
