"""Which errors are a person's to mend: they become one line and an exit code, everything else is a fault of ours."""

from __future__ import annotations

import sys

# An error can only be one of these where its file is loaded already: naming them here loads nothing.
PLAIN = (
    ("bot.config", "SettingsError"),
    ("bot.store.connection", "StoreError"),
    ("listeners.errors", "ListenerError"),
    ("listeners.query", "QueryError"),
    ("nlp.playbook", "PlaybookError"),
    ("bot.slack.client", "SlackRefusedError"),
    ("bot.cli.failures", "Failure"),
)


class Failure(Exception):  # noqa: N818 - it is raised and shown, never handled
    """A command cannot go on. The message is one plain sentence with what to do."""

    def __init__(self, sentence: str, *, exit_code: int = 1) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


def plain_sentence(error: BaseException) -> str:
    """Return what to tell the person about an error, or '' where it is a fault of the program."""
    for module, name in PLAIN:
        kind = getattr(sys.modules.get(module), name, None)
        if kind is not None and isinstance(error, kind):
            return str(getattr(error, "sentence", "")) or str(error)
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}."
    return ""
