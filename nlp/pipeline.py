"""The spaCy pipeline: blank English, our own tokeniser and components, no downloaded model. The only spacy.load.

words ──▶ cuecard_signals ──▶ cuecard_heads
Each document carries in `user_data` what `nlp.words.Words` made of its text, then the signals found ('signals') and
the heads' reading ('reading').
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import spacy
from spacy.language import Language
from spacy.tokens import Doc

from nlp.bags import hash_words
from nlp.causes import Explainer
from nlp.features import feature_names, measure
from nlp.heads import GRADES, Heads, Laid
from nlp.signals import find_in_runs
from nlp.vectors import shipped_vectors

MODEL_DIR = Path(__file__).with_name("model")
CONFIG = Path(__file__).with_name("config.cfg")


class ModelMismatchError(Exception):
    """The weights and the code are of different versions."""


@Language.component("cuecard_signals")
def find(doc: Doc) -> Doc:
    """Find the signals of a document's text."""
    told = doc.user_data
    told["signals"] = find_in_runs(told["text"], told["lower"], told["runs"], told["ours"], told["held"])
    return doc


@Language.factory("cuecard_heads")
def make_heads(nlp: Language, name: str) -> HeadsComponent:
    """Return the component that weighs everything."""
    return HeadsComponent(nlp, name)


class HeadsComponent:
    """Reads each document with the heads, once these are trained."""

    def __init__(self, nlp: Language, name: str) -> None:
        self.name = name
        self._nlp = nlp
        self._heads: Heads | None = None
        self._explainer: Explainer | None = None

    @property
    def heads(self) -> Heads | None:
        """The weights in use."""
        return self._heads

    @heads.setter
    def heads(self, heads: Heads | None) -> None:
        self._heads, self._explainer = heads, Explainer(heads) if heads else None

    def __call__(self, doc: Doc) -> Doc:
        """Weigh one document."""
        return next(self.pipe(iter([doc])))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 256) -> Iterator[Doc]:
        """Weigh a stream of documents, a batch at a time."""
        for docs in batched(stream, batch_size):
            if self._heads is not None and self._explainer is not None:
                laid = lay_out(docs)
                odds = self._heads.weigh(laid)
                causes = self._explainer.explain(docs, laid, odds[:, : len(GRADES)])
                for doc, reading, why in zip(docs, self._heads.read(odds), causes, strict=True):
                    doc.user_data["reading"], doc.user_data["causes"] = reading, why
            yield from docs

    def to_disk(self, path: Path, **_: object) -> None:
        """Write the weights."""
        if self._heads is not None:
            self._heads.write(path)

    def from_disk(self, path: Path, **_: object) -> HeadsComponent:
        """Read the weights."""
        self.heads = Heads.load(path)
        return self


def lay_out(docs: Sequence[Doc]) -> Laid:
    """Return documents laid out for the heads."""
    told = [doc.user_data for doc in docs]
    found = [[signal.name for signal in each["signals"]] for each in told]
    spoken = [(each["words"], each["is_self"]) for each in told]
    measured = measure([each["text"] for each in told], spoken, found)
    pieces = shipped_vectors().bag([each["pieces"] for each in told])
    return Laid(measured, pieces, hash_words([each["hashes"] for each in told]))


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
