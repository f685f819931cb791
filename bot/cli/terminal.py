"""What is written to a terminal. A mention cannot act on one: what a terminal would obey is taken out or escaped."""

from __future__ import annotations

import json
import re
import sys

import typer

# C0 and C1 controls, lone surrogates, line separators, and what turns the direction of text or hides in it
_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029"
_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\U000e0000-\U000e007f"
_UNSAFE = re.compile(f"[{_CONTROLS}{_BIDI}]")
_ESCAPE = re.compile(
    "\x1b(?:\\[[0-?]*[ -/]*[@-~]|[\\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[@-Z\\\\^_]?)|\x9b[0-?]*[ -/]*[@-~]"
)


def clean(text: str) -> str:
    """Return text that a terminal only shows: no escape sequences, controls, direction marks or lone surrogates."""
    return _UNSAFE.sub("", _ESCAPE.sub("", text.replace("\r\n", "\n")))


def say(text: str = "") -> None:
    """Write one line, or several, for people to standard output."""
    typer.echo(_encodable(clean(text), sys.stdout.encoding))


def complain(text: str) -> None:
    """Write one line to standard error."""
    typer.echo(_encodable(clean(text), sys.stderr.encoding), err=True)


def json_line(value: object) -> str:
    r"""Return a value as one line of JSON: readable, lossless, and with what a terminal would obey as \u escapes."""
    line = json.dumps(value, ensure_ascii=False, separators=(", ", ": "), allow_nan=False)
    return _UNSAFE.sub(_escaped, line)


def _escaped(match: re.Match[str]) -> str:
    return json.dumps(match[0])[1:-1]


def _encodable(text: str, encoding: str | None) -> str:
    """Return what the stream can write; a terminal without UTF-8 gets '?' for what it lacks."""
    return text.encode(encoding or "utf-8", "replace").decode(encoding or "utf-8")
