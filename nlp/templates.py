"""Templates: a team's sentences with slots, filled by name and by nothing else.

A slot is `{first_name}`, `{brand}`, `{handle}` or `{link.NAME}`, where NAME is one of the playbook's own links. It
reaches no attribute, index, call or format, and a value that is put in is never read for slots itself. So there is
nothing that could loop or grow: a filled text is at most as long as its template and its few short values.
"""

from __future__ import annotations

import re
import string
from collections.abc import Collection, Mapping
from functools import lru_cache

SLOTS = ("first_name", "brand", "handle")
LINK = "link."
_IN_BRACKETS = re.compile(r"\[[^\[\]]*\]")
_BETWEEN = re.compile(r"(?<=[.!?])\s+")
_SIGNS = re.compile(r"[\W_]+")


def slots_of(text: str, links: Collection[str] = ()) -> frozenset[str]:
    """Return the names of the slots in `text`.

    Raises:
        ValueError: a brace is left open, or a slot is more than a known name.
    """
    known = {*SLOTS, *(f"{LINK}{name}" for name in links)}
    found = set()
    for _, name, form, conversion in string.Formatter().parse(text):
        if name is None:
            continue
        if name not in known or form or conversion:
            raise ValueError(name)
        found.add(name)
    return frozenset(found)


@lru_cache(maxsize=4_000)
def needed_slots(text: str) -> frozenset[str]:
    """Return the names of the slots of a checked text."""
    return frozenset(name for _, name in _parts_of(text) if name is not None)


def fill(text: str, values: Mapping[str, str]) -> str:
    """Fill the slots of a checked text; a value is put in as it is and never read for slots itself."""
    return "".join(literal + (values[name] if name is not None else "") for literal, name in _parts_of(text))


@lru_cache(maxsize=4_000)
def without_gaps(text: str) -> str:
    """Return the words of a filled text outside its gaps, in lower case."""
    return reduce(_IN_BRACKETS.sub(" ", text))


def say_again(text: str) -> str:
    """Write plain words as a template that fills to them: braces are doubled."""
    return text.replace("{", "{{").replace("}", "}}")


@lru_cache(maxsize=4_000)
def spoken_sentences(text: str) -> tuple[tuple[str, ...], ...]:
    """Return what a template says whoever it is said to, sentence by sentence.

    Of each sentence come the words between its slots and gaps, reduced for comparison; none of a single word.
    """
    told = [_pieces(sentence) for sentence in _BETWEEN.split(_open_holes(text))]
    return tuple(pieces for pieces in told if sum(len(piece.split()) for piece in pieces) > 1)


@lru_cache(maxsize=4_000)
def spoken_words(text: str) -> str:
    """Return the words of a template outside its slots and gaps: with a name and without it says the same."""
    return reduce(_open_holes(text))


@lru_cache(maxsize=4_000)
def reduce(text: str) -> str:
    """Return the words of `text` in lower case, one space between them."""
    return _SIGNS.sub(" ", text.casefold()).strip()


def has_word(text: str, word: str) -> bool:
    """Say whether `word` (or phrase) stands in `text` whole, whatever the case; a final '*' takes any ending."""
    return count_words(text, (word,)) > 0


def count_words(text: str, words: tuple[str, ...]) -> int:
    """Count how many different words (or phrases) of `words` stand in `text`; see `has_word`."""
    if not words:
        return 0
    folded = text.casefold()
    seen = tuple(word for word, letters in _fold(words) if letters in folded)
    return len(set(_compile(seen).findall(folded))) if seen else 0


def _open_holes(text: str) -> str:
    """Return a checked text with a NUL in the place of every slot and gap."""
    bare = "".join(literal if name is None else f"{literal}\0" for literal, name in _parts_of(text))
    return _IN_BRACKETS.sub("\0", bare)


def _pieces(sentence: str) -> tuple[str, ...]:
    return tuple(reduced for piece in sentence.split("\0") if (reduced := reduce(piece)))


@lru_cache(maxsize=4_000)
def _parts_of(text: str) -> tuple[tuple[str, str | None], ...]:
    return tuple((literal, name) for literal, name, _, _ in string.Formatter().parse(text))


@lru_cache(maxsize=4_000)
def _fold(words: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return the words in lower case, each once and with its letters alone, the longest first: phrases before parts."""
    forms = sorted({word.casefold() for word in words if word.rstrip("*")}, key=lambda word: (-len(word), word))
    return tuple((form, form.rstrip("*")) for form in forms)


@lru_cache(maxsize=4_000)
def _compile(words: tuple[str, ...]) -> re.Pattern[str]:
    """Compile folded words into one pattern; only those whose letters stand in the text, so it is always small."""
    spelled = [re.escape(word.rstrip("*")) + ("" if word.endswith("*") else r"(?!\w)") for word in words]
    return re.compile(rf"(?<!\w)(?:{'|'.join(spelled)})")
