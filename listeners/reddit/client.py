"""The client of Reddit: praw, set up so that nothing but our own settings reach it, and its errors translated.

praw is not made for several threads: a `Client` lets one in at a time, and reading and sending have one each.
"""

from __future__ import annotations

import configparser
import platform
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import praw
from praw.config import Config
from praw.exceptions import PRAWException, RedditAPIException
from praw.models import Comment
from prawcore.exceptions import OAuthException, PrawcoreException
from requests import Session, Timeout
from urllib3.exceptions import TimeoutError as HTTPTimeoutError

from listeners.contract import Posted
from listeners.errors import ListenerError, RateLimited, RefusedByRules, Retryable, Unknown
from listeners.reddit.line import Allowance, BadAnswerError, Line, NoAnswerError
from listeners.reddit.posts import Thing
from listeners.reddit.refusals import (
    NetworkBlocked,
    SourceRefused,
    Target,
    explain_answer,
    explain_login,
    explain_read,
    explain_reply,
)
from listeners.reddit.sources import read_listing
from listeners.sent import was_never_sent

_KINDS: Final = {"comment": "t1", "redditor": "t2", "submission": "t3", "message": "t4", "subreddit": "t5"}
_STUMBLES: Final = (
    PrawcoreException,
    PRAWException,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    RecursionError,
)
"""What praw and prawcore raise at answers that are not as they expect."""


@dataclass(frozen=True, slots=True)
class Access:
    """What opens Reddit: where it is, and the account's secrets, which are in no repr.

    `env_prefix` is for sentences that name a variable.
    """

    base_url: str
    oauth_url: str
    user_agent: str
    env_prefix: str
    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)

    @property
    def agent(self) -> str:
        """The user agent, in the form that Reddit asks for: `<platform>:<app id>:<version> (by /u/<name>)`."""
        try:
            release = version("cuecard")
        except PackageNotFoundError:
            release = "0"
        system = platform.system().lower() or "python"
        return self.user_agent or f"{system}:cuecard:v{release} (by /u/{self.username or 'unknown'})"


