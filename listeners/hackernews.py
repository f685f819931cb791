"""Hacker News: stories, polls and comments, through the public search at hn.algolia.com. Free, no account.

Settings of a feed (`platform = "hackernews"`):

    base_url          where the search is (https://hn.algolia.com/api/v1/)
    item_url          what a post's number is put behind, to link to it (https://news.ycombinator.com/item?id=)
    firebase_url      where the official API is, which tells what became of a post
                      (https://hacker-news.firebaseio.com/v0/)
    poll_seconds      seconds between looks (60)
    overlap_seconds   how far each look reaches back before the newest post already heard (600), because the search
                      learns of posts seconds to minutes late
    look_back_hours   how far back the very first look reaches (24)

What is heard: one search per word that the watches need, by time, with typo tolerance off; every hit is judged again by
the watches. A comment is judged by its own text, a story by its title, text and link. Looks are further apart where
many words would go over 8,000 searches an hour (the search's operators ask for at most 10,000). Once a day, for two
weeks after it was heard, each post is looked at again through the official API: edits and deletions are told.

What cannot be done: a program cannot post, so replies are made by hand; no text is suggested, because Hacker News
dislikes canned and promotional replies. Language is not told. A search tells at most 1,000 hits; older ones are fetched
in further windows of time, and what could still not be fetched is told as a gap.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final
from urllib.parse import quote, urlencode, urlsplit

from pydantic import AfterValidator, Field

from listeners.contract import Capability, Compiled, FeedContext, Finding, Posted, Shape
from listeners.errors import ListenerError, Permanent, Retryable
from listeners.fetch import Fetcher
from listeners.grammar import From, Query, QueryError, needed_leaves, push_negations
from listeners.hackernews_items import Items, write_text
from listeners.mention import Author, Batch, Gap, Mention
from listeners.pacing import Pacer, spread
from listeners.settings import FeedSettings, check_settings, check_web_address
from listeners.text import decode_json, shape_by_hand, whole_characters

PLATFORM: Final = "hackernews"
PAGE_SIZE: Final = 200
MAX_WINDOWS: Final = 50
_SEARCHES_PER_HOUR: Final = 8_000
_PER_BATCH: Final = 200
_MAX_BYTES: Final = 20_000_000
_MAX_ITEM: Final = 5_000_000  # a story's item lists its comments, and a post is never as long
_LAST_SECOND: Final = 253_402_300_799  # of the year 9999

WebAddress = Annotated[str, AfterValidator(check_web_address)]


class Settings(FeedSettings):
    """Settings of one Hacker News feed; the module's docstring explains them."""

    base_url: WebAddress = "https://hn.algolia.com/api/v1/"
    item_url: WebAddress = "https://news.ycombinator.com/item?id="
    firebase_url: WebAddress = "https://hacker-news.firebaseio.com/v0/"
    poll_seconds: float = Field(default=60, ge=5, le=1_800)
    overlap_seconds: int = Field(default=600, ge=0, le=86_400)
    look_back_hours: float = Field(default=24, ge=0, le=24 * 31)


def open_platform(settings: Mapping[str, object], context: FeedContext) -> HackerNews:
    """Open one feed of Hacker News; no network is touched.

    Raises:
        SettingRefused: a setting cannot work.
    """
    return HackerNews(check_settings(Settings, settings), context)


def compile_query(query: Query) -> Compiled:
    """Return the searches for a watch: the fewest that miss nothing.

    Raises:
        QueryError: a word that must be searched for has no letter or digit, so that it cannot be found.
    """
    asks = []
    for leaf in needed_leaves(push_negations(query.root)):
        if isinstance(leaf, From):
            asks.append(f"author:{leaf.handle}")
        elif any(sign.isalnum() for sign in leaf.text):
            asks.append(_question(leaf.text))
        else:
            sentence = (
                f"Hacker News cannot search for '{leaf.text}', which has no letter or digit; write a word beside it."
            )
            raise QueryError(sentence, leaf.position)
    return Compiled(tuple(asks), "What is found is matched again here, word for word; the language is not told.")


