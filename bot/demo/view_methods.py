"""views.*: modals and App Home, with their triggers, hashes and races."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bot.demo.blocks import VIEW_BYTES, Json, view_problems
from bot.demo.call import Call, Method
from bot.demo.workspace import SlackRefusal

MOST_STACKED = 3


def open_view(call: Call) -> Json:
    """views.open: a trigger gives the right to open one modal, within three seconds."""
    content = view_content(call.json("view"))
    trigger = call.workspace.exchange_trigger(call.need("trigger_id"), call.rules.trigger_seconds)
    _refuse_double(call, content)
    call.workspace.stacks[trigger.user].clear()
    view = call.workspace.add_view(trigger.user, content)
    call.workspace.stacks[trigger.user].append(view["id"])
    call.workspace.show_views(trigger.user)
    return {"ok": True, "view": public_view(view)}


def push_view(call: Call) -> Json:
    """views.push: a modal above the modal in which the trigger was earned."""
    content = view_content(call.json("view"))
    trigger = call.workspace.exchange_trigger(call.need("trigger_id"), call.rules.trigger_seconds)
    view = push_onto(call, trigger.user, content)
    return {"ok": True, "view": public_view(view)}


def push_onto(call: Call, user: str, content: Json) -> Json:
    """Put one more modal on a person's stack."""
    stack = call.workspace.stacks[user]
    if not stack:
        raise SlackRefusal("not_found")
    if len(stack) >= MOST_STACKED:
        raise SlackRefusal("push_limit_reached")
    view = call.workspace.add_view(user, content, stack[-1])
    stack.append(view["id"])
    call.workspace.show_views(user)
    return view


def update_view(call: Call) -> Json:
    """views.update: by view_id or external_id; a stale hash loses the race."""
    content = view_content(call.json("view"))
    view = _find(call)
    if call.has("hash") and call.text("hash") != view["hash"]:
        raise SlackRefusal("hash_conflict")
    if content["type"] != view["type"]:
        raise SlackRefusal("invalid_arguments", messages=["[ERROR] the view's type can not change"])
    call.workspace.fill_view(view, content)
    if view["type"] == "home":
        call.workspace.tell("home", to=view["user"], view=view)
    else:
        call.workspace.show_views(view["user"])
    return {"ok": True, "view": public_view(view)}


def publish(call: Call) -> Json:
    """views.publish: the App Home of one person."""
    content = view_content(call.json("view"))
    user = call.need("user_id")
    if user not in call.workspace.stacks:
        raise SlackRefusal("user_not_found")
    if content["type"] != "home":
        raise SlackRefusal("invalid_arguments", messages=["[ERROR] must be a home view [json-pointer:/view/type]"])
    view = call.workspace.views.get(call.workspace.homes.get(user, ""))
    if call.has("hash") and (view is None or call.text("hash") != view["hash"]):
        raise SlackRefusal("hash_conflict")
    if view is None:
        view = call.workspace.add_view(user, content)
        call.workspace.homes[user] = view["id"]
    else:
        call.workspace.fill_view(view, content)
    call.workspace.tell("home", to=user, view=view)
    return {"ok": True, "view": public_view(view)}


def view_content(view: Any) -> Json:  # noqa: ANN401 - JSON can be anything
    """Check a view that an app sent, and return it."""
    if len(json.dumps(view)) > VIEW_BYTES:
        raise SlackRefusal("view_too_large")
    if problems := view_problems(view):
        raise SlackRefusal("invalid_arguments", messages=problems)
    content: Json = view
    return content


def public_view(view: Json) -> Json:
    """Return a view as apps see it."""
    return {name: value for name, value in view.items() if name != "user"}


def _find(call: Call) -> Json:
    view_id, external_id = call.text("view_id"), call.text("external_id")
    for view in call.workspace.views.values():
        if view["id"] == view_id or (external_id and view["external_id"] == external_id):
            return view
    raise SlackRefusal("not_found")


def _refuse_double(call: Call, content: Json) -> None:
    external_id = content.get("external_id")
    if external_id and any(v["external_id"] == external_id for v in call.workspace.views.values()):
        raise SlackRefusal("duplicate_external_id")


METHODS: Mapping[str, Method] = {
    "views.open": Method(open_view, 4),
    "views.push": Method(push_view, 4),
    "views.update": Method(update_view, 4),
    "views.publish": Method(publish, 4),
}
