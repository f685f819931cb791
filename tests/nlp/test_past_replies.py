"""What of a past reply may be said again: what was about the matter, never what was about one person."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listeners.mention import Mention
from nlp.assessment import Assessment
from nlp.draft import suggest
from nlp.draft_occasion import Found
from nlp.draft_words import promises
from nlp.gap import open_gaps
from nlp.past_replies import PastReply, choose_past_sentences, find_reusable
from nlp.playbook import parse_playbook

Say = Callable[..., Mention]
Told = Callable[..., Assessment]
QUESTION = "my kettle will not pair with the app, the amber light blinks"
KNOWN = frozenset({"Subscription", "The", "Kettle"})
MARCH = date(2026, 3, 3)
ODD = [
    "the kettle",
    "app",
    "Anna",
    "12",
    "$9",
    "wes@a.example",
    "https://a.example",
    "@bo",
    "+4915112345678",
    ".",
    "will",
]


def reuse(answer: str, question: str = QUESTION) -> list[str]:
    """Return what of an answer may be said again."""
    return find_reusable(answer, question, KNOWN, "en")


def test_a_sentence_about_the_matter_is_said_again() -> None:
    """What helps with the matter is kept word for word."""
    assert reuse("The amber light means that the kettle lost the app.") == [
        "The amber light means that the kettle lost the app."
    ]


@pytest.mark.parametrize(
    "sentence",
    [
        "We will send you a new kettle with the app.",
        "I'll pair the kettle with the app for you myself.",
        "We have paired your kettle with the app.",
        "I refunded the kettle and the app.",
        "Your order of the kettle is on its way to the app.",
        "The kettle and its app are our mistake.",
        "We apologise that the kettle lost the app.",
        "The amber light stops tomorrow when the app is back.",
        "A new kettle for the app is free of charge.",
        "Love that the kettle found the app!",
        "The kettle finds the app again 🎉.",
        "Does the amber light of the kettle blink?",
        "Thanks for writing about the kettle and the app.",
        "As you said the kettle lost the app.",
        "Kettle app.",
        "Our office is open on all days of the year.",
        "The kettle [what you found] lost the app.",
        "The *amber* light of the kettle is <b>on</b>.",
        "— Ana from the kettle and app team.",
        "The kettle app is back for everybody.",
        "The kettle app has been mended by our people.",
        "Our people are working on the kettle app.",
        "The amber kettle is out of stock in the app.",
    ],
)
def test_what_was_said_to_one_person_is_not_said_again(sentence: str) -> None:
    """No promise, deed, blame, time, cheer, question or news, nothing of the reader's own, nothing off the matter."""
    assert reuse(sentence) == []


@pytest.mark.parametrize(
    ("sentence", "reused"),
    [
        ("Hold the kettle's button for 12 seconds.", "Hold the kettle's button for [the number] seconds."),
        ("The kettle costs $49.99 with the app.", "The kettle costs [the number] with the app."),
        ("Ask Wes about the kettle and the app.", "Ask [the name] about the kettle and the app."),
        ("Ask Wes Miller about the kettle and the app.", "Ask [the name] about the kettle and the app."),
        ("Anna knows the kettle and the app best.", "[the name] knows the kettle and the app best."),
        (
            "The app pairs under Subscription in the kettle menu.",
            "The app pairs under Subscription in the kettle menu.",
        ),
        ("Write about the kettle to wes@kettle.example please.", "Write about the kettle to [the address] please."),
        ("Ask @weskettle about the kettle and the app.", "Ask [the name] about the kettle and the app."),
        ("The kettle and app are explained at https://a.example/x?id=7 in short.", None),
        ("Order KF-50117 has the kettle with the app inside.", None),
    ],
)
def test_numbers_names_and_addresses_become_gaps(sentence: str, reused: str | None) -> None:
    """Who writes the next reply fills them in; nothing personal gets from one person's answer into another's."""
    found = reuse(sentence)
    if reused is not None:
        assert found == [reused]
    for text in found:
        assert open_gaps(text) or "Subscription" in text
        assert not re.search(r"\d|https?:|@|KF", text)


@given(st.lists(st.sampled_from(ODD)))
def test_no_figure_address_or_handle_gets_through(words: list[str]) -> None:
    """Whatever stands in a past reply, what is said again holds no figure, no address, no handle and no promise."""
    for text in reuse(" ".join(words)):
        assert not re.search(r"[\d@$]|https?:|Anna", text)
        assert not promises(text)


