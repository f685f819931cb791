"""Reddit: comments and submissions of chosen subreddits, search, and an account's inbox. Only with Reddit's approval.

Settings of a feed (`platform = "reddit"`):

    env_prefix        what the names of the account's environment variables begin with (REDDIT): REDDIT_CLIENT_ID,
                      REDDIT_CLIENT_SECRET, and REDDIT_USERNAME with REDDIT_PASSWORD, or REDDIT_REFRESH_TOKEN
    subreddits        the subreddits whose every comment and submission is read and matched here ([])
    search            the subreddits whose submissions are searched for the watches' words ([]); ["all"] is all of
                      Reddit
    inbox             whether mentions of u/the-account, and answers to what it wrote, are heard (True)
    poll_seconds      seconds between looks (60)
    overlap_seconds   how far each look reaches back before the newest post already heard (600), because posts turn up
                      late: the search learns of them after minutes, moderators let them in after a while
    look_back_hours   how far back the very first look reaches (24)
    base_url          where people read Reddit, and where the login is (https://www.reddit.com)
    oauth_url         where its API is (https://oauth.reddit.com)
    user_agent        how Cuecard introduces itself; without it in the form Reddit asks for, with the account's name

What is heard: each look reads every place back to what is known, page by page. A comment is judged by its own text, a
submission by its title, text and link; what the inbox tells is heard whether a watch matches it or not. Reddit tells
the last 1,000 posts of a listing; where more came between two looks, that is told as a gap. Edits and deletions are
noticed by looking again once a day. Cost: free where Reddit finds the use not commercial; anything else by contract.

Limits: 100 requests a minute for each client; a look asks at least two for each subreddit, one for each search and
three for the inbox. Looks are further apart where that would be too many, and reads wait so that replies can go.

What cannot be done: comments outside the subreddits cannot be searched for, by anybody. Private messages are not read.
Nothing is read without access: there is no way around Reddit's approval, and none is tried.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field

from listeners.contract import Capability, FeedContext, Finding, Posted, Shape
from listeners.errors import Permanent, Retryable, SettingRefused, WatchRefused
from listeners.mention import Batch, Mention, Removal
from listeners.pacing import Pacer, spread
from listeners.reddit.check import ask_name, check_reddit
from listeners.reddit.client import Access, Client
from listeners.reddit.line import PER_MINUTE, Allowance
from listeners.reddit.looks import Health, Looks, read_cursor, read_things
from listeners.reddit.posts import FULLNAME, PLATFORM, read_post, read_standing
from listeners.reddit.refusals import Target
from listeners.reddit.search import compile_query, is_searchable, questions
from listeners.reddit.sources import list_sources
from listeners.settings import FeedSettings, check_env_prefix, check_settings, check_web_address, read_secret
from listeners.text import whole_characters

__all__ = ["Reddit", "Settings", "compile_query", "open_platform"]

MAX_COMMENT: Final = 10_000
"""Unicode characters, as Reddit's own code counts (r2, `POST_comment`: `VMarkdownLength`, `max_length=10000`)."""
_SHARE: Final = 0.8  # of the limit that looks may use up
_SUBREDDIT: Final = re.compile(r"u_[\w-]{1,30}|\w{2,24}", re.ASCII)
_USERNAME: Final = re.compile(r"[\w-]{1,30}", re.ASCII)
_CLOSED: Final = {
    "locked": "The moderators locked this thread: nobody can answer there.",
    "archived": "This thread is archived: it is too old to be answered.",
}


class _StoppedError(Exception):
    """The feed must stop while a look waits."""


def _check_subreddit(value: str) -> str:
    name = value.strip("/").removeprefix("r/")
    if not _SUBREDDIT.fullmatch(name):
        raise ValueError(f"'{value}' is not the name of a subreddit, such as python")
    return name


def _check_agent(value: str) -> str:
    if value and not (value.isascii() and value.isprintable() and len(value) >= 7):
        raise ValueError("it must be at least 7 plain characters, as in 'linux:cuecard:v1 (by /u/name)'")
    return value


WebAddress = Annotated[str, AfterValidator(check_web_address)]
Subreddits = Annotated[
    tuple[Annotated[str, AfterValidator(_check_subreddit)], ...],
    BeforeValidator(lambda value: (value,) if isinstance(value, str) else value),
    Field(max_length=100),
]


