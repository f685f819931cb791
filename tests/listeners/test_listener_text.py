"""Markup to plain text, JSON with broken characters, and replies by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listeners.text import decode_json, html_to_text, shape_by_hand, whole_characters


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("plain", "plain"),
        ("a &amp; b &#x27;c&#x27; &lt;d&gt;", "a & b 'c' <d>"),
        ("one<p>two<br>three", "one\n\ntwo\nthree"),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<ul><li>a</li><li>b</li></ul>", "a\n\nb"),
        ("a  \n  b", "a  \n  b"),
        ("<i>a</i>  \t b\n\n\n\nc", "a b c"),
        ("one &amp;\ntwo", "one &\ntwo"),
        ("x<script>alert(1)</script>y<style>p {}</style>", "xy"),
        ('<a href="https://acme.com/x">here</a>', "here (https://acme.com/x)"),
        ('<a href="https://acme.com/x">acme.com</a>', "acme.com"),
        ('<a href="https://acme.com/a/long/way">https://acme.com/a/lo...</a>', "https://acme.com/a/long/way"),
        ('<a href="javascript:alert(1)">here</a>', "here"),
        ("x<pre><code>if a &lt; b:\n  c</code></pre>y", "x\nif a < b:\nc\ny"),
        ("2 < 3 and 4 > 1", "2 < 3 and 4 > 1"),
        ("&nbsp;a&nbsp;b", "a b"),
        ("<!-- no --><b>yes</b>", "yes"),
        ("", ""),
    ],
)
def test_markup_becomes_what_a_person_would_read(html: str, text: str):
    """Breaks stay, tags go, links that lead somewhere are shown."""
    assert html_to_text(html) == text


@given(st.text(alphabet="<>&;/ab \n\"'=!-[]ps\x00\ud800", max_size=80))
def test_any_markup_is_read(html: str):
    """However broken it is."""
    assert isinstance(html_to_text(html), str)


@pytest.mark.parametrize(
    ("data", "value"),
    [(b'{"a": 1}', {"a": 1}), (b'"\\ud83d"', "\ud83d"), (b'"\\ud83d\\ude00"', "😀"), (b'"\\u0000"', "\0")],
)
def test_json_is_decoded_with_broken_characters(data: bytes, value: object):
    """Half of a surrogate pair does not cost the rest."""
    assert decode_json(data) == value


@pytest.mark.parametrize("data", [b"NaN", b"[Infinity]", b"{", b"", b"\xff", b"[" * 200_000, b"9" * 10_000])
def test_what_is_no_json_is_refused(data: bytes):
    """Always as ValueError."""
    with pytest.raises(ValueError, match=r"."):
        decode_json(data)


def test_halves_of_characters_are_replaced():
    """Whole ones stay."""
    assert whole_characters("a\ud83d😀é") == "a\ufffd😀é"


def test_a_reply_by_hand_is_counted_and_has_no_limit():
    """Composed and stripped; only emptiness is a problem."""
    assert shape_by_hand(" cafe\u0301 ").count == 4
    assert shape_by_hand("x" * 100_000).problem == ""
    assert shape_by_hand(" \n").problem == "There is no text to post."


def test_tags_without_end_are_text_and_cost_nothing():
    """Half a megabyte of them is read at once: the parser alone would be busy for hours."""
    assert html_to_text("<p>a <b and c</p>") == "a <b and c"
    assert html_to_text("<a " * 150_000 + "<p>end</p>").endswith("end")
