"""One line of `cuecard rank`: an assessment as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nlp.assessment import Assessment, Draft

_LEAST_INTENT = 0.005


def to_row(assessment: Assessment, native_id: str, drafts: Sequence[Draft] | None = None) -> dict[str, Any]:
    """Return the object `cuecard rank` writes for one mention; with `drafts`, its suggestions too.

    Chances have four digits, the priority two. Intents are the likely ones, the likeliest first.
    """
    likely = sorted(assessment.intents.items(), key=lambda pair: -pair[1])
    row: dict[str, Any] = {
        "id": native_id,
        "priority": round(assessment.priority, 2),
        "needs_reply": round(assessment.needs_reply, 4),
        "urgent": round(assessment.urgent, 4),
        "grade": assessment.grade,
        "invited": assessment.invited,
        "intent": assessment.intent,
        "intents": {name: round(chance, 4) for name, chance in likely if chance >= _LEAST_INTENT},
        "language": assessment.language,
        "reasons": [
            {"text": reason.text, "weight": round(reason.weight, 3), "span": list(reason.span) if reason.span else None}
            for reason in assessment.reasons
        ],
    }
    if drafts is not None:
        row["drafts"] = [{"text": draft.text, "kind": draft.kind, "source": draft.source} for draft in drafts]
    return row
