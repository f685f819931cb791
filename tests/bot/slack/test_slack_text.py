"""What was not written by us is made harmless before Slack sees it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.text import clean, cut, escape, one_line, safe, safe_link, safe_url, show_time, tell_age

ANY_TEXT = st.text(st.characters(codec=None), max_size=300)
HIDDEN = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\x00\x07\x1b\x7f\x85"


def test_control_and_direction_characters_are_removed():
    """Nothing that turns text around or drives a terminal is left."""
    assert clean(f"pay{HIDDEN} me") == "pay me"


def test_a_lone_surrogate_becomes_a_replacement_character():
    """What UTF-8 cannot hold is shown as unreadable, and sent as valid text."""
    assert clean("a\ud800b").encode() == "a\N{REPLACEMENT CHARACTER}b".encode()


def test_line_breaks_stay_and_blank_lines_are_few():
    """A post keeps its lines, but cannot push the buttons off the screen."""
    assert clean("a\r\nb\rc\u2028d" + "\n" * 50 + "e") == "a\nb\nc\nd\n\ne"


def test_joiners_stay():
    """Emoji and scripts that need a joiner are not torn apart."""
    family = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}"
    assert clean(family) == family


def test_a_cut_never_splits_what_people_see_as_one():
    """A flag or a family is kept whole or left out."""
    family = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}"
    assert cut("ab" + family, 5) == "ab…"


def test_a_letter_under_a_thousand_accents_is_cut_through():
    """One grapheme longer than the limit cannot break the limit."""
    assert len(cut("e" + "\u0301" * 1000, 20)) <= 20


def test_escaping_touches_three_characters_once():
    """An entity that stood in the text is shown as it was written."""
    assert escape("<!channel> & &lt;") == "&lt;!channel&gt; &amp; &amp;lt;"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "ftp://a.example/x",
        "https://",
        "https://bank.example@evil.example/",
        "https://a.example/x|label",
        "https://a.example/x>y",
        "https://a.example/x y",
        "https://a.example/\u202etxt",
        "https://[::1",
        "https://a.example/" + "x" * 3000,
        "",
    ],
)
def test_an_address_that_could_deceive_is_no_link(url: str):
    """Only the label is left of it."""
    assert safe_url(url) == ""
    assert safe_link(url, "see") == "see"


def test_a_link_is_built_by_us():
    """The label cannot end the link, and the address keeps its ampersands."""
    assert safe_link("https://a.example/?a=1&b=2", "x|<y>") == "<https://a.example/?a=1&amp;b=2|x¦&lt;y&gt;>"


def test_a_time_is_drawn_for_each_reader():
    """Slack draws the token, and what cannot shows UTC."""
    moment = datetime(2026, 3, 2, 10, 42, 30, tzinfo=UTC)
    assert (
        show_time(moment, "{time_secs}") == f"<!date^{int(moment.timestamp())}^{{time_secs}}|2026-03-02 10:42:30 UTC>"
    )


@pytest.mark.parametrize(
    ("minutes", "told"), [(-5, "0 min"), (59, "59 min"), (60, "1 h"), (47 * 60, "47 h"), (2880, "2 days")]
)
def test_an_age_is_told_in_its_largest_unit(minutes: int, told: str):
    """Short enough for a notification."""
    then = datetime(2026, 3, 2, tzinfo=UTC)
    assert tell_age(then, then + timedelta(minutes=minutes)) == told


@given(ANY_TEXT, st.integers(min_value=1, max_value=120))
def test_safe_text_keeps_its_promises(text: str, limit: int):
    """Whatever comes in: within the limit, nothing live, no cut entity, valid UTF-8."""
    found = safe(text, limit)
    assert len(found) <= limit
    assert "<" not in found
    assert ">" not in found
    assert not regex.search(r"&(?!(?:amp|lt|gt);)", found)
    found.encode()


@given(st.text(st.sampled_from("&<>a"), max_size=60), st.integers(min_value=6, max_value=40))
def test_text_that_fits_is_whole(text: str, limit: int):
    """Only what does not fit is shortened."""
    whole = escape(clean(text))
    assert safe(text, limit) == whole if len(whole) <= limit and len(clean(text)) <= limit else True


@given(ANY_TEXT)
def test_one_line_is_one_line(text: str):
    """A name cannot begin a new line on the card."""
    assert "\n" not in one_line(text)
