"""The playbook: the team's own facts, openers and rules, read from a TOML file they edit.

Loading checks everything at once and names the first mistake with its file and line. Slots are filled by name only:
`{first_name}`, `{brand}` and `{handle}`; a slot can reach no attribute, index or format.
"""

from __future__ import annotations

import re
import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from nlp.assessment import INTENTS
from nlp.gap import open_gaps

SLOTS = ("first_name", "brand", "handle")
Tone = Literal["plain", "warm", "cheerful"]
StepKind = Literal["answer", "ask", "private"]
EXAMPLE = Path(__file__).with_name("playbook.example.toml")
_LONGEST_TEXT = 600
_PLACE = re.compile(r" ?\(at (?:line (\d+), column \d+|end of document)\)")


class PlaybookError(ValueError):
    """The playbook can not be used; `sentence` says where and what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing the team may say, and when it fits; an empty tuple means 'always'.

    `name` is its place in the file ('opener 3', 'fact opening-hours') and is what a draft names as its source.
    `tone` matters to openers, `kind` to next steps.
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


@dataclass(frozen=True, slots=True)
class HandTo:
    """Who takes a conversation over: for these intents or these words."""

    who: str
    intents: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Playbook:
    """The whole playbook. `path` is where it was read from ('' for text)."""

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


def load_playbook(path: Path) -> Playbook:
    """Read and check the playbook at `path`.

    Raises:
        PlaybookError: it is missing, not UTF-8, not TOML, or says something that can not be used.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as err:
        why = err.strerror or type(err).__name__
        raise PlaybookError(f"{path}: the playbook can not be read ({why}); `cuecard init` writes one.") from err
    except UnicodeDecodeError as err:
        raise PlaybookError(f"{path}: the playbook is not UTF-8 text; save it again as UTF-8.") from err
    return parse_playbook(text, str(path))


def parse_playbook(text: str, place: str = "playbook") -> Playbook:
    """Check the playbook in `text`; `place` names it in errors.

    Raises:
        PlaybookError: it is not TOML, or says something that can not be used.
    """
    try:
        table = tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as err:
        raise PlaybookError(_toml_sentence(place, str(err))) from err
    return _Reader(table, text, place).read()


def slots_of(text: str) -> frozenset[str]:
    """Return the names of the slots in `text`.

    Raises:
        ValueError: a brace is left open, or a slot is more than a known name.
    """
    found = set()
    for _, name, form, conversion in string.Formatter().parse(text):
        if name is None:
            continue
        if name not in SLOTS or form or conversion:
            raise ValueError(name)
        found.add(name)
    return frozenset(found)


def fill(text: str, values: Mapping[str, str]) -> str:
    """Fill the slots of a checked text; a value is put in as it is and never read for slots itself."""
    parts = []
    for literal, name, _, _ in string.Formatter().parse(text):
        parts.append(literal)
        if name is not None:
            parts.append(values[name])
    return "".join(parts)


def has_word(text: str, word: str) -> bool:
    """Say whether `word` (or phrase) stands in `text` whole, whatever the case; a final '*' takes any ending."""
    stem = word.rstrip("*")
    end = "" if stem != word else r"(?!\w)"
    return bool(stem) and re.search(rf"(?<!\w){re.escape(stem.casefold())}{end}", text.casefold()) is not None


def _toml_sentence(place: str, message: str) -> str:
    found = _PLACE.search(message)
    line = f", line {found[1]}" if found and found[1] else ""
    return f"{place}{line}: this is not valid TOML: {_PLACE.sub('', message)}. Mend that line and try again."


_KEYS: Mapping[str, tuple[str, ...]] = {
    "brand": ("name", "tone", "language"),
    "words": ("never",),
    "fact": ("name", "text", "keywords", "intents", "brands", "products", "language"),
    "opener": ("text", "intents", "grades", "tone", "brands", "products", "language"),
    "next_step": ("text", "kind", "intents", "grades", "keywords", "brands", "products", "language"),
    "gap": ("text", "intents", "grades", "keywords", "brands", "products", "language"),
    "hand_to": ("who", "intents", "keywords", "note"),
}
_LISTS = ("fact", "opener", "next_step", "gap", "hand_to")


