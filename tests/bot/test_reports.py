"""What is read for the digest and the export, and what is forgotten."""

from __future__ import annotations

import csv
import json
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from bot import decisions
from bot.clock import ManualClock
from bot.conversation import Actor, DismissReason, State
from bot.digest import build_digest
from bot.ledger import SendState
from bot.store import Store, StoreError, feed_rows
from listeners.contract import Shape
from listeners.mention import Author
from tests.bot.flow_fixtures import NOW, batch, build_intake, mention, number_of, one

ANA = Actor("U1", "Ana Lima")
HOUR = timedelta(hours=1)


def show_all(store: Store) -> None:
    """Post the card of everything new."""
    for (number,) in store.read().execute("select id from conversation where state = 'new'").fetchall():
        store.record_message(number, "C1", f"1.{number}", NOW)


def answer(store: Store, native_id: str, text: str, after: timedelta) -> int:
    """Claim, approve and send; return the conversation."""
    number, at = number_of(store, native_id), NOW + after
    view = store.card_view(number)
    assert view is not None
    decisions.claim(store, number, ANA, at)
    shape = Shape(text, len(text), 280)
    assert decisions.approve(store, number, view.mention_id, text, "", shape, "api", ANA, at, timedelta(0)).is_done
    (send,) = store.due_sends(at)
    store.begin_send(send.id, at)
    store.finish_sent(send.id, "r1", f"https://place.example/reply-{native_id}", at)
    return number


def test_the_facts_of_a_day(store: Store) -> None:
    """Each count of the digest is that of what happened."""
    posts = [mention("urgent", "urgent"), *(mention(each) for each in ("a", "b", "c", "d", "e"))]
    build_intake(store).take([batch(*posts, mention("q", "chatter"))])
    show_all(store)
    answer(store, "a", "A new one is on its way.", HOUR)
    answer(store, "b", "Posted today.", 3 * HOUR)
    decisions.dismiss(store, number_of(store, "c"), DismissReason.SPAM, ANA, NOW)
    decisions.snooze(store, number_of(store, "d"), NOW + 4 * HOUR, ANA, NOW)
    facts = store.digest_facts(NOW, NOW + 5 * HOUR, NOW + 5 * HOUR)
    assert [view.mention.native_id for view in facts.unanswered] == ["urgent", "d", "e"]
    assert (facts.unanswered_count, facts.urgent_count, facts.heard, facts.unshown) == (3, 1, 7, 0)
    assert sorted(facts.waits) == [3600.0, 3 * 3600.0]
    assert facts.quiet == {"line": 1}
    assert facts.dismissed == {DismissReason.SPAM: 1}
    assert store.digest_facts(NOW, NOW + HOUR, NOW + HOUR).unanswered_count == 2, "a snooze that lasts does not wait"


def test_a_conversation_answered_twice_waited_twice(store: Store) -> None:
    """The second wait counts from when the author wrote again, not from the first post."""
    clock = ManualClock(NOW)
    intake = build_intake(store, clock)
    kim = Author("kim")
    intake.take([batch(mention("a", thread_id="t", author=kim))])
    show_all(store)
    answer(store, "a", "Posted today.", HOUR)
    clock.advance(86_400)
    intake.take([batch(mention("b", thread_id="t", author=kim))])
    answer(store, "a", "So sorry, once more.", timedelta(days=1) + HOUR)
    facts = store.digest_facts(NOW, NOW + timedelta(days=2), NOW + timedelta(days=2))
    assert list(facts.waits) == [3600.0, 3600.0]


def test_what_waits_for_its_card_is_counted(store: Store) -> None:
    """While Slack is away the digest does not call the day done."""
    build_intake(store).take([batch(mention("a"))])
    facts = store.digest_facts(NOW - HOUR, NOW + HOUR, NOW + HOUR)
    assert facts.unshown == 1
    assert build_digest(facts).headline == "1 new conversation is still to be shown."


