"""Which answer fits a question, and which fact a post."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listeners.mention import Mention
from nlp.assessment import Assessment
from nlp.draft_occasion import Found, Occasion
from nlp.facts import choose_fact, likely_facts, search_terms, searched_text
from nlp.playbook import parse_playbook
from nlp.retrieval import SIGNALS, Pair, compare, is_alike, rank
from nlp.topics import topics_of
from nlp.wording import content_words, plain_words, stem

Say = Callable[..., Mention]
Told = Callable[..., Assessment]
PARCEL = "The tracking page shows where a parcel is."
ACCOUNT = "A reset link lets you back into your account."
LAMP = "The lamp takes any bulb with a small thread."


def test_the_answer_that_fits_goes_first() -> None:
    """By the same words, and by the same matter in other words."""
    answers = [LAMP, PARCEL, ACCOUNT]
    for question, best in (("where is my parcel", PARCEL), ("I can't log in, forgot my password", ACCOUNT)):
        scores = rank(question, answers)
        assert answers[scores.index(max(scores))] == best


def test_what_was_answered_before_is_a_hint() -> None:
    """The answers given to like questions raise what is like them."""
    answers = ["Please write to us privately.", "The bulb is sold in any shop."]
    asked = "it flickers"
    memory = [Pair(f"it flickers {n}", "The bulb is sold everywhere.") for n in range(3)]
    memory += [Pair(f"my invoice is wrong {n}", "Please write to us in private.") for n in range(3)]
    without, with_memory = rank(asked, answers), rank(asked, answers, memory)
    assert with_memory[1] - with_memory[0] > without[1] - without[0]


def test_no_answers_and_one_answer_are_no_trouble() -> None:
    """Nothing to compare, or nothing to compare with."""
    assert rank("x", []) == []
    assert len(rank("", [""])) == 1
    assert compare("x", ["y"]).shape == (1, len(SIGNALS))


@given(st.text(max_size=80), st.lists(st.text(max_size=60), max_size=4))
def test_any_text_can_be_ranked(question: str, answers: list[str]) -> None:
    """Odd text raises nothing, and every answer gets a number."""
    scores = rank(question, answers, [Pair(question, each) for each in answers])
    assert len(scores) == len(answers)
    assert all(score == score for score in scores)  # noqa: PLR0124 - NaN is not itself


@pytest.mark.parametrize(
    ("one", "other", "are_alike"),
    [
        ("How do I pair my kettle? it blinks amber", "kettle will not pair, the amber light keeps blinking", True),
        ("my site is down", "your website is down again", True),
        ("Where is my parcel? ordered a week ago", "parcel ordered monday still not here, where is it", True),
        ("where is my parcel", "where is my refund", False),
        ("lovely kettle", "my kettle burned the table", False),
        ("", "", False),
    ],
)
def test_like_questions_are_told_from_others(one: str, other: str, *, are_alike: bool) -> None:
    """Only what asks for the same is alike."""
    assert is_alike(one, other) is are_alike
    assert is_alike(other, one) is are_alike


def test_words_of_a_text() -> None:
    """Handles say nothing, links say what their path says, apostrophes are plain, forms share a stem."""
    assert plain_words("@acme_help Can\u2019t log-in") == ["can't", "log-in"]
    assert content_words("see https://a.example/Help/ResetPassword?id=7") == ["reset", "password"]
    assert stem("returning") == stem("returns") == stem("returned")
    assert stem("is") == "is"


def test_topics_bring_other_words_together() -> None:
    """'Locked out' and 'reset link' touch the same topic; a phrase counts as a phrase."""
    assert "access" in topics_of(plain_words("I am locked out"))
    assert "access" in topics_of(plain_words("can't get into my account"))
    assert topics_of(plain_words("hm")) == {}


PLAYBOOK = parse_playbook(
    "[[fact]]\nname = 'refunds'\ntext = 'Banks take a few days.'\nkeywords = ['refund']\n"
    "[[fact]]\nname = 'tracking'\ntext = 'The page shows the last scan.'\nkeywords = ['tracking']\n"
    "[[fact]]\nname = 'bulbs'\ntext = 'The lamp takes any bulb with a small thread.'\n"
    "[[fact]]\nname = 'refund-cards'\ntext = 'A gift card can not be refunded.'\nkeywords = ['refund', 'gift card']\n"
)


def occasion(say: Say, told: Told, text: str, grade: int = 2, *found: str) -> Occasion:
    """Return a post with what a search found for it."""
    return Occasion(say(text), told(grade, "question_help"), PLAYBOOK, Found(found))


@pytest.mark.parametrize(
    ("text", "grade", "found", "fact"),
    [
        ("where is my refund", 2, (), "fact refunds"),
        ("refund of a gift card", 2, (), "fact refund-cards"),
        ("how long do refunds take", 2, ("fact refunds",), "fact refunds"),
        ("how long do refunds take", 2, (), ""),
        ("how long do refunds take", 3, ("fact refunds",), ""),
        ("the wrong track on your playlist", 2, ("fact tracking",), ""),
        ("which bulb with which thread does the lamp take", 2, ("fact bulbs",), "fact bulbs"),
        ("is the lamp nice", 2, ("fact bulbs",), ""),
        ("where is my refund", 2, ("fact unheard-of",), "fact refunds"),
    ],
)
def test_a_fact_must_answer_the_post(  # noqa: PLR0917 - a case
    say: Say, told: Told, text: str, grade: int, found: tuple[str, ...], fact: str
) -> None:
    """A keyword calls for it; a search may, where it is surely meant, and never where it is urgent."""
    chosen = choose_fact(occasion(say, told, text, grade, *found))
    assert (chosen.name if chosen else "") == fact


def test_what_is_searched_for_and_in(say: Say, told: Told) -> None:
    """A post and a fact that share no word share a topic, which both are indexed by."""
    shared = set(search_terms("I can't get into my account")) & set(searched_text(PLAYBOOK.facts[0]).split())
    assert not shared
    login = parse_playbook("[[fact]]\nname = 'l'\ntext = 'Log in with the newest link.'\n").facts[0]
    assert "topicaccess" in set(search_terms("I can't get into my account")) & set(searched_text(login).split())
    assert [fact.name for fact in likely_facts(occasion(say, told, "refund for a gift card"))] == [
        "fact refund-cards",
        "fact refunds",
    ]
