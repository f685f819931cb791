"""Where the words of a query stand in a text, as it is written; and how that, and a place in a query, is shown."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import regex

from bot.cli.terminal import clean
from listeners.grammar import AllOf, AnyOf, Node, Query, Term, push_negations
from listeners.match import TermIndex, fold

_ON, _OFF = "\x1b[1;31m", "\x1b[0m"
_MOST: Final = 1_000  # characters that are shown of a post
_BEFORE: Final = 200  # of them, those before the first word
_CLUSTER: Final = regex.compile(r"\X")


@dataclass(frozen=True, slots=True)
class _Folded:
    """A text as it is compared, and which stretch of the written text each of its characters stands for."""

    text: str
    places: Sequence[tuple[int, int]]


class Highlighter:
    """Finds the words that a query asks for."""

    def __init__(self, query: Query) -> None:
        """Take a query; what it leaves out is not looked for."""
        words = dict.fromkeys(fold(term.text) for term in _wanted_terms(push_negations(query.root)))
        self._indexes = {word: TermIndex([word]) for word in words}

    def find(self, text: str) -> list[tuple[int, int]]:
        """Return where the words stand in a text, in order and apart from each other."""
        folded = _fold(text)
        if folded is None:
            return []
        spans = [
            (folded.places[start][0], folded.places[end - 1][1])
            for word, index in self._indexes.items()
            for start, end in _occurrences(folded.text, word, index)
        ]
        return _merge(spans)

    def show(self, text: str, *, is_marked: bool) -> str:
        """Return a text on one line as a terminal may show it, shortened around the first word where it is long."""
        line = " ".join(clean(text).split())
        spans = self.find(line) if is_marked or len(line) > _MOST else []
        start = max(0, spans[0][0] - _BEFORE) if spans and len(line) > _MOST else 0
        end = start + _MOST
        shown = _mark(line, spans, start, end) if is_marked else line[start:end]
        return f"{'…' if start else ''}{shown}{'…' if end < len(line) else ''}"


def point_at(query: str, position: int, width: int) -> tuple[str, str]:
    """Return a query on one line, and a line with a caret under its column `position`, both within a width."""
    before, after = _on_one_line(query[:position]), _on_one_line(query[position:])
    while before and _cells(before) > width // 2:
        before = before[1:]
    while after and _cells(before) + _cells(after) > width:
        after = after[:-1]
    return before + after, " " * _cells(before) + "^"


def _on_one_line(text: str) -> str:
    return "".join(" " if sign.isspace() else sign for sign in clean(text))


def _cells(text: str) -> int:
    """Return how many columns a terminal gives to a text."""
    return sum(
        0
        if unicodedata.category(sign) in {"Mn", "Me", "Cf"}
        else 2
        if unicodedata.east_asian_width(sign) in "WF"
        else 1
        for sign in text
    )


def _wanted_terms(node: Node) -> Iterable[Term]:
    if isinstance(node, Term):
        yield node
    elif isinstance(node, AllOf | AnyOf):
        for part in node.parts:
            yield from _wanted_terms(part)


def _fold(text: str) -> _Folded | None:
    """Fold a text character by character; None for the rare one that folds otherwise as a whole."""
    signs: list[str] = []
    places: list[tuple[int, int]] = []
    for cluster in _CLUSTER.finditer(text):
        folded = fold(cluster[0]) or (" " if any(map(str.isspace, unicodedata.normalize("NFKD", cluster[0]))) else "")
        if folded == " " and (not signs or signs[-1] == " "):
            continue  # spaces are one, and none begins a text
        signs += folded
        places += [cluster.span()] * len(folded)
    joined = "".join(signs).rstrip()
    return _Folded(joined, places) if joined == fold(text) else None


def _occurrences(text: str, word: str, index: TermIndex) -> Iterable[tuple[int, int]]:
    """Yield where a folded word stands as a whole word: a sign on either side decides, and only that."""
    start = text.find(word)
    while start >= 0:
        end = start + len(word)
        if index.find(text[max(0, start - 1) : end + 1]):
            yield start, end
        start = text.find(word, start + 1)


def _merge(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _mark(line: str, spans: Iterable[tuple[int, int]], first: int, last: int) -> str:
    """Return a stretch of a line with the words in it marked."""
    parts: list[str] = []
    at = first
    for start, end in spans:
        if first <= start and end <= last:
            parts += [line[at:start], _ON, line[start:end], _OFF]
            at = end
    return "".join([*parts, line[at:last]])
