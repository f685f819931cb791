"""The cue card: what it says, which buttons it has, and that no post can act through it."""

# ruff: noqa: ANN001 - tests build payloads of any shape, and fixtures are asked for what they set up

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from drawn import (
    API,
    BY_HAND,
    EVERY_CAPABILITY,
    EVERY_HISTORY,
    HOSTILE,
    NONE,
    a_send,
    a_view,
    an_entry,
    assert_fit_for_slack,
    every_thread_view,
    every_view,
)
from fake_slack import action_ids, elements_of, words_of
from hypothesis import given, settings
from hypothesis import strategies as st
from seeds import BEN, NOW, a_mention, an_assessment

from bot.conversation import DISMISS_LABELS, Actor, Event, State
from bot.ledger import Send, SendState
from bot.records import CardView
from bot.slack import buttons
from bot.slack.blocks import Message
from bot.slack.card import draw_card, draw_short_card, list_reasons
from listeners.contract import Posted
from listeners.mention import Author
from nlp.assessment import Reason


def draw(view: CardView, capability=API, history=()) -> Message:
    """Draw a card now."""
    return draw_card(view, capability, NOW, history)


def test_a_card_says_who_where_how_much_it_matters_and_why():
    """Everything needed to decide whether to take it stands on it."""
    author = Author("sam", "Sam Smith", 12345)
    view = a_view(mention=a_mention(author=author, brand="Acme"), copies=199, earlier=2)
    said = words_of(draw(view).blocks)
    for words in (
        "Should be answered · Complaint · #12",
        "stage · @sam (Sam Smith), 12,345 followers · Acme · speaks to us",
        "“my kettle leaks”",
        "*Why:*\nsays that it leaks · writes to us",
        "+199 posts say the same · 2 earlier messages from them",
        "Cuecard posts the answer from @acme once you press Send.",
    ):
        assert words in said


def a_thread(state: SendState, problem: str = "") -> Send:
    """Return a thread of three, one part of which is up."""
    up = (Posted("1", "https://a.example/1"),)
    return a_send(state, parts=("One.", "Two.", "Three."), posted=up, problem=problem)


@pytest.mark.parametrize("state", [State.SENDING, State.ANSWERED, State.DISMISSED, State.HANDED_OVER, State.EXPIRED])
def test_a_card_that_is_settled_says_nothing_of_how_to_answer(state: State):
    """Once an answer is on its way, or none will be, how it would have gone is noise."""
    assert "once you press Send" not in words_of(draw(a_view(state)).blocks)


def test_how_urgent_it_is_stands_in_words():
    """Colour alone never carries it."""
    said = words_of(draw(a_view(assessment=an_assessment(3))).blocks)
    assert "Answer now" in said


def test_a_long_post_is_cut_and_says_where_the_rest_is():
    """The card stays readable; Reply shows it all."""
    said = words_of(draw(a_view(mention=a_mention(text="word " * 400))).blocks)
    assert "… (read it all in Reply)" in said
    assert said.count("word") < 130


def test_a_short_post_is_whole():
    """Nothing is cut that fits."""
    assert "read it all" not in words_of(draw(a_view(mention=a_mention(text="x" * 600))).blocks)


def test_by_hand_says_why():
    """Before anyone writes, the card says how an answer gets there."""
    assert "Answered by hand: this place takes no reply from programs." in words_of(draw(a_view(), BY_HAND).blocks)


def test_the_account_stands_on_the_card():
    """From whom an answer comes is told before anyone writes, by hand too."""
    assert "posts the answer from @acme once" in words_of(draw(a_view(), API).blocks)
    by_hand = replace(BY_HAND, account="@acme_help")
    assert "Answered by hand, signed in as @acme_help: this place" in words_of(draw(a_view(), by_hand).blocks)


def test_undo_says_that_it_stops_only_the_rest():
    """Once a part is up the button does not promise to take it back."""
    waiting, going = a_send(SendState.APPROVED), a_thread(SendState.APPROVED)
    drawn = [draw(a_view(State.SENDING, send=send)).blocks for send in (waiting, going)]
    labels = [next(e["text"]["text"] for e in elements_of(each) if e["action_id"] == buttons.UNDO) for each in drawn]
    assert labels == ["Undo", "Stop the rest"]


