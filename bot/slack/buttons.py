"""The buttons of a card: what the state machine allows, and nothing else.

A value carries the conversation's number, and for a menu the choice behind it: '12' or '12:spam'.
"""

from __future__ import annotations

from slack_sdk.models.blocks import Block, InteractiveElement

from bot.conversation import DISMISS_LABELS, Event, State, next_state
from bot.ledger import LIVE, SendState
from bot.records import CardView
from bot.slack.blocks import actions, button, careful_button, link_button, menu, overflow
from bot.slack.snooze import SNOOZE_LABELS
from listeners.contract import Capability

CLAIM = "card_claim"
REPLY = "card_reply"
RELEASE = "card_release"
RESTORE = "card_restore"
UNDO = "card_undo"
DISMISS = "card_dismiss"
SNOOZE = "card_snooze"
MORE = "card_more"
OPEN_POST = "card_open_post"
POSTED = "card_posted"
NOT_POSTED = "card_not_posted"
IS_THERE = "card_is_there"
IS_NOT_THERE = "card_is_not_there"

MORE_ASSIGN = "assign"
MORE_HAND_OVER = "hand_over"


def draw_buttons(view: CardView, capability: Capability) -> list[Block]:
    """Return the row of buttons for the state the conversation is in."""
    elements = [*_draw_decisions(view, capability), *_draw_open(view)]
    return [actions(elements)] if elements else []


def can_reply(view: CardView, capability: Capability) -> bool:
    """Return whether a reply can be written now."""
    state = view.conversation.state
    is_open = state is State.CLAIMED or next_state(state, Event.CLAIM) is State.CLAIMED
    is_busy = view.send is not None and view.send.state in LIVE
    return is_open and not is_busy and not view.is_removed and capability.route != "none"


def _draw_open(view: CardView) -> list[InteractiveElement]:
    return [] if view.is_removed else [*link_button("Open post", OPEN_POST, view.mention.url)]


def _draw_decisions(view: CardView, capability: Capability) -> list[InteractiveElement]:
    if view.send is not None and view.send.state in LIVE:
        return _draw_for_send(view)
    key, allowed = str(view.conversation.id), _allowed(view)
    elements: list[InteractiveElement] = []
    if Event.CLAIM in allowed:
        elements.append(button("Claim", CLAIM, key, style="primary"))
    if can_reply(view, capability):
        style = None if Event.CLAIM in allowed else "primary"
        elements.append(button("Reply", REPLY, key, style=style))
    if Event.RELEASE in allowed:
        elements.append(button("Release", RELEASE, key))
    if Event.RESTORE in allowed:
        elements.append(button("Restore", RESTORE, key))
    return [*elements, *_draw_menus(key, allowed)]


def _draw_menus(key: str, allowed: frozenset[Event]) -> list[InteractiveElement]:
    elements: list[InteractiveElement] = []
    if Event.SNOOZE in allowed:
        elements.append(menu("Snooze", SNOOZE, [(label, f"{key}:{choice}") for choice, label in SNOOZE_LABELS.items()]))
    if Event.DISMISS in allowed:
        options = [(label, f"{key}:{reason}") for reason, label in DISMISS_LABELS.items()]
        elements.append(menu("Dismiss", DISMISS, options))
    more = []
    if Event.ASSIGN in allowed:
        more.append(("Give it to …", f"{key}:{MORE_ASSIGN}"))
    if Event.HAND_OVER in allowed:
        more.append(("Hand over …", f"{key}:{MORE_HAND_OVER}"))
    return [*elements, overflow(MORE, more)] if more else elements


def _draw_for_send(view: CardView) -> list[InteractiveElement]:
    """Return the buttons while a reply is on its way."""
    key = str(view.conversation.id)
    match view.send.state if view.send else None:
        case SendState.APPROVED:
            return [button("Stop the rest" if view.send and view.send.posted else "Undo", UNDO, key, style="danger")]
        case SendState.HANDED_OFF:
            return [button("I posted it", POSTED, key, style="primary"), button("Not posted", NOT_POSTED, key)]
        case SendState.UNKNOWN:
            question = "Is it certain that the reply is not there? The conversation can then be answered again."
            return [
                button("It is there", IS_THERE, key, style="primary"),
                careful_button("It is not there", IS_NOT_THERE, key, question=question, yes="It is not there"),
            ]
        case _:
            return []


def _allowed(view: CardView) -> frozenset[Event]:
    """Return what a person can do in this state; a conversation that is being posted is as good as shown."""
    state = view.conversation.state
    seen = State.SHOWN if state is State.NEW else state
    return frozenset(event for event in Event if next_state(seen, event) is not None)
