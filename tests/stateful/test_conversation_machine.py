"""Several people decide at random on a real store, and the power fails: the conversation stays consistent."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from stage import HOLD, PEOPLE, START, THREAD, Cut, FragileStore, PowerCutError, hear, reborn, shaped

from bot import decisions
from bot.conversation import Actor, Conversation, DismissReason, Event, State, next_state
from bot.decisions import Outcome
from bot.ledger import LIVE, SendState
from bot.records import HistoryEntry, JobKind
from bot.store.conversations import reopen
from listeners.contract import Posted

NUMBERS = st.sampled_from([1, 2])
ACTORS = st.sampled_from([None, None, None, *PEOPLE])  # None: whoever has it
CUTS = st.sampled_from([None, None, None, None, None, "before the commit", "after the commit"])
TEXTS = st.sampled_from(["We will mend it.", "A new one is in the post.", "Write to us at [address]", THREAD])
NOBODYS = {State.NEW, State.SHOWN, State.QUIET, State.EXPIRED}
SOMEBODYS = {State.CLAIMED, State.SENDING, State.ANSWERED}
_NAMES = {person.name: person.id for person in PEOPLE}


class ConversationMachine(RuleBasedStateMachine):
    """Two conversations, three people, a clock, Slack, and a sender whose work is only played here."""

    @initialize()
    def open_a_store(self) -> None:
        """Begin with two conversations: one that Ana has, and one that was just heard."""
        self.folder = tempfile.TemporaryDirectory()
        self.store = FragileStore(Path(self.folder.name) / "cuecard.db")
        self.store.open()
        self.now = START
        self.told: dict[int, State] = {}
        for number in (1, 2):
            assert hear(self.store, str(number), self.now) == number
        self.tell_slack("told")
        decisions.claim(self.store, 1, PEOPLE[0], self.now)

    def teardown(self) -> None:
        """Leave nothing behind."""
        if hasattr(self, "store"):
            self.store.close()
            self.folder.cleanup()

    def decide(self, number: int, cut: Cut | None, decision: Callable[[], Outcome]) -> Outcome | None:
        """Let a person decide, perhaps with a power cut: a refusal and a lost transaction change nothing."""
        before, events = self.conversation(number), len(self.store.history(number))
        everything = self.store.everything() if cut == "before the commit" else []
        try:
            with self.store.power_cut(0, cut):
                outcome = decision()
        except PowerCutError:
            self.start_again()
            assert cut == "after the commit" or self.store.everything() == everything
            return None
        if not outcome.is_done:
            assert self.conversation(number) == before
            assert len(self.store.history(number)) == events
            assert outcome.sentence
        return outcome

    def start_again(self) -> None:
        """Do what the next process does at its start."""
        self.store = reborn(self.store)
        self.store.stale_sending(self.now)
        for job in self.store.stale_posting():
            self.store.retry_job(job, self.now, self.now)

    def person(self, number: int, who: Actor | None) -> Actor:
        """Return who decides: a certain person, or whoever has the conversation."""
        return who or self.conversation(number).owner or PEOPLE[0]

    def conversation(self, number: int) -> Conversation:
        """Return a conversation as it is stored."""
        found = self.store.conversation(number)
        assert found is not None
        return found

    @rule(number=NUMBERS, who=ACTORS, to=st.sampled_from([None, None, *PEOPLE]), cut=CUTS)
    def take(self, number: int, who: Actor | None, to: Actor | None, cut: Cut | None) -> None:
        """Somebody presses Claim, or gives it to somebody."""
        store, actor, now = self.store, self.person(number, who), self.now
        before = self.conversation(number)
        if to is None:
            outcome = self.decide(number, cut, lambda: decisions.claim(store, number, actor, now))
        else:
            outcome = self.decide(number, cut, lambda: decisions.assign(store, number, to, actor, now))
        if outcome and outcome.is_done:
            assert self.conversation(number).owner == (to or actor)
            if to is None and before.state in {State.CLAIMED, State.SENDING, State.SNOOZED}:
                assert before.owner in {actor, None}

    @rule(number=NUMBERS, who=ACTORS, how=st.sampled_from(["release", "snooze", "dismiss", "hand over"]), cut=CUTS)
    def let_go(self, number: int, who: Actor | None, how: str, cut: Cut | None) -> None:
        """Somebody releases it, puts it away, lets it rest or passes it on; never what is somebody else's."""
        store, actor, now = self.store, self.person(number, who), self.now
        before = self.conversation(number)
        decision = {
            "release": lambda: decisions.release(store, number, actor, now),
            "snooze": lambda: decisions.snooze(store, number, now + timedelta(hours=1), actor, now),
            "dismiss": lambda: decisions.dismiss(store, number, DismissReason.SPAM, actor, now),
            "hand over": lambda: decisions.hand_over(store, number, "to legal", actor, now),
        }[how]
        outcome = self.decide(number, cut, decision)
        if outcome and outcome.is_done:
            assert before.owner == actor or (before.state is not State.CLAIMED and how != "release")
            assert before.owner in {actor, None} or before.state not in {State.CLAIMED, State.SNOOZED}
            assert self.store.live_send(number) is None

    @rule(number=NUMBERS, text=TEXTS, route=st.sampled_from(["api", "by_hand"]), who=ACTORS, cut=CUTS)
    def approve(self, number: int, text: str, route: str, who: Actor | None, cut: Cut | None) -> None:
        """Somebody presses Send; only the owner succeeds, and never with a gap."""
        actor = self.person(number, who)
        given = (number, text, "", shaped(text), route, actor, self.now, HOLD)
        outcome = self.decide(number, cut, lambda: decisions.approve(self.store, number, *given, as_thread=True))
        if outcome and outcome.is_done:
            assert "[" not in text
            send = self.store.send(outcome.send_id or 0)
            assert send is not None
            assert (send.text, send.approved_by) == (text, actor)

    @rule(
        number=NUMBERS,
        who=ACTORS,
        said=st.sampled_from(["restore", "undo", "posted", "not posted", "arrived", "did not arrive"]),
        cut=CUTS,
    )
    def settle(self, number: int, who: Actor | None, said: str, cut: Cut | None) -> None:
        """Somebody presses Restore or Undo, or says what became of a reply: by hand, or of unknown outcome."""
        store, actor, now = self.store, self.person(number, who), self.now
        decision = {
            "restore": lambda: decisions.restore(store, number, actor, now),
            "undo": lambda: decisions.undo(store, number, actor, now),
            "posted": lambda: decisions.confirm_by_hand(store, number, "", actor, now),
            "not posted": lambda: decisions.deny_by_hand(store, number, actor, now),
            "arrived": lambda: decisions.resolve_unknown(store, number, was_sent=True, url="", actor=actor, now=now),
            "did not arrive": lambda: decisions.resolve_unknown(
                store, number, was_sent=False, url="", actor=actor, now=now
            ),
        }[said]
        self.decide(number, cut, decision)

    @rule(end=st.sampled_from(["sent", "refused", "unknown", "later", "crash"]), parts=st.integers(0, 2))
    def send_what_is_due(self, end: str, parts: int) -> None:
        """The hold ends, the sender takes what is due, a few parts of a thread get up, and it ends in one of its ways.

        Where more parts are left than got up, `sent` leaves the thread waiting for its next one.
        """
        self.now += HOLD
        for due in self.store.due_sends(self.now):
            begun = self.store.begin_send(due.id, self.now)
            for _ in range(parts):
                if begun is not None and len(begun.left) > 1:
                    self.store.finish_part(due.id, Posted("8", "https://stage.example/8"), self.now)
                    begun = self.store.begin_send(due.id, self.now)
            if begun is None:
                continue
            if end == "sent" and len(begun.left) > 1:
                self.store.finish_part(due.id, Posted("8"), self.now)
            elif end == "sent":
                self.store.finish_sent(due.id, "9", "", self.now)
            elif end == "refused":
                self.store.finish_refused(due.id, "No.", self.now)
            elif end == "unknown":
                self.store.finish_unknown(due.id, "Lost.", self.now)
            elif end == "later":
                self.store.back_to_approved(due.id, self.now + HOLD, "Busy.", self.now)
            else:
                self.start_again()
                assert (found := self.store.send(due.id)) is not None
                assert found.state is SendState.UNKNOWN

    @rule(number=NUMBERS)
    def author_writes_again(self, number: int) -> None:
        """The author writes again: what was settled opens to its owner, what is open stays as it is."""
        before = self.conversation(number)
        with self.store.transaction() as db:
            after = reopen(db, number, self.now)
        assert self.conversation(number).owner == before.owner
        assert (after is None) == (before.state in {State.NEW, State.SHOWN, State.CLAIMED, State.SENDING})

    @rule(minutes=st.sampled_from([1, 90, 60 * 24 * 20]))
    def time_passes(self, minutes: int) -> None:
        """The clock moves, wakes what was snoozed and lets rest what nobody took."""
        self.now += timedelta(minutes=minutes)
        for number in self.store.wake_snoozed(self.now):
            assert self.conversation(number).state in {State.SHOWN, State.CLAIMED}
        self.store.expire_unclaimed(self.now - timedelta(days=14), self.now)

    @rule(end=st.sampled_from(["told", "told", "later", "crash"]))
    def tell_slack(self, end: str) -> None:
        """Slack is told what is true now; a post may have to wait, or be cut off."""
        job = self.store.take_job(self.now, {JobKind.CARD})
        if job is None:
            return
        number = int(job.key)
        if end == "later":
            self.store.retry_job(job, self.now + timedelta(seconds=5), self.now)
        elif end == "crash":
            self.start_again()
        else:
            self.store.record_message(number, "C1", f"{number}.1", self.now, job)
            self.told[number] = self.conversation(number).state

    @invariant()
    def an_owner_is_there_exactly_when_somebody_has_it(self) -> None:
        """What is claimed or being answered has an owner; what is with the team has none."""
        for number in (1, 2):
            found = self.conversation(number)
            assert found.state not in NOBODYS or found.owner is None
            assert found.state not in SOMEBODYS or found.owner is not None
            assert (found.snoozed_until is not None) == (found.state is State.SNOOZED)
            assert (found.dismiss_reason is not None) == (found.state is State.DISMISSED)

    @invariant()
    def the_record_replays_to_what_is(self) -> None:
        """Every change has its event row: from the first one on they lead, step by legal step, to state and owner."""
        for number in (1, 2):
            found = self.conversation(number)
            state, owner = replay(self.store.history(number))
            assert (state, owner) == (found.state, found.owner.id if found.owner else None)

    @invariant()
    def at_most_one_send_is_live_and_it_fits_the_conversation(self) -> None:
        """Sending has a live row, unknown waits with its owner, and there is never a second."""
        for number in (1, 2):
            live = [send.state for send in self.store.sends(number) if send.state in LIVE]
            assert len(live) <= 1
            state = self.conversation(number).state
            assert (state is State.SENDING) == (bool(live) and live[0] is not SendState.UNKNOWN)
            if live == [SendState.UNKNOWN]:
                assert state is State.CLAIMED

    @invariant()
    def what_slack_was_not_told_is_on_its_way(self) -> None:
        """Where the card says something else than what is, a job waits: no update is lost."""
        waiting = {
            key for (key,) in self.store.read().execute("select key from job where state in ('pending', 'posting')")
        }
        for number, state in self.told.items():
            assert self.conversation(number).state is state or str(number) in waiting


def replay(history: list[HistoryEntry]) -> tuple[State, str | None]:
    """Return the state and the owner that a record leads to, checking each of its steps."""
    first, *rest = history
    assert (first.event, first.before, first.after) == ("hear", "", State.NEW)
    state, owner = State.NEW, None
    for entry in rest:
        assert entry.before == state
        if entry.before != entry.after or entry.event in set(Event):
            state = next_state(state, Event(entry.event), has_owner=owner is not None)
        assert entry.after == state
        if entry.event == Event.CLAIM:
            owner = entry.actor.id
        elif entry.event == Event.ASSIGN:
            owner = _NAMES[entry.detail.removeprefix("to ")]
        elif entry.event == Event.RELEASE:
            owner = None
    return state, owner


TestConversation = ConversationMachine.TestCase
TestConversation.settings = settings(
    max_examples=50, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
)
