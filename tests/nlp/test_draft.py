"""Drafts: always with a gap, never cheerful at the wrong time, never the same to everyone."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from draft_sentences import sentences
from hypothesis import given, settings
from hypothesis import strategies as st

from listeners.mention import Mention
from nlp.assessment import INTENTS, Assessment
from nlp.draft import suggest
from nlp.gap import is_unchanged, open_gaps
from nlp.playbook import EXAMPLE, Playbook, load_playbook, parse_playbook
from nlp.signals import sounds_sarcastic

PLAYBOOK = load_playbook(EXAMPLE)
Say = Callable[..., Mention]
Told = Callable[..., Assessment]


@given(
    row=st.integers(0, 10_000),
    grade=st.integers(0, 3),
    intent=st.sampled_from(INTENTS),
    limit=st.sampled_from([0, 40, 140, 280, 300, 500]),
    name=st.sampled_from(["", "Ana Lima", "xX_killer_Xx", "Halcyon Support", "{brand}"]),
)
@settings(max_examples=200, deadline=None)
def test_no_draft_could_be_sent_as_it_is(  # noqa: PLR0917 - hypothesis gives them by name
    say: Say, told: Told, corpus: list[dict[str, Any]], row: int, grade: int, intent: str, limit: int, name: str
) -> None:
    """Over our corpus, every draft has a gap, is refused unchanged, fits with room to spare, and fills its slots."""
    post = corpus[row % len(corpus)]
    mention = say(post["text"], post["id"], name, brand=post["brand"])
    drafts = suggest(mention, told(grade, intent), PLAYBOOK, limit=limit)
    assert len({draft.text for draft in drafts}) == len(drafts) <= 3
    for draft in drafts:
        assert open_gaps(draft.text)
        assert is_unchanged(draft.text, draft.text)
        assert limit == 0 or len(draft.text) <= limit - limit // 8
        assert "{" not in draft.text
        assert mention.author.handle not in draft.text
        assert draft.source


@pytest.mark.parametrize(
    ("grade", "intent", "more", "reason"),
    [
        (0, "complaint", {}, "Nothing here asks for an answer."),
        (2, "spam_promo", {}, "promotion"),
        (2, "irrelevant", {}, "something else of the same name"),
        (2, "complaint", {"language": "fr"}, "The post is in French, and the playbook has no words in it yet."),
        (2, "complaint", {"language": "ga"}, "The post is in the language 'ga'"),
        (1, "followup_in_thread", {"closes": True}, "close the thread"),
        (3, "safety_legal_crisis", {"crisis": 0.5}, "a public tragedy"),
        (3, "complaint", {"crisis": 0.8}, "a public tragedy"),
        (1, "praise", {"intents": {"praise": 0.3, "brand_chatter": 0.19}, "urgent": 0.0}, "not clear"),
        (1, "brand_chatter", {"intents": {"brand_chatter": 0.9}, "urgent": 0.1}, "not clear"),
        (0, "brand_chatter", {"intents": {"brand_chatter": 0.4}, "urgent": 0.1}, "Nothing here asks"),
        (2, "irrelevant", {"intents": {"irrelevant": 0.4}, "urgent": 0.0}, "not clear"),
        (1, "irrelevant", {"intents": {"irrelevant": 0.4}, "urgent": 0.0}, "something else"),
    ],
)
def test_silence_is_better(  # noqa: PLR0917 - a case, and what is said of it
    say: Say, told: Told, grade: int, intent: str, more: dict[str, Any], reason: str
) -> None:
    """Nothing is suggested for noise, closed threads, tragedies and unknown languages, and it is said why."""
    drafts = suggest(say("thanks"), told(grade, intent, **more), PLAYBOOK)
    assert not drafts
    assert reason in drafts.reason


def test_an_empty_playbook_says_nothing(say: Say, told: Told) -> None:
    """Where the team wrote nothing, nothing is made up, and the reason says what is missing."""
    drafts = suggest(say("My bag is lost"), told(), Playbook())
    assert not drafts
    assert drafts.reason == "The playbook has no words yet for a post like this (complaint, grade 2)."


def test_drafts_say_no_reason_and_silence_has_one(say: Say, told: Told) -> None:
    """A reason is said exactly where there is no draft."""
    assert not suggest(say("my parcel is late"), told(), PLAYBOOK).reason
    assert suggest(say("my parcel is late"), told(), PLAYBOOK, limit=20).reason == (
        "No draft is short enough to leave room for your own words here."
    )


def test_the_playbook_can_ask_for_silence(say: Say, told: Told) -> None:
    """A `[[silence]]` rule takes in posts by word, intent, grade, brand or platform, and its reason is said."""
    rule = "[[silence]]\nreason = 'Only Legal speaks of it.'\nkeywords = ['lawsuit']\nplatforms = ['x']\n"
    playbook = parse_playbook(rule + "[[opener]]\ntext = 'Right.'\n")
    assert suggest(say("what about the lawsuit"), told(), playbook).reason == "Only Legal speaks of it."
    assert suggest(say("what about the lawsuit", platform="reddit"), told(), playbook)
    assert suggest(say("what about the suit"), told(), playbook)


def test_an_answer_is_in_the_language_of_the_post(say: Say, told: Told) -> None:
    """Where the playbook has the language, all of a draft is in it; a dialect is taken for its language."""
    playbook = parse_playbook(
        "[[opener]]\ntext = 'Right.'\n[[opener]]\ntext = 'Gut.'\nlanguage = 'de-AT'\n"
        "[[gap]]\ntext = '[was]'\nlanguage = 'de'\n[[next_step]]\ntext = 'Any more?'\n"
    )
    (draft,) = suggest(say("mein Paket fehlt"), told(language="de"), playbook)
    assert draft.text == "Gut. [was]"


def test_up_to_three_differ_in_what_they_try(say: Say, told: Told) -> None:
    """An answer, a question and a move to private where they fit; one alone where only one does."""
    complaint = suggest(say("my order came without its lid"), told(2), PLAYBOOK)
    assert [draft.kind for draft in complaint] == ["answer", "ask", "private"]
    assert len({draft.text.split(".")[0] for draft in complaint}) == 3
    assert [draft.kind for draft in suggest(say("lovely lamp"), told(1, "praise"), PLAYBOOK)] == ["answer"]
    outage = suggest(say("your site is down"), told(2), PLAYBOOK)
    assert [draft.kind for draft in outage] == ["answer", "ask"], "an outage is nobody's private matter"


def test_mocking_thanks_get_no_thanks(say: Say, told: Told) -> None:
    """Who thanked in mockery is not thanked back."""
    playbook = parse_playbook("[[opener]]\ntexts = ['Thanks for telling us.', 'I see.']\n")
    for number in range(6):
        drafts = suggest(say("thanks for nothing", str(number)), told(2), playbook)
        assert drafts[0].text.startswith("I see.")


@pytest.mark.parametrize(
    ("chance", "urgent", "is_warm"), [(0.9, 0.01, True), (0.6, 0.01, False), (0.9, 0.06, False), (None, 0.9, True)]
)
def test_warm_words_need_a_sure_reading(
    say: Say, told: Told, chance: float | None, urgent: float, is_warm: bool
) -> None:
    """Where the model may have taken an emergency for chatter nothing warm is suggested."""
    playbook = parse_playbook("[[opener]]\ntext = 'Plain.'\n[[opener]]\ntext = 'Warm.'\ntone = 'warm'\n")
    intents = {} if chance is None else {"brand_chatter": chance}
    assessment = told(1, "brand_chatter", intents=intents, urgent=urgent)
    said = {suggest(say("hm", str(number)), assessment, playbook)[0].text.split()[0] for number in range(20)}
    assert said == ({"Plain.", "Warm."} if is_warm else {"Plain."})


def test_what_is_not_sure_is_told_to_the_writer(say: Say, told: Told) -> None:
    """An unknown language, and what may be a tragedy, are said beside the drafts."""
    mention = say("vayupath se aaj 2 ghante late hai")
    assert suggest(mention, told(language="und"), PLAYBOOK).notes == (
        "The post's language is not known; these are in English.",
    )
    assert suggest(mention, told(crisis=0.6), PLAYBOOK).notes[-1].startswith("This may be about a public tragedy")
    assert not suggest(say("late!"), told(language="und"), PLAYBOOK).notes


def test_notes_are_for_the_writer_and_never_in_a_draft(say: Say, told: Told) -> None:
    """A note is shown where its rule fits, beside the drafts."""
    playbook = parse_playbook(
        "[[opener]]\ntext = 'Right.'\nnote = 'Be brief.'\n[[note]]\ntext = 'They know Ana.'\nkeywords = ['bag']\n"
    )
    drafts = suggest(say("my bag is lost"), told(), playbook)
    assert drafts.notes == ("They know Ana.", "Be brief.")
    assert drafts[0].text == "Right. [what only you can tell them]"
    assert suggest(say("my hat is lost"), told(), playbook).notes == ("Be brief.",)
    german = parse_playbook("[[opener]]\ntext = 'Gut.'\nlanguage = 'de'\n[[note]]\ntext = 'Mind it.'\n")
    assert suggest(say("Tasche weg"), told(language="de"), german).notes == ("Mind it.",)


def test_the_same_mention_gets_the_same_drafts(say: Say, told: Told) -> None:
    """Choice is by the mention's id, not by chance."""
    first, again = (suggest(say("Where is my parcel?"), told(), PLAYBOOK) for _ in range(2))
    assert first == again
    assert first


