"""A place of each platform on this machine, with one post that needs an answer, for a bot that listens there."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from clocks import NOON
from fake_bluesky import SECRETS as BLUESKY_SECRETS
from fake_bluesky import FakeBluesky, post_view
from fake_jetstream import FakeJetstream
from fake_mastodon import SECRETS as MASTODON_SECRETS
from fake_mastodon import FakeMastodon
from fake_reddit import SECRETS as REDDIT_SECRETS
from fake_reddit import FakeReddit, comment
from fake_webhook import SECRET as WEBHOOK_SECRET
from fake_webhook import Callback, PatientSender, free_port
from fake_x import OUR_HANDLE, FakeX
from fake_x import SECRETS as X_SECRETS
from servers import Algolia, Server, hit, item, rss, say

from bot.clock import SystemClock

PLEA = "acme charged me twice for order 8841 and nobody answers my emails. Where is my refund? I want it back today"


class AfterNoon(SystemClock):
    """The clock of a test: it begins a moment after noon on the day of the fakes, and goes on as clocks do."""

    def __init__(self) -> None:
        self._start = datetime.now(UTC)

    def now(self) -> datetime:
        """Return the present."""
        return NOON + timedelta(minutes=1) + (datetime.now(UTC) - self._start)


class Town(ExitStack):
    """What places are built in: it tells the time, and ends what was started."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = AfterNoon()


@dataclass
class Place:
    """A platform's servers: the feed's settings and secrets, and what was posted there by us."""

    settings: dict[str, object]
    posted: Callable[[], list[str]] = list
    secrets: Mapping[str, str] = field(default_factory=dict)


def at_x(town: Town) -> Place:
    """A post that tags us, so that programs may answer it."""
    fake = FakeX(now=town.clock.now)
    fake.max_lines = 99
    fake.add(f"@{OUR_HANDLE} {PLEA}")
    server = town.enter_context(Server(fake))
    town.callback(fake.hang_up)

    def posted() -> list[str]:
        return [post.text for post in fake.posts.values() if post.author_id != "5"]

    settings = {"platform": "x", "handle": OUR_HANDLE, "base_url": server.url, "mode": "poll"}
    return Place(settings, posted, X_SECRETS)


def at_x_not_summoned(town: Town) -> Place:
    """A post that does not tag us: X takes no answer from programs there."""
    place = at_x(town)
    fake = FakeX(now=town.clock.now)
    fake.add(PLEA)
    server = town.enter_context(Server(fake))
    return Place({**place.settings, "base_url": server.url}, secrets=X_SECRETS)


def at_reddit(town: Town) -> Place:
    """A comment in a subreddit that is read."""
    fake = FakeReddit()
    fake.add(comment("c1", PLEA))
    server = town.enter_context(Server(fake))
    settings = {"platform": "reddit", "base_url": server.url, "oauth_url": server.url, "subreddits": ["tea"]}
    return Place(settings, lambda: [text for _, text in fake.posted], REDDIT_SECRETS)


def at_bluesky(town: Town) -> Place:
    """A post in the stream of everything."""
    fake, stream = FakeBluesky(), town.enter_context(FakeJetstream())
    uri = stream.post("3kpost1", PLEA)
    fake.posts[uri] = post_view(uri, PLEA)
    server = town.enter_context(Server(fake))
    settings = {
        "platform": "bluesky",
        "handle": "acme.example.com",
        "base_url": server.url,
        "appview_url": server.url,
        "jetstream_url": stream.url,
    }
    return Place(settings, lambda: [str(record["text"]) for record in fake.created()], BLUESKY_SECRETS)


def at_mastodon(town: Town) -> Place:
    """A post that names us."""
    fake = FakeMastodon()
    server = town.enter_context(Server(fake))
    town.callback(fake.hang_up)
    fake.base = server.url
    fake.post(f"@acme {PLEA}", at=NOON - timedelta(minutes=10))
    settings = {"platform": "mastodon", "base_url": server.url}
    return Place(settings, lambda: [form["status"] for form in fake.posted], MASTODON_SECRETS)


def at_a_webhook_with_a_callback(town: Town) -> Place:
    """A row that a review site sends, which takes answers."""
    callback, port = Callback(), free_port()
    server = town.enter_context(Server(callback))
    sender = PatientSender(port)
    town.callback(sender.close)
    sender.add({"id": 1, "text": PLEA, "author": "jane", "url": "https://reviews.example/1"})
    settings = {"platform": "webhook", "port": port, "callback_url": server.url, "allow_hosts": [server.host]}
    return Place(
        settings,
        lambda: [str(told["text"]) for told in callback.posted.values()],
        {"WEBHOOK_SECRET": WEBHOOK_SECRET},
    )


def at_a_webhook(town: Town) -> Place:
    """A row that a review site sends, which takes no answers."""
    place = at_a_webhook_with_a_callback(town)
    settings = {key: value for key, value in place.settings.items() if key not in {"callback_url", "allow_hosts"}}
    return Place(settings, secrets=place.secrets)


def at_hackernews(town: Town) -> Place:
    """A comment that the search finds."""
    second = int((NOON - timedelta(minutes=10)).timestamp())
    search = town.enter_context(Server(Algolia([hit(1, second, PLEA)])))
    items = town.enter_context(Server(lambda _request: say(json.dumps({"id": 1, "type": "comment", "text": PLEA}))))
    return Place({"platform": "hackernews", "base_url": search.url, "firebase_url": items.url})


def at_a_feed(town: Town) -> Place:
    """An entry of a forum."""
    page = rss(item("a", PLEA, NOON - timedelta(minutes=10)))
    forum = town.enter_context(Server(lambda _request: say(page, **{"Content-Type": "application/rss+xml"})))
    return Place({"platform": "feeds", "urls": [f"{forum.url}/feed.xml"], "allow_hosts": [forum.host]})


ANSWERED_THERE = {
    "x": at_x,
    "reddit": at_reddit,
    "bluesky": at_bluesky,
    "mastodon": at_mastodon,
    "webhook": at_a_webhook_with_a_callback,
}
BY_HAND = {
    "x": at_x_not_summoned,
    "hackernews": at_hackernews,
    "feeds": at_a_feed,
    "webhook": at_a_webhook,
}
