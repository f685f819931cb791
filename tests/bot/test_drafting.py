"""Suggestions for a conversation: the same each time, others for other people, traced to what people said."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from seeds import ANA, NOW, a_mention, hear, newest_mention, shaped, show

from bot import decisions
from bot.config import Settings
from bot.drafting import KEPT_FOR, LATELY, Drafting, drafting_tasks, silent_of, tell_operator
from bot.ledger import ERASED
from bot.records import CardView, JobKind
from bot.store import Store
from bot.store.fact_index import FactIndex
from bot.store.past_replies import Silent, find_past_replies
from bot.store.suggestions import said_lately
from listeners.contract import Shape
from listeners.mention import Author, Removal
from nlp.draft import Drafts
from nlp.playbook import Playbook, load_playbook, parse_playbook
from nlp.playbook_file import PlaybookFile
from tests.bot.flow_fixtures import batch, build_intake

HOLD = timedelta(seconds=30)
PAIRING = "my kettle will not pair with the app, the amber light blinks"
ANSWERED = "Sorry to read this, Mara. The amber light shows that the kettle lost the app. I have sent you a new one."


@pytest.fixture
def book(project: Path) -> Playbook:
    """The playbook of the demo."""
    return load_playbook(project / "bot" / "demo" / "playbook.toml")


@pytest.fixture
def drafting(store: Store, book: Playbook) -> Drafting:
    """What makes suggestions."""
    return Drafting(store, book)


def shape(text: str) -> Shape:
    """Count as the stage does."""
    return shaped(text)


def long_shape(text: str) -> Shape:
    """Count as a platform does that has room for more."""
    return shaped(text, limit=500)


def view_of(store: Store, native_id: str, text: str = PAIRING, **fields: object) -> CardView:
    """Hear a post and return its card's view."""
    fields.setdefault("brand", "Kettle & Fern")
    number = hear(store, a_mention(native_id, text, **fields))
    view = store.card_view(number)
    assert view is not None
    return view


def drafts_of(drafting: Drafting, view: CardView, now: datetime = NOW) -> Drafts:
    """Return what is suggested."""
    return drafting.suggested(view, shape, now).drafts


def send(store: Store, view: CardView, text: str, now: datetime = NOW) -> int:
    """Let a person answer a post, and the platform confirm it."""
    number = view.conversation.id
    show(store, number)
    decisions.claim(store, number, ANA, now)
    mention_id = newest_mention(store, number)
    done = decisions.approve(store, number, mention_id, text, "", shaped(text, limit=0), "api", ANA, now, HOLD)
    assert done.send_id is not None
    assert store.begin_send(done.send_id, now + HOLD) is not None
    store.finish_sent(done.send_id, f"n{done.send_id}", "https://stage.example/r", now + HOLD)
    return done.send_id


def test_the_same_conversation_gets_the_same_drafts(store: Store, book: Playbook, drafting: Drafting):
    """However often it is asked, whatever was said to others meanwhile, and after a restart."""
    view = view_of(store, "1")
    first = drafts_of(drafting, view)
    assert first
    for number in range(2, 8):
        assert drafts_of(drafting, view_of(store, str(number)))
    assert drafts_of(drafting, view) == first
    assert drafts_of(Drafting(store, book), view, NOW + timedelta(days=2)) == first


def test_twenty_people_with_one_trouble_get_twenty_drafts(store: Store, drafting: Drafting):
    """No text is suggested twice, though every post says the same."""
    texts: list[str] = []
    for number in range(20):
        view = view_of(store, str(number), "Kettle & Fern app is down again, no connection")
        texts += [draft.text for draft in drafts_of(drafting, view, NOW + timedelta(minutes=number))]
    assert len(texts) >= 40
    assert len(set(texts)) == len(texts)


def test_what_a_person_sent_is_not_suggested_to_the_next(store: Store):
    """Openers that just went out to somebody are passed over as well."""
    playbook = parse_playbook("[[opener]]\ntexts = ['I see what you mean.', 'That sounds tiring.']\n")
    send(store, view_of(store, "1"), "I see what you mean. We look into the lid.")
    drafts = drafts_of(Drafting(store, playbook), view_of(store, "2"), NOW + timedelta(minutes=5))
    assert drafts[0].text.startswith("That sounds tiring.")
    assert said_lately(store.read(), 0, NOW - LATELY) != []
    assert said_lately(store.read(), 0, NOW + LATELY) == []


