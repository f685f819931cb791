"""Looks at X that are paid by the post: the search of the last seven days, and our own mentions.

Posts come newest first, in pages; a look starts where the last one ended (`since_id`: the newest post of the last
look's first page). Every page that was read is noted, so that a look that breaks off is not paid for twice.
(https://docs.x.com/x-api/posts/search/integrate/paginate, read in 2026)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final

from listeners.errors import Permanent, RateLimited, Retryable
from listeners.mention import Gap
from listeners.x.budget import Budget, Kind, objects_in
from listeners.x.client import Answer, Client, data_of
from listeners.x.cursor import Cursor, Place, moment
from listeners.x.posts import id_at, moment_of
from listeners.x.problems import Problem, ProblemError
from listeners.x.settings import Settings

MOST_PAGES: Final = 50
SEARCHED: Final = timedelta(days=7)
_MARGIN: Final = timedelta(minutes=10)
_NEWEST_START: Final = timedelta(minutes=1)
"""How far to stay from both ends of what may be asked for, as clocks differ."""
MENTIONS: Final = "mentions"
_SEARCH: Final = "/2/tweets/search/recent"


@dataclass(frozen=True, slots=True)
class Source:
    """Something that is looked at: its name in the cursor, and how it is asked."""

    key: str
    kind: Kind
    route: str
    query: str = ""

    @property
    def next_name(self) -> str:
        """What the way to the next page is called."""
        return "pagination_token" if self.kind == "own" else "next_token"


def search_of(query: str) -> Source:
    """Return the look for a query."""
    return Source(blake2b(query.encode("utf-8", "replace"), digest_size=5).hexdigest(), "post", _SEARCH, query)


@dataclass(frozen=True, slots=True)
class Page:
    """What a look brought: an answer of X, and the time it could not reach."""

    told: Mapping[str, object]
    gaps: tuple[Gap, ...] = ()


def wanted(settings: Settings) -> dict[str, str]:
    """Return the names of what X shall tell of each post, in the spelling of the settings."""
    name = settings.field_names
    fields = f"author_id,conversation_id,created_at,edit_history_{name}_ids,entities,in_reply_to_user_id,lang,"
    asked = {f"{name}.fields": f"{fields}note_{name},referenced_{name}s,reply_settings"}
    if settings.expansions == "none":
        return asked
    others = f",referenced_{name}s.id" if settings.expansions == "all" else ""
    return asked | {"expansions": f"author_id{others}", "user.fields": "name,public_metrics,username"}


class Looker:
    """Looks at sources, page by page."""

    def __init__(self, client: Client, settings: Settings, budget: Budget, now: Callable[[], datetime]) -> None:
        """Take who asks, and who counts."""
        self._client = client
        self._settings = settings
        self._budget = budget
        self._now = now
        self._user_id = settings.user_id

    def user_id(self) -> str:
        """Return our account's number; it is looked up once.

        Raises:
            RateLimited, Retryable, Permanent: as `listen`.
        """
        if not self._user_id:
            if self._budget.is_used_up():
                raise self._budget.used_up()
            user = self._look_up()
            self._budget.charge_user(user)
            self._user_id = str(user.get("id", ""))
        return self._user_id

    def _look_up(self) -> Mapping[str, object]:
        """Return our account by its handle or, where X does not give that, by its keys."""
        try:
            return data_of(self._client.read(f"/2/users/by/username/{self._settings.handle}"))
        except RateLimited:
            raise
        except (Permanent, Retryable):
            user = data_of(self._client.read("/2/users/me", user_auth=True))
            if str(user.get("username", "")).lower() != self._settings.handle.lower():
                raise
            return user

    def known_user_id(self) -> str:
        """Return our account's number, '' while it is not known."""
        return self._user_id

    def mentions(self) -> Source:
        """Return the look at our own mentions; asked in our account's name, where X charges a fifth.

        Raises:
            RateLimited, Retryable, Permanent: as `listen`.
        """
        return Source(MENTIONS, "own", f"/2/users/{self.user_id()}/mentions")

    def look(self, source: Source, cursor: Cursor) -> Iterator[Page]:
        """Yield what came since the last look, newest first; its place in the cursor moves with each page.

        One that broke off is read to its end first.

        Raises:
            RateLimited, Retryable, Permanent: as `listen`.
        """
        place = cursor.places[source.key]
        was_broken_off = bool(place.until)
        start, token = self._start(place), ""
        for _number in range(MOST_PAGES):
            answer = self._read(source, start, token)
            if answer is None:
                place.newest, place.since = "", 0
                start = self._start(place)
                continue
            self._budget.charge_posts(answer.told, source.kind)
            place.read_page(_ids(answer), self._second())
            token = _next_token(answer)
            if not token:
                place.finish()
            yield Page(answer.told)
            if not token and not was_broken_off:
                return
            if not token:
                was_broken_off, start = False, self._start(place)
        yield Page({}, self._give_up(place, start))

    def _read(self, source: Source, start: Mapping[str, str], token: str) -> Answer | None:
        """Return a page; None where X does not look from so old a post."""
        asked = {"max_results": str(self._budget.room(source.kind)), **start, **wanted(self._settings)}
        asked |= {"query": source.query} if source.query else {}
        asked |= {source.next_name: token} if token else {}
        try:
            return self._client.read(source.route, asked, user_auth=source.kind == "own")
        except Permanent as err:
            if "start_time" in start and _problem(err).is_about_time:
                raise Retryable("This machine's clock is not X's: see whether it is right.") from err
            if "since_id" not in start or not _problem(err).is_stale_since:
                raise
        return None

    def _start(self, place: Place) -> dict[str, str]:
        """Return from where to where a look reads."""
        before = {"until_id": place.until} if place.until else {}
        if place.newest:
            late = id_at(moment(place.looked_at - self._settings.overlap_seconds))  # it may have learnt of more since
            return {"since_id": str(min(int(place.newest), late)), **before}
        now = self._now()
        start = max(moment(place.since), now - SEARCHED + _MARGIN)
        return {"start_time": f"{min(start, now - _NEWEST_START):%Y-%m-%dT%H:%M:%SZ}", **before}

    def _second(self) -> int:
        return int(self._now().timestamp())

    def _give_up(self, place: Place, start: Mapping[str, str]) -> tuple[Gap, ...]:
        """Let go of what is too much to read, and say which time it was."""
        since = moment_of(start.get("since_id", "")) or moment(place.since)
        until = moment_of(place.until) or self._now()
        place.finish()
        return (Gap(min(since, until), until, "X had more posts than Cuecard reads at once."),)


def adopt(cursor: Cursor, keys: Sequence[str], since: int) -> None:
    """Give every source a place, and forget the others; a new one begins where the others stand, or at `since`."""
    kept = {key: cursor.places[key] for key in keys if key in cursor.places}
    unread = [place for key, place in cursor.places.items() if key not in kept and place.until]
    newest = min((place.newest for place in unread), key=lambda each: int(each or 0), default=cursor.newest())
    since = min((place.since for place in unread), default=since)
    cursor.places = {key: kept.get(key) or Place(newest, since, looked_at=cursor.heard_at) for key in keys}


def _ids(answer: Answer) -> list[str]:
    ids = [each.get("id") for each in objects_in(answer.told, "data")]
    meta = answer.told.get("meta")
    ids += [meta.get("newest_id")] if isinstance(meta, dict) else []
    return [each for each in ids if isinstance(each, str) and each.isascii() and each.isdigit()]


def _next_token(answer: Answer) -> str:
    meta = answer.told.get("meta")
    token = meta.get("next_token") if isinstance(meta, dict) else None
    return token if isinstance(token, str) else ""


def _problem(err: Permanent) -> Problem:
    return err.__cause__.problem if isinstance(err.__cause__, ProblemError) else Problem(0)
