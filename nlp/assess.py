"""Says of mentions whether they need a reply, how soon, whether we were invited, what they are about, and why.

A mention is read in one bounded piece: its title, then its text; of a text above 4,000 code points the first 3,000 and
the last 1,000. Reasons still point at the code points of the whole text.
"""

from __future__ import annotations

import gc
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from threading import Lock
from typing import cast

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc

from listeners.mention import Mention
from nlp.assessment import Assessment, Grade, Intent, Invited, Reason
from nlp.causes import PRIORITY, Cause
from nlp.heads import Heads, Reading
from nlp.homonyms import UNJUDGED, stand
from nlp.language import UNSURE, detect, is_plainly_english
from nlp.model_text import ModelText, read
from nlp.pipeline import HeadsComponent, load
from nlp.relevance import Context
from nlp.signals import plain_name, signals
from nlp.team import NO_TASTE, Taste, settle
from nlp.traits import Traits, fingerprint, join, places_of, rows_of, to_odds
from nlp.words import Words

MOST_REASONS = 4
_ENOUGH_REASONS = 2
_ZONE = 1_024
_MOST_WORDS = 60_000
_CALM_COLLECTOR = (20_000, 20, 20)
_LANGUAGE = re.compile(r"(?!und|zxx|q..)[a-z]{2,3}(?:[-_]\w+)*", re.IGNORECASE)  # X says und, zxx or qme when unsure
# missing an urgent post costs more than calling one too many: on held-out brands this finds four in five of them, and
# three in five of those it calls are so
_URGENT_FROM = 0.25
_NEEDS_FROM = 0.5
_WORTH_FROM = 0.5
_UNREAD_FLOOR = 0.55
_FELT = 0.5
"""From here on, in odds, a team's own taste is told as a reason."""
_GULP, _PAUSE = 64, 0.001
_ASKING = frozenset({"asks", "asks_words", "help", "ignored", "refund", "sarcasm", "broken", "access", "dm"})
_WANTS_NOTHING = frozenset({"praise", "spam_promo", "irrelevant", "brand_chatter"})
_READS_LIKE: Mapping[Intent, str] = {
    "complaint": "reads like a complaint",
    "question_help": "reads like a question",
    "praise": "reads like praise",
    "purchase_intent": "reads like a wish to buy",
    "churn_risk": "reads like someone leaving",
    "safety_legal_crisis": "reads like a matter of safety or law",
    "spam_promo": "reads like promotion",
    "irrelevant": "reads like another subject",
    "brand_chatter": "reads like chatter",
    "followup_in_thread": "reads like a part of a thread",
}


class Assessor:
    """Assesses mentions with one pipeline, loaded at the first call; calls from several threads take turns."""

    def __init__(self, nlp: Language | None = None, contexts: Mapping[str, Context] | None = None) -> None:
        """Take a pipeline other than ours, and the contexts of watches, by name, to tell homonyms by."""
        self._nlp = nlp
        self._contexts = contexts or {}
        self._lock = Lock()
        self._taste = NO_TASTE
        self._base = ""

    def assess(self, mentions: Sequence[Mention]) -> list[Assessment]:
        """Return the assessment of each mention, in order. Any text will do, the empty one included."""
        with self._lock:
            nlp = self._ready()
            taste = self._taste if self._taste.base == self._base else NO_TASTE
            assessed: list[Assessment] = []
            for start in range(0, len(mentions), _ZONE):
                with self._zone(nlp):
                    assessed += _assess_zone(nlp, mentions[start : start + _ZONE], taste, self._contexts)
            return assessed

    def tell_apart(self, contexts: Mapping[str, Context]) -> None:
        """Tell what watches hear about us from what is about a homonym, from now on, by the watches' contexts."""
        with self._lock:
            self._contexts = contexts

    def correct(self, taste: Taste) -> None:
        """Correct what is said from now on by a team's taste; one that was learned on other weights changes nothing."""
        with self._lock:
            self._taste = taste

    @property
    def base(self) -> str:
        """What names exactly the weights in use."""
        with self._lock:
            self._ready()
            return self._base

    def read(self, mentions: Sequence[Mention]) -> Traits:
        """Return what the shipped model reads of mentions, uncorrected: what a taste is learned over.

        It takes the lock for few mentions at a time, so that nobody who assesses waits for long.
        """
        parts = []
        for start in range(0, len(mentions), _GULP):
            with self._lock:
                nlp = self._ready()
                with self._zone(nlp):
                    parts.append(_read_gulp(nlp, mentions[start : start + _GULP]))
            time.sleep(_PAUSE)  # a lock is not fair: without it whoever waits might never get their turn
        return join(parts)

    def _zone(self, nlp: Language) -> AbstractContextManager[object]:
        """Let the pipeline keep the words it meets while they are few; then forget, zone by zone, those it meets.

        So the common words stay at hand, and the words of a year do not pile up.
        """
        return nlp.memory_zone() if len(nlp.vocab.strings) > _MOST_WORDS else nullcontext()

    def warm(self) -> None:
        """Load the pipeline now rather than at the first mention."""
        with self._lock:
            self._ready()

    def _ready(self) -> Language:
        """Return the pipeline, loaded if need be. What was loaded stays, so the garbage collector may pass it over.

        It would otherwise walk the half million objects of the libraries and the model again and again: a fifth of the
        time that assessing takes. Nor need it look whenever a few hundred objects are new: those of a batch go by
        themselves.
        """
        if self._nlp is None:
            self._nlp = load()
            gc.collect()
            gc.freeze()
            gc.set_threshold(*_CALM_COLLECTOR)
        if not self._base:
            self._base = fingerprint(self._nlp.meta["name"], self._nlp.meta["version"], _heads_of(self._nlp))
        return self._nlp


