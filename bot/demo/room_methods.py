"""auth.test, api.test, conversations.* and users.*, as Slack answers them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from bot.demo import team
from bot.demo.blocks import Json
from bot.demo.call import Call, Method
from bot.demo.team import Person
from bot.demo.workspace import Channel, SlackRefusal


def auth_test(call: Call) -> Json:
    """auth.test: who the token speaks for."""
    return {
        "ok": True,
        "url": f"{call.workspace.base_url()}/",
        "team": team.TEAM_NAME,
        "user": team.BOT.handle,
        "team_id": team.TEAM_ID,
        "user_id": team.BOT_USER_ID,
        "bot_id": team.BOT_ID,
        "is_enterprise_install": False,
    }


def api_test(call: Call) -> Json:
    """api.test: says back what it was told."""
    if call.has("error"):
        raise SlackRefusal(call.text("error"))
    return {"ok": True, "args": dict(call.arguments)}


def list_channels(call: Call) -> Json:
    """conversations.list: public channels unless other types are asked for."""
    kinds = set(call.text("types", "public_channel").split(","))
    rows = [_channel_row(c) for c in call.workspace.channels.values() if _kind(c) in kinds]
    if call.flag("exclude_archived"):
        rows = [r for r in rows if not r["is_archived"]]
    page, cursor = _page(call, rows, 100)
    return {"ok": True, "channels": page, "response_metadata": {"next_cursor": cursor}}


def channel_info(call: Call) -> Json:
    """conversations.info."""
    return {"ok": True, "channel": _channel_row(_visible(call))}


def join(call: Call) -> Json:
    """conversations.join."""
    channel = _visible(call)
    if channel.is_archived:
        raise SlackRefusal("is_archived")
    answer: Json = {"ok": True, "channel": _channel_row(channel)}
    if channel.is_member:
        answer["warning"] = "already_in_channel"
    channel.is_member = True
    return answer | {"channel": _channel_row(channel)}


def history(call: Call) -> Json:
    """conversations.history: newest first, without thread replies; metadata only where asked for."""
    channel = _member_of(call)
    rows = [m for m in channel.messages.values() if m.get("thread_ts", m["ts"]) == m["ts"]]
    return _messages(call, list(reversed(_within(call, rows))))


def replies(call: Call) -> Json:
    """conversations.replies: the parent first, then its thread."""
    channel = _member_of(call)
    ts = call.need("ts", "thread_not_found")
    if ts not in channel.messages:
        raise SlackRefusal("thread_not_found")
    rows = [m for m in channel.messages.values() if m["ts"] == ts or m.get("thread_ts") == ts]
    return _messages(call, _within(call, rows))


def user_info(call: Call) -> Json:
    """users.info."""
    person = call.workspace.people.get(call.text("user"))
    if person is None:
        raise SlackRefusal("user_not_found")
    return {"ok": True, "user": _user_row(person)}


def list_users(call: Call) -> Json:
    """users.list."""
    page, cursor = _page(call, [_user_row(p) for p in call.workspace.people.values()], 200)
    return {"ok": True, "members": page, "response_metadata": {"next_cursor": cursor}}


def _visible(call: Call) -> Channel:
    channel = call.workspace.channels.get(call.text("channel"))
    if channel is None or (channel.is_private and not channel.is_member):
        raise SlackRefusal("channel_not_found")
    return channel


def _member_of(call: Call) -> Channel:
    channel = _visible(call)
    if not channel.is_member:
        raise SlackRefusal("not_in_channel")
    return channel


def _kind(channel: Channel) -> str:
    if channel.user:
        return "im"
    return "private_channel" if channel.is_private else "public_channel"


def _channel_row(channel: Channel) -> Json:
    row: Json = {
        "id": channel.id,
        "is_archived": channel.is_archived,
        "is_im": bool(channel.user),
        "is_ext_shared": channel.is_ext_shared,
        "is_shared": channel.is_ext_shared,
        "context_team_id": team.TEAM_ID,
    }
    if channel.user:
        return row | {"user": channel.user}
    return row | {
        "name": channel.name,
        "is_channel": not channel.is_private,
        "is_private": channel.is_private,
        "is_member": channel.is_member,
        "num_members": len(team.TEAMMATES) + channel.is_member,
    }


def _user_row(person: Person) -> Json:
    return {
        "id": person.id,
        "team_id": team.TEAM_ID,
        "name": person.handle,
        "real_name": person.name,
        "deleted": False,
        "is_bot": person.is_bot,
        "tz": "UTC",
        "tz_offset": 0,
        "profile": {"real_name": person.name, "display_name": person.name, "title": person.title},
    }


def _within(call: Call, rows: list[Json]) -> list[Json]:
    try:
        oldest, latest = Decimal(call.text("oldest", "0")), Decimal(call.text("latest", "9999999999"))
    except InvalidOperation as err:
        raise SlackRefusal("invalid_ts_oldest") from err
    if call.flag("inclusive"):
        return [m for m in rows if oldest <= Decimal(m["ts"]) <= latest]
    return [m for m in rows if oldest < Decimal(m["ts"]) < latest]


def _messages(call: Call, rows: list[Json]) -> Json:
    page, cursor = _page(call, rows, 100)
    if not call.flag("include_all_metadata"):
        page = [{k: v for k, v in m.items() if k != "metadata"} for m in page]
    answer: Json = {"ok": True, "messages": page, "has_more": bool(cursor)}
    return answer | {"response_metadata": {"next_cursor": cursor}} if cursor else answer


def _page(call: Call, rows: list[Json], size: int) -> tuple[list[Json], str]:
    limit = max(1, min(call.number("limit", size), 999))
    start = 0
    if cursor := call.text("cursor"):
        try:
            start = int(base64.b64decode(cursor).decode().removeprefix("from:"))
        except (binascii.Error, ValueError) as err:
            raise SlackRefusal("invalid_cursor") from err
    rest = start + limit
    following = base64.b64encode(f"from:{rest}".encode()).decode() if rest < len(rows) else ""
    return rows[start:rest], following


METHODS: Mapping[str, Method] = {
    "auth.test": Method(auth_test, 5),
    "api.test": Method(api_test, 4),
    "conversations.list": Method(list_channels, 2, "channels:read"),
    "conversations.info": Method(channel_info, 3, "channels:read"),
    "conversations.join": Method(join, 3, "channels:join"),
    "conversations.history": Method(history, 3, "channels:history"),
    "conversations.replies": Method(replies, 3, "channels:history"),
    "users.info": Method(user_info, 4, "users:read"),
    "users.list": Method(list_users, 2, "users:read"),
}
