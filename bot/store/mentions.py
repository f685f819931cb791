"""How mentions and assessments stand in a row of `mention`, there and back.

Only `text` has an exact twin (`text_exact`); in every other column what SQLite cannot hold becomes U+FFFD.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import cast

import orjson
from sqlite_utils import Database

from bot.store.clues import clues_of
from bot.store.rows import moment, row, rows, stamp
from bot.store.texts import exact, plain, whole
from listeners.mention import Author, Mention
from nlp.assessment import Assessment, Grade, Intent, Invited, Reason


def mention_values(mention: Mention) -> dict[str, object]:
    """Return the columns of `mention` that hold the post itself."""
    author = mention.author
    return {
        "platform": plain(mention.platform),
        "native_id": plain(mention.native_id),
        "feed": plain(mention.feed),
        "feed_platform": plain(mention.feed_platform),
        "brand": plain(mention.brand),
        "watches": _to_json(list(mention.watches)),
        "author": plain(author.handle),
        "author_name": plain(author.name),
        "author_id": plain(author.native_id),
        "author_url": plain(author.url),
        "followers": author.followers,
        "title": plain(mention.title),
        "text": plain(mention.text),
        "text_exact": exact(mention.text),
        "url": plain(mention.url),
        "language": plain(mention.language),
        "thread_id": plain(mention.thread_id),
        "in_reply_to": plain(mention.in_reply_to),
        "parent_text": plain(mention.parent_text),
        "account": plain(mention.account),
        "reply_ref": plain(mention.reply_ref),
        "clues": clues_of(plain(mention.url), plain(author.handle), plain(author.native_id)),
        "created_at": stamp(mention.created_at),
    }


def assessment_values(assessment: Assessment) -> dict[str, object]:
    """Return the columns of `mention` that hold what nlp said of it."""
    return {
        "needs_reply": assessment.needs_reply,
        "urgent": assessment.urgent,
        "priority": assessment.priority,
        "grade": assessment.grade,
        "invited": assessment.invited,
        "intent": assessment.intent,
        "intents": _to_json(dict(assessment.intents)),
        "assessed_language": plain(assessment.language),
        "reasons": _to_json([[reason.text, reason.weight, reason.span] for reason in assessment.reasons]),
        "closes": int(assessment.closes),
        "sarcastic": assessment.sarcastic,
        "crisis": assessment.crisis,
        "model": plain(assessment.model),
    }


def mention_of(found: sqlite3.Row) -> Mention:
    """Return the mention of a row of `mention`."""
    return Mention(
        platform=found["platform"],
        native_id=found["native_id"],
        text=whole(found["text"], found["text_exact"]),
        author=Author(
            found["author"], found["author_name"], found["followers"], found["author_id"], found["author_url"]
        ),
        created_at=moment(found["created_at"]),
        feed=found["feed"],
        feed_platform=found["feed_platform"],
        url=found["url"],
        title=found["title"],
        brand=found["brand"],
        watches=tuple(json.loads(found["watches"])),
        language=found["language"],
        thread_id=found["thread_id"],
        in_reply_to=found["in_reply_to"],
        parent_text=found["parent_text"],
        account=found["account"],
        reply_ref=found["reply_ref"],
    )


def assessment_of(found: sqlite3.Row) -> Assessment:
    """Return the assessment of a row of `mention`."""
    return Assessment(
        needs_reply=found["needs_reply"],
        urgent=found["urgent"],
        priority=found["priority"],
        grade=cast("Grade", found["grade"]),
        invited=cast("Invited", found["invited"]),
        intent=cast("Intent", found["intent"]),
        language=found["assessed_language"],
        intents=_from_json(found["intents"]),
        reasons=tuple(
            Reason(text, weight, None if span is None else (span[0], span[1]))
            for text, weight, span in json.loads(found["reasons"])
        ),
        closes=bool(found["closes"]),
        sarcastic=found["sarcastic"],
        crisis=found["crisis"],
        model=found["model"],
    )


def mention(db: Database, mention_id: int) -> Mention | None:
    """Return one mention, or None where it is not known."""
    found = row(db, "select * from mention where id = ?", (mention_id,))
    return None if found is None else mention_of(found)


def place_of(db: Database, mention_id: int) -> tuple[int, bool] | None:
    """Return the conversation of a mention, and whether its author took it down; None where it is not known."""
    found = row(db, "select conversation_id, removed_at from mention where id = ?", (mention_id,))
    return None if found is None else (found["conversation_id"], found["removed_at"] is not None)


def mentions(db: Database, conversation_id: int) -> list[Mention]:
    """Return a conversation's mentions, oldest first."""
    found = rows(db, "select * from mention where conversation_id = ? order by id", (conversation_id,))
    return [mention_of(each) for each in found]


def _to_json(value: object) -> str:
    """Return JSON; a lone surrogate, which the fast encoder refuses, stands there as its escape and comes back."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return json.dumps(value, separators=(",", ":"))


def _from_json(text: str) -> Mapping[str, float]:
    value: Mapping[str, float] = json.loads(text)
    return value
