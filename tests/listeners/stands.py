"""A stand for each platform: a small server that tells posts, and can be broken. The contract suite runs on them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from clocks import NOON
from fake_firebase import Firebase, beside
from servers import Algolia, hit, item, rss, say
from stand import SECRET, Breakable, BuildsStand, Serve, Stand
from stand_bluesky import bluesky_stand
from stand_mastodon import mastodon_stand
from stand_reddit import reddit_stand
from stand_webhook import webhook_stand
from stand_x import x_stand

__all__ = ["SECRET", "STANDS", "Breakable", "Serve", "Stand"]

SECOND = int(NOON.timestamp())


def hackernews_stand(serve: Serve, _folder: Path) -> Stand:
    """A search in small."""
    algolia = Algolia([])
    script = Breakable(beside(algolia, Firebase()))
    server = serve(script)

    def add(number: int, text: str) -> None:
        algolia.hits.append(hit(number, SECOND - 600 + number, text))

    addresses = {"base_url": f"{server.url}/{SECRET}/", "firebase_url": f"{server.url}/v0"}
    return Stand({**addresses, "overlap_seconds": 0}, add, script.breaks, (server,))


def feeds_stand(serve: Serve, _folder: Path) -> Stand:
    """A forum's feed."""
    items: list[str] = []
    script = Breakable(lambda _request: say(rss(*items)))
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


STANDS: Mapping[str, BuildsStand] = {
    "hackernews": hackernews_stand,
    "reddit": reddit_stand,
    "bluesky": bluesky_stand,
    "mastodon": mastodon_stand,
    "x": x_stand,
    "feeds": feeds_stand,
    "webhook": webhook_stand,
    "replay": replay_stand,
}