class Client:
    """One login at Reddit, for one use: reading, or sending. No network is touched before it is asked."""

    def __init__(self, access: Access, allowance: Allowance, *, for_sending: bool = False) -> None:
        """Take the account, and the allowance that all clients of it share.

        A client for sending opens a new connection for each request: one that was kept may have been closed on the
        other side, and a reply that breaks off there could have been posted for all we know.
        """
        self._access = access
        self._allowance = allowance
        self._session = Session()
        if for_sending:
            self._session.headers["Connection"] = "close"
        self._lock = threading.Lock()
        self._reddit = self._open()

    def ask(self, path: str, params: Mapping[str, str | int], what: str) -> object:
        """Return what Reddit answers to a read, decoded. `what` names the place in sentences.

        Raises:
            SourceRefused, RateLimited, Retryable: nothing was heard. Permanent: the account has no access any more.
        """
        with self._lock:
            try:
                return self._read_twice(path, params)
            except (BadAnswerError, NoAnswerError, *_STUMBLES) as err:
                raise _reading_error(err, what, self._access) from err

    def scopes(self) -> frozenset[str]:
        """Return what the access is good for; '*' is everything.

        Raises:
            RateLimited, Retryable, Permanent: no access was given.
        """
        with self._lock:
            return self._log_in()

    def reply(self, target: Target, text: str) -> Posted:
        """Post a comment under a comment or submission, by exactly one request.

        Raises:
            RateLimited, Retryable: certainly not posted. Permanent: refused. Unknown: it may have been posted.
        """
        with self._lock:
            wait = self._allowance.seconds_until_reset()
            if wait is not None:
                raise RateLimited("Reddit's limit of requests is used up for now.", retry_after=wait)
            try:
                self._log_in()  # whatever goes wrong here, nothing was posted
            except NetworkBlocked as err:
                raise RefusedByRules(f"{err} Until then, answer by hand.", url=target.url) from err
            kind, _, number = target.fullname.partition("_")
            parent = self._reddit.comment(number) if kind == "t1" else self._reddit.submission(number)
            try:
                made = parent.reply(text)
            except Exception as err:
                failure = self._sending_error(err, target)
                found = self._find_reply(target, text) if isinstance(failure, Unknown) else None
                if found is None:
                    raise failure from err
                return found
            posted = self._read_posted(Thing("t1", vars(made))) if isinstance(made, Comment) else None
            posted = posted or self._find_reply(target, text)
        if posted is None:
            raise Unknown("Reddit did not say where the reply is; look there before you send it again.")
        return posted

    def close(self) -> None:
        """Close the connections that are kept."""
        self._session.close()

    def _open(self) -> praw.Reddit:
        """Build praw's object, which logs in by itself at the first request. Every setting it knows is given."""
        with Config.LOCK:
            if Config.CONFIG is None:
                Config.CONFIG = configparser.ConfigParser(interpolation=None)  # or it would read praw.ini files
        access = self._access
        is_by_token = bool(access.refresh_token)
        return praw.Reddit(
            "DEFAULT",
            requestor_class=Line,
            requestor_kwargs={"allowance": self._allowance, "session": self._session},
            client_id=access.client_id,
            client_secret=access.client_secret,
            username=None if is_by_token else access.username,
            password=None if is_by_token else access.password,
            refresh_token=access.refresh_token or None,
            redirect_uri=None,
            user_agent=access.agent,
            reddit_url=access.base_url.rstrip("/"),
            oauth_url=f"{access.oauth_url.rstrip('/')}/",
            timeout=0,  # praw does not hand it on; `Line` has its own
            ratelimit_seconds=-1,  # or a refused reply would be sent again, after a sleep
            check_for_updates=False,
            check_for_async=False,
            trophy_kind="t6",
            **{f"{name}_kind": kind for name, kind in _KINDS.items()},
        )

    def _read_twice(self, path: str, params: Mapping[str, str | int]) -> object:
        """Read; where the access was taken back before its time, ask for a new one and read once more."""
        try:
            return self._read(path, params)
        except BadAnswerError as err:
            if err.status != 401 or err.is_token:
                raise
        self._reddit = self._open()
        return self._read(path, params)

    def _read(self, path: str, params: Mapping[str, str | int]) -> object:
        answer: object = self._reddit.request(method="GET", path=path, params=dict(params))
        return answer

    def _log_in(self) -> frozenset[str]:
        try:
            return frozenset(self._reddit.auth.scopes())
        except (BadAnswerError, NoAnswerError, *_STUMBLES) as err:
            raise _reading_error(err, "the account", self._access) from err

    def _find_reply(self, target: Target, text: str) -> Posted | None:
        """Look among the newest comments of the account for a reply that was not confirmed; None: it is not known."""
        if not target.account:
            return None
        try:
            told = self._read(f"user/{target.account}/comments/", {"sort": "new", "limit": 25})
            things, _after = read_listing(told, "the account")
        except (BadAnswerError, NoAnswerError, SourceRefused, *_STUMBLES):
            return None
        own = (thing for thing in things if thing.data.get("parent_id") == target.fullname)
        return next((self._read_posted(thing) for thing in own if thing.words == text.strip()), None)

    def _read_posted(self, made: Thing) -> Posted | None:
        link = made.data.get("permalink")
        url = self._access.base_url.rstrip("/") + link if isinstance(link, str) and link.startswith("/") else ""
        return Posted(made.fullname, url) if made.fullname else None

    def _sending_error(self, err: Exception, target: Target) -> ListenerError:
        if isinstance(err, RedditAPIException):
            return explain_reply(target, err.items[0].error_type, err.items[0].message or "")
        if isinstance(err, OAuthException) or getattr(err, "is_token", False):
            return _reading_error(err, "the account", self._access)
        if isinstance(err, NoAnswerError) and was_never_sent(err.cause):
            return Retryable("Reddit could not be reached; nothing was posted.")
        if not isinstance(err, BadAnswerError) or err.status >= 500 or err.status == 408:
            return Unknown("Reddit did not confirm the reply; look there before you send it again.")
        if err.status == 401:
            self._reddit = self._open()
            return Retryable("Reddit took back the access; nothing was posted.")
        return explain_answer(target, err)


def _reading_error(err: Exception, what: str, access: Access) -> ListenerError:
    """Translate what went wrong with a read, or with the login before anything else."""
    by_token = bool(access.refresh_token)
    if isinstance(err, OAuthException):
        return explain_login(err.error, access.env_prefix, is_by_token=by_token)
    if isinstance(err, NoAnswerError):
        return Retryable(_why_silent(err.cause))
    if not isinstance(err, BadAnswerError):
        return SourceRefused(f"Reddit did not answer in JSON as it should ({what}).")
    if err.is_token and err.status in {400, 401}:
        error = "invalid_grant" if err.status == 400 else ""
        return explain_login(error, access.env_prefix, is_by_token=by_token)
    told = explain_read(err, what)
    is_place = err.is_token and isinstance(told, SourceRefused)
    return Retryable(f"The login at base_url answers {err.status}.") if is_place else told


def _why_silent(cause: BaseException) -> str:
    if was_never_sent(cause):
        return "Reddit could not be reached; see this machine's network, base_url and oauth_url."
    if isinstance(cause, Timeout | TimeoutError | HTTPTimeoutError):
        return "Reddit did not answer in time."
    return "Reddit broke off its answer."
