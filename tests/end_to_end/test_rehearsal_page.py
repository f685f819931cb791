"""The whole loop as people see it: the real bot, the real page, a real browser.

CUECARD_PICTURE=FILE.png keeps a picture of the page, for the README.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest
from browser import new_page, open_browser
from playwright.sync_api import Locator, Page, expect

from bot.demo.rehearsal import Rehearsal
from bot.demo.show import open_demo

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

HOLD_SECONDS = 4.0
SLOW = 15_000  # milliseconds: the bot tells Slack one thing a second
LONG = (
    "I am sorry that nobody answered your mails. One of the two charges went back to your card this morning; it takes"
    " two to four days, depending on your bank. If it is not there on Friday, write to me here, and I will call the"
    " bank myself.\n\nYour kettle ships today. The parcel is a little bigger than the kettle, because there is a tin of"
    " the Evening Meadow beside it, for the wait."
)
ANSWER = "One of the two charges went back to your card this morning; your kettle ships today."


@pytest.fixture(scope="module")
def rehearsal() -> Iterator[Rehearsal]:
    """The demo, with its first posts and then a new one every second."""
    with open_demo(pace=1.0, hold_seconds=HOLD_SECONDS) as (running, _):
        yield running


@pytest.fixture(scope="module")
def page(rehearsal: Rehearsal) -> Iterator[Page]:
    """The page; after all that was done on it, nobody was called, nothing was asked of anyone else, no ack was late."""
    with open_browser() as browser:
        shown, faults = new_page(browser, rehearsal.url)
        yield shown
        assert faults == []
        assert rehearsal.pings == []
        assert rehearsal.complaints == []


def become(page: Page, name: str) -> None:
    """Act as another teammate."""
    person = page.locator("[data-person]", has_text=name)
    person.click()
    expect(person).to_have_attribute("aria-pressed", "true")
    go_to(page, "C0MENTIONS")


def go_to(page: Page, place: str) -> None:
    """Open a place of the sidebar."""
    page.locator(f'[data-place="{place}"]').click()
    expect(page.locator("#place")).to_have_attribute("data-shown", place)


def card_of(page: Page, words: str, patience: float = SLOW) -> Locator:
    """Return the card on which these words stand, once it is there."""
    card = page.locator("#list > .message.card", has_text=words)
    expect(card).to_have_count(1, timeout=patience)
    return card


def press(card: Locator, name: str) -> None:
    """Press a button of a card."""
    card.get_by_role("button", name=name, exact=True).click()


def whisper(page: Page) -> Locator:
    """Return the newest message that only this person sees."""
    return page.locator("#list > .message.whisper").last


def answers_to(rehearsal: Rehearsal, post: str) -> list[str]:
    """Return what was answered to one post in public, oldest first."""
    return [reply["text"] for reply in rehearsal.replies_on_stage() if reply["in_reply_to"] == post]


def run(page: Page, command: str) -> None:
    """Type a command and send it."""
    field = page.locator("#say")
    field.fill(command)
    field.press("Enter")


def test_a_conversation_from_the_post_to_the_public_answer(page: Page, rehearsal: Rehearsal):
    """Claimed by one and refused to another; the gap holds; Undo takes back; the second send is seen in public."""
    become(page, "Ana Lima")
    card = card_of(page, "charged my card twice")
    expect(card).to_contain_text("Why:")
    press(card, "Claim")
    expect(card).to_contain_text("Claimed by Ana Lima", timeout=SLOW)
    if picture := os.environ.get("CUECARD_PICTURE"):
        keep_picture(page, picture)

    become(page, "Ben Okafor")
    card = card_of(page, "charged my card twice")
    number = re.search(r"#(\d+)", card.get_by_role("heading").inner_text())
    assert number
    run(page, f"/claim {number[1]}")
    expect(whisper(page)).to_contain_text(re.compile("Ana Lima (claimed|has) this"), timeout=SLOW)

    become(page, "Ana Lima")
    card = card_of(page, "charged my card twice")
    write_an_answer(page, card)
    expect(card).to_contain_text("reply goes out at", timeout=SLOW)
    press(card, "Undo")
    expect(card).to_contain_text("Claimed by Ana Lima", timeout=SLOW)
    assert answers_to(rehearsal, "bluesky-006") == []

    press(card, "Reply")
    page.get_by_label("Your answer").fill(ANSWER)
    page.locator('#modal [data-role="submit"]').click()
    expect(page.locator("#modal")).to_be_hidden()
    expect(card).to_contain_text("Answered by Ana Lima", timeout=2 * SLOW)
    assert answers_to(rehearsal, "bluesky-006") == [ANSWER]
    go_to(page, "stage")
    post = page.locator(".post", has_text="charged my card twice")
    expect(post.locator(".post-reply")).to_contain_text(ANSWER)


def keep_picture(page: Page, path: str) -> None:
    """Keep what the page shows once a few cards are there."""
    expect(page.locator("#list > .message.card").nth(2)).to_be_visible(timeout=2 * SLOW)
    page.locator("#list > .message.card").first.scroll_into_view_if_needed()
    page.mouse.move(0, 0)
    page.wait_for_timeout(2000)  # the highlight of a changed card fades
    page.screenshot(path=path)


def write_an_answer(page: Page, card: Locator) -> None:
    """Be refused while the gap is open and while the words are too many, then send."""
    press(card, "Reply")
    words = page.get_by_label("Your answer")
    expect(words).to_be_visible(timeout=SLOW)
    expect(words).to_have_value(re.compile(r"\[.+\]"))
    page.keyboard.press("Control+Enter")
    refusal = page.locator("#modal .input-error:not(:empty)")
    expect(refusal).to_contain_text("Fill in [", timeout=SLOW)
    words.fill("x" * 300)
    expect(page.locator("#modal")).to_contain_text("300 of 280", timeout=SLOW)
    page.keyboard.press("Control+Enter")
    expect(refusal).to_contain_text("too long", timeout=SLOW)
    words.fill(ANSWER)
    page.locator('#modal [data-role="submit"]').click()
    expect(page.locator("#modal")).to_be_hidden(timeout=SLOW)


def test_a_long_answer_goes_out_as_a_thread(page: Page, rehearsal: Rehearsal):
    """Offered, ticked with the keyboard, shown in its parts, sent, and read on the stage in its order."""
    become(page, "Ben Okafor")
    card = card_of(page, "Someone logged into my", patience=4 * SLOW)
    press(card, "Reply")
    words, modal = page.get_by_label("Your answer"), page.locator("#modal")
    expect(words).to_be_visible(timeout=SLOW)
    words.fill(LONG)
    box = page.get_by_label("Post it as a thread of 2")
    expect(box).not_to_be_checked(timeout=SLOW)
    page.keyboard.press("Control+Enter")
    refusal = page.locator("#modal .input-error:not(:empty)")
    expect(refusal).to_contain_text("shorten it, or tick", timeout=SLOW)
    box.focus()
    page.keyboard.press("Enter")  # ticks, and does not submit
    expect(modal).to_contain_text("Part 2 of 2", timeout=SLOW)
    expect(refusal).to_be_hidden()
    expect(box).to_be_checked()
    expect(box).to_be_focused()
    page.keyboard.press("Control+Enter")
    expect(modal).to_be_hidden(timeout=SLOW)
    expect(card).to_contain_text("Answered by Ben Okafor", timeout=2 * SLOW)
    assert answers_to(rehearsal, "reddit-013") == LONG.split("\n\n")
    go_to(page, "stage")
    post = page.locator(".post", has_text="Someone logged into my")
    expect(post.locator(".post-reply")).to_have_count(2)
    expect(post.locator(".post-reply.goes-on")).to_contain_text("Your kettle ships today.")


def test_release_snooze_dismiss_and_a_note(page: Page, rehearsal: Rehearsal):
    """A card goes back, sleeps and rests, with a reason; a note stays in the thread."""
    become(page, "Chloe Martin")
    card = card_of(page, "almond that is printed")
    press(card, "Claim")
    expect(card).to_contain_text("Claimed by Chloe Martin", timeout=SLOW)
    press(card, "Release")
    expect(card.get_by_role("button", name="Claim", exact=True)).to_be_visible(timeout=SLOW)
    card.get_by_role("button", name="Snooze").click()
    page.get_by_role("option").first.click()
    expect(card).to_contain_text("Snoozed", timeout=SLOW)
    other = card_of(page, "gooseneck at 80 degrees")
    other.get_by_role("button", name="Dismiss").click()
    page.get_by_role("option", name="Needs no reply").click()
    expect(other).to_contain_text("Needs no reply", timeout=SLOW)
    expect(other).to_contain_text("Chloe Martin")
    sent = len(rehearsal.replies_on_stage())
    other.locator(".thread-button").click()
    page.get_by_label("Note to the team").fill("I know them, they like to be asked first.")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator(".thread-list")).to_contain_text("they like to be asked first")
    assert len(rehearsal.replies_on_stage()) == sent
    page.keyboard.press("Escape")


def test_commands_and_home(page: Page):
    """The queue, a search and the digest are a command away; App Home has what is mine."""
    become(page, "Ben Okafor")
    card_of(page, "seam of my Fernlight")
    run(page, "/mentions seam")
    expect(whisper(page)).to_contain_text("seam of my Fernlight", timeout=SLOW)
    run(page, "/digest")
    expect(whisper(page)).to_contain_text(re.compile("conversations? waits? for an answer|unanswered"), timeout=SLOW)
    press(card_of(page, "seam of my Fernlight"), "Claim")
    expect(card_of(page, "seam of my Fernlight")).to_contain_text("Claimed by Ben Okafor", timeout=SLOW)
    go_to(page, "home")
    expect(page.locator("#list")).to_contain_text("seam of my Fernlight", timeout=SLOW)
