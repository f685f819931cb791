"""Posts of Reddit, from the JSON of its API to mentions: comments (t1) and submissions (t3). Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from listeners.mention import Author, Mention
from listeners.text import whole_characters

PLATFORM: Final = "reddit"
_COMMENT, _SUBMISSION = "t1", "t3"
_OTHERS: Final = {"t4": "a private message", "t5": "a subreddit", "more": "a stub for more comments"}
FULLNAME: Final = re.compile(r"t[13]_[0-9a-z]{1,13}")
_IN_CONTEXT: Final = re.compile(r"/comments/([0-9a-z]{1,13})/")
_LAST_SECOND: Final = 253_402_300_799  # of the year 9999
_GONE: Final = frozenset({
    "[deleted]",
    "[removed]",
    "[deleted by user]",
    "[removed by reddit]",
    "[ removed by reddit ]",
    "[unavailable]",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a post stands, for deciding how it can be answered; kept in `Mention.reply_ref`.

    `closed` is 'locked', 'archived', 'quarantined' or ''.
    """

    subreddit: str = ""
    closed: str = ""


@dataclass(frozen=True, slots=True)
class Thing:
    """One child of a listing: its kind (t1, t3, …) and what is told of it."""

    kind: str
    data: Mapping[str, object]

    @property
    def fullname(self) -> str:
        """Its id on all of Reddit, such as t1_dbhn0yk; '' where it is no comment and no submission."""
        name = _text(self.data, "name") or f"{self.kind}_{_text(self.data, 'id')}"
        return name if FULLNAME.fullmatch(name) and name.startswith(f"{self.kind}_") else ""

    @property
    def second(self) -> int | None:
        """When it was posted, in seconds since 1970 (UTC)."""
        told = self.data.get("created_utc")
        if isinstance(told, bool) or not isinstance(told, int | float) or not 0 < told <= _LAST_SECOND:
            return None
        return int(told)

    @property
    def is_gone(self) -> bool:
        """Whether it was taken down: by its author, the moderators or Reddit. What is left has no words."""
        words = _text(self.data, "body" if self.kind == _COMMENT else "selftext")
        author = self.data.get("author", "")
        is_unsigned = author is None or (isinstance(author, str) and author.casefold() in _GONE)
        return is_unsigned or words.casefold() in _GONE or bool(self.data.get("removed_by_category"))

    @property
    def closed(self) -> str:
        """Why nobody can simply answer it; see `Standing`."""
        for flag, reason in (("locked", "locked"), ("archived", "archived"), ("quarantine", "quarantined")):
            if self.data.get(flag) is True:
                return reason
        return ""

    @property
    def title(self) -> str:
        """The title of the thread it is in."""
        return whole_characters(_text(self.data, "title" if self.kind == _SUBMISSION else "link_title"))

    @property
    def words(self) -> str:
        """What it says: a comment's text; a submission's text, or else its title, and the link it leads to."""
        if self.kind == _COMMENT:
            return _text(self.data, "body")
        return f"{_text(self.data, 'selftext') or _text(self.data, 'title')}\n{self._link()}".strip()

    @property
    def spoken(self) -> str:
        """What it says with its title, where it has one of its own."""
        own = _text(self.data, "title")
        return f"{own}\n{self.words}" if own and not self.words.startswith(own) else self.words

    def _link(self) -> str:
        link = _text(self.data, "url")
        is_own = self.data.get("is_self") is True or link.endswith(_text(self.data, "permalink") or "\0")
        return whole_characters(link) if link.startswith(("https://", "http://")) and not is_own else ""


def read_thing(child: object) -> Thing:
    """Return a child of a listing; one that is no object at all has no kind."""
    kind = child.get("kind") if isinstance(child, Mapping) else None
    data = child.get("data") if isinstance(child, Mapping) else None
    return Thing(kind if isinstance(kind, str) else "", data if isinstance(data, Mapping) else {})