def test_twenty_people_get_twenty_drafts(say: Say, told: Told) -> None:
    """Twenty complaints of one outage: no text twice, and no sentence twice in a row, whatever the people's names."""
    said: list[list[str]] = []
    for number in range(20):
        mention = say("Site is down again", str(number), "Ana Lima" if number % 2 else "", f"user{number}")
        drafts = suggest(mention, told(3), PLAYBOOK, recent=said)
        assert not said or not sentences(drafts) & sentences(said[-1])
        said.append([draft.text for draft in drafts])
    texts = [re.sub(r"Ana|\[[^]]*\]", "…", text) for drafts in said for text in drafts]
    assert len(texts) >= 40
    assert len(set(texts)) == len(texts)


def test_one_word_is_not_said_twice_in_a_row_either(say: Say, told: Told) -> None:
    """'Understood.' is a sentence too."""
    playbook = parse_playbook("[[opener]]\ntexts = ['Understood.', 'Right.']\n")
    said: list[list[str]] = []
    for number in range(6):
        drafts = suggest(say("bag lost", str(number)), told(), playbook, recent=said)
        assert not said or drafts[0].text != said[-1][0]
        said.append([drafts[0].text])


def test_a_fact_said_to_the_person_before_is_left_out_and_told(say: Say, told: Told) -> None:
    """Where a fact has one wording only, the next person's draft goes without it, and the writer is told."""
    playbook = parse_playbook(
        "[[opener]]\ntexts = ['Right.', 'I see.']\n"
        "[[fact]]\nname = 'f'\ntext = 'We ship on Mondays.'\nkeywords = ['ship']\n"
    )
    first = suggest(say("do you ship", "1"), told(2, "question_help"), playbook)
    second = suggest(say("do you ship", "2"), told(2, "question_help"), playbook, recent=[[first[0].text]])
    assert "Mondays" in first[0].text
    assert "Mondays" not in second[0].text
    assert second.notes == ("The fact f is left out here: somebody else was suggested it just now.",)


