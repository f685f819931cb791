"""The text as the model reads it, and where each of its code points stood in the mention.

A model copy is always clean (no NUL, no lone surrogate, which spaCy can not hash), bounded and as long as what it
copies, so that a span found in it can be told in code points of the original.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

HEAD = 3_000
TAIL = 1_000
_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_BREAK = "\n"


@dataclass(frozen=True, slots=True)
class ModelText:
    """What the model reads of a mention: its title, then the head and the tail of its text."""

    text: str
    title_end: int
    cut_start: int
    cut_size: int

    def original_span(self, start: int, end: int) -> tuple[int, int] | None:
        """Tell a span of the model text in code points of the mention's text; None where it is not a place in it."""
        if start < self.title_end:
            return None
        if start < self.cut_start < end:
            return None
        shift = (self.cut_size if start >= self.cut_start else 0) - self.title_end
        return start + shift, end + shift


def read(text: str, title: str = "") -> ModelText:
    """Return the model's copy of a mention: all of it, or its first 3,000 and last 1,000 code points."""
    lead = f"{title[:HEAD]}{_BREAK}" if title else ""
    body, cut_size = text, 0
    if len(text) > HEAD + TAIL:
        body = f"{text[:HEAD]}{_BREAK}{text[-TAIL:]}"
        cut_size = len(text) - len(body)
    cut_start = len(lead) + HEAD + 1 if cut_size else len(lead) + len(body) + 1
    return ModelText(_UNREADABLE.sub(_cover, lead + body), len(lead), cut_start, cut_size)


def _cover(match: re.Match[str]) -> str:
    return "\ufffd" if match[0] >= "\ud800" else " "
