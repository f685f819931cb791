"""By which feed, and from which of our accounts, a post is answered when several feeds hear it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import decisions
from bot.conversation import Actor, State
from bot.intake import Intake
from bot.records import JobKind
from bot.store import Store
from bot.store.followups import SUMMONED
from bot.way import Way, answers_alike, better_way, is_summons
from listeners.contract import Shape
from listeners.mention import Batch, Mention
from tests.bot.flow_fixtures import NOW, ExactGrouper, build_intake, mention, number_of, one

ANA = Actor("U1", "Ana Lima")
PLATFORMS = {"search": "place", "help": "place", "sales": "place"}
ACCOUNTS = {"search": "", "help": "@acme_help", "sales": "@acme_sales"}


def intake_for(store: Store, **changes: object) -> Intake:
    """Return an intake that knows three feeds: a search, and two accounts of ours."""
    intake = build_intake(store, **changes)
    intake.platforms |= PLATFORMS
    return intake


def hearing_by(feed: str, native_id: str = "a", text: str = "my kettle leaks", *, summoned: bool = True) -> Mention:
    """Return a post as a feed hears it: with its account, where that was summoned."""
    account = ACCOUNTS[feed] if summoned else ""
    return mention(native_id, text, account=account, reply_ref=f"ref of {feed}", watches=(f"watch of {feed}",))


def hear(intake: Intake, *mentions: tuple[str, Mention]) -> None:
    """Take what feeds heard, in one go."""
    intake.take([(feed, Batch((each,))) for feed, each in mentions])


def way_in(store: Store) -> Way:
    """Return the way back of the only post."""
    sql = "select feed, feed_platform, account, reply_ref, brand, watches from mention"
    *columns, watches = store.read().execute(sql).fetchone()
    return Way(*columns, watches=tuple(json.loads(watches)))


def show(store: Store, number: int) -> None:
    """Let the card stand in Slack, with nothing left to tell."""
    store.record_message(number, "C1", f"1.{number}", NOW)
    while job := store.take_job(NOW + timedelta(days=1)):
        store.finish_job(job, NOW)


def cards_waiting(store: Store) -> list[str]:
    """Return the conversations whose card is asked for."""
    sql = "select key from job where kind = ? and state = 'pending'"
    return [key for (key,) in store.read().execute(sql, (JobKind.CARD,)).fetchall()]


def test_the_first_that_heard_it_is_the_way_back(store: Store) -> None:
    """Another feed that hears the same post, and was not summoned either, changes nothing."""
    intake = intake_for(store)
    hear(intake, ("search", hearing_by("search")))
    show(store, 1)
    hear(intake, ("help", hearing_by("help", summoned=False)))
    assert way_in(store) == Way("search", "place", "", "ref of search", "", ("watch of search",))
    assert cards_waiting(store) == []


def test_the_account_that_was_summoned_takes_it_over(store: Store) -> None:
    """A later hearing that knows of the summons gives the post its feed, account and reference; its card says so."""
    intake = intake_for(store)
    hear(intake, ("search", hearing_by("search")))
    show(store, 1)
    hear(intake, ("help", hearing_by("help")))
    watches = ("watch of search", "watch of help")
    assert way_in(store) == Way("help", "place", "@acme_help", "ref of help", "", watches)
    assert one(store, "select feed from conversation") == "help"
    assert cards_waiting(store) == ["1"]
    entry = store.history(1)[-1]
    assert (entry.event, entry.detail) == (
        SUMMONED,
        "@acme_help was called; an answer goes out by the feed help",
    )


def test_a_summons_is_never_lost_again(store: Store) -> None:
    """The search that hears the post after the account did, or another account, takes nothing away."""
    intake = intake_for(store)
    hear(intake, ("help", hearing_by("help")))
    show(store, 1)
    hear(intake, ("search", hearing_by("search")), ("sales", hearing_by("sales")))
    hear(intake, ("search", hearing_by("search", text="newer words")))
    assert way_in(store) == Way("help", "place", "@acme_help", "ref of help", "", ("watch of help",))
    assert one(store, "select text from mention") == "newer words"


def test_a_search_of_the_same_feed_takes_no_summons_away(store: Store) -> None:
    """A feed that finds a post by its search after its notifications told of it keeps the account."""
    intake = intake_for(store)
    hear(intake, ("help", hearing_by("help")))
    hear(intake, ("help", hearing_by("help", text="newer words", summoned=False)))
    assert way_in(store).account == "@acme_help"
    hear(intake, ("help", hearing_by("help", "b", summoned=False)))
    hear(intake, ("help", hearing_by("help", "b")))
    assert one(store, "select account from mention where native_id = 'b'") == "@acme_help"


def test_an_edit_by_the_same_feed_brings_its_own_reference(store: Store) -> None:
    """What the platform's file needs to answer may change with the words."""
    intake = intake_for(store)
    hear(intake, ("help", hearing_by("help")))
    edited = mention("a", "newer words", account="@acme_help", reply_ref="newer", watches=("other",))
    hear(intake, ("help", edited))
    assert way_in(store) == Way("help", "place", "@acme_help", "newer", "", ("other",))
    hear(intake, ("search", hearing_by("search", text="newest words")))
    assert way_in(store).reply_ref == "newer"


