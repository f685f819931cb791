"""Batches in; all of it stored, or none."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest

from bot.clock import ManualClock
from bot.intake import UNREADABLE
from bot.store import Store, feed_rows
from listeners.mention import Author, Batch, Mention
from nlp.assessment import Assessment
from tests.bot.flow_fixtures import (
    NOW,
    ExactGrouper,
    MarkAssessor,
    batch,
    build_intake,
    mention,
    number_of,
    one,
)


def test_the_report_says_what_became_of_it(store: Store) -> None:
    """Everything heard is counted once, by what became of it."""
    intake = build_intake(store, grouper=ExactGrouper())
    posts = [mention("a"), mention("b"), mention("c", "chatter"), mention("a")]
    report = intake.take([batch(*posts, refused=("f.jsonl, line 3: no text",))])
    assert (report.heard, report.new, report.shown, report.grouped) == (4, 3, 1, 1)
    assert report.quiet == {"copy": 1, "line": 1}
    assert report.refused == ("f.jsonl, line 3: no text",)


def test_many_batches_of_many_feeds_are_one_transaction(store: Store) -> None:
    """Each feed stands at its own newest cursor; one without a new cursor stands where it stood."""
    intake = build_intake(store)
    intake.take([("one", batch(mention("a"), cursor="1")[1]), ("two", batch(mention("b"), cursor="9")[1])])
    intake.take([("one", batch(mention("c"), cursor="2")[1]), ("two", batch()[1]), ("one", batch(cursor="3")[1])])
    assert [feed_rows.cursor_of(store.read(), feed) for feed in ("one", "two")] == ["3", "9"]
    assert one(store, "select mentions from feed where name = 'one'") == 2


def test_known_posts_are_not_assessed(store: Store) -> None:
    """A repeat costs a look-up, no thinking."""
    assessor = MarkAssessor()
    intake = build_intake(store, assessor=assessor)
    intake.take([batch(mention("a"), mention("b"))])
    intake.take([batch(mention("a"), mention("b"), mention("c"))])
    intake.take([batch(mention("a"))])
    assert assessor.calls == [2, 1]


def test_a_transaction_that_fails_leaves_nothing_behind(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is stored, the cursor stays, and the grouping forgets: the same post is no copy of itself later."""
    grouper = ExactGrouper()
    intake = build_intake(store, grouper=grouper)

    def fail(*_: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(feed_rows, "write_heard", fail)
        with pytest.raises(OSError, match="disk full"):
            intake.take([batch(mention("a", "same"), cursor="c1")])
    assert one(store, "select count(*) from mention") == 0
    assert grouper.texts == {}
    report = intake.take([batch(mention("a", "same"), cursor="c1")])
    assert (report.shown, report.grouped) == (1, 0)


def test_a_post_that_nlp_fails_on_is_read_by_a_person(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """One bad post costs the others nothing, and gets a card of its own that says so."""
    intake = build_intake(store, assessor=MarkAssessor(poison="☠"))
    with caplog.at_level(logging.ERROR):
        report = intake.take([batch(mention("a"), mention("b", "☠"), mention("c", "chatter"))])
    assert (report.new, report.shown) == (3, 2)
    view = store.card_view(number_of(store, "b"))
    assert view is not None
    assert view.assessment.reasons == UNREADABLE.reasons
    assert "poisoned" in caplog.text


def test_too_few_assessments_are_an_error(store: Store) -> None:
    """A post without an assessment is never stored as if it had another's."""

    class Short(MarkAssessor):
        def assess(self, mentions: Sequence[Mention]) -> list[Assessment]:
            return super().assess(mentions)[1:]

    with pytest.raises(RuntimeError, match="1 assessments for 2"):
        build_intake(store, assessor=Short()).take([batch(mention("a"), mention("b"))])


def test_a_post_that_cannot_be_a_row_is_refused_alone(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever a platform's file got wrong in one post, the others are stored and the cursor moves on."""
    broken = mention("bad")
    object.__setattr__(broken, "created_at", None)
    intake = build_intake(store)
    intake.replayed.add("feed")
    with caplog.at_level(logging.ERROR):
        report = intake.take([batch(mention("a"), broken, mention("b"), cursor="c")])
    assert report.new == 2
    assert report.refused == ("feed: the post 'bad' holds values that cannot be kept.",)
    assert feed_rows.cursor_of(store.read(), "feed") == "c"


def test_what_the_brand_posts_itself_is_no_mention(store: Store) -> None:
    """Our own accounts are left out, however their handle is written."""
    intake = build_intake(store, own_handles=("@OurKettles",))
    report = intake.take([batch(mention("a", author=Author("ourkettles")), mention("b"))])
    assert (report.heard, report.new) == (2, 1)


def test_a_mention_without_a_feed_is_of_the_feed_that_brought_it(store: Store) -> None:
    """The way back for an answer is always known."""
    build_intake(store).take([batch(mention("a"))])
    assert one(store, "select feed from mention") == one(store, "select feed from conversation") == "feed"


def notices(store: Store) -> list[str]:
    """Return what the operator is to be told, in order."""
    sql = "select payload from job where kind = 'notice' order by id"
    return [payload for (payload,) in store.read().execute(sql).fetchall()]


def test_what_a_feed_has_to_say_is_told_once_a_month(store: Store) -> None:
    """The same sentence, in one look, in the next one and after a restart, is one message; next month it is news."""
    clock = ManualClock(NOW)
    for _ in range(3):
        build_intake(store, clock).take([batch(notices=("It listens less.", "It listens less.")), batch()])
        clock.advance(86_400)
    build_intake(store, clock).take([("other", batch(notices=("It listens less.",))[1])])
    assert notices(store) == ["feed: It listens less.", "other: It listens less."]
    while job := store.take_job(clock.now()):
        store.finish_job(job, clock.now())
    clock.advance(31 * 86_400)
    build_intake(store, clock).take([batch(notices=("It listens less.",))])
    assert notices(store) == ["feed: It listens less.", "other: It listens less.", "feed: It listens less."]


def test_a_feed_cannot_flood_the_operator(store: Store) -> None:
    """A sentence that is another one each time is told so often and no more; other feeds have their own say."""
    intake = build_intake(store)
    for number in range(10):
        intake.take([batch(notices=tuple(f"It counts {number}.{each}." for each in range(10)))])
    intake.take([("other", batch(notices=("It works.",))[1])])
    assert len(notices(store)) == feed_rows.MOST_NOTICES + 1


def test_a_notice_is_told_with_its_batch_or_not_at_all(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the transaction fails the sentence is still to be told."""

    def fail(*_: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(feed_rows, "write_spend", fail)
        with pytest.raises(OSError, match="disk full"):
            build_intake(store).take([batch(notices=("It listens less.",), cost_micros=1)])
    assert notices(store) == []
    build_intake(store).take([batch(notices=("It listens less.",))])
    assert notices(store) == ["feed: It listens less."]


def test_what_is_heard_and_looked_at_again_in_one_go(store: Store) -> None:
    """A post that is new by one batch and looked at again by the next is heard; only the first moves the cursor."""
    intake = build_intake(store)
    intake.platforms["feed"] = "place"
    again = Batch((mention("a", "newer words"), mention("b")), cursor="9", checked=("a", "b"))
    report = intake.take([batch(mention("a"), cursor="1"), ("feed", again)])
    assert (report.heard, report.new) == (1, 1)
    assert one(store, "select text from mention") == "newer words"
    assert feed_rows.cursor_of(store.read(), "feed") == "1"


def test_newer_words_in_the_same_look_win(store: Store) -> None:
    """A post that comes twice in one look is stored with its last words."""
    build_intake(store).take([batch(mention("a", "old")), batch(mention("a", "new"))])
    assert one(store, "select text from mention") == "new"
    assert one(store, "select count(*) from revision") == 0


def test_another_writer_between_thinking_and_writing_doubles_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`cuecard replay` beside the bot: what the other stored meanwhile is left out, its conversation joined."""
    other = build_intake(store)
    assessor = MarkAssessor()
    assess = assessor.assess

    def assess_slowly(mentions: Sequence[Mention]) -> list[Assessment]:
        other.take([batch(mention("a", thread_id="t", author=Author("kim")))])
        return assess(mentions)

    monkeypatch.setattr(assessor, "assess", assess_slowly)
    posts = [mention(each, thread_id="t", author=Author("kim")) for each in "ab"]
    report = build_intake(store, assessor=assessor).take([batch(*posts)])
    assert report.new == 1
    assert one(store, "select count(*) from conversation") == 1
    assert one(store, "select mentions from conversation") == 2


def test_the_budget_is_that_of_the_local_day(store: Store) -> None:
    """Cards of yesterday, in the team's own time zone, do not use up today's."""
    clock = ManualClock(NOW.replace(hour=22, minute=30))
    intake = build_intake(store, clock, timezone="Europe/Berlin")
    intake.take([batch(mention("a"))])
    store.record_message(number_of(store, "a"), "C1", "17.1", clock.now())
    clock.advance(20)
    intake.take([batch()])
    assert intake._shown_today == 1
    clock.advance(3600)
    intake.take([batch()])
    assert intake._shown_today == 0


def test_numbers_of_the_grouping_are_not_kept_for_ever(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What links copies to their conversation is bounded."""
    monkeypatch.setattr("bot.intake.REMEMBERED", 10)
    intake = build_intake(store, grouper=ExactGrouper())
    intake.take([batch(*(mention(str(each), f"words {each}") for each in range(50)))])
    assert len(intake._key_of) == 10


def test_copies_of_a_lead_long_forgotten_are_one_card_still(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the grouping knows a lead that intake forgot, the first copy leads the next ones."""
    monkeypatch.setattr("bot.intake.REMEMBERED", 5)
    intake = build_intake(store, grouper=ExactGrouper())
    intake.take([batch(mention("lead", "same"))])
    intake.take([batch(*(mention(str(each), f"words {each}") for each in range(10)))])
    report = intake.take([batch(*(mention(f"copy{each}", "same") for each in range(10)))])
    assert (report.shown, report.grouped) == (1, 9)
