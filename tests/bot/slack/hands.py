"""A person's hands in Slack, and a platform that answers as it is told; every delivery goes through the real app."""

# ruff: noqa: ANN401 - tests build payloads of any shape, and fixtures are asked for what they set up

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from fake_slack import FakeSlack, words_of
from slack_bolt import App, BoltRequest, BoltResponse

from bot.conversation import State
from bot.slack import buttons
from bot.slack.reply_modal import REPLY_TEXT
from bot.slack.thread import AS_THREAD
from bot.store import Store
from listeners.contract import Capability, Finding, Posted, Shape
from listeners.mention import Batch, Mention
from listeners.parts import cut_parts

TICKS = itertools.count(1)
OWN_WORDS = "Sorry about the kettle! A new one leaves today."


@dataclass
class StagePlatform:
    """A platform that answers as it is told."""

    kind = "stage"

    answer: Capability = field(default_factory=lambda: Capability("api", account="@acme"))
    limit: int = 280
    has_threads: bool = False

    def listen(self, cursor: str | None) -> Iterator[Batch]:
        """Hear nothing."""
        del cursor
        return iter(())

    def capability(self, mention: Mention) -> Capability:
        """Answer as told."""
        del mention
        return self.answer

    def shape(self, text: str, mention: Mention) -> Shape:
        """Count code points; cut what is too long where it may be a thread."""
        del mention
        prepared = text.strip()
        over = len(prepared) - self.limit
        parts = cut_parts(prepared, lambda piece: len(piece) <= self.limit) if self.has_threads else ()
        return Shape(
            prepared, len(prepared), self.limit, problem="It is too long here." if over > 0 else "", parts=parts
        )

    def reply(self, mention: Mention, text: str, send_key: str, after: Posted | None = None) -> Posted:
        """Never called from here: what is sent leaves by bot.outbox."""
        raise AssertionError((mention, text, send_key, after))

    def recheck(self, mentions: Sequence[Mention]) -> Batch:  # noqa: ARG002
        """Look at nothing again."""
        return Batch()

    def check(self) -> list[Finding]:
        """Find nothing."""
        return []

    def close(self) -> None:
        """Do nothing."""


@dataclass
class Woken:
    """Counts the wake-up calls."""

    outbox: int = 0

    def wake(self) -> None:
        """Count a call to the outbox."""
        self.outbox += 1


