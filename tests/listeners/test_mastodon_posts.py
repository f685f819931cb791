"""A status of Mastodon as a mention: every recorded one, and those of servers that leave things out."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

import pytest
from clocks import NOON
from fake_mastodon_world import MastodonWorld
from hypothesis import given
from hypothesis import strategies as st

from listeners.mastodon.posts import ReplyRef, read_post, read_reply_ref, read_text
from listeners.mastodon.server import Server, build_server
from listeners.mention import Mention

HERE = Server("mastodon.example", "mastodon.example", handle="acme@mastodon.example", account_id="406")
FAR = Server("far.example", "far.example")
Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"


def read(status: dict[str, object], server: Server = HERE) -> Mention:
    """A status as a mention; it must be one."""
    mention = read_post(status, server, "main", NOON)
    assert isinstance(mention, Mention)
    return mention


def written(text: str, **others: object) -> dict[str, object]:
    """A status as it is told of."""
    return MastodonWorld().write(text, **others)  # type: ignore[arg-type]


def test_every_recorded_status_becomes_a_mention(shared: Path):
    """80 statuses of a real server, told by itself."""
    lines = (shared / "recorded/mastodon/statuses.jsonl").read_text().splitlines()
    server = build_server("localhost:3000", {"domain": "localhost:3000"}, {}, "")
    mentions = [read_post(json.loads(line), server, "main", datetime(2026, 11, 23, tzinfo=UTC)) for line in lines]
    assert len(mentions) == 80
    assert len({mention.native_id for mention in mentions if isinstance(mention, Mention)}) == 80
    for line, mention in zip(lines, mentions, strict=True):
        told = json.loads(line)
        assert isinstance(mention, Mention), mention
        assert mention.author.handle == f"{told['account']['acct']}@localhost:3000"
        assert mention.url == told["url"]
        assert mention.created_at == datetime.fromisoformat(told["created_at"])
        assert mention.text
        assert "<" not in mention.text
        assert "(http" not in mention.text  # no hashtag or name drags its link along


def test_a_status_becomes_a_whole_mention():
    """Every field that a card or an answer needs is there."""
    told = written("Is acme down?", at=NOON - timedelta(hours=1), spoiler_text="Work", visibility="unlisted")
    mention = read(told)
    assert mention.native_id == told["uri"]
    assert (mention.text, mention.title, mention.language) == ("Is acme down?", "Work", "en")
    assert mention.author.handle == "jane@far.example"
    assert (mention.author.name, mention.author.followers) == ("Jane", 70)
    assert mention.author.url == "https://far.example/@jane"
    assert mention.created_at == NOON - timedelta(hours=1)
    assert (mention.thread_id, mention.in_reply_to) == (mention.native_id, "")
    ref = read_reply_ref(mention.reply_ref)
    assert ref == ReplyRef(
        str(told["id"]), "mastodon.example", "mastodon.example", "jane@far.example", "@acme@mastodon.example",
        "unlisted", "Work",
    )  # fmt: skip


def test_the_same_post_is_one_mention_on_every_server():
    """Its id and words do not depend on where it was heard, though its number and its people's names there do."""
    told = written("@acme hello", acct="jane@far.example")
    there = told | {
        "id": "9",
        "account": {**MastodonWorld().person("jane"), "url": "https://far.example/@jane"},
        "mentions": [{"acct": "acme@mastodon.example", "url": "https://mastodon.example/@acme", "username": "acme"}],
    }
    here, far = read(told), read(there, FAR)
    assert (here.native_id, here.text, here.author.handle) == (far.native_id, far.text, far.author.handle)
    assert here.text == "@acme@mastodon.example hello"


