"""The page's own addresses: its files, its state, its live stream, and what people do on it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.demo import team
from bot.demo.acting import Acting, Answer, Used
from bot.demo.blocks import Json
from bot.demo.live import Live
from bot.demo.stage import Stage
from bot.demo.team import SlashCommand
from bot.demo.workspace import SlackRefusal, Workspace

FILES = files("bot.demo") / "page"
KINDS = {"js": "text/javascript", "css": "text/css", "html": "text/html", "svg": "image/svg+xml"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


class PageRoutes:
    """Serves the page to people."""

    def __init__(
        self, workspace: Workspace, acting: Acting, stage: Stage, live: Live, commands: tuple[SlashCommand, ...]
    ) -> None:
        self._workspace = workspace
        self._acting = acting
        self._stage = stage
        self._live = live
        self._commands = commands

    def routes(self) -> list[Route]:
        """Return the routes to mount."""
        return [
            Route("/", self._file("index.html")),
            Route("/archives/{channel}/{message}", self._file("index.html")),
            Route("/page/files/{name}", self._named_file),
            Route("/page/state", self._state),
            Route("/page/live", self._stream),
            Route("/page/posts/{post_id:path}", self._post),
            Route("/page/do/{what}", self._do, methods=["POST"]),
            Route("/stage/replies", self._stage.take_reply, methods=["POST"]),
            Route("/stage/{post_id:path}", self._file("post.html")),
        ]

    def _file(self, name: str) -> Callable[[Request], Awaitable[Response]]:
        async def serve(_request: Request) -> Response:
            return _serve(name)

        return serve

    async def _named_file(self, request: Request) -> Response:
        return _serve(request.path_params["name"])

    async def _state(self, request: Request) -> Response:
        try:
            person = self._acting.person(request.query_params.get("as", team.TEAMMATES[0].id))
        except SlackRefusal:
            return JSONResponse({"sentence": "There is no such teammate."}, 404)
        return JSONResponse(self.state_for(person.id))

    def state_for(self, user: str) -> Json:
        """Return all that one person sees."""
        space = self._workspace
        home = space.views.get(space.homes.get(user, ""))
        return {
            "me": user,
            "team": team.TEAM_NAME,
            "bot": team.BOT_USER_ID,
            "people": [
                {"id": p.id, "name": p.name, "title": p.title, "is_bot": p.is_bot} for p in space.people.values()
            ],
            "commands": [{"name": c.name, "hint": c.hint, "description": c.description} for c in self._commands],
            "channels": [
                {
                    "id": c.id,
                    "name": c.name,
                    "messages": sorted(
                        [*c.messages.values(), *(m for m in c.ephemerals if m["to"] == user)], key=lambda m: m["ts"]
                    ),
                }
                for c in space.channels.values()
                if not c.user and not c.is_archived and c.is_member
            ],
            "views": [space.views[i] for i in space.stacks[user]],
            "home": home,
            "stage": self._stage.shown(),
        }

    async def _stream(self, request: Request) -> Response:
        user = request.query_params.get("as", "")
        return StreamingResponse(self._live.stream(user), media_type="text/event-stream", headers=HEADERS)

    async def _post(self, request: Request) -> Response:
        post = self._stage.posts.get(request.path_params["post_id"])
        if post is None:
            return JSONResponse({"sentence": "There is no such post on this stage."}, 404)
        return JSONResponse(post.to_json())

    async def _do(self, request: Request) -> Response:
        row: Json = await request.json()
        try:
            answer = await self._perform(request.path_params["what"], row)
        except SlackRefusal as refusal:
            return JSONResponse(Answer(f"That can not be done: {refusal.code}.").to_json(), 400)
        except KeyError as err:
            return JSONResponse(Answer(f"Missing: {err.args[0]}.").to_json(), 400)
        return JSONResponse(answer.to_json())

    async def _perform(self, what: str, row: Json) -> Answer:
        acting, user = self._acting, row["as"]
        doing: dict[str, Callable[[], Awaitable[Answer]]] = {
            "say": lambda: acting.say(user, row["channel"], row["text"], row.get("thread_ts", "")),
            "command": lambda: acting.command(user, row["channel"], row["command"], row["text"]),
            "press": lambda: acting.press(user, row["channel"], row["ts"], _used(row)),
            "act": lambda: acting.act(user, row["view_id"], _used(row)),
            "submit": lambda: acting.submit(user, row["view_id"], row["state"]),
            "close": lambda: acting.close(user, row["view_id"], is_all=bool(row.get("is_all"))),
            "home": lambda: acting.open_home(user),
        }
        if what not in doing:
            raise SlackRefusal("unknown_action")
        return await doing[what]()


def _used(row: Json) -> Used:
    return Used(row["action_id"], row["value"], row["block_id"], row.get("state", {}))


def _serve(name: str) -> Response:
    kind = KINDS.get(name.rpartition(".")[2])
    file = FILES / name
    if kind is None or "/" in name or not file.is_file():
        return Response("Not found", 404, media_type="text/plain")
    return Response(file.read_bytes(), headers=HEADERS, media_type=kind)
