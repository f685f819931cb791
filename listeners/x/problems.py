"""What X says when it refuses, read from its answer, and what that means for whoever asked.

X answers with problem+json (RFC 7807): `type` ends in a name such as `usage-capped`, `detail` is a sentence. Older
parts answer with a list `errors` instead (https://docs.x.com/x-api/fundamentals/response-codes-and-errors, 2026).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

from listeners.errors import ListenerError, Permanent, RateLimited, Retryable
from listeners.text import decode_json, whole_characters
from listeners.x.settings import Keys, Settings

MONEY_PAUSE_SECONDS: Final = 3_600.0
UNSAID_PAUSE_SECONDS: Final = 60.0
"""How long to stay away after a 429 that does not say (https://docs.x.com/x-api/fundamentals/handling-disconnections)."""
_LONGEST_PAUSE_SECONDS: Final = 86_400.0  # the longest window of X's limits
_LONGEST_DETAIL: Final = 200
_MONEY: Final = re.compile(
    r"credit|billing|payment|usage-?cap|spend-?(?:cap|limit)|spending|\bcap(?:s|ped)?\b|capexceeded"
)
_ABOUT_RULES: Final = frozenset({"rule-cap", "rules-cap"})
_PASSING: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY})
_DENIED: Final = "X refuses this app"
MAY_WRITE: Final = "In X's console, set its permissions to 'Read and write', then make new access keys."
STREAM_TAKEN: Final = "Another program holds this app's only stream connection, or X has not let go of a broken one."


@dataclass(frozen=True, slots=True)
class Problem:
    """A refusal: its HTTP status, the last word of its type, what it says, and in how many seconds to come back."""

    status: int
    kind: str = ""
    title: str = ""
    detail: str = ""
    reason: str = ""
    connection_issue: str = ""
    seconds: float | None = None
    is_json: bool = True

    @property
    def words(self) -> str:
        """All it says, in lower case."""
        return f"{self.kind} {self.title} {self.detail} {self.reason}".lower()

    @property
    def is_about_money(self) -> bool:
        """Whether the app has run out of credits, or into a cap: nothing is wrong with its keys."""
        if self.status == HTTPStatus.PAYMENT_REQUIRED:
            return True
        is_candidate = self.status in {HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS}
        return is_candidate and self.kind not in _ABOUT_RULES and _MONEY.search(self.words) is not None

    @property
    def is_stale_since(self) -> bool:
        """Whether the post to look from is too old for the search, which reaches back seven days."""
        return self.status == HTTPStatus.BAD_REQUEST and "since_id" in self.words

    @property
    def is_about_time(self) -> bool:
        """Whether the time to look from is not one that may be asked for."""
        return self.status == HTTPStatus.BAD_REQUEST and "start_time" in self.words

    @property
    def is_stream_taken(self) -> bool:
        """Whether the app's only stream connection is in use."""
        return self.connection_issue == "TooManyConnections" or "maximum allowed connection" in self.words

    def say(self) -> str:
        """Return X's own words in brackets, or its status."""
        return f"({self.detail.rstrip('.')})" if self.detail else f"(it answered {self.status})"


class ProblemError(Exception):
    """X refused."""

    def __init__(self, problem: Problem) -> None:
        """Take what it said."""
        super().__init__(f"X answered {problem.status} {problem.kind or problem.title}".strip())
        self.problem = problem


class LostError(Exception):
    """There was no whole answer; the cause says where it was lost."""


def read_problem(status: int, headers: Mapping[str, str], body: bytes, now: datetime, keys: Keys) -> Problem:
    """Read a refusal; whatever its body is, this returns one. No key is repeated from it."""
    try:
        told = decode_json(body)
    except ValueError:
        told = None
    seconds = _seconds_to_wait(headers, now) if status == HTTPStatus.TOO_MANY_REQUESTS else None
    if not isinstance(told, dict):
        return Problem(status, seconds=seconds, is_json=False)

    def text(*names: str) -> str:
        found = next((value for source in _sources(told) for name in names if (value := source.get(name))), "")
        return keys.hide_in(whole_characters(str(found)))[:_LONGEST_DETAIL] if isinstance(found, str | int) else ""

    return Problem(
        status,
        kind=text("type").rstrip("/").rpartition("/")[2].removeprefix("about:"),
        title=text("title"),
        detail=_detail(told, text("detail", "message")) if status != HTTPStatus.BAD_REQUEST else _say_all(told, keys),
        reason=text("reason"),
        connection_issue=text("connection_issue"),
        seconds=seconds,
    )


