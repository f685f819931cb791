"""The spaCy pipeline: blank English, our own tokeniser and components, no downloaded model. The only spacy.load.

words ──▶ cuecard_signals ──▶ cuecard_heads
Each document carries in `user_data` the text it was read from ('text'), our own names ('ours'), its words unmasked
('words'), the signals found ('signals') and the heads' reading ('reading').
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import registry
from spacy.vocab import Vocab

from nlp.bags import hash_words
from nlp.features import feature_names, measure
from nlp.heads import Heads, Laid
from nlp.signals import find_signals, lower_in_place, plain_name
from nlp.vectors import shipped_vectors

MODEL_DIR = Path(__file__).with_name("model")
CONFIG = Path(__file__).with_name("config.cfg")
_TOKEN = re.compile(r"https?://\S+|www\.\S+|@[\w.-]*\w|#?[^\W\d_]+(?:['-][^\W\d_]+)*|\d+|[?!]|[^\s\w.,:;\"'()/-]")
_LONGEST_WORD = 24
_ORDINARY = frozenset("abcdefgijklmnopqrstuvxyz!?")  # no mask begins with these ('http' and 'www.' do with h and w)
_NO_WORDS = ["…"]  # stands for a text of dots and spaces: a document without words cannot share a batch with others


@registry.tokenizers("cuecard.Words.v1")  # type: ignore[untyped-decorator]
def make_words() -> Callable[[Language], Words]:
    """Return the maker of our tokeniser, for the config."""
    return lambda nlp: Words(nlp.vocab)


class Words:
    """Reads a text as the model should: lower case, with handles, links and numbers masked.

    A brand's own name says nothing about the need of an answer, so ours becomes '@us' and any other '@someone'.
    """

    def __init__(self, vocab: Vocab) -> None:
        self._vocab = vocab

    def __call__(self, text: str) -> Doc:
        """Return the document of a clean text that is to nobody in particular."""
        return self.read(text, frozenset())

    def read(self, text: str, ours: frozenset[str]) -> Doc:
        """Return the document of a clean text; `ours` are our names as `plain_name` reduces them."""
        plain = _TOKEN.findall(lower_in_place(text))
        words = [
            word if word[0] in _ORDINARY and len(word) <= _LONGEST_WORD and word not in ours else _mask(word, ours)
            for word in plain
        ]
        told = {"text": text, "ours": ours, "words": plain}
        return Doc(self._vocab, words=words or _NO_WORDS, user_data=told)

    def to_bytes(self, **_: object) -> bytes:
        """Nothing is learned, so nothing is kept."""
        return b""

    def from_bytes(self, _data: bytes, **_: object) -> Words:
        """Nothing is learned, so nothing is read."""
        return self

    def to_disk(self, _path: Path, **_: object) -> None:
        """Nothing is learned, so nothing is written."""

    def from_disk(self, _path: Path, **_: object) -> Words:
        """Nothing is learned, so nothing is read."""
        return self


def _mask(word: str, ours: frozenset[str]) -> str:
    first = word[0]
    if first == "@":
        plain = plain_name(word)
        return "@us" if not ours or any(name in plain or plain in name for name in ours) else "@someone"
    if first.isdigit():
        return "0" * min(len(word), 5)
    if word.startswith(("http", "www.")):
        return "link"
    return "@us" if word in ours else word[:_LONGEST_WORD]


class ModelMismatchError(Exception):
    """The weights and the code are of different versions."""


@Language.component("cuecard_signals")
def find(doc: Doc) -> Doc:
    """Find the signals of a document's text."""
    doc.user_data["signals"] = find_signals(doc.user_data["text"], doc.user_data["ours"])
    return doc


@Language.factory("cuecard_heads")
def make_heads(nlp: Language, name: str) -> HeadsComponent:
    """Return the component that weighs everything."""
    return HeadsComponent(nlp, name)


class HeadsComponent:
    """Reads each document with the heads, once these are trained."""

    def __init__(self, nlp: Language, name: str) -> None:
        self.name = name
        self.heads: Heads | None = None
        self._nlp = nlp

    def __call__(self, doc: Doc) -> Doc:
        """Weigh one document."""
        return next(self.pipe(iter([doc])))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 256) -> Iterator[Doc]:
        """Weigh a stream of documents, a batch at a time."""
        for docs in batched(stream, batch_size):
            if self.heads is not None:
                for doc, reading in zip(docs, self.heads.read(lay_out(docs)), strict=True):
                    doc.user_data["reading"] = reading
            yield from docs

    def to_disk(self, path: Path, **_: object) -> None:
        """Write the weights."""
        if self.heads is not None:
            self.heads.write(path)

    def from_disk(self, path: Path, **_: object) -> HeadsComponent:
        """Read the weights."""
        self.heads = Heads.load(path)
        return self


def lay_out(docs: Sequence[Doc]) -> Laid:
    """Return documents laid out for the heads."""
    told = [doc.user_data for doc in docs]
    words = [each["words"] for each in told]
    found = [[signal.name for signal in each["signals"]] for each in told]
    measured = measure([each["text"] for each in told], words, found)
    hashed = hash_words([np.asarray(doc.to_array("ORTH"), dtype=np.uint64) for doc in docs])
    return Laid(measured, shipped_vectors().cut(words), hashed)


def batched(stream: Iterable[Doc], size: int) -> Iterator[list[Doc]]:
    """Yield the documents of a stream in lists of at most `size`."""
    waiting = iter(stream)
    while docs := list(islice(waiting, size)):
        yield docs


def build_pipeline() -> Language:
    """Return the pipeline of config.cfg, untrained."""
    return spacy.util.load_model_from_config(spacy.util.load_config(CONFIG), auto_fill=True)


def load(model_dir: Path | None = None) -> Language:
    """Return the trained pipeline; ours where no folder is given.

    Raises:
        ModelMismatchError: the weights weigh other features than this code measures.
    """
    folder = model_dir or MODEL_DIR
    nlp = spacy.load(folder)
    heads = nlp.get_pipe("cuecard_heads").heads  # type: ignore[attr-defined]  # a pipe is any callable to spaCy
    if heads is None or heads.features != feature_names():
        raise ModelMismatchError(f"The weights in {folder} fit another version of Cuecard; run `cuecard train`.")
    return nlp
