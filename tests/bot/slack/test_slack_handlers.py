"""Presses, submissions and commands, through the real Bolt app over a real store."""

# ruff: noqa: ARG001, ANN401, PLR0917 - tests build payloads of any shape, and fixtures are asked for what they set up

from __future__ import annotations

import itertools
import json
import re
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from conftest import StagePlatform, Woken
from fake_slack import FakeSlack, elements_of, error, words_of
from seeds import ANA, BEN, NOW, a_mention, an_assessment, hear, show
from slack_bolt import App, BoltRequest, BoltResponse

from bot import decisions
from bot.clock import ManualClock
from bot.conversation import State
from bot.ledger import SendState
from bot.records import JobKind
from bot.slack import buttons, modals
from bot.slack.desk import Desk
from bot.slack.handlers import ACTIONS, COMMANDS, EVENTS, VIEWS, delivery_key
from bot.slack.people import CANNOT_TELL, IS_A_BOT, IS_A_GUEST, NOT_ONE_OF_US
from bot.slack.reply_modal import REPLY_TEXT, REPLY_VIEW
from bot.store import Store
from listeners.contract import Capability

TICKS = itertools.count(1)
OWN_WORDS = "Sorry about the kettle! A new one leaves today."


@dataclass
class Hands:
    """A person's hands: every delivery goes through the real app, and has ended when the call returns."""

    app: App
    slack: FakeSlack
    user: str = "U1"
    team: str = "T1"
    sent: list[dict[str, Any]] = field(default_factory=list)

    def deliver(self, body: dict[str, Any]) -> BoltResponse:
        """Deliver a payload as Socket Mode does, and wait until the handler has ended."""
        self.sent.append(body)
        answer = self.app.dispatch(BoltRequest(body=body, mode="socket_mode"))
        self.rest()
        return answer

    def rest(self) -> None:
        """Wait until no handler works any more."""
        executor = self.app.listener_runner.listener_executor
        futures = [executor.submit(lambda: None) for _ in range(32)]
        for future in futures:
            future.result(10)
        deadline = time.monotonic() + 5
        while executor._work_queue.qsize() or executor._idle_semaphore._value < len(executor._threads):
            assert time.monotonic() < deadline, "a handler does not end"
            time.sleep(0.002)

    def press(self, action_id: str, value: str = "1", **fields: Any) -> BoltResponse:
        """Press a button on a card."""
        action = {"type": "button", "action_id": action_id, "value": value, "action_ts": f"{next(TICKS)}.0"}
        return self.deliver(self._body("block_actions", actions=[action], **fields))

    def choose(self, action_id: str, value: str) -> BoltResponse:
        """Choose from a menu on a card."""
        option = {"text": {"type": "plain_text", "text": "x"}, "value": value}
        action = {
            "type": "static_select",
            "action_id": action_id,
            "selected_option": option,
            "action_ts": f"{next(TICKS)}.0",
        }
        return self.deliver(self._body("block_actions", actions=[action]))

    def submit(self, view: dict[str, Any], **values: dict[str, Any]) -> dict[str, Any]:
        """Submit a modal; return how it was answered, {} where it closed."""
        state = {"values": values}
        whole = {"id": "V1", "hash": "h0", **view, "state": state}
        body = self._body("view_submission", view=whole)
        body.pop("container")
        body.pop("channel")
        answer = self.deliver(body)
        assert answer.status == 200
        return json.loads(answer.body) if answer.body else {}

    def type_words(self, view: dict[str, Any], words: str, **fields: Any) -> None:
        """Type into the answer."""
        action = {"type": "plain_text_input", "action_id": REPLY_TEXT, "value": words, "action_ts": f"{next(TICKS)}.0"}
        whole = {"id": "V1", "hash": "h0", **view, **fields}
        self.deliver(
            self._body(
                "block_actions", actions=[action], view=whole, container={"type": "view", "view_id": "V1"}, channel=None
            )
        )

    def command(self, command: str, text: str = "") -> str:
        """Write a slash command; return all the words of the answer."""
        self.deliver(
            {
                "command": command,
                "text": text,
                "user_id": self.user,
                "team_id": self.team,
                "channel_id": "C1",
                "trigger_id": f"t{next(TICKS)}",
                "response_url": self.slack.response_url,
            }
        )
        answer = self.slack.answers[-1]
        assert answer["response_type"] == "ephemeral"
        return f"{answer['text']}\n{words_of(answer.get('blocks'))}"

    def _body(self, kind: str, **fields: Any) -> dict[str, Any]:
        return {
            "type": kind,
            "user": {"id": self.user, "username": "x", "team_id": self.team},
            "team": {"id": "T1"},
            "trigger_id": f"t{next(TICKS)}",
            "container": {"type": "message", "message_ts": "1.2", "channel_id": "C1"},
            "channel": {"id": "C1"},
            **fields,
        }

    def opened(self) -> dict[str, Any]:
        """Return the modal that was opened last."""
        return self.slack.named("views.open")[-1]["view"]

    def told(self) -> list[str]:
        """Return the sentences that were told to one person alone."""
        return [call["text"] for call in self.slack.named("chat.postEphemeral")]


