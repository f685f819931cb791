"""Where a setting stands in the text of a TOML file."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.toml_places import line_of, name_of, syntax_problem

TEXT = '''playbook = "p.toml"  # 1
[brand]
name = """
[slack]
channel = "not here"
"""
"handles" = [
  "a",
]
[[watch]]
name = 'one'
[[watch]]   # the second
name = 'two'
query = 'x'
[feed."my feed"]
platform = "replay"
[ feed . hn ]
platform = "hackernews"
digest.at = "09:00"
'''


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("playbook",), 1),
        (("brand",), 2),
        (("brand", "name"), 3),
        (("brand", "handles", 0), 7),
        (("brand", "absent"), 2),
        (("watch", 0, "name"), 11),
        (("watch", 1, "name"), 13),
        (("watch", 1, "feeds"), 12),
        (("watch", 0, "query"), 10),
        (("feed", "my feed", "platform"), 16),
        (("feed", "hn", "platform"), 18),
        (("slack", "channel"), None),
        (("absent",), None),
        ((), None),
    ],
)
def test_line_of_a_setting(place: tuple[str | int, ...], line: int | None):
    """The line is that of the key, else of its table; what stands inside a long string is not a setting."""
    assert tomllib.loads(TEXT)
    assert line_of(TEXT, place) == line


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ((), ""),
        (("playbook",), "playbook"),
        (("digest", "at"), "[digest] at"),
        (("watch", 0, "query"), "[[watch]] number 1, query"),
        (("watch", 2), "[[watch]] number 3"),
        (("feed", "hn", "urls", 0), "[feed.hn] urls"),
        (("feed", "hn"), "[feed.hn]"),
    ],
)
def test_name_of_a_setting(place: tuple[str | int, ...], name: str):
    """A place is named as people write it."""
    assert name_of(place) == name


@given(text=st.text(st.sampled_from("[]\"'=.#\n ab")), place=st.lists(st.sampled_from(["a", "b", 0]), max_size=3))
def test_any_text_has_a_line_or_none(text: str, place: list[str | int]):
    """Text that is no TOML at all is no reason to fail."""
    line = line_of(text, tuple(place))
    assert line is None or 1 <= line <= text.count("\n") + 1


def test_syntax_problem_names_the_place_where_it_is_told():
    """Where the parser tells no line, the reason stands alone."""
    with pytest.raises(tomllib.TOMLDecodeError) as caught:
        tomllib.loads("a = 1\nb = \n")
    assert syntax_problem(caught.value) == "line 2, column 5: invalid value"
    with pytest.raises(tomllib.TOMLDecodeError) as caught:
        tomllib.loads("a = '''x")
    assert "end of document" in syntax_problem(caught.value)
