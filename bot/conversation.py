"""The conversation's state machine: an enum, one transition table, pure.

new ─▶ shown | quiet ─▶ claimed ─▶ sending ─▶ answered
                          │  ▲        └─ undo, refused, unknown: back to claimed
                          ▼  │
   snoozed · dismissed · handed_over · expired        the author writes again: re-opened
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """Where a conversation stands."""

    NEW = "new"
    SHOWN = "shown"
    QUIET = "quiet"
    CLAIMED = "claimed"
    SENDING = "sending"
    ANSWERED = "answered"
    DISMISSED = "dismissed"
    SNOOZED = "snoozed"
    HANDED_OVER = "handed_over"
    EXPIRED = "expired"


class Event(StrEnum):
    """What can happen to a conversation; the first half is done by Cuecard, the second by a person."""

    SHOW = "show"
    KEEP_QUIET = "keep_quiet"
    WAKE = "wake"
    EXPIRE = "expire"
    REOPEN = "reopen"
    CONFIRM = "confirm"
    REFUSE = "refuse"
    LOSE = "lose"
    CLAIM = "claim"
    RELEASE = "release"
    ASSIGN = "assign"
    SNOOZE = "snooze"
    DISMISS = "dismiss"
    RESTORE = "restore"
    HAND_OVER = "hand_over"
    APPROVE = "approve"
    UNDO = "undo"


class DismissReason(StrEnum):
    """Why a person lets a conversation rest; each is a label the ranker can learn from."""

    NOT_US = "not_us"
    NO_REPLY_NEEDED = "no_reply_needed"
    BETTER_LEFT_ALONE = "better_left_alone"
    SPAM = "spam"
    ANSWERED_ELSEWHERE = "answered_elsewhere"


DISMISS_LABELS: Mapping[DismissReason, str] = {
    DismissReason.NOT_US: "Not about us",
    DismissReason.NO_REPLY_NEEDED: "Needs no reply",
    DismissReason.BETTER_LEFT_ALONE: "Better left alone",
    DismissReason.SPAM: "Spam or promotion",
    DismissReason.ANSWERED_ELSEWHERE: "Answered elsewhere",
}

_S, _E = State, Event
_TAKEABLE = (_S.NEW, _S.SHOWN, _S.QUIET, _S.SNOOZED, _S.HANDED_OVER, _S.EXPIRED)
# A woken, re-opened or restored conversation goes back to its owner where it has one: see `next_state`.
TRANSITIONS: Mapping[tuple[State, Event], State] = {
    (_S.NEW, _E.SHOW): _S.SHOWN,
    (_S.NEW, _E.KEEP_QUIET): _S.QUIET,
    (_S.QUIET, _E.SHOW): _S.SHOWN,
    **{(s, _E.CLAIM): _S.CLAIMED for s in _TAKEABLE},
    **{(s, _E.ASSIGN): _S.CLAIMED for s in (*_TAKEABLE, _S.CLAIMED)},
    (_S.CLAIMED, _E.RELEASE): _S.SHOWN,
    **{(s, _E.SNOOZE): _S.SNOOZED for s in (_S.SHOWN, _S.CLAIMED)},
    **{(s, _E.DISMISS): _S.DISMISSED for s in (_S.NEW, _S.SHOWN, _S.QUIET, _S.CLAIMED, _S.SNOOZED)},
    **{(s, _E.HAND_OVER): _S.HANDED_OVER for s in (_S.SHOWN, _S.CLAIMED)},
    (_S.CLAIMED, _E.APPROVE): _S.SENDING,
    (_S.SENDING, _E.UNDO): _S.CLAIMED,
    (_S.SENDING, _E.CONFIRM): _S.ANSWERED,
    (_S.SENDING, _E.REFUSE): _S.CLAIMED,
    (_S.SENDING, _E.LOSE): _S.CLAIMED,
    (_S.CLAIMED, _E.CONFIRM): _S.ANSWERED,  # a person found that an unknown send did arrive
    (_S.SNOOZED, _E.WAKE): _S.SHOWN,
    (_S.DISMISSED, _E.RESTORE): _S.SHOWN,
    **{(s, _E.EXPIRE): _S.EXPIRED for s in (_S.NEW, _S.SHOWN, _S.QUIET)},
    **{(s, _E.REOPEN): _S.SHOWN for s in (_S.ANSWERED, _S.DISMISSED, _S.HANDED_OVER, _S.EXPIRED, _S.QUIET, _S.SNOOZED)},
}
_BACK_TO_OWNER = frozenset({Event.WAKE, Event.REOPEN, Event.RESTORE})
UNANSWERED = frozenset({State.SHOWN, State.CLAIMED, State.SENDING})  # and SNOOZED once due
OPEN = frozenset({State.NEW, State.SHOWN, State.CLAIMED, State.SENDING, State.SNOOZED})


def next_state(state: State, event: Event, *, has_owner: bool = False) -> State | None:
    """Return the state after `event`, or None where it cannot happen in `state`."""
    after = TRANSITIONS.get((state, event))
    if after is State.SHOWN and has_owner and event in _BACK_TO_OWNER:
        return State.CLAIMED
    return after


@dataclass(frozen=True, slots=True)
class Actor:
    """A person in Slack. `id` is Slack's user id; `name` is shown, and never used to decide."""

    id: str
    name: str


CUECARD = Actor("cuecard", "Cuecard")
"""The actor of what Cuecard itself did: showing, waking, expiring."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """The mentions of one author in one thread; the unit that is claimed and answered. `id` is the number people say.

    `lead_id` is set on a conversation that says the same as an earlier one and is shown on that one's card.
    `answered_at` is the last time it was answered, and stays when its author writes again.
    """

    id: int
    state: State
    platform: str
    feed: str
    author: str
    brand: str
    priority: float
    grade: int
    heard_at: datetime
    changed_at: datetime
    owner: Actor | None = None
    snoozed_until: datetime | None = None
    lead_id: int | None = None
    dismiss_reason: DismissReason | None = None
    shown_at: datetime | None = None
    answered_at: datetime | None = None
    claimed_at: datetime | None = None
