"""What the ranker learns from the team: the decisions as labels, and the last look at them.

Only posts that may train a model are read here, and none that was taken down or forgotten. A decision that was taken
back is none; of several on one post the last one counts.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, cast

from sqlite_utils import Database

from bot.conversation import DismissReason
from bot.records import JobKind
from bot.store.jobs import request_job
from bot.store.mentions import mention_of
from bot.store.rows import change, moment, moment_or_none, row, rows, stamp
from listeners.mention import Mention

Outcome = Literal["answered", "dismissed", "handed_over", "expired"]
MayTrain = Callable[[str, str], bool]
"""Says of a feed's name and a post's platform whether its text may train a model, as the settings have it by now."""
_MOST_DECISIONS = 1_000
_MOST_EXPIRED = 300
_MOST_RECENT = 1_000
_SCANNED = 20_000
_RECENT = timedelta(days=30)
_MAY_LEARN = "m.may_train = 1 and m.removed_at is null"
_ANSWERED = f"""
select m.*, s.finished_at as decided_at, 'answered' as outcome, null as reason
from send s join mention m on m.id = s.mention_id
where s.state in ('sent', 'confirmed') and s.finished_at is not null and {_MAY_LEARN} order by s.id desc limit ?
"""  # noqa: S608 - the text is ours
# The partial index `event_settled` holds for exactly these words.
_IS_SETTLED = "after in ('answered', 'dismissed', 'handed_over', 'expired') and before <> after"
_SETTLED = f"""
select m.*, e.at as decided_at, e.after as outcome, c.dismiss_reason as reason
from event e join conversation c on c.id = e.conversation_id and c.state = e.after
join mention m on m.id = (
    select id from mention where conversation_id = c.id and heard_at <= e.at order by created_at desc, id desc limit 1
)
where e.{_IS_SETTLED.replace("before <> after", "e.before <> e.after")} and {_MAY_LEARN}
    and instr(?, e.after) and instr(?, e.before)
    and e.id = (select max(id) from event x where x.conversation_id = c.id and x.before <> x.after)
order by e.id desc limit ?
"""  # noqa: S608 - the text is ours
_RECENT_POSTS = f"""
select m.* from (select id from mention where heard_at > ? order by heard_at desc limit ?) newest
join mention m on m.id = newest.id where {_MAY_LEARN} order by m.heard_at desc limit ?
"""  # noqa: S608 - the text is ours


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a post, and when; `reason` is given where it was dismissed."""

    mention_id: int
    mention: Mention
    outcome: Outcome
    at: datetime
    reason: DismissReason | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """The last time the decisions were looked at, and what came of it.

    `settled` is how many conversations people had settled by then. `paused_at` is set from when a person took a version
    back until they ask for learning again.
    """

    looked_at: datetime | None = None
    settled: int = 0
    decisions: int = 0
    said: str = ""
    paused_at: datetime | None = None


def decisions(db: Database, may_train: MayTrain) -> list[Decision]:
    """Return the newest decisions that may be learned from, oldest first, one for each post."""
    found = [
        *rows(db, _ANSWERED, (_MOST_DECISIONS,)),
        *rows(db, _SETTLED, ("dismissed handed_over", "new shown quiet claimed snoozed", _MOST_DECISIONS)),
        *rows(db, _SETTLED, ("expired", "shown", _MOST_EXPIRED)),
    ]
    allowed = [each for each in found if may_train(each["feed"], each["platform"])]
    newest = {each["id"]: each for each in sorted(allowed, key=lambda each: (each["decided_at"], each["id"]))}
    kept = sorted(newest.values(), key=lambda each: (each["decided_at"], each["id"]))[-_MOST_DECISIONS:]
    return [_decision_of(each) for each in kept]


def recent_posts(db: Database, may_train: MayTrain, now: datetime) -> list[tuple[int, Mention]]:
    """Return number and words of what was heard of late and may be learned from, newest first."""
    found = rows(db, _RECENT_POSTS, (stamp(now - _RECENT), _SCANNED, _MOST_RECENT))
    return [(each["id"], mention_of(each)) for each in found if may_train(each["feed"], each["platform"])]


def settled_count(db: Database) -> int:
    """Count how often people settled a conversation; it only grows, and costs a look into an index."""
    found = row(db, f"select count(*) as number from event where {_IS_SETTLED} and after <> 'expired'")  # noqa: S608
    return 0 if found is None else int(found["number"])


def look(db: Database) -> Look:
    """Return when the decisions were last looked at, and what came of it."""
    found = row(db, "select * from team_look")
    if found is None:
        return Look()
    return Look(
        moment_or_none(found["looked_at"]),
        found["settled"],
        found["decisions"],
        found["said"],
        moment_or_none(found["paused_at"]),
    )


def pause(db: Database, now: datetime) -> None:
    """Learn nothing new until asked to."""
    _write_look(db, "paused_at", {"paused_at": stamp(now)})


def go_on(db: Database) -> None:
    """Learn again, after a version was taken back."""
    _write_look(db, "paused_at", {"paused_at": None})


def note_look(db: Database, settled: int, decisions: int, said: str, now: datetime) -> None:
    """Record what came of a look at the decisions."""
    values = {"looked_at": stamp(now), "settled": settled, "decisions": decisions, "said": said}
    _write_look(db, ", ".join(values), values)


def tell(db: Database, sentence: str, now: datetime) -> None:
    """Tell the operator what is ranked differently from now on."""
    request_job(db, JobKind.NOTICE, "team-taste", payload=sentence, now=now)


def _write_look(db: Database, names: str, values: Mapping[str, object]) -> None:
    sets = ", ".join(f"{name} = excluded.{name}" for name in values)
    change(
        db,
        f"insert into team_look (id, {names}) values (1, {', '.join(f':{name}' for name in values)})"  # noqa: S608 - names are ours
        f" on conflict (id) do update set {sets}",
        values,
    )


def _decision_of(found: sqlite3.Row) -> Decision:
    reason = DismissReason(found["reason"]) if found["outcome"] == "dismissed" and found["reason"] else None
    outcome = cast("Outcome", found["outcome"])
    return Decision(found["id"], mention_of(found), outcome, moment(found["decided_at"]), reason)
