"""Bad luck and bad will at the doors to Slack: modals that lie open, cards that go missing, channels that change."""

# ruff: noqa: ARG001, PLR0917 - fixtures are asked for what they set up

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from fake_slack import PEOPLE, FakeSlack, Fault, error, texts_of, words_of
from hands import OWN_WORDS, Hands, StagePlatform, send, state_of, write
from outbox_steps import drain, wait_out
from seeds import ANA, NOW, a_mention, an_assessment, hear
from slack_sdk import WebClient

from bot import decisions
from bot.clock import ManualClock
from bot.conversation import Actor, State
from bot.ledger import SendState
from bot.records import JobKind
from bot.slack import buttons, modals
from bot.slack.deliver import Deliver
from bot.slack.desk import Desk
from bot.slack.people import Roster
from bot.store import Store
from listeners.contract import Capability

SUGGESTED = "Hi, thank you for telling us."
GAP = "[what you found]"


def again(store: Store, number: str = "2", text: str = "now it burned my hand") -> None:
    """Let the author write again in the same thread."""
    hear(store, a_mention(number, text, author=a_mention().author, thread_id="1"))


# Two modals, and submissions that come again


def test_a_second_modal_with_the_same_words_does_not_answer_what_was_not_read(
    ana: Hands, heard: int, store: Store, clock: ManualClock
):
    """The same words were sent from another window; the author wrote again; this window shows that first."""
    ana.press(buttons.REPLY)
    phone, laptop = {**ana.opened(), "id": "V1"}, {**ana.opened(), "id": "V2"}
    assert send(ana, phone, OWN_WORDS) == {}
    clock.advance(31)
    sent = store.sends(heard)[0]
    assert store.begin_send(sent.id, clock.now())
    store.finish_sent(sent.id, "r1", "", clock.now())
    again(store)
    assert state_of(store) is State.CLAIMED
    clock.advance(1)
    answer = send(ana, laptop, OWN_WORDS)
    assert "They wrote again" in words_of(answer["view"])
    assert len(store.sends(heard)) == 1


def test_a_second_modal_of_the_same_person_is_refused_while_a_reply_is_on_its_way(ana: Hands, heard: int, store: Store):
    """One click, one reply: the other window says that one is on its way."""
    ana.press(buttons.REPLY)
    phone, laptop = {**ana.opened(), "id": "V1"}, {**ana.opened(), "id": "V2"}
    assert send(ana, phone, OWN_WORDS) == {}
    assert "already on its way" in str(send(ana, laptop, "Other words of mine.")["errors"])
    assert len(store.sends(heard)) == 1


def test_a_refused_modal_does_not_close_as_if_it_had_sent(ana: Hands, heard: int, store: Store, clock: ManualClock):
    """Words that a platform lost may be sent again: the window that was refused meanwhile sends, or says why not."""
    write(ana, OWN_WORDS)
    clock.advance(31)
    sent = store.sends(heard)[0]
    assert store.begin_send(sent.id, clock.now())
    ana.press(buttons.REPLY)  # is told that one is on its way; the window below stood open before
    laptop = {**ana.opened(), "id": "V2"}
    store.finish_unknown(sent.id, "The line broke.", clock.now())
    clock.advance(1)
    assert "Nobody knows yet" in str(send(ana, laptop, OWN_WORDS)["errors"])
    ana.press(buttons.IS_NOT_THERE)
    clock.advance(1)
    assert send(ana, laptop, OWN_WORDS) == {}
    assert [each.state for each in store.sends(heard)] == [SendState.NOT_SENT, SendState.APPROVED]


def test_the_old_suggestion_does_not_slip_through_with_the_news(ana: Hands, heard: int, store: Store):
    """The author writes again, so other words are suggested; the first suggestion is nobody's own still."""
    ana.press(buttons.REPLY)
    view = ana.opened()
    again(store)
    for bare in (SUGGESTED, f"{SUGGESTED} what you found", f"{SUGGESTED} {{what you found}} All the best"):
        answer = send(ana, view, bare)
        assert answer["response_action"] == "errors", bare
    assert not store.sends(heard)


@pytest.mark.parametrize("minutes", [0, 6, 60 * 23])
def test_a_submission_that_comes_again_much_later_acts_once(
    ana: Hands, heard: int, store: Store, clock: ManualClock, minutes: int
):
    """Six minutes or most of a day later: the same answer, the same one row."""
    write(ana, OWN_WORDS)
    ana.press(buttons.UNDO)
    submitted = next(body for body in reversed(ana.sent) if body["type"] == "view_submission")
    clock.advance(60 * minutes)
    store.prune(clock.now() - timedelta(days=1))
    assert not ana.deliver(submitted).body
    assert [each.state for each in store.sends(heard)] == [SendState.UNDONE]


