"""Static word vectors: the mean of a text's word pieces. Numpy only; the attribution is in docs/model-card.md.

`pieces.txt` holds one word piece a line, `pieces.npy` a row of int8 for each: the vectors of all-MiniLM-L6-v2
(sentence-transformers, Apache-2.0), distilled with model2vec and rounded. `quantize` made both.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nlp.bags import Bags
from nlp.features import Array

FOLDER = Path(__file__).with_name("vectors_int8")
SIZE = 256
_MOST_PIECES = 512
_CALM = 4
_SCALE = 0.0283
_LONGEST_WORD = 60
_MASKED = re.compile(r"(https?://\S+|www\.\S+)|@[\w.-]*\w")
_TOKEN = re.compile(r"\w+|[^\w\s]")


class Vectors:
    """Looks up word pieces, the longest first, and averages their vectors."""

    def __init__(self, folder: Path = FOLDER) -> None:
        pieces = (folder / "pieces.txt").read_text(encoding="utf-8").split("\n")
        self._places = {piece: place for place, piece in enumerate(pieces) if piece}
        rows = np.load(folder / "pieces.npy", allow_pickle=False)
        # one more row, of zeros: the piece of a text in which nothing is known
        self._rows: npt.NDArray[np.int8] = np.vstack([rows, np.zeros((1, SIZE), dtype=np.int8)])
        self._cut = lru_cache(maxsize=30_000)(self._cut_word)

    def cut(self, word: str) -> tuple[int, ...]:
        """Return the pieces of a word in lower case: nothing of a handle, and every part of one that holds signs."""
        return tuple(place for token in _TOKEN.findall(_plain(word)) for place in self._cut(token))

    def bag(self, pieces: Sequence[Sequence[int]]) -> Bags:
        """Return the pieces of texts as bags, the first 512 of each."""
        nothing = len(self._rows) - 1
        lengths = np.array([min(len(each), _MOST_PIECES) for each in pieces])
        numbers = np.array([place for each in pieces for place in (*each[:_MOST_PIECES], nothing)])
        ends = np.cumsum(lengths + 1)
        return Bags(numbers, ends - lengths - 1, _SCALE / np.sqrt(lengths + _CALM), len(self._rows), _CALM - 1)

    def sum_up(self, pieces: Bags) -> Array:
        """Return the calmed sum of each bag's vectors: bags x SIZE. Its usual length is 4."""
        chunks = np.array_split(
            np.arange(len(pieces)), len(pieces) // 500 + 1
        )  # the sums are large while they are made
        return np.vstack([self._sum(pieces.take(chunk)) for chunk in chunks])

    def _sum(self, pieces: Bags) -> Array:
        sums = np.add.reduceat(self._rows[pieces.numbers], pieces.starts, axis=0, dtype=np.int32)
        summed: Array = sums * pieces.values[:, None]
        return summed

    def project(self, weights: Array) -> npt.NDArray[np.float32]:
        """Return what rows of weights over a vector (outputs x SIZE) give each piece: outputs x pieces.

        So a text is weighed without its vector ever being made.
        """
        projected: npt.NDArray[np.float32] = np.einsum(
            "ps,ws->wp", self._rows.astype(np.float32), weights.astype(np.float32)
        )
        return projected

    def sample(self, every: int) -> Array:
        """Return the vectors of every so many pieces, each of length one: what words are like in general."""
        rows = self._rows[:-1:every].astype(np.float64)
        lengths = np.sqrt(np.einsum("ps,ps->p", rows, rows))
        unit: Array = rows[lengths > 0] / lengths[lengths > 0][:, None]
        return unit

    def average(self, text: str) -> npt.NDArray[np.float64]:
        """Return the mean vector of `text`, of length one; zeros where it holds nothing known."""
        places: list[int] = []
        for token in _TOKEN.findall(_plain(text)):
            places += self._cut(token)
        if not places:
            return np.zeros(SIZE)
        rows = self._rows.take(places[:_MOST_PIECES], axis=0)
        total = rows.sum(axis=0, dtype=np.int32).astype(np.float64)
        length = np.sqrt(total @ total)
        mean: npt.NDArray[np.float64] = total / length if length else total
        return mean

    def _cut_word(self, word: str) -> tuple[int, ...]:
        """Cut a word into the longest known pieces; a word with an unknown part has none at all."""
        if len(word) > _LONGEST_WORD:
            return ()
        found = []
        start = 0
        while start < len(word):
            lead = "##" if start else ""
            end = next((end for end in range(len(word), start, -1) if lead + word[start:end] in self._places), 0)
            if not end:
                return ()
            found.append(self._places[lead + word[start:end]])
            start = end
        return tuple(found)


@cache
def shipped_vectors() -> Vectors:
    """Return the vectors shipped with Cuecard, loaded once."""
    return Vectors()


def quantize(source: Path, target: Path = FOLDER) -> None:
    """Round the vectors of a model2vec folder (`model.safetensors`, `tokenizer.json`) to int8, all by one scale."""
    places: dict[str, int] = json.loads((source / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    data = (source / "model.safetensors").read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    rows = np.frombuffer(data[start:], dtype=np.float16).reshape(-1, SIZE).astype(np.float32)
    target.mkdir(exist_ok=True)
    np.save(target / "pieces.npy", np.round(rows * (127 / np.abs(rows).max())).astype(np.int8))
    pieces = [piece for piece, _ in sorted(places.items(), key=lambda pair: pair[1])]
    (target / "pieces.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")


def _plain(text: str) -> str:
    """Lower a text, take its accents off, and mask handles and links."""
    lower = _MASKED.sub(lambda match: " link " if match[1] else " ", text).lower().replace("\u2019", "'")
    if lower.isascii():
        return lower
    return "".join(char for char in unicodedata.normalize("NFD", lower) if not unicodedata.combining(char))
