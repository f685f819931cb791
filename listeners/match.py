"""Finding many words in a text at once: whole words, without regard to case or accents.

Everything is compared in its folded form (`fold`). The words of all watches go into one Aho-Corasick automaton, so a
text is read once however many words there are.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from ahocorasick_rs import AhoCorasick

# Letters that carry their accent inside, so that normalisation cannot take it off, and signs people type in two ways.
_SAME: Final = {
    **dict.fromkeys("\u2018\u2019\u201b\u02bb\u02bc\u02b9\u2032", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f", '"'),
    **dict.fromkeys("\u2010\u2012\u2013\u2014\u2015\u2212", "-"),
    **dict(zip("\u00f8\u0142\u0111\u0127\u0167\u0131\u00f0", "oldhtid", strict=True)),
    "\u00e6": "ae",
    "\u0153": "oe",
    "\u00fe": "th",
}
# Accents, Hebrew points, Arabic vowel signs, emoji variation selectors, and characters that cannot be seen. Vowel signs
# of Indic scripts and the marks of kana are letters to their readers, and stay.
_UNSEEN: Final = (
    "\u00ad\u034f\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u061c"
    "\u0640\u064b-\u065f\u0670\u180b-\u180f\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\ufeff\U000e0000-\U000e0fff"
)
_SURROGATES: Final = "\ud800-\udfff"
_UNSEEN_SIGNS: Final = re.compile(f"[{_UNSEEN}]+")
_SPECIAL: Final = re.compile(f"[{_UNSEEN}{_SURROGATES}{''.join(map(re.escape, _SAME))}]")

# Scripts written without spaces between words: a word there may begin and end anywhere.
_UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3100-\u318f"
    "\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\U0001b000-\U0001b16f\U00020000-\U0003ffff]"
)
_TAG_SIGNS: Final = "@#$"


def fold(text: str) -> str:
    """Return the text as it is compared: no case, no accents, one kind of quote and dash, single spaces."""
    if text.isascii():
        return " ".join(text.lower().split())
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    plain = _SPECIAL.sub(_replace, decomposed)
    return " ".join(unicodedata.normalize("NFKC", plain).casefold().split())


def _replace(found: re.Match[str]) -> str:
    sign = found[0]
    if "\ud800" <= sign <= "\udfff":
        return "\ufffd"  # the automaton reads UTF-8, which has no lone surrogates
    return _SAME.get(sign, "")


def without_unseen(text: str) -> str:
    """Return the text without accents that stand by themselves, joiners, and other signs that folding takes away."""
    return _UNSEEN_SIGNS.sub("", text)


def folded_characters() -> dict[str, str]:
    """Return every character that alone folds to something else, with what it folds to: '' for what cannot be seen.

    Outside the ranges that are looked through, no character does; it takes a tenth of a second.
    """
    ranges = (range(0x80, 0xD800), range(0xE000, 0x20000), range(0x2F800, 0x2FA20), range(0xE0000, 0xE1000))
    signs = (chr(code) for codes in ranges for code in codes)
    may_fold = (
        sign
        for sign in signs
        if unicodedata.normalize("NFKD", sign) != sign or sign.casefold() != sign or _SPECIAL.match(sign)
    )
    return {sign: folded for sign in may_fold if (folded := fold(sign)) != sign}


def is_word_character(character: str) -> bool:
    """Whether a (folded) character is part of a word: a letter, a digit, or a mark that belongs to one."""
    return character.isalnum() or unicodedata.category(character).startswith("M")


def is_joined(left: str, right: str) -> bool:
    """Whether two neighbouring characters belong to the same word, so that none begins or ends between them."""
    if not (is_word_character(left) and is_word_character(right)):
        return False
    return not (_UNSPACED.match(left) or _UNSPACED.match(right))


class TermIndex:
    """Words and phrases to be found together in one pass."""

    def __init__(self, terms: Sequence[str]) -> None:
        """Take folded terms, none of them empty."""
        self._automaton = AhoCorasick(terms) if terms else None
        self._is_tag = [term[0] in _TAG_SIGNS and len(term) > 1 for term in terms]

    def find(self, folded: str) -> set[int]:
        """Return the positions, in the sequence given, of the terms that stand in a folded text as whole words."""
        found: set[int] = set()
        if self._automaton is None:
            return found
        for index, start, end in self._automaton.find_matches_as_indexes(folded, overlapping=True):
            if index not in found and self._is_whole(folded, index, start, end):
                found.add(index)
        return found

    def _is_whole(self, text: str, index: int, start: int, end: int) -> bool:
        if self._is_tag[index]:
            return _is_whole_tag(text, start, end)
        if start and is_joined(text[start - 1], text[start]):
            return False
        return end == len(text) or not is_joined(text[end - 1], text[end])


def _is_whole_tag(text: str, start: int, end: int) -> bool:
    """Whether '@acme' stands for itself: not the end of an e-mail address, not the start of '@acme_help'."""
    if start and (text[start - 1] == "_" or is_joined(text[start - 1], "a")):
        return False
    return end == len(text) or (text[end] != "_" and not is_joined(text[end - 1], text[end]))
