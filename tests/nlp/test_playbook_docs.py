"""docs/playbook.md is true: every key is explained, every example loads, every mistake is told in those words."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from listeners.mention import Mention
from nlp.assessment import INTENTS, Assessment
from nlp.draft import suggest
from nlp.playbook import PlaybookError, parse_playbook
from nlp.playbook_reader import KEYS
from nlp.templates import SLOTS

Say = Callable[..., Mention]
Told = Callable[..., Assessment]
NARROWING = "## When an entry fits"


@pytest.fixture(scope="module")
def page(project: Path) -> str:
    """The page."""
    return (project / "docs" / "playbook.md").read_text(encoding="utf-8")


def section(page: str, title: str) -> str:
    """Return what stands under a header, to the next of its rank or higher."""
    level = title.split(maxsplit=1)[0]
    after = page.partition(f"\n{title}\n")[2]
    assert after, title
    return re.split(rf"^#{{2,{len(level)}}} ", after, maxsplit=1, flags=re.MULTILINE)[0]


def keys_in(text: str) -> set[str]:
    """Return what stands between backticks."""
    return set(re.findall(r"`([^`\s]+)`", text))


@pytest.mark.parametrize("name", KEYS)
def test_every_section_and_key_is_explained(page: str, name: str) -> None:
    """A header for each section, and each of its keys below it, or among those that say when an entry fits."""
    is_list = f"### `[[{name}]]`" in page
    text = section(page, f"### `[[{name}]]`" if is_list else f"### `[{name}]`")
    assert set(KEYS[name]) <= keys_in(text) | (keys_in(section(page, NARROWING)) if is_list else set())


def test_every_intent_and_slot_is_named(page: str) -> None:
    """The page lists what can be written, and nothing else as an intent."""
    (row,) = [line for line in section(page, NARROWING).splitlines() if line.startswith("| `intents`")]
    assert keys_in(row) == {*INTENTS, "intents"}
    assert {f"{{{slot}}}" for slot in SLOTS} <= keys_in(section(page, "## Slots"))


def test_every_example_loads(page: str) -> None:
    """What is shown as a playbook is one."""
    blocks = re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        tomllib.loads(block)
        assert parse_playbook(block).openers


def test_the_first_example_says_what_the_page_says(page: str, say: Say, told: Told) -> None:
    """The draft below it is one that it makes."""
    playbook = parse_playbook(re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)[0])
    shown = " ".join(re.findall(r"suggests \*(.*?)\*,", page, re.DOTALL)[0].split())
    made = [suggest(say("you charged me twice", str(number)), told(2), playbook) for number in range(20)]
    assert shown in {drafts[0].text for drafts in made}
    assert {drafts[1].kind for drafts in made} == {"private"}


def test_every_mistake_is_told_in_those_words(page: str) -> None:
    """Each row of the table of mistakes is tried."""
    rows = re.findall(r"^\| `(.*?)` \| (playbook, .*?) \|$", section(page, "## What is checked"), re.MULTILINE)
    assert len(rows) >= 25
    for code, said in rows:
        with pytest.raises(PlaybookError) as caught:
            parse_playbook(code.replace("⏎", "\n"))
        assert caught.value.sentence == said
