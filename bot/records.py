"""What the store hands out: frozen values, ready to draw or to decide on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.conversation import Actor, Conversation
from bot.ledger import Send
from listeners.mention import Mention
from nlp.assessment import Assessment


@dataclass(frozen=True, slots=True)
class CardView:
    """All that a card, a modal or a digest line draws of one conversation.

    `mention_id`, `mention` and `assessment` are the newest mention of the conversation. `earlier` counts the author's
    mentions before it, `copies` the other conversations that say the same and are grouped here. `send` is the newest
    ledger row. `message_ts` and `channel` place the Slack message, '' while there is none. `is_removed` is True once
    the author took the post down (its text is then empty).
    """

    conversation: Conversation
    mention_id: int
    mention: Mention
    assessment: Assessment
    earlier: int = 0
    copies: int = 0
    send: Send | None = None
    channel: str = ""
    message_ts: str = ""
    is_removed: bool = False


class JobKind(StrEnum):
    """What the outbox can be asked for. One pending job per (kind, key); asking twice is asking once."""

    CARD = "card"  # key: conversation id. Make the Slack message say what is true: post it, or edit it
    DIGEST = "digest"  # key: local date
    NOTICE = "notice"  # key: what it is about; payload: the sentence, for the ops channel
    HOME = "home"  # key: Slack user id


class JobState(StrEnum):
    """Where a job stands; `posting` was written before the network was touched."""

    PENDING = "pending"
    POSTING = "posting"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to tell Slack. `priority` orders jobs that are due; `payload` is plain text."""

    id: int
    kind: JobKind
    key: str
    state: JobState
    priority: float
    due_at: datetime
    attempts: int = 0
    payload: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FeedState:
    """What is known of a feed: where it stands, when it was last heard, and since when it is deaf (None: it hears).

    `quiet_since` is set while it answers but has brought nothing for unusually long. `silent_after` is how long it may
    say nothing at all, None where it is not waited for: a file, or a feed that is no longer set up. `paused_until` is
    set while it holds back on purpose, as when its budget is spent.
    """

    name: str
    platform: str
    cursor: str | None
    heard_at: datetime | None
    deaf_since: datetime | None
    problem: str = ""
    mentions: int = 0
    silent_after: timedelta | None = None
    quiet_since: datetime | None = None
    paused_until: datetime | None = None

    def unheard_since(self, now: datetime) -> datetime | None:
        """Return since when nobody hears this feed: it is deaf, or nobody listened; None while it is heard."""
        if self.deaf_since is not None:
            return self.deaf_since
        if self.heard_at is None or self.silent_after is None or now - self.heard_at <= self.silent_after:
            return None
        return self.heard_at


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One event row: who did what to which conversation, when; `detail` is plain words."""

    conversation_id: int
    at: datetime
    actor: Actor
    event: str
    before: str
    after: str
    detail: str = ""
