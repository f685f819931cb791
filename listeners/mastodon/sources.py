"""What a feed of Mastodon listens to: mentions of our account, timelines, hashtags, searches and people."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from listeners.contract import Compiled
from listeners.grammar import AllOf, AnyOf, From, Node, Not, Query, QueryError, Term, needed_leaves, push_negations
from listeners.mastodon.settings import TAG, Settings
from listeners.query import Watches

Kind = Literal["notifications", "home", "public", "tag", "search", "author"]


@dataclass(frozen=True, slots=True)
class Source:
    """One thing to listen to; `value` is the hashtag, words or person, or which part of the public timeline."""

    kind: Kind
    value: str = ""

    @property
    def key(self) -> str:
        """The source's name in a cursor."""
        return f"{self.kind}:{self.value}" if self.value else self.kind

    @property
    def label(self) -> str:
        """The source as it is told to people, at the start of a sentence."""
        return {
            "notifications": "Mentions of our account",
            "home": "The home timeline",
            "public": f"The public timeline ({self.value})",
            "tag": f"Posts tagged #{self.value}",
            "search": f"The search for {self.value}",
            "author": f"Posts by @{self.value}",
        }[self.kind]


def find_sources(settings: Settings, watches: Watches) -> tuple[Source, ...]:
    """Return what a feed listens to, by its settings and its watches."""
    queries = [query for _watch, query in watches.queries]
    sources: list[Source] = []
    if settings.has_account and settings.notifications:
        sources.append(Source("notifications"))
    if settings.has_account and settings.home:
        sources.append(Source("home"))
    if settings.public != "off":
        sources.append(Source("public", settings.public))
    sources += [Source("tag", tag) for tag in settings.tags or _unique(queries, find_tags)]
    if settings.has_account and settings.search:
        sources += [Source("search", question) for question in _unique(queries, find_questions)]
    sources += [Source("author", author) for author in _unique(queries, find_authors)]
    return tuple(sources)


def _unique(queries: Iterable[Query], find: Callable[[Query], list[str]]) -> list[str]:
    return list(dict.fromkeys(value for query in queries for value in find(query)))


def find_tags(query: Query) -> list[str]:
    """Return the hashtags that a watch needs followed: its #terms, and the words it cannot do without."""
    pushed = push_negations(query.root)
    wanted = [*_wanted_tags(pushed), *(leaf.text for leaf in needed_leaves(pushed) if isinstance(leaf, Term))]
    tags = [text.removeprefix("#").lower() for text in wanted]
    return list(dict.fromkeys(tag for tag in tags if TAG.fullmatch(tag)))


def _wanted_tags(node: Node) -> Iterator[str]:
    if isinstance(node, Term) and node.text.startswith("#"):
        yield node.text
    elif isinstance(node, AllOf | AnyOf):
        for part in node.parts:
            yield from _wanted_tags(part)


def find_questions(query: Query) -> list[str]:
    """Return the searches for a watch: the fewest that miss nothing of what a search can find."""
    leaves = needed_leaves(push_negations(query.root))
    words = [leaf.text.lstrip("#@$") for leaf in leaves if isinstance(leaf, Term)]
    usable = [word for word in words if any(sign.isalnum() for sign in word)]
    return list(dict.fromkeys(word if re.fullmatch(r"\w+", word) else f'"{word}"' for word in usable))


def find_authors(query: Query) -> list[str]:
    """Return the people whose posts must be read for a watch, as user@server."""
    leaves = needed_leaves(push_negations(query.root))
    return [leaf.handle for leaf in leaves if isinstance(leaf, From) and "@" in leaf.handle]


def compile_query(query: Query) -> Compiled:
    """Return what is followed, searched for and read for a watch.

    Raises:
        QueryError: it asks for a person without a server, whom no post on Mastodon is by.
    """
    _refuse_deaf(push_negations(query.root))
    tags = find_tags(query)
    asks = [f"follow #{tag}" for tag in tags]
    asks += [f"search {question}" for question in find_questions(query)]
    asks += [f"read posts by @{author}" for author in find_authors(query)]
    heard = "Posts without a hashtag that is followed" if tags else "No hashtag can be followed for this watch: posts"
    checked = (
        f"{heard} are heard only where they mention our account or come by on a timeline that is listened to, and by"
        " search only where the settings turn it on and the server has it. Every post is matched here, word for word."
    )
    return Compiled(tuple(asks), checked)


def _refuse_deaf(pushed: Node) -> None:
    """Refuse a watch that no post can match."""
    if not _can_hold(pushed):
        culprit = next(leaf for leaf in _leaves(pushed) if isinstance(leaf, From) and "@" not in leaf.handle)
        sentence = (
            f"people are named with their server there, as in from:{culprit.handle}@mastodon.social; write it so, or"
            " name the feeds that this watch is for."
        )
        raise QueryError(sentence, culprit.position)


def _can_hold(node: Node) -> bool:
    if isinstance(node, AllOf):
        return all(_can_hold(part) for part in node.parts)
    if isinstance(node, AnyOf):
        return any(_can_hold(part) for part in node.parts)
    return not isinstance(node, From) or "@" in node.handle


def _leaves(node: Node) -> Iterator[Node]:
    if isinstance(node, AllOf | AnyOf):
        for part in node.parts:
            yield from _leaves(part)
    elif not isinstance(node, Not):
        yield node
