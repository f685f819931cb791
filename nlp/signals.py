"""Signals: what a post does, told from its words alone, with the place where it does it. Pure text; loads no model.

One pass over the runs between spaces: what a run can begin is remembered, each phrase of signals.toml is indexed by
the word it begins with, so a post pays only for the phrases it touches, and is asked about figures of speech only where
a phrase that has some was found.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, reduce
from importlib.resources import files
from itertools import accumulate, chain, count
from operator import add, or_
from typing import Any, NamedTuple

from nlp.runs import Runs


@dataclass(frozen=True, slots=True)
class Found:
    """A signal found in a text, and its span in code points."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal we look for: the words a card says, and which way it may move the need of an answer (-1, 0, 1)."""

    name: str
    words: str
    sign: int


class Phrase(NamedTuple):
    """A phrase under its first word: the signal's name, the pattern of the rest, and what the text must also hold.

    `needs` is a bit that one of the words sets that the rest can not do without; 0 where only the pattern can tell.
    """

    name: str
    rest: str
    needs: int = 0


class Entry:
    """The phrases that begin with one word, so sorted that the second word tells which of them to try."""

    def __init__(self) -> None:
        self.phrases: list[Phrase] = []
        self.open: list[Phrase] = []
        self.by_second: dict[str, list[Phrase]] = {}

    def add(self, phrase: Phrase) -> None:
        """Add a phrase; where only its pattern can tell how it goes on, it is always tried."""
        seconds = second_words(phrase.rest)
        self.phrases.append(phrase)
        if seconds is None:
            self.open.append(phrase)
            for phrases in self.by_second.values():
                phrases.append(phrase)
            return
        for second in seconds:
            self.by_second.setdefault(second, list(self.open)).append(phrase)

    def phrases_before(self, second: str) -> Sequence[Phrase]:
        """Return the phrases that can go on with a word ('' for none), in the order of the table."""
        found = self.by_second.get(second)
        if found is not None:
            return found
        return self.phrases if "-" in second or "'" in second else self.open


_SHAPES = (
    Signal("asks", "asks a question", 1),
    Signal("sum", "names a sum of money", 1),
    Signal("tagged", "tags us", 1),
    Signal("tags_other", "tags someone else", 0),
    Signal("repost", "repeats someone else", 0),
    Signal("link", "shares a link", 0),
    Signal("shouting", "is shouting", 0),
)
_RUN = re.compile(r"\S+")
_WORD = re.compile(r"#?[^\W_](?:[\w'-]*\w)?")
_MARKS = re.compile(r"\?+")
_LAST_WORD = re.compile(r"(?:[a-z '&-]*[ '&-])?([a-z]+)")  # of words and signs as they stand
_GAP = re.compile(r"… |\(\?:\\w\+ \)(?:\?|\{0,\d\})")
_URL = re.compile(r"https?://\S+|www\.\S+")
_SUM = re.compile(r"[$£€₹¥]\s?\d[\d.,]*\d?k?|\b\d[\d.,]* ?(?:usd|eur|gbp|dollars|euros|pounds|bucks|quid|rupees)\b")
_TAG = re.compile(r"(?<![\w@/])(?<![\w]\.)[@\uff20]([\w.-]*\w)")
_REPOST = re.compile(r"\s*(?:rt|via|quoting) @\w|\s*(?:>|&gt;) ?\S")
_MARKED_SARCASM = re.compile(r"(?<!\S)/s(?!\S)|🙄|🙃|👏 ?👏|#(?:sarcasm|notreally|not)\b|#fail\b")
_FONDNESS = re.compile("[❤♥😍🥰😻🤩💕💖]")
_CRY = re.compile(r"(?<!no )(?<!your )(?<!the )(?<!of )(?<!for )(?<!to )\bhe+lp+\b(?=\s*(?:[!@]|pl(?:ea)?s|$))")
_DEMAND = re.compile(
    r"\.?(?:@[\w.]+[\s:,]*)+(?:please |pls |plz |just |now )?"
    r"(fix|refund|answer|reply|respond|release|restore|unlock|unblock|return|send|give|bring|stop|get|sort|do)\b"
)
_MARKED = (
    ("help", _CRY, ("lp",)),
    ("sum", _SUM, (*"$£€₹¥", "usd", "eur", "gbp", "dollars", "pounds", "bucks", "quid", "rupees")),
    ("sarcasm", _MARKED_SARCASM, ("/s", *"🙄🙃👏", "#sarcasm", "#not", "#fail")),
    ("praise", _FONDNESS, tuple("❤♥😍🥰😻🤩💕💖")),
    ("link", _URL, ("://", "www.")),
)
"""Shapes that no text has without one of these marks, which stand in one run: so few texts are searched for them."""
_LINK, _QUESTION, _EXCLAIM, FREE_MARK = (1 << len(_MARKED) + place for place in (-1, 0, 1, 2))
"""Bits of a run's marks; from FREE_MARK on they mean nothing here."""
_APOSTROPHES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u02bc": "'", "\uff07": "'"})
_ANY_NUMBER = "N"
EVERYTHING = -1
"""What a word with a hyphen or an apostrophe in it may offer: only the patterns can tell."""
_REACH = 60