def test_gaps_and_unheard_feeds_are_facts(store: Store) -> None:
    """Open gaps, gaps that ended in the period and feeds never heard are told; older gaps are not."""
    with store.transaction() as db:
        feed_rows.register_feeds(db, {"deaf": "x", "mended": "x", "mute": "x", "long ago": "x"}, NOW)
        for feed, start, end in (("long ago", 50, 40), ("mended", 30, 5), ("deaf", 3, 0)):
            feed_rows.write_heard(db, feed, "", 0, NOW - start * HOUR)
            feed_rows.mark_deaf(db, feed, NOW - start * HOUR, "Down.", NOW)
            if end:
                feed_rows.write_heard(db, feed, "", 0, NOW - end * HOUR)
    facts = store.digest_facts(NOW - 24 * HOUR, NOW, NOW)
    assert [(gap.feed, gap.ended_at) for gap in facts.gaps] == [("mended", NOW - 5 * HOUR), ("deaf", None)]
    assert [state.name for state in facts.never_heard] == ["mute"]


def test_a_feed_that_nobody_listened_to_is_a_gap(store: Store) -> None:
    """Cuecard was down since the evening: until the feed answers, no digest takes the night's silence for good news."""
    with store.transaction() as db:
        feeds = {"hn": "x", "rare": "x", "file": "x", "retired": "x"}
        patience = {"hn": HOUR, "rare": 24 * HOUR, "retired": HOUR}
        feed_rows.register_feeds(db, feeds, NOW, silent_after=patience)
        for feed in feeds:
            feed_rows.write_heard(db, feed, "", 0, NOW - 12 * HOUR)
        del feeds["retired"]
        feed_rows.register_feeds(db, feeds, NOW, silent_after=patience, retire_others=True)
    facts = store.digest_facts(NOW - 24 * HOUR, NOW, NOW)
    assert [(gap.feed, gap.started_at, gap.ended_at) for gap in facts.gaps] == [("hn", NOW - 12 * HOUR, None)]
    digest = build_digest(facts)
    assert "not everything was heard" in digest.headline
    assert "perhaps Cuecard was not running" in digest.warnings[0]
    with store.transaction() as db:
        feed_rows.write_heard(db, "hn", "", 0, NOW)
    assert store.digest_facts(NOW - 24 * HOUR, NOW, NOW).gaps == []


def test_expired_counts_what_was_shown_and_still_there(store: Store) -> None:
    """Running out of time is told for what people could have answered, not for what was quiet."""
    build_intake(store).take([batch(mention("a"), mention("b", "chatter"))])
    show_all(store)
    later = NOW + timedelta(days=15)
    store.expire_unclaimed(later - timedelta(days=14), later)
    assert store.digest_facts(later - HOUR, later + HOUR, later).expired == 1


def test_the_export_has_one_row_for_each_conversation(store: Store) -> None:
    """Words, times, owner, reply and waits are there; every row has the same columns, and fits CSV and JSON."""
    build_intake(store).take([batch(*(mention(f"m{each}") for each in range(600)), mention("a", "it\x00leaks"))])
    show_all(store)
    number = answer(store, "a", "Posted today.", HOUR)
    rows = {row["number"]: row for row in store.export_rows()}
    assert len(rows) == 601
    row = rows[number]
    assert (row["state"], row["text"], row["owner"]) == ("answered", "it\x00leaks", "Ana Lima")
    assert (row["reply_text"], row["reply_url"]) == ("Posted today.", "https://place.example/reply-a")
    assert (row["heard_at"], row["seconds_to_answer"]) == ("2026-03-02T10:00:00+00:00", 3600)
    assert len({tuple(row) for row in rows.values()}) == 1
    assert rows[1]["reply_text"] is None
    json.dumps(row)


def _bytes_of(store: Store) -> bytes:
    """Return all that stands on disk."""
    return b"".join(path.read_bytes() for path in sorted(Path(store.path).parent.glob("cuecard.db*")))


SECRETS = ("quixotic", "flamingo", "zanzibar", "kimberly-secret", "Kimberly Person", "first-draft-words")


def _store_secrets(store: Store) -> int:
    """Hear an author whose words, handle and name stand wherever they can; return the conversation."""
    kim = Author("kimberly-secret", "Kimberly Person", native_id="did:kimberly-secret", url="https://x/kimberly-secret")
    intake = build_intake(store)
    first = mention("a", "first-draft-words", title="zanzibar", author=kim, url="https://x/kimberly-secret/a")
    intake.take([batch(first)])
    intake.take([batch(mention("a", "quixotic flamingo", title="zanzibar", author=kim))])
    answer_to_her = mention("b", "me too", in_reply_to="a", parent_text="quixotic flamingo")
    intake.take([batch(answer_to_her, mention("at://kimberly-secret/9", "quixotic", author=kim))])
    show_all(store)
    number = number_of(store, "a")
    decisions.claim(store, number, ANA, NOW)
    decisions.hand_over(store, number, "for billing: kimberly-secret said quixotic flamingo", ANA, NOW)
    return number


