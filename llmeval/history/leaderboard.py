"""Candidates of a suite ranked by one metric. Ties are shown as ties: a rank is a range."""

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Literal

import msgspec
import numpy as np

from llmeval.core.errors import UsageError
from llmeval.history.experiment_store import ExperimentStore, RunQuery
from llmeval.history.paired_verdicts import case_values, pair_verdicts
from llmeval.history.rows import MetricRow, RunRow
from llmeval.history.trends import changes_between
from llmeval.history.verdicts import CaseList, Vector
from llmeval.stats.tests.multiplicity import holm_adjusted
from llmeval.stats.tests.rank_ranges import rank_ranges

LEVEL = 0.95
MOST = 26
"""Entries that are ranked: each pair is tested."""
_LOOKED_AT = 500
"""Newest runs among which entries are looked for."""
By = Literal["candidate", "branch", "environment", "run"]
"""What makes an entry: the newest complete run of each."""


class BoardEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry."""

    name: str
    """Name of the candidate, branch or environment, or the run's id."""
    run_id: str
    """The run."""
    started: str
    """ISO 8601, UTC."""
    decision: str | None
    """Of the run's own gate."""
    mean: float | None
    """Mean on the cases that all entries have."""
    best: int
    """The best rank that the tests leave open; 1 is the first."""
    worst: int
    """The worst."""
    stopped_early: bool
    """Whether its estimate is biased by early stopping."""
    cost_usd: float | None
    """Of the run."""


class RunBoard(msgspec.Struct, frozen=True, kw_only=True):
    """A ranking, the best first."""

    suite: str
    """Name."""
    metric: str
    """Name."""
    by: str
    """What makes an entry."""
    n: int
    """Cases that all entries have, with the same content."""
    tests: int
    """Pairs that were tested; the ranges hold together with 95 % probability."""
    entries: tuple[BoardEntry, ...]
    """The best first."""
    left_out: tuple[str, ...]
    """Entries that are not comparable, each with the reason."""


def leaderboard_of(
    store: ExperimentStore,
    query: RunQuery,
    suite: str,
    metric: str | None = None,
    by: By = "candidate",
    *,
    common: bool = False,
) -> RunBoard:
    """Rank the newest complete runs of a suite.

    Args:
        store: the history.
        query: which runs; the suite is added.
        suite: name.
        metric: name; None for the first one of the newest run's gate, or its first metric.
        by: what makes an entry.
        common: rank runs of different cases too, on the cases that all have.

    Raises:
        UsageError: nothing can be ranked, or runs have different cases without `common`.
    """
    chosen = query.where("suite", suite).where("status", "complete")._replace(limit=_LOOKED_AT)
    runs = _newest(store.runs(chosen), by)
    if not runs:
        raise UsageError(f"there is no complete run of the suite {suite} to rank")
    metric = metric or _first_metric(store, runs[0].run_id)
    results = {row.run_id: row for row in store.metrics([r.run_id for r in runs], metric, "")}
    measured = [run for run in runs if run.run_id in results]
    if not measured:
        raise UsageError(f"no run of {suite} has the metric {metric}")
    entries, left_out = _comparable(measured, results, by, common=common)
    left_out += [f"{_name(run, by)}: no {metric}" for run in runs if run.run_id not in results]
    return _board(store, suite, metric, by, entries, tuple(left_out))


def _newest(rows: Sequence[RunRow], by: By) -> list[RunRow]:
    """The newest run of each entry, the newest first."""
    newest: dict[str, RunRow] = {}
    for row in rows:
        newest.setdefault(_name(row, by), row)
    return list(newest.values())[:MOST]


def _name(run: RunRow, by: By) -> str:
    if by == "run":
        return run.run_id
    return str(getattr(run, by) or f"(no {by})")


