"""The evaluation's report as people read it: a table, and a picture."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

from nlp.evaluate import Report, Score
from nlp.measures import Figure

_COLUMNS: Final = {
    "AUROC": "auroc",
    "AP": "average_precision",
    "NDCG@50": "ndcg_50",
    "P@budget": "precision_at_budget",
    "urgent AUROC": "urgent_auroc",
    "urgent AP": "urgent_average_precision",
}
_BAR: Final = 24


def to_table(report: Report) -> str:
    """Return the report as plain text; the small numbers are 95 % intervals."""
    share = f"the first {report.budget}" if report.budget < report.rows else "all"
    head = f"{report.rows} posts: {report.needing} need a reply, {report.urgent} of them now."
    lines = [
        f"{head} P@budget is the share that need one among {share}.",
        "",
        f"{'':<26}" + "".join(f"{name:>15}" for name in _COLUMNS),
        *_score_lines(report.cuecard),
    ]
    for score in report.baselines:
        lines += _score_lines(score, with_interval=False)
    if report.left_out:
        lines += ["", report.left_out]
    if report.by_source:
        lines += ["", "by source"]
        for score in report.by_source:
            lines += _score_lines(score)
    each = ", ".join(f"{name} {value:.2f}" for name, value in report.intent_f1.items())
    lines += [
        "",
        f"intent macro-F1    {_say(report.intent_macro_f1)}  ({each})",
        f"calibration error  {_say(report.calibration_error)}",
        f"right grade        {report.grade_accuracy:.3f}",
        f"right invited      {report.invited_accuracy:.3f}",
        "",
        "chance told   came true",
    ]
    lines += [
        f"{each.told:>11.2f}   {each.found:<5.2f}{'█' * round(each.found * _BAR):<{_BAR}}  {each.rows:>5} posts"
        for each in report.reliability
    ]
    return "\n".join(lines)


def _score_lines(score: Score, *, with_interval: bool = True) -> list[str]:
    figures: list[Figure] = [getattr(score, name) for name in _COLUMNS.values()]
    name = score.name if len(score.name) <= 25 else score.name[:24] + "…"
    lines = [f"{name:<26}" + "".join(f"{_plain(each.value):>15}" for each in figures)]
    if with_interval:
        ranges = [f"{_plain(each.low)}–{_plain(each.high)}" if _is_known(each) else "" for each in figures]  # noqa: RUF001
        lines.append(f"{f'  {score.rows} posts':<26}" + "".join(f"{each:>15}" for each in ranges))
    return lines


def _say(figure: Figure) -> str:
    return f"{figure.value:.3f} ({figure.low:.3f}–{figure.high:.3f})"  # noqa: RUF001 - a range


def _plain(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"  # noqa: RUF001 - a dash for nothing


def _is_known(figure: Figure) -> bool:
    return not math.isnan(figure.low)


def draw(report: Report, file: Path) -> None:
    """Draw whether the chances come true, and the ways to rank beside each other, as a picture (PNG, SVG, PDF).

    Raises:
        ImportError: matplotlib, which is in the optional extra, is not installed.
        ValueError: the file's ending names no kind of picture.
        OSError: the file cannot be written.
    """
    from matplotlib.figure import Figure as Picture  # noqa: PLC0415 - optional

    picture = Picture(figsize=(11, 4.5), layout="constrained")
    left, right = picture.subplots(1, 2)
    left.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    told, found = [each.told for each in report.reliability], [each.found for each in report.reliability]
    sizes = [20 + 280 * each.rows / report.rows for each in report.reliability]
    left.plot(told, found, color="#1264a3", linewidth=1.5)
    left.scatter(told, found, s=sizes, color="#1264a3")
    left.set(title="Do the chances come true?", xlabel="chance told", ylabel="share that needed a reply")
    left.set(xlim=(0, 1), ylim=(0, 1))
    scores = [report.cuecard, *report.baselines]
    names = list(_COLUMNS)
    for place, score in enumerate(scores):
        values = [getattr(score, name).value for name in _COLUMNS.values()]
        at = [number + (place - len(scores) / 2) * 0.8 / len(scores) for number in range(len(names))]
        right.bar(at, values, 0.8 / len(scores), label=score.name, align="edge")
    right.set_xticks(range(len(names)), names, rotation=20)
    right.set(title=f"{report.rows} posts, {report.needing} need a reply", ylim=(0, 1.15))
    right.legend(fontsize="small", ncols=3, loc="upper center")
    picture.savefig(file)
