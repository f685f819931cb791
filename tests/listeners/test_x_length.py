"""Replies are counted as X counts them."""

from __future__ import annotations

import subprocess
import sys
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listeners.x.length import count_cashtags, count_weighted, has_link, has_refused_characters


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("hello", 5),
        ("a\nb c", 5),
        ("日本語", 6),
        ("日\u3000本", 6),
        ("é" * 10, 10),
        ("👩‍👩‍👧", 2),
        ("👍🏽 ok", 5),
        ("🇩🇪🇫🇷", 4),
        ("see https://acme.com/a/long/path?with=more#than that", 4 + 23 + 5),
        ("acme.com", 23),
        ("acme.nosuchend", 14),
        ("(https://acme.com/a).", 26),
        ("a.b", 3),
        ("https://acme.com/" + "p/" * 80, 23),
        ("(https://acme.com/" + "p/" * 80 + ").", 26),
        ("https://acme.nosuchend/" + "p/" * 80, 183),
        ("日本https://acme.com/" + "p" * 90 + "語", 4 + 23 + 2),
        ("x" * 300, 300),
        ("a." * 100, 200),
        ("@jane #acme $ACME", 17),
    ],
)
def test_a_text_counts_as_on_x(text: str, count: int):
    """Letters of most scripts 1, Chinese, Japanese, Korean and emoji 2, a link 23."""
    assert count_weighted(unicodedata.normalize("NFC", text)) == count


@given(st.lists(st.text(max_size=12), max_size=5))
def test_what_is_apart_counts_apart(words: list[str]):
    """A text is as long as its words and the spaces between them."""
    words = [unicodedata.normalize("NFC", "".join(word.split())) for word in words]
    assert count_weighted(" ".join(words)) == sum(map(count_weighted, words)) + max(0, len(words) - 1)


@pytest.mark.parametrize("text", ["a." * 1_500, "é." * 1_500, "a.co-" * 600, ("a." * 39 + " ") * 38, "\ud800\0"])
def test_no_text_takes_long(text: str):
    """The package alone would think for a minute about three thousand characters, while a person waits."""
    began = time.process_time()
    assert count_weighted(text) > 0
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    ("text", "is_linked"),
    [
        ("see https://acme.com", True),
        ("see acme.com, please", True),
        ("(https://acme.com/" + "p/" * 80 + ")", True),
        ("日本https://acme.com/" + "p" * 90, True),
        ("no link. here", False),
        ("jane@acme.com", False),
        ("a." * 100, False),
        ("", False),
    ],
)
def test_a_link_is_seen(text: str, is_linked: bool):
    """Since it makes a reply twenty times as dear."""
    assert bool(has_link(text)) is is_linked


def test_symbols_of_shares_are_counted():
    """X takes one in a post that a program makes."""
    assert count_cashtags("$ACME and $BRK.A, not $5, US$ or a$b") == 2
    assert count_cashtags("") == 0


def test_broken_characters_are_seen():
    """X takes them in no post."""
    assert has_refused_characters("a\ud800")
    assert has_refused_characters("a\0")
    assert not has_refused_characters("a👩‍👩‍👧\n")


def test_the_package_needs_no_old_setuptools():
    """What it asks `pkg_resources` for is lent to it, and taken away again."""
    code = (
        "import sys; from listeners.x.length import count_weighted; assert count_weighted('👩‍👩‍👧') == 2;"
        "assert 'pkg_resources' not in sys.modules"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
