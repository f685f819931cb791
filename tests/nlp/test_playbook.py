"""Reading a playbook, and naming the line of a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlp.gap import open_gaps
from nlp.playbook import EXAMPLE, PlaybookError, load_playbook, parse_playbook

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
        ("[[fact]]\ntext = ''\nkeywords = ['ship']\n", 2, "no text"),
        ("[[fact]]\ntext = 'We ship.'\nkeywords = 'ship'\n", 3, "list of texts"),
        ("[[hand_to]]\nintents = ['complaint']\n", 1, "who"),
        ("[words]\nnever = ['sadly']\n[[opener]]\ntext = 'Sadly, no.'\n", 4, "words we never use"),
        ("[[opener]]\ntext = '" + "x" * 700 + "'\n", 2, "700 characters"),
        ("[[opener]]\ntexts = ['Hi', 'Hi']\n", 2, "the same"),
        ("[[opener]]\ntexts = []\n", 2, "no text"),
        ("[[opener]]\ntext = 'Hi'\ntexts = ['Ho']\n", 3, "not both"),
        ("[[opener]]\ntexts = [\n 'Hi',\n '{price}',\n]\n", 2, "slot"),
        ("[[opener]]\ntext = 'see [this'\n", 2, "left open"),
        ("[[gap]]\ntext = '[what [you] found]'\n", 2, "inside another"),
        ("[[opener]]\ntext = 'see https://a.example'\n", 2, "[links]"),
        ("[[opener]]\ntext = 'see {link.status}'\n", 2, "slot"),
        ("[links]\nStatus = 'https://a.example'\n", 2, "small letters"),
        ("[links]\nstatus = 'http://a.example'\n", 2, "https://"),
        ("[links]\nok = 'https://a.example'\nstatus = 'https://me:pw@a.example'\n", 3, "password"),
        ("[links]\nstatus = 'https://[a'\n", 2, "https://"),
        ("[links]\nstatus = 3\n", 2, "https://"),
        ("[brand]\nlanguage = 'German'\n", 2, "not a language"),
        ("[[silence]]\nkeywords = ['x']\n", 1, "why nothing is suggested"),
        ("[[silence]]\nreason = 'No.'\n", 1, "every suggestion"),
        ("[[note]]\nintents = ['praise']\n", 1, "no text"),
        ('[[note]]\ntext = """\n[[opener]]\ntone = 3\n"""\n[[opener]]\ntext = "x"\ntone = "loud"\n', 8, "'loud'"),
        ("[[opener]]\r\ntext = 'Hi'\r\ntone = 'loud'\r\n", 3, "'loud'"),
        ("opener = [{text = 'Hi', tone = 'loud'}]\n", 1, "'loud'"),
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


def test_a_playbook_is_bounded(tmp_path: Path) -> None:
    """A file of more than a megabyte, lists in lists without end, and thousands of entries are refused, not read."""
    path = tmp_path / "playbook.toml"
    path.write_text("# " + "x" * 1_000_000, encoding="utf-8")
    with pytest.raises(PlaybookError, match="larger than a megabyte"):
        load_playbook(path)
    with pytest.raises(PlaybookError, match="nested too deeply"):
        parse_playbook("x = " + "[" * 100_000)
    with pytest.raises(PlaybookError, match="more than 2,000"):
        parse_playbook("[[opener]]\ntext = 'Hi'\n" * 2_001)


def test_every_kind_of_entry_is_read() -> None:
    """Wordings, links, notes, silences and what bars an entry reach the playbook."""
    playbook = parse_playbook(
        "[links]\nstatus = 'https://status.example/now'\n"
        "[[fact]]\nname = 'f'\ntexts = ['One: {link.status}', 'Two.']\nunless = ['hack*']\nplatforms = ['x']\n"
        "[[note]]\ntext = 'Mind {this}.'\n[[silence]]\nreason = 'No.'\ngrades = [1]\n"
        "[[hand_to]]\nwho = 'Ops'\nbrands = ['Acme']\n"
    )
    (fact,) = playbook.facts
    assert fact.texts == ("One: {link.status}", "Two.")
    assert (fact.unless, fact.platforms, fact.keywords) == (("hack*",), ("x",), ())
    assert playbook.links == {"status": "https://status.example/now"}
    assert (playbook.notes[0].text, playbook.silences[0].grades) == ("Mind {this}.", (1,))
    assert playbook.hand_to[0].brands == ("Acme",)
    assert playbook.current() is playbook


def test_the_mark_changes_with_every_word() -> None:
    """What tells one playbook from another follows its text."""
    assert parse_playbook(OPENER).mark == parse_playbook(OPENER, "elsewhere").mark
    assert parse_playbook(OPENER).mark != parse_playbook(OPENER + "# x\n").mark
