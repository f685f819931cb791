"""The digest as a Slack message. Names of people are shown, never pinged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

from slack_sdk.models.blocks import Block

from bot.digest import Digest, DigestLine, build_digest, period_start, to_text
from bot.slack.blocks import (
    MOST_BLOCKS,
    MOST_CHARACTERS,
    Message,
    context,
    count_characters,
    divider,
    header,
    plain,
    quote,
    section,
    to_json,
    words,
)
from bot.slack.desk import Desk
from bot.slack.text import safe, safe_line, safe_link

_ROOM_BELOW = 2500
_MOST_WARNINGS = 8


def draw_digest(digest: Digest, card_url: Callable[[str, str], str]) -> Message:
    """Return the message; `card_url` gives the Slack address of a channel and ts, '' where there is none.

    Lines that no longer fit are counted, never silently dropped.
    """
    top: list[Block] = [header("Daily digest"), quote(digest.headline), *_draw_warnings(digest.warnings)]
    below = _draw_below(digest)
    budget = MOST_CHARACTERS - _ROOM_BELOW - count_characters(to_json(top))
    lines: list[Block] = []
    for line in digest.lines:
        block = _draw_line(line, card_url)
        budget -= count_characters(block.to_dict())
        if budget < 0 or len(top) + len(lines) + len(below) + 3 > MOST_BLOCKS:
            break
        lines.append(block)
    more = digest.more + len(digest.lines) - len(lines)
    rest: list[Block] = [context(plain(f"+{more:,} more; /mentions shows the queue."))] if more else []
    return Message(safe(to_text(digest), 3000), to_json([*top, *lines, *rest, divider(), *below]))


def _draw_warnings(warnings: tuple[str, ...]) -> list[Block]:
    shown: list[Block] = [quote(f"⚠ {warning}", 400) for warning in warnings[:_MOST_WARNINGS]]
    left = len(warnings) - len(shown)
    return (
        [*shown, context(plain(f"⚠ and {left} more such warnings; /digest and App Home list feeds."))]
        if left > 0
        else shown
    )


def _draw_line(line: DigestLine, card_url: Callable[[str, str], str]) -> Block:
    """Draw one conversation in one block: its words as they are, and who, how long and where."""
    card = card_url(line.channel, line.message_ts)
    number = safe_link(card, f"#{line.number}") if card else f"#{line.number}"
    mark = "🔴 " if line.is_urgent else ""
    owner = f"{safe_line(line.owner, 80)} has it" if line.owner else "nobody has it"
    parts = [f"{mark}*{number}* · {safe_line(line.platform, 40)} · {line.age} old · {owner}"]
    if line.note:
        parts.append(safe_line(line.note, 150))
    post = safe_link(line.url, "post")
    if post != "post":
        parts.append(post)
    who = f"@{line.author.removeprefix('@')}: “{line.excerpt}”"
    return context(words(" · ".join(parts)), plain(who, 400))


def _draw_below(digest: Digest) -> list[Block]:
    told = [digest.answered, digest.quiet, digest.dismissed, digest.refused]
    blocks: list[Block] = [section(safe(text, 700)) for text in told if text]
    return [*blocks, context(plain(digest.period, 200))]


def digest_now(desk: Desk) -> Digest:
    """Return the digest of the time since the last one that was posted."""
    now = desk.now()
    since = period_start(now, _last_posted(desk))
    return build_digest(desk.store.digest_facts(since, now, now), desk.settings.digest.timezone)


def _last_posted(desk: Desk) -> datetime | None:
    """Return when the newest posted digest was due: what it told of is not told again."""
    newest = desk.store.last_digest()
    if newest is None:
        return None
    return datetime.combine(date.fromisoformat(newest), desk.morning, desk.zone).astimezone(UTC)
