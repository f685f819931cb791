"""Writing down what was heard."""

from __future__ import annotations

import itertools
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot import decisions
from bot.clock import ManualClock
from bot.conversation import Actor, DismissReason, State
from bot.records import JobKind
from bot.store import Store, feed_rows
from listeners.mention import Author, Gap, Removal
from tests.bot.flow_fixtures import NOW, Cards, ExactGrouper, batch, build_intake, mention, number_of, one

ANA = Actor("U1", "Ana Lima")
KIM = Author("kim", "Kim", native_id="k1")


def state_of(store: Store, native_id: str) -> State:
    """Return the state of the conversation that a mention is in."""
    found = store.conversation(number_of(store, native_id))
    assert found is not None
    return found.state


def cards_waiting(store: Store) -> list[int]:
    """Return the conversations whose card is asked for, in order."""
    sql = "select key from job where kind = 'card' and state = 'pending' order by cast(key as integer)"
    return [int(key) for (key,) in store.read().execute(sql).fetchall()]


def finish_jobs(store: Store) -> None:
    """Post every card that waits."""
    while job := store.take_job(NOW + timedelta(days=30)):
        if job.kind is JobKind.CARD:
            store.record_message(int(job.key), "C1", f"17.{job.id}", NOW, job)
        else:
            store.finish_job(job, NOW)


def test_a_mention_its_conversation_card_and_cursor_are_stored_together(store: Store) -> None:
    """One look at a feed leaves a mention, a new conversation with its first record, a card job and the cursor."""
    build_intake(store).take([batch(mention("a"), cursor="c1")])
    number = number_of(store, "a")
    assert state_of(store, "a") is State.NEW
    assert cards_waiting(store) == [number]
    assert [(entry.event, entry.before, entry.after) for entry in store.history(number)] == [("hear", "", "new")]
    assert feed_rows.cursor_of(store.read(), "feed") == "c1"


def test_a_repeat_changes_nothing(store: Store) -> None:
    """The same post, heard three times, twice in one look, is one mention."""
    intake = build_intake(store)
    first = intake.take([batch(mention("a"), mention("a"), cursor="c1")])
    second = intake.take([batch(mention("a"), cursor="c2")])
    assert (first.new, second.new) == (1, 0)
    assert one(store, "select count(*) from mention") == one(store, "select count(*) from conversation") == 1
    assert one(store, "select mentions from feed") == 1
    assert feed_rows.cursor_of(store.read(), "feed") == "c2"


def test_below_the_line_is_quiet_and_asks_for_no_card(store: Store) -> None:
    """Chatter is kept and searchable, with its cause on record, and Slack hears nothing of it."""
    report = build_intake(store).take([batch(mention("a", "just chatter about kettles"))])
    number = number_of(store, "a")
    assert report.quiet == {"line": 1}
    assert state_of(store, "a") is State.QUIET
    assert one(store, "select quiet_cause from conversation") == "line"
    assert store.history(number)[-1].detail == "below the line"
    assert cards_waiting(store) == []
    assert [view.conversation.id for view in store.search("kettles")] == [number]


def test_an_author_in_one_thread_is_one_conversation(store: Store) -> None:
    """Two posts by one author in a thread are one conversation, whose newest mention is the later one."""
    intake = build_intake(store)
    early = mention("a", "it leaks [40]", thread_id="t", author=KIM, created_at=NOW - timedelta(minutes=9))
    late = mention("b", "it leaks a lot [70]", thread_id="t", author=KIM)
    intake.take([batch(late)])
    intake.take([batch(early)])
    view = store.card_view(number_of(store, "a"))
    assert view is not None
    assert (view.mention.native_id, view.earlier, view.conversation.priority) == ("b", 1, 70.0)


def test_two_mentions_of_a_new_conversation_in_one_look_are_one_conversation(store: Store) -> None:
    """However a feed cuts its batches, the same conversation comes of them."""
    posts = [mention("a", "chatter", thread_id="t", author=KIM), mention("b", "urgent [9]", thread_id="t", author=KIM)]
    report = build_intake(store).take([batch(*posts)])
    assert (report.new, report.shown, one(store, "select count(*) from conversation")) == (2, 1, 1)
    assert one(store, "select grade from conversation") == 3
    assert one(store, "select mentions from conversation") == 2


def test_other_authors_in_the_thread_are_other_conversations(store: Store) -> None:
    """The thread is shared, the person to answer is not."""
    build_intake(store).take([batch(mention("a", thread_id="t"), mention("b", thread_id="t"))])
    assert one(store, "select count(*) from conversation") == 2


