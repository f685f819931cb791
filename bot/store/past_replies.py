"""The team's own past replies, found by their words: what people approved and sent, never what was only suggested.

The index holds our replies and nothing of anybody's post; the post that a reply answered is read where it is kept. A
reply to a post that was taken down or forgotten is not found any more, nor is one from where nothing is suggested.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from bot.ledger import ERASED
from bot.store.rows import moment, row, rows
from bot.store.texts import plain
from nlp.past_replies import PastReply

MOST_FOUND = 30
MOST_NEWEST = 30
_REACH = 5_000  # how many sends back: an old reply is rarely true still, and the search stays quick
_COLUMNS = "s.id, s.text, m.title, m.text as question, coalesce(s.finished_at, s.approved_at) as sent_at"
_USABLE = (
    "s.id > :oldest and s.state in ('sent', 'confirmed') and s.text <> :erased and s.conversation_id <> :own"
    " and m.brand = :brand and m.removed_at is null and m.feed not in (select value from json_each(:feeds))"
    " and m.platform not in (select value from json_each(:platforms))"
    " and m.feed_platform not in (select value from json_each(:platforms))"
)
_BY_WORDS = f"""
select {_COLUMNS} from reply_fts join send s on s.id = reply_fts.rowid join mention m on m.id = s.mention_id
where reply_fts match :terms and reply_fts.rowid > :oldest and {_USABLE} order by bm25(reply_fts), s.id desc limit :most
"""  # noqa: S608 - constants
_NEWEST = f"""
select {_COLUMNS} from send s join mention m on m.id = s.mention_id
where {_USABLE} order by s.id desc limit :most
"""  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class Silent:
    """Where nothing is suggested, and so no words are taken from: feeds by their settings, platforms by their rules."""

    feeds: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()


NOWHERE = Silent()


def has_past_replies(db: Database) -> bool:
    """Return whether anything was ever sent."""
    return row(db, "select 1 from send where state in ('sent', 'confirmed') limit 1") is not None


def find_past_replies(
    db: Database, terms: Sequence[str], brand: str, conversation_id: int, silent: Silent = NOWHERE
) -> tuple[PastReply, ...]:
    """Return replies for a brand that may bear on a post: those that share its words, best first, then the newest.

    Args:
        db: the database.
        terms: the words to look for; any of them will do.
        brand: the brand that the post is about.
        conversation_id: the conversation of the post; its own replies are left out.
        silent: where no replies are taken from.
    """
    newest = row(db, "select max(id) as id from send")
    if newest is None or newest["id"] is None:
        return ()
    values = {
        "oldest": newest["id"] - _REACH,
        "erased": ERASED,
        "own": conversation_id,
        "brand": plain(brand),
        "feeds": json.dumps([plain(feed) for feed in silent.feeds]),
        "platforms": json.dumps(silent.platforms),
    }
    found = []
    if terms:
        sought = " OR ".join(f'"{plain(term).replace(chr(34), "")}"' for term in terms)
        found += rows(db, _BY_WORDS, {**values, "terms": sought, "most": MOST_FOUND})
    found += rows(db, _NEWEST, {**values, "most": MOST_NEWEST})
    replies = {
        each["id"]: PastReply(
            each["id"], f"{each['title']}\n{each['question']}".strip(), each["text"], moment(each["sent_at"]).date()
        )
        for each in found
    }
    return tuple(replies.values())
