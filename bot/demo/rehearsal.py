"""The rehearsal workspace as one object: start it, point an app at it, act in it, look into it.

with Rehearsal() as rehearsal:
    client = WebClient(token=rehearsal.bot_token, base_url=rehearsal.api_url)
    client.chat_postMessage(channel="#mentions", text="Hello")
    rehearsal.press("Ana Lima", "#mentions", ts, "claim")
"""

from __future__ import annotations

import copy
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute

from bot.demo import chat_methods, room_methods, team, view_methods
from bot.demo.acting import Acting, Answer, Used
from bot.demo.blocks import Json
from bot.demo.call import Call, Method
from bot.demo.faults import Faults, How
from bot.demo.limits import Pace, Rules
from bot.demo.link import Link
from bot.demo.live import Live
from bot.demo.page_routes import PageRoutes
from bot.demo.pings import Ping
from bot.demo.server import HOST, Server, arguments_of
from bot.demo.stage import DROPPED, Misbehaviour, Post, Stage
from bot.demo.team import SlashCommand
from bot.demo.workspace import Channel, SlackRefusal, Workspace

T = TypeVar("T")
PATIENCE_SECONDS = 10.0
METHODS: dict[str, Method] = {**room_methods.METHODS, **chat_methods.METHODS, **view_methods.METHODS}


@dataclass(frozen=True, slots=True)
class Called:
    """One Web API call that arrived: when, what, and how it ended (`ok`, Slack's error name, or the fault)."""

    at: float
    method: str
    arguments: Json
    result: str


