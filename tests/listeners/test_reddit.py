"""Hearing Reddit: subreddits, search and inbox, paged, overlapped, and told of where posts were missed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from clocks import NOON, Hands
from fake_reddit import SECOND, SECRETS, FakeReddit, comment, listing, submission
from servers import Answer, Request, Script, Server, say
from stand_reddit import look_at, open_reddit, texts

from listeners import reddit
from listeners.contract import FeedContext
from listeners.query import Watch, compile_watches
from listeners.reddit.posts import read_standing

Serve = Callable[[Script], Server]


def ids(found: object) -> list[str]:
    """The ids of a batch's mentions."""
    assert isinstance(found, reddit.Batch)
    return [mention.native_id for mention in found.mentions]


def test_comments_and_submissions_of_a_subreddit_are_heard(serve: Serve, context: FeedContext):
    """Those that match a watch, oldest first, each with the brand and its watches."""
    fake = FakeReddit([
        comment("c2", "acme is down", SECOND - 20),
        submission("s1", "Acme?", SECOND - 30),
        comment("c1", "nothing", SECOND - 40),
        comment("c3", "acme jobs", SECOND - 10),
        comment("x1", "acme", subreddit="elsewhere"),
    ])  # fmt: skip
    (batch,) = look_at(open_reddit(serve(fake), context))
    assert ids(batch) == ["t3_s1", "t1_c2"]
    assert {(mention.brand, mention.watches, mention.feed) for mention in batch.mentions} == {
        ("Acme", ("acme",), "main")
    }
    assert not batch.refused
    assert not batch.gaps


def test_a_submission_is_judged_by_title_text_and_link(serve: Serve, context: FeedContext):
    """A comment under a thread about us that does not name us is not heard."""
    fake = FakeReddit([
        submission("s1", "Look", is_self=False, url="https://acme.example/x"),
        submission("s2", "Acme", selftext="what do you think"),
        comment("c1", "nice", link_title="Acme is down"),
    ])  # fmt: skip
    (batch,) = look_at(open_reddit(serve(fake), context))
    assert sorted(ids(batch)) == ["t3_s1", "t3_s2"]


def test_what_a_comment_answers_and_where_its_thread_stands_come_with_it(serve: Serve, context: FeedContext):
    """One more request for all comments of a look; a locked thread closes the comments in it."""
    fake = FakeReddit([
        comment("up", "How is the tea?", author="bob"),
        comment("c1", "acme is fine", parent_id="t1_up", link_id="t3_s1"),
        comment("c2", "acme is cold", parent_id="t3_s1", link_id="t3_s1", link_title=""),
        submission("s1", "Tea pots", selftext="which one?", locked=True),
    ])  # fmt: skip
    (batch,) = look_at(open_reddit(serve(fake), context))
    first, second = batch.mentions
    assert (first.parent_text, second.parent_text) == ("How is the tea?", "Tea pots\nwhich one?")
    assert second.title == "Tea pots"
    assert {read_standing(mention.reply_ref).closed for mention in batch.mentions} == {"locked"}
    assert fake.asked.count("api/info") == 1


def test_what_was_answered_and_taken_down_is_not_quoted(serve: Serve, context: FeedContext):
    """Its words are gone there, so they do not come back here."""
    fake = FakeReddit([comment("up", "[deleted]", author="[deleted]"), comment("c1", "acme", parent_id="t1_up")])
    (batch,) = look_at(open_reddit(serve(fake), context))
    assert texts(batch) == ["acme"]
    assert not batch.mentions[0].parent_text


def test_a_look_does_not_fail_for_want_of_context(serve: Serve, context: FeedContext):
    """What was said counts more than what it answers."""
    fake = FakeReddit([comment("c1", "acme")], mood=lambda path, _: Answer(503) if path == "api/info" else None)
    (batch,) = look_at(open_reddit(serve(fake), context))
    assert texts(batch) == ["acme"]


