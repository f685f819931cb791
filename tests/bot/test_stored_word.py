"""The word that a batch is safely kept, for a sender who waits for it: after the commit, or not at all."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.intake import Intake, IntakeReport
from bot.listening import Feed, Listening
from bot.store import Store
from listeners.mention import Batch
from tests.bot.flow_fixtures import ScriptedPlatform, build_intake, mention, one
from tests.stateful.stage import Cut, FragileStore, reborn


def play(store: Store, batches: Sequence[Batch], intake: Intake | None = None) -> Listening:
    """Start to listen to a file that brings these batches."""
    feed = Feed("feed", "place", ScriptedPlatform(batches), ends=True)
    listening = Listening([feed], intake or build_intake(store), store, SystemClock())
    listening.start()
    return listening


def play_to_the_end(store: Store, batches: Sequence[Batch]) -> None:
    """Hear these batches, and stop."""
    listening = play(store, batches)
    assert listening.wait_until_drained(10)
    listening.stop()


def speak_and_hang(platform: ScriptedPlatform, batch: Batch) -> Iterator[Batch]:
    """Say what one heard, and nothing more."""
    yield batch
    platform.is_closed.wait(20)


def test_a_sender_is_told_once_its_batch_is_stored(store: Store) -> None:
    """The word comes after the commit: whoever hears it finds the post stored; an empty batch has its word, too."""
    counts: list[int] = []

    def count() -> None:
        counts.append(one(store, "select count(*) from mention where native_id = 'a'"))

    batches = [Batch((mention("a"),), stored=count), Batch(stored=count), Batch((mention("b"),))]
    play_to_the_end(store, batches)
    assert counts == [1, 1]


def test_a_sender_that_cannot_take_the_word_stops_nothing(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """Its mistake is logged; the others of the group are told, and the next batches are stored."""
    told: list[str] = []

    def fail() -> None:
        raise RuntimeError("hung up")

    batches = [Batch((mention("a"),), stored=fail), Batch((mention("b"),), stored=lambda: told.append("b"))]
    with caplog.at_level(logging.ERROR):
        play_to_the_end(store, batches)
    assert told == ["b"]
    assert one(store, "select count(*) from mention") == 2
    assert "hung up" in caplog.text


def test_a_batch_that_could_not_be_stored_is_not_confirmed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """While storing fails no word is given; at a stop none is given for what is left behind."""
    intake, told, tried = build_intake(store), [], threading.Event()

    def fail(_batches: Sequence[tuple[str, Batch]]) -> IntakeReport:
        tried.set()
        raise OSError("disk full")

    monkeypatch.setattr(intake, "take", fail)
    listening = play(store, [Batch((mention("a"),), stored=lambda: told.append("a"))], intake)
    assert tried.wait(5)
    listening.stop()
    assert told == []


@pytest.mark.parametrize("when", ["before the commit", "after the commit"])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_power_cut_around_the_commit_gives_no_word(tmp_path: Path, when: Cut) -> None:
    """The sender hears nothing, sends again, and has its word then: the post is there once."""
    store = FragileStore(tmp_path / "cuecard.db")
    store.open()
    told: list[str] = []

    def listen_in(fragile: FragileStore) -> Listening:
        platform = ScriptedPlatform()
        batch = Batch((mention("a"),), cursor="1", stored=lambda: told.append("a"))
        platform.listen = lambda _cursor: speak_and_hang(platform, batch)  # type: ignore[method-assign]
        listening = Listening([Feed("feed", "place", platform)], build_intake(fragile), fragile, SystemClock())
        listening.start()
        return listening

    with store.power_cut(1, when):  # the first transaction makes the feed known
        dying = listen_in(store)
        dying._thread.join(5)
        assert not dying._thread.is_alive()
    dying.stop()
    assert told == []
    store = reborn(store)
    assert one(store, "select count(*) from mention") == (when == "after the commit")
    living = listen_in(store)
    ends_at = time.monotonic() + 10
    while not told and time.monotonic() < ends_at:
        time.sleep(0.005)
    living.stop()
    assert told == ["a"]
    assert one(store, "select count(*) from mention") == 1
    store.close()
