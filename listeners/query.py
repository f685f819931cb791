"""The watch language: what to listen for, parsed once and matched here.

    acme                 the word, in any case, with or without accents, also as @acme, #acme or acme's
    "acme cloud"         these words in this order
    acme OR globex       either; OR binds weaker than words side by side, which must all be there
    acme -jobs           without; also -"a phrase" and -(a group)
    (acme OR globex) refund
    lang:en              in that language; a post whose language is not known is never left out for it
    from:jane            written by that handle

A term with a sign (`@acme`, `#acme`, `$acme`) needs the sign. Terms in scripts without spaces, and emoji, are found
anywhere. `parse` keeps the tree, so that a platform that filters for us can translate it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from listeners.grammar import (
    AllOf,
    AnyOf,
    From,
    Language,
    Node,
    Not,
    Query,
    QueryError,
    Term,
    needed_leaves,
    parse,
    push_negations,
)
from listeners.match import TermIndex, fold

__all__ = ["Query", "QueryError", "Watch", "Watches", "compile_watches", "parse"]


@dataclass(frozen=True, slots=True)
class Watch:
    """A named query for a brand, on some feeds; no feeds means all of them."""

    name: str
    brand: str
    query: str
    feeds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Post:
    """What a condition is judged on."""

    found: set[int]
    author: str
    language: str


_Condition: TypeAlias = Callable[[_Post], bool]


class Watches:
    """Watches compiled together; build it with `compile_watches`."""

    def __init__(self, watches: Sequence[Watch], queries: Sequence[Query]) -> None:
        """Take watches and, in the same order, their parsed queries."""
        self.watches = tuple(watches)
        self._queries = tuple(queries)
        self._numbers: dict[str, int] = {}
        self._conditions: list[_Condition] = []
        self._by_term: dict[int, list[int]] = {}
        self._by_author: dict[str, list[int]] = {}
        self._terms: dict[str, str] = {}  # folded to spelled, as are the handles
        self._authors: dict[str, str] = {}
        for place, query in enumerate(self._queries):
            self._add(place, push_negations(query.root))
        self._index = TermIndex(list(self._numbers))

    def __bool__(self) -> bool:
        """Whether there is any watch."""
        return bool(self.watches)

    def __repr__(self) -> str:
        return f"Watches({', '.join(watch.name for watch in self.watches)})"

    @property
    def queries(self) -> tuple[tuple[Watch, Query], ...]:
        """Each watch with its parsed query, for a platform that translates it."""
        return tuple(zip(self.watches, self._queries, strict=True))

    @property
    def terms(self) -> tuple[str, ...]:
        """The words and phrases to search a platform for: with `authors`, the fewest that miss nothing."""
        return tuple(self._terms.values())

    @property
    def authors(self) -> tuple[str, ...]:
        """Handles whose every post must be looked at, for watches that ask for a person and no word."""
        return tuple(self._authors.values())

    def for_feed(self, name: str) -> Watches:
        """Return the watches that listen on that feed."""
        chosen = [place for place, watch in enumerate(self.watches) if not watch.feeds or name in watch.feeds]
        return Watches([self.watches[place] for place in chosen], [self._queries[place] for place in chosen])

    def match(self, text: str, *, author: str = "", language: str = "") -> tuple[Watch, ...]:
        """Return the watches that a post matches, in their own order.

        `author` is the handle; `language` a code such as 'en' or 'pt-br', '' or 'und' where it is not known.
        """
        post = _Post(self._index.find(fold(text)), author.lstrip("@").lower(), _known_language(language))
        places = {place for number in post.found for place in self._by_term.get(number, ())}
        places.update(self._by_author.get(post.author, ()))
        return tuple(self.watches[place] for place in sorted(places) if self._conditions[place](post))

    def _add(self, place: int, pushed: Node) -> None:
        self._conditions.append(self._compile(pushed))
        for leaf in needed_leaves(pushed):
            if isinstance(leaf, From):
                self._by_author.setdefault(leaf.handle.lower(), []).append(place)
                self._authors.setdefault(leaf.handle.lower(), leaf.handle)
            else:
                self._by_term.setdefault(self._number_of(leaf), []).append(place)
                self._terms.setdefault(fold(leaf.text), leaf.text)

    def _number_of(self, term: Term) -> int:
        return self._numbers.setdefault(fold(term.text), len(self._numbers))

    def _compile(self, node: Node) -> _Condition:
        if isinstance(node, AllOf | AnyOf):
            parts = [self._compile(part) for part in node.parts]
            if isinstance(node, AllOf):
                return lambda post: all(part(post) for part in parts)
            return lambda post: any(part(post) for part in parts)
        leaf, is_wanted = (node.part, False) if isinstance(node, Not) else (node, True)
        if isinstance(leaf, Term):
            number = self._number_of(leaf)
            return lambda post: (number in post.found) is is_wanted
        if isinstance(leaf, From):
            handle = leaf.handle.lower()
            return lambda post: (post.author == handle) is is_wanted
        assert isinstance(leaf, Language)  # negations have been pushed down to leaves
        code = leaf.code
        return lambda post: not post.language or _is_language(post.language, code) is is_wanted


def _known_language(language: str) -> str:
    code = language.lower().replace("_", "-")
    return "" if code == "und" else code


def _is_language(language: str, code: str) -> bool:
    return language == code or language.startswith(f"{code}-")


def compile_watches(watches: Sequence[Watch]) -> Watches:
    """Parse all watches and build the one automaton that matches them.

    Raises:
        QueryError: a query cannot be understood, or two watches share a name; the sentence names the watch.
    """
    queries: list[Query] = []
    names: set[str] = set()
    for watch in watches:
        if watch.name in names:
            raise QueryError(f"Two watches are named '{watch.name}'; give each its own name.", 0)
        names.add(watch.name)
        try:
            queries.append(parse(watch.query))
        except QueryError as err:
            raise QueryError(f"Watch '{watch.name}': {err.sentence}", err.position) from err
    return Watches(watches, queries)
