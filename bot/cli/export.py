"""`cuecard export`: one row for each conversation, as CSV or JSONL."""

from __future__ import annotations

import contextlib
import csv
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TextIO

import typer

from bot.cli.options import SettingsOption, open_existing_store
from bot.cli.terminal import clean, complain, json_line

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Format(StrEnum):
    """How rows are written."""

    CSV = "csv"
    JSONL = "jsonl"


def export(
    format_: Annotated[
        Format, typer.Option("--format", "-f", help="CSV for a spreadsheet, JSONL for programs.")
    ] = Format.CSV,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write; without it, standard output.")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="Only what was heard on this day (UTC) or later."),
    ] = None,
    settings: SettingsOption = None,
) -> None:
    """Write one row for each conversation, as CSV or JSONL.

    What was said, how it ranked, who had it, how it ended, and when.
    """
    from bot.config import load_settings

    loaded = load_settings(settings)
    with open_existing_store(loaded.store.path) as store, _opened(output) as file:
        rows = _since(store.export_rows(), since.date() if since else None)
        count = _WRITERS[format_](rows, file)
    if output is not None:
        complain(f"{count} conversation{'' if count == 1 else 's'} written to {output}.")


def _since(rows: Iterable[Mapping[str, object]], day: date | None) -> Iterator[Mapping[str, object]]:
    return (row for row in rows if day is None or _is_since(row.get("heard_at"), day))


def _is_since(heard_at: object, day: date) -> bool:
    moment = datetime.fromisoformat(heard_at) if isinstance(heard_at, str) else heard_at
    return isinstance(moment, datetime) and moment.astimezone(UTC).date() >= day


@contextlib.contextmanager
def _opened(output: Path | None) -> Iterator[TextIO]:
    """Yield where to write. A file appears under its name only when it is whole."""
    if output is None:
        yield sys.stdout
        return
    part = output.with_name(output.name + ".part")
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            yield file
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)


def _write_csv(rows: Iterable[Mapping[str, object]], file: TextIO) -> int:
    """Write rows for a spreadsheet: no cell can be a formula, and a terminal is not acted upon."""
    count = 0
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\n" if file is sys.stdout else "\r\n")
    is_terminal = file.isatty()
    for row in rows:
        if count == 0:
            writer.writerow(row)
        writer.writerow([_cell(value, is_terminal=is_terminal) for value in row.values()])
        count += 1
        file.write(line.getvalue())
        line.seek(0)
        line.truncate()
    return count


def _cell(value: object, *, is_terminal: bool) -> object:
    """Return a cell that a spreadsheet takes for text where it is text."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    if not isinstance(value, str):
        return value if isinstance(value, int | float) else json_line(value)
    text = value.replace("\x00", "").encode("utf-8", "replace").decode()
    text = clean(text) if is_terminal else text
    return f"'{text}" if text.lstrip(" \n").startswith(_FORMULA) or text.startswith(_FORMULA) else text


def _write_jsonl(rows: Iterable[Mapping[str, object]], file: TextIO) -> int:
    count = 0
    for row in rows:
        told = {key: value.isoformat() if isinstance(value, datetime) else value for key, value in row.items()}
        file.write(json_line(told) + "\n")
        count += 1
    return count


_WRITERS: Mapping[Format, Callable[[Iterable[Mapping[str, object]], TextIO], int]] = {
    Format.CSV: _write_csv,
    Format.JSONL: _write_jsonl,
}
