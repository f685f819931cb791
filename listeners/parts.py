"""A reply that is too long for one post, cut into the posts of a thread. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import regex

MOST_PARTS: Final = 10
_FEW_WORDS: Final = 3
_CLOSERS: Final = r"""[\p{Pe}\p{Pf}"']*"""
_PARAGRAPH, _LINE, _SENTENCE, _WORD = 0.0, 0.1, 0.2, 0.6
"""What a cut costs, beside its distance from where the parts would be even, counted in parts."""
_BREAK: Final = regex.compile(rf"[\s\x1c-\x1f]+|(?<=[\u3002\uff01\uff1f\uff61]{_CLOSERS})(?=\w)")
"""Where a text may be cut: at white space, and after a sentence of a script that writes none."""
_FIRM: Final = regex.compile(r"[[\s\x1c-\x1f]--[\xa0\u2007\u202f]]", flags=regex.V1)
"""White space that does not hold its neighbours together, as a no-break space does."""
_SENTENCE_END: Final = regex.compile(rf"[\p{{Sentence_Terminal}}…]{_CLOSERS}$")
_ONE_WORD: Final = regex.compile(r"(?:://|@)\S*$")


@dataclass(frozen=True, slots=True)
class _Break:
    """A place to cut: the text before it ends at `end`, the text after it begins at `start`."""

    end: int
    start: int
    cost: float


def cut_parts(text: str, fits: Callable[[str], bool], most: int = MOST_PARTS) -> tuple[str, ...]:
    """Return the posts that a text is cut into, two to `most`, or () where it fits one post or can not be cut.

    Args:
        text: the whole reply, as the platform would post it if it were short enough.
        fits: whether a piece of it is one post; what is shorter than a piece that fits must fit too.
        most: the most posts a thread may have.

    A text is cut between paragraphs or sentences where that takes at most one post more than it must, otherwise
    between words; never inside a word, an address or a name. Nothing but white space is lost, the parts are of about
    even length, and none has one or two words where that can be avoided.
    """
    text = text.strip()
    if not text or fits(text):
        return ()
    breaks = _find_breaks(text)
    by_word = _cut(text, breaks, fits)
    by_sentence = _cut(text, [each for each in breaks if each.cost < _WORD], fits)
    wanted = [by_sentence] if by_sentence and len(by_sentence) <= len(by_word) + 1 else []
    usable = [parts for parts in (*wanted, by_word) if 1 < len(parts) <= most]
    if usable and all(map(_has_scrap, usable)):
        evened = _cut(text, [replace(each, cost=0.0) for each in breaks], fits)
        return usable[0] if _has_scrap(evened) else evened
    return next((parts for parts in usable if not _has_scrap(parts)), ())


def _find_breaks(text: str) -> list[_Break]:
    """Return every place where a text may be cut, in order, none of them inside a grapheme."""
    graphemes = {found.start() for found in regex.finditer(r"\X", text)}
    found = [(each.start(), each.end()) for each in _BREAK.finditer(text)]
    return [
        _Break(end, start, _cost(text, end, start))
        for end, start in found
        if {end, start} <= graphemes and (_FIRM.search(text, end, start) or _is_between_sentences(text, end, start))
    ]


def _is_between_sentences(text: str, end: int, start: int) -> bool:
    """Return whether a place without white space may be cut: it must not stand in an address or a name."""
    return end == start and _ONE_WORD.search(text, max(0, end - 2000), end) is None


def _cost(text: str, end: int, start: int) -> float:
    lines = text.count("\n", end, start)
    if lines:
        return _PARAGRAPH if lines > 1 else _LINE
    is_end = _SENTENCE_END.search(text, max(0, end - 8), end) is not None
    return _SENTENCE if is_end and not text[start].islower() else _WORD


def _cut(text: str, breaks: Sequence[_Break], fits: Callable[[str], bool]) -> tuple[str, ...]:
    """Return the fewest parts that fit, cut at some of `breaks` so that they are even; () where there is no way."""
    marks = [_Break(0, 0, 0.0), *breaks, _Break(len(text), len(text), 0.0)]
    last = len(marks) - 1

    def fits_between(first: int, end: int) -> bool:
        return fits(text[marks[first].start : marks[end].end])

    begins = _find_begins(last, fits_between)
    cuts = [0]
    for left in range(len(begins) - 1, 1, -1):  # parts still to be made
        before = cuts[-1]
        share = (len(text) - marks[before].start) / left
        low = max(begins[-left], before + 1)
        high = _reach(before, low, last - left + 1, fits_between)
        ideal = marks[before].start + share
        cuts.append(min(range(low, high + 1), key=lambda mark: abs(marks[mark].end - ideal) / share + marks[mark].cost))
    parts = tuple(text[marks[first].start : marks[end].end] for first, end in pairwise([*cuts, last]))
    return parts if all(fits(part) for part in parts) else ()


def _find_begins(last: int, fits: Callable[[int, int], bool]) -> list[int]:
    """Return the earliest mark at which each part can begin so that the rest still fits, then `last`.

    They are found from the end, each part as long as it can be, so there are as few as there can be. [] for no way.
    """
    found = [last]
    while found[0]:
        end = found[0]
        low, high = 0, end
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if fits(middle, end) else (middle + 1, high)
        if low == end:
            return []
        found.insert(0, low)
    return found


def _reach(first: int, low: int, high: int, fits: Callable[[int, int], bool]) -> int:
    """Return the furthest mark up to `high` that a part from `first` on can reach; `low` is in its reach."""
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(first, middle) else (low, middle - 1)
    return low


def _has_scrap(parts: Sequence[str]) -> bool:
    """Return whether a part has hardly any words, beside another that has many."""
    longest = max(map(len, parts))
    return any(len(part.split()) < _FEW_WORDS and 3 * len(part) < longest for part in parts)
