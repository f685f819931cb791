"""Which conversations become a card, pure. A team answers what it can read, so the day has a budget of cards.

Above the line: likely to need a reply, and on a day with more of them than the budget, among the best. Where the line
stands is learned in `bot.volume`. What must be answered now always passes. What does not pass is kept quiet, with the
cause on record, and counted in the digest.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

from bot.conversation import State
from bot.records import CardView
from nlp.assessment import Assessment

QuietCause = Literal["", "line", "budget", "stale", "copy"]
LEAST_NEEDS_REPLY = 0.5
MUST_ANSWER = 3


class Budget(Protocol):
    """The part of the settings that decides here; `bot.config.CardSettings` has it."""

    @property
    def per_day(self) -> int:
        """How many cards a day the team wants to read."""
        ...

    @property
    def stale_after_hours(self) -> float:
        """After how many hours a card that was never shown is not worth showing."""
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a card is worth showing; true where it is. `cause` is '' then, and says why not otherwise."""

    cause: QuietCause = ""

    def __bool__(self) -> bool:
        return not self.cause


def judge(assessment: Assessment, line: float, shown_today: int, per_day: int) -> Verdict:
    """Judge a new conversation by its newest mention."""
    if assessment.grade >= MUST_ANSWER:
        return Verdict()
    if assessment.needs_reply < LEAST_NEEDS_REPLY:
        return Verdict("line")
    if assessment.priority < line or shown_today >= per_day:
        return Verdict("budget")
    return Verdict()


def still_worth_showing(view: CardView, now: datetime, shown_today: int, cards: Budget) -> Verdict:
    """Judge a card again at the moment it could be posted: Slack may have been away, or the day's budget used up.

    Only a conversation that waits for its first card can be kept quiet; what people already know stays in sight.
    """
    conversation = view.conversation
    if conversation.state is not State.NEW or conversation.grade >= MUST_ANSWER:
        return Verdict()
    if now - conversation.heard_at > timedelta(hours=cards.stale_after_hours):
        return Verdict("stale")
    return Verdict("budget") if shown_today >= cards.per_day else Verdict()


def start_of_day(now: datetime, timezone: str) -> datetime:
    """Return, in UTC, the moment the local day of `now` began; the day's budget counts from there."""
    local = now.astimezone(ZoneInfo(timezone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0).astimezone(UTC)
