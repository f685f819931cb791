"""Tries the Slack side for real and says in plain words what works, and what to do where it does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slack_sdk import WebClient
from slack_sdk.web import SlackResponse

from bot.config import Secrets, Settings
from bot.slack.client import build_client
from bot.slack.scopes import SCOPES
from bot.slack.slack_errors import REMEDIES, UNREACHABLE, understand
from listeners.contract import Finding

APP_TOKEN_REMEDIES: Mapping[str, str] = {
    "invalid_auth": "Slack does not take SLACK_APP_TOKEN; make one with connections:write (Basic Information).",
    "not_authed": "SLACK_APP_TOKEN is not set.",
    "not_allowed_token_type": "SLACK_APP_TOKEN is not an app-level token; it begins with xapp-.",
    "missing_scope": "SLACK_APP_TOKEN lacks the scope connections:write; make another one (Basic Information).",
    "token_revoked": "SLACK_APP_TOKEN was revoked; make another one with connections:write (Basic Information).",
    "forbidden_team": "Slack does not let this app connect in this workspace; ask an admin.",
    "feature_not_enabled": "Socket Mode is off; switch it on in the app's settings, or use the shipped manifest.yml.",
}
"""What to do about an app-level token that Slack refuses."""
_REACH = "See whether this machine reaches {url}, and whether a proxy stands between."


def check_slack(settings: Settings, secrets: Secrets) -> list[Finding]:
    """Return what works: the tokens, the scopes, the socket, the channels. Posts nothing."""
    client = build_client(settings, secrets)
    try:
        answer = client.auth_test()
    except UNREACHABLE as err:
        return [_failed("Slack does not answer the bot", err, settings)]
    who = f"Slack: the bot is {answer.get('user', '')} in {answer.get('team', '')}."
    findings = [Finding(is_good=True, sentence=who), *_check_scopes(answer), _check_socket(client, settings, secrets)]
    channels = dict.fromkeys([settings.slack.channel, settings.slack.ops_channel])
    for channel in channels:
        if channel:
            findings += _check_channel(client, settings, channel)
    return findings


def _check_scopes(answer: SlackResponse) -> list[Finding]:
    """Compare what the token may do with what is needed; Slack tells in a header of every answer."""
    headers = {str(key).lower(): str(value) for key, value in dict(answer.headers).items()}
    if "x-oauth-scopes" not in headers:
        return []
    granted = {scope.strip() for scope in headers["x-oauth-scopes"].split(",")}
    missing = [scope for scope in SCOPES if scope not in granted]
    if not missing:
        return [Finding(is_good=True, sentence="Slack: the bot has every scope it needs.")]
    return [
        Finding(
            is_good=False,
            sentence=f"Slack: the bot lacks the scope {scope}, needed to {SCOPES[scope]}.",
            remedy="Add it under OAuth & Permissions, or paste manifest.yml again, and reinstall the app.",
        )
        for scope in missing
    ]


def _check_socket(client: WebClient, settings: Settings, secrets: Secrets) -> Finding:
    """Ask for a socket's address without opening it."""
    try:
        client.apps_connections_open(app_token=secrets.slack_app_token.get_secret_value())
    except UNREACHABLE as err:
        return _failed("Slack opens no socket (Socket Mode)", err, settings, APP_TOKEN_REMEDIES)
    return Finding(is_good=True, sentence="Slack: Socket Mode works.")


def _check_channel(client: WebClient, settings: Settings, channel_id: str) -> list[Finding]:
    """Look whether the bot can post in a channel, and who could read it there."""
    try:
        channel: Mapping[str, Any] = client.conversations_info(channel=channel_id).get("channel") or {}
    except UNREACHABLE as err:
        return [_failed(f"Slack does not show the channel {channel_id}", err, settings)]
    name = f"#{channel.get('name') or channel_id}"
    if channel.get("is_archived"):
        return [Finding(is_good=False, sentence=f"Slack: {name} is archived.", remedy=REMEDIES["is_archived"])]
    if not channel.get("is_member"):
        remedy = f"Write /invite @Cuecard in {name}."
        return [Finding(is_good=False, sentence=f"Slack: the bot is not in {name}.", remedy=remedy)]
    if channel.get("is_ext_shared") or channel.get("is_pending_ext_shared"):
        sentence = f"Slack: {name} is shared with another organisation, whose people would read every card."
        remedy = "Use a channel of your own: showing posts of X or Reddit to outsiders breaks their terms."
        return [Finding(is_good=False, sentence=sentence, remedy=remedy)]
    return [Finding(is_good=True, sentence=f"Slack: the bot is in {name}.")]


def _failed(what: str, err: Exception, settings: Settings, remedies: Mapping[str, str] = REMEDIES) -> Finding:
    trouble = understand(err)
    remedy = remedies.get(trouble.word) or trouble.sentence or _REACH.format(url=settings.slack.api_url)
    return Finding(
        is_good=False, sentence=f"Slack: {what} ({trouble.word}).".replace("Slack: Slack", "Slack"), remedy=remedy
    )
