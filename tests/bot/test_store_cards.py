"""What the store hands out to be drawn: views, the queue, search, and finding a conversation again."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from seeds import ANA, BEN, NOW, a_mention, an_assessment, hear, show

from bot import decisions
from bot.conversation import State
from bot.records import CardView
from bot.store import Store
from listeners.mention import Author, Mention

ANY_TEXT = st.text(st.characters(exclude_categories=()))


def numbers(views: list[CardView]) -> list[int]:
    """Return the numbers of the conversations."""
    return [view.conversation.id for view in views]


def test_a_view_is_what_was_heard(store: Store):
    """Mention and assessment come back equal, field by field."""
    mention = dataclasses.replace(
        a_mention(),
        title="Kettle",
        brand="Acme",
        watches=("brand", "crisis"),
        language="en",
        thread_id="t",
        in_reply_to="p",
        parent_text="parent",
        account="@acme",
        reply_ref='{"cid": 1}',
    )
    assessment = an_assessment(3, 88.5, closes=True)
    number = hear(store, mention, assessment)
    found = store.card_view(number)
    assert found is not None
    assert found.mention == mention
    assert found.assessment == assessment
    assert (found.earlier, found.copies, found.send, found.channel, found.is_removed) == (0, 0, None, "", False)
    assert store.mention(found.mention_id) == mention
    assert store.card_view(number + 1) is None


@pytest.mark.parametrize("text", ["a\x00b", "\ud800 lone \udfff", "\x00", "x" * 100_000, "\u202e<!channel>\U0001f600"])
def test_hostile_text_comes_back_whole(store: Store, text: str):
    """NULs, lone surrogates and 100,000 characters: stored exactly."""
    found = store.card_view(hear(store, a_mention(text=text)))
    assert found is not None
    assert found.mention.text == text


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_any_text_is_stored_whole_and_found_again(store: Store, text: str, name: str, words: str):
    """Whatever a post says, whoever wrote it, whatever is searched: the text is exact, and nothing raises."""
    native_id = str(store.read().execute("select count(*) from mention").fetchone()[0])
    mention = a_mention(
        native_id, text, author=Author(f"h{native_id}", name), title=words, parent_text=name, url=words, reply_ref=name
    )
    number = hear(store, mention)
    found = store.card_view(number)
    assert found is not None
    assert found.mention.text == text
    assert found.mention.author.name.encode("utf-8", "strict") is not None
    store.search(words)
    store.find_conversation(words)


@pytest.mark.parametrize("words", ["", "   ", '"', "AND", "NEAR(", "a* OR", "-x", "col:y", "\x00", "\ud800", "(" * 500])
def test_odd_words_find_nothing_and_raise_nothing(store: Store, words: str):
    """No input is a query language here."""
    hear(store, a_mention())
    assert store.search(words) == []


def test_search_finds_all_words_in_any_case_newest_first_one_card_each(store: Store):
    """All words must be there, accents and endings do not matter, and a conversation comes once."""
    author = Author("ann")
    first = hear(store, a_mention("1", "Café kettle leaking", thread_id="t", author=author))
    hear(store, a_mention("2", "the cafe kettle again", thread_id="t", author=author))
    second = hear(store, a_mention("3", "kettles in the CAFE"))
    hear(store, a_mention("4", "only a kettle"))
    assert numbers(store.search("kettle cafe")) == [second, first]
    assert numbers(store.search("kettle cafe", limit=1)) == [second]
    assert numbers(store.search("ann")) == [first]


def test_the_queue_is_best_first(store: Store):
    """Grade, then priority, then the longest wait; what is new, quiet or answered is not in it."""
    old = hear(store, a_mention("1"), an_assessment(2, 50), now=NOW - timedelta(hours=1))
    young = hear(store, a_mention("2"), an_assessment(2, 50))
    better = hear(store, a_mention("3"), an_assessment(2, 60))
    urgent = hear(store, a_mention("4"), an_assessment(3, 10))
    for number in (old, young, better, urgent):
        show(store, number)
    hear(store, a_mention("5"), an_assessment(3, 99))
    hear(store, a_mention("6"), an_assessment(3, 99), cause="line")
    assert numbers(store.queue(now=NOW)) == [urgent, better, old, young]
    assert numbers(store.queue(limit=2, offset=1, now=NOW)) == [better, old]
    decisions.claim(store, old, ANA, NOW)
    decisions.claim(store, better, BEN, NOW)
    assert numbers(store.queue(owner="U1", now=NOW)) == [old]
    assert store.queue(owner="nobody", now=NOW) == []


def test_the_queue_has_snoozes_that_are_over(store: Store):
    """A snooze whose time has come is unanswered, even before the scheduler woke it."""
    number = hear(store, a_mention())
    show(store, number)
    decisions.claim(store, number, ANA, NOW)
    decisions.snooze(store, number, NOW + timedelta(hours=1), ANA, NOW)
    assert store.queue(now=NOW) == []
    due = NOW + timedelta(hours=1)
    assert numbers(store.queue(now=due)) == numbers(store.queue(owner="U1", now=due)) == [number]
    assert store.queue(owner="U2", now=due) == []


def test_quiet_lists_the_newest_first(store: Store):
    """What was kept below the line is in sight of who asks."""
    older = hear(store, a_mention("1"), cause="line", now=NOW - timedelta(hours=1))
    newer = hear(store, a_mention("2"), cause="budget")
    hear(store, a_mention("3"))
    assert numbers(store.quiet()) == [newer, older]


@pytest.mark.parametrize(
    "asked",
    ["{n}", "#{n}", " {n} ", "https://stage.example/posts/77", "https://stage.example/posts/77/",
     "https://stage.example/posts/77?utm_source=x&a=b", "https://stage.example/posts/77#top",
     "<https://stage.example/posts/77?a=1&amp;b=2|a post>", "http://stage.example/posts/77",
     "https://acme.slack.com/archives/C1/p{ts}000100",
     "https://acme.slack.com/archives/C1/p1800000000000000?thread_ts={ts}.000100&cid=C1"],
)  # fmt: skip
def test_a_conversation_is_found_by_number_address_or_slack_link(store: Store, asked: str):
    """Every way in which a person may name a conversation leads to it."""
    hear(store, a_mention("76"))
    number = hear(store, a_mention("77"))
    show(store, number)
    assert store.find_conversation(asked.format(n=number, ts=1_700_000_000 + number)) == number


@pytest.mark.parametrize(
    "asked",
    ["", "#", "0", "99", "9" * 40, "٣", "seven", "https://", "https://[", "https://stage.example/posts/7",
     "https://acme.slack.com/archives/C1/p1", "https://acme.slack.com/archives/C9/p1700000001000100", "\x00", "\ud800"],
)  # fmt: skip
def test_what_names_no_conversation_is_none(store: Store, asked: str):
    """An unknown number or address is no error, and never another's conversation."""
    show(store, hear(store, a_mention("77")))
    assert store.find_conversation(asked) is None


