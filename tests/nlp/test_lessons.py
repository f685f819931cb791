"""Learning a team's taste from its decisions: kept only where it is surely better."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from listeners.mention import Mention
from nlp.assess import Assessor
from nlp.features import Array
from nlp.heads import squash
from nlp.laplace import fit
from nlp.lessons import FEWEST, Learned, Lessons, average_precision, learn
from nlp.signals import plain_name
from nlp.team import NO_TASTE, corrected
from nlp.traits import Flags, Traits, join

NAMES = ("questions", "praise", "noise", "chance")


def posts(seed: int, number: int) -> Traits:
    """Return made-up posts: the model finds questions and what is urgent likely to need an answer."""
    rng = np.random.default_rng(seed)
    rows = (rng.random((number, len(NAMES))) < 0.3).astype(float)
    odds = rng.normal(0, 2, number) + 1.5 * rows[:, 0]
    intents = ["praise" if row[1] else "other" for row in rows]
    places = [("platform:x" if drawn < 0.6 else "platform:y",) for drawn in rng.random(number)]
    return Traits(rows, odds, odds - 2.5, odds > 3.5, np.ones(number, dtype=bool), intents, places)


def decide(traits: Traits, taste: Array, seed: int = 0) -> Flags:
    """Return which posts a team answers whose taste adds so much to the odds for each trait."""
    chances = squash(traits.odds + traits.rows @ taste)
    return np.random.default_rng(seed).random(len(traits)) < chances


def study(answered: Callable[[Traits], Flags], seed: int = 0, number: int = 200) -> tuple[Lessons, Traits, Learned]:
    """Let a team decide on posts and learn from that; also return what was heard of late."""
    decided, recent = posts(seed, number), posts(seed + 1_000, 400)
    lessons = Lessons(decided, answered(decided), np.ones(number))
    return lessons, recent, learn(lessons, recent, np.ones(len(recent), dtype=bool))


LIKES_PRAISE = np.array([-2.0, 4.0, 0.0, 0.0])


def test_a_taste_orders_what_was_not_seen():
    """A team that answers praise rather than questions finds the posts it would answer further up."""
    _, _, learned = study(lambda traits: decide(traits, LIKES_PRAISE))
    assert not learned.why_not
    unseen = posts(99, 2_000)
    answered = decide(unseen, LIKES_PRAISE)
    before, after = (
        average_precision(answered, odds, np.ones(2_000)) for odds in (unseen.odds, corrected(learned.taste, unseen))
    )
    assert after > before + 0.05
    assert learned.moves["praise"] > 0 > learned.moves["other"]


def test_held_out_decisions_tell_the_gain():
    """What is told as the gain is seen on posts that nobody decided on, too."""
    lessons, _, learned = study(lambda traits: decide(traits, LIKES_PRAISE), number=400)
    told = lessons.ordered(learned.after) - lessons.ordered(learned.before)
    assert told > 0.03


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
def test_decisions_at_random_change_nothing(share: float):
    """Of forty teams that press at random none gets a correction."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        _, _, learned = study(lambda traits, rng=rng: rng.random(len(traits)) < share, seed)
        assert learned.taste is NO_TASTE
        assert learned.why_not


def test_a_team_that_agrees_with_the_model_changes_nothing():
    """Where the decisions are what the model expects there is nothing to learn."""
    kept = [study(lambda traits, seed=seed: decide(traits, np.zeros(4), seed), seed)[2].taste for seed in range(20)]
    assert all(taste is NO_TASTE for taste in kept)


def test_too_few_decisions_teach_nothing():
    """Below sixty decisions, and below twelve of the rarer kind, it says so."""
    for number, answered in ((FEWEST - 1, 20), (200, 11), (200, 189)):
        _, _, learned = study(lambda traits, answered=answered: np.arange(len(traits)) < answered, number=number)
        assert learned.taste is NO_TASTE
        assert learned.why_not.startswith(f"{number} decisions, {answered} of them answers: too few")


