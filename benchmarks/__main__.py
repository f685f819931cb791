"""Run the benchmarks: all of them, or those that are named."""

from __future__ import annotations

import importlib
import sys

from benchmarks.report import Figure, to_markdown

BENCHMARKS = (
    "startup",
    "matching",
    "firehose",
    "assessing",
    "team",
    "replies",
    "grouping",
    "intake",
    "memory",
    "idle",
    "latency",
    "store",
)


def main(names: list[str]) -> int:
    """Run each named benchmark and print one table."""
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        print(f"There is no benchmark {unknown[0]!r}; use {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    figures: list[Figure] = []
    for name in names or BENCHMARKS:
        print(f"{name} …", file=sys.stderr, flush=True)
        figures += importlib.import_module(f"benchmarks.{name}").measure()
    print(to_markdown(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
