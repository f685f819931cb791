"""A long reply that leaves as a thread: each part at most once, in order, and nothing after a part in doubt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bot import decisions
from bot.clock import ManualClock
from bot.conversation import Actor, State
from bot.ledger import ERASED, Send, SendState
from bot.outbox import MOST_ATTEMPTS, Sender
from bot.store import Store
from listeners.contract import Posted, Shape
from listeners.errors import Permanent, RateLimited, RefusedByRules, Retryable, Unknown
from listeners.mention import Batch, Mention, Removal
from tests.bot.flow_fixtures import NOW, ScriptedPlatform, batch, build_intake, mention, number_of, one

ANA, BEN = Actor("U1", "Ana Lima"), Actor("U2", "Ben Okafor")
PARTS = ("So sorry, Sam.", "A new lid is on its way.", "It leaves today.")
WORDS = " ".join(PARTS)
THREAD = Shape(WORDS, len(WORDS), 30, problem="It is too long.", parts=PARTS)
FIRST = "https://place.example/1"
Outcomes = list[Exception | None]


class ThreadPlatform(ScriptedPlatform):
    """Posts parts one after the other; the next call ends as the next of `outcomes` says, and well after the last."""

    def __init__(self, *outcomes: Exception | None, between: Callable[[int], object] = lambda _: None) -> None:
        super().__init__()
        self.outcomes: Outcomes = list(outcomes)
        self.between = between
        self.calls: list[tuple[str, str, Posted | None]] = []

    def reply(self, mention: Mention, text: str, send_key: str, after: Posted | None = None) -> Posted:  # noqa: ARG002
        """Post, or end as told."""
        self.calls.append((text, send_key, after))
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if outcome is not None:
            raise outcome
        number = len(self.calls)
        self.between(number)
        return Posted(str(number), f"https://place.example/{number}", f"ref-{number}", cost_micros=10_000)

    @property
    def texts(self) -> list[str]:
        """What was asked to be posted, in order."""
        return [text for text, _, _ in self.calls]


def approve(store: Store, *, hold: float = 0) -> int:
    """Hear, claim and approve a thread of three; return the conversation."""
    build_intake(store).take([batch(mention("a"))])
    number = number_of(store, "a")
    assert decisions.claim(store, number, ANA, NOW).is_done
    assert press_send(store, number, hold=hold).is_done
    return number


def press_send(store: Store, number: int, *, as_thread: bool = True, hold: float = 0) -> decisions.Outcome:
    """Let Ana press Send on the whole text."""
    view = store.card_view(number)
    assert view is not None
    held = timedelta(seconds=hold)
    return decisions.approve(
        store, number, view.mention_id, WORDS, "", THREAD, "api", ANA, NOW, held, as_thread=as_thread
    )


def only(store: Store, number: int) -> Send:
    """Return the one row of the ledger."""
    (send,) = store.sends(number)
    return send


def state_of(store: Store, number: int) -> State:
    """Return where the conversation stands."""
    found = store.conversation(number)
    assert found is not None
    return found.state


def sender_of(store: Store, platform: ScriptedPlatform, clock: ManualClock | None = None) -> Sender:
    """Return a sender to one platform."""
    return Sender(store, {"feed": platform}, clock or ManualClock(NOW))


def test_a_thread_leaves_part_by_part_each_after_the_one_before(store: Store) -> None:
    """Each part has its own key and answers the one before; the row keeps all that the platform said."""
    number, platform = approve(store), ThreadPlatform()
    assert sender_of(store, platform).send_due() == 1
    send = only(store, number)
    key = send.send_key
    assert [(text, name) for text, name, _ in platform.calls] == [
        (part, f"{key}-{place}") for place, part in enumerate(PARTS, start=1)
    ]
    assert [after and (after.native_id, after.reply_ref) for _, _, after in platform.calls] == [
        None,
        ("1", "ref-1"),
        ("2", "ref-2"),
    ]
    assert (send.state, send.text, send.parts, send.left) == (SendState.SENT, WORDS, PARTS, ())
    assert (send.native_id, send.url, send.finished_at) == ("1", FIRST, NOW)
    assert [each.native_id for each in send.posted] == ["1", "2", "3"]
    assert state_of(store, number) is State.ANSWERED


def test_without_the_choice_a_long_reply_is_refused_with_both_ways_out(store: Store) -> None:
    """It is never posted as a thread by itself."""
    build_intake(store).take([batch(mention("a"))])
    decisions.claim(store, 1, ANA, NOW)
    outcome = press_send(store, 1, as_thread=False)
    over = len(WORDS) - 30
    assert outcome.sentence == (
        f"This is {over} characters too long for one post: shorten it, or tick “Post it as a thread of 3”."
    )
    assert store.sends(1) == []


def test_the_choice_does_nothing_for_what_fits_one_post(store: Store) -> None:
    """A text that was shortened after all is a single post."""
    build_intake(store).take([batch(mention("a"))])
    decisions.claim(store, 1, ANA, NOW)
    given = (store, 1, 1, "Sorry, Sam.", "", Shape("Sorry, Sam.", 11, 30), "api", ANA, NOW, timedelta())
    assert decisions.approve(*given, as_thread=True).is_done  # type: ignore[arg-type]
    platform = ThreadPlatform()
    sender_of(store, platform).send_due()
    assert platform.calls == [("Sorry, Sam.", only(store, 1).send_key, None)]


def test_before_each_part_the_ledger_says_how_many_are_up(store: Store) -> None:
    """While a part is asked for, the row is committed as being sent, with exactly the parts before it."""
    approve(store)
    seen: list[tuple[str, int]] = []

    def look(_number: int) -> None:
        with Store(store.path) as other:
            send = only(other, 1)
            seen.append((send.state, len(send.posted)))

    sender_of(store, ThreadPlatform(between=look)).send_due()
    assert seen == [("sending", 0), ("sending", 1), ("sending", 2)]


@pytest.mark.parametrize("up", [0, 1, 2])
def test_what_certainly_was_not_posted_is_resumed_from_that_part(store: Store, up: int) -> None:
    """A part that was refused for now is tried again later with its own key; the parts before it never."""
    number, clock = approve(store), ManualClock(NOW)
    platform = ThreadPlatform(*[None] * up, RateLimited("Slow down.", retry_after=60))
    sender = sender_of(store, platform, clock)
    sender.send_due()
    send = only(store, number)
    assert (send.state, len(send.posted), send.attempts) == (SendState.APPROVED, up, 1)
    assert sender.send_due() == 0
    clock.advance(61)
    sender.send_due()
    assert platform.texts == [*PARTS[: up + 1], *PARTS[up:]]
    assert len({key for _, key, _ in platform.calls}) == 3
    assert only(store, number).state is SendState.SENT


def test_tries_are_counted_for_each_part(store: Store) -> None:
    """A part that is up starts the count anew; a part that never goes through ends the thread, with what is up."""
    number, clock = approve(store), ManualClock(NOW)
    some = [Retryable("Busy.")] * (MOST_ATTEMPTS - 1)
    platform = ThreadPlatform(*some, None, *some, None, *[*some, Retryable("Busy.")])
    sender = sender_of(store, platform, clock)
    for _ in range(3 * MOST_ATTEMPTS):
        sender.send_due()
        clock.advance(130)
    send = only(store, number)
    assert len(platform.calls) == 3 * MOST_ATTEMPTS
    assert (send.state, len(send.posted)) == (SendState.REFUSED, 2)
    assert send.problem.startswith("2 of 3 parts are posted (https://place.example/")
    assert send.problem.endswith("the rest was not sent. Not posted after 6 attempts: Busy.")


def test_a_refusal_in_the_middle_says_what_is_up(store: Store) -> None:
    """The owner has the conversation back, with the link and the platform's sentence; the rest never leaves."""
    number, clock = approve(store), ManualClock(NOW)
    platform = ThreadPlatform(None, Permanent("The thread is locked."))
    sender = sender_of(store, platform, clock)
    for _ in range(3):
        sender.send_due()
        clock.advance(3600)
    send = only(store, number)
    assert (send.state, platform.texts) == (SendState.REFUSED, list(PARTS[:2]))
    assert send.problem == f"1 of 3 parts is posted ({FIRST}); the rest was not sent. The thread is locked."
    assert (state_of(store, number), send.left) == (State.CLAIMED, PARTS[1:])


