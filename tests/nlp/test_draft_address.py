"""What a draft calls its reader, us and our addresses: only what is surely a name, and nothing from outside unseen."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from listeners.mention import Mention
from nlp.assessment import Assessment
from nlp.draft import suggest
from nlp.playbook import parse_playbook

Say = Callable[..., Mention]
Told = Callable[..., Assessment]


@pytest.mark.parametrize(
    ("name", "is_used"),
    [
        ("Ana Lima", True),
        ("ANA", True),
        ("Ana🌸", False),
        ("Halcyon Ana", False),
        ("Ana Support", False),
        ("Ana Bakery", False),
        ("Hope", False),
        ("Hope Okafor", True),
        ("Ana Shitface", False),
        ("Slur McSlur", False),
        ("Ana Ana Ana Ana Ana", False),
        ("", False),
        ("An\u202ea", False),
    ],
)
def test_a_first_name_is_used_only_when_sure(say: Say, told: Told, name: str, is_used: bool) -> None:
    """A display name is trusted only where it looks like a person's and begins with a known first name."""
    playbook = parse_playbook('[[opener]]\ntext = "Right, {first_name}."\n')
    drafts = suggest(say("my bag is lost", name=name), told(), playbook)
    assert [bool(re.match(r"Right, (?:Ana|Hope)\.", draft.text)) for draft in drafts] == ([True] if is_used else [])


@pytest.mark.parametrize(
    ("handle", "is_used"),
    [("ana_l", True), ("HalcyonAirSupport", False), ("halcyon_air", False), ("a b", False), ("shit9", False)],
)
def test_a_handle_is_used_only_when_plain(say: Say, told: Told, handle: str, is_used: bool) -> None:
    """No handle that poses as us, or that we would not say aloud."""
    playbook = parse_playbook('[[opener]]\ntext = "Hello {handle}."\n')
    assert bool(suggest(say("my bag is lost", handle=handle), told(), playbook)) is is_used


@pytest.mark.parametrize(("brand", "is_said"), [("Vesper", True), ("", False)])
def test_the_brand_in_a_draft_is_the_mention_s(say: Say, told: Told, brand: str, is_said: bool) -> None:
    """A post about another of our brands is answered as that brand; where none is known, none is named."""
    playbook = parse_playbook('[brand]\nname = "Halcyon Air"\n[[opener]]\ntext = "This is {brand}."\n')
    drafts = suggest(say("my bag is lost", brand=brand), told(), playbook)
    assert [draft.text.startswith("This is Vesper.") for draft in drafts] == ([True] if is_said else [])


@pytest.mark.parametrize("brand", ["a]b[c", "shit", "x" * 80, "{first_name}"])
def test_a_brand_that_is_none_is_not_named(say: Say, told: Told, brand: str) -> None:
    """A brand may come with a row from outside; it is said only where it could be a name."""
    playbook = parse_playbook("[[opener]]\ntext = 'This is {brand}.'\n")
    assert not suggest(say("bag", brand=brand), told(), playbook)


def test_a_link_is_the_playbook_s(say: Say, told: Told) -> None:
    """An address comes from [links] alone, by its name."""
    playbook = parse_playbook("[links]\nstatus = 'https://status.example'\n[[opener]]\ntext = 'News: {link.status}'\n")
    assert suggest(say("down?"), told(), playbook)[0].text.startswith("News: https://status.example [")
