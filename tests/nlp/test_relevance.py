"""Homonyms: a post about another thing of the brand's name is told from one about the brand, and says why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listeners.mention import Mention
from nlp.assess import Assessor
from nlp.assessment import Assessment
from nlp.homonyms import stand
from nlp.model_text import read
from nlp.relevance import _CUSTOMER, CERTAIN, MEASURES, Context, Relevance, Weights, shipped_weights
from nlp.relevance_training import learn_relevance, read_contexts, read_named_posts
from nlp.signals import signals
from tests.nlp.conftest import Say

ABOUT = ("flight", "airport", "gate", "boarding pass", "luggage", "seat", "upgrade")
NOT_ABOUT = ("river", "sediment", "wetland", "variant")
AIRLINE = "Is anyone else having trouble with the Delta app? I can't get my boarding pass for the flight tonight"
RIVER = "Is anyone else having trouble getting into the delta? I can't get past the sandbank where the river splits"
AIR = Context("Delta", ABOUT, NOT_ABOUT, handles=("deltaair",))
words = st.text(max_size=60) | st.sampled_from((*ABOUT, *NOT_ABOUT, "Delta", "delta", "DELTA", "the", "We"))
texts = st.lists(words, max_size=12).map(" ".join)


@pytest.fixture(scope="module")
def told(assessor: Assessor) -> Assessor:
    """The shipped model with the contexts of two watches of one noun."""
    assessor.warm()
    return Assessor(assessor._nlp, {"air": AIR, "tap": Context("Delta", ("tap", "sink", "faucet", "kitchen"))})


def one(assessor: Assessor, mention: Mention) -> Assessment:
    """Assess one mention."""
    (assessment,) = assessor.assess([mention])
    return assessment


class TestContext:
    """What a context says of a text."""

    def test_the_airline_is_told_from_the_river(self):
        """Hits, sense and the capital letter speak for one, and against the other."""
        ours, theirs = AIR.judge(AIRLINE), AIR.judge(RIVER)
        assert ours.chance > 0.9
        assert [hit.words for hit in ours.hits] == ["boarding pass", "flight"]
        assert theirs.chance < 0.1
        assert [hit.words for hit in theirs.others] == ["river"]

    def test_sense_alone_is_enough(self):
        """No word of either list stands in these."""
        assert AIR.judge("the pilot told us the plane to Atlanta with Delta would land late").chance > 0.5
        assert AIR.judge("we paddled a canoe through the delta and watched herons in the reeds").chance < 0.35

    def test_words_are_found_in_other_forms(self):
        """Plural, capitals and a hyphen are the same word; a part of a word is not."""
        assert [hit.words for hit in AIR.judge("Flights, and two Boarding-Passes").hits][:1] == ["flight"]
        assert AIR.judge("an investigation of the gatekeeper").hits == ()

    def test_a_phrase_stands_together(self):
        """Words of a phrase that another sentence parts are none."""
        assert AIR.judge("we were boarding. Pass me the salt").hits == ()

    def test_links_and_handles_are_no_words(self):
        """What an address or a handle is made of says nothing."""
        assert AIR.judge("https://flight.example/luggage @gate www.seat.example").hits == ()

    def test_a_capital_inside_a_sentence_is_a_name(self):
        """The same words are likelier about us with a capital, less without; at the beginning it tells nothing."""
        sides = [AIR.judge(text).chance for text in ("We saw Delta today", "We saw delta today")]
        assert sides[0] > AIR.judge("we saw delta today").chance > sides[1]
        assert AIR.judge("Delta was seen").chance == AIR.judge("delta was seen").chance

    def test_one_of_our_accounts_is_certain(self):
        """A post that names our account, tagged or not, is about us; the noun itself is no account."""
        assert AIR.judge("ask deltaair about the river") is CERTAIN
        assert AIR.judge("@Delta_Air the river") is CERTAIN
        assert Context("Delta Air", ABOUT, handles=("delta", "")).judge("the river delta") is not CERTAIN

    def test_nothing_said_is_nothing_known(self):
        """A name alone is neither."""
        assert AIR.judge("").chance == AIR.judge("Delta").chance == 0.5

    def test_customers_ask_and_tell_of_money(self):
        """What people ask a company speaks for us."""
        assert AIR.judge("delta 12", {"refund", "asks"}).chance >= AIR.judge("delta 12").chance
        assert AIR.judge("no word of it from delta", {"refund"}).chance > AIR.judge("no word of it from delta").chance

    @given(texts, st.lists(words, max_size=8), st.lists(words, max_size=8))
    def test_any_text_and_any_words(self, text: str, about: list[str], not_about: list[str]):
        """A chance is one, and every span is the place of its words."""
        found = Context("Delta", about, not_about).judge(text)
        assert 0 < found.chance < 1
        for hit in (*found.hits, *found.others):
            assert 0 <= hit.start < hit.end <= len(text)
            assert text[hit.start : hit.end].strip() == text[hit.start : hit.end]

    @given(texts, st.sampled_from(ABOUT), st.sampled_from(("flight", "FLIGHT", "Flight")))
    def test_more_hits_never_lower_it(self, text: str, word: str, second: str):
        """A word of our world that is added never makes a post less ours, a second and a third neither."""
        chances = [AIR.judge(each).chance for each in (text, f"{text} . {word}", f"{text} . {word} . {second}")]
        if AIR.judge(text) is not CERTAIN:
            assert chances == sorted(chances)

    @settings(max_examples=30)
    @given(texts, st.permutations(ABOUT))
    def test_the_order_of_the_list_does_not_matter(self, text: str, about: tuple[str, ...]):
        """The same words in another order say the same."""
        assert Context("Delta", about, NOT_ABOUT).judge(text).chance == pytest.approx(
            Context("Delta", ABOUT, NOT_ABOUT).judge(text).chance
        )


class TestAssessor:
    """What becomes of an assessment."""

    def test_only_the_airline_stays(self, told: Assessor, assessor: Assessor, say: Say):
        """The river's post is lowered, of another subject, and says why; the airline's is as it was."""
        river, airline = (say(text, brand="Delta", watches=("air",)) for text in (RIVER, AIRLINE))
        lowered = one(told, river)
        assert one(assessor, river).grade == 2
        assert (lowered.grade, lowered.intent, lowered.invited) == (0, "irrelevant", "n/a")
        reason = next(reason for reason in lowered.reasons if reason.text == "reads like another Delta: river")
        assert reason.weight < 0
        assert reason.span is not None
        assert RIVER[slice(*reason.span)] == "river"
        assert sum(lowered.intents.values()) == pytest.approx(1)
        assert one(told, airline).needs_reply == one(assessor, airline).needs_reply
        assert one(told, airline).grade == 2

    def test_without_contexts_nothing_changes(self, assessor: Assessor, say: Say, corpus: list[dict[str, Any]]):
        """Posts of watches without words are assessed to the last digit as if there were none."""
        plain = [say(row["text"], brand=row["brand"], watches=("other",)) for row in corpus[:200]]
        assert Assessor(assessor._nlp, {"air": AIR}).assess(plain) == assessor.assess(plain)

    @pytest.mark.parametrize(
        "more",
        [
            {"text": "@delta is the river delta closed?"},
            {"account": "delta"},
            {"watches": ("air", "other")},
            {"watches": ()},
            {"text": "Ist das Delta gesperrt? Wir kommen mit dem Boot nicht mehr an der Sandbank vorbei, wer hilft?"},
        ],
        ids=["tags us", "names our account", "a watch without words", "no watch", "another language"],
    )
    def test_what_is_never_lowered(self, told: Assessor, assessor: Assessor, say: Say, more: dict[str, Any]):
        """A tag, a summons, a watch that has no words, and a language that the words are not in."""
        values = {"text": RIVER, "brand": "Delta", "watches": ("air",)} | more
        mention = say(**values)
        assert one(told, mention) == one(assessor, mention)

    def test_a_hit_is_a_reason_and_without_it_the_score_falls(self, told: Assessor, say: Say):
        """The words that kept a post up are told, at their place; without them it is lower."""
        text = "the gate by the delta is stuck in the mud, can somebody please help us?"
        kept = one(told, say(text, brand="Delta", watches=("air",)))
        reason = next(reason for reason in kept.reasons if reason.text.startswith("speaks of your field"))
        assert reason.span is not None
        assert text[slice(*reason.span)] == "gate"
        start, end = reason.span
        assert one(told, say(text[:start] + text[end:], brand="Delta", watches=("air",))).needs_reply < kept.needs_reply

    def test_every_hit_that_is_told_held_the_score_up(self, assessor: Assessor, say: Say):
        """Over the corpus' posts of three nouns: without the place that a card names, the need is lower."""
        nouns = {noun: words for noun, words in read_contexts().items() if noun in {"delta", "chase", "octopus"}}
        contexts = {noun: Context(noun, words["about"], words["not_about"]) for noun, words in nouns.items()}
        judge = Assessor(assessor._nlp, contexts)
        posts = [
            say(post.text, brand=post.noun, watches=(post.noun,)) for post in read_named_posts() if post.noun in nouns
        ]
        places = [
            (post, assessment.needs_reply, reason.span)
            for post, assessment in zip(posts, judge.assess(posts), strict=True)
            for reason in assessment.reasons
            if reason.text.startswith("speaks of your field") and reason.span
        ]
        assert len(places) > 5
        without = [replace(post, text=post.text[:start] + post.text[end:]) for post, _, (start, end) in places]
        for assessment, (post, needs, _) in zip(judge.assess(without), places, strict=True):
            assert assessment.needs_reply < needs, post.text

    def test_of_several_watches_the_likeliest_counts(self, told: Assessor, say: Say):
        """A post that one watch takes for another thing and one for ours is ours, in whatever order they heard it."""
        text = "how do I take the handle off a delta by the sink? water runs over the wetland of my floor, any ideas?"
        orders = [("air",), ("air", "tap"), ("tap", "air")]
        alone, both, turned = (one(told, say(text, brand="Delta", watches=order)) for order in orders)
        assert both == turned
        assert both.needs_reply > alone.needs_reply