@pytest.mark.parametrize("error", [Unknown("timed out"), RuntimeError("a mistake")])
def test_nothing_follows_a_part_in_doubt(store: Store, error: Exception) -> None:
    """An uncertain part is never repeated, and the rest is not sent by itself; a person is told what is surely up."""
    number, clock = approve(store), ManualClock(NOW)
    platform = ThreadPlatform(None, error)
    sender = sender_of(store, platform, clock)
    for _ in range(3):
        sender.send_due()
        clock.advance(3600)
    send = only(store, number)
    assert (send.state, platform.texts) == (SendState.UNKNOWN, list(PARTS[:2]))
    assert send.problem.startswith(
        f"1 of 3 parts is posted ({FIRST}) for sure; part 2 is in doubt, and the rest was not sent."
    )
    assert "Look at https://place.example/a" in send.problem


def test_a_feed_that_went_meanwhile_cannot_go_on(store: Store) -> None:
    """The feed was taken out of the settings between two parts: refused, with what is up."""
    number, clock = approve(store), ManualClock(NOW)
    sender_of(store, ThreadPlatform(None, Retryable("Busy.")), clock).send_due()
    clock.advance(60)
    Sender(store, {}, clock).send_due()
    assert only(store, number).state is SendState.REFUSED
    assert only(store, number).problem.startswith(f"1 of 3 parts is posted ({FIRST}); the rest was not sent.")


