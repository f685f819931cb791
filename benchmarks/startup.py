"""`cuecard --help` against importing the libraries it must not load."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from benchmarks.report import Figure

RUNS = 7
EAGER = "import slack_bolt, tweepy, praw, spacy, sqlite_utils"


def measure() -> list[Figure]:
    """Time both in turn, best of several; the order alternates so that a busy moment hits both."""
    cuecard = str(Path(sys.executable).with_name("cuecard"))
    help_times, eager_times = [], []
    for _ in range(RUNS):
        help_times.append(_seconds([cuecard, "--help"]))
        eager_times.append(_seconds([sys.executable, "-c", EAGER]))
    ratio = min(help_times) / min(eager_times)
    detail = f"{min(help_times) * 1000:.0f} ms against {min(eager_times) * 1000:.0f} ms, best of {RUNS}"
    return [Figure("`cuecard --help` / eager import of the five libraries", ratio, "x", "at most 0.15x", detail)]


def _seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started
