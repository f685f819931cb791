"""The settings of one Bluesky feed, checked; the docstring of `listeners.bluesky` explains them."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from listeners.bluesky.hearing import is_name
from listeners.bluesky.people import PUBLIC
from listeners.bluesky.replies import LIMIT
from listeners.errors import SettingRefused
from listeners.settings import FeedSettings, check_env_prefix, check_web_address


def _check_handle(value: str) -> str:
    handle = value.removeprefix("@").lower() if not value.startswith("did:") else value
    if handle and not is_name(handle):
        raise ValueError("it must be a whole handle, such as acme.bsky.social")
    return handle


def _check_stream_address(value: str) -> str:
    try:
        scheme, is_plain = urlsplit(value).scheme, "@" not in urlsplit(value).netloc
        check_web_address(value.replace("ws", "http", 1) if scheme in {"ws", "wss"} else value)
    except ValueError as err:
        raise ValueError("it must be the address of a stream, such as wss://jetstream.example") from err
    if not is_plain:
        raise ValueError("it must not hold a user name or password")
    return value


WebAddress = Annotated[str, AfterValidator(check_web_address)]


class Settings(FeedSettings):
    """Settings of one Bluesky feed."""

    handle: Annotated[str, AfterValidator(_check_handle)] = ""
    env_prefix: Annotated[str, AfterValidator(check_env_prefix)] = "BLUESKY"
    firehose: bool = True
    notifications: bool = True
    poll_seconds: float = Field(default=60, ge=5, le=900)
    look_back_hours: float = Field(default=1, ge=0, le=36)
    jetstream_url: Annotated[str, AfterValidator(_check_stream_address)] = "wss://jetstream.us-east.bsky.network"
    wire: Literal["auto", "v2", "v1"] = "auto"
    base_url: WebAddress = "https://bsky.social"
    appview_url: WebAddress = PUBLIC
    post_url: WebAddress = "https://bsky.app"
    limit: int = Field(default=LIMIT, ge=1, le=LIMIT)

    def refuse_contradictions(self, *, has_password: bool) -> None:
        """Check what one setting says against another.

        Raises:
            SettingRefused: they leave nothing to listen to, or an account that is not named.
        """
        if has_password and not self.handle:
            said = f"{self.env_prefix}_APP_PASSWORD is set, but no handle: name the account that it is for."
            raise SettingRefused(said, key="handle")
        if not self.firehose and not (self.notifications and self.handle):
            said = "With firehose = false there is nothing to hear but notifications, and these need a handle."
            raise SettingRefused(said, key="firehose")
