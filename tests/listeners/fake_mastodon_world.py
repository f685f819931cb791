"""What happens on a Mastodon server in small: people post, edit and delete, and streams tell of it.

After Mastodon's documentation, its published code (streaming/index.js for the streams) and its recorded answers.
`fake_mastodon` answers requests about it.
"""

from __future__ import annotations

import html
import json
import queue
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from clocks import NOON

Data = dict[str, object]
DOMAIN = "mastodon.example"
ENDS: dict[str, bytes] = {"clean": b"0\r\n\r\n", "cut": b"ff\r\nevent: upd", "reset": b""}


def number_of(moment: datetime, serial: int = 0) -> str:
    """An id that holds the time, as Mastodon makes them."""
    return str((int(moment.timestamp() * 1000) << 16) + serial)


def list_of(status: Data, key: str) -> list[dict[str, str]]:
    """A list in a status."""
    value = status[key]
    assert isinstance(value, list)
    return value


def tags_of(status: Data) -> list[str]:
    """The hashtags of a status."""
    return [tag["name"] for tag in list_of(status, "tags")]


def acct_of(status: Data) -> str:
    """Who wrote a status."""
    account = status["account"]
    assert isinstance(account, dict)
    return str(account["acct"])


class Line:
    """One open stream: what is put into it is sent, and signs of life in between."""

    def __init__(self, channel: str, heartbeat: float) -> None:
        self.channel = channel
        self._heartbeat = heartbeat
        self._waiting: queue.SimpleQueue[tuple[bytes, bool]] = queue.SimpleQueue()

    def put(self, text: str) -> None:
        """Send some text."""
        data = text.encode()
        self._waiting.put((b"%x\r\n%s\r\n" % (len(data), data), False))

    def end(self, how: str) -> None:
        """End it, in one of the ways of `ENDS`."""
        self._waiting.put((ENDS[how], True))

    def mute(self) -> None:
        """Show no more signs of life."""
        self._heartbeat = 600.0

    def serve(self, connection: socket.socket) -> None:
        """Send until the end, or until the other side is gone."""
        head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n:)\n\r\n"
        try:
            connection.sendall(head.encode())
            is_over = False
            while not is_over:
                data, is_over = self._next()
                connection.sendall(data)
        except OSError:
            return

    def _next(self) -> tuple[bytes, bool]:
        try:
            return self._waiting.get(timeout=self._heartbeat)
        except queue.Empty:
            return b"7\r\n:thump\n\r\n", False