@pytest.fixture
def ana(app: App, slack: FakeSlack) -> Hands:
    """Ana."""
    return Hands(app, slack)


@pytest.fixture
def ben(app: App, slack: FakeSlack) -> Hands:
    """Ben."""
    return Hands(app, slack, user="U2")


@pytest.fixture
def heard(store: Store) -> int:
    """Conversation 1, whose card stands in the channel."""
    number = hear(store, a_mention())
    show(store, number)
    while job := store.take_job(NOW):
        store.finish_job(job, NOW)
    return number


def state_of(store: Store, number: int = 1) -> State:
    """Return where a conversation stands."""
    found = store.conversation(number)
    assert found is not None
    return found.state


def write(ana: Hands, words: str) -> dict[str, Any]:
    """Open the modal, put words in and press Send; return the answer."""
    ana.press(buttons.REPLY)
    return send(ana, ana.opened(), words)


def send(hands: Hands, view: dict[str, Any], words: str) -> dict[str, Any]:
    """Submit an open modal with these words."""
    block = next(block["block_id"] for block in view["blocks"] if block["type"] == "input")
    return hands.submit(view, **{block: {REPLY_TEXT: {"type": "plain_text_input", "value": words}}})


# Claiming


def test_a_claim_is_one_persons(ana: Hands, ben: Hands, heard: int, store: Store):
    """The first gets it; the second is told who did, and nobody else hears of it."""
    ana.press(buttons.CLAIM)
    ben.press(buttons.CLAIM)
    found = store.conversation(heard)
    assert found is not None
    assert (found.state, found.owner) == (State.CLAIMED, ANA)
    assert [call["user"] for call in ana.slack.named("chat.postEphemeral")] == ["U2"]
    assert ana.told()[0].startswith("Ana Lima claimed this")


def test_a_decision_leaves_the_drawing_to_the_outbox(ana: Hands, heard: int, store: Store, woken: Woken):
    """The handler changes nothing in Slack itself; the card and the person's Home are asked for."""
    ana.press(buttons.CLAIM)
    assert not ana.slack.named("chat.update")
    assert woken.outbox == 1
    kinds = []
    while job := store.take_job(NOW):
        kinds.append((job.kind, job.key))
    assert kinds == [(JobKind.CARD, str(heard)), (JobKind.HOME, "U1")]


def test_release_snooze_dismiss_and_restore(ana: Hands, heard: int, store: Store):
    """Each does what it says."""
    ana.press(buttons.CLAIM)
    ana.press(buttons.RELEASE)
    assert state_of(store) is State.SHOWN
    ana.choose(buttons.SNOOZE, "1:4h")
    assert state_of(store) is State.SNOOZED
    ana.press(buttons.CLAIM)
    ana.choose(buttons.DISMISS, "1:spam")
    assert state_of(store) is State.DISMISSED
    ana.press(buttons.RESTORE)
    assert state_of(store) is State.CLAIMED
    assert not ana.told()


@pytest.mark.parametrize("value", ["", "x", "99", "-1", "1; drop table", "1:x:y", "9" * 30])
def test_a_forged_number_finds_nothing(ana: Hands, heard: int, store: Store, value: str):
    """What a button carries is only ever looked up."""
    ana.press(buttons.CLAIM, value)
    assert state_of(store) is State.SHOWN
    assert ana.told() == ["There is no such conversation."]


