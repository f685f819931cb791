"""One RSS or Atom document, read from bytes that were fetched already: no network, no files, no DTD."""

from __future__ import annotations

import calendar
import codecs
import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from listeners.text import html_to_text

_DECLARED: Final = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9_.:-]{1,40})[\"']")
_CHARSET: Final = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\0?\0", "utf-16-le"),
    (b"\0<\0?", "utf-16-be"),
)
# Encodings of text that feeds are written in; not the likes of punycode, whose decoding can be made to take for ever.
_ENCODING: Final = re.compile(
    r"(utf-(8|16|32)|ascii|iso8859|iso2022|cp\d|big5|gb|euc_|shift_jis|koi8|mac|tis-620|hz)[\w-]*"
)
_DTD: Final = re.compile(r"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
# What may stand before the first element. Behind it a parser takes no DTD, so an article about HTML may name one.
_PROLOGUE: Final = re.compile(r"(?>\s+|<\?.*?\?>|<!--.*?-->)*+<[A-Za-z_:]", re.DOTALL)
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")
_GLOBAL_ID: Final = re.compile(r"(https?://|tag:|urn:)", re.IGNORECASE)
_MAX_TEXT: Final = 200_000


class FeedRefused(ValueError):  # noqa: N818 - reads as what happened, like the tree in listeners.errors
    """A document that is not read, with the reason."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `key` is made of its id, and so stays the same; `mark` is made of its words, and so changes."""

    key: str
    mark: str
    title: str
    text: str
    link: str
    author: str
    author_url: str
    moment: datetime | None


@dataclass(frozen=True, slots=True)
class Document:
    """A feed as it was found. `refused` says which entries could not be read, and why."""

    title: str
    language: str
    ttl_seconds: float
    entries: tuple[Entry, ...]
    refused: tuple[str, ...]


def read_document(data: bytes, url: str, content_type: str, max_items: int) -> Document:
    """Read a feed.

    Raises:
        FeedRefused: it is no feed, or it holds a DTD.
    """
    host = urlsplit(url).hostname or "The feed"
    text = _decode(data, content_type).replace("\0", "")  # never allowed; the parser would guess encodings by it
    if _PROLOGUE.match(text) is None and _DTD.search(text):
        raise FeedRefused(f"{host} sends a feed with a DTD, which is refused for safety.")
    parsed = _parse(text)
    feed = parsed.feed
    title = html_to_text(_string(feed, "title"))
    if not parsed.get("version") and not parsed.entries:
        raise FeedRefused(f"{host} answers with something that is neither RSS nor Atom.")
    entries, refused = _read_entries(parsed.entries, url, max_items, title or host)
    language = _string(feed, "language").lower().replace("_", "-")
    ttl = _string(feed, "ttl")
    return Document(
        title=title,
        language=language if _LANGUAGE.fullmatch(language) else "",
        ttl_seconds=float(ttl[:6]) * 60 if ttl.isascii() and ttl.isdigit() else 0.0,
        entries=entries,
        refused=refused,
    )


def _decode(data: bytes, content_type: str) -> str:
    """Turn the bytes into text here, so that what is searched for a DTD is exactly what is parsed."""
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return data.decode(encoding, errors="replace").lstrip("\ufeff")
    told = _CHARSET.search(content_type)
    declared = _DECLARED.match(data[:1024])
    for name in (told[1] if told else "", declared[1].decode("ascii") if declared else ""):
        found = _decode_as(data, name)
        if found is not None:
            return found
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _decode_as(data: bytes, name: str) -> str | None:
    try:
        encoding = codecs.lookup(name).name if name else ""
        return data.decode(encoding) if _ENCODING.fullmatch(encoding) else None
    except (LookupError, UnicodeDecodeError):
        return None


def _parse(text: str) -> Any:  # noqa: ANN401 - feedparser has no types
    import feedparser  # noqa: PLC0415 - takes 0.1 s, and only feeds need it

    # Without the feed's address feedparser leaves ids such as '17' alone; links are completed here.
    headers = {"content-type": "application/xml; charset=utf-8"}
    # From a stream only: given text, feedparser would open files and addresses.
    stream = io.BytesIO(text.encode("utf-8", errors="replace"))
    return feedparser.parse(stream, response_headers=headers, sanitize_html=True, resolve_relative_uris=True)


def _read_entries(
    found: Sequence[Mapping[str, Any]], url: str, max_items: int, where: str
) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    entries: dict[str, Entry] = {}
    refused = []
    for place, raw in enumerate(found[:max_items], start=1):
        entry = _read_entry(raw, url)
        if isinstance(entry, str):
            refused.append(f"{where}, entry {place}: {entry}")
        else:
            entries.setdefault(entry.key, entry)
    if len(found) > max_items:
        refused.append(f"{where}: {len(found) - max_items} entries beyond the first {max_items} were not read.")
    return tuple(entries.values()), tuple(refused)


def _read_entry(raw: Mapping[str, Any], url: str) -> Entry | str:
    title = html_to_text(_string(raw, "title"))
    text = _body(raw)
    if not title and not text:
        return "it has neither title nor text."
    if len(text) > _MAX_TEXT:
        return f"its text is longer than {_MAX_TEXT:,} characters."
    link = _web_link(_string(raw, "link"), url)
    moment = _moment(raw)
    detail = raw.get("author_detail") or {}
    return Entry(
        key=_key(_string(raw, "id") or link or f"{title}\n{moment or text}", url),
        mark=_digest(f"{title}\n{text}")[:12],
        title=title,
        text=text,
        link=link or _web_link(_string(raw, "id"), ""),
        author=" ".join((_string(detail, "name") or _string(raw, "author")).split())[:200],
        author_url=_web_link(_string(detail, "href"), url),
        moment=moment,
    )


def _body(raw: Mapping[str, Any]) -> str:
    contents = raw.get("content") or []
    first = contents[0] if contents else (raw.get("summary_detail") or {})
    value = _string(first, "value") or _string(raw, "summary")
    return value.strip() if _string(first, "type") == "text/plain" else html_to_text(value)


def _key(own_id: str, url: str) -> str:
    """Make an id: ids that are addresses are unique in the world, others ('17') only within their feed."""
    return _digest(own_id if _GLOBAL_ID.match(own_id) else f"{url}\n{own_id}")[:32]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", errors="replace")).hexdigest()


def _web_link(value: str, url: str) -> str:
    """Return a link that a person can follow, '' for any other kind, such as javascript:."""
    try:
        link = urljoin(url, value.strip()) if value.strip() else ""
        parts = urlsplit(link)
    except ValueError:
        return ""
    is_web = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.username is None
    return link if is_web and not re.search(r"[\s\x00-\x1f<>\"]", link) else ""


def _moment(raw: Mapping[str, Any]) -> datetime | None:
    told = dict(raw)  # a plain one: feedparser's own makes up a missing `updated` and warns about it
    when = told.get("published_parsed") or told.get("updated_parsed")
    if when is None:
        return None
    try:
        moment = datetime.fromtimestamp(calendar.timegm(when), UTC)
    except (ValueError, OverflowError, OSError, TypeError):
        return None
    return moment if moment.year >= 1990 else None


def _string(raw: Mapping[str, Any], key: str) -> str:
    value = raw.get(key)
    return value.strip() if isinstance(value, str) else ""
