"""One call of `listen`: where the feed stands, and what it read and has not told yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from listeners.contract import FeedContext
from listeners.mention import Batch, Gap
from listeners.x.budget import Budget, objects_in
from listeners.x.cursor import Cursor, Place, moment, read_cursor
from listeners.x.judge import Judge, Pile
from listeners.x.looks import MENTIONS, SEARCHED, Looker, Source, adopt, search_of
from listeners.x.settings import Settings

PER_BATCH: Final = 200
_MOST_HELD: Final = 2_000
"""Posts that are held until they are told, so that memory is bounded."""
_TOO_OLD: Final = "X's search reaches back seven days only."
_SLOWED: Final = "Only posts that mention our account were listened to, to stay within X's budget."


@dataclass(frozen=True, slots=True)
class Left:
    """What a run had read, and paid for, after its last batch, when it broke off.

    A run that begins with the cursor of that batch goes on from there; nothing of it was told, since a batch would say
    that all is heard.
    """

    text: str | None
    cursor: Cursor
    pages: tuple[Mapping[str, object], ...]
    gaps: tuple[Gap, ...]
    notices: tuple[str, ...]


class Run:
    """Looks at sources, judges what they bring, and makes batches of it."""

    def __init__(  # noqa: PLR0913, PLR0917 - everything it leans on is handed to it
        self,
        settings: Settings,
        context: FeedContext,
        looker: Looker,
        budget: Budget,
        queries: Sequence[str],
        cursor: str | None,
        left: Left | None,
    ) -> None:
        """Begin where the cursor stands; without one, or with one that cannot be read, look back."""
        self._settings = settings
        self._now = context.now
        self._looker = looker
        self._budget = budget
        self._searches = [search_of(query) for query in queries]
        self._judge = Judge(settings, context, looker.known_user_id)
        self._notices: list[str] = []
        self._text = cursor
        self._pages: list[Mapping[str, object]] = []
        self._held = 0
        self.pile = Pile()
        if left is not None and left.text == cursor:
            self._go_on(left)
        else:
            self.cursor = read_cursor(cursor) or Cursor(self._second())
            self._begin(is_first=not self.cursor.places)

    def is_slow(self) -> bool:
        """Whether money is short, so that only our own mentions are listened to; notes when that begins and ends."""
        slow = self._settings.mode != "mentions" and self._budget.is_slow()
        if slow and not self.cursor.slow_since:
            self.cursor.slow_since = self._second()
            self._notices.append(self._budget.say_slow())
        elif not slow and self.cursor.slow_since:
            self._end_slow()
        return slow

    def sources(self, *, own: bool, searches: bool) -> list[Source]:
        """Return what is to be looked at.

        Raises:
            RateLimited, Retryable, Permanent: as `listen`; our account's number may have to be looked up.
        """
        return ([self._looker.mentions()] if own else []) + (self._searches if searches else [])

    def look(self, sources: Sequence[Source]) -> Iterator[Batch]:
        """Look at sources; yield as few batches as hold what they bring, at least one.

        Raises:
            RateLimited, Retryable, Permanent: as `listen`.
        """
        for source in sources:
            for page in self._looker.look(source, self.cursor):
                self._judge_page(page.told)
                self.pile.gaps += page.gaps
                if len(self.pile.mentions) >= PER_BATCH or self._held >= _MOST_HELD:
                    yield self.batch()
        if not self.cursor.slow_since:
            self.cursor.heard_at = self._second()
        yield self.batch()

    def leave(self) -> Left:
        """Return what was read and not told, for a run that goes on from here."""
        return Left(self._text, self.cursor, tuple(self._pages), tuple(self.pile.gaps), tuple(self._notices))

    def take(self, told: Mapping[str, object]) -> None:
        """Judge a line of the stream, which costs as a search does."""
        self._budget.charge_posts(told)
        self._judge_page(told)

    def note_live(self, newest: str, *, is_caught_up: bool) -> None:
        """Note that the stream hears; where nothing of it waits to be read, all is heard up to its newest post."""
        self.cursor.heard_at = self._second()
        if is_caught_up:
            for source in self._searches:
                self.cursor.places[source.key].advance(newest, self.cursor.heard_at)

    def batch(self) -> Batch:
        """Return what waits to be told, with where to resume."""
        notices, self._notices, self._pages, self._held = tuple(self._notices), [], [], 0
        self._text = self.cursor.write()
        return self.pile.clear(self._text, self._budget.take_untold(), notices)

    def _judge_page(self, told: Mapping[str, object]) -> None:
        self._pages.append(told)
        self._held += len(objects_in(told, "data"))
        self._judge.take(told, self.pile)

    def _go_on(self, left: Left) -> None:
        self.cursor = left.cursor
        for page in left.pages:
            self._judge_page(page)
        self.pile.gaps += left.gaps
        self._notices += left.notices

    def _begin(self, *, is_first: bool) -> None:
        now = self._second()
        look_back = round(self._settings.look_back_hours * 3_600)
        adopt(
            self.cursor,
            [MENTIONS, *(source.key for source in self._searches)],
            self.cursor.heard_at - look_back * is_first,
        )
        oldest = now - round(SEARCHED.total_seconds())
        if self._searches and not self.cursor.slow_since and self.cursor.heard_at < oldest:
            self.pile.gaps.append(Gap(moment(self.cursor.heard_at), moment(oldest), _TOO_OLD))

    def _end_slow(self) -> None:
        """Listen to everything again; what was not heard is looked up as far as at a first start, for its cost."""
        since, self.cursor.slow_since = self.cursor.slow_since, 0
        back = int((self._now() - timedelta(hours=self._settings.look_back_hours)).timestamp())
        if since >= back:
            return
        self.pile.gaps.append(Gap(moment(since), moment(back), _SLOWED))
        for source in self._searches:
            self.cursor.places[source.key] = Place(since=back)

    def _second(self) -> int:
        return int(self._now().timestamp())