def test_the_author_writing_again_raises_an_open_conversation(store: Store) -> None:
    """An open conversation ranks by the worst its author said, and its card is redrawn."""
    intake = build_intake(store)
    intake.take([batch(mention("a", "it leaks [60]", thread_id="t", author=KIM))])
    finish_jobs(store)
    intake.take([batch(mention("b", "urgent now [30]", thread_id="t", author=KIM))])
    found = store.conversation(number_of(store, "a"))
    assert found is not None
    assert (found.state, found.grade, found.priority) == (State.SHOWN, 3, 60.0)
    assert cards_waiting(store) == [found.id]


def test_a_settled_conversation_opens_again_to_its_owner(store: Store) -> None:
    """Who dismissed it after claiming it has it back when the author writes again."""
    intake = build_intake(store)
    intake.take([batch(mention("a", thread_id="t", author=KIM))])
    finish_jobs(store)
    number = number_of(store, "a")
    assert decisions.claim(store, number, ANA, NOW).is_done
    assert decisions.dismiss(store, number, DismissReason.NO_REPLY_NEEDED, ANA, NOW).is_done
    report = intake.take([batch(mention("b", "it leaks again [20]", thread_id="t", author=KIM))])
    found = store.conversation(number)
    assert found is not None
    assert (report.reopened, found.state, found.owner, found.priority) == (1, State.CLAIMED, ANA, 20.0)


def test_thanks_does_not_open_it_again(store: Store) -> None:
    """A message that only closes the thread leaves it settled, and is on its card."""
    intake = build_intake(store)
    intake.take([batch(mention("a", thread_id="t", author=KIM))])
    finish_jobs(store)
    number = number_of(store, "a")
    decisions.dismiss(store, number, DismissReason.ANSWERED_ELSEWHERE, ANA, NOW)
    finish_jobs(store)
    intake.take([batch(mention("b", "thanks, works", thread_id="t", author=KIM))])
    assert state_of(store, "a") is State.DISMISSED
    assert one(store, "select grade from conversation where id = ?", number) == 2
    assert cards_waiting(store) == [number]


def test_a_quiet_one_comes_forward_when_it_turns_serious(store: Store) -> None:
    """Chatter, then more chatter, stays quiet; then what must be answered now makes a card."""
    intake = build_intake(store)
    intake.take([batch(mention("a", "chatter", thread_id="t", author=KIM))])
    intake.take([batch(mention("b", "chatter still", thread_id="t", author=KIM))])
    assert (state_of(store, "a"), cards_waiting(store)) == (State.QUIET, [])
    intake.take([batch(mention("c", "urgent", thread_id="t", author=KIM))])
    assert (state_of(store, "a"), cards_waiting(store)) == (State.SHOWN, [number_of(store, "a")])


def test_two_hundred_copies_make_one_card(store: Store) -> None:
    """Two hundred people who paste the same words are one card that counts them, however they were batched."""
    intake = build_intake(store, grouper=ExactGrouper())
    for start in range(0, 200, 50):
        intake.take([batch(*(mention(str(each), "boycott the kettle") for each in range(start, start + 50)))])
    lead = store.card_view(number_of(store, "0"))
    assert lead is not None
    assert lead.copies == 199
    assert cards_waiting(store) == [lead.conversation.id]
    assert one(store, "select count(*) from conversation where state = 'quiet' and quiet_cause = 'copy'") == 199


def test_a_copy_whose_author_writes_on_gets_a_card_of_its_own(store: Store) -> None:
    """Who pasted the words and then asks for themselves is a person to answer."""
    intake = build_intake(store, grouper=ExactGrouper())
    intake.take([batch(mention("a", "same"), mention("b", "same", thread_id="t", author=KIM))])
    intake.take([batch(mention("c", "and mine leaks", thread_id="t", author=KIM))])
    lead = store.card_view(number_of(store, "a"))
    assert lead is not None
    assert lead.copies == 0
    assert (state_of(store, "b"), one(store, "select count(*) from conversation where lead_id is not null")) == (
        State.SHOWN,
        0,
    )


def test_the_same_words_after_the_answer_need_an_answer_of_their_own(store: Store) -> None:
    """A copy never hides behind a conversation that rests; the new one then leads the next copies."""
    intake = build_intake(store, grouper=ExactGrouper())
    intake.take([batch(mention("a", "same"))])
    finish_jobs(store)
    number = number_of(store, "a")
    decisions.claim(store, number, ANA, NOW)
    decisions.hand_over(store, number, "billing", ANA, NOW)
    intake.take([batch(mention("b", "same"))])
    intake.take([batch(mention("c", "same"))])
    assert (state_of(store, "b"), state_of(store, "c")) == (State.NEW, State.QUIET)
    assert one(store, "select lead_id from conversation where id = ?", number_of(store, "c")) == number_of(store, "b")