def test_words_are_repeated_only_where_there_are_no_others_and_that_is_told(say: Say, told: Told) -> None:
    """A playbook of one sentence still helps the second person; the writer is told that it is the same."""
    playbook = parse_playbook("[[opener]]\ntext = 'Right.'\n")
    first = suggest(say("bag lost", "1"), told(), playbook)
    second = suggest(say("bag lost", "2"), told(), playbook, recent=[[first[0].text]])
    assert second[0].text == first[0].text
    assert "no other words" in second.notes[0]


@pytest.mark.parametrize("file", ["nlp/playbook.example.toml", "bot/demo/playbook.toml"])
def test_our_playbooks_promise_nothing_and_stand_alone(project: Path, file: str) -> None:
    """No entry promises, admits a fault, or leans on the sentence before it."""
    playbook = load_playbook(project / file)
    for entry in (*playbook.openers, *playbook.facts, *playbook.gaps, *playbook.next_steps):
        for text in entry.texts:
            assert not re.search(
                r"\b(?:promise|guaranteed|will be|within \d|straight away|our (?:fault|mistake)|should have|by then)\b",
                text,
                re.IGNORECASE,
            ), text
            assert not re.match(r"(?:and|but|so|then|also|that is why)\b", text, re.IGNORECASE), text


@pytest.mark.parametrize(
    ("grade", "text"), [(3, "great flight"), (2, "Thanks for nothing, love it when you lose my bag 🙄")]
)
def test_nothing_cheerful_on_bad_days(say: Say, told: Told, grade: int, text: str) -> None:
    """A cheerful or warm opener is never used on a grade 3 or a sarcastic post, though it fits otherwise."""
    playbook = parse_playbook('[[opener]]\ntext = "Yay, thanks!"\n[[opener]]\ntext = "So nice."\ntone = "warm"\n')
    assert suggest(say("lovely crew today"), told(1, "praise"), playbook)
    assert not suggest(say(text), told(grade, "praise"), playbook)


