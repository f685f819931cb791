"""Drafts: what a person might say, made of the playbook's own sentences and the team's past ones, always with a gap.

Nothing of the mention's text is ever repeated; of its author only a first name we are sure of, or a plain handle. Loads
no language model: the word vectors are loaded where past replies, or several facts, have to be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import overload

import regex

from listeners.mention import Mention
from nlp.assessment import Assessment, Draft
from nlp.draft_occasion import Found, Occasion
from nlp.draft_silence import what_to_mind, why_empty, why_silent
from nlp.draft_turns import Repeats, Turns
from nlp.facts import choose_fact
from nlp.gap import open_gaps
from nlp.model_text import read
from nlp.past_replies import choose_past_sentences
from nlp.playbook import Entry, HandTo, Playbook, StepKind
from nlp.templates import fill, has_word, reduce, spoken_words

DEFAULT_GAP = Entry("gap (built in)", "[what only you can tell them]")
KINDS: tuple[StepKind, ...] = ("answer", "ask", "private")
_MOST_OPENERS, _MOST_STEPS, _MOST_GAPS = 8, 4, 3
_REPEATED = "The playbook has no other words for this: somebody else was suggested some of these just now."


@dataclass(frozen=True)
class Drafts(Sequence[Draft]):
    """Up to three drafts, the likeliest first.

    `reason` is one sentence, said where there is none. `notes` are for the person who writes: the playbook's notes on
    tone, and what to know about these drafts.
    """

    drafts: tuple[Draft, ...] = ()
    reason: str = ""
    notes: tuple[str, ...] = ()

    @overload
    def __getitem__(self, place: int) -> Draft: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Draft, ...]: ...
    def __getitem__(self, place: int | slice) -> Draft | tuple[Draft, ...]:
        return self.drafts[place]

    def __len__(self) -> int:
        return len(self.drafts)


def suggest(  # noqa: PLR0913 - what a draft depends on
    mention: Mention,
    assessment: Assessment,
    playbook: Playbook,
    *,
    limit: int = 0,
    fits: Callable[[str], bool] | None = None,
    recent: Sequence[Sequence[str]] = (),
    found: Found | None = None,
) -> Drafts:
    """Return up to three drafts that differ in what they try: 'answer', 'ask', 'private'; none, and why, else.

    Args:
        mention: the post to answer.
        assessment: what was made of it. Nothing is suggested for grade 0, a message that only closes a thread,
            promotion, another thing of the same name, or a public tragedy.
        playbook: the team's words. Nothing is suggested where one of its `[[silence]]` rules takes in the post, where
            it has nothing in the post's language, or nothing for such a post.
        limit: the platform's limit, 0 for none. An eighth of it is left free for the gap.
        fits: says whether a text is within the limit as the platform counts; without it, graphemes are counted.
        recent: what was suggested or sent to others lately, one item for each conversation, the newest last. The same
            sentence is not suggested to the next person where the playbook has another, and no words twice, whatever
            stands in their gaps.
        found: what was looked up: facts by name, and past replies. Without it facts are chosen by keyword alone.

    The same arguments always bring the same drafts.
    """
    occasion = Occasion(mention, assessment, playbook, found or Found())
    if reason := why_silent(occasion):
        return Drafts(reason=reason)
    room, is_too_long = room_within(limit, fits), False
    for repeats in Repeats if recent else (Repeats.NOTHING,):
        maker = _Maker(occasion, Turns(recent, repeats), room)
        drafts = maker.make_all()[: 1 if repeats >= Repeats.TEXTS else None]
        if drafts:
            told = [_REPEATED] if repeats >= Repeats.TEXTS else []
            notes = [*_team_notes(occasion), *maker.entry_notes(drafts), *told, *maker.notes, *what_to_mind(occasion)]
            return Drafts(tuple(drafts), notes=tuple(dict.fromkeys(notes)))
        is_too_long = maker.was_too_long
    return Drafts(reason=why_empty(occasion, is_too_long=is_too_long))


def who_takes_over(mention: Mention, assessment: Assessment, playbook: Playbook) -> HandTo | None:
    """Return whom the playbook would hand this mention to: the first whose words stand in it, else by intent alone."""
    text = read(mention.text, mention.title).text
    meant = [each for each in playbook.hand_to if not each.brands or reduce(mention.brand) in map(reduce, each.brands)]
    for entry in meant:
        if any(has_word(text, word) for word in entry.keywords):
            return entry
    return next((each for each in meant if not each.keywords and assessment.intent in each.intents), None)


@dataclass
class _Maker:
    """Puts drafts together for one post, and remembers what stood in the way."""

    occasion: Occasion
    turns: Turns
    room: Callable[[str], bool]
    was_too_long: bool = False
    notes: list[str] = field(default_factory=list)
    _made: list[tuple[Draft, tuple[Entry, ...]]] = field(default_factory=list)

    def make_all(self) -> list[Draft]:
        for kind in KINDS:
            parts = self._make(kind)
            if parts:
                source = " + ".join(dict.fromkeys(part.name for part in parts))
                self._made.append((Draft(self._say(parts), kind, source), parts))
        return [draft for draft, _ in self._made]

    def entry_notes(self, drafts: Sequence[Draft]) -> list[str]:
        """Return the notes of the entries that the drafts are made of."""
        return [part.note for draft, parts in self._made if draft in drafts for part in parts if part.note]

    def _make(self, kind: StepKind) -> tuple[Entry, ...] | None:
        """Return the parts of a draft of one kind: the first that fits, and that nobody was given lately."""
        book = self.occasion.playbook
        steps = self._fresh(
            self.occasion.about([each for each in book.next_steps if each.kind == kind]), f"step {kind}"
        )
        if kind != "answer" and not steps:
            return None
        openers = self._openers()
        facts = self._facts() if kind == "answer" else []
        gaps = _own_gaps(facts) or self._fresh(self._gaps, "gap") or [DEFAULT_GAP]
        if not (openers or facts or steps):
            return None
        others = {draft.text for draft, _ in self._made}
        for opener, gap, step in _combine(openers, gaps, steps):
            parts = self._shorten(opener, facts, gap, step, kind)
            if parts is not None and (text := self._say(parts)) not in others and self.turns.is_new(text):
                return parts
        return None

    def _shorten(
        self, opener: Entry | None, facts: Sequence[Entry], gap: Entry, step: Entry | None, kind: StepKind
    ) -> tuple[Entry, ...] | None:
        """Return the fullest of the drafts that these parts make, as far as it fits."""
        for parts in _shorter_and_shorter(opener, facts, gap, step, kind):
            if self.room(self._say(parts)):
                return parts
            self.was_too_long = True
        return None

    def _openers(self) -> list[Entry]:
        """Return the openers for the matter of the post, then those that fit any, and last what it was given before."""
        lined_up = [wording for group in self._opener_groups for wording in self._fresh(group, "opener")]
        used = self._used()
        return sorted(lined_up, key=lambda wording: spoken_words(wording.text) in used)

    @cached_property
    def _opener_groups(self) -> list[list[Entry]]:
        every = self.occasion.playbook.openers
        called = self.occasion.about(every)
        for_any = self.occasion.about([entry for entry in every if not entry.keywords])
        return [called] if called == for_any else [called, for_any]

    @cached_property
    def _gaps(self) -> list[Entry]:
        return self.occasion.about(self.occasion.playbook.gaps)

    def _used(self) -> set[str]:
        """Return the words of what the drafts made so far are made of."""
        return {spoken_words(each.text) for _, parts in self._made for each in parts}

    def _fresh(self, entries: Sequence[Entry], part: str) -> list[Entry]:
        """Return the wordings whose turn it is, without those that the person before was given."""
        lined_up = self.turns.line_up(self.occasion, entries, part, after=self._used())
        return [wording for wording in lined_up if not self.turns.is_stale(wording.text)]

    def _facts(self) -> list[Entry]:
        """Return what is known: the fact that answers the post, and what a past reply said of the matter."""
        fact = choose_fact(self.occasion)
        wordings = self._fresh([fact], "fact") if fact else []
        if fact and not wordings:
            self.notes.append(f"The {fact.name} is left out here: somebody else was suggested it just now.")
        return [*wordings[:1], *self._past_sentences()]

    def _past_sentences(self) -> list[Entry]:
        """Return what a past reply said of the matter, but for what the playbook says in the same words.

        Nothing where it is urgent: what was right for another post is a guess there, as a found fact would be.
        """
        asked = self.occasion
        if not asked.found.replies or asked.assessment.grade == 3:
            return []
        said = {reduce(text) for entry in _entries(asked.playbook) for text in entry.texts}
        return [
            Entry(each.source.name, each.text)
            for each in choose_past_sentences(asked.text, asked.found.replies, asked.known_names, asked.language)
            if reduce(each.text) not in said and not self.turns.is_stale(each.text) and self._is_allowed(each.text)
        ]

    def _is_allowed(self, text: str) -> bool:
        return not any(has_word(text, word) for word in self.occasion.playbook.never)

    def _say(self, parts: Sequence[Entry]) -> str:
        return " ".join(fill(part.text, self.occasion.values) for part in parts)


def _combine(
    openers: Sequence[Entry], gaps: Sequence[Entry], steps: Sequence[Entry]
) -> Iterator[tuple[Entry | None, Entry, Entry | None]]:
    """Yield the ways to put an opener, a gap and a step together, those whose turn it is first."""
    first: Sequence[Entry | None] = openers[:_MOST_OPENERS] or (None,)
    last: Sequence[Entry | None] = steps[:_MOST_STEPS] or (None,)
    places = product(range(len(first)), range(min(len(gaps), _MOST_GAPS)), range(len(last)))
    for one, two, three in sorted(places, key=lambda place: (sum(place), place)):
        yield first[one], gaps[two], last[three]


def _shorter_and_shorter(
    opener: Entry | None, facts: Sequence[Entry], gap: Entry, step: Entry | None, kind: StepKind
) -> Iterator[tuple[Entry, ...]]:
    """Yield the parts of a draft, the fullest first; each has a gap, and an 'ask' or 'private' keeps its step.

    What a past reply said goes first, then the playbook's fact, then the step of an answer.
    """
    needs_gap = kind == "answer" or step is None or not open_gaps(step.text)
    for number in range(len(facts), -1, -1):
        wanted = [opener, *facts[:number], gap if needs_gap else None, step]
        yield tuple(part for part in wanted if part is not None)
    if kind == "answer" and step is not None and opener is not None:
        yield opener, gap


def _own_gaps(facts: Sequence[Entry]) -> list[Entry]:
    """Return the gap that goes with what is said: after a whole answer, 'your answer' is the wrong thing to ask for."""
    return [Entry(f"the gap of {fact.name}", fact.gap) for fact in facts[:1] if fact.gap]


def _entries(playbook: Playbook) -> tuple[Entry, ...]:
    return (*playbook.facts, *playbook.openers, *playbook.next_steps, *playbook.gaps)


def _team_notes(occasion: Occasion) -> list[str]:
    """Return the playbook's notes on such a post; they are for the team, so in whatever language the post is."""
    meant = [note for note in occasion.playbook.notes if occasion.is_meant(note)]
    return [note.text for note in meant if not note.keywords or occasion.matches(note)]


def room_within(limit: int, fits: Callable[[str], bool] | None) -> Callable[[str], bool]:
    """Return what says whether a draft fits: an eighth of the limit, and its gap, are left for a person's words."""
    spare = "x" * (limit // 8)
    if fits is not None:
        return lambda text: fits(text + spare)
    return lambda text: limit <= 0 or len(regex.findall(r"\X", text)) + len(spare) <= limit
