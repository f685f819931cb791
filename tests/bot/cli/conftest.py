"""What the tests of the command line lean on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli.app import app
from nlp.playbook import EXAMPLE

SETTINGS = """
[brand]
name = "Acme"
handles = ["acme"]

[slack]
channel = "C0123456789"

[[watch]]
name = "acme"
query = "acme"

[feed.old]
platform = "replay"
path = "posts.jsonl"
"""


@pytest.fixture
def untouched_log() -> Iterator[None]:
    """Put the log back as it was: a command sets it up for the whole process."""
    root = logging.getLogger()
    named = [root, *(logging.getLogger(name) for name in ("bot", "listeners", "nlp"))]
    handlers, levels = root.handlers[:], [logger.level for logger in named]
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    for logger, level in zip(named, levels, strict=True):
        logger.setLevel(level)


@pytest.fixture
def cuecard(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, untouched_log: None) -> Callable[..., Result]:  # noqa: ARG001
    """Run a command in an empty folder, without the environment's own tokens and settings."""
    monkeypatch.chdir(tmp_path)
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "CUECARD_SETTINGS"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str | Path, stdin: str | bytes | None = None) -> Result:
        return CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin, prog_name="cuecard")

    return run


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    """A complete settings file with its playbook; the posts of its feed are not there yet."""
    (tmp_path / "playbook.toml").write_bytes(EXAMPLE.read_bytes())
    path = tmp_path / "cuecard.toml"
    path.write_text(SETTINGS, "utf-8")
    return path
