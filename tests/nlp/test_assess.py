"""Assessments: sane for any text, ordered by need, with true reasons."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listeners.mention import Mention
from nlp.assess import MOST_REASONS, Assessor
from nlp.assessment import INTENTS, Assessment
from nlp.measures import auroc
from nlp.model_text import HEAD, TAIL, read
from nlp.rank import to_row

Say = Callable[..., Mention]
ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=()), max_size=400)


def _check(assessment: Assessment, text: str) -> None:
    assert 0 <= assessment.urgent <= assessment.needs_reply <= 1
    assert 0 <= assessment.priority <= 100
    assert assessment.grade in (0, 1, 2, 3)
    assert assessment.invited in ("yes", "no", "n/a")
    assert assessment.intent in INTENTS
    assert abs(sum(assessment.intents.values()) - 1) < 1e-6
    assert assessment.language
    assert assessment.model.startswith("cuecard-")
    assert len(assessment.reasons) <= MOST_REASONS
    weights = [reason.weight for reason in assessment.reasons]
    assert weights == sorted(weights, reverse=True)
    for reason in assessment.reasons:
        assert reason.text
        assert reason.span is None or 0 <= reason.span[0] < reason.span[1] <= len(text)


@given(ANY_TEXT)
@settings(max_examples=60, deadline=None)
def test_any_text_is_assessed(assessor: Assessor, say: Say, text: str) -> None:
    """NULs, lone surrogates, bidi controls, other scripts: an assessment comes out, its spans in the text."""
    _check(assessor.assess([say(text)])[0], text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\x00",
        "\ud800\udfff",
        "😀" * 50,
        "\u202egnirts a",
        "荷物がまだ届きません",
        "@",
        "a" * 100_000,
        "?" * 5_000,
        "wait " * 20_000,
    ],
)
def test_odd_texts_are_assessed(assessor: Assessor, say: Say, text: str) -> None:
    """The odd ones by name, 100,000 characters included."""
    _check(assessor.assess([say(text)])[0], text)


@pytest.mark.parametrize("text", ["", "...", " - ", "\x00"])
def test_a_text_without_words_does_not_spoil_its_batch(assessor: Assessor, say: Say, text: str) -> None:
    """It is assessed among others as it is alone, and the others as without it."""
    alone, other = (assessor.assess([say(each)])[0] for each in (text, "my kettle leaks"))
    among = assessor.assess([say("my kettle leaks"), say(text), say("my kettle leaks")])
    assert [each.needs_reply for each in among] == pytest.approx(
        [other.needs_reply, alone.needs_reply, other.needs_reply], abs=1e-6
    )


def test_spans_point_into_the_whole_text(assessor: Assessor, say: Say) -> None:
    """Behind surrogates, NULs and a long middle that is not read, a reason still points at its own words."""
    text = "\ud800\x00 İ " + "so it goes. " * 1_000 + "You charged me twice and I want a refund, my lawyer will write."
    spans = {
        reason.text: text[slice(*reason.span)] for reason in assessor.assess([say(text)])[0].reasons if reason.span
    }
    assert spans
    assert set(spans.values()) & {"charged me", "refund", "lawyer"}


def test_a_title_is_read_but_not_pointed_at(assessor: Assessor, say: Say) -> None:
    """A signal in the title is a reason without a place in the text."""
    (one,) = assessor.assess([say("See above.", title="My account was hacked, please help")])
    assert any(reason.span is None for reason in one.reasons)
    assert one.needs_reply > assessor.assess([say("See above.")])[0].needs_reply


def test_reasons_are_true_of_the_text(assessor: Assessor, say: Say) -> None:
    """The card says what the post does."""
    (one,) = assessor.assess([say("@HalcyonAir you charged me twice. Still no reply. Where is my refund?")])
    words = {reason.text for reason in one.reasons}
    assert one.grade >= 2
    assert one.invited == "yes"
    assert words <= {"money taken or lost", "has waited or asked before", "asks a question", "wants money back"}


def test_those_in_need_go_first(assessor: Assessor, say: Say) -> None:
    """Harm before a question, a question before chatter."""
    posts = [
        "@HalcyonAir my son had an allergic reaction on your flight and is in hospital. Nobody answers. Help!",
        "@HalcyonAir how do I change the name on my ticket?",
        "flying halcyon tomorrow lol",
    ]
    priorities = [one.priority for one in assessor.assess([say(post) for post in posts])]
    assert priorities == sorted(priorities, reverse=True)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("x-001", "somebody was hurt"),
        ("mastodon-005", "an allergy"),
        ("bluesky-006", "has asked before"),
        ("reddit-013", "speaks of a hack or fraud"),
        ("x-034", "names today or soon"),
        ("x-047", "speaks of the law"),
        ("x-052", "names a danger"),
        ("reddit-073", "spoiled or contaminated"),
    ],
)
def test_what_can_not_wait_is_grade_3(assessor: Assessor, say: Say, project: Path, row: str, words: str) -> None:
    """Harm, an allergy, money with no answer, a hack, a deadline: grade 3, and the card says why in plain words."""
    lines = (project / "bot" / "demo" / "feed.jsonl").read_text(encoding="utf-8").splitlines()
    told = next(one for one in map(json.loads, lines) if one["id"] == row)
    (one,) = assessor.assess([say(told["text"], title=told.get("title", ""), brand="Kettle & Fern")])
    assert one.grade == 3
    assert words in {reason.text for reason in one.reasons}


@pytest.mark.parametrize(
    "text",
    [
        "Fire sale at @HalcyonAir today, seats from 9",
        "This song is fire, they played it on my flight",
        "@HalcyonAir burned through my data on the plane, worth it for the game",
        "The new lounge is killing it @HalcyonAir",
        "Shocked at the price of a sandwich on Halcyon, lol",
        "@HalcyonAir nobody was hurt, all fine, thank you for the quick landing",
    ],
)
def test_a_figure_of_speech_is_not_urgent(assessor: Assessor, say: Say, text: str) -> None:
    """Words of harm that mean none do not make a post urgent."""
    (one,) = assessor.assess([say(text)])
    assert one.grade < 3


@pytest.mark.parametrize(
    ("text", "closes"),
    [
        ("@HalcyonAir thanks, works now", True),
        ("@HalcyonAir sorted, cheers", True),
        ("@HalcyonAir thanks but it is still broken, can you help?", False),
        ("@HalcyonAir thanks for nothing", False),
        ("@HalcyonAir where is my bag", False),
    ],
)
def test_a_closing_message_is_told(assessor: Assessor, say: Say, text: str, closes: bool) -> None:
    """'Thanks, works' closes; thanks with a question, or not meant, does not."""
    assert assessor.assess([say(text)])[0].closes is closes


def test_a_post_in_another_language_is_put_before_a_person(assessor: Assessor, say: Say) -> None:
    """What the model can not read is not thrown away when it is addressed to us, and the card says so."""
    text = "@HalcyonAir llevo una semana esperando mi maleta y nadie contesta el teléfono"
    (one,) = assessor.assess([say(text)])
    assert one.language == "es"
    assert one.grade >= 2
    assert any("another language" in reason.text for reason in one.reasons)


def test_an_order_is_kept_and_batches_do_not_matter(assessor: Assessor, say: Say, corpus: list[dict[str, Any]]) -> None:
    """One by one or together, each mention gets the same assessment."""
    mentions = [say(row["text"], row["id"], brand=row["brand"]) for row in corpus[:40]]
    together = assessor.assess(mentions)
    for mention, one in zip(mentions, together, strict=True):
        alone = assessor.assess([mention])[0]
        assert alone.priority == pytest.approx(one.priority, abs=1e-3)
        assert [reason.span for reason in alone.reasons] == [reason.span for reason in one.reasons]


def test_nothing_is_assessed_as_nothing(assessor: Assessor) -> None:
    """No mentions, no assessments."""
    assert assessor.assess([]) == []


def test_words_do_not_pile_up(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond its bound the pipeline forgets the words it meets."""
    monkeypatch.setattr("nlp.assess._MOST_WORDS", 0)
    assessor = Assessor()
    assessor.assess([say("hello there")])
    assert assessor._nlp is not None
    before = len(assessor._nlp.vocab.strings)
    assessor.assess([say(f"word{'abcdefghij'[number % 10]}{'xyz' * (number % 7)}q is down") for number in range(200)])
    assert len(assessor._nlp.vocab.strings) == before


