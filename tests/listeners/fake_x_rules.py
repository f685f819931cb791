"""X's rule language, read and judged as X's pages describe it; written apart from the code it tests."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

# fmt: off
LANGUAGES = frozenset({
    "am", "ar", "bg", "bn", "bo", "bs", "ca", "ckb", "cs", "cy", "da", "de", "dv", "el", "en", "es", "et", "eu", "fa",
    "fi", "fr", "gu", "hi", "hi-Latn", "hr", "ht", "hu", "hy", "in", "is", "it", "iw", "ja", "ka", "km", "kn", "ko",
    "lo", "lt", "lv", "ml", "mr", "my", "ne", "nl", "no", "or", "pa", "pl", "ps", "pt", "ro", "ru", "sd", "si", "sk",
    "sl", "sr", "sv", "ta", "te", "th", "tl", "tr", "ug", "uk", "ur", "vi", "zh-CN", "zh-TW", "und",
})
# fmt: on
_TOKEN = re.compile(r'\s*(?:(-?)(\()|(\))|(OR)(?=\s|$|\()|(-?)("[^"]*"|[^\s()"]+(?:"[^"]*")?))')


class RuleError(ValueError):
    """X does not take the rule."""


@dataclass(frozen=True)
class Looked:
    """What a rule is judged on."""

    text: str
    handle: str = ""
    language: str = "und"
    is_repost: bool = False
    keeps_accents: bool = True


Judge = Callable[[Looked], bool]


def read_rule(rule: str) -> Judge:
    """Return what judges a post, or raise RuleError."""
    tokens = _scan(rule)
    judge, rest, is_alone = _any(tokens)
    if rest:
        raise RuleError(f"no viable alternative at '{rest[0][1]}'")
    if not is_alone:
        raise RuleError("a rule needs a standalone operator")
    return judge


def _scan(rule: str) -> list[tuple[str, str, bool]]:
    tokens: list[tuple[str, str, bool]] = []
    at = 0
    while at < len(rule.rstrip()):
        found = _TOKEN.match(rule, at)
        if found is None:
            raise RuleError(f"mismatched character at position {at}")
        at = found.end()
        minus, opened, closed, either, not_, term = found.groups()
        if opened:
            if minus:
                raise RuleError("Negation of a group is not supported")
            tokens.append(("(", "(", False))
        elif closed:
            tokens.append((")", ")", False))
        elif either:
            tokens.append(("OR", "OR", False))
        else:
            tokens.append(("term", term, bool(not_)))
    return tokens


def _any(tokens: list[tuple[str, str, bool]]) -> tuple[Judge, list[tuple[str, str, bool]], bool]:
    branches: list[Judge] = []
    alone: list[bool] = []
    while True:
        judge, tokens, is_alone = _all(tokens)
        branches.append(judge)
        alone.append(is_alone)
        if not tokens or tokens[0][0] != "OR":
            break
        tokens = tokens[1:]
    return lambda post: any(branch(post) for branch in branches), tokens, all(alone)


def _all(tokens: list[tuple[str, str, bool]]) -> tuple[Judge, list[tuple[str, str, bool]], bool]:
    parts: list[Judge] = []
    is_alone = has_positive = False
    while tokens and tokens[0][0] in {"(", "term"}:
        kind, text, is_not = tokens[0]
        if kind == "(":
            judge, tokens, alone = _any(tokens[1:])
            if not tokens or tokens[0][0] != ")":
                raise RuleError("missing ')'")
            tokens = tokens[1:]
            is_alone |= alone
            has_positive = True
        else:
            judge, alone = _term(text)
            tokens = tokens[1:]
            is_alone |= alone and not is_not
            has_positive |= not is_not
        parts.append(_without(judge) if is_not else judge)
    if not parts:
        raise RuleError("an operator stands alone")
    if not has_positive:
        raise RuleError("Negated operators cannot be used alone")
    return lambda post: all(part(post) for part in parts), tokens, is_alone


def _without(judge: Judge) -> Judge:
    return lambda post: not judge(post)


def _term(text: str) -> tuple[Judge, bool]:
    """Return what judges one operator, and whether it may stand alone."""
    if text.startswith('"'):
        words = _words(text[1:-1], keep=True)
        if not words and not text[1:-1].strip():
            raise RuleError("an empty phrase")
        return lambda post: _has_phrase(post, text[1:-1]), True
    name, colon, value = text.partition(":")
    if colon:
        return _field(name, value)
    if text.lower() in {"or", "and", "not"}:
        raise RuleError(f"Ambiguous use of {text} as a keyword")
    if text[0] in "@#$":
        if not re.fullmatch(r"[@#$][\w.]+", text):
            raise RuleError(f"no viable alternative at '{text}'")
        sign = re.compile(rf"(?<![\w@#$]){re.escape(text)}(?![\w])", re.IGNORECASE)
        return lambda post: sign.search(post.text) is not None, True
    if not text.isalnum():
        raise RuleError(f"no viable alternative at '{text}': punctuation must be quoted")
    return lambda post: _has_phrase(post, text), True


def _field(name: str, value: str) -> tuple[Judge, bool]:
    if name == "from":
        if not re.fullmatch(r"\w{1,15}", value, re.ASCII):
            raise RuleError(f"from: takes a handle, not '{value}'")
        return lambda post: post.handle.lower() == value.lower(), True
    if name == "lang":
        if value not in LANGUAGES:
            raise RuleError(f"lang: does not support '{value}'")
        return lambda post: post.language == value or (value.startswith("zh") and post.language == "zh"), False
    if (name, value) == ("is", "retweet"):
        return lambda post: post.is_repost, False
    raise RuleError(f"Reference to invalid operator '{name}'")


def _has_phrase(post: Looked, phrase: str) -> bool:
    wanted, there = _words(phrase, keep=post.keeps_accents), _words(post.text, keep=post.keeps_accents)
    if not wanted:
        return phrase.strip() in post.text
    return any(there[at : at + len(wanted)] == wanted for at in range(len(there) - len(wanted) + 1))


def _words(text: str, *, keep: bool) -> list[str]:
    """Cut a text at punctuation, symbols and space; without accents where they are not compared."""
    form = unicodedata.normalize("NFC", text) if keep else unicodedata.normalize("NFKD", text)
    plain = form if keep else "".join(sign for sign in form if not unicodedata.combining(sign))
    spaced = "".join(sign if unicodedata.category(sign)[0] in "LNM" else " " for sign in plain.casefold())
    return spaced.split()
