"""Socket Mode, the server's side: tickets, sockets, envelopes, acknowledgements, redelivery.

At least once for events, at most one try for what a person is waiting for (a button, a form, a command).
Source: docs.slack.dev, apis/events-api/using-socket-mode, and what slack_sdk's client expects.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from bot.demo import team
from bot.demo.blocks import Json
from bot.demo.limits import Rules

MOST_SOCKETS = 10


@dataclass(frozen=True, slots=True)
class Ack:
    """How a delivery went: `is_ok` means acknowledged in time; `problem` names why not, as Slack would."""

    is_ok: bool
    payload: Json | None = None
    problem: str = ""


@dataclass(slots=True, eq=False)
class Socket:
    """One connection of the app; a leaving one gets nothing new."""

    web: WebSocket
    is_leaving: bool = False


@dataclass(slots=True, eq=False)
class Waiting:
    """An envelope on its way. `future` ends with the ack's payload, or with None where the socket was lost."""

    socket: Socket
    future: asyncio.Future[Json | None]
    is_late: bool = False


class Link:
    """All sockets of the app, and what travels over them."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._tickets: set[str] = set()
        self._sockets: list[Socket] = []
        self._waiting: dict[str, Waiting] = {}
        self._connected = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._turn = 0
        self.repeats = 0
        self.complaints: list[str] = []
        self.delivered: list[Json] = []

    @property
    def connections(self) -> int:
        """How many sockets take new envelopes."""
        return sum(not s.is_leaving for s in self._sockets)

    def issue_ticket(self) -> str:
        """Return a ticket that opens one socket."""
        ticket = secrets.token_urlsafe(16)
        self._tickets.add(ticket)
        return ticket

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Let work go on beside the request; it ends with the server."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def serve(self, web: WebSocket) -> None:
        """Talk with one connection until it ends."""
        ticket = web.query_params.get("ticket", "")
        if ticket not in self._tickets or len(self._sockets) >= MOST_SOCKETS:
            await web.close(4403)
            return
        self._tickets.discard(ticket)
        await web.accept()
        socket = Socket(web)
        self._sockets.append(socket)
        try:
            await web.send_text(json.dumps(self._hello()))
            self._connected.set()
            while True:
                self._receive(await web.receive_text())
        except (WebSocketDisconnect, RuntimeError):
            pass  # the app went away; what it had not acknowledged comes again
        finally:
            self._forget(socket)

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._sockets),
            "connection_info": {"app_id": team.APP_ID},
            "debug_info": {"host": "rehearsal", "build_number": 1, "approximate_connection_time": 18060},
        }

    def _forget(self, socket: Socket) -> None:
        self._sockets.remove(socket)
        if not self.connections:
            self._connected.clear()
        for waiting in self._waiting.values():
            if waiting.socket is socket and not waiting.future.done():
                waiting.future.set_result(None)

    def _receive(self, text: str) -> None:
        try:
            frame = json.loads(text)
            envelope_id = frame["envelope_id"]
        except (ValueError, KeyError, TypeError):
            self.complaints.append(f"a frame that is no acknowledgement: {text[:200]}")
            return
        waiting = self._waiting.get(envelope_id)
        if waiting is None:
            self.complaints.append("an acknowledgement of an unknown envelope")
        elif waiting.is_late:
            self.complaints.append("an acknowledgement after the time was over")
        elif not waiting.future.done():
            waiting.future.set_result(frame)

    def _next_socket(self) -> Socket | None:
        ready = [s for s in self._sockets if not s.is_leaving]
        self._turn += 1
        return ready[self._turn % len(ready)] if ready else None

    async def deliver(self, kind: str, payload: Json, *, takes_answer: bool) -> Ack:
        """Hand over something a person is waiting for: one try, no queue."""
        ack = await self._try(kind, payload, takes_answer=takes_answer)
        while self.repeats > 0:
            self.repeats -= 1
            await self._try(kind, payload, takes_answer=takes_answer)
        return ack

    def send_event(self, payload: Json) -> None:
        """Hand over an event in the background, again and again until it is acknowledged or Slack would give up."""
        copies = 2 if self.repeats > 0 else 1
        self.repeats = max(0, self.repeats - 1)
        for _ in range(copies):
            self.spawn(self._insist(payload))

    async def _insist(self, payload: Json) -> None:
        attempt = 0
        reason = ""
        while attempt <= len(self._rules.redeliver_after):
            await self._connected.wait()
            retry = {"retry_attempt": attempt, "retry_reason": reason}
            ack = await self._try("events_api", payload, takes_answer=False, retry=retry)
            if ack.is_ok:
                return
            if ack.problem == "not_connected":
                continue
            reason = ack.problem
            attempt += 1
            if attempt <= len(self._rules.redeliver_after) and reason == "timeout":
                await asyncio.sleep(self._rules.redeliver_after[attempt - 1])
        self.complaints.append(f"an event was never acknowledged: {payload['event']['type']}")

    async def _try(self, kind: str, payload: Json, *, takes_answer: bool, retry: Json | None = None) -> Ack:
        socket = self._next_socket()
        if socket is None:
            return Ack(is_ok=False, problem="not_connected")
        envelope_id = secrets.token_hex(16)
        waiting = Waiting(socket, asyncio.get_running_loop().create_future())
        self._waiting[envelope_id] = waiting
        envelope = {"envelope_id": envelope_id, "type": kind, "payload": payload, **(retry or {})}
        envelope["accepts_response_payload"] = takes_answer
        self.delivered.append(envelope)
        try:
            await socket.web.send_text(json.dumps(envelope))
            frame = await asyncio.wait_for(asyncio.shield(waiting.future), self._rules.ack_seconds)
        except TimeoutError:
            waiting.is_late = True
            self.complaints.append(f"no acknowledgement within {self._rules.ack_seconds:g} s: {kind}")
            return Ack(is_ok=False, problem="timeout")
        except (WebSocketDisconnect, RuntimeError):
            return Ack(is_ok=False, problem="connection_lost")
        if frame is None:
            return Ack(is_ok=False, problem="connection_lost")
        del self._waiting[envelope_id]
        return Ack(is_ok=True, payload=frame.get("payload"))

    async def ask_to_reconnect(self, reason: str = "refresh_requested") -> None:
        """Tell every socket to make way for a new one, as Slack does every few hours."""
        leaving = [s for s in self._sockets if not s.is_leaving]
        for socket in leaving:
            socket.is_leaving = True
            frame = {"type": "disconnect", "reason": reason, "debug_info": {"host": "rehearsal"}}
            await socket.web.send_text(json.dumps(frame))
            self.spawn(self._end(socket, self._rules.leave_seconds))
        if not self.connections:
            self._connected.clear()

    async def cut(self) -> None:
        """End every socket without a word, as a broken network does."""
        for socket in list(self._sockets):
            await self._end(socket, 0)

    async def _end(self, socket: Socket, after: float) -> None:
        await asyncio.sleep(after)
        if socket in self._sockets:
            try:
                await socket.web.close(1012)
            except (WebSocketDisconnect, RuntimeError):
                return  # it was closed meanwhile

    async def stop(self) -> None:
        """End everything."""
        await self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
