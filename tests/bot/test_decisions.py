"""Everything a person can do, on a real store."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from seeds import ANA, BEN, NOW, a_mention, hear, newest_mention, shaped, show

from bot import decisions
from bot.conversation import Actor, DismissReason, State
from bot.decisions import Outcome
from bot.ledger import SendState
from bot.records import CardView, JobKind
from bot.store import Store
from bot.store.conversations import reopen
from listeners.contract import Shape
from listeners.mention import Author

HOLD = timedelta(seconds=30)
LATER = NOW + timedelta(minutes=4)
BROKEN = "The reply holds a broken character that cannot be posted; delete it or type it again."
FILL_TWO = "Fill in [a] first (1 more after that): only you know what belongs there."
SUGGESTION = "Sorry about the leak! [what you found]"
WORDS = "Sorry about the leak! The seal of that batch was bad; a new one is in the post."


@pytest.fixture
def shown(store: Store) -> int:
    """A conversation that is shown and that nobody has."""
    number = hear(store, a_mention())
    show(store, number)
    drain(store)
    return number


def drain(store: Store) -> list[str]:
    """Do all the waiting card jobs; return their keys."""
    keys = []
    while job := store.take_job(NOW + timedelta(days=99), {JobKind.CARD}):
        keys.append(job.key)
        store.finish_job(job, NOW)
    return keys


def view(store: Store, number: int) -> CardView:
    """Return the view of a conversation that exists."""
    found = store.card_view(number)
    assert found is not None
    return found


def approve(store: Store, number: int, text: str = WORDS, actor: Actor = ANA, **changes: object) -> Outcome:
    """Approve a reply to the newest mention."""
    given: dict = {
        "mention_id": newest_mention(store, number),
        "suggestion": SUGGESTION,
        "shape": shaped(text),
        "route": "api",
        "now": NOW,
        "hold": HOLD,
    } | changes
    return decisions.approve(store, number, text=text, actor=actor, **given)


def test_of_two_who_claim_one_gets_it_and_the_other_is_told(store: Store, shown: int):
    """The second to claim is told who has it, and since when."""
    assert decisions.claim(store, shown, ANA, NOW) == Outcome(is_done=True, sentence="You have this one now.")
    refused = decisions.claim(store, shown, BEN, LATER)
    assert refused == Outcome(is_done=False, sentence="Ana Lima claimed this 4 minutes ago.")
    assert view(store, shown).conversation.owner == ANA
    again = decisions.claim(store, shown, ANA, LATER)
    assert again == Outcome(is_done=True, sentence="You have this one already.")


@pytest.mark.parametrize("is_shared", [True, False], ids=["one process", "as many processes"])
def test_eight_threads_claim_and_exactly_one_wins(store: Store, shown: int, is_shared: bool):
    """A claim is a compare-and-set, whoever runs it: threads of one store, or stores that share but the file."""
    people = [Actor(f"U{n}", f"Person {n}") for n in range(8)]
    stores = [store if is_shared else Store(store.path).open() for _ in people]
    start = threading.Barrier(len(people))
    outcomes: dict[str, Outcome] = {}

    def press(person: Actor, its_store: Store) -> None:
        start.wait()
        outcomes[person.id] = decisions.claim(its_store, shown, person, NOW)

    threads = [threading.Thread(target=press, args=given) for given in zip(people, stores, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [person for person, outcome in outcomes.items() if outcome.is_done]
    owner = view(store, shown).conversation.owner
    assert len(outcomes) == len(people)
    assert owner is not None
    assert winners == [owner.id]
    assert all(owner.name in outcome.sentence for outcome in outcomes.values() if not outcome.is_done)
    assert [entry.event for entry in store.history(shown)].count("claim") == 1
    for opened in stores:
        opened.close()


@pytest.mark.parametrize(
    "decide",
    [
        decisions.release,
        lambda *given: decisions.snooze(*given[:2], NOW + timedelta(hours=9), *given[2:]),
        lambda *given: decisions.hand_over(*given[:2], "to support", *given[2:]),
        lambda *given: decisions.dismiss(*given[:2], DismissReason.SPAM, *given[2:]),
        lambda *given: approve(*given[:2], actor=given[2]),
    ],
    ids=["release", "snooze", "hand_over", "dismiss", "reply"],
)
def test_only_the_owner_lets_go_of_what_is_theirs(store: Store, shown: int, decide: Callable[..., Outcome]):
    """What Ana has, Ben can neither release, put away, hand over, dismiss nor answer; and Ana can."""
    decisions.claim(store, shown, ANA, NOW)
    before = store.history(shown)
    refused = decide(store, shown, BEN, LATER)
    assert not refused.is_done
    assert "Ana Lima" in refused.sentence
    assert store.history(shown) == before
    assert decide(store, shown, ANA, LATER).is_done


def test_release_gives_it_back_and_nobody_has_it(store: Store, shown: int):
    """After a release anyone can claim."""
    decisions.claim(store, shown, ANA, NOW)
    assert decisions.release(store, shown, ANA, NOW).is_done
    assert view(store, shown).conversation.owner is None
    assert decisions.release(store, shown, ANA, NOW).sentence == "Nobody has this one yet; claim it first."
    assert decisions.claim(store, shown, BEN, NOW).is_done


def test_anyone_assigns_and_the_record_says_who_did(store: Store, shown: int):
    """An assignment takes it from whoever has it; the actor is who assigned."""
    decisions.claim(store, shown, ANA, NOW)
    given = decisions.assign(store, shown, BEN, ANA, LATER)
    assert given == Outcome(is_done=True, sentence="Ben Okafor has this one now.")
    entry = store.history(shown)[-1]
    assert (entry.actor, entry.event, entry.detail) == (ANA, "assign", "to Ben Okafor")
    assert decisions.assign(store, shown, BEN, ANA, LATER).sentence == "Ben Okafor has this one already."
    assert decisions.assign(store, shown, ANA, ANA, LATER).sentence == "You have this one now."


def test_a_snooze_comes_back_to_its_owner(store: Store, shown: int):
    """Until the moment it is away from the queue; then it is the owner's again."""
    decisions.claim(store, shown, ANA, NOW)
    until = NOW + timedelta(hours=2)
    said = decisions.snooze(store, shown, until, ANA, NOW)
    assert said == Outcome(is_done=True, sentence="It comes back in 2 hours.")
    assert store.queue(now=NOW) == []
    taken = decisions.claim(store, shown, BEN, LATER)
    assert taken.sentence == "Ana Lima snoozed this 4 minutes ago; it comes back in 1 hour."
    assert store.wake_snoozed(NOW + timedelta(hours=1)) == []
    assert [each.conversation.id for each in store.queue(now=until)] == [shown]
    assert store.wake_snoozed(until) == [shown]
    assert (view(store, shown).conversation.state, view(store, shown).conversation.owner) == (State.CLAIMED, ANA)
    assert view(store, shown).conversation.snoozed_until is None


