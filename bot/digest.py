"""The digest as a value, pure: what is unanswered, how the team did, and what nobody heard.

Silence is never a clean bill: over a gap or a deaf feed the headline says so, and never that every card is answered.
The facts come from `bot.store.reports`; `bot.slack` and `to_text` draw the value. Text of mentions and names of
people stand only in `DigestLine`; whoever draws them makes them harmless.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.conversation import DISMISS_LABELS, DismissReason, State
from bot.line import MUST_ANSWER, QuietCause
from bot.records import CardView, FeedState
from listeners.catalog import label_of

TOP = 20
EXCERPT = 140
_QUIET_WORDS: Mapping[QuietCause, str] = {
    "line": "below the line",
    "budget": "over the day's budget",
    "stale": "too old to show",
    "copy": "the same as another",
}


@dataclass(frozen=True, slots=True)
class DeafStretch:
    """A stretch of the period in which a feed was not heard, or not surely; `ended_at` is None while it lasts.

    `reason` is a sentence; of a doubt it is what the feed usually brings, such as 'about 12 an hour'. `paused_until` is
    set where the feed held back on purpose.
    """

    feed: str
    started_at: datetime
    ended_at: datetime | None
    reason: str = ""
    paused_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class DigestFacts:
    """What the store knows of the period from `since` to `until`.

    `unanswered` are the first of `unanswered_count`, most urgent and oldest first. `waits` are the seconds from heard
    to answered of what was answered. `unshown` counts new conversations whose card is still to be posted, `unsure` the
    sends whose outcome is not known. `quiet` counts by cause, `expired` what nobody took up in time. `doubts` are the
    stretches in which a feed answered but brought nothing for unusually long. `refused` counts by feed what came and
    was no mention.
    """

    since: datetime
    until: datetime
    now: datetime
    unanswered: Sequence[CardView] = ()
    unanswered_count: int = 0
    urgent_count: int = 0
    heard: int = 0
    unshown: int = 0
    unsure: int = 0
    waits: Sequence[float] = ()
    expired: int = 0
    quiet: Mapping[QuietCause, int] = field(default_factory=dict)
    dismissed: Mapping[DismissReason, int] = field(default_factory=dict)
    gaps: Sequence[DeafStretch] = ()
    never_heard: Sequence[FeedState] = ()
    doubts: Sequence[DeafStretch] = ()
    refused: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DigestLine:
    """One unanswered conversation. `url` is the post; `channel` and `message_ts` place its card ('' for none)."""

    number: int
    excerpt: str
    author: str
    platform: str
    age: str
    owner: str
    is_urgent: bool
    note: str = ""
    url: str = ""
    channel: str = ""
    message_ts: str = ""


@dataclass(frozen=True, slots=True)
class Digest:
    """The daily message in plain words. Each text is one or two sentences, or '' where there is nothing to tell."""

    headline: str
    lines: tuple[DigestLine, ...]
    more: int
    answered: str
    quiet: str
    dismissed: str
    warnings: tuple[str, ...]
    period: str
    refused: str = ""

    @property
    def overflow(self) -> str:
        """What stands under the lines where there are more: '+12 more'."""
        return f"+{self.more} more" if self.more else ""


def build_digest(facts: DigestFacts, timezone: str = "UTC", top: int = TOP) -> Digest:
    """Put the facts into words, with times in the team's own time zone."""
    zone = ZoneInfo(timezone)
    lines = tuple(_line(view, facts.now, zone) for view in facts.unanswered[:top])
    return Digest(
        headline=_headline(facts),
        lines=lines,
        more=max(0, facts.unanswered_count - len(lines)),
        answered=_answered(facts),
        quiet=_quiet(facts.quiet),
        dismissed=_dismissed(facts.dismissed),
        warnings=tuple(_warnings(facts, zone)),
        refused=_refused(facts.refused),
        period=f"From {_moment(facts.since, zone)} to {_moment(facts.until, zone)}.",
    )


def to_text(digest: Digest) -> str:
    """Return the digest as plain text, for `cuecard digest` and for notifications."""
    parts = [digest.headline, *(f"⚠ {warning}" for warning in digest.warnings)]
    parts += [_line_text(line) for line in digest.lines]
    parts += [digest.overflow, digest.answered, digest.quiet, digest.dismissed, digest.refused, digest.period]
    return "\n".join(part for part in parts if part)