def test_praise_that_is_not_meant_is_answered_as_a_complaint(say: Say, told: Told) -> None:
    """Sarcasm, by the model or by its words, gets the sober words for a complaint."""
    playbook = parse_playbook(
        "[[opener]]\ntext = 'How kind.'\nintents = ['praise']\n[[opener]]\ntext = 'I see.'\nintents = ['complaint']\n"
    )
    assert suggest(say("great crew"), told(2, "praise"), playbook)[0].text.startswith("How kind.")
    assert suggest(say("great crew"), told(2, "praise", sarcastic=0.5), playbook)[0].text.startswith("I see.")
    assert suggest(say("thanks for nothing"), told(2, "praise"), playbook)[0].text.startswith("I see.")


def test_a_long_draft_sheds_parts_to_fit(say: Say, told: Told) -> None:
    """At a short limit the gap and the opener stay, the rest goes; below that, nothing is suggested."""
    mention = say("my parcel is late and I want a refund")
    long, short = (suggest(mention, told(), PLAYBOOK, limit=limit) for limit in (500, 120))
    assert len(short[0].text) < len(long[0].text)
    assert open_gaps(short[0].text)
    assert not suggest(mention, told(), PLAYBOOK, limit=30)


def test_the_platform_counts_for_itself(say: Say, told: Told) -> None:
    """Where a platform counts in its own way, a draft leaves an eighth free by that count."""
    playbook = parse_playbook("[[opener]]\ntext = 'Right.'\n[[gap]]\ntext = '[what]'\n")
    asked: list[str] = []

    def fits(text: str) -> bool:
        asked.append(text)
        return 2 * len(text) <= 40

    assert suggest(say("bag"), told(), playbook, limit=40, fits=fits)
    assert asked[-1] == "Right. [what]" + "x" * 5
    assert not suggest(say("bag"), told(), playbook, limit=64, fits=fits)


@pytest.mark.parametrize(
    ("text", "is_sarcastic"),
    [
        ("Thanks for nothing", True),
        ("great job losing my bag 👏👏", True),
        ("thanks for the quick help", False),
        ("", False),
    ],
)
def test_sarcasm_is_told_from_thanks(text: str, is_sarcastic: bool) -> None:
    """Thanks that is not meant is told from thanks that is."""
    assert sounds_sarcastic(text) is is_sarcastic


def test_the_example_is_where_init_looks(project: Path) -> None:
    """The example is package data."""
    assert project / "nlp" / "playbook.example.toml" == EXAMPLE
