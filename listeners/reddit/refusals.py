"""What Reddit's errors mean and what to do about them, in plain words. Pure.

The names of errors are those of Reddit's own code as it was last published (r2, `errors.py`, 2017) and of praw's
documentation; one that is not known is shown with Reddit's own words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from listeners.errors import ListenerError, Permanent, RateLimited, RefusedByRules, Retryable
from listeners.reddit.line import BadAnswerError

_REPLIES: Final = {
    "THREAD_LOCKED": "The moderators locked this thread: nobody can answer there.",
    "TOO_OLD": "This thread is archived: it is too old to be answered.",
    "DELETED_COMMENT": "The comment was deleted: there is nothing left to answer.",
    "DELETED_LINK": "The post was deleted: there is nothing left to answer.",
    "DELETED_THING": "The post was deleted: there is nothing left to answer.",
    "COMMENT_NOT_ACCESSIBLE": "The comment was removed: there is nothing left to answer.",
    "POST_NOT_ACCESSIBLE": "The post was removed: there is nothing left to answer.",
    "USER_BLOCKED": "One of the two accounts has blocked the other, so it cannot be answered from here.",
    "SUBREDDIT_NOTALLOWED": "The account may not post in the community{place}; ask its moderators.",
    "SUBREDDIT_NO_ACCESS": "The account may not post in the community{place}; ask its moderators.",
    "SUBREDDIT_NOEXIST": "The community{place} is not there any more.",
    "BANNED_FROM_SUBREDDIT": "The account is banned from the community{place}; write to its moderators.",
    "USER_MUTED": "The account is muted in the community{place}; write to its moderators.",
    "IN_TIMEOUT": "Reddit has suspended the account; log in on its page to see why.",
    "USER_REQUIRED": "Reddit wants the account to log in on its page first.",
    "VERIFIED_USER_REQUIRED": "Reddit wants the account's e-mail address confirmed; log in on its page.",
    "TOO_LONG": "The reply is longer than Reddit takes; shorten it.",
    "NO_TEXT": "There is no text to post.",
    "DOMAIN_BANNED": "The reply holds a link that Reddit does not allow; take it out.",
    "private": "The community{place} is private: its moderators must let the account in.",
    "banned": "The community{place} was banned by Reddit.",
}
_BY_HAND: Final = {
    "insufficient_scope": "The access is not good for replies; until it has the scope submit, answer by hand.",
    "quarantined": "The community{place} is quarantined, so it must be answered by hand.",
}
_READS: Final = {
    "insufficient_scope": "The access is not good for {what}: allow the scopes read, privatemessages and submit.",
    "private": "{what} is private: its moderators must let the account in.",
    "quarantined": "{what} is quarantined: the account must first accept that on its page.",
    "banned": "{what} was banned by Reddit.",
}
_LIMITED: Final = frozenset({"RATELIMIT", "SUBREDDIT_RATELIMIT", "QUOTA_FILLED"})
_WAIT: Final = re.compile(r"(\d{1,4}) (millisecond|second|minute|hour)")
_SECONDS: Final = {"millisecond": 0.001, "second": 1.0, "minute": 60.0, "hour": 3_600.0}
_WORDS_SHOWN: Final = 200


class NetworkBlocked(Retryable):
    """Reddit's network security blocks this machine: it answers with a page. Run Cuecard from another network."""


class SourceRefused(Retryable):
    """Reddit does not tell of this place now; another place may still be heard."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is answered: the post's fullname, the subreddit it is in, and its address; and from which account.

    All but the fullname are '' where they are not known.
    """

    fullname: str
    subreddit: str = ""
    url: str = ""
    account: str = ""


