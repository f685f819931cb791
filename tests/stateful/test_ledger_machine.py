"""The real sender, a platform with lost answers and a process that dies: no word is posted twice, or unapproved."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from stage import (
    HOLD,
    PEOPLE,
    START,
    THREAD,
    Answer,
    Cut,
    FragileStore,
    PowerCutError,
    StagePlatform,
    hear,
    reborn,
    shaped,
)

from bot import decisions
from bot.clock import ManualClock
from bot.conversation import State
from bot.ledger import Send, SendState
from bot.outbox import Sender
from bot.store.conversations import reopen

ANA, BEN, _ = PEOPLE
SUGGESTION = "Sorry! [what you found]"
TEXTS = st.sampled_from(["We will mend it.", "A new one is in the post.", "Sorry!", SUGGESTION, THREAD, THREAD])
ANSWER = st.sampled_from(["posted", "posted", "posted", "refused", "busy", "lost", "lost before", "power cut"])
ANSWERS = st.lists(ANSWER | st.just("power cut before"), max_size=4)
TURNS = st.integers(0, 7)
CUTS = st.sampled_from([None, None, "before the commit", "after the commit"])


class LedgerMachine(RuleBasedStateMachine):
    """One conversation, its owner, a teammate who may press Undo, the sender, and the platform; posts and threads."""

    @initialize()
    def open_a_store(self) -> None:
        """Begin with one claimed conversation."""
        self.folder = tempfile.TemporaryDirectory()
        self.clock = ManualClock(START)
        self.platform = StagePlatform()
        self.platform.watch = self.look_at_the_ledger
        self.clicked: set[str] = set()
        self.undone: set[int] = set()
        self.was_unknown: set[int] = set()
        self.store = FragileStore(Path(self.folder.name) / "cuecard.db")
        self.store.open()
        self.number = hear(self.store, "1", START)
        decisions.claim(self.store, self.number, ANA, START)
        self.boot()

    def teardown(self) -> None:
        """Leave nothing behind."""
        if hasattr(self, "store"):
            self.store.close()
            self.folder.cleanup()

    def boot(self) -> None:
        """Start the sender as the bot does, without its thread."""
        self.sender = Sender(self.store, {"stage": self.platform}, self.clock)
        self.sender.recover()

    def sends(self) -> list[Send]:
        """Return the ledger."""
        return self.store.sends(self.number)

    def look_at_the_ledger(self, send_key: str) -> None:
        """Be called as the platform is: the row stands there as being sent, with exactly the parts before this one."""
        (send,) = [send for send in self.sends() if send.next_key == send_key]
        assert send.state is SendState.SENDING

    @rule(text=TEXTS, as_thread=st.sampled_from([True, True, False]), cut=CUTS)
    def press_send(self, text: str, cut: Cut | None, *, as_thread: bool = True) -> None:
        """The owner presses Send; the process may die before or after that is kept."""
        self.clicked.add(text)
        shape, now = shaped(text), self.clock.now()
        given = (self.store, self.number, 1, text, SUGGESTION, shape, "api", ANA, now, HOLD)
        try:
            with self.store.power_cut(0, cut):
                outcome = decisions.approve(*given, as_thread=as_thread)
        except PowerCutError:
            self.restart()
        else:
            is_same_click = bool(self.sends()) and self.sends()[-1].text == text
            assert as_thread or not shape.parts or not outcome.is_done or is_same_click

    @rule()
    def press_undo(self) -> None:
        """A teammate presses Undo; what is told to be undone stays so."""
        outcome = decisions.undo(self.store, self.number, BEN, self.clock.now())
        if outcome.is_done and outcome.send_id:
            self.undone.add(outcome.send_id)

    @rule(answers=ANSWERS, seconds=st.sampled_from([0, 31, 31, 200]), turn=TURNS, cut=CUTS)
    def send(self, answers: list[Answer], seconds: int, turn: int, cut: Cut | None) -> None:
        """The sender posts what is due; the power may fail at the platform, or around one of its own commits."""
        self.clock.advance(seconds)
        self.platform.answers = list(answers)
        try:
            with self.store.power_cut(turn, cut):
                self.sender.send_due()
        except PowerCutError:
            self.restart()
        self.was_unknown |= {send.id for send in self.sends() if send.state is SendState.UNKNOWN}

    @rule(text=TEXTS, answers=ANSWERS, undone=st.sampled_from(["", "", "at once", "later"]), turn=TURNS, cut=CUTS)
    def answer(self, text: str, answers: list[Answer], undone: str, turn: int, cut: Cut | None) -> None:
        """The whole way of a reply at once, so that much happens in one story."""
        self.press_send(text, cut=None)
        if undone == "at once":
            self.press_undo()
        self.send(answers, 31, turn, cut)
        if undone == "later":
            self.press_undo()
        self.send([], 200, 0, None)

    @rule(was_sent=st.booleans())
    def look_and_tell(self, was_sent: bool) -> None:
        """A person looks on the platform and says what they saw."""
        decisions.resolve_unknown(self.store, self.number, was_sent, "", ANA, self.clock.now())

    @rule(seconds=st.sampled_from([0, 60, 3600]))
    def restart(self, seconds: int = 0) -> None:
        """The process ends, and another begins on the same file, perhaps much later."""
        self.clock.advance(seconds)
        self.store = reborn(self.store)
        self.boot()
        self.was_unknown |= {send.id for send in self.sends() if send.state is SendState.UNKNOWN}
        assert SendState.SENDING not in {send.state for send in self.sends()}

    @rule()
    def go_on(self) -> None:
        """The author writes again after an answer, and the owner, having looked, goes on."""
        self.look_and_tell(was_sent=False)
        if self.state() is State.ANSWERED:
            with self.store.transaction() as db:
                assert reopen(db, self.number, self.clock.now()) is State.CLAIMED

    def state(self) -> State:
        """Return where the conversation stands."""
        found = self.store.conversation(self.number)
        assert found is not None
        return found.state

    def public(self, send: Send) -> list[str]:
        """Return what of a send is in public, in the order in which it came there."""
        return [text for key, text in self.platform.posted if key.partition("-")[0] == send.send_key]

    @invariant()
    def nothing_is_posted_twice_and_no_part_without_the_one_before(self) -> None:
        """One click, at most one post of each part; nothing in doubt is tried again, and nothing follows it."""
        keys = [key for key, _ in self.platform.posted]
        assert len(keys) == len(set(keys))
        assert self.platform.repeated == []
        assert self.platform.orphans == []

    @invariant()
    def nothing_is_posted_that_was_not_approved_to_the_letter(self) -> None:
        """Every public word stands in the ledger as approved by a person who pressed Send on it, in its order."""
        approved = 0
        for send in self.sends():
            public, whole = self.public(send), list(send.parts or (send.text,))
            assert public == whole[: len(public)]
            assert not public or (send.text in self.clicked and "[" not in send.text and send.text != "Sorry!")
            assert not send.parts or " ".join(send.parts) == send.text
            approved += len(public)
        assert approved == len(self.platform.posted)

    @invariant()
    def what_was_undone_stays_so_and_says_what_is_up(self) -> None:
        """What was undone is nowhere in public but for the parts that the ledger names, and stays undone."""
        for send in self.sends():
            if send.state is SendState.UNDONE:
                assert len(self.public(send)) == len(send.posted)
                assert (f"{len(send.posted)} of 3 parts" in send.problem) == bool(send.posted)
            assert send.id not in self.undone or send.state is SendState.UNDONE

    @invariant()
    def the_ledger_knows_what_is_up(self) -> None:
        """What it says is up is up; more than that only where an outcome is in doubt, or was, and then one part."""
        for send in self.sends():
            up, public = len(send.posted), len(self.public(send))
            if send.id in self.was_unknown:
                assert send.state in {SendState.UNKNOWN, SendState.SENT, SendState.NOT_SENT}
                assert send.state is not SendState.UNKNOWN or up <= public <= up + 1
            elif send.state is SendState.SENT:
                assert public == len(send.parts or (send.text,))
            else:
                assert up == public

    @invariant()
    def what_it_costs_is_what_is_known_to_be_up(self) -> None:
        """Every post that was written down is on the bill, once."""
        sent = [send for send in self.sends() if send.state is SendState.SENT and not send.parts and send.native_id]
        known = [post for send in self.sends() for post in send.posted if post.native_id]
        spent = self.store.spent_in_month("stage", self.clock.now())
        assert spent == 1000 * (len(sent) + len(known))
        assert spent <= self.platform.cost()


TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(
    max_examples=50, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
