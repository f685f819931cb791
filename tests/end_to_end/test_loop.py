"""The whole loop without a browser: posts played in, cards, decisions, replies on the stage, the digest."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from bot.app import Cuecard
from bot.config import ReplySettings, Secrets
from bot.demo.limits import Rules
from bot.demo.rehearsal import Rehearsal
from bot.records import JobKind
from bot.slack import buttons
from bot.slack.reply_modal import REPLY_TEXT
from tests.end_to_end.loop import (
    ANA,
    ASKED,
    BEN,
    BURNED,
    CHANNEL,
    CHARGED,
    CHATTER,
    Loop,
    playing,
    post,
    settings_for,
    write_posts,
)

ANSWER = "So sorry about that. I found the second charge and sent it back just now; it should show within two days. Ana"


def claim_and_open(loop: Loop, words: str, person: str = ANA) -> tuple[str, dict]:
    """Claim a card and open its reply modal; return the card's ts and the view."""
    ts = loop.card(words)["ts"]
    loop.rehearsal.press(person, CHANNEL, ts, buttons.CLAIM)
    loop.shows(ts, "Claimed by " + person)
    loop.rehearsal.press(person, CHANNEL, ts, buttons.REPLY)
    return ts, loop.rehearsal.wait_for(lambda: loop.rehearsal.views(person))[-1]


def submit(loop: Loop, person: str, view: dict, text: str) -> dict:
    """Submit the reply modal with these words; return the errors that came back."""
    block = next(b["block_id"] for b in view["blocks"] if b.get("element", {}).get("action_id") == REPLY_TEXT)
    return loop.rehearsal.submit(person, view["id"], {block: {REPLY_TEXT: {"value": text}}}).errors


def suggestion_in(view: dict) -> str:
    """Return the words that the modal starts with."""
    return next(
        b["element"].get("initial_value", "")
        for b in view["blocks"]
        if b.get("element", {}).get("action_id") == REPLY_TEXT
    )


def test_loop_from_post_to_answer(tmp_path: Path):
    """A person claims, is refused the raw suggestion, writes, sends, and the reply is on the stage once."""
    with playing(tmp_path, [post(1, CHARGED), post(2, ASKED), post(3, CHATTER)]) as loop:
        ts, view = claim_and_open(loop, "charged my card twice")
        suggestion = suggestion_in(view)
        assert "[" in suggestion
        assert "Fill in [" in json.dumps(submit(loop, ANA, view, suggestion))
        assert submit(loop, ANA, view, "x" * 281)
        assert submit(loop, ANA, view, ANSWER) == {}
        assert loop.rehearsal.replies_on_stage() == []
        loop.shows(ts, "Answered by Ana Lima")
        (reply,) = loop.rehearsal.replies_on_stage()
        assert reply["text"] == ANSWER
        assert not any("rainy window" in json.dumps(card) for card in loop.cards())
        assert loop.rehearsal.complaints == []


def test_loop_claim_of_another_is_refused(tmp_path: Path):
    """Of two people who press Claim, the second is told who has it, and cannot reply."""
    with playing(tmp_path, [post(1, CHARGED)]) as loop:
        ts = loop.card("charged my card")["ts"]
        loop.rehearsal.press(ANA, CHANNEL, ts, buttons.CLAIM)
        loop.shows(ts, "Claimed by Ana Lima")
        loop.rehearsal.command(BEN, CHANNEL, "/claim", "1")
        loop.told(BEN, "Ana Lima")
        assert loop.cuecard.store.conversation(1).owner.name == ANA


def test_loop_undo_within_the_hold_sends_nothing(tmp_path: Path):
    """Undo takes the reply back; nothing reaches the platform, also not later."""
    with playing(tmp_path, [post(1, CHARGED)], reply=ReplySettings(hold_seconds=30)) as loop:
        ts, view = claim_and_open(loop, "charged my card")
        assert submit(loop, ANA, view, ANSWER) == {}
        loop.shows(ts, "Undo")
        loop.rehearsal.press(BEN, CHANNEL, ts, buttons.UNDO)
        loop.shows(ts, "Claimed by Ana Lima")
        loop.cuecard.sender.send_due()
        assert loop.rehearsal.replies_on_stage() == []


def test_loop_an_unknown_outcome_is_never_repeated(tmp_path: Path):
    """The stage keeps the reply but loses the answer: one post, and a person is asked to look."""
    with playing(tmp_path, [post(1, CHARGED)]) as loop:
        ts, view = claim_and_open(loop, "charged my card")
        loop.rehearsal.misbehave_on_stage("drop_after")
        assert submit(loop, ANA, view, ANSWER) == {}
        loop.shows(ts, "not known")
        loop.cuecard.sender.send_due()
        assert len(loop.rehearsal.replies_on_stage()) == 1
        loop.rehearsal.press(ANA, CHANNEL, ts, buttons.IS_THERE)
        loop.rehearsal.wait_for(
            lambda: loop.cuecard.store.conversation(1).state == "answered" or loop.rehearsal.views(ANA)
        )


