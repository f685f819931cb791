"""Reading what is new on a timeline of Mastodon, by page: from what was heard last, or so many hours back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from mastodon import Mastodon

from listeners.errors import Retryable
from listeners.mastodon.client import Client, NotAllowed, NotOffered
from listeners.mastodon.fields import Fields, moment_of, parts_of, text_of
from listeners.mastodon.settings import Settings
from listeners.mastodon.sources import Source
from listeners.mention import Gap
from listeners.pacing import Pacer

PAGE: Final = 40
"""The most posts that an answer holds (Mastodon's documentation of timelines, notifications and search)."""
MAX_PAGES: Final = 50
"""How many pages of one source a look reads; what is older is given up and told as a gap."""
RESERVE: Final = 30
"""How many of the 300 requests in 5 minutes are left to the people who answer."""
_LONGEST_PAUSE: Final = 300.0
_SNOWFLAKE: Final = 17  # digits of an id that holds the time, in milliseconds, above its lowest 16 bits
_OVERLAPPED: Final = frozenset({"home", "tag", "author"})


@dataclass(frozen=True, slots=True)
class Page:
    """What one request brought, oldest first; the id to go on from; and what could not be read."""

    items: tuple[Fields, ...] = ()
    newest: str = ""
    gap: Gap | None = None


def order_of(native: str) -> tuple[int, str]:
    """Return what ids are put in order by: all servers give longer, or else later ones, to newer posts."""
    return len(native), native


def newer_of(one: str, other: str) -> str:
    """Return the newer of two ids."""
    return max(one, other, key=order_of)


def step_back(newest: str, seconds: float) -> str:
    """Return the id from which a look must read so as to overlap; the same one where ids do not hold the time.

    A post of another server gets an id by the time it was made at, and may arrive minutes later, below newer ones.
    """
    if len(newest) < _SNOWFLAKE or not (newest.isascii() and newest.isdigit()):
        return newest
    return str(max(1, int(newest) - (int(seconds * 1000) << 16)))


class Timelines:
    """Reads sources with one client; for one thread."""

    def __init__(self, client: Client, settings: Settings, now: Callable[[], datetime], pacer: Pacer) -> None:
        """Take what to ask and how far to look back."""
        self._client = client
        self._settings = settings
        self._now = now
        self._pacer = pacer
        self._accounts: dict[str, str] = {}
        self.types = ["mention"]

    def read(self, source: Source, newest: str) -> Iterator[Page]:
        """Yield what is new in a source since the id `newest`; where that is '', since so many hours ago.

        At least one page is yielded.

        Raises:
            NotOffered, NotAllowed: of this source alone, which the sentence names.
            Permanent, RateLimited, Retryable: the server as a whole.
        """
        with _naming(source):
            if not newest or source.kind == "search":
                yield self._read_back(source, newest)
            else:
                yield from self._read_on(source, newest)

    def try_once(self, source: Source) -> None:
        """Read one page of a source, for nothing but to see whether it can be read.

        Raises:
            ListenerError: as `read`.
        """
        with _naming(source):
            if source.kind == "search":
                next(self._search(source.value), None)
            else:
                self._ask(source)

    def _read_on(self, source: Source, newest: str) -> Iterator[Page]:
        """Read pages from the oldest new one on."""
        overlap = self._settings.overlap_seconds if source.kind in _OVERLAPPED else 0
        floor, reached, read_at = step_back(newest, overlap), newest, self._now()
        oldest = read_at - timedelta(hours=self._settings.look_back_hours)
        for _page in range(MAX_PAGES):
            items = [item for item in self._ask(source, min_id=floor) if _is_newer(item, floor)]
            floor = _newest_of(items, floor)
            reached = newer_of(reached, floor)
            # What the overlap tells again of old times was left out at the first look.
            wanted = [item for item in items if _is_newer(item, newest) or _time_of(item, read_at) >= oldest]
            yield Page(tuple(wanted), reached)
            if not items or self._pacer.is_closed():
                return
            read_at = _time_of(items[-1], read_at)
        latest = self._ask(source)
        since = _time_of(latest[0], self._now()) if latest else self._now()
        yield Page(tuple(latest), _newest_of(latest, reached), _gap(source, min(read_at, since), since))

    def _read_back(self, source: Source, newest: str) -> Page:
        """Read pages from the newest one back, to what was read before or for so many hours."""
        now = self._now()
        floor = now - timedelta(hours=self._settings.look_back_hours)
        found: list[Fields] = []
        reached = newest
        for number, items in enumerate(self._pages_back(source), start=1):
            wanted = [item for item in items if _is_newer(item, newest) and (newest or _time_of(item, now) >= floor)]
            found = wanted + found
            reached = _newest_of(items, reached)
            if len(wanted) < len(items) or self._pacer.is_closed():
                break
            if number == MAX_PAGES:
                oldest = _time_of(items[0], now) if items else now
                return Page(tuple(found), reached, _gap(source, min(floor, oldest), oldest))
        return Page(tuple(found), reached)

    def _pages_back(self, source: Source) -> Iterator[list[Fields]]:
        """Yield pages from the newest one back, each oldest first, until one holds nothing that was not seen."""
        seen: set[str] = set()
        for items in self._search(source.value) if source.kind == "search" else self._step_back(source):
            fresh = [item for item in items if text_of(item, "id") not in seen]
            if not fresh:
                return
            yield fresh
            seen.update(text_of(item, "id") for item in fresh)

    def _step_back(self, source: Source) -> Iterator[list[Fields]]:
        items = self._ask(source)
        while items:
            yield items
            items = self._ask(source, max_id=text_of(items[0], "id"))

    def _search(self, question: str) -> Iterator[list[Fields]]:
        asked = {"result_type": "statuses", "resolve": False, "exclude_unreviewed": False, "limit": PAGE}
        answer = self._answer(lambda api: api.search_v2(question, **asked))
        while isinstance(answer, dict) and (found := parts_of(answer, "statuses")):
            yield sorted(found, key=_order)
            answer = self._answer(partial(_fetch_next, answer))

    def _ask(self, source: Source, min_id: str = "", max_id: str = "") -> list[Fields]:
        """Return one page of a source, oldest first."""
        page = {"limit": PAGE, "min_id": min_id or None, "max_id": max_id or None}
        answer = self._answer(lambda api: self._fetch(api, source, page))
        if not isinstance(answer, list):
            raise Retryable(f"{self._client.access.host} does not answer as a Mastodon server does.")
        return sorted((item for item in answer if isinstance(item, Mapping)), key=_order)

    def _fetch(self, api: Mastodon, source: Source, page: dict[str, Any]) -> object:
        match source.kind:
            case "notifications":
                return api.notifications(types=list(self.types), **page)
            case "home":
                return api.timeline_home(**page)
            case "public":
                is_local, is_remote = source.value == "local", source.value == "remote"
                return api.timeline_public(local=is_local, remote=is_remote, **page)
            case "tag":
                return api.timeline_hashtag(source.value, **page)
            case _:
                return api.account_statuses(self._find_account(api, source.value), exclude_reblogs=True, **page)

    def _find_account(self, api: Mastodon, handle: str) -> str:
        if handle not in self._accounts:
            self._accounts[handle] = text_of(api.account_lookup(handle), "id")
        return self._accounts[handle]

    def _answer(self, question: Callable[[Mastodon], object]) -> object:
        """Ask, then wait where the server's limit is nearly used up."""
        answer = self._client.ask(question)
        api = self._client.api
        reserve = min(RESERVE, api.ratelimit_limit // 10)
        if api.ratelimit_remaining < reserve and (seconds := self._client.seconds_to_wait()):
            self._pacer.wait(min(seconds, _LONGEST_PAUSE))
        return answer


@contextmanager
def _naming(source: Source) -> Iterator[None]:
    """Put what was asked for before the sentence of an error that a person must do something about."""
    try:
        yield
    except NotOffered as err:
        raise NotOffered(f"{source.label}: {err}", words=err.words) from err.__cause__
    except NotAllowed as err:
        raise NotAllowed(f"{source.label}: {err}") from err.__cause__


def _fetch_next(answer: Any, api: Mastodon) -> object:  # noqa: ANN401 - whatever the library gave
    return api.fetch_next(answer)


def _order(item: Fields) -> tuple[int, str]:
    return order_of(text_of(item, "id"))


def _is_newer(item: Fields, newest: str) -> bool:
    return _order(item) > order_of(newest)


def _newest_of(items: list[Fields], newest: str) -> str:
    return max([newest, *(text_of(item, "id") for item in items)], key=order_of)


def _time_of(item: Fields, otherwise: datetime) -> datetime:
    return moment_of(item, "created_at") or otherwise


def _gap(source: Source, start: datetime, end: datetime) -> Gap:
    return Gap(start, end, f"{source.label}: there was more than can be read.")
