"""Runs side by side as one offline page without any script: the report's style, shapes and
charts.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from llmeval.compare.comparison import ComparedRun, Comparison, Flip, Leaderboard, MetricDifference
from llmeval.core.files import write_atomically
from llmeval.core.formatting import percent, signed_points
from llmeval.core.question import shown_question
from llmeval.core.records import Case
from llmeval.report import comparison_words as words
from llmeval.report.html import assets, strips
from llmeval.report.html.page import environment
from llmeval.report.html.visible import clip, shorten
from llmeval.store.directory import RunDir
from llmeval.store.units import Unit, UnitReader

FELL, ROSE = 10, 5
"""Cases shown with both answers, a metric and run."""
NAMED = 500
_TEXT, _REASON = 1500, 400
_TONES = {
    "better": "pass",
    "worse": "fail",
    "no difference shown": "unsure",
    "not comparable": "invalid",
}


def write_comparison(found: Comparison, runs: Sequence[RunDir], path: Path) -> None:
    """Write the page of a comparison; `runs` in its order, for the answers.

    Raises:
        StoreError: a run's records can't be read, or the page can't be written.
    """
    write_atomically(path, comparison_page(found, runs).encode())


def comparison_page(found: Comparison, runs: Sequence[RunDir]) -> str:
    """The page of a comparison; `runs` in its order, for the answers.

    Raises:
        StoreError: a run's records can't be read.
    """
    with ExitStack() as stack:
        readers = {
            side.letter: stack.enter_context(run.open())
            for side, run in zip(found.runs, runs, strict=True)
        }
        return (
            environment()
            .get_template("compare.html.j2")
            .render(
                policy=assets.policy(scripted=False),
                style=assets.style(),
                found=found,
                words=words,
                percent=percent,
                signed_points=signed_points,
                title=_title(found),
                tone=words.tone(found.metrics) if len(found.runs) == 2 else "plain",
                sections=[_section(found, run) for run in found.runs[1:]],
                boards=[_board(board, found.runs) for board in found.boards],
                moved=[row for row in found.slices if row.moved],
                still=[row for row in found.slices if not row.moved],
                flips=list(_flips(found, readers)),
                notes=[words.note(found), words.slice_note(found)],
            )
        )


def _title(found: Comparison) -> str:
    if len(found.runs) > 2:
        return f"{len(found.runs)} runs compared"
    verdicts = {row.word for row in found.metrics}
    if {"better", "worse"} <= verdicts:
        return "Better and worse"
    return next((word.capitalize() for word in _TONES if word in verdicts), "Nothing to compare")


def _section(found: Comparison, run: ComparedRun) -> dict[str, object]:
    """One run beside A: a row a metric, all on one axis."""
    rows = [row for row in found.metrics if row.letter == run.letter]
    limit = _limit(rows)
    return {
        "run": run,
        "headline": words.headline(found, run),
        "shared": words.shared(run),
        "axis": strips.shift_axis(limit),
        "rows": [
            {"row": row, "tone": _TONES[row.word], "strip": _strip(row, limit)} for row in rows
        ],
    }


def _limit(rows: Iterable[MetricDifference]) -> float:
    """Where the axis ends: the farthest bound, rounded up to the next 5 points."""
    ends = [abs(end) for row in rows for end in (row.low, row.high) if end is not None]
    return min(1.0, math.ceil(20 * max([0.05, *ends])) / 20)


def _strip(row: MetricDifference, limit: float) -> str:
    if row.difference is None or row.low is None or row.high is None:
        return ""
    title = (
        f"{row.metric}: {signed_points(row.difference)} points, {signed_points(row.low)} to"
        f" {signed_points(row.high)}"
    )
    return strips.shift(title, _TONES[row.word], row.difference, row.low, row.high, limit)


def _board(board: Leaderboard, runs: Sequence[ComparedRun]) -> dict[str, object]:
    by_letter = {run.letter: run for run in runs}
    means = [place.mean for place in board.places]
    axis = strips.axis_for(means)
    return {
        "board": board,
        "axis": strips.axis_svg(axis),
        "rows": [
            {
                "place": place,
                "run": by_letter[place.letter],
                "rank": words.ranks(place.best, place.worst),
                "strip": strips.strip(
                    axis,
                    percent(place.mean),
                    "plain",
                    estimate=place.mean,
                    low=None,
                    high=None,
                ),
            }
            for place in board.places
        ],
    }


def _flips(found: Comparison, readers: dict[str, UnitReader]) -> Iterator[dict[str, object]]:
    """What fell and what rose on each metric and run, the first with what both runs answered."""
    for row in found.metrics:
        for kind, flips, most in (("fell", row.fell, FELL), ("rose", row.rose, ROSE)):
            if flips:
                yield {
                    "row": row,
                    "kind": kind,
                    "n": len(flips),
                    "shown": [_item(flip, row, readers) for flip in flips[:most]],
                    "more": [flip.case_id for flip in flips[most:NAMED]],
                    "unnamed": max(0, len(flips) - NAMED),
                }


def _item(flip: Flip, row: MetricDifference, readers: dict[str, UnitReader]) -> dict[str, object]:
    units = {letter: readers[letter].unit((flip.case_id, 0)) for letter in ("A", row.letter)}
    unit = units[row.letter]
    case = Case(flip.case_id, {}) if unit is None else unit.case
    answers = {letter: _answer(each, row.metric) for letter, each in units.items()}
    return {
        "id": flip.case_id,
        "change": (
            f"{flip.before:g} → {flip.now:g}"
            if {flip.before, flip.now} <= {0.0, 1.0}
            else f"{flip.before:.2f} → {flip.now:.2f}"
        ),
        "line": clip(shown_question(case), 140),
        "asked": shorten(shown_question(case), _TEXT),
        "references": [shorten(reference, _REASON) for reference in case.references[:5]],
        "answers": answers,
    }


def _answer(unit: Unit | None, metric: str) -> dict[str, str]:
    """What a run answered first, and what its score says."""
    if unit is None:
        return {"text": "(no answer)", "reason": ""}
    error = unit.answer.error
    text = unit.answer.text if error is None else f"{error.kind}: {error.message}"
    reason = next(
        (score.unscored or score.reason for score in unit.scores if score.metric == metric), ""
    )
    return {"text": shorten(text, _TEXT) or "(empty)", "reason": shorten(reason, _REASON)}
