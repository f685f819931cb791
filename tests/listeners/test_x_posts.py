"""What X tells becomes a mention, or a sentence that says why not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listeners.mention import Mention
from listeners.x.posts import Post, id_at, moment_of, read_posts, read_ref
from listeners.x.settings import Settings

OURS = Settings(handle="kettle_care", user_id="77")
JANE = {"id": "5", "username": "jane", "name": "Jane &amp; Co", "public_metrics": {"followers_count": 70}}
NUMBER = "1900000000000000001"


def read(data: object, settings: Settings = OURS, **includes: object) -> Post | str:
    """Read one post that came with its author."""
    (post,) = read_posts({"data": data, "includes": {"users": [JANE], **includes}}, settings, "main", settings.user_id)
    return post


def post(**more: object) -> Post:
    """A post that can be read."""
    told = read({"id": NUMBER, "text": "hello", "author_id": "5", **more})
    assert isinstance(told, Post)
    return told


def summons_of(data: dict[str, object], **includes: object) -> str:
    """What the post calls on our account with."""
    told = read({"id": NUMBER, "text": "hello", "author_id": "5", **data}, **includes)
    assert isinstance(told, Post)
    return read_ref(told.mention).summons


def named(start: int, handle: str = "Kettle_Care", user_id: str = "77") -> dict[str, object]:
    """Our account, named in a post."""
    return {"mentions": [{"start": start, "end": start + 10, "username": handle, "id": user_id}]}


def test_a_post_becomes_a_whole_mention():
    """With its author, language, thread and parent; entities of HTML are read."""
    parent = {"id": "8", "text": "How &lt;can&gt; we help?", "author_id": "77"}
    told = {
        "id": NUMBER,
        "text": "Q&amp;A?",
        "author_id": "5",
        "created_at": "2026-11-23T10:00:00.000Z",
        "conversation_id": "7",
        "lang": "iw",
        "reply_settings": "everyone",
        "referenced_tweets": [{"type": "replied_to", "id": "8"}],
    }
    read_back = read(told, tweets=[parent])
    assert isinstance(read_back, Post)
    mention = read_back.mention
    assert (mention.platform, mention.native_id, mention.text, mention.language) == ("x", NUMBER, "Q&A?", "he")
    assert (mention.thread_id, mention.in_reply_to, mention.parent_text) == ("7", "8", "How <can> we help?")
    assert (mention.author.handle, mention.author.name, mention.author.followers) == ("jane", "Jane & Co", 70)
    assert (mention.url, mention.author.url) == (f"https://x.com/jane/status/{NUMBER}", "https://x.com/jane")
    assert mention.created_at == datetime(2026, 11, 23, 10, tzinfo=UTC)


def test_both_spellings_are_read():
    """X is renaming its fields; what comes in either is the same."""
    old = read(
        {
            "id": NUMBER,
            "text": "short",
            "author_id": "5",
            "note_tweet": {"text": "the whole"},
            "referenced_tweets": [{"type": "quoted", "id": "8"}],
            "edit_history_tweet_ids": ["1899999999999999999", NUMBER],
        },
        tweets=[{"id": "8", "text": "quoted", "author_id": "77"}],
    )
    new = read(
        {
            "id": NUMBER,
            "text": "short",
            "author_id": "5",
            "note_post": {"text": "the whole"},
            "referenced_posts": [{"type": "quoted", "id": "8"}],
            "edit_history_post_ids": ["1899999999999999999", NUMBER],
        },
        posts=[{"id": "8", "text": "quoted", "author_id": "77"}],
    )
    assert old == new
    assert isinstance(old, Post)
    assert (old.mention.text, old.mention.parent_text, old.mention.account) == ("the whole", "quoted", "@kettle_care")


def test_an_edit_keeps_the_number_of_its_first_version():
    """So it replaces what was stored, while the answer goes to the newest."""
    first, second = "1899999999999999998", "1899999999999999999"
    edited = post(edit_history_tweet_ids=[first, second, NUMBER])
    assert (edited.mention.native_id, edited.version, edited.newest) == (first, int(NUMBER), int(NUMBER))
    assert read_ref(edited.mention).id == NUMBER
    assert edited.mention.url.endswith(NUMBER)


@pytest.mark.parametrize(
    ("data", "summons"),
    [
        ({}, ""),
        ({"text": "hi @kettle_care", "entities": named(3)}, "mention"),
        ({"text": "@kettle_care hi", "entities": named(0)}, "mention"),
        (
            {"text": "@kettle_care hi", "entities": named(0), "referenced_tweets": [{"type": "replied_to", "id": "9"}]},
            "answer",
        ),
        (
            {
                "text": "@joe @kettle_care hi",
                "entities": named(5),
                "referenced_tweets": [{"type": "replied_to", "id": "9"}],
            },
            "answer",
        ),
        (
            {
                "text": "@joe ask @kettle_care",
                "entities": named(9),
                "referenced_tweets": [{"type": "replied_to", "id": "9"}],
            },
            "mention",
        ),
        ({"text": "@kettle_care hi"}, ""),
        ({"entities": named(0, "kettle_carer", "78")}, ""),
        ({"note_tweet": {"text": "long … @kettle_care", "entities": named(900)}}, "mention"),
        ({"in_reply_to_user_id": "77"}, ""),
    ],
)
def test_what_calls_on_our_account(data: dict[str, object], summons: str):
    """X lets a program answer only where our account is named in the post itself; carried by a reply is unsure."""
    assert summons_of(data) == summons


def test_a_quote_of_ours_calls_on_us():
    """Whether the quoted post came along or only its address did."""
    quoting = {"referenced_tweets": [{"type": "quoted", "id": "8"}]}
    link = {"entities": {"urls": [{"expanded_url": "https://twitter.com/Kettle_Care/status/8"}]}}
    assert summons_of(quoting, tweets=[{"id": "8", "text": "…", "author_id": "77"}]) == "quote"
    assert summons_of(quoting, tweets=[{"id": "8", "text": "…", "author_id": "5"}]) == ""
    assert summons_of(quoting | link) == "quote"
    assert summons_of(link) == ""


@pytest.mark.parametrize("code", ["und", "zxx", "qme", "qht", ""])
def test_a_language_that_x_could_not_tell_is_not_known(code: str):
    """So no watch leaves the post out for it."""
    assert post(lang=code).mention.language == ""


def test_without_its_authors_name_a_post_has_their_number():
    """Where expansions are switched off to save money."""
    (told,) = read_posts({"data": {"id": NUMBER, "text": "hello", "author_id": "5"}}, OURS, "main")
    assert isinstance(told, Post)
    assert (told.mention.author.handle, told.mention.author.url) == ("5", "https://x.com/i/user/5")
    assert told.mention.url == f"https://x.com/i/web/status/{NUMBER}"


def test_our_own_posts_and_reposts_are_told_apart():
    """Neither is a mention."""
    ours = {"id": "77", "username": "Kettle_Care"}
    by_us = read({"id": NUMBER, "text": "hello", "author_id": "77"}, users=[ours])
    assert isinstance(by_us, Post)
    assert by_us.is_own
    assert post(referenced_tweets=[{"type": "retweeted", "id": "8"}]).is_repost
    assert not post().is_own
    assert not post().is_repost


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({}, "without a number"),
        ({"id": "1zqKVXPQhvZJB", "state": "live"}, "without a number"),
        ({"id": "9", "username": "jane"}, "no text"),
        ({"id": "9", "text": " "}, "no text"),
        ({"id": "9", "text": "hello"}, "without its author"),
        ({"id": "9", "text": "hello", "author_id": "5"}, "no time"),
        ({"id": "9", "text": "hello", "author_id": "5", "created_at": "noon"}, "no time"),
        ({"id": ["9"], "text": 7, "author_id": None}, "without a number"),
    ],
)
def test_what_cannot_be_a_mention_is_refused_with_the_reason(data: dict[str, object], why: str):
    """In one sentence, for whoever looks after the bot."""
    told = read(data)
    assert isinstance(told, str)
    assert why in told


def test_a_number_tells_the_time():
    """To the millisecond, both ways."""
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert moment_of(str(id_at(noon))) == noon
    assert moment_of("20") is None
    assert moment_of("x") is None


def test_a_ref_that_cannot_be_read_knows_the_number_alone():
    """A mention of an older version, or of a replay, can still be answered by hand."""
    mention = post().mention
    for text in ("", "{", "[]", '{"id": 7}', '{"id": "x"}'):
        broken = Mention("x", "12", "hi", mention.author, mention.created_at, reply_ref=text)
        assert (read_ref(broken).id, read_ref(broken).summons) == ("12", "")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)
FIELDS = (
    "id text author_id created_at entities lang note_tweet referenced_tweets edit_history_tweet_ids conversation_id"
    " reply_settings"
)


@given(data=st.dictionaries(st.sampled_from(FIELDS.split()), json_values), includes=json_values)
def test_nothing_that_x_could_tell_is_an_exception(data: dict[str, object], includes: object):
    """Missing, misshapen or new fields make a mention or a sentence."""
    told = {"data": {"id": NUMBER, "text": "hi", "author_id": "5", **data}, "includes": includes}
    assert all(isinstance(each, Post | str) for each in read_posts(told, OURS, "main"))


def recorded(shared: Path) -> Iterator[tuple[str, dict[str, object]]]:
    """The recorded answers with their names."""
    for file in sorted((shared / "recorded/twitter/v2_examples").glob("*.json")):
        yield file.name, json.loads(file.read_text())


def test_every_recorded_object_is_a_mention_or_refused_for_a_reason(shared: Path):
    """Posts with their author's number are mentions; accounts, rules, rooms and bare posts say what they lack."""
    posts = refused = 0
    for name, example in recorded(shared):
        body = example["body"]
        assert isinstance(body, dict), name
        for told in read_posts(body, OURS, "main"):
            if isinstance(told, Post):
                posts += 1
                assert told.mention.text, name
                assert told.mention.author.handle, name
                assert told.mention.created_at.tzinfo == UTC, name
            else:
                refused += 1
                assert told.endswith("."), name
    assert (posts, refused) == (76, 345)


def test_recorded_posts_keep_what_x_told(shared: Path):
    """Text, author and parent of the examples that carry them."""
    examples = {example["name"]: example["body"] for _name, example in recorded(shared)}
    body = examples["200 Success - Request Tweet Fields with Expanded User Fields"]
    read_all = [told for told in read_posts(body, OURS, "main") if isinstance(told, Post)]
    first = read_all[0].mention
    assert (first.author.handle, first.author.native_id) == ("happycamper", "63046977")
    assert first.in_reply_to == "1275653067283759104"
    assert first.parent_text
    assert first.text.startswith("@snowman Ooo, thanks")
