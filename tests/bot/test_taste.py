"""Learning from the team: which decisions are labels, when to look at them, and what is told of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from seeds import ANA, BEN, NOW, a_mention, an_assessment, hear, newest_mention, shaped
from taste_team import LATER, WORDS, MarkReader, answer, anything, hear_one, team_up

from bot import decisions
from bot.conversation import DismissReason
from bot.records import JobKind
from bot.scheduler import expire_old
from bot.store import Store, erasure
from bot.store import taste as rows
from bot.store.conversations import reopen
from bot.store.taste import Decision, Look
from bot.taste import (
    LOOK_EVERY,
    Label,
    Learner,
    is_due,
    label_of,
    learn_from_team,
    study,
)
from bot.taste_words import say_moves, score
from listeners.mention import Author, Removal


@pytest.fixture
def reader() -> MarkReader:
    """A reader of marks."""
    return MarkReader()


def told(store: Store) -> list[Decision]:
    """Return the decisions that may be learned from."""
    return rows.decisions(store.read(), anything)


def labels(store: Store) -> list[tuple[str, bool, float]]:
    """Return what the decisions say, in order."""
    return [(each.words, each.is_answered, each.weight) for each in map(label_of, told(store))]


def test_each_reason_of_a_dismissal_is_a_label():
    """'Answered elsewhere' deserved an answer; every other reason says that the post is better left alone."""
    said = {reason: label_of(Decision(1, a_mention(), "dismissed", NOW, reason)) for reason in DismissReason}
    assert {reason for reason, label in said.items() if label.is_answered} == {DismissReason.ANSWERED_ELSEWHERE}
    assert said[DismissReason.SPAM] == Label("dismissed: spam or promotion", is_answered=False, weight=1.0)
    assert said[DismissReason.ANSWERED_ELSEWHERE].weight < 1


def test_a_reply_that_was_sent_is_an_answer(store: Store):
    """What the platform confirmed counts in full, for the very post it went to."""
    number = hear_one(store)
    answer(store, number)
    assert labels(store) == [("answered", True, 1.0)]
    assert told(store)[0].mention.native_id == "1"


def test_a_reply_confirmed_by_hand_is_an_answer(store: Store):
    """So does what a person says they posted; before they say so it is none."""
    number = hear_one(store)
    decisions.claim(store, number, ANA, NOW)
    decisions.approve(
        store, number, newest_mention(store, number), WORDS, "", shaped(WORDS), "by_hand", ANA, NOW, timedelta(0)
    )
    assert told(store) == []
    decisions.confirm_by_hand(store, number, "", ANA, LATER)
    assert labels(store) == [("answered", True, 1.0)]


def test_a_reply_that_was_undone_is_none(store: Store):
    """Within the hold nothing is decided yet."""
    number = hear_one(store)
    decisions.claim(store, number, ANA, NOW)
    decisions.approve(
        store, number, newest_mention(store, number), WORDS, "", shaped(WORDS), "api", ANA, NOW, timedelta(seconds=30)
    )
    decisions.undo(store, number, BEN, NOW + timedelta(seconds=5))
    assert told(store) == []


def test_a_dismissal_that_was_taken_back_is_none(store: Store):
    """The last state counts: restored it says nothing, dismissed again it says the newer reason."""
    number = hear_one(store)
    decisions.dismiss(store, number, DismissReason.SPAM, ANA, NOW)
    assert [each.reason for each in told(store)] == [DismissReason.SPAM]
    decisions.restore(store, number, ANA, LATER)
    assert told(store) == []
    decisions.dismiss(store, number, DismissReason.NOT_US, ANA, LATER + timedelta(minutes=1))
    assert [each.reason for each in told(store)] == [DismissReason.NOT_US]


def test_what_was_handed_over_counts_half_until_it_is_taken_back(store: Store):
    """Somebody was to answer it; a teammate who takes it again undoes that."""
    number = hear_one(store)
    decisions.hand_over(store, number, "legal has it", ANA, NOW)
    assert labels(store) == [("handed over", True, 0.5)]
    decisions.claim(store, number, BEN, LATER)
    assert told(store) == []


def test_an_expired_card_says_little_and_one_that_nobody_saw_nothing(store: Store):
    """What was never shown ran out of time without anybody's judgement."""
    hear_one(store, "1")
    quiet = hear(store, a_mention("2"), cause="line")
    with store.transaction() as db:
        db.execute("update mention set may_train = 1 where native_id = '2'")
    expire_old(store, timedelta(days=14), NOW + timedelta(days=20))
    view = store.card_view(quiet)
    assert view is not None
    assert view.conversation.state == "expired"
    assert labels(store) == [("shown, and left until it expired", False, 0.2)]


def test_a_decision_is_about_what_was_there_when_it_was_made(store: Store):
    """An answer stays the answer to its post; what the author wrote later and was dismissed is a second label."""
    kim = Author("kim", native_id="k")
    number = hear_one(store, "1", thread_id="t", author=kim)
    answer(store, number)
    hear(store, a_mention("2", "and another thing", thread_id="t", author=kim), now=NOW + timedelta(hours=1))
    with store.transaction() as db:
        db.execute("update mention set may_train = 1 where native_id = '2'")
    decisions.dismiss(store, number, DismissReason.NO_REPLY_NEEDED, ANA, NOW + timedelta(hours=2))
    found = told(store)
    assert [(each.mention.native_id, each.outcome) for each in found] == [("1", "answered"), ("2", "dismissed")]
    hear(
        store,
        a_mention("3", "thanks", thread_id="t", author=kim),
        an_assessment(0, closes=True),
        now=NOW + timedelta(hours=3),
    )
    assert told(store) == found