def _question(term: str) -> str:
    """Return what to ask for a term: the phrase itself or, where it holds signs, its words, which find no less.

    The texts are indexed as HTML, so an '&' stands there in five letters; our own matcher looks again at what is found.
    """
    words = re.findall(r"\w+", term)
    return f'"{term}"' if re.fullmatch(r"[\w ]+", term) else " ".join(words) or term


@dataclass(frozen=True, slots=True)
class _Search:
    """One question to the search: a word or phrase, or everything by an author."""

    term: str = ""
    author: str = ""

    def address(self, base_url: str, floor: int, ceiling: int | None, page: int, size: int = PAGE_SIZE) -> str:
        times = f"created_at_i>={floor}" if ceiling is None else f"created_at_i>={floor},created_at_i<={ceiling}"
        asked = {
            "query": _question(self.term),
            "tags": f"(story,comment,poll),author_{self.author}" if self.author else "(story,comment,poll)",
            "numericFilters": times,
            "advancedSyntax": "true",
            "typoTolerance": "false",
            "hitsPerPage": str(size),
            "page": str(page),
        }
        return f"{base_url.rstrip('/')}/search_by_date?{urlencode(asked, errors='replace')}"


class HackerNews:
    """One feed of Hacker News."""

    kind: Final = PLATFORM

    def __init__(self, settings: Settings, context: FeedContext) -> None:
        """Take checked settings."""
        self._settings = settings
        self._context = context
        self._pacer = Pacer(context.pause)
        # A server of one's own may be inside one's own network; the public ones may not turn up there.
        named = (settings.base_url, settings.firebase_url)
        public = (Settings().base_url, Settings().firebase_url)
        own = [urlsplit(url).netloc.lower() for url in named if url not in public]
        self._fetcher = Fetcher(allow_hosts=own, max_bytes=_MAX_BYTES, now=context.now)
        # Looking again runs beside listening, and a fetcher reads one address at a time.
        self._item_fetcher = Fetcher(allow_hosts=own, max_bytes=_MAX_ITEM, now=context.now)
        self._items = Items(self._item_fetcher, settings.firebase_url, context.now)
        watches = context.watches
        self._searches = [_Search(term=term) for term in watches.terms]
        self._searches += [_Search(author=author) for author in watches.authors]

    def listen(self, cursor: str | None) -> Iterator[Batch]:
        """Look for new posts for ever; see `Listens`."""
        if not self._searches:
            raise Permanent(f"No watch listens on the feed '{self._context.feed}'; add one, or take the feed away.")
        since = _read_cursor(cursor)
        if since is None:
            since = int((self._context.now() - timedelta(hours=self._settings.look_back_hours)).timestamp())
        told: dict[str, str] = {}  # only of this run: what was not stored must be told again in the next
        busy = len(self._searches) * 3600 / _SEARCHES_PER_HOUR
        while not self._pacer.is_closed():
            for batch in self._look(since, told):
                since = _read_cursor(batch.cursor) or since
                yield batch
            if self._pacer.wait(max(spread(self._settings.poll_seconds), busy)):
                return

    def capability(self, mention: Mention) -> Capability:
        """By hand, with the post open; nothing is suggested."""
        return Capability(
            "by_hand",
            "Hacker News takes no replies from programs and dislikes promotion: write your own words there, and say "
            "whom you work for.",
            url=mention.url or self._settings.item_url + mention.native_id,
            may_suggest=False,
        )

    def shape(self, text: str, mention: Mention) -> Shape:
        """Count characters; no limit is known."""
        del mention  # all posts here are alike
        return shape_by_hand(text)

    def reply(self, mention: Mention, text: str, send_key: str, after: Posted | None = None) -> Posted:
        """Refuse: there is no way to post."""
        del mention, text, send_key, after
        raise Permanent("Hacker News takes no replies from programs; reply there by hand.")

    def recheck(self, mentions: Sequence[Mention]) -> Batch:
        """Ask the official API for each post; see `Platform`."""
        return self._items.recheck(mentions, self._pacer.is_closed)

    def check(self) -> list[Finding]:
        """Ask the search for one post, and the official API for its newest number."""
        findings: list[Finding] = []
        if not self._searches:
            findings.append(
                Finding(
                    is_good=False,
                    sentence=f"No watch listens on '{self._context.feed}'.",
                    remedy="Add a [[watch]] for it.",
                )
            )
        return [*findings, self._check_search(), self._items.check()]

    def close(self) -> None:
        """End a running look and every wait."""
        self._pacer.close()
        self._fetcher.close()
        self._item_fetcher.close()

    def _check_search(self) -> Finding:
        try:
            self._ask(_Search().address(self._settings.base_url, 0, None, 0, size=1))
        except ListenerError as err:
            remedy = "See whether this machine can reach it; then try again."
            return Finding(is_good=False, sentence=str(err), remedy=remedy)
        return Finding(is_good=True, sentence="Hacker News search answers.")

    def _look(self, since: int, told: dict[str, str]) -> Iterator[Batch]:
        floor = max(0, since - self._settings.overlap_seconds)
        hits: dict[str, object] = {}
        gaps: list[Gap] = []
        for search in self._searches:
            unheard_before = self._collect(search, floor, hits)
            if unheard_before is not None:
                what = f"'{search.term}'" if search.term else f"posts by {search.author}"
                reason = f"Hacker News had more posts for {what} than it tells."
                gaps.append(Gap(_moment(floor), _moment(unheard_before), reason))
        mentions, refused, newest = self._judge(hits, told)
        latest = max(since, min(newest, int(self._context.now().timestamp())))
        for start in range(0, max(1, len(mentions)), _PER_BATCH):
            chunk = mentions[start : start + _PER_BATCH]
            if start + _PER_BATCH < len(mentions):
                yield Batch(chunk, _write_cursor(max(since, int(chunk[-1].created_at.timestamp()))))
            else:
                yield Batch(chunk, _write_cursor(latest), gaps=tuple(gaps), refused=tuple(refused))

    def _collect(self, search: _Search, floor: int, hits: dict[str, object]) -> int | None:
        """Add all hits since `floor`; return None, or the second before which they could not be fetched."""
        ceiling: int | None = None
        for _window in range(MAX_WINDOWS):
            oldest = self._read_window(search, floor, ceiling, hits)
            if oldest is None or oldest < floor:
                return None
            ceiling = oldest if ceiling is None or oldest < ceiling else ceiling - 1
        return ceiling

    def _read_window(self, search: _Search, floor: int, ceiling: int | None, hits: dict[str, object]) -> int | None:
        """Add the hits of one window; return None when it was read whole, else the second of its oldest hit."""
        seen, oldest, page = 0, _LAST_SECOND, 0
        while not self._pacer.is_closed():
            answer = self._ask(search.address(self._settings.base_url, floor, ceiling, page))
            found = answer["hits"]
            assert isinstance(found, list)  # `_ask` has made sure
            for hit in found:
                hits.setdefault(_id_of(hit) or f"?{len(hits)}", hit)
                oldest = min(oldest, _second_of(hit) or oldest)
            seen += len(found)
            page += 1
            total, pages = answer.get("nbHits"), answer.get("nbPages")
            if not found or (isinstance(total, int) and total <= seen) or oldest == _LAST_SECOND:
                return None
            if not isinstance(total, int) and len(found) < PAGE_SIZE:
                return None
            if isinstance(pages, int) and page >= pages:
                return oldest
        return None

    def _ask(self, address: str) -> dict[str, object]:
        body = self._fetcher.get(address, {"Accept": "application/json"}).body
        try:
            answer = decode_json(body)
        except ValueError as err:
            raise Retryable("Hacker News search did not answer in JSON.") from err
        if not isinstance(answer, dict) or not isinstance(answer.get("hits"), list):
            raise Retryable("Hacker News search answered without hits.")
        return answer

    def _judge(self, hits: Mapping[str, object], told: dict[str, str]) -> tuple[tuple[Mention, ...], list[str], int]:
        """Return what is new and matches, oldest first; why some are no mentions; and the second of the newest hit."""
        mentions: list[Mention] = []
        refused: list[str] = []
        for native_id, hit in hits.items():
            read = read_hit(hit, self._context.feed, self._settings.item_url)
            text = read if isinstance(read, str) else read.text
            if told.get(native_id) == text:
                continue
            told[native_id] = text
            if isinstance(read, str):
                refused.append(read)
            elif (matched := self._match(read)) is not None:
                mentions.append(matched)
        mentions.sort(key=lambda mention: (mention.created_at, mention.native_id))
        return tuple(mentions), refused, max((_second_of(hit) or 0 for hit in hits.values()), default=0)

    def _match(self, mention: Mention) -> Mention | None:
        is_story = not mention.in_reply_to
        judged = f"{mention.title}\n{mention.text}" if is_story else mention.text
        watches = self._context.watches.match(judged, author=mention.author.handle)
        if not watches:
            return None
        return replace(mention, brand=watches[0].brand, watches=tuple(watch.name for watch in watches))


