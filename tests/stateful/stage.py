"""What the state machines play with: people, mentions, a store whose power fails, and a platform with lost answers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from bot.conversation import Actor
from bot.line import Verdict
from bot.store import Database, Store
from bot.store.hearing import Heard, columns_of, conversation_key, write_mentions
from listeners.contract import Capability, Posted, Shape
from listeners.errors import Permanent, RefusedByRules, Retryable, Unknown
from listeners.mention import Author, Mention
from listeners.parts import cut_parts
from nlp.assessment import Assessment

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
HOLD = timedelta(seconds=30)
PEOPLE = (Actor("U1", "Ana Lima"), Actor("U2", "Ben Okafor"), Actor("U3", "Chi Nwosu"))
Cut = Literal["before the commit", "after the commit"]
Answer = Literal["posted", "refused", "closed", "busy", "lost", "lost before", "power cut", "power cut before"]
LIMIT = 60
THREAD = (
    "We are sorry about your kettle, Sam, and about the wait. A new one is in the post since noon, with a card."
    " Write to us when it is there, or when it is not."
)


class PowerCutError(BaseException):
    """The process ends here. Not an Exception: nothing may catch it and carry on."""


class FragileStore(Store):
    """A real store whose process can be made to die around a commit."""

    def __init__(self, path: Path) -> None:
        """Begin with the power on."""
        super().__init__(path)
        self._cut: tuple[int, Cut] | None = None

    def _connect(self) -> Database:
        """Do not wait for the disk: a process dies here, not the machine."""
        db = super()._connect()
        db.execute("pragma synchronous = off")
        return db

    @contextlib.contextmanager
    def power_cut(self, transactions: int, when: Cut | None) -> Iterator[None]:
        """Let the power fail in a transaction of the block, if there are as many: 0 is the first."""
        self._cut = (transactions, when) if when else None
        try:
            yield
        finally:
            self._cut = None

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Database]:
        """Run a transaction, and die where it was said."""
        turn, when = self._cut or (-1, "after the commit")
        self._cut = (turn - 1, when) if turn > 0 else None
        with super().transaction() as db:
            yield db
            if turn == 0 and when == "before the commit":
                raise PowerCutError
        if turn == 0:
            raise PowerCutError

    def everything(self) -> list[str]:
        """Return all that is stored."""
        return list(self.read().conn.iterdump())


def reborn(store: FragileStore) -> FragileStore:
    """Open the same file as the next process does."""
    store.close()
    again = FragileStore(store.path)
    again.open()
    return again


def hear(store: Store, native_id: str, now: datetime) -> int:
    """Write a mention down as intake does; return its conversation."""
    mention = Mention("stage", native_id, f"my kettle leaks ({native_id})", Author(f"a{native_id}"), now, "stage")
    told = Assessment(0.9, 0.1, 50.0, 2, "yes", "complaint", "en")
    with store.transaction() as db:
        heard = Heard(conversation_key(mention), columns_of(mention, told, now), told, Verdict())
        write_mentions(db, [heard], now)
        found = db.execute("select conversation_id from mention where native_id = ?", (native_id,)).fetchone()
    return int(found[0])


def shaped(text: str) -> Shape:
    """Return a reply as the stage platform would shape it; what is too long in parts, a sentence each."""
    if len(text) <= LIMIT:
        return Shape(text, len(text), LIMIT)
    parts = cut_parts(text, lambda piece: len(piece) <= LIMIT)
    return Shape(text, len(text), LIMIT, problem="It is too long.", parts=parts)


class StagePlatform:
    """A platform that keeps what it posted, by send key. Its answers, and the caller's power, can be lost.

    `answers` are used up one by one; after the last it posts. `orphans` are the keys of parts that were asked for
    though the part before them was not known to be up, and `closed` says that programs were sent away for good.
    """

    kind = "stage"

    def __init__(self) -> None:
        """Begin with nothing posted."""
        self.answers: list[Answer] = []
        self.posted: list[tuple[str, str]] = []
        self.doubtful: set[str] = set()
        self.repeated: list[str] = []
        self.orphans: list[str] = []
        self.watch: Callable[[str], None] = lambda _key: None
        self._told: dict[str, Posted] = {}

    def reply(self, mention: Mention, text: str, send_key: str, after: Posted | None = None) -> Posted:
        """Post, or not, and say so, or not."""
        assert mention.platform == "stage"
        self.watch(send_key)
        self._check(send_key, after)
        answer = self.answers.pop(0) if self.answers else "posted"
        if answer == "refused":
            raise Permanent("The post is locked.")
        if answer == "closed":
            raise RefusedByRules("Only people may answer here.", url="https://stage.example/write")
        if answer == "busy":
            raise Retryable("Try again later.")
        if "lost" in answer or "cut" in answer:
            self.doubtful.add(send_key)
        if "before" not in answer:
            self.posted.append((send_key, text))
        if "cut" in answer:
            raise PowerCutError
        if "lost" in answer:
            raise Unknown("The connection broke.")
        count = len(self.posted)
        self._told[send_key] = Posted(f"post-{count}", f"https://stage.example/{count}", f"ref-{count}", 1000)
        return self._told[send_key]

    def _check(self, send_key: str, after: Posted | None) -> None:
        """Note a post that is asked for again, and a part that does not follow one whose place was told."""
        if send_key in self.doubtful or send_key in {key for key, _ in self.posted}:
            self.repeated.append(send_key)
        row, _, number = send_key.partition("-")
        before = self._told.get(f"{row}-{int(number) - 1}") if number else None
        if after != before or (number not in {"", "1"} and before is None):
            self.orphans.append(send_key)

    def cost(self) -> int:
        """Return what all that it confirmed did cost."""
        return sum(each.cost_micros for each in self._told.values())

    def capability(self, mention: Mention) -> Capability:
        """Everything can be answered here."""
        return Capability("api", account=f"@{mention.brand}")
