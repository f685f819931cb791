"""What went wrong on a platform, said as what the caller should do about it.

A platform's own exceptions are translated here, in the platform's file, `from err`.
The first line of each class's docstring is shown to people when no better sentence was given.
"""

from __future__ import annotations

from datetime import datetime


class ListenerError(Exception):
    """The platform could not be reached as expected."""

    def __str__(self) -> str:
        """The sentence given, or else the first line of the class's docstring."""
        given = super().__str__()
        return given or (type(self).__doc__ or "").strip().splitlines()[0]


class Retryable(ListenerError):  # noqa: N818 - the tree is named for what to do, as in the design
    """Nothing happened on the platform; the same call may be made again later."""


class RateLimited(Retryable):
    """The platform asks us to slow down."""

    def __init__(self, message: str = "", *, retry_after: float | None = None) -> None:
        """Take the seconds to wait, or None where the platform did not say."""
        super().__init__(message)
        self.retry_after = retry_after


class Paused(RateLimited):
    """This feed holds back on purpose, as when its budget is spent, and goes on by itself."""

    def __init__(self, message: str, *, until: datetime, now: datetime) -> None:
        """Take one plain sentence that says why, and when it goes on."""
        super().__init__(message, retry_after=(until - now).total_seconds())
        self.until = until


class Permanent(ListenerError):  # noqa: N818
    """The platform refused, and will refuse again until a person changes something."""


class RefusedByRules(Permanent):
    """The platform takes no reply to this post from programs; a person can post it by hand."""

    def __init__(self, message: str = "", *, url: str = "") -> None:
        """Take the sentence, and the address where a person can answer this post, '' where none is known."""
        super().__init__(message)
        self.url = url


class Unknown(ListenerError):  # noqa: N818
    """The call may or may not have taken effect: it must never be repeated by itself."""


class SettingRefused(ListenerError):  # noqa: N818
    """A setting of this feed cannot work."""

    def __init__(self, message: str, *, key: str) -> None:
        """Take one plain sentence, and the name of the setting inside the feed's own table."""
        super().__init__(message)
        self.key = key


class WatchRefused(SettingRefused):
    """This platform cannot listen for a watch."""

    def __init__(self, message: str, *, watch: str) -> None:
        """Take one plain sentence, and the watch's name."""
        super().__init__(message, key="watch")
        self.watch = watch
