"""For how long a conversation can be put aside, pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

SNOOZE_LABELS: Mapping[str, str] = {
    "1h": "For 1 hour",
    "4h": "For 4 hours",
    "tomorrow": "Until tomorrow",
    "monday": "Until Monday",
}
_HOURS = {"1h": 1, "4h": 4}
_MONDAY = 0


def snooze_until(choice: str, now: datetime, zone: ZoneInfo, morning: time) -> datetime | None:
    """Return when a conversation put aside now comes back, or None for a choice that is not on the menu.

    Tomorrow and Monday mean the team's local `morning`, the hour of its digest, whatever the clocks do that night.
    """
    if choice in _HOURS:
        return now + timedelta(hours=_HOURS[choice])
    if choice not in SNOOZE_LABELS:
        return None
    today = now.astimezone(zone).date()
    days = 1 if choice == "tomorrow" else (_MONDAY - today.weekday()) % 7 or 7
    local = datetime.combine(today + timedelta(days=days), morning, tzinfo=zone)
    return local.astimezone(UTC)
