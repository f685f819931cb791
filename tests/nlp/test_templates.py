"""Templates: whatever a playbook says, filling it reaches nothing, runs once and grows by its few values only."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listeners.mention import Mention
from nlp.assessment import Assessment
from nlp.draft import suggest
from nlp.playbook import MOST_BYTES, PlaybookError, fill, has_word, load_playbook, parse_playbook, slots_of
from nlp.templates import count_words, spoken_sentences

Say = Callable[..., Mention]
Told = Callable[..., Assessment]
VALUES = {"first_name": "Ana", "brand": "Acme", "handle": "@ana", "link.a": "https://a.example"}


@given(st.text(max_size=60))
def test_a_slot_reaches_nothing_but_its_value(text: str) -> None:
    """Any text is either refused as a template or filled with no more than its own words and the values."""
    try:
        slots = slots_of(text)
    except ValueError:
        return
    assert slots <= {"first_name", "brand", "handle"}
    assert len(fill(text, dict.fromkeys(slots, "x" * 10))) <= len(text) + 10 * text.count("{")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("{brand.__class__}", "brand.__class__"),
        ("{brand[0]}", "brand[0]"),
        ("{0}", "0"),
        ("{}", ""),
        ("{brand!r}", "brand"),
        ("{brand:>999999999}", "brand"),
        ("{a b}", "a b"),
    ],
)
def test_a_slot_is_a_bare_name(text: str, name: str) -> None:
    """No attribute, index, position, conversion or width."""
    with pytest.raises(ValueError, match=f"^{re.escape(name)}$"):
        slots_of(text)


def test_words_are_counted_once_each() -> None:
    """Several words are looked for in one pass, phrases before their parts, and a word counts once however often."""
    assert count_words("refund, REFUND! my order", ("refund", "orders", "order")) == 2
    assert count_words("refunded", ("refund*",)) == 1
    assert count_words("log in", ("log in", "log")) == 1
    assert count_words("x", ()) == 0


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


@pytest.mark.parametrize(
    "text",
    [
        "{brand.__class__.__mro__[1].__subclasses__}",
        "{brand.__init__.__globals__[os].environ}",
        "{brand:{first_name}}",
        "{brand:>{handle}}",
        "{brand:0>999999999}",
        "{link.a.upper}",
        "{link.b}",
        "{link.}",
        "{ brand }",
        "{BRAND}",
        "{brand}}",
        "{" * 301,
        "{brand" * 100,
        "{%for x in brand%}",
        "${brand!s}",
        "{self}",
        "{first_name}{}",
        "\u202e{brand\u200b}",
    ],
)
def test_a_hostile_template_is_refused_with_its_line(text: str) -> None:
    """Attributes, widths, loops, nesting, look-alikes and open braces are mistakes, told before anything is filled."""
    quoted = text.replace("\\", "").replace("'", "")
    with pytest.raises(PlaybookError, match=r"line 4, \[\[opener\]\] 1: the slot"):
        parse_playbook(f"[links]\na = 'https://a.example'\n[[opener]]\ntext = '{quoted}'\n")


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{{brand}}", "{brand}"),
        ("{{{{brand.__class__}}}}", "{{brand.__class__}}"),
        ("{% include 'x' %}".replace("{", "{{").replace("}", "}}"), "{% include 'x' %}"),
        ("${brand} %s %(x)s", "$Acme %s %(x)s"),
    ],
)
def test_other_languages_templates_are_plain_words(text: str, filled: str) -> None:
    """What would run elsewhere is text here."""
    assert fill(text, VALUES) == filled


@given(st.text("{}[]:!.ab_$%\\ ", max_size=80) | st.sampled_from(["{brand}" * 85, "{link.a}" * 75]))
def test_a_filled_template_grows_by_its_values_only(text: str) -> None:
    """Whatever passes is filled once: at most its own length and one value for each of its slots."""
    try:
        slots_of(text, ["a"])
    except ValueError:
        return
    assert len(fill(text, VALUES)) <= len(text) + sum(text.count(f"{{{name}}}") * len(VALUES[name]) for name in VALUES)


@given(st.dictionaries(st.sampled_from(sorted(VALUES)), st.text("{}brand_!:.[]", max_size=20)))
def test_values_never_become_templates(values: dict[str, str]) -> None:
    """A name, handle or address that looks like a template is put in letter for letter."""
    filled = VALUES | values
    assert fill("{first_name}|{brand}|{handle}|{link.a}", filled) == "|".join(
        filled[name] for name in ("first_name", "brand", "handle", "link.a")
    )


def test_a_playbook_at_its_limits_still_makes_three_short_drafts(say: Say, told: Told, tmp_path: Path) -> None:
    """Just under a megabyte of entries, wordings, words and slots: what comes out is as small as ever."""
    words = ", ".join(f"'bag{number}'" for number in range(400))
    head = f"[matters]\nmany = [{words}]\nbag = ['bag']\n"
    texts = ", ".join(f"'{number} {{brand}}{{first_name}}{{handle}}.'" for number in range(400))
    opener = f"[[opener]]\ntexts = [{texts}]\nmatters = ['many', 'bag']\n"
    entry = f"{opener}[[next_step]]\nkind = 'ask'\ntext = 'Which [one]?'\n"
    body = entry * ((MOST_BYTES - len(head)) // len(entry))
    path = tmp_path / "playbook.toml"
    path.write_text(head + body, encoding="utf-8")
    drafts = suggest(say("my bag", name="Ana Lima"), told(), load_playbook(path), limit=280)
    assert [draft.kind for draft in drafts] == ["answer", "ask"]
    assert all(len(draft.text) <= 245 for draft in drafts)


def test_words_are_bounded() -> None:
    """Lists, words, and the words of an entry's matters together have an end; a matter named twice counts once."""
    many = ", ".join(f"'w{number}'" for number in range(500))
    parse_playbook(f"[[fact]]\ntext = 'x'\nkeywords = [{many}]\n")
    with pytest.raises(PlaybookError, match=r"line 3.*500 texts at most"):
        parse_playbook(f"[[fact]]\ntext = 'x'\nkeywords = [{many}, 'more']\n")
    with pytest.raises(PlaybookError, match="of 600 characters each"):
        parse_playbook(f"[words]\nnever = ['{'x' * 601}']\n")
    matters = "[matters]\n" + "".join(
        f"m{at} = [{', '.join(f'{chr(39)}w{at}-{number}{chr(39)}' for number in range(500))}]\n" for at in range(5)
    )
    with pytest.raises(PlaybookError, match=r"line 10.*2,500 words together"):
        parse_playbook(
            f"{matters}[[opener]]\ntext = 'x'\nmatters = ['m0', 'm1', 'm2', 'm3', 'm4']\n".replace("\n[[", "\n\n[[")
        )
    twice = parse_playbook(f"{matters}[[opener]]\ntext = 'x'\nmatters = ['m0', 'm0']\n")
    assert len(twice.openers[0].keywords) == 500


def test_what_a_template_says_is_told_by_sentence() -> None:
    """Slots and gaps are holes; one word alone is nobody's sentence."""
    assert spoken_sentences("Right. I see, {first_name}. Send [what] to us, please!") == (
        ("i see",),
        ("send", "to us please"),
    )
