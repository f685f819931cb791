"""Grouping: mutated copies among 20,000 posts, how many are found and how many are wrong, beside datasketch's LSH.

The originals are our own corpus and, where it is beside the project, the folder of training posts; only texts that can
be grouped at all (five words, twenty letters) and that no other original repeats. A third of the posts are originals,
the rest mutated copies of some of them: reposts, changed links and tags, typos, small edits, something put before.
"""

from __future__ import annotations

import random
import re
import string
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
from datasketch import MinHash, MinHashLSH

from benchmarks.report import Figure
from nlp.group import FEWEST_LETTERS, FEWEST_WORDS, Grouper

POSTS = 20_000
_ROOT = Path(__file__).resolve().parents[1]
_TRAINING = _ROOT.parent / "shared" / "data" / "train"
_FILES = ("goemotions_background.jsonl", "ibm.jsonl", "judged.jsonl")
_RUN = 5
_ALIKE = 0.5
_PERMUTATIONS = 128
_WORD = re.compile(r"\w+")
_TAG, _LINK = re.compile(r"@[A-Za-z]\w*"), re.compile(r"https?://\S+")
Post = tuple[int, str]


def measure() -> list[Figure]:
    """Place the same posts in both, in the same order."""
    rng = random.Random(7)  # noqa: S311 - benchmark material
    posts = _posts(rng)
    ours, our_seconds = _time(_group, posts)
    theirs, their_seconds = _time(_group_with_datasketch, posts)
    detail = f"{len(posts) / our_seconds:,.0f} against {len(posts) / their_seconds:,.0f} posts/s of one core"
    return [
        *_quality("grouping", posts, ours, ("at least 0.99", "at least 0.985")),
        *_quality("datasketch MinHashLSH", posts, theirs, ("reported", "reported")),
        Figure("grouping / datasketch MinHashLSH, speed", their_seconds / our_seconds, "x", "at least 8x", detail),
    ]


def _quality(name: str, posts: list[Post], told: list[int | None], asked: tuple[str, str]) -> list[Figure]:
    recall, precision, detail = _judge(posts, told)
    return [
        Figure(f"{name}: copies found (recall)", recall, "", asked[0], detail),
        Figure(f"{name}: rightly grouped (precision)", precision, "", asked[1], detail),
    ]


def _posts(rng: random.Random) -> list[Post]:
    """Return 20,000 texts, each with the number of the original it comes from; every original before its copies."""
    originals = _originals(rng)[: POSTS // 3]
    copied = originals[: len(originals) // 2]
    coming: list[list[Post]] = [[] for _ in originals]  # copies, by the original they come some time after
    for _ in range(POSTS - len(originals)):
        number = rng.randrange(len(copied))
        copy = (number, rng.choice(_MUTATIONS)(copied[number], rng))
        coming[rng.randrange(number, len(originals))].append(copy)
    placed: list[Post] = []
    for number, text in enumerate(originals):
        placed += [(number, text), *coming[number]]
    return placed


def _originals(rng: random.Random) -> list[str]:
    files = [*sorted((_ROOT / "nlp" / "corpus").glob("*.jsonl")), *(_TRAINING / name for name in _FILES)]
    texts = [orjson.loads(line)["text"] for file in files if file.is_file() for line in file.read_bytes().splitlines()]
    distinct: dict[frozenset[str], str] = {}
    for text in texts:
        words = _WORD.findall(text.lower())
        if len(words) > FEWEST_WORDS + 1 and len("".join(words)) > FEWEST_LETTERS + 10:
            distinct.setdefault(frozenset(words), text)
    found = list(distinct.values())
    rng.shuffle(found)
    return found


def _repost(text: str, rng: random.Random) -> str:
    return f"RT @{''.join(rng.choices(string.ascii_lowercase, k=8))}: {text}"


def _relink(text: str, rng: random.Random) -> str:
    bare = _LINK.sub("", text).strip()
    return f"{bare} https://t.example/{''.join(rng.choices(string.ascii_letters, k=7))}"


def _retag(text: str, rng: random.Random) -> str:
    return f"{_TAG.sub('', text)} @{''.join(rng.choices(string.ascii_lowercase, k=6))} !!"


def _mistype(text: str, rng: random.Random) -> str:
    letters = list(text)
    for _ in range(max(1, len(letters) // 90)):
        at = rng.randrange(len(letters))
        if letters[at].isalpha():
            letters[at] = rng.choice(string.ascii_lowercase)
    return "".join(letters)


def _edit(text: str, rng: random.Random) -> str:
    words = text.split(" ")
    at = rng.randrange(len(words))
    return " ".join([*words[:at], *rng.choice(([], [words[at], "really"])), *words[at + 1 :]])


def _prefix(text: str, rng: random.Random) -> str:
    return f"{rng.choice(('This!', 'So true:', 'FYI', 'Same here.', 'wow'))} {text}"


_MUTATIONS: tuple[Callable[[str, random.Random], str], ...] = (_repost, _relink, _retag, _mistype, _edit, _prefix)


def _time(group: Callable[[list[Post]], list[int | None]], posts: list[Post]) -> tuple[list[int | None], float]:
    started = time.thread_time()
    told = group(posts)
    return told, time.thread_time() - started


def _group(posts: list[Post]) -> list[int | None]:
    grouper = Grouper()
    return [grouper.place(place, text) for place, (_, text) in enumerate(posts)]


def _group_with_datasketch(posts: list[Post]) -> list[int | None]:
    index = MinHashLSH(threshold=_ALIKE, num_perm=_PERMUTATIONS)
    told: list[int | None] = []
    for place, (_, text) in enumerate(posts):
        hashed = MinHash(num_perm=_PERMUTATIONS)
        hashed.update_batch(list(_shingles(text)))
        found = min(map(int, index.query(hashed)), default=None)
        told.append(found)
        if found is None:
            index.insert(str(place), hashed)
    return told


def _shingles(text: str) -> Iterator[bytes]:
    letters = " ".join(_WORD.findall(text.lower()))
    return (letters[at : at + _RUN].encode() for at in range(max(1, len(letters) - _RUN + 1)))


def _judge(posts: list[Post], told: list[int | None]) -> tuple[float, float, str]:
    """Return the share of copies led by a post of their own original, and of all those led the share that is right."""
    seen: set[int] = set()
    copies = found = grouped = right = 0
    for place, (original, _) in enumerate(posts):
        lead = told[place]
        is_right = lead is not None and posts[lead][0] == original
        grouped += lead is not None
        right += is_right
        if original in seen:
            copies += 1
            found += is_right
        seen.add(original)
    return found / max(1, copies), right / max(1, grouped), f"{found:,} of {copies:,} copies, {grouped - right:,} wrong"