class TestStanding:
    """How much a post is lowered."""

    @pytest.mark.parametrize(
        ("urgent", "signals", "odds", "share"),
        [
            (0.0, (), 0.0, 1.0),
            (0.3, (), -1.3, 1.0),
            (0.0, ("hurt",), -1.3, 1.0),
            (0.0, (), -1.3, 0.43),
            (0.3, (), -3, 0.24),
        ],
        ids=["even", "urgent at four to one", "harm at four to one", "neither", "urgent beyond"],
    )
    def test_grave_posts_are_not_lost_lightly(  # noqa: PLR0917 - a row of a table
        self,
        say: Say,
        monkeypatch: pytest.MonkeyPatch,
        urgent: float,
        signals: tuple[str, ...],
        odds: float,
        share: float,
    ):
        """An even chance lowers nothing; what must be answered now, or names harm, stays up to four to one."""
        monkeypatch.setattr(Context, "judge", lambda *_: Relevance(odds))
        mention = say("delta", watches=("air",))
        found = stand(mention, {"air": AIR}, read("delta"), signals, urgent, is_unread=False)
        assert found.share == pytest.approx(share, abs=0.01)

    def test_intents_stay_chances(self, say: Say):
        """What the others lose, 'irrelevant' gains."""
        found = stand(say(RIVER, watches=("air",)), {"air": AIR}, read(RIVER), (), 0.0, is_unread=False)
        lowered = found.lower({"complaint": 0.7, "irrelevant": 0.3})
        assert sum(lowered.values()) == pytest.approx(1)
        assert lowered["irrelevant"] > 0.9


