"""What a draft by a model must not hold, whatever it was told: the first fault, in one sentence, or none. Pure text."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import cached_property

from nlp.draft_address import is_rude
from nlp.draft_words import figures, guilty_words, is_cheerful, links, promises, spans, times
from nlp.gap import open_gaps
from nlp.language import detect
from nlp.templates import has_word, reduce
from nlp.wording import content_words, stem

_IN_BRACKETS = re.compile(r"\[[^\[\]]*\]")
_SENTENCE = re.compile(r"[^.!?]+[.!?]*")
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_NOT = re.compile(r"\b(?:not|no|never|none|nothing|without|cannot)\b|n['\u2019]t\b", re.IGNORECASE)
_MARKUP = re.compile(r"[<>{}*_`~#@\uff20|\\]|\]\(|[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
_FEWEST_WORDS = 3
_ECHO = 6
_MOST_NEW_IN_A_QUESTION = 2
_SHARED_WITH_FACT = 3
_FEELING = frozenset(
    stem(word)
    for word in """sorry read see look looking sound annoying frustrating upset worry wait hard hear tell telling told
    write writing share say asking ask question answer point understand matter morning day time reply message post
    private send find found check checking happened happening happen experience detail helpful clear way moment
    person team colleague problem issue trouble situation thought feel feeling let know wrong right difficult hard tough
    stressful annoyed annoying worried worrying alarming unsettling disappointing disappointed concern concerned
    patience appreciate information word note noted deserve matter mean meant sense instead already bit look""".split()  # noqa: SIM905 - to be read as words
)
_US = re.compile(r"\b(?:we|our|ours|us)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Brief:
    """What a draft is measured by: the facts and sayings that were given, the post, and the rules."""

    facts: tuple[str, ...]
    sayings: tuple[str, ...]
    post: str
    language: str
    is_sober: bool
    never: tuple[str, ...]
    names: Collection[str]
    room: Callable[[str], bool]

    @cached_property
    def given(self) -> str:
        """Everything that the playbook gave."""
        return " ".join([*self.facts, *self.sayings])

    @cached_property
    def ours(self) -> frozenset[str]:
        """The stems of every word that was given, or is only sympathy."""
        return _stems(self.given) | _FEELING

    @cached_property
    def theirs(self) -> frozenset[str]:
        """The stems of the words that only the post has."""
        return _stems(self.post) - self.ours


def find_fault(text: str, brief: Brief) -> str:
    """Return why a draft can not be shown, '' where it can."""
    spoken = _IN_BRACKETS.sub(" … ", text)
    return (
        _check_shape(text, spoken, brief)
        or _check_words(text, brief)
        or _check_claims(text, brief)
        or _check_names(spoken, brief)
        or _check_sense(spoken, brief)
    )


def _check_shape(text: str, spoken: str, brief: Brief) -> str:
    signs = "".join(sign for sign in text if sign in "[]")
    if not open_gaps(text) or signs.replace("[]", ""):
        return "It has no gap that a person must fill."
    if len(_WORD.findall(spoken)) < _FEWEST_WORDS:
        return "It says nothing but its gap."
    if _MARKUP.search(text):
        return "It holds a sign that a plain reply has not."
    if detect(spoken) not in {brief.language, "und"}:
        return "It is in another language."
    return "" if brief.room(text) else "It leaves no room for a person's own words."


def _check_words(text: str, brief: Brief) -> str:
    word = next((word for word in brief.never if has_word(text, word)), None)
    if word is not None:
        return f"It uses '{word}', which is among the words we never use."
    if is_rude(text):
        return "It uses a word that we would not say aloud."
    if is_cheerful(text):
        return "It is cheerful where nobody asked for cheer."
    return "It takes blame." if _new(guilty_words(text), guilty_words(brief.given)) else ""


def _check_claims(text: str, brief: Brief) -> str:
    """Refuse what binds us and stands in nothing that was given. A number or a day may also come from the post."""
    given, post = brief.given, brief.post
    if new := _new(links(text), links(given)):
        return f"It names an address that stands in no fact: {new}."
    if new := _new(promises(text), promises(" ".join(brief.facts))):
        return f"It promises something that stands in no fact: '{new}'."
    if new := _new(figures(text), [*figures(given), *figures(post)]):
        return f"It names a figure that stands in no fact: {new}."
    if new := _new([*times(text), *spans(text)], [*times(given), *times(post), *spans(given), *spans(post)]):
        return f"It names a time that stands in no fact: '{new}'."
    return ""


def _check_names(spoken: str, brief: Brief) -> str:
    """Refuse a name that is neither ours nor the playbook's, and a long run of the post's own words."""
    for sentence in _SENTENCE.findall(spoken):
        for match in list(_WORD.finditer(sentence))[1:]:
            word = match[0]
            if word[0].isupper() and word.split("'")[0].split("\u2019")[0] != "I" and word not in brief.names:
                return f"It names somebody or something that the playbook does not: {word}."
    post, words = f" {reduce(brief.post)} ", reduce(spoken).split()
    given = f" {reduce(brief.given)} "
    for start in range(len(words) - _ECHO + 1):
        run = f" {' '.join(words[start : start + _ECHO])} "
        if run in post and run not in given:
            return "It repeats the post."
    return ""


def _check_sense(spoken: str, brief: Brief) -> str:
    """Refuse what nobody gave: a statement in a new word, one about us in the post's words, the opposite of a fact."""
    for sentence in _SENTENCE.findall(spoken):
        new = [word for word in content_words(sentence) if stem(word) not in brief.ours | brief.theirs]
        if len(new) > (_MOST_NEW_IN_A_QUESTION if sentence.endswith("?") else 0):
            return f"It says what stands in no fact: '{' '.join(new[:4])}'."
        stems = _stems(sentence)
        if _US.search(sentence) and stems & brief.theirs:
            return "It says of us what only the post says."
        if _NOT.search(sentence) and any(_is_denied(fact, stems) for fact in brief.facts):
            return "It denies a fact."
    return ""


def _is_denied(fact: str, stems: frozenset[str]) -> bool:
    return len(stems & _stems(fact)) >= _SHARED_WITH_FACT and not _NOT.search(fact)


def _new(found: Iterable[str], allowed: Iterable[str]) -> str:
    """Return the first of what was found that is not allowed."""
    known = set(allowed)
    return next((each for each in found if each not in known), "")


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in content_words(text))
