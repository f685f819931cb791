"""The words of a brand's world that rows of `cuecard rank` may bring: `about` and `not_about`, as in the settings.

A row keeps them as the name of a watch of its own, so that nothing has to be remembered between rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

from bot.watch_words import check_number, check_word, mistakes_of
from listeners.mention import Mention
from listeners.rows import Refusal, number_rows
from listeners.text import decode_json
from nlp.relevance import Context

_BOM: Final = b"\xef\xbb\xbf"
_LISTS: Final = ("about", "not_about")
_KEPT: Final = 256


def read_rows_with_worlds(lines: Iterable[bytes], place: str) -> Iterator[Mention | Refusal]:
    """Yield what `listeners.rows.read_rows` does; a mention whose row names words of its world has them as its watch.

    A row whose words cannot be used is refused. Only rows of JSON can have lists.
    """
    held: dict[int, bytes] = {}
    for number, row in number_rows(_hold(lines, held), place):
        raw = held.pop(number, b"")
        if not raw or isinstance(row, Refusal):
            yield row
            continue
        try:
            yield _with_world(row, raw)
        except ValueError as err:
            yield Refusal(place, number, f"{err}.")


def contexts_of(mentions: Sequence[Mention]) -> Mapping[str, Context]:
    """Return the worlds that mentions brought, prepared; the last few are kept."""
    return {watch: _prepare(watch) for mention in mentions for watch in mention.watches}


def _hold(lines: Iterable[bytes], held: dict[int, bytes]) -> Iterator[bytes]:
    """Pass lines on, and hold those that may name words until their row was read."""
    for number, line in enumerate(lines, start=1):
        if b'about"' in line and line.removeprefix(_BOM).lstrip().startswith(b"{"):
            held[number] = line
        yield line


def _with_world(mention: Mention, raw: bytes) -> Mention:
    row = decode_json(raw.removeprefix(_BOM).strip())
    assert isinstance(row, dict), "it was read as a mention"
    about, not_about = (_read_words(row.get(key), key) for key in _LISTS)
    for place, what in mistakes_of(0, about, not_about, mention.brand):
        raise ValueError(f"{place[2]}: {what}")
    return replace(mention, watches=(json.dumps([mention.brand, about, not_about]),)) if about else mention


def _read_words(told: object, key: str) -> tuple[str, ...]:
    """Return a list of words of a row.

    Raises:
        ValueError: it is none, or one of them cannot be used.
    """
    if told is None:
        return ()
    if not isinstance(told, list) or not all(isinstance(word, str) for word in told):
        raise ValueError(f"{key} must be a list of words")
    try:
        return check_number(tuple(check_word(word) for word in told))
    except ValueError as err:
        raise ValueError(f"{key}: {err}") from None


@lru_cache(maxsize=_KEPT)
def _prepare(watch: str) -> Context:
    brand, about, not_about = json.loads(watch)
    return Context(brand, about, not_about)
