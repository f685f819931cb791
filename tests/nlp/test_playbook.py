"""Reading a playbook, and naming the line of a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlp.gap import open_gaps
from nlp.playbook import EXAMPLE, PlaybookError, fill, has_word, load_playbook, parse_playbook, slots_of

OPENER = '[[opener]]\ntext = "Right, {first_name}."\n'


def test_the_example_loads() -> None:
    """What `cuecard init` writes is a playbook."""
    playbook = load_playbook(EXAMPLE)
    assert playbook.openers
    assert playbook.facts
    assert playbook.next_steps
    assert playbook.hand_to
    assert all(open_gaps(gap.text) for gap in playbook.gaps)


def test_an_entry_is_read_whole() -> None:
    """Every key reaches the entry."""
    text = """
[brand]
name = "Acme"
language = "de"
[[opener]]
text = "Hallo   {first_name}"
intents = ["complaint"]
grades = [2, 3]
tone = "warm"
brands = ["Acme"]
products = ["box"]
"""
    entry = parse_playbook(text).openers[0]
    assert (entry.text, entry.intents, entry.grades, entry.tone) == (
        "Hallo {first_name}",
        ("complaint",),
        (2, 3),
        "warm",
    )
    assert (entry.brands, entry.products, entry.language, entry.name) == (("Acme",), ("box",), "de", "opener 1")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[brand\n", 1, "TOML"),
        ("[brand]\nname = Acme\n", 2, "TOML"),
        ("[brand]\nname = 3\n", 2, "must be text"),
        ("[brand]\n\ncolour = 'red'\n", 3, "'colour' is not known"),
        ("[greeting]\n", 1, "no section 'greeting'"),
        ("[opener]\ntext = 'x'\n", 1, "[[opener]]"),
        (OPENER + "[[opener]]\nintents = ['complaint']\n", 3, "no text"),
        (OPENER + "[[opener]]\n# a comment\ntext = '{price} only'\n", 5, "{first_name}"),
        (OPENER + "[[opener]]\ntext = '{brand.__class__}'\n", 4, "slot"),
        (OPENER + "[[opener]]\ntext = '{brand!r:>9}'\n", 4, "slot"),
        (OPENER + "[[opener]]\ntext = 'open {brand'\n", 4, "slot"),
        ("[[opener]]\ntext = 'Hi'\nintents = ['anger']\n", 3, "'anger' is not one of"),
        ("[[opener]]\ntext = 'Hi'\ngrades = [4]\n", 3, "from 0 to 3"),
        ("[[opener]]\ntext = 'Hi'\ngrades = [true]\n", 3, "from 0 to 3"),
        ("[[opener]]\ntext = 'Hi'\ntone = 'loud'\n", 3, "'loud' is not one of"),
        ("[[gap]]\ntext = 'what you found'\n", 2, "square brackets"),
        ("[[fact]]\ntext = 'We ship.'\n", 1, "keywords"),
        ("[[fact]]\ntext = 'We ship.'\nkeywords = 'ship'\n", 3, "list of texts"),
        ("[[hand_to]]\nintents = ['complaint']\n", 1, "who"),
        ("[words]\nnever = ['sadly']\n[[opener]]\ntext = 'Sadly, no.'\n", 4, "words we never use"),
        ("[[opener]]\ntext = '" + "x" * 700 + "'\n", 2, "700 characters"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    """One sentence says the file, the line, what is wrong."""
    path = tmp_path / "playbook.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PlaybookError) as caught:
        load_playbook(path)
    assert caught.value.sentence.startswith(f"{path}, line {line}")
    assert words in caught.value.sentence
    assert "\n" not in caught.value.sentence


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    """No playbook: the sentence points at `cuecard init`."""
    with pytest.raises(PlaybookError, match="cuecard init"):
        load_playbook(tmp_path / "none.toml")


def test_a_file_that_is_not_utf8_says_so(tmp_path: Path) -> None:
    """Latin-1 is refused with a sentence."""
    path = tmp_path / "playbook.toml"
    path.write_bytes(b"[brand]\nname = 'Caf\xe9'\n")
    with pytest.raises(PlaybookError, match="UTF-8"):
        load_playbook(path)


def test_values_are_not_read_for_slots() -> None:
    """A name that looks like a slot stays what it is."""
    assert slots_of("{{plain}} {first_name}") == {"first_name"}
    assert fill("{{plain}} {first_name}", {"first_name": "{brand}"}) == "{plain} {brand}"


@pytest.mark.parametrize(
    ("word", "is_there"),
    [("return", False), ("return*", True), ("Returns", True), ("a b", True), ("", False), ("*", False)],
)
def test_words_match_whole(word: str, is_there: bool) -> None:
    """A keyword stands whole, or with any ending where it ends in a star."""
    assert has_word("about returns, a b", word) is is_there
