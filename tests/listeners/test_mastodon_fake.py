"""The small Mastodon server keeps the rules of a real one, as the library that everybody uses understands them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
import requests
from clocks import NOON
from fake_mastodon import TOKEN, FakeMastodon
from mastodon import Mastodon, MastodonAPIError, MastodonNotFoundError, MastodonUnauthorizedError, StreamListener
from servers import Script, Server

Serve = Callable[[Script], Server]


@pytest.fixture
def fake() -> FakeMastodon:
    """A server where we follow jane."""
    return FakeMastodon(followed={"jane@far.example"})


@pytest.fixture
def api(serve: Serve, fake: FakeMastodon) -> Mastodon:
    """The library, signed in there."""
    fake.base = serve(fake).url
    return Mastodon(api_base_url=fake.base, access_token=TOKEN, ratelimit_method="throw", request_timeout=5)


def texts(statuses: object) -> list[str]:
    """What posts say, in HTML."""
    assert isinstance(statuses, list)
    return [status["content"] for status in statuses]


def test_it_tells_of_itself_and_of_us(api: Mastodon):
    """As the real ones do, on both pages."""
    assert api.instance_v2().configuration.statuses.max_characters == 500
    assert api.instance_v1().uri == "mastodon.example"
    assert api.account_verify_credentials().acct == "acme"
    assert api.app_verify_credentials().scopes == ["read", "write"]
    assert api.stream_healthy()


def test_timelines_hold_what_belongs_there(api: Mastodon, fake: FakeMastodon):
    """Public posts by tag and place; home the posts of those we follow; nothing private where it is not ours."""
    fake.post("jane #tea")
    fake.post("bob #Tea", acct="bob")
    fake.post("secret #tea", acct="bob", visibility="direct")
    fake.post("friends", visibility="private")
    assert len(api.timeline_hashtag("TEA")) == 2
    assert [len(api.timeline_public(local=local, remote=not local)) for local in (True, False)] == [1, 1]
    assert len(api.timeline_home()) == 2
    assert api.account_lookup("jane@far.example").acct == "jane@far.example"
    assert len(api.account_statuses(fake.person("bob")["id"])) == 2


def test_pages_are_those_of_the_real_one(api: Mastodon, fake: FakeMastodon):
    """Newest first; min_id gives the oldest that are newer, since_id the newest, max_id what is older."""
    ids = [str(fake.post(f"jane {number}")["id"]) for number in range(50)]
    assert [str(each["id"]) for each in api.timeline_home(limit=40)] == ids[:9:-1]
    assert [str(each["id"]) for each in api.timeline_home(min_id=ids[4], limit=3)] == ids[7:4:-1]
    assert [str(each["id"]) for each in api.timeline_home(since_id=ids[4], limit=3)] == ids[:46:-1]
    assert [str(each["id"]) for each in api.timeline_home(max_id=ids[4], limit=3)] == ids[3:0:-1]
    assert len(api.timeline_home(limit=80)) == 40


def test_notifications_are_those_asked_for(api: Mastodon, fake: FakeMastodon):
    """A post that names us, but not our own."""
    fake.post("@acme hello", acct="bob")
    fake.post("@acme it is us", acct="acme")
    fake.notify("favourite", fake.post("x", acct="bob"))
    (note,) = api.notifications(types=["mention"])
    assert note.status.mentions[0].acct == "acme"
    assert len(api.notifications(types=["mention", "favourite"])) == 2


def test_posting_keeps_the_rules(api: Mastodon, fake: FakeMastodon):
    """One post for a key; the limit, the parent and the text are looked at."""
    parent = fake.post("hello", at=NOON - timedelta(hours=1))
    once = api.status_post("@jane hi", in_reply_to_id=parent["id"], visibility="unlisted", idempotency_key="k")
    again = api.status_post("@jane hi", in_reply_to_id=parent["id"], visibility="unlisted", idempotency_key="k")
    assert once.id == again.id
    assert len(fake.posted) == 1
    assert api.status(once.id).visibility == "unlisted"
    for text, parent_id, status in (("a" * 501, None, 422), (" ", None, 422), ("hi", "77", 404)):
        with pytest.raises(MastodonAPIError) as caught:
            api.status_post(text, in_reply_to_id=parent_id)
        assert caught.value.args[1] == status


def test_tokens_and_scopes_are_looked_at(api: Mastodon, fake: FakeMastodon):
    """A wrong token is refused also where none is needed; a scope that is missing is named."""
    fake.scopes = {"read:statuses"}
    with pytest.raises(MastodonAPIError) as caught:
        api.notifications()
    assert caught.value.args[1] == 403
    with pytest.raises(MastodonAPIError):
        api.status_post("hi")
    assert requests.get(f"{fake.base}/api/v1/timelines/tag/tea", timeout=5).json() == []
    assert requests.get(f"{fake.base}/api/v1/timelines/home", timeout=5).status_code == 401
    api.access_token = "wrong"
    with pytest.raises(MastodonUnauthorizedError):
        api.timeline_hashtag("tea")


def test_posts_are_found_by_id_by_address_and_by_word(api: Mastodon, fake: FakeMastodon):
    """Several at once; from elsewhere only where they are to be looked up; by word where that is on."""
    one, two = fake.post("acme one"), fake.post("acme two")
    assert len(api.statuses([one["id"], "9", two["id"]])) == 2
    fake.delete(one)
    with pytest.raises(MastodonNotFoundError):
        api.status(one["id"])
    far = fake.write("far away", acct="eve@else.example")
    fake.known_elsewhere[str(far["uri"])] = far
    assert api.search_v2(far["uri"], resolve=False).statuses == []
    assert len(api.search_v2(far["uri"], resolve=True).statuses) == 1
    assert len(api.search_v2("acme").statuses) == 1
    fake.flags.add("no_search")
    assert api.search_v2("acme").statuses == []


class Ears(StreamListener):
    """Keeps what a stream tells."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, object]] = []
        self.changed = threading.Condition()

    def on_any_event(self, name: str, data: object = None, for_stream: object = None) -> None:
        """Keep it."""
        del for_stream
        with self.changed:
            self.heard.append((name, data))
            self.changed.notify_all()

    def wait_for(self, count: int) -> list[str]:
        """The names of the first events."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.heard) >= count, 5)
        return [name for name, _data in self.heard]


def test_streams_are_understood_by_the_library_itself(api: Mastodon, fake: FakeMastodon):
    """Its own reader hears updates, notifications, edits and deletions, and a clean end ends it without a word."""
    ears = Ears()
    thread = threading.Thread(target=api.stream_user, args=(ears,), daemon=True)
    thread.start()
    while not fake.lines:
        thread.join(0.01)
    status = fake.post("hello")
    fake.edit(status, "edited")
    fake.delete(status)
    fake.post("@acme hi", acct="bob")
    assert ears.wait_for(4) == ["update", "status.update", "delete", "notification"]
    assert str(ears.heard[2][1]) == str(status["id"])
    fake.hang_up()
    thread.join(5)
    assert not thread.is_alive()


def test_each_stream_tells_its_own(api: Mastodon, fake: FakeMastodon):
    """Hashtags by their names, in any case; the public ones by where a post is from."""
    opened = {
        "tag": lambda ears: api.stream_hashtag("Tea", ears),
        "local": lambda ears: api.stream_public(ears, local=True),
        "all": api.stream_public,
    }
    listeners = {name: Ears() for name in opened}
    for number, (name, open_stream) in enumerate(opened.items(), start=1):
        threading.Thread(target=open_stream, args=(listeners[name],), daemon=True).start()
        while len(fake.lines) < number:
            threading.Event().wait(0.01)
    fake.post("jane #tea")
    fake.post("bob", acct="bob")
    fake.post("bob in private", acct="bob", visibility="private")
    assert [len(listeners[name].wait_for(count)) for name, count in (("tag", 1), ("local", 1), ("all", 2))] == [1, 1, 2]
    fake.hang_up()
