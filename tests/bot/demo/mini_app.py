"""A small Bolt app with one of everything: the workspace and its page are tested without the rest of Cuecard."""
# ruff: noqa: ANN401 - JSON and Bolt's injected arguments can be anything

from __future__ import annotations

import threading
from typing import Any

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from bot.demo.rehearsal import Rehearsal

Json = dict[str, Any]


def plain(text: str) -> Json:
    """Return a plain text object."""
    return {"type": "plain_text", "text": text, "emoji": False}


def mrkdwn(text: str) -> Json:
    """Return a mrkdwn text object."""
    return {"type": "mrkdwn", "text": text}


def button(text: str, action_id: str, **more: Any) -> Json:
    """Return a button."""
    return {"type": "button", "text": plain(text), "action_id": action_id, **more}


def option(text: str, value: str) -> Json:
    """Return an option."""
    return {"text": plain(text), "value": value}


REASONS = [option("Not about us", "not_us"), option("Spam or promotion", "spam")]
SURE = {
    "title": plain("Send it back?"),
    "text": plain("The others can take it then."),
    "confirm": plain("Release"),
    "deny": plain("Keep"),
}


def card(status: str = "Nobody has this yet.", text: str = "The kettle leaks & burned me <b>twice</b>") -> list[Json]:
    """Return a card with every element that a message can hold."""
    return [
        {"type": "header", "text": plain("Answer now · Safety · #1")},
        {
            "type": "context",
            "elements": [plain("X · @mara_w (Mara), 312 followers"), mrkdwn("posted <!date^1795436282^{ago}|then>")],
        },
        {
            "type": "section",
            "block_id": "post",
            "text": plain(text),
            "accessory": {
                "type": "overflow",
                "action_id": "more",
                "options": [option("History", "history"), option("Hand over", "hand")],
            },
        },
        {"type": "section", "fields": [mrkdwn("*Why:* says it hurt somebody"), mrkdwn("*Status:* " + status)]},
        {"type": "divider"},
        {
            "type": "actions",
            "block_id": "doing",
            "elements": [
                button("Claim", "claim", style="primary"),
                button("Reply", "reply"),
                button("Release", "release", style="danger", confirm=SURE),
                {"type": "static_select", "action_id": "dismiss", "placeholder": plain("Dismiss…"), "options": REASONS},
                {"type": "users_select", "action_id": "assign", "placeholder": plain("Assign…")},
                {"type": "datetimepicker", "action_id": "snooze"},
            ],
        },
    ]


def reply_modal(count: int = 0) -> Json:
    """Return a modal with a live count and every input."""
    return {
        "type": "modal",
        "callback_id": "send",
        "notify_on_close": True,
        "title": plain("Reply to #1"),
        "submit": plain("Send"),
        "close": plain("Cancel"),
        "blocks": [
            {"type": "section", "text": mrkdwn("&gt; The kettle leaks")},
            {
                "type": "input",
                "block_id": "words",
                "dispatch_action": True,
                "label": plain("Your answer"),
                "hint": plain("Fill in what stands in [brackets]."),
                "element": {
                    "type": "plain_text_input",
                    "action_id": "text",
                    "multiline": True,
                    "initial_value": "",
                    "dispatch_action_config": {"trigger_actions_on": ["on_character_entered"]},
                },
            },
            {"type": "context", "block_id": "count", "elements": [plain(f"Characters: {count} of 280")]},
            {
                "type": "input",
                "block_id": "tone",
                "optional": True,
                "label": plain("Tone"),
                "element": {
                    "type": "radio_buttons",
                    "action_id": "tone",
                    "options": [option("Warm", "warm"), option("Plain", "plain")],
                },
            },
            {
                "type": "input",
                "block_id": "also",
                "optional": True,
                "label": plain("Also"),
                "element": {"type": "checkboxes", "action_id": "also", "options": [option("Tell the lead", "lead")]},
            },
            {
                "type": "input",
                "block_id": "who",
                "optional": True,
                "label": plain("Ask"),
                "element": {
                    "type": "static_select",
                    "action_id": "who",
                    "placeholder": plain("Nobody"),
                    "options": REASONS,
                },
            },
        ],
    }