@pytest.mark.parametrize("action_id", [buttons.DISMISS, buttons.SNOOZE, buttons.MORE])
def test_a_forged_choice_does_nothing(ana: Hands, heard: int, store: Store, action_id: str):
    """A choice that is not on the menu is no choice."""
    ana.choose(action_id, "1:everything")
    assert state_of(store) is State.SHOWN
    assert not ana.slack.named("views.open")


def test_a_link_button_only_wants_to_be_heard(ana: Hands, heard: int, store: Store):
    """Opening the post changes nothing."""
    assert ana.press(buttons.OPEN_POST).status == 200
    assert state_of(store) is State.SHOWN


# Writing


def test_replying_claims_first_and_opens_the_modal(ana: Hands, heard: int, store: Store):
    """Who writes is the owner; the suggestion stands there with its gap."""
    ana.press(buttons.REPLY)
    assert state_of(store) is State.CLAIMED
    assert "[what you found]" in next(
        e["initial_value"] for e in elements_of(ana.opened()) if e["action_id"] == REPLY_TEXT
    )


def test_nobody_writes_on_anothers_conversation(ana: Hands, ben: Hands, heard: int):
    """The second is told who has it, and gets no modal."""
    ana.press(buttons.CLAIM)
    ben.press(buttons.REPLY)
    assert not ben.slack.named("views.open")
    assert "Ana Lima claimed this" in ben.told()[0]


def test_own_words_are_approved_exactly_and_held(ana: Hands, heard: int, store: Store, woken: Woken):
    """The ledger has the very words; the modal closes; the sender is told; nothing went out from here."""
    assert write(ana, f"  {OWN_WORDS} ") == {}
    sent = store.sends(heard)
    assert [(each.state, each.text, each.approved_by) for each in sent] == [(SendState.APPROVED, OWN_WORDS, ANA)]
    assert (sent[0].send_after - sent[0].approved_at).total_seconds() == 30
    assert state_of(store) is State.SENDING
    assert woken.sender == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("Hi, thank you for telling us. [what you found]", "Fill in [what you found] first"),
        ("HI thank you, for telling us what you found!", "still the suggestion's words"),
        ("Hi, thank you for telling us. 🎉", "still the suggestion's words"),
        ("x" * 281, "too long: 281 of 280."),
        ("   ", "The reply is empty."),
    ],
)
def test_what_is_not_a_persons_own_is_refused(ana: Hands, heard: int, store: Store, words: str, sentence: str):
    """The gap, the suggestion's own words, a text too long: the modal stays, with one sentence."""
    answer = write(ana, words)
    assert answer["response_action"] == "errors"
    assert sentence in next(iter(answer["errors"].values()))
    assert not store.sends(heard)


def test_the_suggestion_is_not_taken_from_what_comes_back(ana: Hands, heard: int, store: Store):
    """Metadata that claims another start, or none, does not let a suggestion through."""
    ana.press(buttons.REPLY)
    view = ana.opened()
    for forged in (None, 99, -1):
        ids = {**json.loads(view["private_metadata"]), "d": forged}
        answer = send(
            ana, {**view, "private_metadata": json.dumps(ids)}, "Hi, thank you for telling us. what you found"
        )
        assert "still the suggestion's words" in str(answer)
    assert not store.sends(heard)


@pytest.mark.parametrize("metadata", ["", "{}", '{"c":99,"m":1}', '{"c":"1 or 1","m":1}'])
def test_foreign_metadata_sends_nothing(ana: Hands, heard: int, store: Store, metadata: str):
    """A modal that names no conversation of ours is refused."""
    ana.press(buttons.REPLY)
    answer = send(ana, {**ana.opened(), "private_metadata": metadata}, OWN_WORDS)
    assert "no such conversation" in str(answer)
    assert not store.sends(heard)


def test_a_submission_delivered_twice_sends_once_and_is_answered_twice(ana: Hands, heard: int, store: Store):
    """The person's modal closes both times; the ledger has one row."""
    assert write(ana, OWN_WORDS) == {}
    assert json.loads(ana.deliver(ana.sent[-1]).body or "{}") == {}
    assert len(store.sends(heard)) == 1


