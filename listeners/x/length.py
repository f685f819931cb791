"""How long X takes a text to be: the weighted count of twitter-text, version 3.

A character counts 1 or 2, an emoji 2, a link 23, after NFC. The package `twitter_text` knows which is which
(https://docs.x.com/fundamentals/counting-characters, read in 2026).
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
import re
import sys
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Final

LINK_LENGTH: Final = 23
_LONGEST_PIECE: Final = 80
"""In longer stretches without space the package's search for links takes seconds: it tries each dot with each other."""
_SPACE: Final = re.compile(r"(\s+)")
_LINK: Final = re.compile(r"(https?://[!-~]+)", re.IGNORECASE)
_HOST: Final = re.compile(r"https?://[^/?#]+", re.IGNORECASE)
_AFTER_LINK: Final = re.compile(r"[^A-Za-z0-9=_#/+-]+$")
_REFUSED: Final = re.compile("[\ufffe\uffff\ud800-\udfff\0]")
_CASHTAG: Final = re.compile(r"(?<![\w$])\$[A-Za-z]{1,6}(?:[._][A-Za-z]{1,2})?(?![\w$])")
_loading: Final = threading.Lock()


def count_weighted(text: str) -> int:
    """Return how long X takes a text to be that is in NFC."""
    whole = _REFUSED.sub("\ufffd", text)
    return sum(_count_piece(piece) for token in _SPACE.split(whole) if token for piece in _cut(token))


def count_cashtags(text: str) -> int:
    """Return how many symbols of shares, such as $ACME, a text names."""
    return len(_CASHTAG.findall(text))


def has_link(text: str) -> bool:
    """Whether X would see a link in a text, and charge for it."""
    whole = _REFUSED.sub("\ufffd", text)
    pieces = (piece for token in _SPACE.split(whole) if "." in token for piece in _cut(token))
    return any(_library().extract_urls(piece) if _is_short(piece) else _is_long_link(piece) for piece in pieces)


def has_refused_characters(text: str) -> bool:
    """Whether a text holds characters that X takes in no post."""
    return _REFUSED.search(text) is not None


def _cut(token: str) -> Iterator[str]:
    """Cut what is too long for the package's search for links where a link with its scheme begins and ends."""
    if _is_short(token) or "." not in token:
        yield token
    else:
        yield from (piece for piece in _LINK.split(token) if piece)


def _count_piece(piece: str) -> int:
    if "." not in piece and piece.isascii():
        return len(piece)
    if _is_long_link(piece):
        after = _AFTER_LINK.search(piece)
        return LINK_LENGTH + (len(after[0]) if after else 0)
    if not _is_short(piece):
        piece = piece.replace(".", ",")  # as long, and no link to search for
    length: int = _library().parse_tweet(piece).weightedLength
    return length


def _is_short(piece: str) -> bool:
    return len(piece) <= _LONGEST_PIECE


def _is_long_link(piece: str) -> bool:
    """Whether a long piece is one link: its beginning up to the path must be a link that X knows."""
    host = None if _is_short(piece) else _HOST.match(piece)
    return host is not None and _is_short(host[0]) and bool(_library().extract_urls(host[0]))


@functools.cache
def _library() -> Any:  # noqa: ANN401 - it has no types
    """Load `twitter_text` once.

    It asks `pkg_resources`, which setuptools no longer has, for one file of its own. A stand-in that does just that is
    lent to it: an old setuptools would cost 0.2 seconds, 20 MB and a warning, and would be old.
    """
    with _loading:
        lent = ModuleType("pkg_resources")
        lent.resource_string = pkgutil.get_data  # type: ignore[attr-defined]
        is_needed = sys.modules.setdefault("pkg_resources", lent) is lent
        try:
            return importlib.import_module("twitter_text")
        finally:
            if is_needed:
                del sys.modules["pkg_resources"]
