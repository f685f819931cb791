"""Signals: true of the text, with the place where they stand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.runs import Runs
from nlp.signals import (
    EVERYTHING,
    _compile,
    _table,
    _unless,
    find_signals,
    lower_in_place,
    needed_words,
    places_of,
    plain_name,
    read_run,
    second_words,
    signals,
)

OURS = frozenset({plain_name("Halcyon Air")})


@pytest.mark.parametrize(
    ("text", "name", "place"),
    [
        ("Hello. Is it open today? Yes", "asks", "Is it open today?"),
        ("can you look into this", "asks_words", "can you"),
        ("you charged me twice", "money_taken", "charged me"),
        ("I want my money back", "refund", "want my money back"),
        ("I'm cancelling my subscription", "leaving", "cancelling my subscription"),
        ("I’m never flying with them", "leaving", "never flying"),
        ("still no reply from anyone", "ignored", "still no"),
        ("waited for 3 weeks", "ignored", "for 3 weeks"),
        ("the site is down", "outage", "site is down"),
        ("my account was hacked", "security", "hacked"),
        ("it caught fire", "danger", "caught fire"),
        ("the base sparked and tripped the power", "danger", "sparked"),
        ("the water went over my hand", "hurt", "went over my hand"),
        ("I was scalded", "hurt", "scalded"),
        ("he's in A&E with it now, been to A&E twice", "hurt", "been to A&E"),
        ("it burned my daughter's fingers", "hurt", "burned my daughter's fingers"),
        ("she is allergic", "allergy", "allergic"),
        ("nuts are not on the label", "allergy", "not on the label"),
        ("there was glass in the jar", "spoiled", "glass in the"),
        ("white fuzz on the leaves", "spoiled", "white fuzz"),
        ("my toddler drank it", "frail", "my toddler"),
        ("turned away because of my accent", "unfair", "because of my accent"),
        ("I can see someone else's order", "private", "someone else's order"),
        ("your driver followed me home", "threat", "followed me"),
        ("wrote on friday, wrote on sunday, nothing", "asked_again", "wrote on friday, wrote on sunday, nothing"),
        ("this is my fourth message", "asked_again", "fourth message"),
        ("the gift card code was already used", "money_taken", "gift card code was already used"),
        ("my solicitor will write", "legal", "solicitor"),
        ("all sorted now", "closing", "all sorted"),
        ("enter our giveaway", "promo", "giveaway"),
        ("we are hiring", "job", "we are hiring"),
        ("@HalcyonAir hello", "tagged", "@HalcyonAir"),
        (".@HalcyonAir hello", "tagged", "@HalcyonAir"),
        ("I rang three times", "asked_again", "rang three times"),
        ("the lamp won't pair", "broken", "won't pair"),
        ("@someone hello", "tags_other", "@someone"),
        ("@HalcyonAir heeelp!!", "help", "heeelp"),
        ("my screen stays black. Help @HalcyonAir", "help", "Help"),
        ("@HalcyonAir FIX. THE. APP.", "help", "FIX"),
        ("it cost £40", "sum", "£40"),
        ("so good 😍", "praise", "😍"),
        ("İİİ my bag is lost", "stranded", "bag is lost"),
    ],
)
def test_a_signal_is_found_where_it_stands(text: str, name: str, place: str) -> None:
    """The span holds the words that are the reason, in the text's own code points."""
    found = {signal.name: text[signal.start : signal.end] for signal in find_signals(text, OURS)}
    assert found.get(name) == place


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("see https://a.example/?help=me", "asks"),
        ("???", "asks"),
        ("mail me at ana@halcyonair.example", "tagged"),
        ("the firefly was lovely", "danger"),
        ("fire sale, today only", "danger"),
        ("this song is fire", "danger"),
        ("set the tin on the fire stick", "danger"),
        ("quit smoking last year", "danger"),
        ("all smoke and mirrors", "danger"),
        ("I can't recall the name", "danger"),
        ("dangerously good biscuits", "danger"),
        ("you guys are on fire", "danger"),
        ("burned through my data", "hurt"),
        ("sick of this", "hurt"),
        ("we were in stitches", "hurt"),
        ("luckily nobody was taken to hospital", "hurt"),
        ("killing it today", "threat"),
        ("shocked at the price", "hurt"),
        ("I'm allergic to paying for shipping", "allergy"),
        ("I am not allergic", "allergy"),
        ("it breaks the mould", "spoiled"),
        ("see you at the tennis court", "legal"),
        ("a cute issuer", "broken"),
        ("the light blinks amber three times, then nothing", "asked_again"),
        ("it costs three times the price", "asked_again"),
        ("I brush three times a day", "asked_again"),
        ("thanks for your help!", "help"),
        ("write to a.@halcyonair.example", "tagged"),
    ],
)
def test_a_signal_is_not_found_where_it_is_not(text: str, name: str) -> None:
    """Links, bare marks, mail addresses and parts of words are no signals."""
    assert name not in {signal.name for signal in find_signals(text, OURS)}


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=300))
def test_spans_lie_in_any_text(text: str) -> None:
    """Whatever the text, spans are in it, and lowering moves nothing."""
    assert len(lower_in_place(text)) == len(text)
    for signal in find_signals(text, OURS):
        assert signal.name in signals()
        assert 0 <= signal.start < signal.end <= len(text)