class Start(NamedTuple):
    """A word that phrases begin with: its place among the words of its run, its span in the run, and the phrases."""

    place: int
    start: int
    end: int
    entry: Entry


class Run(NamedTuple):
    """What the signals need of a run: its words, those that begin phrases, its marks, and what phrases need (bits)."""

    words: tuple[str, ...]
    starts: tuple[Start, ...]
    marks: int
    offers: int


def find_signals(text: str, ours: frozenset[str] = frozenset()) -> tuple[Found, ...]:
    """Return the signals of `text`, the first place of each, in the order in which they are looked for.

    `ours` are our own names, reduced by `plain_name`: a tag that matches one is 'tagged', any other 'tags_other'.
    """
    lower = lower_in_place(text)
    runs = lower.split()
    return find_in_runs(text, lower, runs, ours, zip(*(_RUNS.read_all(runs) or [NOTHING]), strict=True))


def find_in_runs(
    text: str, lower: str, runs: list[str], ours: frozenset[str], held: Iterable[tuple[Any, ...]]
) -> tuple[Found, ...]:
    """Return what `find_signals` does, of a text that was lowered in place, split at its spaces, and read before.

    `held` is what `read_run` told of the runs, each field of it for all of them.
    """
    words, starts, marks, offers = held
    found: dict[str, Found] = {}
    _find_phrases(lower, runs, words, starts, reduce(or_, offers), found)
    _find_shapes(text, lower, reduce(or_, marks), found)
    _find_tags(lower, ours, found)
    praise, sarcasm = found.get("praise"), found.get("sarcasm")
    if praise and sarcasm and praise.start < sarcasm.end and sarcasm.start < praise.end:
        del found["praise"]
    return tuple(found.values())


def sounds_sarcastic(text: str) -> bool:
    """Say whether the words of `text` suggest that its praise or thanks is not meant."""
    return any(found.name == "sarcasm" for found in find_signals(text))


def plain_name(name: str) -> str:
    """Reduce a brand or handle for comparison: letters and digits in lower case, without 'help', 'support' and such."""
    reduced = "".join(char for char in name.casefold() if char.isalnum())
    return re.sub(
        r"^(?:team|ask|hey)(?=\w{3})|(?<=\w{3})(?:help|helps|support|care|cares|uk|us|hq|official)$", "", reduced
    )


def lower_in_place(text: str) -> str:
    """Lower `text` without moving a single code point, and make apostrophes plain."""
    lower = text.lower()
    if len(lower) != len(text):
        lower = "".join(low if len(low := char.lower()) == 1 else char for char in text)
    return lower.translate(_APOSTROPHES)


def read_run(run: str) -> Run:
    """Return what the signals need of a run, in lower case."""
    _, index, needed = _table()
    words = list(_WORD.finditer(run))
    entries = [index.get(word[0]) or (index[_ANY_NUMBER] if word[0].isdecimal() else None) for word in words]
    starts = tuple(
        Start(place, word.start(), word.end(), entry)
        for place, (word, entry) in enumerate(zip(words, entries, strict=True))
        if entry
    )
    marks = sum(1 << bit for bit, (_, _, signs) in enumerate(_MARKED) if any(sign in run for sign in signs))
    marks |= _QUESTION * ("?" in run) | _EXCLAIM * ("!" in run)
    offers = [EVERYTHING if "-" in word[0] or "'" in word[0] else needed.get(word[0], 0) for word in words]
    return Run(tuple(word[0] for word in words), starts, marks, reduce(or_, offers, 0))


_RUNS = Runs(read_run)
NOTHING = Run((), (), 0, 0)


