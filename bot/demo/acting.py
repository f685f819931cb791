"""What a person in the workspace can do: press, type, submit, close, say, command. The page and the tests act here."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from bot.demo import payloads, team
from bot.demo.blocks import Json, message_problems
from bot.demo.call import Call
from bot.demo.limits import Rules
from bot.demo.link import Link
from bot.demo.team import Person, SlashCommand
from bot.demo.view_methods import push_onto, view_content
from bot.demo.workspace import Channel, SlackRefusal, Workspace, elements_of

HOOK_USES = 5
HOOK_SECONDS = 30 * 60
TROUBLE = "We had some trouble connecting. Try again?"


@dataclass(slots=True)
class Hook:
    """A response_url: five uses within thirty minutes."""

    user: str
    channel: Channel
    message_ts: str
    issued_at: float
    uses: int = 0


@dataclass(frozen=True, slots=True)
class Used:
    """An element that a person used, and what they chose or typed; `block_id` '' means the first with this action.

    `state` is what the whole form held at that moment.
    """

    action_id: str
    value: Json = field(default_factory=dict)
    block_id: str = ""
    state: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the person sees at once: a plain sentence where it did not work, errors below the blocks of a form."""

    sentence: str = ""
    errors: Json = field(default_factory=dict)

    def to_json(self) -> Json:
        """Return it as the page reads it."""
        return {"ok": not self.sentence and not self.errors, "sentence": self.sentence, "errors": self.errors}


