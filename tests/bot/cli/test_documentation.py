"""Every command, option and setting is in the documentation, and nothing else is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import typer
from pydantic import BaseModel

from bot.cli.app import app
from bot.config import EVERY_FEED, Settings, WatchSettings
from listeners.catalog import PLATFORMS

GROUP = typer.main.get_command(app)
COMMANDS = GROUP.commands  # type: ignore[attr-defined]
ROW = re.compile(r"^\| `(?P<name>[^`]+)`.*?\| (?P<default>[^|]*?) \|", re.MULTILINE)


def sections(text: str, level: str) -> dict[str, str]:
    """Return a document's sections by the words of their headers."""
    parts = re.split(rf"^{level} (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def options_of(command: object) -> set[str]:
    """Return every spelling of every option of a command, but for help."""
    spelled = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}  # type: ignore[attr-defined]
    return {name for name in spelled if name.startswith("-")} - {"-h", "--help"}


@pytest.fixture(scope="module")
def commands_page(project: Path) -> str:
    """The page of commands."""
    return (project / "docs" / "commands.md").read_text("utf-8")


@pytest.fixture(scope="module")
def settings_page(project: Path) -> str:
    """The page of settings."""
    return (project / "docs" / "settings.md").read_text("utf-8")


def test_every_command_has_its_section(commands_page: str):
    """The page has one section for each command, in no other words than the command line."""
    titles = [title.strip("`").split()[1] for title in sections(commands_page, "##")]
    assert sorted(titles) == sorted(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_option_is_documented(commands_page: str, name: str):
    """A command's section lists all of its options and no other."""
    (text,) = [text for title, text in sections(commands_page, "##").items() if title.strip("`").split()[1] == name]
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `-")]
    assert set(re.findall(r"(?<!\S)`?(-{1,2}[a-z][a-z-]*)", " ".join(rows).replace("`", " "))) == options_of(
        COMMANDS[name]
    )


def test_options_of_the_group_are_documented(commands_page: str):
    """So are the options that stand before the command."""
    head = commands_page.partition("\n## ")[0]
    for option in options_of(GROUP):
        assert f"`{option}" in head


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_option_is_explained_in_its_help(name: str):
    """No option is without a sentence, and each command's first sentence fits beside its name."""
    command = COMMANDS[name]
    assert all(getattr(each, "help", "") for each in command.params)
    assert len(command.get_short_help_str(200).split(". ")[0]) <= 66


def tables() -> list[tuple[str, type[BaseModel]]]:
    """Return the header of each table of settings and the model behind it."""
    found: list[tuple[str, type[BaseModel]]] = [("`[[watch]]`", WatchSettings)]
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found.append((f"`[{name}]`", field.annotation))
    return found


@pytest.mark.parametrize(("title", "model"), tables())
def test_every_setting_is_documented_with_its_default(settings_page: str, title: str, model: type[BaseModel]):
    """A table of the page has every setting of the model, with the default that the code has, and no other."""
    rows = {row["name"]: row["default"] for row in ROW.finditer(sections(settings_page, "##")[title])}
    assert set(rows) == set(model.model_fields)
    for name, field in model.model_fields.items():
        if field.is_required():
            assert rows[name] == "(required)"
        else:
            (told,) = tomllib.loads(f"x = {rows[name].strip('`')}").values()
            default = field.get_default(call_default_factory=True)
            assert told == (
                str(default) if isinstance(default, Path) else list(default) if isinstance(default, tuple) else default
            )


def test_what_every_feed_has_is_documented(settings_page: str):
    """The table of a feed has the settings that do not belong to its platform, and names every platform."""
    text = sections(settings_page, "##")["`[feed.NAME]`"]
    assert {row["name"] for row in ROW.finditer(text)} == {"platform", *EVERY_FEED}
    assert all(f"`{name}`" in text for name in PLATFORMS)


def test_what_stands_outside_the_tables_is_documented(settings_page: str):
    """The settings without a table, and the variables of the environment."""
    for name in ("playbook", "platform", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "DRAFTER_KEY", "CUECARD_SETTINGS"):
        assert f"| `{name}` |" in settings_page
