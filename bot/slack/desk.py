"""What the handlers and the outbox need to know of the rest of the house, in one frozen value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.config import Settings
from bot.platforms import way_back
from bot.records import CardView
from bot.store import Store
from listeners.contract import Capability, Platform, Shape
from nlp.assessment import Draft
from nlp.draft import suggest
from nlp.playbook import Playbook


def _do_nothing() -> None:
    """Stand in for a wake-up call that nobody waits for."""


@dataclass(frozen=True)
class Desk:
    """The store, the settings, the opened feeds, the playbook and the clock.

    `wake` tells the outbox to Slack that there is something to tell.
    """

    store: Store
    settings: Settings
    platforms: Mapping[str, Platform]
    playbook: Playbook
    clock: Clock
    wake: Callable[[], None] = field(default=_do_nothing)

    def now(self) -> datetime:
        """Return the present."""
        return self.clock.now()

    @property
    def zone(self) -> ZoneInfo:
        """The team's time zone."""
        return ZoneInfo(self.settings.digest.timezone)

    @property
    def morning(self) -> time:
        """The local time of day at which the team's day begins: that of its digest."""
        return time.fromisoformat(self.settings.digest.at)

    def capability(self, view: CardView) -> Capability:
        """Say how this conversation can be answered; by hand where its feed is no longer configured.

        By hand from now on, too, where the platform once refused a reply to this post because it came from a program.
        """
        platform = way_back(self.platforms, view.mention)
        if platform is None:
            reason = "the feed that heard it is no longer set up."
            return Capability("by_hand" if view.mention.url else "none", reason, view.mention.url)
        capability = platform.capability(view.mention)
        may_suggest = capability.may_suggest and self.settings.may_suggest(view.mention.feed)
        capability = replace(capability, may_suggest=may_suggest)
        closing = self.store.closing_send(view.mention_id) if capability.route == "api" and view.send else None
        if closing is None:
            return capability
        url = closing.url or capability.url or view.mention.url
        return replace(capability, route="by_hand", reason="programs may not answer this post.", url=url)

    def shape(self, text: str, view: CardView) -> Shape:
        """Count and prepare a reply as its platform would; in parts only where each of them can really be posted."""
        platform = way_back(self.platforms, view.mention)
        if platform is None:
            return Shape(text.strip(), len(text.strip()), 0)
        shape = platform.shape(text, view.mention)
        if len(shape.parts) > 1 and not any(platform.shape(part, view.mention).problem for part in shape.parts):
            return shape
        return replace(shape, parts=()) if shape.parts else shape

    def drafts(self, view: CardView) -> tuple[Draft, ...]:
        """Return the suggestions for a conversation: the same ones each time it is asked.

        Nothing that comes back from Slack says what was suggested; it is worked out again from what is stored.
        """
        if view.is_removed or not self.capability(view).may_suggest:
            return ()
        limit = self.shape("", view).limit
        return suggest(view.mention, view.assessment, self.playbook, limit=limit)
