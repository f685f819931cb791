"""Writing down what was heard: mentions with their assessment, and the conversations they belong to.

Everything here runs inside the caller's open transaction, together with the feed's cursor and the card jobs. New rows
are numbered here and written in bulk: nobody else can write while the transaction is open.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter

from sqlite_utils import Database

from bot.conversation import CUECARD, Event, State
from bot.line import QuietCause, Verdict
from bot.store.events import HEARD
from bot.store.followups import follow_up
from bot.store.jobs import request_card
from bot.store.mentions import assessment_values, mention_values
from bot.store.rows import change, row, rows, stamp
from bot.store.texts import plain, whole
from bot.way import Way
from listeners.mention import Mention
from nlp.assessment import Assessment

NativeId = tuple[str, str]
"""Platform and the platform's own id: what makes a mention unique."""

_MOST = 2**63 - 1
_JOINED = frozenset({State.NEW, State.SHOWN, State.CLAIMED, State.SENDING, State.SNOOZED, State.DISMISSED})
"""A copy joins a conversation in one of these states; where it was answered, the next one needs its own answer."""
_CAUSES: Mapping[QuietCause, str] = {
    "line": "below the line",
    "budget": "over the day's budget",
    "stale": "too old to show when it was heard",
    "copy": "says the same as another",
}


@dataclass(frozen=True, slots=True)
class Known:
    """A mention that is stored already, as far as telling an edit or a summons from a repeat needs it."""

    mention_id: int
    title: str
    text: str
    is_removed: bool
    way: Way


@dataclass(frozen=True, slots=True)
class Heard:
    """A mention to write down: its columns, ready made, and how its conversation stands to the line.

    `key` names its conversation; `twin_key` the conversation it says the same as, '' where it is new.
    """

    key: str
    columns: Mapping[str, object]
    assessment: Assessment
    verdict: Verdict
    twin_key: str = ""

    @property
    def native_id(self) -> NativeId:
        """What makes the mention unique."""
        return str(self.columns["platform"]), str(self.columns["native_id"])


@dataclass(slots=True)
class Written:
    """What became of the mentions. `restarted` are pairs: the twin that led before, the conversation that leads now."""

    new: int = 0
    shown: int = 0
    reopened: int = 0
    quiet: Counter[QuietCause] = field(default_factory=Counter)
    restarted: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class _Fresh:
    """A conversation that begins now."""

    id: int
    heard: list[Heard]
    lead_id: int | None = None
    cause: QuietCause = ""
    newest_mention_id: int = 0
    newest_at: float = 0.0

    @property
    def state(self) -> State:
        return State.QUIET if self.cause else State.NEW


def id_of(mention: Mention) -> NativeId:
    """Return what makes a mention unique, as it is stored."""
    return plain(mention.platform), plain(mention.native_id)


def conversation_key(mention: Mention) -> str:
    """Return what the mentions of one conversation have in common: the place, the thread and the author."""
    author = mention.author.native_id or mention.author.handle
    return plain(f"{mention.platform}|{mention.thread_id or mention.native_id}|{author}")


def columns_of(
    mention: Mention, assessment: Assessment, now: datetime, *, may_train: bool = False
) -> dict[str, object]:
    """Return the row of a mention, but for its numbers. Pure, so that it can be made outside the transaction."""
    columns = mention_values(mention)
    if mention.author.followers is not None:
        columns["followers"] = max(-_MOST, min(mention.author.followers, _MOST))
    return columns | assessment_values(assessment) | {"heard_at": stamp(now), "may_train": int(may_train)}


def known_mentions(db: Database, native_ids: Collection[NativeId]) -> dict[NativeId, Known]:
    """Return those of the mentions that are stored already."""
    found = rows(
        db,
        "select m.platform, m.native_id, m.id, m.title, m.text, m.text_exact, m.removed_at,"
        " m.feed, m.feed_platform, m.account, m.reply_ref, m.brand, m.watches"
        " from json_each(?) as wanted cross join mention as m on m.platform = json_extract(wanted.value, '$[0]')"
        " and m.native_id = json_extract(wanted.value, '$[1]')",
        (json.dumps(list(native_ids)),),
    )
    return {(each["platform"], each["native_id"]): _known_of(each) for each in found}