class Acting:
    """People's hands. Everything a person sends is looked up in what the app drew, never trusted."""

    def __init__(
        self,
        workspace: Workspace,
        link: Link,
        rules: Rules,
        *,
        events: frozenset[str],
        commands: tuple[SlashCommand, ...],
    ) -> None:
        self._workspace = workspace
        self._link = link
        self._rules = rules
        self._events = events
        self._commands = {c.name for c in commands}
        self.hooks: dict[str, Hook] = {}

    def person(self, user: str) -> Person:
        """Return a teammate by id, handle or name."""
        for person in self._workspace.people.values():
            if not person.is_bot and user in {person.id, person.handle, person.name}:
                return person
        raise SlackRefusal("user_not_found")

    # --- messages ------------------------------------------------------------------------------------------

    async def say(self, user: str, channel_id: str, text: str, thread_ts: str = "") -> Answer:
        """Write a plain message, as the person."""
        channel = self._workspace.find_channel(channel_id)
        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        message = self._workspace.post(channel, self.person(user).id, {"text": escaped}, thread_ts)
        kind = "message.im" if channel.user else "message.channels"
        if kind in self._events:
            shared = {"channel": channel.id, "channel_type": "im" if channel.user else "channel"}
            self._send_event({**message, **shared, "event_ts": message["ts"]})
        return Answer()

    async def press(self, user: str, channel_id: str, ts: str, used: Used) -> Answer:
        """Use an element of a message."""
        person, channel = self.person(user), self._workspace.find_channel(channel_id)
        message = self._workspace.find_message(channel, ts)
        if message is None:
            return Answer("This message is no longer there.")
        block, element = find_element(message.get("blocks", []), used)
        action = payloads.action_of(block, element, chosen(element, used.value), self._workspace.next_ts())
        ways = self._ways_back(person.id, channel, ts)
        payload = payloads.message_action(person, channel, message, action) | ways
        ack = await self._link.deliver("interactive", payload, takes_answer=False)
        return Answer() if ack.is_ok else Answer(f"{team.BOT_NAME} did not respond. Try again.")

    async def command(self, user: str, channel_id: str, name: str, text: str) -> Answer:
        """Run a slash command."""
        person, channel = self.person(user), self._workspace.find_channel(channel_id)
        if name not in self._commands:
            return Answer(f"{name} is not a valid command.")
        ways = self._ways_back(person.id, channel, "")
        payload = payloads.command(person, channel, name, text) | ways
        ack = await self._link.deliver("slash_commands", payload, takes_answer=True)
        if not ack.is_ok:
            why = "app did not respond" if ack.problem == "timeout" else "app is not connected"
            return Answer(f"{name} failed because the {why}.")
        if ack.payload and (ack.payload.get("text") or ack.payload.get("blocks")):
            self._show_answer(person.id, channel, ack.payload)
        return Answer()

    # --- views ---------------------------------------------------------------------------------------------

    async def open_home(self, user: str) -> Answer:
        """Open the App Home tab."""
        person = self.person(user)
        if "app_home_opened" in self._events:
            view = self._workspace.views.get(self._workspace.homes.get(person.id, ""))
            direct = self._workspace.direct(person.id)
            content: Json = {"type": "app_home_opened", "user": person.id, "channel": direct.id, "tab": "home"}
            content |= {"event_ts": self._workspace.next_ts()}
            if view is not None:
                content["view"] = {k: v for k, v in view.items() if k != "user"}
            self._send_event(content)
        return Answer()

    async def act(self, user: str, view_id: str, used: Used) -> Answer:
        """Use an element of a modal or of App Home."""
        person, view = self.person(user), self._view(user, view_id)
        if view is None:
            return Answer("This view is closed.")
        block, element = find_element(view["blocks"], used)
        picked = chosen(element, used.value)
        self._keep_state(view, used.state)
        held = view["state"]["values"].get(block["block_id"], {})
        if element["action_id"] in held:
            held[element["action_id"]] = {"type": element["type"], **picked}
        action = payloads.action_of(block, element, picked, self._workspace.next_ts())
        trigger = self._workspace.issue_trigger(person.id, view["id"])
        payload = payloads.view_action(person, view, action, trigger)
        ack = await self._link.deliver("interactive", payload, takes_answer=False)
        return Answer() if ack.is_ok else Answer(f"{team.BOT_NAME} did not respond. Try again.")

    async def submit(self, user: str, view_id: str, state: Json) -> Answer:
        """Submit a modal; what the app answers happens to the view."""
        person, view = self.person(user), self._view(user, view_id)
        if view is None:
            return Answer("This view is closed.")
        self._keep_state(view, state)
        if missing := unfilled(view):
            return Answer(errors=missing)
        trigger = self._workspace.issue_trigger(person.id, view["id"])
        payload = payloads.submission(person, view, trigger)
        ack = await self._link.deliver("interactive", payload, takes_answer=True)
        if not ack.is_ok:
            return Answer(TROUBLE)
        try:
            return self._respond(person.id, view, ack.payload or {})
        except SlackRefusal as refusal:
            detail = "; ".join(refusal.body.get("response_metadata", {}).get("messages", []))
            self._link.complaints.append(f"the answer to a form can not be used: {refusal.code} {detail}".strip())
            return Answer(TROUBLE)

    def _respond(self, user: str, view: Json, answer: Json) -> Answer:
        action = answer.get("response_action")
        if action == "errors":
            errors = answer.get("errors", {})
            inputs = {b["block_id"] for b in view["blocks"] if b["type"] == "input"}
            if not errors or set(errors) - inputs:
                raise SlackRefusal("errors_name_no_input_block")
            return Answer(errors=errors)
        if action == "clear":
            self._workspace.close_view(user, view["id"], is_all=True)
        elif action == "update":
            self._workspace.fill_view(view, view_content(answer.get("view")))
            self._workspace.show_views(user)
        elif action == "push":
            push_onto(Call(self._workspace, self._rules, {}), user, view_content(answer.get("view")))
        elif action is None:
            self._workspace.close_view(user, view["id"])
        else:
            raise SlackRefusal("unknown_response_action")
        return Answer()

    async def close(self, user: str, view_id: str, *, is_all: bool = False) -> Answer:
        """Close a modal; the app hears of it where it asked to."""
        person, view = self.person(user), self._view(user, view_id)
        if view is None:
            return Answer()
        for gone in self._workspace.close_view(person.id, view_id, is_all=is_all or view["clear_on_close"]):
            if gone["notify_on_close"]:
                payload = payloads.closing(person, gone, is_cleared=is_all or view["clear_on_close"])
                self._link.spawn(self._link.deliver("interactive", payload, takes_answer=False))
        return Answer()

    def _view(self, user: str, view_id: str) -> Json | None:
        view = self._workspace.views.get(view_id)
        return view if view is not None and view["user"] == self.person(user).id else None

    def _keep_state(self, view: Json, state: Json) -> None:
        held: Json = view["state"]["values"]
        for block in view["blocks"]:
            for element in elements_of(block):
                given = state.get(block["block_id"], {}).get(element["action_id"])
                if given is not None and element["action_id"] in held.get(block["block_id"], {}):
                    kept = {"type": element["type"], **chosen(element, given)}
                    held[block["block_id"]][element["action_id"]] = kept

    # --- what comes back outside the Web API ---------------------------------------------------------------

    def _ways_back(self, user: str, channel: Channel, ts: str) -> Json:
        key = secrets.token_urlsafe(12)
        self.hooks[key] = Hook(user, channel, ts, self._workspace.clock())
        trigger_id = self._workspace.issue_trigger(user)
        return {"trigger_id": trigger_id, "response_url": f"{self._workspace.base_url()}/hooks/{key}"}

    def respond(self, key: str, content: Json) -> None:
        """Take what an app posts to a response_url."""
        hook = self.hooks.get(key)
        if hook is None or self._workspace.clock() - hook.issued_at > HOOK_SECONDS:
            raise SlackRefusal("expired_url")
        hook.uses += 1
        if hook.uses > HOOK_USES:
            raise SlackRefusal("used_url")
        message = self._workspace.find_message(hook.channel, hook.message_ts)
        if message is not None and (content.get("replace_original") or content.get("delete_original")):
            self._rewrite(hook, message, content)
        else:
            self._show_answer(hook.user, hook.channel, content)

    def _rewrite(self, hook: Hook, message: Json, content: Json) -> None:
        if message.get("is_ephemeral"):
            hook.channel.ephemerals.remove(message)
            self._workspace.tell("removed", to=hook.user, channel=hook.channel.id, ts=message["ts"])
            if not content.get("delete_original"):
                self._show_answer(hook.user, hook.channel, content)
        elif content.get("delete_original"):
            self._workspace.remove(hook.channel, message["ts"])
        else:
            self._workspace.edit(hook.channel, message, content_of(content))

    def _show_answer(self, user: str, channel: Channel, content: Json) -> None:
        if content.get("response_type") == "in_channel":
            self._workspace.post(channel, team.BOT_USER_ID, content_of(content), content.get("thread_ts", ""))
        else:
            shown = content_of(content)
            if content.get("thread_ts"):
                shown["thread_ts"] = content["thread_ts"]
            self._workspace.whisper(channel, user, shown)

    def _send_event(self, content: Json) -> None:
        event_id = f"Ev{secrets.token_hex(5).upper()}"
        self._link.send_event(payloads.event(content, event_id, self._workspace.clock()))


