"""What the reply modal says before a person writes: what to start from, and its sources; or why there is none. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from slack_sdk.models.blocks import Block

from bot.drafting import BY_MODEL
from bot.slack.blocks import actions, button, careful_button, context, plain, words
from bot.slack.text import excerpt
from nlp.assessment import Draft
from nlp.draft import Drafts
from nlp.playbook import HandTo

NO_DRAFT = "none"
MOST_DRAFTS = 4
"""Three of the playbook, and one by a model where one is set up."""
STARTS = (*(f"reply_start_{number}" for number in range(MOST_DRAFTS)), f"reply_start_{NO_DRAFT}")
"""The buttons that choose what to start from: a suggestion, or a blank page."""
_KINDS: Mapping[str, str] = {
    "answer": "Answer",
    "ask": "Ask first",
    "private": "Move to private",
    BY_MODEL: "Written by a model",
}
_MOST_NOTES = 3


def draw_advice(drafts: Drafts, chosen: int | None, hand_to: HandTo | None) -> list[Block]:
    """Return what to know before writing, and the choice of where to start from or why there is none."""
    return [
        *(context(words("*Note:*"), plain(excerpt(note, 300))) for note in drafts.notes[:_MOST_NOTES]),
        *([_draw_hand_to(hand_to)] if hand_to else []),
        _draw_starts(drafts[:MOST_DRAFTS], chosen) if drafts else _draw_reason(drafts.reason),
    ]


def draw_sources(drafts: Drafts) -> list[Block]:
    """Return of what each suggestion is made: entries of the playbook, past replies, a model."""
    told = [f"{name_draft(draft)}: {excerpt(draft.source, 300)}" for draft in drafts[:MOST_DRAFTS]]
    return [context(words("*Sources:*"), plain(" · ".join(told), 1500))] if told else []


def name_draft(draft: Draft) -> str:
    """Return what a draft tries, in words."""
    return _KINDS.get(draft.kind, "Suggestion")


def _draw_starts(drafts: Sequence[Draft], chosen: int | None) -> Block:
    starts = [
        button(name_draft(draft), STARTS[number], str(number), style="primary" if number == chosen else None)
        for number, draft in enumerate(drafts)
    ]
    question = "Everything that stands in the answer is taken away."
    blank = careful_button("Blank page", STARTS[-1], NO_DRAFT, question=question, yes="Clear it")
    return actions([*starts, blank])


def _draw_reason(reason: str) -> Block:
    why = f" {excerpt(reason, 500)}" if reason else ""
    return context(words("*No suggestion:*"), plain(f"{why} The words are yours.".strip(), 600))


def _draw_hand_to(hand_to: HandTo) -> Block:
    note = f": {excerpt(hand_to.note, 300)}" if hand_to.note else ""
    return context(words("*Perhaps for:*"), plain(f"{excerpt(hand_to.who, 100)}{note}", 500))
