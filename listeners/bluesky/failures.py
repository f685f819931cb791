"""What can go wrong between us and a Bluesky server (PDS). Nothing here needs its client library."""

from __future__ import annotations

from typing import Final

from listeners.errors import ListenerError, Permanent, RateLimited, Retryable

SIGN_IN_REFUSED: Final = "SignInRefused"
_EXPIRED: Final = frozenset({"ExpiredToken", "InvalidToken"})


class CallFailedError(Exception):
    """A request that brought nothing.

    `status` is that of the answer, 0 where none came; `name` and `words` are what the server itself calls it, '' where
    it does not say; `was_refused` is True where it is certain that the request was not carried out.
    """

    def __init__(  # noqa: PLR0913 - one value for each thing that is known
        self,
        sentence: str,
        *,
        status: int = 0,
        name: str = "",
        words: str = "",
        retry_after: float | None = None,
        was_refused: bool = False,
    ) -> None:
        """Take what is known of it."""
        super().__init__(sentence)
        self.status = status
        self.name = name
        self.words = words
        self.retry_after = retry_after
        self.was_refused = was_refused

    @property
    def is_session_over(self) -> bool:
        """Whether the server no longer knows the session, so that a new one may do."""
        return self.name in _EXPIRED or (self.status == 401 and self.name != SIGN_IN_REFUSED)

    def to_error(self) -> ListenerError:
        """Return what it means for whoever only wanted to read."""
        if self.status == 429:
            return RateLimited(str(self), retry_after=self.retry_after)
        return Permanent(str(self)) if self.status in {401, 403} else Retryable(str(self))
