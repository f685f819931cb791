"""What the tests of listeners lean on: a clock that pauses move, and servers on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from clocks import Hands
from servers import Script, Server

from listeners.contract import FeedContext
from listeners.query import Watch, compile_watches


@pytest.fixture
def hands() -> Hands:
    """A clock at noon."""
    return Hands()


@pytest.fixture
def serve() -> Iterator[Callable[[Script], Server]]:
    """Start a server with a script; it stops with the test."""
    with ExitStack() as stack:
        yield lambda script: stack.enter_context(Server(script))


@pytest.fixture
def context(hands: Hands) -> FeedContext:
    """A feed with one watch for acme."""
    watches = compile_watches([Watch("acme", "Acme", "acme -jobs")])
    return FeedContext("main", watches, hands.pause, now=hands.now)
