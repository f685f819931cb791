"""An author who writes again or edits a post, a post that another feed hears too: what that does to a conversation.

Runs inside the caller's open transaction. What a person holds stays theirs; what was settled opens again to the same
owner, unless the author only closes it ('thanks, works'); what was never shown needs to be above the line.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime

from sqlite_utils import Database

from bot.conversation import CUECARD, OPEN, State
from bot.line import MUST_ANSWER, Verdict
from bot.store.conversations import reopen
from bot.store.events import append_event
from bot.store.jobs import request_card
from bot.store.rows import change, row, stamp
from bot.store.sends import live_send
from nlp.assessment import Assessment

SUMMONED = "summon"
"""The event of a post that turned out to call one of our accounts."""
_KEPT = frozenset({"id", "conversation_id", "platform", "native_id", "created_at", "heard_at"})
_WAY = frozenset({"feed", "feed_platform", "account", "reply_ref", "brand", "watches", "may_train"})


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


def hear_again(  # noqa: PLR0913, PLR0917 - a mention, and what is thought of it
    db: Database,
    mention_id: int,
    columns: Mapping[str, object],
    assessment: Assessment,
    verdict: Verdict,
    now: datetime,
) -> None:
    """Give a stored mention what is known better by now: its author's newer words, or that we were summoned by it.

    What it said before is kept as a revision. The way back changes hands only while no reply is on it. What was settled
    or put off opens again where it must be answered only now.
    """
    found = row(
        db,
        "select m.text, m.text_exact, m.title, m.account, m.feed, m.conversation_id, c.state, c.grade, c.shown_at,"
        " c.lead_id, c.mentions, c.newest_mention_id from mention m join conversation c on c.id = m.conversation_id"
        " where m.id = ?",
        (mention_id,),
    )
    assert found is not None
    is_edited = any(found[name] != columns[name] for name in ("text", "text_exact", "title"))
    is_handed_over = any(found[name] != columns[name] for name in ("account", "feed"))
    if is_handed_over and live_send(db, found["conversation_id"]) is not None:
        columns = {name: value for name, value in columns.items() if name not in _WAY}
        is_handed_over = False
    if not is_edited and not is_handed_over:
        return
    _update(db, mention_id, columns, now, is_edited=is_edited)
    if is_handed_over:
        _hand_over(db, found, mention_id, columns, now)
    if found["newest_mention_id"] == mention_id:
        _weigh_again(db, found, assessment, verdict, now, is_edited=is_edited)


def _update(db: Database, mention_id: int, columns: Mapping[str, object], now: datetime, *, is_edited: bool) -> None:
    """Write what changed of a mention, and keep what it said before."""
    if is_edited:
        change(
            db,
            "insert into revision (mention_id, text, replaced_at) select id, text, ? from mention where id = ?",
            (stamp(now), mention_id),
        )
    changed = {name: value for name, value in columns.items() if name not in _KEPT}
    sets = ", ".join(f"{name} = :{name}" for name in changed)
    change(db, f"update mention set {sets} where id = :id", changed | {"id": mention_id})  # noqa: S608 - names are ours


def _hand_over(db: Database, found: sqlite3.Row, mention_id: int, columns: Mapping[str, object], now: datetime) -> None:
    """Let a conversation follow its newest mention to the feed whose account was summoned, and put that on record."""
    number, state = found["conversation_id"], found["state"]
    if found["newest_mention_id"] == mention_id:
        change(db, "update conversation set feed = ? where id = ?", (columns["feed"], number))
    detail = f"{columns['account']} was called; an answer goes out by the feed {columns['feed']}"
    append_event(db, number, SUMMONED, state, state, actor=CUECARD, now=now, detail=detail)
    if found["shown_at"] is not None or State(state) in OPEN:
        request_card(db, number, now)


def _weigh_again(  # noqa: PLR0913 - what the decision stands on
    db: Database, found: sqlite3.Row, assessment: Assessment, verdict: Verdict, now: datetime, *, is_edited: bool
) -> None:
    """Rank a conversation by what its newest mention says now, and open it where that asks for it.

    A copy that only summons us as well stays with the one it repeats: a crowd that pastes our name is one card still.
    """
    number, state, was_shown = found["conversation_id"], State(found["state"]), found["shown_at"] is not None
    rank(db, number, assessment, is_raised_only=found["mentions"] > 1)
    is_urgent_now = assessment.grade >= MUST_ANSWER > found["grade"]
    is_welcome = state is State.QUIET and bool(verdict) and (is_edited or found["lead_id"] is None)
    is_opened = False
    if (is_urgent_now or is_welcome) and not assessment.closes:
        why = "the author edited the post" if is_edited else "one of our accounts was called"
        is_opened = reopen(db, number, now, why) is not None
    if not is_opened and (was_shown or state in OPEN):
        request_card(db, number, now)


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