def test_what_the_account_wrote_is_no_mention(serve: Serve, context: FeedContext):
    """Our own answers name us too."""
    fake = FakeReddit([comment("c1", "acme here, sorry", author="Acme_Care"), comment("c2", "thanks acme")])
    (batch,) = look_at(open_reddit(serve(fake), context))
    assert ids(batch) == ["t1_c2"]


def test_the_inbox_is_heard_whatever_the_watches_say(serve: Serve, context: FeedContext):
    """Mentions of the account and answers to it summon it, and each is told once although the subreddit has it too."""
    both = comment("c2", "no, it is cold", parent_id="t1_ours", author="bob")
    fake = FakeReddit(
        [both, comment("c3", "acme too")],
        inbox={
            "mentions": [comment("c1", "u/acme_care help", context="/r/far/comments/r/t/c1/?context=3")],
            "comments": [both],
            "selfreply": [comment("c4", "which shop?", parent_id="t3_ours")],
        },
    )  # fmt: skip
    (batch,) = look_at(open_reddit(serve(fake), context, inbox=True))
    assert sorted(ids(batch)) == ["t1_c1", "t1_c2", "t1_c3", "t1_c4"]
    summoned = {mention.native_id: mention.account for mention in batch.mentions}
    assert summoned == {"t1_c1": "acme_care", "t1_c2": "acme_care", "t1_c3": "", "t1_c4": "acme_care"}
    assert {mention.brand for mention in batch.mentions} == {"Acme"}


def test_an_answer_that_the_inbox_learns_of_late_is_heard(serve: Serve, context: FeedContext):
    """Its subreddit told of it before, and no watch wanted it there; then the inbox says that it answers us."""
    late = comment("c1", "no, it is cold", parent_id="t1_ours")
    fake = FakeReddit([late])
    batches = open_reddit(serve(fake), context, inbox=True).listen(None)
    assert texts(next(batches)) == []
    fake.inbox["comments"] = [late]
    (mention,) = next(batches).mentions
    assert (mention.native_id, mention.account) == ("t1_c1", "acme_care")
    assert texts(next(batches)) == []


def test_an_inbox_is_enough_without_watches(serve: Serve, context: FeedContext):
    """A feed that only answers those who call us."""
    fake = FakeReddit(inbox={"mentions": [comment("c1", "hey u/acme_care")]})
    nothing = replace(context, watches=compile_watches([]))
    (batch,) = look_at(open_reddit(serve(fake), nothing, inbox=True))
    assert ids(batch) == ["t1_c1"]
    assert not [path for path in fake.asked if path.startswith("r/")]


def test_a_summons_in_a_subreddit_is_heard_without_a_watch(serve: Serve, context: FeedContext):
    """Where the inbox is not read, the name in the text is enough."""
    (batch,) = look_at(open_reddit(serve(FakeReddit([comment("c1", "ask /u/acme_care")])), context))
    assert [(mention.native_id, mention.account) for mention in batch.mentions] == [("t1_c1", "acme_care")]


def test_who_we_are_is_asked_where_only_a_token_is_given(serve: Serve, context: FeedContext):
    """So that a summons is known, and our own words are."""
    fake = FakeReddit([comment("c1", "u/acme_care?"), comment("c2", "acme", author="acme_care")], refresh_tokens={"r"})
    secrets = {name: SECRETS[name] for name in ("REDDIT_CLIENT_ID", "REDDIT_CLIENT_SECRET")}
    platform = open_reddit(serve(fake), context, {**secrets, "REDDIT_REFRESH_TOKEN": "r"})
    (batch,) = look_at(platform)
    assert [(mention.native_id, mention.account) for mention in batch.mentions] == [("t1_c1", "acme_care")]
    assert platform.capability(batch.mentions[0]).account == "u/acme_care"