# Undo


def test_undo_stops_the_rest_and_says_what_is_up(store: Store) -> None:
    """Between two parts the rest can be stopped; what is up stays up, and nobody says that nothing was sent."""
    number, clock = approve(store), ManualClock(NOW)
    platform = ThreadPlatform(None, None, Retryable("Busy."))
    sender = sender_of(store, platform, clock)
    sender.send_due()
    outcome = decisions.undo(store, number, BEN, clock.now())
    assert outcome.is_done
    assert outcome.sentence == f"Stopped: 2 of 3 parts are posted ({FIRST}), and the rest is not sent."
    clock.advance(600)
    assert (sender.send_due(), len(platform.calls)) == (0, 3)
    send = only(store, number)
    assert (send.state, state_of(store, number)) == (SendState.UNDONE, State.CLAIMED)
    assert send.problem == f"2 of 3 parts are posted ({FIRST}); the rest was not sent. Ben Okafor undid it."
    again = decisions.undo(store, number, ANA, clock.now())
    assert again.is_done
    assert "2 of 3 parts are posted" in again.sentence
    assert "nothing was sent" not in again.sentence


def test_undo_within_the_hold_stops_the_whole_thread(store: Store) -> None:
    """Before the first part left, undone means that nothing was sent."""
    number = approve(store, hold=30)
    assert decisions.undo(store, number, BEN, NOW).sentence == "Undone: nothing was sent."
    platform = ThreadPlatform()
    assert (sender_of(store, platform, ManualClock(NOW + timedelta(minutes=1))).send_due(), platform.calls) == (0, [])


def test_undo_while_a_part_is_leaving_is_told_to_wait(store: Store) -> None:
    """A part that is on its way cannot be taken back, and the answer says how to stop the rest."""
    number = approve(store)
    told: list[decisions.Outcome] = []
    platform = ThreadPlatform(between=lambda _: told.append(decisions.undo(store, number, BEN, NOW)))
    sender_of(store, platform).send_due()
    assert [(outcome.is_done, outcome.sentence.split(".")[0]) for outcome in told] == [
        (False, "A part of the thread is leaving right now"),
        (False, "A part of the thread is leaving right now"),
        (False, "Too late to undo: the reply is leaving right now"),
    ]


def test_undo_between_two_parts_wins_over_the_next_one(store: Store) -> None:
    """Once it is told to be stopped, no further part is begun, though the sender is in the middle of the thread."""
    number, clock = approve(store), ManualClock(NOW)
    begin, done = store.begin_send, []

    def stop_first(*given: object) -> Send | None:
        if only(store, number).posted and not done:
            done.append(decisions.undo(store, number, BEN, NOW).is_done)
        return begin(*given)  # type: ignore[arg-type]

    store.begin_send = stop_first  # type: ignore[method-assign]
    platform = ThreadPlatform()
    sender_of(store, platform, clock).send_due()
    assert (done, platform.texts) == ([True], [PARTS[0]])
    assert only(store, number).state is SendState.UNDONE


# Stops, crashes and long sleeps


def test_a_crash_while_a_part_leaves_is_unknown_and_says_what_is_up(store: Store) -> None:
    """At the next start a person is asked to look; the rest is not sent by itself."""
    number, clock = approve(store), ManualClock(NOW)
    sender_of(store, ThreadPlatform(None, Retryable("Busy.")), clock).send_due()
    clock.advance(60)
    assert store.begin_send(only(store, number).id, clock.now()) is not None
    platform = ThreadPlatform()
    sender = sender_of(store, platform, clock)
    sender.recover()
    sender.send_due()
    assert (only(store, number).state, platform.calls) == (SendState.UNKNOWN, [])
    assert only(store, number).problem.startswith(f"1 of 3 parts is posted ({FIRST}) for sure; part 2 is in doubt")


