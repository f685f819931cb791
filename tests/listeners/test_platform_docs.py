"""The manual says what is so."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from listeners.catalog import PLATFORMS, CatalogEntry
from listeners.contract import FeedContext
from listeners.mention import Mention
from listeners.rows import read_rows
from listeners.settings import FeedSettings, check_settings


def blocks(file: Path, language: str) -> Iterator[str]:
    """The code blocks of a page."""
    return (found[1] for found in re.finditer(rf"```{language}\n(.*?)```", file.read_text(), re.DOTALL))


def test_the_example_of_a_platform_runs(project: Path, context: FeedContext):
    """Whoever copies the page has a platform that listens."""
    names: dict[str, object] = {"__name__": "example"}
    for block in blocks(project / "docs/adding-a-platform.md", "python"):
        exec(compile(block, "example", "exec"), names)  # noqa: S102
    opener = names["open_platform"]
    assert callable(opener)
    platform = opener({"platform": "example"}, context)
    assert next(platform.listen(None)).cursor == "start"
    assert isinstance(names["entry"], CatalogEntry)


def test_every_example_of_settings_is_accepted(project: Path):
    """Each platform's page has one, and its settings are real."""
    shown = set()
    for block in blocks(project / "docs/platforms.md", "toml"):
        for feed in tomllib.loads(block)["feed"].values():
            module = __import__(PLATFORMS[feed["platform"]].module, fromlist=["Settings"])
            assert isinstance(check_settings(module.Settings, feed), FeedSettings)
            shown.add(feed["platform"])
    assert shown == set(PLATFORMS)


def test_defaults_are_the_ones_in_the_manual(project: Path):
    """The table of settings shows what holds when nothing is said."""
    text = (project / "docs/platforms.md").read_text()
    for name, entry in PLATFORMS.items():
        page = text.partition(f"## {entry.label}\n")[2].partition("\n## ")[0]
        told = dict(re.findall(r"^\| `(\w+)` \| ?`?([^|`]*?)`? ?\|", page, re.MULTILINE))
        fields = __import__(entry.module, fromlist=["Settings"]).Settings.model_fields
        assert told.keys() == fields.keys(), name
        for key, field in fields.items():
            default = "(needed)" if field.is_required() else str(field.default)
            spelled = {"()": "[]", "True": "true", "False": "false"}.get(default, default.removesuffix(".0"))
            assert told[key] == spelled, f"{name}.{key}"


def test_the_example_of_a_row_is_read(project: Path):
    """With every column in its place."""
    (block,) = blocks(project / "docs/platforms.md", "json")
    (row,) = read_rows([block.encode()], "page")
    assert isinstance(row, Mention)
    assert row.author.followers == json.loads(block)["author"]["followers"]


@pytest.mark.parametrize("name", sorted(PLATFORMS))
def test_every_platform_is_in_the_first_table(project: Path, name: str):
    """A reader finds it at a glance."""
    assert f"\n| `{name}` |" in (project / "docs/platforms.md").read_text()