def duration(seconds: float) -> str:
    """Say how long something took or is old: 'less than a minute', '41 min', '3 h', '2 days'."""
    minutes = max(0.0, seconds) / 60
    if minutes < 1:
        return "less than a minute"
    if minutes < 90:
        return f"{int(minutes)} min"
    if minutes < 48 * 60:
        return f"{int(minutes // 60)} h"
    return f"{int(minutes // 1440)} days"


def is_clean(facts: DigestFacts) -> bool:
    """Return whether everything was heard that there was to hear, as far as anyone can tell."""
    return not facts.gaps and not facts.never_heard and not facts.doubts


def _headline(facts: DigestFacts) -> str:
    """Say the one thing to know; good news only where it is sure."""
    if facts.unanswered_count:
        urgent = f", {facts.urgent_count} of them urgent" if facts.urgent_count else ""
        return f"{_count(facts.unanswered_count, 'conversation waits', 'conversations wait')} for an answer{urgent}."
    if facts.unshown:
        return f"{_count(facts.unshown, 'new conversation is', 'new conversations are')} still to be shown."
    if not is_clean(facts):
        is_sure = facts.gaps or facts.never_heard
        what = "not everything was heard" if is_sure else "it is not sure that everything was heard"
        return f"Nothing that was heard waits for an answer, but {what}."
    unseen = facts.quiet.get("budget", 0) + facts.quiet.get("stale", 0)
    if unseen:
        return (
            f"No card waits for an answer, but {_count(unseen, 'conversation was', 'conversations were')} never shown."
        )
    if facts.expired:
        expired = _count(facts.expired, "conversation", "conversations")
        return f"No card waits for an answer, but {expired} ran out of time."
    return "Every card is answered or settled." if facts.heard or facts.waits else "Nothing new was heard."


def _line(view: CardView, now: datetime, zone: ZoneInfo) -> DigestLine:
    conversation = view.conversation
    return DigestLine(
        number=conversation.id,
        excerpt=_excerpt(view),
        author=conversation.author,
        platform=label_of(conversation.platform),
        age=duration((now - conversation.heard_at).total_seconds()),
        owner=conversation.owner.name if conversation.owner else "",
        is_urgent=conversation.grade >= MUST_ANSWER,
        note=_note(view, zone),
        url=view.mention.url,
        channel=view.channel,
        message_ts=view.message_ts,
    )


def _note(view: CardView, zone: ZoneInfo) -> str:
    """Say what is special about a line, if anything."""
    if view.send is not None and view.send.state == "unknown":
        return "a reply may or may not have been posted: please look"
    if view.conversation.state is State.SENDING:
        return "a reply is on its way" if view.send and view.send.state != "handed_off" else "being posted by hand"
    if view.conversation.state is State.SNOOZED and view.conversation.snoozed_until:
        return f"was snoozed until {_moment(view.conversation.snoozed_until, zone)}"
    return ""


def _excerpt(view: CardView) -> str:
    """Return the first words of a post on one line."""
    if view.is_removed:
        return "(taken down by its author)"
    words = " ".join(f"{view.mention.title} {view.mention.text}".split())
    return words if len(words) <= EXCERPT else words[: EXCERPT - 1].rstrip() + "…"


def _line_text(line: DigestLine) -> str:
    who = f"{line.owner} has it" if line.owner else "nobody has it"
    facts = [f"{line.author} on {line.platform}", f"{line.age} old", who, line.note]
    mark = "! " if line.is_urgent else "  "
    return f"{mark}#{line.number} {line.excerpt} ({', '.join(fact for fact in facts if fact)}) {line.url}".rstrip()


