"""Answering on Bluesky: whether we may, how long a text may be, and one post for one send.

Whoever creates a record chooses its key, and a key that is taken is refused. Ours are made from the send's own key, so
a send can never become two posts, and where an answer was lost it can be looked up whether the post is there.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from listeners.bluesky.failures import CallFailedError
from listeners.bluesky.people import read_posts
from listeners.bluesky.posts import COLLECTION, Ref, key_of, read_reply_ref, write_reply_ref
from listeners.contract import Capability, Posted, Shape
from listeners.errors import ListenerError, Permanent, RateLimited, Retryable, Unknown
from listeners.mention import Mention
from listeners.parts import cut_parts
from listeners.text import count_graphemes, whole_characters

if TYPE_CHECKING:  # it loads the client library, which a feed without an account does without
    from listeners.bluesky.account import Account

LIMIT: Final = 300
"""Graphemes of a post (lexicon app.bsky.feed.post, maxGraphemes)."""
MAX_BYTES: Final = 3_000
"""Bytes of a post in UTF-8 (the same lexicon, maxLength)."""
_CLOSED: Final = "The author lets only some accounts answer there, and ours is not one of them."
_GONE: Final = "The post is not there for our account any more: it was taken down, or its author has blocked us."
_LANGUAGE: Final = re.compile("[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_TID_SIGNS: Final = "234567abcdefghijklmnopqrstuvwxyz"
_MICROSECOND: Final = timedelta(microseconds=1)
_LATEST: Final = 2**53 - 1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def shape_reply(text: str, limit: int) -> Shape:
    """Prepare and count a reply, in characters as people see them; a longer one may become a thread."""
    prepared = unicodedata.normalize("NFC", whole_characters(text).replace("\0", "")).strip()
    count, size = count_graphemes(prepared), len(prepared.encode())
    if not prepared:
        return Shape(prepared, count, limit, problem="There is no text to post.")
    if count <= limit and size <= MAX_BYTES:
        return Shape(prepared, count, limit)
    problem = f"This is {count - limit} characters too long: {count} of {limit}."
    if count <= limit:
        problem = f"This is {size - MAX_BYTES:,} bytes too long: {size:,} of {MAX_BYTES:,}."
    return Shape(prepared, count, limit, problem=problem, parts=cut_parts(prepared, lambda part: _fits(part, limit)))


def _fits(part: str, limit: int) -> bool:
    return len(part.encode()) <= MAX_BYTES and count_graphemes(part) <= limit


def judge_capability(mention: Mention, handle: str) -> Capability:
    """Say whether a mention can be answered from our account, '' where there is none. Pure."""
    ref = read_reply_ref(mention.reply_ref)
    if ref is not None and ref[2]:
        return Capability("none", _CLOSED)
    if not handle:
        said = "This feed has no account on Bluesky: open the post, paste the reply there, and confirm it here."
        return Capability("by_hand", said, url=mention.url or mention.native_id)
    if mention.account:
        return Capability("api", "The author addressed our account.", account=f"@{handle}")
    said = "The author did not address our account, so only a person's own words belong here; bots must stay away."
    return Capability("api", said, account=f"@{handle}")


class Replies:
    """Sends replies from one account."""

    def __init__(self, account: Account, post_url: str, now: Callable[[], datetime]) -> None:
        """Take the account, and where posts are shown."""
        self._account = account
        self._post_url = post_url.rstrip("/")
        self._now = now

    def reply(self, mention: Mention, text: str, send_key: str, after: Posted | None) -> Posted:
        """Post a text under a mention, or under the part before it; see `Replies` of the contract."""
        try:
            did = self._account.sign_in()
            parent, root = self._find_refs(mention) if after is None else _read_refs(after)
            facets = self._account.find_facets(text)
        except CallFailedError as err:
            raise _say_unsent(err) from err
        record: dict[str, object] = {
            "$type": COLLECTION,
            "text": text,
            "createdAt": self._now().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "reply": {"root": {"uri": root.uri, "cid": root.cid}, "parent": {"uri": parent.uri, "cid": parent.cid}},
        }
        record |= {"facets": facets} if facets else {}
        record |= {"langs": [mention.language]} if _LANGUAGE.fullmatch(mention.language) else {}
        return self._create(did, make_key(send_key, mention.created_at), record, root)

    def _find_refs(self, mention: Mention) -> tuple[Ref, Ref]:
        """Return the post as it is now, and the root of its thread."""
        answer = self._account.ask("app.bsky.feed.getPosts", uris=[mention.native_id])
        post = read_posts(answer, self._now()).get(mention.native_id)
        if post is None:
            raise Permanent(_GONE)
        if post.is_closed:
            raise Permanent(_CLOSED)
        return post.ref, post.root or post.ref

    def _create(self, did: str, key: str, record: Mapping[str, object], root: Ref) -> Posted:
        data = {"repo": did, "collection": COLLECTION, "rkey": key, "record": record}
        try:
            answer = self._account.send("com.atproto.repo.createRecord", data)
        except CallFailedError as err:
            if err.was_refused or err.status == 429:
                raise _say_unsent(err) from err
            return self._look_up(did, key, record, root, err)
        uri, cid = answer.get("uri"), answer.get("cid")
        if uri != f"at://{did}/{COLLECTION}/{key}" or not isinstance(cid, str):
            unclear = CallFailedError(f"{self._account.access.host} did not say what became of the post.")
            return self._look_up(did, key, record, root, unclear)
        return self._posted(Ref(uri, cid), root)

    def _look_up(self, did: str, key: str, record: Mapping[str, object], root: Ref, failure: CallFailedError) -> Posted:
        """Return the post where it is there; where that is not certain, nobody knows what became of it."""
        uri = f"at://{did}/{COLLECTION}/{key}"
        try:
            told = self._account.ask("com.atproto.repo.getRecord", repo=did, collection=COLLECTION, rkey=key)
        except CallFailedError:
            told = {}
        value, cid = told.get("value"), told.get("cid")
        if isinstance(value, dict) and value.get("text") == record["text"] and isinstance(cid, str):
            return self._posted(Ref(uri, cid), root)
        raise Unknown(f"{failure} If the reply was posted, it is at {self._page(uri)}") from failure

    def _posted(self, ref: Ref, root: Ref) -> Posted:
        return Posted(ref.uri, self._page(ref.uri), write_reply_ref(ref, root))

    def _page(self, uri: str) -> str:
        return f"{self._post_url}/profile/{quote(self._account.access.handle, safe=':')}/post/{key_of(uri)}"


def _read_refs(after: Posted) -> tuple[Ref, Ref]:
    refs = read_reply_ref(after.reply_ref)
    if refs is None:
        raise Permanent("It is not known how to answer the part before this one.")
    return refs[0], refs[1]


def _say_unsent(err: CallFailedError) -> ListenerError:
    """Return what a failure means that certainly left nothing posted."""
    if err.status == 429:
        return RateLimited(str(err), retry_after=err.retry_after)
    is_final = (400 <= err.status < 500 or err.status == 501) and not err.is_session_over
    return Permanent(str(err)) if is_final else Retryable(str(err))


def make_key(send_key: str, since: datetime) -> str:
    """Return the key of a record: a time-like one (TID, atproto.com/specs/tid) that depends on the send's key alone.

    Its time is in the 18 minutes before `since`, that of the post to be answered, and so never to come.
    """
    noise = int.from_bytes(hashlib.sha256(send_key.encode()).digest()[:5], "big")  # 30 bits of time, 10 of a clock's id
    micros = min(max(0, (since - _EPOCH) // _MICROSECOND - (noise >> 10)), _LATEST)
    number = micros << 10 | noise & 0x3FF
    return "".join(_TID_SIGNS[number >> shift & 31] for shift in range(60, -1, -5))
