"""Signals: what a post does, told from its words alone, with the place where it does it. Pure text; loads no model.

One pass over the words: each phrase of signals.toml is indexed by the word it begins with, so a post pays only for
the phrases it touches, and is asked about figures of speech only where a phrase that has some was found.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


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


Phrase = tuple[str, str]
"""A phrase under its first word: the signal's name, and the pattern of the rest."""


class Entry:
    """The phrases that begin with one word, so sorted that the second word tells which of them to try."""

    def __init__(self) -> None:
        self.phrases: list[Phrase] = []
        self._open: list[Phrase] = []
        self._by_second: dict[str, list[Phrase]] = {}

    def add(self, phrase: Phrase) -> None:
        """Add a phrase; where only its pattern can tell how it goes on, it is always tried."""
        seconds = second_words(phrase[1])
        self.phrases.append(phrase)
        if seconds is None:
            self._open.append(phrase)
            for phrases in self._by_second.values():
                phrases.append(phrase)
            return
        for second in seconds:
            self._by_second.setdefault(second, list(self._open)).append(phrase)

    def phrases_before(self, second: str) -> Sequence[Phrase]:
        """Return the phrases that can go on with a word ('' for none), in the order of the table."""
        found = self._by_second.get(second)
        if found is not None:
            return found
        return self.phrases if "-" in second or "'" in second else self._open


_SHAPES = (
    Signal("asks", "asks a question", 1),
    Signal("sum", "names a sum of money", 1),
    Signal("tagged", "tags us", 1),
    Signal("tags_other", "tags someone else", 0),
    Signal("repost", "repeats someone else", 0),
    Signal("link", "shares a link", 0),
    Signal("shouting", "is shouting", 0),
)
_WORD = re.compile(r"#?[^\W_](?:[\w'-]*\w)?")
_MARKS = re.compile(r"\?+")
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
)
"""Shapes that no text has without one of these marks: looking for a mark takes a tenth of the time."""
_ANY_MARK = re.compile("|".join(re.escape(mark) for _, _, marks in _MARKED for mark in marks))
_APOSTROPHES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u02bc": "'", "\uff07": "'"})
_ANY_NUMBER = "N"
_REACH = 60


def find_signals(text: str, ours: frozenset[str] = frozenset()) -> tuple[Found, ...]:
    """Return the signals of `text`, the first place of each, in the order of the rule table.

    `ours` are our own names, reduced by `plain_name`: a tag that matches one is 'tagged', any other 'tags_other'.
    """
    lower = lower_in_place(text)
    found: dict[str, Found] = {}
    _find_phrases(lower, found)
    _find_shapes(text, lower, found)
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


def _find_phrases(lower: str, found: dict[str, Found]) -> None:
    index = _index()
    words = list(_WORD.finditer(lower))
    texts = [word[0] for word in words]
    for place, text in enumerate(texts):
        entry = index.get(text) or (index[_ANY_NUMBER] if text.isdecimal() else None)
        if entry is None:
            continue
        word = words[place]
        for name, rest in entry.phrases_before(texts[place + 1] if place + 1 < len(texts) else ""):
            if name in found:
                continue
            end = word.end()
            if rest:
                match = _compile(rest).match(lower, end)
                end = match.end() if match else 0
            if end and _is_meant(name, lower, word.start(), end):
                found[name] = Found(name, word.start(), end)


def _is_meant(name: str, lower: str, start: int, end: int) -> bool:
    """Say whether no figure of speech or denial touches what was found."""
    unless = _unless(name)
    if unless is None:
        return True
    near = unless.finditer(lower, max(0, start - _REACH), end + _REACH)
    return not any(match.start() < end and start < match.end() for match in near)


def _find_shapes(text: str, lower: str, found: dict[str, Found]) -> None:
    shapes: list[tuple[str, re.Pattern[str]]] = []
    if _ANY_MARK.search(lower):
        shapes += [(name, pattern) for name, pattern, marks in _MARKED if any(mark in lower for mark in marks)]
    without_links = lower
    if "://" in lower or "www." in lower:
        shapes.append(("link", _URL))
        without_links = _URL.sub(lambda match: " " * len(match[0]), lower)
    if lower.startswith(("@", ".@")) and (match := _DEMAND.match(lower)):
        found.setdefault("help", Found("help", match.start(1), match.end()))
    for mark in _MARKS.finditer(without_links):
        start = max(without_links.rfind(stop, 0, mark.start()) for stop in ".!?\n") + 1
        start += len(without_links[start : mark.start()]) - len(without_links[start : mark.start()].lstrip())
        if any(char.isalpha() for char in without_links[start : mark.start()]):
            found["asks"] = Found("asks", start, mark.end())
            break
    for name, pattern in shapes:
        if name not in found and (match := pattern.search(lower)):
            found[name] = Found(name, match.start(), match.end())
    if match := _REPOST.match(lower):
        found["repost"] = Found("repost", match.start(), match.end())
    if ("!" in text or "??" in text or _CAPITALS.search(text)) and (shout := _SHOUT.search(text)):
        found["shouting"] = Found("shouting", shout.start(), shout.end())


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


def _index() -> Mapping[str, Entry]:
    return _table()[1]


@cache
def _rows() -> Sequence[Mapping[str, Any]]:
    rows: list[dict[str, Any]] = tomllib.loads(files("nlp").joinpath("signals.toml").read_text("utf-8"))["signal"]
    return rows


@cache
def _table() -> tuple[Mapping[str, Signal], Mapping[str, Entry]]:
    rows = _rows()
    index: dict[str, Entry] = {_ANY_NUMBER: Entry()}
    for row in rows:
        for line in row["phrases"].strip().splitlines():
            first, _, rest = line.strip().partition(" ")
            for word in first.split("|"):
                index.setdefault(word, Entry()).add((row["name"], rest))
    known = [*(Signal(row["name"], row["words"], row["sign"]) for row in rows), *_SHAPES]
    return {signal.name: signal for signal in known}, index


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
