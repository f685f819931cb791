"""The settings: frozen values, read once from a TOML file; secrets come from the environment alone.

The models can be built in code as well. What the file needs beyond that (its place, the line of a mistake, the
playbook beside it) is in `bot.settings_file`.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from dotenv import dotenv_values
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.watch_words import WorldWords, mistakes_of

if TYPE_CHECKING:
    from listeners.query import Watches

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class SettingsError(Exception):
    """The settings cannot work. `sentences` holds one line for each mistake: the file, the place, what to do."""

    def __init__(self, *sentences: str) -> None:
        super().__init__("\n".join(sentences))
        self.sentences = sentences


class MisplacedError(ValueError):
    """Mistakes that show only across settings: the place and the sentence of each."""

    def __init__(self, mistakes: Sequence[tuple[tuple[str | int, ...], str]]) -> None:
        super().__init__("; ".join(sentence for _, sentence in mistakes))
        self.mistakes = tuple(mistakes)


class SecretsError(SettingsError):
    """A secret is missing, or is not what it should be. Its sentences name variables, never values."""


def _to_clock_time(value: object) -> object:
    """Take 09:00:00 without quotes, which TOML reads as a time, for the text '09:00'."""
    return value.strftime("%H:%M") if isinstance(value, dt.time) else value


def _check_clock_time(value: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise ValueError(f'{value!r} is not a time of day; write hours and minutes, such as "09:00"')
    return value


def _check_timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError) as err:
        raise ValueError(f'there is no time zone {value!r}; use a name such as "Europe/Berlin" or "UTC"') from err
    return value


def _to_day(value: object) -> object:
    """Take 'Monday' or 'MON' for 'mon'."""
    short = value.strip().lower()[:3] if isinstance(value, str) else value
    if short not in DAYS:
        raise ValueError(f"{value!r} is not a day; use {', '.join(DAYS)}")
    return short


def _check_channel(value: str) -> str:
    if value and not re.fullmatch(r"[CG][A-Z0-9]{2,}", value):
        hint = " A name can change, an id cannot." if value.startswith("#") else ""
        raise ValueError(
            f"{value!r} is not a channel id; in Slack open the channel's details and copy the id at the very end"
            f" (it begins with C or G).{hint}"
        )
    return value


def _check_api_url(value: str) -> str:
    try:
        parts = urlsplit(value)
    except ValueError:
        parts = urlsplit("")
    is_here = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if not parts.hostname or parts.scheme not in ({"https", "http"} if is_here else {"https"}):
        raise ValueError(f"{value!r} cannot be used; write an https:// address (plain http only for this machine)")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("an address with a password, a question mark or a # cannot be used; write only the address")
    return value if value.endswith("/") else value + "/"


def _check_endpoint(value: str) -> str:
    from nlp.endpoint import is_safe_address  # noqa: PLC0415 - keeps the network's library out of a plain import

    if value and not is_safe_address(value):
        raise ValueError(
            f"{value!r} cannot be used; write an https:// address up to /v1, without a password or a question mark"
            " (plain http only for this machine)"
        )
    return value.rstrip("/")


def _check_platforms(value: tuple[str, ...]) -> tuple[str, ...]:
    from listeners.catalog import LABELS  # noqa: PLC0415

    for name in value:
        if name not in LABELS:
            raise ValueError(f"there is no platform {name!r}; known are {', '.join(sorted(LABELS))}")
    return value


def _check_query(value: str) -> str:
    from listeners.query import QueryError, parse  # noqa: PLC0415 - keeps the automaton out of a plain import

    try:
        parse(value)
    except QueryError as err:
        raise ValueError(err.sentence) from err
    return value


def _check_feed(feed: dict[str, object]) -> dict[str, object]:
    from listeners.catalog import PLATFORMS  # noqa: PLC0415

    if feed.get("platform") not in PLATFORMS:
        known = ", ".join(sorted(PLATFORMS))
        what = "says no platform" if "platform" not in feed else f"there is no platform {feed['platform']!r}"
        raise ValueError(f"{what}; write platform = one of {known}")
    for key in EVERY_FEED:
        if not isinstance(feed.get(key, True), bool):
            raise ValueError(f"{key} must be true or false, without quotes")  # noqa: TRY004 - pydantic's own error
    return feed


def _check_name(value: str) -> str:
    if not 1 <= len(value) <= 60 or not value.isprintable() or value != value.strip():
        raise ValueError(f"{value[:80]!r} cannot be a name; use 1 to 60 plain letters, without space around them")
    return value


EVERY_FEED = ("may_train", "may_suggest")
"""Settings that every feed has, whatever its platform."""
Channel = Annotated[str, AfterValidator(_check_channel)]
Name = Annotated[str, AfterValidator(_check_name)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Brand(_Frozen):
    """Who we are."""

    name: str = Field(min_length=1, max_length=80)
    """The brand's name as people write it."""
    handles: tuple[str, ...] = ()
    """Our own accounts, without '@'. What they post is not a mention; a post that names one of them invites us."""


