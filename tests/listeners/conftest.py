"""What the tests of listeners lean on: a clock that pauses move, and servers on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import SimpleNamespace

import pytest
import uvicorn.server
from clocks import Hands
from servers import Script, Server

from listeners.contract import FeedContext
from listeners.query import Watch, compile_watches


@pytest.fixture(scope="session", autouse=True)
def _doors_close_soon() -> Iterator[None]:
    """Uvicorn looks ten times a second whether it is to end; here more often, or every test of a webhook waits."""
    hurried = {**vars(asyncio), "sleep": lambda seconds: asyncio.sleep(seconds / 20)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uvicorn.server, "asyncio", SimpleNamespace(**hurried))
        yield


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
