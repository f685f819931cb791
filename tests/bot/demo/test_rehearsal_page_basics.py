"""The page in a real browser, with the small Bolt app behind it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser import new_page, open_browser
from mini_app import MiniApp, card
from playwright.sync_api import Browser, Page, expect

from bot.demo.rehearsal import Rehearsal

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of this file."""
    with open_browser() as running:
        yield running


@pytest.fixture
def page(browser: Browser, rehearsal: Rehearsal, mini_app: MiniApp) -> Iterator[Page]:
    """The page as Ana sees it; at the end it must have had no fault and asked nobody else."""
    del mini_app
    page, faults = new_page(browser, rehearsal.url)
    yield page
    page.close()
    assert faults == []


def test_a_card_appears_and_a_click_changes_it_in_place(page: Page, mini_app: MiniApp):
    """A posted card is drawn at once; Claim reaches the app, and the same card says who has it."""
    ts = mini_app.post_card()
    shown = page.locator(f'.message[data-ts="{ts}"]')
    expect(shown.get_by_role("heading", name="Answer now · Safety · #1")).to_be_visible()
    shown.locator('[data-action-id="claim"]').click()
    expect(shown).to_contain_text("@Ana Lima has this.")
    assert mini_app.names_seen() == ["claim"]
    expect(shown.locator('[data-action-id="claim"]')).to_be_focused()


def test_nothing_in_a_post_acts(page: Page, rehearsal: Rehearsal, mini_app: MiniApp):
    """Markup, scripts and escaped tokens are shown as the text they are; an unescaped token shows as a ping."""
    evil = "<img src=x onerror=alert(1)><script>alert(2)</script> javascript:alert(3) <!channel>"
    ts = mini_app.post_card(text=evil, status="&lt;!here&gt; <javascript:alert(4)|click> <!everyone>")
    shown = page.locator(f'.message[data-ts="{ts}"]')
    expect(shown).to_contain_text(evil)
    expect(shown).to_contain_text("<!here> click")
    assert shown.locator("img:not(.avatar), script, a").count() == 0
    expect(shown.locator(".ping")).to_have_text("@everyone")
    assert [ping.target for ping in rehearsal.pings] == ["!everyone"]


def test_a_form_counts_refuses_and_sends(page: Page, mini_app: MiniApp):
    """The count follows the keys without taking them away; the refusal stands below its input; then it is sent."""
    ts = mini_app.post_card()
    page.locator(f'[data-ts="{ts}"] [data-action-id="reply"]').click()
    words = page.get_by_label("Your answer")
    expect(words).to_be_focused()
    page.keyboard.type("Hello [what you found]")
    expect(page.locator("#modal")).to_contain_text("Characters: 22 of 280")
    expect(words).to_have_value("Hello [what you found]")
    expect(words).to_be_focused()
    page.get_by_label("Warm").check()
    page.keyboard.press("Control+Enter")
    expect(page.locator('[data-block-id="words"] [role="alert"]')).to_have_text(
        "There is still a gap: [what you found]."
    )
    expect(words).to_be_focused()
    words.fill("Hello Mara")
    page.locator('#modal [data-role="submit"]').click()
    expect(page.locator("#modal")).to_be_hidden()
    state = mini_app.seen[-1][1]["view"]["state"]["values"]
    assert state["words"]["text"]["value"] == "Hello Mara"
    assert state["tone"]["tone"]["selected_option"]["value"] == "warm"
    expect(page.locator(f'[data-ts="{ts}"] [data-action-id="reply"]')).to_be_focused()