def test_a_snooze_into_the_past_is_refused(store: Store, shown: int):
    """A time that has passed is no snooze."""
    assert not decisions.snooze(store, shown, NOW, ANA, NOW).is_done


def test_dismiss_and_restore(store: Store, shown: int):
    """Anyone dismisses what nobody has, says why, and can take it back."""
    assert decisions.dismiss(store, shown, DismissReason.SPAM, BEN, NOW).sentence == "Dismissed: Spam or promotion."
    assert view(store, shown).conversation.dismiss_reason is DismissReason.SPAM
    refused = decisions.claim(store, shown, ANA, LATER)
    assert refused.sentence == "Ben Okafor dismissed this 4 minutes ago; restore it first."
    assert decisions.restore(store, shown, ANA, LATER).is_done
    assert view(store, shown).conversation.state is State.SHOWN
    assert view(store, shown).conversation.dismiss_reason is None
    assert not decisions.restore(store, shown, ANA, LATER).is_done


def test_hand_over_needs_a_note_and_keeps_its_words(store: Store, shown: int):
    """Who hands over says to whom; the words are on record."""
    assert not decisions.hand_over(store, shown, "  ", ANA, NOW).is_done
    assert decisions.hand_over(store, shown, "to legal: a threat", ANA, NOW).is_done
    assert store.history(shown)[-1].detail == "to legal: a threat"
    assert "You handed this over" in decisions.dismiss(store, shown, DismissReason.SPAM, ANA, LATER).sentence