class TestLearning:
    """The weights."""

    def test_unseen_nouns_are_told(self):
        """Cross-validated by noun the chances tell ours from others, come true, and are the same each time."""
        weights, figures = learn_relevance()
        assert figures["about_auroc"] >= 0.9
        assert figures["both_auroc"] >= 0.93
        assert figures["about_calibration_error"] <= 0.06
        assert figures["both_calibration_error"] <= 0.06
        assert figures["about_lost"] <= 0.17
        assert figures["both_lost"] <= 0.17
        shipped = shipped_weights()
        assert weights.measures == pytest.approx(shipped.measures, rel=0.3, abs=0.3)

    def test_what_speaks_for_us_never_speaks_against(self):
        """Each weight has the side that its name says."""
        weights = dict(zip(MEASURES, shipped_weights().measures, strict=True))
        for name in ("hits", "near", "sense", "name", "customer"):
            assert weights[name] > 0, name
        for name in ("other hits", "other near", "other sense"):
            assert weights[name] < 0, name

    def test_customers_give_signals_that_there_are(self):
        """Every signal that speaks of a customer is one of signals.toml."""
        assert signals().keys() >= _CUSTOMER

    def test_what_is_written_is_read(self, tmp_path: Path):
        """Weights come back as they were."""
        weights = Weights((1.5, *(0.25 for _ in MEASURES[1:])), -2.0)
        weights.write(tmp_path, {"posts": 1.0})
        assert Weights.load(tmp_path) == weights

    def test_every_noun_of_the_corpus_has_its_words(self, corpus: list[dict[str, Any]]):
        """Each brand in small letters has 8 to 20 words, and posts to learn from."""
        nouns = read_contexts()
        heard = {post.noun for post in read_named_posts() if post.is_real}
        plain = {row["brand"] for row in corpus if row["brand"].islower()} - {"curlew", "swiftlet", "tamarisk"}
        assert plain <= set(nouns)
        assert set(nouns) <= heard
        for noun, lists in nouns.items():
            assert 8 <= len(lists["about"]) <= 20, noun