def test_a_press_that_comes_again_six_minutes_later_does_nothing(
    ana: Hands, ben: Hands, heard: int, store: Store, clock: ManualClock
):
    """Ana's claim is delivered again after she gave it back and Ben took it."""
    ana.press(buttons.CLAIM)
    pressed = ana.sent[-1]
    ana.press(buttons.RELEASE)
    clock.advance(360)
    assert ana.deliver(pressed).status == 200
    assert state_of(store) is State.SHOWN
    ben.press(buttons.CLAIM)
    ana.deliver(pressed)
    found = store.conversation(heard)
    assert found is not None
    assert found.owner is not None
    assert found.owner.name == "Ben Okafor"


def test_an_undo_that_comes_again_does_not_undo_the_next_reply(ana: Hands, heard: int, store: Store):
    """The first undo is delivered twice, the second time after another reply was approved."""
    write(ana, OWN_WORDS)
    ana.press(buttons.UNDO)
    undone = ana.sent[-1]
    ana.press(buttons.REPLY)
    assert send(ana, {**ana.opened(), "id": "V2"}, "Other words of mine.") == {}
    ana.deliver(undone)
    assert [each.state for each in store.sends(heard)] == [SendState.UNDONE, SendState.APPROVED]


def test_by_hand_is_settled_once(ana: Hands, ben: Hands, heard: int, store: Store, stage: StagePlatform):
    """'Not posted' after 'I posted it' changes nothing, and neither does a second confirmation."""
    stage.answer = Capability("by_hand", "no programs.", "https://stage.example/posts/1")
    modal = write(ana, OWN_WORDS)["view"]
    assert ana.submit(modal, reply_url={modals.URL: {"value": "https://stage.example/posts/9"}}) == {}
    ben.press(buttons.NOT_POSTED)
    ben.submit(modal, reply_url={modals.URL: {"value": "https://stage.example/posts/8"}})
    (sent,) = store.sends(heard)
    assert (sent.state, sent.url) == (SendState.CONFIRMED, "https://stage.example/posts/9")
    assert state_of(store) is State.ANSWERED


# What comes back from outside


@pytest.mark.parametrize(
    "metadata",
    [
        '{"c":2,"m":2,"d":0}',
        '{"c":1,"m":2,"d":0}',
        f'{{"c":{10**30},"m":1}}',
        '{"c":-1,"m":1}',
        '{"c":1e400,"m":1}',
        '{"c":NaN,"m":1}',
        '{"c":"1 or 1=1","m":1}',
        f'{{"c":1,"m":{10**25},"d":{10**25}}}',
        '[{"c":1}]',
        '{"c":true,"m":[]}',
    ],
)
def test_forged_ids_never_reach_another_conversation(ana: Hands, heard: int, store: Store, metadata: str):
    """Ana's modal is made to name Ben's conversation, or nonsense: nothing is approved there, and nothing breaks."""
    bens = hear(store, a_mention("2", "the lid broke"))
    decisions.claim(store, bens, Actor("U2", "Ben Okafor"), NOW)
    ana.press(buttons.REPLY)
    answer = send(ana, {**ana.opened(), "private_metadata": metadata}, OWN_WORDS)
    assert answer["response_action"] in {"errors", "update"}
    assert "Something went wrong" not in str(answer)
    assert not store.sends(bens)
    assert not store.sends(heard)


@pytest.mark.parametrize(
    "value", ["1' or '1'='1", "1;drop table send", "9" * 15, "9" * 400, "-1", "1:spam:x", "٣", "１"]
)
def test_forged_values_break_nothing(
    ana: Hands, heard: int, store: Store, value: str, caplog: pytest.LogCaptureFixture
):
    """Whatever a button is made to carry, the worst is that nothing is found."""
    for action_id in (buttons.CLAIM, buttons.REPLY, buttons.UNDO, buttons.RELEASE, buttons.MORE, buttons.IS_NOT_THERE):
        ana.press(action_id, value)
        ana.choose(buttons.DISMISS, value)
    assert "Traceback" not in caplog.text
    assert store.sends(heard) == []
    assert store.history(heard)


