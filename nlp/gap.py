"""Gaps: the bracketed parts of a suggestion that only a person can fill. Pure text; loads no model."""

from __future__ import annotations

import re
import unicodedata

import regex

# A markdown link is a person's own words, not a gap: `[the guide](https://…)`.
_LINKED = re.compile(r"\(\s*(?:https?://|mailto:)", re.IGNORECASE)
_EMOJI_OF_LETTERS = re.compile("[0-9#*]\ufe0f?\u20e3|\u2139")
_UNSEEN = regex.compile(r"\p{Default_Ignorable_Code_Point}")
_SPOKEN = ("L", "N", "M")
_SQUARE = str.maketrans("⁅⁆⟦⟧⦋⦌⦍⦎⦏⦐〚〛⹕⹖⹗⹘", "[][][][][][][][]")
_OPENING, _CLOSING = r"[\[{<⟨〈【〖〔❲]", r"[\]}>⟩〉】〗〕❳]"  # noqa: RUF001 - each is meant
_LOOKALIKES = str.maketrans("авекмнорстухіјѕһԁαβεζηικμνορτυχıɑɡ", "abekmhopctyxijshdabezhikmnoptyxiag")
"""Small letters of other scripts, for the Latin ones that they, or their capitals, cannot be told from."""


def open_gaps(text: str, suggestion: str = "") -> list[str]:
    """Return every open gap of `text`, brackets included, in order; of nested ones the innermost.

    Full-width and other square brackets count like plain ones. Brackets without a letter inside (`[1]`, `[…]`, `[ ]`)
    are no gap, and neither is the label of a markdown link. The gaps of the `suggestion` that the text began with are
    open also where their words stand in other brackets, or have kept only one.
    """
    normal = unicodedata.normalize("NFKC", text.translate(_SQUARE))
    found = [normal[start:end] for start, end in _find_gaps(normal)]
    return found or [gap for gap in (open_gaps(suggestion) if suggestion else ()) if _is_left(gap, normal)]


def is_unchanged(text: str, suggestion: str) -> bool:
    """Say whether `text` is still the suggestion: equal but for space, case, punctuation or emoji (after NFKC).

    Taking the brackets off a gap, or deleting the gap and adding nothing, changes nothing: no person has spoken yet.
    Neither do characters that nobody sees, or cannot tell from those that stood there. An empty suggestion is never
    'unchanged'.
    """
    if not suggestion.strip():
        return False
    return _same_words(suggestion).fullmatch(_reduce(text)) is not None


def _find_gaps(normal: str) -> list[tuple[int, int]]:
    """Return where the gaps begin and end."""
    found: list[tuple[int, int]] = []
    opened: list[int] = []
    for at, char in enumerate(normal):
        if char == "[":
            opened.append(at)
        elif char == "]" and opened:
            start = opened.pop()
            holds_another = bool(found) and found[-1][0] > start
            if not holds_another and any(map(str.isalpha, normal[start:at])) and not _LINKED.match(normal, at + 1):
                found.append((start, at + 1))
    return found


def _is_left(gap: str, normal: str) -> bool:
    """Return whether a gap's words stand in a text with a bracket, of whatever kind, still beside them."""
    words = r"[\W_]+".join(re.escape(word) for word in re.findall(r"[^\W_]+", gap.casefold()))
    seen = _UNSEEN.sub("", normal.casefold())
    return re.search(rf"{_OPENING}\s*{words}\b|\b{words}\s*{_CLOSING}", seen) is not None


def _same_words(suggestion: str) -> re.Pattern[str]:
    normal = unicodedata.normalize("NFKC", _without_emoji(suggestion).translate(_SQUARE))
    parts: list[str] = []
    last = 0
    for start, end in _find_gaps(normal):
        parts += [re.escape(_reduce(normal[last:start])), f"(?:{re.escape(_reduce(normal[start:end]))})?"]
        last = end
    parts.append(re.escape(_reduce(normal[last:])))
    return re.compile("".join(parts))


def _reduce(text: str) -> str:
    """Return what a text says: its letters and numbers, alike where they look alike."""
    normal = unicodedata.normalize("NFKC", _without_emoji(text))
    folded = _UNSEEN.sub("", unicodedata.normalize("NFKC", normal.casefold()))
    spoken = (char for char in folded if (kind := unicodedata.category(char))[0] in _SPOKEN and kind != "Me")
    return "".join(spoken).translate(_LOOKALIKES)


def _without_emoji(text: str) -> str:
    """Drop symbols before NFKC, which would turn some of them into letters (™, Ⓜ)."""
    plain = _EMOJI_OF_LETTERS.sub(" ", text)
    return "".join(" " if unicodedata.category(char) == "So" else char for char in plain)
