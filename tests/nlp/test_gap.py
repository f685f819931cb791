"""Gaps, and whether a person said anything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.gap import is_unchanged, open_gaps

SUGGESTION = "Sorry to read this, Ana. [what you found] Tell me if it is not right by then."


@pytest.mark.parametrize(
    ("text", "gaps"),
    [
        ("", []),
        ("No gap here.", []),
        ("We found [what you found].", ["[what you found]"]),
        ("[one] and [two]", ["[one]", "[two]"]),
        ("full width \uff3bwhat you found\uff3d", ["[what you found]"]),
        ("a footnote [1], dots […], a box [ ], a tick [✓]", []),
        ("[[what you found]]", ["[what you found]"]),
        ("[spans\ntwo lines]", ["[spans\ntwo lines]"]),
        ("[never closed", []),
        ("[what you found []]", ["[what you found []]"]),
        ("[what [1] you found]", ["[what [1] you found]"]),
        ("[a [b] c] [d]", ["[b]", "[d]"]),
        ("⟦what you found⟧ 〚when〛", ["[what you found]", "[when]"]),
        ("[see [the guide](https://a.example/x)]", ["[see [the guide](https://a.example/x)]"]),
        ("see [the guide](https://a.example/x)", []),
        ("[what you found](soon)", ["[what you found]"]),
        ("[что вы нашли]", ["[что вы нашли]"]),
    ],
)
def test_open_gaps_are_brackets_with_a_letter(text: str, gaps: list[str]) -> None:
    """Only bracketed text with a letter is a gap; a markdown link is not."""
    assert open_gaps(text) == gaps


@pytest.mark.parametrize(
    "left",
    [
        "【what you found】",
        "{What  You\nFound}",
        "<wh\u200bat you found>",
        "[what you found",
        "what you found ]",
        "[what you found](https://a.example/x)",
    ],
)
def test_the_suggestions_own_gap_is_open_in_any_brackets(left: str) -> None:
    """A gap whose brackets were swapped, or half deleted, is not filled, whatever else was written."""
    assert open_gaps(f"Hello Ana! {left} All the best, Bo", SUGGESTION) == ["[what you found]"]


@pytest.mark.parametrize(
    "text", ["I know what you found, and {what we did}.", "(what you found)", "[1] what you found"]
)
def test_the_words_of_a_gap_may_be_said(text: str) -> None:
    """Only brackets beside them make the suggestion's own words a gap."""
    assert open_gaps(text, SUGGESTION) == []


@pytest.mark.parametrize(
    "text",
    [
        SUGGESTION,
        SUGGESTION.upper(),
        SUGGESTION.replace(" ", "  \n"),
        SUGGESTION.replace("[", "").replace("]", ""),
        SUGGESTION + " 🙂👍🏽!!!",
        "“" + SUGGESTION.replace(".", "…") + "” 1️⃣™",
        SUGGESTION.replace(" [what you found]", ""),
        "\uff33\uff4f\uff52\uff52\uff59" + SUGGESTION.removeprefix("Sorry"),
        SUGGESTION.replace(" ", "\u00a0"),
        SUGGESTION.replace("o", "о").replace("a", "а").replace("A", "А"),
        "\u200b".join(SUGGESTION),
        SUGGESTION + " \u034f\u3164\U000e0101\u115f ℹ️",
        SUGGESTION.replace("[", "⟦").replace("]", "⟧"),
        SUGGESTION.replace("[what you found]", "{what\nyou\nfound}"),
    ],
)
def test_a_suggestion_dressed_up_is_unchanged(text: str) -> None:
    """Space, case, punctuation, emoji, and a gap unwrapped or deleted are not a person speaking."""
    assert is_unchanged(text, SUGGESTION)


@pytest.mark.parametrize(
    "text",
    [
        SUGGESTION.replace("[what you found]", "The courier has it in Leeds."),
        SUGGESTION.replace("[what you found]", "What you found was ours."),
        SUGGESTION + " Promise.",
        "Something else.",
        "",
        SUGGESTION.replace("Ana", "Bo"),
        SUGGESTION.replace("[what you found]", "3"),
    ],
)
def test_a_persons_words_are_a_change(text: str) -> None:
    """One word of one's own makes it a reply."""
    assert not is_unchanged(text, SUGGESTION)


def test_no_suggestion_is_never_unchanged() -> None:
    """Where nothing was suggested, anything is a person's own."""
    assert not is_unchanged("🎉", "")
    assert not is_unchanged("", "  ")


@given(st.text(min_size=1))
def test_any_text_is_unchanged_from_itself(text: str) -> None:
    """Whatever the suggestion, sending it as it is is refused."""
    assert is_unchanged(text, text) == bool(text.strip())


@given(st.text(alphabet=st.characters(exclude_categories=())), st.text(alphabet=st.characters(exclude_categories=())))
def test_any_text_can_be_compared(text: str, suggestion: str) -> None:
    """Lone surrogates, NULs and bidi controls raise nothing."""
    assert is_unchanged(text, suggestion) in (True, False)
    assert all(gap.startswith("[") and gap.endswith("]") for gap in open_gaps(text))
