"""Progress on standard error: a bar where a person watches, nothing where a program does."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

from bot.cli.terminal import clean


@contextlib.contextmanager
def share_of_work(title: str) -> Iterator[Callable[[str, float], None]]:
    """Yield what is told the present step and how much of all is done, 0 to 1."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(title, total=1.0)

        def report(step: str, done: float) -> None:
            progress.update(task, description=clean(step), completed=done)

        yield report


@contextlib.contextmanager
def waiting(title: str) -> Iterator[None]:
    """Show what is waited for, with a sign that the wait goes on."""
    from rich.console import Console
    from rich.markup import escape

    if not sys.stderr.isatty():
        yield
        return
    with Console(stderr=True).status(escape(clean(title))):
        yield


@contextlib.contextmanager
def bytes_read(title: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Yield what is told how many more bytes were read; `total` is None where nobody knows (standard input)."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(clean(title), total=total)

        def report(more: int) -> None:
            progress.update(task, advance=more)

        yield report
