"""Between the door of a webhook and `listen`: requests are judged, read, queued, and answered once they are stored."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from listeners.funnel import Funnel
from listeners.mention import Batch, Mention
from listeners.webhook.door import Answer, ask_again, refuse
from listeners.webhook.rows import Told
from listeners.webhook.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, Verifier, is_well_formed

CURSOR: Final = "sent"
"""Nothing is resumed from a cursor here: a sender who was not told that a row is stored sends it again."""
STORE_SECONDS: Final = 8.0
"""How long a request waits until its rows are stored; many senders hang up after 10 seconds."""
PER_BATCH: Final = 500
_TOLD_REFUSALS: Final = 100
_REMEMBERED: Final = 2_000
_ROOM_SECONDS: Final = 0.02
_NOTICE: Final = (
    "A request to the webhook '{feed}' was refused, because its signature or its time did not fit: "
    "compare the sender's secret and clock with ours."
)


@dataclass(frozen=True, slots=True)
class Sorted:
    """A request's rows after the watches: those that are kept, and how many were `passed_over`."""

    told: Told
    mentions: tuple[Mention, ...]
    passed_over: int


class _Delivery:
    """The batches of one request on their way into the store; lives in the door's event loop."""

    def __init__(self, parts: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._parts_left = parts
        self.stored: asyncio.Future[bool] = self._loop.create_future()

    def note(self) -> None:
        """Count one batch that is stored; called from the thread that stores."""
        with contextlib.suppress(RuntimeError):  # the door was closed, and nobody waits any more
            self._loop.call_soon_threadsafe(self._count)

    def _count(self) -> None:
        self._parts_left -= 1
        if self._parts_left == 0 and not self.stored.done():
            self.stored.set_result(True)


class Reception:
    """Takes requests, in the door's event loop, and fills the funnel that `listen` empties."""

    def __init__(self, feed: str, verifier: Verifier, sort: Callable[[bytes], Sorted], funnel: Funnel[Batch]) -> None:
        """Take the feed's name, who judges signatures, who reads a body, and where batches go."""
        self._feed = feed
        self._verifier = verifier
        self._sort = sort
        self._funnel = funnel
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: set[asyncio.Future[bool]] = set()
        self._answered: dict[str, Answer] = {}
        self._has_warned = False
        self._is_closed = False

    async def receive(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer one request: 202 once all is stored, 401, 422 where no row is one, 503 to have it sent again."""
        self._loop = asyncio.get_running_loop()
        signature = headers.get(SIGNATURE_HEADER.lower(), "")
        if refusal := self._verifier.refusal(headers.get(TIMESTAMP_HEADER.lower(), ""), signature, body):
            self._warn(signature)
            return refuse(401, refusal)
        if signature in self._answered:  # the very same request: its answer was lost, or somebody repeats it
            return self._answered[signature]
        found = self._sort(body)
        refused = tuple(self._tell_refusals(found))
        if not found.mentions and not found.told.removals:
            if refused:
                self._funnel.put(Batch(cursor=CURSOR, refused=refused), timeout=0)
            return _answer(found)
        return await self._store(found, refused, signature)

    def close(self) -> None:
        """Let no request wait any longer."""
        self._is_closed = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended already
                self._loop.call_soon_threadsafe(self._give_up)

    def _give_up(self) -> None:
        for stored in self._waiting:
            if not stored.done():
                stored.set_result(False)

    async def _store(self, found: Sorted, refused: tuple[str, ...], signature: str) -> Answer:
        """Pass on what a request brought, and wait until it is stored."""
        starts = range(0, max(1, len(found.mentions)), PER_BATCH)
        delivery = _Delivery(len(starts))
        self._waiting.add(delivery.stored)
        try:
            async with asyncio.timeout(STORE_SECONDS):
                for start in starts:
                    mentions = found.mentions[start : start + PER_BATCH]
                    batch = Batch(mentions, CURSOR, stored=delivery.note)
                    if start == starts[-1]:
                        batch = replace(batch, removals=tuple(found.told.removals), refused=refused)
                    await self._put(batch)
                is_stored = not self._is_closed and await delivery.stored
        except TimeoutError:
            is_stored = False
        finally:
            self._waiting.discard(delivery.stored)
        if not is_stored:
            return ask_again("It could not be stored in time. Send the same again later; what is known is not doubled.")
        return self._remember(signature, _answer(found))

    async def _put(self, batch: Batch) -> None:
        """Queue a batch, waiting for room without holding up the other requests."""
        while not self._is_closed and not self._funnel.put(batch, timeout=0):  # noqa: ASYNC110 - a thread empties it
            await asyncio.sleep(_ROOM_SECONDS)

    def _remember(self, signature: str, answer: Answer) -> Answer:
        """Keep an answer for as long as its request can come again, which its own time limits."""
        self._answered[signature] = answer
        if len(self._answered) > _REMEMBERED:
            del self._answered[next(iter(self._answered))]
        return answer

    def _warn(self, signature: str) -> None:
        """Tell the operator, once a run, of a sender who signs in another way; strangers do not sign at all."""
        if is_well_formed(signature) and not self._has_warned:
            notice = _NOTICE.format(feed=self._feed)
            self._has_warned = self._funnel.put(Batch(cursor=CURSOR, notices=(notice,)), timeout=0)

    def _tell_refusals(self, found: Sorted) -> Iterator[str]:
        for number, reason in found.told.refused[:_TOLD_REFUSALS]:
            yield f"The webhook '{self._feed}' was sent a row that is no mention (row {number}): {reason}"
        if (more := len(found.told.refused) - _TOLD_REFUSALS) > 0:
            yield f"The webhook '{self._feed}' was sent {more} more rows that are no mentions in the same request."


def _answer(found: Sorted) -> Answer:
    """Return what the sender is told of a request that was read."""
    refused = found.told.refused
    told: dict[str, object] = {
        "kept": len(found.mentions),
        "removed": len(found.told.removals),
        "passed_over": found.passed_over,
        "refused": [{"row": number, "reason": reason} for number, reason in refused[:_TOLD_REFUSALS]],
    }
    if len(refused) > _TOLD_REFUSALS:
        told["refused_in_all"] = len(refused)
    if refused and not (found.mentions or found.told.removals or found.passed_over):
        return Answer(422, {"error": f"Nothing here can be read: {refused[0][1]}", **told})
    return Answer(202, told)
