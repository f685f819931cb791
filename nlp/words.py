"""The tokeniser: words in lower case, with handles, links and numbers masked, and what the model weighs of each run."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache, reduce
from itertools import chain
from operator import or_
from pathlib import Path
from typing import NamedTuple

from spacy.language import Language
from spacy.strings import get_string_id
from spacy.tokens import Doc
from spacy.util import registry
from spacy.vocab import Vocab

from nlp.features import SELF
from nlp.language import count_english
from nlp.runs import MOST_RUNS, Runs
from nlp.signals import FREE_MARK, NOTHING, Start, lower_in_place, plain_name, read_run
from nlp.vectors import shipped_vectors

_TOKEN = re.compile(r"https?://\S+|www\.\S+|@[\w.-]*\w|#?[^\W\d_]+(?:['-][^\W\d_]+)*|\d+|[?!]|[^\s\w.,:;\"'()/-]")
_LONGEST_WORD = 24
# stands for a text of dots and spaces: a document without words cannot share a batch with others
_NO_WORDS = ["…"]
_NO_HASHES = [get_string_id("…")]
_NOBODY: frozenset[str] = frozenset()
_SELF, _MAY_BE_OURS = FREE_MARK, FREE_MARK << 1


class Held(NamedTuple):
    """What is known of a run: what the signals need, its words as the model reads them and their hashes, and pieces.

    `marks` also say whether it speaks of oneself, and whether it may hold our name.
    """

    words: tuple[str, ...]
    starts: tuple[Start, ...]
    marks: int
    offers: int
    tokens: tuple[str, ...]
    hashes: tuple[int, ...]
    pieces: tuple[int, ...]
    english: int


_NOTHING = Held(*NOTHING, (), (), (), english=0)


@registry.tokenizers("cuecard.Words.v1")  # type: ignore[untyped-decorator]
def make_words() -> Callable[[Language], Words]:
    """Return the maker of our tokeniser, for the config."""
    return lambda nlp: Words(nlp.vocab)


class Words:
    """Reads a text as the model should: lower case, with handles, links and numbers masked.

    A brand's own name says nothing about the need of an answer, so ours becomes '@us' and any other '@someone'. In a
    document's `user_data` stand the 'text', it in lower case ('lower'), its 'runs', our names ('ours'), the 'hashes' of
    the words, their word 'pieces', the number of 'words' and of 'english' ones, whether it speaks of oneself
    ('is_self'), and what the signals need of the runs ('held').
    """

    def __init__(self, vocab: Vocab) -> None:
        self._vocab = vocab

    def __call__(self, text: str) -> Doc:
        """Return the document of a clean text that is to nobody in particular."""
        return self.read(text, _NOBODY)

    def read(self, text: str, ours: frozenset[str]) -> Doc:
        """Return the document of a clean text; `ours` are our names as `plain_name` reduces them."""
        lower = lower_in_place(text)
        runs = lower.split()
        held = _RUNS.read_all(runs) or [_NOTHING]
        *for_signals, tokens, hashes, pieces, english = zip(*held, strict=True)
        marks = reduce(or_, for_signals[2])
        plain = [*chain.from_iterable(tokens)]
        if marks & _MAY_BE_OURS or not ours.isdisjoint(plain):
            masked = [_mask_run(run, ours) for run in runs]
            tokens, hashes = zip(*masked, strict=True)
            plain = [*chain.from_iterable(tokens)]
        told = {
            "text": text, "lower": lower, "runs": runs, "ours": ours, "held": for_signals,
            "hashes": [*chain.from_iterable(hashes)] or _NO_HASHES,
            "pieces": [*chain.from_iterable(pieces)],
            "words": len(plain), "english": sum(english), "is_self": marks & _SELF != 0,
        }  # fmt: skip
        return Doc(self._vocab, words=plain or _NO_WORDS, user_data=told)

    def to_bytes(self, **_: object) -> bytes:
        """Nothing is learned, so nothing is kept."""
        return b""

    def from_bytes(self, _data: bytes, **_: object) -> Words:
        """Nothing is learned, so nothing is read."""
        return self

    def to_disk(self, _path: Path, **_: object) -> None:
        """Nothing is learned, so nothing is written."""

    def from_disk(self, _path: Path, **_: object) -> Words:
        """Nothing is learned, so nothing is read."""
        return self


def _hold(run: str) -> Held:
    tokens = _TOKEN.findall(run)
    read = read_run(run)
    marks = read.marks | _SELF * (not SELF.isdisjoint(tokens))
    marks |= _MAY_BE_OURS * any(token[0] == "@" or len(token) > _LONGEST_WORD for token in tokens)
    pieces = tuple(place for token in tokens for place in shipped_vectors().cut(token))
    return Held(*read._replace(marks=marks), *_mask_run(run, _NOBODY), pieces, count_english(tokens))


def hold_words(pieces: list[str]) -> list[tuple[list[int], list[int]]]:
    """Return, of pieces of text in lower case, the hashes of the words, at least one, and the word pieces."""
    return _PIECES.read_all(pieces)


def _hold_words(lower: str) -> tuple[list[int], list[int]]:
    held = _RUNS.read_all(lower.split())
    hashes = [number for run in held for number in run.hashes]
    return hashes or _NO_HASHES, [piece for run in held for piece in run.pieces]


@lru_cache(maxsize=MOST_RUNS)
def _mask_run(run: str, ours: frozenset[str]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return the words of a run as the model reads them in a post to a brand, and their hashes."""
    tokens = tuple(_mask(word, ours) for word in _TOKEN.findall(run))
    return tokens, tuple(get_string_id(token) for token in tokens)


_RUNS = Runs(_hold)
_PIECES = Runs(_hold_words)


def _mask(word: str, ours: frozenset[str]) -> str:
    first = word[0]
    if first == "@":
        plain = plain_name(word)
        return "@us" if not ours or any(name in plain or plain in name for name in ours) else "@someone"
    if first.isdigit():
        return "0" * min(len(word), 5)
    if word.startswith(("http", "www.")):
        return "link"
    return "@us" if word in ours else word[:_LONGEST_WORD]
