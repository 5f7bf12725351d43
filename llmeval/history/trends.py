"""A metric over the runs of a suite. A line connects only runs that can be compared.

Where the data, the judge, the checks, the repeats or the quarantine changed, the line ends, and the
next one says what changed. If only the data changed, the two lines are joined by the difference
over the cases that did not change. Runs that stopped early are drawn, but not tested: they stop
when the estimate is extreme, so it is biased.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import msgspec

from llmeval.core.formatting import points
from llmeval.history.experiment_store import ExperimentStore, RunQuery
from llmeval.history.paired_verdicts import pair_verdicts
from llmeval.history.rows import MetricRow, RunRow
from llmeval.history.verdicts import CaseList, Vector
from llmeval.stats.tests.multiplicity import holm_adjusted

LAST = 50
"""Runs of a trend, unless another number is stated."""
LEVEL = 0.95


class TrendPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    run_id: str
    """The run."""
    started: str
    """ISO 8601, UTC."""
    commit: str
    """Beginning of the hash; empty without git."""
    branch: str | None
    """Of git."""
    candidate: str
    """Name of the model."""
    decision: str | None
    """Of the run."""
    n: int
    """Cases with a value."""
    mean: float | None
    """Mean of the values."""
    pass_rate: float
    """Share of the cases that pass."""
    low: float | None
    """Of the 95 % interval of the pass rate."""
    high: float | None
    """Upper end."""
    stopped_early: bool
    """Whether the estimate is biased by early stopping."""


class CommonCases(msgspec.Struct, frozen=True, kw_only=True):
    """Two runs on both sides of a change of the data, on the cases that did not change."""

    n: int
    """Cases."""
    difference: float
    """Mean of the later run minus the earlier one."""
    low: float
    """Of the 95 % interval."""
    high: float
    """Upper end."""


class TrendLine(msgspec.Struct, frozen=True, kw_only=True):
    """Runs that can be compared, the oldest first."""

    points: tuple[TrendPoint, ...]
    """At least one."""
    changed: tuple[str, ...] = ()
    """What changed since the line before: data, judge, checks, repeats, quarantine."""
    common: CommonCases | None = None
    """The step from the line before, if only its cases changed."""


class Trend(msgspec.Struct, frozen=True, kw_only=True):
    """A metric of a suite over its runs."""

    suite: str
    """Name."""
    metric: str
    """Name."""
    slice: str
    """`tag=value`; empty for all cases."""
    lines: tuple[TrendLine, ...]
    """The oldest first."""
    floor: float | None
    """The floor that the newest run's gate has for it."""
    words: str
    """What the last line shows, in a sentence."""
    p: float | None
    """The p-value of the sentence, adjusted for all tests; null without a test."""
    left_out: int
    """Runs that are not complete."""


def trend_of(
    store: ExperimentStore,
    query: RunQuery,
    suite: str,
    metric: str | None = None,
    slice_: str = "",
    last: int = LAST,
) -> list[Trend]:
    """The trends of a suite: of one metric, or of every metric of its newest run.

    Args:
        store: the history.
        query: which runs; a suite and a number are added.
        suite: name.
        metric: name; None for all.
        slice_: `tag=value`; empty for all cases.
        last: the newest so many complete runs.
    """
    of_suite = query.where("suite", suite)
    rows = store.runs(of_suite.where("status", "complete")._replace(limit=last))
    everything = store.runs(of_suite._replace(limit=last))
    oldest = rows[-1].run_id if rows else ""
    left_out = sum(not row.finished and row.run_id >= oldest for row in everything)
    runs = {row.run_id: row for row in reversed(rows)}
    measured: dict[str, dict[str, MetricRow]] = {}
    for each in store.metrics(list(runs), metric, slice_):
        if each.pass_rate is not None:
            measured.setdefault(each.metric, {})[each.run_id] = each
    newest = rows[0].run_id if rows else ""
    floors = {
        (rule.metric, rule.slice): rule.threshold
        for rule in store.decisions([newest] if newest else [])
        if rule.rule == "floor"
    }
    current = [name for name, column in measured.items() if newest in column] or list(measured)
    return [
        _trend(store, suite, runs, name, slice_, measured[name], floors, left_out)
        for name in current
    ]


def _trend(
    store: ExperimentStore,
    suite: str,
    runs: Mapping[str, RunRow],
    metric: str,
    slice_: str,
    column: Mapping[str, MetricRow],
    floors: Mapping[tuple[str, str], float | None],
    left_out: int,
) -> Trend:
    ordered = [(run, column[run_id]) for run_id, run in runs.items() if run_id in column]
    groups = _groups(ordered)
    tested = _tested(groups)
    vectors, lists = _vectors(store, metric, tested) if not slice_ else ({}, {})
    lines = []
    for number, group in enumerate(groups):
        before = groups[number - 1] if number else None
        changed = () if before is None else changes_between(before[-1], group[0])
        common = None
        if before is not None and changed == (DATA,):
            common = _common(before[-1][0].run_id, group[0][0].run_id, vectors, lists)
        lines.append(
            TrendLine(points=tuple(_point(*each) for each in group), changed=changed, common=common)
        )
    words, p = _words(groups[-1], vectors, lists) if groups else ("no complete run yet", None)
    return Trend(
        suite=suite,
        metric=metric,
        slice=slice_,
        lines=tuple(lines),
        floor=floors.get((metric, slice_)),
        words=words,
        p=p,
        left_out=left_out,
    )