def test_the_search_is_asked_as_documented(serve: Serve, context: FeedContext):
    """Newest first, for the words of the watches, over no more time than is needed; what it finds is judged again."""
    fake = FakeReddit([
        submission("s1", "acme", SECOND - 30, subreddit="far"),
        submission("s2", "acme jobs", SECOND - 20, subreddit="far"),
    ])  # fmt: skip
    server = serve(fake)
    (batch,) = look_at(open_reddit(server, context, subreddits=[], search=["all"], look_back_hours=2))
    assert ids(batch) == ["t3_s1"]
    asked = next(request.query for request in server.requests if "/search" in request.path)
    assert {name: asked[name] for name in ("q", "sort", "t", "limit", "restrict_sr", "type")} == {
        "q": '"acme"',
        "sort": "new",
        "t": "day",
        "limit": "100",
        "restrict_sr": "false",
        "type": "link",
    }
    look_at(open_reddit(server, context, subreddits=[], search="tea"))
    assert server.requests[-1].path.startswith("/r/tea/search/?")
    assert server.requests[-1].query["restrict_sr"] == "true"


def test_looks_overlap_and_tell_nothing_twice(serve: Serve, context: FeedContext):
    """A post that turns up late, such as one that moderators let in, is still heard."""
    fake = FakeReddit([comment("c1", "acme one", SECOND - 100)])
    batches = open_reddit(serve(fake), context).listen(None)
    assert texts(next(batches)) == ["acme one"]
    fake.add(comment("c2", "acme late", SECOND - 400))
    assert texts(next(batches)) == ["acme late"]
    assert texts(next(batches)) == []


def test_an_edit_is_told_again_and_a_removal_at_once(serve: Serve, context: FeedContext):
    """As long as the post is within the overlap; later the daily look finds it."""
    fake = FakeReddit([comment("c1", "acme one", SECOND - 100)])
    batches = open_reddit(serve(fake), context).listen(None)
    next(batches)
    fake.things[0]["body"] = "acme two"
    assert texts(next(batches)) == ["acme two"]
    fake.things[0] |= {"body": "[removed]"}
    gone = next(batches)
    assert [(removal.platform, removal.native_id) for removal in gone.removals] == [("reddit", "t1_c1")]
    assert not gone.refused
    assert not next(batches).removals


def test_the_first_look_reaches_back_so_far_and_no_further(serve: Serve, context: FeedContext):
    """A quiet subreddit's first page reaches back for months; an install does not flood."""
    fake = FakeReddit([comment(f"c{hour}", f"acme {hour}", SECOND - 3_600 * hour) for hour in range(1, 60)])
    (batch,) = look_at(open_reddit(serve(fake), context, look_back_hours=3, overlap_seconds=0))
    assert texts(batch) == ["acme 3", "acme 2", "acme 1"]


def test_a_resumed_feed_reads_back_to_where_it_was(serve: Serve, context: FeedContext):
    """Also over many pages, after a night without it."""
    fake = FakeReddit([comment("old", "acme old", SECOND - 30_000)])
    server = serve(fake)
    (first,) = look_at(open_reddit(server, context))
    fake.add(*(comment(f"c{number}", f"acme {number}", SECOND - 25_000 + number) for number in range(430)))
    (batch,) = look_at(open_reddit(server, context, overlap_seconds=0), first.cursor, looks=1)
    more = look_at(open_reddit(server, context, overlap_seconds=0), first.cursor, looks=3)
    heard = texts(more)
    assert len(batch.mentions) == 200
    assert heard == ["acme old", *(f"acme {number}" for number in range(430))]
    assert more[0].cursor == first.cursor
    assert not any(part.gaps for part in more)


def test_a_first_look_that_is_cut_off_begins_where_it_began(serve: Serve, context: FeedContext, hands: Hands):
    """Its first part alone was stored, and the machine was off for a day: nothing between is lost."""
    fake = FakeReddit([comment(f"c{number}", "acme", SECOND - 80_000 + number) for number in range(250)])
    server = serve(fake)
    first = next(open_reddit(server, context).listen(None))
    hands.pause(86_400)
    again = look_at(open_reddit(server, context), first.cursor, looks=2)
    assert len(texts(again)) == 250


