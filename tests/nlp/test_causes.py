"""Causes: what a card gives as a reason is what moved the score of that text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from listeners.mention import Mention
from nlp.assess import Assessor
from nlp.assessment import Reason

Say = Callable[..., Mention]


def _without(mention: Mention, reason: Reason) -> Mention:
    assert reason.span is not None
    start, end = reason.span
    return replace(mention, text=f"{mention.text[:start]} {mention.text[end:]}")


@pytest.fixture(scope="module")
def moved(
    assessor: Assessor, say: Say, corpus: list[dict[str, object]]
) -> list[tuple[Mention, Reason, float, float, float]]:
    """Return reasons of posts of the corpus, and how the need and the priority change without their words."""
    mentions = [say(str(row["text"]), brand=str(row["brand"])) for row in corpus[::9]]
    pairs = [
        (mention, assessed, reason)
        for mention, assessed in zip(mentions, assessor.assess(mentions), strict=True)
        for reason in assessed.reasons
        if reason.span is not None
    ]
    without = assessor.assess([_without(mention, reason) for mention, _, reason in pairs])
    return [
        (mention, reason, assessed.needs_reply - left.needs_reply, assessed.priority - left.priority, reason.weight)
        for (mention, assessed, reason), left in zip(pairs, without, strict=True)
    ]


def test_the_score_falls_without_the_words_of_a_reason(
    moved: list[tuple[Mention, Reason, float, float, float]],
) -> None:
    """Take a reason's words out of the text: need and priority both fall (but where it is said twice)."""
    raised = [each for each in moved if each[4] > 0]
    assert len(raised) > 1_000
    held = [each for each in raised if each[2] > 0 and each[3] > 0]
    assert len(held) >= 0.97 * len(raised)


def test_the_score_rises_without_the_words_that_spoke_against_it(
    moved: list[tuple[Mention, Reason, float, float, float]],
) -> None:
    """The same for what lowered it, praise and thanks above all."""
    lowered = [each for each in moved if each[4] < 0]
    assert len(lowered) > 80
    assert sum(each[2] < 0 and each[3] < 0 for each in lowered) >= 0.95 * len(lowered)


def test_a_heavier_reason_moves_more(moved: list[tuple[Mention, Reason, float, float, float]]) -> None:
    """The weight beside a reason is no ornament: the heavier half moves the priority further than the lighter."""
    raised = sorted((each for each in moved if each[4] > 0), key=lambda each: each[4])
    half = len(raised) // 2
    lighter, heavier = (sum(each[3] for each in part) / len(part) for part in (raised[:half], raised[half:]))
    assert heavier > 1.5 * lighter


def test_a_signal_whose_words_pull_the_other_way_is_no_reason(assessor: Assessor, say: Say) -> None:
    """'This morning' is not why a post is to be answered that tells of something pleasant."""
    assessed = assessor.assess([say("what a lovely bright start to the day this morning, off to the park")])[0]
    assert not any(reason.weight > 0 and reason.text == "names today or soon" for reason in assessed.reasons)
