"""Looking again at posts of Reddit: edits, deletions, and what was quoted from posts that are gone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fake_reddit import SECOND, FakeReddit, comment, refuse, submission
from servers import FAULTS, Script, Server
from stand_reddit import look_at, open_reddit

from listeners.contract import FeedContext
from listeners.errors import ListenerError, RateLimited

Serve = Callable[[Script], Server]


def test_a_recheck_finds_edits_and_deletions(serve: Serve, context: FeedContext):
    """Edited words come as the same mention, what is gone as a removal; all that were seen are named."""
    fake = FakeReddit([comment(f"c{number}", f"acme {number}", SECOND - number) for number in range(1, 6)])
    fake.add(submission("s1", "acme title"))
    platform = open_reddit(serve(fake), context)
    (batch,) = look_at(platform)
    changes: dict[object, dict[str, object]] = {
        "t1_c2": {"body": "globex 2", "edited": 5.0},
        "t1_c3": {"body": "[deleted]", "author": "[deleted]"},
        "t1_c4": {"author": None},
        "t3_s1": {"removed_by_category": "moderator"},
    }
    for thing in fake.things:
        thing.update(changes.get(thing["name"], {}))
    fake.things = [thing for thing in fake.things if thing["name"] != "t1_c5"]
    checked = platform.recheck(batch.mentions)
    assert [(mention.native_id, mention.text, mention.watches) for mention in checked.mentions] == [
        ("t1_c2", "globex 2", ("acme",))
    ]
    assert {removal.native_id for removal in checked.removals} == {"t1_c3", "t1_c4", "t1_c5", "t3_s1"}
    assert set(checked.checked) == {mention.native_id for mention in batch.mentions}
    assert not checked.cursor


def test_a_recheck_takes_one_request_for_a_hundred_posts(serve: Serve, context: FeedContext):
    """As many as Reddit tells in one answer."""
    fake = FakeReddit([comment(f"c{number}", "acme", SECOND - number) for number in range(100)])
    platform = open_reddit(serve(fake), context)
    (batch,) = look_at(platform)
    fake.asked.clear()
    checked = platform.recheck(batch.mentions)
    assert len(checked.checked) == 100
    assert fake.asked == ["api/info"]
    assert not platform.recheck(()).checked


def test_a_recheck_also_finds_what_was_quoted_and_is_gone(serve: Serve, context: FeedContext):
    """The words of who was answered must go as well."""
    fake = FakeReddit([comment("up", "tea?"), comment("c1", "acme!", parent_id="t1_up")])
    platform = open_reddit(serve(fake), context)
    (batch,) = look_at(platform)
    assert batch.mentions[0].parent_text == "tea?"
    assert not platform.recheck(batch.mentions).removals
    fake.things[0]["body"] = "[deleted]"
    assert [removal.native_id for removal in platform.recheck(batch.mentions).removals] == ["t1_up"]


def test_a_recheck_that_fails_claims_nothing(serve: Serve, context: FeedContext):
    """Half an answer must not purge what is still there."""
    fake = FakeReddit([comment("c1", "acme")])
    platform = open_reddit(serve(fake), context)
    (batch,) = look_at(platform)
    for fault in ("half a document", "a page instead", "nothing", "broken inside", "hung up"):
        fake.faults.append(FAULTS[fault]())
        with pytest.raises(ListenerError):
            platform.recheck(batch.mentions)
    fake.faults.append(refuse(429))
    with pytest.raises(RateLimited):
        platform.recheck(batch.mentions)
