"""A thread of three, every way in which one of its parts can end, and a power cut around every commit."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from stage import (
    HOLD,
    PEOPLE,
    START,
    THREAD,
    Answer,
    Cut,
    FragileStore,
    PowerCutError,
    StagePlatform,
    hear,
    reborn,
    shaped,
)

from bot import decisions
from bot.clock import ManualClock
from bot.conversation import State
from bot.ledger import Send, SendState
from bot.outbox import Sender

ANSWERS: tuple[Answer, ...] = (
    "posted",
    "refused",
    "closed",
    "busy",
    "lost",
    "lost before",
    "power cut",
    "power cut before",
)
CUTS: list[tuple[int, Cut | None]] = [
    (0, None),
    *[(turn, cut) for turn in range(6) for cut in ("before the commit", "after the commit")],
]
PARTS = shaped(THREAD).parts


@pytest.fixture(scope="module")
def approved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which one thread is approved and due."""
    store = FragileStore(tmp_path_factory.mktemp("approved") / "cuecard.db")
    store.open()
    number = hear(store, "1", START)
    decisions.claim(store, number, PEOPLE[0], START)
    given = (store, number, 1, THREAD, "", shaped(THREAD), "api", PEOPLE[0], START, HOLD)
    assert decisions.approve(*given, as_thread=True).is_done
    store.close()
    return store.path


def play(path: Path, platform: StagePlatform, turn: int, cut: Cut | None) -> tuple[FragileStore, Send]:
    """Send, perhaps die and be started again, and send all that may still leave; return what is left."""
    clock = ManualClock(START + HOLD)
    store = FragileStore(path)
    store.open()
    for when in (cut, None, None, None, None):
        try:
            with store.power_cut(turn, when):
                Sender(store, {"stage": platform}, clock).send_due()
        except PowerCutError:
            store = reborn(store)
            Sender(store, {"stage": platform}, clock).recover()
        clock.advance(200)
    (send,) = store.sends(1)
    return store, send


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("part", [0, 1, 2])
def test_no_part_goes_twice_or_before_its_turn(approved: Path, tmp_path: Path, part: int, answer: Answer):
    """Whatever happens: in public is a beginning of what was approved, each part once, and the ledger tells which."""
    assert len(PARTS) == 3
    for place, (turn, cut) in enumerate(CUTS):
        platform = StagePlatform()
        platform.answers = [*["posted"] * part, answer]
        store, send = play(shutil.copy(approved, tmp_path / f"{place}.db"), platform, turn, cut)
        public = [text for _, text in platform.posted]
        assert (platform.repeated, platform.orphans) == ([], [])
        assert tuple(public) == PARTS[: len(public)]
        assert len(public) - len(send.posted) in ({0, 1} if send.state is SendState.UNKNOWN else {0})
        assert send.state in {SendState.SENT, SendState.REFUSED, SendState.UNKNOWN}
        assert (send.state is SendState.SENT) == (len(send.posted) == 3)
        assert (f"{len(send.posted)} of 3 parts" in send.problem) == (0 < len(send.posted) < 3)
        found = store.conversation(1)
        assert found is not None
        assert found.state is (State.ANSWERED if send.state is SendState.SENT else State.CLAIMED)
        assert send.is_closed_to_programs == (send.state is SendState.REFUSED and answer == "closed")
        store.close()


@pytest.mark.parametrize(("turn", "cut"), CUTS[1:])
def test_a_cut_between_two_parts_is_no_doubt(approved: Path, tmp_path: Path, turn: int, cut: Cut):
    """Where the power failed before a part was begun, or after it was written down, the thread goes on by itself."""
    platform = StagePlatform()
    store, send = play(shutil.copy(approved, tmp_path / "cuecard.db"), platform, turn, cut)
    is_begun = (turn % 2 == 0) == (cut == "after the commit")
    assert send.state is (SendState.UNKNOWN if is_begun else SendState.SENT)
    store.close()
