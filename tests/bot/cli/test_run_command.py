"""`cuecard run`: it starts whole or not at all, and ends when asked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

PROJECT = Path(__file__).resolve().parents[3]

# Stands in for the bot: says when it waits and when it was stopped.
_STAND_IN = """
import sys, threading, types
class Cuecard:
    def __init__(self, settings, secrets):
        print("made for", settings.brand.name, flush=True)
    def start(self):
        print("started", flush=True)
    def wait(self):
        threading.Event().wait()
    def stop(self):
        print("stopped", flush=True)
sys.modules["bot.app"] = types.SimpleNamespace(Cuecard=Cuecard)
from bot.__main__ import main
sys.argv = ["cuecard", "run"]
main()
"""


@pytest.mark.parametrize(("asked", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_bot_is_stopped_in_order_when_asked(settings_file: Path, asked: signal.Signals, code: int):
    """SIGTERM is a good end, Ctrl-C says 130; both let the bot put its things away, and neither shows a traceback."""
    process = subprocess.Popen(
        [sys.executable, "-c", _STAND_IN],
        cwd=settings_file.parent,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in range(2)] == [b"made for Acme\n", b"started\n"]
    process.send_signal(asked)
    out, err = process.communicate(timeout=30)
    assert (out, err, process.returncode) == (b"stopped\n", b"", code)


def test_nothing_starts_without_tokens_and_channel(cuecard: Callable[..., Result], settings_file: Path):
    """Each missing thing is a line; no database is made and nothing is called."""
    settings_file.write_text(settings_file.read_text().replace('channel = "C0123456789"', ""))
    result = cuecard("run")
    assert result.exit_code == 1
    told = result.stderr.splitlines()
    assert told[0].startswith("cuecard: SLACK_BOT_TOKEN is not set")
    assert told[1].startswith("cuecard: SLACK_APP_TOKEN is not set")
    assert told[2].startswith("cuecard: cuecard.toml, line 6, [slack] channel: no channel is set")
    assert not (settings_file.parent / "cuecard.db").exists()


def test_tokens_beside_the_settings_are_found(cuecard: Callable[..., Result], settings_file: Path, tmp_path: Path):
    """`.env` is looked for beside the settings file, wherever the command is started."""
    (settings_file.parent / ".env").write_text("SLACK_BOT_TOKEN=xapp-swapped\nSLACK_APP_TOKEN=xapp-1\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    os.chdir(elsewhere)
    result = cuecard("run", "--settings", settings_file)
    assert result.stderr.startswith("cuecard: SLACK_BOT_TOKEN does not begin with xoxb-")
    assert "swapped" not in result.stderr
