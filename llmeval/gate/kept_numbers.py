"""The numbers of a run as its lock file keeps them."""

import math

from llmeval.core.baseline_lock import BaselineLock, BaselineNumbers, KeptNumber
from llmeval.core.manifest import Manifest
from llmeval.gate.aggregate import RunAggregate
from llmeval.gate.number_sample import shown_numbers

_DIGITS = 6
"""Significant digits of a kept number."""
NUMBER_RUNS = 5
"""The newest runs of a baseline whose numbers are kept: more of them add little, and a machine or a
network changes over time.
"""


def kept_numbers(aggregate: RunAggregate, manifest: Manifest) -> dict[str, BaselineNumbers]:
    """The numbers of a run, by name."""
    return {
        name: BaselineNumbers(_values(aggregate, name), measure=manifest.measure.get(name, ""))
        for name in shown_numbers(aggregate, manifest)
    }


def _values(aggregate: RunAggregate, name: str) -> tuple[KeptNumber, ...]:
    columns: list[KeptNumber] = []
    for case_id in aggregate.case_digests():
        row, seen, _ = aggregate.place(case_id)
        kept = tuple(map(_rounded, aggregate.numbers.values(name, row, seen)))
        columns.append(kept[0] if len(kept) == 1 else kept)
    return tuple(columns)


def joined_numbers(one: BaselineLock, two: BaselineLock) -> dict[str, BaselineNumbers]:
    """The numbers of a baseline with one more run. Where a run lacks a number that another one has,
    its values are missing.

    Args:
        one: of one or more runs. two: of one run of the same suite.
    """
    names = dict.fromkeys((*one.numbers, *two.numbers))
    repeats = 1 if one.gate is None else one.gate.repeats
    return {name: _joined(name, one, two, repeats) for name in names}


def _joined(name: str, one: BaselineLock, two: BaselineLock, repeats: int) -> BaselineNumbers:
    old, new = one.numbers.get(name), two.numbers.get(name)
    before = min(NUMBER_RUNS, one.run_count) if old is None else old.runs
    runs = min(NUMBER_RUNS, before + 1)
    kept = _rows(old, len(one.cases), repeats * before)
    # two runs of one suite may hold their cases in different orders
    added = dict(zip(two.cases, _rows(new, len(two.cases), repeats), strict=True))
    values = tuple(
        (*first, *added[case])[-runs * repeats :]
        for case, first in zip(one.cases, kept, strict=True)
    )
    measure = old.measure if old is not None else "" if new is None else new.measure
    return BaselineNumbers(values, runs, measure)


def _rows(kept: BaselineNumbers | None, cases: int, answers: int) -> list[tuple[float | None, ...]]:
    """The values of each case, as many as there are answers."""
    values = [None] * cases if kept is None else kept.values
    rows = (each if isinstance(each, tuple) else (each,) for each in values)
    return [(*row, *(None,) * (answers - len(row))) for row in rows]


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else float(f"{value:.{_DIGITS}g}")
