"""Posts of Reddit become mentions whole, or are refused for a stated reason."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fake_reddit import SECOND, comment, submission
from hypothesis import given
from hypothesis import strategies as st

from listeners.mention import Mention
from listeners.reddit.posts import Standing, Thing, names_account, read_post, read_standing, read_thing, write_standing

SITE = "https://www.reddit.com"


def read(kind: str, data: object) -> Mention | str:
    """Read a child of a listing."""
    return read_post(read_thing({"kind": kind, "data": data}), "main", SITE)


def mention_of(kind: str, data: object) -> Mention:
    """Read what must become a mention."""
    read_it = read(kind, data)
    assert isinstance(read_it, Mention), read_it
    return read_it


def recorded(shared: Path) -> Iterator[tuple[str, object]]:
    """Every child of every recorded listing, with the file it is in."""
    for file in sorted((shared / "recorded/reddit_listings").glob("*.json")):
        body = json.loads(file.read_text())["body"]
        for child in (json.loads(body) if isinstance(body, str) else body)["data"]["children"]:
            yield file.name, child


def test_a_comment_becomes_a_mention():
    """Every field that a reply and a card need is there; the text is its Markdown as it is."""
    mention = mention_of("t1", comment("c1", "I *love* acme & tea", SECOND, parent_id="t1_up", subreddit="coffee"))
    assert (mention.platform, mention.native_id, mention.thread_id, mention.in_reply_to) == (
        "reddit",
        "t1_c1",
        "t3_root",
        "t1_up",
    )
    assert mention.text == "I *love* acme & tea"
    assert mention.title == "How do you brew?"
    assert (mention.author.handle, mention.author.native_id, mention.author.followers) == ("jane", "t2_jane", None)
    assert mention.author.url == "https://www.reddit.com/user/jane"
    assert mention.url == "https://www.reddit.com/r/coffee/comments/root/how_do_you_brew/c1/"
    assert mention.created_at == datetime.fromtimestamp(SECOND, UTC)
    assert read_standing(mention.reply_ref) == Standing("coffee", "")


def test_a_submission_is_its_text_or_else_its_title_with_its_link():
    """The root of a thread answers nothing; its own address is no link of it."""
    own = mention_of("t3", submission("s1", "Acme is down", selftext="since noon"))
    assert (own.text, own.title, own.thread_id, own.in_reply_to) == ("since noon", "Acme is down", "t3_s1", "")
    bare = mention_of("t3", submission("s2", "Acme is down"))
    assert bare.text == "Acme is down"
    link = mention_of("t3", submission("s3", "Look", is_self=False, url="https://acme.example/x"))
    assert link.text == "Look\nhttps://acme.example/x"


def test_a_crosspost_tells_what_it_passes_on():
    """The original's words stand as context; they are not the words of who passed it on."""
    original = submission("s0", "Acme is down", selftext="help", subreddit="acme")
    passed_on = mention_of("t3", submission("s1", "lol", crosspost_parent_list=[original]))
    assert passed_on.text == "lol"
    assert passed_on.parent_text == "Acme is down\nhelp"
    gone = submission("s0", "Acme is down", selftext="[removed]")
    assert not mention_of("t3", submission("s1", "lol", crosspost_parent_list=[gone])).parent_text


def test_the_inbox_tells_a_place_in_a_thread_by_its_address():
    """A comment there has a context, and neither a permanent link nor its thread's id."""
    told = comment("c1", "hey u/acme_care", context="/r/tea/comments/abc12/a_title/c1/?context=3", link_title="Tea?")
    del told["link_id"], told["permalink"]
    mention = mention_of("t1", told)
    assert mention.thread_id == "t3_abc12"
    assert mention.url == "https://www.reddit.com/r/tea/comments/abc12/a_title/c1/"


def test_an_address_that_is_not_told_is_made_of_the_ids():
    """Reddit resolves it; one cannot be made where the thread is not known."""
    old = comment("c1", "acme")
    del old["permalink"]
    assert mention_of("t1", old).url == "https://www.reddit.com/comments/root/_/c1/"
    del old["link_id"]
    assert not mention_of("t1", old).url


@pytest.mark.parametrize(
    ("others", "closed"),
    [({}, ""), ({"locked": True}, "locked"), ({"archived": True}, "archived"), ({"quarantine": True}, "quarantined")],
)
def test_where_a_post_stands_is_kept_for_the_reply(others: dict[str, object], closed: str):
    """It is asked before a person writes, without a network."""
    assert read_standing(mention_of("t1", comment("c1", "acme", **others)).reply_ref).closed == closed


@pytest.mark.parametrize("told", ["", "nonsense", "[]", "null", '{"closed": 7, "subreddit": null}'])
def test_an_unreadable_standing_is_open(told: str):
    """A row of an older version still can be answered."""
    assert read_standing(told) == Standing()
    assert read_standing(write_standing(Standing("tea", "locked"))) == Standing("tea", "locked")


