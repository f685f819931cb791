"""Mentions from lines of JSON or from CSV: what `cuecard replay` and `cuecard rank` read.

One object a line; only `id` and `text` are needed:

    {"id", "text", "platform", "brand", "author": {"handle", "name", "followers"} or "handle", "created_at",
     "in_reply_to", "thread_id", "parent_text", "url", "title", "language", "account"}

CSV has the same names in its first line, with author_handle, author_name and author_followers; its cells are split by
commas, semicolons or tabs. `created_at` is ISO 8601 (without a zone: UTC) or seconds since 1970. Names that are not
known are passed over. A line that cannot be read is told by its number and the reason, and the next one is read.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import BinaryIO, Final, TypeAlias

from listeners.mention import Author, Mention
from listeners.query import Watches
from listeners.text import decode_json, whole_characters

MAX_LINE: Final = 10_000_000  # bytes
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
_BOM: Final = b"\xef\xbb\xbf"
_NOT_UTF8: Final = re.compile("[\udc80-\udcff]")
_SECONDS: Final = re.compile(r"-?\d{1,12}(\.\d{1,9})?")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line that is no mention: where it is, and why."""

    place: str
    line: int
    reason: str

    @property
    def sentence(self) -> str:
        """The refusal as it is shown."""
        return f"{self.place}, line {self.line}: {self.reason}"


class _RowRefused(Exception):  # noqa: N818 - reads as what happened
    """Why a row is no mention."""


def tag_row(mention: Mention, watches: Watches) -> Mention:
    """Return a mention that was brought on purpose with the watches that match it, if any, and their brand."""
    text = f"{mention.title}\n{mention.text}"
    found = watches.match(text, author=mention.author.handle, language=mention.language)
    if not found:
        return mention
    return replace(mention, brand=mention.brand or found[0].brand, watches=tuple(watch.name for watch in found))


