"""A stand for Bluesky: a stream, and a server that tells who wrote a post and does not confirm replies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from itertools import islice
from pathlib import Path

from fake_bluesky import HANDLE, SECRETS, FakeBluesky, post_view
from fake_jetstream import FakeJetstream
from servers import Answer, Request, Server
from stand import SECRET, Breakable, Serve, Stand

from listeners import bluesky
from listeners.contract import FeedContext
from listeners.mention import Batch


def bluesky_stand(serve: Serve, _folder: Path) -> Stand:
    """Bluesky in small."""
    fake = FakeBluesky(mood=lose_replies)
    script = Breakable(fake)
    server = serve(script)
    stack = ExitStack()
    stream = stack.enter_context(FakeJetstream())

    def add(number: int, text: str) -> None:
        uri = stream.post(f"3kpost{number}", text)
        fake.posts[uri] = post_view(uri, text)

    def breaks() -> None:
        script.breaks()
        stream.refusals += [(500, {}, SECRET.encode())] * 100
        stream.hang_up()

    return Stand(settings_for(server, stream), add, breaks, (server,), secrets=SECRETS, close=stack.close)


def settings_for(server: Server, stream: FakeJetstream, **others: object) -> dict[str, object]:
    """The settings that lead to the fakes."""
    settings: dict[str, object] = {
        "handle": HANDLE,
        "base_url": server.url,
        "appview_url": server.url,
        "jetstream_url": stream.url,
        "poll_seconds": 5,
    }
    return settings | others


def lose_replies(method: str, _request: Request) -> Answer | None:
    """Take every reply, and say nothing of it."""
    return Answer(503) if method == "com.atproto.repo.createRecord" else None


def open_bluesky(
    server: Server,
    stream: FakeJetstream,
    context: FeedContext,
    secrets: Mapping[str, str] = SECRETS,
    **settings: object,
) -> bluesky.Bluesky:
    """Open a feed against the fakes."""
    return bluesky.open_platform(settings_for(server, stream, **settings), replace(context, secrets=secrets))


def look_at(platform: bluesky.Bluesky, cursor: str | None = None, looks: int = 1) -> list[Batch]:
    """Return the first batches of a listener, and close it."""
    batches = list(islice(platform.listen(cursor), looks))
    platform.close()
    return batches


def texts(batches: Batch | Iterator[Batch] | list[Batch]) -> list[str]:
    """What the mentions of batches say."""
    several = [batches] if isinstance(batches, Batch) else batches
    return [mention.text for batch in several for mention in batch.mentions]