def test_an_edited_post_gets_new_drafts(store: Store, drafting: Drafting):
    """What was suggested for other words does not stand."""
    view = view_of(store, "1", "where is my parcel")
    first = drafts_of(drafting, view)
    edited = replace(view, mention=replace(view.mention, text="my kettle leaks and is broken"))
    assert drafts_of(drafting, edited) != first
    assert {draft.text for draft in first} < set(store.suggested_texts(view.conversation.id))


def test_an_edited_playbook_is_used_at_once_but_not_in_an_open_modal(store: Store, tmp_path: Path):
    """Who presses Reply gets the new words; who has the modal open goes on with the old, which stay nobody's own."""
    path = tmp_path / "playbook.toml"
    path.write_text("[[opener]]\ntext = 'The old words.'\n", encoding="utf-8")
    drafting = Drafting(store, PlaybookFile(path))
    view = view_of(store, "1")
    old = drafting.suggested(view, shape, NOW)
    path.write_text("[[opener]]\ntext = 'The new words.'\n", encoding="utf-8")
    new = drafting.suggested(view, shape, NOW)
    assert new.drafts[0].text.startswith("The new words.")
    assert drafting.suggested(view, shape, NOW, old.number) == old
    assert store.suggested_texts(view.conversation.id) == (old.drafts[0].text, new.drafts[0].text)


def test_a_number_of_another_post_names_nothing(store: Store, drafting: Drafting):
    """What a modal claims to have begun with is looked up for its own post, and else left aside."""
    other = drafting.suggested(view_of(store, "1"), shape, NOW)
    view = view_of(store, "2")
    for number in (other.number, 99, -1):
        assert drafting.suggested(view, shape, NOW, number) == drafting.suggested(view, shape, NOW)
    assert drafting.suggested(view, shape, NOW).number != other.number


def test_nothing_that_was_ever_suggested_is_approved(store: Store, tmp_path: Path):
    """The store knows every suggestion of a conversation, whatever the modal says that the person began with."""
    path = tmp_path / "playbook.toml"
    path.write_text("[[opener]]\ntext = 'The old words.'\n", encoding="utf-8")
    drafting = Drafting(store, PlaybookFile(path))
    view = view_of(store, "1")
    old = drafts_of(drafting, view)[0].text
    path.write_text("[[opener]]\ntext = 'The new words.'\n", encoding="utf-8")
    assert drafts_of(drafting, view)[0].text != old
    show(store, view.conversation.id)
    decisions.claim(store, view.conversation.id, ANA, NOW)
    for words in (old.replace("[", "").replace("]", ""), "THE OLD WORDS!", "The new words"):
        shaped_words = shaped(words)
        refused = decisions.approve(
            store, view.conversation.id, view.mention_id, words, "", shaped_words, "api", ANA, NOW, HOLD
        )
        assert refused.sentence == "These are still the suggestion's words. Say it in your own."
    assert store.sends(view.conversation.id) == []


def test_silence_is_worked_out_anew(store: Store, tmp_path: Path):
    """Where nothing was suggested, nothing is kept: a playbook that learns the language is used at once."""
    path = tmp_path / "playbook.toml"
    path.write_text("[[opener]]\ntext = 'Hm.'\nlanguage = 'de'\n", encoding="utf-8")
    drafting = Drafting(store, PlaybookFile(path))
    view = view_of(store, "1")
    assert "English" in drafts_of(drafting, view).reason
    path.write_text("[[opener]]\ntext = 'I see.'\n", encoding="utf-8")
    assert drafts_of(drafting, view)


def test_two_threads_that_ask_at_once_get_the_same(store: Store, drafting: Drafting):
    """The one that is first decides."""
    view = view_of(store, "1")
    together = threading.Barrier(6)
    found: list[Drafts] = []

    def ask() -> None:
        together.wait()
        found.append(drafts_of(drafting, view))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert all(each == found[0] for each in found)
    assert len(store.suggested_texts(view.conversation.id)) == len(found[0])


def test_the_platform_s_count_decides(store: Store, drafting: Drafting):
    """A draft leaves an eighth of the limit free as the platform counts, here two for every letter."""

    def double(text: str) -> Shape:
        return Shape(text, 2 * len(text), 280)

    for number in range(10):
        for draft in drafting.suggested(view_of(store, str(number)), double, NOW).drafts:
            assert 2 * len(draft.text) <= 280 - 2 * 35


