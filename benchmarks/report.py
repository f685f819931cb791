"""One measured figure, and how figures are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure, its unit, what was asked for, and what it is made of."""

    name: str
    value: float
    unit: str
    asked: str
    detail: str


def to_markdown(figures: Sequence[Figure]) -> str:
    """Return the figures as a table for benchmarks/README.md."""
    rows = ["| figure | measured | asked | made of |", "|---|---|---|---|"]
    rows += [f"| {f.name} | {f.value:.3g}{f.unit} | {f.asked} | {f.detail} |" for f in figures]
    return "\n".join(rows)
