"""RSS and Atom feeds: blogs, forums, review pages, alerts. Free, no account.

Settings of a feed (`platform = "feeds"`):

    urls              the addresses of the feeds (needed)
    poll_seconds      seconds between looks at one address (900); a longer time is taken where the server asks for it
                      by Cache-Control, <ttl> or Retry-After
    allow_hosts       hosts ("host" or "host:port") that may be inside our own network or on other ports ([])
    max_bytes         how much one answer may hold, also unpacked (2000000)
    max_items         how many entries of one answer are read (200)
    look_back_hours   how old an entry may be at the first look at an address (24), so that an install does not flood;
                      entries without a date are passed over at that first look

What is heard: every entry whose title or text matches a watch. One of the last week that changed is told again.
One address that fails does not deafen the others: it is told once, with the reason, and tried again ever more slowly;
an address that is gone (410) is left alone until the next start. Only when no address works the whole feed is deaf.
Where a feed moved on so fast between two looks that entries were lost, that is told as a gap.

What cannot be done: feeds take no replies, so they are made by hand on the page itself. Feeds with a DTD are refused,
because a few lines of entities unpack to gigabytes. Addresses inside our own network are refused unless allowed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Annotated, Final
from urllib.parse import urlsplit

import orjson
from pydantic import AfterValidator, Field, field_validator

from listeners.contract import Capability, Compiled, FeedContext, Finding, Posted, Shape
from listeners.errors import ListenerError, Permanent, RateLimited, Retryable
from listeners.feed_document import Document, Entry, FeedRefused, read_document
from listeners.fetch import Fetched, Fetcher, Gone
from listeners.mention import Author, Batch, Gap, Mention
from listeners.pacing import Pacer, spread
from listeners.query import Query
from listeners.settings import FeedSettings, check_settings, check_web_address
from listeners.text import shape_by_hand

PLATFORM: Final = "feeds"
LATE: Final = timedelta(days=7)  # an entry that turns up with an older date than this before the last look is history
_SLOWEST: Final = 86_400.0
_MISSED_AFTER: Final = timedelta(hours=1)  # how long one address of several may fail before that is a gap
_SIGN_OF_LIFE: Final = 1_200.0  # seconds: when servers ask for long waits, say this often that we are listening
_MAX_AGE: Final = re.compile(r"max-age\s*=\s*\"?(\d{1,9})", re.IGNORECASE)

WebAddress = Annotated[str, AfterValidator(check_web_address)]


class Settings(FeedSettings):
    """Settings of one group of feeds; the module's docstring explains them."""

    urls: tuple[WebAddress, ...] = Field(min_length=1)
    poll_seconds: float = Field(default=900, ge=5, le=86_400)
    allow_hosts: tuple[str, ...] = ()
    max_bytes: int = Field(default=2_000_000, ge=1_000, le=50_000_000)
    max_items: int = Field(default=200, ge=1, le=5_000)
    look_back_hours: float = Field(default=24, ge=0, le=24 * 31)

    @field_validator("urls")
    @classmethod
    def _refuse_doubles(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(urls)) < len(urls):
            raise ValueError("an address stands there twice")
        return urls


def open_platform(settings: Mapping[str, object], context: FeedContext) -> Feeds:
    """Open one group of feeds; no network is touched.

    Raises:
        SettingRefused: a setting cannot work.
    """
    return Feeds(check_settings(Settings, settings), context)


def compile_query(query: Query) -> Compiled:
    """Return that nothing is asked: a feed tells all it has, and every entry is matched here."""
    del query
    return Compiled((), "A feed cannot be searched: every entry is matched here, by its title and its text.")


@dataclass(slots=True)
class _Memory:
    """What the cursor remembers of one address. `seen` is each entry's id with a mark of what it said."""

    looked: float = 0.0
    etag: str = ""
    modified: str = ""
    seen: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Health:
    """When to look at one address next, and how it fares; kept for as long as the process runs."""

    due: float = 0.0
    failures: int = 0
    error: ListenerError | None = None
    is_gone: bool = False
    refused: tuple[str, ...] = ()
    unheard: datetime | None = None
    """Up to where it was heard, or its silence told, while there is an error."""