def test_a_number_that_does_not_exist_is_said_to(store: Store):
    """Every decision on a conversation that is not there is refused with a sentence."""
    for outcome in (
        decisions.claim(store, 7, ANA, NOW),
        decisions.release(store, 7, ANA, NOW),
        decisions.assign(store, 7, BEN, ANA, NOW),
        decisions.restore(store, 7, ANA, NOW),
        decisions.dismiss(store, 7, DismissReason.SPAM, ANA, NOW),
        decisions.approve(store, 7, 1, "Hi", "", shaped("Hi"), "api", ANA, NOW, HOLD),
    ):
        assert outcome == Outcome(is_done=False, sentence="There is no such conversation.")
    assert not decisions.undo(store, 7, ANA, NOW).is_done
    assert not decisions.confirm_by_hand(store, 7, "", ANA, NOW).is_done


def test_every_decision_asks_for_the_card_once(store: Store, shown: int):
    """Two decisions before Slack is told are told as one."""
    decisions.claim(store, shown, ANA, NOW)
    decisions.release(store, shown, ANA, NOW)
    assert drain(store) == [str(shown)]


@pytest.mark.parametrize(
    ("text", "shape", "sentence"),
    [
        ("", shaped(""), "The reply is empty."),
        (" \n", shaped(" \n"), "The reply is empty."),
        (SUGGESTION, shaped(SUGGESTION), "Fill in [what you found] first: only you know what belongs there."),
        ("[a] and [b]", shaped("[a] and [b]"), FILL_TWO),
        ("sorry, about the leak", shaped("x"), "These are still the suggestion's words. Say it in your own."),
        ("x" * 281, shaped("x" * 281), "This is 1 character too long: 281 of 280."),
        ("Hi", shaped("Hi", problem="No links here."), "No links here."),
        ("Hi\ud83d", shaped("Hi\ud83d"), BROKEN),
        ("Hi\x00", shaped("Hi"), BROKEN),
        ("Hi, it is fixed.", shaped("Hi, it is fixed."), ""),
    ],
)
def test_what_is_wrong_with_a_reply_is_said(text: str, shape: Shape, sentence: str):
    """An open gap, the suggestion's own words, the length and what the platform refuses: each has its sentence."""
    assert decisions.check_reply(text, SUGGESTION, shape) == sentence


def test_a_suggestion_is_refused_however_it_is_sent(store: Store, shown: int):
    """The same checks stand in `approve`: no caller can go around them, and the ledger stays empty."""
    decisions.claim(store, shown, ANA, NOW)
    assert "[what you found]" in approve(store, shown, SUGGESTION).sentence
    assert not approve(store, shown, "Sorry about the leak!!").is_done
    assert not approve(store, shown, "Fine words.", shape=shaped(SUGGESTION)).is_done
    assert store.sends(shown) == []


def test_an_approved_reply_is_kept_to_the_letter(store: Store, shown: int):
    """The ledger holds the shaped words, the suggestion, who and when; the conversation is sending."""
    decisions.claim(store, shown, ANA, NOW)
    outcome = approve(store, shown)
    assert outcome.is_done
    assert "30 seconds" in outcome.sentence
    (send,) = store.sends(shown)
    assert send.id == outcome.send_id
    assert (send.text, send.suggestion, send.approved_by, send.approved_at) == (WORDS, SUGGESTION, ANA, NOW)
    assert (send.state, send.send_after) == (SendState.APPROVED, NOW + HOLD)
    assert len(send.send_key) == 32
    assert view(store, shown).conversation.state is State.SENDING


