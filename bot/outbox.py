"""What leaves: approved replies, each at most once.

A send is written to the ledger as being sent, and that is committed, before the network is touched; the network is
never called inside a transaction. Only what the platform says it certainly did not post is tried again. Anything else
that goes wrong is unknown: it is never repeated by itself, and a person is told where to look.

The parts of a thread go one after the other, each with a key of its own, each as an answer to the one before. That a
part is up is committed before the next is begun; nothing goes after a part that is not known to be up.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from bot.backoff import asked_seconds, wait_seconds
from bot.clock import Clock
from bot.ledger import Send, say_not_whole, say_unsure
from bot.platforms import way_back
from bot.store import Store
from bot.store.sends import is_late
from listeners.catalog import label_of
from listeners.contract import Platform, Posted
from listeners.errors import Permanent, RateLimited, RefusedByRules, Retryable, SettingRefused, Unknown
from listeners.mention import Mention

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 6
MOST_WAIT_SECONDS = 120.0
LATE_AFTER = timedelta(minutes=15)
_LOOK_EVERY_SECONDS = 0.5


def next_attempt(
    attempts: int, error: BaseException, now: datetime, rng: random.Random | None = None
) -> datetime | None:
    """Return when a failed reply may be tried again, or None where it must not be.

    Args:
        attempts: how often it was tried, this time included.
        error: what went wrong.
        now: the present.
        rng: spreads the waits; by default a fresh one.

    Only `Retryable` and `RateLimited`, which mean 'certainly not posted', are tried again, `MOST_ATTEMPTS` times in
    all; a platform's Retry-After is obeyed.
    """
    if not isinstance(error, Retryable) or attempts >= MOST_ATTEMPTS:
        return None
    wait = wait_seconds(attempts, rng or random.Random(), most=MOST_WAIT_SECONDS)  # noqa: S311 - not a secret
    return now + timedelta(seconds=max(wait, asked_seconds(error)))


class Sender:
    """The thread that posts approved replies whose hold is over."""

    def __init__(
        self, store: Store, platforms: Mapping[str, Platform], clock: Clock, *, late_after: timedelta = LATE_AFTER
    ) -> None:
        """Take the store, the opened feeds by name, and how late a reply may leave after downtime."""
        self._store = store
        self._platforms = platforms
        self._clock = clock
        self._late_after = late_after
        self._rng = random.Random()  # noqa: S311 - spreads waits, keeps no secret
        self._is_settled = True
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Settle what an earlier run left behind, then begin to send."""
        self.recover()
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 15.0) -> None:
        """Let a reply that is on its way end, and stop."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def recover(self) -> None:
        """Make unknown what was left as being sent, and withdraw what should have left long ago.

        At start that is what an earlier run left behind. Later it is what could not be written down, and what was due
        while the machine slept, or before its clock was set: nobody had the time to press Undo, or it would leave late.
        """
        now = self._clock.now()
        for send in self._store.stale_sending(now):
            log.warning("Whether reply %d of conversation %d arrived is not known.", send.id, send.conversation_id)
        for send in self._store.withdraw_late(now, self._late_after):
            log.warning("Reply %d of conversation %d was due too long ago; not sent.", send.id, send.conversation_id)

    def send_due(self) -> int:
        """Post every reply that is due now, one after the other; return how many were tried."""
        now = self._clock.now()
        waiting = self._store.due_sends(now)
        if not self._is_settled or any(is_late(each, now, self._late_after) for each in waiting):
            self.recover()
            self._is_settled = True
            waiting = self._store.due_sends(now)
        tried = 0
        for due in waiting:
            if self._stop.is_set():
                break
            tried += self._send(due)
        return tried

    def _run(self) -> None:
        """Look for due replies until told to stop; whatever fails, the next look is made."""
        while not self._stop.is_set():
            try:
                self.send_due()
            except Exception:
                log.exception("Sending replies failed; trying again.")
                self._clock.wait(self._stop, 5.0)
            self._clock.wait(self._stop, _LOOK_EVERY_SECONDS)

    def _send(self, due: Send) -> bool:
        """Post one reply, a thread part by part until one has to wait; return whether there was any of it to post."""
        send = self._store.begin_send(due.id, self._clock.now())
        if send is None:
            return False
        mention = self._store.mention(due.mention_id)
        assert mention is not None, "a foreign key holds it"
        while send is not None:
            self._is_settled = False
            has_more = self._post(send, mention)
            may_go_on = has_more and not self._stop.is_set()
            send = self._store.begin_send(due.id, self._clock.now()) if may_go_on else None
        return True

    def _post(self, send: Send, mention: Mention) -> bool:
        """Post a reply, or the next part of a thread, and write down what became of it; return whether more is left."""
        platform = way_back(self._platforms, mention)
        if platform is None:
            gone = f"The feed {mention.feed!r} that heard this is no longer set up, so Cuecard cannot answer there."
            self._surely(lambda now: self._store.finish_refused(send.id, say_not_whole(send, gone), now))
            return False
        try:
            posted = _reply(platform, mention, send)
        except Exception as err:  # noqa: BLE001 - every way to fail has its place in the ledger
            failure = err
            self._surely(lambda now: self._record_failure(send, mention, failure, now))
            return False
        log.info("Reply %d was posted on %s, %d of it left.", send.id, mention.platform, len(send.left) - 1)
        self._surely(lambda now: self._record_posted(send, posted, now))
        return len(send.left) > 1

    def _record_posted(self, send: Send, posted: Posted, now: datetime) -> None:
        """Record that the platform confirmed a reply, or a part of a thread, and what that cost."""
        if len(send.left) > 1:
            self._store.finish_part(send.id, posted, now)
            return
        cost = posted.cost_micros
        self._store.finish_sent(
            send.id, posted.native_id, posted.url, now, reply_ref=posted.reply_ref, cost_micros=cost
        )

    def _surely(self, record: Callable[[datetime], None]) -> None:
        """Write down what became of a reply, however often that takes: the reply itself cannot be repeated.

        Where it cannot be written at all, the row stays as being sent, and becomes unknown once it can.
        """
        for attempt in range(1, MOST_ATTEMPTS):
            try:
                record(self._clock.now())
            except Exception:
                log.exception("What became of a reply could not be written down (attempt %d).", attempt)
                self._clock.wait(self._stop, wait_seconds(attempt, self._rng))
            else:
                self._is_settled = True
                return
        record(self._clock.now())
        self._is_settled = True

    def _record_failure(self, send: Send, mention: Mention, error: Exception, now: datetime) -> None:
        """Record why a reply was not confirmed: to be tried again, refused, or unknown."""
        again_at = next_attempt(send.attempts, error, now, self._rng)
        if again_at is not None:
            log.warning("Reply %d was not posted (%s); next try at %s.", send.id, error, again_at.isoformat())
            self._store.back_to_approved(send.id, again_at, str(error), now)
        elif isinstance(error, Retryable | Permanent | SettingRefused):
            log.warning("Reply %d was refused: %s", send.id, error)
            by_hand_at = error.url if isinstance(error, RefusedByRules) else None
            why = say_not_whole(send, _refusal(error, send.attempts))
            self._store.finish_refused(send.id, why, now, by_hand_at=by_hand_at)
        else:
            known = isinstance(error, Unknown)
            log.warning("Whether reply %d arrived is not known.", send.id, exc_info=not known)
            where = _where_to_look(mention, error if known else None)
            self._store.finish_unknown(send.id, say_unsure(send, where), now)


def _reply(platform: Platform, mention: Mention, send: Send) -> Posted:
    """Post what goes next of a send: all of it, or the next part of a thread after the one before."""
    if not send.parts:
        return platform.reply(mention, send.text, send.send_key)
    after = send.posted[-1] if send.posted else None
    return platform.reply(mention, send.left[0], send.next_key, after=after)


def _refusal(error: Exception, attempts: int) -> str:
    """Say why a reply is given back to its owner."""
    if not isinstance(error, Retryable):
        return str(error)
    why = "it asks us to slow down" if isinstance(error, RateLimited) else str(error).rstrip(".")
    return f"Not posted after {attempts} attempts: {why}."


def _where_to_look(mention: Mention, error: Exception | None) -> str:
    """Say that a reply may or may not be there, and where a person can see it."""
    why = f" ({str(error).rstrip('.')})" if error is not None else ""
    place = mention.url or f"the thread of {mention.author.handle} on {label_of(mention.platform)}"
    return f"It is not known whether this reply was posted{why}. Look at {place}, and say whether it is there."