def test_an_address_with_a_query_is_found_without_it_only_if_it_is_the_only_one(store: Store):
    """`item?id=1` and `item?id=2` are two posts: the bare `item` is neither."""
    one = hear(store, a_mention("1", url="https://news.example/item?id=1"))
    assert store.find_conversation("https://news.example/item") == one
    two = hear(store, a_mention("2", url="https://news.example/item?id=2"))
    assert store.find_conversation("https://news.example/item") is None
    assert store.find_conversation("https://news.example/item?id=2") == two


def test_a_card_in_slack_is_remembered_and_shows_the_conversation(store: Store):
    """The message leads back to the conversation, which is shown from its first message on."""
    number = hear(store, a_mention())
    assert store.cards_coming() == 1
    show(store, number, NOW + timedelta(minutes=1))
    found = store.card_view(number)
    assert found is not None
    assert (found.channel, found.conversation.state) == ("C1", State.SHOWN)
    assert found.conversation.shown_at == NOW + timedelta(minutes=1)
    assert store.conversation_of_message("C1", found.message_ts) == number
    assert store.conversation_of_message("C2", found.message_ts) is None
    assert (store.cards_coming(), store.cards_shown_since(NOW)) == (0, 1)
    assert store.cards_shown_since(NOW + timedelta(minutes=2)) == 0


def test_a_stale_newcomer_is_kept_quiet_only_while_it_is_new(store: Store):
    """What people already see is not taken away again."""
    number = hear(store, a_mention())
    assert store.keep_quiet(number, "stale", NOW)
    assert numbers(store.quiet()) == [number]
    shown = hear(store, a_mention("2"))
    show(store, shown)
    assert not store.keep_quiet(shown, "stale", NOW)


def test_what_nobody_took_is_let_rest(store: Store):
    """Only what is unclaimed and unchanged since then expires."""
    forgotten, claimed, fresh = (hear(store, a_mention(str(n))) for n in range(3))
    for number in (forgotten, claimed):
        show(store, number)
    decisions.claim(store, claimed, ANA, NOW)
    later = NOW + timedelta(days=15)
    show(store, fresh, later)
    assert store.expire_unclaimed(NOW + timedelta(days=1), later) == [forgotten]
    found = store.conversation(forgotten)
    assert found is not None
    assert found.state is State.EXPIRED


def test_a_view_of_many_costs_three_queries(store: Store):
    """The queue does not ask once per card."""
    for n in range(12):
        number = hear(store, a_mention(str(n)))
        show(store, number)
        decisions.claim(store, number, ANA, NOW)
    asked: list[str] = []
    store.read().conn.set_trace_callback(asked.append)
    assert len(store.queue(now=NOW)) == 12
    store.read().conn.set_trace_callback(None)
    assert len([sql for sql in asked if sql.lstrip().startswith("select")]) == 5


def test_unknown_people_and_removed_posts(store: Store):
    """A removed post says so; who was never seen is nobody."""
    number = hear(store, a_mention())
    with store.transaction() as db:
        db.execute("update mention set removed_at = 1, text = ''")
    found = store.card_view(number)
    assert found is not None
    assert found.is_removed
    assert store.person("U404") is None
    assert isinstance(found.mention, Mention)
