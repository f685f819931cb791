"""A post of Bluesky as a mention: read from its record, wherever that was told. Pure.

Records are written by whoever likes to, so nothing in them is taken for granted (lexicons app.bsky.feed.post,
app.bsky.richtext.facet and app.bsky.embed.*, 2026-08).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from listeners.bluesky.jetstream_events import read_time
from listeners.mention import Author, Mention
from listeners.text import decode_json, whole_characters

PLATFORM: Final = "bluesky"
COLLECTION: Final = "app.bsky.feed.post"
_NAME: Final = "app.bsky.richtext.facet#mention"
_ELLIPSES: Final = ("...", "…")
_WORDLESS: Final = {
    "images": "(a picture, without words)",
    "video": "(a video, without words)",
    "external": "(a link, without words)",
    "record": "(a quoted post, without words)",
}


@dataclass(frozen=True, slots=True)
class Ref:
    """One version of a record: its address (at-uri) and the hash of its content (cid)."""

    uri: str
    cid: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """Who is behind a DID, as far as it is known."""

    did: str
    handle: str = ""
    name: str = ""
    followers: int | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """A post that was told of: its version, its author's DID, what was written, and when its host saw it.

    `is_closed` is True where the author lets us not answer.
    """

    ref: Ref
    did: str
    record: Mapping[str, Any]
    seen_at: datetime
    is_closed: bool = False

    @property
    def text(self) -> str | None:
        """The words as they were written, which watches judge; None where the record has none."""
        text = self.record.get("text")
        return text if isinstance(text, str) else None

    @property
    def language(self) -> str:
        """The first language that the author's program says it is in."""
        languages = self.record.get("langs")
        first = languages[0] if isinstance(languages, list) and languages else ""
        return whole_characters(first) if isinstance(first, str) else ""

    @property
    def parent(self) -> Ref | None:
        """The post that this one answers."""
        return _read_ref(_part(self.record.get("reply"), "parent"))

    @property
    def root(self) -> Ref | None:
        """The first post of the thread that this one answers in."""
        return _read_ref(_part(self.record.get("reply"), "root"))

    def addresses(self, did: str) -> bool:
        """Whether it names an account, answers it, or quotes it."""
        named = (feature.get("did") for _, _, feature in _features(self.record) if feature.get("$type") == _NAME)
        refs = (self.parent, _read_ref(_quoted(self.record)))
        owners = (author_of(ref.uri) for ref in refs if ref is not None)
        return bool(did) and any(each == did for each in (*named, *owners))


def read_view(view: object, seen_at: datetime) -> Post | None:
    """Read a post as the app's server shows it (app.bsky.feed.defs#postView); None where it is none.

    A notification of a post has the same fields.
    """
    ref, did = _read_ref(view), _part(_part(view, "author"), "did")
    record = _part(view, "record")
    if not isinstance(view, dict) or ref is None or not isinstance(did, str) or not isinstance(record, dict):
        return None
    at = read_time(view.get("indexedAt")) or seen_at
    return Post(ref, did, record, at, is_closed=_part(view.get("viewer"), "replyDisabled") is True)


def read_profile(told: object) -> Profile | None:
    """Read who somebody is (app.bsky.actor.defs#profileView…); None where no DID is told."""
    did = _part(told, "did")
    if not isinstance(did, str) or not isinstance(told, dict):
        return None
    handle, name, followers = told.get("handle"), told.get("displayName"), told.get("followersCount")
    is_known = isinstance(handle, str) and handle != "handle.invalid"
    return Profile(
        did,
        whole_characters(handle) if is_known and isinstance(handle, str) else "",
        whole_characters(name) if isinstance(name, str) else "",
        followers if isinstance(followers, int) else None,
    )


def build_mention(post: Post, profile: Profile, feed: str, post_url: str, parent: Post | None) -> Mention:
    """Return a post as a mention, not yet matched."""
    name = profile.handle or post.did
    page = f"{post_url.rstrip('/')}/profile/{quote(name, safe=':')}"
    root, above = post.root, post.parent
    written_at = read_time(post.record.get("createdAt"))
    return Mention(
        platform=PLATFORM,
        native_id=post.ref.uri,
        text=read_words(post.record),
        author=Author(name, profile.name, profile.followers, post.did, page),
        created_at=min(written_at or post.seen_at, post.seen_at),  # a clock that is wrong is not the host's
        feed=feed,
        url=f"{page}/post/{quote(key_of(post.ref.uri), safe=':')}",
        language=post.language,
        thread_id=root.uri if root else "",
        in_reply_to=above.uri if above else "",
        parent_text=read_words(parent.record) if parent else "",
        reply_ref=write_reply_ref(post.ref, root or post.ref, is_closed=post.is_closed),
    )


