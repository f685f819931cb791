"""X's JSON, read into mentions. Pure.

X is renaming 'tweet' to 'post': `referenced_tweets`, `includes.tweets`, `note_tweet` and the like are read under both
names, and what is not known is passed over (https://docs.x.com/x-api/fundamentals/data-dictionary, read in 2026).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from html import unescape
from typing import Final, Literal

from listeners.mention import Author, Mention
from listeners.text import whole_characters
from listeners.x.budget import included, objects_in
from listeners.x.settings import PLATFORM, Settings

Object = Mapping[str, object]
Summons = Literal["", "mention", "answer", "quote"]
_SUMMONS: Final = ("", "mention", "answer", "quote")

_FIRST_MILLISECOND: Final = 1_288_834_974_657
"""When numbers began to hold a time (https://docs.x.com/resources/fundamentals/x-ids)."""
_FIRST_TIMED_ID: Final = 29_700_859_247
_TIME_BITS: Final = 22
_LAST_SECOND: Final = 253_402_300_799  # of the year 9999
_NO_LANGUAGE: Final = frozenset({"und", "art", "qam", "qct", "qht", "qme", "qst", "zxx"})
"""What X calls a post that has no words, or too few to tell a language by."""
_OUR_CODES: Final = {"iw": "he", "in": "id"}
_STATUS: Final = re.compile(r"https?://(?:www\.|mobile\.)?(?:twitter|x)\.com/(\w{1,15})/status/(\d+)", re.IGNORECASE)
_LEADING_HANDLES: Final = re.compile(r"(?:@\w{1,15}\s+)*(?:@\w{1,15})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Ref:
    """What an answer needs to know: the number of the newest version, who may reply, and what summons our account."""

    id: str
    summons: Summons = ""
    replies: str = ""

    def write(self) -> str:
        """Return it as text."""
        return json.dumps(asdict(self), separators=(",", ":"))


def read_ref(mention: Mention) -> Ref:
    """Read what was noted for an answer; of a mention without it, only the number is known."""
    try:
        told = json.loads(mention.reply_ref)
    except ValueError:
        told = None
    if not isinstance(told, dict) or not _is_id(told.get("id")):
        return Ref(mention.native_id)
    summons = told.get("summons")
    return Ref(told["id"], summons if summons in _SUMMONS else "", str(told.get("replies", "")))


@dataclass(frozen=True, slots=True)
class Post:
    """A post that was read: the mention it makes, and what decides whether it is one.

    `version` is its own number, `newest` that of its last edit as far as X tells.
    """

    mention: Mention
    version: int
    newest: int
    is_repost: bool
    is_own: bool

    @property
    def is_summons(self) -> bool:
        """Whether it mentions our account, or quotes it."""
        return bool(read_ref(self.mention).summons)


def read_posts(told: Object, settings: Settings, feed: str, user_id: str = "") -> Iterator[Post | str]:
    """Read all posts of an answer, or of a line of the stream; a sentence for each that cannot be one."""
    users = {_text(each, "id"): each for each in included(told, "users")}
    others = {_text(each, "id"): each for each in included(told, "tweets", "posts")}
    reader = _Reader(settings, feed, user_id, users, others)
    for data in objects_in(told, "data"):
        yield reader.read(data)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads posts beside the accounts and posts that X sent along."""

    settings: Settings
    feed: str
    user_id: str
    users: Mapping[str, Object]
    others: Mapping[str, Object]

    def read(self, data: Object) -> Post | str:
        native_id = _text(data, "id")
        if not _is_id(native_id):
            return "X told of something without a number, which is no post."
        if not full_text(data).strip():
            return f"What X calls {native_id} has no text; it is no post, or was taken down."
        author = self._author(data)
        if author is None:
            return f"X post {native_id} came without its author."
        created_at = _moment(_text(data, "created_at")) or moment_of(native_id)
        if created_at is None:
            return f"X post {native_id} has no time."
        refs = dict(_references(data))
        mention = self._mention(data, author, created_at, refs)
        newest = max(map(int, versions_of(data)))
        return Post(mention, int(native_id), newest, "retweeted" in refs, self._is_ours(author.native_id))

    def _mention(self, data: Object, author: Author, created_at: datetime, refs: Mapping[str, str]) -> Mention:
        native_id = _text(data, "id")
        summons = self._summons(data, refs)
        is_known = author.native_id in self.users
        return Mention(
            platform=PLATFORM,
            native_id=min(versions_of(data), key=int),
            text=full_text(data),
            author=author,
            created_at=created_at,
            feed=self.feed,
            url=self.settings.post_address(native_id, author.handle if is_known else ""),
            language=_language(_text(data, "lang")),
            thread_id=_text(data, "conversation_id"),
            in_reply_to=refs.get("replied_to", ""),
            parent_text=self._parent_text(refs),
            account=self.settings.account if summons else "",
            reply_ref=Ref(native_id, summons, _text(data, "reply_settings")).write(),
        )

    def _author(self, data: Object) -> Author | None:
        """Return who wrote it; where X sent no accounts along, the account's number stands for its handle."""
        author_id = _text(data, "author_id")
        user = self.users.get(author_id)
        handle = _text(user, "username") if user else ""
        if user is None or not handle:
            return Author(author_id, native_id=author_id, url=self._page(f"i/user/{author_id}")) if author_id else None
        metrics = user.get("public_metrics")
        followers = metrics.get("followers_count") if isinstance(metrics, dict) else None
        is_count = isinstance(followers, int) and not isinstance(followers, bool)
        return Author(
            handle,
            name=unescape(_text(user, "name")),
            followers=followers if is_count else None,
            native_id=author_id,
            url=self._page(handle),
        )

    def _page(self, path: str) -> str:
        return self.settings.profile_address(path)

    def _summons(self, data: Object, refs: Mapping[str, str]) -> Summons:
        """Return how a post calls on our account: X lets programs answer only where it does."""
        starts = [start for start, user_id, handle in _mentions(data) if self._is_us(user_id, handle)]
        if starts:
            leading = _LEADING_HANDLES.match(_text(data, "text"))
            is_carried = "replied_to" in refs and leading is not None and max(starts) < leading.end()
            return "answer" if is_carried else "mention"
        quoted = refs.get("quoted", "")
        return "quote" if quoted and self._is_our_post(quoted, data) else ""

    def _is_our_post(self, native_id: str, data: Object) -> bool:
        author_id = _text(self.others.get(native_id, {}), "author_id")
        if author_id:
            return self._is_ours(author_id)
        links = (_STATUS.match(link) for link in _links(data))
        return any(link and link[2] == native_id and self._is_us("", link[1]) for link in links)

    def _is_ours(self, author_id: str) -> bool:
        return self._is_us(author_id, _text(self.users.get(author_id, {}), "username"))

    def _is_us(self, user_id: str, handle: str) -> bool:
        if self.user_id and user_id:
            return user_id == self.user_id
        return handle.lower() == self.settings.handle.lower()

    def _parent_text(self, refs: Mapping[str, str]) -> str:
        parent = self.others.get(refs.get("replied_to", "")) or self.others.get(refs.get("quoted", ""))
        return full_text(parent) if parent else ""


def full_text(data: Object) -> str:
    """Return all that a post says: of a long one, X keeps the whole beside the beginning."""
    for name in ("note_tweet", "note_post"):
        note = data.get(name)
        if isinstance(note, dict) and isinstance(note.get("text"), str) and note["text"]:
            return unescape(note["text"])
    text = data.get("text")
    return unescape(text) if isinstance(text, str) else ""


def versions_of(data: Object) -> list[str]:
    """Return the numbers of a post's versions: each edit gets a new one, and is still the same post."""
    for name in ("edit_history_tweet_ids", "edit_history_post_ids"):
        versions = data.get(name)
        numbers = [each for each in versions if _is_id(each)] if isinstance(versions, list) else []
        if numbers:
            return numbers
    return [_text(data, "id")]


def moment_of(native_id: str) -> datetime | None:
    """Return when a post was made, which its number tells; None of a number from before numbers did."""
    if not _is_id(native_id) or int(native_id) < _FIRST_TIMED_ID:
        return None
    second = ((int(native_id) >> _TIME_BITS) + _FIRST_MILLISECOND) / 1_000
    return datetime.fromtimestamp(second, UTC) if second < _LAST_SECOND else None


def id_at(moment: datetime) -> int:
    """Return the first number that a post made at a moment can have."""
    return max(0, round(moment.timestamp() * 1_000) - _FIRST_MILLISECOND) << _TIME_BITS


def _references(data: Object) -> Iterator[tuple[str, str]]:
    for name in ("referenced_tweets", "referenced_posts"):
        for each in objects_in(data, name):
            yield _text(each, "type"), _text(each, "id")


def _entities(data: Object) -> Iterator[Object]:
    for holder in (data, data.get("note_tweet"), data.get("note_post")):
        entities = holder.get("entities") if isinstance(holder, dict) else None
        if isinstance(entities, dict):
            yield entities


def _mentions(data: Object) -> Iterator[tuple[int, str, str]]:
    """Yield where each account is named, its number, and its handle."""
    for entities in _entities(data):
        for each in objects_in(entities, "mentions"):
            start = each.get("start")
            yield start if isinstance(start, int) else 0, _text(each, "id"), _text(each, "username")


def _links(data: Object) -> Iterator[str]:
    for entities in _entities(data):
        for each in objects_in(entities, "urls"):
            yield _text(each, "expanded_url")


def _text(data: Object, name: str) -> str:
    value = data.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return whole_characters(value) if isinstance(value, str) else ""


def _is_id(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20


def _language(code: str) -> str:
    code = code.lower()
    return "" if code in _NO_LANGUAGE else _OUR_CODES.get(code, code)


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