def translate(problem: Problem, settings: Settings) -> ListenerError:  # noqa: PLR0911 - one for each kind of refusal
    """Return the error that tells the caller of a look what to do."""
    status = problem.status
    if problem.is_about_money:
        return RateLimited(say_out_of_money(problem), retry_after=MONEY_PAUSE_SECONDS)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return _slow_down(problem)
    if status == HTTPStatus.UNAUTHORIZED:
        return Permanent(say_wrong_keys(settings))
    if not problem.is_json or not HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return Retryable(f"X could not be asked: {host_of(settings)} answered {status}.")
    if status in _PASSING:
        return Retryable(f"X could not answer just now {problem.say()}.")
    if status == HTTPStatus.FORBIDDEN:
        return Permanent(say_denied(problem))
    return Permanent(f"X does not understand what Cuecard asked {problem.say()}.")


def _slow_down(problem: Problem) -> RateLimited:
    if not problem.is_stream_taken:
        return RateLimited("X asks us to slow down.", retry_after=problem.seconds)
    return RateLimited(STREAM_TAKEN, retry_after=max(problem.seconds or 0.0, UNSAID_PAUSE_SECONDS))


def say_wrong_keys(settings: Settings) -> str:
    """Say that the keys are no good."""
    return f"X does not accept the keys {settings.env_prefix}_…; make new ones in X's developer console and set them."


def say_denied(problem: Problem) -> str:
    """Say why X lets an app in at no door of this kind."""
    if "client-not-enrolled" in problem.words or problem.kind == "client-forbidden":
        return (
            f"{_DENIED}: it has no access to this part of X's API. In X's console, put it into a project with access."
        )
    if problem.kind == "oauth1-permissions" or "app permissions" in problem.words:
        return f"{_DENIED}: it may only read. {MAY_WRITE}"
    return f"{_DENIED} {problem.say()}."


def say_out_of_money(problem: Problem) -> str:
    """Say that X waits for money, in a way that sends nobody to look for a wrong key."""
    return f"X has paused this app for its spending {problem.say()}: add credits, or raise the limit, in X's console."


def host_of(settings: Settings) -> str:
    """Return the host of X's API, without the rest of its address."""
    return settings.base_url.partition("://")[2].partition("/")[0]


def _sources(told: Mapping[str, object]) -> list[Mapping[str, object]]:
    errors = told.get("errors")
    listed = errors if isinstance(errors, list) else [errors]
    return [told, *(each for each in listed if isinstance(each, dict))]


def _detail(told: Mapping[str, object], detail: str) -> str:
    return detail or ("" if not isinstance(told.get("title"), str) else str(told["title"])[:_LONGEST_DETAIL])


def _say_all(told: Mapping[str, object], keys: Keys) -> str:
    """Return everything a 400 says: its detail is the same for all, and what is wrong stands in the messages."""
    messages = [str(each["message"]) for each in _sources(told) if isinstance(each.get("message"), str)]
    said = "; ".join(messages) or str(told.get("detail") or told.get("title") or "")
    return keys.hide_in(whole_characters(said))[:_LONGEST_DETAIL]


def _seconds_to_wait(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return for how long X asks us to stay away, by its own clock where it tells it; None where it does not say."""
    after = headers.get("retry-after", "")
    if after.isascii() and after.isdigit():
        return min(float(after[:9]), _LONGEST_PAUSE_SECONDS)
    reset = headers.get("x-rate-limit-reset", "")
    if not (reset.isascii() and reset.isdigit()):
        return None
    left = float(reset[:12]) - _their_time(headers, now) + 1.0
    return min(max(left, 1.0), _LONGEST_PAUSE_SECONDS)


def _their_time(headers: Mapping[str, str], now: datetime) -> float:
    try:
        return parsedate_to_datetime(headers.get("date", "")).timestamp()
    except (TypeError, ValueError, OverflowError):
        return now.timestamp()
