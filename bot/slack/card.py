"""The cue card: the Slack message of one conversation. Pure; every button is in `bot.slack.buttons`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from slack_sdk.models.blocks import Block

from bot.conversation import State
from bot.records import CardView, HistoryEntry
from bot.slack.blocks import Message, context, header, plain, quote, to_json, words
from bot.slack.buttons import draw_buttons
from bot.slack.status import draw_status
from bot.slack.text import clean, cut, excerpt, one_line, safe, show_time, tell_age
from listeners.catalog import label_of
from listeners.contract import Capability
from listeners.mention import Mention
from nlp.assessment import Grade, Intent, Reason

GRADE_WORDS: Mapping[Grade, str] = {
    3: "🔴 Answer now",
    2: "🟠 Should be answered",
    1: "🟡 Nice to answer",
    0: "⚪ Can be left",
}
INTENT_WORDS: Mapping[Intent, str] = {
    "complaint": "Complaint",
    "question_help": "Question",
    "praise": "Praise",
    "purchase_intent": "Wants to buy",
    "churn_risk": "May leave",
    "safety_legal_crisis": "Safety or legal",
    "spam_promo": "Promotion",
    "irrelevant": "Not about us?",
    "brand_chatter": "Chatter",
    "followup_in_thread": "Follow-up",
}
QUOTE_LENGTH = 600
_MORE = "… (read it all in Reply)"
_REASONS_SHOWN = 4
_WRITABLE = frozenset({State.NEW, State.SHOWN, State.QUIET, State.CLAIMED, State.SNOOZED})


def draw_card(view: CardView, capability: Capability, now: datetime, history: Sequence[HistoryEntry] = ()) -> Message:
    """Return the card as it should stand now; `history` names who did what, where it is given."""
    blocks: list[Block] = [
        header(f"{GRADE_WORDS[view.assessment.grade]} · {INTENT_WORDS[view.assessment.intent]} · #{_number(view)}"),
        _draw_origin(view),
        draw_post(view),
        *_draw_reasons(view),
        *_draw_company(view),
        *_draw_route(view, capability),
        *draw_status(view, history),
        *draw_buttons(view, capability),
    ]
    return Message(_summarise(view, now), to_json(blocks))


def draw_short_card(
    view: CardView, capability: Capability, now: datetime, history: Sequence[HistoryEntry] = ()
) -> Message:
    """Return the least that a card can be, for the case that Slack does not take the whole one."""
    del capability, history
    number = view.conversation.id
    blocks: list[Block] = [
        header(f"{GRADE_WORDS[view.assessment.grade]} · #{number}"),
        draw_post(view, 150, "…"),
        context(plain(f"Slack did not take the whole card. /claim {number} takes it, App Home shows it.")),
    ]
    return Message(_summarise(view, now), to_json(blocks))


def describe_author(mention: Mention) -> str:
    """Return who wrote it, on one line, unescaped: '@handle (Name), 1,234 followers'."""
    author = mention.author
    handle = excerpt(author.handle, 60) or "unknown"
    given = excerpt(author.name, 60)
    label = f"@{handle} ({given})" if given and given.casefold() != handle.casefold() else f"@{handle}"
    return label if author.followers is None else f"{label}, {author.followers:,} followers"


def draw_post(view: CardView, limit: int = QUOTE_LENGTH, mark: str = _MORE) -> Block:
    """Return the post as a quote: whole when short, else its beginning."""
    if view.is_removed:
        return quote("This post was removed by its author.")
    title = one_line(view.mention.title)
    text = clean(view.mention.text[: 20 * limit + 200])
    whole = f"{title}\n{text}" if title and not text.startswith(title) else text
    return quote(f"“{cut(whole, limit, mark)}”" if whole else "(a post without words)")


def list_reasons(reasons: Sequence[Reason]) -> str:
    """Return why it ranks where it does, the strongest first, unescaped; '' where nothing is known."""
    raised = sorted((r for r in reasons if r.weight > 0), key=lambda r: -r.weight)[:_REASONS_SHOWN]
    lowered = sorted((r for r in reasons if r.weight < 0), key=lambda r: r.weight)[:1]
    parts = [excerpt(reason.text, 80) for reason in raised]
    parts += [f"but {excerpt(reason.text, 80)}" if raised else excerpt(reason.text, 80) for reason in lowered]
    return " · ".join(part for part in parts if part)


def describe_route(capability: Capability) -> str:
    """Return how an answer would get there, on one line, unescaped."""
    if capability.route == "api":
        account = f" from {capability.account}" if capability.account else ""
        return f"Cuecard posts the answer{account} once you press Send."
    if capability.route == "by_hand":
        account = f", signed in as {capability.account}" if capability.account else ""
        return f"Answered by hand{account}: {capability.reason or 'this place takes no reply from programs.'}"
    return f"No answer is possible here: {capability.reason or 'this place takes none.'}"


def _number(view: CardView) -> int:
    return view.conversation.id


def _draw_origin(view: CardView) -> Block:
    mention = view.mention
    brand = f" · {excerpt(mention.brand, 80)}" if mention.brand else ""
    invited = " · speaks to us" if view.assessment.invited == "yes" else ""
    who = f"{cut(label_of(mention.platform), 40)} · {describe_author(mention)}{brand}{invited}"
    return context(plain(who, 500), words(f"posted {show_time(mention.created_at, '{ago}')}"))


def _draw_reasons(view: CardView) -> list[Block]:
    reasons = list_reasons(view.assessment.reasons)
    return [context(words("*Why:*"), plain(reasons, 450))] if reasons else []


def _draw_company(view: CardView) -> list[Block]:
    """Say what stands behind this post: others like it, what came before, what it answers."""
    parts = []
    if view.copies:
        parts.append(f"+{view.copies:,} {'post says' if view.copies == 1 else 'posts say'} the same")
    if view.earlier:
        parts.append(f"{view.earlier:,} earlier {'message' if view.earlier == 1 else 'messages'} from them")
    if view.mention.parent_text and not view.is_removed:
        parts.append(f"in answer to: “{excerpt(view.mention.parent_text, 150)}”")
    return [context(plain(" · ".join(parts), 600))] if parts else []


def _draw_route(view: CardView, capability: Capability) -> list[Block]:
    """Say how an answer would get there, while one may still be written."""
    is_over = view.conversation.state not in _WRITABLE or view.is_removed
    return [] if is_over else [context(plain(describe_route(capability), 300))]


def _summarise(view: CardView, now: datetime) -> str:
    """Return what a notification says."""
    mention = view.mention
    words_shown = "removed by its author" if view.is_removed else excerpt(mention.text, 200)
    place = f"#{_number(view)} · {describe_author(mention)} on {label_of(mention.platform)}"
    head = f"{GRADE_WORDS[view.assessment.grade]}: {place}, {tell_age(mention.created_at, now)} ago"
    return safe(f"{one_line(head)}: {words_shown}", 1500)
