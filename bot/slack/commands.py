"""The slash commands. Each answers only the person who asked."""

from __future__ import annotations

from collections.abc import Sequence

from slack_sdk.models.blocks import Block

from bot import decisions
from bot.records import CardView
from bot.slack.blocks import MOST_CHARACTERS, Message, context, count_characters, header, plain, quote, section, to_json
from bot.slack.desk import Desk
from bot.slack.digest import digest_now, draw_digest
from bot.slack.home import is_all_heard
from bot.slack.press import Press
from bot.slack.rows import draw_row
from bot.slack.text import one_line, safe, safe_link

CLAIM_COMMAND = "/claim"
MENTIONS_COMMAND = "/mentions"
DIGEST_COMMAND = "/digest"
_SHOWN = 8
_MOST_WORDS = 200


def claim_by_number(press: Press) -> None:
    """Answer `/claim 12`, or `/claim` with the link of a post or of a card."""
    asked = one_line(press.value).strip("<>").split("|")[0].strip()
    if not asked:
        press.answer(say("Say which one: /claim 12, or /claim with the link of a post or of its card."))
        return
    number = press.desk.store.find_conversation(asked)
    if number is None:
        press.answer(say("Cuecard has heard no post with that number or link. /mentions shows what waits."))
        return
    outcome = decisions.claim(press.desk.store, number, press.actor, press.now)
    if outcome.is_done:
        press.redraw()
    view = press.desk.store.card_view(number)
    link = press.roster.permalink(view.channel, view.message_ts) if view else ""
    text = f"{safe(outcome.sentence, 500)} {safe_link(link, f'#{number}')}"
    press.answer(Message(text, to_json([section(text)])))


def list_mentions(press: Press) -> None:
    """Answer `/mentions` with the queue, `/mentions words` with what holds all the words."""
    words = one_line(press.value)[:_MOST_WORDS]
    store = press.desk.store
    found = store.search(words, _SHOWN) if words else store.queue(_SHOWN, now=press.now)
    title = f"Mentions with “{words}”" if words else "What waits for an answer"
    empty = "Nothing that was heard holds all of these words." if words else _describe_empty(press.desk)
    press.answer(draw_list(title, empty, found, press))


def show_digest(press: Press) -> None:
    """Answer `/digest` with how things stand now."""
    digest = digest_now(press.desk)
    press.answer(draw_digest(digest, press.roster.permalink))


def say(sentence: str) -> Message:
    """Return one sentence as a message."""
    return Message(safe(sentence, 1500), to_json([quote(sentence, 1500)]))


def draw_list(title: str, empty: str, views: Sequence[CardView], press: Press) -> Message:
    """Return conversations as a message that fits: the first ones, and word of how many were left out."""
    blocks: list[Block] = [header(title)]
    room = MOST_CHARACTERS - 500
    shown = 0
    for view in views:
        row = draw_row(view, press.roster.permalink(view.channel, view.message_ts), is_mine=_is_mine(view, press))
        room -= count_characters(to_json(row))
        if room < 0:
            break
        blocks.extend(row)
        shown += 1
    if shown < len(views):
        blocks.append(context(plain("There are more; add words to find them.")))
    return Message(safe(title, 500), to_json(blocks if views else [*blocks, quote(empty)]))


def _is_mine(view: CardView, press: Press) -> bool:
    owner = view.conversation.owner
    return owner is not None and owner.id == press.actor.id


def _describe_empty(desk: Desk) -> str:
    """Say that nothing waits, but never as a clean bill over a deaf feed."""
    if not is_all_heard(desk.store.feed_states(), desk.now()):
        return "Nothing that was heard waits for an answer, but not every feed is heard: see App Home."
    return "Nothing waits for an answer."