def test_a_submission_that_comes_again_after_undo_sends_nothing(ana: Hands, heard: int, store: Store):
    """Slack delivers minutes later what was undone in between: it stays undone."""
    write(ana, OWN_WORDS)
    again = ana.sent[-1]
    ana.press(buttons.UNDO)
    assert not ana.deliver(again).body
    assert [each.state for each in store.sends(heard)] == [SendState.UNDONE]
    assert state_of(store) is State.CLAIMED


def test_the_same_words_can_be_sent_again_after_undo(ana: Hands, heard: int, store: Store):
    """Undo, look, and send: a new modal is a new decision."""
    write(ana, OWN_WORDS)
    ana.press(buttons.UNDO)
    ana.press(buttons.REPLY)
    view = {**ana.opened(), "id": "V2"}
    assert send(ana, view, OWN_WORDS) == {}
    assert [each.state for each in store.sends(heard)] == [SendState.UNDONE, SendState.APPROVED]


def test_a_refused_submission_can_be_mended(ana: Hands, heard: int, store: Store):
    """The same modal with other words is another submission, though Slack gives it the same name and version."""
    ana.press(buttons.REPLY)
    view = ana.opened()
    assert send(ana, view, "[what you found]")["response_action"] == "errors"
    assert send(ana, view, OWN_WORDS) == {}
    assert len(store.sends(heard)) == 1


def test_two_people_cannot_both_send(ana: Hands, ben: Hands, heard: int, store: Store):
    """Ben's open modal is refused once Ana has the conversation."""
    ben.press(buttons.REPLY)
    view = ben.opened()
    ben.press(buttons.RELEASE)
    ana.press(buttons.CLAIM)
    answer = send(ben, view, OWN_WORDS)
    assert "Ana Lima has this one" in str(answer["errors"])
    assert not store.sends(heard)


def test_who_writes_again_meanwhile_is_shown_first(ana: Hands, heard: int, store: Store):
    """The words stay, the new message stands above, and only the next Send means it."""
    ana.press(buttons.REPLY)
    first = ana.opened()
    hear(store, a_mention("2", "never mind, it burned my hand", author=a_mention().author, thread_id="1"))
    hear(store, a_mention("3", "now it burned my hand", author=a_mention().author, thread_id="1"))
    number = store.find_conversation("https://stage.example/posts/1")
    view = store.card_view(number or 0)
    assert view is not None
    if view.earlier == 0:
        pytest.skip("the store put them in another conversation")
    answer = send(ana, first, OWN_WORDS)
    assert answer["response_action"] == "update"
    assert "They wrote again" in words_of(answer["view"])
    assert not store.sends(heard)
    assert send(ana, answer["view"], OWN_WORDS) == {}
    assert store.sends(heard)[0].mention_id == view.mention_id


def test_what_cannot_be_answered_opens_no_modal(ana: Hands, heard: int, stage: StagePlatform):
    """The route 'none' is told before anyone writes."""
    stage.answer = Capability("none", "A replayed post can not be answered.")
    ana.press(buttons.REPLY)
    assert not ana.slack.named("views.open")
    assert ana.told() == ["A replayed post can not be answered."]


def test_house_rules_suggest_nothing(ana: Hands, heard: int, stage: StagePlatform):
    """Where the place asks for no drafted text, the page is blank."""
    stage.answer = Capability("by_hand", "Own words, please.", may_suggest=False)
    ana.press(buttons.REPLY)
    assert "initial_value" not in next(e for e in elements_of(ana.opened()) if e["action_id"] == REPLY_TEXT)


def test_by_hand_shows_the_words_and_waits_for_the_person(ana: Hands, heard: int, store: Store, stage: StagePlatform):
    """The ledger hands off; the modal shows what to copy; 'I posted it' with its address ends it."""
    stage.answer = Capability("by_hand", "no programs.", "https://stage.example/posts/1")
    answer = write(ana, OWN_WORDS)
    assert answer["response_action"] == "update"
    assert OWN_WORDS in words_of(answer["view"])
    assert store.sends(heard)[0].state is SendState.HANDED_OFF
    refused = ana.submit(answer["view"], reply_url={modals.URL: {"value": "javascript:alert(1)"}})
    assert "not a web address" in str(refused["errors"])
    assert ana.submit(answer["view"], reply_url={modals.URL: {"value": "https://stage.example/posts/9"}}) == {}
    sent = store.sends(heard)[0]
    assert (sent.state, sent.url) == (SendState.CONFIRMED, "https://stage.example/posts/9")
    assert state_of(store) is State.ANSWERED


