"""Near-duplicates: so that two hundred copies of one post make one card. In memory, bounded, numpy only.

A copy is a repost ('RT @x: …'), the same words with another link, other tags, a typo, a small edit, something put
before it, or a cut-off end. Two posts with the same words but other numbers are *not* copies: an order, a flight or
a sum of one's own is another person with another problem. Neither are short texts ('same here', 'thanks!'), however
equal, for each of them answers something else; below 5 words or 20 letters nothing is grouped.

How: the text is reduced to its letters, cut into overlapping runs of five, and summed up by 32 minimum hashes in 16
bands. Posts that agree in a band are compared run by run.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

FEWEST_WORDS = 5
FEWEST_LETTERS = 20
_RUN = 5
_BANDS = 16
_LONGEST = 1_500
_TAIL = 300
_ALIKE = 0.68
_CONTAINED = 0.9
_LEAST_SHARE = 0.5
_FEWEST_RUNS_CONTAINED = 25
_REPOST = re.compile(r"^(?:\W*(?:rt|via|qt|quoting)\b\W*@?[\w.-]*\W+)+", re.IGNORECASE)
_JUNK = re.compile(r"https?://\S+|www\.\S+|[@\uff20][\w.-]+|&\w{2,6};")
_GLUE = re.compile(r"[\W_]+")
_NUMBER = re.compile(r"\d+")

Runs = npt.NDArray[np.uint32]
_random = np.random.default_rng(20_261_123)
_FACTORS = (_random.integers(1, 2**32, 2 * _BANDS, dtype=np.uint32) | np.uint32(1))[:, None]
_MIX = _random.integers(1, 2**32, _RUN, dtype=np.uint32) | np.uint32(1)
_HALF, _LOWER, _SPREAD = np.uint32(15), np.uint64(32), np.uint64(0x9E3779B97F4A7C15)
_BAND_SALT = _random.integers(1, 2**63, _BANDS, dtype=np.uint64)


@dataclass(slots=True)
class _Lead:
    """A text first seen under `key`, and everything that turned out to be a copy of it."""

    key: int
    runs: Runs
    numbers: frozenset[str]
    bands: list[int]
    members: dict[int, None] = field(default_factory=dict)


class Grouper:
    """Finds the lead of a text among the last `capacity` texts placed."""

    def __init__(self, capacity: int = 50_000) -> None:
        if capacity < 1:
            raise ValueError("a grouper needs room for at least one text")
        self._capacity = capacity
        self._leads: OrderedDict[int, _Lead] = OrderedDict()
        self._by_band: dict[int, _Lead] = {}

    def __len__(self) -> int:
        return len(self._leads)

    def prime(self, placed: Iterable[tuple[int, str]]) -> None:
        """Place texts known from before, oldest first."""
        for key, text in placed:
            self.place(key, text)

    def place(self, key: int, text: str) -> int | None:
        """Remember `text` under `key`; return the key of the lead it is a copy of, None where it is new.

        A key placed again (an edited post) is forgotten first.
        """
        self.forget(key)
        letters, numbers = _reduce(text)
        if len(letters) < FEWEST_LETTERS or letters.count(" ") + 1 < FEWEST_WORDS:
            return None
        runs = _runs(letters)
        bands = _bands(runs)
        lead = self._find(runs, numbers, bands)
        if lead is None:
            self._remember(key, _Lead(key, runs, numbers, bands))
            return None
        self._remember(key, lead)
        return lead.key

    def forget(self, key: int) -> None:
        """Forget a text; where it led copies, the oldest of them leads now."""
        lead = self._leads.pop(key, None)
        if lead is None:
            return
        del lead.members[key]
        if not lead.members:
            for band in lead.bands:
                if self._by_band.get(band) is lead:
                    del self._by_band[band]
        elif lead.key == key:
            lead.key = next(iter(lead.members))

    def _find(self, runs: Runs, numbers: frozenset[str], bands: list[int]) -> _Lead | None:
        met: set[int] = set()
        for band in bands:
            lead = self._by_band.get(band)
            if lead is not None and id(lead) not in met:
                met.add(id(lead))
                if _is_copy(runs, numbers, lead):
                    return lead
        return None

    def _remember(self, key: int, lead: _Lead) -> None:
        lead.members[key] = None
        self._leads[key] = lead
        if lead.key == key:
            for band in lead.bands:
                self._by_band[band] = lead
        while len(self._leads) > self._capacity:
            oldest, of = next(iter(self._leads.items()))
            told_as = of.key
            self.forget(oldest)
            of.key = told_as  # a lead that fell out of memory still leads its copies: its card stands


def _is_copy(runs: Runs, numbers: frozenset[str], lead: _Lead) -> bool:
    if not (numbers <= lead.numbers or lead.numbers <= numbers):
        return False
    fewer, more = sorted((len(runs), len(lead.runs)))
    if fewer < more * _LEAST_SHARE:
        return False
    both = np.concatenate((runs, lead.runs))
    both.sort()
    shared = int(np.count_nonzero(both[1:] == both[:-1]))
    return shared >= _ALIKE * (fewer + more - shared) or (
        fewer >= _FEWEST_RUNS_CONTAINED and shared >= _CONTAINED * fewer
    )


def _reduce(text: str) -> tuple[str, frozenset[str]]:
    """Return the letters of a text, single-spaced, and the numbers in it."""
    if len(text) > _LONGEST + _TAIL:
        text = f"{text[:_LONGEST]} {text[-_TAIL:]}"
    bare = _JUNK.sub(" ", _REPOST.sub("", text))
    letters = _GLUE.sub(" ", bare.lower()).strip()
    return letters, frozenset(_NUMBER.findall(letters))


def _runs(letters: str) -> Runs:
    """Return a hash of every run of five letters, sorted, each once."""
    codes = letters.encode("utf-32-le", "surrogatepass")
    size = len(codes) // 4 - _RUN + 1
    windows: Runs = np.ndarray((size, _RUN), dtype=np.uint32, buffer=codes, strides=(4, 4))
    hashes = windows @ _MIX
    hashes ^= hashes >> _HALF
    hashes *= _MIX[0]
    hashes.sort()
    is_first = np.empty(size, dtype=bool)
    is_first[0] = True
    np.not_equal(hashes[1:], hashes[:-1], out=is_first[1:])
    first: Runs = hashes[is_first]
    return first


def _bands(runs: Runs) -> list[int]:
    lowest = (runs * _FACTORS).min(axis=1).astype(np.uint64)
    banded = (lowest[0::2] << _LOWER | lowest[1::2]) * _SPREAD ^ _BAND_SALT
    told: list[int] = banded.tolist()
    return told