def explain_reply(target: Target, code: str, words: str, *, status: int = 0) -> ListenerError:
    """Return the error for a reply that Reddit refused, certainly without posting it.

    Args:
        target: what was to be answered.
        code: Reddit's name for the refusal, or ''.
        words: what Reddit says, or ''.
        status: the HTTP status, where the refusal came as one.
    """
    if code in _LIMITED:
        return RateLimited("Reddit asks the account to slow down.", retry_after=wait_of(words))
    place = f" r/{target.subreddit}" if target.subreddit else ""
    if code in _REPLIES:
        return Permanent(_REPLIES[code].format(place=place))
    if code in _BY_HAND:
        return RefusedByRules(_BY_HAND[code].format(place=place), url=target.url)
    if status == 403:
        sentence = (
            "Reddit does not let the account answer there: the thread is closed, or the account is suspended or banned "
            f"from the community{place}. Open the post to see."
        )
        return RefusedByRules(sentence, url=target.url)
    if status == 404:
        return Permanent("The post is not there any more.")
    said = f": {' '.join(words.split())[:_WORDS_SHOWN]}" if words.strip() else "."
    return Permanent(f"Reddit refused the reply ({code or status or 'without a reason'}){said}")


def explain_answer(target: Target, err: BadAnswerError) -> ListenerError:
    """Return the error for a reply that was answered with a status of refusal (4xx, 3xx): it was not posted."""
    if err.status == 429:
        wait = err.retry_after if err.retry_after is not None else wait_of(err.words)
        return RateLimited("Reddit asks to slow down.", retry_after=wait)
    if err.status == 403 and err.is_page:
        return RefusedByRules(f"{NetworkBlocked()} Until then, answer by hand.", url=target.url)
    return explain_reply(target, err.code, err.words, status=err.status)


def explain_read(err: BadAnswerError, what: str) -> ListenerError:
    """Return the error for a read that Reddit answered with no success; `what` names the place."""
    if err.status == 429:
        return RateLimited("Reddit asks to slow down.", retry_after=err.retry_after)
    if err.status == 403 and err.is_page:
        return NetworkBlocked()
    return SourceRefused(_why_unread(err, what))


def _why_unread(err: BadAnswerError, what: str) -> str:
    is_redirect = 300 <= err.status < 400
    if err.code in _READS:
        return _READS[err.code].format(what=what)
    if err.status == 404 or (is_redirect and "search" in err.location):
        return f"There is no {what} on Reddit."
    if is_redirect:
        return f"Reddit's address leads elsewhere ({what}): see base_url and oauth_url."
    if err.status in {401, 403}:
        return f"Reddit does not let the account read {what} ({err.status}): it may be suspended, or kept out there."
    return f"Reddit answers {err.status} ({what})."


def explain_login(error: str, prefix: str, *, is_by_token: bool) -> Permanent:
    """Return the error for a login that was refused.

    Args:
        error: the name that OAuth has for it ('invalid_grant', …), or '' where Reddit does not know the client.
        prefix: what the names of the account's environment variables begin with.
        is_by_token: whether a refresh token was given, not a password.
    """
    if not error:
        return Permanent(
            f"Reddit does not know this client: {prefix}_CLIENT_ID and {prefix}_CLIENT_SECRET do not belong together, "
            "or its approval was withdrawn."
        )
    if error in {"unauthorized_client", "unsupported_grant_type"}:
        return Permanent(
            f"This client may not log in like this: it must be of the kind 'script', or use {prefix}_REFRESH_TOKEN."
        )
    if is_by_token:
        return Permanent(f"Reddit no longer accepts {prefix}_REFRESH_TOKEN; make a new one.")
    return Permanent(
        f"Reddit refuses {prefix}_USERNAME with {prefix}_PASSWORD. The account must be a developer of the client, and "
        f"with two-factor login a password does not work: use {prefix}_REFRESH_TOKEN."
    )


def wait_of(words: str) -> float | None:
    """Read how long to wait out of Reddit's words, such as 'Take a break for 9 minutes'; in seconds, or None."""
    found = _WAIT.search(words)
    return int(found[1]) * _SECONDS[found[2]] if found is not None else None
