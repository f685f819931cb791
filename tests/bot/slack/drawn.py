"""Card views in every state, for the tests that draw them."""

# ruff: noqa: ANN401 - tests build payloads of any shape, and fixtures are asked for what they set up

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from fake_slack import texts_of
from seeds import ANA, BEN, NOW, a_mention, an_assessment
from slack_sdk.models.blocks import Block

from bot.conversation import Conversation, DismissReason, Event, State
from bot.ledger import Send, SendState
from bot.records import CardView, HistoryEntry
from bot.slack.blocks import MOST_BLOCKS, MOST_CHARACTERS, Message, count_characters
from listeners.contract import Capability, Posted
from listeners.mention import Mention

OUR_DATES = re.compile(r"<!date\^\d+\^[^|<>]+\|[^|<>]+>")
OUR_LINKS = re.compile(r"<https?://[^|<>\s]+\|[^|<>]+>")
HOSTILE = (
    "<!channel> <@U1> <#C1> <!subteam^S1> <https://evil.example|bank> *x* `y` \u202egnp.exe &lt;!here&gt; @everyone"
)
API = Capability("api", account="@acme")
BY_HAND = Capability("by_hand", "this place takes no reply from programs.", "https://stage.example/posts/1")
FILLED_IN = Capability(
    "by_hand",
    "this place takes no reply from programs.",
    "https://stage.example/posts/1",
    account=HOSTILE,
    prefill="https://stage.example/write?answers=1&text={text}",
)
NONE = Capability("none", "it is only a replay.")
NO_DRAFTS = Capability("by_hand", "The rules ask for your own words.", may_suggest=False)


def a_send(state: SendState, **fields: Any) -> Send:
    """Return a row of the ledger."""
    values: dict[str, Any] = {
        "id": 1,
        "conversation_id": 12,
        "mention_id": 7,
        "state": state,
        "text": "Sorry! It leaves today.",
        "suggestion": "",
        "approved_by": ANA,
        "approved_at": NOW,
        "send_after": NOW + timedelta(seconds=30),
    }
    return Send(**{**values, **fields})


def a_view(state: State = State.SHOWN, mention: Mention | None = None, **fields: Any) -> CardView:
    """Return a view of conversation 12."""
    told = mention or a_mention()
    conversation = Conversation(
        id=12,
        state=state,
        platform=told.platform,
        feed=told.feed,
        author=told.author.handle,
        brand=told.brand,
        priority=50.0,
        grade=2,
        heard_at=NOW,
        changed_at=NOW,
        owner=ANA if state in {State.CLAIMED, State.SENDING, State.ANSWERED} else None,
        snoozed_until=NOW + timedelta(hours=4) if state is State.SNOOZED else None,
        dismiss_reason=DismissReason.SPAM if state is State.DISMISSED else None,
        answered_at=NOW if state is State.ANSWERED else None,
    )
    conversation = replace(conversation, **fields.pop("conversation", {}))
    fields.setdefault("assessment", an_assessment())
    return CardView(conversation=conversation, mention_id=7, mention=told, **fields)


def an_entry(event: Event, detail: str = "", actor: Any = ANA) -> HistoryEntry:
    """Return an event row."""
    return HistoryEntry(12, NOW, actor, event, "", "", detail)


def every_view() -> Iterator[CardView]:
    """Yield a view in every state a card can be in, with every send that can stand on it."""
    for state in State:
        yield a_view(state)
    for removed in (State.SHOWN, State.CLAIMED):
        yield a_view(removed, is_removed=True)
    for send in (SendState.APPROVED, SendState.SENDING, SendState.HANDED_OFF):
        yield a_view(State.SENDING, send=a_send(send))
    for send in (SendState.UNKNOWN, SendState.REFUSED, SendState.UNDONE, SendState.NOT_SENT):
        yield a_view(State.CLAIMED, send=a_send(send, problem="The account is locked."))
    yield a_view(State.ANSWERED, send=a_send(SendState.SENT, url="https://stage.example/posts/2"))
    yield a_view(State.ANSWERED, send=a_send(SendState.CONFIRMED))


def every_thread_view() -> Iterator[CardView]:
    """Yield a view with a thread in every state of its send, two of its three parts up."""
    up = (Posted("2", "https://stage.example/posts/2"), Posted("3", HOSTILE))
    thread = {"parts": ("One.", HOSTILE, "Three."), "posted": up, "problem": HOSTILE}
    for send in (SendState.APPROVED, SendState.SENDING):
        yield a_view(State.SENDING, send=a_send(send, **thread))
    for send in (SendState.UNKNOWN, SendState.REFUSED, SendState.UNDONE, SendState.NOT_SENT):
        yield a_view(State.CLAIMED, send=a_send(send, **thread))


EVERY_HISTORY = [
    [],
    [
        an_entry(Event.CLAIM, actor=BEN),
        an_entry(Event.ASSIGN, "to Ana"),
        an_entry(Event.SNOOZE),
        an_entry(Event.DISMISS),
        an_entry(Event.HAND_OVER, "legal has it"),
    ],
]
EVERY_CAPABILITY = [API, BY_HAND, FILLED_IN, NONE, NO_DRAFTS]


def assert_fit_for_slack(message: Message) -> None:
    """Hold every limit of a message, and that nothing in it is live but what we built."""
    assert 0 < len(message.text) <= 4000
    assert len(message.blocks) <= MOST_BLOCKS
    assert count_characters(message.blocks) <= MOST_CHARACTERS
    assert not any(block["type"] == "rich_text" for block in message.blocks)
    for block in message.blocks:
        Block.parse(block).to_dict()
    for text in [message.text, *texts_of(message.blocks)]:
        left = OUR_LINKS.sub("", OUR_DATES.sub("", text))
        assert "<" not in left
        assert not re.search(r"&(?!(?:amp|lt|gt);)", left)
        assert 0 < len(text) <= 3000
    json.dumps(message.blocks).encode()
