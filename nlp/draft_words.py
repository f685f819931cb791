"""Words that decide whether a sentence may stand in a draft: cheer, promises, guilt, times, figures, links. Pure."""

from __future__ import annotations

import re
from functools import lru_cache

_CHEERFUL = re.compile(
    r"!|\b(?:yay|woo+\w*|hooray|thrilled|delighted|excited|great news|awesome|amazing|fantastic|wonderful|glad|happy"
    r"|love|lovely|haha\w*|enjoy|fun|congrat\w*|cheers)\b|[\U0001F300-\U0001FAFF\u2600-\u27BF]",
    re.IGNORECASE,
)
_THANKFUL = re.compile(
    r"\b(?:thank\w*|appreciat\w*|grateful|dank\w*|merci|gracias|grazie|obrigad[oa])\b", re.IGNORECASE
)
_PROMISE = re.compile(
    r"\b(?:will|won't|shall|going to|gonna|promis\w*|guarante\w*|ensur\w*|make sure|makes sure|commit\w*|assur\w*|swear"
    r"|refund\w*|reimburs\w*|compensat\w*|replac\w*|waiv\w*|credit\w*|voucher\w*|discount\w*|coupon\w*|free|gratis"
    r"|priorit\w*|always|never|offer\w*|complimentary|on us|on the house|no (?:cost|charge)|money back|rest assured"
    r"|get back to you|take care of|make (?:it|this) (?:right|up)|escalat\w*"
    r"|wird|werden|verspr\w*|garant\w*|prome[st]\w*|rembours\w*|reembols\w*)\b"
    r"|\b\w+['\u2019]ll\b",
    re.IGNORECASE,
)
_GUILT = re.compile(
    r"\b(?:our|my) (?:fault|mistake|error|bad|responsibility)\b|\bapolog\w*"
    r"|\bwe (?:messed|screwed|failed|were wrong|caused|got (?:it|this) wrong|let you down|dropped the ball)"
    r"|\bliab\w*|\bnegligen\w*|\badmit\w*|\bto blame\b|\bmea culpa\b"
    r"|\bshould(?: not|n['\u2019]t)? (?:never )?have (?:happened|been)\b|\bentschuld\w*|\bdésolé\w*|\bdisculp\w*",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"\b(?:today|tonight|tomorrow|yesterday|this (?:morning|afternoon|evening|week|month)|next (?:week|month|year)|soon"
    r"|shortly|immediately|right away|at once|at the moment|currently|(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
    r"|january|february|march|april|june|july|august|september|october|november|december|within|asap"
    r"|(?:in|by|until) (?:the|a|an) (?:hour|day|week|month|morning|afternoon|evening)|deadline"
    r"|morgen|heute|mañana|demain)\b",
    re.IGNORECASE,
)
_SPAN = re.compile(
    r"\b(?:minutes?|hours?|days?|nights?|weeks?|weekends?|fortnight|months?|years?|noon"
    r"|midnight|eod|cob|moments? ago)\b"
    r"|\b(?:mon|tue|wed|thu|fri|sat|sun|jan|feb|apr|jun|jul|aug|sept?|oct|nov|dec)\b\.?",
    re.IGNORECASE,
)
_FIGURE = re.compile(
    r"[$£€₹¥]|\d[\d.,:/%-]*\d|\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty"
    r"|sixty|ninety|hundred|thousand|million|dozen|half|double|twice|percent|zwei|drei|fünf|zehn|deux|trois|cinq|dos|tres)\b",
    re.IGNORECASE,
)
_LINK = re.compile(
    r"https?://\S+|www\.\S+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\b[\w-]+(?:\.[\w-]+)*\.(?:[a-z]{2,3}|info|help|shop|store|online|site|link|page"
    r"|example)\b(?:/\S*)?",
    re.IGNORECASE,
)


@lru_cache(maxsize=4_000)
def is_cheerful(text: str) -> bool:
    """Say whether a text is cheerful: exclamation marks, emoji, glad words."""
    return _CHEERFUL.search(text) is not None


@lru_cache(maxsize=4_000)
def is_thankful(text: str) -> bool:
    """Say whether a text gives thanks: whoever was thanked in mockery reads that as mockery, or as a machine's."""
    return _THANKFUL.search(text) is not None


def promises(text: str) -> list[str]:
    """Return the words that bind us to something: 'will', 'refund', 'free', 'always'."""
    return _all(_PROMISE, text)


def guilty_words(text: str) -> list[str]:
    """Return the words that take blame."""
    return _all(_GUILT, text)


def times(text: str) -> list[str]:
    """Return the words that say when."""
    return _all(_TIME, text)


def spans(text: str) -> list[str]:
    """Return the words for stretches of time: 'a few days' names one without a figure."""
    return _all(_SPAN, text)


def figures(text: str) -> list[str]:
    """Return every figure and sign of money, also those spelled out."""
    return _all(_FIGURE, text)


def links(text: str) -> list[str]:
    """Return every web and mail address."""
    return [found.rstrip(".,;:!?)") for found in _all(_LINK, text)]


def _all(pattern: re.Pattern[str], text: str) -> list[str]:
    return [match[0].casefold() for match in pattern.finditer(text)]