@pytest.mark.parametrize("user", ["UGUEST", "UALIEN", "UBOT", "UGONE", "", "U0BOT", "USLACKBOT", "<!channel>"])
def test_no_stranger_sends(app, slack: FakeSlack, ana: Hands, heard: int, store: Store, user: str):  # noqa: ANN001
    """A modal of Ana's, submitted in another's name, is refused, and so is every button."""
    ana.press(buttons.REPLY)
    stranger = Hands(app, slack, user=user)
    answer = send(stranger, ana.opened(), OWN_WORDS)
    assert answer["response_action"] == "errors"
    for action_id in (buttons.UNDO, buttons.RELEASE, buttons.POSTED, buttons.IS_THERE):
        stranger.press(action_id)
    found = store.conversation(heard)
    assert found is not None
    assert found.owner == ANA
    assert not store.sends(heard)


# Text that wants to act on Slack, in every place it reaches

HOSTILE = (
    "<!channel> <!here> <!everyone> <@U2> <#C1> <!subteam^S1> <!date^1^{date}|x> <https://evil.example|your bank> "
    "``` `x` *b* _i_ ~s~ :fire: @here &lt;!channel&gt; \u202egnp\u2066 \x00\x07\u200b http://evil.example/a|b"
)
OURS = ("<!date^", "<https://team.slack.com/", "<https://stage.example/")


def live_tokens(node: object) -> Iterator[str]:
    """Yield what Slack would act on, but for the times and links that we built ourselves."""
    for text in texts_of(node):
        for part in text.split("<")[1:]:
            token = f"<{part}"
            if not token.startswith(OURS) or ">" not in token:
                yield token


def check_harmless(slack: FakeSlack) -> int:
    """Look at everything that Slack was told; return how many things that were."""
    told = [call.arguments for call in slack.calls if call.method.startswith(("chat.", "views."))] + slack.answers
    for arguments in told:
        assert list(live_tokens([arguments.get("blocks"), arguments.get("view")])) == []
        text = arguments.get("text", "")
        assert "<" not in text.replace("<https://team.slack.com/", ""), text
        drawn = json.dumps(arguments, ensure_ascii=False)
        assert not {"\u202e", "\u2066", "\x00", "\x07"} & set(drawn)
        assert str(arguments.get("link_names", "0")).lower() not in {"1", "true"}
    return len(told)


