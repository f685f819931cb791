"""The settings of one feed of Mastodon; the docstring of `listeners.mastodon` explains them."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import regex
from pydantic import AfterValidator, Field, field_validator

from listeners.settings import FeedSettings, check_env_prefix, check_web_address

TOKEN: Final = "ACCESS_TOKEN"  # noqa: S105 - the name of a variable
TAG: Final = regex.compile(r"[\p{L}\p{M}\p{N}_]*\p{L}[\p{L}\p{M}\p{N}_]*")
"""What can be a hashtag: letters, digits and '_', not digits alone."""

WebAddress = Annotated[str, AfterValidator(check_web_address)]


class Settings(FeedSettings):
    """Settings of one account, or of one server without an account."""

    base_url: WebAddress
    streaming_url: str = ""
    env_prefix: Annotated[str, AfterValidator(check_env_prefix)] = "MASTODON"
    has_account: bool = True
    handle: str = ""
    mode: Literal["stream", "poll"] = "stream"
    tags: tuple[str, ...] = ()
    notifications: bool = True
    home: bool = True
    public: Literal["off", "local", "remote", "all"] = "off"
    search: bool = False
    hear_private: bool = False
    poll_seconds: float = Field(default=60, ge=1, le=1_200)
    overlap_seconds: int = Field(default=600, ge=0, le=86_400)
    look_back_hours: float = Field(default=24, ge=0, le=24 * 31)
    max_chars: int = Field(default=0, ge=0, le=1_000_000)
    answer: Literal["api", "by_hand"] = "api"
    by_hand_page: Literal["post", "interact", "share"] = "post"

    @field_validator("streaming_url")
    @classmethod
    def _check_streaming(cls, value: str) -> str:
        return check_web_address(value) if value else value

    @field_validator("handle")
    @classmethod
    def _check_handle(cls, value: str) -> str:
        handle = value.lstrip("@")
        if handle and not regex.fullmatch(r"[\w.-]+(@[\w.:-]+)?", handle):
            raise ValueError("it must be a name such as acme@mastodon.social")
        return handle

    @field_validator("tags")
    @classmethod
    def _check_tags(cls, tags: tuple[str, ...]) -> tuple[str, ...]:
        plain = tuple(dict.fromkeys(tag.strip().lstrip("#").lower() for tag in tags))
        for tag in plain:
            if not TAG.fullmatch(tag):
                raise ValueError(f"'{tag}' is no hashtag; those hold letters, digits and _, and at least one letter")
        return plain
