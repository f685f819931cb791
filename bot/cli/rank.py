"""`cuecard rank`: JSONL in, JSONL out, in the same order; stores nothing."""

from __future__ import annotations

import sys
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.batches import in_batches
from bot.cli.lines import name_of, opened
from bot.cli.terminal import complain, json_line

if TYPE_CHECKING:
    from listeners.mention import Mention
    from nlp.assessment import Assessment
    from nlp.playbook import Playbook

_BATCH = 256
_REMEMBERED = 20


def rank(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="JSONL; without it, or as '-', standard input.")
    ] = None,
    draft: Annotated[bool, typer.Option("--draft", help="Also suggest unsent replies, each with a gap.")] = False,
    playbook: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The playbook for --draft; without it playbook.toml here, else the example."),
    ] = None,
) -> None:
    """Rank posts: JSONL in, JSONL out; stores nothing.

    One object a line in the same order; only id and text are required.

    A bad line is named on stderr with its number and reason, and skipped; the exit code is then 2.
    """
    from bot.cli.rank_worlds import contexts_of, read_rows_with_worlds
    from listeners.mention import Mention
    from listeners.rows import read_lines
    from nlp.assess import Assessor

    book = _playbook(playbook) if draft else None
    refused = 0
    assessor = Assessor()
    recent: deque[tuple[str, ...]] = deque(maxlen=_REMEMBERED)
    with opened(file) as lines:
        for batch in in_batches(read_rows_with_worlds(read_lines(lines), name_of(file)), _BATCH):
            good = [row for row in batch if isinstance(row, Mention)]
            for row in batch:
                if not isinstance(row, Mention):
                    refused += 1
                    complain(row.sentence)
            assessor.tell_apart(contexts_of(good))
            _write(good, assessor.assess(good), book, recent)
    if refused:
        raise typer.Exit(2)


def _write(
    mentions: list[Mention], assessments: list[Assessment], book: Playbook | None, recent: deque[tuple[str, ...]]
) -> None:
    """Write a batch at once, so that a program at the other end of a pipe sees it now.

    `recent` is what was suggested for the posts before, so that people in a row are not told the same.
    """
    from nlp.draft import suggest
    from nlp.rank import to_row

    for mention, assessment in zip(mentions, assessments, strict=True):
        drafts = None if book is None else suggest(mention, assessment, book, recent=list(recent))
        if drafts:
            recent.append(tuple(draft.text for draft in drafts))
        sys.stdout.write(json_line(to_row(assessment, mention.native_id, drafts)) + "\n")
    sys.stdout.flush()


def _playbook(path: Path | None) -> Playbook:
    from nlp.playbook import EXAMPLE, load_playbook

    here = Path("playbook.toml")
    return load_playbook(path or (here if here.is_file() else EXAMPLE))
