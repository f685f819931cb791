"""The part of the store that reports and forgets: thin methods over `reports` and `erasure`, described there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from bot.digest import DigestFacts
from bot.records import FeedState
from bot.store import erasure, feed_hours, reports
from bot.store.connection import Connections


class Reporting(Connections):
    """What the digest, the export and the operator ask of the store."""

    def feed_states(self) -> list[FeedState]:
        """Return what is known of every feed, by name."""
        return reports.feed_states(self.read())

    def digest_facts(self, since: datetime, until: datetime, now: datetime) -> DigestFacts:
        """Return what happened from `since` to `until`, and what is unanswered now; for `bot.digest.build_digest`."""
        with self.snapshot() as db:
            return reports.digest_facts(db, since, until, now)

    def refused_between(self, start: datetime, end: datetime) -> dict[str, int]:
        """Return by feed how many of the items that came were no mentions."""
        return feed_hours.refused_between(self.read(), start, end)

    def last_digest_at(self) -> datetime | None:
        """Return when the newest digest was posted; the next one begins there."""
        return reports.last_digest_at(self.read())

    def export_rows(self) -> Iterator[dict[str, object]]:
        """Yield one row per conversation; times as ISO 8601 in UTC, waits in seconds."""
        return reports.export_rows(self.read())

    def forget_author(self, platform: str | None, handle: str, now: datetime | None = None) -> int:
        """Erase an author everywhere, on one platform or (None) on all; return how many posts that was.

        The file is rewritten, so this takes a while on a large store. `now` is the machine's time by default.

        Raises:
            StoreError: it is erased, but the file could not be rewritten while another program uses it.
        """
        with self.transaction() as db:
            number = erasure.forget_author(db, platform, handle, now or datetime.now(UTC))
        erasure.sweep(self.read())
        return number

    def forget_post(self, post: str, now: datetime | None = None) -> int:
        """Erase one post, named by its address or as 'platform:id'; return how many that was."""
        with self.transaction() as db:
            number = erasure.forget_post(db, post, now or datetime.now(UTC))
        erasure.sweep(self.read())
        return number
