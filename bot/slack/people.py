"""Who may act: the people of our own workspace. What Slack says of a person is asked once and kept for ten minutes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from slack_sdk import WebClient

from bot.clock import Clock
from bot.conversation import Actor
from bot.slack.slack_errors import UNREACHABLE, describe_error
from bot.slack.text import one_line
from bot.store import Store

log = logging.getLogger(__name__)

_FRESH = timedelta(minutes=10)
_MOST_REMEMBERED = 2000
NOT_ONE_OF_US = "Only members of this workspace can do that here."
IS_A_GUEST = "Guests can read along here, but not act. Please ask a member of the team."
IS_A_BOT = "Programs can not act here; only people can."
_NOT_VISIBLE = frozenset({"user_not_found", "user_not_visible", "users_not_found"})
CANNOT_TELL = "Slack did not say who you are just now. Please try again in a moment."


class NotAdmittedError(Exception):
    """This person may not act; the message is the sentence to tell them."""


@dataclass(frozen=True, slots=True)
class Team:
    """Our workspace, and who we are in it, as auth.test says."""

    id: str
    name: str
    url: str
    bot_user_id: str
    bot_id: str = ""
    enterprise_id: str = ""

    def permalink(self, channel: str, ts: str) -> str:
        """Return the address of a message, '' where it has none yet."""
        return (
            f"{self.url.rstrip('/')}/archives/{channel}/p{ts.replace('.', '')}" if channel and ts and self.url else ""
        )


class Roster:
    """Looks people up and says who may act."""

    def __init__(self, client: WebClient, store: Store, clock: Clock, *, team_only: bool = True) -> None:
        self._client = client
        self._store = store
        self._clock = clock
        self._team_only = team_only
        self._team: Team | None = None
        self._known: dict[str, tuple[datetime, Actor]] = {}
        self._lock = threading.Lock()

    def team(self) -> Team:
        """Return our workspace; asks Slack the first time.

        Raises:
            slack_sdk.errors.SlackClientError, OSError: Slack can not be reached, or refuses the token.
        """
        if self._team is None:
            answer = self._client.auth_test()
            self._team = Team(
                id=str(answer.get("team_id") or ""),
                name=str(answer.get("team") or ""),
                url=str(answer.get("url") or ""),
                bot_user_id=str(answer.get("user_id") or ""),
                bot_id=str(answer.get("bot_id") or ""),
                enterprise_id=str(answer.get("enterprise_id") or ""),
            )
        return self._team

    def permalink(self, channel: str, ts: str) -> str:
        """Return the address of a message, '' where our workspace is not known yet."""
        return self._team.permalink(channel, ts) if self._team else ""

    def admit(self, user_id: str, team_id: str = "") -> Actor:
        """Return the person behind a Slack user id, if they may act. `team_id` is what the payload says of them.

        Raises:
            NotAdmittedError: with the sentence to tell them.
        """
        known = self._remembered(user_id)
        if known is not None:
            return known
        try:
            user: Mapping[str, Any] = self._client.users_info(user=user_id).get("user") or {}
            self._check(user, team_id)
        except UNREACHABLE as err:
            return self._admit_unasked(user_id, err)
        actor = Actor(user_id, _name_of(user))
        self._store.remember_person(actor)
        with self._lock:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[user_id] = (self._clock.now(), actor)
        return actor

    def _remembered(self, user_id: str) -> Actor | None:
        with self._lock:
            at, actor = self._known.get(user_id, (None, None))
        return actor if at is not None and self._clock.now() - at < _FRESH else None

    def _check(self, user: Mapping[str, Any], team_id: str) -> None:
        team = self.team()
        enterprise = (user.get("enterprise_user") or {}).get("enterprise_id") or ""
        home = str(user.get("team_id") or team_id)
        is_ours = home == team.id or bool(team.enterprise_id and team.enterprise_id == enterprise)
        if user.get("is_bot") or user.get("id") in {"USLACKBOT", team.bot_user_id}:
            raise NotAdmittedError(IS_A_BOT)
        if user.get("deleted"):
            raise NotAdmittedError(NOT_ONE_OF_US)
        if self._team_only and (user.get("is_stranger") or not is_ours):
            raise NotAdmittedError(NOT_ONE_OF_US)
        if self._team_only and (user.get("is_restricted") or user.get("is_ultra_restricted")):
            raise NotAdmittedError(IS_A_GUEST)

    def _admit_unasked(self, user_id: str, err: Exception) -> Actor:
        """Admit somebody Slack can not tell about just now, where they were admitted before."""
        if describe_error(err) in _NOT_VISIBLE:
            raise NotAdmittedError(NOT_ONE_OF_US) from err
        log.warning("Slack did not say who %s is: %s", user_id, type(err).__name__)
        known = self._store.person(user_id)
        if known is None:
            raise NotAdmittedError(CANNOT_TELL) from err
        return known


def _name_of(user: Mapping[str, Any]) -> str:
    profile = user.get("profile") or {}
    candidates = (profile.get("display_name"), profile.get("real_name"), user.get("real_name"), user.get("name"))
    return next((one_line(str(name))[:80] for name in candidates if name and one_line(str(name))), "a teammate")
