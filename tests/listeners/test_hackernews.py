"""Hacker News, against a small search that pages, caps and misbehaves like the real one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from clocks import NOON, Hands
from servers import FAULTS, Algolia, Answer, Script, Server, hit, say, slow_down

from listeners import hackernews
from listeners.contract import FeedContext
from listeners.errors import ListenerError, Permanent, RateLimited, Retryable
from listeners.mention import Batch, Mention
from listeners.query import Watch, compile_watches

Serve = Callable[[Script], Server]
SECOND = int(NOON.timestamp())


def open_at(server: Server, context: FeedContext, **settings: object) -> hackernews.HackerNews:
    """Open the feed against a server."""
    addresses = {"base_url": f"{server.url}/api/v1", "firebase_url": f"{server.url}/v0"}
    return hackernews.open_platform({**addresses, **settings}, context)


def look(platform: hackernews.HackerNews, cursor: str | None = None, looks: int = 1) -> list[Batch]:
    """Return the first batches of a listener, and close it."""
    batches = list(islice(platform.listen(cursor), looks))
    platform.close()
    return batches


def ids(batch: Batch) -> list[str]:
    """The ids in a batch."""
    return [mention.native_id for mention in batch.mentions]


def test_a_comment_becomes_a_mention(serve: Serve, context: FeedContext):
    """Every field a reply needs is there, and the text is plain."""
    told = hit(7, SECOND - 60, "I use Acme.<p>It&#x27;s <i>down</i>", story_id=3, parent_id=5)
    (batch,) = look(open_at(serve(Algolia([told])), context))
    (mention,) = batch.mentions
    assert mention.text == "I use Acme.\n\nIt's down"
    assert (mention.platform, mention.native_id, mention.thread_id, mention.in_reply_to) == (
        "hackernews",
        "7",
        "3",
        "5",
    )
    assert (mention.brand, mention.watches, mention.feed) == ("Acme", ("acme",), "main")
    assert mention.url == "https://news.ycombinator.com/item?id=7"
    assert (mention.author.handle, mention.title) == ("jane", "A story")
    assert int(mention.created_at.timestamp()) == SECOND - 60


def test_a_story_is_judged_by_title_text_and_link(serve: Serve, context: FeedContext):
    """A story that only links to us is heard; a comment under it that does not name us is not."""
    link = {"comment_text": None, "parent_id": None, "story_id": None, "title": "Look", "url": "https://acme.com/x"}
    hits = [hit(1, SECOND - 9, "", **link), hit(2, SECOND - 8, "nice", story_title="Acme is down")]
    (batch,) = look(open_at(serve(Algolia(hits)), context))
    assert ids(batch) == ["1"]
    assert batch.mentions[0].text == "Look\nhttps://acme.com/x"
    assert batch.mentions[0].thread_id == "1"


def test_the_search_is_asked_as_documented(serve: Serve, context: FeedContext):
    """By date, in quotes, with typo tolerance off, from the look back minus the overlap on."""
    server = serve(Algolia([]))
    look(open_at(server, context, look_back_hours=2, overlap_seconds=60))
    asked = parse_qs(urlsplit(server.requests[0].path).query)
    assert urlsplit(server.requests[0].path).path == "/api/v1/search_by_date"
    assert asked["query"] == ['"acme"']
    assert asked["typoTolerance"] == ["false"]
    assert asked["tags"] == ["(story,comment,poll)"]
    assert asked["numericFilters"] == [f"created_at_i>={SECOND - 7260}"]


def test_hits_that_the_watches_do_not_match_are_left_out(serve: Serve, context: FeedContext):
    """The search is more generous than a watch; our own reading decides."""
    hits = [hit(1, SECOND - 3, "acmes"), hit(2, SECOND - 2, "acme jobs"), hit(3, SECOND - 1, "acme")]
    (batch,) = look(open_at(serve(Algolia(hits)), context))
    assert ids(batch) == ["3"]
    assert not batch.refused


def test_an_author_can_be_watched_alone(serve: Serve, context: FeedContext):
    """from: asks for the author's posts, with the name spelled as it is."""
    watches = compile_watches([Watch("jane", "Acme", "from:Jane")])
    server = serve(Algolia([hit(1, SECOND - 3, "hello", author="Jane")]))
    (batch,) = look(open_at(server, replace(context, watches=watches)))
    assert ids(batch) == ["1"]
    assert server.requests[0].query["tags"] == "(story,comment,poll),author_Jane"