def test_a_forgotten_author_is_nowhere(store: Store) -> None:
    """No search, no column, not even the bytes of the file hold the words, the handle or the name any more."""
    number = _store_secrets(store)
    assert all(secret.encode() in _bytes_of(store) for secret in SECRETS), "the test would prove nothing"
    assert store.forget_author("place", "@Kimberly-Secret") == 2
    left = _bytes_of(store)
    assert [secret for secret in SECRETS if secret.lower().encode() in left.lower()] == []
    assert [store.search(word) for word in ("quixotic", "flamingo", "zanzibar", "kimberly")] == [[], [], [], []]
    view = store.card_view(number)
    assert view is not None
    assert view.is_removed
    assert [entry.event for entry in store.history(number)][-1] == "forget"
    assert one(store, "select count(*) from job where kind = 'card' and key = ?", str(number)) > 0
    assert store.mention(one(store, "select id from mention where native_id = 'b'")) is not None


def test_others_are_not_forgotten(store: Store) -> None:
    """An author of the same handle elsewhere, and everyone else, keeps their words."""
    _store_secrets(store)
    assert store.forget_author("elsewhere", "kimberly-secret") == 0
    assert store.forget_author("place", "kimberly-secret") == 2
    assert one(store, "select text from mention where native_id = 'b'") == "me too"


@pytest.mark.parametrize("name", ["https://place.example/a", "https://place.example/a/", "place:a"])
def test_one_post_can_be_forgotten(store: Store, name: str) -> None:
    """A post is named by its address or its id; the author's other posts stay."""
    kim = Author("kim")
    build_intake(store).take([batch(mention("a", "quixotic", author=kim), mention("b", "flamingo", author=kim))])
    assert store.forget_post(name) == 1
    assert (store.search("quixotic"), len(store.search("flamingo"))) == ([], 1)
    assert store.forget_post("place:never") == 0


def test_a_forgotten_post_is_not_heard_anew(store: Store) -> None:
    """The next poll brings the same post, and it stays forgotten."""
    intake = build_intake(store)
    intake.take([batch(mention("a", "quixotic"))])
    store.forget_post("place:a")
    intake.take([batch(mention("a", "quixotic"))])
    assert store.search("quixotic") == []


def test_a_busy_file_is_said_and_swept_the_next_time(store: Store) -> None:
    """While another program reads, the words are erased and the person is told that the file is not rewritten yet."""
    _store_secrets(store)
    other = sqlite3.connect(store.path)
    other.execute("begin")
    other.execute("select count(*) from mention").fetchone()
    store.read().execute("pragma busy_timeout = 50")
    with pytest.raises(StoreError, match="stop Cuecard and ask for the same again"):
        store.forget_author("place", "kimberly-secret")
    assert store.search("quixotic") == []
    other.close()
    assert store.forget_author("place", "kimberly-secret") == 0
    assert b"quixotic" not in _bytes_of(store)


def test_erased_words_never_leave_as_a_reply(store: Store) -> None:
    """A reply that waits in its hold and names the author is withdrawn, not sent with its words erased."""
    build_intake(store).take([batch(mention("a", author=Author("kim")))])
    number = number_of(store, "a")
    view = store.card_view(number)
    assert view is not None
    decisions.claim(store, number, ANA, NOW)
    words = "Dear kim, it is on its way."
    shape = Shape(words, len(words), 280)
    assert decisions.approve(store, number, view.mention_id, words, "", shape, "api", ANA, NOW, HOUR).is_done
    store.forget_author(None, "kim", NOW)
    (send,) = store.sends(number)
    assert send.state is SendState.UNDONE
    assert store.due_sends(NOW + timedelta(days=1)) == []
    found = store.conversation(number)
    assert found is not None
    assert found.state is State.CLAIMED


def test_the_export_fits_a_spreadsheet(store: Store, tmp_path: Path) -> None:
    """Every value of a row can be written as CSV and read back."""
    build_intake(store).take([batch(mention("a", 'it "leaks",\nbadly'))])
    (row,) = store.export_rows()
    with (tmp_path / "out.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        writer.writerow(row)
    with (tmp_path / "out.csv").open(newline="") as file:
        assert next(csv.DictReader(file))["text"] == 'it "leaks",\nbadly'
