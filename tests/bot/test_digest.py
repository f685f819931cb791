"""The digest as a value, and its words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation import Actor, Conversation, DismissReason, State
from bot.digest import DeafStretch, DigestFacts, build_digest, duration, period_start, to_text
from bot.records import CardView, FeedState
from tests.bot.flow_fixtures import NOW, assess, mention

QUIET_DAY = DigestFacts(since=NOW - timedelta(days=1), until=NOW, now=NOW, heard=12, waits=(60.0,))
DEAF = DeafStretch("hn", NOW - timedelta(hours=3), None, "It asks us to slow down.")
QUIET = DeafStretch("hn", NOW - timedelta(hours=3), None, "about 12 an hour")
ALL_GOOD = "Every card is answered or settled."


def view(number: int, grade: int = 2, hours: float = 2, owner: Actor | None = None, text: str = "it leaks") -> CardView:
    """Return an unanswered conversation."""
    heard_at = NOW - timedelta(hours=hours)
    state = State.CLAIMED if owner else State.SHOWN
    conversation = Conversation(
        number, state, "hackernews", "hn", f"author{number}", "", 50.0, grade, heard_at, heard_at, owner
    )
    return CardView(conversation, number, mention(str(number), text), assess(text), channel="C1", message_ts="1.1")


def test_good_news_where_it_is_sure() -> None:
    """With every feed heard and nothing unanswered the headline says so."""
    assert build_digest(QUIET_DAY).headline == ALL_GOOD


@given(
    gaps=st.lists(st.sampled_from([DEAF, replace(DEAF, ended_at=NOW)]), max_size=2),
    doubts=st.lists(st.sampled_from([QUIET, replace(QUIET, ended_at=NOW)]), max_size=2),
    is_unheard=st.booleans(),
    unanswered=st.integers(0, 3),
    unshown=st.integers(0, 3),
    budget=st.integers(0, 3),
    expired=st.integers(0, 3),
)
def test_silence_is_never_a_clean_bill(
    *,
    gaps: list[DeafStretch],
    doubts: list[DeafStretch],
    is_unheard: bool,
    unanswered: int,
    unshown: int,
    budget: int,
    expired: int,
) -> None:
    """The good headline appears exactly where nothing is unanswered, unheard, unshown or expired; gaps always show."""
    unheard = [FeedState("rss", "feeds", None, None, None)] if is_unheard else []
    facts = replace(
        QUIET_DAY,
        gaps=gaps,
        doubts=doubts,
        never_heard=unheard,
        unanswered=[view(number) for number in range(unanswered)],
        unanswered_count=unanswered,
        unshown=unshown,
        quiet={"budget": budget, "line": 4},
        expired=expired,
    )
    digest = build_digest(facts)
    is_all_good = not (gaps or doubts or unheard or unanswered or unshown or budget or expired)
    assert (digest.headline == ALL_GOOD) is is_all_good
    assert ("Every card" in to_text(digest)) is is_all_good
    assert bool(digest.warnings) is bool(gaps or doubts or unheard)


def test_an_unusual_silence_is_a_doubt_not_a_gap() -> None:
    """Where a feed answers and brings nothing, nobody knows; beside a gap, the gap is what is sure."""
    doubtful = replace(QUIET_DAY, doubts=[QUIET, replace(QUIET, feed="blog", ended_at=NOW)])
    digest = build_digest(doubtful)
    assert digest.headline == (
        "Nothing that was heard waits for an answer, but it is not sure that everything was heard."
    )
    usual = "where it usually brings about 12 an hour."
    assert digest.warnings == (
        f"hn answers, but has brought nothing since Mon 02 Mar 07:00, {usual}",
        f"blog answered, but brought nothing from Mon 02 Mar 07:00 to Mon 02 Mar 10:00, {usual}",
    )
    headline = build_digest(replace(doubtful, gaps=[DEAF])).headline
    assert headline == "Nothing that was heard waits for an answer, but not everything was heard."


def test_a_deaf_feed_is_named_with_its_time_and_reason() -> None:
    """The team reads which feed, since when in its own time zone, and why."""
    digest = build_digest(replace(QUIET_DAY, gaps=[DEAF]), "Europe/Berlin")
    assert digest.warnings == ("hn is deaf since Mon 02 Mar 08:00: It asks us to slow down.",)
    assert digest.headline == "Nothing that was heard waits for an answer, but not everything was heard."


def test_a_gap_that_ended_is_told_once_for_each_feed() -> None:
    """A feed that flapped is one line with how often and the last time."""
    gaps = [DeafStretch("hn", NOW - timedelta(hours=h), NOW - timedelta(hours=h - 1), "Down.") for h in (9, 5)]
    warnings = build_digest(replace(QUIET_DAY, gaps=gaps)).warnings
    assert warnings == ("hn was deaf 2 times, the last time from Mon 02 Mar 05:00 to Mon 02 Mar 06:00: Down.",)


def test_a_feed_that_was_never_heard_is_told() -> None:
    """A feed that is set up and never answered is no silence to trust; one that is told as deaf is told once."""
    state = FeedState("rss", "feeds", None, None, None, "The address does not exist.")
    digest = build_digest(replace(QUIET_DAY, never_heard=[state]))
    assert digest.warnings == ("rss was never heard: The address does not exist.",)
    deaf = replace(DEAF, feed="rss")
    assert len(build_digest(replace(QUIET_DAY, never_heard=[state], gaps=[deaf])).warnings) == 1


def test_an_unanswered_line_holds_what_one_needs() -> None:
    """Number, words, author, place, age, owner and link stand on the line."""
    facts = replace(
        QUIET_DAY,
        unanswered=[view(7, grade=3, hours=50), view(8, owner=Actor("U1", "Ana Lima"), hours=0.7)],
        unanswered_count=14,
        urgent_count=1,
    )
    digest = build_digest(facts)
    assert digest.headline == "14 conversations wait for an answer, 1 of them urgent."
    assert to_text(digest).splitlines()[1:4] == [
        "! #7 it leaks (author7 on Hacker News, 2 days old, nobody has it) https://place.example/7",
        "  #8 it leaks (author8 on Hacker News, 42 min old, Ana Lima has it) https://place.example/8",
        "+12 more",
    ]
    assert (digest.lines[0].channel, digest.lines[0].message_ts, digest.lines[0].is_urgent) == ("C1", "1.1", True)


def test_one_is_not_many() -> None:
    """A single conversation waits, in the singular."""
    facts = replace(QUIET_DAY, unanswered=[view(1)], unanswered_count=1)
    assert build_digest(facts).headline == "1 conversation waits for an answer."


def test_long_and_broken_words_stand_on_one_line() -> None:
    """An excerpt is one line and ends with an ellipsis; of a removed post it says so."""
    long = view(1, text="word\n" * 100)
    gone = replace(view(2), is_removed=True)
    digest = build_digest(replace(QUIET_DAY, unanswered=[long, gone], unanswered_count=2))
    assert len(digest.lines[0].excerpt) <= 140
    assert "\n" not in digest.lines[0].excerpt
    assert digest.lines[0].excerpt.endswith("…")
    assert digest.lines[1].excerpt == "(taken down by its author)"


def test_the_rest_is_counted_by_cause_and_reason() -> None:
    """Quiet by cause, dismissed by reason, answers with their median, and sends nobody is sure of."""
    facts = replace(
        QUIET_DAY,
        waits=(60.0, 2460.0, 90_000.0),
        quiet={"line": 20, "budget": 10, "copy": 1},
        dismissed={DismissReason.SPAM: 3, DismissReason.NOT_US: 1},
        unsure=1,
        expired=2,
    )
    digest = build_digest(facts)
    assert digest.quiet == "31 kept quiet: 20 below the line, 10 over the day's budget, 1 the same as another."
    assert digest.dismissed == "4 dismissed: 1 not about us, 3 spam or promotion."
    assert digest.answered == (
        "3 conversations were answered; half of them within 41 min."
        " Of 1 reply it is not known whether it was posted; please look."
        " 2 conversations ran out of time without an answer."
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "less than a minute"),
        (59, "less than a minute"),
        (60, "1 min"),
        (89 * 60, "89 min"),
        (90 * 60, "1 h"),
        (47.9 * 3600, "47 h"),
        (48 * 3600, "2 days"),
        (20 * 86_400, "20 days"),
    ],
)
def test_spans_in_words(seconds: float, words: str) -> None:
    """A span is said as people say it."""
    assert duration(seconds) == words


def test_the_period_begins_at_the_last_digest() -> None:
    """Monday tells of the weekend; the first one tells of a day; none tells of months."""
    assert period_start(NOW, NOW - timedelta(days=3)) == NOW - timedelta(days=3)
    assert period_start(NOW, None) == NOW - timedelta(days=1)
    assert period_start(NOW, NOW - timedelta(days=90)) == NOW - timedelta(days=7)
