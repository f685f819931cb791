"""What became of posts of Hacker News: edits and deletions, against a small official API that misbehaves."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from clocks import NOON
from fake_firebase import Firebase, beside, comment, deleted, story
from servers import FAULTS, Algolia, Answer, Script, Server, hit, say, slow_down

from listeners import hackernews
from listeners.catalog import PLATFORMS
from listeners.contract import FeedContext
from listeners.errors import Permanent, RateLimited, Retryable
from listeners.fetch import Fetcher
from listeners.mention import Batch, Mention, Removal

Serve = Callable[[Script], Server]
Open = Callable[..., hackernews.HackerNews]
ITEM_URL = "https://news.ycombinator.com/item?id="


def heard(**told: object) -> Mention:
    """A mention as the search brought it."""
    number = int(str(told.pop("number", 7)))
    read = hackernews.read_hit(hit(number, 5, str(told.pop("text", "acme is down")), **told), "main", ITEM_URL)
    assert isinstance(read, Mention)
    return read


def heard_story(**told: object) -> Mention:
    """A story as the search brought it."""
    bare: dict[str, object] = {"comment_text": None, "parent_id": None, "story_id": None, "story_title": None}
    return heard(**{**bare, "title": "Acme is down", "url": "https://acme.com/x", **told})


@pytest.fixture
def open_at(serve: Serve, context: FeedContext) -> Iterator[Open]:
    """Open the feed against an API."""
    opened: list[hackernews.HackerNews] = []

    def build(items: Script) -> hackernews.HackerNews:
        url = serve(items).url
        opened.append(hackernews.open_platform({"base_url": url, "firebase_url": f"{url}/v0"}, context))
        return opened[-1]

    yield build
    for platform in opened:
        platform.close()


def test_what_is_as_it_was_is_only_checked(open_at: Open):
    """No edit is told where nothing changed, whatever else the item says."""
    batch = open_at(Firebase(comment(7, "acme is down", kids=[8], new_field={"a": 1}))).recheck([heard()])
    assert batch == Batch(checked=("7",))


def test_white_space_is_no_edit(open_at: Open):
    """The search and the API lay the same words out in their own ways."""
    mention = heard(text="acme is<p>down")
    assert open_at(Firebase(comment(7, "acme is \n\n down\n"))).recheck([mention]) == Batch(checked=("7",))


def test_an_edit_is_a_mention_with_other_words(open_at: Open):
    """Everything else stays as it was heard."""
    (edited,) = open_at(Firebase(comment(7, "acme is <i>up</i>"))).recheck([heard()]).mentions
    assert edited.text == "acme is up"
    assert (edited.native_id, edited.title, edited.in_reply_to, edited.url) == ("7", "A story", "1", f"{ITEM_URL}7")


@pytest.mark.parametrize(
    ("item", "text", "title"),
    [
        (story(7, "Acme is up", url="https://acme.com/x"), "Acme is up\nhttps://acme.com/x", "Acme is up"),
        (story(7, "Acme is down", url="https://acme.com/y"), "Acme is down\nhttps://acme.com/y", "Acme is down"),
        (
            story(7, "Acme is down", url="https://acme.com/x", text="Why?"),
            "Why?\nhttps://acme.com/x",
            "Acme is down",
        ),
    ],
)
def test_a_story_changes_by_title_link_or_text(open_at: Open, item: dict[str, object], text: str, title: str):
    """Whatever of it a person reads."""
    (edited,) = open_at(Firebase(item)).recheck([heard_story()]).mentions
    assert (edited.text, edited.title) == (text, title)


def test_a_story_that_is_the_same_is_no_edit(open_at: Open):
    """Its text is put together from title and link in the same way."""
    items = Firebase(story(7, "Acme is down", url="https://acme.com/x"))
    assert open_at(items).recheck([heard_story()]) == Batch(checked=("7",))


@pytest.mark.parametrize("item", [deleted(7), comment(7, "[flagged]", dead=True), {"id": 7, "deleted": True}])
def test_what_was_deleted_or_killed_is_a_removal(open_at: Open, item: dict[str, object]):
    """Its text must go here too."""
    batch = open_at(Firebase(item)).recheck([heard()])
    assert batch == Batch(removals=(Removal("hackernews", NOON, native_id="7"),), checked=("7",))


def test_an_item_that_is_not_known_there_stays(open_at: Open):
    """A null may be a post too new for the API: that alone takes nothing away."""
    assert open_at(Firebase()).recheck([heard()]) == Batch(checked=("7",))


def test_an_item_without_words_stays(open_at: Open):
    """A post is not emptied for a field that is missing."""
    assert open_at(Firebase({"id": 7, "type": "comment"})).recheck([heard()]) == Batch(checked=("7",))


@pytest.mark.parametrize(
    "body",
    ["[]", '"x"', "7", "{}", '{"id": 8, "deleted": true}', '{"error": "Permission denied"}', "<html>", '{"id": 7'],
)
def test_an_answer_that_is_no_item_is_a_failure(open_at: Open, body: str):
    """Nothing is taken away or marked as seen for an answer that tells of something else."""
    with pytest.raises(Retryable, match="official API of Hacker News"):
        open_at(lambda _request: say(body)).recheck([heard()])


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_translated_and_survived(open_at: Open, name: str):
    """It raises where nothing was seen, and the next call sees everything."""
    items = Firebase(deleted(7))
    items.faults = [FAULTS[name]()]
    platform = open_at(items)
    with pytest.raises((Retryable, Permanent)):
        platform.recheck([heard()])
    assert platform.recheck([heard()]).removals


def test_being_asked_to_slow_down_tells_how_long(open_at: Open):
    """Retry-After is handed on."""
    with pytest.raises(RateLimited) as caught:
        open_at(lambda _request: slow_down("17")).recheck([heard()])
    assert caught.value.retry_after == 17


def test_what_was_seen_before_a_failure_is_told(open_at: Open):
    """The others are not marked as checked, so that they are asked for again."""
    items = Firebase(deleted(1))
    platform = open_at(lambda request: items(request) if "/1.json" in request.path else Answer(500))
    batch = platform.recheck([heard(number=1), heard(number=2), heard(number=3)])
    assert ([removal.native_id for removal in batch.removals], batch.checked) == (["1"], ("1",))


def test_a_platform_that_was_closed_looks_at_nothing(open_at: Open):
    """A stop does not wait for a hundred answers."""
    platform = open_at(Firebase(comment(7, "acme is down")))
    platform.close()
    assert platform.recheck([heard()]) == Batch()


def test_looking_again_goes_on_beside_listening(serve: Serve, context: FeedContext):
    """Both may be in the middle of an answer at once: neither cuts the other short."""
    items, search = Firebase(comment(7, "acme is up")), Algolia([hit(7, int(NOON.timestamp()) - 60, "acme is down")])
    found: list[Batch] = []

    def slow_search(request: object) -> Answer:
        found.append(platform.recheck([heard()]))
        return search(request)  # type: ignore[arg-type]

    url = serve(beside(slow_search, items)).url
    platform = hackernews.open_platform({"base_url": url, "firebase_url": f"{url}/v0"}, context)
    batches = platform.listen(None)
    assert [mention.text for mention in next(batches).mentions] == ["acme is down"]
    assert [mention.text for mention in found[0].mentions] == ["acme is up"]
    platform.close()


def test_check_tells_of_both_servers(serve: Serve, context: FeedContext):
    """Each is tried, and each says for itself what does not work."""
    items, search = Firebase(comment(7, "acme")), Algolia([])
    url = serve(beside(search, items)).url
    platform = hackernews.open_platform({"base_url": url, "firebase_url": f"{url}/v0"}, context)
    assert [finding.is_good for finding in platform.check()] == [True, True]
    items.faults = [Answer(200, b"{}")]
    search.faults = []
    good, bad = platform.check()
    assert (good.is_good, bad.is_good) == (True, False)
    assert "edits and deletions" in bad.remedy
    search.faults = [Answer(500)]
    bad, good = platform.check()
    assert (bad.is_good, good.is_good) == (False, True)
    platform.close()


def test_the_catalogue_asks_for_it_for_two_weeks():
    """After that hardly anyone edits or deletes."""
    assert PLATFORMS["hackernews"].recheck_days == 14


def test_the_fake_answers_as_the_real_one(serve: Serve, context: FeedContext):
    """Null for what is not there, 401 for what is no item, numbers for the newest."""
    server = serve(Firebase(comment(7, "acme")))
    fetcher = Fetcher(allow_hosts=[server.host], now=context.now)
    assert json.loads(fetcher.get(f"{server.url}/v0/item/7.json").body)["by"] == "jane"
    assert fetcher.get(f"{server.url}/v0/item/8.json").body == b"null"
    assert fetcher.get(f"{server.url}/v0/maxitem.json").body == b"7"
    with pytest.raises(Retryable, match="401"):
        fetcher.get(f"{server.url}/v0/secrets.json")


def test_recorded_posts_are_not_edited_by_reading_them_again(open_at: Open, shared: Path):
    """The real posts of the search, told by the API in the same words, are no edits."""
    recorded = json.loads((shared / "recorded/hn/fixtures.json").read_text())
    hits = [one for entry in recorded for one in entry["reply"].get("hits", [])]
    mentions, items = [], []
    for one in hits:
        read = hackernews.read_hit(one, "main", ITEM_URL)
        assert isinstance(read, Mention)
        mentions.append(read)
        text = one.get("comment_text") or one.get("story_text")
        told = {"id": int(one["objectID"]), "text": text, "title": one.get("title"), "url": one.get("url")}
        items.append({key: value for key, value in told.items() if value})
    batch = open_at(Firebase(*items)).recheck(mentions[:100])
    assert not batch.mentions
    assert len(batch.checked) == min(len(mentions), 100) > 20
