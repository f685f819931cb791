"""What Cuecard serves in Slack, as literal tables, and the few lines around every handler.

There is no handler for messages: what people write in a card's thread is theirs alone. Nothing reads it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from slack_bolt import Ack, App, BoltResponse
from slack_sdk import WebClient

from bot.conversation import Actor
from bot.slack import advice, buttons, commands, home, modals, presses, reply_modal, rows, submissions, thread
from bot.slack.desk import Desk
from bot.slack.people import NotAdmittedError, Roster
from bot.slack.press import Press, value_of
from bot.slack.submissions import CLOSE, Answer, refuse
from bot.slack.writing import LiveCount, start_over

log = logging.getLogger(__name__)

Handler = Callable[[Press], None]
Submit = Callable[[Press], Answer]
Body = Mapping[str, Any]

_COUNTED = frozenset({reply_modal.REPLY_TEXT, thread.AS_THREAD})
ACTIONS: Mapping[str, Handler] = {
    buttons.CLAIM: presses.claim,
    buttons.REPLY: presses.reply,
    buttons.RELEASE: presses.release,
    buttons.RESTORE: presses.restore,
    buttons.UNDO: presses.undo,
    buttons.DISMISS: presses.dismiss,
    buttons.SNOOZE: presses.snooze,
    buttons.MORE: presses.choose_more,
    buttons.OPEN_POST: presses.follow_link,
    buttons.POSTED: presses.say_posted,
    buttons.NOT_POSTED: presses.say_not_posted,
    buttons.IS_THERE: presses.say_it_is_there,
    buttons.IS_NOT_THERE: presses.say_it_is_not_there,
    rows.OPEN_CARD: presses.follow_link,
    modals.FILLED_IN: presses.follow_link,
    home.LOOK: presses.look_at_quiet,
    home.REFRESH: presses.refresh_home,
    **dict.fromkeys(_COUNTED, LiveCount()),
    **dict.fromkeys(advice.STARTS, start_over),
}
VIEWS: Mapping[str, Submit] = {
    reply_modal.REPLY_VIEW: submissions.send_reply,
    modals.ASSIGN_VIEW: submissions.give_to,
    modals.HAND_OVER_VIEW: submissions.hand_over,
    modals.POSTED_VIEW: submissions.confirm_posted,
    modals.FOUND_VIEW: submissions.confirm_found,
}
COMMANDS: Mapping[str, Handler] = {
    commands.CLAIM_COMMAND: commands.claim_by_number,
    commands.MENTIONS_COMMAND: commands.list_mentions,
    commands.DIGEST_COMMAND: commands.show_digest,
}


def open_home(press: Press) -> None:
    """Have a person's Home drawn when they open it; the Messages tab needs nothing."""
    event = press.body.get("event") or {}
    if event.get("tab", "home") == "home":
        press.redraw()


EVENTS: Mapping[str, Handler] = {"app_home_opened": open_home}

_SORRY = "Something went wrong on Cuecard's side. Please look whether it worked, and try again; the log knows more."
_SORRY_IN_MODAL = "Something went wrong on Cuecard's side. Your words are still here: please press the button again."


@dataclass(frozen=True)
class _Reception:
    """What turns a delivery into a press."""

    desk: Desk
    client: WebClient
    roster: Roster

    def admit(self, body: Body, value: str) -> Press:
        """Return the press, if the person behind it may act.

        Raises:
            NotAdmittedError: with the sentence to tell them.
        """
        actor = self.roster.admit(person_of(body), team_of(body))
        return Press(self.desk, self.client, self.roster, actor, body, value)

    def turn_away(self, body: Body, sentence: str) -> None:
        """Tell a person who may not act why."""
        press = Press(self.desk, self.client, self.roster, Actor(person_of(body), ""), body)
        if body.get("command"):
            press.answer(commands.say(sentence))
        elif press.channel or press.trigger_id:
            press.tell(sentence)


def register(app: App, desk: Desk, client: WebClient, roster: Roster) -> None:
    """Serve the tables: one Bolt listener for each entry, one check in front of them all."""
    reception = _Reception(desk, client, roster)
    app.middleware(_drop_redelivered(desk))
    for action_id, handler in ACTIONS.items():
        app.action(action_id)(_on_press(reception, handler))
    for callback_id, submit in VIEWS.items():
        app.view(callback_id)(_on_submit(reception, submit))
    for command, handler in COMMANDS.items():
        app.command(command)(_on_command(reception, handler))
    for event, handler in EVENTS.items():
        app.event(event)(_on_event(reception, handler))
    app.error(_on_error(reception))