class Settings(FeedSettings):
    """Settings of one Reddit feed; the module's docstring explains them."""

    env_prefix: Annotated[str, AfterValidator(check_env_prefix)] = "REDDIT"
    subreddits: Subreddits = ()
    search: Subreddits = ()
    inbox: bool = True
    poll_seconds: float = Field(default=60, ge=5, le=1_000)
    overlap_seconds: int = Field(default=600, ge=0, le=86_400)
    look_back_hours: float = Field(default=24, ge=0, le=24 * 31)
    base_url: WebAddress = "https://www.reddit.com"
    oauth_url: WebAddress = "https://oauth.reddit.com"
    user_agent: Annotated[str, AfterValidator(_check_agent)] = ""


def open_platform(settings: Mapping[str, object], context: FeedContext) -> Reddit:
    """Open one feed of Reddit; no network is touched.

    Raises:
        SettingRefused: a setting cannot work, or a secret is missing.
        WatchRefused: only the search would hear a watch, and it cannot look for it.
    """
    checked = check_settings(Settings, settings)
    if not (checked.subreddits or checked.search or checked.inbox):
        raise SettingRefused("There is nothing to hear: name subreddits or a search, or set inbox.", key="subreddits")
    if checked.search and not checked.subreddits:
        for watch, query in context.watches.queries:
            if not is_searchable(query.root):
                sentence = (
                    "Reddit's search cannot look for this, since it has no word that must be there; add a word, or "
                    "name subreddits to be read whole."
                )
                raise WatchRefused(sentence, watch=watch.name)
    return Reddit(checked, _read_access(checked, context.secrets), context)


def _read_access(settings: Settings, secrets: Mapping[str, str]) -> Access:
    prefix = settings.env_prefix
    refresh_token = read_secret(secrets, prefix, "REFRESH_TOKEN", is_needed=False)
    username = read_secret(secrets, prefix, "USERNAME", is_needed=not refresh_token)
    username = username.strip("/").removeprefix("u/")
    if username and not _USERNAME.fullmatch(username):
        raise SettingRefused(f"{prefix}_USERNAME is not a name on Reddit.", key="env_prefix")
    return Access(
        base_url=settings.base_url,
        oauth_url=settings.oauth_url,
        user_agent=settings.user_agent,
        env_prefix=prefix,
        client_id=read_secret(secrets, prefix, "CLIENT_ID"),
        client_secret=read_secret(secrets, prefix, "CLIENT_SECRET"),
        username=username,
        password=read_secret(secrets, prefix, "PASSWORD", is_needed=not refresh_token),
        refresh_token=refresh_token,
    )


