"""The settings of one feed of X, and the keys it signs with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from listeners.settings import FeedSettings, check_env_prefix, check_web_address, read_secret

PLATFORM: Final = "x"
HANDLE: Final = re.compile(r"[A-Za-z0-9_]{1,15}", re.ASCII)
RULE_LENGTH: Final = 1_024
QUERY_LENGTH: Final = 512
LONGEST_RULE: Final = 2_048
LONGEST_QUERY: Final = 4_096
"""Characters in a rule of the stream and in a search: self-serve accounts, and the most an Enterprise account may have.
From X's pages on the filtered stream and on building a query, read in 2026."""

_MICROS: Final = 1_000_000

Expansions = Literal["all", "authors", "none"]
Mode = Literal["stream", "poll", "mentions"]


def _check_handle(value: str) -> str:
    handle = value.removeprefix("@")
    if not HANDLE.fullmatch(handle):
        raise ValueError("it must be the account's handle: letters, digits and _, 15 at most")
    return handle


def _check_user_id(value: str) -> str:
    if value and not (value.isascii() and value.isdigit()):
        raise ValueError("it must be the account's number, in digits")
    return value


def _check_tag_prefix(value: str) -> str:
    if not re.fullmatch(r"[\w.-]{1,40}", value):
        raise ValueError("it must be one short word: letters, digits, '.', '_' and '-'")
    return value


WebAddress = Annotated[str, AfterValidator(check_web_address)]
Price = Annotated[float, Field(ge=0, le=100)]


class Settings(FeedSettings):
    """Settings of one feed of X; the docstring of `listeners.x` explains them."""

    handle: Annotated[str, AfterValidator(_check_handle)]
    user_id: Annotated[str, AfterValidator(_check_user_id)] = ""
    env_prefix: Annotated[str, AfterValidator(check_env_prefix)] = "X"
    mode: Mode = "stream"
    brand: str = ""
    budget_usd_per_month: float = Field(default=50, ge=0, le=1_000_000)
    slow_at_percent: float = Field(default=80, ge=1, le=100)
    expansions: Expansions = "all"
    limit: int = Field(default=280, ge=1, le=25_000)
    is_enterprise: bool = False
    poll_seconds: float = Field(default=60, ge=5, le=1_200)
    mentions_seconds: float = Field(default=60, ge=5, le=1_200)
    overlap_seconds: float = Field(default=60, ge=0, le=900)
    look_back_hours: float = Field(default=24, ge=0, le=168)
    rule_length: int = Field(default=RULE_LENGTH, ge=100, le=10_000)
    query_length: int = Field(default=QUERY_LENGTH, ge=100, le=10_000)
    tag_prefix: Annotated[str, AfterValidator(_check_tag_prefix)] = "cuecard"
    clear_ghosts: bool = False
    field_names: Literal["tweet", "post"] = "tweet"
    base_url: WebAddress = "https://api.x.com"
    post_url: WebAddress = "https://x.com/"
    intent_url: WebAddress = "https://x.com/intent/tweet"
    price_post_read: Price = 0.005
    price_user_read: Price = 0.010
    price_own_read: Price = 0.001
    price_post: Price = 0.015
    price_post_with_link: Price = 0.200
    price_summoned_reply: Price = 0.010

    @property
    def account(self) -> str:
        """Our account, as people write it."""
        return f"@{self.handle}"

    @property
    def budget_micros(self) -> int:
        """The month's budget in millionths of a US dollar; 0 is none."""
        return in_micros(self.budget_usd_per_month)

    def profile_address(self, handle: str) -> str:
        """Return where an account's page is."""
        return f"{self.post_url.rstrip('/')}/{handle}"

    def post_address(self, native_id: str, handle: str = "") -> str:
        """Return where a post is; X finds it by its number alone."""
        return f"{self.post_url.rstrip('/')}/{handle or 'i/web'}/status/{native_id}"

    def intent_address(self, native_id: str) -> str:
        """Return the page on which a person answers a post by hand."""
        joint = "&" if "?" in self.intent_url else "?"
        return f"{self.intent_url}{joint}in_reply_to={native_id}"


def in_micros(dollars: float) -> int:
    """Return US dollars in millionths."""
    return round(dollars * _MICROS)


def say_dollars(micros: int) -> str:
    """Say an amount, as in '$12.40'."""
    return f"${micros / _MICROS:,.2f}"


@dataclass(frozen=True, slots=True)
class Keys:
    """What X knows us by: the app's bearer token for reading, and four keys that sign in our account's name."""

    bearer: str = field(repr=False)
    api_key: str = field(repr=False)
    api_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    access_secret: str = field(repr=False)

    def hide_in(self, text: str) -> str:
        """Return a text of X's without any of the keys, should it repeat one."""
        for key in (self.bearer, self.api_key, self.api_secret, self.access_token, self.access_secret):
            text = text.replace(key, "***")
        return text


def read_keys(secrets: Mapping[str, str], prefix: str) -> Keys:
    """Read the five keys from the environment.

    Raises:
        SettingRefused: one is not set; the sentence names the variable.
    """
    names = ("BEARER_TOKEN", "API_KEY", "API_SECRET", "ACCESS_TOKEN", "ACCESS_SECRET")
    return Keys(*(read_secret(secrets, prefix, name) for name in names))
