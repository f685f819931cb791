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


def texts(number: int, seed: int = 7) -> Iterator[str]:
    """Yield `number` texts; two are hardly ever the same."""
    rng = random.Random(seed)  # noqa: S311 - benchmark material
    for index in range(number):
        text = rng.choice(_OPENERS).format(
            thing=rng.choice(_THINGS), state=rng.choice(_STATES), adj=rng.choice(_ADJECTIVES),
            n=rng.randrange(2, 90), m=rng.randrange(10, 99),
        )  # fmt: skip
        yield f"{text} {' '.join(rng.choices(_ADJECTIVES + _THINGS, k=rng.randrange(0, 12)))} #{index:x}"


def mentions(number: int, seed: int = 7) -> Iterator[Mention]:
    """Yield `number` mentions, one a second, of as many authors."""
    for index, text in enumerate(texts(number, seed)):
        moment = START + timedelta(seconds=index)
        yield Mention("x", f"{seed}-{index}", text, Author(f"person{index}"), moment, feed="bench", brand=BRAND)


def lines(number: int, seed: int = 7) -> list[bytes]:
    """Return `number` lines of JSONL, as a replay reads them."""
    return [
        json.dumps({
            "id": mention.native_id, "text": mention.text, "platform": "x", "brand": BRAND,
            "author": {"handle": mention.author.handle}, "created_at": mention.created_at.isoformat(),
            "url": f"https://example.com/{mention.native_id}",
        }).encode()
        for mention in mentions(number, seed)
    ]  # fmt: skip
