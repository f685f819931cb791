"""Writing an answer: the modal, the refusals, one click at most one post."""

# ruff: noqa: ARG001 - tests build payloads of any shape, and fixtures are asked for what they set up

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from fake_slack import elements_of, error, words_of
from hands import OWN_WORDS, Hands, StagePlatform, Woken, send, state_of, write
from seeds import ANA, NOW, a_mention, an_assessment, hear, show

from bot.conversation import State
from bot.ledger import SendState
from bot.slack import buttons, modals
from bot.slack.desk import Desk
from bot.slack.reply_modal import REPLY_TEXT
from bot.store import Store
from listeners.contract import Capability

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
    assert woken.outbox == 2  # claimed, then approved


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


def test_another_account_that_answers_is_shown_first(ana: Hands, heard: int, store: Store, stage: StagePlatform):
    """A later hearing knows of a summons: the words stay, the new account is named, and only the next Send means it."""
    ana.press(buttons.REPLY)
    first = ana.opened()
    stage.answer = Capability("api", account="@acme_uk")
    answer = send(ana, first, OWN_WORDS)
    assert answer["response_action"] == "update"
    said = words_of(answer["view"])
    assert "@acme_uk answers this by now, not the account you saw first." in said
    assert "from @acme_uk" in said
    assert next(e for e in elements_of(answer["view"]) if e["action_id"] == REPLY_TEXT)["initial_value"] == OWN_WORDS
    assert not store.sends(heard)
    assert send(ana, answer["view"], OWN_WORDS) == {}
    assert len(store.sends(heard)) == 1


def test_another_feed_that_answers_is_shown_first(ana: Hands, heard: int, store: Store, desk: Desk):
    """The same account's name on another feed is another way out."""
    ana.press(buttons.REPLY)
    desk.platforms["other"] = desk.platforms["stage-feed"]  # type: ignore[index]
    with store.transaction() as db:
        db.execute("update mention set feed = 'other'")
    assert send(ana, ana.opened(), OWN_WORDS)["response_action"] == "update"
    assert not store.sends(heard)


def test_the_new_account_is_shown_while_one_types(ana: Hands, heard: int, store: Store, stage: StagePlatform):
    """The first keystroke after the change brings the sentence; it stays until Send has asked for it."""
    ana.press(buttons.REPLY)
    stage.answer = Capability("api", account="@acme_uk")
    ana.type_words(ana.opened(), OWN_WORDS)
    shown = ana.updated()
    assert "@acme_uk answers this by now, not the account you saw first." in words_of(shown)
    assert send(ana, shown, OWN_WORDS)["response_action"] == "update"
    assert not store.sends(heard)


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
    assert "The house rules there ask for a person's own words." in words_of(ana.opened())


def test_house_rules_hold_where_a_post_was_made(ana: Hands, store: Store):
    """A post of Hacker News that is played in is one of Hacker News."""
    show(store, hear(store, replace(a_mention(), platform="hackernews")))
    ana.press(buttons.REPLY)
    assert "The house rules there ask for a person's own words." in words_of(ana.opened())


def test_words_of_ones_own_are_sent_where_nothing_is_suggested(ana: Hands, store: Store):
    """Praise for which the playbook has nothing: the reason, an empty box, and a reply like any other."""
    show(store, hear(store, a_mention("2"), an_assessment(0)))
    assert write(ana, OWN_WORDS) == {}
    assert "Nothing here asks for an answer." in words_of(ana.opened())
    assert [each.text for each in store.sends(1)] == [OWN_WORDS]


def test_a_feed_can_be_set_to_have_nothing_suggested(
    ana: Hands, heard: int, desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    """Then that is the reason, and not a house rule."""
    feeds = {"stage-feed": {"platform": "replay", "may_suggest": False}}
    monkeypatch.setattr(desk.settings, "__dict__", {**desk.settings.__dict__, "feed": feeds})
    ana.press(buttons.REPLY)
    assert "This feed is set up without suggestions" in words_of(ana.opened())


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
