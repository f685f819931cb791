"""`cuecard team`: what the ranker learned from the team, taking it back, and learning again."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.failures import Failure
from bot.cli.options import SettingsOption, open_existing_store, rights_of, settings_if_any
from bot.cli.pace import say_pace
from bot.cli.terminal import say

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.store import Store
    from bot.store.taste_versions import Version
    from bot.taste import Study

DatabaseOption = Annotated[
    Path | None,
    typer.Option("--db", metavar="FILE", help="The database; without it, that of the settings."),
]
_DAY = "%Y-%m-%d %H:%M"


class Step(StrEnum):
    """What to do beside showing how things stand."""

    UNDO = "undo"
    LEARN = "learn"


def team(
    step: Annotated[
        Step | None,
        typer.Argument(
            metavar="STEP",
            show_default=False,
            help="undo: go back to the version before. learn: look at the decisions now.",
        ),
    ] = None,
    db: DatabaseOption = None,
    settings: SettingsOption = None,
) -> None:
    """Show what the ranker learned from the team, or take it back.

    A running bot picks up a change within a minute. After 'undo' nothing new is learned until 'learn'.
    """
    loaded = settings_if_any(settings, db)
    with open_store(loaded, db) as store:
        if step is Step.UNDO:
            _undo(store)
        elif step is Step.LEARN:
            _learn(store, loaded)
        else:
            _show(store, loaded)


def open_store(settings: Settings | None, db: Path | None) -> Store:
    """Open the database that is named, or that of the settings."""
    path = settings.store.path if db is None and settings is not None else db
    assert path is not None, "there are settings where no database is named"
    return open_existing_store(path)


def _undo(store: Store) -> None:
    from bot.store import taste, taste_versions

    with store.transaction() as db:
        undone = taste_versions.undo(db)
        if undone is not None:
            taste.pause(db, datetime.now(UTC))
    if undone is None:
        raise Failure("Nothing that was learned is in use; Cuecard ranks as shipped.")
    number, again = undone
    after = "Cuecard ranks as shipped again." if again is None else f"Version {again} is in use again."
    say(f"Version {number} is taken back. {after} Nothing new is learned until `cuecard team learn`.")


def _learn(store: Store, settings: Settings | None) -> None:
    from bot.cli.progress import waiting
    from bot.store import taste
    from bot.taste import learn_from_team, mend
    from nlp.assess import Assessor

    with store.transaction() as db:
        taste.go_on(db)
    with waiting("learning from the team …"):
        assessor, rights, now = Assessor(), rights_of(settings), datetime.now(UTC)
        said = learn_from_team(store, assessor, rights, now)
        mend(store, assessor, rights, now)
    say(said)


def _show(store: Store, settings: Settings | None) -> None:
    from bot.store import taste, taste_versions

    with store.snapshot() as db:
        versions, look = taste_versions.versions(db), taste.look(db)
    _show_version(versions)
    if look.looked_at is not None:
        say(f"Last look, {look.looked_at:{_DAY}} UTC: {look.said}")
    if look.paused_at is not None:
        say(f"A version was taken back on {look.paused_at:{_DAY}} UTC; `cuecard team learn` goes on learning.")
    if versions:
        say()
        say(history_table(versions))
    if pace := say_pace(store, settings):
        say()
        say("\n".join(pace))


def _show_version(versions: list[Version]) -> None:
    from bot.taste_words import say_moves
    from nlp.assess import Assessor

    current = next((version for version in versions if version.is_active), None)
    if current is None:
        say("Cuecard ranks as shipped; nothing that was learned from the team is in use.")
    elif current.base != Assessor().base:
        say(f"Version {current.version} was learned on another model and is not used; the next look learns anew.")
    else:
        say(f"Version {current.version} is in use. It was learned from {current.decisions} decisions.")
        if moves := say_moves(current.moves).strip():
            say(moves)


def history_table(versions: list[Version]) -> str:
    """Return the versions as a table, newest first."""
    lines = [f"{'version':<9}{'made (UTC)':<18}{'decisions':>9}{'before':>9}{'after':>9}  in use"]
    lines += [
        f"{each.version:<9}{each.made_at:{_DAY}}  {each.decisions:>9}{each.before:>9.3f}{each.after:>9.3f}"
        f"{'  yes' if each.is_active else ''}"
        for each in versions
    ]
    return "\n".join(lines)


def evaluate_team(settings: Path | None, db: Path | None) -> tuple[str, dict[str, Any]]:
    """Measure what can be learned from a team's decisions now; return it as a table, and as plain values."""
    from bot.cli.progress import waiting
    from bot.store import taste_versions
    from bot.taste import study
    from bot.taste_words import score
    from nlp.assess import Assessor

    loaded = settings_if_any(settings, db)
    with open_store(loaded, db) as store, waiting("evaluating …"):
        studied = study(store, Assessor(), rights_of(loaded), datetime.now(UTC))
        versions = taste_versions.versions(store.read())
    told = {
        "decisions": [
            {"of": each.words, "number": each.decisions, "before": each.before, "after": each.after}
            for each in score(studied)
        ],
        "is_better": not studied.learned.why_not,
        "versions": [
            {
                "version": each.version,
                "made_at": each.made_at.isoformat(timespec="seconds"),
                "base": each.base,
                "decisions": each.decisions,
                "before": each.before,
                "after": each.after,
                "is_active": each.is_active,
            }
            for each in versions
        ],
    }
    return _table(studied, versions), told


def _table(studied: Study, versions: list[Version]) -> str:
    from math import isnan

    from bot.taste_words import score

    learned = studied.learned
    lines = [
        f"{learned.decisions} decisions that may be learned from. Each is told by a correction that did not see it.",
        "",
        f"{'average precision':<38}{'decisions':>10}{'before':>9}{'after':>9}",
    ]
    for each in score(studied):
        figures = "".join(f"{'–' if isnan(value) else f'{value:.3f}':>9}" for value in (each.before, each.after))  # noqa: RUF001
        lines.append(f"{each.words:<38}{each.decisions:>10}{figures}")
    lines += ["", learned.why_not or "Surely better: a version of this would be used."]
    lines += ["", history_table(versions)] if versions else ["", "No version was ever in use."]
    return "\n".join(lines)
