"""Learning from the team: decisions become lessons, lessons a small correction of the ranker, in the background.

What counts as what stands in one table. A new version begins to be used only where it is surely better than the shipped
model and no worse than the one in use, is told to the operator, and is taken back by `cuecard team undo`. The running
bot looks every few seconds which version is in use.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np

from bot.conversation import DISMISS_LABELS, DismissReason
from bot.scheduler import Task
from bot.store import Database, Store, taste_versions
from bot.store import taste as rows
from bot.store.taste import Decision, Look, MayTrain
from bot.store.taste_versions import Fitted, Version
from bot.taste_words import say_moves
from listeners.mention import Mention
from nlp.lessons import FEWEST, Learned, Lessons, learn
from nlp.team import NO_TASTE, Taste, corrected
from nlp.traits import Traits

log = logging.getLogger(__name__)

LOOK_EVERY = timedelta(days=1)
"""How long to wait at most before a new look, where a few decisions were made since the last one."""
USE_EVERY, LOOK_OUT_EVERY = 20.0, 600.0
_FEW, _MANY = 10, 25
_GROWTH = 0.25


@dataclass(frozen=True, slots=True)
class Label:
    """What a decision says: whether the post deserved an answer, and how much that counts."""

    words: str
    is_answered: bool
    weight: float


_BY_OUTCOME: Mapping[str, Label] = {
    "answered": Label("answered", is_answered=True, weight=1.0),
    "handed_over": Label("handed over", is_answered=True, weight=0.5),
    "expired": Label("shown, and left until it expired", is_answered=False, weight=0.2),
}
_BY_REASON: Mapping[DismissReason, Label] = {
    reason: Label(f"dismissed: {words.lower()}", is_answered=False, weight=1.0)
    for reason, words in DISMISS_LABELS.items()
} | {DismissReason.ANSWERED_ELSEWHERE: Label("dismissed: answered elsewhere", is_answered=True, weight=0.5)}


class Reads(Protocol):
    """What is asked of nlp; `nlp.assess.Assessor` does it."""

    @property
    def base(self) -> str:
        """What names exactly the weights in use."""
        ...

    def read(self, mentions: Sequence[Mention]) -> Traits:
        """Return what the shipped model reads of mentions."""
        ...

    def correct(self, taste: Taste) -> None:
        """Correct what is said from now on."""
        ...


def label_of(decision: Decision) -> Label:
    """Return what a decision says."""
    if decision.outcome == "dismissed":
        return _BY_REASON[decision.reason or DismissReason.NO_REPLY_NEEDED]
    return _BY_OUTCOME[decision.outcome]


@dataclass(frozen=True)
class Study:
    """The decisions that may be learned from, as lessons, and what came of them.

    `made_at` says when each was made; `read` are the numbers of all posts that were read.
    """

    labels: Sequence[Label]
    made_at: Sequence[datetime]
    lessons: Lessons
    learned: Learned
    read: frozenset[int]

    def fitted(self, base: str) -> Fitted:
        """Return what was learned, on these weights, as it is stored."""
        learned, lessons = self.learned, self.lessons
        return Fitted(
            base=base,
            decisions=learned.decisions,
            before=lessons.ordered(learned.before),
            after=lessons.ordered(learned.after),
            weights=learned.taste.to_json(),
            moves=learned.moves,
            lessons=self.read,
        )


def study(
    store: Store, reader: Reads, may_train: MayTrain, now: datetime, only: Collection[int] | None = None
) -> Study:
    """Learn from what the store holds, or from some posts of it by their numbers, without writing anything."""
    with store.snapshot() as db:
        decisions, recent = rows.decisions(db, may_train), rows.recent_posts(db, may_train, now)
    if only is not None:
        decisions = [decision for decision in decisions if decision.mention_id in only]
        recent = [(number, mention) for number, mention in recent if number in only]
    labels = [label_of(decision) for decision in decisions]
    lessons = Lessons(
        reader.read([decision.mention for decision in decisions]),
        np.array([label.is_answered for label in labels], dtype=bool),
        np.array([label.weight for label in labels]),
    )
    decided = {decision.mention_id for decision in decisions}
    undecided = np.array([number not in decided for number, _ in recent], dtype=bool)
    heard = reader.read([mention for _, mention in recent])
    read = frozenset(decided | {number for number, _ in recent})
    return Study(labels, [each.at for each in decisions], lessons, learn(lessons, heard, undecided), read)


def is_due(look: Look, settled: int, now: datetime, *, fits: bool = True) -> bool:
    """Return whether to look at the decisions again: many are new, or some are and a day passed, or the model changed.

    Args:
        look: the last look.
        settled: how often people have settled a conversation by now.
        now: the present.
        fits: whether what is in use, if anything, was learned on the weights in use.
    """
    if look.paused_at is not None:
        return False
    if look.looked_at is None or not fits:
        return True
    new = settled - look.settled
    return new >= max(_MANY, _GROWTH * look.decisions) or (new >= _FEW and now - look.looked_at >= LOOK_EVERY)


def learn_from_team(store: Store, reader: Reads, may_train: MayTrain, now: datetime) -> str:
    """Look at the decisions, and use what is learned from them where it is surely better; return what came of it."""
    settled = rows.settled_count(store.read())
    studied = study(store, reader, may_train, now)
    learned, base = studied.learned, reader.base
    with store.transaction() as db:
        if rows.look(db).paused_at is not None:
            return "Nothing is learned until `cuecard team learn`."
        current = taste_versions.active_version(db)
        fits = current is not None and current.base == base
        if not learned.why_not and current is not None and fits and _is_worse(studied, current):
            said = f"Version {current.version} stays in use: a new one is no better on what was decided since it began."
        elif not learned.why_not:
            said = _begin(db, studied, base, now)
        elif current is not None and (not fits or learned.gain < 0):
            said = _end(db, current, learned, now)
        else:
            said = learned.why_not + _say_left_out(settled, learned.decisions)
        rows.note_look(db, settled, learned.decisions, said, now)
    log.info("Looked at what the team decided: %s", said)
    return said


def mend(store: Store, reader: Reads, may_train: MayTrain, now: datetime) -> list[int]:
    """Take out of every version what may not be learned from any more; return which versions that concerned.

    The one in use is learned anew from the rest of its posts, or ends where too little is left; of the others, which
    only wait to be gone back to, the weights are taken away.
    """
    db = store.read()
    unfit, current = taste_versions.unfit_versions(db, may_train), taste_versions.active_version(db)
    if not unfit:
        return []
    studied = None
    if current is not None and current.version in unfit and current.base == reader.base:
        studied = study(store, reader, may_train, now, only=taste_versions.lessons_of(db, current.version))
    with store.transaction() as db:
        renewed = None if current is None or studied is None else _renew(db, current, studied, now)
        taste_versions.drop_weights(db, [number for number in unfit if number != renewed])
    log.info("Posts are gone that the versions %s were learned from: learned anew is %s.", unfit, renewed)
    return unfit


def _renew(db: Database, current: Version, studied: Study, now: datetime) -> int | None:
    """Renew the version in use; return its number, None where it ends, or was taken back meanwhile."""
    if taste_versions.active_version(db) != current:
        return None
    if studied.learned.why_not:
        _end(db, current, studied.learned, now)
        return None
    taste_versions.renew_version(db, current.version, studied.fitted(current.base), now)
    return current.version


def _begin(db: Database, studied: Study, base: str, now: datetime) -> str:
    fitted = studied.fitted(base)
    number = taste_versions.begin_version(db, fitted, now)
    said = (
        f"Cuecard learned from {fitted.decisions} decisions of the team. With version {number} held-out decisions are"
        f" ordered with an average precision of {fitted.after:.2f}, without it {fitted.before:.2f}."
        f"{say_moves(fitted.moves)} `cuecard team undo` takes it back."
    )
    rows.tell(db, said, now)
    return said


def _say_left_out(settled: int, decisions: int) -> str:
    """Say why so little can be learned from, where the team decided on much more."""
    if decisions >= FEWEST or settled - decisions < FEWEST:
        return ""
    return f" The team settled {settled:,} conversations: most of their posts may not train (`may_train`), or are gone."


def _end(db: Database, current: Version, learned: Learned, now: datetime) -> str:
    taste_versions.retire(db)
    said = f"Cuecard ranks as shipped again, since version {current.version} no longer fits. {learned.why_not}"
    rows.tell(db, said, now)
    return said


def _is_worse(studied: Study, current: Version) -> bool:
    """Whether the version in use orders what was decided since it began better than a new one, which saw none of it.

    Nothing decided since then is no better either.
    """
    since = np.array([at > current.made_at for at in studied.made_at], dtype=bool)
    lessons = studied.lessons
    new = lessons.ordered(studied.learned.after, since)
    old = lessons.ordered(corrected(taste_of(current), lessons.traits), since)
    return not since.any() or new < old


def taste_of(version: Version | None) -> Taste:
    """Return the correction of a version; one that changes nothing for none."""
    if version is None or version.weights is None:
        return NO_TASTE
    return Taste.from_json(version.weights, version.base, version.version)


class Learner:
    """Learns in the background, and has the ranker use the version that is in use by now."""

    def __init__(self, reader: Reads, may_train: MayTrain) -> None:
        """Take the assessor, and what may be learned from; nothing is read before the first turn."""
        self._reader = reader
        self._may_train = may_train
        self._used: tuple[int, datetime] | None = None

    def use(self, store: Store, now: datetime) -> None:  # noqa: ARG002 - the shape of a task
        """Use the version that is in use by now; costs one small read where it is the same as before."""
        version = taste_versions.active_version(store.read())
        wanted = None if version is None else (version.version, version.changed_at)
        if wanted != self._used:
            self._reader.correct(taste_of(version))
            self._used = wanted

    def look(self, store: Store, now: datetime) -> None:
        """Learn, where it is time to; forget at once what may not be learned from any more."""
        db = store.read()
        version = taste_versions.active_version(db)
        fits = version is None or version.base == self._reader.base
        if is_due(rows.look(db), rows.settled_count(db), now, fits=fits):
            learn_from_team(store, self._reader, self._may_train, now)
        mend(store, self._reader, self._may_train, now)
        self.use(store, now)

    def tasks(self) -> list[Task]:
        """Return what happens by the clock."""
        return [
            Task("use what was learned from the team", USE_EVERY, self.use),
            Task("learn from the team", LOOK_OUT_EVERY, self.look),
        ]
