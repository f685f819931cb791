"""A stand for each platform: a small server that tells posts, and can be broken. The contract suite runs on them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from clocks import NOON
from servers import Algolia, Answer, Request, Script, Server, hit, item, rss, say

SECRET = "s3cret-token"
SECOND = int(NOON.timestamp())
Serve = Callable[[Script], Server]


@dataclass
class Stand:
    """A place for one platform: its settings, and how to add a post to what it hears, or break it."""

    settings: dict[str, object]
    add: Callable[[int, str], None]
    breaks: Callable[[], None]
    servers: tuple[Server, ...] = ()


class _Breakable:
    """A script that can be made to fail from now on."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.is_broken = False

    def __call__(self, request: Request) -> Answer:
        """Answer, or fail."""
        return Answer(500, SECRET.encode()) if self.is_broken else self.script(request)

    def breaks(self) -> None:
        """Fail from now on."""
        self.is_broken = True


def hackernews_stand(serve: Serve, _folder: Path) -> Stand:
    """A search in small."""
    algolia = Algolia([])
    script = _Breakable(algolia)
    server = serve(script)

    def add(number: int, text: str) -> None:
        algolia.hits.append(hit(number, SECOND - 600 + number, text))

    return Stand({"base_url": f"{server.url}/{SECRET}/", "overlap_seconds": 0}, add, script.breaks, (server,))


def feeds_stand(serve: Serve, _folder: Path) -> Stand:
    """A forum's feed."""
    items: list[str] = []
    script = _Breakable(lambda _request: say(rss(*items)))
    server = serve(script)

    def add(number: int, text: str) -> None:
        items.append(item(str(number), text, NOON.replace(hour=11, minute=number)))

    settings: dict[str, object] = {"urls": [f"{server.url}/feed?key={SECRET}"], "allow_hosts": [server.host]}
    return Stand(settings, add, script.breaks, (server,))


def replay_stand(_serve: Serve, folder: Path) -> Stand:
    """A file, and a stage that nobody listens on."""
    file = folder / "rows.jsonl"
    file.touch()

    def add(number: int, text: str) -> None:
        row = {"id": number, "text": text, "author": "jane", "brand": "Acme", "created_at": SECOND - 600 + number}
        with file.open("a") as stream:
            stream.write(json.dumps(row) + "\n")

    stage = f"http://127.0.0.1:9/{SECRET}"
    return Stand({"path": str(file), "stage_url": stage}, add, file.unlink)


STANDS = {"hackernews": hackernews_stand, "feeds": feeds_stand, "replay": replay_stand}
