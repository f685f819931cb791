"""Batches in; assessed, grouped and stored, with cursor and card jobs, in one transaction.

The thinking (nlp, grouping, the line) is done before the transaction opens; what it decided is written all at once or
not at all. Repeats cost a look-up. A batch that only looked again at what is stored (`Batch.checked`) is no sign that
its feed hears, and moves no cursor. One thread uses an `Intake`.
"""

from __future__ import annotations

import itertools
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, cast

from bot.clock import Clock
from bot.harvest import News, gather, sift
from bot.line import MUST_ANSWER, Budget, QuietCause, Verdict, judge, start_of_day
from bot.store import Database, Store, feed_hours, feed_rows, followups, hearing, rechecks
from bot.store.erasure import write_removals
from bot.store.hearing import Heard, Known, Written
from bot.store.rows import moment
from bot.store.texts import plain
from bot.store.volume import spent_on, volume_of
from bot.volume import Stand, Volume, candidate_of
from listeners.mention import Batch, Mention
from nlp.assessment import Assessment, Reason

log = logging.getLogger(__name__)

UNREADABLE = Assessment(
    needs_reply=0.5,
    urgent=0.0,
    priority=50.0,
    grade=2,
    invited="n/a",
    intent="brand_chatter",
    language="und",
    reasons=(Reason("could not be assessed, please read it", 1.0),),
)
"""Stands for the assessment of a post that nlp failed on: a person reads it."""
PRIMED = 4_000
REMEMBERED = 50_000
_LOOK_AT_BUDGET_EVERY = timedelta(seconds=5)


class Assesses(Protocol):
    """What is asked of nlp; `nlp.assess.Assessor` does it."""

    def assess(self, mentions: Sequence[Mention]) -> list[Assessment]:
        """Assess mentions, in their order."""
        ...


class Groups(Protocol):
    """What is asked of the grouping; `nlp.group.Grouper` does it."""

    def prime(self, texts: Iterable[tuple[int, str]]) -> None:
        """Remember texts, by key, without comparing them."""
        ...

    def place(self, key: int, text: str) -> int | None:
        """Remember a text; return the key of the earlier one that it repeats, None where it is new."""
        ...

    def forget(self, key: int) -> None:
        """Forget a text, whether known or not."""
        ...


@dataclass(frozen=True, slots=True)
class IntakeReport:
    """What became of what was heard.

    `heard` counts everything, `new` what was not known, `shown`, `quiet` (by cause) and `grouped` the conversations
    that began, `reopened` those that opened again, `edited` and `removed` the posts that changed. `refused` holds a
    sentence for each item that is no mention.
    """

    heard: int = 0
    new: int = 0
    shown: int = 0
    quiet: Mapping[QuietCause, int] = field(default_factory=dict)
    grouped: int = 0
    reopened: int = 0
    edited: int = 0
    removed: int = 0
    refused: tuple[str, ...] = ()


@dataclass(slots=True)
class _Thought:
    """What was decided about a group of batches before anything is written."""

    now: datetime
    heard: int = 0
    brought: Mapping[str, int] = field(default_factory=dict)
    new: list[Heard] = field(default_factory=list)
    again: list[tuple[Known, Heard]] = field(default_factory=list)
    edited: int = 0
    placed: list[int] = field(default_factory=list)
    passed: Counter[str] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)