def test_escape_closes_a_form_and_tells_the_app(page: Page, rehearsal: Rehearsal, mini_app: MiniApp):
    """Esc is Cancel."""
    ts = mini_app.post_card()
    page.locator(f'[data-ts="{ts}"] [data-action-id="reply"]').click()
    expect(page.get_by_label("Your answer")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#modal")).to_be_hidden()
    rehearsal.wait_for(lambda: "closed" in mini_app.names_seen())


def test_menus_and_confirmation(page: Page, rehearsal: Rehearsal, mini_app: MiniApp):
    """A choice arrives with its value; what asks first does nothing when it is refused."""
    ts = mini_app.post_card()
    shown = page.locator(f'[data-ts="{ts}"]')
    shown.locator('[data-action-id="dismiss"]').click()
    page.get_by_role("option", name="Spam or promotion").click()
    rehearsal.wait_for(lambda: mini_app.names_seen() == ["dismiss"])
    assert mini_app.seen[0][1]["actions"][0]["selected_option"]["value"] == "spam"
    shown.locator('[data-action-id="release"]').click()
    page.get_by_role("button", name="Keep").click()
    shown.locator('[data-action-id="release"]').click()
    page.locator("#confirm").get_by_role("button", name="Release").click()
    rehearsal.wait_for(lambda: mini_app.names_seen() == ["dismiss", "release"])
    shown.locator('[data-action-id="assign"]').press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    rehearsal.wait_for(lambda: len(mini_app.seen) == 3)
    assert mini_app.seen[2][1]["actions"][0]["selected_user"] == "U0BENOKA"


def test_a_command_is_answered_to_one_person(page: Page):
    """Only who asked sees the answer; another teammate does not."""
    page.keyboard.press("/")
    expect(page.get_by_role("option", name="/claim")).to_be_visible()
    page.keyboard.type("cl")
    page.keyboard.press("Tab")
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    whisper = page.locator(".message.whisper")
    expect(whisper).to_contain_text("Only visible to you")
    expect(whisper).to_contain_text("You have #3 now.")
    page.locator('[data-person="U0BENOKA"]').click()
    expect(page.locator('[data-person="U0BENOKA"]')).to_have_attribute("aria-pressed", "true")
    expect(whisper).to_have_count(0)
    page.locator("#say").fill("/dance now")
    page.keyboard.press("Enter")
    expect(page.locator("#composer")).to_contain_text("/dance is not a valid command.")


def test_a_thread_keeps_notes_and_typed_words(page: Page, mini_app: MiniApp):
    """A note stays in the thread; an edit of the card neither takes the focus nor what was typed."""
    ts = mini_app.post_card()
    page.locator(f'#list [data-ts="{ts}"] .thread-button').click()
    note = page.get_by_label("Note to the team")
    expect(note).to_be_focused()
    page.keyboard.type("Who knows this batch?")
    page.keyboard.press("Enter")
    expect(page.locator(".thread-list")).to_contain_text("Who knows this batch?")
    expect(page.locator(f'#list [data-ts="{ts}"] .thread-button')).to_contain_text("1 note")
    page.keyboard.type("half a thou")
    mini_app.client.chat_update(channel="C0MENTIONS", ts=ts, text="x", blocks=card(status="Changed meanwhile."))
    expect(page.locator(".thread-list")).to_contain_text("Changed meanwhile.")
    expect(note).to_have_value("half a thou")
    expect(note).to_be_focused()
    assert page.locator("#list > .message").count() == 1
    page.keyboard.press("Escape")
    expect(page.locator("#thread")).to_be_hidden()


def test_the_keyboard_is_enough(page: Page, mini_app: MiniApp):
    """The keys j and k move between messages, Enter goes to the first button, ? shows the keys."""
    stamps = [mini_app.post_card() for _ in range(3)]
    expect(page.locator("#list > .message")).to_have_count(3)
    page.locator("#place-title").focus()
    page.keyboard.press("k")
    expect(page.locator(f'[data-ts="{stamps[2]}"]')).to_be_focused()
    page.keyboard.press("k")
    expect(page.locator(f'[data-ts="{stamps[1]}"]')).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(f'[data-ts="{stamps[1]}"] [data-action-id="more"]')).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator(f'[data-ts="{stamps[2]}"]')).to_be_focused()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()


def test_unread_messages_are_counted(page: Page, mini_app: MiniApp):
    """A channel that is not looked at counts, and stops counting once it is."""
    mini_app.client.chat_postMessage(channel="#cuecard-ops", text="A feed is deaf.")
    place = page.locator('[data-place="C0OPS"]')
    expect(place.locator(".count")).to_have_text("1")
    place.click()
    expect(place.locator(".count")).to_have_count(0)
    expect(page.locator("#list")).to_contain_text("A feed is deaf.")


def test_app_home_and_its_buttons(page: Page, rehearsal: Rehearsal, mini_app: MiniApp):
    """Opening the tab asks the app for it; its buttons work."""
    page.locator('[data-place="home"]').click()
    page.get_by_role("button", name="Take it").click()
    rehearsal.wait_for(lambda: mini_app.names_seen() == ["home", "home_claim"])