class MiniApp:
    """The app, connected; `seen` lists what reached a handler."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self.seen: list[tuple[str, Json]] = []
        self.stall = threading.Event()
        self.client = WebClient(token=rehearsal.bot_token, base_url=rehearsal.api_url, retry_handlers=[])
        self.app = App(client=self.client)
        self._register()
        self._handler = SocketModeHandler(self.app, rehearsal.app_token)
        self._handler.connect()
        rehearsal.wait_for(lambda: rehearsal.connections)

    def close(self) -> None:
        """Hang up."""
        self._handler.close()

    def post_card(self, **how: Any) -> str:
        """Post a card; return its ts."""
        answer = self.client.chat_postMessage(channel="C0MENTIONS", text="A card", blocks=card(**how))
        return str(answer["ts"])

    def names_seen(self) -> list[str]:
        """Return the handlers that ran."""
        return [name for name, _ in self.seen]

    def _register(self) -> None:
        app = self.app
        for action in ("claim", "release", "more", "dismiss", "assign", "snooze", "tone", "also", "who", "home_claim"):
            app.action(action)(self._note_action)
        app.action("reply")(self._open)
        app.action("text")(self._count)
        app.action("stall")(self._stall)
        app.view("send")(self._send)
        app.view_closed("send")(self._closed)
        app.command("/claim")(self._command)
        app.event("app_home_opened")(self._home)
        app.event("message")(self._message)

    def _note_action(self, ack: Any, body: Json, client: WebClient) -> None:
        ack()
        action = body["actions"][0]
        self.seen.append((action["action_id"], body))
        if action["action_id"] == "claim":
            person = body["user"]["id"]
            client.chat_update(
                channel=body["channel"]["id"],
                ts=body["message"]["ts"],
                text="Claimed",
                blocks=card(f"<@{person}> has this."),
            )

    def _open(self, ack: Any, body: Json, client: WebClient) -> None:
        ack()
        self.seen.append(("reply", body))
        client.views_open(trigger_id=body["trigger_id"], view=reply_modal())

    def _count(self, ack: Any, body: Json, client: WebClient) -> None:
        ack()
        typed = body["actions"][0]["value"] or ""
        self.seen.append(("text", body))
        client.views_update(view_id=body["view"]["id"], view=reply_modal(len(typed)))

    def _stall(self, ack: Any, body: Json) -> None:
        self.seen.append(("stall", body))
        self.stall.wait(5)
        ack()

    def _send(self, ack: Any, body: Json) -> None:
        text = body["view"]["state"]["values"]["words"]["text"]["value"]
        self.seen.append(("send", body))
        if "[" in text:
            ack(response_action="errors", errors={"words": "There is still a gap: [what you found]."})
        elif text == "wrong answer":
            ack(response_action="errors", errors={"nowhere": "No block has this id."})
        else:
            ack()

    def _closed(self, ack: Any, body: Json) -> None:
        ack()
        self.seen.append(("closed", body))

    def _command(self, ack: Any, body: Json, respond: Any) -> None:
        self.seen.append(("/claim", body))
        ack(f"You have #{body['text']} now.")
        if body["text"] == "loud":
            respond(text="Everybody sees this.", response_type="in_channel")

    def _home(self, event: Json, client: WebClient) -> None:
        self.seen.append(("home", event))
        blocks = [
            {"type": "header", "text": plain("Yours")},
            {"type": "actions", "elements": [button("Take it", "home_claim")]},
        ]
        client.views_publish(user_id=event["user"], view={"type": "home", "blocks": blocks})

    def _message(self, body: Json) -> None:
        self.seen.append(("message", body))
