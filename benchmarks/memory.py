"""Memory: what a process holds with everything loaded, after a hundred thousand posts went through the model."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.report import Figure

POSTS = 100_000
_LOADED = """
import bot.app
from nlp.assess import Assessor
assessor = Assessor()
assessor.warm()
"""
_BUSY = f"""
from itertools import islice
from benchmarks.posts import mentions
from nlp.group import Grouper
grouper, posts = Grouper(), mentions({POSTS})
while group := list(islice(posts, 512)):
    assessor.assess(group)
    for mention in group:
        grouper.place(hash(mention.native_id), mention.text)
"""
_TELL = """
import resource, sys
held = int(open('/proc/self/statm').read().split()[1]) * resource.getpagesize()
print(held / 1e6)
"""


def measure() -> list[Figure]:
    """Look at two processes of their own; where the system does not tell (no /proc), there is no figure."""
    if not sys.platform.startswith("linux"):
        return []
    loaded, busy = (_megabytes(script) for script in (_LOADED + _TELL, _LOADED + _BUSY + _TELL))
    return [
        Figure("memory with everything loaded", loaded, " MB", "reported", "the bot and its model, before any post"),
        Figure("memory after long use", busy, " MB", "reported", f"{POSTS:,} posts assessed, 50,000 remembered"),
    ]


def _megabytes(script: str) -> float:
    told = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    return float(told)
