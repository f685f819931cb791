"""Live updates for the page: one stream of server-sent events per open page."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

from bot.demo.workspace import Change

HEARTBEAT_SECONDS = 15.0


class Live:
    """The open pages, and what each still has to be told."""

    def __init__(self) -> None:
        self._queues: dict[asyncio.Queue[Change | None], str] = {}

    def tell(self, change: Change) -> None:
        """Queue a change for every page that may see it."""
        for queue, user in self._queues.items():
            if change["to"] in {"", user}:
                queue.put_nowait(change)

    def end(self) -> None:
        """Let every stream come to its end."""
        for queue in self._queues:
            queue.put_nowait(None)

    async def stream(self, user: str) -> AsyncIterator[str]:
        """Yield the changes for one person as server-sent events, with a heartbeat while nothing happens."""
        queue: asyncio.Queue[Change | None] = asyncio.Queue()
        self._queues[queue] = user
        try:
            yield "retry: 500\nevent: ready\ndata: {}\n\n"
            while True:
                change: Change | None = {}
                with contextlib.suppress(TimeoutError):
                    change = await asyncio.wait_for(queue.get(), HEARTBEAT_SECONDS)
                if change is None:
                    return
                yield f"data: {json.dumps(change)}\n\n" if change else ": still here\n\n"
        finally:
            del self._queues[queue]
