"""Suggestions for a conversation: the playbook, the team's past replies and what was said lately, put together once.

What was suggested for a post is stored when it is first asked for, and is the same from then on, also after a restart:
until the author edits the post, or the team the playbook. Each time has a number, and a modal that is open goes on with
the one it was opened with. Nothing here touches the network but a drafter that the operator set up, in threads of its
own: never while a card or a modal is drawn, and never inside a transaction.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from bot.config import Settings
from bot.records import CardView, JobKind
from bot.scheduler import Task
from bot.store import Store
from bot.store.fact_index import FactIndex
from bot.store.past_replies import NOWHERE, Silent, find_past_replies, has_past_replies
from bot.store.suggestions import (
    Suggested,
    newest_suggestion,
    numbered_suggestion,
    prune_suggestions,
    reused_sends,
    said_lately,
    write_suggestion,
)
from listeners.catalog import PLATFORMS
from listeners.contract import Shape
from nlp.draft import Drafts, suggest
from nlp.draft_occasion import Found, Occasion
from nlp.facts import search_terms, searched_text
from nlp.language import detect
from nlp.model_text import read
from nlp.playbook import Playbook
from nlp.playbook_file import PlaybookFile

LATELY = timedelta(hours=24)
"""How long ago something must have been said to be said again to the next person."""
KEPT_FOR = timedelta(days=90)
"""For how long it is known what was suggested."""
BY_MODEL = "model"
"""The kind of a draft that a model wrote; see `bot.late_drafts`."""
_NO_ENGLISH = "ein paar Worte, die gewiss niemand ohne Nachfrage einordnet"
"""A text over which the identifier of languages is asked."""
Shaped = Callable[[str], Shape]
"""Counts a text as the conversation's platform does."""


class Drafting:
    """Makes, keeps and finds again what is suggested. Safe to use from several threads."""

    def __init__(self, store: Store, playbook: Playbook | PlaybookFile, silent: Silent = NOWHERE) -> None:
        """Take the store, the playbook (a file of it is read again when it changes), and where nothing is suggested."""
        self._store = store
        self._playbook = playbook
        self._silent = silent
        self._lock = threading.Lock()
        self._making = threading.Lock()
        self._indexed: tuple[Playbook, FactIndex] | None = None

    @property
    def playbook(self) -> Playbook:
        """The playbook as it stands now."""
        return self._playbook.current()

    def what_to_warm(self) -> Callable[[], object] | None:
        """Return what loads now what the first suggestion would load, None where there is nothing that takes long.

        A person who pressed Reply has three seconds. The identifier of languages is large, so it is loaded only where
        there are past replies, which it reads. What is returned does not touch the store.
        """
        return (lambda: detect(_NO_ENGLISH)) if has_past_replies(self._store.read()) else None

    def suggested(self, view: CardView, shape: Shaped, now: datetime, number: int = 0) -> Suggested:
        """Return the suggestions for a conversation: the same ones each time it is asked.

        Args:
            view: the conversation; what is suggested is for its newest post. Whether anything may be suggested at all
                (a post taken down, a house rule) is for the caller to know.
            shape: counts as its platform does.
            now: the present.
            number: the suggestions that an open modal began with; they stand whatever was edited meanwhile.
        """
        playbook = self.playbook
        about = _fingerprint(view, shape)
        stored = self._stored(view, number)
        if stored is not None and (number or _stands(stored, about, playbook.mark)):
            return stored
        occasion = self.occasion(view, playbook)
        with self._making:  # one after the other, so that people who ask at once are not given the same words
            made = self._make(view, occasion, shape, now)
            if not made:
                return Suggested(made)
            return self._keep(view, Suggested(made, about=about, playbook=playbook.mark), occasion.found, now)

    def occasion(self, view: CardView, playbook: Playbook) -> Occasion:
        """Return what a draft for a conversation is made of: its newest post, and what was looked up for it."""
        terms = search_terms(read(view.mention.text, view.mention.title).text)
        replies = find_past_replies(
            self._store.read(), terms, view.mention.brand, view.conversation.id, silent=self._silent
        )
        return Occasion(view.mention, view.assessment, playbook, Found(self._index(playbook).search(terms), replies))

    def add(self, view: CardView, before: Suggested, more: Drafts, now: datetime) -> Suggested | None:
        """Keep drafts beside those that were suggested `before`; None where these are not the newest any more."""
        with self._store.transaction() as db:
            stored = newest_suggestion(db, view.mention_id)
            if stored is None or stored.number != before.number:
                return None
            together = replace(before.drafts, drafts=(*before.drafts, *more))
            return write_suggestion(
                db, view.mention_id, replace(before, drafts=together), reused_sends(db, before.number), now
            )

    def said_lately(self, view: CardView, since: datetime) -> list[tuple[str, ...]]:
        """Return what was suggested or sent to others since a moment: a tuple for each, the newest last."""
        return said_lately(self._store.read(), view.conversation.id, since)

    def _stored(self, view: CardView, number: int) -> Suggested | None:
        db = self._store.read()
        if number:
            return numbered_suggestion(db, view.mention_id, number)
        return newest_suggestion(db, view.mention_id)

    def _index(self, playbook: Playbook) -> FactIndex:
        """Return the index of a playbook's facts, built when the playbook is first used."""
        with self._lock:
            if self._indexed is None or self._indexed[0] is not playbook:
                self._indexed = playbook, FactIndex({fact.name: searched_text(fact) for fact in playbook.facts})
            return self._indexed[1]

    def _make(self, view: CardView, occasion: Occasion, shape: Shaped, now: datetime) -> Drafts:
        return suggest(
            view.mention,
            view.assessment,
            occasion.playbook,
            limit=shape("").limit,
            fits=fits_in(shape),
            recent=self.said_lately(view, now - LATELY),
            found=occasion.found,
        )

    def _keep(self, view: CardView, made: Suggested, found: Found, now: datetime) -> Suggested:
        """Store what was made, and return it; where another thread was first, what that one stored."""
        sources = " ".join(draft.source for draft in made.drafts)
        used = [reply.number for reply in found.replies if reply.name in sources]
        with self._store.transaction() as db:
            stored = newest_suggestion(db, view.mention_id)
            if stored is not None and _stands(stored, made.about, made.playbook):
                return stored
            return write_suggestion(db, view.mention_id, made, used, now)


