"""The eight promises of docs/promises.md, one class each: every test fails where its promise is broken."""

from __future__ import annotations

import ast
import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot import decisions
from bot.app import Cuecard
from bot.clock import ManualClock
from bot.config import ReplySettings, Settings, WatchSettings
from bot.conversation import Actor, DismissReason
from bot.demo.limits import Rules
from bot.demo.rehearsal import Rehearsal
from bot.digest import build_digest
from bot.ledger import SendState
from bot.outbox import Sender
from bot.slack import buttons
from bot.store import Store
from tests.bot.flow_fixtures import NOW, ScriptedPlatform, batch, build_intake, mention
from tests.end_to_end.loop import (
    ANA,
    BEN,
    CHANNEL,
    CHARGED,
    Loop,
    kind_of,
    playing,
    post,
    settings_for,
    write_posts,
)
from tests.end_to_end.power_cuts import build_desk, hear_and_post, tokens_of
from tests.end_to_end.test_loop import ANSWER, claim_and_open, submit, suggestion_in
from tests.stateful.stage import Cut, shaped

ANA_ID, BEN_ID = Actor("U1", ANA), Actor("U2", BEN)
WORDS = "So sorry about the kettle. A new one leaves today."


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A real, empty store."""
    with Store(tmp_path / "store.db") as opened:
        yield opened


def hear(store: Store, native_id: str = "a", clock: ManualClock | None = None) -> int:
    """Hear one post; return its conversation."""
    build_intake(store, clock).take([batch(mention(native_id, f"my kettle leaks, number {native_id}"))])
    found = store.search(f"kettle number {native_id}")
    return found[0].conversation.id


def approve(store: Store, number: int, text: str = WORDS, hold: float = 30) -> decisions.Outcome:
    """Let Ana claim it and press Send on these words."""
    decisions.claim(store, number, ANA_ID, NOW)
    view = store.card_view(number)
    assert view is not None
    return decisions.approve(
        store, number, view.mention_id, text, "", shaped(text), "api", ANA_ID, NOW, timedelta(seconds=hold)
    )


class TestNothingIsSentWithoutAPerson:
    """Promise 1."""

    @pytest.mark.parametrize(
        ("call", "only"),
        [
            ("reply", {"bot/outbox.py"}),
            ("begin_send", {"bot/outbox.py", "bot/store/store.py"}),
            ("insert_send", {"bot/decisions.py"}),
            ("Approval", {"bot/decisions.py"}),
            ("approve", {"bot/slack/submissions.py"}),
            ("send_reply", set()),
        ],
    )
    def test_one_way_leads_out(self, project: Path, call: str, only: set[str]):
        """A submitted modal approves, an approval makes the row, the row is sent: each is called in one place."""
        assert set(_callers(project, call)) == only

    def test_what_nobody_approved_is_never_due(self, store: Store):
        """Hearing, claiming, handing over, snoozing and restarting leave nothing to send."""
        number = hear(store)
        decisions.claim(store, number, ANA_ID, NOW)
        decisions.snooze(store, number, NOW + timedelta(hours=1), ANA_ID, NOW)
        clock, platform = ManualClock(NOW + timedelta(days=1)), ScriptedPlatform()
        store.wake_snoozed(clock.now())
        sender = Sender(store, {"feed": platform}, clock)
        sender.recover()
        assert (sender.send_due(), platform.replies, store.sends(number)) == (0, [], [])

    def test_what_is_sent_is_what_was_approved_by_whom(self, store: Store):
        """The platform gets the ledger's words to the letter, and the ledger names the person."""
        number = hear(store)
        assert approve(store, number, "  Sorry!\n\tÄ new one 🫖 leaves today. ", hold=0).is_done
        platform = ScriptedPlatform()
        Sender(store, {"feed": platform}, ManualClock(NOW)).send_due()
        (sent,) = store.sends(number)
        assert [text for text, _ in platform.replies] == [sent.text]
        assert sent.approved_by == ANA_ID


