"""A Bluesky server in small: the PDS an account is on, and the app's server behind it, with the real ones' rules.

After the lexicons of bluesky-social/atproto and what its reference server answers. Tokens are real ones in form (JWT),
signed with nonsense; they run out, and are refreshed once each.
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import regex
from servers import Answer, Request

from listeners.text import decode_json

HANDLE, DID = "acme.example.com", "did:plc:acme"
PASSWORD = "s3cret-token-word"
SECRETS = {"BLUESKY_APP_PASSWORD": PASSWORD}
POSTS = "app.bsky.feed.post"
Data = dict[str, object]
Mood = Callable[[str, Request], Answer | None]
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_TID = re.compile(r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}")


def tell(body: Mapping[str, object], status: int = 200, **headers: str) -> Answer:
    """Answer with JSON."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, json.dumps(body).encode(), {"Content-Type": "application/json; charset=utf-8", **named})


def refuse(status: int, name: str, message: str = "", **headers: str) -> Answer:
    """Answer with an error as XRPC has it."""
    return tell({"error": name, "message": message or name}, status, **headers)


def make_token(scope: str, expires_at: float, number: int) -> str:
    """A token that says when it runs out."""
    parts = (
        {"typ": "at+jwt", "alg": "ES256K"},
        {"scope": scope, "sub": DID, "exp": int(expires_at), "jti": str(number)},
    )
    coded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*coded, base64.urlsafe_b64encode(b"s3cret-token-signature").rstrip(b"=").decode()])


def post_view(
    uri: str, text: str, *, at: str = "2026-11-23T11:55:00.000Z", viewer: Data | None = None, **others: object
) -> Data:
    """A post as getPosts shows it; `others` are more of its record."""
    did = uri.split("/")[2]
    return {
        "uri": uri,
        "cid": f"bafy{uri[-3:]}",
        "author": {"did": did, "handle": f"{did[8:]}.example.com", "displayName": did[8:].title()},
        "record": {"$type": POSTS, "text": text, "createdAt": at, "langs": ["en"], **others},
        "indexedAt": at,
        "viewer": viewer or {},
        "replyCount": 0,
    }


def notice(reason: str, view: Mapping[str, object]) -> Data:
    """A notification of a post."""
    return {key: view[key] for key in ("uri", "cid", "author", "record", "indexedAt")} | {
        "reason": reason,
        "isRead": False,
    }