def test_looks_overlap_and_tell_nothing_twice(serve: Serve, context: FeedContext):
    """A post that the search learns of late is still heard; others are not told again in the same run."""
    algolia = Algolia([hit(1, SECOND - 100, "acme one")])
    platform = open_at(serve(algolia), context)
    batches = platform.listen(None)
    assert ids(next(batches)) == ["1"]
    algolia.hits.append(hit(2, SECOND - 400, "acme late"))
    assert ids(next(batches)) == ["2"]
    assert ids(next(batches)) == []


def test_an_edit_is_told_again(serve: Serve, context: FeedContext):
    """The same number with other words is a mention again."""
    algolia = Algolia([hit(1, SECOND - 100, "acme one")])
    batches = open_at(serve(algolia), context).listen(None)
    next(batches)
    algolia.hits[0]["comment_text"] = "acme two"
    assert [mention.text for mention in next(batches).mentions] == ["acme two"]


def test_a_new_run_tells_again_what_the_last_cursor_does_not_cover(serve: Serve, context: FeedContext):
    """What was yielded but never stored comes again, also from the same open platform."""
    platform = open_at(serve(Algolia([hit(1, SECOND - 100, "acme one")])), context)
    assert ids(next(platform.listen(None))) == ids(next(platform.listen(None))) == ["1"]


def test_many_hits_are_paged_and_windowed(serve: Serve, context: FeedContext, monkeypatch: pytest.MonkeyPatch):
    """Beyond the most that the search tells of one question, older windows of time are asked for; nothing is lost."""
    monkeypatch.setattr(hackernews, "PAGE_SIZE", 3)
    hits = [hit(number, SECOND - 1000 + number // 2, f"acme {number}") for number in range(1, 41)]
    batches = look(open_at(serve(Algolia(hits, most=7)), context))
    assert ids(batches[0]) == [
        str(one["objectID"]) for one in sorted(hits, key=lambda one: (one["created_at_i"], one["objectID"]))
    ]
    assert not batches[0].gaps


def test_what_could_not_be_fetched_is_told_as_a_gap(
    serve: Serve, context: FeedContext, monkeypatch: pytest.MonkeyPatch
):
    """When even the windows run out, the digest will know."""
    monkeypatch.setattr(hackernews, "PAGE_SIZE", 3)
    monkeypatch.setattr(hackernews, "MAX_WINDOWS", 2)
    hits = [hit(number, SECOND - 1000 + number, f"acme {number}") for number in range(1, 41)]
    (batch,) = look(open_at(serve(Algolia(hits, most=6)), context))
    assert len(batch.mentions) == 11
    (gap,) = batch.gaps
    assert int(gap.end.timestamp()) == SECOND - 1000 + 30
    assert "'acme'" in gap.reason


def test_a_long_look_is_told_in_parts_that_can_be_resumed(
    serve: Serve, context: FeedContext, monkeypatch: pytest.MonkeyPatch
):
    """Each part's cursor covers exactly what came up to it, oldest first."""
    monkeypatch.setattr(hackernews, "_PER_BATCH", 4)
    server = serve(Algolia([hit(number, SECOND - 5000 + number, "acme") for number in range(10)]))
    first, *_rest = look(open_at(server, context, overlap_seconds=0), looks=3)
    assert ids(first) == ["0", "1", "2", "3"]
    resumed = look(open_at(server, context, overlap_seconds=0), first.cursor, looks=2)
    assert [number for batch in resumed for number in ids(batch)] == ["3", "4", "5", "6", "7", "8", "9"]


def test_a_post_from_the_future_does_not_deafen(serve: Serve, context: FeedContext, hands: Hands):
    """A server whose clock runs ahead cannot push the cursor past our own time."""
    algolia = Algolia([hit(1, SECOND + 90_000, "acme tomorrow")])
    batches = open_at(serve(algolia), context).listen(None)
    first = next(batches)
    assert first.cursor == f"since:{SECOND}"
    algolia.hits.append(hit(2, SECOND + 30, "acme today"))
    assert ids(next(batches)) == ["2"]
    assert hands.paused > 0


@pytest.mark.parametrize("cursor", ["", "nonsense", "since:", "since:-5", "since:" + "9" * 40, "{}"])
def test_a_cursor_that_cannot_be_read_looks_back(serve: Serve, context: FeedContext, cursor: str):
    """A damaged cursor costs a second look, never a crash."""
    (batch,) = look(open_at(serve(Algolia([hit(1, SECOND - 60, "acme")])), context), cursor)
    assert ids(batch) == ["1"] or cursor.endswith("9")


def test_duplicates_in_an_answer_are_one(serve: Serve, context: FeedContext):
    """The search sometimes tells of a post twice."""
    (batch,) = look(open_at(serve(Algolia([hit(1, SECOND - 60, "acme")] * 3)), context))
    assert ids(batch) == ["1"]


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("text", "without a number"),
        ({}, "without a number"),
        (hit(1, 5, "acme") | {"objectID": "1<2"}, "without a number"),
        (hit(1, 5, "acme") | {"created_at_i": "yesterday"}, "has no time"),
        (hit(1, 5, "acme") | {"created_at_i": 10**15}, "has no time"),
        (hit(1, 5, "acme") | {"author": None}, "has no author"),
        (hit(1, 5, "acme") | {"comment_text": None}, "has no text"),
        (hit(1, 5, "<p>"), "has no text"),
    ],
)
def test_a_hit_that_is_no_post_is_refused_with_the_reason(told: object, words: str):
    """One bad hit does not spoil the others, and it is not passed over in silence."""
    read = hackernews.read_hit(told, "main", "https://news.ycombinator.com/item?id=")
    assert isinstance(read, str)
    assert words in read