class _Reader:
    """Walks the parsed table, and knows how to find the line of what it dislikes."""

    def __init__(self, table: Mapping[str, Any], text: str, place: str) -> None:
        self._table = table
        self._lines = text.splitlines()
        self._place = place
        self._language = "en"
        self._never: tuple[str, ...] = ()

    def read(self) -> Playbook:
        self._check_shape()
        brand, words = self._table.get("brand", {}), self._table.get("words", {})
        self._language = self._text(brand, ("brand", 0), "language", "en")
        self._never = self._words(words, ("words", 0), "never")
        return Playbook(
            brand=self._text(brand, ("brand", 0), "name", ""),
            tone=self._text(brand, ("brand", 0), "tone", ""),
            language=self._language,
            facts=self._entries("fact"),
            openers=self._entries("opener"),
            next_steps=self._entries("next_step"),
            gaps=self._entries("gap"),
            never=self._never,
            hand_to=tuple(self._hand_to(row, ("hand_to", n)) for n, row in enumerate(self._table.get("hand_to", []))),
            path=self._place,
        )

    def _check_shape(self) -> None:
        for section, value in self._table.items():
            if section not in _KEYS:
                raise self._error((section, 0), "", f"there is no section '{section}'; use one of {', '.join(_KEYS)}")
            wanted = list if section in _LISTS else dict
            if not isinstance(value, wanted) or (wanted is list and not all(isinstance(row, dict) for row in value)):
                header = f"[[{section}]]" if wanted is list else f"[{section}]"
                raise self._error((section, 0), "", f"write {header} above its keys")
            for number, row in enumerate(value if isinstance(value, list) else [value]):
                for key in row:
                    if key not in _KEYS[section]:
                        known = ", ".join(_KEYS[section])
                        raise self._error((section, number), key, f"'{key}' is not known here; use one of {known}")

    def _entries(self, section: str) -> tuple[Entry, ...]:
        return tuple(self._entry(row, (section, number)) for number, row in enumerate(self._table.get(section, [])))

    def _entry(self, row: Mapping[str, Any], at: tuple[str, int]) -> Entry:
        if at[0] == "fact" and not row.get("keywords"):
            raise self._error(at, "keywords", "a fact needs keywords: the words in a post that call for it")
        name = self._text(row, at, "name", str(at[1] + 1))
        return Entry(
            name=f"{at[0].replace('_', ' ')} {name}",
            text=self._spoken(row, at),
            intents=self._one_of(self._words(row, at, "intents"), at, "intents", INTENTS),
            grades=self._grades(row, at),
            keywords=self._words(row, at, "keywords"),
            brands=self._words(row, at, "brands"),
            products=self._words(row, at, "products"),
            language=self._text(row, at, "language", self._language),
            tone=self._choice(row, at, "tone", get_args(Tone), "plain"),
            kind=self._choice(row, at, "kind", get_args(StepKind), "answer"),
        )

    def _hand_to(self, row: Mapping[str, Any], at: tuple[str, int]) -> HandTo:
        who = self._text(row, at, "who", "")
        if not who:
            raise self._error(at, "who", "say who takes it over")
        intents = self._one_of(self._words(row, at, "intents"), at, "intents", INTENTS)
        return HandTo(who, intents, self._words(row, at, "keywords"), self._text(row, at, "note", ""))

    def _spoken(self, row: Mapping[str, Any], at: tuple[str, int]) -> str:
        text = " ".join(self._text(row, at, "text", "").split())
        if not text:
            raise self._error(at, "text", "there is no text; write what the team would say")
        if len(text) > _LONGEST_TEXT:
            raise self._error(at, "text", f"the text has {len(text)} characters; {_LONGEST_TEXT} are the most")
        try:
            slots_of(text)
        except ValueError as err:
            hint = "use only {first_name}, {brand} or {handle}, and write {{ for a plain brace"
            raise self._error(at, "text", f"the slot '{err}' is not known; {hint}") from err
        if at[0] == "gap" and not open_gaps(text):
            raise self._error(at, "text", "a gap needs square brackets, such as [what you found]")
        for word in self._never:
            if has_word(text, word):
                raise self._error(at, "text", f"it uses '{word}', which is among the words we never use")
        return text

    def _text(self, row: Mapping[str, Any], at: tuple[str, int], key: str, default: str) -> str:
        value = row.get(key, default)
        if not isinstance(value, str):
            raise self._error(at, key, f"'{key}' must be text in quotes")
        return value.strip()

    def _words(self, row: Mapping[str, Any], at: tuple[str, int], key: str) -> tuple[str, ...]:
        value = row.get(key, [])
        if not isinstance(value, list) or not all(isinstance(word, str) and word.strip() for word in value):
            raise self._error(at, key, f'\'{key}\' must be a list of texts, such as ["one", "two"]')
        return tuple(word.strip() for word in value)

    def _grades(self, row: Mapping[str, Any], at: tuple[str, int]) -> tuple[int, ...]:
        value = row.get("grades", [])
        if not isinstance(value, list) or not all(type(grade) is int and 0 <= grade <= 3 for grade in value):
            raise self._error(at, "grades", "'grades' must be a list of numbers from 0 to 3, such as [2, 3]")
        return tuple(value)

    def _choice(self, row: Mapping[str, Any], at: tuple[str, int], key: str, known: tuple[str, ...], usual: str) -> Any:  # noqa: ANN401 - one of a Literal's values
        return self._one_of((self._text(row, at, key, usual),), at, key, known)[0]

    def _one_of(
        self, values: tuple[str, ...], at: tuple[str, int], key: str, known: tuple[str, ...]
    ) -> tuple[str, ...]:
        for value in values:
            if value not in known:
                raise self._error(at, key, f"'{value}' is not one of {', '.join(known)}")
        return values

    def _error(self, at: tuple[str, int], key: str, what: str) -> PlaybookError:
        line = self._line_of(at, key)
        where = f"[[{at[0]}]] {at[1] + 1}" if at[0] in _LISTS else f"[{at[0]}]"
        return PlaybookError(f"{self._place}{f', line {line}' if line else ''}, {where}: {what}.")

    def _line_of(self, at: tuple[str, int], key: str) -> int:
        """Find the line of a key by looking for its header, then for the key below it; 0 where it can not be told."""
        header = re.compile(rf"\s*\[\[?\s*[\"']?{re.escape(at[0])}[\"']?\s*\]\]?")
        heads = [n for n, line in enumerate(self._lines) if header.match(line)]
        if at[1] >= len(heads):
            start = re.compile(rf"\s*[\"']?{re.escape(at[0])}[\"']?\s*[.=]")
            return next((n + 1 for n, line in enumerate(self._lines) if start.match(line)), 0)
        if not key:
            return heads[at[1]] + 1
        wanted = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=")
        for number in range(heads[at[1]] + 1, len(self._lines)):
            if wanted.match(self._lines[number]):
                return number + 1
            if re.match(r"\s*\[\[?[\w\s\"']+\]\]?\s*(#.*)?$", self._lines[number]):
                break
        return heads[at[1]] + 1
