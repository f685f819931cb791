"""Text that SQLite cannot hold as text: lone surrogates cannot be UTF-8, and a NUL ends a word for its functions.

Such text stands in its TEXT column with U+FFFD in their place, to be searched, and as a blob, exactly.
"""

from __future__ import annotations

import re

_UNFIT = re.compile("[\x00\ud800-\udfff]")


def is_fit(text: str) -> bool:
    """Return whether SQLite holds the text as it is."""
    return "\x00" not in text if text.isascii() else _UNFIT.search(text) is None


def plain(text: str) -> str:
    """Return the text as SQLite can hold and search it. For every column that has no exact twin."""
    if text.isascii() and "\x00" not in text:  # nearly always, and much quicker to tell
        return text
    return _UNFIT.sub("\ufffd", text)


def exact(text: str) -> bytes | None:
    """Return what the blob column holds: the text exactly, or None where the plain text is exact."""
    return None if is_fit(text) else text.encode("utf-8", "surrogatepass")


def whole(text: str, blob: bytes | None) -> str:
    """Return the text as it was given, from its two columns."""
    return text if blob is None else blob.decode("utf-8", "surrogatepass")