def test_by_hand_can_be_confirmed_or_denied_on_the_card(ana: Hands, heard: int, store: Store, stage: StagePlatform):
    """The card's buttons do the same as the modal."""
    stage.answer = Capability("by_hand", "no programs.")
    write(ana, OWN_WORDS)
    ana.press(buttons.POSTED)
    assert OWN_WORDS in words_of(ana.opened())
    ana.press(buttons.NOT_POSTED)
    assert state_of(store) is State.CLAIMED
    ana.press(buttons.POSTED)
    assert ana.told() == ["That is settled already; the card shows how."]


def unknown(store: Store, heard: int) -> None:
    """Let the reply's outcome be unknown."""
    sent = store.sends(heard)[0]
    later = NOW + timedelta(minutes=1)
    assert store.begin_send(sent.id, later) is not None
    store.finish_unknown(sent.id, "The line broke.", later)


def test_an_unknown_reply_is_found_or_not(ana: Hands, heard: int, store: Store):
    """It is not sent again by itself; a person looks and says."""
    write(ana, OWN_WORDS)
    unknown(store, heard)
    ana.press(buttons.REPLY)
    assert "see the card" in ana.told()[-1]
    ana.press(buttons.IS_THERE)
    assert ana.submit(ana.opened(), reply_url={modals.URL: {"value": None}}) == {}
    assert state_of(store) is State.ANSWERED


def test_an_unknown_reply_that_is_not_there_can_be_written_again(ana: Hands, heard: int, store: Store):
    """Only after a person said so."""
    write(ana, OWN_WORDS)
    unknown(store, heard)
    ana.press(buttons.IS_NOT_THERE)
    assert [each.state for each in store.sends(heard)] == [SendState.NOT_SENT]


# The live count


def test_the_count_follows_the_words(ana: Hands, heard: int):
    """The platform's own count, with what still stands in the way; block and action keep their names."""
    ana.press(buttons.REPLY)
    view = ana.opened()
    ana.type_words(view, "Sorry [what you found]")
    update = ana.slack.named("views.update")[-1]
    assert (update["view_id"], update["hash"]) == ("V1", "h0")
    said = words_of(update["view"])
    assert "Characters: 22 of 280" in said
    assert "Not yet: Fill in [what you found] first" in said
    ids = [block.get("block_id") for block in update["view"]["blocks"] if block["type"] == "input"]
    assert ids == [block.get("block_id") for block in view["blocks"] if block["type"] == "input"]


def test_a_modal_that_is_gone_is_left_alone(ana: Hands, heard: int):
    """A count that comes too late is no error."""
    ana.press(buttons.REPLY)
    ana.slack.faults["views.update"] = [error("not_found"), error("not_found")]
    ana.type_words(ana.opened(), "x", id="V77")
    assert not ana.told()


def test_another_suggestion_keeps_own_words(ana: Hands, heard: int):
    """What a person wrote stays above the suggestion they ask for."""
    ana.press(buttons.REPLY)
    view = ana.opened()
    start = next(e for e in elements_of(view) if e["action_id"].startswith("reply_start_1"))
    block = next(block["block_id"] for block in view["blocks"] if block["type"] == "input")
    state = {"values": {block: {REPLY_TEXT: {"value": "My own words"}}}}
    whole = {"id": "V1", "hash": "h0", **view, "state": state}
    ana.press(start["action_id"], start["value"], view=whole, container={"type": "view", "view_id": "V1"}, channel=None)
    shown = next(e for e in elements_of(ana.slack.named("views.update")[-1]["view"]) if e["action_id"] == REPLY_TEXT)
    assert shown["initial_value"].startswith("My own words\n\n")
    assert "[what you found]" in shown["initial_value"]


# Giving away


def test_giving_a_conversation_to_a_teammate(ana: Hands, heard: int, store: Store):
    """The teammate has it then."""
    ana.choose(buttons.MORE, "1:assign")
    assert ana.submit(ana.opened(), assign_to={"assign_to": {"selected_user": "U2"}}) == {}
    found = store.conversation(heard)
    assert found is not None
    assert found.owner == BEN


