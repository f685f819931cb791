"""Deciding from an event's raw bytes that no watch can match it, before its JSON is read.

Of a firehose hardly any event is wanted, and reading JSON costs more than all the rest. So each term that the watches
need lends one piece of it, its needle, to an automaton that reads only the bytes of the event's "text". A needle holds
nothing that folding takes away or that JSON must escape, so where it is missing, the term is missing, unless the text
holds a sign that is compared as something else: an accented letter, a full-width form, a variation selector. Those
signs are in the automaton too. Where one turns up, the text is looked at a second time, in its plainest form, and where
that cannot settle it the event is let through.

What is let through is read and matched exactly by whoever receives it: a `Sieve` only ever holds back what
`Watches.match` would not match. It relies on one thing: within one event an encoder writes the same key in the same
way, with or without escapes in it, with or without spaces around its colon.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable
from functools import cache
from typing import Final

import orjson
from ahocorasick_rs import BytesAhoCorasick

from listeners.match import fold, folded_characters, without_unseen
from listeners.query import Watches

_COMPACT_KEY: Final = b'"text":"'
_SPACED_KEY: Final = re.compile(rb'"text"\s*:\s*"')
_AUTHOR: Final = re.compile(rb'"did"\s*:\s*"([^"]*)"')
_BACKSLASH: Final = 0x5C
_LATIN: Final = b"\xc3"
"""Begins most accented letters: a text with one needs the second look anyway, so it is spared the first."""
_PLAIN_RUN: Final = re.compile("[a-z0-9]+|[^\x00-\x7f\\s]+")
_SIGNED_RUN: Final = re.compile(r"""[^\s"'\\/<>&\x00-\x20\x7f-\U0010ffff-]+""")
_LONG_ENOUGH: Final = 4
"""Bytes of a needle. A shorter one turns up by chance, so signs beside its letters are taken in as well."""
_WHOLE_BLOCK: Final = 48
"""Of 64 characters that share all but their last byte, this many are found by what they share."""
_folded_characters: Final = cache(folded_characters)


class Sieve:
    """Holds back the events of a firehose that no watch can match."""

    def __init__(self, watches: Watches, authors: Collection[str] = ()) -> None:
        """Take the watches, and the ids (DIDs) of the authors whose every post must be looked at."""
        self._authors = frozenset(author.encode() for author in authors)
        needles = {choose_needle(fold(term)) for term in watches.terms}
        self._is_open = "" in needles
        self._is_wide = not all(needle.isascii() for needle in needles)
        hard, soft = _find_signs(needles)
        decisive = [*(needle.encode() for needle in needles if needle), *_shorten(hard)]
        self._decisive = len(decisive)
        self._find_decisive = BytesAhoCorasick(decisive).find_matches_as_indexes
        self._find_any = BytesAhoCorasick([*decisive, *_shorten(soft)]).find_matches_as_indexes

    def passes(self, raw: bytes) -> bool:
        """Whether an event (JSON in UTF-8) must be read; False only where no watch can match its "text".

        Events without a text, such as deletions, and those that are too unusual to be judged so, pass.
        """
        if self._is_open or (self._authors and self._is_by_author(raw)):
            return True
        text = _find_text(raw)
        if text is None:
            return True
        if _LATIN not in text:
            hits = self._find_any(text.lower(), True)  # noqa: FBT003 - overlapping
            if not hits:
                return False
            if min(hits)[0] < self._decisive:
                return True
        return self._may_hold(text)

    def _may_hold(self, text: bytes) -> bool:
        """Look a second time: whether a needle may stand in a text without its accents and unseen signs."""
        latin = text.translate(_latin_letters(), _LATIN)
        if latin.isascii():
            return bool(self._find_decisive(latin))
        try:
            decoded = text.decode()
        except UnicodeDecodeError:
            return True
        plain = _strip(decoded) + text.lower()
        if self._is_wide:
            plain += without_unseen(decoded).encode().lower()
        return bool(self._find_decisive(plain))

    def _is_by_author(self, raw: bytes) -> bool:
        return not self._authors.isdisjoint(_AUTHOR.findall(raw))