class Rehearsal:
    """A small Slack on this machine, its page, and its stage."""

    def __init__(  # noqa: PLR0913 - each has a default that is right for a person
        self,
        port: int = 0,
        *,
        rules: Rules | None = None,
        scopes: Iterable[str] = team.SCOPES,
        events: Iterable[str] = team.EVENTS,
        commands: tuple[SlashCommand, ...] = team.COMMANDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.bot_token = f"xoxb-rehearsal-{secrets.token_hex(8)}"
        self.app_token = f"xapp-1-{team.APP_ID}-{secrets.token_hex(8)}"
        self.rules = rules or Rules()
        self.scopes = tuple(scopes)
        self.calls: list[Called] = []
        self._faults = Faults()
        self._pace = Pace(self.rules)
        self._workspace = Workspace(clock, lambda: self.url)
        self._link = Link(self.rules)
        self._live = Live()
        self._workspace.watchers.append(self._live.tell)
        self._stage = Stage(lambda: self.url, self._show_post)
        self._acting = Acting(
            self._workspace,
            self._link,
            self.rules,
            events=frozenset(events),
            commands=commands,
        )
        self._page = PageRoutes(self._workspace, self._acting, self._stage, self._live, commands)
        self._server = Server(self._build_app(), port)

    def _build_app(self) -> Starlette:
        routes = [
            Route("/api/{method}", self._serve_method, methods=["GET", "POST"]),
            Route("/hooks/{key}", self._serve_hook, methods=["POST"]),
            WebSocketRoute("/link", self._link.serve),
            *self._page.routes(),
        ]
        return Starlette(routes=routes)

    # --- life ----------------------------------------------------------------------------------------------

    def start(self) -> str:
        """Serve; return the page's address.

        Raises:
            PortTaken: the port is in use.
        """
        self._server.start()
        return self.url

    def stop(self) -> None:
        """End every connection and the server."""

        async def end() -> None:
            self._live.end()
            await self._link.stop()

        self._server.run(end)
        self._server.stop()

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop."""
        self.stop()

    @property
    def url(self) -> str:
        """The page's address, without a slash at its end."""
        return f"http://{HOST}:{self._server.port}"

    @property
    def api_url(self) -> str:
        """The Web API's base address, for `WebClient(base_url=…)`."""
        return f"{self.url}/api/"

    @property
    def stage_url(self) -> str:
        """Where the replay platform posts replies."""
        return f"{self.url}/stage/replies"

    # --- the Web API ---------------------------------------------------------------------------------------

    async def _serve_method(self, request: Request) -> Response:
        name = request.path_params["method"]
        arguments = await arguments_of(request)
        how = self._faults.next_for(name)
        if how in {"drop_before", "server_error", "ratelimited"}:
            self._note(name, arguments, str(how))
            return _fault_answer(how)
        try:
            answer = self._answer(request, name, arguments)
        except SlackRefusal as refusal:
            answer = refusal.body
        self._note(name, arguments, str(how or answer.get("error", "ok")))
        if how is not None:
            return _fault_answer(how)
        headers = {"x-oauth-scopes": ",".join(self.scopes), "x-slack-req-id": secrets.token_hex(8)}
        wait = answer.pop("retry_after", None)
        if wait is not None:
            return JSONResponse(answer, 429, headers | {"Retry-After": wait})
        return JSONResponse(answer, headers=headers)

    def _answer(self, request: Request, name: str, arguments: Any) -> Json:  # noqa: ANN401 - JSON
        token = request.headers.get("authorization", "").removeprefix("Bearer ") or str(arguments.get("token", ""))
        if name == "apps.connections.open":
            return self._open_connection(token)
        method = METHODS.get(name)
        if method is None:
            raise SlackRefusal("unknown_method", req_method=name)
        if not token and name != "api.test":
            raise SlackRefusal("not_authed")
        if token == self.app_token:
            raise SlackRefusal("not_allowed_token_type")
        if token != self.bot_token and name != "api.test":
            raise SlackRefusal("invalid_auth")
        if method.scope and method.scope not in self.scopes:
            raise SlackRefusal("missing_scope", needed=method.scope, provided=",".join(self.scopes))
        channel = str(arguments.get("channel", ""))
        wait = self._pace.wait_for(name, method.tier, channel, self._workspace.clock())
        if wait:
            raise SlackRefusal("ratelimited", retry_after=str(int(wait) + 1))
        return method.run(Call(self._workspace, self.rules, arguments))

    def _open_connection(self, token: str) -> Json:
        if token != self.app_token:
            raise SlackRefusal("not_allowed_token_type" if token == self.bot_token else "invalid_auth")
        ticket = self._link.issue_ticket()
        return {"ok": True, "url": f"ws://{HOST}:{self._server.port}/link?ticket={ticket}&app_id={team.APP_ID}"}

    async def _serve_hook(self, request: Request) -> Response:
        try:
            self._acting.respond(request.path_params["key"], dict(await arguments_of(request)))
        except SlackRefusal as refusal:
            return JSONResponse(refusal.body, 404)
        return Response("ok", media_type="text/plain")

    def _note(self, method: str, arguments: Any, result: str) -> None:  # noqa: ANN401 - JSON
        kept = {k: v for k, v in dict(arguments).items() if k != "token"}
        self.calls.append(Called(self._workspace.clock(), method, kept, result))

    def _show_post(self, post: Post) -> None:
        self._workspace.tell("stage", post=post.to_json())

    # --- acting as a person, for tests ---------------------------------------------------------------------

    def press(self, person: str, channel: str, ts: str, action_id: str, **value: Any) -> Answer:  # noqa: ANN401
        """Use an element of a message, e.g. `press("Ana Lima", "#mentions", ts, "dismiss", selected_option="spam")`.

        Waits a while for it to stand there, as a person does while the message is being redrawn.

        Raises:
            SlackRefusal: it does not come to stand there.
        """
        ends_at = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self._run(lambda: self._acting.press(person, channel, ts, Used(action_id, value)))
            except SlackRefusal as refusal:
                if refusal.code != "no_such_action" or time.monotonic() >= ends_at:
                    raise
            time.sleep(0.02)

    def act(self, person: str, view_id: str, action_id: str, **value: Any) -> Answer:  # noqa: ANN401
        """Use an element of a modal or of App Home; what is typed goes in as `value="…"`."""
        return self._run(lambda: self._acting.act(person, view_id, Used(action_id, value)))

    def submit(self, person: str, view_id: str, state: Json | None = None) -> Answer:
        """Submit a modal; `state` is {block_id: {action_id: {"value": …}}}, over what the form holds already."""
        return self._run(lambda: self._acting.submit(person, view_id, state or {}))

    def close_view(self, person: str, view_id: str) -> Answer:
        """Close a modal without submitting."""
        return self._run(lambda: self._acting.close(person, view_id))

    def command(self, person: str, channel: str, name: str, text: str = "") -> Answer:
        """Run a slash command."""
        return self._run(lambda: self._acting.command(person, channel, name, text))

    def say(self, person: str, channel: str, text: str, thread_ts: str = "") -> Answer:
        """Write a message, or a note into a thread."""
        return self._run(lambda: self._acting.say(person, channel, text, thread_ts))

    def open_home(self, person: str) -> Answer:
        """Open App Home."""
        return self._run(lambda: self._acting.open_home(person))

    # --- looking in, for tests -----------------------------------------------------------------------------

    def messages(self, channel: str) -> list[Json]:
        """Return a channel's messages, oldest first, thread replies too."""
        return self._look(lambda: list(self._workspace.find_channel(channel).messages.values()))

    def ephemerals(self, channel: str, person: str) -> list[Json]:
        """Return what only this person was shown in a channel."""
        user = self._acting.person(person).id
        return self._look(lambda: [m for m in self._workspace.find_channel(channel).ephemerals if m["to"] == user])

    def views(self, person: str) -> list[Json]:
        """Return the modals that a person has open, the lowest first."""
        user = self._acting.person(person).id
        return self._look(lambda: [self._workspace.views[i] for i in self._workspace.stacks[user]])

    def home(self, person: str) -> Json | None:
        """Return a person's App Home."""
        user = self._acting.person(person).id
        return self._look(lambda: self._workspace.views.get(self._workspace.homes.get(user, "")))

    def replies_on_stage(self) -> list[Json]:
        """Return every reply the stage took, oldest first."""
        return self._look(lambda: self._stage.replies)

    @property
    def pings(self) -> list[Ping]:
        """Everybody that any message called."""
        return list(self._workspace.pings)

    @property
    def complaints(self) -> list[str]:
        """What Slack would be unhappy about: late or missing acknowledgements, answers that can not be used."""
        return list(self._link.complaints)

    @property
    def envelopes(self) -> list[Json]:
        """Every Socket Mode envelope that was handed over, repetitions too."""
        return list(self._link.delivered)

    @property
    def connections(self) -> int:
        """How many sockets the app holds open."""
        return self._link.connections

    def wait_for(self, is_true: Callable[[], T], seconds: float = 10.0) -> T:
        """Wait until `is_true()` returns something true, and return that.

        Raises:
            TimeoutError: it did not come true.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := is_true():
                return found
            time.sleep(0.02)
        raise TimeoutError("what was waited for did not come true")

    # --- trouble, for tests --------------------------------------------------------------------------------

    def fail(self, method: str, how: How, times: int = 1) -> None:
        """Let the next calls of a Web API method go wrong."""
        self._faults.plan(method, how, times)

    def misbehave_on_stage(self, how: Misbehaviour, times: int = 1) -> None:
        """Let the next replies to the stage go wrong."""
        self._stage.plan(how, times)

    def repeat_next(self, times: int = 1) -> None:
        """Deliver the next envelope this many times more."""
        self._link.repeats += times

    def ask_to_reconnect(self) -> None:
        """Send every socket a `disconnect` frame, as Slack does every few hours."""
        self._run(self._link.ask_to_reconnect)

    def cut_connections(self) -> None:
        """End every socket without a word."""
        self._run(self._link.cut)

    def go_away(self) -> None:
        """Be unreachable: every call is cut, every socket too, until `come_back`."""
        self._faults.is_away = True
        self.cut_connections()

    def come_back(self) -> None:
        """Be reachable again."""
        self._faults.is_away = False

    def add_channel(self, channel: Channel) -> None:
        """Add a channel, e.g. `Channel("C0GENERAL", "general", is_member=False)`."""
        self._workspace.channels[channel.id] = channel

    def add_posts(self, rows: Iterable[Json]) -> None:
        """Let the stage know posts, so that it can show what a reply answers."""
        self._stage.add_rows(rows)

    def _look(self, read: Callable[[], T]) -> T:
        async def copied() -> T:
            return copy.deepcopy(read())

        return self._server.run(copied)

    def _run(self, work: Callable[[], Awaitable[T]]) -> T:
        return self._server.run(work)


def _fault_answer(how: str) -> Response:
    if how == "ratelimited":
        return JSONResponse({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": "1"})
    if how in {"server_error", "error_after"}:
        return Response("Internal Server Error", 500, media_type="text/plain")
    return Response(status_code=DROPPED)
