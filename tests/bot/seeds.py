"""What the tests of bot core put into a store: mentions, as intake would write them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bot.conversation import Actor
from bot.line import QuietCause, Verdict
from bot.store import Store
from bot.store.hearing import Heard, columns_of, conversation_key, write_mentions
from listeners.contract import Shape
from listeners.mention import Author, Mention
from nlp.assessment import Assessment, Grade, Reason

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
ANA = Actor("U1", "Ana Lima")
BEN = Actor("U2", "Ben Okafor")


def a_mention(native_id: str = "1", text: str = "my kettle leaks", **fields: Any) -> Mention:  # noqa: ANN401 - any of its fields
    """Return a mention; each has an author and so a conversation of its own, unless told otherwise."""
    fields.setdefault("author", Author(f"author_{native_id}", "Some One", 12, f"id-{native_id}"))
    fields.setdefault("url", f"https://stage.example/posts/{native_id}")
    return Mention(platform="stage", native_id=native_id, text=text, created_at=NOW, feed="stage-feed", **fields)


def an_assessment(grade: Grade = 2, priority: float = 50.0, *, closes: bool = False) -> Assessment:
    """Return an assessment."""
    return Assessment(
        needs_reply=0.9 if grade >= 2 else 0.1,
        urgent=0.9 if grade == 3 else 0.1,
        priority=priority,
        grade=grade,
        invited="yes",
        intent="complaint",
        language="en",
        intents={"complaint": 0.9},
        reasons=(Reason("says that it leaks", 0.4, (10, 15)), Reason("writes to us", 0.2)),
        closes=closes,
        model="test",
    )


def hear(
    store: Store,
    mention: Mention,
    assessment: Assessment | None = None,
    *,
    cause: QuietCause = "",
    twin_of: Mention | None = None,
    now: datetime = NOW,
) -> int:
    """Write a mention down as intake does; return the number of its conversation."""
    told = assessment or an_assessment()
    heard = Heard(
        conversation_key(mention),
        columns_of(mention, told, now),
        told,
        Verdict(cause),
        conversation_key(twin_of) if twin_of else "",
    )
    with store.transaction() as db:
        write_mentions(db, [heard], now)
    key = (mention.platform, mention.native_id)
    sql = "select conversation_id from mention where platform = ? and native_id = ?"
    return int(store.read().execute(sql, key).fetchone()[0])


def show(store: Store, conversation_id: int, now: datetime = NOW) -> None:
    """Let a conversation's card stand in Slack."""
    store.record_message(conversation_id, "C1", f"{1_700_000_000 + conversation_id}.000100", now)


def shaped(text: str, limit: int = 280, problem: str = "") -> Shape:
    """Return a reply as the stage platform would shape it."""
    return Shape(text.strip(), len(text.strip()), limit, problem=problem)


def newest_mention(store: Store, conversation_id: int) -> int:
    """Return the number of a conversation's newest mention."""
    view = store.card_view(conversation_id)
    assert view is not None
    return view.mention_id