def test_a_click_that_comes_twice_is_one_reply(store: Store, shown: int):
    """The very same words, again, are the same send: before it leaves, and after it arrived."""
    decisions.claim(store, shown, ANA, NOW)
    first = approve(store, shown)
    assert approve(store, shown) == first
    store.begin_send(first.send_id or 0, LATER)
    assert approve(store, shown, now=LATER).send_id == first.send_id
    store.finish_sent(first.send_id or 0, "9", "https://stage.example/9", LATER)
    assert approve(store, shown, now=LATER).send_id == first.send_id
    assert len(store.sends(shown)) == 1


def test_other_words_wait_for_the_first(store: Store, shown: int):
    """A second reply cannot be approved while one is on its way."""
    decisions.claim(store, shown, ANA, NOW)
    approve(store, shown)
    refused = approve(store, shown, "Other words.")
    assert refused.sentence == "Your reply to this is already on its way."
    assert len(store.sends(shown)) == 1


def test_a_post_that_was_taken_down_is_not_answered(store: Store, shown: int):
    """While the modal was open the author took the post down: the reply is refused."""
    decisions.claim(store, shown, ANA, NOW)
    with store.transaction() as db:
        db.execute("update mention set removed_at = 1, text = ''")
    assert "took this post down" in approve(store, shown).sentence


def test_a_post_taken_down_in_the_hold_is_not_answered_either(store: Store, shown: int):
    """The send is withdrawn at the last moment, and its owner told why."""
    decisions.claim(store, shown, ANA, NOW)
    send_id = approve(store, shown).send_id or 0
    with store.transaction() as db:
        db.execute("update mention set removed_at = 1, text = ''")
    assert store.begin_send(send_id, LATER) is None
    send = store.send(send_id)
    assert send is not None
    assert send.state is SendState.UNDONE
    assert "took the post down" in send.problem
    assert view(store, shown).conversation.state is State.CLAIMED


def test_the_author_writing_again_does_not_stop_the_reply(store: Store, shown: int):
    """An earlier mention of the same conversation can be answered; one of another cannot."""
    decisions.claim(store, shown, ANA, NOW)
    first = newest_mention(store, shown)
    author = Author("author_1", native_id="id-1")
    assert hear(store, a_mention("2", "still leaks", thread_id="1", author=author)) == shown
    other = hear(store, a_mention("3"))
    assert newest_mention(store, shown) != first
    assert "not part of this conversation" in approve(store, shown, mention_id=newest_mention(store, other)).sentence
    assert "not part of this conversation" in approve(store, shown, mention_id=99).sentence
    assert approve(store, shown, mention_id=first).is_done


def test_undo_within_the_hold_sends_nothing(store: Store, shown: int):
    """Anyone stops a reply that has not left; it can never leave after that, and new words can."""
    decisions.claim(store, shown, ANA, NOW)
    send_id = approve(store, shown).send_id or 0
    assert decisions.undo(store, shown, BEN, NOW).is_done
    assert store.begin_send(send_id, LATER) is None
    assert view(store, shown).conversation.state is State.CLAIMED
    assert store.history(shown)[-1].actor == BEN
    assert "was undone" in decisions.undo(store, shown, ANA, LATER).sentence
    again = approve(store, shown)
    assert again.is_done
    assert again.send_id != send_id


def test_undo_after_the_reply_left_is_too_late(store: Store, shown: int):
    """Once it is leaving, or has arrived, the sentence says so."""
    decisions.claim(store, shown, ANA, NOW)
    send_id = approve(store, shown).send_id or 0
    store.begin_send(send_id, LATER)
    assert "leaving right now" in decisions.undo(store, shown, ANA, LATER).sentence
    store.finish_sent(send_id, "9", "", LATER)
    late = decisions.undo(store, shown, ANA, LATER)
    assert (late.is_done, late.sentence) == (False, "Too late to undo: the reply was sent just now.")


