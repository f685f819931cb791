"""The real sender, a platform with lost answers and a process that dies: no word is posted twice, or unapproved."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from stage import HOLD, PEOPLE, START, Answer, Cut, FragileStore, PowerCutError, StagePlatform, hear, reborn, shaped

from bot import decisions
from bot.clock import ManualClock
from bot.conversation import State
from bot.ledger import Send, SendState
from bot.outbox import Sender
from bot.store.conversations import reopen

ANA, BEN, _ = PEOPLE
SUGGESTION = "Sorry! [what you found]"
TEXTS = st.sampled_from(["We will mend it.", "A new one is in the post.", "We are on it.", "Sorry!", SUGGESTION])
ANSWERS = st.sampled_from(
    ["posted", "posted", "refused", "busy", "lost", "lost before", "power cut", "power cut before"]
)
CUTS = st.sampled_from([None, None, "before the commit", "after the commit"])


class LedgerMachine(RuleBasedStateMachine):
    """One conversation, its owner, a teammate who may press Undo, the sender, and the platform."""

    @initialize()
    def open_a_store(self) -> None:
        """Begin with one claimed conversation."""
        self.folder = tempfile.TemporaryDirectory()
        self.clock = ManualClock(START)
        self.platform = StagePlatform()
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

    @rule(text=TEXTS, cut=CUTS)
    def press_send(self, text: str, cut: Cut | None) -> None:
        """The owner presses Send; the process may die before or after that is kept."""
        self.clicked.add(text)
        shape, now = shaped(text), self.clock.now()
        try:
            with self.store.power_cut(0, cut):
                decisions.approve(self.store, self.number, 1, text, SUGGESTION, shape, "api", ANA, now, HOLD)
        except PowerCutError:
            self.restart()

    @rule()
    def press_undo(self) -> None:
        """A teammate presses Undo; what is told to be undone stays so."""
        outcome = decisions.undo(self.store, self.number, BEN, self.clock.now())
        if outcome.is_done and outcome.send_id:
            self.undone.add(outcome.send_id)

    @rule(answer=ANSWERS, seconds=st.sampled_from([0, 31, 31, 200]), turn=st.integers(0, 2), cut=CUTS)
    def send(self, answer: Answer, seconds: int, turn: int, cut: Cut | None) -> None:
        """The sender posts what is due; the power may fail at the platform, or around one of its own commits."""
        self.clock.advance(seconds)
        self.platform.answer = answer
        try:
            with self.store.power_cut(turn, cut):
                self.sender.send_due()
        except PowerCutError:
            self.restart()
        self.was_unknown |= {send.id for send in self.sends() if send.state is SendState.UNKNOWN}

    @rule(text=TEXTS, answer=ANSWERS, is_undone=st.booleans(), turn=st.integers(0, 2), cut=CUTS)
    def answer(self, text: str, answer: Answer, is_undone: bool, turn: int, cut: Cut | None) -> None:
        """The whole way of a reply at once, so that much happens in one story."""
        self.press_send(text, cut=None)
        if is_undone:
            self.press_undo()
        self.send(answer, 31, turn, cut)
        self.send("posted", 200, 0, None)

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

    @invariant()
    def no_approval_is_posted_twice(self) -> None:
        """One click, at most one post; what may have been posted is never tried again."""
        keys = [key for key, _ in self.platform.posted]
        assert len(keys) == len(set(keys))
        assert self.platform.repeated == []

    @invariant()
    def nothing_is_posted_that_was_not_approved_to_the_letter(self) -> None:
        """Every public word stands in the ledger as approved by a person who pressed Send on it."""
        ledger = {send.send_key: send.text for send in self.sends()}
        for key, text in self.platform.posted:
            assert ledger[key] == text
            assert text in self.clicked
            assert "[" not in text
            assert text != "Sorry!"

    @invariant()
    def what_was_undone_is_not_posted(self) -> None:
        """An undone send is nowhere in public, and stays undone."""
        public = {key for key, _ in self.platform.posted}
        for send in self.sends():
            assert send.state is not SendState.UNDONE or send.send_key not in public
            assert send.id not in self.undone or send.state is SendState.UNDONE

    @invariant()
    def sent_means_posted_and_unknown_ends_by_a_persons_word(self) -> None:
        """'Sent' without a person's word is in public; what was unknown never goes back to be sent."""
        public = {key for key, _ in self.platform.posted}
        for send in self.sends():
            if send.state is SendState.SENT and send.id not in self.was_unknown:
                assert send.send_key in public
            if send.id in self.was_unknown:
                assert send.state in {SendState.UNKNOWN, SendState.SENT, SendState.NOT_SENT}
            if send.state in {SendState.REFUSED, SendState.APPROVED}:
                assert send.send_key not in public


TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(
    max_examples=50, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