class Intake:
    """Takes what listeners bring, and stores what becomes of it."""

    def __init__(  # noqa: PLR0913 - everything it leans on is handed to it
        self,
        store: Store,
        assessor: Assesses,
        grouper: Groups,
        cards: Budget,
        clock: Clock,
        *,
        timezone: str = "UTC",
        own_handles: Collection[str] = (),
        may_train: Callable[[str, str], bool] = lambda _feed, _platform: False,
    ) -> None:
        """Take what is needed; the memory of the last days is read from the store at the first batch.

        Args:
            store: the open store.
            assessor: assesses mentions.
            grouper: finds near-duplicates.
            cards: the budget of cards.
            clock: tells when something was heard.
            timezone: where the team's day begins.
            own_handles: the brand's own accounts: what they post is not a mention.
            may_train: says of a feed's name and a post's platform whether its text may train a model.
        """
        self._store = store
        self._assessor = assessor
        self._grouper = grouper
        self._cards = cards
        self._clock = clock
        self._timezone = timezone
        self._own = frozenset(handle.removeprefix("@").casefold() for handle in own_handles)
        self._may_train = may_train
        self._numbers = itertools.count(1)
        self._key_of: dict[int, str] = {}
        self._volume: Volume | None = None
        self._shown_today = 0
        self._spent: Counter[str] = Counter()
        self._counted_at: datetime | None = None
        self.replayed: set[str] = set()
        """Feeds that a person asked to play in: their posts are shown however old they are."""
        self.platforms: dict[str, str] = {}
        """Each feed's platform in the catalogue, by the feed's name."""

    def take(self, batches: Sequence[tuple[str, Batch]]) -> IntakeReport:
        """Store what feeds (by name) brought, all of it in one transaction; on any error nothing is stored."""
        thought = self._think(batches)
        try:
            with self._store.transaction() as db:
                written = hearing.write_mentions(db, thought.new, thought.now)
                for known, each in thought.again:
                    followups.hear_again(db, known.mention_id, each.columns, each.assessment, each.verdict, thought.now)
                removals = [removal for _, batch in batches for removal in batch.removals]
                removed = write_removals(db, removals, thought.now)
                self._write_feeds(db, batches, thought)
        except BaseException:
            self._forget(thought.placed)
            raise
        self._learn(thought, written)
        return _report(thought, written, len(removed))

    def _think(self, batches: Sequence[tuple[str, Batch]]) -> _Thought:
        """Find out what is new, what it says and where it belongs; reads the store, writes nothing."""
        now = self._clock.now()
        stand = self._stand(now)
        harvest = gather(batches, self.platforms, self._own)
        known = hearing.known_mentions(self._store.read(), list(harvest.mentions)) if harvest.mentions else {}
        news = sift(harvest, known)
        thought = _Thought(now, harvest.heard, {feed: harvest.brought(feed, known) for feed in harvest.heard_by})
        thought.refused += [sentence for _, batch in batches for sentence in batch.refused]
        thought.edited = news.edited
        self._weigh(thought, news, stand)
        return thought

    def _weigh(self, thought: _Thought, news: News, stand: Stand) -> None:
        """Assess what is news, find out where it belongs, and make its rows."""
        fresh = news.fresh
        try:
            assessments = self._assess([*fresh, *(mention for _, mention in news.changed)])
            keys = [hearing.conversation_key(mention) for mention in fresh]
            standing = hearing.known_conversations(self._store.read(), set(keys)).keys() if keys else ()
            begun: set[str] = set()
            for mention, key, assessment in zip(fresh, keys, assessments, strict=False):
                begins = key not in standing and key not in begun
                begun.add(key)
                twin_key = self._place(mention, key, thought) if begins else ""
                is_card = self._note(thought, mention, assessment, stand, key=key, twin_key=twin_key)
                thought.passed[mention.brand] += is_card and begins and not twin_key
            for (stored, mention), assessment in zip(news.changed, assessments[len(fresh) :], strict=True):
                self._note(thought, mention, assessment, stand, stored=stored)
        except BaseException:
            self._forget(thought.placed)
            raise

    def _assess(self, mentions: Sequence[Mention]) -> list[Assessment]:
        """Assess mentions together; where that fails, one by one, so that none is lost for another's sake."""
        if not mentions:
            return []
        try:
            assessments = self._assessor.assess(mentions)
        except Exception:
            log.exception("Assessing %d mentions failed; each is tried alone.", len(mentions))
            return [self._assess_alone(mention) for mention in mentions]
        if len(assessments) != len(mentions):
            raise RuntimeError(f"nlp gave {len(assessments)} assessments for {len(mentions)} mentions.")
        return assessments

    def _assess_alone(self, mention: Mention) -> Assessment:
        try:
            return self._assessor.assess([mention])[0]
        except Exception:
            log.exception("The mention %s of %s could not be assessed.", mention.native_id, mention.platform)
            return UNREADABLE

    def _place(self, mention: Mention, key: str, thought: _Thought) -> str:
        """Compare what begins a conversation with what was said before; return the key of its twin, '' for none."""
        number = next(self._numbers)
        twin = self._grouper.place(number, _words_of(mention.title, mention.text))
        thought.placed.append(number)
        self._remember(number, key)
        if twin is None:
            return ""
        twin_key = self._key_of.pop(twin, "")
        self._remember(twin, twin_key or key)  # a lead that was forgotten here is led by this one from now on
        return twin_key

    def _note(  # noqa: PLR0913 - what the row is made of
        self,
        thought: _Thought,
        mention: Mention,
        assessment: Assessment,
        stand: Stand,
        *,
        key: str = "",
        twin_key: str = "",
        stored: Known | None = None,
    ) -> bool:
        """Make the row of a mention, and return whether it is worth a card.

        One that cannot be a row is refused, and keeps no other from being stored.
        """
        try:
            may_train = self._may_train(mention.feed, mention.platform)
            columns = hearing.columns_of(mention, assessment, thought.now, may_train=may_train)
        except Exception:
            log.exception("The mention %s of %s could not be stored.", mention.native_id, mention.platform)
            thought.refused.append(f"{mention.feed}: the post {mention.native_id!r} holds values that cannot be kept.")
            return False
        least = stand.least(mention.brand, thought.passed)
        verdict = self._judge(mention, assessment, least, thought.now)
        each = Heard(key, columns, assessment, verdict, twin_key)
        if stored is None:
            thought.new.append(each)
        else:
            thought.again.append((stored, each))
        return bool(verdict)

    def _write_feeds(self, db: Database, batches: Sequence[tuple[str, Batch]], thought: _Thought) -> None:
        """Write where each feed stands now, what it brought and missed, what it cost, and what it has to say."""
        now, new = thought.now, Counter(str(each.columns["feed"]) for each in thought.new)
        for feed in dict.fromkeys(feed for feed, _ in batches):
            own = [batch for name, batch in batches if name == feed]
            refused = sum(len(batch.refused) for batch in own)
            if heard := [batch for batch in own if not batch.checked]:
                if feed not in self.replayed:
                    feed_hours.write_hour(db, feed, thought.brought[feed], refused, now)
                cursor = next((batch.cursor for batch in reversed(heard) if batch.cursor), "")
                feed_rows.write_heard(db, feed, cursor, new[plain(feed)], now)
            feed_rows.write_gaps(db, feed, [gap for batch in own for gap in batch.gaps])
            feed_rows.write_notices(db, feed, [notice for batch in own for notice in batch.notices], now)
            if cost := sum(batch.cost_micros for batch in own):
                feed_rows.write_spend(db, feed, cost, now)
            if checked := [native_id for batch in own for native_id in batch.checked]:
                rechecks.write_checked(db, self.platforms.get(feed, ""), checked, now)

    def _judge(self, mention: Mention, assessment: Assessment, line: float, now: datetime) -> Verdict:
        """Judge a mention by the line and the budget, and by its age where it was not played in on purpose."""
        verdict = judge(assessment, line, self._shown_today, self._cards.per_day)
        oldest = now - timedelta(hours=self._cards.stale_after_hours)
        is_old = mention.created_at < oldest and mention.feed not in self.replayed
        return Verdict("stale") if verdict and is_old and assessment.grade < MUST_ANSWER else verdict

    def _stand(self, now: datetime) -> Stand:
        """Return where the line stands, from what was heard before; looks at the budget now and then."""
        db = self._store.read()
        if self._volume is None:
            self._volume = volume_of(db, self._cards.per_day, self._timezone, now)
            self._prime()
        if self._counted_at is None or abs(now - self._counted_at) >= _LOOK_AT_BUDGET_EVERY:
            day = start_of_day(now, self._timezone)
            self._shown_today = self._store.cards_shown_since(day)
            self._spent = spent_on(db, day)
            self._counted_at = now
        return self._volume.stand(now, self._spent.total(), self._spent)

    def _prime(self) -> None:
        """Remember what was heard before this start, so that its copies are known for what they are."""
        texts = []
        for key, title, text in hearing.recent_texts(self._store.read(), PRIMED):
            number = next(self._numbers)
            self._remember(number, key)
            texts.append((number, _words_of(title, text)))
        self._grouper.prime(texts)

    def _remember(self, number: int, key: str) -> None:
        self._key_of[number] = key
        if len(self._key_of) > REMEMBERED:
            del self._key_of[next(iter(self._key_of))]

    def _forget(self, placed: Iterable[int]) -> None:
        """Take back what was placed for a transaction that failed."""
        for number in placed:
            self._grouper.forget(number)
            self._key_of.pop(number, None)

    def _learn(self, thought: _Thought, written: Written) -> None:
        """Remember what was stored: for the line, and which conversations lead now."""
        assert self._volume is not None
        self._spent += thought.passed
        for each in thought.new:
            written_at, brand = moment(cast("float", each.columns["created_at"])), str(each.columns["brand"])
            candidate = None if each.twin_key else candidate_of(each.assessment, written_at, brand)
            self._volume.add(thought.now, candidate)
        if written.restarted:
            leads = dict(written.restarted)
            self._key_of = {number: leads.get(key, key) for number, key in self._key_of.items()}


def _report(thought: _Thought, written: Written, removed: int) -> IntakeReport:
    return IntakeReport(
        heard=thought.heard,
        new=written.new,
        shown=written.shown,
        quiet=dict(written.quiet),
        grouped=written.quiet["copy"],
        reopened=written.reopened,
        edited=thought.edited,
        removed=removed,
        refused=tuple(thought.refused),
    )


def _words_of(title: str, text: str) -> str:
    """Return what a post says, for comparing it with others."""
    return f"{title}\n{text}" if title else text
