"""Card views: all that Slack draws of a conversation, read in one query each; and where the messages stand."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime

from sqlite_utils import Database

from bot.conversation import CUECARD, Event, State
from bot.records import CardView
from bot.store.conversations import conversation_of, move
from bot.store.jobs import now_edits
from bot.store.mentions import assessment_of, mention_of
from bot.store.rows import change, row, rows, stamp
from bot.store.sends import send_of

# `c`, `m`, `k` and `s` are read by name, so what has the same name in two tables is named apart.
_VIEW = """
select
    m.*, m.id as mention_id, m.removed_at is not null as is_removed,
    k.channel as card_channel, k.ts as card_ts, c.id as conversation_number
from conversation c
join mention m on m.id = c.newest_mention_id
left join card k on k.conversation_id = c.id
where c.id in (select value from json_each(?))
"""
_CONVERSATIONS = "select * from conversation where id in (select value from json_each(?))"
_NEWEST_SENDS = """
select * from send where id in (
    select max(id) from send where conversation_id in (select value from json_each(?)) group by conversation_id
)
"""
_QUEUE = """
select id, grade, priority, heard_at from conversation
where state in ('shown', 'claimed', 'sending') order by grade desc, priority desc, heard_at limit ?
"""
_QUEUE_OF = """
select id, grade, priority, heard_at from conversation
where state in ('shown', 'claimed', 'sending') and owner_id is not null and owner_id = ?
order by grade desc, priority desc, heard_at limit ?
"""
_DUE = """
select id, grade, priority, heard_at from conversation
where state = 'snoozed' and snoozed_until <= ? and (? is null or owner_id = ?)
"""
_QUIET = "select id from conversation where state = 'quiet' order by heard_at desc limit ?"


def card_views(db: Database, ids: Sequence[int]) -> list[CardView]:
    """Return the views of these conversations, in this order; those that do not exist are left out. Three queries."""
    if not ids:
        return []
    wanted = json.dumps(list(ids))
    conversations = {each["id"]: each for each in rows(db, _CONVERSATIONS, (wanted,))}
    sends = {each["conversation_id"]: each for each in rows(db, _NEWEST_SENDS, (wanted,))}
    views = {
        each["conversation_number"]: _view_of(
            conversations[each["conversation_number"]], each, sends.get(each["conversation_number"])
        )
        for each in rows(db, _VIEW, (wanted,))
    }
    return [views[number] for number in ids if number in views]


def card_view(db: Database, conversation_id: int) -> CardView | None:
    """Return the view of one conversation, or None where there is none of that number."""
    found = card_views(db, [conversation_id])
    return found[0] if found else None


def queue(db: Database, now: datetime, limit: int, offset: int = 0, owner: str | None = None) -> list[CardView]:
    """Return what is unanswered, best first: grade, then priority, then the longest wait; snoozes that are over too."""
    most = limit + offset
    waiting = rows(db, _QUEUE, (most,)) if owner is None else rows(db, _QUEUE_OF, (owner, most))
    due = rows(db, _DUE, (stamp(now), owner, owner))
    best = sorted([*waiting, *due], key=lambda each: (-each["grade"], -each["priority"], each["heard_at"], each["id"]))
    return card_views(db, [each["id"] for each in best[offset : offset + limit]])


def quiet(db: Database, limit: int) -> list[CardView]:
    """Return what was kept below the line, newest first."""
    return card_views(db, [each["id"] for each in rows(db, _QUIET, (limit,))])


def cards_shown_since(db: Database, when: datetime) -> int:
    """Count the cards posted since a moment: they use up the day's budget."""
    found = row(db, "select count(*) as shown from card where posted_at >= ?", (stamp(when),))
    return 0 if found is None else int(found["shown"])


def cards_coming(db: Database) -> int:
    """Count the conversations that wait for their first card."""
    found = row(db, "select count(*) as coming from conversation where state = 'new'")
    return 0 if found is None else int(found["coming"])


def record_message(db: Database, conversation_id: int, channel: str, ts: str, now: datetime) -> None:
    """Remember where a conversation's card stands in Slack; a new conversation is shown from here on."""
    change(
        db,
        "insert into card (conversation_id, channel, ts, posted_at) values (?, ?, ?, ?)"
        " on conflict (conversation_id) do update set channel = excluded.channel, ts = excluded.ts",
        (conversation_id, channel, ts, stamp(now)),
    )
    change(
        db,
        "update conversation set shown_at = coalesce(shown_at, ?) where id = ?",
        (stamp(now), conversation_id),
    )
    state = row(db, "select state from conversation where id = ?", (conversation_id,))
    if state is not None and state["state"] == State.NEW:
        move(db, conversation_id, Event.SHOW, CUECARD, now, redraw=False)
    now_edits(db, conversation_id)


def conversation_of_message(db: Database, channel: str, ts: str) -> int | None:
    """Return the conversation whose card this Slack message is."""
    found = row(db, "select conversation_id from card where channel = ? and ts = ?", (channel, ts))
    return None if found is None else int(found["conversation_id"])


def _view_of(conversation: sqlite3.Row, mention: sqlite3.Row, send: sqlite3.Row | None) -> CardView:
    return CardView(
        conversation=conversation_of(conversation),
        mention_id=mention["mention_id"],
        mention=mention_of(mention),
        assessment=assessment_of(mention),
        earlier=max(0, conversation["mentions"] - 1),
        copies=conversation["copies"],
        send=None if send is None else send_of(send),
        channel=mention["card_channel"] or "",
        message_ts=mention["card_ts"] or "",
        is_removed=bool(mention["is_removed"]),
    )
