"""What Reddit's search is asked for a watch: the narrowest question that misses nothing. Pure.

The search knows words and phrases in quotes, AND, OR, NOT, brackets and `author:`, in at most 512 characters (the
`q` of GET /search in Reddit's API documentation). It reduces words to their stems and leaves signs out, so a NOT of
its own could hide what a watch wants; what must not be there, and the language, are judged by our own matcher.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from listeners.contract import Compiled
from listeners.grammar import AllOf, AnyOf, From, Language, Node, Not, Query, Term, push_negations

MAX_QUESTION: Final = 512
_NAME: Final = re.compile(r"[\w-]{1,30}", re.ASCII)
_HERE: Final = (
    "Comments are not searched for: those of the feed's subreddits are read and matched here, and so is everything "
    "the search finds; the language is not told."
)
_UNSEARCHED: Final = (
    "Reddit's search cannot look for this: it has no word that must be there. It is matched here, in what is read of "
    "the feed's subreddits and inbox; the language is not told."
)

_NOBODY: Final = "Nobody on Reddit can have such a name, so nothing is heard of this."


@dataclass(frozen=True, slots=True)
class _Joined:
    """Questions joined by AND or OR."""

    sign: str
    parts: tuple[_Question, ...]


_Question: TypeAlias = "str | _Joined | bool"
"""True is what any post answers, so that it cannot be searched for; False is what none on Reddit does."""


def compile_query(query: Query) -> Compiled:
    """Return the searches for one watch; none where the search cannot look for it. It refuses no watch."""
    if _ask(push_negations(query.root)) is False:
        return Compiled((), _NOBODY)
    asks = questions([query.root])
    return Compiled(asks, _HERE if asks else _UNSEARCHED)


def is_searchable(node: Node) -> bool:
    """Whether the search finds all that a watch wants; also where nothing on Reddit can be that."""
    return _ask(push_negations(node)) is False or bool(questions([node]))


def questions(roots: Sequence[Node]) -> tuple[str, ...]:
    """Return the fewest searches that find all that some watches want; what cannot be searched for is left out."""
    branches: dict[str, None] = {}
    for root in roots:
        asked = _ask(push_negations(root))
        parts = asked.parts if isinstance(asked, _Joined) and asked.sign == "OR" else (asked,)
        written = [_bracket(part) for part in parts]
        if all(written):
            branches.update(dict.fromkeys(written))
    return tuple(_pack(branches))


def _pack(branches: Iterable[str]) -> list[str]:
    packed: list[str] = []
    for branch in branches:
        joined = f"{packed[-1]} OR {branch}" if packed else branch
        if packed and len(joined) <= MAX_QUESTION:
            packed[-1] = joined
        else:
            packed.append(branch)
    return packed


def _ask(node: Node) -> _Question:
    """Turn a condition, negations pushed, into a question that finds no less."""
    if isinstance(node, AllOf):
        return _join("AND", [_ask(part) for part in node.parts])
    if isinstance(node, AnyOf):
        return _join("OR", [_ask(part) for part in node.parts])
    if isinstance(node, Term):
        return _ask_for_term(node)
    if isinstance(node, From):
        return f'author:"{node.handle}"' if _NAME.fullmatch(node.handle) else False
    assert isinstance(node, Not | Language)
    return True


def _join(sign: str, asked: Sequence[_Question]) -> _Question:
    nothing, neutral = (False, True) if sign == "AND" else (True, False)
    if any(part is nothing for part in asked):
        return nothing
    parts = tuple(dict.fromkeys(part for part in asked if part is not neutral))
    if not parts:
        return neutral
    return parts[0] if len(parts) == 1 else _Joined(sign, parts)


def _ask_for_term(term: Term) -> _Question:
    """Return the phrase itself or, where it holds signs, its words, which find no less."""
    words = re.findall(r"\w+", term.text)
    if not any(sign.isalnum() for word in words for sign in word):
        return True
    phrase = " ".join(term.text.split())
    if re.fullmatch(r"[\w ]+", phrase):
        return f'"{phrase}"' if len(phrase) + 2 <= MAX_QUESTION else True
    return _join("AND", [f'"{word}"' for word in words])


def _write(asked: _Question) -> str:
    """Return the question in Reddit's words, weaker where it would be too long; '' where nothing of it fits."""
    if isinstance(asked, bool):
        return ""
    if isinstance(asked, str):
        return asked if len(asked) <= MAX_QUESTION else ""
    parts = [_bracket(part) for part in asked.parts]
    if asked.sign == "OR":
        whole = " OR ".join(parts)
        return whole if all(parts) and len(whole) + 2 <= MAX_QUESTION else ""
    kept: list[str] = []
    for part in sorted(filter(None, parts), key=len):
        if len(" AND ".join([*kept, part])) + 2 <= MAX_QUESTION:
            kept.append(part)
    return " AND ".join(part for part in parts if part in kept)


def _bracket(asked: _Question) -> str:
    """Write a question so that it can stand beside others: AND does not bind stronger than OR everywhere."""
    written = _write(asked)
    return f"({written})" if written and isinstance(asked, _Joined) else written
