"""Modals, Home and the digest: what they show, that they fit, and that every button drawn anywhere is served."""

# ruff: noqa: ANN001, ANN401 - tests build payloads of any shape, and fixtures are asked for what they set up

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from drawn import (
    API,
    BY_HAND,
    EVERY_CAPABILITY,
    FILLED_IN,
    HOSTILE,
    OUR_DATES,
    OUR_LINKS,
    a_send,
    a_view,
    assert_fit_for_slack,
    every_view,
)
from fake_slack import action_ids, elements_of, texts_of, words_of
from hypothesis import given, settings
from hypothesis import strategies as st
from seeds import NOW, a_mention
from slack_sdk.models.views import View

from bot.conversation import Actor, State
from bot.digest import Digest, DigestLine
from bot.drafting import BY_MODEL
from bot.ledger import SendState
from bot.records import CardView, FeedState
from bot.slack.card import draw_card
from bot.slack.digest import draw_digest
from bot.slack.handlers import ACTIONS, VIEWS
from bot.slack.home import HomeView, draw_home
from bot.slack.modals import (
    draw_assign,
    draw_found,
    draw_hand_over,
    draw_notice,
    draw_posted,
    draw_quiet,
)
from bot.slack.reply_modal import (
    Ids,
    Writing,
    draw_reply_modal,
    name_way,
    pack_ids,
    pages,
    read_text,
    shown_start,
    unpack_ids,
)
from bot.slack.snooze import SNOOZE_LABELS, snooze_until
from listeners.contract import Shape
from nlp.assessment import Draft
from nlp.draft import Drafts
from nlp.playbook import HandTo

DRAFTS = Drafts((Draft("Hi. [what you found]", "answer", "a"), Draft("Hi. Which order? [name]", "ask", "b")))
NO_WORDS = Drafts(reason="The playbook has no words for it.")


def a_writing(view: CardView | None = None, **fields: Any) -> Writing:
    """Return a modal that was just opened."""
    values: dict[str, Any] = {
        "view": view or a_view(State.CLAIMED),
        "capability": API,
        "drafts": DRAFTS,
        "chosen": 0,
        "text": DRAFTS[0].text,
        "shape": Shape(DRAFTS[0].text, 20, 280),
    }
    return Writing(**{**values, **fields})


def a_home(views: list[CardView], **fields: Any) -> HomeView:
    """Return a Home."""
    return HomeView(
        mine=views, queue=views, quiet_count=3, feeds=fields.pop("feeds", ()), card_url=card_url, now=NOW, **fields
    )


def card_url(channel: str, ts: str) -> str:
    """Return where a card stands."""
    return f"https://team.slack.com/archives/{channel}/p{ts}" if ts else ""


def assert_view_is_fit(view: dict[str, Any]) -> None:
    """Hold every limit of a view, and that no foreign text in it is live."""
    View(**json.loads(json.dumps(view))).to_dict()
    assert len(json.dumps(view)) < 250_000
    assert len(view.get("private_metadata", "")) <= 3000
    assert HOSTILE[:9] not in view.get("private_metadata", "")
    for text in texts_of(view):
        assert "<" not in OUR_LINKS.sub("", OUR_DATES.sub("", text))
        assert 0 < len(text) <= 3000


