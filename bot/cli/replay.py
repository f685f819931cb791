"""`cuecard replay`: mentions from files through the real intake."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from bot.cli.batches import in_batches
from bot.cli.lines import is_stdin, name_of, opened
from bot.cli.options import SettingsOption, rights_of, settings_if_any
from bot.cli.terminal import complain, say

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.intake import Intake, IntakeReport
    from bot.store import Store
    from listeners.mention import Mention
    from listeners.query import Watches

FEED = "replay"
_BATCH = 512
_COUNTS = ("heard", "new", "known", "above the line", "quiet", "grouped", "refused")
_ALSO = ("edited", "reopened", "our own")  # told only where there are any


def replay(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="JSONL or CSV; '-' is JSONL on standard input.")],
    db: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The database; without it, that of the settings.")
    ] = None,
    settings: SettingsOption = None,
) -> None:
    """Put mentions from files through the real intake.

    Doing it again is harmless: what is known is not heard twice. Ctrl-C loses nothing. A bad line is named on stderr
    and skipped; the exit code is then 2.
    """
    from bot.store import Store

    loaded = settings_if_any(settings, db)
    path = db or (loaded.store.path if loaded else Path("cuecard.db"))
    counts: Counter[str] = Counter()
    with Store(path) as store:
        playing = _Playing(store, loaded, counts)
        try:
            for file in files:
                playing.play(file)
        finally:
            told = [*_COUNTS, *(name for name in _ALSO if counts[name])]
            say(f"{path}: " + ", ".join(f"{counts[name]} {name}" for name in told) + ".")
    if counts["refused"]:
        raise typer.Exit(2)


class _Playing:
    """Plays files into one store, and counts what became of them."""

    def __init__(self, store: Store, settings: Settings | None, counts: Counter[str]) -> None:
        self._feed = _feed_of(settings)
        self._intake = _open_intake(store, settings)
        self._intake.replayed.add(self._feed)
        self._watches = settings.compile_watches().for_feed(self._feed) if settings else None
        self._brand = settings.brand.name if settings else ""
        self._ours = (
            frozenset(handle.lstrip("@").casefold() for handle in settings.brand.handles) if settings else frozenset()
        )
        self._counts = counts

    def play(self, file: Path) -> None:
        """Take one file, a batch to a transaction."""
        from bot.cli.progress import bytes_read
        from listeners.mention import Batch, Mention
        from listeners.rows import read_rows

        size = None if is_stdin(file) else _size_of(file)
        with opened(file) as stream, bytes_read(name_of(file), size) as progress:
            rows = read_rows(_counted(stream, progress), name_of(file), feed=self._feed)
            for batch in in_batches(rows, _BATCH):
                mentions = tuple(self._tagged(row) for row in batch if isinstance(row, Mention))
                refused = tuple(row.sentence for row in batch if not isinstance(row, Mention))
                report = self._intake.take([(self._feed, Batch(mentions, refused=refused))])
                self._count(report, ours=sum(mention.author.handle.casefold() in self._ours for mention in mentions))

    def _count(self, report: IntakeReport, ours: int) -> None:
        """Add up what became of a batch, and name what was refused."""
        for sentence in report.refused:
            complain(sentence)
        self._counts.update(
            {
                "heard": report.heard,
                "new": report.new,
                "known": max(0, report.heard - report.new - report.edited - ours),
                "above the line": report.shown,
                "quiet": sum(report.quiet.values()) - report.grouped,
                "grouped": report.grouped,
                "refused": len(report.refused),
                "edited": report.edited,
                "reopened": report.reopened,
                "our own": ours,
            }
        )

    def _tagged(self, mention: Mention) -> Mention:
        """Return the mention with the watches it matches, and a brand."""
        found = _matches(self._watches, mention)
        brand = mention.brand or (found[0][1] if found else self._brand)
        return replace(mention, watches=tuple(name for name, _ in found), brand=brand)


def _matches(watches: Watches | None, mention: Mention) -> list[tuple[str, str]]:
    if watches is None:
        return []
    text = f"{mention.title}\n{mention.text}" if mention.title else mention.text
    matched = watches.match(text, author=mention.author.handle, language=mention.language)
    return [(watch.name, watch.brand) for watch in matched]


def _feed_of(settings: Settings | None) -> str:
    """Return the feed that hears these: the configured replay, so that answers find their way, else one of our own."""
    feeds = settings.feed if settings else {}
    return next((name for name, feed in feeds.items() if feed.get("platform") == FEED), FEED)


def _open_intake(store: Store, settings: Settings | None) -> Intake:
    from bot.clock import SystemClock
    from bot.config import CardSettings
    from bot.intake import Intake
    from bot.taste import Learner
    from bot.watch_words import contexts_of
    from nlp.assess import Assessor
    from nlp.group import Grouper

    assessor, clock = Assessor(contexts=contexts_of(settings) if settings else None), SystemClock()
    rights = rights_of(settings)
    Learner(assessor, rights).use(store, clock.now())
    return Intake(
        store,
        assessor,
        Grouper(),
        settings.cards if settings else CardSettings(),
        clock,
        timezone=settings.digest.timezone if settings else "UTC",
        own_handles=settings.brand.handles if settings else (),
        may_train=rights,
    )


def _size_of(file: Path) -> int | None:
    try:
        return file.stat().st_size or None
    except OSError:
        return None


def _counted(stream: BinaryIO, progress: Callable[[int], None]) -> Iterator[bytes]:
    from listeners.rows import read_lines

    for line in read_lines(stream):
        progress(len(line))
        yield line
