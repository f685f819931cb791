"""One call of a Web API method: its arguments, however they were encoded."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.demo.blocks import Json
from bot.demo.limits import Rules
from bot.demo.workspace import SlackRefusal, Workspace


@dataclass(frozen=True, slots=True)
class Call:
    """A method's arguments. A form sends all as text, JSON sends them typed; both read the same here."""

    workspace: Workspace
    rules: Rules
    arguments: Mapping[str, Any]

    def has(self, name: str) -> bool:
        """Was this argument given at all?"""
        return self.arguments.get(name) is not None

    def text(self, name: str, default: str = "") -> str:
        """Return an argument as text."""
        value = self.arguments.get(name)
        return default if value is None else str(value)

    def need(self, name: str, code: str = "invalid_arguments") -> str:
        """Return an argument that must be given."""
        value = self.text(name)
        if not value:
            raise SlackRefusal(code, messages=[f"[ERROR] missing required field: {name}"])
        return value

    def flag(self, name: str) -> bool:
        """Return an argument as yes or no."""
        return self.text(name).lower() in {"1", "true"}

    def number(self, name: str, default: int) -> int:
        """Return an argument as a number."""
        text = self.text(name)
        return int(text) if text.isdecimal() else default

    def json(self, name: str, code: str = "invalid_arguments") -> Any:  # noqa: ANN401 - JSON can be anything
        """Return an argument that is JSON, decoded; None where it is not given."""
        value = self.arguments.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError as err:
            raise SlackRefusal(code, messages=[f"[ERROR] invalid JSON in {name}"]) from err


@dataclass(frozen=True, slots=True)
class Method:
    """A Web API method: what it does, Slack's tier for its pace, and the scope it needs."""

    run: Callable[[Call], Json]
    tier: int
    scope: str = ""