def every_screen(view: CardView) -> list[dict[str, Any]]:
    """Return every view that can be drawn of a conversation."""
    writings = [a_writing(view, capability=capability) for capability in EVERY_CAPABILITY]
    writings += [a_writing(view, drafts=NO_WORDS, chosen=None, text="", has_news=True, earlier=[view.mention] * 9)]
    hostile = Draft(f"{HOSTILE} [x]", HOSTILE, f"{HOSTILE} " * 99)
    drafts = Drafts((hostile, *DRAFTS, hostile, hostile), notes=(HOSTILE * 99,) * 9)
    hand_to = HandTo(HOSTILE * 9, note=view.mention.text)
    writings += [a_writing(view, drafts=drafts, hand_to=hand_to, has_new_way=True, suggestion=10**9)]
    writings += [a_writing(view, drafts=Drafts(reason=HOSTILE * 99), hand_to=hand_to, chosen=None, text="")]
    parts = (view.mention.text or "x", *["y" * 280] * 9)
    writings += [
        a_writing(view, **a_thread(parts[:3])),
        a_writing(view, capability=BY_HAND, as_thread=True, **a_thread(parts)),
    ]
    return [
        *[draw_reply_modal(writing) for writing in writings],
        draw_assign(12),
        draw_hand_over(12),
        draw_hand_over(12, HandTo("<@U1>", note=view.mention.text)),
        draw_posted(view, BY_HAND, [view.mention.text or "x"]),
        draw_posted(view, FILLED_IN, [view.mention.text or "x"]),
        draw_posted(view, FILLED_IN, parts),
        draw_found(view),
        draw_notice(view.mention.text or "x"),
        draw_quiet([view] * 15, has_more=True),
        draw_quiet([]),
        draw_home(a_home([view] * 12, last_digest="2026-03-02", last_digest_url="https://team.slack.com/x")),
        draw_home(a_home([], feeds=[feed(view.mention.text)] * 20)),
    ]


def a_thread(parts: Sequence[str]) -> dict[str, Any]:
    """Return what a modal knows of a reply that is cut into these parts."""
    shape = Shape("\n\n".join(parts), 2802, 280, problem="It is too long.", parts=tuple(parts))
    counted = [Shape(part, len(part), 280) for part in parts]
    unsent = a_send(SendState.REFUSED, approved_by=Actor("U1", HOSTILE))
    return {"shape": shape, "counted": counted, "has_new_parts": True, "unsent": unsent}


def feed(problem: str = "", *, is_deaf: bool = True) -> FeedState:
    """Return a feed."""
    return FeedState("hn", "hackernews", None, NOW, NOW if is_deaf else None, problem, 5)


def test_every_button_drawn_is_served_and_every_handler_has_a_button():
    """No button leads nowhere, and no handler waits for a button that no longer exists."""
    drawn: set[str] = set()
    for view in every_view():
        for capability in EVERY_CAPABILITY:
            drawn.update(action_ids(draw_card(view, capability, NOW).blocks))
        for screen in every_screen(view):
            silent = {
                b["element"]["action_id"]
                for b in screen["blocks"]
                if b["type"] == "input" and not b.get("dispatch_action")
            }
            drawn.update(set(action_ids(screen)) - silent)
    three = a_writing(drafts=Drafts((*DRAFTS, Draft("x [y]", "private", "c"))))
    placed = replace(a_view(), channel="C1", message_ts="1.2")
    drawn.update(action_ids(draw_reply_modal(three)), action_ids(draw_home(a_home([placed]))))
    assert drawn == set(ACTIONS)


def test_every_modal_that_can_be_submitted_is_served():
    """What a modal is called is what its handler is registered for."""
    screens = every_screen(a_view())
    assert {screen["callback_id"] for screen in screens if "submit" in screen} == set(VIEWS)


def test_every_screen_is_fit_for_slack():
    """In every state, even when all that is foreign is hostile or very long."""
    mention = a_mention(text=HOSTILE * 300, title=HOSTILE, parent_text=HOSTILE * 40, url=HOSTILE)
    handed_off = a_send(SendState.HANDED_OFF)
    hostile = [a_view(State.CLAIMED, mention), a_view(State.SENDING, mention, send=handed_off)]
    for view in [*every_view(), *hostile]:
        for screen in every_screen(view):
            assert_view_is_fit(screen)


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(codec=None), max_size=4000) | st.text(st.sampled_from("<>&!`\n\u0301"), max_size=9000))
def test_no_post_can_act_on_a_screen(text: str):
    """Whatever is written: nothing in a modal or Home is live but what we built."""
    view = a_view(State.CLAIMED, mention=a_mention(text=text, title=text, parent_text=text, url=text))
    for screen in every_screen(view):
        assert_view_is_fit(screen)