def read_hit(hit: object, feed: str, item_url: str) -> Mention | str:
    """Turn one hit of the search into a mention, not yet matched, or say in a sentence why it cannot be one."""
    native_id = _id_of(hit)
    if not isinstance(hit, dict) or not native_id:
        return "Hacker News told of a post without a number."
    second, author = _second_of(hit), _text_of(hit, "author")
    if second is None:
        return f"Hacker News post {native_id} has no time."
    if not author:
        return f"Hacker News post {native_id} has no author; it was probably deleted."
    title = _text_of(hit, "title") or _text_of(hit, "story_title")
    html = _raw_text(hit, "comment_text") or _raw_text(hit, "story_text")
    text = write_text(html, title, _text_of(hit, "url"), is_reply=bool(_number_of(hit, "parent_id")))
    if not text:
        return f"Hacker News post {native_id} has no text; it was probably deleted."
    return Mention(
        platform=PLATFORM,
        native_id=native_id,
        text=text,
        author=Author(author, url=f"https://news.ycombinator.com/user?id={quote(author, errors='replace')}"),
        created_at=_moment(second),
        feed=feed,
        url=item_url + native_id,
        title=title,
        thread_id=_number_of(hit, "story_id") or native_id,
        in_reply_to=_number_of(hit, "parent_id"),
    )


def _id_of(hit: object) -> str:
    return _number_of(hit, "objectID") if isinstance(hit, dict) else ""


def _number_of(hit: Mapping[str, object], key: str) -> str:
    value = hit.get(key)
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return text if text.isascii() and text.isdigit() else ""


def _raw_text(hit: Mapping[str, object], key: str) -> str:
    value = hit.get(key)
    return value.strip() if isinstance(value, str) else ""


def _text_of(hit: Mapping[str, object], key: str) -> str:
    return whole_characters(_raw_text(hit, key))


def _second_of(hit: object) -> int | None:
    second = hit.get("created_at_i") if isinstance(hit, dict) else None
    is_usable = isinstance(second, int) and not isinstance(second, bool) and 0 < second <= _LAST_SECOND
    return second if is_usable else None


def _moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def _write_cursor(since: int) -> str:
    return f"since:{since}"


def _read_cursor(cursor: str | None) -> int | None:
    """Return the second to resume from; None for no cursor, and for one that cannot be read (then it looks back)."""
    name, _, second = (cursor or "").partition(":")
    return min(int(second[:12]), _LAST_SECOND) if name == "since" and second.isascii() and second.isdigit() else None
