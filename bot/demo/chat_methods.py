"""chat.* and reactions.add, as Slack answers them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.demo import team
from bot.demo.blocks import MESSAGE_TEXT, Json, message_problems, text_length
from bot.demo.call import Call, Method
from bot.demo.workspace import Channel, SlackRefusal

POST_TEXT = 40_000
UPDATE_TEXT = 4_000


def post_message(call: Call) -> Json:
    """chat.postMessage: text above 40,000 characters is cut, the rest of the limits refuse."""
    channel = _open_channel(call)
    content = _content(call)
    content["text"] = content["text"][:POST_TEXT]
    thread_ts = call.text("thread_ts")
    if thread_ts and thread_ts not in channel.messages:
        raise SlackRefusal("thread_not_found")
    message = call.workspace.post(channel, team.BOT_USER_ID, content, thread_ts, is_linking=_is_linking(call))
    return {"ok": True, "channel": channel.id, "ts": message["ts"], "message": message}


def update(call: Call) -> Json:
    """chat.update: only one's own; text without blocks drops the blocks; omitted metadata stays."""
    channel = _known_channel(call)
    message = call.workspace.message(channel, call.need("ts", "message_not_found"))
    if message["user"] != team.BOT_USER_ID:
        raise SlackRefusal("cant_update_message")
    if len(call.text("text")) > UPDATE_TEXT:
        raise SlackRefusal("msg_too_long")
    content = _content(call)
    if call.has("metadata") and not content.get("metadata"):
        message.pop("metadata", None)
    call.workspace.edit(channel, message, content, is_linking=_is_linking(call))
    return {"ok": True, "channel": channel.id, "ts": message["ts"], "text": message["text"], "message": message}


def delete(call: Call) -> Json:
    """chat.delete: only one's own."""
    channel = _known_channel(call)
    message = call.workspace.message(channel, call.need("ts", "message_not_found"))
    if message["user"] != team.BOT_USER_ID:
        raise SlackRefusal("cant_delete_message")
    call.workspace.remove(channel, message["ts"])
    return {"ok": True, "channel": channel.id, "ts": message["ts"]}


def post_ephemeral(call: Call) -> Json:
    """chat.postEphemeral: shown to one person, kept by nobody."""
    channel = _open_channel(call)
    user = call.need("user")
    if user not in call.workspace.stacks:
        raise SlackRefusal("user_not_in_channel")
    content = _content(call)
    if call.text("thread_ts"):
        content["thread_ts"] = call.text("thread_ts")
    message = call.workspace.whisper(channel, user, content)
    return {"ok": True, "message_ts": message["ts"]}


def get_permalink(call: Call) -> Json:
    """chat.getPermalink: the address that people paste."""
    channel = _known_channel(call)
    ts = call.need("message_ts", "message_not_found")
    call.workspace.message(channel, ts)
    return {"ok": True, "channel": channel.id, "permalink": call.workspace.permalink(channel.id, ts)}


def add_reaction(call: Call) -> Json:
    """reactions.add: enough of it for an app that marks messages."""
    channel = _known_channel(call)
    message = call.workspace.message(channel, call.need("timestamp", "no_item_specified"))
    name = call.need("name", "no_reaction").strip(":")
    reactions: list[Json] = message.setdefault("reactions", [])
    reaction = next((r for r in reactions if r["name"] == name), None)
    if reaction is None:
        reaction = {"name": name, "users": [], "count": 0}
        reactions.append(reaction)
    if team.BOT_USER_ID in reaction["users"]:
        raise SlackRefusal("already_reacted")
    reaction["users"].append(team.BOT_USER_ID)
    reaction["count"] += 1
    call.workspace.tell("message", channel=channel.id, message=message)
    return {"ok": True}


def _known_channel(call: Call) -> Channel:
    channel = call.workspace.channels.get(call.need("channel", "channel_not_found"))
    if channel is None:
        raise SlackRefusal("channel_not_found")
    return channel


def _open_channel(call: Call) -> Channel:
    channel = call.workspace.find_channel(call.need("channel", "channel_not_found"))
    if channel.is_archived:
        raise SlackRefusal("is_archived")
    if not channel.is_member:
        raise SlackRefusal("channel_not_found" if channel.is_private else "not_in_channel")
    return channel


def _content(call: Call) -> Json:
    blocks: Any = call.json("blocks", "invalid_blocks_format")
    if not call.text("text") and not blocks:
        raise SlackRefusal("no_text")
    content: Json = {"text": call.text("text")}
    if blocks:
        if problems := message_problems(blocks):
            raise SlackRefusal("invalid_blocks", messages=problems)
        if text_length(blocks) > MESSAGE_TEXT:
            raise SlackRefusal("msg_blocks_too_long")
        content["blocks"] = blocks
    metadata: Any = call.json("metadata", "invalid_metadata_format")
    if metadata:
        if not isinstance(metadata, dict) or {"event_type", "event_payload"} - metadata.keys():
            raise SlackRefusal("invalid_metadata_schema")
        content["metadata"] = metadata
    return content


def _is_linking(call: Call) -> bool:
    return call.flag("link_names") or call.text("parse") == "full"


METHODS: Mapping[str, Method] = {
    "chat.postMessage": Method(post_message, 5, "chat:write"),
    "chat.update": Method(update, 3, "chat:write"),
    "chat.delete": Method(delete, 3, "chat:write"),
    "chat.postEphemeral": Method(post_ephemeral, 4, "chat:write"),
    "chat.getPermalink": Method(get_permalink, 5),
    "reactions.add": Method(add_reaction, 3, "reactions:write"),
}