class Feeds:
    """One group of feeds."""

    kind: Final = PLATFORM

    def __init__(self, settings: Settings, context: FeedContext) -> None:
        """Take checked settings."""
        self._settings = settings
        self._context = context
        self._pacer = Pacer(context.pause)
        self._fetcher = Fetcher(allow_hosts=settings.allow_hosts, max_bytes=settings.max_bytes, now=context.now)
        self._health = {url: _Health() for url in settings.urls}

    def listen(self, cursor: str | None) -> Iterator[Batch]:
        """Look at each address when it is due, for ever; see `Listens`."""
        if not self._context.watches:
            raise Permanent(f"No watch listens on the feed '{self._context.feed}'; add one, or take the feed away.")
        memories = {url: memory for url, memory in _read_cursor(cursor).items() if url in self._health}
        for health in self._health.values():
            if health.error is None:
                health.due = 0.0  # the last look may not have been stored
        while not self._pacer.is_closed():
            yield from self._look_around(memories)
            if self._pacer.is_closed() or self._pacer.wait(min(self._seconds_to_next(), _SIGN_OF_LIFE)):
                return
            if not self._due_urls() and any(health.error is None for health in self._health.values()):
                yield Batch(cursor=_write_cursor(memories))

    def capability(self, mention: Mention) -> Capability:
        """By hand, on the page itself."""
        if not mention.url:
            return Capability("none", "The feed told no link for this entry.")
        return Capability("by_hand", "A feed takes no replies: open the page and answer there.", url=mention.url)

    def shape(self, text: str, mention: Mention) -> Shape:
        """Count characters; no limit is known."""
        del mention  # all pages are alike to us
        return shape_by_hand(text)

    def reply(self, mention: Mention, text: str, send_key: str, after: Posted | None = None) -> Posted:
        """Refuse: there is no way to post."""
        del mention, text, send_key, after
        raise Permanent("A feed takes no replies; answer on the page by hand.")

    def recheck(self, mentions: Sequence[Mention]) -> Batch:
        """Look at nothing again: an entry that changed is told again by the feed itself."""
        del mentions
        return Batch()

    def check(self) -> list[Finding]:
        """Read every address once."""
        return [self._check_url(url) for url in self._settings.urls]

    def close(self) -> None:
        """End a running look and every wait."""
        self._pacer.close()
        self._fetcher.close()

    def _check_url(self, url: str) -> Finding:
        try:
            document = self._read(self._fetcher.get(url))
        except ListenerError as err:
            return Finding(is_good=False, sentence=str(err), remedy="Open the address in a browser and compare.")
        name = document.title or url
        return Finding(is_good=True, sentence=f"'{name}' can be read: {len(document.entries)} entries.")

    def _due_urls(self) -> list[str]:
        now = self._context.now().timestamp()
        return [url for url, health in self._health.items() if not health.is_gone and health.due < now + 1]

    def _seconds_to_next(self) -> float:
        dues = [health.due for health in self._health.values() if not health.is_gone]
        return max(1.0, min(dues, default=_SLOWEST) - self._context.now().timestamp())

    def _raise_if_deaf(self) -> None:
        """Raise where no address works; the caller then decides when to look again."""
        errors = [health.error for health in self._health.values() if health.error is not None]
        if len(errors) < len(self._health):
            return
        sentence = " ".join(dict.fromkeys(map(str, errors[:3])))
        if all(isinstance(error, Permanent) for error in errors):
            raise Permanent(sentence) from errors[0]
        waits = [error.retry_after for error in errors if isinstance(error, RateLimited)]
        if len(waits) == len(errors):
            known = [wait for wait in waits if wait is not None]
            raise RateLimited(sentence, retry_after=min(known, default=None)) from errors[0]
        for health in self._health.values():
            if not isinstance(health.error, RateLimited | Permanent):
                health.due = 0.0  # the caller backs off for us
        raise Retryable(sentence) from errors[0]

    def _look_around(self, memories: dict[str, _Memory]) -> Iterator[Batch]:
        """Look at each address that is due. A look that failed is no sign of life: it is told after the others."""
        failed: list[Batch] = []
        for url in self._due_urls():
            batch = self._look(url, memories)
            if self._pacer.is_closed():
                return
            if self._health[url].error is None:
                yield batch
            else:
                failed.append(batch)
        if failed:
            self._raise_if_deaf()
        yield from failed
        if gaps := self._missed():
            yield Batch(cursor=_write_cursor(memories), gaps=gaps)

    def _look(self, url: str, memories: dict[str, _Memory]) -> Batch:
        memory = memories.get(url)
        try:
            fetched = self._fetcher.get(url, _conditions(memory))
            document = None if fetched.is_unchanged else self._read(fetched)
        except ListenerError as err:
            return Batch(cursor=_write_cursor(memories), refused=self._note_failure(url, err, memory))
        refused = self._note_success(url, fetched, document)
        now = self._context.now()
        if document is None:
            if memory is not None:
                memory.looked = now.timestamp()
            return Batch(cursor=_write_cursor(memories))
        mentions = self._pick(url, document, memory, now)
        gaps = _find_gaps(document, memory, now)
        seen = {entry.key: entry.mark for entry in document.entries}
        told = fetched.headers
        memories[url] = _Memory(now.timestamp(), told.get("etag", ""), told.get("last-modified", ""), seen)
        return Batch(mentions, _write_cursor(memories), gaps=gaps, refused=refused)

    def _read(self, fetched: Fetched) -> Document:
        try:
            return read_document(
                fetched.body, fetched.url, fetched.headers.get("content-type", ""), self._settings.max_items
            )
        except FeedRefused as err:
            raise Retryable(str(err)) from err

    def _note_success(self, url: str, fetched: Fetched, document: Document | None) -> tuple[str, ...]:
        """Set the next look; return the reasons for entries that could not be read, if they were not told yet."""
        wait = self._settings.poll_seconds
        asked = _MAX_AGE.search(fetched.headers.get("cache-control", ""))
        if asked is not None:
            wait = max(wait, float(asked[1]))
        refused = told = self._health[url].refused
        if document is not None:
            wait = max(wait, document.ttl_seconds)
            refused = document.refused
        due = self._context.now().timestamp() + spread(min(wait, _SLOWEST))
        self._health[url] = _Health(due=due, refused=refused)
        return tuple(sentence for sentence in refused if sentence not in told)

    def _note_failure(self, url: str, error: ListenerError, memory: _Memory | None) -> tuple[str, ...]:
        """Put off the next look; return the reason if it was not told yet."""
        before = self._health[url]
        failures = before.failures + 1
        wait = min(self._settings.poll_seconds * 2.0 ** min(failures - 1, 12), _SLOWEST)
        if isinstance(error, Permanent):
            wait = _SLOWEST
        now = self._context.now()
        due = now.timestamp() + spread(wait)
        if isinstance(error, RateLimited) and error.retry_after is not None:
            due = max(due, now.timestamp() + error.retry_after)
        heard = datetime.fromtimestamp(memory.looked, now.tzinfo) if memory is not None else now
        unheard = before.unheard or heard
        self._health[url] = _Health(due, failures, error, isinstance(error, Gone), before.refused, unheard)
        is_news = before.error is None or str(before.error) != str(error)
        return (str(error),) if is_news else ()

    def _missed(self) -> tuple[Gap, ...]:
        """Return the stretches in which single addresses were not heard, each about once an hour while it lasts."""
        now = self._context.now()
        gaps = []
        for health in self._health.values():
            if health.error is not None and health.unheard is not None and now - health.unheard >= _MISSED_AFTER:
                gaps.append(Gap(health.unheard, now, str(health.error)))
                health.unheard = now
        return tuple(gaps)

    def _pick(self, url: str, document: Document, memory: _Memory | None, now: datetime) -> tuple[Mention, ...]:
        oldest = now - timedelta(hours=self._settings.look_back_hours)
        if memory is not None:
            oldest = datetime.fromtimestamp(memory.looked, now.tzinfo) - max(LATE, now - oldest)
        picked = []
        for entry in document.entries:
            is_recent = entry.moment >= oldest if entry.moment else memory is not None
            known = memory.seen.get(entry.key) if memory is not None else None
            if is_recent and known != entry.mark and (mention := self._match(url, document, entry, now)) is not None:
                picked.append(mention)
        return tuple(sorted(picked, key=lambda mention: mention.created_at))

    def _match(self, url: str, document: Document, entry: Entry, now: datetime) -> Mention | None:
        handle = entry.author or document.title or urlsplit(url).hostname or PLATFORM  # an address may hold a key
        watches = self._context.watches.match(f"{entry.title}\n{entry.text}", author=handle, language=document.language)
        if not watches:
            return None
        mention = Mention(
            platform=PLATFORM,
            native_id=entry.key,
            text=entry.text or entry.title,
            author=Author(handle.lstrip("@"), entry.author or document.title, url=entry.author_url),
            created_at=min(entry.moment or now, now),
            feed=self._context.feed,
            url=entry.link,
            title=entry.title,
            language=document.language,
        )
        return replace(mention, brand=watches[0].brand, watches=tuple(watch.name for watch in watches))