def _assess_zone(
    nlp: Language, mentions: Sequence[Mention], taste: Taste, contexts: Mapping[str, Context]
) -> list[Assessment]:
    texts = [read(mention.text, mention.title) for mention in mentions]
    docs = _docs_of(nlp, mentions, texts)
    model = f"{nlp.meta['name']}-{nlp.meta['version']}{f'+team-{taste.version}' if taste.version else ''}"
    weigh = _Weigher(model, contexts)
    pulls = _pulls_of(taste, mentions, [doc.user_data["reading"] for doc in docs])
    return [weigh.assess(*each) for each in zip(mentions, texts, docs, pulls, strict=True)]


def _read_gulp(nlp: Language, mentions: Sequence[Mention]) -> Traits:
    texts = [read(mention.text, mention.title) for mention in mentions]
    told = [doc.user_data for doc in _docs_of(nlp, mentions, texts)]
    readings: list[Reading] = [each["reading"] for each in told]
    languages = [
        _language(mention, text, each["words"], each["english"])
        for mention, text, each in zip(mentions, texts, told, strict=True)
    ]
    return Traits(
        rows=rows_of(readings),
        odds=to_odds(np.array([reading.at_least[2] for reading in readings])),
        urgent=to_odds(np.array([reading.at_least[3] for reading in readings])),
        is_urgent=np.array([reading.at_least[3] >= _URGENT_FROM for reading in readings]),
        is_read=np.array([not _is_foreign(language) for language in languages]),
        intents=[_intent(reading.intents) for reading in readings],
        places=[places_of(mention) for mention in mentions],
    )


def _pulls_of(taste: Taste, mentions: Sequence[Mention], readings: Sequence[Reading]) -> list[float]:
    """Return what a taste adds to the odds of posts; 0 where it changes nothing."""
    if not taste.version or not readings:
        return [0.0] * len(readings)
    odds = to_odds(np.array([reading.at_least[2] for reading in readings]))
    pulls: list[float] = taste.pull(rows_of(readings), odds, [places_of(mention) for mention in mentions]).tolist()
    return pulls


def _docs_of(nlp: Language, mentions: Sequence[Mention], texts: Sequence[ModelText]) -> list[Doc]:
    words = nlp.tokenizer
    assert isinstance(words, Words)
    docs = (
        words.read(text.text, _our_names(mention.brand, mention.account))
        for text, mention in zip(texts, mentions, strict=True)
    )
    return list(nlp.pipe(docs))


def _heads_of(nlp: Language) -> Heads:
    component = nlp.get_pipe("cuecard_heads")
    assert isinstance(component, HeadsComponent)
    assert component.heads is not None
    return component.heads


@lru_cache(maxsize=1_024)
def _our_names(brand: str, account: str) -> frozenset[str]:
    return frozenset({plain_name(brand), plain_name(account)} - {""})


class _Weigher:
    """Turns a document's reading into an assessment."""

    def __init__(self, model: str, contexts: Mapping[str, Context]) -> None:
        self._model = model
        self._contexts = contexts

    def assess(self, mention: Mention, text: ModelText, doc: Doc, pull: float = 0.0) -> Assessment:
        reading: Reading = doc.user_data["reading"]
        names = {signal.name for signal in doc.user_data["signals"]}
        language = _language(mention, text, doc.user_data["words"], doc.user_data["english"])
        needs, urgent, worth = reading.at_least[2], reading.at_least[3], reading.at_least[1]
        unread = _is_foreign(language) and "promo" not in names
        floor = _floor(names) if unread else 0.0
        needs, worth = max(needs, floor), max(worth, floor)
        closes = _closes(text.text, names, needs)
        plain = needs
        if not unread:
            needs = settle(plain, pull, least=urgent)
            worth = max(settle(worth, pull), needs)
        settled, standing = needs, UNJUDGED
        if self._contexts:
            standing = stand(mention, self._contexts, text, names, urgent, is_unread=unread)
            needs, urgent, worth = (chance * standing.share for chance in (needs, urgent, worth))
        intents = standing.lower(reading.intents)
        grade = _grade(needs, urgent, worth)
        outcome = plain if grade == 3 else needs
        intent = _intent(intents)
        reasons = (*standing.reasons(settled, text), *_reasons(doc.user_data["causes"], text, outcome))[:MOST_REASONS]
        reasons = _lead_with_language(reasons, language) if unread else _complete(reasons, intent, outcome, text)
        if settled != plain:
            reasons = _lead_with_taste(reasons, plain, settled)
        return Assessment(
            needs_reply=needs,
            urgent=min(urgent, needs),
            priority=_priority(needs, urgent, worth),
            grade=0 if closes and grade == 1 else grade,
            invited=_invited(mention, names, intent),
            intent=intent,
            language=language,
            intents=intents,
            reasons=tuple(sorted(reasons, key=lambda reason: -reason.weight)),
            closes=closes,
            sarcastic=reading.sarcastic,
            crisis=reading.crisis,
            model=self._model,
        )


