"""Everything that was not written by us goes through here before Slack sees it.

A mention pings nobody, forges no link and draws no button: what could deceive is removed, the rest is cut between
characters as people see them, then escaped. Slack reads `&lt;`, `&gt;` and `&amp;` in every text object.
"""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit

import regex

# Directional marks, isolates and overrides; invisible spaces and fillers that serve only to hide or to split words.
# ZWJ and ZWNJ stay: emoji and several scripts need them.
_HIDDEN = (0x00AD, 0x061C, 0x180E, 0x200B, 0x200E, 0x200F, 0x3164, 0xFEFF, 0xFFA0, 0xFFFC)
_HIDDEN_RANGES = ((0x202A, 0x202E), (0x2060, 0x206F), (0xFFF9, 0xFFFB))
_TABLE: dict[int, str | None] = {
    **dict.fromkeys((*range(0x20), *range(0x7F, 0xA0))),
    **dict.fromkeys(_HIDDEN),
    **{code: None for first, last in _HIDDEN_RANGES for code in range(first, last + 1)},
    **dict.fromkeys(range(0xD800, 0xE000), "\N{REPLACEMENT CHARACTER}"),
    0x09: " ",
    0x0A: "\n",
    0x2028: "\n",
    0x2029: "\n",
}
_BLANK_LINES = regex.compile(r"\n[ \n]*\n")
_GRAPHEME = regex.compile(r"\X")
_FORBIDDEN_IN_URL = regex.compile(r"[\s|<>\"'`\\^{}]")
MOST_URL = 2900


def clean(text: str) -> str:
    """Return the text without control, direction and hidden characters; line breaks stay, at most one blank line."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").translate(_TABLE)
    return str(_BLANK_LINES.sub("\n\n", plain)).strip()


def one_line(text: str) -> str:
    """Return the cleaned text on one line."""
    return " ".join(clean(text).split())


def excerpt(text: str, limit: int) -> str:
    """Return the beginning of a text on one line, at most `limit` code points long; cheap for a very long text."""
    return cut(one_line(text[: 20 * limit + 200]), limit)


def cut(text: str, limit: int, mark: str = "…") -> str:
    """Return the text, at most `limit` code points long, cut between graphemes and then ended by `mark`.

    A single grapheme longer than the limit (a letter under a thousand accents) is cut through.
    """
    if len(text) <= limit:
        return text
    room = max(limit - len(mark), 0)
    end = 0
    for match in _GRAPHEME.finditer(text, 0, min(len(text), room + 64)):
        if match.end() > room:
            break
        end = match.end()
    kept = text[: end or room]
    return (kept.rstrip() if mark else kept) + mark[:limit]


def escape(text: str) -> str:
    """Return the text with Slack's three special characters as entities, in one pass."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def safe(text: str, limit: int, mark: str = "…") -> str:
    """Return the text cleaned, cut and escaped, at most `limit` code points long after all three.

    An entity is never cut through: the text is shortened before it is escaped, until it fits.
    """
    plain = cut(clean(text[: 20 * limit + 200]), limit, mark)
    escaped = escape(plain)
    while len(escaped) > limit:
        plain = cut(plain, max(len(plain) - max((len(escaped) - limit) // 5, 1), 0), mark)
        escaped = escape(plain)
        if not plain.removesuffix(mark):
            return escape(mark)[:limit]
    return escaped


def safe_line(text: str, limit: int) -> str:
    """Return the text on one line, cleaned, cut and escaped."""
    return safe(one_line(text), limit)


def safe_url(url: str) -> str:
    """Return the address where a link may lead to it, else ''.

    Only http and https; no spaces or characters that end a link in Slack, nothing hidden, and no 'user@' in front of
    the host, which makes an address look like another.
    """
    if not url or len(url) > MOST_URL or clean(url) != url or _FORBIDDEN_IN_URL.search(url):
        return ""
    try:
        parts = urlsplit(url)
        is_web = parts.scheme.lower() in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return ""
    return url if is_web else ""


def safe_link(url: str, label: str) -> str:
    """Return a mrkdwn link built by us, or only its label where the address is not one to link to."""
    words = safe_line(label, 150).replace("|", "¦")
    address = safe_url(url)
    if not address or not words:
        return words
    return f"<{address.replace('&', '&amp;')}|{words}>"


def tell_age(then: datetime, now: datetime) -> str:
    """Return how long ago something was, in the largest unit that fits: '5 min', '3 h', '2 days'."""
    minutes = max(int((now - then).total_seconds() // 60), 0)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h"
    return f"{minutes // (24 * 60)} days"


def show_time(moment: datetime, form: str = "{time}") -> str:
    """Return mrkdwn that each reader sees in their own time zone; in UTC where Slack cannot draw it.

    `form` is made of Slack's date tokens, such as '{time_secs}', '{date_short_pretty} {time}' or '{ago}'.
    """
    fallback = moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"<!date^{int(moment.timestamp())}^{form}|{fallback}>"
