"""Prompts as people get them: the real bot and the rehearsal workspace; what is offered, and what stays theirs."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from bot.config import CardSettings, DrafterSettings
from bot.slack import buttons
from bot.slack.advice import STARTS
from bot.slack.reply_modal import REPLY_TEXT
from tests.end_to_end import loop as loops
from tests.end_to_end.loop import ANA, CHANNEL, CHARGED, Loop, playing, post
from tests.end_to_end.test_loop import claim_and_open, submit, suggestion_in
from tests.nlp.fake_endpoint import FakeEndpoint

BY_A_MODEL = "I can see that this is about a charge. [what you found out]"
OUTAGE = [
    "@kettleandfern your app is down and I can't start my kettle, can you please fix it?",
    "is the @kettleandfern app broken for everyone or just me? login spins and then nothing",
    "my kettle shows offline since this morning. Kettle & Fern, what is going on??",
    "Third time this month that Kettle & Fern's servers are out. I paid for the smart one, why doesn't it work",
    "@kettleandfern cannot log in, it says error 503. I have guests in an hour, help please",
    "kettle & fern app refuses to connect, tried two phones and reinstalling. Any idea?",
    "No connection to the kettle all day and no word from Kettle & Fern. When will it be back?",
    "@kettleandfern your service is down again and my schedule was skipped. How do I get it back?",
    "Why can't I reach my own kettle, kettle & fern? 'server unavailable' is not an answer",
    "@kettleandfern the app logs me out every minute today, how can I stay signed in? Please help",
    "@kettleandfern app crashes on opening after today's outage. Please tell me how to get back in",
    "Kettle & Fern: the temperature slider does nothing, device offline says the app. Is this known?",
    "anyone at @kettleandfern awake? my morning tea depends on your cloud and your cloud is gone",
    "@kettleandfern I get 'could not reach your kettle' over and over, what can I do? Please answer",
    "kettle and fern, my office has nine of your kettles and all are offline since 7. Who do I call?",
    "So the app of Kettle & Fern is out and I can't turn OFF keep-warm. How do I stop it by hand?",
    "@kettleandfern still down here in Leeds, nothing on your status page. Can you say something?",
    "@kettleandfern my mother can't use her kettle, the app won't open on her tablet. Can you help her?",
    "@kettleandfern offline for four hours now. When does it work again, and why does nobody answer?",
    "why does @kettleandfern need a server to boil water? It's down and I am stuck, please help me pair it again",
    "@kettleandfern is there an outage? Nothing I press in the app reaches the kettle, what should I do?",
    "@kettleandfern the app can't find my kettle since the update last night. How do I get it to connect?",
    "@kettleandfern can someone tell me why my kettle says 'cloud error 12'? It won't even heat by hand now",
    "@kettleandfern is the cloud gone for good? My routine did not run and I can't reach the kettle, what now?",
    "@kettleandfern who can help me today? App, web page and voice all say that my kettle is not there",
]


def box_of(view: dict[str, Any]) -> str:
    """Return the name of the box in which one writes."""
    return next(b["block_id"] for b in view["blocks"] if b.get("element", {}).get("action_id") == REPLY_TEXT)


def open_reply(loop: Loop, number: int, person: str = ANA) -> dict[str, Any]:
    """Press Reply on a card, and return the modal; a slow machine's first press may come to nothing."""
    view = loop.rehearsal.wait_for(
        lambda: found if (found := loop.cuecard.store.card_view(number)) and found.message_ts else None, 20
    )
    before = {shown["id"] for shown in loop.rehearsal.views(person)}

    def newest() -> dict[str, Any] | None:
        return next((shown for shown in loop.rehearsal.views(person) if shown["id"] not in before), None)

    for _ in range(3):
        loop.rehearsal.press(person, CHANNEL, view.message_ts, buttons.REPLY)
        with contextlib.suppress(TimeoutError):
            return loop.rehearsal.wait_for(newest, 6)
    raise TimeoutError("the modal did not open")


def test_twenty_people_in_one_outage_get_twenty_different_drafts(tmp_path: Path):
    """Nobody is offered a text that another was offered; who asks again gets the same; and nothing leaves by itself."""
    posts = [post(number, text) for number, text in enumerate(OUTAGE, start=1)]
    with playing(tmp_path, posts, cards=CardSettings(per_day=500, post_interval_seconds=0)) as loop:
        store = loop.cuecard.store
        queue = loop.rehearsal.wait_for(lambda: found if len(found := store.queue(20)) == 20 else None, 30)
        numbers = [view.conversation.id for view in queue]
        begun = {number: suggestion_in(open_reply(loop, number)) for number in numbers}
        offered = [text for number in numbers for text in store.suggested_texts(number)]
        assert all("[" in text for text in offered)
        assert len(set(offered)) == len(offered) >= 2 * len(begun)
        assert all(suggestion_in(open_reply(loop, number)) == text for number, text in begun.items())
        assert loop.rehearsal.replies_on_stage() == []
        assert loop.rehearsal.complaints == []


