"""Reads a playbook's TOML and checks every word of it; the first mistake is told with its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args
from urllib.parse import urlsplit

from nlp.assessment import INTENTS
from nlp.gap import open_gaps
from nlp.playbook import Entry, HandTo, Playbook, PlaybookError, Silence, StepKind, Tone
from nlp.playbook_lines import Lines
from nlp.playbook_row import LONGEST_TEXT, Page, Row
from nlp.templates import has_word, slots_of

_LONGEST_ADDRESS = 300
_MOST_ENTRIES = 2_000
_MOST_KEYWORDS = 2_000
_PLACE = re.compile(r" ?\(at (?:line (\d+), column \d+|end of document)\)")
_ADDRESS = re.compile(r"https?://|\bwww\.", re.IGNORECASE)
_NARROWS = ("intents", "grades", "matters", "keywords", "brands", "products", "platforms", "unless")
_SPOKEN = ("text", "texts", "note", "language", *_NARROWS)
KEYS: Mapping[str, tuple[str, ...]] = {
    "brand": ("name", "tone", "language"),
    "words": ("never",),
    "links": (),
    "matters": (),
    "fact": ("name", "gap", *_SPOKEN),
    "opener": ("tone", *_SPOKEN),
    "next_step": ("kind", *_SPOKEN),
    "gap": _SPOKEN,
    "note": ("text", *_NARROWS),
    "silence": ("reason", *_NARROWS),
    "hand_to": ("who", "intents", "matters", "keywords", "brands", "note"),
}
_NAMED = ("links", "matters")
"""The sections whose keys are names of the team's own."""
_FACT_GRADES = (1, 2)
"""Where a fact fits that does not say: to somebody in trouble now, a stock answer is the wrong answer."""
_LISTS = ("fact", "opener", "next_step", "gap", "note", "silence", "hand_to")


def read_playbook(text: str, place: str, mark: str) -> Playbook:
    """Return the playbook in `text`; `place` names it in errors, `mark` tells it from every other.

    Raises:
        PlaybookError: it is not TOML, or says something that can not be used.
    """
    try:
        table = tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as err:
        found = _PLACE.search(str(err))
        line = f", line {found[1]}" if found and found[1] else ""
        said = _PLACE.sub("", str(err))
        raise PlaybookError(f"{place}{line}: this is not valid TOML: {said}. Mend that line and try again.") from err
    except RecursionError as err:
        raise PlaybookError(f"{place}: its lists are nested too deeply to be read; a playbook needs no depth.") from err
    return _Reader(table, text, place).read(mark)


