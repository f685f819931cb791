"""One table of a playbook, such as an `[[opener]]`: its values by key, each of the right kind, or the mistake told."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from nlp.playbook import PlaybookError
from nlp.playbook_lines import Lines

LONGEST_TEXT = 600
_MOST_WORDS = 500
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True)
class Page:
    """The file that a table stands in: how errors name it, and where its keys are."""

    place: str
    lines: Lines


@dataclass(frozen=True, slots=True)
class Row:
    """A table. `number` is its place among those of its section, counted from 0; None where there is one only."""

    page: Page
    section: str
    number: int | None
    values: Mapping[str, Any]

    def text(self, key: str, default: str = "") -> str:
        """Return a text without space at its ends."""
        value = self.values.get(key, default)
        if not isinstance(value, str):
            self.refuse(key, f"'{key}' must be text in quotes")
        return str(value).strip()

    def words(self, key: str) -> tuple[str, ...]:
        """Return a list of texts."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(word, str) and word.strip() for word in value):
            self.refuse(key, f'\'{key}\' must be a list of texts, such as ["one", "two"]')
        if len(value) > _MOST_WORDS or any(len(word) > LONGEST_TEXT for word in value):
            self.refuse(key, f"'{key}' may hold {_MOST_WORDS} texts at most, of {LONGEST_TEXT} characters each")
        return tuple(word.strip() for word in value)

    def grades(self) -> tuple[int, ...]:
        """Return the grades."""
        value = self.values.get("grades", [])
        if not isinstance(value, list) or not all(type(grade) is int and 0 <= grade <= 3 for grade in value):
            self.refuse("grades", "'grades' must be a list of numbers from 0 to 3, such as [2, 3]")
        return tuple(value)

    def some_of(self, key: str, known: Iterable[str]) -> tuple[str, ...]:
        """Return a list of texts of which each is known."""
        return tuple(self._known(key, word, known) for word in self.words(key))

    def one_of(self, key: str, known: Iterable[str], default: str) -> Any:  # noqa: ANN401 - one of a Literal's values
        """Return a text that is known."""
        return self._known(key, self.text(key, default), known)

    def language(self, default: str) -> str:
        """Return the language's code."""
        told = self.text("language", default)
        if not _LANGUAGE.fullmatch(told):
            self.refuse("language", f"'{told}' is not a language; use a code such as en, de or pt-BR")
        return told.replace("_", "-")

    def check_name(self, key: str) -> None:
        """Refuse a key that can not be a name of the team's own."""
        if not _NAME.fullmatch(key):
            self.refuse(key, f"'{key}' can not be a name here; use small letters, digits, - and _")

    def refuse(self, key: str, what: str) -> NoReturn:
        """Raise what is wrong, with the line of a key; of the table's header where the key is ''."""
        line = self.page.lines.find(self.section, self.number or 0, key)
        where = f"[{self.section}]" if self.number is None else f"[[{self.section}]] {self.number + 1}"
        raise PlaybookError(f"{self.page.place}{f', line {line}' if line else ''}, {where}: {what}.")

    def _known(self, key: str, value: str, known: Iterable[str]) -> str:
        if value not in known:
            self.refuse(key, f"'{value}' is not one of {', '.join(known)}")
        return value