def _reasons(causes: Sequence[Cause], text: ModelText, needs: float) -> tuple[Reason, ...]:
    """Return what a card says of the causes, the weightiest that speak for the outcome first."""
    weightiest: dict[str, Cause] = {}
    known = signals()
    for cause in causes:
        words = known[cause.signal.name].words
        if words not in weightiest or weightiest[words].weight < cause.weight:
            weightiest[words] = cause
    side = 1 if needs >= _NEEDS_FROM else -1
    ordered = sorted(weightiest.items(), key=lambda told: -side * told[1].weight)
    if sum(side * cause.weight > 0 for _, cause in ordered) > _ENOUGH_REASONS:
        # the card says anyway that we were tagged; its place is better used for what only this post does
        ordered = [told for told in ordered if told[0] != known["tagged"].words]
    return tuple(
        Reason(words, cause.weight, text.original_span(cause.signal.start, cause.signal.end))
        for words, cause in ordered[:MOST_REASONS]
    )


def _lead_with_taste(reasons: tuple[Reason, ...], plain: float, settled: float) -> tuple[Reason, ...]:
    """Put first what the team's own taste did to the odds of a need, where one would notice."""
    before, after = to_odds(np.array([plain, settled])).tolist()
    moved = after - before
    if abs(moved) < _FELT:
        return reasons
    words = "your team answers posts like this" if moved > 0 else "your team leaves posts like this alone"
    return (Reason(words, round(moved, 3)), *reasons[: MOST_REASONS - 1])


def _lead_with_language(reasons: tuple[Reason, ...], language: str) -> tuple[Reason, ...]:
    return (Reason(f"is written in another language ({language})", 0.5), *reasons[: MOST_REASONS - 1])


def _complete(reasons: tuple[Reason, ...], intent: Intent, needs: float, text: ModelText) -> tuple[Reason, ...]:
    """Add what the whole post reads like, where fewer than two reasons speak for the outcome.

    It speaks for an answer where such posts want something, and against one where they do not, whatever the outcome.
    """
    if not text.text.strip():
        return reasons
    side = 1 if needs >= _NEEDS_FROM else -1
    speaking = [reason for reason in reasons if side * reason.weight > 0]
    if len(speaking) >= _ENOUGH_REASONS:
        return reasons
    weight = max(round(abs(needs - _NEEDS_FROM), 3), 0.001)
    if intent in _WANTS_NOTHING:
        weight = -weight
    elif speaking and side > 0:
        weight = min(weight, *(reason.weight for reason in speaking))
    return (*reasons[: MOST_REASONS - 1], Reason(_READS_LIKE[intent], weight))


def _language(mention: Mention, text: ModelText, words: int, english: int) -> str:
    """Return what the platform said or, where it did not know, what the words say."""
    if mention.language and _LANGUAGE.fullmatch(mention.language):
        return mention.language
    return "en" if is_plainly_english(words, english) else detect(text.text)


def _grade(needs: float, urgent: float, worth: float) -> Grade:
    if urgent >= _URGENT_FROM:
        return 3
    if needs >= _NEEDS_FROM:
        return 2
    return 1 if worth >= _WORTH_FROM else 0


def _priority(needs: float, urgent: float, worth: float) -> float:
    likely, need, now = PRIORITY
    return round(100 * (likely * worth + need * needs + now * urgent), 4)


def _intent(chances: Mapping[str, float]) -> Intent:
    return cast("Intent", max(chances, key=chances.__getitem__))


def _invited(mention: Mention, names: set[str], intent: Intent) -> Invited:
    if "tagged" in names or mention.account:
        return "yes"
    return "n/a" if intent == "irrelevant" else "no"


def _floor(names: set[str]) -> float:
    """Return what a need is at least held for where the model cannot read the language."""
    return _UNREAD_FLOOR if "tagged" in names or "asks" in names else _UNREAD_FLOOR / 2


def _is_foreign(language: str) -> bool:
    return language not in ("", UNSURE) and not language.lower().startswith("en")


def _closes(text: str, names: set[str], needs: float) -> bool:
    """Say whether a message only closes a thread: it thanks or says 'sorted', asks nothing, and is short."""
    if names & _ASKING or needs >= _NEEDS_FROM:
        return False
    words = len(text.split())
    return ("closing" in names and words <= 40) or ("thanks" in names and words <= 10)
