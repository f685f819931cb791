"""Looks at all places of a Reddit feed: what is new there becomes mentions, and what fails is told once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import orjson

from listeners.contract import FeedContext
from listeners.errors import ListenerError, RateLimited, Retryable
from listeners.mention import Batch, Gap, Mention, Removal
from listeners.reddit.posts import PLATFORM, Standing, Thing, names_account, read_post, read_standing, write_standing
from listeners.reddit.refusals import SourceRefused
from listeners.reddit.sources import PAGE_SIZE, Ask, Source, read_listing, read_source

_PER_BATCH: Final = 200
_ENOUGH_SILENCES: Final = 3
_MISSED_AFTER: Final = timedelta(hours=1)


@dataclass(slots=True)
class Health:
    """How a place fares: up to when it was heard, or its silence told; and why it cannot be read, '' where it can."""

    heard: datetime
    trouble: str = ""


@dataclass(slots=True)
class _News:
    """What one look gathers before it is told; `found` holds each post with whether the inbox told of it."""

    sinces: dict[str, int]
    found: dict[str, tuple[Thing, bool]] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    removals: list[Removal] = field(default_factory=list)


class Looks:
    """The looks of one run of `listen`. Its memory of what was told ends with the run."""

    def __init__(  # noqa: PLR0913 - what a look needs, handed in by name
        self,
        *,
        context: FeedContext,
        sources: Sequence[Source],
        ask: Ask,
        account: str,
        site: str,
        overlap_seconds: int,
        health: dict[str, Health],
    ) -> None:
        """Take the places to read and how to ask; `health` outlives the run."""
        self._context = context
        self._sources = sources
        self._ask = ask
        self._account = account
        self._site = site
        self._overlap = overlap_seconds
        self._health = health
        self._told: dict[str, tuple[str, bool]] = {}

    def look(self, sinces: dict[str, int], default: int) -> Iterator[Batch]:
        """Read every place back to what is known, and tell what is new.

        `sinces` holds the second of the newest post that is known, by place, and is brought up to date; `default` is
        the second to begin at where a place is not in it.

        Raises:
            RateLimited, Permanent: at once. Retryable: no place could be read.
        """
        news = _News({source.key: sinces.get(source.key, default) for source in self._sources})
        before = write_cursor(news.sinces)
        self._gather(news)
        after = write_cursor(news.sinces)
        mentions = self._add_context(self._judge(news))
        for start in range(0, max(1, len(mentions)), _PER_BATCH):
            part = mentions[start : start + _PER_BATCH]
            if start + _PER_BATCH < len(mentions):
                yield Batch(part, before)
                continue
            sinces.update(news.sinces)
            gaps = (*news.gaps, *self._missed())
            yield Batch(part, after, removals=tuple(news.removals), gaps=gaps, refused=tuple(news.refused))

    def _gather(self, news: _News) -> None:
        errors: list[Retryable] = []
        is_heard = False
        for source in self._sources:
            try:
                self._read(source, news)
                is_heard = True
            except RateLimited:
                raise
            except Retryable as err:
                errors.append(err)
                news.refused += self._note_failure(source, err)
                silences = sum(not isinstance(error, SourceRefused) for error in errors)
                if not is_heard and silences >= _ENOUGH_SILENCES:
                    break  # the others would not answer either, each after a long wait
        if not is_heard:  # a look that failed is no sign of life
            raise Retryable(" ".join(dict.fromkeys(map(str, errors[:3])))) from errors[0]

    def _read(self, source: Source, news: _News) -> None:
        since, now = news.sinces[source.key], int(self._context.now().timestamp())
        floor = max(0, since - self._overlap)
        reading = read_source(source, floor, now, self._ask)
        self._health[source.key] = Health(self._context.now())
        recent = [thing for thing in reading.things if thing.second is None or thing.second >= floor]
        newest = max((thing.second or 0 for thing in recent), default=0)
        news.sinces[source.key] = max(since, min(newest, now))
        for thing in recent:
            news.found.setdefault(thing.fullname or f"?{len(news.found)}", (thing, source.is_inbox))
        if reading.cut_at is not None and reading.cut_at > floor:
            reason = f"Reddit had more posts in {source.name} than it tells."
            news.gaps.append(Gap(_moment(floor), _moment(reading.cut_at), reason))

    def _note_failure(self, source: Source, error: ListenerError) -> list[str]:
        """Remember that a place could not be read; return the reason if it was not told yet."""
        health = self._health.setdefault(source.key, Health(self._context.now()))
        is_known = any(each.trouble == str(error) for each in self._health.values())
        health.trouble = str(error)
        return [] if is_known else [str(error)]

    def _missed(self) -> list[Gap]:
        """Return the stretches in which single places were not heard, each about once an hour while it lasts."""
        now = self._context.now()
        gaps = []
        for health in self._health.values():
            if health.trouble and now - health.heard >= _MISSED_AFTER:
                gaps.append(Gap(health.heard, now, health.trouble))
                health.heard = now
        return gaps

    def _judge(self, news: _News) -> list[Mention]:
        """Return what is new and wanted, oldest first; note in `news` what is gone or no mention."""
        told, self._told = self._told, {}
        mentions = []
        for thing, is_inbox in news.found.values():
            read = read_post(thing, self._context.feed, self._site)
            name = thing.fullname or f"?{read}"
            said = read if isinstance(read, str) else f"{read.title}\n{read.text}"
            self._told[name] = (said, is_inbox)
            if told.get(name) in {(said, is_inbox), (said, True)}:
                continue  # what the inbox brings after its subreddit did is judged again: it summons us
            if isinstance(read, Mention):
                mentions += self._match(read, thing, is_inbox=is_inbox)
            elif thing.is_gone and thing.fullname:
                news.removals.append(Removal(PLATFORM, self._context.now(), native_id=name))
            else:
                news.refused.append(read)
        return sorted(mentions, key=lambda mention: (mention.created_at, mention.native_id))

    def _match(self, mention: Mention, thing: Thing, *, is_inbox: bool) -> list[Mention]:
        """Return the mention with its watches, if it is wanted; what we wrote ourselves is not."""
        handle = mention.author.handle
        if self._account and handle.casefold() == self._account.casefold():
            return []
        watches = self._context.watches.match(thing.spoken, author=handle)
        is_summons = is_inbox or names_account(thing.spoken, self._account)
        if not watches and not is_summons:
            return []
        brand = next((watch.brand for watch in watches or self._context.watches.watches), "")
        account = self._account if is_summons else ""
        names = tuple(watch.name for watch in watches)
        return [replace(mention, brand=brand, watches=names, account=account)]

    def _add_context(self, mentions: Sequence[Mention]) -> tuple[Mention, ...]:
        """Give comments what they answer, and say where their thread is closed; a look does not fail for want of it."""
        names = [name for one in mentions if one.in_reply_to for name in (one.in_reply_to, one.thread_id) if name]
        try:
            around = read_things(dict.fromkeys(names), self._ask)
        except Retryable:
            return tuple(mentions)
        return tuple(_with_context(mention, around) for mention in mentions)


def read_things(names: Iterable[str], ask: Ask) -> dict[str, Thing]:
    """Return posts by their fullnames, in requests of 100; those that Reddit does not know are left out.

    Raises:
        ListenerError: what `ask` raises.
    """
    wanted = list(names)
    found: dict[str, Thing] = {}
    for start in range(0, len(wanted), PAGE_SIZE):
        ids = ",".join(wanted[start : start + PAGE_SIZE])
        things, _after = read_listing(ask("api/info/", {"id": ids}, "the posts"), "the posts")
        found.update((thing.fullname, thing) for thing in things if thing.fullname)
    return found


def _with_context(mention: Mention, around: Mapping[str, Thing]) -> Mention:
    if not mention.in_reply_to:
        return mention
    parent, thread = around.get(mention.in_reply_to), around.get(mention.thread_id)
    standing = read_standing(mention.reply_ref)
    return replace(
        mention,
        parent_text=parent.spoken if parent is not None and not parent.is_gone else "",
        title=mention.title or (thread.title if thread is not None and not thread.is_gone else ""),
        reply_ref=write_standing(
            Standing(standing.subreddit, standing.closed or (thread.closed if thread is not None else ""))
        ),
    )


def _moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def write_cursor(sinces: Mapping[str, int]) -> str:
    """Write the newest second that is known of each place."""
    return orjson.dumps(sinces, option=orjson.OPT_SORT_KEYS).decode()


def read_cursor(cursor: str | None, keys: Iterable[str], latest: int) -> dict[str, int]:
    """Read what `write_cursor` wrote, for the places that there are now; no second is later than `latest`."""
    try:
        told = orjson.loads(cursor or "{}")
    except orjson.JSONDecodeError:
        return {}
    if not isinstance(told, dict):
        return {}
    seconds = ((key, told.get(key)) for key in keys)
    return {
        key: min(second, latest)
        for key, second in seconds
        if isinstance(second, int) and not isinstance(second, bool) and second >= 0
    }
