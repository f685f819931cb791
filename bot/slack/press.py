"""One thing a person did in Slack, as the handlers get it; and how a person is answered."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slack_sdk import WebClient
from slack_sdk.webhook import WebhookClient

from bot.conversation import Actor
from bot.decisions import Outcome
from bot.records import CardView, JobKind
from bot.slack.blocks import Json, Message
from bot.slack.desk import Desk
from bot.slack.modals import draw_notice
from bot.slack.people import Roster
from bot.slack.slack_errors import UNREACHABLE, describe_error
from bot.slack.text import safe

log = logging.getLogger(__name__)

GONE = "Cuecard knows no such conversation any more."
_VALUE = re.compile(r"(\d{1,15})(?::([a-z0-9_]{1,40}))?")


@dataclass(frozen=True, slots=True)
class Opened:
    """An open modal; whatever is drawn into it anew, as when somebody types, gives it another `hash`."""

    id: str
    hash: str


@dataclass(frozen=True)
class Press:
    """A button, a menu, a modal, a command or an opened Home: who, where, and about which conversation.

    `value` is what the button carried; like everything in `body` it came from outside, and is only ever looked up.
    """

    desk: Desk
    client: WebClient
    roster: Roster
    actor: Actor
    body: Mapping[str, Any]
    value: str = ""

    @property
    def now(self) -> datetime:
        """The present."""
        return self.desk.now()

    @property
    def conversation_id(self) -> int:
        """The conversation's number, 0 (which none has) where the value names none."""
        match = _VALUE.fullmatch(self.value)
        return int(match[1]) if match else 0

    @property
    def choice(self) -> str:
        """What was chosen from a menu, '' for a button."""
        match = _VALUE.fullmatch(self.value)
        return (match[2] or "") if match else ""

    @property
    def view(self) -> Mapping[str, Any]:
        """The modal or Home it happened in, empty in a message."""
        view = self.body.get("view")
        return view if isinstance(view, Mapping) else {}

    @property
    def trigger_id(self) -> str:
        """What opens a modal; works once and for three seconds."""
        return str(self.body.get("trigger_id") or "")

    def find(self) -> CardView | None:
        """Return the conversation as it stands now; tells the person where there is none."""
        view = self.desk.store.card_view(self.conversation_id)
        if view is None:
            self.tell(GONE)
        return view

    def settle(self, outcome: Outcome) -> None:
        """Let the outbox redraw what a decision changed; tell the person where it was refused."""
        if outcome.is_done:
            self.redraw()
        if not outcome.is_done or self._is_elsewhere():
            self.tell(outcome.sentence)

    def redraw(self) -> None:
        """Ask for this person's Home to be drawn again, and wake the outbox."""
        self.desk.store.request_job(JobKind.HOME, self.actor.id, now=self.now)
        self.desk.wake()

    def open_modal(self, view: Json) -> Opened | None:
        """Show a modal, on top of one that is open; tells the person where Slack took too long, and returns None."""
        stack = self.client.views_push if self.view.get("type") == "modal" else self.client.views_open
        try:
            answer = stack(trigger_id=self.trigger_id, view=view)
        except UNREACHABLE as err:
            log.warning("A modal did not open: %s", describe_error(err))
            if self.channel:
                self.tell("Slack took too long to open that. Please press it again.")
            return None
        shown: Mapping[str, Any] = answer.get("view") or {}
        return Opened(str(shown.get("id") or ""), str(shown.get("hash") or ""))

    @property
    def channel(self) -> str:
        """Where it happened, '' in Home or a modal."""
        place = self.body.get("container") or {}
        channel = self.body.get("channel") or {}
        return str(place.get("channel_id") or channel.get("id") or self.body.get("channel_id") or "")

    def tell(self, sentence: str) -> None:
        """Say one sentence to this person alone; never raises."""
        if not self.channel:
            self._tell_in_modal(sentence)
            return
        text = safe(sentence, 1500)
        try:
            self.client.chat_postEphemeral(channel=self.channel, user=self.actor.id, text=text, parse="none")
        except UNREACHABLE as err:
            log.warning("A sentence did not reach %s: %s", self.actor.id, describe_error(err))

    def answer(self, message: Message) -> None:
        """Answer a command, for this person alone; never raises."""
        url = str(self.body.get("response_url") or "")
        if not url:
            self.tell(message.text)
            return
        hook = WebhookClient(url, timeout=10, proxy=self.client.proxy, retry_handlers=[], logger=self.client.logger)
        try:
            answered = hook.send(
                text=message.text,
                blocks=message.blocks or None,
                response_type="ephemeral",
                unfurl_links=False,
                unfurl_media=False,
            )
        except UNREACHABLE as err:
            log.warning("An answer did not reach %s: %s", self.actor.id, describe_error(err))
            return
        if answered.status_code != 200:
            log.warning("Slack did not take an answer to a command: HTTP %s", answered.status_code)

    def _is_elsewhere(self) -> bool:
        """Return whether the person looks at something that the outbox will not redraw."""
        is_ephemeral = bool((self.body.get("container") or {}).get("is_ephemeral"))
        return is_ephemeral or self.view.get("type") == "modal"

    def _tell_in_modal(self, sentence: str) -> None:
        stack = self.client.views_push if self.view.get("type") == "modal" else self.client.views_open
        try:
            stack(trigger_id=self.trigger_id, view=draw_notice(sentence))
        except UNREACHABLE as err:
            log.warning("A sentence did not reach %s: %s", self.actor.id, describe_error(err))


def value_of(body: Mapping[str, Any]) -> str:
    """Return what a pressed button or a chosen option carries."""
    actions = body.get("actions") or [{}]
    action = actions[0] if isinstance(actions[0], Mapping) else {}
    chosen = action.get("selected_option") or {}
    return str(chosen.get("value") or action.get("value") or "")
