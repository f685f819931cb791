"""Which of X's posts are mentions, each told once, and the pile in which they wait for their batch."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from listeners.contract import FeedContext
from listeners.mention import Batch, Gap, Mention
from listeners.x.posts import Post, read_posts
from listeners.x.settings import Settings

_MOST_REMEMBERED: Final = 10_000


@dataclass(slots=True)
class Pile:
    """What was read since the last batch."""

    mentions: list[Mention] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    answers: int = 0

    def clear(self, cursor: str, cost_micros: int, notices: tuple[str, ...] = ()) -> Batch:
        """Return all of it as a batch, oldest first, and begin again."""
        mentions = tuple(sorted(self.mentions, key=lambda each: (each.created_at, each.native_id)))
        batch = Batch(
            mentions,
            cursor,
            gaps=tuple(self.gaps),
            refused=tuple(self.refused),
            cost_micros=cost_micros,
            notices=notices,
        )
        self.mentions, self.refused, self.gaps, self.answers = [], [], [], 0
        return batch


class Judge:
    """Matches posts with the watches; memory that keeps a post from being told twice lives as long as this does."""

    def __init__(self, settings: Settings, context: FeedContext, user_id: Callable[[], str]) -> None:
        """Take the feed, and what tells our account's number as far as it is known."""
        self._settings = settings
        self._context = context
        self._user_id = user_id
        self._told: OrderedDict[str, tuple[int, str]] = OrderedDict()

    def take(self, told: Mapping[str, object], pile: Pile) -> None:
        """Put what an answer of X, or a line of its stream, brought on the pile."""
        pile.answers += 1
        for post in read_posts(told, self._settings, self._context.feed, self._user_id()):
            if isinstance(post, str):
                if self._is_news(post, 0, ""):
                    pile.refused.append(post)
            elif (mention := self.match(post)) and self._is_news(mention.native_id, post.version, mention.text):
                pile.mentions.append(mention)

    def match(self, post: Post) -> Mention | None:
        """Return the mention a post is, None where no watch wants it and it does not call on our account."""
        mention = post.mention
        if post.is_repost or post.is_own:
            return None
        watches = self._context.watches.match(mention.text, author=mention.author.handle, language=mention.language)
        if not watches and not post.is_summons:
            return None
        brand = watches[0].brand if watches else self._own_brand()
        return replace(mention, brand=brand, watches=tuple(watch.name for watch in watches))

    def _own_brand(self) -> str:
        watches = self._context.watches.watches
        return self._settings.brand or (watches[0].brand if watches else "")

    def _is_news(self, key: str, version: int, text: str) -> bool:
        """Whether it was not told yet, or in older words only."""
        known = self._told.get(key)
        if known is not None and (version < known[0] or text == known[1]):
            return False
        self._told[key] = version, text
        self._told.move_to_end(key)
        if len(self._told) > _MOST_REMEMBERED:
            self._told.popitem(last=False)
        return True
