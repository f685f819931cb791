"""The corrections that were learned from the team: which is in use, what each was learned from, and taking one back.

A version stands on the posts it was learned from. Where one of these is taken down, forgotten, or of a source that may
not train any more, the version is learned anew without it or its weights are taken away, whether in use or not.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlite_utils import Database

from bot.store.rows import change, moment, row, rows, stamp
from bot.store.taste import MayTrain

_KEPT = 10
"""How many versions keep their weights: so many can be taken back one after the other."""
_LEARNED_FROM = """
select distinct t.version, m.feed, m.platform, m.id is null or m.removed_at is not null or m.may_train = 0 as is_gone
from team_taste t, json_each(t.lessons) lesson left join mention m on m.id = lesson.value where t.weights is not null
"""
_NEWEST_BEFORE = """
with recursive before (version) as (
    select replaced from team_taste where version = ?1
    union all select t.replaced from before b join team_taste t on t.version = b.version where t.replaced is not null
)
select max(t.version) as version from before b join team_taste t on t.version = b.version
where t.weights is not null and t.base = (select base from team_taste where version = ?1)
"""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A correction as it was learned: on which weights, from which posts, and how well it orders the decisions.

    `before` and `after` are average precisions of held-out decisions; `decisions` is how many there were. `weights` and
    `moves` are as nlp.lessons gave them; `lessons` are the numbers of all posts that were read.
    """

    base: str
    decisions: int
    before: float
    after: float
    weights: Mapping[str, object]
    moves: Mapping[str, float]
    lessons: frozenset[int]


@dataclass(frozen=True, slots=True)
class Version:
    """A correction that was learned. Its fields are those of `Fitted`; `weights` is None where they were taken away.

    `changed_at` is when it was learned, or learned anew. `replaced` is the version that was in use before, None for the
    shipped weights alone.
    """

    version: int
    made_at: datetime
    changed_at: datetime
    base: str
    decisions: int
    before: float
    after: float
    weights: Mapping[str, object] | None
    moves: Mapping[str, float]
    is_active: bool
    replaced: int | None


def versions(db: Database) -> list[Version]:
    """Return every version there was, newest first."""
    return [_version_of(each) for each in rows(db, "select * from team_taste order by version desc")]


def active_version(db: Database) -> Version | None:
    """Return the version in use, None where Cuecard ranks as shipped."""
    found = row(db, "select * from team_taste where state = 'active'")
    return None if found is None else _version_of(found)


def lessons_of(db: Database, version: int) -> frozenset[int]:
    """Return the numbers of the posts that a version was learned from."""
    found = row(db, "select lessons from team_taste where version = ?", (version,))
    return frozenset() if found is None else frozenset(json.loads(found["lessons"]))


def unfit_versions(db: Database, may_train: MayTrain) -> list[int]:
    """Return the versions that were learned from a post that is gone, or may not be learned from any more."""
    found = rows(db, _LEARNED_FROM)
    unfit = {each["version"] for each in found if each["is_gone"] or not may_train(each["feed"], each["platform"])}
    return sorted(unfit)


def begin_version(db: Database, fitted: Fitted, now: datetime) -> int:
    """Put a new version into use in the place of the one before; return its number."""
    earlier = active_version(db)
    retire(db)
    found = row(
        db,
        "insert into team_taste (made_at, changed_at, base, decisions, before, after, weights, moves, lessons, state,"
        " replaced) values (:at, :at, :base, :decisions, :before, :after, :weights, :moves, :lessons, 'active',"
        " :replaced) returning version",
        _values(fitted, now) | {"replaced": None if earlier is None else earlier.version},
    )
    assert found is not None
    number = int(found["version"])
    drop_weights(db, range(1, number - _KEPT + 1))
    return number


def renew_version(db: Database, version: int, fitted: Fitted, now: datetime) -> None:
    """Put what was learned anew in the place of a version's weights."""
    change(
        db,
        "update team_taste set changed_at = :at, base = :base, decisions = :decisions, before = :before,"
        " after = :after, weights = :weights, moves = :moves, lessons = :lessons where version = :version",
        _values(fitted, now) | {"version": version},
    )


def retire(db: Database) -> None:
    """Take the version in use out of use."""
    change(db, "update team_taste set state = 'retired' where state = 'active'")


def drop_weights(db: Database, numbers: Iterable[int]) -> None:
    """Take away for good what some versions had learned."""
    wanted = json.dumps(list(numbers))
    change(
        db,
        "update team_taste set weights = null, moves = '{}', lessons = '[]', state = 'retired'"
        " where weights is not null and version in (select value from json_each(?))",
        (wanted,),
    )


def undo(db: Database) -> tuple[int, int | None] | None:
    """Take the version in use back, and use the one before it that still has its weights.

    Returns:
        Its number, and that of the version in use again (None: none, it ranks as shipped). None where none was in use.
    """
    current = active_version(db)
    if current is None:
        return None
    found = row(db, _NEWEST_BEFORE, (current.version,))
    again = None if found is None else found["version"]
    retire(db)
    change(db, "update team_taste set state = 'active' where version = ?", (again,))
    return current.version, again


def _values(fitted: Fitted, now: datetime) -> dict[str, object]:
    return {
        "at": stamp(now),
        "base": fitted.base,
        "decisions": fitted.decisions,
        "before": fitted.before,
        "after": fitted.after,
        "weights": orjson.dumps(fitted.weights).decode(),
        "moves": orjson.dumps(fitted.moves).decode(),
        "lessons": json.dumps(sorted(fitted.lessons)),
    }


def _version_of(found: sqlite3.Row) -> Version:
    return Version(
        version=found["version"],
        made_at=moment(found["made_at"]),
        changed_at=moment(found["changed_at"]),
        base=found["base"],
        decisions=found["decisions"],
        before=found["before"],
        after=found["after"],
        weights=None if found["weights"] is None else orjson.loads(found["weights"]),
        moves=orjson.loads(found["moves"]),
        is_active=found["state"] == "active",
        replaced=found["replaced"],
    )
