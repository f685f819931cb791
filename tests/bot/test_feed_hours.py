"""What a feed brought hour by hour, and the silences that were unusual for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.clock import ManualClock
from bot.digest import build_digest, to_text
from bot.rhythm import REMEMBERED, Hour, Silence
from bot.scheduler import forget_hours, note_silences
from bot.store import Store, feed_hours, feed_rows
from listeners.mention import Batch, Mention
from tests.bot.flow_fixtures import NOW, build_intake, mention, one

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = int(NOW.timestamp() // 3600)
SILENCE = Silence(NOW - timedelta(hours=2), "about 12 an hour at that time of day")


class House:
    """A store, an intake with two feeds, and a clock."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = ManualClock(NOW)
        self.intake = build_intake(store, self.clock)
        self.register({"feed": "1", "other": "1"})

    def register(self, settings: dict[str, str]) -> None:
        """Make the feeds known, as a start does."""
        with self.store.transaction() as db:
            patience = dict.fromkeys(settings, timedelta(hours=1))
            feeds = dict.fromkeys(settings, "place")
            feed_rows.register_feeds(
                db, feeds, self.clock.now(), silent_after=patience, settings=settings, retire_others=True
            )

    def hear(self, *mentions: Mention, feed: str = "feed", **fields: tuple[str, ...]) -> None:
        """Take one batch."""
        self.intake.take([(feed, Batch(mentions, **fields))])  # type: ignore[arg-type]

    def wait(self, minutes: float) -> None:
        """Let time go by."""
        self.clock.advance(minutes * 60)

    def hours(self, feed: str = "feed") -> list[Hour]:
        """Return what is remembered."""
        return feed_hours.hours_of(self.store.read(), feed, self.clock.now())

    def live(self, days: float, per_hour: int) -> None:
        """Write down what a feed brought, evenly, in the days before now."""
        brought = sum(1 << each * 12 // per_hour for each in range(per_hour))
        last = int(self.clock.now().timestamp() // 3600)
        with self.store.transaction() as db:
            db.conn.executemany(
                "insert into heard_hour (feed, hour, mentions, listened, brought) values ('feed', ?, ?, 4095, ?)",
                [(last - each, per_hour, brought) for each in range(1, int(days * 24) + 1)],
            )
            db.execute("update feed set heard_at = ? where name = 'feed'", (self.clock.now().timestamp(),))

    def notices(self) -> list[str]:
        """Return what the operator is to be told of silences, and let it be told."""
        told = []
        while job := self.store.take_job(self.clock.now() + timedelta(days=99)):
            told += [job.payload] if job.key.startswith("quiet:") else []
            self.store.finish_job(job, self.clock.now())
        return told


@pytest.fixture
def house(store: Store) -> House:
    """Everything that is needed."""
    return House(store)


def test_an_hour_says_when_it_was_listened_to_and_what_came(house: House) -> None:
    """Signs of life mark five minutes each, those between them too; mentions mark theirs, and are counted."""
    house.hear()
    house.wait(16)
    house.hear(mention("a"), mention("b"))
    house.wait(10)
    house.hear(mention("c"))
    assert house.hours() == [Hour(HOUR, 3, 0b111111, 0b101000)]
    house.wait(40)
    house.hear()
    house.wait(60 - 66 % 60 - 2)
    house.hear()
    assert house.hours()[1:] == [Hour(HOUR + 1, 0, 0b100000000010, 0)]


def test_a_stretch_over_the_hour_marks_both(house: House) -> None:
    """A look at ten to and one at ten past were one listening, in two hours."""
    house.wait(50)
    house.hear()
    house.wait(20)
    house.hear(mention("a"))
    assert house.hours() == [Hour(HOUR, 0, 0b110000000000, 0), Hour(HOUR + 1, 1, 0b111, 0b100)]


def test_hours_without_a_sign_of_life_are_no_data(house: House) -> None:
    """A feed that was away for an hour was not listened to meanwhile, and a clock that was set back claims nothing."""
    house.hear()
    house.wait(180)
    house.hear()
    house.wait(-60)
    house.hear()
    assert [(hour.number - HOUR, hour.listened) for hour in house.hours()] == [(0, 1), (2, 1)]
    house.wait(60)
    assert [(hour.number - HOUR, hour.listened) for hour in house.hours()] == [(0, 1), (2, 1), (3, 1)]


def test_repeats_are_no_mentions_and_those_of_other_feeds_are(house: House) -> None:
    """What a feed tells again counts once; what another one told first counts for each of them."""
    for _ in range(3):
        house.hear(mention("a"), mention("a"))
        house.hear(mention("a"), feed="other")
        house.wait(5)
    assert sum(hour.mentions for hour in house.hours()) == 1
    assert house.hours("other")[0].brought == 0b111


def test_a_file_that_is_played_in_has_no_rhythm(house: House) -> None:
    """Nobody waits for a file."""
    house.intake.replayed.add("feed")
    house.hear(mention("a"))
    assert house.hours() == []


def test_a_transaction_that_fails_leaves_no_hour(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was brought is counted with its batch, or not at all."""

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(feed_rows, "write_heard", fail)
    with pytest.raises(OSError, match="disk full"):
        house.hear(mention("a"))
    assert house.hours() == []


def test_an_unusual_silence_is_told_once_and_so_is_its_end(house: House) -> None:
    """However often it is looked for, one message; a batch without mentions does not end it, a mention does, once."""
    house.live(14, 12)
    house.wait(120)
    for _ in range(5):
        house.hear()
        house.wait(20)
        note_silences(house.store, BERLIN, house.clock.now())
    (sentence,) = house.notices()
    assert sentence.startswith("feed answers, but has brought nothing since 11:00, where it usually brings about 12 an")
    (state, _) = house.store.feed_states()
    assert (state.quiet_since, state.deaf_since) == (NOW, None)
    house.hear(mention("a"))
    house.hear(mention("b"))
    assert house.notices() == ["feed brings mentions again."]
    assert house.store.feed_states()[0].quiet_since is None


def listen_through(house: House, minutes: int) -> None:
    """Answer without a mention, every ten minutes, and look for silence after each."""
    for _ in range(0, minutes, 10):
        house.wait(10)
        house.hear(), house.hear(feed="other")
        note_silences(house.store, BERLIN, house.clock.now())


def test_a_restart_tells_nothing_twice(house: House) -> None:
    """What was told before the end is known after it."""
    house.live(14, 12)
    listen_through(house, 180)
    house.register({"feed": "1", "other": "1"})
    listen_through(house, 180)
    assert len(house.notices()) == 1


def test_a_feed_that_does_not_answer_is_deaf_not_quiet(house: House) -> None:
    """Of a feed that nobody hears its silence says nothing; hours in which nobody listened end no patience."""
    house.live(14, 12)
    house.wait(300)
    assert note_silences(house.store, BERLIN, house.clock.now()) == []
    house.hear()
    assert note_silences(house.store, BERLIN, house.clock.now()) == []


def test_silence_counts_only_while_the_feed_answers(house: House) -> None:
    """A feed that has been silent for hours is not told of while it does not answer either: it is deaf by then."""
    house.live(14, 12)
    with house.store.transaction() as db:
        db.execute("update heard_hour set brought = 0 where hour >= ?", (HOUR - 3,))
    house.wait(120)
    assert note_silences(house.store, BERLIN, house.clock.now()) == []
    house.hear()
    assert note_silences(house.store, BERLIN, house.clock.now()) == ["feed"]
    with house.store.transaction() as db:
        feed_hours.end_quiet(db, "feed", house.clock.now())
        feed_rows.mark_deaf(db, "feed", house.clock.now(), "Down.", house.clock.now())
        assert not feed_hours.mark_quiet(db, "feed", SILENCE, BERLIN, house.clock.now())


def test_other_watches_are_another_rhythm(house: House) -> None:
    """After a change of its settings a feed is not measured by what it brought before; unchanged, it is."""
    house.live(14, 12)
    house.register({"feed": "1", "other": "1"})
    assert len(house.hours()) == 14 * 24
    listen_through(house, 180)
    assert len(house.notices()) == 1
    house.register({"feed": "2", "other": "1"})
    assert house.hours() == []
    assert house.store.feed_states()[0].quiet_since is None
    assert one(house.store, "select count(*) from doubt where ended_at is null") == 0
    listen_through(house, 180)
    assert house.notices() == []


def test_a_feed_that_is_no_longer_set_up_is_no_doubt(house: House) -> None:
    """Nobody waits for what it would bring."""
    house.live(14, 12)
    listen_through(house, 180)
    house.register({"other": "1"})
    assert {state.quiet_since for state in house.store.feed_states()} == {None}
    assert one(house.store, "select count(*) from doubt where ended_at is null") == 0


def test_the_digest_tells_of_it_and_is_no_clean_bill(house: House) -> None:
    """While it lasts and in the digest after it: since when, or from when to when; later digests are silent of it."""
    house.live(14, 12)
    listen_through(house, 180)
    start, now = NOW - timedelta(hours=12), house.clock.now()
    digest = build_digest(house.store.digest_facts(start, now, now), "Europe/Berlin")
    said = "Nothing that was heard waits for an answer, but it is not sure that everything was heard."
    assert digest.headline == said
    usual = "where it usually brings about 12 an hour at that time of day."
    assert digest.warnings == (f"feed answers, but has brought nothing since Mon 02 Mar 11:00, {usual}",)
    house.hear(mention("chatter", "chatter"))
    later = house.clock.now()
    digest = build_digest(house.store.digest_facts(start, later, later), "Europe/Berlin")
    stretch = "from Mon 02 Mar 11:00 to Mon 02 Mar 14:00"
    assert digest.warnings == (f"feed answered, but brought nothing {stretch}, {usual}",)
    assert "Every card" not in to_text(digest)
    house.wait(60)
    house.hear(), house.hear(feed="other")
    after = house.clock.now()
    assert build_digest(house.store.digest_facts(later + timedelta(minutes=1), after, after)).warnings == ()


def test_what_was_no_mention_is_counted_by_feed(house: House) -> None:
    """Refused items stand in the digest as a number; their sentences, which may name people, stay in the log."""
    house.hear(refused=("one", "two"))
    house.hear(mention("a", "chatter"), feed="other", refused=("three",))
    house.wait(5)
    now = house.clock.now()
    assert house.store.refused_between(now - timedelta(days=1), now) == {"feed": 2, "other": 1}
    digest = build_digest(house.store.digest_facts(now - timedelta(days=1), now, now))
    assert digest.refused == "3 items that came were no mentions: 2 of feed, 1 of other. The log says why."
    assert digest.refused in to_text(digest)
    assert digest.headline == "Every card is answered or settled."


def test_old_hours_and_old_sentences_are_forgotten(house: House) -> None:
    """What nothing is learned from any more is not kept for ever."""
    house.hear(mention("a"), notices=("It listens less.",))
    house.clock.advance((REMEMBERED + timedelta(hours=2)).total_seconds())
    house.hear(mention("b"), notices=("It listens less.",))
    forget_hours(house.store, house.clock.now())
    assert one(house.store, "select count(*) from heard_hour") == one(house.store, "select count(*) from told") == 1


def test_odd_names_are_names(house: House) -> None:
    """A feed's name is whatever the settings say."""
    house.intake.take([("\udcff'\x00", Batch((mention("a"),), refused=("x",), notices=("y",)))])
    assert one(house.store, "select count(*) from heard_hour where brought <> 0") == 1


def test_the_epoch_of_hours_is_that_of_utc(house: House) -> None:
    """Hours count from 1970 in UTC, whatever the zone of the machine."""
    house.hear()
    assert datetime.fromtimestamp(house.hours()[0].number * 3600, UTC) == NOW
