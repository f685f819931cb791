"""What the handlers and the outbox need to know of the rest of the house, in one frozen value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.config import Settings
from bot.drafting import Drafting
from bot.late_drafts import LateDrafts
from bot.platforms import way_back
from bot.records import CardView
from bot.store import Store
from bot.store.suggestions import Suggested
from listeners.catalog import may_suggest
from listeners.contract import Capability, Platform, Route, Shape
from nlp.draft import Drafts, who_takes_over
from nlp.playbook import HandTo

_REMOVED = "The author took this post down."
_HOUSE_RULE = "The house rules there ask for a person's own words."
_SWITCHED_OFF = "This feed is set up without suggestions (may_suggest)."


def _do_nothing() -> None:
    """Stand in for a wake-up call that nobody waits for."""


@dataclass(frozen=True)
class Desk:
    """The store, the settings, the opened feeds, what makes drafts, and the clock.

    `wake` tells the outbox to Slack that there is something to tell; `late_drafts` asks a model, where one is set up.
    """

    store: Store
    settings: Settings
    platforms: Mapping[str, Platform]
    drafting: Drafting
    clock: Clock
    wake: Callable[[], None] = field(default=_do_nothing)
    late_drafts: LateDrafts | None = None

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
            is_allowed = may_suggest(view.mention.feed_platform or view.mention.platform)
            route: Route = "by_hand" if view.mention.url else "none"
            return Capability(route, reason, view.mention.url, may_suggest=is_allowed)
        capability = platform.capability(view.mention)
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

    def suggested(self, view: CardView, number: int = 0) -> Suggested:
        """Return the suggestions for a conversation: the same ones each time it is asked; where none, the reason.

        `number` names those that an open modal began with. Nothing that comes back from Slack says what was suggested;
        it is found again in what is stored.
        """
        reason = self._why_none(view)
        if reason:
            return Suggested(Drafts(reason=reason))
        return self.drafting.suggested(view, lambda text: self.shape(text, view), self.now(), number)

    def hand_to(self, view: CardView) -> HandTo | None:
        """Return whom the playbook would hand a conversation to."""
        return who_takes_over(view.mention, view.assessment, self.drafting.playbook)

    def _why_none(self, view: CardView) -> str:
        """Return why nothing may be suggested, whatever the playbook says; '' where it may."""
        if view.is_removed:
            return _REMOVED
        if not self.settings.may_suggest(view.mention.feed):
            return _SWITCHED_OFF
        is_allowed = may_suggest(view.mention.platform) and self.capability(view).may_suggest
        return "" if is_allowed else _HOUSE_RULE
