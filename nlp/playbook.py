"""The playbook: the team's own facts, openers and rules, read from a TOML file they edit.

Loading checks everything at once (`nlp.playbook_reader`) and names the first mistake with its file and line. What its
sentences may hold is in `nlp.templates`; `nlp.playbook_file` takes an edited file without a restart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

from nlp.templates import fill, has_word, slots_of

__all__ = [
    "EXAMPLE",
    "Entry",
    "HandTo",
    "Playbook",
    "PlaybookError",
    "Silence",
    "StepKind",
    "Tone",
    "fill",
    "has_word",
    "load_playbook",
    "parse_playbook",
    "slots_of",
]

Tone = Literal["plain", "warm", "cheerful"]
StepKind = Literal["answer", "ask", "private"]
EXAMPLE = Path(__file__).with_name("playbook.example.toml")
MOST_BYTES = 1_000_000


class PlaybookError(ValueError):
    """The playbook can not be used; `sentence` says where and what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class Entry:
    """One thing the team may say, and when it fits; an empty tuple means 'always'.

    `name` is its place in the file ('opener 3', 'fact opening-hours') and is what a draft names as its source. `text`
    is how it is said and `others` are other wordings of the same, taken in turn. `unless` are words in a post that
    speak against it. `tone` matters to openers, `kind` to next steps, and `gap`, the one that goes with it, to facts.
    `note` is shown to the person who writes and is never part of a draft.
    """

    name: str
    text: str
    intents: tuple[str, ...] = ()
    grades: tuple[int, ...] = ()
    keywords: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    language: str = "en"
    tone: Tone = "plain"
    kind: StepKind = "answer"
    others: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    note: str = ""
    gap: str = ""

    @property
    def texts(self) -> tuple[str, ...]:
        """Every wording."""
        return (self.text, *self.others)

    @cached_property
    def wordings(self) -> tuple[Self, ...]:
        """The entry once for each of its wordings."""
        return tuple(replace(self, text=text, others=()) for text in self.texts)


@dataclass(frozen=True, slots=True)
class HandTo:
    """Who takes a conversation over: for these intents or these words."""

    who: str
    intents: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    note: str = ""
    brands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Silence:
    """When nothing is to be suggested, and `reason`, one sentence for the person who reads."""

    reason: str
    intents: tuple[str, ...] = ()
    grades: tuple[int, ...] = ()
    keywords: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Playbook:
    """The whole playbook. `path` is where it was read from, and `mark` changes with every word of it."""

    brand: str = ""
    tone: str = ""
    language: str = "en"
    facts: tuple[Entry, ...] = ()
    openers: tuple[Entry, ...] = ()
    next_steps: tuple[Entry, ...] = ()
    gaps: tuple[Entry, ...] = ()
    never: tuple[str, ...] = ()
    hand_to: tuple[HandTo, ...] = ()
    path: str = ""
    silences: tuple[Silence, ...] = ()
    notes: tuple[Entry, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    mark: str = ""

    def current(self) -> Self:
        """Return itself: a playbook that was read once never changes (see `PlaybookFile`)."""
        return self


def load_playbook(path: Path) -> Playbook:
    """Read and check the playbook at `path`.

    Raises:
        PlaybookError: it is missing, not UTF-8, not TOML, or says something that can not be used.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as err:
        why = err.strerror or type(err).__name__
        raise PlaybookError(f"{path}: the playbook can not be read ({why}); `cuecard init` writes one.") from err
    if len(data) > MOST_BYTES:
        raise PlaybookError(
            f"{path}: the playbook is larger than a megabyte; keep what people may say, and cut the rest."
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        raise PlaybookError(f"{path}: the playbook is not UTF-8 text; save it again as UTF-8.") from err
    return parse_playbook(text, str(path))


def parse_playbook(text: str, place: str = "playbook") -> Playbook:
    """Check the playbook in `text`; `place` names it in errors.

    Raises:
        PlaybookError: it is not TOML, or says something that can not be used.
    """
    from nlp.playbook_reader import read_playbook  # noqa: PLC0415 - it imports this file

    mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return read_playbook(text, place, mark)
