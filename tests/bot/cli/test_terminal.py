"""A mention cannot act on a terminal."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.cli.terminal import clean, complain, json_line, say

OBEYED = {
    *map(chr, (*range(0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0))),
    *"\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\u2028\u2029",
}
TEXT = st.text(st.characters(exclude_categories=())) | st.text(
    st.sampled_from([*sorted(OBEYED), "[", "]", "m", "0", ";"])
)


@given(TEXT)
@example("\x1b]0;title\x07plain\x1b[31mred\x1b[0m\x9b2J\x1bPq\x1b\\")
def test_nothing_a_terminal_obeys_is_left(text: str):
    """No escape sequence, control, direction mark or lone surrogate is written."""
    shown = clean(text)
    assert not OBEYED & set(shown)
    shown.encode("utf-8")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b[1;31mgone\x1b[0m", "gone"),
        ("\x1b]8;;https://evil.example\x07click\x1b]8;;\x07", "click"),
        ("\x1b]52;c;cm0gLXJm\x1b\\paste", "paste"),
        ("a\u202egpj.exe", "agpj.exe"),
        ("line\r\nline\ttab", "line\nline\ttab"),
        ("over\rwritten", "overwritten"),
        ("👩‍👩‍👧 größer ١", "👩‍👩‍👧 größer ١"),
        ("tag\U000e0041s", "tags"),
    ],
)
def test_text_is_shown_without_what_acts(text: str, shown: str):
    """What is only text stays as it is, emoji families included."""
    assert clean(text) == shown


@given(TEXT)
def test_json_line_is_lossless_and_harmless(text: str):
    """A JSON line holds the exact text, on one line, with nothing in it that a terminal obeys."""
    line = json_line({"id": text})
    assert json.loads(line) == {"id": text}
    assert not (OBEYED | {"\n"}) & set(line)
    line.encode("utf-8")


def test_json_line_stays_readable():
    """Other scripts are not escaped."""
    assert json_line({"text": "größer 猫"}) == '{"text": "größer 猫"}'


def test_people_get_one_clean_line(capsys: pytest.CaptureFixture[str]):
    """Both streams are cleaned."""
    say("\x1b[31mred\ud800")
    complain("\x07bell")
    assert capsys.readouterr() == ("red\n", "bell\n")
