"""Times as people say them: '4 minutes ago'. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60))


def say_length(length: timedelta) -> str:
    """Return a length of time in its largest whole unit: '2 days', '1 hour', 'less than a minute'."""
    seconds = int(length.total_seconds())
    for name, size in _UNITS:
        count = seconds // size
        if count >= 1:
            return f"{count} {name}" if count == 1 else f"{count} {name}s"
    return "less than a minute"


def say_moment(moment: datetime) -> str:
    """Return a moment in UTC, as where nobody's time zone is known: '1 December 00:00 UTC'."""
    there = moment.astimezone(UTC)
    return f"{there.day} {there:%B %H:%M} UTC"


def say_ago(then: datetime, now: datetime) -> str:
    """Return how long ago it was: '4 minutes ago', or 'just now' within a minute."""
    length = now - then
    return "just now" if length < timedelta(minutes=1) else f"{say_length(length)} ago"
