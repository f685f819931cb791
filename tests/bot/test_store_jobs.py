"""What Slack must still be told: asked for once, told once, never lost."""

from __future__ import annotations

from datetime import timedelta

from seeds import ANA, NOW, a_mention, an_assessment, hear, show

from bot import decisions
from bot.records import Job, JobKind, JobState
from bot.store import Store

LATER = NOW + timedelta(minutes=5)


def take(store: Store) -> Job:
    """Take the job that goes first."""
    job = store.take_job(LATER)
    assert job is not None
    return job


def test_asking_twice_is_asking_once(store: Store):
    """One pending job per kind and key: the higher priority, the earlier time, the newer words."""
    store.request_job(JobKind.NOTICE, "deaf:hn", now=NOW, priority=1, due_at=LATER, payload="first")
    store.request_job(JobKind.NOTICE, "deaf:hn", now=NOW, priority=5, due_at=NOW, payload="second")
    store.request_job(JobKind.NOTICE, "deaf:hn", now=NOW, priority=2, due_at=LATER, payload="third")
    job = store.take_job(NOW)
    assert job is not None
    assert (job.priority, job.due_at, job.payload, job.state) == (5, NOW, "third", JobState.POSTING)
    assert store.take_job(LATER) is None


def test_what_changes_while_it_is_posted_is_told_after(store: Store):
    """A request that comes during a post is a job of its own: no update is lost."""
    store.request_job(JobKind.HOME, "U1", now=NOW)
    first = take(store)
    store.request_job(JobKind.HOME, "U1", now=NOW)
    store.finish_job(first, NOW)
    second = take(store)
    assert second.id != first.id
    store.finish_job(second, NOW)
    assert store.take_job(LATER) is None


def test_a_retry_waits_and_counts(store: Store):
    """A job put back is not due before its time, and knows how often it was tried."""
    store.request_job(JobKind.HOME, "U1", now=NOW)
    store.retry_job(take(store), LATER, NOW)
    assert store.take_job(NOW) is None
    assert take(store).attempts == 2


def test_a_retry_gives_way_to_a_newer_request(store: Store):
    """Slack's 'not before' holds for the newer request too, and there is still one pending job."""
    store.request_job(JobKind.HOME, "U1", now=NOW)
    first = take(store)
    store.request_job(JobKind.HOME, "U1", now=NOW, payload="newer")
    store.retry_job(first, LATER, NOW)
    assert store.take_job(NOW) is None
    newer = take(store)
    assert (newer.payload, newer.attempts) == ("newer", 2)
    store.finish_job(newer, NOW)
    assert store.take_job(LATER + timedelta(days=1)) is None


def test_a_failed_job_is_not_taken_again(store: Store):
    """What Slack will never take is put aside with its reason."""
    store.request_job(JobKind.HOME, "U1", now=NOW)
    store.fail_job(take(store), "user_not_found", NOW)
    assert store.take_job(LATER) is None
    assert store.read().execute("select state, problem from job").fetchone() == ("failed", "user_not_found")


def test_the_order_is_notice_edit_digest_new_cards_best_first(store: Store):
    """People are told of trouble first, then what they see is made true, then new cards come, the best first."""
    edited, low, high = (
        hear(store, a_mention(str(n)), an_assessment(2, priority)) for n, priority in enumerate((5, 20, 80))
    )
    first = store.take_job(NOW, {JobKind.CARD})
    while first is not None and first.key != str(edited):
        first = store.take_job(NOW, {JobKind.CARD})
    for job in store.stale_posting():
        store.retry_job(job, NOW, NOW)
    show(store, edited)
    store.request_job(JobKind.DIGEST, "2026-03-02", now=NOW)
    store.request_job(JobKind.NOTICE, "x", now=NOW)
    keys = [take(store).key for _ in range(5)]
    assert keys == ["x", str(edited), "2026-03-02", str(high), str(low)]


def test_kinds_can_be_picked(store: Store):
    """A caller that may only tell one thing gets only that."""
    store.request_job(JobKind.NOTICE, "x", now=NOW)
    assert store.take_job(NOW, {JobKind.CARD, JobKind.HOME}) is None
    assert store.take_job(NOW, {JobKind.NOTICE}) is not None


def test_a_post_that_was_cut_off_is_seen_at_start(store: Store):
    """A job that was being posted when the process died is there to be looked into, and not taken blindly."""
    number = hear(store, a_mention())
    job = take(store)
    store.close()
    with Store(store.path) as again:
        assert again.take_job(LATER) is None
        assert [stale.id for stale in again.stale_posting()] == [job.id]
        again.record_message(number, "C1", "1.2", LATER, job)
        assert again.stale_posting() == []
        assert again.conversation_of_message("C1", "1.2") == number


def test_a_card_told_in_place_after_its_first_post(store: Store):
    """A decision made while the first card is posted waits as an edit, ahead of new cards."""
    number = hear(store, a_mention("1"), an_assessment(2, 1))
    first = take(store)
    decisions.claim(store, number, ANA, NOW)
    other = hear(store, a_mention("2"), an_assessment(3, 99))
    store.record_message(number, "C1", "1.2", NOW, first)
    assert [take(store).key, take(store).key] == [str(number), str(other)]
    found = store.conversation(number)
    assert found is not None
    assert found.owner == ANA


def test_deliveries_are_handled_once_until_they_are_pruned(store: Store):
    """The same delivery is new only once; pruning forgets the old ones and the finished jobs."""
    assert store.first_time("envelope-1", NOW)
    assert not store.first_time("envelope-1", LATER)
    store.request_job(JobKind.HOME, "U1", now=NOW)
    store.finish_job(take(store), NOW)
    assert store.prune(NOW) == 0
    assert store.prune(LATER) == 2
    assert store.first_time("envelope-1", LATER)


def test_the_digest_of_a_day_is_remembered(store: Store):
    """The scheduler learns from here what was posted already."""
    assert store.last_digest() is None
    store.record_digest("2026-03-02", "C1", "1.2", NOW)
    store.record_digest("2026-03-01", "C1", "1.1", NOW)
    assert store.last_digest() == "2026-03-02"
    assert store.digest_message("2026-03-01") == ("C1", "1.1")
    assert store.digest_message("2026-02-01") is None
