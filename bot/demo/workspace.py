"""What the workspace holds: people, channels, messages, views. In memory, touched by the server's own thread only."""

from __future__ import annotations

import copy
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bot.demo import team
from bot.demo.blocks import Json
from bot.demo.pings import Ping, pings_of
from bot.demo.team import Person


class SlackRefusal(Exception):  # noqa: N818 - it is Slack's answer, not a fault of ours
    """Slack's answer `ok: false`; `code` is the error's name."""

    def __init__(self, code: str, *, messages: list[str] | None = None, **more: str) -> None:
        super().__init__(code)
        self.code = code
        self.body: Json = {"ok": False, "error": code, **more}
        if messages:
            self.body["response_metadata"] = {"messages": messages}


@dataclass(slots=True)
class Channel:
    """A channel, or a direct conversation with the app where `user` is set."""

    id: str
    name: str
    is_member: bool = True
    is_archived: bool = False
    is_ext_shared: bool = False
    is_private: bool = False
    user: str = ""
    messages: dict[str, Json] = field(default_factory=dict)
    ephemerals: list[Json] = field(default_factory=list)


@dataclass(slots=True)
class Trigger:
    """The right to open one view, for a few seconds."""

    user: str
    issued_at: float
    view_id: str = ""
    is_used: bool = False


Change = Json
"""What the page is told: `kind` and the thing itself; `to` names the only person who may see it."""


class Workspace:
    """Everything that is true in the workspace now."""

    def __init__(self, clock: Callable[[], float] = time.time, base_url: Callable[[], str] = lambda: "") -> None:
        self.clock = clock
        self.base_url = base_url
        self.people: dict[str, Person] = {p.id: p for p in (*team.TEAMMATES, team.BOT)}
        self.channels: dict[str, Channel] = {i: Channel(i, name) for i, name in team.CHANNELS}
        self.views: dict[str, Json] = {}
        self.stacks: dict[str, list[str]] = {p.id: [] for p in team.TEAMMATES}
        self.homes: dict[str, str] = {}
        self.triggers: dict[str, Trigger] = {}
        self.pings: list[Ping] = []
        self.watchers: list[Callable[[Change], None]] = []
        self._last_ts = 0

    def permalink(self, channel: str, ts: str) -> str:
        """Return a message's address, in Slack's form, on this machine."""
        return f"{self.base_url()}/archives/{channel}/p{ts.replace('.', '')}"

    def tell(self, kind: str, to: str = "", **details: Any) -> None:  # noqa: ANN401 - JSON
        """Tell every open page what changed."""
        change: Change = {"kind": kind, "to": to, **copy.deepcopy(details)}
        for watcher in list(self.watchers):
            watcher(change)

    def next_ts(self) -> str:
        """Return a new message timestamp: the time in microseconds, never the same twice."""
        self._last_ts = max(self._last_ts + 1, int(self.clock() * 1_000_000))
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    # --- channels and messages -----------------------------------------------------------------------------

    def find_channel(self, name: str) -> Channel:
        """Return the channel with this id or, as chat.postMessage allows, this name; a person's id means their DM."""
        if name in self.channels:
            return self.channels[name]
        if name in self.stacks:
            return self.direct(name)
        for channel in self.channels.values():
            if channel.name == name.removeprefix("#"):
                return channel
        raise SlackRefusal("channel_not_found")

    def direct(self, user: str) -> Channel:
        """Return the direct conversation between a person and the app."""
        channel_id = f"D{user[1:]}"
        if channel_id not in self.channels:
            self.channels[channel_id] = Channel(channel_id, "", user=user)
        return self.channels[channel_id]

    def message(self, channel: Channel, ts: str) -> Json:
        """Return a stored message, or refuse as Slack does."""
        if ts not in channel.messages:
            raise SlackRefusal("message_not_found")
        return channel.messages[ts]

    def post(
        self, channel: Channel, user: str, content: Json, thread_ts: str = "", *, is_linking: bool = False
    ) -> Json:
        """Store and show a new message."""
        message: Json = {"type": "message", "ts": self.next_ts(), "user": user, "team": team.TEAM_ID, **content}
        if user == team.BOT_USER_ID:
            message |= {"bot_id": team.BOT_ID, "app_id": team.APP_ID}
        parent = channel.messages.get(thread_ts)
        if thread_ts and parent is not None:
            message["thread_ts"] = parent.setdefault("thread_ts", thread_ts)
        fill_ids(message.get("blocks", []))
        channel.messages[message["ts"]] = message
        self.pings += pings_of(message, channel.id, is_linking=is_linking)
        if parent is not None:
            self._count_replies(channel, parent)
        self.tell("message", channel=channel.id, message=message)
        return message

    def _count_replies(self, channel: Channel, parent: Json) -> None:
        replies = [m for m in channel.messages.values() if m.get("thread_ts") == parent["ts"] and m is not parent]
        parent["reply_count"] = len(replies)
        parent["reply_users"] = list(dict.fromkeys(m["user"] for m in replies))
        if replies:
            parent["latest_reply"] = replies[-1]["ts"]
        self.tell("message", channel=channel.id, message=parent)

    def edit(self, channel: Channel, message: Json, content: Json, *, is_linking: bool = False) -> None:
        """Change a message in place; blocks that are not in `content` are dropped, as Slack does."""
        message.pop("blocks", None)
        message.update(content)
        message["edited"] = {"user": message["user"], "ts": self.next_ts()}
        fill_ids(message.get("blocks", []))
        self.pings += pings_of(message, channel.id, is_linking=is_linking)
        self.tell("message", channel=channel.id, message=message)

    def remove(self, channel: Channel, ts: str) -> None:
        """Take a message away."""
        message = channel.messages.pop(ts)
        parent = channel.messages.get(message.get("thread_ts", ""))
        if parent is not None:
            self._count_replies(channel, parent)
        self.tell("removed", channel=channel.id, ts=ts)

    def whisper(self, channel: Channel, user: str, content: Json, sender: str = team.BOT_USER_ID) -> Json:
        """Show a message to one person only."""
        message: Json = {"type": "message", "ts": self.next_ts(), "user": sender, "is_ephemeral": True, "to": user}
        message |= content
        fill_ids(message.get("blocks", []))
        channel.ephemerals.append(message)
        self.tell("message", to=user, channel=channel.id, message=message)
        return message

    def find_message(self, channel: Channel, ts: str) -> Json | None:
        """Return a message or an ephemeral one, whichever has this timestamp."""
        whispered = next((m for m in channel.ephemerals if m["ts"] == ts), None)
        return channel.messages.get(ts) or whispered

    # --- triggers and views --------------------------------------------------------------------------------

    def issue_trigger(self, user: str, view_id: str = "") -> str:
        """Give out a trigger id, good once and for a short time."""
        trigger_id = f"{int(self.clock())}.{team.TEAM_ID[1:]}.{secrets.token_hex(16)}"
        self.triggers[trigger_id] = Trigger(user, self.clock(), view_id)
        return trigger_id

    def exchange_trigger(self, trigger_id: str, seconds: float) -> Trigger:
        """Use up a trigger, or refuse as Slack does."""
        trigger = self.triggers.get(trigger_id)
        if trigger is None:
            raise SlackRefusal("invalid_trigger_id")
        if trigger.is_used:
            raise SlackRefusal("exchanged_trigger_id")
        if self.clock() - trigger.issued_at > seconds:
            raise SlackRefusal("expired_trigger_id")
        trigger.is_used = True
        return trigger

    def add_view(self, user: str, content: Json, previous: str = "") -> Json:
        """Store a new view for a person."""
        view_id = f"V{secrets.token_hex(6).upper()}"
        root = self.views[previous]["root_view_id"] if previous else view_id
        view: Json = {
            "id": view_id,
            "team_id": team.TEAM_ID,
            "app_id": team.APP_ID,
            "bot_id": team.BOT_ID,
            "app_installed_team_id": team.TEAM_ID,
            "previous_view_id": previous or None,
            "root_view_id": root,
            "user": user,
            "state": {"values": {}},
        }
        self.views[view_id] = view
        self.fill_view(view, content)
        return view

    def fill_view(self, view: Json, content: Json) -> None:
        """Put new content into a view. What a person typed stays where block_id and action_id stay."""
        defaults: Json = {
            "title": None,
            "close": None,
            "submit": None,
            "private_metadata": "",
            "callback_id": "",
            "external_id": "",
            "clear_on_close": False,
            "notify_on_close": False,
        }
        view.update(defaults | copy.deepcopy(content))
        view["hash"] = f"{int(self.clock())}.{secrets.token_hex(4)}"
        fill_ids(view["blocks"])
        view["state"] = {"values": carried_state(view["blocks"], view["state"]["values"])}

    def show_views(self, user: str) -> None:
        """Tell the person's pages what modals are open."""
        self.tell("views", to=user, views=[self.views[i] for i in self.stacks[user]])

    def close_view(self, user: str, view_id: str, *, is_all: bool = False) -> list[Json]:
        """Take one modal off the person's stack, or all; return the views that were closed, top first."""
        stack = self.stacks[user]
        start = 0 if is_all or view_id not in stack else stack.index(view_id)
        closed = [self.views.pop(i) for i in reversed(stack[start:])]
        del stack[start:]
        self.show_views(user)
        return closed