def _find_phrases(  # noqa: PLR0913, PLR0917 - on the hottest path
    lower: str,
    runs: list[str],
    words: Sequence[tuple[str, ...]],
    starts: Sequence[tuple[Start, ...]],
    offers: int,
    found: dict[str, Found],
) -> None:
    texts = [*chain.from_iterable(words), ""]
    before = [0, *accumulate(map(len, words))]
    places = places_of(lower, runs)
    is_plain = offers != EVERYTHING
    for number, some in enumerate(starts):
        for place, start, end, entry in some:
            second = texts[before[number] + place + 1]
            phrases = entry.by_second.get(second, entry.open) if is_plain else entry.phrases_before(second)
            for name, rest, needs in phrases:
                if needs & offers == needs and name not in found:
                    _try_phrase(name, rest, lower, places[number] + start, places[number] + end, found)


def places_of(lower: str, runs: list[str]) -> list[int]:
    """Return where each run begins; where nothing but single spaces lies between them, the lengths tell."""
    ends = [*accumulate(map(len, runs))]
    if runs and ends[-1] + len(runs) - 1 == len(lower):
        return [0, *map(add, ends[:-1], count(1))]
    return [run.start() for run in _RUN.finditer(lower)]


def _try_phrase(name: str, rest: str, lower: str, start: int, end: int, found: dict[str, Found]) -> None:  # noqa: PLR0913, PLR0917 - on the hottest path
    """Add a signal to `found` where its phrase goes on after its first word (at `start` to `end`), and is meant."""
    if rest:
        match = _compile(rest).match(lower, end)
        if match is None:
            return
        end = match.end()
    if _is_meant(name, lower, start, end):
        found[name] = Found(name, start, end)


def _is_meant(name: str, lower: str, start: int, end: int) -> bool:
    """Say whether no figure of speech or denial touches what was found."""
    unless = _unless(name)
    if unless is None:
        return True
    near = unless.finditer(lower, max(0, start - _REACH), end + _REACH)
    return not any(match.start() < end and start < match.end() for match in near)


def _find_shapes(text: str, lower: str, marks: int, found: dict[str, Found]) -> None:
    if lower.startswith(("@", ".@")) and (match := _DEMAND.match(lower)):
        found.setdefault("help", Found("help", match.start(1), match.end()))
    if marks & _QUESTION:
        bare = _URL.sub(lambda match: " " * len(match[0]), lower) if marks & _LINK else lower
        _find_question(bare, found)
    for bit, (name, pattern, _) in enumerate(_MARKED):
        if marks >> bit & 1 and name not in found and (match := pattern.search(lower)):
            found[name] = Found(name, match.start(), match.end())
    if match := _REPOST.match(lower):
        found["repost"] = Found("repost", match.start(), match.end())
    if (marks & _EXCLAIM or "??" in text or _CAPITALS.search(text)) and (shout := _SHOUT.search(text)):
        found["shouting"] = Found("shouting", shout.start(), shout.end())


def _find_question(lower: str, found: dict[str, Found]) -> None:
    """Add the first sentence that ends in a question mark and says something; links are blank in `lower`."""
    for mark in _MARKS.finditer(lower):
        start = max(lower.rfind(stop, 0, mark.start()) for stop in ".!?\n") + 1
        start += len(lower[start : mark.start()]) - len(lower[start : mark.start()].lstrip())
        if any(char.isalpha() for char in lower[start : mark.start()]):
            found["asks"] = Found("asks", start, mark.end())
            return


_CAPITALS = re.compile(r"[A-Z]{3}")  # quick to look for, and without it or marks nobody shouts
_SHOUT = re.compile(r"\b[A-Z]{3,}\b(?:[^\w\n]+\b[A-Z]{2,}\b){2,}|!{3,}|(?:[!?]{2,}){2,}")


def _find_tags(lower: str, ours: frozenset[str], found: dict[str, Found]) -> None:
    if "@" not in lower and "\uff20" not in lower:
        return
    for tag in _TAG.finditer(lower):
        name = "tagged" if _is_ours(tag[1], ours) else "tags_other"
        found.setdefault(name, Found(name, tag.start(), tag.end()))


def _is_ours(handle: str, ours: frozenset[str]) -> bool:
    if not ours:
        return not re.fullmatch(r"user_?\d+", handle)
    plain = plain_name(handle)
    return any(
        plain == name or (len(name) > 3 and name in plain) or (len(plain) > 3 and plain in name) for name in ours
    )


