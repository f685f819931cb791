"""A team's own taste as it is used: within bounds, on the weights it was learned on, and never against safety."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.line import judge
from listeners.mention import Mention
from nlp.assess import Assessor
from nlp.assessment import Assessment
from nlp.team import MOST_PULL, NO_TASTE, Taste, settle
from nlp.traits import TRAITS, fingerprint, places_of


@given(st.floats(0, 1), st.floats(-6, 6), st.floats(0, 1))
def test_a_pull_moves_a_chance_its_own_way_and_not_below_the_least(chance: float, pull: float, least: float):
    """Within bounds, up or down, and never below the chance that the post must be answered now."""
    told = settle(chance, pull, least)
    assert 0 <= told <= 1
    assert told >= min(chance, least)
    if pull > 0:
        assert told >= chance - 1e-9
    elif pull < 0:
        assert told <= chance + 1e-9
    else:
        assert told == chance


def test_a_correction_is_kept_as_plain_values():
    """What is written and read again pulls the same, of posts of every place."""
    taste = Taste(np.array([0.5, -1.0]), {"platform:x": 0.25, "brand:acme": -2.0}, -0.1, 0.3)
    again = Taste.from_json(json.loads(json.dumps(taste.to_json())), "base", 3)
    rows, odds = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([1.0, -1.0])
    places = [("platform:x",), ("platform:y", "brand:acme")]
    assert taste.pull(rows, odds, places) == pytest.approx([0.5 + 0.25 - 0.1 + 0.3, -1.0 - 2.0 + 0.1 + 0.3])
    assert again.pull(rows, odds, places) == pytest.approx(taste.pull(rows, odds, places))
    assert (again.base, again.version) == ("base", 3)


def test_a_correction_stays_within_bounds():
    """However sure a team is, no post is moved by more than six in odds; without a taste none is moved."""
    rows, odds, places = np.ones((2, 1)), np.zeros(2), [("platform:x",), ()]
    assert Taste(np.array([0.0]), {"platform:x": -50.0}).pull(rows, odds, places).tolist() == [-MOST_PULL, 0.0]
    assert NO_TASTE.pull(rows, odds, places).tolist() == [0.0, 0.0]


def test_a_place_is_a_platform_and_a_brand(say: Callable[..., Mention]):
    """Brands are compared without regard to capitals; a post of no known brand has its platform alone."""
    assert places_of(say("hi", brand=" Halcyon AIR ")) == ("platform:x", "brand:halcyon air")
    assert places_of(say("hi", brand="")) == ("platform:x",)


# With the shipped model


ANGRY = "you charged me twice and nobody answers, refund me today or I call my lawyer"
PRAISE = "the new bakery counter at Halcyon Air lounge is a joy, lovely people"
SPANISH = "hola, mi maleta no llegó y nadie me contesta en el aeropuerto desde ayer por la tarde"


@pytest.fixture(scope="module")
def own() -> Assessor:
    """An assessor that tests may correct."""
    return Assessor()


def a_taste(own: Assessor, shift: float, version: int = 7) -> Taste:
    """Return a correction of the shipped model that moves every post alike."""
    return Taste(np.zeros(len(TRAITS)), {}, 0.0, shift, own.base, version)


def told_with(own: Assessor, taste: Taste, mentions: list[Mention]) -> list[Assessment]:
    """Assess with a correction, and take it off again."""
    own.correct(taste)
    try:
        return own.assess(mentions)
    finally:
        own.correct(NO_TASTE)


def test_grade_3_stays_grade_3(own: Assessor, say: Callable[..., Mention]):
    """A team that leaves everything alone is still shown what must be answered now, as urgent as it was."""
    (before,) = own.assess([say(ANGRY)])
    (after,) = told_with(own, a_taste(own, -6.0), [say(ANGRY)])
    assert before.grade == after.grade == 3
    assert after.needs_reply >= after.urgent == before.urgent
    assert {reason.text for reason in after.reasons} - {reason.text for reason in before.reasons} <= {
        "your team leaves posts like this alone"
    }
    assert judge(after, line=100.0, shown_today=999, per_day=60)


def test_a_pull_moves_chance_priority_and_grade(own: Assessor, say: Callable[..., Mention]):
    """What the team answers comes higher, says so, and names the version; nothing else of it changes."""
    (before,) = own.assess([say(PRAISE)])
    (after,) = told_with(own, a_taste(own, 6.0), [say(PRAISE)])
    assert before.grade < 2 == after.grade
    assert after.needs_reply > before.needs_reply
    assert after.priority > before.priority
    assert after.reasons[0].text == "your team answers posts like this"
    assert after.model == f"{before.model}+team-7"
    assert (after.intent, after.urgent, after.language) == (before.intent, before.urgent, before.language)
    (lower,) = told_with(own, a_taste(own, -1.0), [say("how do I change my seat?")])
    assert "your team leaves posts like this alone" in [reason.text for reason in lower.reasons]


def test_thanks_close_a_thread_whatever_the_taste(own: Assessor, say: Callable[..., Mention]):
    """A team that answers everything does not have settled threads opened again."""
    (after,) = told_with(own, a_taste(own, 6.0), [say("ok thanks @halcyonair got it")])
    assert after.needs_reply > 0.5
    assert after.closes


def test_a_taste_says_nothing_about_other_languages(own: Assessor, say: Callable[..., Mention]):
    """A post that the model does not read is put before a person as it was."""
    (before,) = own.assess([say(SPANISH)])
    (after,) = told_with(own, a_taste(own, -6.0), [say(SPANISH)])
    assert before.language == "es"
    assert replace(after, model=before.model) == before
    assert own.read([say(SPANISH)]).is_read.tolist() == [False]


def test_a_taste_of_other_weights_is_not_used(own: Assessor, say: Callable[..., Mention]):
    """A correction is only applied to the very weights it was learned on."""
    (before,) = own.assess([say(PRAISE)])
    assert told_with(own, replace(a_taste(own, 6.0), base="cuecard-1-0"), [say(PRAISE)]) == [before]


def test_the_fingerprint_is_that_of_every_weight(own: Assessor):
    """Any other weight, name or version is another model."""
    base, nlp = own.base, own._nlp
    assert nlp is not None
    heads = nlp.get_pipe("cuecard_heads").heads  # type: ignore[attr-defined]
    assert fingerprint("cuecard", nlp.meta["version"], heads) == base
    other = heads.dense.copy()
    other[0, 0] += 0.001
    told = {fingerprint("cuecard", "2", each) for each in (heads, replace(heads, dense=other))}
    assert len(told | {fingerprint("cuecard", "3", heads)}) == 3


def test_a_taste_for_a_place_moves_posts_of_that_place_alone(own: Assessor, say: Callable[..., Mention]):
    """A team that leaves one platform alone still sees the same words from another."""
    taste = replace(a_taste(own, 0.0), places={"platform:reddit": -4.0})
    words = "how do I change my seat?"
    here, there = told_with(own, taste, [say(words), say(words, platform="reddit")])
    assert there.needs_reply < 0.5 < here.needs_reply


def test_whoever_assesses_gets_a_turn_while_a_team_is_learned_from(
    own: Assessor, say: Callable[..., Mention], monkeypatch: pytest.MonkeyPatch
):
    """Between one lot of posts and the next the model is free: what is heard meanwhile is assessed."""
    heard: list[Assessment] = []
    monkeypatch.setattr("nlp.assess.time.sleep", lambda _seconds: heard.extend(own.assess([say(ANGRY)])))
    own.read([say(f"{PRAISE} {number}") for number in range(200)])
    assert len(heard) == 4


def test_reading_many_is_reading_each(own: Assessor, say: Callable[..., Mention]):
    """The traits of a long list are those of its posts, in order; a correction does not change them."""
    mentions = [say(f"{text} {number}") for number in range(30) for text in (ANGRY, PRAISE, SPANISH)]
    own.correct(a_taste(own, 3.0))
    many, alone = own.read(mentions), own.read(mentions[70:71])
    own.correct(NO_TASTE)
    assert len(many) == 90
    assert many.rows[70] == pytest.approx(alone.rows[0])
    assert many.odds[70] == pytest.approx(alone.odds[0])
    assert many.is_urgent.tolist() == [True, False, False] * 30
    assert many.rows.shape == (90, len(TRAITS))
    assert many.places[70] == ("platform:x", "brand:halcyon air")
