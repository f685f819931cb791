"""From what a Mastodon server tells, by page or by stream, to batches: what is a mention, an edit, a removal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from listeners.contract import FeedContext
from listeners.mastodon.fields import Fields, moment_of, part_of, text_of
from listeners.mastodon.memory import Memory
from listeners.mastodon.posts import PLATFORM, is_addressed_to, is_public, original_of, read_post, say_wordless
from listeners.mastodon.server import Server
from listeners.mastodon.settings import Settings
from listeners.mastodon.sources import Source
from listeners.mastodon.streams import Event
from listeners.mastodon.threads import Threads
from listeners.mastodon.timelines import Page
from listeners.mention import Batch, Gap, Mention, Removal

_ADDRESSED: Final = frozenset({"mention", "quote"})


@dataclass(slots=True)
class _Found:
    """What the next batch will hold."""

    mentions: list[Mention] = field(default_factory=list)
    removals: list[Removal] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.mentions or self.removals or self.gaps or self.refused or self.notices)


class Hearing:
    """One run of listening: takes what is told, and gives batches with the cursor they reach."""

    def __init__(
        self, settings: Settings, context: FeedContext, server: Server, memory: Memory, threads: Threads
    ) -> None:
        """Take what to judge posts by."""
        self._settings = settings
        self._context = context
        self._server = server
        self._memory = memory
        self._threads = threads
        self._found = _Found()
        self._noticed: set[str] = set()

    @property
    def count(self) -> int:
        """How many mentions wait for the next batch."""
        return len(self._found.mentions)

    def has_news(self) -> bool:
        """Whether the next batch would hold anything."""
        return bool(self._found)

    def give(self) -> Batch:
        """Return everything taken since the last batch."""
        found, self._found = self._found, _Found()
        self._threads.renew()
        return Batch(
            mentions=tuple(sorted(found.mentions, key=lambda mention: mention.created_at)),
            cursor=self._memory.cursor(),
            removals=tuple(found.removals),
            gaps=tuple(found.gaps),
            refused=tuple(found.refused),
            notices=tuple(found.notices),
        )

    def notice(self, sentence: str) -> None:
        """Tell the operator something, once a run."""
        if sentence not in self._noticed:
            self._noticed.add(sentence)
            self._found.notices.append(sentence)

    def _refuse(self, sentence: str) -> None:
        if sentence not in self._noticed:
            self._noticed.add(sentence)
            self._found.refused.append(sentence)

    def take_page(self, source: Source, page: Page) -> None:
        """Take what one request brought."""
        for item in page.items:
            if source.kind == "notifications":
                self._take_notification(item)
            else:
                self._take_status(item)
        if page.gap is not None:
            self._found.gaps.append(page.gap)
        if page.newest:
            self._memory.reach(source.key, page.newest)

    def take_events(self, events: Iterable[Event]) -> None:
        """Take what streams told."""
        for event in events:
            if event.name == "delete":
                self._take_removal(str(event.told))
            elif not isinstance(event.told, dict):
                self._refuse("Mastodon streamed an event that cannot be read.")
            elif event.name == "notification":
                self._hear_notification(event.told)
            else:
                self._hear_status(event, event.told)

    def _hear_notification(self, told: Fields) -> None:
        if self._settings.notifications:
            self._take_notification(told)
            self._memory.reach("notifications", text_of(told, "id"))

    def _hear_status(self, event: Event, status: Fields) -> None:
        key = "home" if event.channel == "user" else event.channel
        is_edit = event.name == "status.update"
        is_edit_of_told = is_edit and self._memory.was_told(status)
        if key == "home" and not (self._settings.home or is_edit_of_told):
            return
        self._take_status(status)
        if not is_edit:
            self._memory.reach(key, text_of(status, "id"))

    def _take_notification(self, told: Fields) -> None:
        status = part_of(told, "status")
        if status and text_of(told, "type") in _ADDRESSED:
            self._take_status(status, is_to_us=True)

    def _take_removal(self, number: str) -> None:
        address = self._memory.remove(number)
        if address:
            self._found.mentions = [mention for mention in self._found.mentions if mention.native_id != address]
            self._found.removals.append(Removal(PLATFORM, self._context.now(), native_id=address))

    def _take_status(self, told: Fields, *, is_to_us: bool = False) -> None:
        status = original_of(told)
        is_addressed = is_to_us or is_addressed_to(self._server, status)
        if self._server.is_us(part_of(status, "account")) or not self._may_show(status, is_addressed=is_addressed):
            return
        if status is not told and self._is_old(status):
            return
        read = read_post(status, self._server, self._context.feed, self._context.now())
        words = read if isinstance(read, str) else f"{read.title}\n{read.text}"
        if not self._memory.is_new(status, words):
            return
        if isinstance(read, str):
            self._memory.note(status, words)
            if is_addressed or read != say_wordless(status):  # pictures of anybody at all are no news
                self._refuse(read)
        elif (mention := self._judge(read, status, is_addressed=is_addressed)) is not None:
            self._memory.note(status, words)
            self._memory.note_mention(status)
            self._found.mentions.append(self._threads.place(mention))

    def _is_old(self, status: Fields) -> bool:
        """Whether a post that somebody passes on now was made so long ago that it is no news."""
        made_at = moment_of(status, "created_at")
        return made_at is None or made_at < self._context.now() - timedelta(hours=self._settings.look_back_hours)

    def _may_show(self, status: Fields, *, is_addressed: bool) -> bool:
        """Whether a post may be shown to the team: a private message, or one for followers, only where it is meant."""
        if self._settings.hear_private or is_public(status):
            return True
        is_direct = text_of(status, "visibility") == "direct"
        if is_addressed and is_direct:
            self.notice(
                f"Private messages arrive at {self._server.account}. Cuecard leaves them out; read them on Mastodon, or"
                " set hear_private to have them shown to the whole channel."
            )
        return is_addressed and not is_direct

    def _judge(self, mention: Mention, status: Fields, *, is_addressed: bool) -> Mention | None:
        """Return a mention with its watches, or None where nobody listens for it."""
        text = f"{mention.title}\n{mention.text}" if mention.title else mention.text
        watches = self._context.watches.match(text, author=mention.author.handle, language=mention.language)
        is_summons = is_addressed and self._settings.notifications
        if not (watches or is_summons or self._memory.was_told(status)):
            return None
        return replace(
            mention,
            brand=watches[0].brand if watches else self._only_brand(),
            watches=tuple(watch.name for watch in watches),
            account=self._server.account if is_addressed else "",
        )

    def _only_brand(self) -> str:
        """Return the brand that all watches of this feed are for, '' where they are for several."""
        brands = {watch.brand for watch in self._context.watches.watches}
        return brands.pop() if len(brands) == 1 else ""
