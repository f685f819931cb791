"""What may be said again of a past reply: the sentences that were about the matter, not about one person.

A person approved every word of a past reply, but for somebody else, and then. So a sentence that promises, takes blame,
says when, tells what was done or how things stood, or speaks of the reader's own order, is never used again; figures,
addresses and names in the others become gaps, and whoever writes the next reply fills them in.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from nlp.draft_words import guilty_words, is_cheerful, promises, times
from nlp.language import detect
from nlp.names import first_name
from nlp.retrieval import Pair, is_alike, rank
from nlp.templates import say_again
from nlp.wording import content_words, stem

_LANGUAGE = "en"
_MOST_SENTENCES = 2
_MOST_GAPS = 2
_FEWEST_WORDS, _MOST_WORDS = 4, 40
_BETWEEN = re.compile(r"(?<=[.!?])\s+|\n+")
_EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf]")
_OF_ONE_CASE = re.compile(
    r"\b(?:I|we)(?:['\u2019](?:ve|d|m|re)| have| had| am| are| was| were| did| just)\b"
    r"|\b(?:I|we) (?:\w+ed|sent|found|saw|made|put|took|gave|got|told|spoke|wrote|see|checked)\b"
    r"|\byour (?:order|refund|parcel|package|account|booking|case|ticket|payment|delivery|card|message|mail|e-?mail|dm"
    r"|post"
    r"|tweet|claim|flight|bag|name|address)\b|\byou (?:said|wrote|mentioned|told|asked|were|had|have)\b"
    r"|\b(?:sorry|thank|thanks|hi|hello|hey|dear|regards|cheers|welcome)\b|\?",
    re.IGNORECASE,
)
_OF_THAT_TIME = re.compile(
    r"\b(?:now|again|already|still|yet|no longer|any ?more|(?:has|have|had) been"
    r"|(?:is|are|was|were) (?:back|up|down|out)|fixed|resolved|solved|restored|repaired|sold out|(?:in|out of) stock"
    r"|cancelled|canceled|delayed|under ?way|investigat\w+|working on|aware of)\b",
    re.IGNORECASE,
)
_SECRET = re.compile(
    r"(?P<link>https?://\S+|www\.\S+)|(?P<mail>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)|(?P<handle>[@\uff20#][\w.-]*\w)"
    r"|(?P<number>[$£€₹¥]?\s?\d(?:[\d.,:/ -]*\d)?%?)"
)
_GAPS = {"link": "[the link]", "mail": "[the address]", "handle": "[the name]", "number": "[the number]"}
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_IN_BRACKETS = re.compile(r"\[[^\[\]]*\]")


@dataclass(frozen=True, slots=True)
class PastReply:
    """A reply that the team sent, to what, and when. `number` is its row in the ledger."""

    number: int
    question: str
    answer: str
    sent_on: date

    @property
    def name(self) -> str:
        """What a draft names as its source."""
        return f"a past reply of {self.sent_on.day} {self.sent_on:%B %Y}"


@dataclass(frozen=True, slots=True)
class Reused:
    """A sentence of a past reply, written as a template, with its gaps."""

    text: str
    source: PastReply


def choose_past_sentences(
    question: str, replies: Sequence[PastReply], known: Collection[str], language: str
) -> tuple[Reused, ...]:
    """Return what the past reply that fits the question best says about the matter, at most two sentences.

    Args:
        question: the post.
        replies: what the team answered to others, in any order.
        known: capitalised words that name no person: those of the playbook and of the brand.
        language: the language of the draft; a past reply in another is passed over.
    """
    alike = [each for each in replies if is_alike(question, each.question)]
    if not alike:
        return ()
    memory = [Pair(each.question, each.answer) for each in replies]
    scores = rank(question, [each.answer for each in alike], memory)
    for _, reply in sorted(zip(scores, alike, strict=True), key=lambda pair: (-pair[0], -pair[1].number)):
        sentences = find_reusable(reply.answer, question, known, language)
        if sentences:
            return tuple(Reused(sentence, reply) for sentence in sentences[:_MOST_SENTENCES])
    return ()


def find_reusable(answer: str, question: str, known: Collection[str], language: str) -> list[str]:
    """Return the sentences of a past reply that may be said to somebody else, as templates with gaps.

    Only English ones: the words that bar a sentence are English.
    """
    if language != _LANGUAGE or detect(answer) not in {language, "und"}:
        return []
    wanted = {stem(word) for word in content_words(question)}
    found = []
    for part in _BETWEEN.split(answer):
        sentence = " ".join(part.split())
        if not _is_about_the_matter(sentence) or not wanted & {stem(word) for word in content_words(sentence)}:
            continue
        opened = _open_gaps(sentence, known)
        if opened:
            found.append(say_again(opened))
    return found


def _is_about_the_matter(sentence: str) -> bool:
    return (
        _FEWEST_WORDS <= len(_WORD.findall(sentence)) <= _MOST_WORDS
        and sentence[0].isalnum()
        and sentence[-1] in ".:"
        and not _OF_ONE_CASE.search(sentence)
        and not _OF_THAT_TIME.search(sentence)
        and not _EMOJI.search(sentence)
        and not any(check(sentence) for check in (promises, guilty_words, times, is_cheerful))
        and not set(sentence) & set("[]{}<>*_~`")
    )


def _open_gaps(sentence: str, known: Collection[str]) -> str:
    """Return the sentence with a gap for every figure, address and name; '' where too little would be left."""
    opened = _SECRET.sub(lambda match: f"{_lead(match[0])}{_GAPS[match.lastgroup or 'number']}", sentence)
    opened = re.sub(r"\]([^\w\s\[]*)$", r"]\1", opened)
    pieces, last, is_first = [], 0, True
    for match in _IN_BRACKETS.finditer(f"{opened}[]"):
        pieces.append(_open_names(opened[last : match.start()], known, is_first=is_first))
        pieces.append(opened[match.start() : match.end()])
        last, is_first = match.end(), False
    text = "".join(pieces)
    gaps = _IN_BRACKETS.findall(text)
    return text if len(gaps) <= _MOST_GAPS and len(_WORD.findall(_IN_BRACKETS.sub("", text))) >= _FEWEST_WORDS else ""


def _open_names(text: str, known: Collection[str], *, is_first: bool) -> str:
    """Turn words with a capital into gaps, unless they are known or begin the sentence as any word does."""

    def open_name(match: re.Match[str]) -> str:
        word = match[0]
        begins = is_first and not text[: match.start()].strip()
        if word in known or word == "I" or not word[0].isupper():
            return word
        return word if begins and not first_name(word) else "[the name]"

    return re.sub(r"(?:\[the name\]\s?)+(?=\[the name\])", "", _WORD.sub(open_name, text))


def _lead(found: str) -> str:
    return " " if found[:1].isspace() else ""
