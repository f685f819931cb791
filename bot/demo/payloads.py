"""What Slack sends an app, in the documented shapes. Pure.

Sources: docs.slack.dev, reference/interaction-payloads/{block_actions,view-interactions}-payload, implementing slash
commands, reference/events/app_home_opened.
"""

from __future__ import annotations

import copy

from bot.demo import team
from bot.demo.blocks import Json
from bot.demo.team import Person
from bot.demo.view_methods import public_view
from bot.demo.workspace import Channel

TOKEN = "rehearsal-verification-token"  # noqa: S105 - a documented leftover field, no secret


def user_of(person: Person) -> Json:
    """Return a person as interaction payloads name them."""
    return {"id": person.id, "username": person.handle, "name": person.handle, "team_id": team.TEAM_ID}


def _interaction(kind: str, person: Person, trigger_id: str = "") -> Json:
    payload: Json = {
        "type": kind,
        "team": {"id": team.TEAM_ID, "domain": team.TEAM_DOMAIN},
        "user": user_of(person),
        "api_app_id": team.APP_ID,
        "token": TOKEN,
        "enterprise": None,
        "is_enterprise_install": False,
    }
    return payload | {"trigger_id": trigger_id} if trigger_id else payload


def message_action(person: Person, channel: Channel, message: Json, action: Json) -> Json:
    """Return block_actions for something pressed in a message; the sender adds `trigger_id` and `response_url`."""
    is_ephemeral = bool(message.get("is_ephemeral"))
    container: Json = {
        "type": "message",
        "message_ts": message["ts"],
        "channel_id": channel.id,
        "is_ephemeral": is_ephemeral,
    }
    if message.get("thread_ts"):
        container["thread_ts"] = message["thread_ts"]
    payload = _interaction("block_actions", person) | {
        "container": container,
        "channel": {"id": channel.id, "name": channel.name or "directmessage"},
        "state": {"values": {}},
        "actions": [action],
    }
    if not is_ephemeral:
        payload["message"] = copy.deepcopy(message)
    return payload


def view_action(person: Person, view: Json, action: Json, trigger_id: str) -> Json:
    """Return block_actions for something pressed or typed in a modal or in App Home."""
    shown = copy.deepcopy(public_view(view))
    return _interaction("block_actions", person, trigger_id) | {
        "container": {"type": "view", "view_id": view["id"]},
        "view": shown,
        "state": shown["state"],
        "actions": [action],
    }


def submission(person: Person, view: Json, trigger_id: str) -> Json:
    """Return view_submission."""
    shown = copy.deepcopy(public_view(view))
    return _interaction("view_submission", person, trigger_id) | {"view": shown, "response_urls": []}


def closing(person: Person, view: Json, *, is_cleared: bool) -> Json:
    """Return view_closed."""
    shown = copy.deepcopy(public_view(view))
    return _interaction("view_closed", person) | {"view": shown, "is_cleared": is_cleared}


def command(person: Person, channel: Channel, name: str, text: str) -> Json:
    """Return a slash command; `trigger_id` and `response_url` are added by the sender."""
    return {
        "token": TOKEN,
        "team_id": team.TEAM_ID,
        "team_domain": team.TEAM_DOMAIN,
        "channel_id": channel.id,
        "channel_name": channel.name or "directmessage",
        "user_id": person.id,
        "user_name": person.handle,
        "command": name,
        "text": text,
        "api_app_id": team.APP_ID,
        "is_enterprise_install": "false",
    }


def event(content: Json, event_id: str, at: float) -> Json:
    """Return the envelope of the Events API around an event."""
    return {
        "type": "event_callback",
        "token": TOKEN,
        "team_id": team.TEAM_ID,
        "api_app_id": team.APP_ID,
        "event": content,
        "event_id": event_id,
        "event_time": int(at),
        "is_ext_shared_channel": False,
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": team.TEAM_ID,
                "user_id": team.BOT_USER_ID,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
    }


def action_of(block: Json, element: Json, value: Json, at: str) -> Json:
    """Return one entry of `actions`: the element as drawn, with what the person chose."""
    action: Json = {
        "type": element["type"],
        "action_id": element["action_id"],
        "block_id": block["block_id"],
        "action_ts": at,
    }
    drawn = ("text", "value", "style", "placeholder", "initial_option", "initial_user", "confirm")
    if element["type"] == "button":
        return action | {name: element[name] for name in drawn if name in element}
    return action | {name: element[name] for name in ("placeholder",) if name in element} | value
