"""Options that several commands share, and how they find the settings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.failures import Failure

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.store import Store

SettingsOption = Annotated[
    Path | None,
    typer.Option(
        "--settings",
        "-s",
        envvar="CUECARD_SETTINGS",
        metavar="FILE",
        help="The settings file. Without it: cuecard.toml in this folder.",
        show_default=False,
    ),
]


def folder_of(settings: Settings) -> Path:
    """Return the folder of the settings file, where `.env` is looked for; without a file, this folder."""
    return settings.source.absolute().parent if settings.source else Path.cwd()


def open_existing_store(path: Path) -> Store:
    """Open a database that must be there already: to read or change what was heard, something must have been.

    Raises:
        Failure: there is no such file.
        StoreError: it cannot be used.
    """
    from bot.store import Store

    if not path.exists():
        raise Failure(f"There is no database {path} yet; `cuecard run` and `cuecard replay` make one.")
    return Store(path).open()


def settings_if_any(path: Path | None, db: Path | None) -> Settings | None:
    """Return the settings; none are needed where the database is named and no settings file is here.

    Raises:
        SettingsError: with one sentence for each mistake.
    """
    from bot.config import load_settings
    from bot.settings_file import settings_path

    if db is not None and path is None and not settings_path().exists():
        return None
    return load_settings(path)


def rights_of(settings: Settings | None) -> Callable[[str, str], bool]:
    """Return what says of a feed's name and a post's platform whether its text may train a model."""
    from listeners.catalog import may_train

    return settings.may_train if settings else lambda _feed, platform: may_train(platform)