class _Reader:
    """Walks the parsed table; what one entry needs of the others is read first."""

    def __init__(self, table: Mapping[str, Any], text: str, place: str) -> None:
        self._table = table
        self._page = Page(place, Lines(text))
        self._check_shape()
        self._language = self._row("brand").language("en")
        self._never = self._row("words").words("never")
        links, matters = self._row("links"), self._row("matters")
        self._links = {name: _address(links, name) for name in links.values}
        self._matters = {name: _matter(matters, name) for name in matters.values}

    def read(self, mark: str) -> Playbook:
        brand = self._row("brand")
        return Playbook(
            brand=brand.text("name"),
            tone=brand.text("tone"),
            language=self._language,
            facts=self._facts(),
            openers=self._entries("opener"),
            next_steps=self._entries("next_step"),
            gaps=self._entries("gap"),
            never=self._never,
            hand_to=tuple(map(self._hand_to, self._rows("hand_to"))),
            path=self._page.place,
            silences=tuple(map(self._silence, self._rows("silence"))),
            notes=self._entries("note"),
            links=self._links,
            mark=mark,
        )

    def _check_shape(self) -> None:
        for section, value in self._table.items():
            first = Row(self._page, section, 0 if section in _LISTS else None, {})
            if section not in KEYS:
                first.refuse("", f"there is no section '{section}'; use one of {', '.join(KEYS)}")
            wanted = list if section in _LISTS else dict
            if not isinstance(value, wanted) or (wanted is list and not all(isinstance(row, dict) for row in value)):
                header = f"[[{section}]]" if wanted is list else f"[{section}]"
                first.refuse("", f"write {header} above its keys")
            if len(value) > _MOST_ENTRIES:
                first.refuse("", f"there are more than {_MOST_ENTRIES:,} of these")
            if section not in _NAMED:
                for row in self._rows(section) if section in _LISTS else [self._row(section)]:
                    _check_keys(row)

    def _row(self, section: str) -> Row:
        return Row(self._page, section, None, self._table.get(section, {}))

    def _rows(self, section: str) -> list[Row]:
        return [Row(self._page, section, number, row) for number, row in enumerate(self._table.get(section, []))]

    def _facts(self) -> tuple[Entry, ...]:
        """Return the facts: each has a name of its own, and none without grades is for a grade 3."""
        facts: dict[str, Entry] = {}
        for row in self._rows("fact"):
            fact = self._entry(row)
            if fact.name in facts:
                row.refuse("name", f"there is another {fact.name}; give each fact a name of its own")
            facts[fact.name] = fact if fact.grades else replace(fact, grades=_FACT_GRADES)
        return tuple(facts.values())

    def _entries(self, section: str) -> tuple[Entry, ...]:
        return tuple(map(self._entry, self._rows(section)))

    def _entry(self, row: Row) -> Entry:
        first, *others = self._spoken(row)
        gap = " ".join(row.text("gap").split())
        if gap:
            self._check_wording(row, "gap", gap)
        return Entry(
            name=f"{row.section.replace('_', ' ')} {row.text('name', str((row.number or 0) + 1))}",
            text=first,
            language=row.language(self._language),
            tone=row.one_of("tone", get_args(Tone), "plain"),
            kind=row.one_of("kind", get_args(StepKind), "answer"),
            others=tuple(others),
            note=row.text("note"),
            gap=gap,
            **self._narrowed(row),
        )

    def _narrowed(self, row: Row) -> dict[str, Any]:
        """Return the keys that say when an entry fits."""
        words = {key: row.words(key) for key in ("brands", "products", "platforms", "unless")}
        intents = row.some_of("intents", INTENTS)
        return {**words, "keywords": self._keywords(row), "intents": intents, "grades": row.grades()}

    def _keywords(self, row: Row) -> tuple[str, ...]:
        """Return the words that call for an entry: its own, and those of its matters."""
        words = [*row.words("keywords")]
        for name in dict.fromkeys(row.words("matters")):
            if name not in self._matters:
                known = ", ".join(self._matters) or "none yet"
                row.refuse("matters", f"'{name}' does not stand under [matters] ({known})")
            words += self._matters[name]
        if len(words) > _MOST_KEYWORDS:
            row.refuse("matters", f"its matters have {len(words):,} words together; {_MOST_KEYWORDS:,} are the most")
        return tuple(dict.fromkeys(words))

    def _hand_to(self, row: Row) -> HandTo:
        if not row.text("who"):
            row.refuse("who", "say who takes it over")
        intents, keywords = row.some_of("intents", INTENTS), self._keywords(row)
        return HandTo(row.text("who"), intents, keywords, row.text("note"), row.words("brands"))

    def _silence(self, row: Row) -> Silence:
        if not row.text("reason"):
            row.refuse("reason", "say in one sentence why nothing is suggested; people will read it")
        told = self._narrowed(row)
        if not any(told.values()):
            row.refuse("", f"this would silence every suggestion; name some of {', '.join(_NARROWS)}")
        return Silence(row.text("reason"), **told)

    def _spoken(self, row: Row) -> list[str]:
        """Return every wording of an entry."""
        if "text" in row.values and "texts" in row.values:
            row.refuse("texts", "write 'text' for one wording or 'texts' for several, not both")
        key = "texts" if "texts" in row.values else "text"
        given = row.words(key) if key == "texts" else (row.text(key),)
        wordings = [" ".join(wording.split()) for wording in given]
        if not wordings or not all(wordings):
            row.refuse(key, "there is no text; write what the team would say")
        if len(set(wordings)) < len(wordings):
            row.refuse(key, "two of its wordings are the same")
        for wording in wordings:
            self._check_wording(row, key, wording)
        return wordings

    def _check_wording(self, row: Row, key: str, text: str) -> None:
        if len(text) > LONGEST_TEXT:
            row.refuse(key, f"the text has {len(text)} characters; {LONGEST_TEXT} are the most")
        if row.section == "note":
            return
        try:
            slots_of(text, self._links)
        except ValueError as err:
            known = ", ".join(f"{{link.{name}}}" for name in self._links)
            hint = "use only {first_name}, {brand} or {handle}" + (f", {known}" if known else "")
            row.refuse(key, f"the slot '{err}' is not known; {hint}, and write {{{{ for a plain brace")
        if not _is_balanced(text):
            row.refuse(key, "a square bracket is left open, or stands inside another; a gap is one pair of them")
        if "gap" in {row.section, key} and not open_gaps(text):
            row.refuse(key, "a gap needs square brackets, such as [what you found]")
        if _ADDRESS.search(text):
            row.refuse(key, "put the address under [links] and write {link.its-name} here")
        word = next((word for word in self._never if has_word(text, word)), None)
        if word is not None:
            row.refuse(key, f"it uses '{word}', which is among the words we never use")


def _check_keys(row: Row) -> None:
    unknown = next((key for key in row.values if key not in KEYS[row.section]), None)
    if unknown is not None:
        row.refuse(unknown, f"'{unknown}' is not known here; use one of {', '.join(KEYS[row.section])}")


def _matter(row: Row, name: str) -> tuple[str, ...]:
    row.check_name(name)
    words = row.words(name)
    if not words:
        row.refuse(name, f"'{name}' needs at least one word that a post about it would hold")
    return words


def _address(row: Row, name: str) -> str:
    row.check_name(name)
    value = row.values[name]
    parts = None
    if isinstance(value, str) and value.isprintable() and " " not in value and len(value) <= _LONGEST_ADDRESS:
        parts = _split(value)
    if parts is None or parts[0] != "https" or not parts[1]:
        row.refuse(name, f"'{name}' must be a web address that begins with https://, without a password")
    return str(value)


def _is_balanced(text: str) -> bool:
    """Say whether every square bracket has its other, and none stands inside another pair."""
    signs = "".join(sign for sign in text if sign in "[]")
    return not signs.replace("[]", "")


def _split(address: str) -> tuple[str, str] | None:
    """Return an address's scheme and host; None where it holds a password or can not be read."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    return None if "@" in parts.netloc else (parts.scheme, parts.hostname or "")
