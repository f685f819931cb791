"""One conversation as a short row, for App Home, search results and the quiet list. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from slack_sdk.models.blocks import Block

from bot.conversation import Event, State, next_state
from bot.ledger import LIVE
from bot.records import CardView
from bot.slack.blocks import actions, button, context, link_button, plain, quote, words
from bot.slack.buttons import CLAIM, OPEN_POST, REPLY
from bot.slack.card import GRADE_WORDS, describe_author
from bot.slack.text import excerpt, safe_line, show_time
from listeners.catalog import label_of

OPEN_CARD = "row_open_card"
_EXCERPT = 180
STATE_WORDS: Mapping[State, str] = {
    State.NEW: "waiting",
    State.SHOWN: "waiting",
    State.QUIET: "kept quiet",
    State.CLAIMED: "claimed",
    State.SENDING: "being answered",
    State.ANSWERED: "answered",
    State.DISMISSED: "dismissed",
    State.SNOOZED: "snoozed",
    State.HANDED_OVER: "handed over",
    State.EXPIRED: "closed by itself",
}


def draw_row(view: CardView, card_url: str, *, is_mine: bool = False) -> list[Block]:
    """Return a conversation in two or three blocks; `card_url` leads to its card, '' where it has none."""
    key = str(view.conversation.id)
    text = "This post was removed by its author." if view.is_removed else excerpt(view.mention.text, _EXCERPT)
    place = f"#{key} · {describe_author(view.mention)} on {label_of(view.mention.platform)}"
    state = describe_state(view)
    elements = []
    if next_state(view.conversation.state, Event.CLAIM) is not None:
        elements.append(button("Claim", CLAIM, key))
    if is_mine and view.conversation.state is State.CLAIMED and not _is_busy(view):
        elements.append(button("Reply", REPLY, key, style="primary"))
    elements += [*link_button("Open card", OPEN_CARD, card_url)]
    if not view.is_removed:
        elements += [*link_button("Open post", OPEN_POST, view.mention.url)]
    blocks: list[Block] = [
        context(plain(f"{GRADE_WORDS[view.assessment.grade]} · {place}", 400), words(state)),
        quote(text or "(a post without words)", 1000),
    ]
    return [*blocks, actions(elements)] if elements else blocks


def describe_state(view: CardView) -> str:
    """Return where a conversation stands, as mrkdwn: 'claimed by Ana · heard 3 hours ago'."""
    conversation = view.conversation
    owner = f" by {safe_line(conversation.owner.name, 80)}" if conversation.owner else ""
    has_owner = conversation.state in {State.CLAIMED, State.SENDING, State.ANSWERED}
    word = STATE_WORDS[conversation.state]
    return f"{word}{owner if has_owner else ''} · heard {show_time(conversation.heard_at, '{ago}')}"


def _is_busy(view: CardView) -> bool:
    return view.send is not None and view.send.state in LIVE
