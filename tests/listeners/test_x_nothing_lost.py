"""Whatever happens in between, every post that a watch wants is heard."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import timedelta
from itertools import islice

from clocks import Hands
from fake_x import OUR_HANDLE, SECRETS, FakeX
from hypothesis import given, settings
from hypothesis import strategies as st
from servers import Answer, Request, Server

from listeners import x
from listeners.contract import FeedContext
from listeners.errors import ListenerError
from listeners.query import Watch, compile_watches

WATCHES = compile_watches([Watch("acme", "Acme", "acme -jobs"), Watch("globex", "Globex", "globex")])

steps = st.one_of(
    st.tuples(st.just("post"), st.sampled_from(["acme", "globex", f"@{OUR_HANDLE}", "nothing"]), st.integers(1, 4)),
    st.tuples(st.just("wait"), st.sampled_from([1, 29, 61, 600, 30_000]), st.just(0)),
    st.tuples(st.just("look"), st.sampled_from(["stored", "lost"]), st.integers(1, 3)),
    st.tuples(st.just("fail"), st.just(""), st.integers(0, 4)),
    st.tuples(st.just("restart"), st.just(""), st.just(0)),
)


class World:
    """A feed, what it stored, and what it should have heard."""

    def __init__(self, server: Server, fake: FakeX, hands: Hands) -> None:
        self.server, self.fake, self.hands = server, fake, hands
        self.stored: str | None = None
        self.heard: set[str] = set()
        self.failing: list[bool] = []
        self.feed = self._open()
        inner = server.script
        server.script = lambda request: Answer(503) if self._is_failing(request) else inner(request)

    def _open(self) -> x.X:
        context = FeedContext("main", WATCHES, self.hands.pause, now=self.hands.now, secrets=SECRETS)
        told = {"handle": OUR_HANDLE, "base_url": self.server.url, "mode": "poll", "user_id": "77"}
        return x.open_platform(told, replace(context))

    def _is_failing(self, _request: Request) -> bool:
        return self.failing.pop(0) if self.failing else False

    def take(self, step: tuple[str, str | int, int]) -> None:
        """Let one thing happen."""
        name, what, number = step
        if name == "post":
            for _post in range(number):
                self.fake.add(str(what), 0)
        elif name == "wait":
            self.hands.moment += timedelta(seconds=int(what))
        elif name == "look":
            self.look(number, is_stored=what == "stored")
        elif name == "fail":
            self.failing = [False] * number + [True]
        else:
            self.feed.close()
            self.feed = self._open()

    def look(self, batches: int, *, is_stored: bool) -> None:
        """Listen from what is stored; keep what comes, or lose it."""
        listener = self.feed.listen(self.stored)
        with contextlib.suppress(ListenerError), contextlib.closing(listener):
            for batch in islice(listener, batches):
                if is_stored:
                    self.heard |= {mention.native_id for mention in batch.mentions}
                    self.stored = batch.cursor


@settings(max_examples=40)
@given(happened=st.lists(steps, max_size=14), page=st.integers(1, 4))
def test_every_post_is_heard(happened: list[tuple[str, str | int, int]], page: int):
    """Looks that fail in their middle, batches that are lost, restarts, pages, and a search that learns late."""
    hands = Hands()
    fake = FakeX(now=hands.now)
    fake.lag, fake.page_size = timedelta(seconds=30), page
    with Server(fake) as server:
        world = World(server, fake, hands)
        world.look(1, is_stored=True)
        for step in happened:
            world.take(step)
        world.failing = []
        hands.moment += timedelta(seconds=31)
        world.look(1, is_stored=True)
        world.feed.close()
        wanted = {each.id for each in fake.posts.values() if "nothing" not in each.text}
        assert wanted <= world.heard