@pytest.mark.parametrize(("minutes", "state"), [(5, SendState.SENT), (20, SendState.UNDONE)])
def test_a_stop_between_two_parts_goes_on_soon_or_not_at_all(store: Store, minutes: int, state: SendState) -> None:
    """Restarted soon, the thread goes on with its next part; long after, the rest is withdrawn as any late reply."""
    number, clock = approve(store), ManualClock(NOW)
    first = ThreadPlatform()
    sender = sender_of(store, first, clock)
    first.between = lambda _: sender._stop.set()
    sender.send_due()
    assert (first.texts, only(store, number).state) == ([PARTS[0]], SendState.APPROVED)
    clock.advance(60 * minutes)
    second = ThreadPlatform()
    again = sender_of(store, second, clock)
    again.recover()
    again.send_due()
    send = only(store, number)
    assert (send.state, second.texts) == (state, list(PARTS[1:]) if state is SendState.SENT else [])
    if state is SendState.UNDONE:
        assert send.problem.startswith(f"1 of 3 parts is posted ({FIRST}); the rest was not sent. Cuecard")
        assert state_of(store, number) is State.CLAIMED


def test_a_post_that_is_taken_down_between_two_parts_ends_the_thread(store: Store) -> None:
    """The author took the post down: what is up is told, the rest is not sent."""
    number = approve(store)
    removed = batch()[1]
    removal = Batch(removals=(Removal("place", NOW, native_id="a"),), cursor=removed.cursor)
    platform = ThreadPlatform(between=lambda _: build_intake(store).take([("feed", removal)]))
    sender_of(store, platform).send_due()
    send = only(store, number)
    assert (send.state, platform.texts) == (SendState.UNDONE, [PARTS[0]])
    assert send.problem == f"1 of 3 parts is posted ({FIRST}); the rest was not sent. The author took the post down."


def test_words_erased_while_a_part_leaves_are_not_sent_changed(store: Store) -> None:
    """A person has the author forgotten while a part is on its way: nothing more of that thread leaves."""
    number = approve(store)

    def erase(_number: int) -> None:
        store.read().execute("update send set text = ?, parts = '[]', posted = '[]'", (ERASED,))

    platform = ThreadPlatform(between=erase)
    sender_of(store, platform).send_due()
    assert (only(store, number).state, platform.texts) == (SendState.UNDONE, [PARTS[0]])
    assert "erased" in only(store, number).problem


def test_forgetting_an_author_takes_the_words_from_the_parts_too(store: Store) -> None:
    """Parts and addresses that name the author are erased with the rest; the row stays, and can be read."""
    number = approve(store)
    store.read().execute("update send set parts = ?", ('["Dear Author_A!", "Bye."]',))
    sender_of(store, ThreadPlatform(None, Permanent("Locked."))).send_due()
    assert store.forget_author("place", "author_a", NOW) == 1
    held = store.read().execute("select * from send").fetchone()
    assert not [value for value in held if "author_a" in str(value).casefold()]
    assert only(store, number).parts == ()


@pytest.mark.parametrize(
    ("odd", "kept"), [("\x00", "\x00"), ('a"b\\', 'a"b\\'), ("ü\u2028", "ü\u2028"), ("\ud800", "\ufffd")]
)
def test_whatever_a_platform_says_of_a_part_can_be_kept(store: Store, odd: str, kept: str) -> None:
    """An id or an address of any characters neither stops the thread nor is lost on the way to the next part."""
    approve(store)
    platform = ThreadPlatform()
    answer = platform.reply
    platform.reply = lambda *given, after=None: replace(answer(*given, after=after), reply_ref=odd)  # type: ignore[method-assign]
    sender_of(store, platform).send_due()
    assert [after and after.reply_ref for _, _, after in platform.calls] == [None, kept, kept]


