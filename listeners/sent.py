"""Whether a request that failed can have reached the other side: what a reply's error must say for certain."""

from __future__ import annotations

from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

_BEFORE_SENDING = (ConnectTimeoutError, NewConnectionError, ConnectionRefusedError)


def was_never_sent(error: BaseException | None) -> bool:
    """Whether no byte of the request left: the connection was never made. Looks through causes and wrapped reasons.

    For urllib3 and what is built on it (requests, and so tweepy, praw and Mastodon.py). A connection that was made and
    broke may have carried the request: False.
    """
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        each = waiting.pop()
        if not isinstance(each, BaseException) or id(each) in seen:
            continue
        if isinstance(each, _BEFORE_SENDING):
            return True
        seen.add(id(each))
        waiting += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]
    return False
