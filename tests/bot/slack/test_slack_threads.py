"""A reply too long for one post: offered as a thread, chosen by a person, and posted as it was shown."""

# ruff: noqa: ARG001 - fixtures are asked for what they set up

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from drawn import a_view
from fake_slack import elements_of, words_of
from hands import OWN_WORDS, Hands, StagePlatform, send, state_of, write
from hypothesis import example, given
from hypothesis import strategies as st
from seeds import ANA, NOW, a_mention, hear

from bot import decisions
from bot.conversation import State
from bot.ledger import ERASED, Send, SendState
from bot.slack import buttons, modals
from bot.slack.desk import Desk
from bot.slack.reply_modal import REPLY_TEXT, unpack_ids
from bot.slack.text import safe_url
from bot.slack.thread import AS_THREAD, CHANGED, name_parts
from bot.store import Store
from listeners.contract import Capability, Posted, Shape

PARTS = (
    "So sorry about the kettle, Sam! It was charged twice, on Monday and again on Tuesday.",
    "The second charge is on its way back to you, and a new kettle leaves here today.",
    "If it is not there on Friday, please write to me again and I will call them myself.",
)
LONG = " ".join(PARTS)
NAME = "Post it as a thread of 3"
LATER = NOW + timedelta(minutes=1)


@pytest.fixture(autouse=True)
def threads(stage: StagePlatform) -> StagePlatform:
    """A platform with short posts, on which threads are good manners."""
    stage.limit, stage.has_threads = 100, True
    return stage


@pytest.fixture
def opened(ana: Hands, heard: int) -> dict[str, Any]:
    """Ana's open modal."""
    ana.press(buttons.REPLY)
    return ana.opened()


def box_of(view: dict[str, Any]) -> dict[str, Any] | None:
    """Return the box to tick, where there is one."""
    return next((e for e in elements_of(view) if e["action_id"] == AS_THREAD), None)


def only(store: Store) -> Send:
    """Return the one row of the ledger."""
    (found,) = store.sends(1)
    return found


# The choice


def test_a_long_reply_is_offered_as_a_thread(ana: Hands, opened: dict[str, Any]):
    """By how much it is too long, and of how many parts a thread would be; nothing is ticked by itself."""
    ana.type_words(opened, LONG)
    drawn = ana.updated()
    over = len(LONG) - 100
    said = words_of(drawn)
    assert f"This is {over} characters too long for one post. It can go out as a thread of 3." in said
    assert NAME in said
    assert "Not yet" not in said
    assert "Part 1 of 3" not in said
    box = box_of(drawn)
    assert box is not None
    assert "initial_options" not in box


def test_no_thread_is_offered_where_there_is_none(ana: Hands, opened: dict[str, Any], threads: StagePlatform):
    """Not for what fits one post, not for what cannot be cut, not where the platform knows no threads."""
    ana.type_words(opened, OWN_WORDS)
    assert box_of(ana.updated()) is None
    ana.type_words(opened, "x" * 101, id="V2")
    assert box_of(ana.updated()) is None
    assert "Not yet: This is 1 character too long: 101 of 100." in words_of(ana.updated())
    threads.has_threads = False
    ana.type_words(opened, LONG, id="V3")
    assert box_of(ana.updated()) is None


def test_a_thread_whose_parts_the_platform_would_refuse_is_not_offered(
    ana: Hands, opened: dict[str, Any], threads: StagePlatform, monkeypatch: pytest.MonkeyPatch
):
    """Whatever a platform's file says, each part has to pass its own count."""

    def shape(_self: object, text: str, _mention: object) -> Shape:
        is_long = len(text) > 20
        parts = (LONG[:50], LONG[50:]) if text == LONG else ()
        return Shape(text, len(text), 20, problem="It is too long." if is_long else "", parts=parts)

    monkeypatch.setattr(StagePlatform, "shape", shape)
    ana.type_words(opened, LONG)
    assert box_of(ana.updated()) is None