def test_a_part_that_cannot_be_written_down_stops_the_thread(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full after a part is up: the next is not begun, and soon a person is asked to look."""
    number, platform = approve(store), ThreadPlatform()

    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    sender = sender_of(store, platform)
    with monkeypatch.context() as full:
        full.setattr(store, "finish_part", fail)
        with pytest.raises(OSError, match="disk full"):
            sender.send_due()
    assert (only(store, number).state, platform.texts) == (SendState.SENDING, [PARTS[0]])
    sender.send_due()
    assert (only(store, number).state, len(platform.calls)) == (SendState.UNKNOWN, 1)


# A person looks


def unknown(store: Store, *before: None) -> int:
    """Leave a thread in doubt at the part after so many that are up."""
    number = approve(store)
    sender_of(store, ThreadPlatform(*before, Unknown("timed out"))).send_due()
    return number


def test_a_part_in_doubt_that_is_there_does_not_answer_while_others_never_left(store: Store) -> None:
    """The part is found; the one after it was never sent, so the owner has it back and can reply with the rest."""
    number = unknown(store, None)
    found = "https://place.example/found"
    outcome = decisions.resolve_unknown(store, number, was_sent=True, url=found, actor=ANA, now=NOW)
    assert outcome.is_done
    assert outcome.sentence == f"Noted: 2 of 3 parts are posted ({FIRST}). You can reply with the rest."
    send = only(store, number)
    assert (send.state, send.left, state_of(store, number)) == (SendState.NOT_SENT, PARTS[2:], State.CLAIMED)
    assert (send.problem, send.posted[1].url) == (
        f"2 of 3 parts are posted ({FIRST}); the rest was not sent.",
        found,
    )


def test_a_last_part_in_doubt_that_is_there_answers(store: Store) -> None:
    """All of the thread is up: the conversation is answered, and the link leads to its beginning."""
    number = unknown(store, None, None)
    outcome = decisions.resolve_unknown(store, number, was_sent=True, url="", actor=ANA, now=NOW)
    assert outcome.sentence == "Answered. Thank you for looking."
    assert (only(store, number).state, only(store, number).url) == (SendState.SENT, FIRST)
    assert state_of(store, number) is State.ANSWERED


def test_a_part_in_doubt_that_is_not_there_leaves_the_rest_to_be_written(store: Store) -> None:
    """What is surely up is told again; the rest can be replied with."""
    number = unknown(store, None)
    outcome = decisions.resolve_unknown(store, number, was_sent=False, url="", actor=ANA, now=NOW)
    assert outcome.sentence == f"Noted: 1 of 3 parts is posted ({FIRST}). You can reply with the rest."
    assert (only(store, number).state, only(store, number).left) == (SendState.NOT_SENT, PARTS[1:])
    assert only(store, number).problem == f"1 of 3 parts is posted ({FIRST}); the rest was not sent."


# What it costs


def test_what_a_reply_costs_is_written_with_it(store: Store) -> None:
    """Each part is on its feed's bill as soon as it is known to be up, and never twice."""
    approve(store)
    clock = ManualClock(NOW)
    sender = sender_of(store, ThreadPlatform(None, Retryable("Busy.")), clock)
    sender.send_due()
    assert store.spent_in_month("feed", NOW) == 10_000
    clock.advance(60)
    sender.send_due()
    assert store.spent_in_month("feed", NOW) == 30_000
    assert one(store, "select count(*) from spend") == 1


def test_the_cost_and_the_answer_are_one_transaction(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the cost cannot be written, the reply is not recorded as sent either."""
    number = approve(store)
    send_id = only(store, number).id
    assert store.begin_send(send_id, NOW) is not None

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("bot.store.sends.write_spend", fail)
    with pytest.raises(OSError, match="disk full"):
        store.finish_part(send_id, Posted("1", cost_micros=5), NOW)
    assert (only(store, number).state, only(store, number).posted) == (SendState.SENDING, ())


# Where programs may not answer


def test_a_refusal_by_the_rules_closes_the_post_to_programs(store: Store) -> None:
    """It is refused, never tried again, and no reply to that post can be approved for sending any more."""
    number = approve(store)
    url = "https://place.example/write?answers=a"
    platform = ThreadPlatform(RefusedByRules("Only a person may answer here.", url=url))
    sender_of(store, platform).send_due()
    send = only(store, number)
    assert (send.state, send.route, send.url, send.is_closed_to_programs) == (SendState.REFUSED, "by_hand", url, True)
    assert store.closing_send(send.mention_id) == send
    outcome = press_send(store, number)
    assert (outcome.is_done, outcome.sentence.split(";")[0]) == (False, "Programs may not answer this post")
    view = store.card_view(number)
    assert view is not None
    given = (store, number, view.mention_id, WORDS, "", THREAD, "by_hand", ANA, NOW, timedelta())
    assert decisions.approve(*given, as_thread=True).is_done  # type: ignore[arg-type]
    decisions.deny_by_hand(store, number, ANA, NOW)
    assert not press_send(store, number).is_done


def test_another_refusal_closes_nothing(store: Store) -> None:
    """A locked account is mended by a person; after that the same post can be answered."""
    number = approve(store)
    sender_of(store, ThreadPlatform(Permanent("The account is locked."))).send_due()
    assert not only(store, number).is_closed_to_programs
    assert store.closing_send(only(store, number).mention_id) is None
    assert press_send(store, number).is_done