class Reddit:
    """One feed of Reddit."""

    kind: Final = PLATFORM

    def __init__(self, settings: Settings, access: Access, context: FeedContext) -> None:
        """Take checked settings and the account's secrets."""
        self._settings = settings
        self._access = access
        self._context = context
        self._account = access.username
        self._pacer = Pacer(context.pause)
        self._allowance = Allowance(context.now)
        self._reader = Client(access, self._allowance)
        self._sender = Client(access, self._allowance, for_sending=True)
        self._health: dict[str, Health] = {}
        watches = context.watches
        self._sources = list_sources(
            settings.subreddits if watches else (),
            settings.search,
            questions([query.root for _, query in watches.queries]),
            inbox=settings.inbox,
        )

    def listen(self, cursor: str | None) -> Iterator[Batch]:
        """Look at every place for ever; see `Listens`."""
        if not self._sources:
            raise Permanent(f"No watch listens on the feed '{self._context.feed}'; add one, or take the feed away.")
        now = self._context.now()
        default = max(0, int((now - timedelta(hours=self._settings.look_back_hours)).timestamp()))
        sinces = read_cursor(cursor, [source.key for source in self._sources], int(now.timestamp()))
        try:
            looks = self._start()
            while not self._pacer.is_closed():
                yield from looks.look(sinces, default)
                if self._pacer.wait(max(spread(self._settings.poll_seconds), self._busy_seconds())):
                    return
        except _StoppedError:
            return

    def capability(self, mention: Mention) -> Capability:
        """By API unless the thread is closed; by hand in a quarantined community, where Reddit confirms nothing."""
        standing = read_standing(mention.reply_ref)
        place = f"r/{standing.subreddit}" if standing.subreddit else "the subreddit"
        manners = f"Read the rules of {place} first, and say whom you work for."
        if standing.closed in _CLOSED:
            return Capability("none", _CLOSED[standing.closed])
        name = mention.account or self._account
        account = f"u/{name}" if name else ""
        if standing.closed and mention.url:
            reason = f"{place} is quarantined: answer there by hand. {manners}"
            return Capability("by_hand", reason, url=mention.url, account=account)
        return Capability("api", manners, account=account)

    def shape(self, text: str, mention: Mention) -> Shape:
        """Count Unicode characters; a longer text is refused, since a row of comments is bad manners on Reddit."""
        del mention  # all posts here are alike
        prepared = unicodedata.normalize("NFC", whole_characters(text)).strip()
        problem = "" if prepared else "There is no text to post."
        if len(prepared) > MAX_COMMENT:
            problem = f"A comment may have {MAX_COMMENT:,} characters; this has {len(prepared):,}."
        return Shape(prepared, len(prepared), MAX_COMMENT, problem=problem)

    def reply(self, mention: Mention, text: str, send_key: str, after: Posted | None = None) -> Posted:
        """Post one comment under the mention, or under `after`; see `Replies`."""
        del send_key  # Reddit has no use for it
        standing = read_standing(mention.reply_ref)
        name = after.native_id if after is not None else mention.native_id
        problem = _CLOSED.get(standing.closed) or self.shape(text, mention).problem
        if not problem and not FULLNAME.fullmatch(name):
            problem = "This is no post of Reddit, so it cannot be answered there."
        if problem:
            raise Permanent(problem)
        account = mention.account or self._account
        return self._sender.reply(Target(name, standing.subreddit, mention.url, account), text)

    def recheck(self, mentions: Sequence[Mention]) -> Batch:
        """Ask for posts by their ids: edited ones come as mentions, those that are gone as removals; see `Platform`."""
        self._allowance.seconds_to_wait()  # raises where what is left is kept for replies
        own = [mention for mention in mentions if FULLNAME.fullmatch(mention.native_id)]
        things = read_things(dict.fromkeys(mention.native_id for mention in own), self._reader.ask)
        now = self._context.now()
        edited: list[Mention] = []
        gone: list[str] = []
        for mention in own:
            thing = things.get(mention.native_id)
            if thing is None or thing.is_gone:
                gone.append(mention.native_id)
                continue
            read = read_post(thing, mention.feed, self._settings.base_url)
            if isinstance(read, Mention):
                newer = replace(mention, text=read.text, title=read.title or mention.title)
                edited += [newer] if newer != mention else []
        gone += self._gone_parents(own)
        removals = tuple(Removal(PLATFORM, now, native_id=name) for name in dict.fromkeys(gone))
        return Batch(tuple(edited), removals=removals, checked=tuple(mention.native_id for mention in own))

    def check(self) -> list[Finding]:
        """Log in, and read one post of every place."""
        if not self._sources:
            sentence = f"No watch listens on '{self._context.feed}'."
            return [Finding(is_good=False, sentence=sentence, remedy="Add a [[watch]] for it.")]
        return check_reddit(self._reader, self._access, self._allowance, self._sources, inbox=self._settings.inbox)

    def close(self) -> None:
        """End a running look before its next request, and every wait."""
        self._pacer.close()
        self._reader.close()
        self._sender.close()

    def _start(self) -> Looks:
        """Begin a run; who we are is asked where only a refresh token was given."""
        if not self._account:
            try:
                name = ask_name(self._reader).get("name")
            except Retryable:
                name = None  # the next run asks again
            self._account = name if isinstance(name, str) and _USERNAME.fullmatch(name) else ""
        return Looks(
            context=self._context,
            sources=self._sources,
            ask=self._ask,
            account=self._account,
            site=self._settings.base_url,
            overlap_seconds=self._settings.overlap_seconds,
            health=self._health,
        )

    def _ask(self, path: str, params: Mapping[str, str | int], what: str) -> object:
        """Ask Reddit when its limit allows it."""
        seconds = self._allowance.seconds_to_wait()
        if self._pacer.is_closed() or (seconds > 0 and self._pacer.wait(seconds)):
            raise _StoppedError
        return self._reader.ask(path, params, what)

    def _busy_seconds(self) -> float:
        """Return how far apart looks must be for their requests alone to stay within Reddit's limit."""
        return len(self._sources) * 60 / (PER_MINUTE * _SHARE)

    def _gone_parents(self, mentions: Sequence[Mention]) -> list[str]:
        """Return the posts that are quoted as what was answered, and that were taken down: their words must go too."""
        quoted = {mention.in_reply_to for mention in mentions if mention.parent_text}
        wanted = sorted(name for name in quoted if FULLNAME.fullmatch(name))
        things = read_things(wanted, self._reader.ask)
        return [name for name in wanted if name not in things or things[name].is_gone]
