"""A Mastodon server in small: its API and its streams, with the real limits; it can misbehave.

`faults` are answers to the next requests, `mood` may answer instead of it by the path, `flags` change what it is. After
Mastodon's documentation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import parse_qs, unquote, urlsplit

from clocks import NOON
from fake_mastodon_world import Data, Line, MastodonWorld, acct_of, tags_of
from servers import Answer, Request

TOKEN = "s3cret-token-of-acme"
SECRETS = {"MASTODON_ACCESS_TOKEN": TOKEN}
OUTSIDE = "This action is outside the authorized scopes"
NOBODY = Answer(404, b"<h1>Not Found</h1>", {"Content-Type": "text/html"})
PAGE = 40
OPEN = re.compile(r"/api/v1/(timelines/(tag|public)|statuses/|accounts/(lookup|\d+/statuses)|streaming/health)")
SCOPES = {
    r"POST .*": "write:statuses",
    r"GET .*/notifications.*": "read:notifications",
    r"GET .*/search": "read:search",
    r"GET .*/accounts/(?!\d+/statuses).*": "read:accounts",
    r"GET .*/streaming/user|GET .*/(timelines|statuses).*": "read:statuses",
}


def told(value: object, status: int = 200) -> Answer:
    """Answer in JSON."""
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json; charset=utf-8"})


def refused(status: int, words: str) -> Answer:
    """Refuse as Mastodon does."""
    return told({"error": words}, status)


def id_of(item: Data) -> int:
    """The id of anything, for putting things in order."""
    return int(str(item["id"]))


@dataclass
class FakeMastodon(MastodonWorld):
    """A script for a server.

    Flags: no_search, no_v2, no_instance, no_many, no_streams, no_home, and trailing (it sends on where a path ends in a
    slash, as GoToSocial does).
    """

    base: str = "https://mastodon.example"
    limit: int = 500
    heartbeat: float = 0.05
    flags: set[str] = field(default_factory=set)
    tokens: set[str] = field(default_factory=lambda: {TOKEN})
    scopes: set[str] = field(default_factory=lambda: {"read", "write"})
    headers: dict[str, str] = field(default_factory=dict)
    faults: list[Answer] = field(default_factory=list)
    mood: Callable[[str, Request], Answer | None] = lambda _path, _request: None
    policy: Data = field(default_factory=lambda: {"for_not_following": "accept", "for_private_mentions": "filter"})
    known_elsewhere: dict[str, Data] = field(default_factory=dict)
    """Posts of other servers by their address, which are here once they are looked up."""
    posted: list[dict[str, str]] = field(default_factory=list)
    by_key: dict[str, Data] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __call__(self, request: Request) -> Answer:
        """Answer one request."""
        path = unquote(urlsplit(request.path).path)
        self.asked.append(path)
        moody = self.mood(path, request)
        if moody is not None or self.faults:
            return moody or self.faults.pop(0)
        if "trailing" in self.flags and path.endswith("/"):
            return Answer(301, b"", {"Location": path.rstrip("/")})
        answer = self._serve(path.rstrip("/"), request)
        return Answer(answer.status, answer.body, {**self.headers, **answer.headers}, answer.raw)

    def _serve(self, path: str, request: Request) -> Answer:
        if path.endswith("/instance"):
            return self._tell_instance(path)
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if (given or not OPEN.match(path)) and given not in self.tokens:
            return refused(401, "The access token is invalid")
        asked = f"{request.method} {path}"
        scope = next((scope for pattern, scope in SCOPES.items() if re.fullmatch(pattern, asked)), "")
        if given and scope and not self.scopes & {scope, scope.partition(":")[0]}:
            return refused(403, OUTSIDE)
        if path.startswith("/api/v1/streaming/"):
            return self._open_line(path.removeprefix("/api/v1/streaming/"), request)
        return self._take_post(request) if request.method == "POST" else self._read(path, request)

    def _tell_instance(self, path: str) -> Answer:
        is_old = path.startswith("/api/v1")
        if "no_instance" in self.flags or ("no_v2" in self.flags and not is_old):
            return NOBODY
        limits = {"statuses": {"max_characters": self.limit, "characters_reserved_per_url": 23}}
        streams = self.base.replace("http", "ws", 1)
        if is_old:
            told_of: Data = {"uri": self.domain, "urls": {"streaming_api": streams}, "configuration": limits}
        else:
            configuration = {**limits, "urls": {"streaming": streams}}
            told_of = {"domain": self.domain, "api_versions": {"mastodon": 7}, "configuration": configuration}
        return told(told_of | {"version": "4.5.2"})

    def _open_line(self, channel: str, request: Request) -> Answer:
        if channel == "health":
            return Answer(200, b"OK")
        if "no_streams" in self.flags:
            return refused(404, "Not found")
        line = Line(f"hashtag:{request.query['tag'].lower()}" if channel == "hashtag" else channel, self.heartbeat)
        self.lines.append(line)
        return Answer(raw=line.serve)

    def _take_post(self, request: Request) -> Answer:
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        key = request.headers.get("idempotency-key", "")
        if key in self.by_key:
            return told(self.by_key[key])
        text, parent = form.get("status", ""), form.get("in_reply_to_id")
        if not text.strip():
            return refused(422, "Validation failed: Text can't be blank")
        if len(text) > self.limit:
            return refused(422, f"Validation failed: Text character limit of {self.limit} exceeded")
        if parent and parent not in self.statuses:
            return refused(404, "Record not found")
        self.posted.append(form)
        fields = {"visibility": form.get("visibility", "public"), "spoiler_text": form.get("spoiler_text", "")}
        at = NOON + timedelta(seconds=len(self.posted))
        status = self.by_key[key] = self.post(text, "acme", at, in_reply_to_id=parent, **fields)
        return told(status)

    def _read(self, path: str, request: Request) -> Answer:
        fixed = {
            "/api/v1/accounts/verify_credentials": self.person("acme") | {"source": {}},
            "/api/v1/apps/verify_credentials": {"name": "Cuecard", "scopes": sorted(self.scopes)},
            "/api/v2/notifications/policy": self.policy,
        }
        if path in fixed:
            return told(fixed[path])
        if path == "/api/v1/notifications":
            types = parse_qs(urlsplit(request.path).query).get("types[]", [])
            return self._page([note for note in self.notifications if note["type"] in types], request)
        if path.startswith("/api/v1/timelines/"):
            return self._tell_timeline(path.removeprefix("/api/v1/timelines/"), request)
        if path.startswith("/api/v1/accounts/"):
            return self._tell_account(path.removeprefix("/api/v1/accounts/"), request)
        return self._search(request) if path == "/api/v2/search" else self._tell_statuses(path, request)

    def _tell_statuses(self, path: str, request: Request) -> Answer:
        if path == "/api/v1/statuses" and "no_many" not in self.flags:
            numbers = parse_qs(urlsplit(request.path).query).get("id[]", [])[:20]
            return told([self.statuses[each] for each in numbers if each in self.statuses])
        if not path.startswith("/api/v1/statuses/"):
            return NOBODY
        status = self.statuses.get(path.removeprefix("/api/v1/statuses/"))
        return refused(404, "Record not found") if status is None else told(status)

    def _tell_account(self, name: str, request: Request) -> Answer:
        accts = {acct_of(each): each for each in self.statuses.values()}
        if name == "lookup":
            acct = request.query["acct"]
            return told(self.person(acct)) if acct in accts else refused(404, "Record not found")
        number = name.removesuffix("/statuses")
        return self._page([s for s in self.statuses.values() if self.person(acct_of(s))["id"] == number], request)

    def _tell_timeline(self, name: str, request: Request) -> Answer:
        if name == "home" and "no_home" not in self.flags:
            return self._page([each for each in self.statuses.values() if self.is_at_home(each)], request)
        public = [each for each in self.statuses.values() if each["visibility"] == "public" and not each["reblog"]]
        if name.startswith("tag/"):
            tag = name.removeprefix("tag/").lower()
            return self._page([each for each in public if tag in tags_of(each)], request)
        if name != "public":
            return NOBODY
        is_local, is_remote = request.query.get("local") == "1", request.query.get("remote") == "1"
        wanted = [each for each in public if not (is_remote if "@" not in acct_of(each) else is_local)]
        return self._page(wanted, request)

    def _page(self, items: list[Data], request: Request) -> Answer:
        """Newest first; from min_id on the oldest that are newer, otherwise the newest."""
        asked = request.query
        low, high = int(asked.get("min_id") or asked.get("since_id") or 0), int(asked.get("max_id") or 10**30)
        wanted = sorted((each for each in items if low < id_of(each) < high), key=id_of)
        size = min(int(asked.get("limit") or 20), PAGE)
        page = wanted[:size] if asked.get("min_id") else wanted[-size:]
        return told(page[::-1])

    def _search(self, request: Request) -> Answer:
        asked = request.query
        question = asked["q"]
        found = [each for each in self.statuses.values() if question in {each["uri"], each["url"]}]
        if not found and asked.get("resolve") == "1" and question in self.known_elsewhere:
            found = [self.known_elsewhere[question]]
            self.statuses[str(found[0]["id"])] = found[0]
        elif "no_search" not in self.flags and not question.startswith("http"):
            word = question.strip('"').casefold()
            found = [each for each in self.statuses.values() if word in str(each["content"]).casefold()]
        found.sort(key=id_of, reverse=True)
        start, size = int(asked.get("offset") or 0), min(int(asked.get("limit") or 20), PAGE)
        return told({"accounts": [], "hashtags": [], "statuses": found[start : start + size]})