def test_what_was_removed_is_not_shown_and_cannot_be_answered():
    """The author took it down: no text, no Reply, no way to the post."""
    message = draw(a_view(State.CLAIMED, is_removed=True))
    assert "removed by its author" in words_of(message.blocks)
    assert "kettle" not in words_of(message.blocks) + message.text
    assert not {buttons.REPLY, buttons.OPEN_POST} & set(action_ids(message.blocks))


@pytest.mark.parametrize(
    ("view", "history", "words"),
    [
        (a_view(State.CLAIMED), [], "*Claimed by Ana Lima*"),
        (a_view(State.CLAIMED), [an_entry(Event.ASSIGN, actor=BEN)], "*Given to Ana Lima by Ben Okafor*"),
        (a_view(State.SENDING, send=a_send(SendState.APPROVED)), [], "*Ana Lima's reply goes out at <!date^"),
        (a_view(State.SENDING, send=a_send(SendState.SENDING)), [], "is going out now"),
        (a_view(State.SENDING, send=a_send(SendState.HANDED_OFF)), [], "is posting this by hand"),
        (a_view(State.CLAIMED, send=a_send(SendState.UNKNOWN)), [], "It is not known whether Ana Lima's reply arrived"),
        (a_view(State.CLAIMED, send=a_send(SendState.REFUSED, problem="Locked.")), [], "*Not sent:*\nLocked."),
        (a_view(State.SENDING, send=a_thread(SendState.APPROVED)), [], "*Ana Lima's thread of 3 goes on at <!date^"),
        (
            a_view(State.SENDING, send=a_thread(SendState.SENDING)),
            [],
            "1 of 3 parts is posted.\n<https://a.example/1|see",
        ),
        (
            a_view(
                State.CLAIMED, send=a_thread(SendState.UNDONE, problem="1 of 3 parts is posted (https://a.example/1)")
            ),
            [],
            "*Not sent in full:*\n1 of 3 parts is posted\n<https://a.example/1|see what is posted>",
        ),
        (a_view(State.CLAIMED, send=a_thread(SendState.UNKNOWN)), [], "whether part 2 of Ana Lima's thread arrived"),
        (a_view(State.CLAIMED, send=a_thread(SendState.UNKNOWN)), [], "↪ Two."),
        (a_view(State.DISMISSED), [an_entry(Event.DISMISS)], "*Dismissed by Ana Lima*: Spam or promotion"),
        (a_view(State.DISMISSED), [], "*Dismissed*: Spam or promotion"),
        (a_view(State.SNOOZED), [an_entry(Event.SNOOZE)], "*Snoozed until <!date^"),
        (a_view(State.HANDED_OVER), [an_entry(Event.HAND_OVER, "<!here>")], "*Handed over by Ana Lima*: &lt;!here&gt;"),
        (a_view(State.EXPIRED), [], "*Closed by itself, unanswered*"),
        (a_view(State.QUIET), [], "*Kept quiet*"),
    ],
)
def test_where_it_stands_is_said_in_words(view: CardView, history: list, words: str):
    """Every state has its sentence."""
    assert words in words_of(draw(view, history=history).blocks)


def test_an_answer_is_linked():
    """Who answered, and where to see it."""
    view = a_view(State.ANSWERED, send=a_send(SendState.SENT, url="https://stage.example/posts/2"))
    said = words_of(draw(view).blocks)
    assert "*Answered by Ana Lima*" in said
    assert "<https://stage.example/posts/2|see the answer>" in said
    assert "Sorry! It leaves today." in said