def read_lines(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a file; of one longer than `MAX_LINE` only so much that `read_rows` will refuse it."""
    while line := stream.readline(MAX_LINE + 1):
        rest = line
        while len(rest) > MAX_LINE and not rest.endswith(b"\n"):
            rest = stream.readline(MAX_LINE + 1)
        yield line


def read_rows(
    lines: Iterable[bytes],
    place: str,
    *,
    after: int = 0,
    feed: str = "",
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[Mention | Refusal]:
    """Yield a mention, or why there is none, for every line that is not blank.

    `place` is the name of the file as it is told to people; one that ends in .csv or .tsv is read as CSV. Lines up to
    number `after` are passed over. `now` is when a post without a time was made.
    """
    for _line, row in number_rows(lines, place, after=after, feed=feed, now=now):
        yield row


def number_rows(
    lines: Iterable[bytes],
    place: str,
    *,
    after: int = 0,
    feed: str = "",
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[tuple[int, Mention | Refusal]]:
    """Like `read_rows`, with the number of the line that each row ends on."""
    read = _read_csv if place.lower().endswith((".csv", ".tsv")) else _read_json
    for number, row in read(lines, after):
        try:
            yield number, _build(row if isinstance(row, Mapping) else _decode_object(row), feed, now)
        except _RowRefused as err:
            yield number, Refusal(place, number, str(err))


# A row on its way: its cells by name; or the bytes of a line of JSON; or why the line holds no row.
_Raw: TypeAlias = "Mapping[str, object] | bytes | _RowRefused"


def _read_json(lines: Iterable[bytes], after: int) -> Iterator[tuple[int, _Raw]]:
    for number, line in enumerate(lines, start=1):
        if number > after and (bare := (line.removeprefix(_BOM) if number == 1 else line).strip()):
            yield number, bare


def _decode_object(raw: bytes | _RowRefused) -> Mapping[str, object]:
    if isinstance(raw, _RowRefused):
        raise raw
    if len(raw) > MAX_LINE:
        raise _RowRefused(f"it is longer than {MAX_LINE:,} bytes.")
    try:
        row = decode_json(raw)
    except ValueError as err:
        raise _RowRefused(f"{err}.") from err
    if not isinstance(row, dict):
        raise _RowRefused("it is no JSON object.")
    return row


def _read_csv(lines: Iterable[bytes], after: int) -> Iterator[tuple[int, _Raw]]:
    texts = _decode_lines(lines)
    first = next(texts, "")
    delimiter = max(",;\t", key=first.count)
    try:
        header = next(csv.reader([first], delimiter=delimiter), [])
    except csv.Error:
        header = []
    names = [name.strip().lower() for name in header]
    missing = [name for name in ("id", "text") if name not in names]
    if missing:
        if after < 1:
            yield 1, _RowRefused(f"the first line names no column '{missing[0]}'.")
        return
    csv.field_size_limit(MAX_LINE)
    reader = csv.reader(texts, delimiter=delimiter)
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as err:
            yield reader.line_num + 1, _RowRefused(f"it is no CSV ({err}).")
            continue
        if cells is None:
            return
        if cells and reader.line_num + 1 > after:
            yield reader.line_num + 1, _name_cells(names, cells)


def _decode_lines(lines: Iterable[bytes]) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        yield (line.removeprefix(_BOM) if number == 1 else line).decode("utf-8", errors="surrogateescape")


def _name_cells(names: list[str], cells: list[str]) -> _Raw:
    if len(cells) > len(names):
        return _RowRefused(f"it has {len(cells)} cells, and the first line names {len(names)}.")
    if any(_NOT_UTF8.search(cell) for cell in cells):
        return _RowRefused("it is not UTF-8.")
    row: dict[str, object] = {name: cell for name, cell in zip(names, cells, strict=False) if cell}
    handle, author = row.pop("author_handle", None), row.pop("author", None)
    row["author"] = {
        "handle": handle or author or "",
        "name": row.pop("author_name", ""),
        "followers": row.pop("author_followers", None),
    }
    return row


def _build(row: Mapping[str, object], feed: str, now: Callable[[], datetime]) -> Mention:
    native_id = _read_id(row, "id")
    if not native_id:
        raise _RowRefused("it has no id.")
    text = _read_text(row, "text")
    if not text.strip():
        raise _RowRefused("it has no text.")
    when = row.get("created_at")
    return Mention(
        platform=_read_line(row, "platform") or "replay",
        native_id=native_id,
        text=text,
        author=_read_author(row.get("author")),
        created_at=now() if when is None or when == "" else _read_moment(when),
        feed=feed,
        url=_read_line(row, "url"),
        title=_read_line(row, "title"),
        brand=_read_line(row, "brand"),
        language=_read_line(row, "language"),
        thread_id=_read_id(row, "thread_id"),
        in_reply_to=_read_id(row, "in_reply_to"),
        parent_text=whole_characters(_read_text(row, "parent_text")),
        account=_read_line(row, "account"),
    )


def _read_text(row: Mapping[str, object], key: str) -> str:
    value = row.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _RowRefused(f"{key} must be text.")
    return value


def _read_line(row: Mapping[str, object], key: str) -> str:
    text = _read_text(row, key)
    return " ".join(whole_characters(text).split()) if text else ""


def _read_id(row: Mapping[str, object], key: str) -> str:
    value = row.get(key)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _RowRefused(f"{key} must be text or a whole number.")
    text = str(value).strip()
    if not text.isascii() and whole_characters(text) != text:
        raise _RowRefused(f"{key} holds half a character.")
    return text


def _read_author(value: object) -> Author:
    if value is None:
        return Author("")
    if isinstance(value, str):
        return Author(_read_line({"author": value}, "author").lstrip("@"))
    if not isinstance(value, dict):
        raise _RowRefused("author must be a handle, or an object with a handle.")
    handle = value.get("handle")
    return Author(
        (_read_line(value, "handle") if isinstance(handle, str) else _read_id(value, "handle")).lstrip("@"),
        _read_line(value, "name"),
        _read_count(value.get("followers")),
        native_id=_read_id(value, "id"),
        url=_read_line(value, "url"),
    )


def _read_count(value: object) -> int | None:
    if value is None or value == "":
        return None
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit() and len(value) < 18:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 10**18:
        raise _RowRefused("followers must be a whole number.")
    return value


def _read_moment(value: object) -> datetime:
    if isinstance(value, str) and _SECONDS.fullmatch(value.strip()):
        value = float(value)
    try:
        moment = _parse_moment(value)
    except (ValueError, OverflowError, OSError):
        moment = None
    if moment is None:
        raise _RowRefused("created_at must be a time such as 2026-11-23T10:00:00Z, or seconds since 1970.")
    if not _EARLIEST <= moment <= _LATEST:
        raise _RowRefused("created_at is before 1970 or after 2200.")
    return moment


def _parse_moment(value: object) -> datetime | None:
    if isinstance(value, str):
        moment = datetime.fromisoformat(value.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return datetime.fromtimestamp(min(max(float(value), -1.0), 1e10), UTC)
