"""The places on Reddit that a feed reads: listings of subreddits, searches, the inbox. How one is read to its end.

A listing is always read from its newest post back to a moment in time, in pages of 100. The alternatives lose posts:
with `before`, Reddit tells nothing at all once the post that is named was deleted, and praw's streams remember 301
posts and never look past the first page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from listeners.reddit.posts import Thing, read_thing
from listeners.reddit.refusals import SourceRefused

PAGE_SIZE: Final = 100
"""The most that Reddit tells in one answer."""
LISTING_DEPTH: Final = 1_000
SEARCH_DEPTH: Final = 250
"""The most that Reddit tells of a listing (praw's documentation), and of a search (seen by many; not documented)."""
_CUT_SHARE: Final = 0.5  # posts that were removed are left out, so that even a full listing shows fewer
_SPANS: Final = (("hour", 3_600), ("day", 86_400), ("week", 604_800), ("month", 2_592_000), ("year", 31_536_000))

Ask = Callable[[str, Mapping[str, str | int], str], object]


@dataclass(frozen=True, slots=True)
class Source:
    """One place: the path and parameters of its listing, and what it is called in sentences.

    `key` is what the cursor knows it by. `depth` is how many posts Reddit tells of it at most.
    """

    key: str
    path: str
    name: str
    params: Mapping[str, str | int] = field(default_factory=dict)
    depth: int = LISTING_DEPTH
    is_inbox: bool = False
    is_search: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What a source told, newest first.

    `cut_at` is the second before which Reddit tells nothing more, None where it told all that was asked for.
    """

    things: tuple[Thing, ...]
    cut_at: int | None = None


def list_sources(subreddits: Sequence[str], search: Sequence[str], asks: Sequence[str], *, inbox: bool) -> list[Source]:
    """Return the places to read, the inbox first: what summons us is told there with the reason."""
    sources = []
    if inbox:
        sources += [
            Source(path, path, "the inbox", is_inbox=True)
            for path in ("message/mentions", "message/comments/", "message/selfreply/")
        ]
    for name in subreddits:
        sources += [Source(path, path, f"r/{name}") for path in (f"r/{name}/comments/", f"r/{name}/new")]
    for name in search:
        path, place = f"r/{name}/search/", "the search" if name.lower() == "all" else f"the search of r/{name}"
        is_part = "false" if name.lower() == "all" else "true"
        for number, ask in enumerate(asks):
            params = {"q": ask, "sort": "new", "syntax": "lucene", "type": "link", "restrict_sr": is_part}
            sources.append(Source(f"{path}{number}", path, place, params, SEARCH_DEPTH, is_search=True))
    return sources


def read_source(source: Source, floor: int, now: int, ask: Ask) -> Reading:
    """Read a source from its newest post back to the second `floor`.

    Raises:
        ListenerError: what `ask` raises, or SourceRefused where the answer is no listing.
    """
    things: dict[str, Thing] = {}
    anchors: tuple[str, ...] = ("",)
    span = {"t": _span(now - floor)} if source.is_search else {}
    for _page in range(-(-source.depth // PAGE_SIZE)):
        page, after = _read_page(source, anchors, span, ask)
        known = len(things)
        for thing in page:
            things.setdefault(thing.fullname or f"?{len(things)}", thing)
        last = next((thing.second for thing in reversed(page) if thing.second is not None), None)
        if last is not None and last < floor:
            return Reading(tuple(things.values()))
        if len(things) == known or not after:
            is_cut = len(things) >= source.depth * _CUT_SHARE
            break
        anchors = tuple(dict.fromkeys([after, *(thing.fullname for thing in reversed(page[-3:]) if thing.fullname)]))
    else:
        is_cut = True
    seconds = [thing.second for thing in things.values() if thing.second is not None]
    return Reading(tuple(things.values()), min(seconds, default=floor) if is_cut else None)


def read_listing(answer: object, name: str) -> tuple[tuple[Thing, ...], str]:
    """Return the children of a listing, and the name of the place where it goes on, '' at its end.

    Raises:
        SourceRefused: the answer is no listing.
    """
    data = answer.get("data") if isinstance(answer, Mapping) else None
    children = data.get("children") if isinstance(data, Mapping) else None
    if not isinstance(data, Mapping) or not isinstance(children, list):
        raise SourceRefused(f"Reddit did not answer with a listing ({name}).")
    after = data.get("after")
    return tuple(read_thing(child) for child in children), after if isinstance(after, str) else ""


def _read_page(
    source: Source, anchors: Sequence[str], span: Mapping[str, str], ask: Ask
) -> tuple[tuple[Thing, ...], str]:
    """Read the page behind the first anchor that Reddit still knows: behind a deleted post it tells nothing."""
    page: tuple[Thing, ...] = ()
    after = ""
    for params in _page_params(source, anchors, span):
        page, after = read_listing(ask(source.path, params, source.name), source.name)
        if page:
            break
    return page, after


def _page_params(source: Source, anchors: Sequence[str], span: Mapping[str, str]) -> Iterator[Mapping[str, str | int]]:
    for anchor in anchors:
        yield {**source.params, **span, "limit": PAGE_SIZE, **({"after": anchor} if anchor else {})}


def _span(seconds: int) -> str:
    """Return the shortest of the search's stretches of time that holds so many seconds."""
    return next((name for name, most in _SPANS if seconds < most * 0.9), "all")