def content_of(answer: Json) -> Json:
    """Return the text and checked blocks of an answer that came through a response_url or an ack."""
    blocks: Any = answer.get("blocks")
    content: Json = {"text": str(answer.get("text", ""))}
    if blocks:
        if problems := message_problems(blocks):
            raise SlackRefusal("invalid_blocks", messages=problems)
        content["blocks"] = blocks
    return content


def find_element(blocks: list[Json], used: Used) -> tuple[Json, Json]:
    """Return the block and the element that was used."""
    for block in blocks:
        for element in elements_of(block):
            if element.get("action_id") == used.action_id and used.block_id in {"", block["block_id"]}:
                return block, element
    raise SlackRefusal("no_such_action")


def chosen(element: Json, value: Json) -> Json:
    """Return what was chosen in the words of Slack's payloads; options are looked up by their value."""
    kind = element["type"]
    options = element.get("options", []) + [o for g in element.get("option_groups", []) for o in g["options"]]
    if kind in {"static_select", "overflow", "radio_buttons"}:
        wanted = _option_value(value.get("selected_option"))
        return {"selected_option": next((o for o in options if o["value"] == wanted), None)}
    if kind == "checkboxes":
        values = [_option_value(o) for o in value.get("selected_options", [])]
        return {"selected_options": [o for o in options if o["value"] in values]}
    names = {
        "users_select": "selected_user",
        "datepicker": "selected_date",
        "timepicker": "selected_time",
        "datetimepicker": "selected_date_time",
    }
    if kind == "button":
        return {}
    name = names.get(kind, "value")
    return {name: value.get(name) or None}


def _option_value(option: object) -> str:
    return str(option.get("value", "")) if isinstance(option, dict) else str(option or "")


def unfilled(view: Json) -> Json:
    """Return what Slack's own client refuses before it asks the app: required inputs left empty, texts too long."""
    errors: Json = {}
    for block in view["blocks"]:
        if block["type"] != "input":
            continue
        element = block["element"]
        held = view["state"]["values"][block["block_id"]][element["action_id"]]
        given = next((v for k, v in held.items() if k != "type"), None)
        if not given and not block.get("optional"):
            errors[block["block_id"]] = "Please complete this required field."
        elif isinstance(given, str) and len(given) > element.get("max_length", 3000):
            errors[block["block_id"]] = f"Must be {element.get('max_length', 3000)} characters or fewer."
    return errors
