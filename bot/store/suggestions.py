"""What was suggested for a post: the same each time it is asked, also after a restart, until post or playbook change.

A row is written when drafts are first shown, and never changed. It goes with the post when that is taken down or
forgotten, and when a past reply goes whose words it uses.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlite_utils import Database

from bot.store.rows import change, insert, row, rows, stamp
from bot.store.texts import plain
from nlp.assessment import Draft
from nlp.draft import Drafts

_MOST_CONVERSATIONS = 20


@dataclass(frozen=True, slots=True)
class Suggested:
    """What was suggested for a post, under which number, and of what it was made.

    `number` is 0 for what was not kept: where nothing is suggested. `about` and `playbook` are fingerprints of the post
    and of the playbook.
    """

    drafts: Drafts
    number: int = 0
    about: str = ""
    playbook: str = ""


def newest_suggestion(db: Database, mention_id: int) -> Suggested | None:
    """Return what was suggested last for a post."""
    found = row(db, "select * from suggestion where mention_id = ? order by id desc limit 1", (mention_id,))
    return None if found is None else _suggested_of(found)


def numbered_suggestion(db: Database, mention_id: int, number: int) -> Suggested | None:
    """Return what was suggested for a post under this number."""
    found = row(db, "select * from suggestion where id = ? and mention_id = ?", (number, mention_id))
    return None if found is None else _suggested_of(found)


def write_suggestion(
    db: Database, mention_id: int, suggested: Suggested, sends: Sequence[int], now: datetime
) -> Suggested:
    """Keep what was suggested, and return it with its number; `sends` are the past replies whose words it uses."""
    drafts = [{"text": each.text, "kind": each.kind, "source": each.source} for each in suggested.drafts]
    number = insert(
        db,
        "insert into suggestion (mention_id, made_at, about, playbook, drafts, notes, sends)"
        " values (?, ?, ?, ?, ?, ?, ?)",
        (
            mention_id,
            stamp(now),
            suggested.about,
            suggested.playbook,
            plain(json.dumps(drafts, ensure_ascii=False)),
            plain(json.dumps(suggested.drafts.notes, ensure_ascii=False)),
            json.dumps(list(sends)),
        ),
    )
    return replace(suggested, number=number)


def reused_sends(db: Database, number: int) -> tuple[int, ...]:
    """Return the past replies whose words a suggestion uses."""
    found = row(db, "select sends from suggestion where id = ?", (number,))
    return () if found is None else tuple(json.loads(found["sends"]))


def suggested_texts(db: Database, conversation_id: int) -> tuple[str, ...]:
    """Return every text that was ever suggested in a conversation: none of them may be sent as it is."""
    found = rows(
        db,
        "select s.drafts from mention m join suggestion s on s.mention_id = m.id where m.conversation_id = ?",
        (conversation_id,),
    )
    return tuple(dict.fromkeys(draft["text"] for each in found for draft in json.loads(each["drafts"])))


def said_lately(db: Database, conversation_id: int, since: datetime) -> list[tuple[str, ...]]:
    """Return what was suggested or sent in other conversations since a moment: a tuple for each, the newest last."""
    values = {"own": conversation_id, "since": stamp(since), "most": 3 * _MOST_CONVERSATIONS}
    suggested = rows(
        db,
        "select m.conversation_id as number, s.made_at as at, s.drafts as said from suggestion s"
        " join mention m on m.id = s.mention_id"
        " where s.made_at >= :since and m.conversation_id <> :own order by s.made_at desc, s.id desc limit :most",
        values,
    )
    sent = rows(
        db,
        "select conversation_id as number, approved_at as at, text as said from send"
        " where approved_at >= :since and conversation_id <> :own order by approved_at desc, id desc limit :most",
        values,
    )
    said = [(each["at"], each["number"], [draft["text"] for draft in json.loads(each["said"])]) for each in suggested]
    said += [(each["at"], each["number"], [each["said"]]) for each in sent]
    by_number: dict[int, list[str]] = {}
    for _, number, texts in sorted(said, key=lambda each: each[:2]):
        by_number[number] = by_number.pop(number, []) + texts  # the conversation that spoke last stands last
    return [tuple(texts) for texts in by_number.values()][-_MOST_CONVERSATIONS:]


def erase_suggestions(db: Database, mention_ids: Sequence[int]) -> None:
    """Take away what was suggested for posts, as it may name their authors, and whatever uses the replies to them."""
    wanted = json.dumps(list(mention_ids))
    change(db, "delete from suggestion where mention_id in (select value from json_each(?))", (wanted,))
    change(
        db,
        "delete from suggestion where sends <> '[]' and exists (select 1 from json_each(suggestion.sends) used"
        " join send on send.id = used.value where send.mention_id in (select value from json_each(?)))",
        (wanted,),
    )


def prune_suggestions(db: Database, before: datetime) -> int:
    """Forget what was suggested before a moment; return how many."""
    return change(db, "delete from suggestion where made_at < ?", (stamp(before),))


def _suggested_of(found: sqlite3.Row) -> Suggested:
    drafts = tuple(Draft(**each) for each in json.loads(found["drafts"]))
    told = Drafts(drafts, notes=tuple(json.loads(found["notes"])))
    return Suggested(told, found["id"], found["about"], found["playbook"])
