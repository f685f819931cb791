"""Drafts: always with a gap, never cheerful at the wrong time, never the same to everyone."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listeners.mention import Mention
from nlp.assessment import INTENTS, Assessment
from nlp.draft import suggest, who_takes_over
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
    """Over our corpus, every draft has a gap, is refused unchanged, fits, and repeats nothing of the post."""
    post = corpus[row % len(corpus)]
    mention = say(post["text"], post["id"], name, brand=post["brand"])
    drafts = suggest(mention, told(grade, intent), PLAYBOOK, limit=limit)
    assert len({draft.text for draft in drafts}) == len(drafts) <= 3
    for draft in drafts:
        assert open_gaps(draft.text)
        assert is_unchanged(draft.text, draft.text)
        assert limit == 0 or len(draft.text) <= limit
        assert "{" not in draft.text
        assert mention.author.handle not in draft.text
        assert draft.source


@pytest.mark.parametrize(
    ("grade", "intent", "more"),
    [
        (0, "complaint", {}),
        (2, "spam_promo", {}),
        (2, "irrelevant", {}),
        (2, "complaint", {"language": "fr"}),
        (1, "followup_in_thread", {"closes": True}),
    ],
)
def test_silence_is_better(say: Say, told: Told, grade: int, intent: str, more: dict[str, Any]) -> None:
    """Nothing is suggested for noise, closed threads, and languages the playbook does not have."""
    assert suggest(say("thanks"), told(grade, intent, **more), PLAYBOOK) == ()


def test_an_empty_playbook_says_nothing(say: Say, told: Told) -> None:
    """Where the team wrote nothing, nothing is made up."""
    assert suggest(say("My bag is lost"), told(), Playbook()) == ()


def test_the_same_mention_gets_the_same_drafts(say: Say, told: Told) -> None:
    """Choice is by the mention's id, not by chance."""
    first, again = (suggest(say("Where is my parcel?"), told(), PLAYBOOK) for _ in range(2))
    assert first == again
    assert first


def test_twenty_people_do_not_get_one_sentence(say: Say, told: Told) -> None:
    """Openers vary from person to person, and what was said lately is passed over."""
    said: list[str] = []
    for number in range(20):
        mention = say("Site is down again", str(number), "Ana Lima", f"user{number}")
        draft = suggest(mention, told(3), PLAYBOOK, recent=said[-2:])[0]
        opener = draft.text.split(".")[0]
        assert all(opener not in other for other in said[-2:])
        said.append(draft.text)
    assert len(set(said)) >= 4


def test_a_fact_comes_only_with_its_keyword(say: Say, told: Told) -> None:
    """The delivery fact answers a post about a parcel, not one about a lamp."""
    with_fact = suggest(say("my parcel is late"), told(), PLAYBOOK)[0]
    without = suggest(say("my lamp is dim"), told(), PLAYBOOK)[0]
    assert "fact delivery" in with_fact.source
    assert "tracking page" in with_fact.text
    assert "fact" not in without.source


@pytest.mark.parametrize(
    ("text", "grade", "intent", "gap"),
    [
        ("you charged my card twice for the same order", 3, "complaint", "[what you found out about the money]"),
        ("my parcel says delivered, it is not here", 3, "question_help", "[where the order is now]"),
        ("can you see my account, I am locked out", 2, "question_help", "[what you found out about the account]"),
        ("it sparked and burned my hand, and my order is late", 3, "complaint", "about the danger"),
        ("the site is down", 2, "complaint", "[what is not working"),
        ("my lamp is dim", 2, "question_help", "[your answer"),
    ],
)
def test_the_gap_fits_the_matter(say: Say, told: Told, text: str, grade: int, intent: str, gap: str) -> None:  # noqa: PLR0917
    """Money gets the money gap, an order the order gap, harm comes before both; what no keyword names, a plain gap."""
    assert gap in suggest(say(text), told(grade, intent), PLAYBOOK)[0].text


def test_the_gravest_gap_is_the_first_in_the_file(say: Say, told: Told) -> None:
    """The team decides by the order of its file which of two fitting gaps is used, whatever the number of words."""
    harm, order = "text = '[harm]'\nkeywords = ['smoke']\n", "text = '[order]'\nkeywords = ['order', 'late']\n"
    playbook = parse_playbook(f"[[opener]]\ntext = 'Right.'\n[[gap]]\n{harm}[[gap]]\n{order}")
    assert "[harm]" in suggest(say("my order is late, and there is smoke"), told(), playbook)[0].text
    assert "[order]" in suggest(say("my order is late"), told(), playbook)[0].text


def test_stop_using_it_is_said_only_where_the_playbook_says_so(say: Say, told: Told, project: Path) -> None:
    """Advice about a danger is the team's to give."""
    mention, assessment = say("the base sparked, it smells burnt"), told(3, "safety_legal_crisis")
    demo = load_playbook(project / "bot" / "demo" / "playbook.toml")
    assert "unplugged" in suggest(mention, assessment, demo)[0].text
    for draft in suggest(mention, assessment, PLAYBOOK):
        assert not re.search(r"stop using|unplug", draft.text)


