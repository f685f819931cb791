"""The log of the command line."""

from __future__ import annotations

import logging
import warnings

import pytest

from bot.cli.logs import LogLevel, start_log


@pytest.fixture(autouse=True)
def _put_back(untouched_log: None) -> None:
    """Put the log back after each test."""


def test_one_line_for_each_event_on_standard_error(capsys: pytest.CaptureFixture[str]):
    """A line has time, level and place; nothing of it goes to standard output."""
    start_log(LogLevel.INFO)
    logging.getLogger("bot.app").info("two\nlines, %s", "and xoxb-1-secret")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith(" INFO bot.app: two\\nlines, and [secret]\n")
    assert err.count("\n") == 1


def test_libraries_speak_up_only_when_it_matters(capsys: pytest.CaptureFixture[str]):
    """Our own events are told; of a library's only warnings, unless all is to be told."""
    start_log(LogLevel.INFO)
    logging.getLogger("urllib3.connectionpool").info("chatter")
    logging.getLogger("urllib3.connectionpool").warning("trouble")
    assert [line.split(": ")[1] for line in capsys.readouterr().err.splitlines()] == ["trouble"]
    start_log(LogLevel.DEBUG)
    logging.getLogger("urllib3.connectionpool").debug("everything")
    assert "everything" in capsys.readouterr().err


def test_level_is_obeyed(capsys: pytest.CaptureFixture[str]):
    """What is below the level is not told."""
    start_log(LogLevel.ERROR)
    logging.getLogger("bot.app").warning("quiet")
    logging.getLogger("bot.app").error("loud")
    assert [line.split(": ")[1] for line in capsys.readouterr().err.splitlines()] == ["loud"]


def test_warnings_are_log_lines(capsys: pytest.CaptureFixture[str]):
    """A library's warning is a line in the log, not a stray text."""
    start_log(LogLevel.INFO)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old ways", DeprecationWarning, stacklevel=1)
    assert " WARNING py.warnings: " in capsys.readouterr().err