def fill_ids(blocks: list[Json]) -> None:
    """Give every block and element without an id one, as Slack does."""
    for block in blocks:
        block.setdefault("block_id", secrets.token_urlsafe(4)[:5])
        for element in elements_of(block):
            if element.get("type") not in {"image", "mrkdwn", "plain_text"}:
                element.setdefault("action_id", secrets.token_urlsafe(4)[:5])


def elements_of(block: Json) -> Iterator[Json]:
    """Yield the block's interactive elements."""
    for key in ("accessory", "element"):
        if isinstance(block.get(key), dict):
            yield block[key]
    if block.get("type") == "actions":
        yield from block["elements"]


def carried_state(blocks: list[Json], before: Json) -> Json:
    """Return a view's state after its blocks changed: kept where the ids are, else what the element starts with."""
    state: Json = {}
    for block in blocks:
        for element in elements_of(block):
            if element.get("type") in {"button", "overflow", "image"}:
                continue
            kept = before.get(block["block_id"], {}).get(element["action_id"])
            same = kept is not None and kept["type"] == element["type"]
            state.setdefault(block["block_id"], {})[element["action_id"]] = kept if same else first_value(element)
    return state


def first_value(element: Json) -> Json:
    """Return what the state holds for an element that nobody touched."""
    kind = element["type"]
    by_kind: dict[str, tuple[str, Any]] = {
        "static_select": ("selected_option", element.get("initial_option")),
        "radio_buttons": ("selected_option", element.get("initial_option")),
        "checkboxes": ("selected_options", element.get("initial_options", [])),
        "users_select": ("selected_user", element.get("initial_user")),
        "datepicker": ("selected_date", element.get("initial_date")),
        "timepicker": ("selected_time", element.get("initial_time")),
        "datetimepicker": ("selected_date_time", element.get("initial_date_time")),
    }
    name, value = by_kind.get(kind, ("value", element.get("initial_value")))
    return {"type": kind, name: value}
