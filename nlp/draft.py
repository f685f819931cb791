"""Drafts: what a person might say, made of the playbook's own sentences, always with a gap. Loads no model.

Nothing of the mention's text is ever repeated; of its author only a first name we are sure of, or a plain handle.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import regex

from listeners.mention import Mention
from nlp.assessment import Assessment, Draft
from nlp.gap import open_gaps
from nlp.model_text import read
from nlp.names import first_name
from nlp.playbook import Entry, HandTo, Playbook, StepKind, fill, has_word, slots_of
from nlp.signals import plain_name, sounds_sarcastic

DEFAULT_GAP = Entry("gap (built in)", "[what only you can tell them]")
_SILENT_INTENTS = ("spam_promo", "irrelevant")
_KINDS: tuple[StepKind, ...] = ("answer", "ask", "private")
_CHEERFUL = re.compile(
    r"!|\b(?:yay|woo+\w*|hooray|thrilled|delighted|excited|great news|awesome|amazing|fantastic|wonderful|glad|happy"
    r"|love|lovely|haha\w*|enjoy|fun|congrat\w*|cheers)\b|[\U0001F300-\U0001FAFF\u2600-\u27BF]",
    re.IGNORECASE,
)
_PLAIN_HANDLE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{1,29}")
_UNFIT_HANDLE = re.compile(
    r"support|official|admin|help|team|f[u4v]c?k|sh[i1]t|c[u4]nt|n[i1]gg|f[a4]g|r[a4]pe|h[i1]tler|sex|p[o0]rn|k[i1]ll"
    r"|nazi|b[i1]tch|wh[o0]re|slut|d[i1]ck|c[o0]ck|puss|pen[i1]s|retard|trann|kike|spic|chink|paki|[a4]ss|jew|musl",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Occasion:
    """What a draft is for: everything that decides which entries fit."""

    mention: Mention
    assessment: Assessment
    playbook: Playbook
    recent: Sequence[str]

    @cached_property
    def text(self) -> str:
        return read(self.mention.text, self.mention.title).text

    @cached_property
    def language(self) -> str:
        told = self.assessment.language.replace("_", "-").partition("-")[0].lower()
        return self.playbook.language if told in ("", "und") else told

    @cached_property
    def is_sober(self) -> bool:
        return self.assessment.grade == 3 or sounds_sarcastic(self.text)

    @cached_property
    def values(self) -> Mapping[str, str]:
        """The slots that can be filled for this author, and only those."""
        author, brands = self.mention.author, (self.mention.brand, self.playbook.brand)
        filled = {
            "first_name": first_name(author.name, " ".join(brands)),
            "brand": self.mention.brand,
            "handle": _plain_handle(author.handle, brands),
        }
        return {name: value for name, value in filled.items() if value}

    def seed(self, part: str) -> int:
        key = f"{part}\0{self.mention.platform}\0{self.mention.native_id}".encode("utf-8", "surrogatepass")
        return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "big")


def suggest(
    mention: Mention, assessment: Assessment, playbook: Playbook, *, limit: int = 0, recent: Sequence[str] = ()
) -> tuple[Draft, ...]:
    """Return up to three drafts that differ in what they try: 'answer', 'ask', 'private'; () when silence is better.

    `limit` is the platform's limit in graphemes (0: none); a draft leaves room to fill its gap. `recent` are drafts
    shown lately to others: their sentences are avoided where the playbook has another. The same mention always gets
    the same drafts. Silence: grade 0, a message that only closes a thread, promotion, another thing of the same name,
    a language the playbook does not have, or a playbook that has nothing to say here.
    """
    if assessment.grade == 0 or assessment.closes or assessment.intent in _SILENT_INTENTS:
        return ()
    occasion = _Occasion(mention, assessment, playbook, recent)
    drafts: list[Draft] = []
    for kind in _KINDS:
        draft = _compose(occasion, kind, len(drafts), limit)
        if draft and draft.text not in {other.text for other in drafts}:
            drafts.append(draft)
    return tuple(drafts)


def who_takes_over(mention: Mention, assessment: Assessment, playbook: Playbook) -> HandTo | None:
    """Return whom the playbook would hand this mention to: the first whose words stand in it, else by intent alone."""
    text = read(mention.text, mention.title).text
    for entry in playbook.hand_to:
        if any(has_word(text, word) for word in entry.keywords):
            return entry
    return next((e for e in playbook.hand_to if not e.keywords and assessment.intent in e.intents), None)


def _compose(occasion: _Occasion, kind: StepKind, turn: int, limit: int) -> Draft | None:
    opener = _pick(occasion, occasion.playbook.openers, "opener", turn)
    steps = [step for step in occasion.playbook.next_steps if step.kind == kind]
    step = _pick(occasion, _about(occasion, steps), f"step {kind}")
    fact = _pick_fact(occasion) if kind == "answer" else None
    if opener is None or (kind != "answer" and step is None):
        return None
    gap = _pick(occasion, _about(occasion, occasion.playbook.gaps), "gap", turn) or DEFAULT_GAP
    for parts in _shorter_and_shorter(opener, fact, gap, step, kind):
        text = " ".join(fill(part.text, occasion.values) for part in parts)
        if _leaves_room(text, limit):
            return Draft(text, kind, " + ".join(part.name for part in parts))
    return None


def _shorter_and_shorter(
    opener: Entry, fact: Entry | None, gap: Entry, step: Entry | None, kind: StepKind
) -> Iterator[tuple[Entry, ...]]:
    """Yield the parts of a draft, the fullest first; each has a gap, and an 'ask' or 'private' keeps its step."""
    wanted = [[opener], [fact, None] if fact else [None], [gap], [step, None] if step and kind == "answer" else [step]]
    if step and kind != "answer" and open_gaps(step.text):
        wanted[2] = [None]
    for chosen in product(*wanted):
        yield tuple(part for part in chosen if part is not None)


def _pick(occasion: _Occasion, entries: Sequence[Entry], part: str, turn: int = 0) -> Entry | None:
    """Choose among the entries that fit, by the mention's id, and pass over what was said to others lately."""
    fitting = [entry for entry in entries if _fits(occasion, entry)]
    if not fitting:
        return None
    start = occasion.seed(part) + turn
    order = [fitting[(start + offset) % len(fitting)] for offset in range(len(fitting))]
    return next((entry for entry in order if _is_fresh(occasion, entry)), order[0])


