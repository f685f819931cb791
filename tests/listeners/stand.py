"""What a stand is: a place for one platform, with a small server that tells posts, and can be broken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from servers import Answer, Request, Script, Server

SECRET = "s3cret-token"
Serve = Callable[[Script], Server]


@dataclass
class Stand:
    """A place for one platform: its settings and secrets, and how to add a post to what it hears, or break it.

    `secrets` are the variables of the environment that it needs; `close` ends what the stand itself started.
    """

    settings: dict[str, object]
    add: Callable[[int, str], None]
    breaks: Callable[[], None]
    servers: tuple[Server, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict)
    close: Callable[[], None] = lambda: None


BuildsStand = Callable[[Serve, Path], Stand]


class Breakable:
    """A script that can be made to fail from now on."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.is_broken = False

    def __call__(self, request: Request) -> Answer:
        """Answer, or fail."""
        return Answer(500, SECRET.encode()) if self.is_broken else self.script(request)

    def breaks(self) -> None:
        """Fail from now on."""
        self.is_broken = True
