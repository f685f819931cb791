"""The store as the other rooms see it: thin methods over the functions of this package, where they are described."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from bot.conversation import CUECARD, Actor, Conversation, Event
from bot.ledger import Send
from bot.records import CardView, HistoryEntry, Job, JobKind
from bot.store import cards, conversations, events, feed_rows, jobs, mentions, people, search, sends, suggestions
from bot.store.reporting import Reporting
from listeners.contract import Posted
from listeners.mention import Mention


class Store(Reporting):
    """Everything Cuecard remembers. Reads answer frozen values; each writing method is one transaction."""

    def conversation(self, conversation_id: int) -> Conversation | None:
        """Return one conversation."""
        return conversations.conversation(self.read(), conversation_id)

    def card_view(self, conversation_id: int) -> CardView | None:
        """Return all that is drawn of one conversation."""
        with self.snapshot() as db:
            return cards.card_view(db, conversation_id)

    def queue(
        self, limit: int = 20, offset: int = 0, owner: str | None = None, now: datetime | None = None
    ) -> list[CardView]:
        """Return what is unanswered, best first; of one owner only, where a Slack id is given.

        `now` decides which snoozes are over; by default it is the machine's time.
        """
        with self.snapshot() as db:
            return cards.queue(db, now or datetime.now(UTC), limit, offset, owner)

    def quiet(self, limit: int = 20) -> list[CardView]:
        """Return what was kept below the line, newest first."""
        with self.snapshot() as db:
            return cards.quiet(db, limit)

    def search(self, words: str, limit: int = 20) -> list[CardView]:
        """Return the conversations that hold all the words, newest first; odd input finds nothing."""
        with self.snapshot() as db:
            return search.search(db, words, limit)

    def find_conversation(self, number_or_link: str) -> int | None:
        """Return the conversation that a number, a post's address or a Slack link means."""
        with self.snapshot() as db:
            return search.find_conversation(db, number_or_link)

    def conversation_of_message(self, channel: str, ts: str) -> int | None:
        """Return the conversation whose card a Slack message is."""
        return cards.conversation_of_message(self.read(), channel, ts)

    def history(self, conversation_id: int) -> list[HistoryEntry]:
        """Return all that happened to a conversation, oldest first."""
        return events.history(self.read(), conversation_id)

    def sends(self, conversation_id: int) -> list[Send]:
        """Return a conversation's sends, oldest first."""
        return sends.sends(self.read(), conversation_id)

    def send(self, send_id: int) -> Send | None:
        """Return one row of the ledger."""
        return sends.send(self.read(), send_id)

    def closing_send(self, mention_id: int) -> Send | None:
        """Return the send with which a platform said that this mention is only answered by a person."""
        return sends.closing_send(self.read(), mention_id)

    def live_send(self, conversation_id: int) -> Send | None:
        """Return the one send of a conversation whose outcome is open."""
        return sends.live_send(self.read(), conversation_id)

    def suggested_texts(self, conversation_id: int) -> tuple[str, ...]:
        """Return every text that was ever suggested in a conversation."""
        return suggestions.suggested_texts(self.read(), conversation_id)

    def mention(self, mention_id: int) -> Mention | None:
        """Return one mention."""
        return mentions.mention(self.read(), mention_id)

    def mentions(self, conversation_id: int) -> list[Mention]:
        """Return a conversation's mentions, oldest first."""
        return mentions.mentions(self.read(), conversation_id)

    # People, deliveries, digests

    def remember_person(self, person: Actor) -> None:
        """Remember the name that a Slack id goes by; writes nothing where it is known."""
        if people.person(self.read(), person.id) != person:
            with self.transaction() as db:
                people.remember_person(db, person)

    def person(self, user_id: str) -> Actor | None:
        """Return who a Slack id is."""
        return people.person(self.read(), user_id)

    def first_time(self, key: str, now: datetime) -> bool:
        """Return True to the first who asks with this key: one delivery of Slack's is handled once."""
        with self.transaction() as db:
            return people.first_time(db, key, now)

    def first_seen(self, key: str) -> datetime | None:
        """Return when a delivery was first handled, None where it was not."""
        return people.first_seen(self.read(), key)

    def record_digest(self, local_date: str, channel: str, ts: str, now: datetime) -> None:
        """Remember that the digest of a local date stands in Slack."""
        with self.transaction() as db:
            people.record_digest(db, local_date, channel, ts, now)

    def digest_message(self, local_date: str) -> tuple[str, str] | None:
        """Return the channel and ts of a local date's digest."""
        return people.digest_message(self.read(), local_date)

    def last_digest(self) -> str | None:
        """Return the newest local date whose digest was posted."""
        return people.last_digest(self.read())

    # Jobs: what Slack must still be told

    def request_job(  # noqa: PLR0913 - as the function
        self,
        kind: JobKind,
        key: str,
        *,
        now: datetime,
        priority: float = 0,
        due_at: datetime | None = None,
        payload: str = "",
    ) -> None:
        """Ask for a job; asking twice is asking once."""
        with self.transaction() as db:
            jobs.request_job(db, kind, key, now=now, priority=priority, due_at=due_at, payload=payload)

    def take_job(self, now: datetime, kinds: Collection[JobKind] | None = None) -> Job | None:
        """Take the due job that goes first, marked as being posted; None where nothing is due."""
        if not jobs.is_anything_due(self.read(), now):
            return None
        with self.transaction() as db:
            return jobs.take_job(db, now, kinds)

    def finish_job(self, job: Job, now: datetime) -> None:
        """Record that Slack was told."""
        with self.transaction() as db:
            jobs.finish_job(db, job, now)

    def retry_job(self, job: Job, at: datetime, now: datetime) -> None:
        """Put a job back for `at`."""
        with self.transaction() as db:
            jobs.retry_job(db, job, at, now)

    def fail_job(self, job: Job, reason: str, now: datetime) -> None:
        """Record that Slack will never take this, and why."""
        with self.transaction() as db:
            jobs.fail_job(db, job, reason, now)

    def stale_posting(self) -> list[Job]:
        """Return the jobs that were being posted when Cuecard last stopped: look in Slack before repeating one."""
        return jobs.stale_posting(self.read())

    def record_message(
        self, conversation_id: int, channel: str, ts: str, now: datetime, job: Job | None = None
    ) -> None:
        """Remember where a card stands in Slack, show the conversation if it is new, and finish `job` with it."""
        with self.transaction() as db:
            cards.record_message(db, conversation_id, channel, ts, now)
            if job is not None:
                jobs.finish_job(db, job, now)

    def cards_shown_since(self, when: datetime) -> int:
        """Count the cards posted since a moment."""
        return cards.cards_shown_since(self.read(), when)

    def cards_coming(self) -> int:
        """Count the conversations that wait for their first card."""
        return cards.cards_coming(self.read())

    def keep_quiet(self, conversation_id: int, cause: str, now: datetime, job: Job | None = None) -> bool:
        """Keep a new conversation off the channel after all, say why, and finish `job`; False where it is not new."""
        with self.transaction() as db:
            after = conversations.move(
                db, conversation_id, Event.KEEP_QUIET, CUECARD, now, cause, redraw=False, changes={"quiet_cause": cause}
            )
            if job is not None:
                jobs.finish_job(db, job, now)
            return after is not None

    # The ledger: what the sender does

    def spent_in_month(self, feed: str, now: datetime) -> int:
        """See `bot.store.feed_rows.spent_in_month`."""
        return feed_rows.spent_in_month(self.read(), feed, now)

    def due_sends(self, now: datetime) -> list[Send]:
        """Return the approved sends whose hold is over."""
        return sends.due_sends(self.read(), now)

    def begin_send(self, send_id: int, now: datetime) -> Send | None:
        """Take a due send for posting, committed; None where it was undone or taken meanwhile."""
        with self.transaction() as db:
            return sends.begin_send(db, send_id, now)

    def finish_part(self, send_id: int, posted: Posted, now: datetime) -> None:
        """Record that a part of a thread is up, and that the next may go."""
        with self.transaction() as db:
            sends.finish_part(db, send_id, posted, now)

    def finish_sent(  # noqa: PLR0913 - as the function
        self, send_id: int, native_id: str, url: str, now: datetime, *, reply_ref: str = "", cost_micros: int = 0
    ) -> None:
        """Record that the platform confirmed the reply, and what it cost."""
        with self.transaction() as db:
            sends.finish_sent(db, send_id, native_id, url, now, reply_ref=reply_ref, cost_micros=cost_micros)

    def finish_refused(self, send_id: int, problem: str, now: datetime, *, by_hand_at: str | None = None) -> None:
        """Record that the platform refused the reply, with its sentence; for good, where programs may not answer."""
        with self.transaction() as db:
            sends.finish_refused(db, send_id, problem, now, by_hand_at=by_hand_at)

    def finish_unknown(self, send_id: int, problem: str, now: datetime) -> None:
        """Record that nobody knows whether the reply arrived."""
        with self.transaction() as db:
            sends.finish_unknown(db, send_id, problem, now)

    def back_to_approved(self, send_id: int, at: datetime, problem: str, now: datetime) -> None:
        """Record that the platform certainly posted nothing; it is tried again at `at`."""
        with self.transaction() as db:
            sends.back_to_approved(db, send_id, at, problem, now)

    def stale_sending(self, now: datetime) -> list[Send]:
        """At start: make unknown what was on its way when Cuecard stopped; return it."""
        with self.transaction() as db:
            return sends.stale_sending(db, now)

    def withdraw_late(self, now: datetime, late_after: timedelta) -> list[Send]:
        """At start: withdraw what should have left longer ago than `late_after`; return it."""
        with self.transaction() as db:
            return sends.withdraw_late(db, now, late_after)

    # The scheduler

    def wake_snoozed(self, now: datetime) -> list[int]:
        """Bring back every conversation whose snooze is over."""
        with self.transaction() as db:
            return conversations.wake_snoozed(db, now)

    def expire_unclaimed(self, before: datetime, now: datetime) -> list[int]:
        """Let rest what nobody took since `before`, at most 500 at a time."""
        with self.transaction() as db:
            return conversations.expire_unclaimed(db, before, now)

    def prune(self, before: datetime) -> int:
        """Forget handled deliveries and finished jobs from before a moment; return how many."""
        with self.transaction() as db:
            return people.prune_seen(db, before) + jobs.prune_jobs(db, before)