class SlackSettings(_Frozen):
    """Where the team sits."""

    channel: Channel = ""
    """The id of the channel for cards and the digest."""
    ops_channel: Channel = ""
    """The id of the channel for what concerns the operator, such as a deaf feed; empty: the same channel."""
    api_url: Annotated[str, AfterValidator(_check_api_url)] = "https://slack.com/api/"
    """The Slack API; GovSlack has another, and any Slack-compatible server can stand in."""
    team_only: bool = True
    """Only members of this workspace may press the buttons; guests and people of connected organisations may not."""


class CardSettings(_Frozen):
    """How much the channel is asked to bear."""

    per_day: int = Field(default=60, ge=1, le=5000)
    """The most cards in 24 hours; what is beyond stays quiet and is counted in the digest. Grade 3 is always shown."""
    stale_after_hours: Annotated[float, Field(allow_inf_nan=False)] = Field(default=48, gt=0, le=24 * 365)
    """A mention older than this when it is heard stays quiet."""
    expire_after_days: Annotated[float, Field(allow_inf_nan=False)] = Field(default=14, gt=0, le=3650)
    """A card that nobody touched for this long is closed by itself."""
    post_interval_seconds: Annotated[float, Field(allow_inf_nan=False)] = Field(default=1.0, ge=0, le=60)
    """The time between two messages in one channel; Slack asks for one second."""


class ReplySettings(_Frozen):
    """How a reply leaves."""

    hold_seconds: Annotated[float, Field(allow_inf_nan=False)] = Field(default=30, ge=0, le=300)
    """How long Undo works after Send."""
    late_after_minutes: Annotated[float, Field(allow_inf_nan=False)] = Field(default=15, ge=1, le=24 * 60)
    """A reply due this long ago, while Cuecard or its machine was down, is given back to its owner, not sent."""


class DrafterSettings(_Frozen):
    """A model that may write one more draft. Without a `url` there is none."""

    url: Annotated[str, AfterValidator(_check_endpoint)] = ""
    """Where an OpenAI-compatible endpoint answers, up to `/v1`."""
    model: str = Field(default="", max_length=200)
    """What the endpoint calls the model."""
    platforms: Annotated[tuple[str, ...], AfterValidator(_check_platforms)] = ()
    """The platforms whose posts may be shown to the endpoint; those of all others never are."""
    timeout_seconds: Annotated[float, Field(allow_inf_nan=False)] = Field(default=10, ge=0.5, le=60)
    """How long its answer may take."""


class DigestSettings(_Frozen):
    """When the daily message comes."""

    at: Annotated[str, BeforeValidator(_to_clock_time), AfterValidator(_check_clock_time)] = "09:00"
    """The local time."""
    timezone: Annotated[str, AfterValidator(_check_timezone)] = "UTC"
    """The time zone of that time, as an IANA name."""
    days: tuple[Annotated[Day, BeforeValidator(_to_day)], ...] = ("mon", "tue", "wed", "thu", "fri")
    """The days on which it comes; an empty list turns it off."""


class StoreSettings(_Frozen):
    """Where everything heard and decided is kept."""

    path: Path = Path("cuecard.db")
    """The database file; relative to the settings file."""


class WatchSettings(_Frozen):
    """What to listen for."""

    name: Name
    """A short name, shown on the card."""
    query: Annotated[str, AfterValidator(_check_query)]
    """Words, "phrases", OR, -not, parentheses, lang:xx, from:handle."""
    brand: str = Field(default="", max_length=80)
    """The brand this watch is for; empty: the brand of [brand]."""
    feeds: tuple[str, ...] = ()
    """The feeds to match; empty: all of them."""
    about: WorldWords = ()
    not_about: WorldWords = ()
    """Words of the brand's own world, and of other things of its name: for a brand called by a common word."""


