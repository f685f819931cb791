"""What a group of batches holds: each post once, who heard it, and what of it is news; pure.

A batch that only looked again at stored posts (`Batch.checked`) begins nothing: what it tells of an unknown post is
left out, and a known one stays with the feed that heard it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.store.hearing import Known, NativeId, id_of
from bot.store.texts import plain
from bot.way import better_way, is_summons, way_of, with_way
from listeners.mention import Batch, Mention


@dataclass(slots=True)
class Harvest:
    """The posts of a group of batches, in their newest words, by what makes them unique.

    `heard` counts everything that was heard, `heard_by` says which posts each feed brought.
    """

    heard: int = 0
    mentions: dict[NativeId, Mention] = field(default_factory=dict)
    heard_by: dict[str, set[NativeId]] = field(default_factory=dict)

    def brought(self, feed: str, known: Mapping[NativeId, Known]) -> int:
        """Count what a feed brought that it had not brought before, as far as the store tells."""
        return sum(each not in known or known[each].way.feed != plain(feed) for each in self.heard_by.get(feed, ()))


@dataclass(frozen=True, slots=True)
class News:
    """What says more than what is stored: new posts, and known ones, of which `edited` have other words by now."""

    fresh: list[Mention]
    changed: list[tuple[Known, Mention]]
    edited: int


def gather(batches: Sequence[tuple[str, Batch]], platforms: Mapping[str, str], own: Collection[str]) -> Harvest:
    """Gather what feeds (by name) brought.

    Args:
        batches: in the order in which they came.
        platforms: each feed's platform in the catalogue, by the feed's name.
        own: the brand's own handles, case-folded: what they post is no mention.
    """
    harvest = Harvest()
    for feed, batch in batches:
        heard: set[NativeId] = set()
        if not batch.checked:
            heard = harvest.heard_by.setdefault(feed, heard)
            harvest.heard += len(batch.mentions)
        for mention in batch.mentions:
            if own and mention.author.handle.casefold() in own:
                continue
            platform = mention.feed_platform or platforms.get(feed, "")
            newer = replace(mention, feed=mention.feed or feed, feed_platform=platform)
            earlier = harvest.mentions.get(native_id := id_of(mention))
            if earlier is not None:
                newer = with_way(newer, better_way(way_of(earlier), way_of(newer)))
            harvest.mentions[native_id] = newer
            heard.add(native_id)
    return harvest


def sift(harvest: Harvest, known: Mapping[NativeId, Known]) -> News:
    """Return what of a harvest is news: what is new, has newer words, or is known by now to summon us."""
    heard = set[NativeId]().union(*harvest.heard_by.values())
    news = News([], [], 0)
    edited = 0
    for each, mention in harvest.mentions.items():
        stored = known.get(each)
        if stored is None:
            news.fresh.extend([mention] if each in heard else [])
            continue
        if stored.is_removed:
            continue
        is_edited = (stored.text, stored.title) != (mention.text, plain(mention.title))
        way = better_way(stored.way, way_of(mention)) if each in heard else stored.way
        if is_edited or is_summons(stored.way, way):
            edited += is_edited
            news.changed.append((stored, with_way(mention, way)))
    return replace(news, edited=edited)
