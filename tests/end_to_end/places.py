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

PLEA = "acme charged me twice for order 8841 and nobody answers my emails. Where is my refund? I want it back today"
START = datetime.now(UTC)


def now() -> datetime:
    """The time in these tests: a moment after noon on the day of the fakes, going on as clocks do."""
    return NOON + timedelta(minutes=1) + (datetime.now(UTC) - START)


@dataclass
class Place:
    """A platform's servers: the feed's settings and secrets, and what was posted there by us."""

    settings: dict[str, object]
    posted: Callable[[], list[str]] = list
    secrets: Mapping[str, str] = field(default_factory=dict)


def at_x(stack: ExitStack) -> Place:
    """A post that tags us, so that programs may answer it."""
    fake = FakeX(now=now)
    fake.max_lines = 99
    fake.add(f"@{OUR_HANDLE} {PLEA}")
    server = stack.enter_context(Server(fake))
    stack.callback(fake.hang_up)

    def posted() -> list[str]:
        return [post.text for post in fake.posts.values() if post.author_id != "5"]

    settings = {"platform": "x", "handle": OUR_HANDLE, "base_url": server.url, "mode": "poll"}
    return Place(settings, posted, X_SECRETS)


def at_x_not_summoned(stack: ExitStack) -> Place:
    """A post that does not tag us: X takes no answer from programs there."""
    place = at_x(stack)
    fake = FakeX(now=now)
    fake.add(PLEA)
    server = stack.enter_context(Server(fake))
    return Place({**place.settings, "base_url": server.url}, secrets=X_SECRETS)


def at_reddit(stack: ExitStack) -> Place:
    """A comment in a subreddit that is read."""
    fake = FakeReddit()
    fake.add(comment("c1", PLEA))
    server = stack.enter_context(Server(fake))
    settings = {"platform": "reddit", "base_url": server.url, "oauth_url": server.url, "subreddits": ["tea"]}
    return Place(settings, lambda: [text for _, text in fake.posted], REDDIT_SECRETS)


def at_bluesky(stack: ExitStack) -> Place:
    """A post in the stream of everything."""
    fake, stream = FakeBluesky(), stack.enter_context(FakeJetstream())
    uri = stream.post("3kpost1", PLEA)
    fake.posts[uri] = post_view(uri, PLEA)
    server = stack.enter_context(Server(fake))
    settings = {
        "platform": "bluesky",
        "handle": "acme.example.com",
        "base_url": server.url,
        "appview_url": server.url,
        "jetstream_url": stream.url,
    }
    return Place(settings, lambda: [str(record["text"]) for record in fake.created()], BLUESKY_SECRETS)


def at_mastodon(stack: ExitStack) -> Place:
    """A post that names us."""
    fake = FakeMastodon()
    server = stack.enter_context(Server(fake))
    stack.callback(fake.hang_up)
    fake.base = server.url
    fake.post(f"@acme {PLEA}", at=NOON - timedelta(minutes=10))
    settings = {"platform": "mastodon", "base_url": server.url}
    return Place(settings, lambda: [form["status"] for form in fake.posted], MASTODON_SECRETS)


def at_a_webhook_with_a_callback(stack: ExitStack) -> Place:
    """A row that a review site sends, which takes answers."""
    callback, port = Callback(), free_port()
    server = stack.enter_context(Server(callback))
    sender = PatientSender(port)
    stack.callback(sender.close)
    sender.add({"id": 1, "text": PLEA, "author": "jane", "url": "https://reviews.example/1"})
    settings = {"platform": "webhook", "port": port, "callback_url": server.url, "allow_hosts": [server.host]}
    return Place(
        settings,
        lambda: [str(told["text"]) for told in callback.posted.values()],
        {"WEBHOOK_SECRET": WEBHOOK_SECRET},
    )


def at_a_webhook(stack: ExitStack) -> Place:
    """A row that a review site sends, which takes no answers."""
    place = at_a_webhook_with_a_callback(stack)
    settings = {key: value for key, value in place.settings.items() if key not in {"callback_url", "allow_hosts"}}
    return Place(settings, secrets=place.secrets)


def at_hackernews(stack: ExitStack) -> Place:
    """A comment that the search finds."""
    second = int((NOON - timedelta(minutes=10)).timestamp())
    search = stack.enter_context(Server(Algolia([hit(1, second, PLEA)])))
    items = stack.enter_context(Server(lambda _request: say(json.dumps({"id": 1, "type": "comment", "text": PLEA}))))
    return Place({"platform": "hackernews", "base_url": search.url, "firebase_url": items.url})


def at_a_feed(stack: ExitStack) -> Place:
    """An entry of a forum."""
    page = rss(item("a", PLEA, NOON - timedelta(minutes=10)))
    forum = stack.enter_context(Server(lambda _request: say(page, **{"Content-Type": "application/rss+xml"})))
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
