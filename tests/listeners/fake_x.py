"""X's API in small, as its pages describe it: keys, search, mentions, the filtered stream, replies, compliance jobs.

It refuses what X refuses: a wrong signature, a query that is too long, a rule it cannot read, a reply that nobody asked
for. `faults` answer instead of it, by the beginning of a path.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import queue
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from clocks import NOON
from fake_x_rules import Looked, RuleError, read_rule
from servers import Answer, Request, say

SECRET = "s3cret-token"
SECRETS = {
    "X_BEARER_TOKEN": f"bearer-{SECRET}",
    "X_API_KEY": f"key-{SECRET}",
    "X_API_SECRET": f"hush-{SECRET}",
    "X_ACCESS_TOKEN": f"77-{SECRET}",
    "X_ACCESS_SECRET": f"quiet-{SECRET}",
}
OUR_ID, OUR_HANDLE = "77", "kettle_care"
EPOCH = 1_288_834_974_657
_PROBLEMS = "https://api.x.com/2/problems/"
Json = dict[str, object]


def id_of(moment: datetime, number: int = 0) -> str:
    """The number that X gives a post made at a moment."""
    return str(((round(moment.timestamp() * 1_000) - EPOCH) << 22) + number)


def moment_of(native_id: str) -> datetime:
    """When a post was made."""
    return datetime.fromtimestamp(((int(native_id) >> 22) + EPOCH) / 1_000, UTC)


def problem(
    status: int, kind: str, detail: str = "", title: str = "", headers: dict[str, str] | None = None, **more: object
) -> Answer:
    """A refusal, as problem+json."""
    told = {
        "title": title or kind,
        "detail": detail,
        "type": f"{_PROBLEMS}{kind}" if kind else "about:blank",
        "status": status,
    }
    return Answer(
        status, json.dumps(told | more).encode(), {"Content-Type": "application/problem+json", **(headers or {})}
    )


@dataclass
class Post:
    """A post, with what X knows of it."""

    id: str
    text: str
    author_id: str = "5"
    language: str = "en"
    replied_to: str = ""
    quoted: str = ""
    reposted: str = ""
    reply_settings: str = "everyone"
    versions: tuple[str, ...] = ()
    fate: str = ""  # the reason why it is gone
    more: Json = field(default_factory=dict)


@dataclass
class Line:
    """One open stream: what is put into it is sent, None hangs up."""

    out: queue.Queue[bytes | None] = field(default_factory=queue.Queue)


class FakeX:
    """The server's script."""

    def __init__(self, now: Callable[[], datetime] = lambda: NOON) -> None:
        self.now = now
        self.users: dict[str, Json] = {}
        self.posts: dict[str, Post] = {}
        self.rules: list[dict[str, str]] = []
        self.lines: list[Line] = []
        self.jobs: dict[str, Json] = {}
        self.uploads: dict[str, list[str]] = {}
        self.faults: dict[str, list[Answer]] = {}
        self.access_level = "read-write"
        self.is_enterprise = False
        self.job_looks = 0  # how often a job is still in progress
        self.billed: list[tuple[str, str]] = []
        self.connects = 0
        self.page_size = 100
        self.lag = timedelta()  # how late the search learns of posts
        self.spelling = "tweet"
        self.max_rules = 1_000
        self.max_lines = 1
        self.lock = threading.Lock()
        self.add_user(OUR_ID, OUR_HANDLE, 9_000)
        self.add_user("5", "jane", 70)

    def add_user(self, user_id: str, handle: str, followers: int = 3) -> None:
        """Make an account."""
        metrics = {"followers_count": followers, "following_count": 2, "tweet_count": 9, "listed_count": 0}
        self.users[user_id] = {"id": user_id, "username": handle, "name": handle.title(), "public_metrics": metrics}

    def add(self, text: str, minutes_ago: float = 10, **more: object) -> Post:
        """Make a post, and send it to every stream whose rules it matches."""
        made_at = self.now() - timedelta(minutes=minutes_ago)
        with self.lock:
            post = Post(id_of(made_at, len(self.posts)), text, **more)  # type: ignore[arg-type]
            self.posts[post.id] = post
            for line in self.lines:
                if matched := self._matching(post):
                    line.out.put(
                        json.dumps(self._page([post]) | {"data": self.tell(post), "matching_rules": matched}).encode()
                    )
        return post

    def send(self, line: bytes) -> None:
        """Put something into every stream."""
        for each in list(self.lines):
            each.out.put(line)

    def hang_up(self) -> None:
        """Close every stream."""
        for each in list(self.lines):
            each.out.put(None)

    def __call__(self, request: Request) -> Answer:
        """Answer one question."""
        path = urlsplit(request.path).path
        for beginning, answers in self.faults.items():
            if answers and f"{request.method} {path}".startswith(beginning):
                return answers.pop(0)
        for method, pattern, user_auth, handle in self._routes():
            found = re.fullmatch(pattern, path)
            if found and method == request.method:
                refusal = self._refuse_user(request) if user_auth else self._refuse_app(request)
                return refusal or handle(request, *found.groups())
        return Answer(404)

    def _routes(self) -> Iterator[tuple[str, str, bool, Callable[..., Answer]]]:
        yield "GET", "/2/users/me", True, self._me
        yield "GET", r"/2/users/by/username/(\w+)", False, self._user
        yield "GET", r"/2/users/(\d+)/mentions", True, self._mentions
        yield "GET", "/2/tweets/search/recent", False, self._search
        yield "GET", "/2/tweets/search/stream/rules", False, self._get_rules
        yield "POST", "/2/tweets/search/stream/rules", False, self._post_rules
        yield "GET", "/2/tweets/search/stream", False, self._stream
        yield "GET", "/2/tweets", False, self._lookup
        yield "POST", "/2/tweets", True, self._create
        yield "GET", "/2/usage/tweets", False, self._usage
        yield "DELETE", "/2/connections/all", False, self._drop_connections
        yield "POST", "/2/compliance/jobs", False, self._create_job
        yield "GET", "/2/compliance/jobs", False, self._list_jobs
        yield "GET", r"/2/compliance/jobs/(\d+)", False, self._job
        yield "DELETE", r"/2/compliance/jobs/(\d+)", False, self._cancel_job
        yield "PUT", r"/2/compliance/jobs/(\d+)/upload", False, self._upload
        yield "GET", r"/2/compliance/jobs/(\d+)/download", False, self._download

    # Keys

    def _refuse_app(self, request: Request) -> Answer | None:
        if request.headers.get("authorization") == f"Bearer {SECRETS['X_BEARER_TOKEN']}":
            return None
        return Answer(
            401,
            json.dumps(
                {"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"}
            ).encode(),
        )

    def _refuse_user(self, request: Request) -> Answer | None:
        """Check an OAuth 1.0a signature (RFC 5849, HMAC-SHA1) over the host that was really asked."""
        header = request.headers.get("authorization", "")
        if header.startswith("Bearer"):
            return problem(
                403, "unsupported-authentication", "Authenticating with OAuth 2.0 Application-Only is forbidden."
            )
        given = {name: unquote(value) for name, value in re.findall(r'(oauth_\w+)="([^"]*)"', header)}
        signature = given.pop("oauth_signature", "")
        parts = urlsplit(request.path)
        pairs = [*parse_qsl(parts.query, keep_blank_values=True), *given.items()]
        normal = "&".join(
            f"{name}={value}" for name, value in sorted((_quote(name), _quote(value)) for name, value in pairs)
        )
        address = f"http://{request.headers['host']}{parts.path}"
        told = "&".join((request.method, _quote(address), _quote(normal)))
        key = f"{_quote(SECRETS['X_API_SECRET'])}&{_quote(SECRETS['X_ACCESS_SECRET'])}"
        right = base64.b64encode(hmac.new(key.encode(), told.encode(), hashlib.sha1).digest()).decode()
        is_ours = (
            given.get("oauth_token") == SECRETS["X_ACCESS_TOKEN"]
            and given.get("oauth_consumer_key") == SECRETS["X_API_KEY"]
        )
        if is_ours and given.get("oauth_signature_method") == "HMAC-SHA1" and hmac.compare_digest(right, signature):
            return None
        return problem(401, "", "Unauthorized", "Unauthorized")

    # Accounts

    def _me(self, _request: Request) -> Answer:
        return Answer(
            200, json.dumps({"data": self._charge_user(OUR_ID)}).encode(), {"x-access-level": self.access_level}
        )

    def _user(self, _request: Request, handle: str) -> Answer:
        for user_id, user in self.users.items():
            if str(user["username"]).lower() == handle.lower():
                return say(json.dumps({"data": self._charge_user(user_id)}))
        detail = f"Could not find user with username: [{handle}]."
        return say(
            json.dumps(
                {"errors": [{"detail": detail, "title": "Not Found Error", "type": f"{_PROBLEMS}resource-not-found"}]}
            )
        )

    def _charge_user(self, user_id: str) -> Json:
        self.billed.append(("user", user_id))
        return self.users[user_id]

    # Reading

    def _mentions(self, request: Request, user_id: str) -> Answer:
        if user_id != OUR_ID:
            return problem(403, "not-authorized-for-resource")
        name = re.compile(rf"@{OUR_HANDLE}\b", re.IGNORECASE)
        found = [post for post in self.posts.values() if name.search(post.text) and post.author_id != OUR_ID]
        return self._pages(request, found, "pagination_token", 5, "own")

    def _search(self, request: Request) -> Answer:
        query = request.query.get("query", "")
        if len(query) > 512 and not self.is_enterprise:
            return _invalid("query", "query cannot exceed 512 characters")
        try:
            judge = read_rule(query)
        except RuleError as err:
            return _invalid("query", f"There were errors processing your request: {err}")
        since_id, week_ago = request.query.get("since_id"), self.now() - timedelta(days=7)
        if since_id and int(since_id) > 1 << 40 and moment_of(since_id) < week_ago:
            text = f"'since_id' must be a tweet id created after {week_ago:%Y-%m-%dT%H:%MZ}."
            return _invalid("since_id", text)
        start = request.query.get("start_time")
        if start and not week_ago <= datetime.fromisoformat(start) <= self.now() - timedelta(seconds=10):
            return _invalid("start_time", "'start_time' must be within the last seven days, and ten seconds ago")
        edge = self.now() - self.lag
        found = [
            post
            for post in self.posts.values()
            if moment_of(post.id) <= edge
            and moment_of(post.id) >= week_ago
            and judge(self._looked(post, keeps_accents=False))
        ]
        return self._pages(request, found, "next_token", 10, "post")

    def _lookup(self, request: Request) -> Answer:
        ids = request.query["ids"].split(",")
        found = [self.posts[each] for each in ids if each in self.posts and not self.posts[each].fate]
        missing = [
            {"value": each, "detail": f"Could not find tweet with ids: [{each}].", "title": "Not Found Error"}
            for each in ids
            if each not in {post.id for post in found}
        ]
        told = (
            self._page(found) | {"data": [self.tell(post) for post in found]} | ({"errors": missing} if missing else {})
        )
        return say(json.dumps(told))

    def _pages(self, request: Request, found: list[Post], token_name: str, least: int, kind: str) -> Answer:
        asked = request.query
        most = int(asked.get("max_results", 10))
        if not least <= most <= 100:
            return _invalid(
                "max_results", f"The `max_results` query parameter value [{most}] is not between {least} and 100"
            )
        floor, ceiling = int(asked.get("since_id", 0)), int(asked.get("until_id", 1 << 63))
        if "since_id" not in asked and "start_time" in asked:
            floor = int(id_of(datetime.fromisoformat(asked["start_time"]))) - 1
        chosen = [post for post in found if floor < int(post.id) < ceiling and not post.fate]
        chosen.sort(key=lambda post: -int(post.id))
        at, size = int(asked.get(token_name, "b0")[1:]), min(most, self.page_size)
        told = chosen[at : at + size]
        meta: Json = {"result_count": len(told)}
        if told:
            meta |= {"newest_id": told[0].id, "oldest_id": told[-1].id}
        if at + size < len(chosen):
            meta["next_token"] = f"b{at + size}"
        page = self._page(told, kind, has_expansions="expansions" in asked) | {"meta": meta}
        return say(json.dumps(page | ({"data": [self.tell(post) for post in told]} if told else {})))

    def _page(self, posts: list[Post], kind: str = "post", *, has_expansions: bool = True) -> Json:
        """What comes along with posts; all of it is billed."""
        self.billed += [(kind, post.id) for post in posts]
        if not has_expansions or not posts:
            return {}
        others = [
            self.posts[each]
            for post in posts
            for each in (post.replied_to, post.quoted, post.reposted)
            if each in self.posts
        ]
        users = {post.author_id: self.users[post.author_id] for post in posts if post.author_id in self.users}
        self.billed += [("post", post.id) for post in others] + [("user", each) for each in users]
        includes: Json = {"users": list(users.values())}
        if others:
            includes[f"{self.spelling}s"] = [self.tell(post) for post in others]
        return {"includes": includes}

    def tell(self, post: Post) -> Json:
        """A post as X tells it."""
        kinds = {"replied_to": post.replied_to, "quoted": post.quoted, "retweeted": post.reposted}
        references = [{"type": kind, "id": each} for kind, each in kinds.items() if each]
        mentions = [
            {"start": found.start(), "end": found.end(), "username": found[1], "id": self._id_of(found[1])}
            for found in re.finditer(r"@(\w{1,15})", post.text)
        ]
        told: Json = {
            "id": post.id,
            "text": post.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"),
            "author_id": post.author_id,
            "created_at": f"{moment_of(post.id):%Y-%m-%dT%H:%M:%S.000Z}",
            "conversation_id": post.replied_to or post.id,
            "lang": post.language,
            "reply_settings": post.reply_settings,
            f"edit_history_{self.spelling}_ids": list(post.versions or (post.id,)),
            "a_field_of_next_year": {"x": [1]},
        }
        told |= {"entities": {"mentions": mentions}} if mentions else {}
        told |= {f"referenced_{self.spelling}s": references} if references else {}
        return told | post.more

    def _id_of(self, handle: str) -> str:
        return next(
            (each for each, user in self.users.items() if str(user["username"]).lower() == handle.lower()), "404"
        )

    def _looked(self, post: Post, *, keeps_accents: bool) -> Looked:
        handle = str(self.users.get(post.author_id, {}).get("username", ""))
        quoted = self.posts.get(post.quoted)
        text = (
            f"{post.text}\n{quoted.text}" if quoted and keeps_accents else post.text
        )  # the stream reads the quoted post, too
        return Looked(text, handle, post.language, bool(post.reposted), keeps_accents)

    # The stream

    def _get_rules(self, _request: Request) -> Answer:
        return say(
            json.dumps(
                {"data": self.rules, "meta": {"sent": "now", "result_count": len(self.rules)}}
                if self.rules
                else {"meta": {}}
            )
        )

    def _post_rules(self, request: Request) -> Answer:
        asked = json.loads(request.body)
        if "delete" in asked:
            ids = set(asked["delete"]["ids"])
            self.rules = [rule for rule in self.rules if rule["id"] not in ids]
            return say(json.dumps({"meta": {"summary": {"deleted": len(ids), "not_deleted": 0}}}))
        created, errors = [], []
        for each in asked["add"]:
            refusal = self._refuse_rule(each["value"])
            if refusal:
                errors.append({"value": each["value"], **refusal})
            else:
                created.append({"id": str(9_000 + len(self.rules)), **each})
                self.rules.append(created[-1])
        told: Json = {"meta": {"summary": {"created": len(created), "not_created": len(errors)}}}
        told |= {"data": created} if created else {}
        told |= {"errors": errors} if errors else {}
        return Answer(201 if created else 200, json.dumps(told).encode())

    def _refuse_rule(self, value: str) -> Json | None:
        if any(rule["value"] == value for rule in self.rules):
            return {"title": "DuplicateRule", "type": f"{_PROBLEMS}duplicate-rules"}
        if len(self.rules) >= self.max_rules:
            return {"title": "RulesCapExceeded", "detail": "Rule limit reached", "type": f"{_PROBLEMS}rule-cap"}
        if len(value) > 1_024:
            return {
                "title": "UnprocessableEntity",
                "details": ["Rule length exceeds 1024"],
                "type": f"{_PROBLEMS}invalid-rules",
            }
        try:
            read_rule(value)
        except RuleError as err:
            return {"title": "UnprocessableEntity", "details": [str(err)], "type": f"{_PROBLEMS}invalid-rules"}
        return None

    def _matching(self, post: Post) -> list[dict[str, str]]:
        looked = self._looked(post, keeps_accents=True)
        return [
            {"id": rule["id"], "tag": rule.get("tag", "")} for rule in self.rules if read_rule(rule["value"])(looked)
        ]

    def _stream(self, _request: Request) -> Answer:
        self.connects += 1
        if not self.rules:
            return problem(
                409, "streaming-connection", "The stream has no rules.", connection_issue="RuleConfigurationIssue"
            )
        if len(self.lines) >= self.max_lines:
            detail = "This stream is currently at the maximum allowed connection limit."
            return problem(
                429, "streaming-connection", detail, "ConnectionException", connection_issue="TooManyConnections"
            )
        line = Line()
        with self.lock:
            self.lines.append(line)
        return Answer(raw=lambda connection: self._hold(connection, line))

    def _hold(self, connection: socket.socket, line: Line) -> None:
        """Send lines in chunks, and a sign of life between them, until somebody hangs up."""
        try:
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            while True:
                try:
                    told = line.out.get(timeout=0.01)
                except queue.Empty:
                    told = b""
                if told is None:
                    self._forget(line)
                    connection.sendall(b"0\r\n\r\n")
                    return
                chunk = told + b"\r\n"
                connection.sendall(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
        except OSError:
            return
        finally:
            self._forget(line)

    def _forget(self, line: Line) -> None:
        with self.lock:
            self.lines = [each for each in self.lines if each is not line]

    def _drop_connections(self, _request: Request) -> Answer:
        self.hang_up()
        return say(json.dumps({"data": {"successful_kills": len(self.lines), "failed_kills": 0}}))

    # Writing

    def _create(self, request: Request) -> Answer:
        asked = json.loads(request.body)
        if "read-write" not in self.access_level:
            return problem(
                403,
                "oauth1-permissions",
                "Your client app is not configured with the appropriate oauth1 app permissions for this endpoint.",
            )
        if any(post.author_id == OUR_ID and post.text == asked["text"] for post in self.posts.values()):
            return problem(403, "", "You are not allowed to create a Tweet with duplicate content.", "Forbidden")
        parent = self.posts.get(asked.get("reply", {}).get("in_reply_to_tweet_id", ""))
        if parent and not self._is_summoned(parent):
            detail = (
                "Reply to this conversation is not allowed because you have not been mentioned or otherwise engaged by "
                "the author of the post you are replying to."
            )
            return problem(403, "", detail, "Forbidden")
        post = self.add(asked["text"], 0, author_id=OUR_ID, replied_to=parent.id if parent else "")
        self.billed.append(("write", post.id))
        return Answer(
            201, json.dumps({"data": {"id": post.id, "text": post.text, "edit_history_tweet_ids": [post.id]}}).encode()
        )

    def _is_summoned(self, parent: Post) -> bool:
        if parent.reply_settings not in {"everyone", "mentionedUsers"}:
            return False
        quoted = self.posts.get(parent.quoted)
        is_named = f"@{OUR_HANDLE}" in parent.text.lower() or (quoted is not None and quoted.author_id == OUR_ID)
        return is_named or parent.author_id == OUR_ID or self.is_enterprise

    # Compliance and usage

    def _usage(self, _request: Request) -> Answer:
        return say(
            json.dumps(
                {"data": {"project_usage": "1234", "project_cap": "3000000", "project_id": "1", "cap_reset_day": 3}}
            )
        )

    def _create_job(self, request: Request) -> Answer:
        if any(job["status"] in {"created", "in_progress"} for job in self.jobs.values()):
            return problem(409, "", "A job of this type is already active.", "Conflict")
        number = str(1_000 + len(self.jobs))
        address = f"http://{request.headers['host']}/2/compliance/jobs/{number}"
        self.jobs[number] = {"id": number, "status": "created", **json.loads(request.body)}
        self.jobs[number] |= {"upload_url": f"{address}/upload?token=a", "download_url": f"{address}/download?token=b"}
        return say(json.dumps({"data": self.jobs[number]}))

    def _list_jobs(self, _request: Request) -> Answer:
        return say(json.dumps({"data": list(self.jobs.values()), "meta": {"result_count": len(self.jobs)}}))

    def _job(self, _request: Request, number: str) -> Answer:
        job = self.jobs[number]
        if job["status"] == "in_progress":
            self.job_looks -= 1
            job["status"] = "in_progress" if self.job_looks >= 0 else "complete"
        return say(json.dumps({"data": job}))

    def _cancel_job(self, _request: Request, number: str) -> Answer:
        self.jobs[number]["status"] = "canceled"
        return say(json.dumps({"data": {"deleted": True}}))

    def _upload(self, request: Request, number: str) -> Answer:
        self.uploads[number] = request.body.decode().split()
        self.jobs[number]["status"] = "in_progress"
        return Answer(200)

    def _download(self, _request: Request, number: str) -> Answer:
        return Answer(200, "".join(json.dumps(event) + "\n" for event in self._events(number)).encode())

    def _events(self, number: str) -> Iterator[Json]:
        for each in self.uploads[number]:
            post = self.posts.get(each)
            if not each.isdigit():
                yield {"id": each, "error": "invalid_id"}
            elif post is None or post.fate:
                reason = post.fate if post else "deleted"
                yield {"id": each, "action": "delete", "redacted_at": None, "deleted_at": None, "reason": reason}
            elif any(each in other.versions and int(other.id) > int(each) for other in self.posts.values()):
                yield {
                    "id": each,
                    "action": "rehydrate",
                    "redacted_at": "2026-11-23T11:00:00.000Z",
                    "reason": "tweet_edited",
                }


def _invalid(parameter: str, message: str) -> Answer:
    told = {
        "errors": [{"parameters": {parameter: ["…"]}, "message": message}],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": f"{_PROBLEMS}invalid-request",
    }
    return Answer(400, json.dumps(told).encode())


def _quote(text: str) -> str:
    return quote(text, safe="-._~")
