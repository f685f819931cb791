"""From posts of Bluesky to mentions: what the watches say of them, who wrote them, and whether they address us."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from listeners.bluesky.people import People
from listeners.bluesky.posts import Post, Profile, build_mention
from listeners.contract import FeedContext
from listeners.errors import ListenerError
from listeners.grammar import AllOf, AnyOf, From, Node, Not
from listeners.mention import Mention
from listeners.query import Watch

HANDLE: Final = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE
)
"""A handle is a host's name, at most 253 long (atproto.com/specs/handle)."""
DID: Final = re.compile(r"did:[a-z]+:[A-Za-z0-9._:%-]*[A-Za-z0-9._-]")


@dataclass(frozen=True, slots=True)
class Found:
    """A post that is to be told: the watches it matches, its author where already known, and whether it is for us."""

    post: Post
    watches: tuple[Watch, ...]
    profile: Profile | None = None
    is_for_us: bool = False


class Teller:
    """Judges posts and makes mentions of them, for one feed."""

    def __init__(self, context: FeedContext, people: People, post_url: str, handle: str) -> None:
        """Take who looks things up, where posts are shown, and our account's handle, '' where there is none."""
        self._context = context
        self._people = people
        self._post_url = post_url
        self._handle = handle
        self._names = {name for _, query in context.watches.queries for name in find_names(query.root)}
        self._name_of: dict[str, str] = {}  # of authors that watches name, by DID
        self.own_did = ""
        brands = {watch.brand for watch in context.watches.watches}
        self._brand = brands.pop() if len(brands) == 1 else ""

    def learn_names(self) -> tuple[str, ...]:
        """Look up the authors that watches name, and ourselves; return a sentence for each that nobody is.

        Raises:
            RateLimited, Retryable, Permanent: the authors could not be looked up; posts cannot be judged then.
        """
        named = sorted(filter(is_name, self._names))
        wanted = [*named, *([self._handle] if self._handle else [])]
        try:
            dids = self._people.find_dids(wanted) if wanted else {}
        except ListenerError:
            if named:
                raise
            return ()  # who we are is learned from our own server, too
        self.own_did = dids.get(self._handle, self.own_did)
        self._name_of = {dids[name]: name for name in named if name in dids}
        return tuple(f"Nobody on Bluesky is called {name}." for name in wanted if name not in dids)

    @property
    def authors(self) -> frozenset[str]:
        """The DIDs of authors that watches name."""
        return frozenset(self._name_of)

    def match(self, post: Post, handle: str = "") -> tuple[Watch, ...]:
        """Return the watches that a post matches; `handle` is its author's, where known."""
        author = self._name_of.get(post.did, handle)
        return self._context.watches.match(post.text or "", author=author, language=post.language)

    def tell(self, found: Iterable[Found]) -> tuple[Mention, ...]:
        """Make mentions of posts, with what can be looked up about them in bounded time."""
        each = list(found)
        profiles = self._people.find_profiles(one.post.did for one in each)
        parents = self._people.find_posts(parent.uri for one in each if (parent := one.post.parent) is not None)
        return tuple(self._tell(one, profiles[one.post.did], parents) for one in each)

    def _tell(self, found: Found, profile: Profile, parents: dict[str, Post]) -> Mention:
        post, above = found.post, found.post.parent
        if found.profile is not None and not profile.handle:
            profile = found.profile
        parent = parents.get(above.uri) if above is not None else None
        mention = build_mention(post, profile, self._context.feed, self._post_url, parent)
        return replace(
            mention,
            brand=found.watches[0].brand if found.watches else self._brand,
            watches=tuple(watch.name for watch in found.watches),
            account=self._handle if found.is_for_us or post.addresses(self.own_did) else "",
        )


def find_names(node: Node) -> Iterator[str]:
    """Yield every author that a condition names, whether wanted or not."""
    if isinstance(node, From):
        yield node.handle
    elif isinstance(node, Not):
        yield from find_names(node.part)
    elif isinstance(node, AllOf | AnyOf):
        for part in node.parts:
            yield from find_names(part)


def is_name(name: str) -> bool:
    """Whether somebody on Bluesky can be called so: by a whole handle, or a DID."""
    return len(name) <= 253 and bool(HANDLE.fullmatch(name) or DID.fullmatch(name))