def test_another_suggestion_is_a_press_away_and_names_its_sources(tmp_path: Path):
    """Each has a button and a line with the playbook's entries; none of them can be sent as it is."""
    with playing(tmp_path, [post(1, CHARGED)]) as loop:
        _, view = claim_and_open(loop, "charged my card")
        first, said = suggestion_in(view), json.dumps(view)
        assert re.search(r"Answer: .*(opener|fact|gap)", said)
        loop.rehearsal.act(ANA, view["id"], STARTS[1])
        shown = loop.rehearsal.wait_for(
            lambda: next((v for v in loop.rehearsal.views(ANA) if suggestion_in(v) != first), None)
        )
        assert "[" in suggestion_in(shown)
        for start in (first, suggestion_in(shown)):
            assert submit(loop, ANA, shown, start.replace("[", "").replace("]", ""))
        assert loop.cuecard.store.sends(1) == []


def test_a_broken_playbook_is_told_once_and_the_old_one_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The operator's channel names the line; the person who presses Reply sees nothing of it."""
    path = tmp_path / "playbook.toml"
    good = "[[opener]]\ntext = 'I read this twice.'\n"
    path.write_text(good, encoding="utf-8")
    monkeypatch.setattr(loops, "PLAYBOOK", path)
    with playing(tmp_path, [post(1, CHARGED), post(2, OUTAGE[4])]) as loop:
        loop.card("charged my card")
        path.write_text(f"{good}[[opener]]\ntext = 'Hm.'\ntone = 'loud'\n", encoding="utf-8")
        assert suggestion_in(open_reply(loop, 1)).startswith("I read this twice.")
        (told,) = loop.rehearsal.wait_for(lambda: notices(loop))
        assert "playbook.toml, line 5" in told
        assert "Until then the playbook is used as it was." in told
        open_reply(loop, 1)
        path.write_text("[[opener]]\ntext = 'Mended.'\n", encoding="utf-8")
        assert suggestion_in(open_reply(loop, 1)).startswith("Mended.")
        assert len(notices(loop)) == 1


def notices(loop: Loop) -> list[str]:
    """Return what the operator was told of the playbook."""
    return [m["text"] for m in loop.rehearsal.messages("#cuecard-ops") if "playbook" in m["text"]]


def drafter(endpoint: FakeEndpoint) -> DrafterSettings:
    """Return the settings of a model that may see these posts."""
    return DrafterSettings(url=endpoint.url, model="m", platforms=("x", "replay"), timeout_seconds=5)


def test_a_model_s_draft_is_offered_in_the_open_modal(tmp_path: Path):
    """It comes after the modal, as one more button; the box is as it was; pressed, it stands there with its gap."""
    with FakeEndpoint() as endpoint:
        endpoint.say(BY_A_MODEL)
        with playing(tmp_path, [post(1, CHARGED)], drafter=drafter(endpoint)) as loop:
            _, view = claim_and_open(loop, "charged my card")
            start = suggestion_in(view)
            shown = loop.rehearsal.wait_for(
                lambda: next((v for v in loop.rehearsal.views(ANA) if "Written by a model" in json.dumps(v)), None)
            )
            assert (suggestion_in(shown), box_of(shown)) == (start, box_of(view))
            buttons_shown = [e for b in shown["blocks"] for e in b.get("elements", ()) if e.get("action_id") in STARTS]
            number = next(e["value"] for e in buttons_shown if "model" in e["text"]["text"])
            loop.rehearsal.act(ANA, view["id"], STARTS[int(number)])
            loop.rehearsal.wait_for(
                lambda: any("about a charge. [what you found" in suggestion_in(v) for v in loop.rehearsal.views(ANA))
            )
            assert loop.rehearsal.replies_on_stage() == []


def test_who_has_begun_to_type_is_not_disturbed_by_a_model(tmp_path: Path):
    """The modal opens while the model still thinks; after the first keystroke its draft waits for the next time."""
    may_answer = threading.Event()

    def answer_late(connection: socket.socket) -> None:
        may_answer.wait(20)
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(endpoint.body)}\r\n\r\n"
        connection.sendall(head.encode() + endpoint.body)

    with FakeEndpoint() as endpoint:
        endpoint.say(BY_A_MODEL)
        endpoint.raw = answer_late
        with playing(tmp_path, [post(1, CHARGED)], drafter=drafter(endpoint)) as loop:
            _, view = claim_and_open(loop, "charged my card")
            loop.rehearsal.act(ANA, view["id"], REPLY_TEXT, value="My own words")
            loop.rehearsal.wait_for(lambda: "12 of 280" in json.dumps(loop.rehearsal.views(ANA)))
            may_answer.set()
            loop.rehearsal.wait_for(lambda: BY_A_MODEL in loop.cuecard.store.suggested_texts(1))
            drafter_is_done(loop)
            assert "Written by a model" not in json.dumps(loop.rehearsal.views(ANA))
            assert "Written by a model" in json.dumps(open_reply(loop, 1))
            assert loop.rehearsal.complaints == []


def drafter_is_done(loop: Loop) -> None:
    """Wait until the drafter has shown what it wrote, or was kept from it."""
    late = loop.cuecard.desk.late_drafts
    assert late is not None
    loop.rehearsal.wait_for(lambda: late._waiting == 0)