@pytest.mark.parametrize("user", ["UGUEST", "UALIEN", "UBOT", "UGONE", "UNOBODY"])
def test_nothing_is_given_to_who_may_not_act(ana: Hands, heard: int, store: Store, user: str):
    """Guests, strangers and programs cannot own a conversation."""
    ana.choose(buttons.MORE, "1:assign")
    answer = ana.submit(ana.opened(), assign_to={"assign_to": {"selected_user": user}})
    assert "member of this workspace" in str(answer["errors"])
    assert state_of(store) is State.SHOWN


def test_handing_over_needs_a_note(ana: Hands, heard: int, store: Store):
    """The note is on record; without one nothing happens. The playbook's own advice is shown."""
    ana.choose(buttons.MORE, "1:hand_over")
    assert "Support: say which order" in words_of(ana.opened())
    assert "note" in str(ana.submit(ana.opened(), hand_over_note={"hand_over_note": {"value": " "}})["errors"])
    assert ana.submit(ana.opened(), hand_over_note={"hand_over_note": {"value": "To Eve: refund"}}) == {}
    assert state_of(store) is State.HANDED_OVER
    assert store.history(heard)[-1].detail == "To Eve: refund"


# Who may act


@pytest.mark.parametrize(
    ("user", "sentence"),
    [
        ("UGUEST", IS_A_GUEST),
        ("UALIEN", NOT_ONE_OF_US),
        ("UBOT", IS_A_BOT),
        ("UGONE", NOT_ONE_OF_US),
        ("UNOBODY", NOT_ONE_OF_US),
    ],
)
def test_only_our_own_people_may_act(app: App, slack: FakeSlack, heard: int, store: Store, user: str, sentence: str):
    """Others are told in one sentence, whatever they use."""
    hands = Hands(app, slack, user=user)
    hands.press(buttons.CLAIM)
    assert hands.told() == [sentence]
    assert sentence in hands.command("/claim", "1")
    answer = hands.submit(
        {
            "type": "modal",
            "callback_id": REPLY_VIEW,
            "private_metadata": "{}",
            "blocks": [{"type": "input", "block_id": "text_0"}],
        }
    )
    assert answer["errors"] == {"text_0": sentence}
    assert state_of(store) is State.SHOWN


def test_a_team_id_in_the_payload_is_not_believed(app: App, slack: FakeSlack, heard: int, store: Store):
    """Who somebody is, is asked of Slack."""
    Hands(app, slack, user="UALIEN", team="T1").press(buttons.CLAIM)
    assert state_of(store) is State.SHOWN


def test_slack_is_asked_once_in_ten_minutes(ana: Hands, heard: int, clock: ManualClock):
    """A press costs no call, until what is known gets old."""
    ana.press(buttons.CLAIM)
    ana.press(buttons.RELEASE)
    assert len(ana.slack.named("users.info")) == 1
    clock.advance(601)
    ana.press(buttons.CLAIM)
    assert len(ana.slack.named("users.info")) == 2


def test_who_was_admitted_before_may_act_while_slack_cannot_say(
    ana: Hands, heard: int, store: Store, clock: ManualClock
):
    """A hiccup of users.info stops nobody who is known, and lets nobody in who is not."""
    ana.press(buttons.CLAIM)
    clock.advance(601)
    ana.slack.faults["users.info"] = [error("internal_error"), error("internal_error")]
    ana.press(buttons.RELEASE)
    assert state_of(store) is State.SHOWN
    Hands(ana.app, ana.slack, user="U2").press(buttons.CLAIM)
    assert state_of(store) is State.SHOWN
    assert ana.told() == [CANNOT_TELL]


# Deliveries


def test_a_press_delivered_twice_is_done_once(ana: Hands, heard: int, store: Store, woken: Woken):
    """Both are acknowledged; one acts."""
    ana.press(buttons.CLAIM)
    assert ana.deliver(ana.sent[-1]).status == 200
    assert woken.outbox == 1
    assert [entry.event for entry in store.history(heard)].count("claim") == 1