def test_by_hand_waits_for_a_persons_word(store: Store, shown: int):
    """A reply by hand is sent by nobody here; a person confirms it, with its address."""
    decisions.claim(store, shown, ANA, NOW)
    assert approve(store, shown, route="by_hand").is_done
    assert store.due_sends(LATER) == []
    assert "not a web address" in decisions.confirm_by_hand(store, shown, "javascript:alert(1)", ANA, LATER).sentence
    assert decisions.confirm_by_hand(store, shown, "https://stage.example/9", ANA, LATER).is_done
    assert decisions.confirm_by_hand(store, shown, "", ANA, LATER).sentence == "That is on record already."
    found = view(store, shown)
    assert found.send is not None
    assert (found.send.state, found.send.url) == (SendState.CONFIRMED, "https://stage.example/9")
    assert (found.conversation.state, found.conversation.answered_at) == (State.ANSWERED, LATER)


def test_by_hand_can_be_denied(store: Store, shown: int):
    """Not posted after all: the conversation is its owner's again."""
    decisions.claim(store, shown, ANA, NOW)
    approve(store, shown, route="by_hand")
    assert "by hand" in decisions.undo(store, shown, ANA, LATER).sentence
    assert decisions.deny_by_hand(store, shown, ANA, LATER).is_done
    assert view(store, shown).conversation.state is State.CLAIMED
    assert store.sends(shown)[0].state is SendState.NOT_SENT


@pytest.mark.parametrize("was_sent", [True, False])
def test_an_unknown_reply_blocks_until_a_person_looked(store: Store, shown: int, was_sent: bool):
    """No new reply, no release and no dismissal while nobody knows; a person's word settles it."""
    decisions.claim(store, shown, ANA, NOW)
    send_id = approve(store, shown).send_id or 0
    store.begin_send(send_id, LATER)
    store.finish_unknown(send_id, "The connection broke.", LATER)
    for refused in (
        approve(store, shown),
        decisions.release(store, shown, ANA, LATER),
        decisions.dismiss(store, shown, DismissReason.SPAM, ANA, LATER),
        decisions.snooze(store, shown, LATER + HOLD, ANA, LATER),
        decisions.undo(store, shown, ANA, LATER),
    ):
        assert "Nobody knows yet" in refused.sentence
    assert decisions.assign(store, shown, BEN, ANA, LATER).is_done
    assert decisions.resolve_unknown(store, shown, was_sent, "", BEN, LATER).is_done
    expected = (SendState.SENT, State.ANSWERED) if was_sent else (SendState.NOT_SENT, State.CLAIMED)
    assert (store.sends(shown)[0].state, view(store, shown).conversation.state) == expected
    assert not decisions.resolve_unknown(store, shown, not was_sent, "", BEN, LATER).is_done


def test_the_author_writing_again_opens_what_was_answered_to_its_owner(store: Store, shown: int):
    """Answered, then written again: back to the one who answered."""
    decisions.claim(store, shown, ANA, NOW)
    send_id = approve(store, shown).send_id or 0
    store.begin_send(send_id, LATER)
    store.finish_sent(send_id, "9", "", LATER)
    with store.transaction() as db:
        assert reopen(db, shown, LATER) is State.CLAIMED
        assert reopen(db, shown, LATER) is None
    assert view(store, shown).conversation.owner == ANA


def test_a_copy_that_is_claimed_gets_a_card_of_its_own(store: Store, shown: int):
    """What a person takes from under another's card leaves that card, and both are redrawn."""
    copy = hear(store, a_mention("2"), twin_of=a_mention())
    assert view(store, copy).conversation.lead_id == shown
    assert view(store, shown).copies == 1
    drain(store)
    assert decisions.claim(store, copy, BEN, NOW).is_done
    assert view(store, copy).conversation.lead_id is None
    assert view(store, shown).copies == 0
    assert sorted(drain(store)) == [str(shown), str(copy)]


def test_dismissing_what_is_quiet_posts_no_card(store: Store):
    """What was never in the channel is not brought there by being let rest."""
    quiet = hear(store, a_mention(), cause="line")
    assert decisions.dismiss(store, quiet, DismissReason.NOT_US, ANA, NOW).is_done
    assert drain(store) == []
    assert decisions.restore(store, quiet, ANA, NOW).is_done
    assert drain(store) == [str(quiet)]
