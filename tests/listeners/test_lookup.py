"""Looking up a host within a time."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from listeners import fetch
from listeners.errors import Retryable
from listeners.fetch import Fetcher
from listeners.lookup import Lookup


class StuckResolver:
    """A resolver that answers only when it is let go, as one does whose name server is gone."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.may_answer = threading.Event()

    def __call__(self, _host: str, _port: int) -> list[str]:
        """Answer late."""
        self.asked.set()
        assert self.may_answer.wait(30)
        return ["8.8.8.8"]


@pytest.fixture
def stuck() -> Iterator[StuckResolver]:
    """A stuck resolver that is let go at the end, so that no thread stays."""
    resolver = StuckResolver()
    yield resolver
    resolver.may_answer.set()


def test_addresses_are_handed_on():
    """What the resolver says is the answer."""
    assert Lookup(lambda host, port: [host, str(port)], "a.test", 80).wait(10) == ["a.test", "80"]


def test_what_the_resolver_raises_is_raised():
    """A name that nobody knows is told as the resolver tells it."""

    def fail(_host: str, _port: int) -> list[str]:
        raise socket.gaierror("no such name")

    with pytest.raises(socket.gaierror, match="no such name"):
        Lookup(fail, "a.test", 80).wait(10)


def test_a_resolver_that_does_not_answer_is_left_at_the_deadline(stuck: StuckResolver, monkeypatch: pytest.MonkeyPatch):
    """A name server that is gone holds a look up for so long, and no longer."""
    monkeypatch.setattr(fetch, "LOOKUP_SECONDS", 0.05)
    start = time.monotonic()
    with pytest.raises(Retryable, match=r"No address was found for a\.test in 0\.05 s"):
        Fetcher(resolve=stuck).get("http://a.test/")
    assert time.monotonic() - start < 2


def test_the_deadline_of_the_whole_read_holds_for_the_look_up(stuck: StuckResolver):
    """Looking up takes no more than all may take."""
    with pytest.raises(Retryable, match=r"in 0\.0\d+ s"):
        Fetcher(resolve=stuck, total_seconds=0.05).get("http://a.test/")


def test_closing_ends_a_running_look_up(stuck: StuckResolver):
    """A stop does not wait for a name server."""
    fetcher = Fetcher(resolve=stuck)
    said: list[str] = []

    def read() -> None:
        with pytest.raises(Retryable) as caught:
            fetcher.get("http://a.test/")
        said.append(str(caught.value))

    thread = threading.Thread(target=read)
    thread.start()
    assert stuck.asked.wait(10)
    fetcher.close()
    thread.join(4)  # less than the look-up may take by itself
    assert said == ["Reading a.test was stopped."]


def test_nothing_is_looked_up_once_closed(stuck: StuckResolver):
    """A fetcher that was closed before it began ends at once."""
    fetcher = Fetcher(resolve=stuck)
    fetcher.close()
    with pytest.raises(Retryable, match="was stopped"):
        fetcher.get("http://a.test/")
