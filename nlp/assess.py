"""Says of mentions whether they need a reply, how soon, whether we were invited, what they are about, and why.

A mention is read in one bounded piece: its title, then its text; of a text above 4,000 code points the first 3,000 and
the last 1,000. Reasons still point at the code points of the whole text.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from threading import Lock

from spacy.language import Language
from spacy.tokens import Doc

from listeners.mention import Mention
from nlp.assessment import INTENTS, Assessment, Grade, Intent, Invited, Reason
from nlp.features import GRAVE, HARM
from nlp.heads import Heads, Reading
from nlp.language import UNSURE, detect, reads_as_english
from nlp.model_text import ModelText, read
from nlp.pipeline import HeadsComponent, Words, load
from nlp.signals import Found, plain_name, signals

MOST_REASONS = 4
_ENOUGH_REASONS = 2
_ZONE = 1_024
_MOST_WORDS = 60_000
_LEAST_WEIGHT = 0.08
_LANGUAGE = re.compile(r"(?!und|zxx|q..)[a-z]{2,3}(?:[-_]\w+)*", re.IGNORECASE)  # X says und, zxx or qme when unsure
# missing an urgent post costs more than calling one too many: on held-out brands this finds four in five of them, and
# three in five of those it calls are so
_URGENT_FROM = 0.25
_NEEDS_FROM = 0.5
_WORTH_FROM = 0.5
_UNREAD_FLOOR = 0.55
_ASKING = frozenset({"asks", "asks_words", "help", "ignored", "refund", "sarcasm", "broken", "access", "dm"})
_NOT_A_REASON = frozenset({"you", "tags_other", "link", "order", "delayed"})
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

    def __init__(self, nlp: Language | None = None) -> None:
        self._nlp = nlp
        self._lock = Lock()

    def assess(self, mentions: Sequence[Mention]) -> list[Assessment]:
        """Return the assessment of each mention, in order. Any text will do, the empty one included."""
        with self._lock:
            nlp = self._ready()
            assessed: list[Assessment] = []
            for start in range(0, len(mentions), _ZONE):
                with self._zone(nlp):
                    assessed += _assess_zone(nlp, mentions[start : start + _ZONE])
            return assessed

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
        time that assessing takes.
        """
        if self._nlp is None:
            self._nlp = load()
            gc.collect()
            gc.freeze()
        return self._nlp


def _assess_zone(nlp: Language, mentions: Sequence[Mention]) -> list[Assessment]:
    words, component = nlp.tokenizer, nlp.get_pipe("cuecard_heads")
    assert isinstance(words, Words)
    assert isinstance(component, HeadsComponent)
    assert component.heads is not None
    texts = [read(mention.text, mention.title) for mention in mentions]
    docs = (
        words.read(text.text, _our_names(mention.brand, mention.account))
        for text, mention in zip(texts, mentions, strict=True)
    )
    model = f"{nlp.meta['name']}-{nlp.meta['version']}"
    weigh = _Weigher(component.heads, model)
    return [
        weigh.assess(mention, text, doc) for mention, text, doc in zip(mentions, texts, nlp.pipe(docs), strict=True)
    ]


@lru_cache(maxsize=1_024)
def _our_names(brand: str, account: str) -> frozenset[str]:
    return frozenset({plain_name(brand), plain_name(account)} - {""})