class Settings(_Frozen):
    """Everything that is set, checked as a whole."""

    brand: Brand
    slack: SlackSettings = SlackSettings()
    cards: CardSettings = CardSettings()
    reply: ReplySettings = ReplySettings()
    digest: DigestSettings = DigestSettings()
    store: StoreSettings = StoreSettings()
    playbook: Path = Path("playbook.toml")
    """The team's own facts, openers and rules; relative to the settings file."""
    drafter: DrafterSettings = DrafterSettings()
    watch: tuple[WatchSettings, ...] = ()
    feed: dict[Name, Annotated[dict[str, object], AfterValidator(_check_feed)]] = Field(default_factory=dict)
    """Feeds by name: each has `platform`, and that platform's own settings."""

    _source: Path | None = PrivateAttr(default=None)

    @property
    def source(self) -> Path | None:
        """The file these settings were read from; None for settings built in code."""
        return self._source

    @model_validator(mode="after")
    def _check_across(self) -> Self:
        if found := [*self._mistakes_of_watches(), *self._mistakes_of_drafter()]:
            raise MisplacedError(found)
        return self

    def _mistakes_of_drafter(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Yield what a drafter lacks to be of any use."""
        if self.drafter.url and not self.drafter.model:
            yield ("drafter", "url"), "name the model too: model = …"
        if self.drafter.url and not self.drafter.platforms:
            yield ("drafter", "url"), "say whose posts the model may see: platforms = [...]"

    def _mistakes_of_watches(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Yield the place of each mistake that shows only when watches are seen beside each other and the feeds."""
        names = [watch.name for watch in self.watch]
        for number, watch in enumerate(self.watch):
            if watch.name in names[:number]:
                yield ("watch", number, "name"), f"two watches are called {watch.name!r}; give each its own name"
            for feed in watch.feeds:
                if feed not in self.feed:
                    known = f"set are {', '.join(self.feed)}" if self.feed else "none is set"
                    yield ("watch", number, "feeds"), f"there is no feed {feed!r}; {known}"
            yield from mistakes_of(number, watch.about, watch.not_about, watch.brand or self.brand.name)

    def compile_watches(self) -> Watches:
        """Return the watches, parsed and compiled for one pass over a text."""
        from listeners.query import Watch, compile_watches  # noqa: PLC0415

        return compile_watches(
            [Watch(w.name, w.brand or self.brand.name, w.query, w.feeds) for w in self.watch],
        )

    def platform_of(self, feed: str) -> str:
        """Return the platform of a configured feed."""
        return str(self.feed[feed]["platform"])

    def own_settings(self, feed: str) -> dict[str, object]:
        """Return what the feed's platform itself is set: all but what every feed has."""
        return {key: value for key, value in self.feed[feed].items() if key not in {"platform", *EVERY_FEED}}

    def may_suggest(self, feed: str) -> bool:
        """Return whether this feed is set to have replies suggested; its platform's rules may forbid it too."""
        return self.feed.get(feed, {}).get("may_suggest", True) is not False

    def may_train(self, feed: str, platform: str) -> bool:
        """Return whether a post may train a model: as the feed says or, where it does not, as the platform's terms do.

        `platform` is where the post was made, which for a replayed one is not the feed's own; an unknown one may not.
        """
        from listeners.catalog import may_train  # noqa: PLC0415

        said = self.feed.get(feed, {}).get("may_train")
        return may_train(platform) if said is None else said is True


class Secrets(BaseSettings):
    """What must never be written down: read from the process's environment, or from a .env file."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True, env_file_encoding="utf-8", env_ignore_empty=True
    )

    slack_bot_token: SecretStr = SecretStr("")
    slack_app_token: SecretStr = SecretStr("")
    drafter_key: SecretStr = SecretStr("")
    _variables: dict[str, str] = PrivateAttr(default_factory=dict)

    def for_platforms(self) -> dict[str, str]:
        """Return the variables a platform may read a key of its own from: all but Slack's and the drafter's."""
        ours = ("SLACK_", "DRAFTER_")
        return {name: value for name, value in self._variables.items() if not name.upper().startswith(ours)}

    def problems(self) -> list[str]:
        """Return one sentence for each Slack token that is missing or of the wrong kind."""
        return [
            *_token_problem("SLACK_BOT_TOKEN", self.slack_bot_token, "xoxb-", "OAuth & Permissions"),
            *_token_problem("SLACK_APP_TOKEN", self.slack_app_token, "xapp-", "Basic Information, App-Level Tokens"),
        ]


def _token_problem(variable: str, secret: SecretStr, prefix: str, page: str) -> list[str]:
    value = secret.get_secret_value()
    if not value:
        return [f"{variable} is not set; put it in the environment or in .env (Slack app settings, {page})."]
    if not value.startswith(prefix):
        return [f"{variable} does not begin with {prefix}; copy it again (Slack app settings, {page})."]
    if not re.fullmatch(r"[A-Za-z0-9.-]+", value):
        return [f"{variable} holds a character that no token has; copy it again (Slack app settings, {page})."]
    return []


def load_settings(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check a settings file: `path`, else $CUECARD_SETTINGS, else ./cuecard.toml.

    Raises:
        SettingsError: with one sentence for each mistake.
    """
    from bot.settings_file import read_settings  # noqa: PLC0415 - it imports this file

    return read_settings(path, environ)


def load_secrets(folder: Path) -> Secrets:
    """Read the secrets from the process's environment and from `.env` in `folder`; the environment wins.

    Raises:
        SecretsError: the .env file cannot be read.
    """
    dotenv = folder / ".env"
    try:
        secrets: Secrets = cast("type[Any]", Secrets)(_env_file=dotenv)
        variables = {name: value for name, value in dotenv_values(dotenv).items() if value}
    except (OSError, UnicodeDecodeError) as err:
        why = err.strerror if isinstance(err, OSError) else "it is not UTF-8 text"
        raise SecretsError(f"{dotenv} cannot be read ({why}); make it a text file that you may read.") from None
    secrets._variables.update(variables | dict(os.environ))  # noqa: SLF001 - our own, kept out of the model's fields
    return secrets
