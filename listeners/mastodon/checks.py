"""What `cuecard check` tells of a feed of Mastodon: each thing is tried once, for real, and nothing is posted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import regex

from listeners.contract import Finding
from listeners.errors import ListenerError, Permanent
from listeners.mastodon.client import Client
from listeners.mastodon.fields import Fields, parts_of, text_of
from listeners.mastodon.posts import is_public, read_text
from listeners.mastodon.server import Server, build_server, read_account, read_instance
from listeners.mastodon.settings import Settings
from listeners.mastodon.sources import Source
from listeners.mastodon.streams import MAX_STREAMS, Streams, channel_of
from listeners.mastodon.timelines import Timelines

MOST_TRIED: Final = 20
"""How many of a feed's sources are tried; the rest are hashtags like those."""
_HELD_BACK: Final = {
    "for_not_following": "people whom we do not follow",
    "for_not_followers": "people who do not follow us",
    "for_new_accounts": "new accounts",
}
_SHORTEST_WORD: Final = 5
_AGAIN: Final = "See whether this machine can reach it, and whether base_url is right; then try again."
_GET_ACCESS: Final = (
    "On the server, under Preferences, Development, make an application with the scopes read and write:statuses, and"
    " put its token into the environment."
)


class Checks:
    """One round of checks with one client."""

    def __init__(self, client: Client, settings: Settings, sources: Sequence[Source], timelines: Timelines) -> None:
        """Take what to try."""
        self._client = client
        self._settings = settings
        self._sources = sources
        self._timelines = timelines

    def run(self) -> Iterator[Finding]:
        """Yield what was found; where the server or the token does not work, nothing else is tried."""
        try:
            told = read_instance(self._client)
            account = read_account(self._client) if self._settings.has_account else {}
        except ListenerError as err:
            yield _bad(err)
            return
        server = build_server(self._client.access.host, told, account, self._settings.handle)
        yield from self._check_server(server, told)
        if self._settings.has_account:
            yield from self._check_handle(server, account)
            yield from self._check_scopes()
            if self._settings.notifications:
                yield from self._check_policy()
        yield from self._check_sources()
        if self._settings.has_account and self._settings.search:
            yield from self._check_search(server)
        if self._settings.has_account and self._settings.mode == "stream":
            yield from self._check_streams()

    def _check_server(self, server: Server, told: Fields) -> Iterator[Finding]:
        if not told:
            yield Finding(
                is_good=False,
                sentence=f"{server.host} says nothing of itself, as a Mastodon server does.",
                remedy="See whether base_url is the address of the server itself, as a browser shows it there.",
            )
            return
        yield Finding(
            is_good=True,
            sentence=f"{server.host} answers (version {server.version or 'not told'}): a post may have {server.limit}"
            f" characters, a link counts for {server.url_length}.",
        )
        if self._settings.max_chars > server.limit:
            yield Finding(
                is_good=False,
                sentence=f"max_chars is {self._settings.max_chars}, and {server.host} allows {server.limit}.",
                remedy="Take max_chars away, so that the server is asked.",
            )

    def _check_handle(self, server: Server, account: Fields) -> Iterator[Finding]:
        own = server.full_handle(text_of(account, "acct") or text_of(account, "username"))
        if own and own.lower() != server.handle.lower():
            yield Finding(
                is_good=False,
                sentence=f"The access token is that of @{own}, and handle says {server.account}.",
                remedy="Put the token of that account into the environment, or take handle away.",
            )
        else:
            named = server.account or "an account that the server does not name"
            yield Finding(is_good=True, sentence=f"The access token is that of {named}.")

    def _check_scopes(self) -> Iterator[Finding]:
        """Tell of scopes that are missing, where the server tells which there are (since Mastodon 4.3)."""
        try:
            told = self._client.ask(lambda api: api.app_verify_credentials())
        except ListenerError:
            return
        scopes = told.get("scopes") if isinstance(told, dict) else None
        if not isinstance(scopes, list) or not scopes:
            return
        given = {str(scope) for scope in scopes} | ({"read:accounts"} if "profile" in scopes else set())
        missing = [each for each in _needed_scopes(self._settings) if not given & {each, each.partition(":")[0]}]
        if missing:
            yield Finding(
                is_good=False,
                sentence=f"The access token has no scope {', '.join(missing)}.",
                remedy=_GET_ACCESS,
            )

    def _check_policy(self) -> Iterator[Finding]:
        """Tell of mentions that the account itself holds back (since Mastodon 4.3)."""
        try:
            told = self._client.ask(lambda api: api.notifications_policy())
        except ListenerError:
            return
        policy: Fields = told if isinstance(told, dict) else {}
        held = [words for key, words in _HELD_BACK.items() if text_of(policy, key) in {"filter", "drop"}]
        if held:
            yield Finding(
                is_good=False,
                sentence=f"Mentions by {' and by '.join(held)} are held back from our account.",
                remedy="On the server, under Notifications, set the filters for these people to accept.",
            )

    def _check_sources(self) -> Iterator[Finding]:
        tried, good = self._sources[:MOST_TRIED], 0
        for source in tried:
            try:
                self._timelines.try_once(source)
            except ListenerError as err:
                yield _bad(err)
            else:
                good += 1
        if good:
            yield Finding(is_good=True, sentence=f"{good} of {len(tried)} things listened to answer.")

    def _check_search(self, server: Server) -> Iterator[Finding]:
        """Search for a word of our own newest posts: a server without full-text search finds not even that."""
        try:
            own = self._client.ask(lambda api: api.account_statuses(server.account_id, exclude_reblogs=True))
            number, word = next(_rare_words(own if isinstance(own, list) else [], server), ("", ""))
            if not word or self._does_find(word, number):
                return
        except ListenerError as err:
            yield _bad(err)
            return
        yield Finding(
            is_good=False,
            sentence=f"The search of {server.host} does not even find our own post with '{word}'.",
            remedy="Full-text search seems to be off there: set search = false, and listen to hashtags.",
        )

    def _does_find(self, word: str, number: str) -> bool:
        asked = {"result_type": "statuses", "resolve": False, "exclude_unreviewed": False}
        answer = self._client.ask(lambda api: api.search_v2(word, **asked))
        found = parts_of(answer, "statuses") if isinstance(answer, dict) else []
        return any(text_of(status, "id") == number for status in found)

    def _check_streams(self) -> Iterator[Finding]:
        channels = list(dict.fromkeys(filter(None, map(channel_of, self._sources))))[:MAX_STREAMS]
        streams = Streams(self._client.access, channels)
        try:
            refused = streams.open()
        except ListenerError as err:
            yield _bad(err)
            return
        finally:
            streams.close()
        if refused:
            yield Finding(
                is_good=False,
                sentence=f"{self._client.access.host} does not stream {', '.join(refused)} to us.",
                remedy=f'It is looked at every {self._settings.poll_seconds:g} seconds instead; mode = "poll" says so.',
            )
        elif channels:
            yield Finding(is_good=True, sentence=f"{self._client.access.host} streams.")


def _needed_scopes(settings: Settings) -> list[str]:
    scopes = ["read:accounts", "read:statuses"]
    scopes += ["read:notifications"] if settings.notifications else []
    scopes += ["read:search"] if settings.search else []
    return scopes + (["write:statuses"] if settings.answer == "api" else [])


def _rare_words(posts: Sequence[Fields], server: Server) -> Iterator[tuple[str, str]]:
    """Yield the id and the longest word of posts that everybody can see."""
    for status in posts:
        words = regex.findall(r"(?<![@#\w/.])\p{L}+(?![\w@/.])", read_text(status, server))
        longest = max(words, key=len, default="")
        if is_public(status) and len(longest) >= _SHORTEST_WORD:
            yield text_of(status, "id"), longest


def _bad(err: ListenerError) -> Finding:
    return Finding(is_good=False, sentence=str(err), remedy=_GET_ACCESS if isinstance(err, Permanent) else _AGAIN)