def test_without_the_tick_it_is_refused_with_both_ways_out(ana: Hands, opened: dict[str, Any], store: Store):
    """One clear sentence; nothing is sent, and never as a thread by itself."""
    over = len(LONG) - 100
    answer = send(ana, opened, LONG)
    assert list(answer["errors"].values()) == [
        f"This is {over} characters too long for one post: shorten it, or tick “{NAME}”."
    ]
    assert not store.sends(1)


def test_ticking_shows_the_parts_as_they_will_stand(ana: Hands, opened: dict[str, Any]):
    """Numbered, each with its own count; the words and the tick stay, and the last line says what Send does."""
    drawn = ana.tick(opened, LONG)
    said = words_of(drawn)
    for number, part in enumerate(PARTS, start=1):
        assert f"*Part {number} of 3*\n{len(part)} of 100 characters\n{part}" in said
    assert "It goes out as a thread of 3." in said
    assert "It is posted from @acme as a thread of 3, 30 seconds after Send" in said
    box = box_of(drawn)
    assert box is not None
    assert box["initial_options"] == box["options"]
    ids = unpack_ids(drawn["private_metadata"])
    assert ids is not None
    assert ids.parts == name_parts(PARTS)
    kept = [block["block_id"] for block in drawn["blocks"] if block["type"] == "input"]
    assert kept == [block["block_id"] for block in opened["blocks"] if block["type"] == "input"]


def test_typing_on_keeps_the_tick_and_cuts_anew(ana: Hands, opened: dict[str, Any]):
    """The preview follows the words; once they fit one post there is no choice left."""
    ticked = ana.tick(opened, LONG)
    longer = f"{LONG} That is a promise, Sam."
    state = {"values": {"thread": {AS_THREAD: {"selected_options": [{"value": "yes"}]}}}}
    ana.type_words(ticked, longer, state=state, id="V2")
    assert "That is a promise, Sam." in words_of(ana.updated())
    assert "Part 4 of 4" in words_of(ana.updated())
    ana.type_words(ticked, OWN_WORDS, state=state, id="V3")
    assert box_of(ana.updated()) is None
    ids = unpack_ids(ana.updated()["private_metadata"])
    assert ids is not None
    assert ids.parts == ""


def test_taking_the_tick_away_takes_the_parts_away(ana: Hands, opened: dict[str, Any]):
    """And Send is refused again."""
    ticked = ana.tick(opened, LONG)
    drawn = ana.tick(ticked, LONG, as_thread=False, id="V2")
    assert "Part 1 of 3" not in words_of(drawn)
    assert send(ana, drawn, LONG)["response_action"] == "errors"


def test_a_gap_or_the_suggestions_words_are_refused_in_a_thread_too(
    ana: Hands, opened: dict[str, Any], store: Store, threads: StagePlatform
):
    """The rules hold for the whole text, whichever part it falls into."""
    answer = send(ana, ana.tick(opened, f"{LONG} [what you found]"), f"{LONG} [what you found]", as_thread=True)
    assert "Fill in [what you found] first" in str(answer["errors"])
    threads.limit = 20
    unchanged = "Hi, thank you for telling us what you found"
    answer = send(ana, ana.tick(opened, unchanged, id="V2"), unchanged, as_thread=True)
    assert "still the suggestion's words" in str(answer["errors"])
    assert not store.sends(1)


# Sending it


def test_what_was_shown_is_what_is_kept(ana: Hands, opened: dict[str, Any], store: Store):
    """The ledger has the whole text and exactly the parts of the preview."""
    assert send(ana, ana.tick(opened, LONG), LONG, as_thread=True) == {}
    sent = only(store)
    assert (sent.state, sent.text, sent.parts, sent.approved_by) == (SendState.APPROVED, LONG, PARTS, ANA)
    assert state_of(store) is State.SENDING


def test_parts_that_were_not_shown_are_shown_first(ana: Hands, opened: dict[str, Any], store: Store):
    """Send was quicker than the preview: the parts are shown, and only the next Send means them."""
    ticked = ana.tick(opened, LONG)
    changed = f"{LONG} See you!"
    answer = send(ana, ticked, changed, as_thread=True)
    assert answer["response_action"] == "update"
    assert not store.sends(1)
    said = words_of(answer["view"])
    assert CHANGED in said
    assert "See you!" in said
    block = next(block for block in answer["view"]["blocks"] if block["type"] == "input")
    assert block["element"]["initial_value"] == changed
    assert send(ana, {**answer["view"], "hash": "h2"}, changed, as_thread=True) == {}
    assert only(store).parts[-1].endswith("See you!")


