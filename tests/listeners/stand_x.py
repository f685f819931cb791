"""A stand for X: an account, a stream that tells posts, and a search that knows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from pathlib import Path

from clocks import NOON
from fake_x import OUR_HANDLE, SECRETS, FakeX
from servers import Server
from stand import Breakable, Serve, Stand

from listeners import x
from listeners.contract import FeedContext
from listeners.mention import Batch, Mention


def x_stand(serve: Serve, _folder: Path) -> Stand:
    """X in small."""
    fake = FakeX(now=lambda: NOON + timedelta(seconds=30))
    fake.max_lines = 99  # so that it need not notice at once that somebody hung up
    script = Breakable(fake)
    server = serve(script)

    def add(number: int, text: str) -> None:
        fake.add(text, 10 - number / 60)

    settings: dict[str, object] = {"handle": OUR_HANDLE, "base_url": server.url, "overlap_seconds": 0}
    return Stand(settings, add, script.breaks, (server,), secrets=SECRETS, close=fake.hang_up)


def open_x(server: Server, context: FeedContext, secrets: Mapping[str, str] = SECRETS, **settings: object) -> x.X:
    """Open a feed against a server; by looks, unless asked otherwise."""
    told = {"handle": OUR_HANDLE, "base_url": server.url, "mode": "poll", **settings}
    return x.open_platform(told, replace(context, secrets=secrets))


def look(platform: x.X, cursor: str | None = None, looks: int = 1) -> list[Batch]:
    """Take a few batches and let go."""
    return list(islice(platform.listen(cursor), looks))


def mentions(batches: list[Batch]) -> list[Mention]:
    """All mentions in batches."""
    return [mention for batch in batches for mention in batch.mentions]


def texts(batches: list[Batch]) -> list[str]:
    """What the mentions in batches say."""
    return [mention.text for mention in mentions(batches)]
