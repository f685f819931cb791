"""`cuecard watch`: a query tried before it is saved, on platforms and on posts. Stores nothing, asks no network."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer
from typer.core import TyperCommand

from bot.cli.lines import is_stdin, name_of, opened
from bot.cli.terminal import clean, complain, say

if TYPE_CHECKING:
    from listeners.grammar import Query, QueryError
    from listeners.mention import Mention
    from listeners.rows import Refusal

_LONG = 5_000_000  # bytes of a file that is worth a progress bar
_WIDEST = 160
_GAP = 2
_OPTIONS = ("-h", "--help")
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)


class WatchCommand(TyperCommand):
    """Takes a query that begins with '-', as in `cuecard watch "-jobs acme"`, for a query and not for an option."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]  # as above it
        """Sort the options before the words, which `--` then protects."""
        return super().parse_args(ctx, _sorted_arguments(args))


def _sorted_arguments(args: Sequence[str]) -> list[str]:
    options: list[str] = []
    words: list[str] = []
    waiting = iter(args)
    for each in waiting:
        if each == "--":
            words += waiting
        elif each == "--platform":
            value = next(waiting, None)
            if value is None:
                return list(args)  # which is then told
            options += [each, value]
        elif each in _OPTIONS or (each.startswith("--") and not any(map(str.isspace, each))):
            options.append(each)
        else:
            words.append(each)
    return [*options, "--", *words]


def watch(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="What to listen for, as in a [[watch]].")],
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="Posts: JSONL, CSV, or one a line in .txt; '-' is standard input."),
    ] = None,
    platform: Annotated[
        str | None, typer.Option("--platform", metavar="NAME", help="Only this platform, such as hackernews.")
    ] = None,
) -> None:
    """Try a query: what platforms are asked, and which posts match.

    The exit code is 0 where a post matches or none was given, 1 where none matches, 2 for a query or a line that cannot
    be understood.
    """
    parsed = _parsed(query)
    is_expressed = _show_platforms(parsed, platform)
    found = _Found()
    if file is not None:
        say()
        _show_matches(parsed, file, found)
    if found.refused or not is_expressed:
        raise typer.Exit(2)
    if found.posts and not found.matches:
        raise typer.Exit(1)


def _parsed(text: str) -> Query:
    from listeners.query import QueryError, parse

    try:
        return parse(text)
    except QueryError as err:
        complain(f"cuecard: {err.sentence}")
        _point(text, err, complain)
        raise typer.Exit(2) from err


def _point(text: str, error: QueryError, tell: Callable[[str], None], indent: int = 4) -> None:
    """Show the query, and a caret under the place that an error is about."""
    from bot.cli.highlight import point_at

    for line in point_at(text, error.position, _width() - indent):
        tell(" " * indent + line)


def _width() -> int:
    return max(60, min(_WIDEST, shutil.get_terminal_size((100, 24)).columns))


# --- what platforms are asked


def _show_platforms(query: Query, only: str | None) -> bool:
    """Show for each platform what it is asked; return False where the one that was named cannot express the query."""
    from listeners.catalog import PLATFORMS, compile_query, label_of
    from listeners.query import QueryError

    if only is not None and only not in PLATFORMS:
        complain(f"cuecard: There is no platform {only!r}; use one of {', '.join(sorted(PLATFORMS))}.")
        raise typer.Exit(2)
    names = list(PLATFORMS) if only is None else [only]
    first = max(len(label_of(name)) for name in (*names, "hackernews"))
    _show_row(first, "platform", ("asked",), "checked here")
    is_expressed = True
    for name in names:
        try:
            compiled = compile_query(name, query)
        except QueryError as err:
            is_expressed = False
            _show_refusal(first, label_of(name), query.text, err)
        else:
            _show_row(first, label_of(name), compiled.asks or ("–",), compiled.checked_here)  # noqa: RUF001 - a dash
    return is_expressed or only is None


def _show_row(first: int, label: str, asks: Sequence[str], checked_here: str) -> None:
    """Show one platform in three columns, each wrapped by itself."""
    room = _width() - first - 2 * _GAP
    second = room * 2 // 5
    asked = [line for ask in asks for line in textwrap.wrap(clean(ask), second)]
    checked = textwrap.wrap(checked_here, room - second)
    for cells in itertools.zip_longest([label], asked, checked, fillvalue=""):
        say(f"{cells[0]:<{first + _GAP}}{cells[1]:<{second + _GAP}}{cells[2]}".rstrip())


