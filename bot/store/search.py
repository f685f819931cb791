"""Finding a conversation again: by its number, by a link, or by words."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from sqlite_utils import Database

from bot.records import CardView
from bot.store.cards import card_views, conversation_of_message
from bot.store.clues import address_clue, candidates, place_clue, place_of
from bot.store.rows import row
from bot.store.texts import plain

_NUMBER = re.compile(r"#?([0-9]{1,18})")
_SLACK_LINK = re.compile(r"/archives/([A-Z0-9]+)/p([0-9]{7,})")
_WORD = re.compile(r"\w+")
_MOST_WORDS = 32
_MOST_AT_PLACE = 100  # addresses that differ in their query only: so many tell whether there is one conversation
_SEARCHED = "{title text author author_name}"


def find_conversation(db: Database, number_or_link: str) -> int | None:
    """Return the conversation that '12', '#12', a post's address or a link to a Slack message means, or None.

    A post's address is found with or without its query, fragment and last slash, and as Slack sends it: in angle
    brackets, with a label.
    """
    asked = plain(number_or_link).strip()
    if match := _NUMBER.fullmatch(asked):
        found = row(db, "select id from conversation where id = ?", (int(match[1]),))
        return None if found is None else int(found["id"])
    if asked.startswith("<") and asked.endswith(">"):
        asked = asked[1:-1].split("|", 1)[0].replace("&amp;", "&")
    if "://" not in asked:
        return None
    return _find_by_message(db, asked) or _find_by_url(db, asked)


def search(db: Database, words: str, limit: int) -> list[CardView]:
    """Return the conversations with a mention that holds all of the words (or their beginnings), newest first."""
    terms = [f'"{word}"*' for word in _WORD.findall(plain(words))[:_MOST_WORDS]]
    if not terms or limit <= 0:
        return []
    cursor = db.conn.execute(
        "select m.conversation_id from mention_fts join mention m on m.id = mention_fts.rowid"
        " where mention_fts match ? order by mention_fts.rowid desc",
        (f"{_SEARCHED} : ({' '.join(terms)})",),
    )
    found: dict[int, None] = {}
    for (number,) in cursor:
        found[number] = None
        if len(found) == limit:
            break
    cursor.close()
    return card_views(db, list(found))


def _find_by_message(db: Database, link: str) -> int | None:
    """Return the conversation of a link to a card, or to a message in the card's thread."""
    match = _SLACK_LINK.search(link)
    if match is None:
        return None
    query = parse_qs(_query_of(link))
    digits = match[2]
    ts = query.get("thread_ts", [f"{digits[:-6]}.{digits[-6:]}"])[0]
    return conversation_of_message(db, match[1], ts)


def _find_by_url(db: Database, url: str) -> int | None:
    """Return the conversation of a post's address: exactly that, else the only post at that place."""
    forms, place = _forms(url), place_of(url)
    found = candidates(db, "m.url, m.conversation_id", [address_clue(form) for form in forms])
    first = {each["url"]: int(each["conversation_id"]) for each in reversed(found)}
    for form in forms:
        if form in first:
            return first[form]
    starts = (f"{place}?", f"{place}/?")
    found = candidates(db, "m.url, m.conversation_id", [place_clue(url)], _MOST_AT_PLACE)
    numbers = {int(each["conversation_id"]) for each in found if each["url"].startswith(starts)}
    return numbers.pop() if len(numbers) == 1 else None


def _forms(url: str) -> list[str]:
    """Return the ways in which the same address may have been stored, likeliest first."""
    bare = url.split("#", 1)[0]
    place = place_of(url)
    forms = [url, bare, bare.rstrip("/"), place, f"{place}/"]
    other = {"https": "http", "http": "https"}
    scheme, _, rest = place.partition("://")
    if scheme in other:
        forms += [f"{other[scheme]}://{rest}", f"{other[scheme]}://{rest}/"]
    return list(dict.fromkeys(forms))


def _query_of(link: str) -> str:
    try:
        return urlsplit(link).query
    except ValueError:
        return ""
