"""Reading by runs: what is remembered is what would be read, and the memory is bounded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nlp.runs import LONGEST_RUN, MOST_RUNS, Runs


@given(st.lists(st.text(min_size=1, max_size=60), max_size=12))
def test_what_is_remembered_is_what_would_be_read(runs: list[str]) -> None:
    """Read once or again, alone or among others, a run holds the same."""
    reader = Runs(lambda run: (run.upper(), len(run)))
    for _ in range(2):
        assert reader.read_all(runs) == [(run.upper(), len(run)) for run in runs]


def test_a_run_is_read_once() -> None:
    """A short run is read when first met; a long one, which hardly comes back, is not kept."""
    met: list[str] = []
    reader = Runs(lambda run: (met.append(run), run))
    long = "x" * (LONGEST_RUN + 1)
    for _ in range(3):
        reader.read_all(["short", long])
    assert met == ["short", long, long, long]


def test_the_memory_is_bounded() -> None:
    """However many different runs come, only so many are kept."""
    reader = Runs(lambda run: (run,))
    for start in range(0, 3 * MOST_RUNS, 1_000):
        reader.read_all([str(number) for number in range(start, start + 1_000)])
    assert len(reader) <= MOST_RUNS
