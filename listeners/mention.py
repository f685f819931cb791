"""The values that flow downstream from a platform. All are frozen; nothing here does I/O.

Times are aware datetimes in UTC. Text is the post's text as the platform gave it (HTML already turned into
plain text), never shortened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a post, as far as the platform says.

    `handle` is the platform's name for them without a leading '@'. `followers` is None where it is not told.
    """

    handle: str
    name: str = ""
    followers: int | None = None
    native_id: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Mention:
    """One post that matched a watch.

    `platform` is where it was posted ('hackernews', 'x', …); `feed` is the configured feed that heard it, and the
    way back for an answer; `feed_platform` is the platform that this feed was configured for (intake fills it in).
    `(platform, native_id)` is unique. `thread_id` is the platform's id of the thread's root
    ('' where there is none). `reply_ref` is opaque to everyone but the platform's own file, which may need more than
    the id to answer. `account` is the one of our accounts that was summoned, if any.
    """

    platform: str
    native_id: str
    text: str
    author: Author
    created_at: datetime
    feed: str = ""
    feed_platform: str = ""
    url: str = ""
    title: str = ""
    brand: str = ""
    watches: tuple[str, ...] = ()
    language: str = ""
    thread_id: str = ""
    in_reply_to: str = ""
    parent_text: str = ""
    account: str = ""
    reply_ref: str = ""


@dataclass(frozen=True, slots=True)
class Removal:
    """A post, or all posts of an author, taken down on the platform: the text must go here too.

    Exactly one of `native_id` (a post) and `author` (a handle or native author id) is set.
    """

    platform: str
    at: datetime
    native_id: str = ""
    author: str = ""


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of time that was not heard and cannot be repaired; the digest tells of it."""

    start: datetime
    end: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What one look at a platform brought, and where to resume once it is stored.

    `cursor` is opaque text; a batch without mentions still says 'I am listening'. An edited post is sent again as
    a mention with the same id. `cost_micros` is what this look cost, in millionths of a US dollar.
    `refused` holds one sentence for each item that could not become a mention. `notices` are sentences for the
    operator, each told once a month: what the feed does differently from now on, such as listening less to save money.

    `checked` holds the native ids of stored posts that were looked at again (`Platform.recheck`); such a batch is no
    sign that the feed hears. `stored` is called once the batch is safely kept, for a sender who waits for that word; it
    must not raise, and is not called for a batch that was given up at a stop.
    """

    mentions: tuple[Mention, ...] = ()
    cursor: str = ""
    removals: tuple[Removal, ...] = ()
    gaps: tuple[Gap, ...] = ()
    refused: tuple[str, ...] = ()
    cost_micros: int = 0
    notices: tuple[str, ...] = ()
    checked: tuple[str, ...] = ()
    stored: Callable[[], None] | None = field(default=None, compare=False, repr=False)
