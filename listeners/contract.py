"""What every platform's file offers, and what it is given. The meaning of errors is in `listeners.errors`.

A platform's file has one function, `open_platform(settings, context)`, that returns a `Platform` and touches no
network. Everything that talks to the network happens in `listen`, `reply` and `check`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, Protocol

from listeners.mention import Batch, Mention
from listeners.query import Watches

Route = Literal["api", "by_hand", "none"]


@dataclass(frozen=True, slots=True)
class Capability:
    """How a mention can be answered, told before the person writes.

    `api`: Cuecard posts the reply, from `account`. `by_hand`: the person opens `url` and pastes. `none`: no answer
    is possible. `reason` is one plain sentence for the card; `may_suggest` is False where the house rules of the
    platform ask for no drafted text.
    """

    route: Route
    reason: str = ""
    url: str = ""
    account: str = ""
    may_suggest: bool = True


@dataclass(frozen=True, slots=True)
class Shape:
    """A reply as it would be posted: prepared `text`, its `count` and `limit` in `unit` as the platform counts.

    `limit` 0 means none is known. `problem` is one plain sentence, or '' when the text can be posted.
    """

    text: str
    count: int
    limit: int
    unit: str = "characters"
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Posted:
    """A reply that the platform confirmed."""

    native_id: str
    url: str = ""


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
    """

    feed: str
    watches: Watches
    pause: Callable[[float], bool]
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


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

    def reply(self, mention: Mention, text: str, send_key: str) -> Posted:
        """Post `text` (already shaped) once. `send_key` is unique to this send, for platforms that can use it.

        Raises:
            RateLimited, Retryable: certainly not posted.
            Permanent: refused; the sentence is shown to the person.
            Unknown: it may have been posted. Anything that is not certainly one of the others is this.
        """
        ...


class Platform(Listens, Replies, Protocol):
    """One feed of one platform, opened with its settings."""

    def check(self) -> list[Finding]:
        """Try the platform for real and say in plain words what works; never raises for a platform's fault."""
        ...

    def close(self) -> None:
        """Free what is held; a running `listen` ends soon after."""
        ...


class OpensPlatform(Protocol):
    """The shape of `open_platform` in a platform's file."""

    def __call__(self, settings: Mapping[str, object], context: FeedContext) -> Platform:
        """Check the feed's settings and build the platform.

        Raises:
            SettingRefused: with one sentence and the key of the setting.
        """
        ...