def _known_of(found: sqlite3.Row) -> Known:
    way = Way(
        found["feed"],
        found["feed_platform"],
        found["account"],
        found["reply_ref"],
        found["brand"],
        tuple(json.loads(found["watches"])),
    )
    text = whole(found["text"], found["text_exact"])
    return Known(found["id"], found["title"], text, found["removed_at"] is not None, way)


def known_conversations(db: Database, keys: Collection[str]) -> dict[str, sqlite3.Row]:
    """Return the conversations that exist already, by their key: id, state and lead_id."""
    found = rows(
        db,
        "select c.key, c.id, c.state, c.lead_id from json_each(?) as wanted"
        " cross join conversation as c on c.key = wanted.value",
        (json.dumps(list(keys)),),
    )
    return {each["key"]: each for each in found}


def recent_texts(db: Database, limit: int) -> list[tuple[str, str, str]]:
    """Return key, title and text of what newly began of late, oldest first: what the next ones are compared with."""
    found = rows(
        db,
        "select c.key, m.title, m.text from mention m join conversation c on c.id = m.conversation_id"
        " where c.lead_id is null and m.removed_at is null order by m.id desc limit ?",
        (limit,),
    )
    return [(each["key"], each["title"], each["text"]) for each in reversed(found)]


def write_mentions(db: Database, heard: Sequence[Heard], now: datetime) -> Written:
    """Write new mentions; those known by now are left out. A follow-up joins the conversation it belongs to."""
    written = Written()
    known = known_mentions(db, [each.native_id for each in heard])
    unknown = [each for each in heard if each.native_id not in known]
    if not unknown:
        return written
    standing = known_conversations(db, {key for each in unknown for key in (each.key, each.twin_key) if key})
    fresh = _begin(db, unknown, standing, written)
    numbered = _number(db, unknown, fresh, standing)
    _insert_conversations(db, list(fresh.values()), now)
    _insert_mentions(db, numbered)
    _count_copies(db, fresh.values(), now)
    for conversation in fresh.values():
        if conversation.state is State.NEW:
            request_card(db, conversation.id, now)
    for each, columns in zip(unknown, numbered, strict=True):
        if each.key not in fresh:
            written.reopened += follow_up(db, columns, each.assessment, each.verdict, now)
    written.new = len(unknown)
    written.shown = sum(conversation.state is State.NEW for conversation in fresh.values())
    written.quiet.update(conversation.cause for conversation in fresh.values() if conversation.cause)
    return written


def _begin(
    db: Database, unknown: Iterable[Heard], standing: Mapping[str, sqlite3.Row], written: Written
) -> dict[str, _Fresh]:
    """Return the conversations that begin with these mentions, by key: shown, quiet, or a copy of another."""
    fresh: dict[str, _Fresh] = {}
    number = _last_number(db, "conversation")
    for each in unknown:
        if each.key in standing:
            continue
        if each.key in fresh:
            _join(fresh[each.key], each)
            continue
        number += 1
        lead_id = _lead_of(db, each, fresh, standing) if each.twin_key else None
        cause: QuietCause = each.verdict.cause if lead_id is None else "copy"
        fresh[each.key] = _Fresh(number, [each], lead_id, cause)
        if each.twin_key and lead_id is None:
            written.restarted.append((each.twin_key, each.key))
    return fresh


def _join(conversation: _Fresh, each: Heard) -> None:
    """Let a second mention join a conversation that begins in the same transaction."""
    conversation.heard.append(each)
    if each.verdict and not each.assessment.closes:
        conversation.cause, conversation.lead_id = "", None


def _lead_of(db: Database, each: Heard, fresh: Mapping[str, _Fresh], standing: Mapping[str, sqlite3.Row]) -> int | None:
    """Return the number of the conversation that a copy is shown with, or None where it stands for itself.

    A copy of a quiet one is above the line itself: then it gets the card.
    """
    twin = fresh.get(each.twin_key)
    if twin is not None:
        number, state = twin.id if twin.lead_id is None else twin.lead_id, twin.state
        if twin.lead_id is not None:
            return number
    elif (stored := standing.get(each.twin_key)) is not None:
        number, state = _lead_row(db, stored)
    else:
        return None
    is_joined = state in _JOINED or (state is State.QUIET and not each.verdict)
    return number if is_joined else None