def test_a_tick_without_its_preview_sends_nothing_yet(ana: Hands, opened: dict[str, Any], store: Store):
    """Slack did not draw the parts: nobody has seen them, so they are shown first."""
    assert send(ana, opened, LONG, as_thread=True)["response_action"] == "update"
    assert not store.sends(1)


def test_a_platform_that_cuts_otherwise_by_now_asks_again(
    ana: Hands, opened: dict[str, Any], store: Store, threads: StagePlatform
):
    """What would be posted is no longer what stood there."""
    ticked = ana.tick(opened, LONG)
    threads.limit = 60
    answer = send(ana, ticked, LONG, as_thread=True)
    assert CHANGED in words_of(answer["view"])
    assert not store.sends(1)


def test_who_writes_again_meanwhile_is_shown_with_the_tick_kept(
    ana: Hands, opened: dict[str, Any], store: Store, heard: int
):
    """The news comes first; the thread stands below it, and the next Send means both."""
    ticked = ana.tick(opened, LONG)
    hear(store, a_mention("2", "now it burned my hand", author=a_mention().author, thread_id="1"))
    answer = send(ana, ticked, LONG, as_thread=True)
    said = words_of(answer["view"])
    assert "They wrote again" in said
    assert CHANGED not in said
    assert "Part 3 of 3" in said
    assert send(ana, {**answer["view"], "hash": "h2"}, LONG, as_thread=True) == {}
    assert only(store).mention_id == 2


def test_a_text_that_fits_is_one_post_though_the_box_was_ticked(ana: Hands, opened: dict[str, Any], store: Store):
    """The box is gone from the modal by then; what was typed fits, and goes as it is."""
    assert send(ana, ana.tick(opened, LONG), OWN_WORDS, as_thread=True) == {}
    assert (only(store).text, only(store).parts) == (OWN_WORDS, ())


def test_a_thread_delivered_twice_is_approved_once(ana: Hands, opened: dict[str, Any], store: Store):
    """The same submission again is answered as the first time."""
    assert send(ana, ana.tick(opened, LONG), LONG, as_thread=True) == {}
    assert not ana.deliver(ana.sent[-1]).body
    assert len(store.sends(1)) == 1


def test_by_hand_each_part_is_a_block_to_paste(
    ana: Hands, opened: dict[str, Any], store: Store, threads: StagePlatform
):
    """Get it ready shows the parts apart, in their order; the card's button shows them again."""
    threads.answer = Capability("by_hand", "no programs.", "https://stage.example/posts/1", "@acme")
    answer = send(ana, ana.tick(opened, LONG), LONG, as_thread=True)
    blocks = [f"*Part {number} of 3*\n```{part}```" for number, part in enumerate(PARTS, start=1)]
    assert "\n".join(blocks) in words_of(answer["view"])
    assert "Sign in as *@acme*." in words_of(answer["view"])
    assert (only(store).state, only(store).parts) == (SendState.HANDED_OFF, PARTS)
    ana.press(buttons.POSTED)
    assert "\n".join(blocks) in words_of(ana.opened())
    assert ana.submit(ana.opened(), reply_url={modals.URL: {"value": None}}) == {}
    assert state_of(store) is State.ANSWERED


def test_a_part_that_is_found_while_others_never_left_does_not_answer(ana: Hands, opened: dict[str, Any], store: Store):
    """The modal says so before the person confirms; after it, Reply begins with what is left."""
    send(ana, ana.tick(opened, LONG), LONG, as_thread=True)
    assert store.begin_send(only(store).id, LATER) is not None
    store.finish_unknown(only(store).id, "The line broke.", LATER)
    ana.press(buttons.IS_THERE)
    modal = ana.opened()
    assert "The rest of the thread did not go out." in words_of(modal)
    assert "answered" not in modal["title"]["text"]
    assert ana.submit(modal, reply_url={modals.URL: {"value": None}}) == {}
    assert state_of(store) is State.CLAIMED
    ana.press(buttons.REPLY)
    assert start_of(ana.opened()) == "\n\n".join(PARTS[1:])