def test_a_link_to_a_message_stays_on_the_page(page: Page, mini_app: MiniApp):
    """A permalink leads to the message, here."""
    ts = mini_app.post_card()
    link = mini_app.client.chat_getPermalink(channel="C0MENTIONS", message_ts=ts)["permalink"]
    mini_app.client.chat_postMessage(channel="#cuecard-ops", text=f"See <{link}|that card>")
    page.locator('[data-place="C0OPS"]').click()
    page.get_by_role("link", name="that card").click()
    expect(page.locator(f'#list [data-ts="{ts}"]')).to_be_focused()


def test_an_app_that_is_gone_is_said_in_words(browser: Browser, rehearsal: Rehearsal):
    """Without the app a click says so, below the card."""
    app = MiniApp(rehearsal)
    ts = app.post_card()
    app.close()
    rehearsal.wait_for(lambda: rehearsal.connections == 0)
    page, faults = new_page(browser, rehearsal.url)
    page.locator(f'[data-ts="{ts}"] [data-action-id="claim"]').click()
    expect(page.locator(f'[data-ts="{ts}"] .trouble')).to_have_text("Cuecard did not respond. Try again.")
    page.close()
    assert faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_have_contrast(browser: Browser, rehearsal: Rehearsal, mini_app: MiniApp, scheme: str):
    """Every visible text stands out from what is behind it by at least 4.5 to 1."""
    mini_app.post_card()
    page, _ = new_page(browser, rehearsal.url)
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    expect(page.locator(".message.card")).to_have_count(1)
    pale = page.evaluate(CONTRAST)
    page.close()
    assert pale == []


def test_a_narrow_window_needs_no_sideways_scrolling(page: Page, mini_app: MiniApp):
    """On a phone everything fits, and every place can be reached."""
    mini_app.post_card(text="A_very_long_word_without_a_break_" * 20)
    page.set_viewport_size({"width": 390, "height": 780})
    expect(page.locator(".message.card")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth && list.scrollWidth <= innerWidth")
    for place in page.locator("[data-place]").all():
        expect(place).to_be_in_viewport(ratio=0.9)


def test_the_page_finds_its_way_back(browser: Browser):
    """While the server is gone the page says so; once it is there again, what happened meanwhile is shown."""
    first = Rehearsal()
    first.start()
    port = int(first.url.rpartition(":")[2])
    page, _ = new_page(browser, first.url)
    page.locator("#say").fill("half a thou")
    first.stop()
    expect(page.locator("#connection")).to_have_text("Reconnecting…")
    with Rehearsal(port) as second:
        second.say("Ben Okafor", "#mentions", "I am back.")
        expect(page.locator("#list")).to_contain_text("I am back.", timeout=10_000)
        expect(page.locator("#connection")).to_have_text("")
        expect(page.locator("#say")).to_have_value("half a thou")
    page.close()


CONTRAST = """() => {
  const paint = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = (color) => { paint.clearRect(0, 0, 1, 1); paint.fillStyle = color; paint.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = paint.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255]; };
  const light = ([r, g, b]) => { const f = (c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b); };
  const behind = (node) => { for (; node; node = node.parentElement) {
    const color = rgba(getComputedStyle(node).backgroundColor); if (color[3] > 0.99) return color; }
    return [255, 255, 255, 1]; };
  const pale = [];
  for (const node of document.querySelectorAll('body *')) {
    const own = [...node.childNodes].some((c) => c.nodeType === 3 && c.textContent.trim());
    if (!own || !node.checkVisibility() || node.closest('.mark')) continue;
    const style = getComputedStyle(node), front = rgba(style.color), back = behind(node);
    const a = front[3] * Number(style.opacity), mixed = front.slice(0, 3).map((c, i) => c * a + back[i] * (1 - a));
    const [x, y] = [light(mixed), light(back)].sort((p, q) => q - p), ratio = (x + 0.05) / (y + 0.05);
    if (ratio < 4.5) pale.push(`${ratio.toFixed(2)} ${node.className} ${node.textContent.trim().slice(0, 30)}`);
  }
  return pale;
}"""