def _lead_row(db: Database, stored: sqlite3.Row) -> tuple[int, State]:
    """Return number and state of the conversation on whose card a stored one is shown."""
    lead = stored
    if stored["lead_id"] is not None:
        lead = row(db, "select id, state from conversation where id = ?", (stored["lead_id"],)) or stored
    return lead["id"], State(lead["state"])


def _number(
    db: Database, unknown: Iterable[Heard], fresh: Mapping[str, _Fresh], standing: Mapping[str, sqlite3.Row]
) -> list[dict[str, object]]:
    """Return the rows of the mentions, each with its own number and its conversation's."""
    numbered = []
    for mention_id, each in enumerate(unknown, _last_number(db, "mention") + 1):
        conversation = fresh.get(each.key)
        conversation_id = standing[each.key]["id"] if conversation is None else conversation.id
        numbered.append({**each.columns, "id": mention_id, "conversation_id": conversation_id})
        created_at = each.columns["created_at"]
        assert isinstance(created_at, float)
        if conversation is not None and (not conversation.newest_mention_id or created_at >= conversation.newest_at):
            conversation.newest_mention_id, conversation.newest_at = mention_id, created_at
    return numbered


def _insert_mentions(db: Database, numbered: Sequence[Mapping[str, object]]) -> None:
    names = list(numbered[0])
    sql = f"insert into mention ({', '.join(names)}) values ({', '.join('?' * len(names))})"  # noqa: S608 - names are ours
    db.conn.executemany(sql, map(itemgetter(*names), numbered))


def _insert_conversations(db: Database, fresh: Sequence[_Fresh], now: datetime) -> None:
    """Insert conversations and the first lines of their record."""
    db.conn.executemany(
        "insert into conversation (id, key, platform, feed, author, brand, state, quiet_cause, lead_id,"
        " priority, grade, needs_reply, heard_at, changed_at, newest_mention_id, mentions)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [_conversation_values(conversation, stamp(now)) for conversation in fresh],
    )
    events: list[tuple[object, ...]] = []
    for each in fresh:
        events.append((each.id, stamp(now), CUECARD.id, CUECARD.name, HEARD, "", State.NEW.value, ""))
        if each.cause:
            quiet = (Event.KEEP_QUIET.value, State.NEW.value, State.QUIET.value, _CAUSES.get(each.cause, each.cause))
            events.append((each.id, stamp(now), CUECARD.id, CUECARD.name, *quiet))
    db.conn.executemany(
        "insert into event (conversation_id, at, actor_id, actor_name, event, before, after, detail)"
        " values (?, ?, ?, ?, ?, ?, ?, ?)",
        events,
    )


def _conversation_values(each: _Fresh, now: float) -> tuple[object, ...]:
    first = each.heard[0].columns
    telling = [heard.assessment for heard in each.heard if not heard.assessment.closes] or [each.heard[0].assessment]
    return (
        each.id,
        each.heard[0].key,
        first["platform"],
        first["feed"],
        first["author"],
        first["brand"],
        each.state.value,
        each.cause,
        each.lead_id,
        max(assessment.priority for assessment in telling),
        max(assessment.grade for assessment in telling),
        max(assessment.needs_reply for assessment in telling),
        now,
        now,
        each.newest_mention_id,
        len(each.heard),
    )


def _count_copies(db: Database, fresh: Iterable[_Fresh], now: datetime) -> None:
    """Count the new copies on the conversations they are shown with, and have those cards redrawn."""
    for lead_id, number in Counter(each.lead_id for each in fresh if each.lead_id is not None).items():
        change(db, "update conversation set copies = copies + ? where id = ?", (number, lead_id))
        if row(db, "select 1 from conversation where id = ? and state <> 'quiet'", (lead_id,)) is not None:
            request_card(db, lead_id, now)


def _last_number(db: Database, table: str) -> int:
    found = row(db, f"select max(id) as number from {table}")  # noqa: S608 - the table's name is ours
    return 0 if found is None or found["number"] is None else int(found["number"])
