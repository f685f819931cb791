"""The stage: where answers appear as the public would see them. Takes the replay platform's replies."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.demo.blocks import Json

Misbehaviour = Literal[
    "slow", "error_after", "error_before", "refuse", "only_people", "drop_after", "drop_before", "ratelimited", ""
]
"""What goes wrong with a reply; '' is nothing, to let a thread get so far."""
DROPPED = 599
"""The status by which the server knows to cut the connection instead of answering."""
REFUSAL = "The author closed replies to this post."
ONLY_PEOPLE = "Programs may not answer this post."


@dataclass(slots=True)
class Post:
    """A public post and what we answered under it."""

    id: str
    platform: str = ""
    handle: str = ""
    name: str = ""
    text: str = ""
    created_at: str = ""
    title: str = ""
    replies: list[Json] = field(default_factory=list)

    def to_json(self) -> Json:
        """Return it as the page reads it."""
        return {
            "id": self.id,
            "platform": self.platform,
            "handle": self.handle,
            "name": self.name,
            "text": self.text,
            "title": self.title,
            "created_at": self.created_at,
            "replies": self.replies,
        }


class Stage:
    """The public side."""

    def __init__(self, base_url: Callable[[], str], tell: Callable[[Post], None], slow_seconds: float = 12.0) -> None:
        self._base_url = base_url
        self._tell = tell
        self._slow_seconds = slow_seconds
        self._planned: deque[Misbehaviour] = deque()
        self.posts: dict[str, Post] = {}
        self.replies: list[Json] = []

    def add_rows(self, rows: Iterable[Json]) -> None:
        """Learn posts for display from a feed's rows."""
        for row in rows:
            author = row.get("author") or {}
            if not isinstance(author, dict):
                author = {"handle": str(author)}
            post = Post(str(row["id"]), str(row.get("platform", "")), str(author.get("handle", "")))
            post.name, post.text = str(author.get("name", "")), str(row.get("text", ""))
            post.title, post.created_at = str(row.get("title", "")), str(row.get("created_at", ""))
            self.posts[post.id] = post

    def plan(self, how: Misbehaviour, times: int = 1) -> None:
        """Let the next `times` replies go wrong."""
        self._planned.extend([how] * times)

    async def take_reply(self, request: Request) -> Response:
        """POST /stage/replies."""
        how = self._planned.popleft() if self._planned else ""
        row: Json = await request.json()
        if how in _AT_ONCE:
            return _refusal(how, self._address_of(str(row.get("in_reply_to"))))
        if not row.get("in_reply_to") or not str(row.get("text", "")).strip():
            return JSONResponse({"error": "A reply needs in_reply_to and text."}, 400)
        if row.get("after") and all(row["after"] != reply["id"] for reply in self.replies):
            return JSONResponse({"error": "There is no such reply to go on from."}, 404)
        answer = self._store(row)
        if how == "slow":
            await asyncio.sleep(self._slow_seconds)
        if how == "error_after":
            return JSONResponse({"error": "Something broke."}, 500)
        return Response(status_code=DROPPED) if how == "drop_after" else JSONResponse(answer)

    def _store(self, row: Json) -> Json:
        post_id = str(row["in_reply_to"])
        unknown = Post(post_id, str(row.get("platform", "")), str(row.get("author", "")))
        post = self.posts.setdefault(post_id, unknown)
        reply_id = f"reply-{secrets.token_hex(4)}"
        reply = {
            "id": reply_id,
            "in_reply_to": post.id,
            "text": str(row["text"]),
            "account": str(row.get("account", "")),
            "send_key": str(row.get("send_key", "")),
            "after": str(row.get("after", "")),
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        post.replies.append(reply)
        self.replies.append(reply)
        self._tell(post)
        return {"id": reply_id, "url": f"{self._address_of(post.id)}#{reply_id}"}

    def _address_of(self, post_id: str) -> str:
        return f"{self._base_url()}/stage/{stage_path(post_id)}"

    def shown(self) -> list[Json]:
        """Return the posts that were answered, the newest answer first."""
        answered = [p for p in self.posts.values() if p.replies]
        return [p.to_json() for p in sorted(answered, key=lambda p: p.replies[-1]["at"], reverse=True)]


_AT_ONCE = {"drop_before", "error_before", "ratelimited", "refuse", "only_people"}


def _refusal(how: str, address: str) -> Response:
    if how == "drop_before":
        return Response(status_code=DROPPED)
    if how == "error_before":
        return JSONResponse({"error": "The stage is closed."}, 503)
    if how == "ratelimited":
        return JSONResponse({"error": "Too many replies."}, 429, {"Retry-After": "1"})
    if how == "only_people":
        return JSONResponse({"error": ONLY_PEOPLE, "by_hand_url": address}, 403)
    return JSONResponse({"error": REFUSAL}, 403)


def stage_path(post_id: str) -> str:
    """Return a post's id as the last part of its stage address; ids of any shape survive."""
    return re.sub(r"[^A-Za-z0-9._~-]", lambda m: "".join(f"%{b:02X}" for b in m[0].encode()), post_id)
