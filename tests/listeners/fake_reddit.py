"""Reddit in small: the login, listings, search, inbox, posts by id and comments, with the real ones' limits and moods.

After Reddit's API documentation, its published code (r2) and what praw's recordings show. Times are seconds since 1970.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from clocks import NOON
from servers import Answer, Request, say

SECOND = int(NOON.timestamp())
Data = dict[str, object]
SECRETS = {
    "REDDIT_CLIENT_ID": "client-9",
    "REDDIT_CLIENT_SECRET": "s3cret-token-of-the-client",
    "REDDIT_USERNAME": "acme_care",
    "REDDIT_PASSWORD": "s3cret-token-password",
}
BLOCK_PAGE = b"<html><body><h1>whoa there</h1><p>You've been blocked by network security.</p></body></html>"


def comment(number: str, body: str, second: int = SECOND - 60, **others: object) -> Data:
    """A comment as a listing tells it; `number` is its id without the kind."""
    told: Data = {
        "id": number,
        "name": f"t1_{number}",
        "author": "jane",
        "author_fullname": "t2_jane",
        "body": body,
        "created_utc": float(second),
        "edited": False,
        "subreddit": "tea",
        "link_id": "t3_root",
        "parent_id": "t3_root",
        "link_title": "How do you brew?",
        "permalink": f"/r/{others.get('subreddit', 'tea')}/comments/root/how_do_you_brew/{number}/",
        "locked": False,
        "archived": False,
        "score": 1,
    }
    return told | others


def submission(number: str, title: str, second: int = SECOND - 60, **others: object) -> Data:
    """A submission as a listing tells it."""
    link = f"/r/{others.get('subreddit', 'tea')}/comments/{number}/a_title/"
    told: Data = {
        "id": number,
        "name": f"t3_{number}",
        "author": "jane",
        "author_fullname": "t2_jane",
        "title": title,
        "selftext": "",
        "is_self": True,
        "url": f"https://www.reddit.com{link}",
        "created_utc": float(second),
        "edited": False,
        "subreddit": "tea",
        "permalink": link,
        "locked": False,
        "archived": False,
        "removed_by_category": None,
    }
    return told | others


def listing(*things: Data, after: str | None = None) -> Data:
    """Wrap posts as Reddit does."""
    children = [{"kind": str(thing["name"])[:2], "data": thing} for thing in things]
    return {"kind": "Listing", "data": {"modhash": "", "children": children, "after": after, "before": None}}


def complain(code: str, words: str = "no", part: str = "parent") -> Answer:
    """Refuse a comment, with status 200, as Reddit does."""
    return say(json.dumps({"json": {"errors": [[code, words, part]]}}))


def refuse(status: int, **told: object) -> Answer:
    """Refuse with a status, and JSON around it."""
    return Answer(status, json.dumps({"message": "No", "error": status, **told}).encode())


@dataclass
class FakeReddit:
    """A script for a server. `mood` may answer instead, by the path; `faults` are answers to the next requests."""

    things: list[Data] = field(default_factory=list)
    inbox: dict[str, list[Data]] = field(default_factory=dict)
    faults: list[Answer] = field(default_factory=list)
    mood: Callable[[str, Request], Answer | None] = lambda _path, _request: None
    most: int = 1_000
    most_found: int = 250
    scope: str = "*"
    refresh_tokens: set[str] = field(default_factory=set)
    life: int = 86_400
    limits: Mapping[str, str] = field(default_factory=dict)
    closed: dict[str, tuple[int, str]] = field(default_factory=dict)
    me: Data = field(default_factory=lambda: {"name": "acme_care", "is_suspended": False})
    tokens: set[str] = field(default_factory=set)
    posted: list[tuple[str, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """The paths of requests, the login's included, without a slash at either end."""

    def __call__(self, request: Request) -> Answer:
        """Answer one request."""
        path = urlsplit(request.path).path.strip("/")
        self.asked.append(path)
        moody = self.mood(path, request)
        if moody is not None or self.faults:
            return moody or self.faults.pop(0)
        answer = self._log_in(request) if path == "api/v1/access_token" else self._serve(path, request)
        return Answer(answer.status, answer.body, {**self.limits, **answer.headers}, answer.raw)

    def add(self, *things: Data) -> None:
        """Post something."""
        self.things += things

    def take_back_tokens(self) -> None:
        """Make every token invalid, as if it had expired."""
        self.tokens.clear()

    def _log_in(self, request: Request) -> Answer:
        pair = base64.b64decode(request.headers.get("authorization", "").removeprefix("Basic ")).decode()
        if pair != f"{SECRETS['REDDIT_CLIENT_ID']}:{SECRETS['REDDIT_CLIENT_SECRET']}":
            return refuse(401)
        form = _form(request)
        if form["grant_type"] == "refresh_token":
            if form["refresh_token"] not in self.refresh_tokens:
                return refuse(400)
        elif form["grant_type"] != "password":
            return say(json.dumps({"error": "unsupported_grant_type"}))
        elif (form["username"], form["password"]) != (SECRETS["REDDIT_USERNAME"], SECRETS["REDDIT_PASSWORD"]):
            return say(json.dumps({"error": "invalid_grant"}))
        token = f"s3cret-token-{len(self.asked)}"
        self.tokens.add(token)
        told = {"access_token": token, "token_type": "bearer", "expires_in": self.life, "scope": self.scope}
        return say(json.dumps(told))

    def _serve(self, path: str, request: Request) -> Answer:
        if request.headers.get("authorization", "").removeprefix("bearer ") not in self.tokens:
            return Answer(401, b'{"message": "Unauthorized", "error": 401}', _challenge("invalid_token"))
        if "(by /u/" not in request.headers.get("user-agent", ""):
            return Answer(429, b"<html>Too Many Requests</html>")  # default agents are throttled
        if request.query.get("raw_json") != "1":
            return refuse(400, reason="this fake wants raw_json=1, as prawcore sends it")
        needed = {"message": "privatemessages", "api/comment": "submit", "api/v1/me": "identity"}
        scope = next((scope for prefix, scope in needed.items() if path.startswith(prefix)), "read")
        if self.scope != "*" and scope not in self.scope.split():
            return Answer(403, b'{"message": "Forbidden", "error": 403}', _challenge("insufficient_scope"))
        return self._answer(path, request)

    def _answer(self, path: str, request: Request) -> Answer:
        if path == "api/v1/me":
            return say(json.dumps(self.me))
        if path == "api/info":
            wanted = request.query.get("id", "").split(",")[:100]
            return say(json.dumps(listing(*(thing for name in wanted if (thing := self._find(name))))))
        if path == "api/comment":
            return self._comment(_form(request))
        if path.startswith("message/"):
            return self._page(self.inbox.get(path.removeprefix("message/"), []), request, self.most)
        if path == f"user/{self.me['name']}/comments":
            own = [each for each in self.things if each["author"] == self.me["name"] and "body" in each]
            return self._page(own, request, self.most)
        found = re.fullmatch(r"r/([\w+]+)/(comments|new|search)", path)
        return self._list(found[1], found[2], request) if found is not None else refuse(404)

    def _list(self, names: str, what: str, request: Request) -> Answer:
        wanted = names.lower().split("+")
        for name in wanted:
            if name in self.closed:
                status, reason = self.closed[name]
                headers = {"Location": "/subreddits/search?q=x"} if status == 302 else {}
                return Answer(status, refuse(status, reason=reason).body, headers)
        kind = "t1_" if what == "comments" else "t3_"
        held = [
            thing
            for thing in self.things
            if str(thing["name"]).startswith(kind)
            and not thing.get("is_hidden")
            and ("all" in wanted or str(thing["subreddit"]).lower() in wanted)
        ]
        if what != "search":
            return self._page(held, request, self.most)
        return self._page([thing for thing in held if self._matches(thing, request)], request, self.most_found)

    def _matches(self, thing: Data, request: Request) -> bool:
        """Find any of the quoted words, or the author: enough of the search's language for what is asked here."""
        asked = request.query["q"]
        assert len(asked) <= 512
        spans = {"hour": 3_600, "day": 86_400, "week": 604_800, "month": 2_592_000, "year": 31_536_000}
        oldest = SECOND - spans.get(request.query.get("t", "all"), 10**10)
        words = f"{thing['title']} {thing['selftext']} {thing['url']}".casefold()
        authors = re.findall(r'author:"([\w-]+)"', asked)
        terms = re.findall(r'"([^"]+)"', re.sub(r'author:"[\w-]+"', "", asked))
        is_found = any(term.casefold() in words for term in terms) or thing["author"] in authors
        return is_found and float(str(thing["created_utc"])) >= oldest

    def _page(self, things: list[Data], request: Request, most: int) -> Answer:
        """Tell one page, newest first. Of an anchor that is not there any more, nothing is told."""
        told = sorted(things, key=lambda thing: -float(str(thing["created_utc"])))[:most]
        names = [str(thing["name"]) for thing in told]
        size = min(int(request.query.get("limit", "25")), 100)
        after, before = request.query.get("after", ""), request.query.get("before", "")
        if (after or before) and (after or before) not in names:
            return say(json.dumps(listing()))
        if before:
            told = told[: names.index(before)]
        rest = told[names.index(after) + 1 :] if after else told
        page = rest[:size]
        return say(json.dumps(listing(*page, after=str(page[-1]["name"]) if len(rest) > size else None)))

    def _find(self, name: str) -> Data | None:
        return next((thing for thing in self.things if thing["name"] == name), None)

    def _comment(self, form: Mapping[str, str]) -> Answer:
        if form.get("api_type") != "json":
            return refuse(400, reason="this fake speaks JSON only")
        parent = self._find(form["thing_id"])
        if parent is None:
            return refuse(403)
        for flag, code in (("locked", "THREAD_LOCKED"), ("archived", "TOO_OLD"), ("is_deleted", "DELETED_COMMENT")):
            if parent.get(flag):
                return complain(code)
        if len(form.get("text", "")) > 10_000:
            return complain("TOO_LONG", part="text")
        self.posted.append((form["thing_id"], form["text"]))
        made = comment(
            f"new{len(self.posted)}",
            form["text"],
            SECOND,
            author=self.me["name"],
            parent_id=form["thing_id"],
            subreddit=parent["subreddit"],
        )
        self.things.append(made)
        things = [] if parent.get("quarantine") else [{"kind": "t1", "data": made}]
        return say(json.dumps({"json": {"errors": [], "data": {"things": things}}}))


def _challenge(error: str) -> dict[str, str]:
    return {"WWW-Authenticate": f'Bearer realm="reddit", error="{error}"'}


def _form(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
