"""The grammar of the watch language, which `listeners.query` describes: from text to a tree, or to a clear refusal."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final, NoReturn, TypeAlias

from listeners.match import fold

MAX_DEPTH: Final = 50
_QUOTES: Final = '"\u201c\u201d\u201e'
_WORD: Final = re.compile(rf"[^\s(){_QUOTES}]+")
_FIELD: Final = re.compile(r"([A-Za-z_]+):(?!//)")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")


class QueryError(ValueError):
    """A watch that cannot be understood."""

    def __init__(self, sentence: str, position: int) -> None:
        """Take one plain sentence, and the column in the query, counted from 0."""
        super().__init__(sentence)
        self.sentence = sentence
        self.position = position


@dataclass(frozen=True, slots=True)
class Term:
    """A word, or with `is_phrase` words in a row, spelled as the person wrote it."""

    text: str
    position: int = 0
    is_phrase: bool = False


@dataclass(frozen=True, slots=True)
class Language:
    """`lang:xx`, in lower case."""

    code: str
    position: int = 0


@dataclass(frozen=True, slots=True)
class From:
    """`from:handle`, without a leading '@'."""

    handle: str
    position: int = 0


@dataclass(frozen=True, slots=True)
class Not:
    """What must not hold."""

    part: Node
    position: int = 0


@dataclass(frozen=True, slots=True)
class AllOf:
    """Parts that must all hold; never fewer than two."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Parts of which one must hold; never fewer than two."""

    parts: tuple[Node, ...]


Leaf: TypeAlias = Term | Language | From
Node: TypeAlias = Leaf | Not | AllOf | AnyOf


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query: its text, and the tree that platforms translate."""

    text: str
    root: Node


def parse(text: str) -> Query:
    """Parse a query.

    Raises:
        QueryError: with one sentence and the column.
    """
    root = _Parser(text).parse()
    _refuse_unbounded(root)
    return Query(text, root)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # one of ( ) - OR leaf
    position: int
    leaf: Leaf | None = None


def _fail(sentence: str, position: int) -> NoReturn:
    raise QueryError(f"Column {position + 1}: {sentence}", position)


class _Scanner:
    """Cuts a query into tokens."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def scan(self) -> list[_Token]:
        tokens: list[_Token] = []
        while self._at < len(self._text):
            sign = self._text[self._at]
            if sign.isspace():
                self._at += 1
            elif sign in "()":
                tokens.append(_Token(sign, self._at))
                self._at += 1
            elif sign == "-":
                tokens.append(self._scan_minus())
            elif sign in _QUOTES:
                tokens.append(self._scan_phrase())
            else:
                tokens.append(self._scan_word())
        return tokens

    def _scan_minus(self) -> _Token:
        start = self._at
        self._at += 1
        following = self._text[self._at : self._at + 1]
        if not following or following.isspace() or following == ")":
            _fail("nothing follows the '-'; write it right before what must not be there, as in -jobs.", start)
        return _Token("-", start)

    def _scan_phrase(self) -> _Token:
        start = self._at
        phrase = self._read_quoted()
        return _Token("leaf", start, _check_term(Term(" ".join(phrase.split()), start, is_phrase=True)))

    def _read_quoted(self) -> str:
        start = self._at
        for end in range(start + 1, len(self._text)):
            if self._text[end] in _QUOTES:
                self._at = end + 1
                return self._text[start + 1 : end]
        return _fail("the quote that opens here is never closed.", start)

    def _scan_word(self) -> _Token:
        start = self._at
        found = _WORD.match(self._text, start)
        assert found is not None  # the caller has ruled out space, brackets and quotes
        word = found[0]
        self._at = found.end()
        if word == "OR":
            return _Token("OR", start)
        field = _FIELD.match(word)
        if field is not None:
            return _Token("leaf", start, self._scan_field(field[1], word[field.end() :], start))
        _refuse_misspelling(word, start)
        return _Token("leaf", start, _check_term(Term(word, start)))

    def _scan_field(self, name: str, value: str, start: int) -> Leaf:
        if not value and self._text[self._at : self._at + 1] and self._text[self._at] in _QUOTES:
            value = self._read_quoted()
        value = value.strip()
        if name.lower() == "lang":
            if not _LANGUAGE.fullmatch(value.lower()):
                _fail("lang: needs a language code right behind it, as in lang:en.", start)
            return Language(value.lower(), start)
        if name.lower() == "from":
            if not value.lstrip("@"):
                _fail("from: needs a handle right behind it, as in from:jane.", start)
            return From(value.lstrip("@"), start)
        return _fail(
            f"{name}: is not known; there are lang: and from:. Put the words in quotes if you mean them.", start
        )