def _first_metric(store: ExperimentStore, run_id: str) -> str:
    """The metric that the gate names first, else the first one."""
    ruled = [rule.metric for rule in store.decisions([run_id]) if rule.metric and not rule.slice]
    measured = [row.metric for row in store.metrics([run_id], None, "")]
    named = [metric for metric in ruled if metric in measured]
    if not (named or measured):
        raise UsageError(f"the run {run_id} has no metric to rank by")
    return (named or measured)[0]


def _comparable(
    runs: Sequence[RunRow], results: dict[str, MetricRow], by: By, *, common: bool
) -> tuple[list[RunRow], list[str]]:
    """The runs that may be ranked with the newest one, and why the others may not.

    Raises:
        UsageError: only the data differs, and `common` is not stated.
    """
    first, kept, left_out = runs[0], [runs[0]], []
    other_data = []
    for run in runs[1:]:
        differs = set(changes_between((first, results[first.run_id]), (run, results[run.run_id])))
        differs -= {"repeats", "quarantine"}  # a mean of fewer repeats is still a mean
        if differs - {"data"}:
            left_out.append(f"{_name(run, by)}: another {' and '.join(sorted(differs))}")
        elif differs and not common:
            other_data.append(_name(run, by))
        else:
            kept.append(run)
    if other_data:
        raise UsageError(
            f"{', '.join(other_data)} ran on other cases than {_name(first, by)}: their means are"
            " not comparable. --common ranks on the cases that all of them have"
        )
    return kept, left_out


def _board(
    store: ExperimentStore,
    suite: str,
    metric: str,
    by: By,
    runs: Sequence[RunRow],
    left_out: tuple[str, ...],
) -> RunBoard:
    vectors = {each.run_id: each for each in store.vectors([r.run_id for r in runs], metric)}
    lists = store.case_lists({each.case_list for each in vectors.values()})
    names = [run.run_id for run in runs if run.run_id in vectors]
    tests = {
        (one, two): pairs.test(LEVEL)
        for one, two in combinations(names, 2)
        if (pairs := pair_verdicts(vectors[one], vectors[two], lists)).cases
    }
    adjusted = holm_adjusted([each.p for each in tests.values()])
    shown = {
        key: columns.estimate
        for (key, columns), p in zip(tests.items(), adjusted, strict=True)
        if p <= 1 - LEVEL
    }
    ranges = rank_ranges(names, shown)
    shared = _shared([(vectors[name], lists[vectors[name].case_list]) for name in names])
    entries = []
    for run in (run for run in runs if run.run_id in vectors):
        means = shared.get(run.run_id, [])
        entries.append(
            BoardEntry(
                name=_name(run, by),
                run_id=run.run_id,
                started=run.started,
                decision=run.decision,
                mean=math.fsum(means) / len(means) if means else None,
                best=ranges[run.run_id].best,
                worst=ranges[run.run_id].worst,
                stopped_early=run.stopped_early,
                cost_usd=run.cost_usd,
            )
        )
    entries.sort(key=lambda entry: (entry.best, entry.worst, -(entry.mean or 0.0), entry.name))
    return RunBoard(
        suite=suite,
        metric=metric,
        by=by,
        n=len(next(iter(shared.values()), [])),
        tests=len(tests),
        entries=tuple(entries),
        left_out=left_out,
    )


def _shared(measured: Sequence[tuple[Vector, CaseList]]) -> dict[str, list[float]]:
    """By run, its values on the cases that every run has with a result and the same content."""
    columns = []
    for vector, cases in measured:
        values = case_values(vector)
        usable = values.applies & ~np.isnan(values.values)
        rows = np.flatnonzero(usable)
        columns.append(
            (
                vector.run_id,
                {(cases.ids[i], cases.digests[i]): float(values.values[i]) for i in rows},
            )
        )
    if not columns:
        return {}
    keys = [key for key in columns[0][1] if all(key in column for _, column in columns[1:])]
    return {run_id: [column[key] for key in keys] for run_id, column in columns}
