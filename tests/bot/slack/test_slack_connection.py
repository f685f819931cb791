"""The line to Slack: tokens, proxies, the socket; what `cuecard check` says; and the manifest."""

# ruff: noqa: ARG001, PLR0917 - fixtures are asked for what they set up

from __future__ import annotations

import contextlib
import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from fake_slack import FakeSlack, Fault, error
from seeds import a_mention, hear, show
from slack_bolt import App
from slack_sdk import WebClient
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from bot.clock import SystemClock
from bot.config import Secrets, Settings
from bot.conversation import State
from bot.slack.client import SlackRefusedError, build_client, is_loopback, sign_in
from bot.slack.connection import Line, build_app, check_slack
from bot.slack.desk import Desk
from bot.slack.handlers import COMMANDS, EVENTS
from bot.slack.people import Roster
from bot.slack.scopes import SCOPES
from bot.slack.slack_errors import REMEDIES, understand
from bot.slack.slack_errors import Fault as Meaning
from bot.store import Store

# The client


def test_the_client_repeats_nothing_by_itself(client: WebClient):
    """A post that slack_sdk repeats is a post that stands there twice."""
    assert client.retry_handlers == []


@pytest.mark.parametrize(
    ("url", "is_ours"),
    [
        ("http://127.0.0.1:1/api/", True),
        ("http://localhost/", True),
        ("http://[::1]/", True),
        ("https://slack.com/api/", False),
        ("https://127.0.0.1.example/", False),
    ],
)
def test_what_is_this_machine(url: str, is_ours: bool):
    """Only real loopback counts."""
    assert is_loopback(url) is is_ours


def test_a_proxy_in_the_environment_is_not_used_for_this_machine(
    settings: Settings, secrets: Secrets, monkeypatch: pytest.MonkeyPatch, slack: FakeSlack
):
    """The rehearsal works behind a company's proxy."""
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "intranet.example")
    monkeypatch.setenv("NO_PROXY", "intranet.example")
    assert build_client(settings, secrets).auth_test()["ok"]
    assert "intranet.example" in os.environ["no_proxy"]


def test_tokens_stand_in_no_repr_and_no_log(client: WebClient, slack: FakeSlack, caplog: pytest.LogCaptureFixture):
    """Even a failure does not tell them."""
    slack.faults["auth.test"] = [Fault(hang_up=True)]
    with pytest.raises(OSError, match=r".*") as caught:
        client.auth_test()
    assert "xoxb-test" not in repr(client) + str(caught.value) + caplog.text


def test_signing_in_refuses_a_bad_token_in_plain_words(roster: Roster, slack: FakeSlack):
    """Nothing half-starts with a token that cannot work."""
    slack.faults["auth.test"] = [error("invalid_auth")]
    with pytest.raises(SlackRefusedError, match="SLACK_BOT_TOKEN"):
        sign_in(roster)


def test_signing_in_waits_for_a_slack_that_is_away(roster: Roster, slack: FakeSlack):
    """Cuecard can start, and hear, while Slack is down."""
    slack.faults["auth.test"] = [Fault(hang_up=True), Fault({"ok": False, "error": "ratelimited"}, 429)]
    assert sign_in(roster) is False
    assert sign_in(roster) is False
    assert sign_in(roster) is True


def test_an_environment_for_another_kind_of_app_is_refused(
    desk: Desk, client: WebClient, roster: Roster, monkeypatch: pytest.MonkeyPatch
):
    """Bolt would silently look for an OAuth installation instead of the token."""
    monkeypatch.setenv("SLACK_CLIENT_ID", "1")
    monkeypatch.setenv("SLACK_CLIENT_SECRET", "2")
    with pytest.raises(SlackRefusedError, match="unset them"):
        build_app(desk, client, roster)


# What an error means


@pytest.mark.parametrize(
    ("raised", "meaning"),
    [
        (ConnectionRefusedError(111, "refused"), Meaning.UNREACHED),
        (ConnectionResetError(104, "reset"), Meaning.UNCERTAIN),
        (TimeoutError("timed out"), Meaning.UNCERTAIN),
        (OSError(113, "no route"), Meaning.UNREACHED),
    ],
)
def test_only_what_certainly_did_not_arrive_counts_as_unreached(raised: Exception, meaning: Meaning):
    """Everything else may have happened."""
    assert understand(raised).fault is meaning


