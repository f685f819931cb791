"""The log: one line for each event, on standard error, with what looks like a secret masked."""

from __future__ import annotations

import logging
import sys
from enum import StrEnum
from typing import TextIO

from bot.redaction import RedactingFormatter

LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class LogLevel(StrEnum):
    """How much is told."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class _ToStandardError(logging.StreamHandler[TextIO]):
    """Writes to what standard error is now, not to what it was when logging began."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


def start_log(level: LogLevel) -> None:
    """Send the log to standard error; other libraries speak up from 'warning' on, or when all is to be told."""
    handler = _ToStandardError()
    handler.setFormatter(RedactingFormatter(LINE))
    logging.basicConfig(handlers=[handler], level=max(logging.WARNING, _number(level)), force=True)
    if level is LogLevel.DEBUG:
        logging.getLogger().setLevel(logging.DEBUG)
    for name in ("bot", "listeners", "nlp"):
        logging.getLogger(name).setLevel(_number(level))
    logging.captureWarnings(capture=True)


def _number(level: LogLevel) -> int:
    return logging.getLevelNamesMapping()[level.name]
