"""One run of listening to Bluesky: the stream and the notifications, looked at in turn, each with its own place."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final

from listeners.bluesky.cursor import Cursor
from listeners.bluesky.firehose import Catch, Firehose
from listeners.bluesky.hearing import Teller
from listeners.errors import ListenerError
from listeners.mention import Batch
from listeners.pacing import spread

if TYPE_CHECKING:  # it loads the client library, which a feed without an account does without
    from listeners.bluesky.notifications import Look, Notifications

FIRST_SECONDS: Final = 1.0
"""How long the first look at the stream takes where nothing comes: its batch says that the feed hears."""
LOOK_SECONDS: Final = 10.0


class Listening:
    """What is listened to, and how far it was heard."""

    def __init__(  # noqa: PLR0913 - everything it leans on is handed to it
        self,
        cursor: Cursor,
        teller: Teller,
        firehose: Firehose | None,
        notifications: Notifications | None,
        *,
        poll_seconds: float,
        now: Callable[[], datetime],
    ) -> None:
        """Take where to go on, who makes mentions of posts, and what is heard: at least one of the two."""
        self._cursor = cursor
        self._teller = teller
        self._firehose = firehose
        self._notifications = notifications
        self._poll_seconds = poll_seconds
        self._now = now
        self._seconds = FIRST_SECONDS
        self._look_at = 0.0
        self._failure: ListenerError | None = None

    def look(self) -> Batch:
        """Return what is new; it takes as long as it takes, some seconds at most where the stream is silent.

        Raises:
            RateLimited, Retryable, Permanent: nothing was heard, and all that was heard before was returned.
        """
        if self._failure is not None:
            raise self._failure
        catch, look = self._look_at_stream(), None
        try:
            look = self._look_at_notifications()
        except ListenerError as err:
            if not catch.events:
                raise
            self._failure = err  # the stream has gone on: that is kept first
        found = [*catch.posts.values(), *(look.found if look else ())]
        return Batch(
            self._teller.tell(found),
            self._cursor.write(),
            removals=tuple(catch.removals),
            gaps=(*catch.gaps, *(look.gaps if look else ())),
            refused=(*catch.refused, *(look.refused if look else ())),
        )

    def _look_at_stream(self) -> Catch:
        if self._firehose is None:
            return Catch()
        catch = self._firehose.gather(self._seconds)
        self._seconds = min(LOOK_SECONDS, self._poll_seconds) if self._notifications else LOOK_SECONDS
        self._cursor = Cursor(self._firehose.place(self._cursor.place), self._cursor.heard_until)
        return catch

    def _look_at_notifications(self) -> Look | None:
        if self._notifications is None or time.monotonic() < self._look_at:
            return None
        look = self._notifications.look(self._cursor.heard_until, self._now())
        if self._firehose is not None:
            self._look_at = time.monotonic() + spread(self._poll_seconds)
        self._cursor = Cursor(self._cursor.place, look.heard_until)
        return look
