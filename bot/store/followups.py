"""An author who writes again, or edits a post: what that does to a conversation that exists already.

Runs inside the caller's open transaction. What a person holds stays theirs; what was settled opens again to the same
owner, unless the author only closes it ('thanks, works'); what was never shown needs to be above the line.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlite_utils import Database

from bot.conversation import OPEN, State
from bot.line import MUST_ANSWER, Verdict
from bot.store.conversations import reopen
from bot.store.jobs import request_card
from bot.store.rows import change, row, stamp
from nlp.assessment import Assessment


def follow_up(
    db: Database, columns: Mapping[str, object], assessment: Assessment, verdict: Verdict, now: datetime
) -> bool:
    """Let a mention, inserted already, join its conversation; return whether that opened it again."""
    conversation_id = columns["conversation_id"]
    assert isinstance(conversation_id, int)
    found = row(db, "select state, shown_at from conversation where id = ?", (conversation_id,))
    assert found is not None
    state, was_shown = State(found["state"]), found["shown_at"] is not None
    change(
        db,
        "update conversation set mentions = mentions + 1, changed_at = :now, newest_mention_id ="
        " case when (select created_at from mention where id = newest_mention_id) > :created_at"
        " then newest_mention_id else :id end where id = :conversation_id",
        {
            "now": stamp(now),
            "created_at": columns["created_at"],
            "id": columns["id"],
            "conversation_id": conversation_id,
        },
    )
    is_opened = False
    if not assessment.closes:
        rank(db, conversation_id, assessment, is_raised_only=state in OPEN)
        is_opened = _open_again(db, conversation_id, state, verdict, was_shown=was_shown, now=now)
    if not is_opened and (was_shown or state in OPEN):
        request_card(db, conversation_id, now)
    return is_opened


def edit(  # noqa: PLR0913, PLR0917 - a mention, and what is thought of it
    db: Database,
    mention_id: int,
    columns: Mapping[str, object],
    assessment: Assessment,
    verdict: Verdict,
    now: datetime,
) -> None:
    """Give a stored mention its author's newer words; what it said before is kept as a revision.

    What was settled or put off opens again where it must be answered only now.
    """
    change(
        db,
        "insert into revision (mention_id, text, replaced_at) select id, text, ? from mention where id = ?",
        (stamp(now), mention_id),
    )
    kept = {"id", "conversation_id", "platform", "native_id", "feed", "created_at", "heard_at"}
    changed = {name: value for name, value in columns.items() if name not in kept}
    sets = ", ".join(f"{name} = :{name}" for name in changed)
    change(db, f"update mention set {sets} where id = :id", changed | {"id": mention_id})  # noqa: S608 - names are ours
    found = row(
        db,
        "select c.id, c.state, c.grade, c.shown_at, c.mentions, c.newest_mention_id from conversation c"
        " join mention m on m.conversation_id = c.id where m.id = ?",
        (mention_id,),
    )
    assert found is not None
    if found["newest_mention_id"] != mention_id:
        return
    state, was_shown = State(found["state"]), found["shown_at"] is not None
    rank(db, found["id"], assessment, is_raised_only=found["mentions"] > 1)
    is_urgent_now = assessment.grade >= MUST_ANSWER > found["grade"]
    is_opened = False
    if (is_urgent_now or (state is State.QUIET and verdict)) and not assessment.closes:
        is_opened = reopen(db, found["id"], now, "the author edited the post") is not None
    if not is_opened and (was_shown or state in OPEN):
        request_card(db, found["id"], now)


def rank(db: Database, conversation_id: int, assessment: Assessment, *, is_raised_only: bool) -> None:
    """Let a conversation rank by its newest mention; one that is open is only raised by it, never lowered."""
    sets = "priority = :priority, grade = :grade, needs_reply = :needs_reply"
    if is_raised_only:
        sets = (
            "priority = max(priority, :priority), grade = max(grade, :grade),"
            " needs_reply = max(needs_reply, :needs_reply)"
        )
    change(
        db,
        f"update conversation set {sets} where id = :id",  # noqa: S608 - the text is ours
        {
            "priority": assessment.priority,
            "grade": assessment.grade,
            "needs_reply": assessment.needs_reply,
            "id": conversation_id,
        },
    )


def _open_again(  # noqa: PLR0913 - what the decision stands on
    db: Database, conversation_id: int, state: State, verdict: Verdict, *, was_shown: bool, now: datetime
) -> bool:
    """Open a conversation that was settled or put off; what was never shown has to be above the line for it."""
    if state in {State.QUIET, State.EXPIRED} and not was_shown and not verdict:
        return False
    return reopen(db, conversation_id, now) is not None
