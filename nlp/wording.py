"""Words and stems of a post or a reply, for comparing what two texts are about. Pure text; loads no model."""

from __future__ import annotations

import re
from functools import lru_cache

_ADDRESS = re.compile(r"(?:https?://|www\.)\S+")
_HANDLE = re.compile(r"(?<![\w.])[@\uff20][\w.-]*\w|__\w+__|&#?\w+;")
_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")
_NAMED = re.compile(r"[A-Z]?[a-z]{2,}")
_NOT_A_NAME = frozenset(
    "www com org net html php index https http answer article articles help support page pages".split()  # noqa: SIM905 - to be read as words
)
_ENDINGS = ("ingly", "ation", "ings", "ment", "edly", "ing", "ies", "ed", "es", "er", "ly", "s")
_EMPTY = frozenset(
    """a about after again all also am an and any are as at be because been before being but by can can't could did
    didn't do does doesn't doing don't each even ever every few for from further get getting go going got had
    has have haven't having he hello help her here hey hi him his how i i'd i'll i'm i've if in into is isn't it
    it's its just know let like made make many me more most much my need never no nor not now of off on once one
    only or other our out over own please really same see she should so some such thank thanks than that that's the
    their them then there these they they're thing things this those through to too try under until up us use
    very want was way we we'd we'll we're we've well were what when where which while who why will with without
    won't would yes yet you you'd you'll you're you've your""".split()  # noqa: SIM905 - to be read as words
)


def plain_words(text: str) -> list[str]:
    """Return the words of `text` in lower case; of a link the words in its path, of a handle nothing."""
    even = text.replace("\u2019", "'")
    named = [word for link in _ADDRESS.findall(even) for word in _words_of_link(link)]
    bare = _HANDLE.sub(" ", _ADDRESS.sub(" ", even)).lower()
    return [word for word in _WORD.findall(bare) if "_" not in word] + named


def content_words(text: str) -> list[str]:
    """Return the words that say what `text` is about, each once, in order: none of 'the', 'please', 'thanks'."""
    return [word for word in dict.fromkeys(plain_words(text)) if word not in _EMPTY]


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Return the part of a word that its forms share, near enough: 'returning', 'returns' and 'returned' are one."""
    bare = word.replace("'", "").replace("-", "")
    for ending in _ENDINGS:
        if bare.endswith(ending) and len(bare) - len(ending) >= 3:
            bare = bare[: -len(ending)]
            break
    if len(bare) > 3 and bare[-1] == bare[-2]:
        bare = bare[:-1]
    return bare.rstrip("e") if len(bare) > 3 else bare


def _words_of_link(link: str) -> list[str]:
    """Return the words in a link's path: 'https://a.example/help/reset-password?id=7' names reset and password."""
    path = re.sub(r"^.*https?://|[?#].*$", "", link)
    parts = _NAMED.findall(path.partition("/")[2])
    return [lower for part in parts if (lower := part.lower()) not in _NOT_A_NAME and len(lower) > 2]