@dataclass
class Hands:
    """A person's hands: every delivery goes through the real app, and has ended when the call returns."""

    app: App
    slack: FakeSlack
    user: str = "U1"
    team: str = "T1"
    sent: list[dict[str, Any]] = field(default_factory=list)

    def deliver(self, body: dict[str, Any]) -> BoltResponse:
        """Deliver a payload as Socket Mode does, and wait until the handler has ended."""
        self.sent.append(body)
        answer = self.app.dispatch(BoltRequest(body=body, mode="socket_mode"))
        self.rest()
        return answer

    def rest(self) -> None:
        """Wait until no handler works any more: all threads of the pool have to meet."""
        executor = self.app.listener_runner.listener_executor
        everybody = threading.Barrier(executor._max_workers)
        futures = [executor.submit(everybody.wait, 10) for _ in range(everybody.parties)]
        for future in futures:
            future.result(10)

    def press(self, action_id: str, value: str = "1", **fields: Any) -> BoltResponse:
        """Press a button on a card."""
        action = {"type": "button", "action_id": action_id, "value": value, "action_ts": f"{next(TICKS)}.0"}
        return self.deliver(self._body("block_actions", actions=[action], **fields))

    def choose(self, action_id: str, value: str) -> BoltResponse:
        """Choose from a menu on a card."""
        option = {"text": {"type": "plain_text", "text": "x"}, "value": value}
        action = {
            "type": "static_select",
            "action_id": action_id,
            "selected_option": option,
            "action_ts": f"{next(TICKS)}.0",
        }
        return self.deliver(self._body("block_actions", actions=[action]))

    def submit(self, view: dict[str, Any], **values: dict[str, Any]) -> dict[str, Any]:
        """Submit a modal; return how it was answered, {} where it closed."""
        state = {"values": values}
        whole = {"id": "V1", "hash": "h0", **view, "state": state}
        body = self._body("view_submission", view=whole)
        body.pop("container")
        body.pop("channel")
        answer = self.deliver(body)
        assert answer.status == 200
        return json.loads(answer.body) if answer.body else {}

    def type_words(self, view: dict[str, Any], words: str, **fields: Any) -> None:
        """Type into the answer."""
        action = {"type": "plain_text_input", "action_id": REPLY_TEXT, "value": words, "action_ts": f"{next(TICKS)}.0"}
        whole = {"id": "V1", "hash": "h0", **view, **fields}
        self.deliver(
            self._body(
                "block_actions", actions=[action], view=whole, container={"type": "view", "view_id": "V1"}, channel=None
            )
        )

    def tick(self, view: dict[str, Any], words: str, *, as_thread: bool = True, **fields: Any) -> dict[str, Any]:
        """Tick the thread, or take the tick away, with these words in the input; return the modal as it is then."""
        state = {"values": form_of(view, words, as_thread=as_thread)}
        action = {"type": "checkboxes", "action_id": AS_THREAD, "action_ts": f"{next(TICKS)}.0"}
        action |= {"selected_options": state["values"]["thread"][AS_THREAD]["selected_options"]}
        whole = {"id": "V1", "hash": "h0", **view, "state": state, **fields}
        container = {"type": "view", "view_id": whole["id"]}
        self.deliver(self._body("block_actions", actions=[action], view=whole, container=container, channel=None))
        return self.updated()

    def updated(self) -> dict[str, Any]:
        """Return the modal as it was redrawn last."""
        return self.slack.named("views.update")[-1]["view"]

    def command(self, command: str, text: str = "") -> str:
        """Write a slash command; return all the words of the answer."""
        self.deliver(
            {
                "command": command,
                "text": text,
                "user_id": self.user,
                "team_id": self.team,
                "channel_id": "C1",
                "trigger_id": f"t{next(TICKS)}",
                "response_url": self.slack.response_url,
            }
        )
        answer = self.slack.answers[-1]
        assert answer["response_type"] == "ephemeral"
        return f"{answer['text']}\n{words_of(answer.get('blocks'))}"

    def _body(self, kind: str, **fields: Any) -> dict[str, Any]:
        return {
            "type": kind,
            "user": {"id": self.user, "username": "x", "team_id": self.team},
            "team": {"id": "T1"},
            "trigger_id": f"t{next(TICKS)}",
            "container": {"type": "message", "message_ts": "1.2", "channel_id": "C1"},
            "channel": {"id": "C1"},
            **fields,
        }

    def opened(self) -> dict[str, Any]:
        """Return the modal that was opened last."""
        return self.slack.named("views.open")[-1]["view"]

    def told(self) -> list[str]:
        """Return the sentences that were told to one person alone."""
        return [call["text"] for call in self.slack.named("chat.postEphemeral")]


def state_of(store: Store, number: int = 1) -> State:
    """Return where a conversation stands."""
    found = store.conversation(number)
    assert found is not None
    return found.state


def write(ana: Hands, words: str) -> dict[str, Any]:
    """Open the modal, put words in and press Send; return the answer."""
    ana.press(buttons.REPLY)
    return send(ana, ana.opened(), words)


def send(hands: Hands, view: dict[str, Any], words: str, *, as_thread: bool = False) -> dict[str, Any]:
    """Submit an open modal with these words, perhaps with the thread ticked."""
    return hands.submit(view, **form_of(view, words, as_thread=as_thread))


def form_of(view: dict[str, Any], words: str, *, as_thread: bool) -> dict[str, Any]:
    """Return what an open modal holds with these words, perhaps with the thread ticked."""
    block = next(block["block_id"] for block in view["blocks"] if block["type"] == "input")
    option = {"text": {"type": "plain_text", "text": "x"}, "value": "yes"}
    ticked = {"type": "checkboxes", "selected_options": [option] if as_thread else []}
    return {block: {REPLY_TEXT: {"type": "plain_text_input", "value": words}}, "thread": {AS_THREAD: ticked}}
