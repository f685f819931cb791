"""Reading a feed's own settings: a clear refusal with the key, instead of a validator's report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, ValidationError

from listeners.errors import SettingRefused

_SAID: Final = {
    "missing": "{key} is missing.",
    "extra_forbidden": "{key} is not a setting here; there are {known}.",
}


class FeedSettings(BaseModel):
    """Settings of one feed; a platform's file adds its own. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


S = TypeVar("S", bound=FeedSettings)


def check_settings(model: type[S], settings: Mapping[str, object]) -> S:
    """Return the settings as the platform's own values; `platform`, which chose the file, is passed over.

    Raises:
        SettingRefused: with the sentence and the key of the first setting that cannot work.
    """
    try:
        return model.model_validate({key: value for key, value in settings.items() if key != "platform"})
    except ValidationError as err:
        first = err.errors(include_url=False, include_input=False)[0]
    key = ".".join(str(part) for part in first["loc"]) or "settings"
    told = _SAID.get(first["type"], "{key} cannot work: {reason}.")
    reason = first["msg"].removeprefix("Value error, ").removeprefix("Input ").rstrip(".")
    known = ", ".join(sorted(model.model_fields))
    raise SettingRefused(told.format(key=key, known=known, reason=reason), key=key)


def check_web_address(value: str) -> str:
    """Return a web address that has a host and no user name; for a settings validator, which keeps the sentence."""
    try:
        parts = urlsplit(value)
        is_usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
        parts = None
    if parts is None or not is_usable:
        raise ValueError("it must be a web address that begins with https:// or http://")
    if "@" in parts.netloc:
        raise ValueError("it must not hold a user name or password")
    return value
