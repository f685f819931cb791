"""Stepping the outbox to Slack by hand, and letting time pass."""

from __future__ import annotations

from fake_slack import FakeSlack

from bot.clock import ManualClock
from bot.conversation import State
from bot.slack.deliver import Deliver
from bot.store import Store


def drain(deliver: Deliver, most: int = 200) -> None:
    """Step until nothing is due."""
    for _ in range(most):
        if deliver.step():
            return
    raise AssertionError("the outbox does not come to rest")


def wait_out(deliver: Deliver, clock: ManualClock, seconds: float = 3600, step: float = 20) -> None:
    """Let time pass, working whenever something is due."""
    for _ in range(int(seconds / step)):
        clock.advance(step)
        drain(deliver)


def posts(slack: FakeSlack) -> list[str]:
    """Return the words of every message that stands in Slack."""
    return [message["text"] for message in slack.messages]


def state_of(store: Store, number: int) -> State:
    """Return where a conversation stands."""
    found = store.conversation(number)
    assert found is not None
    return found.state