def read_words(record: Mapping[str, Any]) -> str:
    """Return what a reader sees, with links that were shortened for display in full, and where hidden ones lead.

    A post without words is told by what it shows instead.
    """
    text = record.get("text")
    words = _write_links_out(text, record) if isinstance(text, str) else ""
    if words.strip():
        return words
    kind = _part(record.get("embed"), "$type")
    shown = kind.removeprefix("app.bsky.embed.") if isinstance(kind, str) else ""
    return _WORDLESS.get(shown, "(without words)")


def _write_links_out(text: str, record: Mapping[str, Any]) -> str:
    raw = text.encode("utf-8", "surrogatepass")
    parts, end = [], 0
    for start, stop, feature in sorted(_features(record), key=lambda found: found[:2]):
        address = feature.get("uri")
        if not isinstance(address, str) or not end <= start < stop <= len(raw) or _cuts(raw, start) or _cuts(raw, stop):
            continue
        label = raw[start:stop].decode("utf-8", "surrogatepass")
        parts += [raw[end:start], _name_link(label, whole_characters(address)).encode("utf-8", "surrogatepass")]
        end = stop
    return b"".join([*parts, raw[end:]]).decode("utf-8", "surrogatepass")


def _cuts(raw: bytes, at: int) -> bool:
    """Whether a place is inside a character."""
    return at < len(raw) and raw[at] & 0xC0 == 0x80


def _name_link(label: str, address: str) -> str:
    """Return a link's label with its address where the label does not show it."""
    bare = address.partition("://")[2].removeprefix("www.")
    for ellipsis in _ELLIPSES:
        if label.endswith(ellipsis) and bare.startswith(label.removesuffix(ellipsis).removeprefix("www.")):
            return address
    return (
        label if label.strip() in address or not address.startswith(("https://", "http://")) else f"{label} ({address})"
    )


def write_reply_ref(ref: Ref, root: Ref, *, is_closed: bool = False) -> str:
    """Return what it takes to answer a post, as text."""
    told: dict[str, object] = {"uri": ref.uri, "cid": ref.cid, "root": {"uri": root.uri, "cid": root.cid}}
    return json.dumps(told | ({"closed": True} if is_closed else {}))


def read_reply_ref(text: str) -> tuple[Ref, Ref, bool] | None:
    """Return the post to be answered, the first one of its thread, and whether the thread is closed to us."""
    try:
        told = decode_json(text.encode())
    except (ValueError, UnicodeEncodeError):
        return None
    ref = _read_ref(told)
    return None if ref is None else (ref, _read_ref(_part(told, "root")) or ref, _part(told, "closed") is True)


def author_of(uri: str) -> str:
    """Return the DID in the address of a record; '' where it has none."""
    parts = uri.split("/")
    return parts[2] if uri.startswith("at://") and len(parts) > 2 else ""


def key_of(uri: str) -> str:
    """Return the key of a record, the last part of its address."""
    return uri.rpartition("/")[2]


def _quoted(record: Mapping[str, Any]) -> object:
    """Return what a record says of the post it quotes, by itself or beside pictures."""
    quoted = _part(record.get("embed"), "record")
    return quoted if _part(quoted, "uri") is not None else _part(quoted, "record")


def _features(record: Mapping[str, Any]) -> Iterator[tuple[int, int, Mapping[str, Any]]]:
    """Yield each thing that a part of the text means, with the bytes it takes."""
    facets = record.get("facets")
    for facet in facets if isinstance(facets, list) else ():
        start, stop = _part(_part(facet, "index"), "byteStart"), _part(_part(facet, "index"), "byteEnd")
        features = _part(facet, "features")
        if isinstance(start, int) and isinstance(stop, int) and isinstance(features, list):
            yield from ((start, stop, feature) for feature in features if isinstance(feature, dict))


def _read_ref(told: object) -> Ref | None:
    uri, cid = _part(told, "uri"), _part(told, "cid")
    if not isinstance(uri, str) or not uri.startswith("at://"):
        return None
    return Ref(whole_characters(uri), whole_characters(cid) if isinstance(cid, str) else "")


def _part(told: object, key: str) -> Any:  # noqa: ANN401 - whatever a stranger wrote there
    return told.get(key) if isinstance(told, dict) else None