def test_refused_hits_are_told_once(serve: Serve, context: FeedContext):
    """The same bad hit does not fill every batch."""
    batches = open_at(serve(Algolia([hit(1, SECOND - 5, "acme", author="")])), context).listen(None)
    assert next(batches).refused == ("Hacker News post 1 has no author; it was probably deleted.",)
    assert next(batches).refused == ()


def test_half_a_character_does_not_deafen(serve: Serve, context: FeedContext):
    """JSON with half of a surrogate pair is read, and its text is kept whole."""
    body = json.dumps({"hits": [hit(1, SECOND - 5, "acme \ud83d")], "nbHits": 1, "nbPages": 1})
    (batch,) = look(open_at(serve(lambda _request: say(body)), context))
    assert batch.mentions[0].text == "acme \ud83d"


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_translated_and_survived(serve: Serve, context: FeedContext, name: str):
    """After any fault the same cursor brings everything; no platform exception comes out."""
    algolia = Algolia([hit(1, SECOND - 60, "acme")])
    algolia.faults = [FAULTS[name]()]
    platform = open_at(serve(algolia), context)
    with pytest.raises(ListenerError) as caught:
        next(platform.listen(None))
    assert isinstance(caught.value, Retryable | Permanent)
    assert ids(next(platform.listen(None))) == ["1"]


@pytest.mark.parametrize("body", ["[]", "{}", '{"hits": 5}', "null", "NaN"])
def test_json_of_another_shape_is_retried(serve: Serve, context: FeedContext, body: str):
    """An answer without hits is a fault of the server."""
    with pytest.raises(Retryable, match="Hacker News search"):
        look(open_at(serve(lambda _request: say(body)), context))


def test_hits_without_counts_are_read_all_the_same(serve: Serve, context: FeedContext):
    """The counts nbHits and nbPages are a help, not a need."""
    body = json.dumps({"hits": [hit(1, SECOND - 5, "acme")]})
    (batch,) = look(open_at(serve(lambda _request: say(body)), context))
    assert ids(batch) == ["1"]