def person_of(body: Body) -> str:
    """Return the Slack id of who did it, whatever kind of delivery it is."""
    user = body.get("user")
    event = body.get("event")
    if isinstance(user, Mapping):
        return str(user.get("id") or "")
    if isinstance(event, Mapping):
        return str(event.get("user") or "")
    return str(body.get("user_id") or "")


def team_of(body: Body) -> str:
    """Return the workspace the person belongs to, as far as the delivery says."""
    user = body.get("user")
    if isinstance(user, Mapping) and user.get("team_id"):
        return str(user["team_id"])
    team = body.get("team")
    return str((team.get("id") if isinstance(team, Mapping) else team) or body.get("team_id") or "")


def delivery_key(body: Body) -> str:
    """Return what makes a delivery the same as another, '' for one that may be handled twice.

    A submitted modal is not among them: it must be answered each time, and `submissions` sees to it that it acts once.
    Keystrokes, and the choice of a thread, only count; counting twice does no harm.
    """
    kind = body.get("type")
    if body.get("command"):
        return f"command:{body.get('trigger_id')}" if body.get("trigger_id") else ""
    if kind == "event_callback":
        return f"event:{body['event_id']}" if body.get("event_id") else ""
    actions = body.get("actions")
    if kind != "block_actions" or not actions or actions[0].get("action_id") in _COUNTED:
        return ""
    place = body.get("container") or {}
    where = place.get("message_ts") or place.get("view_id") or ""
    action = actions[0]
    return f"press:{team_of(body)}:{person_of(body)}:{where}:{action.get('action_id')}:{action.get('action_ts')}"


def _drop_redelivered(desk: Desk) -> Callable[..., BoltResponse | None]:
    """Answer what Slack delivers a second time without doing it a second time."""

    def drop(body: Body, next_: Callable[[], None]) -> BoltResponse | None:
        key = delivery_key(body)
        if key and not desk.store.first_time(key, desk.now()):
            log.info("Slack delivered this again, and it was done already: %s", key.split(":", 1)[0])
            return BoltResponse(status=200, body="")
        next_()
        return None

    return drop


def _on_press(reception: _Reception, handler: Handler) -> Callable[..., None]:
    def run(ack: Ack, body: Body) -> None:
        ack()
        _run(reception, handler, body, value_of(body))

    return run


def _on_command(reception: _Reception, handler: Handler) -> Callable[..., None]:
    def run(ack: Ack, body: Body) -> None:
        ack()
        _run(reception, handler, body, str(body.get("text") or ""))

    return run


def _on_event(reception: _Reception, handler: Handler) -> Callable[..., None]:
    def run(body: Body) -> None:
        _run(reception, handler, body, "")

    return run


def _run(reception: _Reception, handler: Handler, body: Body, value: str) -> None:
    """Run a handler whose delivery is acknowledged already.

    Its errors stay here: Bolt 1.30 takes an acknowledgement back where a listener fails right after it
    (thread_runner.py), and the person would see Slack's own warning on top of our sentence.
    """
    try:
        handler(reception.admit(body, value))
    except NotAdmittedError as err:
        reception.turn_away(body, str(err))
    except Exception as err:  # noqa: BLE001 - logged with its traceback, and told to the person
        _report(reception, err, body)


def _on_submit(reception: _Reception, submit: Submit) -> Callable[..., None]:
    """Submitted modals are answered with what became of them, so the decision comes before the ack."""

    def run(ack: Ack, body: Body) -> None:
        try:
            press = reception.admit(body, "")
        except NotAdmittedError as err:
            ack(**refuse(_first_input(body), str(err)))
            return
        answer = submit(press)
        if answer == CLOSE:
            ack()
        else:
            ack(**answer)

    return run


def _first_input(body: Body) -> str:
    blocks = (body.get("view") or {}).get("blocks") or ()
    return next((str(block.get("block_id")) for block in blocks if block.get("type") == "input"), "")


def _on_error(reception: _Reception) -> Callable[..., BoltResponse | None]:
    """Whatever was not foreseen: the log gets the traceback, the person one kind sentence."""

    def tell(error: Exception, body: Body) -> BoltResponse | None:
        return _report(reception, error, body)

    return tell


def _report(reception: _Reception, error: Exception, body: Body) -> BoltResponse | None:
    log.error("A handler failed on a delivery of type %s", body.get("type"), exc_info=error)
    if body.get("type") == "view_submission":
        return BoltResponse(status=200, body=refuse(_first_input(body), _SORRY_IN_MODAL))
    reception.turn_away(body, _SORRY)
    return None
