"""Where in a TOML file a setting stands, so that a mistake can be named with its line. Pure."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator

Place = tuple[str | int, ...]
"""A setting's path, such as ('digest', 'at') or ('watch', 1, 'query')."""

_HEADER = re.compile(r"\s*(?P<brackets>\[\[?)(?P<name>[^\[\]]+)\]\]?\s*(?:#.*)?$")
_BARE = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_KEY = re.compile(rf"\s*(?P<name>{_BARE}(?:\s*\.\s*{_BARE})*)\s*=")
_PART = re.compile(_BARE)


def line_of(text: str, place: Place) -> int | None:
    """Return the 1-based line of a setting, or of the nearest table around it; None where neither stands there."""
    lines: dict[Place, int] = {}
    for found, line in _walk(text):
        lines.setdefault(found, line)
    for length in range(len(place), 0, -1):
        if place[:length] in lines:
            return lines[place[:length]]
    return None


def name_of(place: Place) -> str:
    """Return a setting's path as people write it: '[digest] at', '[[watch]] number 2, query', 'playbook'."""
    if not place:
        return ""
    if len(place) == 1:
        return str(place[0])
    if isinstance(place[1], int):
        rest = "".join(f", {part}" for part in place[2:] if isinstance(part, str))
        return f"[[{place[0]}]] number {place[1] + 1}{rest}"
    depth = 2 if place[0] == "feed" else 1
    table = ".".join(str(part) for part in place[:depth])
    key = ".".join(str(part) for part in place[depth:] if isinstance(part, str))
    return f"[{table}] {key}".strip()


def _walk(text: str) -> Iterator[tuple[Place, int]]:
    """Yield every table and key with its line; what stands inside a multi-line string is not a key."""
    table: Place = ()
    seen: Counter[Place] = Counter()
    closes_with = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if closes_with:
            closes_with = "" if line.count(closes_with) % 2 else closes_with
            continue
        if header := _HEADER.match(line):
            table = _parts(header["name"])
            if header["brackets"] == "[[":
                seen[table] += 1
                table = (*table, seen[table] - 1)
            yield table, number
        elif key := _KEY.match(line):
            yield (*table, *_parts(key["name"])), number
        closes_with = next((mark for mark in ('"""', "'''") if line.count(mark) % 2), "")


def _parts(dotted: str) -> Place:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))


def syntax_problem(error: tomllib.TOMLDecodeError) -> str:
    """Return one sentence for text that is not TOML, with its line and column as far as they are told."""
    message = str(error)
    reason, _, where = message.partition(" (at ")
    where = where.rstrip(")")
    return f"{where}: {reason[:1].lower()}{reason[1:]}" if where else f"{reason[:1].lower()}{reason[1:]}"