def test_copies_are_known_after_a_restart(store: Store) -> None:
    """A new intake remembers what the store holds."""
    build_intake(store, grouper=ExactGrouper()).take([batch(mention("a", "same"))])
    report = build_intake(store, grouper=ExactGrouper()).take([batch(mention("b", "SAME"))])
    assert report.grouped == 1


def test_a_post_taken_down_takes_its_words_along(store: Store) -> None:
    """Text, title, name, what it answered, earlier versions and the index are emptied; a card nobody holds rests."""
    intake = build_intake(store)
    intake.take([batch(mention("a", "private words", title="secret", parent_text="hidden"))])
    finish_jobs(store)
    intake.take([batch(mention("a", "private words, edited"))])
    finish_jobs(store)
    report = intake.take([batch(removals=(Removal("place", NOW, native_id="a"),))])
    view = store.card_view(number_of(store, "a"))
    assert view is not None
    assert report.removed == 1
    assert view.is_removed
    assert (view.mention.text, view.mention.title, view.mention.parent_text, view.mention.author.name) == ("",) * 4
    assert one(store, "select count(*) from revision") == 0
    assert store.search("private") == store.search("secret") == []
    assert view.conversation.state is State.EXPIRED
    assert cards_waiting(store) == [view.conversation.id]


def test_a_post_taken_down_and_heard_again_stays_empty(store: Store) -> None:
    """An overlapping poll does not bring the words back."""
    intake = build_intake(store)
    intake.take([batch(mention("a"))])
    intake.take([batch(removals=(Removal("place", NOW, native_id="a"),))])
    intake.take([batch(mention("a"))])
    assert one(store, "select text from mention") == ""


def test_an_author_taken_down_by_handle_or_id(store: Store) -> None:
    """All posts of the author are emptied, whichever name the platform gives; others keep theirs."""
    intake = build_intake(store)
    intake.take([batch(mention("a", author=KIM), mention("b", author=Author("lee", native_id="l1")), mention("c"))])
    intake.take([batch(removals=(Removal("place", NOW, author="kim"), Removal("place", NOW, author="l1")))])
    assert one(store, "select group_concat(native_id) from mention where text <> ''") == "c"


def test_who_holds_a_removed_post_keeps_it(store: Store) -> None:
    """A claimed conversation stays with its owner, and its card says what happened."""
    intake = build_intake(store)
    intake.take([batch(mention("a"))])
    finish_jobs(store)
    number = number_of(store, "a")
    decisions.claim(store, number, ANA, NOW)
    finish_jobs(store)
    intake.take([batch(removals=(Removal("place", NOW, native_id="a"),))])
    assert state_of(store, "a") is State.CLAIMED
    assert cards_waiting(store) == [number]


def test_a_copy_takes_the_lead_when_the_first_is_taken_down(store: Store) -> None:
    """The people who said the same are not forgotten with the first of them."""
    intake = build_intake(store, grouper=ExactGrouper())
    intake.take([batch(mention("a", "same"), mention("b", "same"), mention("c", "same"))])
    finish_jobs(store)
    intake.take([batch(removals=(Removal("place", NOW, native_id="a"),))])
    heir = store.card_view(number_of(store, "b"))
    assert heir is not None
    assert (heir.conversation.state, heir.conversation.lead_id, heir.copies) == (State.SHOWN, None, 1)
    assert heir.conversation.id in cards_waiting(store)
    intake.take([batch(mention("d", "same"))])
    assert one(store, "select copies from conversation where id = ?", heir.conversation.id) == 2


def test_what_is_left_of_a_conversation_is_shown(store: Store) -> None:
    """With its newest post gone, a conversation shows the one before."""
    intake = build_intake(store)
    intake.take([batch(mention("a", "first", thread_id="t", author=KIM))])
    intake.take([batch(mention("b", "second", thread_id="t", author=KIM))])
    intake.take([batch(removals=(Removal("place", NOW, native_id="b"),))])
    view = store.card_view(number_of(store, "a"))
    assert view is not None
    assert (view.mention.text, view.is_removed, view.conversation.state) == ("first", False, State.NEW)


def test_gaps_and_costs_are_kept(store: Store) -> None:
    """A gap told twice is one; costs add up by day."""
    gap = Gap(NOW - timedelta(hours=2), NOW - timedelta(hours=1), "too far behind")
    intake = build_intake(store)
    for _ in range(2):
        intake.take([batch(gaps=(gap,), cost_micros=300)])
    assert one(store, "select count(*) from gap where reason = 'too far behind'") == 1
    assert one(store, "select micros from spend where feed = 'feed' and day = '2026-03-02'") == 600