def signals() -> Mapping[str, Signal]:
    """Return every signal by name."""
    return _table()[0]


@cache
def _rows() -> Sequence[Mapping[str, Any]]:
    rows: list[dict[str, Any]] = tomllib.loads(files("nlp").joinpath("signals.toml").read_text("utf-8"))["signal"]
    return rows


@cache
def _table() -> tuple[Mapping[str, Signal], Mapping[str, Entry], Mapping[str, int]]:
    """Return the signals by name, the phrases by their first word, and the bits of the words that phrases need."""
    index: dict[str, Entry] = {_ANY_NUMBER: Entry()}
    needed: dict[str, int] = {}
    bits: dict[frozenset[str], int] = {}
    for row in _rows():
        for line in row["phrases"].strip().splitlines():
            first, _, rest = line.strip().partition(" ")
            words = needed_words(rest)
            bit = bits.setdefault(words, 1 << len(bits)) if words else 0
            for word in words:
                needed[word] = needed.get(word, 0) | bit
            for word in first.split("|"):
                index.setdefault(word, Entry()).add(Phrase(row["name"], rest, bit))
    known = [*(Signal(row["name"], row["words"], row["sign"]) for row in _rows()), *_SHAPES]
    return {signal.name: signal for signal in known}, index, needed


def needed_words(rest: str) -> frozenset[str]:
    """Return the words of which one must follow a gap or any one word, where the rest of a phrase begins so."""
    gap = _GAP.match(rest)
    if not gap:
        return frozenset()
    rest = rest[gap.end() :]
    if not rest.startswith("(?:"):
        return second_words(rest) or frozenset()
    choices, tail = _cut_group(rest)
    if tail and not tail.startswith(" "):
        return frozenset()
    last = [_LAST_WORD.fullmatch(choice) for choice in choices]
    return frozenset(word[1] for word in last if word) if all(last) else frozenset()


def second_words(rest: str) -> frozenset[str] | None:
    """Return the words that the rest of a phrase can begin with; None where only its pattern can tell."""
    if not rest.startswith("(?:"):
        word = rest.split(" ", 1)[0]
        optional = re.fullmatch(r"([a-z']+)([a-z])\?", word)
        if optional:
            return frozenset({optional[1], optional[1] + optional[2]})
        return frozenset({word}) if re.fullmatch(r"[a-z']+", word) else None
    choices, tail = _cut_group(rest)
    is_optional = tail.startswith(("?", "*"))
    ends_here = not tail or tail.startswith(" ") or all(choice.endswith(" ") for choice in choices)
    if tail.startswith("{") or not (is_optional or ends_here):
        return None
    heads = [second_words(choice) for choice in choices]
    heads += [second_words(tail[1:].strip()) if tail[1:].strip() else None] if is_optional else []
    known = [head for head in heads if head is not None]
    return frozenset().union(*known) if len(known) == len(heads) else None


def _cut_group(rest: str) -> tuple[list[str], str]:
    """Return the choices of the group that `rest` begins with, and what follows it."""
    depth, choices, start = 0, [], 3
    for place, sign in enumerate(rest):
        depth += (sign == "(") - (sign == ")")
        if (sign == "|" and depth == 1) or depth == 0:
            choices.append(rest[start:place])
            start = place + 1
        if depth == 0:
            return choices, rest[place + 1 :]
    raise ValueError(f"the phrase {rest!r} has a group that is never closed")


@cache
def _compile(rest: str) -> re.Pattern[str]:
    """Compile the rest of a phrase when first met: compiling all at once would take a tenth of a second."""
    return re.compile(rf"{_spell_out(f' {rest}')}(?!\w)")


@cache
def _unless(name: str) -> re.Pattern[str] | None:
    """Compile the figures of speech of a signal when one of its phrases is first met."""
    told = next((row.get("unless", "") for row in _rows() if row["name"] == name), "")
    lines = [line.strip().partition(" ") for line in told.strip().splitlines()]
    bodies = [f"(?:{first})" + (_spell_out(f" {rest}") if rest else "") for first, _, rest in lines]
    return re.compile(rf"(?<!\w)(?:{'|'.join(bodies)})(?!\w)") if bodies else None


def _spell_out(shorthand: str) -> str:
    return shorthand.replace(" …", r"(?:[\s,]+[\w'@#&-]+){0,4}?").replace(" ", r"[\s,]+")