def test_the_same_button_pressed_again_is_another_press(ana: Hands, heard: int, woken: Woken):
    """Slack gives each press its own time."""
    ana.press(buttons.CLAIM)
    ana.press(buttons.CLAIM)
    assert woken.outbox == 2


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ({"type": "event_callback", "event_id": "Ev1", "event": {}}, "event:Ev1"),
        ({"command": "/claim", "trigger_id": "t1"}, "command:t1"),
        ({"type": "view_submission", "view": {"id": "V", "hash": "h"}}, ""),
        ({"type": "block_actions", "actions": [{"action_id": REPLY_TEXT, "action_ts": "1"}]}, ""),
        ({"type": "block_actions", "actions": []}, ""),
        (
            {
                "type": "block_actions",
                "team": {"id": "T1"},
                "user": {"id": "U1"},
                "container": {"message_ts": "1.2"},
                "actions": [{"action_id": "a", "action_ts": "9.9"}],
            },
            "press:T1:U1:1.2:a:9.9",
        ),
    ],
)
def test_what_makes_two_deliveries_the_same(body: dict[str, Any], key: str):
    """The keys of each kind of delivery."""
    assert delivery_key(body) == key


def test_words_in_a_thread_are_nobodys_business(ana: Hands, heard: int, store: Store):
    """A message in a card's thread reaches no handler: nothing is read, stored or sent."""
    ana.press(buttons.CLAIM)
    before = list(ana.slack.calls)
    history = store.history(heard)
    event = {"type": "message", "user": "U1", "channel": "C1", "thread_ts": "1700000001.000100", "text": OWN_WORDS}
    answer = ana.deliver({"type": "event_callback", "event_id": "Ev9", "team_id": "T1", "event": event})
    assert answer.status == 404
    assert ana.slack.calls == before
    assert store.history(heard) == history
    assert not store.sends(heard)
    assert not [name for name in EVENTS if name.startswith("message")]


def test_a_bug_is_told_kindly_and_logged(
    ana: Hands, heard: int, stage: StagePlatform, caplog: pytest.LogCaptureFixture
):
    """The person gets one sentence, the operator the traceback; the words in a modal stay."""
    ana.press(buttons.REPLY)
    view = ana.opened()

    def fail(_mention: object) -> Capability:
        raise RuntimeError("boom")

    stage.capability = fail  # type: ignore[method-assign]
    assert ana.press(buttons.REPLY).status == 200
    assert ana.told()[-1].startswith("Something went wrong on Cuecard's side")
    answer = send(ana, view, OWN_WORDS)
    assert "Your words are still here" in str(answer["errors"])
    assert "boom" in caplog.text


def test_a_modal_that_slack_did_not_open_is_told(ana: Hands, heard: int):
    """Three seconds are over quickly: the person hears to press again."""
    ana.slack.faults["views.open"] = [error("expired_trigger_id")]
    ana.press(buttons.REPLY)
    assert "press it again" in ana.told()[0]


def test_a_sentence_that_does_not_arrive_breaks_nothing(ana: Hands, ben: Hands, heard: int):
    """An ephemeral message is never guaranteed."""
    ana.press(buttons.CLAIM)
    ben.slack.faults["chat.postEphemeral"] = [error("user_not_in_channel")]
    assert ben.press(buttons.CLAIM).status == 200


# Commands


def test_claiming_by_number_and_by_link(ana: Hands, ben: Hands, heard: int, store: Store):
    """A number, a post's address and a card's own link mean the same conversation."""
    assert "You have this one now. <https://team.slack.com/archives/C1/p1700000001000100|#1>" in ana.command(
        "/claim", "#1"
    )
    assert "Ana Lima claimed this" in ben.command("/claim", "https://stage.example/posts/1")
    assert "Ana Lima claimed this" in ben.command("/claim", "<https://team.slack.com/archives/C1/p1700000001000100>")
    assert state_of(store) is State.CLAIMED


@pytest.mark.parametrize("text", ["", "   ", "99", "no such thing", "<!channel>", "' or 1=1 --"])
def test_a_claim_of_nothing_says_what_to_write(ana: Hands, heard: int, text: str):
    """One kind sentence, and nothing is pinged."""
    said = ana.command("/claim", text)
    assert "/claim 12" in said or "heard no post" in said
    assert "<!" not in said


