"""Which language a text is in, offline. py3langid is loaded only for text that does not read as plain English."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Protocol, cast

UNSURE = "und"
_MASKED = re.compile(r"https?://\S+|www\.\S+|[@#][\w.-]+|&\w+;")
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?")
_LONGEST = 600
_FEWEST_LETTERS = 20
_SURE = 0.97
_SURE_IF_LONG = 0.80
_LONG = 60
_ENGLISH = frozenset(
    """
    the a an and or but if is are was were be been am i you he she it we they my your our their me us this that
    these those there here what when where why how who which to of in on at for from with by about as not no don't
    can't won't isn't doesn't do does did have has had will would can could should get got just so i'm it's i've
    still please help thanks thank any all more than out up now after again ago always another anyone anything
    around away back bad because before being best better between both bought broken call called came change come
    customer day days didn't down each email even ever every everyone everything fix give given goes going good
    great guys haven't having hello hey him his hope hour hours how's i'd i'll im ive issue keep know last least
    less let like little live long look love made make many maybe month months much must need needs never new next
    nice nobody nothing off often ok old once one only open order other over own paid people person phone problem
    put really refund right said same say says see seems sent service show since some someone something soon sorry
    stop such support sure take team tell that's them then there's they're thing things think though through time
    times today together told tomorrow tonight too took tried try trying two until update use used using very wait
    waiting want wants wasn't way week weeks well went weren't what's while who's whole without word work working
    works worst wouldn't year years yes yesterday yet you'd you'll you're you've yours
    """.split()  # noqa: SIM905 - to be read as words
)
# rarer languages are left out: on short slang they are guessed far more often than they are written
_KNOWN = "en es fr de pt it nl sv da no fi pl cs sk hu ro tr id ms tl vi ru uk bg el ar fa he hi ja ko th zh".split()  # noqa: SIM905
_SCRIPTS = (
    (re.compile(r"[\u3040-\u30ff]"), "ja"),
    (re.compile(r"[\uac00-\ud7af]"), "ko"),
    (re.compile(r"[\u0e00-\u0e7f]"), "th"),
    (re.compile(r"[\u0590-\u05ff]"), "he"),
    (re.compile(r"[\u0370-\u03ff]"), "el"),
    (re.compile(r"[\u0900-\u097f]"), "hi"),
    (re.compile(r"[\u4e00-\u9fff]"), "zh"),
)


class _Identifier(Protocol):
    def classify(self, text: str) -> tuple[str, float]: ...


def detect(text: str) -> str:
    """Return the ISO 639-1 code of the language of `text`, or 'und' where it is too short or too unclear to say.

    Handles, tags and links are ignored; only the first 600 characters are read.
    """
    bare = _MASKED.sub(" ", text[:_LONGEST])
    words = _WORD.findall(bare.lower())
    if is_plainly_english(len(words), count_english(words)):
        return "en"
    if script := _script_of(bare):
        return script
    letters = sum(len(word) for word in words)
    if letters < _FEWEST_LETTERS or len(words) < 4:
        return UNSURE
    code, certainty = _identifier().classify(" ".join(words))
    sure = _SURE_IF_LONG if letters >= _LONG else _SURE
    return code if certainty >= sure else UNSURE


def count_english(words: Sequence[str]) -> int:
    """Return how many of the words, in lower case, are among the small words of English."""
    return sum(word.replace("\u2019", "'") in _ENGLISH for word in words)


def is_plainly_english(words: int, english: int) -> bool:
    """Say whether so many small words of English among all words leave nothing to ask."""
    return english >= 2 and english * 4 >= words


def _script_of(text: str) -> str:
    """Tell a language that has a script to itself, however short the text."""
    if text.isascii():
        return ""
    letters = sum(char.isalpha() for char in text)
    return next((code for script, code in _SCRIPTS if len(script.findall(text)) * 3 >= max(letters, 6)), "")


@cache
def _identifier() -> _Identifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415 - loads a model; most runs never need it

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(_KNOWN)
    return cast("_Identifier", identifier)