@pytest.mark.parametrize(
    ("view", "wanted"),
    [
        (a_view(State.SHOWN), "CLAIM REPLY SNOOZE DISMISS MORE OPEN_POST"),
        (a_view(State.NEW), "CLAIM REPLY SNOOZE DISMISS MORE OPEN_POST"),
        (a_view(State.CLAIMED), "REPLY RELEASE SNOOZE DISMISS MORE OPEN_POST"),
        (a_view(State.QUIET), "CLAIM REPLY DISMISS MORE OPEN_POST"),
        (a_view(State.DISMISSED), "RESTORE OPEN_POST"),
        (a_view(State.SNOOZED), "CLAIM REPLY DISMISS MORE OPEN_POST"),
        (a_view(State.HANDED_OVER), "CLAIM REPLY MORE OPEN_POST"),
        (a_view(State.EXPIRED), "CLAIM REPLY MORE OPEN_POST"),
        (a_view(State.ANSWERED), "OPEN_POST"),
        (a_view(State.SENDING, send=a_send(SendState.APPROVED)), "UNDO OPEN_POST"),
        (a_view(State.SENDING, send=a_send(SendState.SENDING)), "OPEN_POST"),
        (a_view(State.SENDING, send=a_send(SendState.HANDED_OFF)), "POSTED NOT_POSTED OPEN_POST"),
        (a_view(State.CLAIMED, send=a_send(SendState.UNKNOWN)), "IS_THERE IS_NOT_THERE OPEN_POST"),
    ],
)
def test_the_buttons_are_what_the_state_allows(view: CardView, wanted: str):
    """A button that would be refused is not drawn."""
    assert action_ids(draw(view).blocks) == [getattr(buttons, name) for name in wanted.split()]


def test_no_reply_is_offered_where_none_is_possible():
    """The route 'none' has no Reply button, and says why."""
    message = draw(a_view(State.CLAIMED), NONE)
    assert buttons.REPLY not in action_ids(message.blocks)
    assert "No answer is possible here: it is only a replay." in words_of(message.blocks)


def test_dismissing_offers_every_reason():
    """Each reason is a label the ranker can learn from."""
    menu = next(e for e in elements_of(draw(a_view()).blocks) if e["action_id"] == buttons.DISMISS)
    assert [option["value"] for option in menu["options"]] == [f"12:{reason}" for reason in DISMISS_LABELS]


def test_reasons_stand_by_weight_and_one_that_speaks_against():
    """The strongest first; what lowered it is told apart."""
    reasons = [Reason("b", 0.2), Reason("promo", -0.5), Reason("a", 0.9), Reason("mild", -0.1)]
    assert list_reasons(reasons) == "a · b · but promo"


@pytest.mark.parametrize("draws", [draw_card, draw_short_card])
def test_every_card_is_fit_for_slack(draws):
    """In every state, with every history and route, even when all that is foreign is hostile."""
    hostile = a_mention(
        text=HOSTILE * 30, title=HOSTILE, parent_text=HOSTILE, brand=HOSTILE, url="https://a.example/<x>"
    )
    hostile = replace(hostile, author=Author(HOSTILE, HOSTILE, 5))
    someone = Actor("U9", HOSTILE)
    drawn = [
        *itertools.product(every_view(), EVERY_CAPABILITY, EVERY_HISTORY),
        *itertools.product(every_thread_view(), [API], [[]]),
    ]
    for view, capability, history in drawn:
        send = (
            replace(view.send, text=HOSTILE * 9, problem=HOSTILE, approved_by=someone, url="javascript:x")
            if view.send
            else None
        )
        worse = replace(view, mention=hostile, send=send, conversation=replace(view.conversation, owner=someone))
        for each in (view, worse):
            assert_fit_for_slack(draws(each, replace(capability, reason=capability.reason + HOSTILE), NOW, history))


@settings(max_examples=150, deadline=None)
@given(
    st.text(st.characters(codec=None), max_size=5000)
    | st.text(st.sampled_from("<>&!@#|\n\u0301\u202e"), max_size=5000),
    st.text(st.characters(codec=None), max_size=200),
    st.sampled_from([*every_view(), *every_thread_view()]),
)
def test_no_post_can_act_on_slack(text: str, name: str, view: CardView):
    """Whatever is written and whoever writes it: nothing in the card is live but what we built."""
    mention = replace(
        view.mention, text=text, title=name, author=Author(name, name), brand=name, parent_text=text, url=text
    )
    assert_fit_for_slack(draw(replace(view, mention=mention)))


def test_a_hundred_thousand_characters_make_a_card():
    """The longest post is only a long post."""
    assert_fit_for_slack(draw(a_view(mention=a_mention(text="&\u0301" * 50_000))))