def test_another_language_is_passed_over() -> None:
    """A past reply is reused only in its own language, and only in English, whose words for news and deeds we know."""
    assert find_reusable("Die Kettle Lampe leuchtet gelb, wenn die App fehlt.", "Kettle App gelb", KNOWN, "de") == []
    assert find_reusable("Die Kettle braucht den App Knopf, dann blinkt sie wieder.", QUESTION, KNOWN, "en") == []


def replies(*pairs: tuple[str, str]) -> tuple[PastReply, ...]:
    """Return past replies to questions."""
    return tuple(PastReply(number, asked, answer, MARCH) for number, (asked, answer) in enumerate(pairs, start=1))


def test_the_reply_to_the_like_question_is_chosen() -> None:
    """Of many past replies the one that answered the same is used, and named with its date."""
    past = replies(
        ("where is my parcel, ordered a week ago", "The tracking page shows where a parcel is."),
        (
            "kettle does not pair with the app, amber light",
            "The amber light goes out once the kettle is near the router.",
        ),
        ("lovely tea, thank you", "The tea grows on one hill only."),
    )
    (found,) = choose_past_sentences(QUESTION, past, KNOWN, "en")
    assert found.text == "The amber light goes out once the kettle is near the router."
    assert found.source.name == "a past reply of 3 March 2026"


def test_a_reply_to_something_else_is_never_used() -> None:
    """Where nobody asked the like before, nothing of the past is said."""
    past = replies(("where is my parcel", "The kettle and its app have an amber light."))
    assert choose_past_sentences(QUESTION, past, KNOWN, "en") == ()


def test_a_draft_names_the_past_reply_and_holds_its_sentence(say: Say, told: Told) -> None:
    """What a past reply said stands in the answer, traced to it; never a word that the team does not use."""
    past = replies(
        ("kettle does not pair with the app, amber light", "The amber light shows that the kettle is waiting.")
    )
    playbook = parse_playbook("[[opener]]\ntext = 'I see.'\n[[gap]]\ntext = '[what]'\n")
    mention = say(QUESTION, brand="Kettle & Fern")
    (draft,) = suggest(mention, told(2, "question_help"), playbook, found=Found(replies=past))
    assert draft.text == "I see. The amber light shows that the kettle is waiting. [what]"
    assert draft.source == "opener 1 + a past reply of 3 March 2026 + gap 1"
    strict = parse_playbook("[words]\nnever = ['waiting']\n[[opener]]\ntext = 'I see.'\n")
    assert "waiting" not in suggest(mention, told(2, "question_help"), strict, found=Found(replies=past))[0].text


def test_nothing_of_the_past_where_it_is_urgent(say: Say, told: Told) -> None:
    """On a grade 3 a past reply would be a guess."""
    past = replies(
        ("kettle does not pair with the app, amber light", "The amber light shows that the kettle is waiting.")
    )
    playbook = parse_playbook("[[opener]]\ntext = 'I see.'\n[[gap]]\ntext = '[what]'\n")
    (draft,) = suggest(say(QUESTION), told(3, "question_help"), playbook, found=Found(replies=past))
    assert draft.text == "I see. [what]"


def test_the_past_goes_first_where_there_is_no_room(say: Say, told: Told) -> None:
    """At a short limit the playbook's own fact stays, what a past reply said goes."""
    past = replies(
        ("kettle does not pair with the app, amber light", "The amber light shows that the kettle is waiting.")
    )
    playbook = parse_playbook(
        "[[opener]]\ntext = 'I see.'\n[[gap]]\ntext = '[what]'\n"
        "[[fact]]\nname = 'f'\ntext = 'The button resets it.'\nkeywords = ['amber']\n"
    )
    mention = say(QUESTION, brand="Kettle & Fern")
    (draft,) = suggest(mention, told(2, "question_help"), playbook, found=Found(replies=past), limit=60)
    assert draft.text == "I see. The button resets it. [what]"


def test_the_past_is_not_said_twice_in_a_row(say: Say, told: Told) -> None:
    """A past sentence that the person before was given is left out."""
    past = replies(
        ("kettle does not pair with the app, amber light", "The amber light shows that the kettle is waiting.")
    )
    playbook = parse_playbook("[[opener]]\ntexts = ['I see.', 'Right.']\n")
    mention = say(QUESTION, brand="Kettle & Fern")
    said = [["Hello. The amber light shows that the kettle is waiting. Bye."]]
    drafts = suggest(mention, told(2, "question_help"), playbook, found=Found(replies=past), recent=said)
    assert "waiting" not in drafts[0].text
