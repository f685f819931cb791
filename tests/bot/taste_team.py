"""A team with a taste, for the tests of learning from it: it answers praise and leaves questions alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from seeds import ANA, NOW, a_mention, an_assessment, hear, newest_mention, shaped, show

from bot import decisions
from bot.conversation import CUECARD, Event
from bot.line import Verdict
from bot.store import Store, taste_versions
from bot.store import taste as rows
from bot.store.conversations import move
from bot.store.hearing import Heard, columns_of, conversation_key, write_mentions
from listeners.mention import Mention
from nlp.team import Taste
from nlp.traits import Traits, join, places_of

LATER = NOW + timedelta(hours=5)
MUCH_LATER = NOW + timedelta(hours=10)
WORDS = "Sorry about that! A new seal is in the post."


def anything(_feed: str, _platform: str) -> bool:
    """Let every source train."""
    return True


class MarkReader:
    """Reads marks: 'praise' and 'question' are traits, a number in the text decides the odds."""

    base = "marks-1"
    marks = ("praise", "question")

    def __init__(self) -> None:
        self.corrected: list[Taste] = []
        self.read_texts: list[str] = []

    def read(self, mentions: Sequence[Mention]) -> Traits:
        """Return the traits that the marks say."""
        self.read_texts += [mention.text for mention in mentions]
        if not mentions:
            return join([])
        marked = np.array([[float(name in mention.text) for name in self.marks] for mention in mentions])
        odds = np.array([int(mention.native_id) % 9 - 3.0 for mention in mentions])
        plain = np.zeros(len(odds), dtype=bool)
        intents = ["praise" if row[0] else "question_help" for row in marked]
        return Traits(marked, odds, odds - 2, plain, ~plain, intents, [places_of(mention) for mention in mentions])

    def correct(self, taste: Taste) -> None:
        """Remember the correction."""
        self.corrected.append(taste)


def hear_one(store: Store, native_id: str = "1", *, may_train: bool = True, **fields: object) -> int:
    """Hear a post whose feed may train, and show its card."""
    number = hear(store, a_mention(native_id, **fields))  # type: ignore[arg-type]
    with store.transaction() as db:
        db.execute("update mention set may_train = ? where native_id = ?", (int(may_train), native_id))
    show(store, number)
    return number


def answer(store: Store, number: int, now_after: timedelta = timedelta(minutes=1)) -> int:
    """Claim, approve and send a reply; return the send."""
    decisions.claim(store, number, ANA, NOW)
    outcome = decisions.approve(
        store, number, newest_mention(store, number), WORDS, "", shaped(WORDS), "api", ANA, NOW, timedelta(seconds=30)
    )
    assert outcome.send_id is not None, outcome.sentence
    store.begin_send(outcome.send_id, NOW + timedelta(seconds=31))
    store.finish_sent(outcome.send_id, "r1", "https://stage.example/r1", NOW + now_after)
    return outcome.send_id


def take_back(store: Store) -> None:
    """Take the version in use back, as `cuecard team undo` does."""
    with store.transaction() as db:
        taste_versions.undo(db)
        rows.pause(db, LATER)


def in_use(store: Store) -> int | None:
    """Return the number of the version in use."""
    version = taste_versions.active_version(store.read())
    return None if version is None else version.version


def team_up(store: Store, count: int = 120, start: int = 0, *, likes: str = "praise") -> None:
    """Let the team decide on so many posts, half of them praise; the ids are also the odds."""
    posts = [
        a_mention(str(place), f"{'praise' if place % 2 else 'question'} {place}")
        for place in range(start, start + count)
    ]
    told = an_assessment()
    heard = [
        Heard(conversation_key(post), columns_of(post, told, NOW, may_train=True), told, Verdict()) for post in posts
    ]
    with store.transaction() as db:
        write_mentions(db, heard, NOW)
        for place, post in enumerate(posts, start):
            (number,) = db.execute("select id from conversation where key = ?", (conversation_key(post),)).fetchone()
            at = NOW + timedelta(minutes=place)
            move(db, number, Event.SHOW, CUECARD, NOW)
            if likes in post.text:
                move(db, number, Event.HAND_OVER, ANA, at)
            else:
                move(db, number, Event.DISMISS, ANA, at, changes={"dismiss_reason": "no_reply_needed"})