def _refuse_misspelling(word: str, position: int) -> None:
    """Refuse words that are another language's operators: taken as words they would make a watch deaf, silently."""
    if word in {"or", "Or", "|", "||"}:
        _fail('write OR in capitals; for the word itself, put it in quotes: "or".', position)
    if word in {"AND", "&&", "&"}:
        _fail("words side by side must all be there, so AND is not needed; leave it out.", position)
    if word == "NOT":
        _fail("write -word for what must not be there; for the word itself, put it in quotes.", position)
    if word[0] in "'\u2018" and len(word) > 1:
        _fail('use double quotes for words in a row, as in "acme cloud".', position)
    if word[-1] in ",;":
        _fail(f"take the '{word[-1]}' away, or write OR between words of which one is enough.", position)


def _check_term(term: Term) -> Term:
    folded = fold(term.text)
    if not any(sign.isalnum() or (unicodedata.category(sign)[0] in "SM" and not sign.isascii()) for sign in folded):
        what = "the quotes hold no word." if term.is_phrase else f"there is no word in '{term.text}'."
        _fail(what, term.position)
    return term


class _Parser:
    """Builds the tree: OR over words side by side over '-' over groups and leaves."""

    def __init__(self, text: str) -> None:
        self._tokens = _Scanner(text).scan()
        self._end = len(text)
        self._next = 0
        self._depth = 0

    def parse(self) -> Node:
        if not self._tokens:
            _fail("the query is empty; write what to listen for.", 0)
        root = self._parse_any()
        if self._next < len(self._tokens):
            _fail("this ')' closes nothing.", self._tokens[self._next].position)
        return root

    def _peek(self) -> str:
        return self._tokens[self._next].kind if self._next < len(self._tokens) else ""

    def _position(self) -> int:
        return self._tokens[self._next].position if self._next < len(self._tokens) else self._end

    def _parse_any(self) -> Node:
        parts = [self._parse_all()]
        while self._peek() == "OR":
            position = self._position()
            self._next += 1
            if self._peek() in {"", ")", "OR"}:
                _fail("nothing stands after this OR.", position)
            parts.append(self._parse_all())
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _parse_all(self) -> Node:
        if self._peek() == "OR":
            _fail("nothing stands before this OR.", self._position())
        parts: list[Node] = []
        while self._peek() not in {"", ")", "OR"}:
            parts.append(self._parse_one())
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _parse_one(self) -> Node:
        token = self._tokens[self._next]
        self._next += 1
        if token.leaf is not None:
            return token.leaf
        self._depth += 1
        if self._depth > MAX_DEPTH:
            _fail(f"this is nested more than {MAX_DEPTH} deep.", token.position)
        node = self._parse_not(token) if token.kind == "-" else self._parse_group(token)
        self._depth -= 1
        return node

    def _parse_not(self, token: _Token) -> Node:
        if self._peek() in {"", ")", "OR"}:
            _fail("nothing follows the '-'.", token.position)
        return Not(self._parse_one(), token.position)

    def _parse_group(self, token: _Token) -> Node:
        if self._peek() == ")":
            _fail("these brackets are empty.", token.position)
        if not self._peek():
            _fail("the '(' that opens here is never closed.", token.position)
        inside = self._parse_any()
        if self._peek() != ")":
            _fail("the '(' that opens here is never closed.", token.position)
        self._next += 1
        return inside


def push_negations(node: Node, *, is_negated: bool = False) -> Node:
    """Return the same condition with `Not` only right before leaves."""
    if isinstance(node, Not):
        pushed = push_negations(node.part, is_negated=not is_negated)
        return Not(pushed.part, node.position) if isinstance(pushed, Not) else pushed
    if isinstance(node, AllOf | AnyOf):
        parts = tuple(push_negations(part, is_negated=is_negated) for part in node.parts)
        return AllOf(parts) if isinstance(node, AllOf) is not is_negated else AnyOf(parts)
    return Not(node, node.position) if is_negated else node


def needed_leaves(node: Node) -> tuple[Term | From, ...]:
    """Return leaves of which at least one holds wherever the condition (negations pushed) holds; () if there are none.

    These are what a platform must be searched for: the fewest that miss nothing.
    """
    if isinstance(node, Term | From):
        return (node,)
    if isinstance(node, AllOf):
        choices = [leaves for part in node.parts if (leaves := needed_leaves(part))]
        return min(choices, key=len, default=())
    if isinstance(node, AnyOf):
        branches = [needed_leaves(part) for part in node.parts]
        return tuple(leaf for branch in branches for leaf in branch) if all(branches) else ()
    return ()


def _refuse_unbounded(root: Node) -> None:
    pushed = push_negations(root)
    if needed_leaves(pushed):
        return
    parts = pushed.parts if isinstance(pushed, AnyOf) else (pushed,)
    culprit = next(part for part in parts if not needed_leaves(part))
    _fail("this would match nearly every post; add a word that must be there.", _position_of(culprit))


def _position_of(node: Node) -> int:
    if isinstance(node, AllOf | AnyOf):
        return min(_position_of(part) for part in node.parts)
    return node.position