@dataclass
class MastodonWorld:
    """People, posts and open streams; our own account there is acme."""

    domain: str = DOMAIN
    statuses: dict[str, Data] = field(default_factory=dict)
    notifications: list[Data] = field(default_factory=list)
    followed: set[str] = field(default_factory=set)
    lines: list[Line] = field(default_factory=list)
    made: int = 0
    """How many posts were ever made."""

    def person(self, acct: str) -> Data:
        """An account as it is told of."""
        user, _, domain = acct.partition("@")
        host = f"https://{domain or self.domain}"
        return {
            "id": str(sum(acct.encode())),
            "username": user,
            "acct": acct,
            "display_name": user.title(),
            "bot": False,
            "followers_count": 70,
            "url": f"{host}/@{user}",
            "uri": f"{host}/users/{user}",
            "note": "",
            "emojis": [],
        }

    def post(self, text: str, acct: str = "jane@far.example", at: datetime | None = None, **others: object) -> Data:
        """Have somebody post; `others` are fields of the status. Streams and notifications follow from it."""
        status = self.write(text, acct, at, **others)
        self.statuses[str(status["id"])] = status
        if self._names_us(status) and acct_of(status) != "acme":
            self.notify("mention", status)
        self._stream(status, "update")
        return status

    def write(self, text: str, acct: str = "jane@far.example", at: datetime | None = None, **others: object) -> Data:
        """A status as it is told of; nobody has it yet."""
        self.made += 1
        moment = at or NOON - timedelta(minutes=30) + timedelta(seconds=self.made)
        number = str(others.pop("id", number_of(moment, self.made)))
        person = self.person(acct)
        names = list(re.findall(r"(?<!\w)@([\w.-]+(?:@[\w.-]+\w)?)", text))
        tags = [tag.lower() for tag in re.findall(r"#(\w+)", text)]
        status: Data = {
            "id": number,
            "created_at": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "edited_at": None,
            "in_reply_to_id": None,
            "in_reply_to_account_id": None,
            "sensitive": False,
            "spoiler_text": "",
            "visibility": "public",
            "language": "en",
            "uri": f"{person['uri']}/statuses/{number}",
            "url": f"{person['url']}/{number}",
            "content": self.mark_up(text, names),
            "reblog": None,
            "account": person,
            "media_attachments": [],
            "mentions": [{key: self.person(each)[key] for key in ("id", "username", "acct", "url")} for each in names],
            "tags": [{"name": tag, "url": f"https://{self.domain}/tags/{tag}"} for tag in tags],
            "emojis": [],
            "card": None,
            "poll": None,
        }
        return status | others

    def mark_up(self, text: str, names: Iterable[str] = ()) -> str:
        """Text as Mastodon writes it in HTML."""
        marked = html.escape(text, quote=False)
        for name in names:
            person = self.person(name)
            link = f'<a href="{person["url"]}" class="u-url mention">@<span>{person["username"]}</span></a>'
            marked = re.sub(rf"@{re.escape(name)}(?![\w@])", f'<span class="h-card">{link}</span>', marked)
        tag = rf'<a href="https://{self.domain}/tags/\1" class="mention hashtag" rel="tag">#<span>\1</span></a>'
        paragraphs = re.sub(r"#(\w+)", tag, marked).split("\n\n")
        return "".join(f"<p>{each}</p>".replace("\n", "<br />") for each in paragraphs)

    def notify(self, kind: str, status: Data) -> None:
        """Tell us of something."""
        number = str(len(self.notifications) + 1000)
        note = {"id": number, "type": kind, "created_at": status["created_at"], "account": status["account"]}
        self.notifications.append(note | {"status": status})
        self.push("user", "notification", json.dumps(note | {"status": status}))

    def edit(self, status: Data, text: str) -> None:
        """Have an author change a post."""
        count = len(str(status["edited_at"] or ""))
        moment = NOON - timedelta(minutes=5) + timedelta(seconds=count)
        status |= {"content": self.mark_up(text), "edited_at": moment.isoformat().replace("+00:00", "Z")}
        self._stream(status, "status.update")

    def delete(self, status: Data) -> None:
        """Have an author take a post down."""
        self.statuses.pop(str(status["id"]), None)
        self.notifications = [note for note in self.notifications if note["status"] != status]
        for channel in self._channels(status, to_named=True):
            self.push(channel, "delete", str(status["id"]))

    def push(self, channel: str, event: str, payload: str) -> None:
        """Send an event to everybody who follows a stream."""
        for line in self.lines:
            if line.channel == channel:
                line.put(f"event: {event}\n")
                line.put(f"data: {payload}\n\n")

    def hang_up(self, how: str = "clean") -> None:
        """End every stream."""
        lines, self.lines = self.lines, []
        for line in lines:
            line.end(how)

    def _stream(self, status: Data, event: str) -> None:
        for channel in self._channels(status, to_named=event == "status.update"):
            self.push(channel, event, json.dumps(status))

    def _channels(self, status: Data, *, to_named: bool) -> list[str]:
        channels = ["user"] if self.is_at_home(status) or (to_named and self._names_us(status)) else []
        if status["visibility"] == "public":
            channels += [f"hashtag:{tag}" for tag in tags_of(status)]
            channels += ["public", "public/remote" if "@" in acct_of(status) else "public/local"]
        return channels

    def is_at_home(self, status: Data) -> bool:
        """Whether a post is on our home timeline."""
        return acct_of(status) in self.followed | {"acme"}

    def _names_us(self, status: Data) -> bool:
        return "acme" in [each["acct"] for each in list_of(status, "mentions")]
