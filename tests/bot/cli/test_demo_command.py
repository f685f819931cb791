"""`cuecard demo`: what is asked for reaches the show."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import Result


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """What the show was asked for; the real one has its own tests."""
    calls: list[dict[str, object]] = []
    monkeypatch.setitem(sys.modules, "bot.demo.show", SimpleNamespace(run_demo=lambda **given: calls.append(given)))
    return calls


def test_it_starts_on_its_usual_port_and_opens_the_page(cuecard: Callable[..., Result], asked: list[dict[str, object]]):
    """Without options all is as the README says."""
    assert cuecard("demo").exit_code == 0
    assert asked == [{"port": 8750, "open_browser": True, "db": None, "feed": None, "pace": None}]


def test_every_option_reaches_the_show(cuecard: Callable[..., Result], asked: list[dict[str, object]]):
    """Each option is passed on."""
    options = ["--port", "0", "--no-open", "--db", "d.db", "--feed", "f.jsonl", "--pace", "0.5"]
    assert cuecard("demo", *options).exit_code == 0
    assert asked == [
        {"port": 0, "open_browser": False, "db": Path("d.db"), "feed": Path("f.jsonl"), "pace": 0.5},
    ]


@pytest.mark.parametrize("options", [["--port", "70000"], ["--pace", "-1"], ["--port", "x"]])
def test_what_can_not_be_is_refused(cuecard: Callable[..., Result], asked: list[dict[str, object]], options: list[str]):
    """A port or a pace that cannot be is wrong usage."""
    assert cuecard("demo", *options).exit_code == 2
    assert asked == []