def test_markup_reads_as_a_person_would_write_it():
    """Names in full, hashtags and links as they are, line breaks and paragraphs where they were, emoji by name."""
    content = (
        '<p><span class="h-card"><a class="u-url mention" href="https://pl.example/users/bo">@<span>bo</span></a></span>'
        ' &lt;b&gt; see <a href="https://example.com/a/b" rel="nofollow"><span class="invisible">https://</span>'
        '<span class="ellipsis">example.com/a</span><span class="invisible">/b</span></a>'
        ' <a href="https://x.example/tags/tea" class="mention hashtag" rel="tag">#<span>tea</span></a><br>two</p>'
        '<p>:blobcat: <a href="https://evil.example/">click</a> <a rel="tag" href="https://x.example/t">#&lt;i&gt;</a></p>'
    )
    mentions = [{"acct": "bo@pl.example", "url": "https://pl.example/users/bo", "username": "bo"}]
    assert read(written("x") | {"content": content, "mentions": mentions}).text == (
        "@bo@pl.example <b> see https://example.com/a/b #tea\ntwo\n\n:blobcat: click (https://evil.example/) #<i>"
    )


def test_a_post_without_words_has_those_of_its_warning_or_is_refused():
    """A picture behind a warning says what the warning says; one without says nothing."""
    picture = written("") | {"content": "", "media_attachments": [{"type": "image"}]}
    assert read(picture | {"spoiler_text": "acme food"}).text == "acme food"
    assert (
        read_post(picture, HERE, "main", NOON)
        == f"Mastodon post {picture['uri']} has no words, only pictures or sound."
    )


@pytest.mark.parametrize(
    ("missing", "why"),
    [("uri url", "without an address"), ("account", "has no author"), ("created_at", "has no time")],
)
def test_what_cannot_be_a_mention_is_refused_with_the_reason(missing: str, why: str):
    """A sentence says what is missing."""
    told = {key: value for key, value in written("acme").items() if key not in missing.split()}
    answer = read_post(told, HERE, "main", NOON)
    assert isinstance(answer, str)
    assert why in answer


def test_servers_that_leave_things_out_are_understood():
    """Pleroma and its like tell less, and other kinds of ids and visibilities."""
    told = {
        "id": "9umDrYheeY451cQnEe",
        "uri": "https://pl.example/objects/1",
        "created_at": "2026-11-23T11:00:00",
        "content": "acme is <b>down</b>",
        "account": {"username": "bo", "acct": "bo", "followers_count": -1},
        "visibility": "local",
        "pleroma": {"local": True},
    }
    mention = read(told, FAR)
    assert (mention.text, mention.author.handle, mention.author.followers) == ("acme is down", "bo@far.example", None)
    assert mention.url == "https://pl.example/objects/1"
    assert mention.created_at == NOON - timedelta(hours=1)


def test_a_time_in_the_future_is_now():
    """The clock of another server is not trusted over ours."""
    assert read(written("acme", at=NOON + timedelta(days=2))).created_at == NOON


def test_hostile_markup_takes_no_time():
    """Markup that was made to keep us busy is read in a moment."""
    told = written("x") | {"content": "<a>" * 80_000 + "acme"}
    assert read_text(told, HERE).endswith("acme")
    told = written("x") | {"content": "<a class='mention'>b" * 4_000 + "</a>"}
    assert read_text(told, HERE) == "b" * 4_000
    assert read_text(written("x") | {"content": "a < b" + "<a " * 40_000}, HERE).startswith("a < b<a <a")


VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = sorted(written("@acme hi #tea"))


@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6), st.sets(st.sampled_from(KEYS), max_size=6))
def test_whatever_a_server_tells_is_a_mention_or_refused(changes: dict[str, Json], missing: set[str]):
    """No field of any kind raises, and every mention can be stored."""
    told = {key: value for key, value in (written("@acme hi #tea") | changes).items() if key not in missing}
    answer = read_post(told, HERE, "main", NOON)
    if isinstance(answer, Mention):
        assert answer.native_id
        assert answer.author.handle
        assert answer.created_at <= NOON
        assert read_reply_ref(answer.reply_ref).author == answer.author.handle
    else:
        assert answer.startswith("Mastodon")


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_a_reference_that_cannot_be_read_is_an_empty_one(text: str):
    """Replayed posts have none, or something else."""
    assert isinstance(read_reply_ref(text), ReplyRef)
    assert read_reply_ref("") == ReplyRef()
