"""The Web API client that everything here shares, and the workspace it speaks for."""

from __future__ import annotations

import ipaddress
import logging
import os
from urllib.parse import urlsplit

from slack_sdk import WebClient

from bot.config import Secrets, Settings
from bot.slack.people import Roster
from bot.slack.slack_errors import UNREACHABLE, Fault, understand

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 10
_PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")


class SlackRefusedError(Exception):
    """Slack does not take what was given; the message is one sentence with what to do."""


def build_client(settings: Settings, secrets: Secrets) -> WebClient:
    """Return the client: it retries nothing by itself, for a repeated post is a doubled one. Touches no network."""
    if is_loopback(settings.slack.api_url) and any(os.environ.get(name) for name in _PROXY_VARIABLES):
        _spare_loopback_the_proxy()
    return WebClient(
        token=secrets.slack_bot_token.get_secret_value(),
        base_url=settings.slack.api_url,
        timeout=TIMEOUT_SECONDS,
        retry_handlers=[],
        logger=quiet_logger("sdk"),
    )


def sign_in(roster: Roster) -> bool:
    """Check the bot token; return whether Slack could be asked at all.

    Raises:
        SlackRefusedError: Slack does not take the token.
    """
    try:
        team = roster.team()
    except UNREACHABLE as err:
        trouble = understand(err)
        if trouble.fault in {Fault.UNREACHED, Fault.UNCERTAIN, Fault.SLOW_DOWN}:
            log.warning("Slack cannot be reached just now (%s); it is tried again.", trouble.word)
            return False
        raise SlackRefusedError(trouble.sentence or f"Slack refuses SLACK_BOT_TOKEN ({trouble.word}).") from err
    log.info("Signed in to Slack as %s in %s.", team.bot_user_id, team.name)
    return True


def quiet_logger(name: str) -> logging.Logger:
    """Return a logger for a library of Slack's that tells of trouble and nothing else.

    A level of its own matters: slack_sdk takes 'no level' for debugging, and then puts every call into words.
    """
    logger = logging.getLogger(f"bot.slack.{name}")
    logger.setLevel(logging.WARNING)
    return logger


def is_loopback(url: str) -> bool:
    """Return whether an address is this machine's own."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _spare_loopback_the_proxy() -> None:
    """Keep calls to this machine off a proxy that the environment names.

    slack_sdk takes the proxy from the environment without asking `no_proxy`; the urllib underneath does ask.
    """
    for variable in ("no_proxy", "NO_PROXY"):
        hosts = [host for host in os.environ.get(variable, "").split(",") if host]
        missing = [host for host in ("localhost", "127.0.0.1", "::1") if host not in hosts]
        if missing and "*" not in hosts:
            os.environ[variable] = ",".join([*hosts, *missing])
