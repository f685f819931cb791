"""The states of a send, pure. A row is written before the network is touched; an unknown outcome stays unknown.

approved ─▶ sending ─▶ sent | refused | unknown ─▶ (a person looks) sent | not_sent
   └─▶ undone                handed_off ─▶ confirmed | not_sent        (by hand)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from bot.conversation import Actor


class SendState(StrEnum):
    """Where a send stands."""

    APPROVED = "approved"
    UNDONE = "undone"
    SENDING = "sending"
    SENT = "sent"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    HANDED_OFF = "handed_off"
    CONFIRMED = "confirmed"
    NOT_SENT = "not_sent"


_S = SendState
SEND_TRANSITIONS: Mapping[SendState, frozenset[SendState]] = {
    _S.APPROVED: frozenset({_S.SENDING, _S.UNDONE}),
    # back to approved only where the platform said that it certainly posted nothing (Retryable)
    _S.SENDING: frozenset({_S.SENT, _S.REFUSED, _S.UNKNOWN, _S.APPROVED}),
    _S.UNKNOWN: frozenset({_S.SENT, _S.NOT_SENT}),
    _S.HANDED_OFF: frozenset({_S.CONFIRMED, _S.NOT_SENT}),
    _S.UNDONE: frozenset(),
    _S.SENT: frozenset(),
    _S.REFUSED: frozenset(),
    _S.CONFIRMED: frozenset(),
    _S.NOT_SENT: frozenset(),
}
LIVE = frozenset({_S.APPROVED, _S.SENDING, _S.UNKNOWN, _S.HANDED_OFF})
"""A conversation has at most one send in one of these states; a partial unique index holds it."""


@dataclass(frozen=True, slots=True)
class Send:
    """One row of the ledger: the exact words, who approved them, and what became of them.

    `suggestion` is the draft the person started from ('' for none). `send_after` ends the hold. `native_id` and `url`
    are the platform's, once known. `problem` is one plain sentence where it was refused or is unknown. `route` is how
    it leaves; `send_key` is unique to the row, for platforms that can use it.
    """

    id: int
    conversation_id: int
    mention_id: int
    state: SendState
    text: str
    suggestion: str
    approved_by: Actor
    approved_at: datetime
    send_after: datetime
    attempts: int = 0
    native_id: str = ""
    url: str = ""
    problem: str = ""
    finished_at: datetime | None = None
    route: Literal["api", "by_hand"] = "api"
    send_key: str = ""