def test_a_gap_told_piece_by_piece_is_one(store: Store) -> None:
    """An address that stays bad is told hour by hour; the digest needs the whole stretch, and other reasons apart."""
    hours = [NOW - timedelta(hours=hour) for hour in (4, 3, 2, 1)]
    intake = build_intake(store)
    for start, end in itertools.pairwise(hours):
        intake.take([batch(gaps=(Gap(start, end, "answers 404"),))])
    intake.take([batch(gaps=(Gap(hours[-1], NOW, "answers 500"),))])
    found = store.read().execute("select started_at, ended_at, reason from gap order by id").fetchall()
    assert found == [
        (hours[0].timestamp(), hours[-1].timestamp(), "answers 404"),
        (hours[-1].timestamp(), NOW.timestamp(), "answers 500"),
    ]


def test_a_feed_turns_deaf_once_and_recovers_once(store: Store) -> None:
    """Deafness begins when the feed last answered, is told once, ends with the next answer, and that is told too."""
    clock = ManualClock(NOW)
    intake = build_intake(store, clock)
    intake.take([batch()])
    clock.advance(3600)
    told = []
    for _ in range(2):
        with store.transaction() as db:
            told.append(
                feed_rows.mark_deaf(db, "feed", clock.now() - timedelta(minutes=10), "It is down.", clock.now())
            )
    assert told == [True, False]
    (state,) = store.feed_states()
    assert (state.deaf_since, state.problem) == (NOW, "It is down.")
    assert one(store, "select payload from job where kind = 'notice'") == "feed does not hear: It is down."
    clock.advance(60)
    intake.take([batch(), batch()])
    (state,) = store.feed_states()
    assert (state.deaf_since, state.problem) == (None, "")
    assert one(store, "select count(*) from gap where ended_at is null") == 0
    assert one(store, "select payload from job where kind = 'notice'") == "feed hears again."


def test_a_feed_that_is_no_longer_set_up_is_not_waited_for(store: Store) -> None:
    """Its gap ends; one that was never heard is forgotten."""
    with store.transaction() as db:
        feed_rows.register_feeds(db, {"old": "x", "unheard": "x", "kept": "x"}, NOW)
        feed_rows.write_heard(db, "old", "", 0, NOW)
        feed_rows.mark_deaf(db, "old", NOW, "gone", NOW)
        feed_rows.register_feeds(db, {"kept": "y"}, NOW, retire_others=True)
    assert [(state.name, state.platform, state.deaf_since) for state in store.feed_states()] == [
        ("kept", "y", None),
        ("old", "x", None),
    ]
    assert one(store, "select count(*) from gap where ended_at is null") == 0


def test_the_cause_of_an_old_post_is_its_age(store: Store) -> None:
    """A post of last week is kept quiet when a feed finds it, unless a person plays it in or it must be answered."""
    old = NOW - timedelta(days=7)
    intake = build_intake(store)
    intake.take([batch(mention("a", created_at=old), mention("b", "urgent", created_at=old))])
    intake.replayed.add("feed")
    intake.take([batch(mention("c", created_at=old))])
    assert one(store, "select quiet_cause from conversation where id = ?", number_of(store, "a")) == "stale"
    assert [state_of(store, each) for each in "bc"] == [State.NEW, State.NEW]


def test_over_the_budget_only_what_must_be_answered_is_new(store: Store) -> None:
    """With the day's cards used up, the rest is quiet and counted."""
    intake = build_intake(store, cards=Cards(per_day=1))
    intake.take([batch(mention("a", "leaks [50]"))])
    finish_jobs(store)
    later = build_intake(store, cards=Cards(per_day=1))
    report = later.take([batch(mention("b", "leaks [99]"), mention("c", "urgent [1]"))])
    assert (report.shown, report.quiet) == (1, {"budget": 1})
    assert state_of(store, "c") is State.NEW


_numbers = itertools.count()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    text=st.text(st.characters(codec=None), max_size=60),
    other=st.text(st.characters(codec=None), max_size=8),
    followers=st.integers() | st.none(),
)
def test_whatever_a_post_holds_is_stored_whole(store: Store, text: str, other: str, followers: int | None) -> None:
    """NULs, lone surrogates, odd handles and impossible numbers are stored, once; the text comes back exactly."""
    author = Author(other, other, followers, other)
    post = mention(f"{next(_numbers)}-{other}", text, title=other, author=author, thread_id=other)
    intake = build_intake(store)
    assert [intake.take([batch(post)]).new for _ in range(2)] == [1, 0]
    stored = store.mention(one(store, "select max(id) from mention"))
    assert stored is not None
    assert stored.text == text


def test_an_unknown_post_taken_down_is_no_matter(store: Store) -> None:
    """What was never stored needs no removal, and leaves no record."""
    build_intake(store).take([batch(removals=(Removal("place", NOW, native_id="never"),))])
    assert one(store, "select count(*) from event") == 0