def test_a_rank_line_is_plain_json(assessor: Assessor, say: Say) -> None:
    """`cuecard rank` writes values JSON knows, spans as lists."""
    (one,) = assessor.assess([say("@HalcyonAir my bag is lost, where is it?")])
    row = json.loads(json.dumps(to_row(one, "7", [])))
    assert list(row) == [
        *("id", "priority", "needs_reply", "urgent", "grade", "invited", "intent", "intents", "language", "reasons"),
        "drafts",
    ]
    assert all(reason["span"] is None or len(reason["span"]) == 2 for reason in row["reasons"])
    assert "drafts" not in to_row(one, "7")


def test_the_shipped_model_ranks_real_posts(assessor: Assessor, say: Say, shared: Path) -> None:
    """On posts it never saw, need is told from noise clearly better than the plain models of the data's README."""
    rows = [json.loads(line) for line in (shared / "data/dev/dev_judged.jsonl").read_text("utf-8").splitlines()]
    told: Sequence[Assessment] = assessor.assess([say(row["text"], brand=row["brand"] or "") for row in rows])
    import numpy as np  # noqa: PLC0415 - only here

    assert auroc([row["grade"] >= 2 for row in rows], np.array([one.needs_reply for one in told])) >= 0.85


@pytest.mark.parametrize("module", ["assessment", "gap", "playbook", "draft", "group", "rank", "signals", "language"])
def test_light_modules_load_no_model(module: str) -> None:
    """Importing what a card or a command needs does not load spaCy."""
    code = f"import sys, nlp.{module}; sys.exit('spacy' in sys.modules or 'py3langid' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_short_text_is_read_whole_and_a_long_one_at_its_ends() -> None:
    """The model's copy is bounded, and says where each span stood."""
    assert read("abc", "title").text == "title\nabc"
    assert read("abc", "title").original_span(6, 9) == (0, 3)
    assert read("abc", "title").original_span(0, 5) is None
    text = "h" * HEAD + "m" * 500 + "t" * TAIL
    copy = read(text)
    assert copy.text == "h" * HEAD + "\n" + "t" * TAIL
    assert copy.original_span(HEAD + 1, HEAD + 1 + TAIL) == (HEAD + 500, len(text))
    assert copy.original_span(HEAD - 2, HEAD + 3) is None


def test_what_a_post_reads_like_speaks_for_or_against(
    assessor: Assessor, say: Say, corpus: list[dict[str, Any]]
) -> None:
    """A card never says 'but reads like a complaint', nor that it is shown because it reads like chatter."""
    assessed = assessor.assess([say(row["text"], brand=row["brand"]) for row in corpus[::17]])
    like = [
        (reason.weight > 0, each.intent in {"praise", "spam_promo", "irrelevant", "brand_chatter"})
        for each in assessed
        for reason in each.reasons
        if reason.text.startswith("reads like ") and reason.span is None
    ]
    assert {True, False} == {wants_nothing for _, wants_nothing in like}
    assert all(speaks_for is not wants_nothing for speaks_for, wants_nothing in like)
