"""Two runs compared by the verdicts in the history, where their directories are not needed: they
may be on other machines of a team.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from llmeval.core.errors import UsageError
from llmeval.history.names import RunHead, RunNames
from llmeval.history.opening import OpenHistory
from llmeval.history.paired_verdicts import pair_verdicts
from llmeval.history.rows import RunRow
from llmeval.history.trends import changes_between
from llmeval.stats.tests.multiplicity import holm_adjusted

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class StoredChange:
    """One metric of two runs, second minus first, on the cases that both have."""

    metric: str
    n: int
    """Common cases with the same content; 0 where nothing is compared."""
    difference: float | None = None
    """In [-1, 1]."""
    low: float | None = None
    """Lower end of the 95 % interval."""
    high: float | None = None
    """Upper end."""
    p: float | None = None
    """Of no difference; corrected by Holm for the number of metrics."""
    not_compared: str = ""
    """Why nothing is compared."""


@dataclass(frozen=True, slots=True)
class StoredComparison:
    """Two runs by the history."""

    first: RunRow
    second: RunRow
    changes: tuple[StoredChange, ...]

    @property
    def comparable(self) -> bool:
        """Whether any metric could be compared."""
        return any(change.n for change in self.changes)


def resolved_runs(history: OpenHistory, names: Sequence[str]) -> tuple[RunRow, RunRow]:
    """Two runs of the history by their names. An id says which suite the other name is about.

    Raises:
        UsageError: not two runs, or a name fits several suites.
        StoreError: there is no such run.
    """
    if len(names) != 2:
        raise UsageError("--history compares two runs by the verdicts that the history has")
    rows = history.store.runs(history.query)
    tags = history.store.tags([row.run_id for row in rows])
    heads = [RunHead.of(row, tags.get(row.run_id, {})) for row in rows]
    resolver = RunNames(heads, f"in the history {history.store.name}", datetime.now(UTC))
    by_id = {row.run_id: row for row in rows}
    suite = next((by_id[name].suite for name in names if name in by_id), None)
    chosen = []
    for name in names:
        run_id = name if name in by_id else resolver.resolve(name, suite).run_id
        suite = suite or by_id[run_id].suite
        chosen.append(by_id[run_id])
    first, second = chosen
    if first.run_id == second.run_id:
        raise UsageError(f"{names[0]} and {names[1]} are the same run, {first.run_id}")
    return first, second


def compare_stored(history: OpenHistory, first: RunRow, second: RunRow) -> StoredComparison:
    """Compare two runs, metric by metric, by paired tests.

    A metric with another judge, other checks or another number of repeats is not compared. Cases
    that changed are left out.

    Raises:
        UsageError: they are of two suites.
    """
    if first.suite != second.suite:
        raise UsageError(
            f"{first.run_id} is of the suite {first.suite}, and {second.run_id} of {second.suite}"
        )
    ids = [first.run_id, second.run_id]
    rows = {(row.run_id, row.metric): row for row in history.store.metrics(ids, None, "")}
    vectors = {(each.run_id, each.metric): each for each in history.store.vectors(ids)}
    lists = history.store.case_lists({each.case_list for each in vectors.values()})
    changes: list[StoredChange] = []
    for metric in sorted({name for _, name in rows}):
        sides = [(run_id, metric) for run_id in ids]
        if any(side not in rows or side not in vectors for side in sides):
            changes.append(StoredChange(metric, 0, not_compared="only one of the runs has it"))
            continue
        differs = set(changes_between((first, rows[sides[0]]), (second, rows[sides[1]])))
        differs -= {"data", "quarantine"}  # the pairs are of unchanged cases that count in both
        if differs:
            reason = f"another {' and '.join(sorted(differs))}"
            changes.append(StoredChange(metric, 0, not_compared=reason))
            continue
        pairs = pair_verdicts(vectors[sides[0]], vectors[sides[1]], lists)
        if not pairs.cases:
            changes.append(StoredChange(metric, 0, not_compared="no common case"))
            continue
        test = pairs.test(LEVEL)
        changes.append(
            StoredChange(metric, len(pairs.cases), test.estimate, test.low, test.high, test.p)
        )
    return StoredComparison(first, second, _adjusted(changes))


def _adjusted(changes: Sequence[StoredChange]) -> tuple[StoredChange, ...]:
    """The changes with p-values for all metrics together."""
    p_values = iter(holm_adjusted([each.p for each in changes if each.p is not None]))
    return tuple(
        each if each.p is None else replace(each, p=next(p_values, math.nan)) for each in changes
    )
