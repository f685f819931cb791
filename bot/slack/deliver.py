"""The outbox to Slack: one thread that tells Slack what is true, at the pace Slack allows.

A job is marked as being posted, and that is committed, before the network is touched. After a failure whose outcome
is not known, and after a restart, the channel is looked through for the message before it is posted again: a card is
never doubled. Slack may be away for an hour: jobs wait, and afterwards the best still worth showing goes first.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from slack_sdk import WebClient

from bot.backoff import wait_seconds
from bot.conversation import State
from bot.line import start_of_day, still_worth_showing
from bot.records import CardView, HistoryEntry, Job, JobKind
from bot.slack.blocks import Message, quote, to_json
from bot.slack.card import draw_card, draw_short_card
from bot.slack.desk import Desk
from bot.slack.digest import digest_now, draw_digest
from bot.slack.home import draw_home, home_now
from bot.slack.messenger import Messenger, Placed, Posting
from bot.slack.people import Roster
from bot.slack.slack_errors import UNREACHABLE, Fault, Trouble, understand
from bot.slack.text import safe
from listeners.contract import Capability

log = logging.getLogger(__name__)

_IDLE_SECONDS = 0.5
_BLOCKED_SECONDS = 60.0
_MOST_BLOCKED = 10
_MOST_WAIT_SECONDS = 60.0
_LOOK_AGAIN_SECONDS = 5.0
_IN_CHANNEL = frozenset({State.NEW, State.SHOWN, State.CLAIMED, State.SENDING})
"""The states in which a conversation that has no message yet gets one."""
_POSTS = frozenset({JobKind.CARD, JobKind.DIGEST, JobKind.NOTICE})


_T = TypeVar("_T")
_Draws = Callable[[CardView, Capability, datetime, Sequence[HistoryEntry]], Message]


class _FailedError(Exception):
    """A call to Slack did not work."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.word)
        self.trouble = trouble