def test_a_listing_that_does_not_reach_back_is_a_gap(serve: Serve, context: FeedContext):
    """Reddit tells the last posts only: what came before them and after the last look is told as missed."""
    fake = FakeReddit([comment("old", "acme", SECOND - 30_000)])
    server = serve(fake)
    (first,) = look_at(open_reddit(server, context))
    fake.add(*(comment(f"c{number}", "tea", SECOND - 20_000 + number) for number in range(1_100)))
    (batch,) = look_at(open_reddit(server, context), first.cursor)
    (gap,) = batch.gaps
    assert gap.start == NOON - timedelta(seconds=30_000 + 600)
    assert gap.end == NOON - timedelta(seconds=20_000 - 100)
    assert "r/tea" in gap.reason


def test_a_young_subreddit_is_no_gap(serve: Serve, context: FeedContext):
    """Its listing ends because there is no more."""
    fake = FakeReddit([comment(f"c{number}", "acme", SECOND - 1_000 + number) for number in range(150)])
    (batch,) = look_at(open_reddit(serve(fake), context))
    assert len(batch.mentions) == 150
    assert not batch.gaps


def test_a_listing_of_thin_pages_that_does_not_reach_back_is_a_gap(serve: Serve, context: FeedContext):
    """Where moderators remove nearly everything, its pages hold few posts, and it still has an end."""

    def thin(path: str, request: Request) -> Answer | None:
        if path != "r/tea/comments":
            return None
        number = int(request.query.get("after", "t1_0").removeprefix("t1_")) + 1
        return say(json.dumps(listing(comment(str(number), "acme", SECOND - number), after=f"t1_{number}")))

    fake = FakeReddit(mood=thin)
    (batch,) = look_at(open_reddit(serve(fake), context))
    assert len(batch.mentions) == 10
    assert [gap.end for gap in batch.gaps] == [NOON - timedelta(seconds=10)]


def test_a_search_that_tells_no_more_is_a_gap(serve: Serve, context: FeedContext):
    """It tells about 250 posts of any question."""
    fake = FakeReddit([submission(f"s{number}", "acme", SECOND - 1_000 + number) for number in range(300)])
    batches = look_at(open_reddit(serve(fake), context, subreddits=[], search=["all"]), looks=2)
    assert len(texts(batches)) == 250
    assert [gap.end for gap in batches[1].gaps] == [NOON - timedelta(seconds=950)]


def test_a_page_goes_on_although_its_last_post_was_deleted(serve: Serve, context: FeedContext):
    """Of an anchor that is gone Reddit tells nothing, which looks like the end; the post before it is tried."""
    fake = FakeReddit([comment(f"c{number}", f"acme {number}", SECOND - number) for number in range(1, 191)])

    def delete_the_anchor(path: str, request: Request) -> None:
        if path == "r/tea/comments" and request.query.get("after") == "t1_c100":
            fake.things[:] = [thing for thing in fake.things if thing["name"] != "t1_c100"]

    fake.mood = delete_the_anchor
    (batch,) = look_at(open_reddit(serve(fake), context))
    assert len(set(texts(batch))) == 190


def test_every_recorded_listing_is_heard(serve: Serve, context: FeedContext, shared: Path):
    """The real bodies, served as a subreddit's, go through the whole listener: all that stands becomes a mention."""
    watches = compile_watches([Watch("all", "", "the OR a OR to OR i OR you OR it OR from:spez OR from:AutoModerator")])
    pages: list[str] = []
    fake = FakeReddit(mood=lambda path, _: say(pages[-1]) if path == "r/tea/comments" else None)
    platform = open_reddit(serve(fake), replace(context, watches=watches))
    heard = 0
    for file in sorted((shared / "recorded/reddit_listings").glob("*.json")):
        body = json.loads(file.read_text())["body"]
        told = json.loads(body) if isinstance(body, str) else body
        told["data"]["after"] = None
        pages.append(json.dumps(told))
        batch = next(platform.listen(json.dumps({"r/tea/comments/": 0, "r/tea/new": 0})))
        kinds = [child["kind"] for child in told["data"]["children"]]
        assert len(batch.refused) == kinds.count("t5")
        assert len(batch.mentions) + len(batch.removals) <= len(kinds) - kinds.count("t5")
        assert len(batch.removals) < 10
        heard += len(batch.mentions)
    assert heard > 2_500
