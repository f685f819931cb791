"""A status, as any server of the Mastodon kind tells of it, as a mention, and what is needed to answer it."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import datetime
from html import escape, unescape
from typing import Final

import orjson

from listeners.mastodon.fields import Fields, count_of, moment_of, part_of, parts_of, text_of
from listeners.mastodon.server import DEFAULT_LIMIT, DEFAULT_URL_LENGTH, Server
from listeners.mention import Author, Mention
from listeners.text import html_to_text

PLATFORM: Final = "mastodon"
PUBLIC: Final = frozenset({"public", "unlisted"})
WRITABLE: Final = frozenset({*PUBLIC, "private", "direct"})
_LINK: Final = re.compile(r"<a\b([^<>]*)>((?:(?!</a>).){0,300})</a>", re.IGNORECASE | re.DOTALL)
_ATTRIBUTE: Final = re.compile(r"""\b(class|href|rel)\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_LONGEST_NAMED: Final = 200_000  # characters: what is longer was made to keep us busy
_NAMED: Final = frozenset({"mention", "hashtag", "tag"})


@dataclass(frozen=True, slots=True)
class ReplyRef:
    """What answering a post needs: kept with the mention as JSON text.

    `id` is the post's id on the server `host`, where it was heard; on another it must be looked up by its address.
    `account` is ours, `author` theirs; `domain` is that of our account. The limits are those of when it was heard.
    """

    id: str = ""
    host: str = ""
    domain: str = ""
    author: str = ""
    account: str = ""
    visibility: str = ""
    warning: str = ""
    limit: int = DEFAULT_LIMIT
    url_length: int = DEFAULT_URL_LENGTH

    def to_text(self) -> str:
        """Return it as it is kept."""
        return orjson.dumps(asdict(self)).decode()


def read_reply_ref(text: str) -> ReplyRef:
    """Return what was kept; an empty one where it cannot be read, such as that of a replayed post."""
    try:
        told = orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        return ReplyRef()
    if not isinstance(told, dict):
        return ReplyRef()
    names = ("id", "host", "domain", "author", "account", "visibility", "warning")
    return ReplyRef(
        **{name: text_of(told, name) for name in names},
        limit=count_of(told, "limit") or DEFAULT_LIMIT,
        url_length=count_of(told, "url_length") or DEFAULT_URL_LENGTH,
    )


def original_of(status: Fields) -> Fields:
    """Return the post that a status is: what it boosts, or itself."""
    return part_of(status, "reblog") or status


def address_of(status: Fields) -> str:
    """Return what identifies a post on every server: its ActivityPub address."""
    return text_of(status, "uri") or text_of(status, "url")


def is_public(status: Fields) -> bool:
    """Whether everybody may see a post; one whose server does not say is like all others there."""
    return text_of(status, "visibility") in PUBLIC | {""}


def is_addressed_to(server: Server, status: Fields) -> bool:
    """Whether a post names our account."""
    return any(server.is_us(each) for each in parts_of(status, "mentions"))


def read_post(status: Fields, server: Server, feed: str, now: datetime) -> Mention | str:
    """Turn a status into a mention, not yet matched, or say in a sentence why it cannot be one."""
    native_id = address_of(status)
    if not native_id:
        return "Mastodon told of a post without an address."
    account = part_of(status, "account")
    handle = server.full_handle(text_of(account, "acct") or text_of(account, "username"))
    if not handle:
        return f"Mastodon post {native_id} has no author."
    created_at = moment_of(status, "created_at")
    if created_at is None:
        return f"Mastodon post {native_id} has no time."
    body, warning = read_text(status, server), text_of(status, "spoiler_text")
    if not body and not warning:
        return say_wordless(status)
    return Mention(
        platform=PLATFORM,
        native_id=native_id,
        text=body or warning,
        title=warning if body else "",
        author=_read_author(account, handle),
        created_at=min(created_at, now),
        feed=feed,
        url=_web_address(text_of(status, "url")) or _web_address(native_id),
        language=text_of(status, "language"),
        thread_id="" if text_of(status, "in_reply_to_id") else native_id,
        in_reply_to=text_of(status, "in_reply_to_id"),
        reply_ref=_refer(status, server, handle, warning).to_text(),
    )


def say_wordless(status: Fields) -> str:
    """Return why a post without words is no mention."""
    media = ", only pictures or sound" if parts_of(status, "media_attachments") else ""
    return f"Mastodon post {address_of(status)} has no words{media}."


def _web_address(address: str) -> str:
    return address if address.startswith(("https://", "http://")) else ""


def _read_author(account: Fields, handle: str) -> Author:
    followers = account.get("followers_count")
    is_told = isinstance(followers, int) and not isinstance(followers, bool) and followers >= 0
    url = _web_address(text_of(account, "url"))
    return Author(
        handle=handle,
        name=" ".join(text_of(account, "display_name").split()),
        followers=count_of(account, "followers_count") if is_told else None,
        native_id=text_of(account, "uri") or url or handle,
        url=url,
    )


def _refer(status: Fields, server: Server, handle: str, warning: str) -> ReplyRef:
    return ReplyRef(
        id=text_of(status, "id"),
        host=server.host,
        domain=server.domain,
        author=handle,
        account=server.account,
        visibility=text_of(status, "visibility"),
        warning=warning,
        limit=server.limit,
        url_length=server.url_length,
    )


def read_text(status: Fields, server: Server) -> str:
    """Return what a person would read in a post, the same on whichever server it was heard.

    People stand there with their full names, as they are written on Mastodon; hashtags as they stand in the post.
    """
    names = {
        text_of(each, "url"): server.full_handle(text_of(each, "acct") or text_of(each, "username"))
        for each in parts_of(status, "mentions")
    }

    def spell(found: re.Match[str]) -> str:
        told = {each[1].lower(): unescape(each[2] or each[3] or "") for each in _ATTRIBUTE.finditer(found[1])}
        if not _NAMED & {*told.get("class", "").split(), *told.get("rel", "").split()}:
            return found[0]
        name = names.get(told.get("href", ""))
        return escape(f"@{name}" if name else html_to_text(f"<a>{found[2]}</a>"))

    content = status.get("content")
    html = content if isinstance(content, str) else ""
    return html_to_text(_LINK.sub(spell, html) if len(html) <= _LONGEST_NAMED else html)
