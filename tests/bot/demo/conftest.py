"""The rehearsal workspace with a small real Bolt app, and a browser where there is one."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from mini_app import MiniApp
from slack_sdk import WebClient

from bot.demo import team
from bot.demo.limits import Rules
from bot.demo.rehearsal import Rehearsal

RULES = Rules(is_paced=False, redeliver_after=(0.1, 0.1))


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep proxies of the machine and the libraries' chatter out."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    logging.getLogger("slack_bolt").setLevel(logging.CRITICAL)


@pytest.fixture
def rehearsal() -> Iterator[Rehearsal]:
    """A workspace without a pace, that repeats quickly."""
    scopes = (*team.SCOPES, "reactions:write", "channels:join")
    with Rehearsal(rules=RULES, scopes=scopes, events=("app_home_opened", "message.im")) as running:
        yield running


@pytest.fixture
def client(rehearsal: Rehearsal) -> WebClient:
    """Slack's own client, without its retries."""
    return WebClient(token=rehearsal.bot_token, base_url=rehearsal.api_url, retry_handlers=[])


@pytest.fixture
def mini_app(rehearsal: Rehearsal) -> Iterator[MiniApp]:
    """A real Bolt app, connected over Socket Mode."""
    app = MiniApp(rehearsal)
    yield app
    app.close()