@pytest.mark.parametrize(
    ("fault", "meaning", "wait"),
    [
        (Fault({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": "7"}), Meaning.SLOW_DOWN, 7),
        (Fault({"ok": False, "error": "rate_limited"}, 429, {"Retry-After": "soon"}), Meaning.SLOW_DOWN, 30),
        (Fault({"ok": False, "error": "rate_limited"}, 200, {"retry-after": "999999"}), Meaning.SLOW_DOWN, 3600),
        (error("message_not_found"), Meaning.GONE, 0),
        (error("invalid_blocks"), Meaning.UNFIT, 0),
        (error("not_in_channel"), Meaning.BLOCKED, 0),
        (error("a_word_of_the_year_2030"), Meaning.UNFIT, 0),
        (Fault("<html>", 503), Meaning.UNCERTAIN, 0),
        (Fault("half an answ", 200), Meaning.UNCERTAIN, 0),
    ],
)
def test_what_slack_answers_is_understood(
    client: WebClient, slack: FakeSlack, fault: Fault, meaning: Meaning, wait: float
):
    """Each answer is one of a few things to do."""
    slack.faults["chat.postMessage"] = [fault]
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever slack_sdk raises
        client.chat_postMessage(channel="C0MAIN", text="x")
    trouble = understand(caught.value)
    assert (trouble.fault, trouble.wait) == (meaning, wait)


def test_every_remedy_is_a_sentence():
    """What a person must mend is said with what to do."""
    assert all((sentence.endswith(".") and ";" in sentence) or "." in sentence for sentence in REMEDIES.values())


# The socket


class Socket:
    """A Socket Mode server: says hello, and lets a test send envelopes and see what comes back."""

    def __init__(self) -> None:
        self.acks: list[dict[str, Any]] = []
        self.connections: list[ServerConnection] = []
        self._server: Server = serve(self._talk, "127.0.0.1", 0)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}/link"

    def _talk(self, connection: ServerConnection) -> None:
        self.connections.append(connection)
        connection.send(json.dumps({"type": "hello", "num_connections": 1}))
        with contextlib.suppress(ConnectionClosed):
            for message in connection:
                self.acks.append(json.loads(message))

    def send(self, envelope_id: str, payload: dict[str, Any], kind: str = "interactive") -> None:
        """Deliver a payload over the newest connection."""
        body = {"envelope_id": envelope_id, "type": kind, "payload": payload, "accepts_response_payload": True}
        self.connections[-1].send(json.dumps(body))

    def close(self) -> None:
        """Hang up."""
        self._server.shutdown()
        self._thread.join()


@pytest.fixture
def socket() -> Iterator[Socket]:
    """A Socket Mode server on loopback."""
    served = Socket()
    yield served
    served.close()


def until(check: Callable[[], object], seconds: float = 20) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def a_claim(number: int) -> dict[str, Any]:
    """Return a press of Claim."""
    return {
        "type": "block_actions",
        "user": {"id": "U1", "team_id": "T1"},
        "team": {"id": "T1"},
        "trigger_id": "t1",
        "container": {"type": "message", "message_ts": "1.2", "channel_id": "C0MAIN"},
        "actions": [{"type": "button", "action_id": "card_claim", "value": str(number), "action_ts": "1.0"}],
    }


def test_a_press_comes_over_the_socket_and_is_acknowledged(
    app: App, client: WebClient, secrets: Secrets, slack: FakeSlack, socket: Socket, store: Store
):
    """The whole way in, with the real Socket Mode client; a line that is refused at first is opened again."""
    number = hear(store, a_mention())
    show(store, number)
    answer = Fault({"ok": True, "url": socket.url})
    slack.faults["apps.connections.open"] = [error("internal_error"), answer]
    line = Line(app, client, secrets, SystemClock())
    line.start()
    try:
        until(lambda: line.is_connected and socket.connections)
        assert slack.calls[0].method == "apps.connections.open"
        socket.send("E1", a_claim(number))
        until(lambda: {"envelope_id": "E1"} in socket.acks)
        until(lambda: store.conversation(number).state is State.CLAIMED)  # type: ignore[union-attr]
    finally:
        line.stop()
    assert not line.is_connected


def test_a_line_that_falls_is_opened_again(
    app: App, client: WebClient, secrets: Secrets, slack: FakeSlack, socket: Socket
):
    """Slack ends every socket after a while."""
    slack.faults["apps.connections.open"] = [Fault({"ok": True, "url": socket.url}) for _ in range(20)]
    line = Line(app, client, secrets, SystemClock())
    line.start()
    try:
        until(lambda: socket.connections)
        socket.connections[0].send(json.dumps({"type": "disconnect", "reason": "refresh_requested"}))
        until(lambda: len(socket.connections) == 2 and line.is_connected)
    finally:
        line.stop()


def test_a_refused_app_token_says_what_to_do(app: App, client: WebClient, secrets: Secrets, slack: FakeSlack):
    """The problem stands where the operator looks; the bot goes on trying."""
    slack.faults["apps.connections.open"] = [error("invalid_auth")] * 50
    line = Line(app, client, secrets, SystemClock())
    line.start()
    try:
        until(lambda: "SLACK_APP_TOKEN" in line.problem)
    finally:
        line.stop()


# What `cuecard check` says


def said(findings: list[Any]) -> str:
    """Return all sentences, marked."""
    return "\n".join(f"{'+' if each.is_good else '-'} {each.sentence} {each.remedy}".rstrip() for each in findings)


def test_a_workspace_that_is_ready(settings: Settings, secrets: Secrets, slack: FakeSlack):
    """Token, scopes, socket, channel: all are said to work, and nothing is posted."""
    found = said(check_slack(settings, secrets))
    assert found == (
        "+ Slack: the bot is cuecard in Team.\n"
        "+ Slack: the bot has every scope it needs.\n"
        "+ Slack: Socket Mode works.\n"
        "+ Slack: the bot is in #mentions."
    )
    assert not slack.messages


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scopes": "commands,users:read"}, "- Slack: the bot lacks the scope chat:write, needed to post"),
        (
            {"channel": {"name": "m", "is_member": False}},
            "- Slack: the bot is not in #m. Write /invite @Cuecard in #m.",
        ),
        ({"channel": {"name": "m", "is_archived": True}}, "- Slack: #m is archived. The channel is archived;"),
        (
            {"channel": {"name": "m", "is_member": True, "is_ext_shared": True}},
            "- Slack: #m is shared with another org",
        ),
        (
            {"faults": {"auth.test": [error("invalid_auth")]}},
            "- Slack does not answer the bot (invalid_auth). Slack does",
        ),
        (
            {"faults": {"auth.test": [Fault(hang_up=True)]}},
            "- Slack does not answer the bot (RemoteDisconnected). See wh",
        ),
        ({"faults": {"apps.connections.open": [error("not_allowed_token_type")]}}, "begins with xapp-."),
        ({"faults": {"conversations.info": [error("channel_not_found")]}}, "- Slack does not show the channel C0MAIN"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(
    settings: Settings, secrets: Secrets, slack: FakeSlack, change: dict[str, Any], words: str
):
    """Each fault in plain words; never a token."""
    for name, value in change.items():
        setattr(slack, name, value)
    found = said(check_slack(settings, secrets))
    assert words in found
    assert "xoxb-" not in found.replace("begins with xoxb-", "")


# The manifest and the page about it


@pytest.fixture
def manifest(project: Path) -> dict[str, Any]:
    """The shipped manifest."""
    loaded: dict[str, Any] = yaml.safe_load((project / "manifest.yml").read_text(encoding="utf-8"))
    return loaded


def test_the_manifest_is_valid(manifest: dict[str, Any], shared: Path):
    """Slack's own schema takes it."""
    schema = json.loads((shared / "recorded/slack/manifest.schema.2.0.0.json").read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(schema).validate(manifest)


def test_the_manifest_declares_exactly_what_is_served(manifest: dict[str, Any]):
    """Commands, events and scopes are the same sets on both sides."""
    commands = {each["command"] for each in manifest["features"]["slash_commands"]}
    assert commands == set(COMMANDS)
    assert set(manifest["settings"]["event_subscriptions"]["bot_events"]) == set(EVENTS)
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == set(SCOPES)
    assert "shortcuts" not in manifest["features"]
    assert manifest["settings"]["socket_mode_enabled"]
    assert manifest["settings"]["interactivity"]["is_enabled"]
    assert manifest["features"]["app_home"]["home_tab_enabled"]


def test_no_scope_and_no_event_reads_what_people_write(manifest: dict[str, Any]):
    """The team's notes in a thread are delivered to nobody."""
    assert not [event for event in manifest["settings"]["event_subscriptions"]["bot_events"] if "message" in event]
    assert not {"chat:write.public", "users:read.email", "im:history"} & set(SCOPES)


def test_every_command_and_scope_is_documented(project: Path):
    """docs/slack.md has a row for each, and none for what is gone."""
    page = (project / "docs/slack.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`]+)`", page, re.MULTILINE)
    assert {row for row in rows if row.startswith("/")} == {*COMMANDS, "/claim", "/mentions", "/digest"}
    assert {row for row in rows if ":" in row or row == "commands"} == set(SCOPES)
