"""What the tests of the Slack rooms lean on: a desk over a real store, and a small Slack on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fake_slack import FakeSlack
from seeds import NOW
from slack_bolt import App
from slack_sdk import WebClient

from bot.clock import ManualClock
from bot.config import Secrets, Settings
from bot.slack.connection import build_app, build_client
from bot.slack.desk import Desk
from bot.slack.people import Roster
from bot.store import Store
from listeners.contract import Capability, Finding, Posted, Shape
from listeners.mention import Batch, Mention
from nlp.playbook import parse_playbook

PLAYBOOK = """
[brand]
name = "Acme"
[[opener]]
text = "Hi, thank you for telling us."
[[next_step]]
kind = "ask"
text = "Which order is it?"
[[gap]]
text = "[what you found]"
[[hand_to]]
who = "Support"
intents = ["complaint"]
note = "say which order"
"""


@dataclass
class StagePlatform:
    """A platform that answers as it is told."""

    answer: Capability = field(default_factory=lambda: Capability("api", account="@acme"))
    limit: int = 280

    def listen(self, cursor: str | None) -> Iterator[Batch]:
        """Hear nothing."""
        del cursor
        return iter(())

    def capability(self, mention: Mention) -> Capability:
        """Answer as told."""
        del mention
        return self.answer

    def shape(self, text: str, mention: Mention) -> Shape:
        """Count code points."""
        del mention
        return Shape(text.strip(), len(text.strip()), self.limit)

    def reply(self, mention: Mention, text: str, send_key: str) -> Posted:
        """Never called from here: what is sent leaves by bot.outbox."""
        raise AssertionError((mention, text, send_key))

    def check(self) -> list[Finding]:
        """Find nothing."""
        return []

    def close(self) -> None:
        """Do nothing."""


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    """A small Slack on loopback."""
    served = FakeSlack()
    yield served
    served.close()


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands still."""
    return ManualClock(NOW)


@pytest.fixture
def stage() -> StagePlatform:
    """The platform of every mention here."""
    return StagePlatform()


@pytest.fixture
def settings(slack: FakeSlack, tmp_path: Path) -> Settings:
    """Settings that point to the small Slack."""
    return Settings.model_validate(
        {
            "brand": {"name": "Acme"},
            "slack": {"channel": "C0MAIN", "api_url": slack.url},
            "store": {"path": tmp_path / "cuecard.db"},
        }
    )


@pytest.fixture
def secrets() -> Secrets:
    """Tokens that no Slack knows."""
    return Secrets(slack_bot_token="xoxb-test", slack_app_token="xapp-test")


@pytest.fixture
def client(settings: Settings, secrets: Secrets) -> WebClient:
    """The real client."""
    return build_client(settings, secrets)


@dataclass
class Woken:
    """Counts the wake-up calls."""

    outbox: int = 0
    sender: int = 0

    def wake(self) -> None:
        """Count a call to the outbox."""
        self.outbox += 1

    def wake_sender(self) -> None:
        """Count a call to the sender."""
        self.sender += 1


@pytest.fixture
def woken() -> Woken:
    """What was woken."""
    return Woken()


@pytest.fixture
def desk(store: Store, settings: Settings, stage: StagePlatform, clock: ManualClock, woken: Woken) -> Desk:
    """The desk over it all."""
    return Desk(
        store=store,
        settings=settings,
        platforms={"stage-feed": stage},
        playbook=parse_playbook(PLAYBOOK),
        clock=clock,
        wake=woken.wake,
        wake_sender=woken.wake_sender,
    )


@pytest.fixture
def roster(client: WebClient, store: Store, clock: ManualClock) -> Roster:
    """Who may act."""
    return Roster(client, store, clock)


@pytest.fixture
def app(desk: Desk, client: WebClient, roster: Roster) -> Iterator[App]:
    """The real Bolt app."""
    built = build_app(desk, client, roster)
    yield built
    built.listener_runner.listener_executor.shutdown(wait=True)


def payload_user(user_id: str, team_id: str = "T1") -> dict[str, Any]:
    """Return a person as payloads name them."""
    return {"id": user_id, "username": user_id.lower(), "team_id": team_id}
