"""A small Slack on loopback: answers the methods the bot calls, remembers every call, and fails when told to."""

# ruff: noqa: ANN401 - tests build payloads of any shape, and fixtures are asked for what they set up

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

TEAM = "T1"
BOT_USER = "U0BOT"
BOT_ID = "B0BOT"
PEOPLE: Mapping[str, Mapping[str, Any]] = {
    "U1": {"id": "U1", "team_id": TEAM, "name": "ana", "profile": {"display_name": "Ana Lima"}},
    "U2": {"id": "U2", "team_id": TEAM, "name": "ben", "profile": {"display_name": "", "real_name": "Ben Okafor"}},
    "UGUEST": {"id": "UGUEST", "team_id": TEAM, "name": "guest", "is_restricted": True},
    "UALIEN": {"id": "UALIEN", "team_id": "T9", "name": "alien", "is_stranger": True},
    "UBOT": {"id": "UBOT", "team_id": TEAM, "name": "robot", "is_bot": True},
    "UGONE": {"id": "UGONE", "team_id": TEAM, "name": "gone", "deleted": True},
}


@dataclass
class Call:
    """One call of a method."""

    method: str
    arguments: dict[str, Any]


@dataclass
class Fault:
    """What to do instead of answering: a status, headers and a body, or to hang up; done first, if `acts`."""

    body: Any = field(default_factory=lambda: {"ok": False, "error": "internal_error"})
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    hang_up: bool = False
    acts: bool = False


def error(word: str, **others: Any) -> Fault:
    """Return Slack's way of saying no."""
    return Fault(body={"ok": False, "error": word, **others})


class FakeSlack:
    """The server. `faults[method]` are used up one by one before the method answers again."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.faults: dict[str, list[Fault]] = {}
        self.messages: list[dict[str, Any]] = []
        self.answers: list[dict[str, Any]] = []
        self.scopes = "chat:write,commands,users:read,channels:read,groups:read,channels:history,groups:history"
        self.channel: dict[str, Any] = {"id": "C1", "name": "mentions", "is_member": True}
        self.page = 200
        self._count = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The address of the API."""
        return f"http://127.0.0.1:{self._server.server_port}/api/"

    @property
    def response_url(self) -> str:
        """Where commands are answered."""
        return f"http://127.0.0.1:{self._server.server_port}/respond"

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def named(self, method: str) -> list[dict[str, Any]]:
        """Return the arguments of every call of a method."""
        return [call.arguments for call in self.calls if call.method == method]

    def take(self, method: str, arguments: dict[str, Any]) -> tuple[Fault | None, dict[str, Any]]:
        """Handle one call: the fault to play, if any, and the answer."""
        with self._lock:
            self.calls.append(Call(method, arguments))
            waiting = self.faults.get(method) or []
            fault = waiting.pop(0) if waiting else None
            if fault is not None and not fault.acts:
                return fault, {}
            return fault, self._answer(method, arguments)

    def _answer(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        handler: Callable[[dict[str, Any]], dict[str, Any]] = getattr(
            self, "_" + method.replace(".", "_").lower(), lambda _: {}
        )
        return {"ok": True, **handler(arguments)}

    def _auth_test(self, _: dict[str, Any]) -> dict[str, Any]:
        return {
            "url": "https://team.slack.com/",
            "team": "Team",
            "team_id": TEAM,
            "user": "cuecard",
            "user_id": BOT_USER,
            "bot_id": BOT_ID,
        }

    def _users_info(self, arguments: dict[str, Any]) -> dict[str, Any]:
        found = PEOPLE.get(arguments["user"])
        return {"user": found} if found else {"ok": False, "error": "user_not_found"}

    def _chat_postmessage(self, arguments: dict[str, Any]) -> dict[str, Any]:
        self._count += 1
        ts = f"{1_800_000_000 + self._count}.000100"
        self.messages.append({**arguments, "ts": ts, "user": BOT_USER, "bot_id": BOT_ID})
        return {"channel": arguments["channel"], "ts": ts}

    def _chat_update(self, arguments: dict[str, Any]) -> dict[str, Any]:
        for message in self.messages:
            if message["ts"] == arguments["ts"]:
                message.update(text=arguments["text"], blocks=arguments["blocks"])
                return {"channel": arguments["channel"], "ts": arguments["ts"]}
        return {"ok": False, "error": "message_not_found"}

    def _conversations_history(self, arguments: dict[str, Any]) -> dict[str, Any]:
        newest = sorted(self.messages, key=lambda message: message["ts"], reverse=True)
        start = int(arguments.get("cursor") or 0)
        rest = str(start + self.page) if start + self.page < len(newest) else ""
        return {"messages": newest[start : start + self.page], "response_metadata": {"next_cursor": rest}}

    def _conversations_info(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"channel": self.channel}

    def _apps_connections_open(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"url": "wss://127.0.0.1:1/link"}

    def _views_update(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return {"view": {"id": arguments["view_id"], "hash": f"h{len(self.calls)}"}}


def _handler_of(slack: FakeSlack) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            if self.path == "/respond":
                slack.answers.append(json.loads(raw))
                self._send(200, {}, "ok")
                return
            fault, answer = slack.take(self.path.removeprefix("/api/"), _decode(raw, self.headers["Content-Type"]))
            if fault is not None and fault.hang_up:
                self.close_connection = True
                return
            if fault is not None:
                self._send(fault.status, fault.headers, fault.body)
                return
            self._send(200, {"x-oauth-scopes": slack.scopes}, answer)

        def _send(self, status: int, headers: Mapping[str, str], body: Any) -> None:
            data = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


def _decode(raw: str, kind: str | None) -> dict[str, Any]:
    if raw and kind and kind.startswith("application/json"):
        return dict(json.loads(raw))
    decoded: dict[str, Any] = {}
    for name, values in parse_qs(raw).items():
        value = values[0]
        decoded[name] = json.loads(value) if name in {"blocks", "view", "metadata"} else value
    return decoded


def texts_of(node: Any) -> Iterator[str]:
    """Yield the text of every text object in blocks or a view."""
    if isinstance(node, dict):
        if node.get("type") in {"plain_text", "mrkdwn"} and isinstance(node.get("text"), str):
            yield node["text"]
        for value in node.values():
            yield from texts_of(value)
    elif isinstance(node, list):
        for item in node:
            yield from texts_of(item)


def words_of(node: Any) -> str:
    """Return all the words of blocks or a view, for a test to look into."""
    return "\n".join(texts_of(node))


def elements_of(node: Any) -> Iterator[dict[str, Any]]:
    """Yield everything with an action_id in blocks or a view."""
    if isinstance(node, dict):
        if "action_id" in node:
            yield node
        for value in node.values():
            yield from elements_of(value)
    elif isinstance(node, list):
        for item in node:
            yield from elements_of(item)


def action_ids(node: Any) -> list[str]:
    """Return the action_ids in blocks or a view."""
    return [element["action_id"] for element in elements_of(node)]
