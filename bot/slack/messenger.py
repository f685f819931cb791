"""The few calls with which Cuecard posts: each waits its turn, carries only ids, and pings nobody."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from slack_sdk import WebClient

from bot.clock import Clock
from bot.slack.blocks import Json, Message
from bot.slack.pace import Pace
from bot.slack.people import Roster, Team

Placed = tuple[str, str]
"""A message's channel and ts."""
_EDIT_SECONDS, _EDIT_BURST = 1.2, 10  # tier 3: fifty a minute, short bursts tolerated
_HOME_SECONDS, _HOME_BURST = 0.6, 10  # tier 4: a hundred a minute
_PAGE = 200
_CLOCKS_APART = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Posting:
    """What is being posted, as its metadata says. Anybody in the channel can read metadata: it holds ids only.

    `told_by` are the keys of `ids` by which the message is known again.
    """

    kind: str
    ids: Mapping[str, int | str]
    told_by: tuple[str, ...]

    def is_on(self, metadata: Mapping[str, Any]) -> bool:
        """Return whether a message's metadata says that it is this posting."""
        payload = metadata.get("event_payload") or {}
        is_kind = metadata.get("event_type") == self.kind
        return is_kind and all(str(payload.get(key)) == str(self.ids[key]) for key in self.told_by)


class Messenger:
    """Posts, edits and looks up messages. Errors of slack_sdk pass through; `slack_errors` says what they mean."""

    def __init__(self, client: WebClient, roster: Roster, clock: Clock, post_seconds: float) -> None:
        """Take the client (without retry handlers: a repeated post is a doubled one) and the pace of a channel."""
        self._client = client
        self._roster = roster
        self._clock = clock
        self._post_seconds = post_seconds
        self._pace = Pace()
        self._never = threading.Event()

    def post(self, channel: str, message: Message, posting: Posting) -> Placed:
        """Post a message, and return where it stands."""
        self._wait_for(f"post {channel}", self._post_seconds)
        answer = self._client.chat_postMessage(
            channel=channel,
            text=message.text,
            blocks=message.blocks,
            metadata={"event_type": posting.kind, "event_payload": dict(posting.ids)},
            unfurl_links=False,
            unfurl_media=False,
            link_names=False,
            parse="none",
        )
        return str(answer.get("channel") or channel), str(answer["ts"])

    def book_edit(self) -> float:
        """Book the next turn for an edit; return the seconds until it comes. Edits must not hold up new cards."""
        now = self._clock.now()
        wait = self._pace.wait("edit", now, _EDIT_SECONDS, _EDIT_BURST)
        self._pace.note("edit", now, _EDIT_SECONDS)
        return wait

    def edit(self, channel: str, ts: str, message: Message) -> Placed:
        """Put other words and blocks into a message, on a booked turn; its metadata stays."""
        self._client.chat_update(
            channel=channel, ts=ts, text=message.text, blocks=message.blocks, link_names=False, parse="none"
        )
        return channel, ts

    def publish_home(self, user_id: str, view: Json) -> None:
        """Draw a person's Home."""
        self._wait_for("home", _HOME_SECONDS, _HOME_BURST)
        self._client.views_publish(user_id=user_id, view=view)

    def find(self, channel: str, posting: Posting, since: datetime, other_than: str = "") -> Placed | None:
        """Look through a channel, newest first and all the way back to `since`, for a message of ours, or None.

        `other_than` is the ts of one that is known and not meant.
        """
        team = self._roster.team()
        cursor: str | None = None
        asked: set[str | None] = set()
        while cursor not in asked:
            asked.add(cursor)
            self._wait_for("history", _EDIT_SECONDS, _EDIT_BURST)
            answer = self._client.conversations_history(
                channel=channel,
                oldest=f"{(since - _CLOCKS_APART).timestamp():.6f}",
                limit=_PAGE,
                cursor=cursor,
                include_all_metadata=True,
            )
            for message in answer.get("messages") or ():
                is_it = _is_ours(message, team) and posting.is_on(message.get("metadata") or {})
                if is_it and message["ts"] != other_than:
                    return channel, str(message["ts"])
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or None
            if cursor is None:
                break
        return None

    def _wait_for(self, lane: str, seconds: float, burst: int = 1) -> None:
        """Wait until a lane is free, and take it."""
        wait = self._pace.wait(lane, self._clock.now(), seconds, burst)
        if wait > 0:
            self._clock.wait(self._never, wait)
        self._pace.note(lane, self._clock.now(), seconds)


def _is_ours(message: Mapping[str, Any], team: Team) -> bool:
    """Return whether our own bot wrote a message: anybody else's metadata proves nothing."""
    return bool(
        (team.bot_id and message.get("bot_id") == team.bot_id)
        or (team.bot_user_id and message.get("user") == team.bot_user_id)
    )
