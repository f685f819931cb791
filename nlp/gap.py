"""Gaps: the bracketed parts of a suggestion that only a person can fill. Pure text; loads no model."""

from __future__ import annotations

import re
import unicodedata

# A markdown link is a person's own words, not a gap: `[the guide](https://…)`.
_GAP = re.compile(r"\[([^\[\]]*)\](?!\(\s*(?:https?://|mailto:))", re.IGNORECASE)
_KEYCAP = re.compile("[0-9#*]\ufe0f?\u20e3")
_SPOKEN = ("L", "N", "M")


def open_gaps(text: str) -> list[str]:
    """Return every open gap of `text`, brackets included, in order.

    Full-width brackets count like plain ones. Brackets without a letter inside (`[1]`, `[…]`, `[ ]`) are no gap, and
    neither is the label of a markdown link.
    """
    return [match[0] for match in _find_gaps(unicodedata.normalize("NFKC", text))]


def is_unchanged(text: str, suggestion: str) -> bool:
    """Say whether `text` is still the suggestion: equal but for space, case, punctuation or emoji (after NFKC).

    Taking the brackets off a gap, or deleting the gap and adding nothing, changes nothing: no person has spoken yet.
    An empty suggestion is never 'unchanged'.
    """
    if not suggestion.strip():
        return False
    return _same_words(suggestion).fullmatch(_reduce(text)) is not None


def _find_gaps(normal: str) -> list[re.Match[str]]:
    return [match for match in _GAP.finditer(normal) if any(char.isalpha() for char in match[1])]


def _same_words(suggestion: str) -> re.Pattern[str]:
    normal = unicodedata.normalize("NFKC", _without_emoji(suggestion))
    parts: list[str] = []
    end = 0
    for match in _find_gaps(normal):
        parts += [re.escape(_reduce(normal[end : match.start()])), f"(?:{re.escape(_reduce(match[1]))})?"]
        end = match.end()
    parts.append(re.escape(_reduce(normal[end:])))
    return re.compile("".join(parts))


def _reduce(text: str) -> str:
    normal = unicodedata.normalize("NFKC", _without_emoji(text))
    folded = unicodedata.normalize("NFKC", normal.casefold())
    return "".join(char for char in folded if unicodedata.category(char)[0] in _SPOKEN and not _is_joiner(char))


def _without_emoji(text: str) -> str:
    """Drop symbols before NFKC, which would turn some of them into letters (™, Ⓜ)."""
    return "".join(" " if unicodedata.category(char) == "So" else char for char in _KEYCAP.sub(" ", text))


def _is_joiner(char: str) -> bool:
    return unicodedata.category(char) == "Me" or "\ufe00" <= char <= "\ufe0f"
