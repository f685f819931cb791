"""What was learned from the team: when a version begins and ends, how it is mended, and how it is taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from seeds import NOW
from taste_team import LATER, MUCH_LATER, MarkReader, anything, in_use, take_back, team_up

from bot.records import JobKind
from bot.store import Store, erasure, taste_versions
from bot.store import taste as rows
from bot.store.taste import Look
from bot.store.taste_versions import Fitted
from bot.taste import (
    USE_EVERY,
    Learner,
    learn_from_team,
    mend,
)
from listeners.mention import Mention, Removal
from nlp.lessons import Learned, Lessons, learn
from nlp.team import NO_TASTE
from nlp.traits import Flags, Traits
from tests.stateful.stage import Cut, FragileStore, PowerCutError, reborn


@pytest.fixture
def reader() -> MarkReader:
    """A reader of marks."""
    return MarkReader()


def test_a_version_begins_is_told_and_is_taken_back(store: Store, reader: MarkReader):
    """From enough decisions a correction is learned, used within a minute, told to the operator, and undone."""
    team_up(store)
    learner = Learner(reader, anything)
    learner.look(store, LATER)
    (used,) = reader.corrected
    assert (used.version, used.base) == (1, "marks-1")
    assert used.weights[0] > used.weights[1]
    job = store.take_job(LATER, [JobKind.NOTICE])
    assert job is not None
    assert job.payload.startswith("Cuecard learned from 120 decisions of the team. With version 1 held-out decisions")
    assert job.payload.endswith("It ranks higher: praise; lower: questions. `cuecard team undo` takes it back.")
    with store.transaction() as db:
        assert taste_versions.undo(db) == (1, None)
    learner.use(store, LATER)
    assert reader.corrected[1:] == [NO_TASTE]
    assert USE_EVERY <= 60


def test_what_is_in_use_is_corrected_once(store: Store, reader: MarkReader):
    """A turn that finds the same version as before changes nothing; a bot that starts finds it at once."""
    team_up(store)
    learn_from_team(store, reader, anything, LATER)
    learner = Learner(reader, anything)
    for _ in range(3):
        learner.use(store, LATER)
    assert [taste.version for taste in reader.corrected] == [1]


def test_undo_goes_back_one_version_at_a_time(store: Store, reader: MarkReader):
    """Below the first there is none, and then nothing is left to take back."""
    team_up(store)
    learn_from_team(store, reader, anything, LATER)
    team_up(store, 40, start=400)
    learn_from_team(store, reader, anything, MUCH_LATER)
    with store.transaction() as db:
        assert taste_versions.undo(db) == (2, 1)
        assert [(each.version, each.is_active, each.replaced) for each in taste_versions.versions(db)] == [
            (2, False, 1),
            (1, True, None),
        ]
        assert taste_versions.undo(db) == (1, None)
        assert taste_versions.undo(db) is None


def test_after_undo_nothing_is_learned_until_asked(store: Store, reader: MarkReader):
    """What a person took back does not come again by itself; `learn` goes on from the shipped model."""
    team_up(store)
    learn_from_team(store, reader, anything, LATER)
    take_back(store)
    team_up(store, 60, start=120)
    learner = Learner(reader, anything)
    learner.look(store, LATER + timedelta(days=3))
    assert learn_from_team(store, reader, anything, LATER) == "Nothing is learned until `cuecard team learn`."
    assert taste_versions.active_version(store.read()) is None
    with store.transaction() as db:
        rows.go_on(db)
    learn_from_team(store, reader, anything, LATER)
    current = taste_versions.active_version(store.read())
    assert current is not None
    assert (current.version, current.replaced) == (2, None)


def test_an_undo_while_it_learns_wins(store: Store, reader: MarkReader, monkeypatch: pytest.MonkeyPatch):
    """A version taken back while the next one is being worked out is not followed by that one."""
    team_up(store)
    learn_from_team(store, reader, anything, LATER)

    def undo_meanwhile(mentions: Sequence[Mention]) -> Traits:
        if mentions:
            take_back(store)
        return MarkReader().read(mentions)

    monkeypatch.setattr(reader, "read", undo_meanwhile)
    learn_from_team(store, reader, anything, LATER)
    assert taste_versions.active_version(store.read()) is None


def test_a_version_of_other_weights_is_learned_anew(store: Store, reader: MarkReader):
    """After an upgrade of the model the next look does not wait for new decisions."""
    team_up(store)
    learner = Learner(reader, anything)
    learner.look(store, LATER)
    reader.base = "marks-2"  # type: ignore[misc]
    learner.look(store, LATER)
    current = taste_versions.active_version(store.read())
    assert current is not None
    assert (current.version, current.base) == (2, "marks-2")


@pytest.mark.parametrize(("gain", "is_kept"), [(1.0, True), (-1.0, False)])
def test_a_version_ends_where_decisions_speak_against_it(
    store: Store, reader: MarkReader, monkeypatch: pytest.MonkeyPatch, gain: float, is_kept: bool
):
    """A version stays while the decisions do not speak against it; when they do, the operator is told that it ended."""
    team_up(store)
    learn_from_team(store, reader, anything, LATER)
    nothing = Learned(NO_TASTE, 120, np.zeros(0), np.zeros(0), gain, "They say too little.")
    monkeypatch.setattr("bot.taste.learn", lambda *_: nothing)
    said = learn_from_team(store, reader, anything, LATER)
    assert (taste_versions.active_version(store.read()) is not None) is is_kept
    job = store.take_job(LATER, [JobKind.NOTICE])
    assert job is not None
    if is_kept:
        assert said == "They say too little."
        assert job.payload.startswith("Cuecard learned from 120 decisions")
    else:
        assert job.payload == said
        assert said == "Cuecard ranks as shipped again, since version 1 no longer fits. They say too little."


def test_a_new_version_is_no_worse_than_the_one_in_use(
    store: Store, reader: MarkReader, monkeypatch: pytest.MonkeyPatch
):
    """Of what was decided since a version began the new one orders as much as well, or is not taken."""
    team_up(store)
    learn_from_team(store, reader, anything, LATER)
    team_up(store, 40, start=400)

    def learn_badly(lessons: Lessons, recent: Traits, undecided: Flags) -> Learned:
        learned = learn(lessons, recent, undecided)
        return replace(learned, after=np.where(np.arange(len(lessons)) < 120, learned.after, -learned.after))

    with monkeypatch.context() as patch:
        patch.setattr("bot.taste.learn", learn_badly)
        said = learn_from_team(store, reader, anything, MUCH_LATER)
    assert said == "Version 1 stays in use: a new one is no better on what was decided since it began."
    assert in_use(store) == 1
    learn_from_team(store, reader, anything, MUCH_LATER)
    assert in_use(store) == 2


def test_nothing_decided_since_is_no_reason_for_a_new_version(store: Store, reader: MarkReader):
    """Asked twice in a row, the second look changes nothing."""
    team_up(store)
    learn_from_team(store, reader, anything, LATER)
    assert learn_from_team(store, reader, anything, MUCH_LATER).startswith("Version 1 stays in use")
    assert in_use(store) == 1


@pytest.mark.parametrize("when", ["before the commit", "after the commit"])
@pytest.mark.parametrize("is_mended", [False, True])
def test_a_power_cut_while_it_learns_loses_nothing(tmp_path: Path, reader: MarkReader, when: Cut, is_mended: bool):
    """Version, notice and look are written together or not at all; the next process ends where the first would have."""
    with FragileStore(tmp_path / "cuecard.db") as opened:
        team_up(opened)
        if is_mended:
            learn_from_team(opened, reader, anything, LATER)
            opened.forget_post("stage:7", LATER)
        with pytest.raises(PowerCutError), opened.power_cut(0, when):
            Learner(reader, anything).look(opened, MUCH_LATER)
        store = reborn(opened)
    is_written = when == "after the commit"
    if not is_mended:
        assert in_use(store) == (1 if is_written else None)
        assert (rows.look(store.read()) != Look()) is is_written
        assert (store.take_job(MUCH_LATER, [JobKind.NOTICE]) is not None) is is_written
    Learner(reader, anything).look(store, MUCH_LATER)
    (version,) = taste_versions.versions(store.read())
    assert (version.is_active, version.decisions) == (True, 119 if is_mended else 120)
    assert taste_versions.unfit_versions(store.read(), anything) == []
    store.close()


def test_a_post_that_is_taken_down_is_taken_out_of_what_was_learned(store: Store, reader: MarkReader):
    """The version is learned anew without it, under its number; nobody is told, and the ranker follows."""
    team_up(store)
    learner = Learner(reader, anything)
    learner.look(store, LATER)
    before = taste_versions.active_version(store.read())
    job = store.take_job(LATER, [JobKind.NOTICE])
    assert job is not None
    store.finish_job(job, LATER)
    reader.read_texts.clear()
    with store.transaction() as db:
        erasure.write_removals(db, [Removal("stage", LATER, native_id="7")], LATER)
    learner.look(store, MUCH_LATER)
    after = taste_versions.active_version(store.read())
    assert before is not None
    assert after is not None
    assert (after.version, after.decisions, after.changed_at) == (1, before.decisions - 1, MUCH_LATER)
    assert len(taste_versions.lessons_of(store.read(), 1)) == 119
    assert "praise 7" not in reader.read_texts
    assert len(reader.corrected) == 2
    assert store.take_job(MUCH_LATER, [JobKind.NOTICE]) is None
    assert mend(store, reader, anything, MUCH_LATER) == []


def test_a_version_is_mended_while_learning_is_paused(store: Store, reader: MarkReader):
    """What a person went back to is learned anew from its own posts alone, without those decided on since."""
    team_up(store)
    learn_from_team(store, reader, anything, LATER)
    team_up(store, 40, start=400)
    learn_from_team(store, reader, anything, MUCH_LATER)
    take_back(store)
    store.forget_post("stage:7", MUCH_LATER)
    Learner(reader, anything).look(store, MUCH_LATER)
    found = {each.version: each for each in taste_versions.versions(store.read())}
    assert (found[1].is_active, found[1].decisions) == (True, 119)
    assert (found[2].is_active, found[2].weights) == (False, None)


def test_a_source_that_may_not_train_any_more_is_taken_out(store: Store, reader: MarkReader):
    """Where nothing else was learned from, the version ends and the operator is told; its weights are gone."""
    team_up(store)
    learn_from_team(store, reader, anything, LATER)
    rights = dict.fromkeys(["stage-feed"], True)

    def may_train(feed: str, _platform: str) -> bool:
        return rights[feed]

    assert mend(store, reader, may_train, MUCH_LATER) == []
    rights["stage-feed"] = False
    reader.read_texts.clear()
    Learner(reader, may_train).look(store, MUCH_LATER)
    (version,) = taste_versions.versions(store.read())
    assert (version.is_active, version.weights, version.moves) == (False, None, {})
    assert taste_versions.lessons_of(store.read(), 1) == frozenset()
    assert reader.read_texts == []
    job = store.take_job(MUCH_LATER, [JobKind.NOTICE])
    assert job is not None
    assert job.payload.startswith("Cuecard ranks as shipped again, since version 1 no longer fits. 0 decisions")


def test_a_version_that_lost_its_weights_is_not_gone_back_to(store: Store, reader: MarkReader):
    """Undo passes over what was taken away, down to the shipped weights."""
    team_up(store)
    learn_from_team(store, reader, anything, LATER)
    team_up(store, 40, start=400)
    learn_from_team(store, reader, anything, MUCH_LATER)
    with store.transaction() as db:
        taste_versions.drop_weights(db, [1])
        assert taste_versions.undo(db) == (2, None)


def test_only_the_newest_versions_keep_their_weights(store: Store):
    """Ten can be taken back one after the other; what is older stays on record without what it had learned."""
    fitted = Fitted("marks-1", 100, 0.5, 0.6, NO_TASTE.to_json(), {}, frozenset({1}))
    with store.transaction() as db:
        for _ in range(12):
            taste_versions.begin_version(db, fitted, NOW)
        kept = [each.version for each in taste_versions.versions(db) if each.weights is not None]
        assert kept == list(range(12, 2, -1))
        for number in range(12, 2, -1):
            assert taste_versions.undo(db) == (number, number - 1 if number > 3 else None)


def test_what_is_taken_back_while_it_is_mended_stays_so(
    store: Store, reader: MarkReader, monkeypatch: pytest.MonkeyPatch
):
    """A version that a person takes back while it is learned anew is not put into use again."""
    team_up(store)
    learn_from_team(store, reader, anything, LATER)
    store.forget_post("stage:7", LATER)
    read = reader.read

    def take_back_meanwhile(mentions: Sequence[Mention]) -> Traits:
        if in_use(store) is not None:
            take_back(store)
        return read(mentions)

    monkeypatch.setattr(reader, "read", take_back_meanwhile)
    mend(store, reader, anything, MUCH_LATER)
    (version,) = taste_versions.versions(store.read())
    assert (version.is_active, version.weights) == (False, None)
