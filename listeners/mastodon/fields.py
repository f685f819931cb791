"""Reading the fields of what a Mastodon server tells; any may be missing, null, or not what it should be."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from listeners.text import whole_characters

Fields = Mapping[str, object]


def text_of(told: Fields, key: str) -> str:
    """Return a field as text without space around it, an id that is a number too; '' where there is none."""
    value = told.get(key)
    is_text = isinstance(value, str | int) and not isinstance(value, bool)
    return whole_characters(str(value)).replace("\0", "").strip() if is_text else ""


def count_of(told: Fields, key: str) -> int:
    """Return a field as a number that is not negative; 0 where there is none."""
    value = told.get(key)
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**15
    return value if isinstance(value, int) and is_count else 0


def moment_of(told: Fields, key: str) -> datetime | None:
    """Return a field as a time in UTC; None where there is none that can be read."""
    value = told.get(key)
    try:
        moment = datetime.fromisoformat(value.strip()) if isinstance(value, str) else value
        if not isinstance(moment, datetime):
            return None
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def part_of(told: Fields, key: str) -> Fields:
    """Return a field that holds fields itself; {} where there is none."""
    value = told.get(key)
    return value if isinstance(value, Mapping) else {}


def parts_of(told: Fields, key: str) -> list[Fields]:
    """Return a field that is a list of such; [] where there is none."""
    value = told.get(key)
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
