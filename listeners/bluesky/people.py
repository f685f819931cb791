"""Who wrote a post and what it answers: looked up where the app's own server (AppView) tells it to everyone.

An event names its author by a DID only. Look-ups never hold up what is heard for long: where they fail, posts are told
with the DID, and nothing is looked up for a minute.
"""

from __future__ import annotations

import itertools
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias
from urllib.parse import urlencode, urlsplit

from listeners.bluesky.posts import Post, Profile, read_profile, read_view
from listeners.errors import ListenerError, RateLimited, Retryable
from listeners.fetch import Fetcher
from listeners.text import decode_json

log = logging.getLogger(__name__)

PUBLIC: Final = "https://public.api.bsky.app"
PER_CALL: Final = 25
"""Actors of one app.bsky.actor.getProfiles, posts of one app.bsky.feed.getPosts (their lexicons)."""
REMEMBERED: Final = 10_000
FRESH: Final = timedelta(hours=6)
_MOST_SECONDS: Final = 10.0
"""How long the look-ups for one batch may take in all."""
_REST_SECONDS: Final = 60.0
_MAX_BYTES: Final = 5_000_000

Asks: TypeAlias = Callable[..., Mapping[str, Any]]


class People:
    """Looks up authors and posts on a public server of the app."""

    def __init__(self, appview_url: str, now: Callable[[], datetime], ask_for_posts: Asks | None = None) -> None:
        """Take where the server is; `ask_for_posts` asks for posts elsewhere, where it is told what we may answer."""
        own = () if appview_url == PUBLIC else (urlsplit(appview_url).netloc.lower(),)
        self._root = appview_url.rstrip("/")
        self._fetcher = Fetcher(allow_hosts=own, max_bytes=_MAX_BYTES, total_seconds=_MOST_SECONDS, now=now)
        self._now = now
        self._known: OrderedDict[str, tuple[Profile, datetime]] = OrderedDict()
        self._rests_until = 0.0
        self._ask_for_posts = ask_for_posts or self.ask

    def ask(self, method: str, **parameters: object) -> Mapping[str, Any]:
        """Ask the server something, and return its answer.

        Raises:
            RateLimited, Retryable, Permanent: there was none.
        """
        asked = urlencode(parameters, doseq=True, errors="replace")
        body = self._fetcher.get(f"{self._root}/xrpc/{method}?{asked}", {"Accept": "application/json"}).body
        try:
            answer = decode_json(body)
        except ValueError as err:
            raise Retryable(f"{urlsplit(self._root).netloc} did not answer in JSON.") from err
        if not isinstance(answer, dict):
            raise Retryable(f"{urlsplit(self._root).netloc} did not answer as Bluesky does.")
        return answer

    def find_dids(self, handles: Iterable[str]) -> dict[str, str]:
        """Return the DIDs of handles, by handle as it was given; those that nobody has are missing.

        Raises:
            RateLimited, Retryable, Permanent: they could not be looked up.
        """
        found: dict[str, str] = {}
        for names in _chunks(handles):
            for profile in self._read_profiles(names):
                found |= {name: profile.did for name in names if name.lower() in {profile.handle.lower(), profile.did}}
        return found

    def find_profiles(self, dids: Iterable[str]) -> dict[str, Profile]:
        """Return what can be learned of authors, in bounded time; of the others, the DID alone."""
        wanted = dict.fromkeys(dids)
        now = self._now()
        missing = [did for did in wanted if did not in self._known or now - self._known[did][1] > FRESH]
        self._try_each(missing, self._remember)
        return {did: self._known[did][0] if did in self._known else Profile(did) for did in wanted}

    def find_posts(self, uris: Iterable[str]) -> dict[str, Post]:
        """Return those posts that can be had, in bounded time."""
        found: dict[str, Post] = {}
        self._try_each(dict.fromkeys(uris), lambda chunk: found.update(self.read_posts(chunk)))
        return found

    def read_posts(self, uris: Sequence[str]) -> dict[str, Post]:
        """Return up to `PER_CALL` posts by their addresses; what is gone is missing.

        Raises:
            RateLimited, Retryable, Permanent: they could not be looked up.
        """
        return read_posts(self._ask_for_posts("app.bsky.feed.getPosts", uris=list(uris)), self._now())

    def forget(self, did: str) -> None:
        """Look an author up again at the next post."""
        self._known.pop(did, None)

    def close(self) -> None:
        """End a running look-up, and refuse later ones."""
        self._fetcher.close()

    def _remember(self, dids: Sequence[str]) -> None:
        now = self._now()
        for profile in self._read_profiles(dids):
            self._known[profile.did] = (profile, now)
            self._known.move_to_end(profile.did)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    def _read_profiles(self, actors: Sequence[str]) -> list[Profile]:
        told = self.ask("app.bsky.actor.getProfiles", actors=list(actors)).get("profiles")
        if not isinstance(told, list):
            raise Retryable(f"{urlsplit(self._root).netloc} did not answer as Bluesky does.")
        return [profile for each in told if (profile := read_profile(each)) is not None]

    def _try_each(self, wanted: Iterable[str], look: Callable[[Sequence[str]], None]) -> None:
        """Look things up, some at a time, until it fails or takes too long."""
        began_at = time.monotonic()
        for chunk in _chunks(wanted):
            if time.monotonic() < self._rests_until or time.monotonic() - began_at > _MOST_SECONDS:
                return
            try:
                look(chunk)
            except ListenerError as err:
                wait = err.retry_after if isinstance(err, RateLimited) and err.retry_after else 0.0
                self._rests_until = time.monotonic() + max(_REST_SECONDS, wait)
                log.warning("Authors and parents of posts are not looked up for a while: %s", err)


def read_posts(answer: Mapping[str, Any], now: datetime) -> dict[str, Post]:
    """Read the answer to app.bsky.feed.getPosts.

    Raises:
        Retryable: it is none.
    """
    told = answer.get("posts")
    if not isinstance(told, list):
        raise Retryable("Bluesky answered without posts.")
    return {post.ref.uri: post for each in told if (post := read_view(each, now)) is not None}


def _chunks(wanted: Iterable[str]) -> Iterable[list[str]]:
    waiting = iter(wanted)
    while chunk := list(itertools.islice(waiting, PER_CALL)):
        yield chunk
