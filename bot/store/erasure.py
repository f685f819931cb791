"""Taking text away: because its author took the post down, or because a person asked us to forget it.

Runs inside the caller's open transaction. The words go from the post, its earlier versions, the search index and the
assessment's reasons; what the team decided stays on record. `sweep` makes the freed pages unreadable as well.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlite_utils import Database

from bot.conversation import CUECARD, Event, State
from bot.ledger import ERASED, SendState
from bot.store.clues import address_clue, author_clue, candidates
from bot.store.connection import StoreError
from bot.store.conversations import move, reopen
from bot.store.events import append_event
from bot.store.jobs import request_card
from bot.store.rows import change, row, rows, stamp
from bot.store.sends import FORGOTTEN_MEANWHILE, live_send, withdraw
from bot.store.suggestions import erase_suggestions
from bot.store.texts import plain
from listeners.mention import Removal

REMOVED = "remove"
"""The event of a post taken down by its author."""
FORGOTTEN = "forget"
"""The event of a post, or an author, that a person had erased."""
_GONE = "The author took the post down."
_NOT_SWEPT = (
    "It is erased, but the file could not be rewritten while another program uses it:"
    " stop Cuecard and ask for the same again, so that no trace is left in the file."
)
_AUTHORS_AT_ONCE = 200


def write_removals(db: Database, removals: Iterable[Removal], now: datetime) -> list[int]:
    """Empty the posts that were taken down; return the conversations they were in. Unknown posts are no matter.

    A platform may tell every deletion there is: thousands of unknown posts cost one look-up.
    """
    found: dict[float, list[int]] = {}
    for mention_id, at in _posts(db, list(removals)).items():
        found.setdefault(at, []).append(mention_id)
    for at, mention_ids in found.items():
        _empty(db, mention_ids, at)
    concerned = _conversations(db, [mention_id for mention_ids in found.values() for mention_id in mention_ids])
    for number in concerned:
        append_event(db, number, REMOVED, *_twice(db, number), actor=CUECARD, now=now, detail=_GONE)
        _settle(db, number, now)
    return concerned


def forget_author(db: Database, platform: str | None, handle: str, now: datetime) -> int:
    """Erase an author: every post, the handle and the name, on one platform or (None) on all; return how many posts."""
    author = plain(handle).removeprefix("@")
    on = None if platform is None else plain(platform)
    found = [
        each["id"]
        for each in candidates(db, "m.id, m.platform, m.author", [author_clue(author)])
        if each["author"].casefold() == author.casefold() and on in {None, each["platform"]}
    ]
    return _forget(db, found, now)


def forget_post(db: Database, post: str, now: datetime) -> int:
    """Erase one post, named by its address or as 'platform:id'; return how many it was."""
    named = plain(post).strip()
    platform, _, native_id = named.partition(":")
    forms = {named, named.rstrip("/"), f"{named}/"}
    found = {each["id"] for each in candidates(db, "m.id, m.url", [address_clue(named)]) if each["url"] in forms}
    by_id = rows(db, "select id from mention where platform = ? and native_id = ?", (platform, native_id))
    return _forget(db, sorted(found | {each["id"] for each in by_id}), now)


def sweep(db: Database) -> None:
    """Rewrite the search indexes and the file, so that erased words stand nowhere in it. Outside any transaction.

    Raises:
        StoreError: where another program keeps the file busy. The words are erased then, but may stand in free pages.
    """
    try:
        for index in ("mention_fts", "reply_fts"):
            db.conn.execute(f"insert into {index} ({index}) values ('optimize')")  # noqa: S608 - our own names
        db.conn.execute("pragma temp_store = file").close()  # the copy may be larger than the memory
        db.conn.execute("vacuum")
        (is_busy, *_) = db.conn.execute("pragma wal_checkpoint(truncate)").fetchone()
    except sqlite3.OperationalError as err:
        raise StoreError(_NOT_SWEPT) from err
    finally:
        db.conn.execute("pragma temp_store = memory").close()
    if is_busy:
        raise StoreError(_NOT_SWEPT)


def tidy(db: Database) -> None:
    """Keep the search indexes and the planner's statistics small; inside a transaction, so that it waits its turn."""
    for index in ("mention_fts", "reply_fts"):
        db.conn.execute(f"insert into {index} ({index}, rank) values ('merge', 500)")  # noqa: S608 - our own names
    db.conn.execute("pragma optimize").close()


