"""The last net under the rule that a secret is never written down: what looks like a token is masked."""

from __future__ import annotations

import logging
import re

_MASK = "[secret]"
_TOKENS = re.compile(r"\bx(?:ox[a-z]|app|wfp)-[A-Za-z0-9.-]{3,}", re.IGNORECASE)
_IN_ADDRESS = re.compile(
    r"([?&][\w.-]*(?:key|token|secret|ticket|password|auth|sig|signature)=)[^\s&#\"']+", re.IGNORECASE
)
_AUTHORIZATION = re.compile(
    r"(\bbearer\s+|\bauthorization[\"']?\s*[:=]\s*[\"']?(?:\w+\s+)?)[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE
)
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))} | {0x0A: "\\n", 0x0D: "\\r"}


def redact(text: str) -> str:
    """Return the text with Slack tokens, keys in addresses and Authorization values masked."""
    return _AUTHORIZATION.sub(rf"\1{_MASK}", _IN_ADDRESS.sub(rf"\1{_MASK}", _TOKENS.sub(_MASK, text)))


class RedactingFormatter(logging.Formatter):
    """Formats a record on one line, with what looks like a secret masked, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        r"""Return the finished line; line breaks inside the message are shown as '\\n', a traceback keeps its own.

        Other control characters, which could act on the terminal the log is read in, are shown as their number.
        """
        record.message = record.getMessage()
        first = self.formatMessage(record) if not self.usesTime() else self._with_time(record)
        lines = [first.translate(_CONTROLS)]
        if record.exc_info:
            lines.append(self.formatException(record.exc_info))
        return redact("\n".join(lines))

    def _with_time(self, record: logging.LogRecord) -> str:
        record.asctime = self.formatTime(record, self.datefmt)
        return self.formatMessage(record)