def _find_text(raw: bytes) -> bytes | None:
    """Return an event's one member named "text" as UTF-8; None where it takes a parser to tell.

    Escapes that cannot be part of a needle, such as that of a line's end, may be left in it.
    """
    parts = raw.split(_COMPACT_KEY, 2)
    if len(parts) != 2:
        parts = _SPACED_KEY.split(raw, 2)
        if len(parts) != 2:
            return None
    text, quote, _ = parts[1].partition(b'"')
    if b"\\" in text:
        if text.endswith(b"\\"):
            text, quote = _read_on(parts[1])
        if b"\\u" in text:
            return _unescape(text)
    return text if quote else None


def _read_on(rest: bytes) -> tuple[bytes, bytes]:
    """Return a string up to the quote that ends it, and that quote; quotes that are escaped belong to the string."""
    end = rest.find(b'"')
    while end >= 0:
        start = end
        while start and rest[start - 1] == _BACKSLASH:
            start -= 1
        if (end - start) % 2 == 0:
            return rest[:end], b'"'
        end = rest.find(b'"', end + 1)
    return rest, b""


@cache
def _latin_letters() -> bytes:
    """Return what each byte of UTF-8 folds to where it is ASCII, or belongs to a letter that begins with `_LATIN`.

    A letter that folds to more than one is left as it is.
    """
    folded = [fold(chr(code)) for code in range(256)]
    letters = [sign.encode() if len(sign) == 1 and sign.isascii() else b"\xff" for sign in folded]
    return bytes(range(128)).lower() + b"".join(letters[0xC0:]) + bytes(range(0xC0, 0x100))


def _unescape(text: bytes) -> bytes | None:
    """Return a JSON string without its escapes; None where it is broken, or can not be written in UTF-8."""
    try:
        unescaped: str = orjson.loads(b'"%b"' % text)
    except orjson.JSONDecodeError:
        return None
    return unescaped.encode()


def choose_needle(term: str) -> str:
    """Return a piece of a folded term that stands in every folded text the term stands in; '' where there is none.

    It is all ASCII or has none of it, and has no mark that could change places with another.
    """
    whole = "".join(" " if unicodedata.combining(sign) else sign for sign in term)
    plain = max(_PLAIN_RUN.findall(whole), key=_size, default="")
    return plain if _size(plain) >= _LONG_ENOUGH else max([plain, *_SIGNED_RUN.findall(whole)], key=_size)


def _size(run: str) -> int:
    return len(run.encode())


def _find_signs(needles: Iterable[str]) -> tuple[set[str], set[str]]:
    """Return the characters that could be part of a needle in disguise, or stand unseen inside it.

    The first are those that only exact matching can judge, the second those that a second look can.
    """
    letters = set[str]().union(*needles)
    narrow = {letter for letter in letters if letter.isascii()}
    wide = letters - narrow
    added = {part for letter in wide for part in unicodedata.normalize("NFD", letter)[1:]}  # make a letter another one
    wide |= added
    hard, soft = set(added), set[str]()
    for sign, folded in _folded_characters().items():
        if not wide.isdisjoint(folded) or (wide and not folded and without_unseen(sign)):
            hard.add(sign)
        elif not folded or not narrow.isdisjoint(folded):
            (soft if _strip(sign) == _ascii(folded) else hard).add(sign)
    return hard, soft


def _strip(text: str) -> bytes:
    """Return the ASCII that is in a text, in order and in small letters, with every character in its plainest form."""
    return _ascii(unicodedata.normalize("NFKD", text.replace("ß", "ss"))).lower()


def _ascii(text: str) -> bytes:
    return text.encode("ascii", "ignore")


def _shorten(signs: Iterable[str]) -> list[bytes]:
    """Return few patterns that find at least these characters."""
    blocks: dict[bytes, list[bytes]] = defaultdict(list)
    for sign in signs:
        coded = sign.encode()
        blocks[coded[:-1]].append(coded)
    return [
        pattern
        for block, members in blocks.items()
        for pattern in ([block] if len(members) >= _WHOLE_BLOCK else members)
    ]