@pytest.mark.parametrize(("brand", "is_said"), [("Vesper", True), ("", False)])
def test_the_brand_in_a_draft_is_the_mention_s(say: Say, told: Told, brand: str, is_said: bool) -> None:
    """A post about another of our brands is answered as that brand; where none is known, none is named."""
    playbook = parse_playbook('[brand]\nname = "Halcyon Air"\n[[opener]]\ntext = "This is {brand}."\n')
    drafts = suggest(say("my bag is lost", brand=brand), told(), playbook)
    assert [draft.text.startswith("This is Vesper.") for draft in drafts] == ([True] if is_said else [])


@pytest.mark.parametrize("file", ["nlp/playbook.example.toml", "bot/demo/playbook.toml"])
def test_our_playbooks_promise_nothing_and_stand_alone(project: Path, file: str) -> None:
    """No entry promises, admits a fault, or leans on the sentence before it."""
    playbook = load_playbook(project / file)
    for entry in (*playbook.openers, *playbook.facts, *playbook.gaps, *playbook.next_steps):
        assert not re.search(
            r"\b(?:promise|guaranteed|will be|within \d|straight away|our (?:fault|mistake)|we should have|by then)\b",
            entry.text,
            re.IGNORECASE,
        ), entry.text
        assert not re.match(r"(?:and|but|so|then|also|that is why)\b", entry.text, re.IGNORECASE), entry.text


@pytest.mark.parametrize(
    ("grade", "text"), [(3, "great flight"), (2, "Thanks for nothing, love it when you lose my bag 🙄")]
)
def test_nothing_cheerful_on_bad_days(say: Say, told: Told, grade: int, text: str) -> None:
    """A cheerful or warm opener is never used on a grade 3 or a sarcastic post, though it fits otherwise."""
    playbook = parse_playbook('[[opener]]\ntext = "Yay, thanks!"\n[[opener]]\ntext = "So nice."\ntone = "warm"\n')
    assert suggest(say("lovely crew today"), told(1, "praise"), playbook)
    assert suggest(say(text), told(grade, "praise"), playbook) == ()


@pytest.mark.parametrize(
    ("name", "is_used"),
    [
        ("Ana Lima", True),
        ("ANA", True),
        ("Ana🌸", False),
        ("Halcyon Ana", False),
        ("Ana Support", False),
        ("Slur McSlur", False),
        ("Ana Ana Ana Ana Ana", False),
        ("", False),
        ("An\u202ea", False),
    ],
)
def test_a_first_name_is_used_only_when_sure(say: Say, told: Told, name: str, is_used: bool) -> None:
    """A display name is trusted only where it looks like a person's and begins with a known first name."""
    playbook = parse_playbook('[[opener]]\ntext = "Right, {first_name}."\n')
    drafts = suggest(say("my bag is lost", name=name), told(), playbook)
    assert [draft.text.startswith("Right, Ana.") for draft in drafts] == ([True] if is_used else [])


@pytest.mark.parametrize(
    ("handle", "is_used"),
    [("ana_l", True), ("HalcyonAirSupport", False), ("halcyon_air", False), ("a b", False), ("shit9", False)],
)
def test_a_handle_is_used_only_when_plain(say: Say, told: Told, handle: str, is_used: bool) -> None:
    """No handle that poses as us, or that we would not say aloud."""
    playbook = parse_playbook('[[opener]]\ntext = "Hello {handle}."\n')
    assert bool(suggest(say("my bag is lost", handle=handle), told(), playbook)) is is_used


def test_brand_and_product_narrow_an_entry(say: Say, told: Told) -> None:
    """An entry for one brand or product is silent elsewhere."""
    playbook = parse_playbook('[[opener]]\ntext = "Right."\nbrands = ["halcyon air"]\nproducts = ["lounge"]\n')
    assert suggest(say("the lounge is shut"), told(), playbook)
    assert not suggest(say("the gate is shut"), told(), playbook)
    assert not suggest(say("the lounge is shut", brand="Vesper"), told(), playbook)


def test_a_long_draft_sheds_parts_to_fit(say: Say, told: Told) -> None:
    """At a short limit the gap and the opener stay, the rest goes; below that, nothing is suggested."""
    mention = say("my parcel is late and I want a refund")
    long, short = (suggest(mention, told(), PLAYBOOK, limit=limit) for limit in (500, 120))
    assert len(short[0].text) < len(long[0].text)
    assert open_gaps(short[0].text)
    assert suggest(mention, told(), PLAYBOOK, limit=30) == ()


def test_the_playbook_says_who_takes_over(say: Say, told: Told) -> None:
    """Words decide first, then the intent."""
    assert who_takes_over(say("my lawyer will write"), told(), PLAYBOOK).who == "Legal"
    assert who_takes_over(say("it burned the table"), told(), PLAYBOOK).who == "Safety"
    assert who_takes_over(say("nice"), told(), PLAYBOOK) is None


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
