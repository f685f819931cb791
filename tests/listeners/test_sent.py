"""What can be said for certain of a request that failed."""

from __future__ import annotations

import socket

import pytest
import requests
from servers import Server, half_close

from listeners.sent import was_never_sent


def test_a_refused_connection_carried_nothing():
    """Nobody listens there."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with pytest.raises(requests.ConnectionError) as caught:
        requests.post(f"http://127.0.0.1:{port}/", timeout=5)
    assert was_never_sent(caught.value)


def test_a_connection_that_broke_may_have_carried_it():
    """The other side hung up after it had read."""
    with Server(lambda _request: half_close()) as server, pytest.raises(requests.ConnectionError) as caught:
        requests.post(server.url, timeout=5)
    assert not was_never_sent(caught.value)


def test_anything_else_may_have_carried_it():
    """No error, or one of another kind, says nothing for certain."""
    assert not was_never_sent(None)
    assert not was_never_sent(TimeoutError("read"))