def read_post(thing: Thing, feed: str, site: str) -> Mention | str:
    """Turn a comment or submission into a mention, not yet matched, or say in a sentence why it cannot be one.

    `site` is the address that permanent links begin with, such as https://www.reddit.com.
    """
    problem = _why_no_mention(thing)
    second = thing.second
    if problem or second is None:
        return problem or f"Reddit post {thing.fullname} has no time."
    author = whole_characters(_text(thing.data, "author"))
    thread = _thread_of(thing)
    return Mention(
        platform=PLATFORM,
        native_id=thing.fullname,
        text=thing.words,
        author=Author(
            author,
            native_id=_text(thing.data, "author_fullname"),
            url=f"{site.rstrip('/')}/user/{quote(author, errors='replace')}",
        ),
        created_at=datetime.fromtimestamp(second, UTC),
        feed=feed,
        url=_address(thing, thread, site),
        title=thing.title,
        thread_id=thread,
        in_reply_to=_text(thing.data, "parent_id") if thing.kind == _COMMENT else "",
        parent_text=_crossposted(thing),
        reply_ref=write_standing(Standing(whole_characters(_text(thing.data, "subreddit")), thing.closed)),
    )


def names_account(text: str, account: str) -> bool:
    """Whether a text summons an account by name, as in u/acme."""
    if not account:
        return False
    return re.search(rf"(?<![\w/])/?u/{re.escape(account)}(?![\w-])", text, re.IGNORECASE) is not None


def write_standing(standing: Standing) -> str:
    """Write where a post stands, for `Mention.reply_ref`."""
    return json.dumps({"subreddit": standing.subreddit, "closed": standing.closed})


def read_standing(reply_ref: str) -> Standing:
    """Read what `write_standing` wrote; anything else stands open, in no known subreddit."""
    try:
        told = json.loads(reply_ref or "{}")
    except ValueError:
        told = {}
    if not isinstance(told, dict):
        return Standing()
    return Standing(_text(told, "subreddit"), _text(told, "closed"))


def _why_no_mention(thing: Thing) -> str:
    name = thing.fullname
    if thing.kind not in {_COMMENT, _SUBMISSION}:
        return f"Reddit told of {_OTHERS.get(thing.kind, 'something')}{_named(thing)}, which is no post."
    if not name:
        return "Reddit told of a post without an id."
    if thing.is_gone:
        return f"Reddit post {name} was taken down."
    if not _text(thing.data, "author"):
        return f"Reddit post {name} has no author."
    return "" if thing.words else f"Reddit post {name} has no text."


def _named(thing: Thing) -> str:
    name = whole_characters(_text(thing.data, "display_name"))
    return f" (r/{name})" if thing.kind == "t5" and name else ""


def _thread_of(thing: Thing) -> str:
    """Return the submission's fullname; the inbox tells only the address of a comment's place in its thread."""
    if thing.kind == _SUBMISSION:
        return thing.fullname
    told = _text(thing.data, "link_id")
    if FULLNAME.fullmatch(told):
        return told
    found = _IN_CONTEXT.search(_text(thing.data, "context"))
    return f"{_SUBMISSION}_{found[1]}" if found else ""


def _address(thing: Thing, thread: str, site: str) -> str:
    """Return the permanent link; where none is told, one that Reddit resolves by the ids."""
    root = site.rstrip("/")
    told = _text(thing.data, "permalink") or _text(thing.data, "context").partition("?")[0]
    if told.startswith("/"):
        return root + whole_characters(told)
    number = thing.fullname.partition("_")[2]
    if thing.kind == _SUBMISSION:
        return f"{root}/comments/{number}/"
    return f"{root}/comments/{thread.partition('_')[2]}/_/{number}/" if thread else ""


def _crossposted(thing: Thing) -> str:
    """Return what the submission says that this one passes on; '' for any other."""
    parents = thing.data.get("crosspost_parent_list")
    first = parents[0] if isinstance(parents, list) and parents else None
    original = Thing(_SUBMISSION, first) if isinstance(first, Mapping) else None
    return original.spoken if original is not None and not original.is_gone else ""


def _text(data: Mapping[str, object], key: str) -> str:
    value = data.get(key)
    return value.strip() if isinstance(value, str) else ""
