"""What a draft is for: the post, what was made of it, and which entries of the playbook fit."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from listeners.mention import Mention
from nlp.assessment import Assessment
from nlp.draft_address import slot_values
from nlp.draft_words import is_cheerful, is_thankful
from nlp.model_text import read
from nlp.past_replies import PastReply
from nlp.playbook import Entry, Playbook, Silence
from nlp.signals import plain_name, sounds_sarcastic
from nlp.templates import LINK, count_words, needed_slots
from nlp.wording import content_words

_DOUBT = 0.5
_UNKNOWN = frozenset({"", "und"})
_TOO_SHORT = 4
_FRIENDLY = frozenset({"praise", "brand_chatter"})
_NOISE = frozenset({"irrelevant", "spam_promo"})
_SURE, _LIKELY = 0.65, 0.5
_SURELY_NOT_URGENT, _MAYBE_URGENT, _NEVER = 0.05, 0.1, 2.0
"""Of our corpus' posts that were taken for praise or chatter but need an answer to something else, three in four do not
pass the looser two, and 19 in 20 not the stricter two."""
_TOLD_LANGUAGES = """
ar=Arabic bg=Bulgarian cs=Czech da=Danish de=German el=Greek en=English es=Spanish fa=Persian fi=Finnish fr=French
he=Hebrew hi=Hindi hu=Hungarian id=Indonesian it=Italian ja=Japanese ko=Korean ms=Malay nl=Dutch no=Norwegian pl=Polish
pt=Portuguese ro=Romanian ru=Russian sk=Slovak sv=Swedish th=Thai tl=Tagalog tr=Turkish uk=Ukrainian vi=Vietnamese
zh=Chinese
"""
_LANGUAGES: Mapping[str, str] = dict(pair.split("=") for pair in _TOLD_LANGUAGES.split())


@dataclass(frozen=True, slots=True)
class Found:
    """What was looked up for a post: facts of the playbook by name, the likeliest first, and past replies."""

    facts: tuple[str, ...] = ()
    replies: tuple[PastReply, ...] = ()


@dataclass(frozen=True)
class Occasion:
    """Everything that decides which entries fit. `mark` is what the same post always has, and no other."""

    mention: Mention
    assessment: Assessment
    playbook: Playbook
    found: Found = Found()

    @cached_property
    def text(self) -> str:
        """The post, title included; of a very long one its head and tail."""
        return read(self.mention.text, self.mention.title).text

    @cached_property
    def language(self) -> str:
        """The language to answer in."""
        told = _language_of(self.assessment)
        return self.playbook.language.partition("-")[0] if told in _UNKNOWN else told

    @property
    def is_language_sure(self) -> bool:
        """Whether the post's language is known, or the post is too short for that to matter."""
        return _language_of(self.assessment) not in _UNKNOWN or len(content_words(self.text)) < _TOO_SHORT

    @property
    def language_name(self) -> str:
        """That language, in words."""
        return _LANGUAGES.get(self.language, f"the language '{self.language}'")

    @cached_property
    def is_sarcastic(self) -> bool:
        """Whether its praise or thanks is not meant."""
        return self.assessment.sarcastic >= _DOUBT or sounds_sarcastic(self.text)

    @cached_property
    def is_sober(self) -> bool:
        """Whether nothing cheerful may be said: it is urgent or sarcastic, or may be."""
        return self.assessment.grade == 3 or self.is_sarcastic or self._may_be_other(_SURE, _SURELY_NOT_URGENT)

    @cached_property
    def is_unclear(self) -> bool:
        """Whether a post may be anything: it seems friendly or idle, but not surely, or to need an answer and be noise.

        Nobody should be handed kind words for the one, or be told that the other is noise.
        """
        if self.intent in _NOISE:
            return self.assessment.grade >= 2 and self._may_be_other(_SURE, _NEVER)
        is_friendly = self.intent in _FRIENDLY and self.assessment.grade > 0
        return is_friendly and self._may_be_other(_LIKELY, _MAYBE_URGENT)

    def _may_be_other(self, likely: float, urgent: float) -> bool:
        """Say whether its mood is less likely than that, or 'urgent' more; an assessment without chances is sure.

        Praise and chatter are one mood.
        """
        chances = self.assessment.intents
        mood = _FRIENDLY if self.intent in _FRIENDLY else {self.intent}
        chance = sum(chances.get(intent, 0.0) for intent in mood)
        return bool(chances) and (chance < likely or self.assessment.urgent >= urgent)

    @cached_property
    def intent(self) -> str:
        """What it is about; praise that is not meant is a complaint."""
        told = self.assessment.intent
        return "complaint" if self.is_sarcastic and told in {"praise", "brand_chatter"} else told

    @cached_property
    def values(self) -> Mapping[str, str]:
        """The slots that can be filled for this author, and only those."""
        author = self.mention.author
        ours = self.playbook.brand
        links = {f"{LINK}{name}": address for name, address in self.playbook.links.items()}
        return {**slot_values(author.name, author.handle, self.mention.brand, ours), **links}

    @cached_property
    def known_names(self) -> frozenset[str]:
        """The capitalised words that name no person: those of the brand and of the playbook's own sentences."""
        book = self.playbook
        entries = (*book.facts, *book.openers, *book.next_steps, *book.gaps)
        told = " ".join([book.brand, self.mention.brand, *(text for entry in entries for text in entry.texts)])
        return frozenset(word for word in re.findall(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*", told) if word[0].isupper())

    def seed(self, part: str) -> int:
        """Return a number that is the same for the same post and part, whenever it is asked."""
        key = f"{part}\0{self.mention.platform}\0{self.mention.native_id}".encode("utf-8", "surrogatepass")
        return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "big")

    def matches(self, entry: Entry) -> int:
        """Count the keywords of an entry that stand in the post."""
        return count_words(self.text, entry.keywords)

    def about(self, entries: Sequence[Entry]) -> list[Entry]:
        """Keep what fits the matter of the post: the first entry whose keywords stand in it, else those without any.

        The first and not the best, so that the team decides what comes first: harm before money, money before an order.
        All entries with the same keywords go with the first: they are other ways to say the same.
        """
        fitting = [entry for entry in entries if self.fits(entry)]
        first = next((entry for entry in fitting if self.matches(entry)), None)
        if first is None:
            return [entry for entry in fitting if not entry.keywords]
        return [entry for entry in fitting if entry.keywords == first.keywords]

    def fits(self, entry: Entry) -> bool:
        """Say whether an entry may be used here, keywords aside; see `wordings` for its words."""
        return (
            self.is_meant(entry)
            and entry.language.partition("-")[0].lower() == self.language
            and not (self.is_sober and entry.tone != "plain")
            and any(map(self._is_sayable, entry.texts))
        )

    def wordings(self, entry: Entry) -> list[Entry]:
        """Return an entry once for each of its wordings whose slots can be filled and whose tone fits."""
        return [wording for wording in entry.wordings if self._is_sayable(wording.text)]

    def _is_sayable(self, text: str) -> bool:
        is_out_of_tune = (self.is_sober and is_cheerful(text)) or (self.is_sarcastic and is_thankful(text))
        return needed_slots(text) <= self.values.keys() and not is_out_of_tune

    def is_meant(self, rule: Entry | Silence) -> bool:
        """Say whether the intents, grades, brands, products and platforms of a rule take in this post."""
        return (
            (not rule.intents or self.intent in rule.intents)
            and (not rule.grades or self.assessment.grade in rule.grades)
            and (not rule.brands or plain_name(self.mention.brand) in map(plain_name, rule.brands))
            and (not rule.products or count_words(self.text, rule.products) > 0)
            and (not rule.platforms or self.mention.platform in rule.platforms)
            and count_words(self.text, rule.unless) == 0
        )


def _language_of(assessment: Assessment) -> str:
    return assessment.language.replace("_", "-").partition("-")[0].lower()
