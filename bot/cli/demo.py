"""`cuecard demo`: the whole loop on this machine, no account."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port of the page; 0 takes a free one.")] = 8750,
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open the page in a browser.")] = False,
    db: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep the database here; without it, it is gone afterwards.")
    ] = None,
    feed: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Play these mentions (JSONL or CSV) instead of the story.")
    ] = None,
    pace: Annotated[
        float | None, typer.Option(min=0, metavar="SECONDS", help="The time between two mentions.", show_default=False)
    ] = None,
) -> None:
    """Play the whole loop on this machine. No account is needed.

    A rehearsal workspace in the browser, the real bot connected to it, and a feed of mentions that plays in.
    """
    from bot.demo.show import run_demo

    run_demo(port=port, open_browser=not no_open, db=db, feed=feed, pace=pace)
