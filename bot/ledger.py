"""The states of a send, pure. A row is written before the network is touched; an unknown outcome stays unknown.

approved ─▶ sending ─▶ sent | refused | unknown ─▶ (a person looks) sent | not_sent
   └─▶ undone                handed_off ─▶ confirmed | not_sent        (by hand)

A thread is one row. Each of its parts goes from approved through sending; once it is surely up, that is written down
and the row is approved again, for the next part. So a part is begun only where the one before is known to be up, and
between two parts the rest can be stopped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from bot.conversation import Actor
from listeners.contract import Posted


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
    # back to approved only where the platform said that it certainly posted nothing (Retryable), or for the next part
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
ERASED = "(erased)"
"""What stands in place of words that were erased."""


@dataclass(frozen=True, slots=True)
class Send:
    """One row of the ledger: the exact words, who approved them, and what became of them.

    `suggestion` is the draft the person started from ('' for none). `send_after` ends the hold. `native_id` and `url`
    are the platform's, once known; of a thread, those of its first part. `problem` is one plain sentence where it was
    refused or is unknown. `route` is how it leaves; `send_key` is unique to the row, for platforms that can use it.

    `parts` are the posts of a thread as the person saw them, () for a single post; `posted` are those that are surely
    up. `attempts` counts for the part that goes next. Where a platform refused the row because programs may not answer
    there, `route` is `by_hand` from then on, and `url` is where a person can answer.
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
    parts: tuple[str, ...] = ()
    posted: tuple[Posted, ...] = ()

    @property
    def left(self) -> tuple[str, ...]:
        """The posts that are not known to be up."""
        return (self.parts or (self.text,))[len(self.posted) :]

    @property
    def next_key(self) -> str:
        """What names the post that goes next: of a thread each part has its own."""
        return f"{self.send_key}-{len(self.posted) + 1}" if self.parts else self.send_key

    @property
    def is_closed_to_programs(self) -> bool:
        """Whether the platform said with this row that only a person may answer."""
        return self.state is SendState.REFUSED and self.route == "by_hand"


def say_what_is_up(send: Send) -> str:
    """Return how much of a thread is surely public, and where: '2 of 3 parts are posted (URL)'; '' for nothing."""
    if not send.posted or not send.parts:
        return ""
    count, url = len(send.posted), send.posted[0].url
    return f"{count} of {len(send.parts)} parts {'is' if count == 1 else 'are'} posted{f' ({url})' if url else ''}"


def say_not_whole(send: Send, problem: str) -> str:
    """Return why a reply did not leave, and what of a thread did."""
    up = say_what_is_up(send)
    return f"{up}; the rest was not sent. {problem}" if up else problem


def say_unsure(send: Send, problem: str) -> str:
    """Return what is not known of a reply: of a thread, which part is in doubt and how much of it is surely up."""
    if not send.parts:
        return problem
    up, number = say_what_is_up(send), len(send.posted) + 1
    lead = f"{up} for sure; part {number} is in doubt" if up else f"Part {number} of {len(send.parts)} is in doubt"
    return f"{lead}{', and the rest was not sent' if len(send.left) > 1 else ''}. {problem}"
