"""What the tests of the Slack rooms lean on: a desk over a real store, and a small Slack on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_slack import FakeSlack
from hands import Hands, StagePlatform, Woken
from seeds import NOW, a_mention, hear, show
from slack_bolt import App
from slack_sdk import WebClient

from bot.clock import ManualClock
from bot.config import Secrets, Settings
from bot.drafting import Drafting
from bot.slack.connection import build_app, build_client
from bot.slack.deliver import Deliver
from bot.slack.desk import Desk
from bot.slack.people import Roster
from bot.store import Store
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
        drafting=Drafting(store, parse_playbook(PLAYBOOK)),
        clock=clock,
        wake=woken.wake,
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


@pytest.fixture
def ana(app: App, slack: FakeSlack) -> Hands:
    """Ana."""
    return Hands(app, slack)


@pytest.fixture
def ben(app: App, slack: FakeSlack) -> Hands:
    """Ben."""
    return Hands(app, slack, user="U2")


@pytest.fixture
def heard(store: Store) -> int:
    """Conversation 1, whose card stands in the channel."""
    number = hear(store, a_mention())
    show(store, number)
    while job := store.take_job(NOW):
        store.finish_job(job, NOW)
    return number


@pytest.fixture
def deliver(desk: Desk, client: WebClient, roster: Roster) -> Deliver:
    """The outbox, stepped by hand."""
    return Deliver(desk, client, roster)
