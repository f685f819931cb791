"""The official API of Hacker News in small: items by number, and the newest number."""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

from servers import Answer, Request, Script, say

ITEM = re.compile(r"/v0/item/(\d+)\.json")


def comment(number: int, text: str, **others: object) -> dict[str, object]:
    """A comment as the API tells it."""
    told: dict[str, object] = {
        "by": "jane",
        "id": number,
        "parent": 1,
        "text": text,
        "time": 1_795_435_200,
        "type": "comment",
    }
    return told | others


def story(number: int, title: str, **others: object) -> dict[str, object]:
    """A story as the API tells it."""
    told: dict[str, object] = {
        "by": "jane",
        "descendants": 0,
        "id": number,
        "score": 1,
        "time": 1_795_435_200,
        "title": title,
        "type": "story",
    }
    return told | others


def deleted(number: int) -> dict[str, object]:
    """An item whose author took it down: author and text are gone."""
    return {"deleted": True, "id": number, "parent": 1, "time": 1_795_435_200, "type": "comment"}


class Firebase:
    """Answers for items; of a number it does not know it says null, as the real one."""

    def __init__(self, *items: dict[str, object]) -> None:
        self.items = {str(each["id"]): each for each in items}
        self.faults: list[Answer] = []

    def __call__(self, request: Request) -> Answer:
        """Answer one question."""
        if self.faults:
            return self.faults.pop(0)
        path = urlsplit(request.path).path
        if path == "/v0/maxitem.json":
            return say(json.dumps(max(map(int, self.items), default=1)))
        found = ITEM.fullmatch(path)
        if found is None:
            return Answer(401, b'{"error" : "Permission denied"}')
        return say(json.dumps(self.items.get(found[1])))


def beside(search: Script, items: Script) -> Script:
    """Let one server be both: the search, and the items under /v0/."""
    return lambda request: items(request) if "/v0/" in request.path else search(request)
