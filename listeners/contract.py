"""What every platform's file offers, and what it is given. The meaning of errors is in `listeners.errors`.

A platform's file has one function, `open_platform(settings, context)`, that returns a `Platform` and touches no
network. Everything that talks to the network happens in `listen`, `recheck`, `reply` and `check`. A second function,
`compile_query(query)`, says what the platform is asked for a watch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, Protocol

from listeners.mention import Batch, Mention
from listeners.query import Query, Watches

Route = Literal["api", "by_hand", "none"]


@dataclass(frozen=True, slots=True)
class Capability:
    """How a mention can be answered, told before the person writes.

    `api`: Cuecard posts the reply, from `account`. `by_hand`: the person opens `url`, signed in as `account` where that
    is known, and pastes. `none`: no answer is possible. `reason` is one plain sentence for the card; `may_suggest` is
    False where the house rules of the platform ask for no drafted text. `prefill` is an address with `{text}` in it
    that opens the platform with the reply filled in, '' where there is none; the text is percent-encoded into it.
    """

    route: Route
    reason: str = ""
    url: str = ""
    account: str = ""
    may_suggest: bool = True
    prefill: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """A reply as it would be posted: prepared `text`, its `count` and `limit` in `unit` as the platform counts.

    `limit` 0 means none is known. `problem` is one plain sentence, or '' when the text can be posted. Where a text is
    too long for one post and the platform's manners allow a thread, `parts` holds the posts it would be cut into (two
    or more, each of which fits, with every word of `text` in its order); a person chooses whether to send it so. Where
    anything else than its length stands in the way, `parts` is empty.
    """

    text: str
    count: int
    limit: int
    unit: str = "characters"
    problem: str = ""
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Posted:
    """A reply that the platform confirmed, and what it cost in millionths of a US dollar.

    `reply_ref` is what the platform's own file needs to answer that reply with the next part of a thread.
    """

    native_id: str
    url: str = ""
    reply_ref: str = ""
    cost_micros: int = 0


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a platform is asked for a watch.

    `asks` are the rules, searches or topics in the platform's own language, one a line; `checked_here` is one sentence
    on what only our own matcher decides, '' where nothing is left to it.
    """

    asks: tuple[str, ...]
    checked_here: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `cuecard check`: whether it works, and what to do where it does not."""

    is_good: bool
    sentence: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class FeedContext:
    """What a platform is given when it is opened.

    `feed` is the feed's name in the settings; `watches` are the watches that apply to it, parsed and compiled.
    `pause(seconds)` waits, and returns True as soon as the feed must stop. `secrets` are environment variables.
    `spent()` returns what this feed cost so far in this month (UTC), in millionths of a US dollar; what the feed cost
    since its last stored batch is not in it.
    """

    feed: str
    watches: Watches
    pause: Callable[[float], bool]
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    spent: Callable[[], int] = lambda: 0


class Listens(Protocol):
    """Hears a platform."""

    def listen(self, cursor: str | None) -> Iterator[Batch]:
        """Yield batches from `cursor` on (None: from now, or from a sensible look back), for push and pull alike.

        A batch, also an empty one, says that the platform answered: a look that failed raises and yields none.

        Each batch carries the cursor to resume from once it is stored; the listener itself stores nothing. At least
        once: after any failure the caller calls again with the last stored cursor, and repeats are harmless. A push
        client fills a bounded queue inside its own file. Returning means the feed has ended: for good where the
        catalogue says `ends`, otherwise the caller backs off and calls again.

        Raises:
            RateLimited, Retryable: try again later, from the last stored cursor.
            Permanent: do not try again until a person changed something.
        """
        ...


class Replies(Protocol):
    """Answers on a platform."""

    def capability(self, mention: Mention) -> Capability:
        """Say whether and how this mention can be answered. Pure; no network."""
        ...

    def shape(self, text: str, mention: Mention) -> Shape:
        """Count and prepare a reply; the preview and the send use this same function. Pure; no network."""
        ...

    def reply(self, mention: Mention, text: str, send_key: str, after: Posted | None = None) -> Posted:
        """Post `text` (already shaped) once. `send_key` is unique to this post, for platforms that can use it.

        `after` is the part before this one where a text goes out as a thread; the post answers that one then.

        Raises:
            RateLimited, Retryable: certainly not posted.
            Permanent: refused; the sentence is shown to the person.
            RefusedByRules: programs may not answer this post; from now on a person does so by hand.
            Unknown: it may have been posted. Anything that is not certainly one of the others is this.
        """
        ...


class Platform(Listens, Replies, Protocol):
    """One feed of one platform, opened with its settings."""

    @property
    def kind(self) -> str:
        """The platform's name in the catalogue."""
        ...

    def recheck(self, mentions: Sequence[Mention]) -> Batch:
        """Look again at posts heard before: what was edited comes as a mention, what is gone as a removal.

        For platforms that tell of neither by themselves; the catalogue says how often. At most 100 posts a call.
        `checked` of the batch names those that were seen or are known to be gone; the others are asked for again soon.
        A platform that never needs it returns an empty batch.

        Raises:
            RateLimited, Retryable, Permanent: as `listen`.
        """
        ...

    def check(self) -> list[Finding]:
        """Try the platform for real and say in plain words what works; never raises for a platform's fault."""
        ...

    def close(self) -> None:
        """Free what is held; a running `listen` ends soon after."""
        ...


class CompilesQuery(Protocol):
    """The shape of `compile_query` in a platform's file."""

    def __call__(self, query: Query) -> Compiled:
        """Say what the platform is asked for a watch; pure.

        Raises:
            QueryError: the platform cannot express it; the sentence says why and the position where.
        """
        ...


class OpensPlatform(Protocol):
    """The shape of `open_platform` in a platform's file."""

    def __call__(self, settings: Mapping[str, object], context: FeedContext) -> Platform:
        """Check the feed's settings and build the platform.

        Raises:
            SettingRefused: with one sentence and the key of the setting.
            WatchRefused: the platform cannot express a watch.
        """
        ...