def test_a_reply_is_refused_where_another_account_would_answer(store: Store) -> None:
    """A person read one account, and by now the help account is known to be summoned: nothing is sent."""
    intake = intake_for(store)
    hear(intake, ("search", hearing_by("search")))
    show(store, 1)
    decisions.claim(store, 1, ANA, NOW)
    text = "So sorry, a new one is on its way."
    shape, shown = Shape(text, len(text), 280), way_in(store)
    hear(intake, ("help", hearing_by("help")))
    refused = decisions.approve(store, 1, 1, text, "", shape, "api", ANA, NOW, timedelta(0), way=shown)
    assert not refused.is_done
    assert "another of our accounts answers this post; your words are still here" in refused.sentence
    assert store.sends(1) == []
    again = decisions.approve(store, 1, 1, text, "", shape, "api", ANA, NOW, timedelta(0), way=way_in(store))
    assert again.is_done


@pytest.mark.parametrize("newer", [Way("help", "", "@a", "ref"), Way("help", "place", "@a", brand="b", watches=("w",))])
def test_what_does_not_change_who_answers_is_no_other_way(newer: Way) -> None:
    """A reference, a brand, a watch, or the platform of a feed that was stored long ago."""
    assert answers_alike(Way("help", "place", "@a"), newer)
    assert not answers_alike(Way("help", "place", "@b"), newer)
    assert not answers_alike(Way("sales", "place", "@a"), newer)


def test_a_live_send_keeps_its_way(store: Store) -> None:
    """While a reply is on its way, from the account that a person saw, nothing changes hands; afterwards it may."""
    intake = intake_for(store)
    hear(intake, ("search", hearing_by("search")))
    show(store, 1)
    decisions.claim(store, 1, ANA, NOW)
    text = "So sorry, a new one is on its way."
    decisions.approve(store, 1, 1, text, "", Shape(text, len(text), 280), "api", ANA, NOW, timedelta(0))
    hear(intake, ("help", hearing_by("help")))
    assert way_in(store).feed == one(store, "select feed from conversation") == "search"
    hear(intake, ("help", hearing_by("help", text="it burns, urgent")))
    assert (way_in(store).feed, one(store, "select text from mention")) == ("search", "it burns, urgent")
    assert decisions.undo(store, 1, ANA, NOW).is_done
    hear(intake, ("help", hearing_by("help", text="it burns, urgent")))
    assert way_in(store).feed == "help"


def test_a_post_taken_down_is_not_taken_over(store: Store) -> None:
    """Its words are gone, and another feed does not bring anything of it back."""
    intake = intake_for(store)
    hear(intake, ("search", hearing_by("search")))
    store.forget_post("place:a", NOW)
    hear(intake, ("help", hearing_by("help")))
    assert way_in(store).account == ""
    assert one(store, "select text from mention") == ""


