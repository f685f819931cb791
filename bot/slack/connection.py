"""The line to Slack: the Bolt app, and the socket that is opened again until it holds."""

from __future__ import annotations

import logging
import os
import random
import threading
from concurrent.futures import ThreadPoolExecutor

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from bot.backoff import wait_seconds
from bot.clock import Clock
from bot.config import Secrets
from bot.slack.checkup import APP_TOKEN_REMEDIES, check_slack
from bot.slack.client import (
    TIMEOUT_SECONDS,
    SlackRefusedError,
    build_client,
    is_loopback,
    quiet_logger,
    sign_in,
)
from bot.slack.desk import Desk
from bot.slack.handlers import register
from bot.slack.people import Roster
from bot.slack.slack_errors import REMEDIES, UNREACHABLE, understand

__all__ = ["Line", "SlackRefusedError", "build_app", "build_client", "check_slack", "sign_in"]

log = logging.getLogger(__name__)

HANDLER_THREADS = 16
"""Room for a team's presses at once; people who type take one for half a second."""
_PING_SECONDS = 10
_MOST_WAIT_SECONDS = 60.0
_LOOK_EVERY_SECONDS = 5.0


def build_app(desk: Desk, client: WebClient, roster: Roster) -> App:
    """Return the Bolt app with everything registered. Touches no network: `sign_in` checks the token.

    The signing secret is empty: Slack signs what comes over HTTP, and the socket was opened by us.

    Raises:
        SlackRefusedError: the environment would make Bolt take Cuecard for another kind of app.
    """
    if os.environ.get("SLACK_CLIENT_ID") and os.environ.get("SLACK_CLIENT_SECRET"):
        raise SlackRefusedError(
            "SLACK_CLIENT_ID and SLACK_CLIENT_SECRET are set, so Slack's library would look for an OAuth installation"
            " instead of SLACK_BOT_TOKEN; unset them for Cuecard."
        )
    logger = quiet_logger("bolt")
    logger.addFilter(_is_worth_telling)
    app = App(
        name="cuecard",
        client=client,
        signing_secret="",
        token_verification_enabled=False,
        listener_executor=ThreadPoolExecutor(max_workers=HANDLER_THREADS, thread_name_prefix="press"),
        logger=logger,
    )
    register(app, desk, client, roster)
    return app


class Line:
    """The Socket Mode connection, opened again and again until it holds; `problem` says why it does not."""

    def __init__(self, app: App, client: WebClient, secrets: Secrets, clock: Clock) -> None:
        self._handler = SocketModeHandler(
            app,
            secrets.slack_app_token.get_secret_value(),
            web_client=client,
            ping_interval=_PING_SECONDS,
            concurrency=HANDLER_THREADS,
        )
        if is_loopback(client.base_url):
            self._handler.client.proxy = None  # slack_sdk would send even the loopback address through a proxy
        self._executor = app.listener_runner.listener_executor
        self._clock = clock
        self._rng = random.Random()  # noqa: S311 - spreads waits, keeps no secret
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.problem = ""

    def start(self) -> None:
        """Begin to connect, and return at once."""
        self._thread = threading.Thread(target=self._keep_open, name="slack-line", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close the connection and free its threads; presses that are being handled may end."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(TIMEOUT_SECONDS + 5)
        try:
            self._handler.close()  # type: ignore[no-untyped-call]
        except AttributeError:  # slack_sdk closes a socket that its own thread let go meanwhile (connection.py:191)
            self._handler.close()  # type: ignore[no-untyped-call]
        self._handler.client.disconnect()  # one that it opened while it was being closed
        self._executor.shutdown(wait=True)

    @property
    def is_connected(self) -> bool:
        """Whether the socket is open."""
        return bool(self._handler.client.is_connected())

    def _keep_open(self) -> None:
        """Open the connection, and look now and then that it stands: slack_sdk opens it again, but may give up."""
        attempts = 0
        while not self._stop.is_set():
            if self.is_connected:
                attempts, self.problem = 0, ""
                self._clock.wait(self._stop, _LOOK_EVERY_SECONDS)
                continue
            attempts += 1
            self._open_once()
            if not self.is_connected:
                self._clock.wait(self._stop, wait_seconds(attempts, self._rng, most=_MOST_WAIT_SECONDS))

    def _open_once(self) -> None:
        client = self._handler.client
        try:
            client.connect_to_new_endpoint()
        except UNREACHABLE as err:
            trouble = understand(err)
            remedy = APP_TOKEN_REMEDIES.get(trouble.word) or REMEDIES.get(trouble.word) or "It is tried again."
            problem = f"The line to Slack does not open ({trouble.word}). {remedy}"
            if problem != self.problem:
                log.warning("%s", problem)
            self.problem = problem


def _is_worth_telling(record: logging.LogRecord) -> bool:
    """Leave out that Bolt prefers our client to the token in the environment: it is meant to."""
    return "`token` will be unused" not in record.getMessage()
