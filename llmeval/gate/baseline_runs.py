"""A baseline of several runs: each case's value is its mean over them.

More runs halve the baseline's noise without a further call for the candidate, and nobody can pick
the best one. What is averaged must be the same experiment, so runs that differ in their cases,
prompt, checks, judges or gate are refused.
"""

import math
from collections.abc import Iterator, Sequence

from msgspec import UNSET, UnsetType, structs

from llmeval.core.baseline_lock import (
    BaselineLock,
    BaselineRun,
    BaselineValues,
    FirstAnswers,
    KeptValue,
)
from llmeval.core.errors import UsageError
from llmeval.gate.kept_numbers import joined_numbers

_DIGITS = 9
"""Decimals of a mean: a third has no short form, and later runs are added to it."""


def joined(baselines: Sequence[BaselineLock]) -> BaselineLock:
    """The mean of baselines of one run each, in their order.

    Raises:
        UsageError: two of them can't be averaged.
    """
    first, *more = baselines
    for each in more:
        first = extended(first, each)
    return first


def extended(baseline: BaselineLock, new: BaselineLock) -> BaselineLock:
    """A baseline with one more run in its mean; who approved it, and its release, stay.

    Args:
        baseline: of one or more runs. new: of one run.

    Raises:
        UsageError: the run is in it already, or differs in what two runs must share.
    """
    before = runs_of(baseline)
    if new.run_id in [run.run_id for run in before]:
        raise UsageError(
            f"run {new.run_id} is in the baseline already: a run counts once. Name another run"
        )
    if unequal := differences(baseline, new):
        raise UsageError(
            f"run {new.run_id} can't join the baseline {baseline.run_id}:"
            f" {'; '.join(unequal)}. Only runs of one suite, unchanged, are averaged: approve a run"
            f" of today's suite by itself (`llmeval baseline approve {new.run_id} --by NAME"
            " --reason TEXT`), then add further ones with `llmeval baseline extend`"
        )
    return structs.replace(
        baseline,
        run_id=new.run_id,
        candidate=new.candidate,
        decision=new.decision,
        digests=new.digests,
        outputs=(),
        first=_first_of(new, baseline),
        numbers=joined_numbers(baseline, new),
        metrics={
            name: _column(column, _in_order(new, name, baseline), len(before), list(baseline.cases))
            for name, column in baseline.metrics.items()
        },
        runs=(*before, *runs_of(new)),
    )


def _first_of(new: BaselineLock, baseline: BaselineLock) -> FirstAnswers | UnsetType:
    """The first answers of a run, in the order of the baseline's cases."""
    outputs = new.outputs
    letters = {name: column.passed for name, column in new.metrics.items() if column.passed}
    if new.first is not UNSET:
        outputs, letters = new.first.outputs, new.first.passed
    if not outputs:
        return UNSET
    places = {name: place for place, name in enumerate(new.cases)}
    order = [places[name] for name in baseline.cases]
    judged = {name: each for name, each in letters.items() if name in new.digests.judges}
    return FirstAnswers(
        tuple(outputs[place] for place in order),
        {name: "".join(each[place] for place in order) for name, each in judged.items()},
    )


def runs_of(baseline: BaselineLock) -> tuple[BaselineRun, ...]:
    """The runs of a baseline, also of one that does not list them."""
    return baseline.runs or (
        BaselineRun(
            run_id=baseline.run_id,
            candidate=baseline.digests.candidate,
            system=baseline.digests.system,
            decision=baseline.decision,
        ),
    )


def differences(one: BaselineLock, two: BaselineLock) -> list[str]:
    """What keeps two baselines from being averaged, in words; empty where nothing does."""
    return list(_differences(one, two))


def _differences(one: BaselineLock, two: BaselineLock) -> Iterator[str]:
    if one.suite != two.suite:
        yield f"it is of the suite {two.suite}, not {one.suite}"
        return
    parts = [
        what
        for what, differs in (
            ("cases", one.digests.cases != two.digests.cases or one.cases != two.cases),
            ("candidate", one.candidate != two.candidate),
            ("prompt", one.digests.prompt != two.digests.prompt),
            ("checks", one.digests.checks != two.digests.checks),
            ("judges", one.digests.judges != two.digests.judges),
            ("metrics", one.metrics.keys() != two.metrics.keys()),
        )
        if differs
    ]
    scorers = [
        name
        for name in one.metrics
        if name in two.metrics and one.metrics[name].scorer != two.metrics[name].scorer
    ]
    if not parts and scorers:
        parts.append(f"scoring of {', '.join(scorers)}")
    if not parts and one.digests.suite != two.digests.suite:
        parts.append("gate or repeats")
    if parts:
        yield f"it differs in its {' and '.join(parts)}"
    if one.left_out or two.left_out:
        yield "one of them was scored again without some of its cases"


def _in_order(new: BaselineLock, metric: str, baseline: BaselineLock) -> BaselineValues:
    """One metric of a run, in the order of the baseline's cases: two runs of one suite may hold
    their cases in different orders.
    """
    column = new.metrics[metric]
    values = dict(zip(new.cases, column.values, strict=True))
    return structs.replace(column, values=tuple(values[name] for name in baseline.cases))


def _column(
    old: BaselineValues, new: BaselineValues, count: int, names: list[str]
) -> BaselineValues:
    """One metric over `count` runs and one more."""
    values: list[KeptValue] = []
    gaps: dict[str, float] = {}
    moved: list[float] = []
    for name, mean, value in zip(names, old.values, new.values, strict=True):
        if mean == "-" and value == "-":
            values.append("-")
            continue
        least, gap = _sum(mean, old.gaps.get(name, 0.0), count)
        more, missing = _sum(value, 0.0, 1)
        gap = (gap + missing) / (count + 1)
        values.append(None if gap >= 1 - 1e-9 else _rounded((least + more) / (count + 1)))
        if gap and values[-1] is not None:
            gaps[name] = round(gap, _DIGITS)
        if not gap:
            moved.append((more - least / count) ** 2 * count / (count + 1))
    return BaselineValues(old.scorer, tuple(values), "", gaps, _noise(old.noise, count, moved))


def _sum(value: KeptValue, gap: float, count: int) -> tuple[float, float]:
    """The least that `count` results add up to, and how many of them are missing. A metric that
    applies to the case in other runs only counts as missing here.
    """
    if value is None or value == "-":
        return 0.0, float(count)
    return float(value) * count, gap * count


def _noise(before: float | None, count: int, moved: list[float]) -> float | None:
    """The variance within cases: each further run adds (x - mean)^2 n / (n + 1) to the sum of
    squares (B. P. Welford, Technometrics 4 (1962) 419-420).
    """
    if not moved:
        return before
    squares = (before or 0.0) * (count - 1) + math.fsum(moved) / len(moved)
    return round(squares / count, _DIGITS)


def _rounded(value: float) -> float:
    nearest = round(value)
    return nearest if abs(value - nearest) < 10.0**-_DIGITS else round(value, _DIGITS)


def second_moment(baseline: BaselineLock, metric: str) -> float | None:
    """E d^2 of a case between an unchanged candidate and the mean of the baseline's runs, by how
    much these runs differ; None for a baseline of one run.
    """
    column = baseline.metrics.get(metric)
    if column is None or column.noise is None or baseline.run_count < 2:
        return None
    return min(1.0, max(column.noise * (1 + 1 / baseline.run_count), LEAST_MOMENT))


LEAST_MOMENT = 1e-3
"""Runs that agree on every case do not show that the next one will."""
