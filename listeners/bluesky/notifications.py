"""Hearing who mentions, answers or quotes our account: its notifications, looked at now and then.

Notifications are told newest first, a page at a time. A look reads back to the newest one that was already told, and a
little further, since the app's server may learn of posts late.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from listeners.bluesky.account import Account
from listeners.bluesky.failures import CallFailedError
from listeners.bluesky.hearing import Found, Teller
from listeners.bluesky.jetstream_events import read_time
from listeners.bluesky.people import PER_CALL, read_posts
from listeners.bluesky.posts import Post, read_profile, read_view
from listeners.errors import Retryable
from listeners.mention import Gap

REASONS: Final = ("mention", "reply", "quote")
PAGE_SIZE: Final = 100
MOST_PAGES: Final = 20
OVERLAP: Final = timedelta(minutes=10)
_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Look:
    """What a look brought: posts, oldest first, how far it reached, and what could not be heard any more."""

    found: tuple[Found, ...]
    heard_until: datetime
    gaps: tuple[Gap, ...] = ()
    refused: tuple[str, ...] = ()


class Notifications:
    """One run of looking at our account's notifications; what it remembers ends with it."""

    def __init__(self, account: Account, teller: Teller) -> None:
        """Take the account, and what judges posts."""
        self._account = account
        self._teller = teller
        self._told: OrderedDict[str, None] = OrderedDict()

    def look(self, since: datetime, now: datetime) -> Look:
        """Look for what is newer than `since`.

        Raises:
            RateLimited, Retryable, Permanent: the server did not tell.
        """
        try:
            self._teller.own_did = self._account.sign_in()
            told, gap = self._collect(since - OVERLAP)
            found, refused = self._read(told, now)
            found = self._see_closed(found)
        except CallFailedError as err:
            raise err.to_error() from err
        newest = max((at for each in told if (at := read_time(each.get("indexedAt"))) is not None), default=since)
        heard_until = max(since, min(newest, now))
        return Look(tuple(found), heard_until, (gap,) if gap is not None else (), tuple(refused))

    def _collect(self, floor: datetime) -> tuple[list[Mapping[str, Any]], Gap | None]:
        """Return all notifications since a moment, and what of that time could not be had."""
        told: list[Mapping[str, Any]] = []
        cursor: dict[str, object] = {}
        oldest: datetime | None = None
        for _page in range(MOST_PAGES):
            answer = self._account.ask(
                "app.bsky.notification.listNotifications", limit=PAGE_SIZE, reasons=list(REASONS), **cursor
            )
            page = answer.get("notifications")
            if not isinstance(page, list):
                raise Retryable(f"{self._account.access.host} answered without notifications.")
            told += [each for each in page if isinstance(each, dict)]
            times = [at for each in page if isinstance(each, dict) and (at := read_time(each.get("indexedAt")))]
            oldest = min([*times, *([oldest] if oldest else [])], default=None)
            following = answer.get("cursor")
            if not page or not isinstance(following, str) or not following or (times and min(times) < floor):
                return [each for each in told if not _is_before(each, floor)], None
            cursor = {"cursor": following}
        return told, Gap(floor, oldest or floor, "Bluesky had more notifications than can be read at once.")

    def _read(self, told: Sequence[Mapping[str, Any]], now: datetime) -> tuple[list[Found], list[str]]:
        """Return the posts among notifications that were not told before, oldest first, and why some are none."""
        found: list[Found] = []
        refused: list[str] = []
        for each in sorted(told, key=lambda one: str(one.get("indexedAt"))):
            if each.get("reason") not in REASONS:
                continue
            post = read_view(each, now)
            key = post.ref.cid + post.ref.uri if post is not None else repr(each.get("uri"))
            if key in self._told:
                continue
            self._remember(key)
            if post is None:
                refused.append(f"Bluesky told of a {each['reason']} that is no post, {each.get('uri')!r:.200}.")
            elif post.did != self._teller.own_did:
                profile = read_profile(each.get("author"))
                watches = self._teller.match(post, profile.handle if profile else "")
                found.append(Found(post, watches, profile, is_for_us=True))
        return found, refused

    def _see_closed(self, found: Sequence[Found]) -> list[Found]:
        """Return the posts as the server shows them to us, which tells where we may not answer."""
        shown: dict[str, Post] = {}
        for start in range(0, len(found), PER_CALL):
            uris = [each.post.ref.uri for each in found[start : start + PER_CALL]]
            shown |= read_posts(self._account.ask("app.bsky.feed.getPosts", uris=uris), found[start].post.seen_at)
        closed = {uri for uri, post in shown.items() if post.is_closed}
        return [
            replace(each, post=replace(each.post, is_closed=True)) if each.post.ref.uri in closed else each
            for each in found
        ]

    def _remember(self, key: str) -> None:
        self._told[key] = None
        while len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)


def _is_before(told: Mapping[str, Any], floor: datetime) -> bool:
    at = read_time(told.get("indexedAt"))
    return at is not None and at < floor