def test_mentions_shows_the_queue_best_first(ana: Hands, store: Store):
    """The most urgent stands on top, with a way to its card and a Claim button."""
    for number, grade in ((1, 1), (2, 3), (3, 2)):
        show(store, hear(store, a_mention(str(number), f"post {number}"), an_assessment(grade)))
    said = ana.command("/mentions")
    assert re.findall(r"post (\d)", said) == ["2", "3", "1"]
    assert "Open card" in said


def test_mentions_with_words_searches(ana: Hands, store: Store):
    """What holds all the words is found, answered or not."""
    hear(store, a_mention("1", "my kettle leaks"))
    hear(store, a_mention("2", "lovely teapot"))
    said = ana.command("/mentions", "teapot <!here>")
    assert "<!" not in said
    assert "lovely teapot" in ana.command("/mentions", "teapot")
    assert "kettle" not in ana.command("/mentions", "teapot")


def test_mentions_of_nothing_says_so(ana: Hands, store: Store):
    """An empty queue is not an empty answer."""
    del store
    assert "Nothing waits for an answer." in ana.command("/mentions")
    assert "holds all of these words" in ana.command("/mentions", "xyzzy")


def test_claiming_from_a_list_says_that_it_worked(ana: Hands, heard: int):
    """A list that only this person sees is not redrawn, so they are told."""
    ana.press(
        buttons.CLAIM, container={"type": "message", "is_ephemeral": True, "message_ts": "1.3", "channel_id": "C1"}
    )
    assert ana.told() == ["You have this one now."]


def test_the_digest_is_shown_to_who_asks(ana: Hands, heard: int):
    """Nothing is posted in the channel."""
    said = ana.command("/digest")
    assert "1 conversation waits for an answer" in said
    assert "my kettle leaks" in said
    assert not ana.slack.named("chat.postMessage")


# Home


def open_home(hands: Hands, tab: str = "home") -> None:
    """Open the app's own tab."""
    event = {"type": "app_home_opened", "user": hands.user, "tab": tab}
    hands.deliver({"type": "event_callback", "event_id": f"Ev{next(TICKS)}", "team_id": "T1", "event": event})


def test_opening_home_has_it_drawn(ana: Hands, store: Store):
    """The outbox publishes it; the Messages tab needs nothing."""
    open_home(ana, "messages")
    assert store.take_job(NOW) is None
    open_home(ana)
    job = store.take_job(NOW)
    assert job is not None
    assert (job.kind, job.key) == (JobKind.HOME, "U1")


def test_looking_at_what_is_quiet(ana: Hands, store: Store):
    """What never reached the channel can be seen, and claimed from there."""
    hear(store, a_mention(), an_assessment(1), cause="line")
    home = {"type": "home", "id": "VH"}
    ana.press("home_look", "", view=home, container={"type": "view", "view_id": "VH"}, channel=None)
    assert "my kettle leaks" in words_of(ana.opened())
    modal = {**ana.opened(), "id": "VM"}
    ana.press(buttons.CLAIM, view=modal, container={"type": "view", "view_id": "VM"}, channel=None)
    assert state_of(store) is State.CLAIMED
    assert "You have this one now." in words_of(ana.slack.named("views.push")[-1]["view"])


def test_a_refusal_in_home_is_told_in_a_modal(ana: Hands, ben: Hands, heard: int):
    """Home has no channel to whisper in."""
    ana.press(buttons.CLAIM)
    home = {"type": "home", "id": "VH"}
    ben.press(buttons.CLAIM, view=home, container={"type": "view", "view_id": "VH"}, channel=None)
    assert "Ana Lima claimed this" in words_of(ben.opened())


# The tables


def test_the_tables_are_literal_and_served(app: App):
    """Every entry has its Bolt listener."""
    assert len(app._listeners) == len(ACTIONS) + len(VIEWS) + len(COMMANDS) + len(EVENTS)


def test_no_handler_can_send(ana: Hands, heard: int, store: Store, desk: Desk):
    """Whatever is pressed with whatever value, only a submitted reply ever reaches the ledger as approved."""
    del desk
    decisions.claim(store, heard, ANA, NOW)
    for action_id in ACTIONS:
        for value in ("1", "1:assign", "1:spam", "0", "none"):
            ana.press(action_id, value)
            ana.choose(action_id, value)
    assert not store.sends(heard)
