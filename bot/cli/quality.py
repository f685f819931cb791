"""`cuecard evaluate` and `cuecard train`: how well the ranking works, and how its weights are made."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.failures import Failure
from bot.cli.lines import name_of, opened
from bot.cli.options import SettingsOption
from bot.cli.team import DatabaseOption, evaluate_team
from bot.cli.terminal import complain, json_line, say

if TYPE_CHECKING:
    from nlp.evaluate import Report

_PROJECT = Path(__file__).resolve().parents[2]
_POSTS = _PROJECT.parent / "shared" / "data" / "train"
_MODEL = _PROJECT / "nlp" / "model"


def evaluate(  # noqa: PLR0913, PLR0917 - the options of a command
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Labelled posts: id, text, grade; intent where known.")
    ] = None,
    team: Annotated[
        bool, typer.Option("--team", help="Measure what was learned from the team's own decisions instead.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    plot: Annotated[
        Path | None, typer.Option(metavar="PICTURE", help="Also draw the figures: a .png, .svg or .pdf file.")
    ] = None,
    cards: Annotated[int, typer.Option(min=1, help="How many of these posts would get a card.")] = 60,
    db: DatabaseOption = None,
    settings: SettingsOption = None,
) -> None:
    """Measure the ranking on labelled posts, beside baselines.

    A bad line is named on stderr and skipped; the exit code is then 2. VADER, TF-IDF and the picture need the optional
    extra `cuecard[evaluate]`.
    """
    if team == (file is not None):
        raise typer.BadParameter("name a file of labelled posts, or say --team, and not both")
    if file is None:
        if plot is not None:
            raise typer.BadParameter("--plot draws the figures of a file, and there is none with --team")
        table, told = evaluate_team(settings, db)
        say(json_line(_without_nan(told)) if as_json else table)
        return
    rows, refused = _labelled(file)
    for sentence in refused:
        complain(sentence)
    if not rows:
        raise Failure(
            f"{name_of(file)} holds no labelled post; each line needs text, and a grade from 0 to 3.", exit_code=2
        )
    from bot.cli.progress import share_of_work
    from nlp.evaluate import evaluate as measure
    from nlp.report import to_table

    with share_of_work("evaluating") as progress:
        report = measure(rows, budget=cards, tell=progress)
    say(json_line(_without_nan(dataclasses.asdict(report))) if as_json else to_table(report))
    if plot is not None:
        _draw(report, plot)
    if refused:
        raise typer.Exit(2)


def _draw(report: Report, plot: Path) -> None:
    from nlp.report import draw

    try:
        draw(report, plot)
    except ImportError as err:
        raise Failure("The picture needs matplotlib: pip install 'cuecard[evaluate]'.") from err
    except ValueError as err:
        raise Failure(f"{plot}: the name must end in .png, .svg or .pdf.") from err
    except OSError as err:
        raise Failure(f"{plot} cannot be written ({err.strerror}).") from err


def _labelled(file: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the labelled rows of a file, and one sentence for each line that is none."""
    rows: list[dict[str, Any]] = []
    refused: list[str] = []
    with opened(file) as stream:
        for number, line in enumerate(stream, start=1):
            row, reason = _labelled_row(line)
            if row is not None:
                rows.append(row)
            elif reason:
                refused.append(f"{name_of(file)}, line {number}: {reason}.")
    return rows, refused


def _labelled_row(line: bytes) -> tuple[dict[str, Any] | None, str]:
    """Return a row, or why there is none; a blank line is neither."""
    if not line.strip():
        return None, ""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None, "it is no JSON"
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        return None, "it has no text"
    if isinstance(row.get("grade"), bool) or row.get("grade") not in (0, 1, 2, 3):
        return None, "it has no grade from 0 to 3"
    return row, ""


def _without_nan(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return figures as JSON can hold them: what could not be measured is null."""
    if isinstance(value, dict):
        return {key: _without_nan(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(each) for each in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def train(
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The folder of training posts; without it, the one beside the project."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to write the weights; without it, nlp/model.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed and data give the same weights.")] = 0,
) -> None:
    """Build the shipped weights from the corpus."""
    folder = data or _POSTS
    if not folder.is_dir():
        raise Failure(f"There is no folder {folder}; say where the training posts are: --data DIR.")
    from bot.cli.progress import share_of_work
    from nlp.train import train as build

    with share_of_work("training") as report:
        build(folder, output or _MODEL, seed=seed, report=report)
    say(f"Wrote {output or _MODEL}.")