class _Weigher:
    """Turns a document's reading into an assessment, with the weights that explain it."""

    def __init__(self, heads: Heads, model: str) -> None:
        self._model = model
        self._columns = {name: column for column, name in enumerate(heads.features)}
        # a reason's pull: on the need of a reply, and half as much on its urgency
        self._pull = heads.dense[1] * heads.slopes[1] + 0.5 * heads.dense[2] * heads.slopes[2]
        # what the grave ones have in common is weighed once for all, and is a part of why each of them counts
        for names, shared in ((GRAVE, "grave"), (HARM, "harm_for_us")):
            for name in names & self._columns.keys():
                self._pull[self._columns[name]] += self._pull[self._columns[shared]]

    def assess(self, mention: Mention, text: ModelText, doc: Doc) -> Assessment:
        reading: Reading = doc.user_data["reading"]
        found: Sequence[Found] = doc.user_data["signals"]
        names = {signal.name for signal in found}
        language = _language(mention, text, doc.user_data["words"])
        needs, urgent, worth = reading.at_least[2], reading.at_least[3], reading.at_least[1]
        unread = _is_foreign(language) and "promo" not in names
        if unread:
            floor = _UNREAD_FLOOR if "tagged" in names or "asks" in names else _UNREAD_FLOOR / 2
            needs, worth = max(needs, floor), max(worth, floor)
        closes = _closes(text.text, names, needs)
        grade = _grade(needs, urgent, worth)
        reasons = self._reasons(found, text, needs)
        if unread:
            reasons = (Reason(f"is written in another language ({language})", 0.5), *reasons[: MOST_REASONS - 1])
        intent = _intent(reading.intents)
        if not reasons and text.text.strip():
            weight = float(needs - 0.5)
            reasons = (Reason(_READS_LIKE[intent], round(weight, 3)),)
        return Assessment(
            needs_reply=needs,
            urgent=min(urgent, needs),
            priority=_priority(needs, urgent, worth),
            grade=0 if closes and grade == 1 else grade,
            invited=_invited(mention, names, intent),
            intent=intent,
            language=language,
            intents=reading.intents,
            reasons=tuple(sorted(reasons, key=lambda reason: -reason.weight)),
            closes=closes,
            sarcastic=reading.sarcastic,
            crisis=reading.crisis,
            model=self._model,
        )

    def _reasons(self, found: Sequence[Found], text: ModelText, needs: float) -> tuple[Reason, ...]:
        weighed: dict[str, Reason] = {}
        known = signals()
        for signal in found:
            weight = float(self._pull[self._columns[signal.name]])
            words = known[signal.name].words
            if signal.name in _NOT_A_REASON or abs(weight) < _LEAST_WEIGHT:
                continue
            if words not in weighed or weighed[words].weight < weight:
                weighed[words] = Reason(words, round(weight, 3), text.original_span(signal.start, signal.end))
        # what speaks for the outcome comes before what speaks against it
        side = 1 if needs >= _NEEDS_FROM else -1
        ordered = sorted(weighed.values(), key=lambda reason: -side * reason.weight)
        if sum(side * reason.weight > 0 for reason in ordered) > _ENOUGH_REASONS:
            # the card says anyway that we were tagged; its place is better used for what only this post does
            ordered = [reason for reason in ordered if reason.text != known["tagged"].words]
        return tuple(ordered[:MOST_REASONS])


def _language(mention: Mention, text: ModelText, words: Sequence[str]) -> str:
    """Return what the platform said or, where it did not know, what the words say."""
    if mention.language and _LANGUAGE.fullmatch(mention.language):
        return mention.language
    return "en" if reads_as_english(words) else detect(text.text)


def _grade(needs: float, urgent: float, worth: float) -> Grade:
    if urgent >= _URGENT_FROM:
        return 3
    if needs >= _NEEDS_FROM:
        return 2
    return 1 if worth >= _WORTH_FROM else 0


def _priority(needs: float, urgent: float, worth: float) -> float:
    """Mix the chances so that a likely 3 goes before any 2: each rises with its own grade, and urgency counts most."""
    return round(100 * (0.10 * worth + 0.45 * needs + 0.45 * urgent), 4)


def _intent(chances: Mapping[str, float]) -> Intent:
    return max(INTENTS, key=lambda intent: chances[intent])


def _invited(mention: Mention, names: set[str], intent: Intent) -> Invited:
    if "tagged" in names or mention.account:
        return "yes"
    return "n/a" if intent == "irrelevant" else "no"


def _is_foreign(language: str) -> bool:
    return language not in ("", UNSURE) and not language.lower().startswith("en")


def _closes(text: str, names: set[str], needs: float) -> bool:
    """Say whether a message only closes a thread: it thanks or says 'sorted', asks nothing, and is short."""
    if names & _ASKING or needs >= _NEEDS_FROM:
        return False
    words = len(text.split())
    return ("closing" in names and words <= 40) or ("thanks" in names and words <= 10)