def test_looking_ahead_only_saves_work(corpus: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking at the second word, and for a word that must follow, changes nothing of what the patterns find."""
    texts = [str(row["text"]) for row in corpus[::5]]
    quick = [find_signals(text) for text in texts]
    monkeypatch.setattr("nlp.signals.Entry.phrases_before", lambda entry, _: entry.phrases)
    # as if each run held a word of which only the patterns know what it is
    monkeypatch.setattr("nlp.signals._RUNS", Runs(lambda run: read_run(run)._replace(offers=EVERYTHING)))
    assert quick == [find_signals(text) for text in texts]


@pytest.mark.parametrize(
    ("rest", "words"),
    [
        ("… (?:twice|three times) today", {"twice", "times"}),
        ("… (?:a & e|a&e|the er)", {"e", "er"}),
        ("… (?:colou?rs|tints)", set()),
        ("… money", {"money"}),
        (r"(?:\w+ )?fire", {"fire"}),
        (r"(?:\w+ )?\w+ing", set()),
        ("back", set()),
    ],
)
def test_needed_words_are_read_from_a_phrase(rest: str, words: set[str]) -> None:
    """What must follow a gap is told where it is plain words, and only there."""
    assert needed_words(rest) == words


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=120))
def test_runs_are_found_where_they_stand(text: str) -> None:
    """However a text is spaced, each run begins where it is said to."""
    lower = lower_in_place(text)
    runs = lower.split()
    places = places_of(lower, runs)
    assert [lower[place : place + len(run)] for place, run in zip(places, runs, strict=True)] == runs
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("rest", "words"),
    [
        ("back", {"back"}),
        ("refunds? now", {"refund", "refunds"}),
        ("(?:my|the) money", {"my", "the"}),
        ("(?:a |an )?refund", {"a", "an", "refund"}),
        ("… money", None),
        (r"(?:\w+ )?fire", None),
        ("(?:to |even )*fire", {"to", "even", "fire"}),
    ],
)
def test_second_words_are_read_from_a_phrase(rest: str, words: set[str] | None) -> None:
    """Where a pattern has no plain word there, only the pattern can tell."""
    assert second_words(rest) == words


def test_every_phrase_compiles() -> None:
    """Each line of signals.toml is a phrase that can be looked for, and its shorthand is spelled out."""
    for entry in _table()[1].values():
        for _, rest, _ in entry.phrases:
            assert "…" not in _compile(rest).pattern
    for name in signals():
        assert (unless := _unless(name)) is None or "…" not in unless.pattern


def test_a_figure_of_speech_hides_only_itself() -> None:
    """A true danger beside a figure of speech is still found, where it stands."""
    text = "I can't recall who sold it, but the plug sparked"
    assert [text[found.start : found.end] for found in find_signals(text) if found.name == "danger"] == ["sparked"]


def test_words_for_a_card_are_short() -> None:
    """What a card says of a signal fits beside others."""
    assert all(0 < len(signal.words) <= 32 for signal in signals().values())


@pytest.mark.parametrize(
    ("name", "plain"), [("TeamYouTube", "youtube"), ("Halcyon Air", "halcyonair"), ("hulu_support", "hulu")]
)
def test_names_are_reduced(name: str, plain: str) -> None:
    """A support handle and its brand are the same name."""
    assert plain_name(name) == plain