def silent_of(settings: Settings) -> Silent:
    """Return where nothing is suggested: feeds that are set so, and platforms whose house rules ask for it."""
    feeds = tuple(name for name in settings.feed if not settings.may_suggest(name))
    return Silent(feeds, tuple(name for name, entry in PLATFORMS.items() if not entry.may_suggest))


def drafting_tasks(drafting: Drafting) -> list[Task]:
    """Return what happens by the clock: a broken edit of the playbook is told soon, and old suggestions go."""
    return [
        Task("look at the playbook", 30, lambda _store, _now: drafting.playbook),
        Task("forget old suggestions", 86_400, lambda store, now: forget_suggestions(store, now - KEPT_FOR)),
    ]


def forget_suggestions(store: Store, before: datetime) -> int:
    """Forget what was suggested before a moment; return how often that was."""
    with store.transaction() as db:
        return prune_suggestions(db, before)


def tell_operator(store: Store, now: Callable[[], datetime], wake: Callable[[], None]) -> Callable[[str], None]:
    """Return what tells the operator's channel, once, of an edit of the playbook that can not be used."""

    def tell(sentence: str) -> None:
        digest = hashlib.sha256(sentence.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        store.request_job(JobKind.NOTICE, f"playbook:{digest}", payload=sentence, now=now())
        wake()

    return tell


def fits_in(shape: Shaped) -> Callable[[str], bool]:
    """Return what says whether a text is within its platform's limit."""

    def fits(text: str) -> bool:
        shaped = shape(text)
        return shaped.limit <= 0 or shaped.count <= shaped.limit

    return fits


def _stands(stored: Suggested, about: str, mark: str) -> bool:
    """Say whether a suggestion was made of this very post and playbook."""
    return (stored.about, stored.playbook) == (about, mark)


def _fingerprint(view: CardView, shape: Shaped) -> str:
    """Return what changes when the post, what is made of it, or its platform's limit does."""
    mention, told = view.mention, view.assessment
    parts = (
        mention.title,
        mention.text,
        mention.brand,
        mention.author.name,
        mention.author.handle,
        told.grade,
        told.intent,
        told.language,
        told.closes,
        told.sarcastic >= 0.5,
        told.crisis >= 0.5,
        shape("").limit,
    )
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
