"""The watch language in X's own: rules for the stream, queries for the search. Pure.

X's grammar is nearly ours: words side by side, OR, quotes, brackets, '-'. Its differences, from X's pages on building a
rule and building a query (https://docs.x.com/x-api/posts, read in 2026):

- '-' stands before words only, never before a bracket, and never alone in one branch of an OR;
- `lang:` needs a word beside it, and knows only some languages;
- a word with punctuation in it must be quoted, and is then compared word by word;
- a rule compares accents, a query does not;
- a rule has 1,024 characters, a query 512 (Enterprise: 2,048 and 4,096).

Whatever X is not asked, our own matcher decides here: what is asked may find more than a watch wants, never less.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import regex

from listeners.contract import Compiled
from listeners.grammar import AllOf, AnyOf, From, Language, Node, Not, Query, QueryError, Term, push_negations
from listeners.match import fold
from listeners.x.settings import HANDLE, LONGEST_QUERY, LONGEST_RULE, QUERY_LENGTH, RULE_LENGTH

NO_REPOSTS: Final = "-is:retweet"
_LONGEST_ENDING: Final = len(f" () {NO_REPOSTS} -from:") + 15
_MOST_RULES: Final = 100
_RESERVED: Final = frozenset({"or", "and", "not"})
_MENTION: Final = regex.compile(r"@[A-Za-z0-9_]{1,15}")
_TAG: Final = regex.compile(r"#[\p{L}\p{M}\p{Nd}_]*[\p{L}\p{M}][\p{L}\p{M}\p{Nd}_]*")
_CASHTAG: Final = regex.compile(r"\$[A-Za-z]{1,6}(?:[._][A-Za-z]{1,2})?")
_WORDS: Final = regex.compile(r"[\p{L}\p{Nd}]+(?: [\p{L}\p{Nd}]+)*")
_UNQUOTABLE: Final = regex.compile(r'["\\\p{Cc}]+')
# fmt: off
_LANGUAGES: Final = frozenset({
    "am", "ar", "bg", "bn", "bo", "bs", "ca", "ckb", "cs", "cy", "da", "de", "dv", "el", "en", "es", "et", "eu", "fa",
    "fi", "fr", "gu", "hi", "hr", "ht", "hu", "hy", "is", "it", "ja", "ka", "km", "kn", "ko", "lo", "lt", "lv", "ml",
    "mr", "my", "ne", "nl", "no", "or", "pa", "pl", "ps", "pt", "ro", "ru", "sd", "si", "sk", "sl", "sr", "sv", "ta",
    "te", "th", "tl", "tr", "ug", "uk", "ur", "vi",
})
# fmt: on
_THEIR_CODES: Final = {"he": ("iw",), "id": ("in",), "zh": ("zh-CN", "zh-TW"), "hi-latn": ("hi-Latn",)}


@dataclass(frozen=True, slots=True)
class Dialect:
    """What X is asked in: `length` characters at most, and whether accents are compared."""

    length: int
    has_accents: bool


def rules_for(query: Query, length: int = RULE_LENGTH) -> list[str]:
    """Return what the stream's rules ask for a watch, without what every rule ends with.

    Raises:
        QueryError: X cannot express it.
    """
    return _ask(query, Dialect(length, has_accents=True))


def searches_for(query: Query, length: int = QUERY_LENGTH) -> list[str]:
    """Return what the search is asked for a watch, without what every query ends with.

    Raises:
        QueryError: X cannot express it.
    """
    return _ask(query, Dialect(length, has_accents=False))


def join_searches(asks: Iterable[str], length: int) -> list[str]:
    """Put many short queries into few: each request may be one of 450 in 15 minutes."""
    return _pack(list(asks), length - _LONGEST_ENDING)


def finish(ask: str, handle: str = "") -> str:
    """Return a whole rule or query: what is asked, without reposts and without what our own account says."""
    own = f" -from:{handle}" if handle else ""
    return f"({ask}) {NO_REPOSTS}{own}" if " OR " in ask else f"{ask} {NO_REPOSTS}{own}"


def compile_query(query: Query) -> Compiled:
    """Say what X is asked for a watch.

    Raises:
        QueryError: X cannot express it, not even for an Enterprise account.
    """
    try:
        rules, searches, note = rules_for(query), searches_for(query), ""
    except QueryError:
        rules, searches = rules_for(query, LONGEST_RULE), searches_for(query, LONGEST_QUERY)
        note = " Only an Enterprise account may ask so much: set rule_length and query_length."
    asks = dict.fromkeys(finish(ask) for ask in (*rules, *searches))
    said = "What X finds is matched again here, word for word, by the post's own text; our own posts are left out."
    return Compiled(tuple(asks), said + note)


def _ask(query: Query, dialect: Dialect) -> list[str]:
    asks = _split(push_negations(query.root), dialect, dialect.length - _LONGEST_ENDING)
    if len(asks) > _MOST_RULES:
        sentence = f"X would need {len(asks)} rules for this; write a shorter watch, or several."
        raise QueryError(sentence, _position(query.root))
    return asks


def _split(node: Node, dialect: Dialect, room: int) -> list[str]:
    """Write a condition; where it is too long, as several of which one must hold."""
    text = _write(node, dialect)
    assert text, "the parser has made sure that something must be there"
    if len(text) <= room:
        return [text]
    if isinstance(node, AnyOf):
        return _pack([ask for part in node.parts for ask in _split(part, dialect, room)], room)
    if isinstance(node, AllOf):
        shorter = _halve(node, dialect) or _drop_exclusion(node)
        if shorter:
            return [ask for part in shorter for ask in _split(part, dialect, room)]
    raise QueryError("X has a limit for how long a rule is, and this is longer; leave words out.", _position(node))


def _halve(node: AllOf, dialect: Dialect) -> list[Node]:
    """Return two conditions that are the same together: the longest choice in it is cut in two."""
    choices = [place for place, part in enumerate(node.parts) if isinstance(part, AnyOf) and _write(part, dialect)]
    if not choices:
        return []
    widest = max(choices, key=lambda place: len(_write(node.parts[place], dialect)))
    parts = node.parts[widest]
    assert isinstance(parts, AnyOf)
    middle = len(parts.parts) // 2
    halves = (parts.parts[:middle], parts.parts[middle:])
    return [
        AllOf((*node.parts[:widest], half[0] if len(half) == 1 else AnyOf(half), *node.parts[widest + 1 :]))
        for half in halves
    ]


def _drop_exclusion(node: AllOf) -> list[Node]:
    """Return the condition without the last thing that must not be there: X finds more then, and we leave it out."""
    places = [place for place, part in enumerate(node.parts) if isinstance(part, Not)]
    if not places:
        return []
    rest = (*node.parts[: places[-1]], *node.parts[places[-1] + 1 :])
    return [rest[0] if len(rest) == 1 else AllOf(rest)]


def _pack(asks: Sequence[str], room: int) -> list[str]:
    """Join asks by OR, each as long as may be; OR binds weaker than words side by side, so no bracket is needed."""
    packed: list[str] = []
    for ask in dict.fromkeys(asks):
        if packed and len(packed[-1]) + len(" OR ") + len(ask) <= room:
            packed[-1] = f"{packed[-1]} OR {ask}"
        else:
            packed.append(ask)
    return packed


def _write(node: Node, dialect: Dialect) -> str:
    """Write a condition whose negations stand before leaves; '' where X is not asked about it, and all would pass."""
    if isinstance(node, AllOf):
        written = [(part, _write(part, dialect)) for part in node.parts]
        return " ".join(f"({text})" if _is_choice(part, text) else text for part, text in written if text)
    if isinstance(node, AnyOf):
        branches = [_write(part, dialect) for part in node.parts]
        is_askable = all(branches) and not any(_is_only_negative(part) for part in node.parts)
        return " OR ".join(dict.fromkeys(branches)) if is_askable else ""
    if isinstance(node, Not):
        return _write_not(node.part, dialect)
    if isinstance(node, From):
        return f"from:{_check_handle(node)}"
    if isinstance(node, Language):
        return " OR ".join(f"lang:{code}" for code in _check_language(node))
    return " OR ".join(_spellings(node, dialect))


def _write_not(leaf: Node, dialect: Dialect) -> str:
    """Write what must not be there, where X leaves out no more by it than we would."""
    if isinstance(leaf, From):
        return f"-from:{leaf.handle}" if HANDLE.fullmatch(leaf.handle) else ""
    if isinstance(leaf, Language):
        return " ".join(f"-lang:{code}" for code in _codes(leaf.code))
    assert isinstance(leaf, Term), "negations were pushed down"
    if not (_WORDS.fullmatch(leaf.text) or _is_sign(leaf)):
        return ""
    return " ".join(f"-{spelling}" for spelling in _spellings(leaf, dialect))


def _spellings(term: Term, dialect: Dialect) -> list[str]:
    """Return how a term is written; where X compares accents, also without them."""
    plain = fold(term.text)
    is_accented = dialect.has_accents and plain != unicodedata.normalize("NFC", term.text).casefold()
    texts = [term.text, plain] if is_accented and not term.text.isascii() else [term.text]
    return list(dict.fromkeys(_quote(text, is_phrase=term.is_phrase) for text in texts))


def _quote(text: str, *, is_phrase: bool) -> str:
    """Return a term so that X reads none of it as an operator."""
    text = unicodedata.normalize("NFC", text)
    if not is_phrase and (_MENTION.fullmatch(text) or _TAG.fullmatch(text) or _CASHTAG.fullmatch(text)):
        return text
    if not is_phrase and text.isalnum() and text.lower() not in _RESERVED:
        return text
    return f'"{_UNQUOTABLE.sub(" ", text).strip()}"'


def _is_sign(term: Term) -> bool:
    return any(pattern.fullmatch(term.text) for pattern in (_MENTION, _TAG, _CASHTAG))


def _is_choice(part: Node, text: str) -> bool:
    return not isinstance(part, AllOf | Not) and " OR " in text


def _is_only_negative(node: Node) -> bool:
    if isinstance(node, AllOf | AnyOf):
        return all(_is_only_negative(part) for part in node.parts)
    return isinstance(node, Not)


def _codes(code: str) -> tuple[str, ...]:
    return _THEIR_CODES.get(code) or ((code,) if code in _LANGUAGES else ())


def _check_language(leaf: Language) -> tuple[str, ...]:
    codes = _codes(leaf.code)
    if codes:
        return codes
    whole = leaf.code.partition("-")[0]
    hint = f"it does not tell regions apart; write lang:{whole}" if _codes(whole) else "leave it out, or name another"
    raise QueryError(f"X does not know the language '{leaf.code}': {hint}.", leaf.position)


def _check_handle(leaf: From) -> str:
    if HANDLE.fullmatch(leaf.handle):
        return leaf.handle
    sentence = f"nobody on X can be called '{leaf.handle}': a handle has letters, digits and _, 15 at most."
    raise QueryError(sentence, leaf.position)


def _position(node: Node) -> int:
    return min(_position(part) for part in node.parts) if isinstance(node, AllOf | AnyOf) else node.position
