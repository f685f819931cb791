"""A stand for Mastodon: an account that follows one person, on a server that does not confirm replies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from pathlib import Path

from clocks import NOON
from fake_mastodon import SECRETS, FakeMastodon
from servers import Answer, Request, Server
from stand import Breakable, Serve, Stand

from listeners import mastodon
from listeners.contract import FeedContext
from listeners.mention import Batch


def mastodon_stand(serve: Serve, _folder: Path) -> Stand:
    """A server in small, with streams."""
    fake = FakeMastodon(followed={"jane@far.example"}, mood=lose_replies)
    script = Breakable(fake)
    server = serve(script)
    fake.base = server.url

    def add(number: int, text: str) -> None:
        fake.post(text, at=NOON - timedelta(minutes=10, seconds=-number))

    return Stand(
        {"base_url": server.url, "overlap_seconds": 0},
        add,
        script.breaks,
        (server,),
        secrets=SECRETS,
        close=fake.hang_up,
    )


def lose_replies(_path: str, request: Request) -> Answer | None:
    """Take every reply, and say nothing of it."""
    return Answer(503) if request.method == "POST" else None


def open_mastodon(
    server: Server, context: FeedContext, secrets: Mapping[str, str] = SECRETS, **settings: object
) -> mastodon.MastodonFeed:
    """Open a feed against a server, which looks instead of streaming unless asked otherwise."""
    chosen: dict[str, object] = {"base_url": server.url, "mode": "poll"}
    return mastodon.open_platform(chosen | settings, replace(context, secrets=secrets))


def look_at(platform: mastodon.MastodonFeed, cursor: str | None = None, looks: int = 1) -> list[Batch]:
    """Return the first batches of a listener, and close it."""
    batches = list(islice(platform.listen(cursor), looks))
    platform.close()
    return batches


def texts(batches: Batch | list[Batch]) -> list[str]:
    """What the mentions of batches say."""
    several = [batches] if isinstance(batches, Batch) else batches
    return [mention.text for batch in several for mention in batch.mentions]