def test_loop_a_thread_note_stays_inside(tmp_path: Path):
    """What the team writes in a card's thread reaches nobody outside."""
    with playing(tmp_path, [post(1, CHARGED)]) as loop:
        ts = loop.card("charged my card")["ts"]
        loop.rehearsal.press(ANA, CHANNEL, ts, buttons.CLAIM)
        loop.rehearsal.say(ANA, CHANNEL, ANSWER, thread_ts=ts)
        loop.shows(ts, "Claimed by Ana Lima")
        loop.cuecard.sender.send_due()
        assert loop.rehearsal.replies_on_stage() == []
        assert loop.cuecard.store.sends(1) == []


def test_loop_a_storm_makes_one_card(tmp_path: Path):
    """Two hundred copies of one post are one card that counts them."""
    text = "kettleandfern checkout is down again, cannot pay for my order, error 503 on every page since this morning"
    rows = [post(n, text if n % 3 else f"RT @person0: {text}", handle=f"someone{n}") for n in range(1, 201)]
    with playing(tmp_path, rows) as loop:
        ts = loop.card("checkout is down")["ts"]
        loop.shows(ts, "199")
        assert len(loop.cards()) == 1


def test_loop_hostile_text_acts_on_nobody(tmp_path: Path):
    """A mention full of Slack's own marks pings nobody and forges no link."""
    hostile = (
        "@kettleandfern why was I charged twice? <!channel> <@U0ANALIMA> <https://evil.example|your bank> "
        "\u202egnp.exe\u202c \x00 \ud800 *bold* `x` </section>"
    )
    with playing(tmp_path, [post(1, hostile, handle="<!here>")]) as loop:
        card = loop.card("charged twice")
        assert loop.rehearsal.pings == []
        drawn = json.dumps(card["blocks"]).replace("<!date^", "").replace("<https://example.com/", "")
        assert "<" not in drawn
        assert "\\u202e" not in drawn


def test_loop_digest_on_demand_and_in_the_channel(tmp_path: Path):
    """/digest answers the asker alone; a requested digest stands in the channel, once."""
    with playing(tmp_path, [post(1, CHARGED), post(2, CHATTER)]) as loop:
        loop.card("charged my card")
        loop.rehearsal.command(ANA, CHANNEL, "/digest")
        loop.told(ANA, "charged my card")
        now = datetime.now(UTC)
        for _ in range(2):
            loop.cuecard.store.request_job(JobKind.DIGEST, now.date().isoformat(), now=now)
            loop.rehearsal.wait_for(lambda: loop.waiting("digest") == 0)
        (digest,) = loop.digests()
        said = json.dumps(digest, ensure_ascii=False)
        for words in ("1 conversation waits", "charged my card", "nobody has it", "kept quiet"):
            assert words in said
        assert loop.rehearsal.pings == []


def test_loop_slack_away_loses_nothing_and_best_comes_first(tmp_path: Path):
    """While Slack is away mentions are kept; when it is back the most needed stands first."""
    rows = [post(1, ASKED), post(2, CHARGED), post(3, BURNED)]
    with Rehearsal(rules=Rules(is_paced=False)) as rehearsal:
        rehearsal.go_away()
        secrets = Secrets(slack_bot_token=rehearsal.bot_token, slack_app_token=rehearsal.app_token)
        settings = settings_for(rehearsal, tmp_path, write_posts(tmp_path / "posts.jsonl", rows))
        with Cuecard(settings, secrets) as cuecard:
            loop = Loop(rehearsal, cuecard)
            assert cuecard.listening.wait_until_drained(20)
            assert cuecard.store.cards_coming() == len(cuecard.store.search("kettleandfern"))
            rehearsal.come_back()
            best = max(
                cuecard.store.search("kettleandfern"),
                key=lambda view: (view.conversation.grade, view.conversation.priority),
            )
            ts = rehearsal.wait_for(loop.cards, 60)[0]["ts"]
            number = rehearsal.wait_for(lambda: cuecard.store.conversation_of_message("C0MENTIONS", ts))
            assert number == best.conversation.id
            rehearsal.wait_for(lambda: rehearsal.connections, 60)
            rehearsal.press(ANA, CHANNEL, ts, buttons.CLAIM)
            loop.shows(ts, "Claimed by Ana Lima")