def test_nothing_decided_and_nothing_heard_is_no_fault():
    """A new installation has neither decisions nor posts."""
    nothing = join([])
    learned = learn(Lessons(nothing, np.zeros(0, dtype=bool), np.zeros(0)), nothing, np.zeros(0, dtype=bool))
    assert learned.why_not.startswith("0 decisions")


def test_decisions_without_recent_posts_are_enough():
    """Where nothing was heard of late the decisions themselves are what as many pass of as before."""
    decided = posts(0, 300)
    lessons = Lessons(decided, decide(decided, LIKES_PRAISE), np.ones(300))
    assert not learn(lessons, join([]), np.zeros(0, dtype=bool)).why_not


def test_the_same_lessons_give_the_same_correction():
    """Nothing in it is left to chance."""
    one, other = (study(lambda traits: decide(traits, LIKES_PRAISE))[2] for _ in range(2))
    assert one.taste.to_json() == other.taste.to_json()


def test_as_many_posts_pass_as_before():
    """A correction changes which posts are above one half, not how many."""
    _, recent, learned = study(lambda traits: decide(traits, np.array([-3.0, 1.0, 0.0, 0.0])))
    assert not learned.why_not
    moving = ~recent.is_urgent
    assert abs(int((corrected(learned.taste, recent)[moving] >= 0).sum()) - int((recent.odds[moving] >= 0).sum())) <= 1


def test_what_is_not_read_teaches_nothing():
    """Decisions on posts in a language that the model does not read are left out, whatever they say."""
    alone, recent = posts(0, 200), posts(1, 200)
    unread = replace(posts(2, 100), is_read=np.zeros(100, dtype=bool))
    answered = np.concatenate([decide(alone, LIKES_PRAISE), decide(unread, -LIKES_PRAISE)])
    one, other = (
        learn(Lessons(traits, answered[: len(traits)], np.ones(len(traits))), recent, np.ones(200, dtype=bool))
        for traits in (alone, join([alone, unread]))
    )
    assert not one.why_not
    assert other.taste.weights == pytest.approx(one.taste.weights)


def test_decisions_that_say_little_count_for_little():
    """Expired cards, however many, do not outweigh what people decided."""
    decided = posts(0, 400)
    liked = decide(decided, LIKES_PRAISE)
    answered, weights = liked.copy(), np.ones(400)
    answered[200:], weights[200:] = False, 0.02
    recent = posts(1, 400)
    learned = learn(Lessons(decided, answered, weights), recent, np.ones(400, dtype=bool))
    assert learned.moves["praise"] > 1


@given(st.integers(0, 50), st.floats(0.05, 0.95))
def test_no_correction_turns_the_models_order_over(seed: int, share: float):
    """Of two posts with the same traits the one that the model puts first stays first, whatever was decided."""
    rng = np.random.default_rng(seed)
    decided = posts(seed, 80)
    table = Lessons(decided, rng.random(80) < share, np.ones(80))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nlp.lessons.BEYOND_DOUBT", 1e-9)
        patch.setattr("nlp.lessons.Lessons.ordered", lambda _self, odds: float(odds is not decided.odds))
        learned = learn(table, posts(seed + 1, 100), np.ones(100, dtype=bool))
    if learned.taste is NO_TASTE:
        return
    odds = np.linspace(-5, 5, 30)
    flags = np.zeros(30, dtype=bool)
    same = Traits(np.ones((30, len(NAMES))), odds, odds - 2, flags, ~flags, ["praise"] * 30, [("platform:x",)] * 30)
    assert (np.diff(corrected(learned.taste, same)) >= 0).all()