def _answered(facts: DigestFacts) -> str:
    parts = []
    if facts.waits:
        median = duration(statistics.median(facts.waits))
        parts.append(f"{_count(len(facts.waits), 'conversation was', 'conversations were')} answered;")
        parts.append(f"half of them within {median}." if len(facts.waits) > 1 else f"it took {median}.")
    if facts.unsure:
        parts.append(
            f"Of {_count(facts.unsure, 'reply', 'replies')} it is not known whether"
            f" {'it was' if facts.unsure == 1 else 'they were'} posted; please look."
        )
    if facts.expired:
        parts.append(f"{_count(facts.expired, 'conversation', 'conversations')} ran out of time without an answer.")
    return " ".join(parts)


def _quiet(quiet: Mapping[QuietCause, int]) -> str:
    told = [f"{quiet[cause]} {words}" for cause, words in _QUIET_WORDS.items() if quiet.get(cause)]
    return f"{sum(quiet.values())} kept quiet: {', '.join(told)}." if told else ""


def _dismissed(dismissed: Mapping[DismissReason, int]) -> str:
    told = [f"{dismissed[reason]} {label.lower()}" for reason, label in DISMISS_LABELS.items() if dismissed.get(reason)]
    return f"{sum(dismissed.values())} dismissed: {', '.join(told)}." if told else ""


def _refused(refused: Mapping[str, int]) -> str:
    told = [f"{number} of {feed}" for feed, number in refused.items()]
    number = _count(sum(refused.values()), "item that came was no mention", "items that came were no mentions")
    return f"{number}: {', '.join(told)}. The log says why." if told else ""


def _warnings(facts: DigestFacts, zone: ZoneInfo) -> list[str]:
    """Say which feeds nobody heard, those that are deaf still first, and which were perhaps not heard."""
    deaf = [
        f"{gap.feed} is {_unheard(gap, zone)} since {_moment(gap.started_at, zone)}{_because(gap.reason)}"
        for gap in facts.gaps
        if gap.ended_at is None
    ]
    told = {gap.feed for gap in facts.gaps if gap.ended_at is None}
    never = [
        f"{state.name} was never heard{_because(state.problem)}"
        for state in facts.never_heard
        if state.name not in told
    ]
    over: list[str] = []
    for feed, gaps in _by_feed([gap for gap in facts.gaps if gap.ended_at is not None]).items():
        last = gaps[-1]
        ended = last.ended_at or facts.until
        when = f"from {_moment(last.started_at, zone)} to {_moment(ended, zone)}"
        often = f" {len(gaps)} times, the last time" if len(gaps) > 1 else ""
        what = "deaf" if last.paused_until is None else "paused"
        over.append(f"{feed} was {what}{often} {when}{_because(last.reason)}")
    return [*deaf, *never, *over, *(_doubt(each, zone) for each in facts.doubts)]


def _unheard(gap: DeafStretch, zone: ZoneInfo) -> str:
    """Say why a feed is not heard now: something is wrong, or it holds back on purpose."""
    if gap.paused_until is None:
        return "deaf"
    return f"paused until {_moment(gap.paused_until, zone)}, not heard"


def _doubt(doubt: DeafStretch, zone: ZoneInfo) -> str:
    """Say that a feed answered and brought nothing, though it usually does."""
    usual = f"where it usually brings {doubt.reason}."
    if doubt.ended_at is None:
        return f"{doubt.feed} answers, but has brought nothing since {_moment(doubt.started_at, zone)}, {usual}"
    stretch = f"from {_moment(doubt.started_at, zone)} to {_moment(doubt.ended_at, zone)}"
    return f"{doubt.feed} answered, but brought nothing {stretch}, {usual}"


def _by_feed(gaps: Sequence[DeafStretch]) -> dict[str, list[DeafStretch]]:
    found: dict[str, list[DeafStretch]] = {}
    for gap in sorted(gaps, key=lambda gap: gap.started_at):
        found.setdefault(gap.feed, []).append(gap)
    return found


def _because(reason: str) -> str:
    """Join a reason, itself a sentence, to what it explains."""
    reason = " ".join(reason.split())
    return f": {reason}" if reason else "."


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%a %d %b %H:%M")


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def period_start(until: datetime, last_posted: datetime | None, longest: timedelta = timedelta(days=7)) -> datetime:
    """Return where a digest's period begins: at the last digest; a day back where there is none."""
    if last_posted is None or last_posted >= until:
        return until - timedelta(days=1)
    return max(last_posted, until - longest)