def test_counts_that_promise_for_ever_end(serve: Serve, context: FeedContext, monkeypatch: pytest.MonkeyPatch):
    """A server that always promises more is left after so many windows."""
    monkeypatch.setattr(hackernews, "MAX_WINDOWS", 3)
    body = json.dumps({"hits": [hit(1, SECOND - 5, "acme")], "nbHits": 10**9, "nbPages": 1})
    server = serve(lambda _request: say(body))
    (batch,) = look(open_at(server, context))
    assert ids(batch) == ["1"]
    assert batch.gaps
    assert len(server.requests) == 3


def test_being_asked_to_slow_down_tells_how_long(serve: Serve, context: FeedContext):
    """Retry-After is handed on."""
    with pytest.raises(RateLimited) as caught:
        look(open_at(serve(lambda _request: slow_down("17")), context))
    assert caught.value.retry_after == 17


def test_many_words_are_asked_for_more_slowly(serve: Serve, context: FeedContext, hands: Hands):
    """A thousand words stay under the courtesy limit."""
    watches = compile_watches([Watch("many", "", " OR ".join(f"w{number}" for number in range(40)))])
    platform = open_at(serve(Algolia([])), replace(context, watches=watches), poll_seconds=5)
    batches = platform.listen(None)
    next(batches)
    next(batches)
    assert hands.paused >= 40 * 3600 / 10_000


def test_no_watch_is_told_not_sat_out(serve: Serve, context: FeedContext):
    """A feed that nothing listens on says so instead of hearing nothing for ever."""
    platform = open_at(serve(Algolia([])), replace(context, watches=compile_watches([])))
    with pytest.raises(Permanent, match="No watch listens"):
        next(platform.listen(None))
    assert not platform.check()[0].is_good


def test_check_says_whether_the_search_answers(serve: Serve, context: FeedContext):
    """Good and bad are told in a sentence."""
    assert open_at(serve(Algolia([])), context).check()[0].is_good
    bad, _items = open_at(serve(lambda _request: Answer(500)), context).check()
    assert not bad.is_good
    assert "500" in bad.sentence


def test_replies_are_by_hand(context: FeedContext):
    """The post opens, nothing is suggested, and a program's reply is refused."""
    platform = hackernews.open_platform({}, context)
    mention = hackernews.read_hit(hit(7, 5, "acme"), "main", "https://news.ycombinator.com/item?id=")
    assert isinstance(mention, Mention)
    capability = platform.capability(mention)
    assert (capability.route, capability.url) == ("by_hand", "https://news.ycombinator.com/item?id=7")
    assert not capability.may_suggest
    with pytest.raises(Permanent):
        platform.reply(mention, "hello", "key")


def test_recorded_answers_are_read(shared: Path):
    """Every hit of the real search becomes a mention, or is refused with a reason."""
    recorded = json.loads((shared / "recorded/hn/fixtures.json").read_text())
    hits = [one for entry in recorded for one in entry["reply"].get("hits", [])]
    read = [hackernews.read_hit(one, "main", "https://news.ycombinator.com/item?id=") for one in hits]
    assert len(read) > 20
    assert all(isinstance(one, Mention) and one.text and one.author.handle for one in read)
    assert {one.native_id for one in read if isinstance(one, Mention)} == {one["objectID"] for one in hits}


def test_recorded_answers_are_heard(serve: Serve, context: FeedContext, shared: Path):
    """The real bodies, served again, go through the whole listener."""
    recorded = json.loads((shared / "recorded/hn/fixtures.json").read_text())
    bodies = [entry["reply"] for entry in recorded if entry["reply"].get("hits")]
    watches = compile_watches([Watch("all", "", "the OR a OR to OR apple OR steve OR poll OR in")])
    for body in bodies:
        told = json.dumps({**body, "nbHits": len(body["hits"])})
        (batch,) = look(open_at(serve(lambda _request, told=told: say(told)), replace(context, watches=watches)))
        assert len(batch.mentions) == len(body["hits"])


@pytest.mark.parametrize(
    ("term", "asked"),
    [("acme", '"acme"'), ("acme tea", '"acme tea"'), ("kettle & fern", "kettle fern"), ("🫖", "🫖")],
)
def test_a_term_with_signs_is_asked_for_by_its_words(term: str, asked: str):
    """The index holds HTML, where a sign may stand as an entity: a phrase with one would find too little."""
    assert hackernews._question(term) == asked