def _is_fresh(occasion: _Occasion, entry: Entry) -> bool:
    said = fill(entry.text, occasion.values)
    return not any(said in other for other in occasion.recent)


def _pick_fact(occasion: _Occasion) -> Entry | None:
    called = [(_matches(occasion, fact), fact) for fact in occasion.playbook.facts if _fits(occasion, fact)]
    best = max((count for count, _ in called), default=0)
    return next((fact for count, fact in called if count == best), None) if best else None


def _about(occasion: _Occasion, entries: Sequence[Entry]) -> list[Entry]:
    """Keep what fits the matter of the post: the first entry whose keywords stand in it, else those without keywords.

    The first and not the best, so that the team decides what comes first: harm before money, money before an order.
    """
    fitting = [entry for entry in entries if _fits(occasion, entry)]
    matching = [entry for entry in fitting if _matches(occasion, entry)]
    return matching[:1] or [entry for entry in fitting if not entry.keywords]


def _matches(occasion: _Occasion, entry: Entry) -> int:
    return sum(has_word(occasion.text, word) for word in entry.keywords)


def _fits(occasion: _Occasion, entry: Entry) -> bool:
    mention, told = occasion.mention, occasion.assessment
    brands = {plain_name(brand) for brand in entry.brands}
    return (
        (not entry.intents or told.intent in entry.intents)
        and (not entry.grades or told.grade in entry.grades)
        and (not brands or plain_name(mention.brand) in brands)
        and (not entry.products or any(has_word(occasion.text, word) for word in entry.products))
        and entry.language.partition("-")[0] == occasion.language
        and slots_of(entry.text) <= occasion.values.keys()
        and not (occasion.is_sober and (entry.tone != "plain" or _CHEERFUL.search(entry.text)))
    )


def _leaves_room(text: str, limit: int) -> bool:
    """The gap's own letters are room already; an eighth of the limit more lets a person say something."""
    return limit <= 0 or len(regex.findall(r"\X", text)) + limit // 8 <= limit


def _plain_handle(handle: str, brands: Sequence[str]) -> str:
    poses = any(ours and ours in plain_name(handle) for ours in map(plain_name, brands))
    if not _PLAIN_HANDLE.fullmatch(handle) or _UNFIT_HANDLE.search(handle) or poses:
        return ""
    return f"@{handle}"