def test_the_reply_modal_shows_the_post_the_reasons_and_the_suggestion_with_its_gap():
    """All that is needed to answer stands above the input."""
    drawn = draw_reply_modal(a_writing(earlier=[a_mention("0", "it leaked before")]))
    said = words_of(drawn)
    for words in ("my kettle leaks", "it leaked before", "says that it leaks", "Characters: 20 of 280", "from @acme"):
        assert words in said
    element = next(e for e in elements_of(drawn) if e["type"] == "plain_text_input")
    assert element["initial_value"] == "Hi. [what you found]"
    assert element["dispatch_action_config"] == {"trigger_actions_on": ["on_character_entered"]}
    assert drawn["submit"]["text"] == "Send"


def test_where_nothing_is_suggested_the_reason_is_said():
    """One sentence instead of the buttons, an empty box, and who else could take it."""
    hand_to = HandTo("Press office", note="they answer reporters")
    drawn = draw_reply_modal(a_writing(drafts=NO_WORDS, chosen=None, text="", hand_to=hand_to))
    said = words_of(drawn)
    assert "*No suggestion:*\nThe playbook has no words for it. The words are yours." in said
    assert "*Perhaps for:*\nPress office: they answer reporters" in said
    assert not [name for name in action_ids(drawn) if name.startswith("reply_start_")]
    assert "initial_value" not in next(e for e in elements_of(drawn) if e["type"] == "plain_text_input")


def test_each_suggestion_is_a_button_with_its_sources():
    """What it tries, and of what it is made; the one in the box is marked; a model's says whose it is."""
    drafts = Drafts((*DRAFTS, Draft("Hm. [x]", BY_MODEL, "the drafter (m)")), notes=("Be brief.",))
    drawn = draw_reply_modal(a_writing(drafts=drafts, chosen=1))
    buttons = [e for e in elements_of(drawn) if str(e.get("action_id")).startswith("reply_start_")]
    assert [(e["text"]["text"], e.get("style")) for e in buttons] == [
        ("Answer", None),
        ("Ask first", "primary"),
        ("Written by a model", None),
        ("Blank page", None),
    ]
    said = words_of(drawn)
    assert "*Sources:*\nAnswer: a · Ask first: b · Written by a model: the drafter (m)" in said
    assert "*Note:*\nBe brief." in said


def test_what_is_wrong_is_said_while_typing():
    """The person sees what stands in the way before pressing Send."""
    drawn = draw_reply_modal(
        a_writing(shape=Shape("x", 300, 280), problem="This is 20 characters too long: 300 of 280.")
    )
    assert "Characters: 300 of 280 · too long\nNot yet: This is 20" in words_of(drawn)


def test_private_metadata_carries_ids_only():
    """What comes back from Slack is looked up; there is nothing in it to trust."""
    assert unpack_ids(pack_ids(Ids(12, 7, 0, has_news=True))) == Ids(12, 7, 0, has_news=True)
    ids = Ids(12, 7, 0, parts="ab", suggestion=3, way="cd")
    assert unpack_ids(pack_ids(ids)) == ids
    packed = json.loads(draw_reply_modal(a_writing(suggestion=3))["private_metadata"])
    assert packed == {"c": 12, "m": 7, "d": 0, "n": 0, "s": 3, "w": name_way(a_view(State.CLAIMED), API)}


@pytest.mark.parametrize(
    "metadata",
    [
        "",
        "null",
        "[]",
        "12",
        '{"c":"x","m":1}',
        '{"m":1}',
        '{"c":1e999,"m":1}',
        '{"c":1,"m":1,"s":1e30}',
        '{"c":1,"m":1,"s":[1]}',
    ],
)
def test_foreign_metadata_is_nothing(metadata: str):
    """Whatever else stands there names no conversation."""
    assert unpack_ids(metadata) is None


def test_what_was_entered_is_read_from_the_shown_block():
    """The words are found under the block that was drawn, and under an older one's name too."""
    view = {"state": {"values": {"text_1": {"reply_text": {"value": "mine"}}}}}
    assert read_text(view, 1) == "mine"
    assert read_text(view, None) == "mine"
    assert read_text({}, 1) == ""
    assert shown_start(draw_reply_modal(a_writing())) == "Hi. [what you found]"


@given(st.text(st.characters(codec="utf-8"), max_size=9000))
def test_a_long_post_is_shown_in_pages(text: str):
    """Nothing is lost between two pages, and each fits a block."""
    assert all(0 < len(page) <= 2850 for page in pages(text))


