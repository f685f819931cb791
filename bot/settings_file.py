"""Reads a settings file into `Settings`, and says every mistake in it as one line with its place."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.config import MisplacedError, Settings, SettingsError
from bot.redaction import redact
from bot.toml_places import Place, line_of, name_of, syntax_problem
from nlp.playbook import PlaybookError, load_playbook

_Mistake = tuple[Place, str]
DEFAULT_NAME = "cuecard.toml"
_TOKEN_WORDS = ("token", "secret", "password")
_ADVICE = {
    "string_type": "write text in quotes",
    "int_type": "write a whole number, without quotes",
    "int_parsing": "write a whole number, without quotes",
    "int_from_float": "write a whole number",
    "float_type": "write a number, without quotes",
    "float_parsing": "write a number, without quotes",
    "bool_type": "write true or false, without quotes",
    "bool_parsing": "write true or false, without quotes",
    "tuple_type": "write a list in square brackets",
    "dict_type": "write a table",
    "finite_number": "write a plain number",
    "path_type": "write a file's path in quotes",
    "missing": "this is missing, and has no default; add it",
}


def settings_path(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Path:
    """Return which settings file is meant: `path`, else $CUECARD_SETTINGS, else ./cuecard.toml."""
    named = (os.environ if environ is None else environ).get("CUECARD_SETTINGS", "")
    return path or Path(named or DEFAULT_NAME)


def read_settings(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read, check and anchor a settings file; its relative paths are meant from its own folder.

    Raises:
        SettingsError: with one sentence for each mistake.
    """
    path = settings_path(path, environ)
    text = _read(path)
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as err:
        raise SettingsError(f"{path}, {syntax_problem(err)}; mend that line and try again.") from None
    _anchor(table, path.absolute().parent)
    settings, mistakes = _validate(table)
    sentences = [
        redact(f"{_placed(path, line, place)}: {what}" + ("" if what.endswith("?") else "."))
        for line, place, what in sorted(
            ((line_of(text, place), place, what) for place, what in mistakes), key=lambda found: found[0] or 0
        )
    ]
    sentences += _playbook_problem(table.get("playbook"), path)
    if settings is None or sentences:
        raise SettingsError(*sentences)
    settings._source = path  # noqa: SLF001 - our own, kept out of the model's fields
    return settings


def place_in(settings: Settings, place: Place) -> str:
    """Return where a setting stands, for a mistake that is found after reading: file, line, table and key."""
    path = settings.source
    if path is None:
        return name_of(place)
    try:
        line = line_of(path.read_text("utf-8-sig"), place)
    except (OSError, UnicodeDecodeError):
        line = None
    return _placed(path, line, place)


def _placed(path: Path, line: int | None, place: Place) -> str:
    return ", ".join([str(path), *([f"line {line}"] if line else []), *([name_of(place)] if place else [])])


def _playbook_problem(playbook: object, path: Path) -> list[str]:
    """Return what is wrong with the playbook: told together with the other mistakes, not after them."""
    if not isinstance(playbook, str):
        return []
    try:
        load_playbook(Path(playbook))
    except PlaybookError as err:
        return [f"{path}, playbook: {err.sentence}"]
    return []


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise SettingsError(
            f"There is no settings file {path}; `cuecard init` writes one, --settings names another."
        ) from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is not UTF-8 text; save it as UTF-8.") from None
    except OSError as err:
        raise SettingsError(f"{path} cannot be read: {err.strerror}.") from None


def _anchor(table: dict[str, Any], folder: Path) -> None:
    """Make relative paths start at the settings file's folder, a feed's `path` and `paths` among them."""
    table.setdefault("playbook", "playbook.toml")
    store = table.setdefault("store", {})
    if isinstance(store, dict):
        store.setdefault("path", "cuecard.db")
    feeds = table.get("feed")
    tables = [table, store, *(feeds.values() if isinstance(feeds, dict) else ())]
    for each in tables:
        if not isinstance(each, dict):
            continue
        for key in ("playbook", "path", "paths"):
            each.update({key: _anchored(each[key], folder)} if key in each else {})


def _anchored(value: object, folder: Path) -> object:
    if isinstance(value, str) and value:
        return str(folder / Path(value).expanduser())
    return [_anchored(item, folder) for item in value] if isinstance(value, list) else value


def _validate(table: dict[str, Any]) -> tuple[Settings | None, list[_Mistake]]:
    """Return the settings, or every mistake in them, one for each place."""
    try:
        return Settings.model_validate(table), []
    except ValidationError as err:
        found: dict[Place, str] = {}
        for detail in err.errors(include_url=False):
            for place, what in _mistakes_in(detail):
                found.setdefault(place, what)
        return None, list(found.items())


def _mistakes_in(detail: ErrorDetails) -> list[_Mistake]:
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, MisplacedError):
        return list(cause.mistakes)
    place: Place = tuple(part for part in detail["loc"] if part != "[key]")
    return [(place, _unknown_key(place) if detail["type"] == "extra_forbidden" else _what(detail))]


def _what(detail: ErrorDetails) -> str:
    if detail["type"] == "value_error":
        return str(detail["ctx"]["error"]).rstrip(".")
    advice = _ADVICE.get(detail["type"])
    message = detail["msg"]
    return advice or f"{message[:1].lower()}{message[1:]}".replace("input should be", "this should be")


def _unknown_key(place: Place) -> str:
    """Say that a key is unknown and which one was perhaps meant; a secret is told where secrets belong."""
    key = str(place[-1])
    if any(word in key.lower() for word in _TOKEN_WORDS):
        return "a secret does not belong in this file; put it in the environment or in .env, and take it out of here"
    known = list(_model_at(place[:-1]).model_fields)
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
    return f"there is no setting {key!r}; {hint}"


def _model_at(place: Place) -> type[BaseModel]:
    model: type[BaseModel] = Settings
    for part in place:
        if isinstance(part, int):
            continue
        kind: Any = model.model_fields[part].annotation
        model = cast("type[BaseModel]", next((arg for arg in getattr(kind, "__args__", ()) if _is_model(arg)), kind))
    return model


def _is_model(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