class Deliver:
    """The thread. `problem` is the sentence for what keeps it from posting, '' while all is well."""

    def __init__(self, desk: Desk, client: WebClient, roster: Roster) -> None:
        self._desk = desk
        self._store = desk.store
        self._roster = roster
        self._rng = random.Random()  # noqa: S311 - spreads waits, keeps no secret
        self._slack = Messenger(client, roster, desk.clock, desk.settings.cards.post_interval_seconds)
        self._nudge = threading.Event()
        self._is_stopping = False
        self._resting: dict[JobKind, datetime] = {}
        self._misses = 0
        self._turns: dict[str, datetime] = {}
        self._seen = desk.now()
        self._thread: threading.Thread | None = None
        self.problem = ""
        self._tellers: Mapping[JobKind, Callable[[Job], None]] = {
            JobKind.CARD: self._tell_card,
            JobKind.DIGEST: self._tell_digest,
            JobKind.NOTICE: self._tell_notice,
            JobKind.HOME: self._tell_home,
        }

    def start(self) -> None:
        """Take up what an earlier run left in the middle, then begin."""
        self.recover()
        self._thread = threading.Thread(target=self._run, name="deliver", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 15.0) -> None:
        """Let a call that is on its way end, and stop."""
        self._is_stopping = True
        self._nudge.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def wake(self) -> None:
        """Say that there is something to tell."""
        self._nudge.set()

    def recover(self) -> None:
        """Put back what was being posted when Cuecard stopped; having been tried once, it is looked for first."""
        now = self._desk.now()
        for job in self._store.stale_posting():
            self._store.retry_job(job, now, now)

    def step(self) -> float:
        """Tell Slack one thing; return the seconds until the next look."""
        now = self._follow_clock()
        awake = [kind for kind in JobKind if self._resting.get(kind, now) <= now]
        job = self._store.take_job(now, awake) if awake else None
        if job is None:
            return _IDLE_SECONDS
        try:
            self._tellers[job.kind](job)
        except _FailedError as failed:
            self._put_back(job, failed.trouble)
        except Exception:
            log.exception("A job of kind %s failed; it is tried again later.", job.kind)
            self._retry(job, self._wait(job.attempts))
        else:
            self._misses, self.problem = 0, ""
        return 0.0

    def _follow_clock(self) -> datetime:
        """Return the present; where the clock was set back, no rest from before is waited for."""
        now = self._desk.now()
        if now < self._seen:
            self._resting.clear()
            self._turns.clear()
        self._seen = now
        return now

    def _run(self) -> None:
        """Work until told to stop; whatever fails, the next step is made."""
        while not self._is_stopping:
            try:
                wait = self.step()
            except Exception:
                log.exception("The outbox to Slack failed; trying again.")
                wait = 5.0
            if wait:
                self._desk.clock.wait(self._nudge, wait)
            self._nudge.clear()

    # What is told

    def _tell_card(self, job: Job) -> None:
        view = self._store.card_view(int(job.key))
        if view is None:
            self._store.finish_job(job, self._desk.now())
        elif view.message_ts:
            self._edit_card(job, view)
        else:
            self._post_card(job, view)

    def _post_card(self, job: Job, view: CardView) -> None:
        conversation, now = view.conversation, self._desk.now()
        posting = Posting("mention_card", {"conversation_id": conversation.id, "job": job.id}, ("conversation_id",))
        posted = self._find(job, self._channel, posting, conversation.heard_at)
        if posted is not None:
            self._store.record_message(conversation.id, *posted, now)
            self._tell_card(job)  # it stands there, but says what was true then
            return
        if conversation.state not in _IN_CHANNEL or conversation.lead_id is not None:
            self._store.finish_job(job, now)
            return
        shown = self._store.cards_shown_since(start_of_day(now, self._desk.settings.digest.timezone))
        verdict = still_worth_showing(view, now, shown, self._desk.settings.cards)
        if not verdict:
            self._store.keep_quiet(conversation.id, verdict.cause, now, job)
            return
        self._store.record_message(conversation.id, *self._post(view, posting), self._desk.now(), job)

    def _post(self, view: CardView, posting: Posting) -> Placed:
        return self._try(
            lambda: self._slack.post(self._channel, self._draw(draw_card, view), posting),
            lambda: self._slack.post(self._channel, self._draw(draw_short_card, view), posting),
        )

    def _is_its_turn(self, job: Job) -> bool:
        """Return whether a card may be edited now; otherwise put its job back for the turn that is booked for it.

        Edits come before new cards. In a storm, which changes many cards again and again, they would leave no room for
        new ones if they waited for their turn here.
        """
        now = self._desk.now()
        turn = self._turns.pop(job.key, None) or now + timedelta(seconds=self._slack.book_edit())
        if turn <= now:
            return True
        self._turns[job.key] = turn
        self._store.retry_job(job, turn, now)
        return False

    def _edit_card(self, job: Job, view: CardView) -> None:
        place = (view.channel, view.message_ts)
        if not self._is_its_turn(job):
            return
        try:
            self._try(
                lambda: self._slack.edit(*place, self._draw(draw_card, view)),
                lambda: self._slack.edit(*place, self._draw(draw_short_card, view)),
            )
        except _FailedError as failed:
            if not self._is_out_of_reach(view, failed.trouble):
                raise
            log.warning("The card of #%d cannot be edited: %s", view.conversation.id, failed.trouble.word)
            if view.conversation.state in _IN_CHANNEL:
                self._replace_card(job, view)
                return
        self._store.finish_job(job, self._desk.now())

    def _is_out_of_reach(self, view: CardView, trouble: Trouble) -> bool:
        """Return whether a card cannot be edited ever again: it is gone, or in a channel that was left since."""
        return trouble.fault is Fault.GONE or (trouble.fault is Fault.BLOCKED and view.channel != self._channel)

    def _replace_card(self, job: Job, view: CardView) -> None:
        """Post a card anew whose message is out of reach while somebody still has to answer."""
        number, now = view.conversation.id, self._desk.now()
        posting = Posting("mention_card", {"conversation_id": number, "job": job.id}, ("conversation_id",))
        posted = self._find(job, self._channel, posting, job.created_at or now, other_than=view.message_ts)
        if posted is not None:
            self._store.record_message(number, *posted, now)
            self._store.retry_job(job, now, now)  # it stands there, but says what was true then
            return
        self._store.record_message(number, *self._post(view, posting), self._desk.now(), job)

    def _tell_digest(self, job: Job) -> None:
        now = self._desk.now()
        if self._store.digest_message(job.key) is None:
            posting = Posting("digest", {"date": job.key, "job": job.id}, ("date",))
            posted = self._find(job, self._channel, posting, (job.created_at or now) - timedelta(hours=1))
            if posted is None:
                message = draw_digest(digest_now(self._desk), self._roster.permalink)
                posted = self._try(lambda: self._slack.post(self._channel, message, posting))
            self._store.record_digest(job.key, *posted, self._desk.now())
        self._store.finish_job(job, self._desk.now())

    def _tell_notice(self, job: Job) -> None:
        channel = self._desk.settings.slack.ops_channel or self._channel
        posting = Posting("notice", {"job": job.id}, ("job",))
        if self._find(job, channel, posting, job.created_at or self._desk.now()) is None:
            message = Message(safe(job.payload, 1500), to_json([quote(job.payload, 1500)]))
            self._try(lambda: self._slack.post(channel, message, posting))
        self._store.finish_job(job, self._desk.now())

    def _tell_home(self, job: Job) -> None:
        view = draw_home(home_now(self._desk, job.key, self._roster.permalink))
        self._try(lambda: self._slack.publish_home(job.key, view))
        self._store.finish_job(job, self._desk.now())

    @property
    def _channel(self) -> str:
        return self._desk.settings.slack.channel

    def _draw(self, draw: _Draws, view: CardView) -> Message:
        return draw(view, self._desk.capability(view), self._desk.now(), self._store.history(view.conversation.id))

    # What is done when it does not work

    def _find(self, job: Job, channel: str, posting: Posting, since: datetime, other_than: str = "") -> Placed | None:
        """Look for a message that an earlier attempt may have posted; a first attempt has nothing to look for."""
        if job.attempts <= 1:
            return None
        return self._try(lambda: self._slack.find(channel, posting, since, other_than))

    def _try(self, *calls: Callable[[], _T]) -> _T:
        """Make the first call; where Slack does not take what it says, the next one."""
        *others, last = calls
        for call in others:
            try:
                return _make(call)
            except _FailedError as failed:
                if failed.trouble.fault is not Fault.UNFIT:
                    raise
                log.warning("Slack does not take this message (%s); a shorter one goes instead.", failed.trouble.word)
        return _make(last)

    def _put_back(self, job: Job, trouble: Trouble) -> None:
        """Put a job back that did not work, and rest where the next one would not work either."""
        if trouble.fault in {Fault.UNFIT, Fault.GONE}:
            log.error("Slack will never take job %d of kind %s: %s", job.id, job.kind, trouble.word)
            self._store.fail_job(job, trouble.word, self._desk.now())
            return
        if trouble.fault is Fault.SLOW_DOWN:
            wait = trouble.wait
            self._rest(_POSTS if job.kind in _POSTS else {job.kind}, wait)
        elif trouble.fault is Fault.BLOCKED:
            wait = _BLOCKED_SECONDS * min(job.attempts, _MOST_BLOCKED)  # ever later, so that others have a try, too
            self._tell_problem(f"Slack refuses a {job.kind}: {trouble.sentence} ({trouble.word})")
            self._rest({job.kind}, _BLOCKED_SECONDS)
        else:
            self._misses += 1
            wait = self._wait(max(self._misses, job.attempts))
            self._tell_problem(f"Slack cannot be reached or does not answer as it should ({trouble.word}).")
            self._rest(JobKind, self._wait(self._misses))
        self._retry(job, wait)

    def _retry(self, job: Job, wait: float) -> None:
        now = self._desk.now()
        self._store.retry_job(job, now + timedelta(seconds=wait), now)

    def _rest(self, kinds: Iterable[JobKind], seconds: float) -> None:
        until = self._desk.now() + timedelta(seconds=seconds)
        for kind in kinds:
            self._resting[kind] = max(self._resting.get(kind, until), until)

    def _wait(self, attempts: int) -> float:
        return wait_seconds(attempts, self._rng, most=_MOST_WAIT_SECONDS)

    def _tell_problem(self, sentence: str) -> None:
        """Log a problem when it is new; it stays in `problem` until something worked."""
        if sentence != self.problem:
            log.error("%s", sentence)
        self.problem = sentence


def _make(call: Callable[[], _T]) -> _T:
    try:
        return call()
    except UNREACHABLE as err:
        raise _FailedError(understand(err)) from err