def test_of_two_decisions_on_one_post_the_last_counts(store: Store):
    """An answered conversation that is opened again and dismissed without new words is left alone."""
    number = hear_one(store)
    answer(store, number)
    assert len(told(store)) == 1
    with store.transaction() as db:
        reopen(db, number, LATER)
    decisions.dismiss(store, number, DismissReason.BETTER_LEFT_ALONE, ANA, LATER + timedelta(minutes=1))
    assert [each.outcome for each in told(store)] == ["dismissed"]


def test_posts_that_may_not_train_are_never_read(store: Store, reader: MarkReader):
    """Neither their decisions nor their words reach the learner."""
    decisions.dismiss(store, hear_one(store, "1", text="closed source", may_train=False), DismissReason.SPAM, ANA, NOW)
    decisions.dismiss(store, hear_one(store, "2", text="open source"), DismissReason.SPAM, ANA, NOW)
    study(store, reader, anything, LATER)
    assert set(reader.read_texts) == {"open source"}


def test_posts_that_are_gone_are_never_read(store: Store, reader: MarkReader):
    """What its author took down, and what a person had erased, teaches nothing any more."""
    for native_id in "123":
        number = hear_one(store, native_id, text=f"words {native_id}")
        decisions.dismiss(store, number, DismissReason.SPAM, ANA, NOW)
    with store.transaction() as db:
        erasure.write_removals(db, [Removal("stage", NOW, native_id="1")], LATER)
    store.forget_post("stage:2", LATER)
    study(store, reader, anything, LATER)
    assert set(reader.read_texts) == {"words 3"}


def test_too_few_decisions_change_nothing(store: Store, reader: MarkReader):
    """The look is on record with why; nobody is told."""
    team_up(store, 20)
    Learner(reader, anything).look(store, LATER)
    look = rows.look(store.read())
    assert (look.looked_at, look.settled, look.decisions) == (LATER, 20, 20)
    assert look.said.startswith("20 decisions, 10 of them answers: too few")
    assert store.take_job(LATER, [JobKind.NOTICE]) is None
    assert reader.corrected == []


def test_a_team_whose_sources_may_not_train_is_told_why_nothing_is_learned(store: Store, reader: MarkReader):
    """Decisions that are left out are no riddle: the look says where the others are."""
    team_up(store)
    said = learn_from_team(store, reader, lambda _feed, _platform: False, LATER)
    assert said.startswith("0 decisions, 0 of them answers: too few")
    assert said.endswith("settled 120 conversations: most of their posts may not train (`may_train`), or are gone.")


@pytest.mark.parametrize(
    ("new", "hours", "due"),
    [(24, 1, False), (25, 1, False), (50, 1, True), (9, 48, False), (10, 23, False), (10, 24, True)],
)
def test_when_to_look_again(new: int, hours: int, due: bool):
    """After a quarter more decisions, or daily where there are a few; never while it is paused."""
    look = Look(NOW, settled=200, decisions=200)
    now = NOW + timedelta(hours=hours)
    assert is_due(look, 200 + new, now) is due
    assert is_due(look, 200, now, fits=False)
    paused = Look(NOW, 200, 200, paused_at=NOW)
    assert not is_due(paused, 900, now, fits=False)
    assert timedelta(days=1) >= LOOK_EVERY


def test_the_first_look_is_due_at_once():
    """A bot that never looked does so at its first turn."""
    assert is_due(Look(), 0, NOW)
    assert is_due(Look(NOW, 0, 0), 25, NOW)


def test_the_table_of_a_teams_decisions(store: Store, reader: MarkReader):
    """All decisions, those a correction may lower, and each reason against its opposite."""
    team_up(store)
    answer(store, hear_one(store, "901", text="praise 901"))
    scores = {each.words: each for each in score(study(store, reader, anything, LATER))}
    assert {words: each.decisions for words, each in scores.items()} == {
        "all decisions": 121,
        "those below grade 3": 121,
        "handed over": 60,
        "dismissed: needs no reply": 60,
        "answered": 1,
    }
    everything = scores["all decisions"]
    assert everything.after > everything.before + 0.05


def test_moves_are_said_in_words():
    """At most three each way, the strongest first; nothing where nothing has a name."""
    assert say_moves({"praise": 0.5, "complaint": 2.0, "churn_risk": -0.7}) == (
        " It ranks higher: complaints, praise; lower: people who are leaving."
    )
    places = {"platform:hackernews": 1.5, "platform:other": 1.0, "brand:halcyon air": -2.0}
    assert say_moves(places) == (
        " It ranks higher: posts on Hacker News, posts on other; lower: posts about 'halcyon air'."
    )
    assert say_moves({"made up": 3.0}) == ""


def test_the_settled_are_counted_by_their_index(store: Store):
    """What is asked every ten minutes costs no walk through the record."""
    plan = store.read().execute(
        f"explain query plan select count(*) from event where {rows._IS_SETTLED} and after <> 'expired'"  # noqa: S608
    )
    assert "event_settled" in str(plan.fetchall())
    decisions.dismiss(store, hear_one(store), DismissReason.SPAM, ANA, NOW)
    assert rows.settled_count(store.read()) == 1