Measured = tuple[RunRow, MetricRow]
"""A run with its result of a metric."""
DATA = "data"


def changes_between(before: Measured, now: Measured) -> tuple[str, ...]:
    """What keeps two results of one metric from being compared; empty if they can be."""
    (old, was), (new, result) = before, now
    judged = result.trust is not None or was.trust is not None
    reasons = (
        (DATA, old.cases_digest != new.cases_digest),
        ("quarantine", old.quarantine_digest != new.quarantine_digest),
        ("judge" if judged else "checks", was.scorer != result.scorer),
        ("repeats", old.repeats != new.repeats),
    )
    return tuple(name for name, differs in reasons if differs)


def _groups(ordered: Sequence[Measured]) -> list[list[Measured]]:
    groups: list[list[Measured]] = []
    for each in ordered:
        if groups and not changes_between(groups[-1][-1], each):
            groups[-1].append(each)
        else:
            groups.append([each])
    return groups


def _point(run: RunRow, result: MetricRow) -> TrendPoint:
    return TrendPoint(
        run_id=run.run_id,
        started=run.started,
        commit=run.short_commit,
        branch=run.branch,
        candidate=run.candidate,
        decision=run.decision,
        n=result.n,
        mean=result.mean,
        pass_rate=result.pass_rate or 0.0,
        low=result.low,
        high=result.high,
        stopped_early=result.stopped_early,
    )


def _tested(groups: Sequence[Sequence[Measured]]) -> list[str]:
    """The runs whose verdicts are needed: those of the last line, and the ends of the others."""
    ends = [run.run_id for group in groups[:-1] for run, _ in (group[0], group[-1])]
    return list(dict.fromkeys([*ends, *(run.run_id for run, _ in (groups[-1] if groups else ()))]))


def _vectors(
    store: ExperimentStore, metric: str, run_ids: Sequence[str]
) -> tuple[dict[str, Vector], Mapping[str, CaseList]]:
    vectors = {each.run_id: each for each in store.vectors(run_ids, metric)}
    return vectors, store.case_lists({each.case_list for each in vectors.values()})


def _common(
    before: str, now: str, vectors: Mapping[str, Vector], lists: Mapping[str, CaseList]
) -> CommonCases | None:
    if before not in vectors or now not in vectors:
        return None
    pairs = pair_verdicts(vectors[before], vectors[now], lists)
    if not pairs.cases:
        return None
    reasons = pairs.test(LEVEL)
    return CommonCases(
        n=len(pairs.cases), difference=reasons.estimate, low=reasons.low, high=reasons.high
    )


def _words(
    line: Sequence[Measured], vectors: Mapping[str, Vector], lists: Mapping[str, CaseList]
) -> tuple[str, float | None]:
    """What the last line shows: its first run against its last, and its worst step.

    Two tests, adjusted by Holm. The worst step is chosen among all of them, so its p-value is first
    multiplied by their number (Bonferroni). A slope would treat overlapping runs as independent.
    """
    whole = [run for run, result in line if not result.stopped_early and run.run_id in vectors]
    if len(whole) < 2:
        one = "one comparable run" if whole else "no comparable run"
        return f"{one} so far: nothing to compare", None
    steps = [
        (pair_verdicts(vectors[old.run_id], vectors[new.run_id], lists), new)
        for old, new in pairwise(whole)
    ]
    overall = pair_verdicts(vectors[whole[0].run_id], vectors[whole[-1].run_id], lists)
    if not overall.cases:
        return "no common case: nothing to compare", None
    since = whole[0].started[:10]
    ends = overall.test(LEVEL)
    worst, at = min(steps, key=lambda step: step[0].mean)
    p_worst = min(1.0, len(steps) * worst.test(LEVEL).p) if worst.mean < 0 else 1.0
    (p_ends, p_step) = holm_adjusted([ends.p, p_worst]) if len(steps) > 1 else (ends.p, 1.0)
    if p_ends <= 1 - LEVEL:
        way = "up" if ends.estimate > 0 else "down"
        return f"{way} {points(abs(ends.estimate))} since {since} (p {_p(p_ends)})", p_ends
    if p_step <= 1 - LEVEL:
        return (
            f"fell by {points(-worst.mean)} with {at.run_id} (p {_p(p_step)}), and no change since"
            f" {since} overall (p {_p(p_ends)})",
            p_step,
        )
    return f"no change shown since {since} (p {_p(p_ends)})", p_ends


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.2g}"
