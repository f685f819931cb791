"""The words of a watch's world: what is taken, what is refused and in which words, and which brands need some."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.config import Brand, Settings, SettingsError, WatchSettings, load_settings
from bot.watch_words import LONGEST, MOST_WORDS, check_word, contexts_of, is_plain_word, watches_without_words
from nlp.playbook import EXAMPLE

HEAD = '[brand]\nname = "Delta"\n\n[[watch]]\nname = "air"\nquery = "delta"\n'


def mistakes(folder: Path, text: str) -> list[str]:
    """Return what is told of a settings file, without its name."""
    (folder / "playbook.toml").write_bytes(EXAMPLE.read_bytes())
    path = folder / "cuecard.toml"
    path.write_text(HEAD + text, "utf-8")
    with pytest.raises(SettingsError) as caught:
        load_settings(path, {})
    return [sentence.removeprefix(f"{path}, ") for sentence in caught.value.sentences]


def settings(*watches: WatchSettings, brand: str = "Delta") -> Settings:
    """Return settings in code."""
    return Settings(brand=Brand(name=brand, handles=("DeltaHelp",)), watch=watches)


@pytest.mark.parametrize(
    ("text", "place", "advice"),
    [
        ('about = "flight"', "line 7, [[watch]] number 1, about", "in square brackets"),
        ('about = ["flight", "?!"]', "line 7, [[watch]] number 1, about", "holds no word"),
        ('about = ["one two three four five six"]', "line 7, [[watch]] number 1, about", "at most 5 words"),
        (f'about = ["{"x" * (LONGEST + 1)}"]', "line 7, [[watch]] number 1, about", "60 letters"),
        ('about = ["air\\u202eport"]', "line 7, [[watch]] number 1, about", "cannot be seen"),
        ('about = ["flight", "Flight"]', "line 7, [[watch]] number 1, about", "stands here twice"),
        ('about = ["delta"]', "line 7, [[watch]] number 1, about", "own name"),
        ('not_about = ["river"]', "line 7, [[watch]] number 1, not_about", "only beside `about`"),
        ('about = ["boat"]\nnot_about = ["BOAT"]', "line 8, [[watch]] number 1, not_about", "in `about` too"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_what_to_do(tmp_path: Path, text: str, place: str, advice: str):
    """Each mistake is one sentence: where it is, and what helps."""
    (sentence,) = mistakes(tmp_path, text)
    assert sentence.startswith(f"{place}: ")
    assert advice in sentence


def test_too_many_words_are_counted(tmp_path: Path):
    """Sixty are taken, one more is refused with both numbers."""
    several = [f"word{chr(97 + number // 26)}{chr(97 + number % 26)}" for number in range(MOST_WORDS + 1)]
    assert WatchSettings(name="w", query="q", about=tuple(several[:-1])).about == tuple(several[:-1])
    (sentence,) = mistakes(tmp_path, f"about = {several}".replace("'", '"'))
    assert "61" in sentence
    assert "60 are the most" in sentence


@given(st.text(max_size=80))
def test_any_word_is_taken_or_refused_with_a_sentence(word: str):
    """Whatever is written is a word that stays as it is, or a sentence that does not repeat it at length."""
    told = [""]
    try:
        told = [check_word(check_word(word)), check_word(word)]
    except ValueError as err:
        told = [str(err)]
    assert len(set(told)) == 1
    assert 0 < len(told[0]) < 300


def test_only_watches_with_words_have_a_world():
    """A world has the watch's brand, else the brand of all; a watch without words has none."""
    watches = (
        WatchSettings(name="air", query="delta", about=("flight",)),
        WatchSettings(name="tap", query="delta", brand="Delta Taps", about=("sink",), not_about=("river",)),
        WatchSettings(name="all", query="delta"),
    )
    assert {name: context.brand for name, context in contexts_of(settings(*watches)).items()} == {
        "air": "Delta",
        "tap": "Delta Taps",
    }


def test_a_post_that_names_an_account_is_about_us():
    """The handles of the settings are known to every world."""
    (context,) = contexts_of(settings(WatchSettings(name="air", query="delta", about=("flight",)))).values()
    assert context.judge("ask deltahelp about the river").chance > 0.99


def test_plain_words_are_known():
    """A common word is one in any case; a made-up name and a name of two words are none."""
    assert is_plain_word("Delta")
    assert is_plain_word(" shell ")
    assert not is_plain_word("Brightwing")
    assert not is_plain_word("Delta Air Lines")


def test_watches_that_need_words_are_named():
    """A watch of a brand that is a common word needs words; one that has them, or has another brand, does not."""
    watches = (
        WatchSettings(name="bare", query="delta"),
        WatchSettings(name="told", query="delta", about=("flight",)),
        WatchSettings(name="other", query="skymiles", brand="SkyMiles"),
    )
    assert watches_without_words(settings(*watches)) == [("bare", "Delta")]
