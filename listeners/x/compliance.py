"""Whether posts heard before are still there: X's batch compliance jobs.

A job takes the numbers of posts and answers, a while later, with those that were deleted, whose author is protected,
suspended or gone (`delete`), and those that were edited (`rehydrate`); what is not in the answer is as it was. Jobs are
free, where reading 100 posts again would cost half a dollar a day. Only edited posts are read again.
(https://docs.x.com/x-api/compliance/batch-compliance/integrate, read in 2026: one job of a kind at a time; the upload
is open for about 15 minutes, the result for 7 days; both addresses want the app's bearer token.)
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from listeners.contract import FeedContext
from listeners.errors import RateLimited, Retryable
from listeners.mention import Batch, Mention, Removal
from listeners.pacing import Pacer
from listeners.text import decode_json
from listeners.x.budget import Budget, objects_in
from listeners.x.client import Client, data_of
from listeners.x.looks import wanted
from listeners.x.posts import Post, read_posts, read_ref
from listeners.x.problems import LostError, ProblemError, host_of, translate
from listeners.x.settings import PLATFORM, Settings

MOST_IDS: Final = 100
_ROUTE: Final = "/2/compliance/jobs"
_WAITS: Final = (2.0, 4.0, 8.0, 16.0, 30.0)
"""Seconds between looks at a job inside one call; a job that takes longer is looked at in the next call."""
_GIVEN_UP: Final = timedelta(hours=1)
_BUSY_SECONDS: Final = 300.0
_OVER: Final = frozenset({"failed", "expired", "canceled", "cancelled"})


@dataclass(frozen=True, slots=True)
class _Job:
    """A job that X works on: its number, where its result will be, and the posts it was given."""

    id: str
    download_url: str
    posts: Mapping[str, Mention]
    made_at: datetime


class Compliance:
    """Asks X about posts heard before. One job runs at a time; a call that comes while it runs looks at it."""

    def __init__(self, settings: Settings, client: Client, budget: Budget, pacer: Pacer, context: FeedContext) -> None:
        """Take who asks, and the feed, whose name its jobs carry."""
        self._settings = settings
        self._client = client
        self._budget = budget
        self._pacer = pacer
        self._now = context.now
        self._feed = context.feed
        self._name = f"{settings.tag_prefix}:{context.feed}"
        self._lock = threading.Lock()
        self._job: _Job | None = None

    def recheck(self, mentions: Sequence[Mention]) -> Batch:
        """Return what became of posts; where X is still at work, an empty batch: ask again soon.

        Raises:
            RateLimited, Retryable, Permanent: as `listen`.
        """
        posts = {each.native_id: each for each in mentions[:MOST_IDS] if each.native_id.isdigit()}
        with self._lock:
            job = self._job or (self._create(posts) if posts else None)
            if job is None:
                return Batch(checked=tuple(each.native_id for each in mentions))  # numbers that X never gave out
            self._job = job
            if not self._is_done(job):
                return Batch(cost_micros=self._budget.take_untold())
            self._job = None
            return self._settle(job)

    def _create(self, posts: Mapping[str, Mention]) -> _Job:
        try:
            response = self._client.request("POST", _ROUTE, json={"type": "tweets", "name": self._name})
        except ProblemError as err:
            if err.problem.status == HTTPStatus.CONFLICT:
                self._clear()
                raise RateLimited("X works on another list of posts.", retry_after=_BUSY_SECONDS) from err
            raise translate(err.problem, self._settings) from err
        except LostError as err:
            raise Retryable(f"X cannot be reached at {host_of(self._settings)}.") from err
        data = _object(response.content)
        upload, download = str(data.get("upload_url", "")), str(data.get("download_url", ""))
        job = _Job(str(data.get("id", "")), download, posts, self._now())
        self._send("PUT", upload, "\n".join(posts).encode() + b"\n")
        return job

    def _clear(self) -> None:
        """Cancel a job that an earlier run of this feed left behind; others' jobs are left alone."""
        for each in objects_in(self._client.read(_ROUTE, {"type": "tweets"}).told, "data"):
            is_open = each.get("status") in {"created", "in_progress"}
            if is_open and each.get("name") == self._name and str(each.get("id", "")).isdigit():
                self._client.ask("DELETE", f"{_ROUTE}/{each['id']}")

    def _is_done(self, job: _Job) -> bool:
        """Wait a while for a job; return whether its result is there.

        Raises:
            Retryable: X gave it up; the next call makes a new one.
        """
        for wait in _WAITS:
            if self._pacer.wait(wait):
                return False
            status = str(data_of(self._client.read(f"{_ROUTE}/{job.id}")).get("status", ""))
            if status == "complete":
                return True
            if status in _OVER or self._now() - job.made_at > _GIVEN_UP:
                self._job = None
                raise Retryable("X did not finish looking through the posts.")
        return False

    def _settle(self, job: _Job) -> Batch:
        body = self._send("GET", job.download_url)
        events = {str(each.get("id", "")): each for each in _lines(body)}
        gone = [name for name in job.posts if events.get(name, {}).get("action") == "delete"]
        edited = [name for name in job.posts if events.get(name, {}).get("action") == "rehydrate"]
        mentions, unread = self._read_again([job.posts[name] for name in edited])
        return Batch(
            mentions=mentions,
            removals=tuple(Removal(PLATFORM, self._now(), native_id=name) for name in gone),
            cost_micros=self._budget.take_untold(),
            checked=tuple(name for name in job.posts if name not in unread),
        )

    def _read_again(self, mentions: Sequence[Mention]) -> tuple[tuple[Mention, ...], set[str]]:
        """Return edited posts in their newest words, and the numbers of those that could not be read."""
        unread = {mention.native_id for mention in mentions}
        if not mentions or self._budget.is_used_up():
            return (), unread
        posts = self._read([read_ref(mention).id for mention in mentions])
        newer = [str(post.newest) for post in posts if post.newest > post.version]
        if newer:  # a number may stand for the one version that had it
            posts += self._read(newer)
        posts.sort(key=lambda post: post.version)
        found = {post.mention.native_id: post.mention for post in posts}
        kept = [
            replace(found[old.native_id], brand=old.brand, watches=old.watches, feed=old.feed)
            for old in mentions
            if old.native_id in found
        ]
        return tuple(kept), unread - found.keys()

    def _read(self, ids: Sequence[str]) -> list[Post]:
        told = self._client.read("/2/tweets", {"ids": ",".join(ids), **wanted(self._settings)}).told
        self._budget.charge_posts(told)
        return [post for post in read_posts(told, self._settings, self._feed) if isinstance(post, Post)]

    def _send(self, method: str, address: str, data: bytes | None = None) -> bytes:
        """Ask one of the addresses that came with a job."""
        if not address.startswith(("https://", f"{self._settings.base_url.partition('://')[0]}://")):
            raise Retryable("X named no address for its list of posts.")
        try:
            return self._client.send(method, address, data=data).content
        except ProblemError as err:
            self._job = None
            raise translate(err.problem, self._settings) from err
        except LostError as err:
            self._job = None
            raise Retryable("X's list of changed posts cannot be reached.") from err


def _object(body: bytes) -> Mapping[str, object]:
    try:
        told = decode_json(body)
    except ValueError as err:
        raise Retryable("X did not answer in JSON.") from err
    data = told.get("data") if isinstance(told, dict) else None
    if not isinstance(data, dict):
        raise Retryable("X made no list of posts to look through.")
    return data


def _lines(body: bytes) -> Iterator[Mapping[str, object]]:
    """Yield the events of a result: one object a line."""
    for line in body.splitlines():
        if not line.strip():
            continue
        try:
            event = decode_json(line)
        except ValueError as err:
            raise Retryable("X's list of changed posts is no JSON.") from err
        if isinstance(event, dict):
            yield event
