"""Reading a feed's own settings: a clear refusal with the key, instead of a validator's report."""

from __future__ import annotations

import re
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


def read_secret(secrets: Mapping[str, str], prefix: str, name: str, *, is_needed: bool = True) -> str:
    """Return the environment variable `PREFIX_NAME`, without space around it.

    `prefix` is the feed's `env_prefix`, so that each account has variables of its own.

    Raises:
        SettingRefused: it is needed and not set. The sentence names the variable, never a value.
    """
    variable = f"{prefix}_{name}"
    value = secrets.get(variable, "").strip()
    if not value and is_needed:
        raise SettingRefused(f"{variable} is not set; put it in the environment or in .env.", key="env_prefix")
    if not value.isprintable():
        raise SettingRefused(f"{variable} holds a character that no key has; copy it again.", key="env_prefix")
    return value


def check_env_prefix(value: str) -> str:
    """Return the beginning of names of environment variables; for a settings validator, which keeps the sentence."""
    if not re.fullmatch(r"[A-Z][A-Z0-9_]*", value) or value.startswith("SLACK"):
        raise ValueError("it must be capital letters, digits and _, such as X or X_HELP")
    return value


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