def test_a_quiet_post_that_summons_us_is_weighed_again(store: Store) -> None:
    """What a search found over the budget is shown when it turns out to be addressed to us, where there is room now."""
    intake = intake_for(store)
    hear(intake, ("search", hearing_by("search")))
    with store.transaction() as db:
        db.execute("update conversation set state = 'quiet', quiet_cause = 'budget'")
    hear(intake, ("help", hearing_by("help")))
    found = store.conversation(1)
    assert found is not None
    assert found.state is State.SHOWN
    assert store.history(1)[-1].detail == "one of our accounts was called"


def test_a_crowd_that_pastes_our_name_is_one_card_still(store: Store) -> None:
    """Copies that the search grouped stay grouped when each of them is heard as a summons, too."""
    intake = intake_for(store, grouper=ExactGrouper())
    hear(intake, *(("search", hearing_by("search", str(each))) for each in range(20)))
    hear(intake, *(("help", hearing_by("help", str(each))) for each in range(20)))
    assert one(store, "select count(*) from conversation where state <> 'quiet'") == 1
    assert one(store, "select count(*) from mention where feed = 'help'") == 20


def test_an_older_post_of_a_conversation_leaves_its_feed_alone(store: Store) -> None:
    """A conversation is answered by its newest mention: only that one moves it to another feed."""
    intake = intake_for(store)
    for native_id in ("a", "b"):
        hear(intake, ("search", mention(native_id, f"words {native_id}", thread_id="t", author=mention("x").author)))
    older = mention("a", "words a", thread_id="t", author=mention("x").author, account="@acme_help")
    hear(intake, ("help", older))
    assert one(store, "select feed from mention where native_id = 'a'") == "help"
    assert one(store, "select feed from conversation where id = ?", number_of(store, "b")) == "search"


WAYS = st.builds(
    Way, st.sampled_from(["search", "help", "sales"]), st.sampled_from(["", "place"]), st.sampled_from(["", "@a", "@b"])
)


@given(WAYS, WAYS)
def test_what_was_summoned_once_stays_so(first: Way, later: Way) -> None:
    """The better of two ways is one of the two, and has an account wherever one of them has."""
    better = better_way(first, later)
    assert (better.feed, better.account) in {(first.feed, first.account), (later.feed, later.account)}
    assert bool(better.account) is bool(first.account or later.account)
    assert not is_summons(better, first)
    assert better_way(better, better) == better


HEARINGS = st.lists(
    st.tuples(st.sampled_from(sorted(PLATFORMS)), st.booleans(), st.sampled_from(["words", "other words"])),
    min_size=1,
    max_size=6,
)


def _expected(hearings: Sequence[tuple[str, bool, str]]) -> tuple[str, str]:
    """Return feed and account of the first hearing that knows of a summons, or else of the first."""
    heard = [(feed, ACCOUNTS[feed] if summoned else "") for feed, summoned, _ in hearings]
    return next((each for each in heard if each[1]), heard[0])


@settings(max_examples=60, deadline=None)
@given(HEARINGS, st.lists(st.integers(1, 3), min_size=6, max_size=6))
def test_however_hearings_are_ordered_and_batched(hearings: list[tuple[str, bool, str]], sizes: list[int]) -> None:
    """One post, one conversation, its newest words; answered by the first feed that was summoned, else by the first."""
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "cuecard.db") as store:
        intake = intake_for(store)
        left = list(hearings)
        for size in sizes:
            group, left = left[:size], left[size:]
            hear(intake, *((feed, hearing_by(feed, text=text, summoned=summoned)) for feed, summoned, text in group))
        way = way_in(store)
        assert (way.feed, way.account) == _expected(hearings)
        assert (way.feed_platform, way.reply_ref) == ("place", f"ref of {way.feed}")
        assert f"watch of {way.feed}" in way.watches
        assert one(store, "select feed from conversation") == way.feed
        assert one(store, "select text from mention") == hearings[-1][2]
        assert one(store, "select count(*) from conversation") == one(store, "select count(*) from mention") == 1