# Nothing typed is lost


def refuse_it(store: Store, *posted: Posted, by_hand_at: str | None = None) -> None:
    """Let the platform refuse the newest reply, after so many parts."""
    sent = store.sends(1)[-1]
    for each in posted:
        assert store.begin_send(sent.id, LATER) is not None
        store.finish_part(sent.id, each, LATER)
    assert store.begin_send(sent.id, LATER) is not None
    store.finish_refused(sent.id, "It is locked.", LATER, by_hand_at=by_hand_at)


def start_of(view: dict[str, Any]) -> str:
    """Return what the input begins with."""
    return str(next(e for e in elements_of(view) if e["action_id"] == REPLY_TEXT)["initial_value"])


def test_refused_words_stand_in_the_modal_again(ana: Hands, heard: int, store: Store):
    """Reply after a refusal begins with the words that were refused, and says so; they can be sent as they are."""
    write(ana, OWN_WORDS)
    refuse_it(store)
    ana.press(buttons.REPLY)
    view = {**ana.opened(), "id": "V2"}
    assert start_of(view) == OWN_WORDS
    assert "*Ana Lima's reply was not sent.* The words stand below." in words_of(view)
    assert send(ana, view, OWN_WORDS) == {}


def test_undone_words_stand_in_the_modal_again(ana: Hands, heard: int):
    """Undo is mostly for a slip: the words are there to be mended."""
    write(ana, OWN_WORDS)
    ana.press(buttons.UNDO)
    ana.press(buttons.REPLY)
    assert start_of(ana.opened()) == OWN_WORDS


def test_only_the_rest_of_a_thread_stands_there_again(ana: Hands, opened: dict[str, Any], store: Store):
    """What is public already is not offered a second time."""
    send(ana, ana.tick(opened, LONG), LONG, as_thread=True)
    refuse_it(store, Posted("1", "https://stage.example/replies/1"))
    ana.press(buttons.REPLY)
    assert start_of(ana.opened()) == "\n\n".join(PARTS[1:])
    assert "*The rest of Ana Lima's reply was not sent.*" in words_of(ana.opened())


def test_a_suggestion_goes_below_the_words_that_were_not_sent(ana: Hands, heard: int, store: Store):
    """They are a person's own; another suggestion after that takes the place of the first one only."""
    write(ana, OWN_WORDS)
    refuse_it(store)
    ana.press(buttons.REPLY)
    view, typed = ana.opened(), OWN_WORDS
    for number in (0, 1):
        start = next(e for e in elements_of(view) if e["action_id"] == f"reply_start_{number}")
        block = next(block["block_id"] for block in view["blocks"] if block["type"] == "input")
        state = {"values": {block: {REPLY_TEXT: {"value": typed}}}}
        whole = {"id": "V1", "hash": f"h{number}", **view, "state": state}
        container = {"type": "view", "view_id": "V1"}
        ana.press(start["action_id"], start["value"], view=whole, container=container, channel=None)
        view = ana.updated()
        typed = start_of(view)
        assert typed.startswith(f"{OWN_WORDS}\n\n")
        assert typed.count("[what you found]") == 1
        assert "was not sent" not in words_of(view)


def test_erased_words_are_not_offered(ana: Hands, heard: int, store: Store):
    """What was forgotten is not brought back as a beginning."""
    write(ana, OWN_WORDS)
    refuse_it(store)
    store.read().execute("update send set text = ?", (ERASED,))
    ana.press(buttons.REPLY)
    assert ERASED not in start_of(ana.opened())


# Where programs may not answer