def _show_refusal(first: int, label: str, text: str, error: QueryError) -> None:
    indent = first + _GAP
    said = textwrap.wrap(f"cannot listen for this: {clean(error.sentence)}", _width() - indent)
    for title, line in itertools.zip_longest([label], said, fillvalue=""):
        say(f"{title:<{indent}}{line}")
    _point(text, error, say, indent)


# --- which posts match


class _Found:
    """How many posts were read, how many of them match, and how many lines could not be read."""

    def __init__(self) -> None:
        self.posts = self.matches = self.refused = 0


def _show_matches(query: Query, file: Path, found: _Found) -> None:
    """Show the posts of a file that match, with the numbers of their lines, and how many they are."""
    from bot.cli.highlight import Highlighter
    from listeners.query import Watch, compile_watches
    from listeners.rows import Refusal

    watches = compile_watches([Watch("query", "", query.text)])
    highlighter = Highlighter(query)
    is_marked = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    with opened(file) as stream, _progress(file) as progress:
        for number, post in _posts(_counted(stream, progress), file):
            if isinstance(post, Refusal):
                found.refused += 1
                complain(post.sentence)
                continue
            found.posts += 1
            if not watches.match(_judged(post), author=post.author.handle, language=post.language):
                continue
            found.matches += 1
            author = f"{clean(post.author.handle)}: " if post.author.handle else ""
            text = f"{post.title} · {post.text}" if post.title else post.text
            _write(f"{number:>7}  {author}{highlighter.show(text, is_marked=is_marked)}")
    say(_count(found))


def _judged(post: Mention) -> str:
    return f"{post.title}\n{post.text}" if post.title else post.text


def _count(found: _Found) -> str:
    posts = "1 post matches" if found.posts == 1 else f"{found.posts:,} posts match"
    unread = f"; {found.refused:,} could not be read" if found.refused else ""
    return f"{found.matches:,} of {posts}{unread}."


def _write(line: str) -> None:
    """Write a line whose text is clean already, and whose marks are ours."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(line.encode(encoding, "replace").decode(encoding) + "\n")


def _posts(lines: Iterator[bytes], file: Path) -> Iterator[tuple[int, Mention | Refusal]]:
    """Yield each post with the number of its line; what standard input holds is told by its first line."""
    from listeners.rows import number_rows

    name = name_of(file)
    is_plain = file.suffix.lower() == ".txt"
    if is_stdin(file):
        is_plain, lines = _look_ahead(lines)
    return _plain_posts(lines, name) if is_plain else number_rows(lines, name)


def _look_ahead(lines: Iterator[bytes]) -> tuple[bool, Iterator[bytes]]:
    """Return whether lines are plain text and no JSON, and the lines."""
    head: list[bytes] = []
    for line in lines:
        head.append(line)
        if line.strip():
            break
    is_plain = not (head and head[-1].lstrip(b"\xef\xbb\xbf \t").startswith(b"{"))
    return is_plain, itertools.chain(head, lines)


def _plain_posts(lines: Iterator[bytes], name: str) -> Iterator[tuple[int, Mention | Refusal]]:
    """Yield a post for each line that is not blank."""
    from listeners.mention import Author, Mention
    from listeners.rows import MAX_LINE, Refusal

    for number, line in enumerate(lines, start=1):
        if len(line) > MAX_LINE:
            yield number, Refusal(name, number, f"it is longer than {MAX_LINE:,} bytes.")
        elif text := line.decode("utf-8-sig" if number == 1 else "utf-8", "replace").strip():
            yield number, Mention("", str(number), text, Author(""), _NO_TIME)


def _counted(stream: BinaryIO, progress: Callable[[int], None]) -> Iterator[bytes]:
    from listeners.rows import read_lines

    for line in read_lines(stream):
        progress(len(line))
        yield line


@contextlib.contextmanager
def _progress(file: Path) -> Iterator[Callable[[int], None]]:
    """Yield what is told how many more bytes were read; a bar where a person waits for a long file."""
    size = _size_of(file)
    if size < _LONG or not sys.stderr.isatty():
        yield lambda _more: None
        return
    from bot.cli.progress import bytes_read

    out = sys.stdout
    with bytes_read(name_of(file), size) as report:
        if not out.isatty():  # the bar takes standard output over; what is written into a file is not its own
            sys.stdout = out
        yield report


def _size_of(file: Path) -> int:
    try:
        return 0 if is_stdin(file) else file.stat().st_size
    except OSError:
        return 0
