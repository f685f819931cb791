"""What a draft says, sentence by sentence, for tests that look for words said twice."""

from __future__ import annotations

import re
from collections.abc import Iterable

from nlp.assessment import Draft
from nlp.templates import reduce

_GAP = "gap"


def sentences(drafts: Iterable[Draft | str]) -> set[str]:
    """Return every sentence of some drafts, in plain words; whatever stands in a gap is the same gap."""
    texts = [re.sub(r"\[[^\]]*\]", _GAP, draft if isinstance(draft, str) else draft.text) for draft in drafts]
    parts = [reduce(part) for text in texts for part in re.split(rf"(?<=[.!?])\s+|(?<={_GAP})\s+(?=[A-Z])", text)]
    return {part for part in parts if len(part.split()) > 1}