@pytest.mark.parametrize("url", ["https://stage.example/write?answers=1", ""])
def test_after_a_refusal_by_the_rules_the_way_is_by_hand(ana: Hands, heard: int, store: Store, desk: Desk, url: str):
    """From then on the card and the modal say by hand, at the address told, and nothing typed is lost."""
    write(ana, OWN_WORDS)
    refuse_it(store, by_hand_at=url)
    view = store.card_view(1)
    assert view is not None
    capability = desk.capability(view)
    assert (capability.route, capability.account) == ("by_hand", "@acme")
    assert capability.url == (url or view.mention.url)
    ana.press(buttons.REPLY)
    modal = {**ana.opened(), "id": "V2"}
    assert start_of(modal) == OWN_WORDS
    assert modal["submit"]["text"] == "Get it ready"
    assert "Answered by hand, signed in as @acme: programs may not answer this post." in words_of(modal)
    answer = send(ana, modal, OWN_WORDS)
    assert "```" + OWN_WORDS + "```" in words_of(answer["view"])
    opener = next(e for e in elements_of(answer["view"]) if e["action_id"] == buttons.OPEN_POST)
    assert opener["url"] == capability.url
    decisions.deny_by_hand(store, 1, ANA, LATER)
    again = store.card_view(1)
    assert again is not None
    assert desk.capability(again).route == "by_hand"


def test_another_post_of_the_same_author_is_not_closed(ana: Hands, heard: int, store: Store, desk: Desk):
    """The rule was told of one post; the next one, which may summon us, can be answered."""
    write(ana, OWN_WORDS)
    refuse_it(store, by_hand_at="")
    hear(store, a_mention("2", "@acme please answer", author=a_mention().author, thread_id="1"))
    view = store.card_view(1)
    assert view is not None
    assert view.mention.native_id == "2"
    assert desk.capability(view).route == "api"


# Words filled in


TEMPLATE = "https://stage.example/write?answers=1&text={text}"


@given(st.text(st.characters(codec="utf-8"), max_size=300))
@example("50% off & more? {text} #1 + “ü” \n/../'\"<>|\\^`{}")
def test_a_text_that_is_filled_in_is_nothing_but_text(text: str):
    """It comes out of the address exactly as it went in, and changes nothing else of it."""
    address = modals.fill_in(TEMPLATE, text)
    if not address:
        assert len(TEMPLATE) + 3 * len(text.encode()) > 2900
        return
    assert safe_url(address) == address
    parts = urlsplit(address)
    assert (parts.scheme, parts.netloc, parts.path, parts.fragment) == ("https", "stage.example", "/write", "")
    assert parse_qs(parts.query, keep_blank_values=True, strict_parsing=True) == {"answers": ["1"], "text": [text]}


@pytest.mark.parametrize(
    "template",
    ["", "https://stage.example/write", "javascript:alert('{text}')", "data:text/html,{text}", "//x/{text}", "{text}"],
)
def test_only_a_web_address_is_filled_in(template: str):
    """Nothing else opens, whatever a platform's file says; without a place for the text there is no such button."""
    assert modals.fill_in(template, "https://evil.example/") == ""


def test_by_hand_opens_the_platform_with_the_words_filled_in(ana: Hands, heard: int, threads: StagePlatform):
    """The button carries the words; where they are too long for a button it is left out, and they are pasted."""
    threads.answer = Capability("by_hand", "no programs.", "https://stage.example/posts/1", prefill=TEMPLATE)
    answer = write(ana, OWN_WORDS)
    opener = next(e for e in elements_of(answer["view"]) if e["action_id"] == modals.FILLED_IN)
    assert parse_qs(urlsplit(opener["url"]).query)["text"] == [OWN_WORDS]
    assert "with your words filled in, and post them" in words_of(answer["view"])
    long = modals.draw_posted(a_view(State.SENDING), threads.answer, ["ü" * 600])
    assert not [e for e in elements_of(long) if e["action_id"] == modals.FILLED_IN]
    assert "Copy your words" in words_of(long)
    thread = modals.draw_posted(a_view(State.SENDING), threads.answer, PARTS)
    opener = next(e for e in elements_of(thread) if e["action_id"] == modals.FILLED_IN)
    assert parse_qs(urlsplit(opener["url"]).query)["text"] == [PARTS[0]]