def test_a_past_reply_is_found_and_named(store: Store, drafting: Drafting):
    """What a person said about the same matter is in the next answer; what they said to one person is not."""
    send(store, view_of(store, "1", "kettle does not pair with the app, amber light"), ANSWERED)
    drafts = drafting.suggested(view_of(store, "2"), long_shape, NOW + timedelta(days=3)).drafts
    assert "The amber light shows that the kettle lost the app." in drafts[0].text
    assert "a past reply of 2 March 2026" in drafts[0].source
    assert not any(word in drafts[0].text for word in ("Mara", "Sorry", "sent you"))


@pytest.mark.parametrize("how", ["undone", "suggested", "other brand", "own", "forgotten", "removed"])
def test_what_is_no_reply_of_ours_to_others_is_not_found(store: Store, drafting: Drafting, how: str):
    """Only what was approved and sent counts, for this brand, to somebody else whose post still stands."""
    brand = "Moss & Co" if how == "other brand" else "Kettle & Fern"
    asker = view_of(store, "1", "kettle does not pair with the app, amber light", brand=brand)
    if how == "suggested":
        assert drafts_of(drafting, asker)
    elif how == "undone":
        show(store, asker.conversation.id)
        decisions.claim(store, asker.conversation.id, ANA, NOW)
        shaped_text = shaped(ANSWERED, limit=0)
        decisions.approve(
            store, asker.conversation.id, asker.mention_id, ANSWERED, "", shaped_text, "api", ANA, NOW, HOLD
        )
        decisions.undo(store, asker.conversation.id, ANA, NOW)
    else:
        send(store, asker, ANSWERED)
    if how == "forgotten":
        store.forget_post("stage:1", NOW)
    if how == "removed":
        with store.transaction() as db:
            db.execute("update mention set removed_at = 1, text = '' where id = ?", (asker.mention_id,))
    number = asker.conversation.id if how == "own" else 0
    assert find_past_replies(store.read(), ("amber", "kettle"), "Kettle & Fern", number) == ()


def test_past_replies_are_found_by_word_and_by_age(store: Store):
    """Those that share words come first, then the newest; odd words are no trouble."""
    for number in range(40):
        text = "The amber light means pairing." if number == 3 else f"The lid fits both pots, says note {number}."
        send(store, view_of(store, str(number), "kettle"), text)
    found = find_past_replies(store.read(), ('am"ber', "amber", "pairings", "a'b"), "Kettle & Fern", 0)
    assert "amber" in found[0].answer
    assert len(found) == 31
    assert found[1].number > found[2].number
    assert find_past_replies(store.read(), (), "Kettle & Fern", 0)[0].number == found[1].number


@pytest.mark.parametrize("how", ["forgotten", "taken down"])
def test_an_author_who_goes_is_in_no_suggestion(store: Store, drafting: Drafting, how: str):
    """What names an author goes with the post, and so does what uses a reply to it; no trace is left in the file."""
    author = Author("mara", "Mara Whitlow")
    asker = view_of(store, "1", "kettle does not pair with the app, amber light", author=author)
    assert drafts_of(drafting, asker)
    send(store, asker, ANSWERED)
    other = view_of(store, "2")
    assert "a past reply" in drafting.suggested(other, long_shape, NOW + timedelta(days=3)).drafts[0].source
    if how == "forgotten":
        store.forget_post("stage:1", NOW)
    else:
        build_intake(store).take([batch(removals=(Removal("stage", NOW, native_id="1"),))])
    assert store.suggested_texts(asker.conversation.id) == ()
    assert store.suggested_texts(other.conversation.id) == ()
    again = drafting.suggested(other, long_shape, NOW + timedelta(days=3)).drafts
    assert not any("a past reply" in draft.source for draft in again)


def test_erased_words_are_not_in_the_index_of_replies(store: Store):
    """The index follows the ledger: a reply that names the author loses its words there, too."""
    view = view_of(store, "1", author=Author("mara", "Mara Whitlow"))
    send(store, view, "Mara Whitlow, the amber light shows that the kettle lost the app.")
    matches = "select count(*) from reply_fts where reply_fts match 'whitlow'"
    assert store.read().execute(matches).fetchone() == (1,)
    store.forget_author("stage", "mara", NOW)
    assert store.read().execute(matches).fetchone() == (0,)
    assert store.sends(view.conversation.id)[0].text == ERASED
    store.read().execute("insert into reply_fts (reply_fts) values ('integrity-check')")
    with store.transaction() as db:
        db.execute("delete from send")
    store.read().execute("insert into reply_fts (reply_fts) values ('integrity-check')")


