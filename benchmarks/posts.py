"""Made-up posts in any number: repeatable, differing in their words, about one brand or none."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from listeners.mention import Author, Mention

BRAND = "Kettle & Fern"
START = datetime(2026, 11, 2, 8, tzinfo=UTC)
_OPENERS = (
    "my {thing} from Kettle & Fern {state} after {n} days",
    "@kettleandfern why does the {thing} say {n} grams when it is {m}?",
    "anyone else's {thing} from kettle and fern {state}?",
    "the {adj} {thing} from Kettle & Fern got me through {n} meetings",
    "ordered {n} {thing}s from Kettle & Fern, {m} came, nobody answers my mails",
    "saw {n} {adj} {thing}s at the market today, no idea which to take",
    "{adj} morning, {n} emails, one {thing}, send help",
    "Kettle & Fern charged me {n}.{m} twice for the same {thing}, I want my money back today",
)
_THINGS = ("kettle", "teapot", "sampler", "tin", "infuser", "mug", "subscription", "gift card", "order", "parcel")
_STATES = ("broke", "leaks", "arrived empty", "smells of plastic", "stopped working", "rusts", "will not heat")
_ADJECTIVES = ("green", "smoky", "quiet", "dreadful", "lovely", "small", "early", "lost", "blue", "long", "wet")
_WHO = ("my sister", "the shop", "your page", "everyone here", "my neighbour", "the courier", "a friend", "I", "we")
_DID = ("had said", "never told us", "keeps asking", "has been told", "found out", "still thinks", "read somewhere")
_WHAT = (
    "that it would come sooner", "how long this takes", "that the lid does not fit", "what the colour was",
    "that it is fine", "where the old ones went", "that they cost more now", "why nobody picks up",
    "that the tea is from last year",
)  # fmt: skip
_WHEN = ("today", "on Monday", "before the weekend", "again", "for weeks now", "at last", "as always", "this morning")


def texts(number: int, seed: int = 7) -> Iterator[str]:
    """Yield `number` texts; two are hardly ever the same."""
    rng = random.Random(seed)  # noqa: S311 - benchmark material
    for index in range(number):
        opener = rng.choice(_OPENERS).format(
            thing=rng.choice(_THINGS), state=rng.choice(_STATES), adj=rng.choice(_ADJECTIVES),
            n=rng.randrange(2, 90), m=rng.randrange(10, 99),
        )  # fmt: skip
        more = (" ".join(map(rng.choice, (_WHO, _DID, _WHAT, _WHEN))) for _ in range(rng.randrange(3)))
        yield f"{'. '.join((opener, *more))} #{index:x}"


def mentions(number: int, seed: int = 7) -> Iterator[Mention]:
    """Yield `number` mentions, one a second, of nearly as many authors.

    Ids, authors and so addresses come in no order: the worst that a platform can do to an index.
    """
    for index, text in enumerate(texts(number, seed)):
        author = f"p{_scramble(index // 3, seed + 1):014x}"
        native_id = f"{_scramble(index, seed):016x}"
        yield Mention(
            platform="x",
            native_id=native_id,
            text=text,
            author=Author(author, "Somebody", 120, str(_scramble(index // 3, seed + 2))),
            created_at=START + timedelta(seconds=index),
            feed="bench",
            url=f"https://posts.example/{author}/status/{native_id}",
            brand=BRAND,
        )


def lines(number: int, seed: int = 7, *, is_dated: bool = True) -> list[bytes]:
    """Return `number` lines of JSONL, as a replay reads them; one without a date is of the moment it is read."""
    return [
        json.dumps({
            "id": mention.native_id, "text": mention.text, "platform": mention.platform,
            "author": {"handle": mention.author.handle, "name": mention.author.name, "id": mention.author.native_id},
            "url": mention.url, **({"created_at": mention.created_at.isoformat()} if is_dated else {}),
        }).encode()
        for mention in mentions(number, seed)
    ]  # fmt: skip


def _scramble(number: int, seed: int) -> int:
    """Return a number of 64 bits that looks random, another one for each number."""
    mixed = (number + (seed << 40)) * 0x9E3779B97F4A7C15 % 2**64
    mixed = (mixed ^ (mixed >> 31)) * 0xBF58476D1CE4E5B9 % 2**64
    return mixed ^ (mixed >> 29)
