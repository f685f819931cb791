"""What an error of Slack's means for a job, pure: wait, look first, mend the card, or ask a person."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import urllib.error
from dataclasses import dataclass
from enum import Enum
from typing import Any

from slack_sdk.errors import SlackApiError, SlackClientError

UNREACHABLE = (SlackClientError, OSError, http.client.HTTPException)
"""What a call to Slack can raise: refused, or not reached."""


class Fault(Enum):
    """What went wrong, as what to do about it."""

    SLOW_DOWN = "slow_down"  # Slack said when to come back; nothing happened
    UNREACHED = "unreached"  # Slack was certainly not reached; nothing happened
    UNCERTAIN = "uncertain"  # it may have happened: look before trying again
    BLOCKED = "blocked"  # nothing can be posted until a person changes something; nothing is lost meanwhile
    GONE = "gone"  # the message to edit is not there any more, or closed for edits
    UNFIT = "unfit"  # this very message will never be taken


REMEDIES = {
    "channel_not_found": "Slack knows no such channel; set slack.channel to its id and invite the bot into it.",
    "not_in_channel": "The bot is not in the channel; write /invite @Cuecard there.",
    "is_archived": "The channel is archived; unarchive it, or set slack.channel to another one.",
    "restricted_action": "The workspace does not let the bot post in the channel; ask an admin.",
    "restricted_action_read_only_channel": "The channel is read-only for the bot; ask an admin.",
    "restricted_action_thread_only_channel": "The channel takes only threads; set slack.channel to another one.",
    "message_limit_exceeded": "The workspace has used up its messages; see its plan.",
    "missing_scope": "The app lacks a scope; install it again with the shipped manifest.yml.",
    "not_allowed_token_type": "SLACK_BOT_TOKEN is not a bot token; it begins with xoxb-.",
    "invalid_auth": "Slack does not take SLACK_BOT_TOKEN; copy it again from the app's settings.",
    "not_authed": "SLACK_BOT_TOKEN is not set.",
    "account_inactive": "The app was removed from the workspace; install it again.",
    "token_revoked": "SLACK_BOT_TOKEN was revoked; install the app again and copy the new one.",
    "token_expired": "SLACK_BOT_TOKEN has expired; install the app again, without token rotation.",
    "no_permission": "The token lacks the right to post; install the app again with the shipped manifest.yml.",
    "org_login_required": "The workspace is being moved by Slack; wait until that is over.",
    "ekm_access_denied": "The workspace's admins have suspended access; ask them.",
    "team_access_not_granted": "The app may not act in this workspace; ask an admin of the organisation.",
    "access_denied": "The app may not act in this workspace; ask an admin.",
    "two_factor_setup_required": "The workspace asks for two-factor login; ask an admin.",
    "enterprise_is_restricted": "The organisation does not allow this app; ask an admin.",
    "not_enabled": "App Home is switched off; install the app again with the shipped manifest.yml.",
}
"""One sentence with what to do, for each error that a person has to mend."""
_GONE = frozenset({"message_not_found", "edit_window_closed", "cant_update_message", "is_inactive", "block_mismatch"})
_SERVER = frozenset(
    {
        "internal_error",
        "fatal_error",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
        "http_request_failed",
    }
)
_RATE = frozenset({"ratelimited", "rate_limited", "message_rate_limited"})
_MOST_WAIT = 3600.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """An error, understood. `wait` are the seconds Slack asked for; `sentence` says what a person can do."""

    fault: Fault
    word: str
    wait: float = 0.0
    sentence: str = ""


def understand(err: Exception) -> Trouble:
    """Return what an error raised by a call to Slack means."""
    if isinstance(err, SlackApiError):
        return _understand_answer(err)
    if isinstance(err, SlackClientError):
        return Trouble(Fault.UNFIT, describe_error(err))
    return Trouble(Fault.UNREACHED if _is_before_sending(err) else Fault.UNCERTAIN, type(err).__name__)


def _understand_answer(err: SlackApiError) -> Trouble:
    response: Any = err.response
    status = int(getattr(response, "status_code", 200) or 200)
    word = describe_error(err)
    if status == 429 or word in _RATE:
        return Trouble(Fault.SLOW_DOWN, word, wait=_retry_after(response))
    if word in REMEDIES:
        return Trouble(Fault.BLOCKED, word, sentence=REMEDIES[word])
    if status >= 500 or word in _SERVER or not re.fullmatch(r"[a-z0-9_]+", word):
        return Trouble(Fault.UNCERTAIN, word if re.fullmatch(r"[a-z0-9_]+", word) else f"HTTP {status}, no JSON")
    if status in {401, 403}:
        return Trouble(Fault.BLOCKED, word, sentence=f"Slack answers {status}; run `cuecard check`.")
    if word in _GONE:
        return Trouble(Fault.GONE, word)
    return Trouble(Fault.UNFIT, word)


def _retry_after(response: Any) -> float:  # noqa: ANN401 - slack_sdk's own answer, or a test's
    headers = {str(key).lower(): value for key, value in dict(getattr(response, "headers", None) or {}).items()}
    try:
        return min(max(float(headers.get("retry-after", 30)), 1.0), _MOST_WAIT)
    except (TypeError, ValueError):
        return 30.0


def _is_before_sending(err: BaseException) -> bool:
    """Return whether the request can not have reached Slack: no name, no route, no handshake."""
    if isinstance(err, http.client.RemoteDisconnected):
        return False
    reason = err.reason if isinstance(err, urllib.error.URLError) else err
    return isinstance(reason, ConnectionRefusedError | socket.gaierror | ssl.SSLCertVerificationError) or (
        isinstance(reason, OSError) and not isinstance(reason, TimeoutError) and reason.errno in _NO_ROUTE
    )


_NO_ROUTE = frozenset({51, 65, 100, 101, 111, 112, 113, 10051, 10061, 10065})
"""Network or host down or unreachable, connection refused: the numbers of Linux, macOS and Windows."""


def describe_error(err: Exception) -> str:
    """Return Slack's word for an error, or its kind; never an address, a token or a text."""
    response = getattr(err, "response", None)
    word = response.get("error") if response is not None and hasattr(response, "get") else None
    return re.sub(r"[^\w .-]", " ", str(word))[:80] if word else type(err).__name__