@pytest.mark.parametrize(
    "silent",
    [Silent(feeds=("stage-feed",)), Silent(platforms=("stage",)), Silent(platforms=("replay",))],
    ids=["a feed", "a platform", "what the feed was set up for"],
)
def test_no_words_are_taken_from_where_nothing_is_suggested(store: Store, silent: Silent):
    """A house rule holds for the replies there as well: they are said again nowhere else."""
    feed_platform = "replay" if "replay" in silent.platforms else ""
    send(store, view_of(store, "1", "the amber light blinks", feed_platform=feed_platform), ANSWERED)
    assert find_past_replies(store.read(), ("amber",), "Kettle & Fern", 0) != ()
    assert find_past_replies(store.read(), ("amber",), "Kettle & Fern", 0, silent) == ()


def test_where_nothing_is_suggested_is_read_from_settings_and_catalogue():
    """A feed that is set so, and Hacker News, whose own file says the same."""
    feeds = {"a": {"platform": "replay", "may_suggest": False}, "b": {"platform": "replay"}}
    settings = Settings.model_validate({"brand": {"name": "Acme"}, "feed": feeds})
    assert silent_of(settings) == Silent(("a",), ("hackernews",))


def test_what_is_slow_to_load_is_loaded_before_it_is_needed(
    store: Store, drafting: Drafting, monkeypatch: pytest.MonkeyPatch
):
    """The identifier of languages, once there are replies that it will have to read; not for a new team."""
    asked: list[str] = []

    class Identifier:
        def classify(self, text: str) -> tuple[str, float]:
            asked.append(text)
            return "de", 1.0

    monkeypatch.setattr("nlp.language._identifier", Identifier)
    assert drafting.what_to_warm() is None
    send(store, view_of(store, "1"), ANSWERED)
    warm = drafting.what_to_warm()
    assert warm is not None
    warm()
    assert len(asked) == 1


def test_old_suggestions_are_forgotten(store: Store, drafting: Drafting):
    """The table does not grow for ever: the clock's task sees to it."""
    view = view_of(store, "1")
    assert drafts_of(drafting, view)
    task = next(task for task in drafting_tasks(drafting) if task.name == "forget old suggestions")
    task.run(store, NOW + KEPT_FOR)
    assert store.suggested_texts(view.conversation.id) != ()
    task.run(store, NOW + KEPT_FOR + timedelta(seconds=1))
    assert store.suggested_texts(view.conversation.id) == ()


def test_a_broken_playbook_is_told_to_the_operator(store: Store, tmp_path: Path):
    """Within a minute, also at night: one notice with the line; the last good playbook goes on until it is mended."""
    path = tmp_path / "playbook.toml"
    path.write_text("[[opener]]\ntext = 'I see.'\n", encoding="utf-8")
    woken: list[bool] = []
    drafting = Drafting(store, PlaybookFile(path, tell_operator(store, lambda: NOW, lambda: woken.append(True))))
    look = next(task for task in drafting_tasks(drafting) if task.name == "look at the playbook")
    assert look.every <= 60
    path.write_text("[[opener]]\ntext = 'I see.'\ntone = 'loud'\n", encoding="utf-8")
    look.run(store, NOW)
    look.run(store, NOW)
    assert drafts_of(drafting, view_of(store, "1"))[0].text.startswith("I see.")
    job = store.take_job(NOW, {JobKind.NOTICE})
    assert job is not None
    assert "playbook.toml, line 3" in job.payload
    assert store.take_job(NOW, {JobKind.NOTICE}) is None
    assert woken == [True]
    path.write_text("[[opener]]\ntext = 'Mended.'\n", encoding="utf-8")
    assert drafts_of(drafting, view_of(store, "2"))[0].text.startswith("Mended.")


def test_facts_are_found_by_other_forms_of_their_words(store: Store):
    """The index stems; odd terms and no terms are no trouble."""
    index = FactIndex({"fact a": "Refunds take a few days", "fact b": "We ship on Mondays topicorder"})
    assert index.search(("refunded",)) == ("fact a",)
    assert index.search(("topicorder", "x\0y", 'sh"ip')) == ("fact b",)
    assert index.search(()) == ()
    index.close()
    playbook = parse_playbook(
        "[[opener]]\ntext = 'I see.'\n[[fact]]\nname = 'r'\ntext = 'Banks take days.'\nkeywords = ['refund']\n"
    )
    view = view_of(store, "1", "how long do refunds take")
    asked = replace(view, assessment=replace(view.assessment, intent="question_help"))
    assert "fact r" in drafts_of(Drafting(store, playbook), asked)[0].source
