"""App Home: what is mine, what waits for anybody, what is quiet, and whether we hear at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from bot.records import CardView, FeedState
from bot.slack.blocks import Json, actions, button, context, divider, header, plain, quote, section, words
from bot.slack.desk import Desk
from bot.slack.rows import draw_row
from bot.slack.text import one_line, safe_line, safe_link, show_time
from listeners.catalog import label_of

LOOK = "home_look"
REFRESH = "home_refresh"
MINE_SHOWN = 10
QUEUE_SHOWN = 10
MOST_QUIET_COUNTED = 100
_MOST_FEEDS = 15


@dataclass(frozen=True, slots=True)
class HomeView:
    """What a person's Home shows. `card_url` gives the Slack address of a message (channel, ts), '' for none."""

    mine: Sequence[CardView]
    queue: Sequence[CardView]
    quiet_count: int
    feeds: Sequence[FeedState]
    card_url: Callable[[str, str], str]
    now: datetime
    last_digest: str = ""
    last_digest_url: str = ""


def home_now(desk: Desk, user_id: str, card_url: Callable[[str, str], str]) -> HomeView:
    """Return what a person's Home shows now."""
    store, now = desk.store, desk.now()
    feeds = store.feed_states()
    last_digest = store.last_digest() or ""
    channel, ts = store.digest_message(last_digest) or ("", "")
    return HomeView(
        mine=store.queue(MINE_SHOWN, owner=user_id, now=now),
        queue=store.queue(QUEUE_SHOWN, now=now),
        quiet_count=len(store.quiet(MOST_QUIET_COUNTED + 1)),
        feeds=feeds,
        card_url=card_url,
        now=now,
        last_digest=last_digest,
        last_digest_url=card_url(channel, ts),
    )


def is_all_heard(feeds: Iterable[FeedState], now: datetime) -> bool:
    """Return whether every feed is surely heard: only then is 'nothing waits' the whole truth."""
    return all(
        feed.heard_at is not None and feed.unheard_since(now) is None and feed.quiet_since is None for feed in feeds
    )


def draw_home(home: HomeView) -> Json:
    """Return the view."""
    blocks: list[Block] = [
        *_draw_list("Your conversations", home.mine[:MINE_SHOWN], "You have none.", home, is_mine=True),
        *_draw_list("The team's queue", home.queue[:QUEUE_SHOWN], _describe_empty(home), home, is_mine=False),
        header("Quiet"),
        *_draw_quiet(home.quiet_count),
        header("Feeds"),
        *_draw_feeds(home.feeds, home.now),
        divider(),
        _draw_digest(home),
        actions([button("Refresh", REFRESH, "")]),
    ]
    return View(type="home", blocks=blocks).to_dict()


def _describe_empty(home: HomeView) -> str:
    """Say that nothing waits, but never as a clean bill over a deaf feed."""
    if not is_all_heard(home.feeds, home.now):
        return "Nothing that was heard waits for an answer, but not every feed is heard: see below."
    return "Nothing waits for an answer."


def _draw_list(title: str, views: Sequence[CardView], empty: str, home: HomeView, *, is_mine: bool) -> list[Block]:
    blocks: list[Block] = [header(title)]
    for view in views:
        blocks.extend(draw_row(view, home.card_url(view.channel, view.message_ts), is_mine=is_mine))
    return blocks if views else [*blocks, quote(empty)]


def _draw_quiet(count: int) -> list[Block]:
    if not count:
        return [quote("Nothing was kept below the line.")]
    noun = "conversation was" if count == 1 else "conversations were"
    number = f"More than {MOST_QUIET_COUNTED}" if count > MOST_QUIET_COUNTED else f"{count}"
    return [
        quote(f"{number} {noun} kept below the line: not in the channel, but not lost."),
        actions([button("Look", LOOK, "")]),
    ]


def _draw_feeds(feeds: Sequence[FeedState], now: datetime) -> list[Block]:
    """Say of each feed whether it hears, the deaf ones first."""
    ranked = sorted(feeds, key=lambda feed: (feed.unheard_since(now) is None, feed.quiet_since is None, feed.name))
    blocks: list[Block] = [
        context(plain(_name(feed), 300), words(_describe_feed(feed, now))) for feed in ranked[:_MOST_FEEDS]
    ]
    if len(ranked) > _MOST_FEEDS:
        blocks.append(context(plain(f"and {len(ranked) - _MOST_FEEDS} more that are heard or listed in the digest")))
    return blocks or [quote("No feed is set up yet.")]


def _name(feed: FeedState) -> str:
    return f"{one_line(feed.name)} ({label_of(feed.platform)})"


def _describe_feed(feed: FeedState, now: datetime) -> str:
    since = feed.unheard_since(now)
    if since is not None:
        why = f": {safe_line(feed.problem, 300)}" if feed.problem else ""
        if feed.paused_until is not None:
            return f"*paused until {show_time(feed.paused_until, '{date_short_pretty} {time}')}*{why}"
        return f"*deaf since {show_time(since, '{date_short_pretty} {time}')}*{why}"
    if feed.heard_at is None:
        return "not heard yet"
    if feed.quiet_since is not None:
        return f"*unusually silent since {show_time(feed.quiet_since, '{date_short_pretty} {time}')}*, but it answers"
    return f"last heard {show_time(feed.heard_at, '{ago}')} · {feed.mentions:,} mentions"


def _draw_digest(home: HomeView) -> Block:
    if not home.last_digest:
        return section("No digest was posted yet. /digest shows today's.")
    return section(f"Last digest: {safe_link(home.last_digest_url, home.last_digest)}")