def test_hostile_text_is_harmless_in_every_place(
    ana: Hands, ben: Hands, desk: Desk, deliver: Deliver, slack: FakeSlack, store: Store, stage: StagePlatform,
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    """Card, fallback text, modals, Home, digest, search, refusals, notices: names, posts, reasons and errors."""
    monkeypatch.setitem(PEOPLE, "U1", {**PEOPLE["U1"], "profile": {"display_name": HOSTILE}})  # type: ignore[arg-type]
    monkeypatch.setitem(PEOPLE, "U2", {**PEOPLE["U2"], "profile": {"display_name": HOSTILE}})  # type: ignore[arg-type]
    post = a_mention("1", HOSTILE, title=HOSTILE, brand=HOSTILE, parent_text=HOSTILE, url="https://stage.example/1|x>")
    told = an_assessment(3)
    told = replace(told, reasons=tuple(replace(reason, text=HOSTILE) for reason in told.reasons))
    number = hear(store, replace(post, author=replace(post.author, handle=HOSTILE, name=HOSTILE)), told)
    store.request_job(JobKind.NOTICE, "feed:x", payload=f"{HOSTILE} does not hear: {HOSTILE}", now=NOW)
    store.request_job(JobKind.DIGEST, "2026-03-02", now=NOW)
    wait_out(deliver, clock, 60)
    ana.press(buttons.CLAIM)
    ben.press(buttons.CLAIM)
    ben.press(buttons.REPLY)
    for text in ("", HOSTILE, "charged", f"#{number}", "<https://x.example/?a=b|c>"):
        for command in ("/mentions", "/claim", "/digest"):
            ana.command(command, text)
            ben.command(command, text)
    ana.press(buttons.REPLY)
    refused = send(ana, ana.opened(), f"[{HOSTILE}]")
    assert refused["response_action"] == "errors"
    ana.choose(buttons.MORE, f"{number}:hand_over")
    ana.choose(buttons.MORE, f"{number}:assign")
    stage.answer = Capability("by_hand", HOSTILE, "https://stage.example/1")
    ana.press(buttons.REPLY)
    view = ana.opened()
    own = "".join(char for char in HOSTILE if char.isprintable() or char == " ")
    for words in (own, own.replace("```", ""), own.replace("`", "")):
        modal = send(ana, view, words)["view"]
        assert list(live_tokens(modal)) == []
        ana.press(buttons.POSTED)
        wait_out(deliver, clock, 60)
        ana.press(buttons.NOT_POSTED)
    stage.answer = Capability("none", HOSTILE)
    ben.press(buttons.REPLY)
    hand_over = {"type": "modal", "callback_id": modals.HAND_OVER_VIEW, "private_metadata": str(number), "blocks": []}
    assert ana.submit(hand_over, **{modals.NOTE: {modals.NOTE: {"value": HOSTILE}}}) == {}
    wait_out(deliver, clock, 60)
    assert check_harmless(slack) > 30


# Cards that go missing


def test_a_replaced_card_is_not_doubled_when_somebody_acts_meanwhile(
    deliver: Deliver, slack: FakeSlack, store: Store, clock: ManualClock, heard: int
):
    """Somebody deleted the card; the new one's post breaks off, and a claim comes while that is not known."""
    slack.faults["chat.postMessage"] = [Fault(hang_up=True, acts=True)]
    post_message = deliver._slack.post

    def claim_meanwhile(*told):  # noqa: ANN002, ANN202 - as the messenger
        decisions.claim(store, heard, ANA, clock.now())
        return post_message(*told)

    deliver._slack.post = claim_meanwhile  # type: ignore[method-assign]
    store.request_job(JobKind.CARD, str(heard), now=NOW)
    wait_out(deliver, clock, 400)
    assert len(slack.messages) == 1
    assert "Claimed by Ana Lima" in words_of(slack.messages[0]["blocks"])
    view = store.card_view(heard)
    assert view is not None
    assert view.message_ts == slack.messages[0]["ts"]


@pytest.mark.parametrize("word", ["not_in_channel", "is_archived", "channel_not_found"])
def test_cards_in_a_channel_that_was_left_move_and_hold_up_nobody(
    deliver: Deliver, slack: FakeSlack, store: Store, clock: ManualClock, word: str
):
    """The channel was changed in the settings, and the bot taken out of the old one: the new one gets every card."""
    old = [hear(store, a_mention(str(n), f"the lid of kettle {n} broke")) for n in range(5)]
    for number in old:
        store.record_message(number, "C0OLD", f"1600000000.{number:06}", NOW)
    fresh = hear(store, a_mention("99", "my new kettle leaks"))
    slack.faults["chat.update"] = [error(word)] * 100
    for number in old:
        decisions.claim(store, number, ANA, NOW)
    wait_out(deliver, clock, 120)
    assert {message["channel"] for message in slack.messages} == {"C0MAIN"}
    assert len(slack.messages) == 6
    assert state_of(store, fresh) is State.SHOWN


def test_a_card_beyond_thousands_of_messages_is_not_doubled(
    deliver: Deliver, slack: FakeSlack, store: Store, clock: ManualClock
):
    """However much was said since: the history is looked through to where the card can be."""
    hear(store, a_mention())
    slack.faults["chat.postMessage"] = [Fault(hang_up=True, acts=True)]
    drain(deliver)
    slack.page = 2
    slack.messages += [{"ts": f"1900000{n:03}.000100", "user": "U1", "text": "hello"} for n in range(80)]
    wait_out(deliver, clock, 300)
    assert len(slack.named("chat.postMessage")) == 1


def test_one_card_that_stays_blocked_does_not_hold_up_the_others(
    deliver: Deliver, slack: FakeSlack, store: Store, clock: ManualClock, heard: int
):
    """One edit is refused for good, as a person would have to mend; new cards go out all the same."""
    store.request_job(JobKind.CARD, str(heard), now=NOW)
    for n in range(2, 6):
        hear(store, a_mention(str(n), f"the lid of kettle {n} broke"))
    slack.faults["chat.update"] = [error("restricted_action")] * 1000
    store.record_message(heard, "C0MAIN", "1600000000.000001", NOW)
    wait_out(deliver, clock, 1800)
    assert len(slack.messages) == 4


def test_a_clock_set_back_an_hour_does_not_stop_the_outbox(
    desk: Desk, client: WebClient, roster: Roster, slack: FakeSlack, store: Store, clock: ManualClock
):
    """What was paced by the old time is not waited for until that time comes again."""
    deliver = Deliver(desk, client, roster)
    hear(store, a_mention("1"))
    drain(deliver)
    slack.faults["views.publish"] = [Fault(hang_up=True)]
    store.request_job(JobKind.HOME, "U1", now=clock.now())
    drain(deliver)  # rests for a while, having failed
    clock.advance(-3600)
    hear(store, a_mention("2", "the lid broke"), now=clock.now())
    before = clock.now()
    drain(deliver)
    assert len(slack.messages) == 2
    assert (clock.now() - before).total_seconds() < 10