@pytest.mark.parametrize(
    ("kind", "data", "words"),
    [
        ("t5", {"display_name": "tea", "name": "t5_x"}, "a subreddit (r/tea), which is no post"),
        ("t4", {"name": "t4_x"}, "a private message, which is no post"),
        ("more", {"name": "t1__"}, "a stub for more comments"),
        ("t2", {}, "something, which is no post"),
        ("", None, "something, which is no post"),
        ("t1", comment("c1", "acme") | {"name": "t1_C<1", "id": ""}, "without an id"),
        ("t1", comment("c1", "acme") | {"name": "t3_c1"}, "without an id"),
        ("t1", comment("c1", "acme") | {"created_utc": "noon"}, "t1_c1 has no time"),
        ("t1", comment("c1", "acme") | {"created_utc": 1e300}, "t1_c1 has no time"),
        ("t1", comment("c1", "acme") | {"author": None}, "t1_c1 was taken down"),
        ("t1", comment("c1", "acme") | {"author": "[deleted]"}, "t1_c1 was taken down"),
        ("t1", comment("c1", "acme") | {"author": 7}, "t1_c1 has no author"),
        ("t1", comment("c1", "[removed]"), "t1_c1 was taken down"),
        ("t1", comment("c1", " [deleted]\n"), "t1_c1 was taken down"),
        ("t1", comment("c1", " "), "t1_c1 has no text"),
        ("t3", submission("s1", "x", removed_by_category="moderator"), "t3_s1 was taken down"),
        ("t3", submission("s1", "x", selftext="[ Removed by Reddit ]"), "t3_s1 was taken down"),
        ("t3", submission("s1", ""), "t3_s1 has no text"),
    ],
)
def test_what_is_no_post_is_refused_with_the_reason(kind: str, data: object, words: str):
    """One sentence, which names the post where it has a name."""
    refusal = read(kind, data)
    assert isinstance(refusal, str)
    assert words in refusal


@pytest.mark.parametrize(
    ("text", "is_ours"),
    [
        ("u/acme_care help", True),
        ("hey /u/Acme_Care, help", True),
        ("(u/acme_care)", True),
        ("u/acme_care2", False),
        ("u/acme_care-help", False),
        ("https://www.reddit.com/user/u/acme_care", False),
        ("emu/acme_care", False),
        ("acme_care", False),
    ],
)
def test_an_account_is_summoned_by_its_whole_name(text: str, *, is_ours: bool):
    """As Reddit itself notifies: u/name, in any case."""
    assert names_account(text, "acme_care") is is_ours


def test_nobody_is_summoned_where_no_account_is_known():
    """An empty name stands in every text."""
    assert not names_account("u/ hello", "")


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.sampled_from(["t1", "t3"]),
    st.dictionaries(st.sampled_from([*comment("c1", "x"), *submission("s1", "y"), "context"]), _JSON, max_size=6),
)
def test_values_of_any_kind_break_nothing(kind: str, changed: dict[str, object]):
    """Whatever Reddit tells becomes a whole mention or a sentence."""
    told = comment("c1", "acme") if kind == "t1" else submission("s1", "acme")
    got = read(kind, told | changed)
    assert isinstance(got, Mention | str)
    if isinstance(got, Mention):
        assert got.text
        assert got.author.handle
        assert not got.url or got.url.startswith(f"{SITE}/")


@given(_JSON)
def test_a_child_may_be_anything(child: object):
    """A listing with rubbish in it is read past the rubbish."""
    assert isinstance(read_post(read_thing(child), "main", SITE), str)


def test_every_recorded_post_is_a_mention_or_refused_with_a_reason(shared: Path):
    """3,280 real posts and subreddits: nothing is passed over, and only what is gone or no post is refused."""
    kinds: Counter[str] = Counter()
    for file, child in recorded(shared):
        thing = read_thing(child)
        got = read_post(thing, "main", SITE)
        if isinstance(got, str):
            kinds[f"{thing.kind} refused"] += 1
            assert ("was taken down" in got) if thing.kind != "t5" else ("a subreddit (r/" in got), (file, got)
            assert thing.kind == "t5" or thing.is_gone
            continue
        kinds[thing.kind] += 1
        assert got.native_id == thing.fullname
        assert got.text == str(thing.data.get("body", got.text)).strip()
        assert (got.author.handle, got.created_at.tzinfo) == (thing.data["author"], UTC)
        assert got.url.startswith(f"{SITE}/")
        assert got.thread_id.startswith("t3_")
        assert bool(got.in_reply_to) is (thing.kind == "t1")
        assert read_standing(got.reply_ref).subreddit == thing.data["subreddit"]
    assert kinds == {"t1": 3_063, "t1 refused": 9, "t3": 99, "t3 refused": 9, "t5 refused": 100}


def test_a_thing_without_a_kind_has_no_name():
    """So that it is not taken for another post."""
    assert not Thing("", {"name": "t1_c1"}).fullname
