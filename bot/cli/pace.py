"""Says how much is heard in a usual day, and where the line stands."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.store import Store


def say_pace(store: Store, settings: Settings | None) -> list[str]:
    """Return what the line is learned from, and where it stands; nothing before there is something to learn from."""
    from bot.config import CardSettings, DigestSettings
    from bot.line import start_of_day
    from bot.store.volume import pace_of, spent_on, volume_of
    from bot.volume import say_stand

    now, timezone = datetime.now(UTC), (settings.digest if settings else DigestSettings()).timezone
    per_day = (settings.cards if settings else CardSettings()).per_day
    with store.snapshot() as db:
        pace = pace_of(db, now)
        volume = volume_of(db, per_day, timezone, now)
        spent = spent_on(db, start_of_day(now, timezone))
    if pace is None:
        return []
    heard = f"Heard: in a usual day {_some(pace.heard)} posts, of which {_some(pace.candidates)} need a reply"
    cards = f"{_some(pace.cards)} become cards; the budget is {per_day}."
    return [f"{heard} and {cards}", f"Line: {say_stand(volume.stand(now, spent.total(), spent))}"]


def _some(number: float) -> str:
    """Return a number as people say it: 1,043, or 0.4."""
    return f"{number:,.0f}" if number >= 10 or not number else f"{number:.1f}"
