"""Drafts by a model that the operator set up (`[drafter]`, off by default): asked for after a person pressed Reply.

It may take its time: it has threads of its own, few of them, and nobody waits for it. What comes back is checked
(`nlp.drafter_checks`), stands beside the playbook's drafts and never in their place, and says of itself who wrote it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.config import Secrets, Settings
from bot.drafting import BY_MODEL, LATELY, Drafting, Shaped, fits_in
from bot.records import CardView
from bot.store.suggestions import Suggested
from listeners.mention import Mention
from nlp.assessment import Draft
from nlp.draft import Drafts, room_within
from nlp.drafter import RefusedDraftError, write_draft
from nlp.endpoint import Endpoint, EndpointError
from nlp.templates import reduce

log = logging.getLogger(__name__)

RESTS_FOR = timedelta(minutes=1)
"""How long the drafter is left alone after it did not answer."""
_THREADS = 2
_MOST_WAITING = 6
_MOST_REMEMBERED = 1_000
_REPEATED = "Somebody else was suggested these very words lately."


@dataclass(frozen=True, slots=True)
class Drafter:
    """A model that may write drafts, and for posts of which platforms."""

    endpoint: Endpoint
    platforms: frozenset[str] = frozenset()

    def may_write_for(self, mention: Mention) -> bool:
        """Say whether a post may be shown to the model: its platform, and the feed's, must both be named."""
        return {mention.platform, mention.feed_platform or mention.platform} <= self.platforms


def drafter_of(settings: Settings, secrets: Secrets) -> Drafter | None:
    """Return the model that is set up, None for none."""
    told = settings.drafter
    if not told.url:
        return None
    key = secrets.drafter_key.get_secret_value()
    return Drafter(Endpoint(told.url, told.model, key, told.timeout_seconds), frozenset(told.platforms))


class LateDrafts:
    """Asks the drafter, a few posts at a time."""

    def __init__(self, drafting: Drafting, drafter: Drafter) -> None:
        """Take what keeps suggestions, and the model."""
        self._drafting = drafting
        self._drafter = drafter
        self._pool = ThreadPoolExecutor(_THREADS, "drafter")
        self._lock = threading.Lock()
        self._waiting = 0
        self._asked: dict[int, None] = {}
        self._rests_until: datetime | None = None

    def ask(
        self, view: CardView, shape: Shaped, before: Suggested, now: datetime, then: Callable[[Suggested], None]
    ) -> None:
        """Ask for a draft beside those that are suggested; `then` is given them all once one came that may be shown.

        Nothing happens where nothing is suggested, where the model may not see the post, where it has written or was
        asked already, while it rests, and while too many posts wait for it. `then` runs in a thread of the drafter's.
        """
        if not before.drafts or before.number == 0 or not self._drafter.may_write_for(view.mention):
            return
        if any(draft.kind == BY_MODEL for draft in before.drafts) or not self._take(before.number, now):
            return
        self._pool.submit(self._run, view, shape, before, now, then)

    def close(self) -> None:
        """Ask for nothing more; returns once what is being asked has been answered, or took too long."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _take(self, number: int, now: datetime) -> bool:
        """Say whether it is to be asked for these suggestions now, and remember that it was."""
        with self._lock:
            is_resting = self._rests_until is not None and now < self._rests_until
            if is_resting or number in self._asked or self._waiting >= _MOST_WAITING:
                return False
            self._waiting += 1
            self._asked[number] = None
            if len(self._asked) > _MOST_REMEMBERED:
                del self._asked[next(iter(self._asked))]
            return True

    def _run(
        self, view: CardView, shape: Shaped, before: Suggested, now: datetime, then: Callable[[Suggested], None]
    ) -> None:
        """Write, keep and show one draft; whatever fails, the playbook's drafts stand."""
        try:
            draft = self._write(view, shape, now)
            kept = self._drafting.add(view, before, Drafts((draft,)), now) if draft else None
            if kept is not None:
                then(kept)
        except EndpointError as err:
            log.warning("%s The playbook's drafts are used.", err.sentence)
            with self._lock:
                self._rests_until = now + RESTS_FOR
                self._asked.pop(before.number, None)
        except RefusedDraftError as err:
            log.info("A draft by the drafter was refused: %s", err.sentence.partition(":")[0])  # no words of the post
        except Exception:
            log.exception("A draft by the drafter could not be shown.")
        finally:
            with self._lock:
                self._waiting -= 1

    def _write(self, view: CardView, shape: Shaped, now: datetime) -> Draft | None:
        """Return the model's draft, None where there is to be none.

        Raises:
            EndpointError, RefusedDraftError: see `nlp.drafter.write_draft`.
        """
        occasion = self._drafting.occasion(view, self._drafting.playbook)
        limit = shape("").limit
        draft = write_draft(occasion, self._drafter.endpoint, room_within(limit, fits_in(shape)), limit=limit)
        if draft is None:
            return None
        said = {reduce(text) for texts in self._drafting.said_lately(view, now - LATELY) for text in texts}
        if reduce(draft.text) in said:
            raise RefusedDraftError(_REPEATED)
        return replace(draft, kind=BY_MODEL)