@dataclass
class FakeBluesky:
    """The script of a server: what there is, and how it is in the mood to answer.

    `mood` may answer instead, given the method and the request. `lifetime` is how long an access token lasts.
    """

    mood: Mood = lambda _method, _request: None
    lifetime: float = 7_200
    is_own_password: bool = False
    pds_url: str = "https://elsewhere.invalid"
    profiles: dict[str, Data] = field(default_factory=dict)
    posts: dict[str, Data] = field(default_factory=dict)
    notices: list[Data] = field(default_factory=list)
    records: dict[tuple[str, str, str], Data] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.add_profile(DID, HANDLE, "Acme", 9)
        self.add_profile("did:plc:jane", "jane.example.com", "Jane", 70)

    def add_profile(self, did: str, handle: str, name: str = "", followers: int = 0) -> None:
        """Let somebody be there."""
        self.profiles[did] = {"did": did, "handle": handle, "displayName": name, "followersCount": followers}

    def add_notice(self, reason: str, view: Data) -> None:
        """Let our account be told of a post."""
        self.posts[str(view["uri"])] = view
        self.notices.insert(0, notice(reason, view))

    def created(self) -> list[Data]:
        """The records that were created."""
        return list(self.records.values())

    def __call__(self, request: Request) -> Answer:
        """Answer one request."""
        parts = urlsplit(request.path)
        method = parts.path.removeprefix("/xrpc/")
        answer = self.mood(method, request)
        if answer is not None:
            return answer
        handler = self._methods().get(method)
        if handler is None or not parts.path.startswith("/xrpc/"):
            return refuse(501, "MethodNotImplemented", "Method Not Implemented")
        verb, is_signed_in, work = handler
        if request.method != verb:
            return refuse(405, "InvalidRequest", f"Incorrect HTTP method ({request.method}) expected {verb}")
        return (self._check_token(request, "access") if is_signed_in else None) or work(request)

    def _methods(self) -> dict[str, tuple[str, bool, Callable[[Request], Answer]]]:
        return {
            "com.atproto.server.createSession": ("POST", False, self._create_session),
            "com.atproto.server.refreshSession": ("POST", False, self._refresh_session),
            "com.atproto.identity.resolveHandle": ("GET", False, self._resolve_handle),
            "com.atproto.repo.getRecord": ("GET", False, self._get_record),
            "com.atproto.repo.createRecord": ("POST", True, self._create_record),
            "app.bsky.actor.getProfiles": ("GET", False, self._get_profiles),
            "app.bsky.feed.getPosts": ("GET", False, self._get_posts),
            "app.bsky.notification.listNotifications": ("GET", True, self._list_notifications),
        }

    def _session(self, number: int) -> Data:
        scope = "com.atproto.access" if self.is_own_password else "com.atproto.appPass"
        access = make_token(scope, time.time() + self.lifetime, number)
        renewal = make_token("com.atproto.refresh", time.time() + 5_000_000, number)
        self.tokens |= {access: "access", renewal: "refresh"}
        document = {
            "@context": ["https://www.w3.org/ns/did/v1"],
            "id": DID,
            "alsoKnownAs": [f"at://{HANDLE}"],
            "service": [
                {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": self.pds_url},
            ],
        }
        return {
            "accessJwt": access,
            "refreshJwt": renewal,
            "handle": HANDLE,
            "did": DID,
            "didDoc": document,
            "active": True,
        }

    def _create_session(self, request: Request) -> Answer:
        told = _body(request)
        if told.get("identifier") not in {HANDLE, DID} or told.get("password") != PASSWORD:
            return refuse(401, "AuthenticationRequired", "Invalid identifier or password")
        return tell(self._session(len(self.tokens)))

    def _refresh_session(self, request: Request) -> Answer:
        problem = self._check_token(request, "refresh")
        if problem is not None:
            return problem
        del self.tokens[_token(request)]
        return tell(self._session(len(self.tokens) + 1_000))

    def _check_token(self, request: Request, kind: str) -> Answer | None:
        token = _token(request)
        if not token:
            return refuse(401, "AuthMissing", "Authentication Required")
        if self.tokens.get(token) != kind:
            return refuse(400, "InvalidToken", "Token could not be verified")
        payload = token.split(".")[1]
        if json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"] < time.time():
            return refuse(400, "ExpiredToken", "Token has expired")
        return None

    def _resolve_handle(self, request: Request) -> Answer:
        wanted = request.query.get("handle", "").lower()
        for did, profile in self.profiles.items():
            if profile["handle"] == wanted:
                return tell({"did": did})
        return refuse(400, "InvalidRequest", "Unable to resolve handle")

    def _get_profiles(self, request: Request) -> Answer:
        actors = _several(request, "actors")
        if not 1 <= len(actors) <= 25:
            return refuse(400, "InvalidRequest", "Error: actors must not have more than 25 elements")
        wanted = {actor.lower() for actor in actors}
        found = [each for each in self.profiles.values() if {each["did"], each["handle"]} & wanted]
        return tell({"profiles": found})

    def _get_posts(self, request: Request) -> Answer:
        uris = _several(request, "uris")
        if not 1 <= len(uris) <= 25:
            return refuse(400, "InvalidRequest", "Error: uris must not have more than 25 elements")
        shown = [dict(self.posts[uri]) for uri in uris if uri in self.posts]
        if not _token(request):
            for each in shown:
                del each["viewer"]
        return tell({"posts": shown})

    def _list_notifications(self, request: Request) -> Answer:
        limit, reasons = int(request.query.get("limit", "50")), _several(request, "reasons")
        if not 1 <= limit <= 100:
            return refuse(400, "InvalidRequest", "Error: limit can not be greater than 100")
        start = int(request.query.get("cursor", "0"))
        wanted = [each for each in self.notices if not reasons or each["reason"] in reasons]
        page = wanted[start : start + limit]
        more = {"cursor": str(start + limit)} if start + limit < len(wanted) else {}
        return tell({"notifications": page, "priority": False, "seenAt": "2026-11-23T00:00:00.000Z", **more})

    def _get_record(self, request: Request) -> Answer:
        asked = request.query
        key = (asked["repo"], asked["collection"], asked["rkey"])
        if key not in self.records:
            return refuse(400, "RecordNotFound", f"Could not locate record: at://{'/'.join(key)}")
        return tell({"uri": f"at://{'/'.join(key)}", "cid": f"bafy{key[2]}", "value": self.records[key]})

    def _create_record(self, request: Request) -> Answer:
        told = _body(request)
        if told.get("repo") not in {DID, HANDLE}:
            return refuse(401, "AuthRequired")
        value = told.get("record")
        problem = find_fault(value) if isinstance(value, dict) else "Input/record must be an object"
        rkey = told.get("rkey", "3kcreatedhere")
        if not isinstance(rkey, str) or not _TID.fullmatch(rkey):
            problem = problem or "Invalid record key: must be a TID"
        if problem:
            return refuse(400, "InvalidRequest", f"Invalid {POSTS} record: {problem}")
        assert isinstance(rkey, str)
        key = (DID, str(told["collection"]), rkey)
        if key in self.records:
            return refuse(500, "InternalServerError", "Internal Server Error")  # as the reference server does
        assert isinstance(value, dict)
        self.records[key] = value
        commit = {"cid": "bafycommit", "rev": rkey}
        return tell(
            {"uri": f"at://{'/'.join(key)}", "cid": f"bafy{rkey}", "commit": commit, "validationStatus": "valid"}
        )


def find_fault(record: Mapping[str, Any]) -> str:
    """Return what a server finds wrong with a post's record, '' for nothing (lexicon app.bsky.feed.post)."""
    text, languages = str(record.get("text")), record.get("langs", [])
    size = len(text.encode())
    reply = record.get("reply", {})
    refs = [reply.get("root"), reply.get("parent")] if reply else []
    rules = {
        "Record/text must be a string": record.get("$type") == POSTS and isinstance(record.get("text"), str),
        "Record/text must not be longer than 300 graphemes": len(regex.findall(r"\X", text)) <= 300 and size <= 3_000,
        "Record/langs must not have more than 3 elements": isinstance(languages, list) and len(languages) <= 3,
        "Record/createdAt must be an valid atproto datetime": bool(_TIME.fullmatch(str(record.get("createdAt")))),
        "Record/facets must be facets": all(_is_facet(facet, size) for facet in record.get("facets", [])),
        "Record/reply must have a root and a parent": all(
            ref and ref["uri"].startswith("at://") and ref["cid"] for ref in refs
        ),
    }
    return next((rule for rule, is_kept in rules.items() if not is_kept), "")


def _is_facet(facet: Mapping[str, Mapping[str, int]], size: int) -> bool:
    return 0 <= facet["index"]["byteStart"] < facet["index"]["byteEnd"] <= size


def _body(request: Request) -> Data:
    told = decode_json(request.body)
    assert isinstance(told, dict)
    return told


def _token(request: Request) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ")


def _several(request: Request, name: str) -> list[str]:
    return parse_qs(urlsplit(request.path).query).get(name, [])