def test_words_to_post_by_hand_stand_in_a_code_block():
    """They can be copied as they are; a text with its own backticks is shown plain instead."""
    view = a_view(State.SENDING, send=a_send(SendState.HANDED_OFF))
    assert "```I <3 you```".replace("<", "&lt;") in words_of(draw_posted(view, BY_HAND, ["I <3 you"]))
    assert "````" not in words_of(draw_posted(view, BY_HAND, ["see ```x```"]))


def test_home_never_gives_a_clean_bill_over_a_deaf_feed():
    """Nothing waits, but that is not said as good news."""
    said = words_of(draw_home(a_home([], feeds=[feed("HTTP 500")])))
    assert "not every feed is heard" in said
    assert "*deaf since" in said
    assert "Nothing waits for an answer." not in said
    assert "Nothing waits for an answer." in words_of(draw_home(a_home([], feeds=[feed(is_deaf=False)])))


def a_digest(lines: int = 20, **fields: Any) -> Digest:
    """Return a digest."""
    line = DigestLine(
        12, HOSTILE, HOSTILE, HOSTILE, "3 h", HOSTILE, is_urgent=True, note=HOSTILE, url="https://a.example/1"
    )
    values: dict[str, Any] = {
        "headline": "20 conversations wait for an answer.",
        "lines": (line,) * lines,
        "more": 5,
        "answered": "3 conversations were answered.",
        "quiet": "2 kept quiet.",
        "dismissed": "1 dismissed.",
        "warnings": (f"hn was never heard: {HOSTILE}",) * 12,
        "period": "From then to now.",
    }
    return Digest(**{**values, **fields})


def test_the_digest_fits_and_counts_what_does_not():
    """Lines that no longer fit are told as a number; no name in it pings."""
    message = draw_digest(a_digest(), card_url)
    assert_fit_for_slack(message)
    shown = sum("3 h old" in text for text in texts_of(message.blocks))
    assert f"+{25 - shown} more" in words_of(message.blocks)
    assert shown > 0


def test_the_digest_says_its_headline_and_links_card_and_post():
    """What waits comes with who has it, how long, and two ways to it."""
    line = DigestLine(
        12,
        "my kettle leaks",
        "sam",
        "X",
        "3 h",
        "Ana",
        is_urgent=False,
        url="https://a.example/1",
        channel="C1",
        message_ts="5",
    )
    said = words_of(draw_digest(replace(a_digest(0, warnings=(), more=0), lines=(line,)), card_url).blocks)
    assert "20 conversations wait for an answer." in said
    assert (
        "*<https://team.slack.com/archives/C1/p5|#12>* · X · 3 h old · Ana has it · <https://a.example/1|post>" in said
    )
    assert "@sam: “my kettle leaks”" in said


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        ("1h", NOW + timedelta(hours=1)),
        ("4h", NOW + timedelta(hours=4)),
        ("tomorrow", NOW.replace(day=3, hour=8)),
        ("monday", NOW.replace(day=9, hour=8)),
        ("never", None),
    ],
)
def test_a_snooze_ends_when_the_label_says(choice: str, wanted):
    """Hours count from now; a day begins in the team's own morning (2 March 2026 is a Monday)."""
    assert snooze_until(choice, NOW, BERLIN, time(9)) == wanted


def test_tomorrow_survives_the_clock_change():
    """The night the clocks go forward is shorter, the morning is at the same hour."""
    saturday = NOW.replace(day=28, hour=12)
    assert snooze_until("tomorrow", saturday, BERLIN, time(9)) == NOW.replace(day=29, hour=7)


def test_every_snooze_on_the_menu_lies_ahead():
    """No choice is in the past, at any hour of the week."""
    for hour in range(24 * 7):
        now = NOW + timedelta(hours=hour)
        for choice in SNOOZE_LABELS:
            until = snooze_until(choice, now, BERLIN, time(9))
            assert until is not None
            assert until > now


def test_by_hand_gets_the_words_ready_instead_of_sending():
    """The button says what it does."""
    assert draw_reply_modal(a_writing(capability=BY_HAND))["submit"]["text"] == "Get it ready"
