"""A stand for Reddit: a subreddit that an account reads, with a server that does not confirm replies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path

from fake_reddit import SECOND, SECRETS, FakeReddit, comment
from servers import Answer, Request, Server
from stand import Breakable, Serve, Stand

from listeners import reddit
from listeners.contract import FeedContext
from listeners.mention import Batch


def reddit_stand(serve: Serve, _folder: Path) -> Stand:
    """A subreddit in small."""
    fake = FakeReddit(mood=lose_replies)
    script = Breakable(fake)
    server = serve(script)

    def add(number: int, text: str) -> None:
        fake.add(comment(f"c{number}", text, SECOND - 600 + number))

    settings = {"base_url": server.url, "oauth_url": server.url, "subreddits": ["tea"], "overlap_seconds": 0}
    return Stand(settings, add, script.breaks, (server,), secrets=SECRETS)


def lose_replies(path: str, _request: Request) -> Answer | None:
    """Take every reply, and say nothing of it."""
    return Answer(503) if path == "api/comment" else None


def open_reddit(
    server: Server, context: FeedContext, secrets: Mapping[str, str] = SECRETS, **settings: object
) -> reddit.Reddit:
    """Open a feed against a server: r/tea, and no inbox unless asked for."""
    chosen: dict[str, object] = {"base_url": server.url, "oauth_url": server.url, "subreddits": ["tea"], "inbox": False}
    return reddit.open_platform(chosen | settings, replace(context, secrets=secrets))


def look_at(platform: reddit.Reddit, cursor: str | None = None, looks: int = 1) -> list[Batch]:
    """Return the first batches of a listener, and close it."""
    batches = list(islice(platform.listen(cursor), looks))
    platform.close()
    return batches


def texts(batches: Batch | Iterator[Batch] | list[Batch]) -> list[str]:
    """What the mentions of batches say."""
    several = [batches] if isinstance(batches, Batch) else batches
    return [mention.text for batch in several for mention in batch.mentions]
