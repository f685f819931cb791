"""Looking again at posts of Mastodon that were heard before: edited, or gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final

from mastodon import Mastodon

from listeners.errors import ListenerError, RateLimited, Retryable
from listeners.mastodon.client import Client, NotOffered
from listeners.mastodon.fields import Fields, text_of
from listeners.mastodon.posts import PLATFORM, address_of, read_post, read_reply_ref
from listeners.mastodon.server import Server, read_server
from listeners.mastodon.settings import Settings
from listeners.mention import Batch, Mention, Removal

AT_ONCE: Final = 20
"""How many posts are asked for in one request; Mastodon takes as many as a page has by default."""


def look_again(client: Client, settings: Settings, mentions: Sequence[Mention], now: datetime) -> Batch:
    """Return edits, removals, and which posts were looked at; those heard on another server are left out.

    Raises:
        RateLimited, Retryable, Permanent: the server cannot be asked.
    """
    host = client.access.host
    refs = {mention.native_id: read_reply_ref(mention.reply_ref) for mention in mentions}
    ours = [mention for mention in mentions if refs[mention.native_id].id and refs[mention.native_id].host == host]
    if not ours:
        return Batch()
    server = read_server(client, settings.handle)
    numbers = {mention.native_id: refs[mention.native_id].id for mention in ours}
    found = _read_together(client, list(numbers.values()))
    edits: list[Mention] = []
    removals: list[Removal] = []
    for mention in ours:
        number = numbers[mention.native_id]
        status = found.get(number) or _read_alone(client, number)
        if status is None:
            removals.append(Removal(PLATFORM, now, native_id=mention.native_id))
        elif (edited := _with_words_of(mention, status, server, now)) != mention:
            edits.append(edited)
    return Batch(tuple(edits), removals=tuple(removals), checked=tuple(numbers))


def _read_together(client: Client, numbers: Sequence[str]) -> dict[str, Fields]:
    """Return the posts that a server tells in one answer (since Mastodon 4.3); others are asked for one by one."""
    found: dict[str, Fields] = {}
    for start in range(0, len(numbers), AT_ONCE):
        some = list(numbers[start : start + AT_ONCE])
        try:
            answer = client.ask(partial(_ask_together, some))
        except RateLimited:
            raise
        except ListenerError:
            return found
        statuses = answer if isinstance(answer, list) else []
        found |= {text_of(status, "id"): status for status in statuses if isinstance(status, dict)}
    return found


def _ask_together(numbers: list[str], api: Mastodon) -> object:
    return api.statuses(numbers)


def _read_alone(client: Client, number: str) -> Fields | None:
    """Return a post, None where the server itself says that there is none."""
    try:
        status = client.ask(lambda api: api.status(number))
    except NotOffered as err:
        if not err.words:  # a page of something before the server: nothing may be taken down for it
            raise Retryable(str(err)) from err
        return None
    if not isinstance(status, dict) or not address_of(status):
        raise Retryable(f"{client.access.host} does not answer as a Mastodon server does.")
    return status


def _with_words_of(mention: Mention, status: Fields, server: Server, now: datetime) -> Mention:
    read = read_post(status, server, mention.feed, now)
    if isinstance(read, str) or read.native_id != mention.native_id:
        return mention
    return replace(mention, text=read.text, title=read.title)