def _callers(project: Path, name: str) -> Iterator[str]:
    """Yield the files of ours that call something of this name, but for the rehearsal's own stage."""
    for path in [*(project / "bot").rglob("*.py"), *(project / "nlp").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called == name:
                yield path.relative_to(project).as_posix()


class TestASuggestionCannotBeSentAsItIs:
    """Promise 2."""

    def test_no_small_edit_of_it_is_taken(self, tmp_path: Path):
        """The suggestion, its gap unwrapped, swapped, half deleted or dressed up: the modal stays, nothing leaves."""
        dressings: tuple[Callable[[str], str], ...] = (
            str,
            str.upper,
            lambda text: text.replace(" ", "\u00a0"),
            lambda text: text.replace("[", "").replace("]", ""),
            lambda text: text.replace("[", "⟦").replace("]", "⟧"),
            lambda text: text.replace("[", "【").replace("]", "】 I mean it."),
            lambda text: text.replace("]", " I mean it."),
            lambda text: f"{text[: text.index('[')]}{text[text.index(']') + 1 :]} 🙏ℹ️",
            lambda text: f"{text[: text.index('[')]}{text[text.index(']') + 1 :]}\u200b\u034f",
            lambda text: text.replace("o", "о").replace("[", "").replace("]", ""),
            lambda text: f"Hello there! {text} All the best",
            lambda text: text.replace("]", " [ ]]"),
        )
        with playing(tmp_path, [post(1, CHARGED)]) as loop:
            _, view = claim_and_open(loop, "charged my card")
            suggestion = suggestion_in(view)
            for number, dress in enumerate(dressings):
                assert submit(loop, ANA, view, dress(suggestion)), number
            assert loop.cuecard.store.sends(1) == []
            assert submit(loop, ANA, view, ANSWER) == {}

    def test_the_ledger_checks_again(self, store: Store):
        """Whoever calls the decision with an open gap is refused there as well."""
        number = hear(store)
        assert not approve(store, number, "Sorry! [what you found]").is_done
        assert not approve(store, number, "Sorry! [what\nyou [1] found]").is_done
        assert store.sends(number) == []


class TestOneClickAtMostOnePost:
    """Promise 3."""

    def test_a_submission_delivered_again_posts_once(self, tmp_path: Path):
        """Slack delivers Send three times; one reply stands on the stage."""
        with playing(tmp_path, [post(1, CHARGED)], reply=ReplySettings(hold_seconds=0.2)) as loop:
            ts, view = claim_and_open(loop, "charged my card")
            loop.rehearsal.repeat_next(2)
            assert submit(loop, ANA, view, ANSWER) == {}
            loop.shows(ts, "Answered by")
            loop.cuecard.sender.send_due()
            assert len(loop.rehearsal.replies_on_stage()) == 1
            assert len(loop.cuecard.store.sends(1)) == 1

    def test_undo_at_the_very_end_of_the_hold_is_true_or_refused(self, store: Store):
        """Undo races the sender: 'undone' means that nothing was posted, and otherwise it is told to be too late."""
        clock, posted = ManualClock(NOW + timedelta(seconds=30)), ScriptedPlatform()
        sender = Sender(store, {"feed": posted}, clock)
        undone = 0
        for native_id in ("a", "b", "c", "d", "e", "f", "g", "h"):
            number = hear(store, native_id, clock)
            assert approve(store, number, f"{WORDS} {native_id}").is_done
            outcome = _at_once(
                lambda number=number: decisions.undo(store, number, BEN_ID, clock.now()), sender.send_due
            )[0]
            assert isinstance(outcome, decisions.Outcome)
            (sent,) = store.sends(number)
            is_public = f"{WORDS} {native_id}" in [text for text, _ in posted.replies]
            assert (outcome.is_done, is_public) in {(True, False), (False, True)}
            assert sent.state is (SendState.UNDONE if outcome.is_done else SendState.SENT)
            undone += outcome.is_done
        assert len(posted.replies) + undone == 8

    def test_the_row_stands_before_the_network_is_touched(self, store: Store, tmp_path: Path):
        """While the platform is asked, another process sees the row as being sent: a kill there makes it unknown."""
        number = hear(store)
        approve(store, number, hold=0)
        seen: list[SendState] = []

        def look(_text: str):  # noqa: ANN202 - never answers
            with Store(tmp_path / "store.db") as other:
                seen.extend(send.state for send in other.sends(number))
            raise TimeoutError

        Sender(store, {"feed": ScriptedPlatform(answer=look)}, ManualClock(NOW)).send_due()
        (sent,) = store.sends(number)
        assert (seen, sent.state) == ([SendState.SENDING], SendState.UNKNOWN)


def _at_once(*calls: Callable[[], object]) -> list[object]:
    """Make calls at the same moment, each in a thread; return what they returned."""
    start = threading.Barrier(len(calls))
    results: list[object] = [None] * len(calls)

    def run(index: int, call: Callable[[], object]) -> None:
        start.wait(5)
        results[index] = call()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    return results


class TestWhatWasHeardIsKept:
    """Promise 4."""

    @pytest.mark.parametrize("when", ["before the commit", "after the commit"])
    def test_a_power_cut_around_any_commit_loses_and_doubles_nothing(self, tmp_path: Path, when: Cut):
        """From the feed's batch to the card: die at each commit in turn, start again; every card stands once."""
        with Rehearsal(rules=Rules(is_paced=False)) as rehearsal:
            desk = build_desk(rehearsal, tmp_path, when)
            for turn in range(12):
                desk = hear_and_post(desk, rehearsal, turn, when)
            store = desk.store
            cards = [m for m in rehearsal.messages(CHANNEL) if kind_of(m) == "mention_card"]
            numbers = sorted(card["metadata"]["event_payload"]["conversation_id"] for card in cards)
            assert numbers == list(range(1, 13))
            assert sorted(store.conversation_of_message("C0MENTIONS", card["ts"]) or 0 for card in cards) == numbers
            assert store.read().execute("select count(*) from mention").fetchone() == (12,)
            assert store.feed_states()[0].cursor == "11"
            store.close()


class TestOneOwnerAtATime:
    """Promise 5."""

    def test_of_many_who_claim_at_once_one_gets_it_and_the_others_are_told_who(self, store: Store):
        """Eight people, the same moment: one owner, seven sentences with the owner's name."""
        number = hear(store)
        people = [Actor(f"U{n}", f"Person {n}") for n in range(8)]
        told = _at_once(*(lambda each=each: decisions.claim(store, number, each, NOW) for each in people))
        found = store.conversation(number)
        assert found is not None
        assert found.owner is not None
        winners = [
            who for who, each in zip(people, told, strict=True) if isinstance(each, decisions.Outcome) and each.is_done
        ]
        assert winners == [found.owner]
        assert sum(found.owner.name in str(getattr(each, "sentence", "")) for each in told) == 7

    def test_a_modal_from_before_the_owner_changed_sends_nothing(self, tmp_path: Path):
        """Ana writes while Ben is given the conversation: her Send says who has it now."""
        with playing(tmp_path, [post(1, CHARGED)]) as loop:
            ts, view = claim_and_open(loop, "charged my card")
            loop.rehearsal.press(ANA, CHANNEL, ts, buttons.RELEASE)
            loop.rehearsal.press(BEN, CHANNEL, ts, buttons.CLAIM)
            loop.shows(ts, f"Claimed by {BEN}")
            assert BEN in json.dumps(submit(loop, ANA, view, ANSWER))
            assert loop.cuecard.store.sends(1) == []


class TestEverythingAPersonDidIsOnRecord:
    """Promise 6."""

    def test_every_decision_names_who_what_and_when(self, store: Store):
        """One row for each decision, with the person and the moment; a send keeps the exact words."""
        number = hear(store)
        at = [NOW + timedelta(minutes=minute) for minute in range(20)]
        view = store.card_view(number)
        assert view is not None
        shape, hold = shaped(WORDS), timedelta(seconds=30)
        for outcome in (
            decisions.claim(store, number, ANA_ID, at[1]),
            decisions.release(store, number, ANA_ID, at[2]),
            decisions.assign(store, number, BEN_ID, ANA_ID, at[3]),
            decisions.snooze(store, number, at[19], BEN_ID, at[4]),
            decisions.dismiss(store, number, DismissReason.SPAM, BEN_ID, at[5]),
            decisions.restore(store, number, ANA_ID, at[6]),
            decisions.approve(store, number, view.mention_id, WORDS, "Sorry [x]", shape, "api", BEN_ID, at[7], hold),
            decisions.undo(store, number, ANA_ID, at[8]),
            decisions.approve(store, number, view.mention_id, WORDS, "", shape, "by_hand", BEN_ID, at[9], hold),
            decisions.deny_by_hand(store, number, ANA_ID, at[10]),
            decisions.hand_over(store, number, "Support has it.", BEN_ID, at[11]),
        ):
            assert outcome.is_done, outcome.sentence
        done = [(entry.event, entry.actor.name, entry.at) for entry in store.history(number) if entry.at > NOW]
        events = ["claim", "release", "assign", "snooze", "dismiss", "restore"]
        events += ["approve", "undo", "approve", "undo", "hand_over"]
        people = [ANA, ANA, ANA, BEN, BEN, ANA, BEN, ANA, BEN, ANA, BEN]
        assert done == list(zip(events, people, at[1:12], strict=True))
        assert store.history(number)[-1].detail == "Support has it."
        first, second = store.sends(number)
        assert (first.text, first.suggestion, first.approved_by, first.approved_at) == (
            WORDS,
            "Sorry [x]",
            BEN_ID,
            at[7],
        )
        assert ANA in first.problem
        assert second.route == "by_hand"

    def test_the_record_is_only_ever_added_to(self, project: Path):
        """No statement anywhere changes or deletes a row of the record, but for erasing an author's words."""
        for path in (project / "bot").rglob("*.py"):
            text = " ".join(path.read_text("utf-8").split()).lower()
            assert "update event" not in text, path
            assert "delete from event" not in text, path
            assert "delete from send" not in text, path


class TestAMentionCannotActOnSlack:
    """Promise 7."""

    def test_hostile_posts_and_names_ping_nobody(self, tmp_path: Path):
        """Cards, modals, Home, lists and the digest over hostile posts: nobody is called, no link but ours is drawn."""
        hostile = f"{CHARGED} <!channel> <@U0ANA> <!subteam^S1> <https://evil.example|your bank> ``` @here \u202e"
        rows = [
            post(n, hostile, handle=f"<!here>{n}", title="<!everyone>", parent_text=hostile, brand="<!channel>")
            for n in range(1, 3)
        ]
        with playing(tmp_path, rows) as loop:
            _, view = claim_and_open(loop, "charged my card twice")
            submit(loop, ANA, view, "[<!channel> <@U0ANA>]")
            for text in ("<!channel>", "charged", ""):
                loop.rehearsal.command(BEN, CHANNEL, "/mentions", text)
            loop.rehearsal.command(BEN, CHANNEL, "/digest")
            loop.rehearsal.open_home(BEN)
            loop.rehearsal.wait_for(lambda: "charged my card" in json.dumps(loop.rehearsal.home(BEN)))
            shown = [*loop.cards(), *loop.rehearsal.ephemerals(CHANNEL, BEN), loop.rehearsal.home(BEN), view]
            assert loop.rehearsal.pings == []
            assert len(shown) > 4
            for each in shown:
                drawn = json.dumps(each, ensure_ascii=False)
                assert "<!channel" not in drawn
                assert "<@" not in drawn
                assert "<https://evil" not in drawn
                assert "\u202e" not in drawn


class TestSilenceIsNeverACleanBill:
    """Promise 8."""

    def test_a_feed_that_never_answered_is_in_the_digest(self, tmp_path: Path):
        """Nothing waits, but one feed cannot be reached: neither digest, nor list, nor Home calls that good news."""
        with Rehearsal(rules=Rules(is_paced=False)) as rehearsal:
            settings = _with_dead_feed(settings_for(rehearsal, tmp_path, write_posts(tmp_path / "posts.jsonl", [])))
            with Cuecard(settings, tokens_of(rehearsal)) as cuecard:
                rehearsal.wait_for(lambda: rehearsal.connections)
                loop = Loop(rehearsal, cuecard)
                rehearsal.command(ANA, CHANNEL, "/digest")
                assert "dead was never heard" in json.dumps(loop.told(ANA, "not everything was heard"))
                rehearsal.command(ANA, CHANNEL, "/mentions")
                loop.told(ANA, "not every feed is heard")
                rehearsal.open_home(ANA)
                rehearsal.wait_for(lambda: "not every feed is heard" in json.dumps(rehearsal.home(ANA)))

    def test_the_digest_after_a_night_down_is_no_good_news(self, tmp_path: Path):
        """Cuecard starts after the digest's time and no feed has answered yet: the digest says since when."""
        with Rehearsal(rules=Rules(is_paced=False)) as rehearsal:
            settings = _with_dead_feed(settings_for(rehearsal, tmp_path, write_posts(tmp_path / "posts.jsonl", [])))
            with Cuecard(settings, tokens_of(rehearsal)) as cuecard:
                rehearsal.wait_for(lambda: any(feed.name == "dead" for feed in cuecard.store.feed_states()))
            with Store(settings.store.path) as store:
                build_intake(store).take([("dead", batch(cursor="1")[1])])
                morning = NOW + timedelta(hours=13)
                digest = build_digest(store.digest_facts(NOW, morning, morning))
        assert "not everything was heard" in digest.headline
        assert any("dead is deaf since Mon 02 Mar 10:00" in warning for warning in digest.warnings)


def _with_dead_feed(settings: Settings) -> Settings:
    """Add a feed that nothing answers for."""
    dead = {"platform": "feeds", "urls": ["http://127.0.0.1:9/feed"], "allow_hosts": ["127.0.0.1:9"]}
    watch = (WatchSettings(name="kettles", query="kettle"),)
    return settings.model_copy(update={"feed": {**settings.feed, "dead": dead}, "watch": watch})
