"""What a post is about decides which opener, fact, gap and next step it gets, and who takes it over."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from listeners.mention import Mention
from nlp.assessment import Assessment
from nlp.draft import suggest, who_takes_over
from nlp.gap import open_gaps
from nlp.playbook import EXAMPLE, load_playbook, parse_playbook

PLAYBOOK = load_playbook(EXAMPLE)
Say = Callable[..., Mention]
Told = Callable[..., Assessment]


def test_the_opener_is_for_the_matter_where_there_is_one(say: Say, told: Told) -> None:
    """Words for the matter go first, those for any matter only where nothing else is left; other matters' never."""
    playbook = parse_playbook(
        "[matters]\nmoney = ['charged', 'refund*']\n[[opener]]\ntext = 'Any.'\n"
        "[[opener]]\ntexts = ['Money.', 'Money, {first_name}.']\nmatters = ['money']\n"
        "[[opener]]\ntext = 'Order.'\nkeywords = ['order']\n[[next_step]]\nkind = 'ask'\ntext = 'Which [one]?'\n"
    )
    charged = suggest(say("you charged me", name="Ana Lima"), told(), playbook)
    assert [draft.text.split()[0].strip(",.") for draft in charged] == ["Money", "Any"]
    assert suggest(say("my bag"), told(), playbook)[0].text.startswith("Any.")


def test_a_stock_answer_is_not_for_somebody_in_trouble_now(say: Say, told: Told) -> None:
    """A fact is suggested on a grade 3 only where it says so."""
    fact = "[[fact]]\nname = '{0}'\ntext = 'A {0} fact.'\nkeywords = ['bag']\n{1}"
    playbook = parse_playbook(
        "[[opener]]\ntext = 'Right.'\n" + fact.format("usual", "") + fact.format("grave", "grades = [3]\n")
    )
    assert "usual fact" in suggest(say("my bag"), told(2), playbook)[0].text
    assert "grave fact" in suggest(say("my bag"), told(3), playbook)[0].text


def test_a_fact_can_bring_its_own_gap(say: Say, told: Told) -> None:
    """After a whole answer the gap is the fact's, not another 'your answer'; its name is told."""
    playbook = parse_playbook(
        "[[opener]]\ntext = 'Right.'\n[[gap]]\ntext = '[your answer]'\n"
        "[[fact]]\nname = 'f'\ntext = 'Bags are free.'\ngap = '[a tip]'\nkeywords = ['bag']\n"
    )
    (draft,) = suggest(say("my bag"), told(), playbook)
    assert (draft.text, draft.source) == ("Right. Bags are free. [a tip]", "opener 1 + fact f + the gap of fact f")
    assert suggest(say("my hat"), told(), playbook)[0].text == "Right. [your answer]"


def test_a_fact_comes_only_with_its_keyword(say: Say, told: Told) -> None:
    """The delivery fact answers a post about a parcel, not one about a lamp."""
    with_fact = suggest(say("where is my parcel"), told(), PLAYBOOK)[0]
    without = suggest(say("my lamp is dim"), told(), PLAYBOOK)[0]
    assert "fact delivery" in with_fact.source
    assert "tracking page" in with_fact.text
    assert "fact" not in without.source


@pytest.mark.parametrize(
    ("text", "grade", "intent", "gap"),
    [
        ("you charged my card twice for the same order", 3, "complaint", "money|payment"),
        ("a parcel says delivered, it is not here", 3, "complaint", "order"),
        ("where is my parcel", 3, "question_help", "look it up|found out about it"),
        ("I am locked out of everything", 2, "complaint", "about the account"),
        ("it sparked and burned my hand, and my order is late", 3, "complaint", "being done about it"),
        ("the site is down", 2, "complaint", "not working|is down|know about it"),
        ("my lamp is dim", 2, "question_help", "your answer"),
        ("lovely lamp, does it come in green?", 2, "praise", "your answer"),
    ],
)
def test_the_gap_fits_the_matter(say: Say, told: Told, text: str, grade: int, intent: str, gap: str) -> None:  # noqa: PLR0917
    """Money gets the money gap, an order the order gap, harm comes before both; what no keyword names, a plain gap."""
    (asked,) = open_gaps(suggest(say(text), told(grade, intent), PLAYBOOK)[0].text)
    assert re.search(gap, asked)


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


def test_brand_and_product_narrow_an_entry(say: Say, told: Told) -> None:
    """An entry for one brand or product is silent elsewhere."""
    playbook = parse_playbook('[[opener]]\ntext = "Right."\nbrands = ["halcyon air"]\nproducts = ["lounge"]\n')
    assert suggest(say("the lounge is shut"), told(), playbook)
    assert not suggest(say("the gate is shut"), told(), playbook)
    assert not suggest(say("the lounge is shut", brand="Vesper"), told(), playbook)


def test_unless_bars_an_entry(say: Say, told: Told) -> None:
    """An entry is passed over where one of its `unless` words stands in the post."""
    playbook = parse_playbook("[[opener]]\ntext = 'Right.'\nunless = ['hack*']\n")
    assert suggest(say("my bag"), told(), playbook)
    assert not suggest(say("I was hacked"), told(), playbook)


def test_a_platform_can_have_its_own_words(say: Say, told: Told) -> None:
    """An entry for one platform is silent on the others."""
    playbook = parse_playbook("[[opener]]\ntext = 'Right.'\nplatforms = ['reddit']\n")
    assert suggest(say("my bag", platform="reddit"), told(), playbook)
    assert not suggest(say("my bag"), told(), playbook)


def test_the_playbook_says_who_takes_over(say: Say, told: Told) -> None:
    """Words decide first, then the intent."""
    assert who_takes_over(say("my lawyer will write"), told(), PLAYBOOK).who == "Legal"
    assert who_takes_over(say("it burned my table"), told(), PLAYBOOK).who == "Safety"
    assert who_takes_over(say("nice"), told(), PLAYBOOK) is None
    of_one_brand = parse_playbook("[[hand_to]]\nwho = 'Ops'\nkeywords = ['bag']\nbrands = ['Vesper']\n")
    assert who_takes_over(say("bag", brand="vesper"), told(), of_one_brand) is not None
    assert who_takes_over(say("bag"), told(), of_one_brand) is None
