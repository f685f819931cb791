"""What each button and menu does. A handler is three thoughts: ack (done by `handlers`), one decision, redraw."""

from __future__ import annotations

from bot import decisions
from bot.conversation import DismissReason
from bot.ledger import SendState
from bot.records import CardView
from bot.slack.buttons import MORE_ASSIGN, MORE_HAND_OVER, can_reply
from bot.slack.modals import draw_assign, draw_found, draw_hand_over, draw_posted, draw_quiet
from bot.slack.press import Press
from bot.slack.reply_modal import draw_reply_modal
from bot.slack.snooze import snooze_until
from bot.slack.writing import await_late_draft, begin_writing

_QUIET_SHOWN = 15
_REMOVED = "The author took this post down, so there is nothing to reply to any more."
_BUSY = "A reply to this is on its way, or nobody knows yet whether it arrived: see the card."
_NOT_WAITING = "That is settled already; the card shows how."


def claim(press: Press) -> None:
    """Take the conversation."""
    press.settle(decisions.claim(press.desk.store, press.conversation_id, press.actor, press.now))


def release(press: Press) -> None:
    """Give it back to the team."""
    press.settle(decisions.release(press.desk.store, press.conversation_id, press.actor, press.now))


def restore(press: Press) -> None:
    """Take a dismissal back."""
    press.settle(decisions.restore(press.desk.store, press.conversation_id, press.actor, press.now))


def undo(press: Press) -> None:
    """Stop the reply that has not left yet."""
    press.settle(decisions.undo(press.desk.store, press.conversation_id, press.actor, press.now))


def dismiss(press: Press) -> None:
    """Let it rest, for the chosen reason."""
    if press.choice not in set(DismissReason):
        return
    reason = DismissReason(press.choice)
    press.settle(decisions.dismiss(press.desk.store, press.conversation_id, reason, press.actor, press.now))


def snooze(press: Press) -> None:
    """Put it away for the chosen while."""
    until = snooze_until(press.choice, press.now, press.desk.zone, press.desk.morning)
    if until is not None:
        press.settle(decisions.snooze(press.desk.store, press.conversation_id, until, press.actor, press.now))


def choose_more(press: Press) -> None:
    """Open the modal behind the three dots."""
    view = press.find()
    if view is None:
        return
    if press.choice == MORE_ASSIGN:
        press.open_modal(draw_assign(view.conversation.id))
    elif press.choice == MORE_HAND_OVER:
        press.open_modal(draw_hand_over(view.conversation.id, press.desk.hand_to(view)))


def reply(press: Press) -> None:
    """Open the modal to write in. Replying to what nobody has is claiming it first: the owner answers."""
    view = press.find()
    if view is None:
        return
    capability = press.desk.capability(view)
    if view.is_removed or capability.route == "none":
        press.tell(_REMOVED if view.is_removed else capability.reason or "No answer is possible there.")
        return
    outcome = decisions.claim(press.desk.store, view.conversation.id, press.actor, press.now)
    if not outcome.is_done:
        press.settle(outcome)
        return
    press.redraw()
    mine = press.find()
    if mine is not None and can_reply(mine, capability):
        writing = begin_writing(press.desk, mine)
        opened = press.open_modal(draw_reply_modal(writing))
        if opened is not None:
            await_late_draft(press, writing, opened)
    elif mine is not None:
        press.tell(_BUSY)


def say_posted(press: Press) -> None:
    """Ask where the reply that was posted by hand stands."""
    view = _waiting(press, SendState.HANDED_OFF)
    if view is not None and view.send is not None:
        parts = view.send.parts or (view.send.text,)
        press.open_modal(draw_posted(view, press.desk.capability(view), parts))


def say_not_posted(press: Press) -> None:
    """Note that nothing was posted by hand after all."""
    press.settle(decisions.deny_by_hand(press.desk.store, press.conversation_id, press.actor, press.now))


def say_it_is_there(press: Press) -> None:
    """Ask where the reply of unknown outcome turned out to be."""
    view = _waiting(press, SendState.UNKNOWN)
    if view is not None:
        press.open_modal(draw_found(view))


def say_it_is_not_there(press: Press) -> None:
    """Note that the reply of unknown outcome did not arrive."""
    outcome = decisions.resolve_unknown(press.desk.store, press.conversation_id, False, "", press.actor, press.now)  # noqa: FBT003 - fixed by the decision
    press.settle(outcome)


def _waiting(press: Press, state: SendState) -> CardView | None:
    """Return the conversation while its send is in `state`; tells the person otherwise."""
    view = press.find()
    if view is None:
        return None
    if view.send is None or view.send.state is not state:
        press.tell(_NOT_WAITING)
        return None
    return view


def look_at_quiet(press: Press) -> None:
    """Show what was kept below the line."""
    found = press.desk.store.quiet(_QUIET_SHOWN + 1)
    press.open_modal(draw_quiet(found[:_QUIET_SHOWN], has_more=len(found) > _QUIET_SHOWN))


def refresh_home(press: Press) -> None:
    """Draw this person's Home again."""
    press.redraw()


def follow_link(_press: Press) -> None:
    """Do nothing: the button opened an address, and Slack only wants to hear that we heard."""
