"""What a request to a webhook holds: rows that are mentions, removals, and what is neither.

The body is one JSON object, a list of them, or one a line. An object is a row in the columns of `listeners.rows`, or

    {"removals": [{"platform": "forum", "id": "17"}, {"platform": "forum", "author": "jane"}]}
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from listeners.mention import Mention, Removal
from listeners.rows import Refusal, number_rows
from listeners.text import decode_json, whole_characters

_ONE_OF_THEM: Final = "a removal names either the id of a post or an author."


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a row that says nothing of it gets: the `feed`, the `platform` it was posted on, and the time `now`."""

    feed: str
    platform: str
    now: Callable[[], datetime]


@dataclass(slots=True)
class Told:
    """What one request told; `refused` has the number of each row, counted from 1, and why it is none."""

    mentions: list[Mention] = field(default_factory=list)
    removals: list[Removal] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Unreadable:
    """Stands where no value could be read, with the reason."""

    reason: str


class _RemovalRefused(Exception):  # noqa: N818 - reads as what happened
    """Why something is no removal."""


def read_body(body: bytes, defaults: Defaults) -> Told:
    """Read a request's body; what cannot be read is told by its number, and keeps nothing else from being read."""
    told = Told()
    for number, item in _items(body):
        if isinstance(item, _Unreadable):
            told.refused.append((number, item.reason))
        elif isinstance(item, dict) and "removals" in item and "text" not in item:
            _add_removals(item["removals"], number, defaults, told)
        else:
            _add_row(item, number, defaults, told)
    return told


def _items(body: bytes) -> Iterator[tuple[int, object]]:
    """Yield what the body holds, each with its number: the one value, those of a list, or one a line."""
    whole = _decode(body)
    if isinstance(whole, list):
        yield from enumerate(whole, start=1)
        return
    lines = [(number, line) for number, line in enumerate(body.splitlines(), start=1) if line.strip()]
    if isinstance(whole, _Unreadable) and len(lines) > 1:
        yield from ((number, _decode(line)) for number, line in lines)
    else:
        yield 1, whole


def _decode(data: bytes) -> object:
    try:
        return decode_json(data)
    except ValueError as err:
        return _Unreadable(f"{err}.")


def _add_row(item: object, number: int, defaults: Defaults, told: Told) -> None:
    """Read one row as `cuecard replay` reads a line of a file."""
    if isinstance(item, dict) and not str(item.get("platform") or "").strip():
        item = {**item, "platform": defaults.platform}
    line = json.dumps(item).encode("ascii")
    for _line, row in number_rows([line], "", feed=defaults.feed, now=defaults.now):
        if isinstance(row, Refusal):
            told.refused.append((number, row.reason))
        else:
            told.mentions.append(row if _is_web(row.url) else replace(row, url=""))


def _is_web(url: str) -> bool:
    return url.startswith(("https://", "http://"))


def _add_removals(value: object, number: int, defaults: Defaults, told: Told) -> None:
    if not isinstance(value, list):
        told.refused.append((number, "removals must be a list."))
        return
    for each in value:
        try:
            told.removals.append(_read_removal(each, defaults))
        except _RemovalRefused as err:
            told.refused.append((number, str(err)))


def _read_removal(value: object, defaults: Defaults) -> Removal:
    if not isinstance(value, dict):
        raise _RemovalRefused(_ONE_OF_THEM)
    native_id, author = _read_name(value, "id"), _read_name(value, "author").lstrip("@")
    if bool(native_id) is bool(author):
        raise _RemovalRefused(_ONE_OF_THEM)
    platform = _read_name(value, "platform") or defaults.platform
    return Removal(platform, defaults.now(), native_id=native_id, author=author)


def _read_name(value: Mapping[str, object], key: str) -> str:
    """Return an id or a name as `listeners.rows` keeps it, so that both are the same."""
    found = value.get(key)
    if found is None:
        return ""
    if isinstance(found, bool) or not isinstance(found, str | int):
        raise _RemovalRefused(f"{key} must be text or a whole number.")
    name = whole_characters(str(found)).strip()
    return name if key == "id" else " ".join(name.split())