def checkpoint(db: Database) -> None:
    """Bring the write-ahead log into the file, as far as nobody is in the way. Outside any transaction."""
    db.conn.execute("pragma wal_checkpoint(passive)").close()


def _posts(db: Database, removals: Sequence[Removal]) -> dict[int, float]:
    """Return the stored posts that removals mean and that are still there, each with when it was first taken down."""
    posts = {(plain(each.platform), plain(each.native_id)): stamp(each.at) for each in removals if each.native_id}
    authors = {(plain(each.platform), plain(each.author)): stamp(each.at) for each in removals if not each.native_id}
    by_id = rows(
        db,
        "select m.id, m.platform, m.native_id from json_each(?) as gone cross join mention as m"
        " on m.platform = json_extract(gone.value, '$[0]') and m.native_id = json_extract(gone.value, '$[1]')"
        " where m.removed_at is null",
        (json.dumps(list(posts)),),
    )
    return _posts_of(db, authors) | {each["id"]: posts[each["platform"], each["native_id"]] for each in by_id}


def _posts_of(db: Database, authors: Mapping[tuple[str, str], float]) -> dict[int, float]:
    """Return the posts, still there, of authors by platform and name: a handle, whatever its case, or an id."""
    folded = {(platform, name.casefold()): at for (platform, name), at in authors.items()}
    names = list(dict.fromkeys(name for _, name in authors))
    found: dict[int, float] = {}
    for start in range(0, len(names), _AUTHORS_AT_ONCE):
        clues = [author_clue(name) for name in names[start : start + _AUTHORS_AT_ONCE]]
        for each in candidates(db, "m.id, m.platform, m.author, m.author_id, m.removed_at", clues):
            by_handle = folded.get((each["platform"], each["author"].casefold()))
            at = authors.get((each["platform"], each["author_id"]), by_handle)
            if at is not None and each["removed_at"] is None:
                found[each["id"]] = at
    return found


def _empty(db: Database, mention_ids: Sequence[int], at: float) -> None:
    """Take the words from posts, their earlier versions, their reasons and what was suggested for them."""
    wanted = json.dumps(list(mention_ids))
    change(
        db,
        "update mention set title = '', text = '', text_exact = null, author_name = '', parent_text = '',"
        " reasons = '[]', removed_at = coalesce(removed_at, ?) where id in (select value from json_each(?))",
        (at, wanted),
    )
    change(db, "delete from revision where mention_id in (select value from json_each(?))", (wanted,))
    erase_suggestions(db, mention_ids)


def _conversations(db: Database, mention_ids: Sequence[int]) -> list[int]:
    found = rows(
        db,
        "select distinct conversation_id from mention where id in (select value from json_each(?))",
        (json.dumps(list(mention_ids)),),
    )
    return [each["conversation_id"] for each in found]


def _twice(db: Database, number: int) -> tuple[str, str]:
    """Return a conversation's state before and after what does not change it."""
    found = row(db, "select state from conversation where id = ?", (number,))
    assert found is not None
    return found["state"], found["state"]


def _settle(db: Database, number: int, now: datetime) -> None:
    """Show what is left of a conversation; with nothing left, and nobody holding it, let it rest."""
    left = row(
        db,
        "select id from mention where conversation_id = ? and removed_at is null order by created_at desc, id desc",
        (number,),
    )
    found = row(db, "select state, lead_id, shown_at from conversation where id = ?", (number,))
    assert found is not None
    if left is not None:
        change(db, "update conversation set newest_mention_id = ? where id = ?", (left["id"], number))
    elif found["state"] in {State.NEW, State.SHOWN, State.QUIET}:
        if found["lead_id"] is None:
            _hand_on(db, number, now)
        move(db, number, Event.EXPIRE, CUECARD, now, _GONE)
    if found["shown_at"] is not None:
        request_card(db, number, now)


def _hand_on(db: Database, lead_id: int, now: datetime) -> None:
    """Let the oldest copy that still has its words lead where the post it was grouped with is gone."""
    heir = row(
        db,
        "select c.id, c.state from conversation c join mention m on m.id = c.newest_mention_id"
        " where c.lead_id = ? and m.removed_at is null order by c.id limit 1",
        (lead_id,),
    )
    if heir is None:
        return
    was_quiet = row(db, "select 1 from conversation where id = ? and state = 'quiet'", (lead_id,)) is not None
    others = change(db, "update conversation set lead_id = ? where lead_id = ?", (heir["id"], lead_id))
    change(
        db,
        "update conversation set lead_id = null, copies = ?, quiet_cause = case when quiet_cause = 'copy'"
        " then (select quiet_cause from conversation where id = ?) else quiet_cause end where id = ?",
        (others - 1, lead_id, heir["id"]),
    )
    change(db, "update conversation set lead_id = ?, copies = 0 where id = ?", (heir["id"], lead_id))
    if not was_quiet and heir["state"] == State.QUIET:
        reopen(db, heir["id"], now, "it stands for itself since the post it repeats was taken down")


