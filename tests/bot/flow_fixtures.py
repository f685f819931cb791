"""Stand-ins for what feeds intake: an assessor and a grouper that read plain marks, and platforms told what to do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bot.clock import ManualClock
from bot.intake import Intake
from bot.store import Store
from listeners.contract import Capability, Finding, Posted, Shape
from listeners.mention import Author, Batch, Mention
from nlp.assessment import Assessment, Grade

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def mention(native_id: str, text: str = "my kettle leaks, please help", **fields: Any) -> Mention:  # noqa: ANN401 - as Mention
    """Return a mention of a made-up place; each has its own author unless told otherwise."""
    fields.setdefault("author", Author(f"author_{native_id}", "Some One"))
    fields.setdefault("created_at", NOW)
    fields.setdefault("url", f"https://place.example/{native_id}")
    return Mention(platform=fields.pop("platform", "place"), native_id=native_id, text=text, **fields)


@dataclass
class MarkAssessor:
    """Reads marks in the text: 'urgent' is grade 3, 'chatter' grade 0, 'thanks' closes, '[70]' is the priority."""

    calls: list[int] = field(default_factory=list)
    poison: str = ""

    def assess(self, mentions: Sequence[Mention]) -> list[Assessment]:
        """Assess by the marks; fails on the poison."""
        self.calls.append(len(mentions))
        if self.poison and any(self.poison in each.text for each in mentions):
            raise ValueError("poisoned")
        return [assess(each.text) for each in mentions]


def assess(text: str) -> Assessment:
    """Return what the marks in a text say."""
    grade: Grade = 3 if "urgent" in text else 0 if "chatter" in text or "thanks" in text else 2
    priority = float(text.split("[", 1)[1].split("]", 1)[0]) if "[" in text else 50.0
    return Assessment(
        needs_reply=(0.05, 0.2, 0.8, 0.95)[grade],
        urgent=float(grade == 3),
        priority=priority,
        grade=grade,
        invited="yes",
        intent="complaint",
        language="en",
        closes="thanks" in text,
        model="marks",
    )


class ExactGrouper:
    """Takes texts for copies where they are equal but for capitals."""

    def __init__(self) -> None:
        self.texts: dict[str, int] = {}

    def prime(self, texts: Iterable[tuple[int, str]]) -> None:
        """Remember texts."""
        for key, text in texts:
            self.texts.setdefault(text.casefold(), key)

    def place(self, key: int, text: str) -> int | None:
        """Return who said it first."""
        first = self.texts.setdefault(text.casefold(), key)
        return None if first == key else first

    def forget(self, key: int) -> None:
        """Forget a text."""
        self.texts = {text: other for text, other in self.texts.items() if other != key}


class LonerGrouper(ExactGrouper):
    """Finds no copies at all."""

    def place(self, key: int, text: str) -> int | None:  # noqa: ARG002 - the shape of a grouper
        """Return that it is new."""
        return None


@dataclass(frozen=True)
class Cards:
    """A budget of cards."""

    per_day: int = 60
    stale_after_hours: float = 48


def build_intake(store: Store, clock: ManualClock | None = None, **changes: Any) -> Intake:  # noqa: ANN401 - as Intake
    """Return an intake over the stand-ins; nothing is a copy unless a grouper is given."""
    return Intake(
        store,
        changes.pop("assessor", None) or MarkAssessor(),
        changes.pop("grouper", None) or LonerGrouper(),
        changes.pop("cards", None) or Cards(),
        clock or ManualClock(NOW),
        **changes,
    )


def batch(*mentions: Mention, cursor: str = "", **fields: Any) -> tuple[str, Batch]:  # noqa: ANN401 - as Batch
    """Return a batch as the feed 'feed' brings it."""
    return "feed", Batch(mentions=tuple(mentions), cursor=cursor, **fields)


class ScriptedPlatform:
    """Listens and answers as it is told. Each call of `listen` plays the next of its scripts."""

    kind = "scripted"

    def __init__(self, *scripts: Sequence[Batch | Exception], answer: Callable[[str], Posted] | None = None) -> None:
        self.scripts = list(scripts)
        self.cursors: list[str | None] = []
        self.replies: list[tuple[str, str]] = []
        self.answer = answer or (lambda text: Posted(f"r-{len(text)}", "https://place.example/reply"))
        self.is_closed = threading.Event()

    def listen(self, cursor: str | None) -> Iterator[Batch]:
        """Play the next script; after the last one, wait until closed."""
        self.cursors.append(cursor)
        if not self.scripts:
            self.is_closed.wait(20)
            return
        for step in self.scripts.pop(0):
            if isinstance(step, Exception):
                raise step
            yield step

    def capability(self, mention: Mention) -> Capability:
        """Say that Cuecard can answer."""
        return Capability("api", url=mention.url)

    def shape(self, text: str, mention: Mention) -> Shape:  # noqa: ARG002 - the shape of a platform
        """Take any text."""
        return Shape(text, len(text), 0)

    def reply(self, mention: Mention, text: str, send_key: str, after: Posted | None = None) -> Posted:  # noqa: ARG002
        """Answer as told."""
        self.replies.append((text, send_key))
        return self.answer(text)

    def recheck(self, mentions: Sequence[Mention]) -> Batch:  # noqa: ARG002
        """Look at nothing again."""
        return Batch()

    def check(self) -> list[Finding]:
        """Find nothing."""
        return []

    def close(self) -> None:
        """End a running `listen`."""
        self.is_closed.set()


def number_of(store: Store, native_id: str) -> int:
    """Return the conversation of a mention."""
    sql = "select conversation_id from mention where native_id = ?"
    return int(store.read().execute(sql, (native_id,)).fetchone()[0])


def one(store: Store, sql: str, *values: object) -> Any:  # noqa: ANN401 - whatever the column holds
    """Return the single value of a query."""
    found = store.read().execute(sql, values).fetchone()
    return None if found is None else found[0]