def _conditions(memory: _Memory | None) -> dict[str, str]:
    headers = {"Accept": "application/atom+xml, application/rss+xml, application/xml;q=0.9, */*;q=0.5"}
    if memory is not None and memory.etag:
        headers["If-None-Match"] = memory.etag
    if memory is not None and memory.modified:
        headers["If-Modified-Since"] = memory.modified
    return headers


def _find_gaps(document: Document, memory: _Memory | None, now: datetime) -> tuple[Gap, ...]:
    """Tell of a feed that turned over whole since the last look: entries may have come and gone unseen."""
    if memory is None or not memory.seen or not document.entries:
        return ()
    if any(entry.key in memory.seen for entry in document.entries):
        return ()
    looked = datetime.fromtimestamp(memory.looked, now.tzinfo)
    moments = [entry.moment for entry in document.entries if entry.moment is not None]
    if len(moments) < len(document.entries) or min(moments) <= looked:
        return ()
    reason = f"The feed '{document.title or 'without a title'}' moved on faster than it was looked at."
    return (Gap(looked, min(*moments, now), reason),)


def _write_cursor(memories: Mapping[str, _Memory]) -> str:
    return orjson.dumps(
        {
            url: {"looked": memory.looked, "etag": memory.etag, "modified": memory.modified, "seen": memory.seen}
            for url, memory in memories.items()
        }
    ).decode()


def _read_cursor(cursor: str | None) -> dict[str, _Memory]:
    """Return what is remembered; nothing where the cursor cannot be read (then every address is looked at anew)."""
    try:
        told = orjson.loads(cursor or "{}")
        return {
            str(url): _Memory(
                float(one["looked"]),
                str(one["etag"]),
                str(one["modified"]),
                {str(key): str(mark) for key, mark in one["seen"].items()},
            )
            for url, one in told.items()
        }
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError, ValueError):
        return {}