def _forget(db: Database, mention_ids: Sequence[int], now: datetime) -> int:
    """Erase posts and all that names their authors."""
    if not mention_ids:
        return 0
    wanted = json.dumps(list(mention_ids))
    words = _words(db, wanted)
    conversations = _conversations(db, mention_ids)
    _forget_parents(db, wanted)
    _empty(db, mention_ids, stamp(now))
    change(
        db,
        "update mention set author = '', author_id = '', author_url = '', followers = null, url = '', clues = '',"
        " reply_ref = '', thread_id = '', in_reply_to = '' where id in (select value from json_each(?))",
        (wanted,),
    )
    _forget_native_ids(db, wanted, words)
    for number in conversations:
        _forget_conversation(db, number, words, now)
    return len(mention_ids)


def _words(db: Database, wanted: str) -> list[str]:
    """Return what must not stand anywhere any more: texts, handles and names."""
    found = rows(
        db,
        "select title, text, author, author_name, author_id from mention where id in (select value from json_each(?1))"
        " union all select '', text, '', '', '' from revision where mention_id in (select value from json_each(?1))",
        (wanted,),
    )
    return sorted({value for each in found for value in each if len(value) > 1})


def _forget_parents(db: Database, wanted: str) -> None:
    """Take the posts' words from the answers to them, where they stand as what was answered."""
    change(
        db,
        "update mention set parent_text = '' where parent_text <> '' and (platform, in_reply_to) in"
        " (select platform, native_id from mention where id in (select value from json_each(?)))",
        (wanted,),
    )
    change(
        db,
        "update mention set parent_text = '' where parent_text <> '' and parent_text in"
        " (select text from mention where id in (select value from json_each(?)))",
        (wanted,),
    )


def _forget_native_ids(db: Database, wanted: str, words: Sequence[str]) -> None:
    """Replace an id that names the author; any other stays, so that the post is not heard anew."""
    for each in rows(db, "select id, native_id from mention where id in (select value from json_each(?))", (wanted,)):
        if _holds(each["native_id"], words):
            digest = hashlib.sha256(each["native_id"].encode()).hexdigest()[:32]
            change(db, "update mention set native_id = ? where id = ?", (f"forgotten:{digest}", each["id"]))


def _forget_conversation(db: Database, number: int, words: Sequence[str], now: datetime) -> None:
    """Take the author and the words from a conversation, its record, its ledger and what waits for Slack."""
    left = row(db, "select author from mention where conversation_id = ? and removed_at is null", (number,))
    if left is None:
        change(db, "update conversation set key = ?, author = '' where id = ?", (f"forgotten:{number}", number))
    _withdraw(db, number, now)
    for table, columns in (("event", ("detail",)), ("send", ("text", "suggestion", "url", "problem"))):
        for column in columns:
            _erase_words(db, table, column, number, words)
    for column in ("parts", "posted"):
        _erase_words(db, "send", column, number, words, "[]")
    append_event(db, number, FORGOTTEN, *_twice(db, number), actor=CUECARD, now=now)
    _settle(db, number, now)


def _withdraw(db: Database, number: int, now: datetime) -> None:
    """Stop a reply that waits for its hold to end: its words may be erased, and must not leave changed."""
    waiting = live_send(db, number)
    if waiting is not None and waiting.state is SendState.APPROVED:
        withdraw(db, waiting, FORGOTTEN_MEANWHILE, CUECARD, now)


def _erase_words(  # noqa: PLR0913, PLR0917 - a place, and what is looked for
    db: Database, table: str, column: str, number: int, words: Sequence[str], erased: str = ERASED
) -> None:
    """Erase a column of a conversation's rows where it holds one of the words."""
    found = rows(db, f"select id, {column} as held from {table} where conversation_id = ?", (number,))  # noqa: S608
    for each in found:
        if _holds(each["held"], words):
            change(db, f"update {table} set {column} = ? where id = ?", (erased, each["id"]))  # noqa: S608


def _holds(text: str, words: Sequence[str]) -> bool:
    folded = text.casefold()
    return any(word.casefold() in folded for word in words)