def test_evidence_falls_with_weights_that_explain_nothing():
    """Of two explanations that fit alike the one with fewer weights is the likelier one."""
    rng = np.random.default_rng(0)
    told = rng.normal(0, 1, (200, 1))
    wanted = (rng.random(200) < squash(2 * told[:, 0])).astype(float)
    wide = np.hstack([told, rng.normal(0, 1, (200, 30))])
    plain = [np.zeros(200), wanted, np.ones(200)]
    narrow = fit(told, *plain, np.ones(1))
    assert narrow.weights[0] == pytest.approx(2, abs=0.6)
    assert narrow.log > fit(wide, *plain, np.ones(31)).log
    assert narrow.log > fit(np.zeros((200, 1)), *plain, np.ones(1)).log + 10


def test_newtons_method_ends_where_the_slope_is_flat():
    """Decisions that one trait tells apart for sure still have a likeliest correction."""
    rows = np.array([[1.0], [-1.0]] * 20)
    wanted = np.array([1.0, 0.0] * 20)
    found = fit(rows, np.array([-6.0, 6.0] * 20), wanted, np.ones(40), np.array([0.3]))
    chances = squash(np.array([-6.0, 6.0] * 20) + rows @ found.weights)
    assert rows.T @ (chances - wanted) + 0.3 * found.weights == pytest.approx([0], abs=0.05)


def test_a_taste_for_a_place_is_learned():
    """A team that answers one platform and leaves the other alone finds the one further up, and is told so."""

    def on_x(traits: Traits) -> Flags:
        here = np.array([places == ("platform:x",) for places in traits.places])
        return here & decide(traits, np.zeros(4))

    _, _, learned = study(on_x)
    assert learned.taste.places["platform:x"] > 0 > learned.taste.places["platform:y"]
    assert learned.moves["platform:x"] > 0 > learned.moves["platform:y"]
    unseen = posts(99, 2_000)
    answered = on_x(unseen)
    before, after = (
        average_precision(answered, odds, np.ones(2_000)) for odds in (unseen.odds, corrected(learned.taste, unseen))
    )
    assert after > before + 0.05


def test_a_place_of_few_decisions_teaches_nothing():
    """Below ten decisions in a place, or ten elsewhere, nothing is learned about it."""
    decided = posts(0, 200)
    rare = replace(decided, places=[("platform:x", "brand:rare")] * 9 + [("platform:x",)] * 191)
    lessons = Lessons(rare, decide(decided, LIKES_PRAISE), np.ones(200))
    learned = learn(lessons, posts(1, 400), np.ones(400, dtype=bool))
    assert not learned.why_not
    assert not learned.taste.places


def test_two_hundred_decisions_of_a_team_teach_its_taste(
    assessor: Assessor, corpus: list[dict[str, Any]], say: Callable[..., Mention]
):
    """A team that answers questions and what is urgent, and no other complaint, sees its own posts further up.

    Decided and told on are different brands. The figures of the model card are those of `benchmarks/team.py`, where
    the model has seen neither.
    """
    rng = np.random.default_rng(3)
    brands = sorted({plain_name(row["brand"]) for row in corpus})
    learned_on = {brand for brand in brands if rng.random() < 0.5}
    rows = [corpus[place] for place in rng.permutation(len(corpus))[:1_400]]
    heard = assessor.read([say(row["text"], brand=row["brand"]) for row in rows])
    answered = np.array([row["grade"] == 3 or row["intent"] in {"question_help", "purchase_intent"} for row in rows])
    ours = np.array([plain_name(row["brand"]) in learned_on for row in rows])
    decided = np.flatnonzero(ours)[:200]
    undecided = ours.copy()
    undecided[decided] = False
    learned = learn(
        Lessons(heard.take(decided), answered[decided], np.ones(200)), heard.take(np.flatnonzero(ours)), undecided[ours]
    )
    assert not learned.why_not
    unseen, wanted = heard.take(np.flatnonzero(~ours)), answered[~ours]
    before, after = (
        average_precision(wanted, odds, np.ones(len(wanted)))
        for odds in (unseen.odds, corrected(learned.taste, unseen))
    )
    assert after > before + 0.05
