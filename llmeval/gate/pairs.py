"""Cases that a run and its baseline share, and those they don't: nothing is dropped without being
named.
"""

import math
from collections.abc import Collection, Sequence
from typing import NamedTuple

from llmeval.core.baseline_lock import BaselineLock
from llmeval.core.metric_ref import cluster_key
from llmeval.gate.aggregate import RunAggregate
from llmeval.gate.baseline import SAME
from llmeval.gate.missing_cases import MissingCases
from llmeval.gate.rules.pooled import Pool

_NAMED = 5


class PairedCases(NamedTuple):
    """One metric on both sides. `differences`: candidate minus baseline in [-1, 1], NaN where
    either side is missing.

    `cases`: the id of each pair. `fell`: ids of cases that got worse, the worst first; `rose`: how
    many got better. `new`, `gone`, `changed`: ids of cases of one side only, or that are asked
    otherwise now; `one_sided`: cases the metric applies to on one side only.
    """

    differences: tuple[float, ...]
    clusters: tuple[str, ...]
    fell: tuple[str, ...] = ()
    rose: int = 0
    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    one_sided: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    retired: tuple[str, ...] = ()
    least: tuple[float, ...] = ()
    """The least and the most that each difference may be, where several attempts are pooled or some
    runs of the baseline miss a case; empty otherwise.
    """
    most: tuple[float, ...] = ()
    undrawn: int = 0
    """Cases of the baseline that a sample did not draw."""
    dropped: tuple[str, ...] = ()
    """Of `one_sided`, the cases that the metric applied to in the baseline only."""

    @property
    def missing(self) -> int:
        """Pairs without a result on one side or both."""
        return sum(math.isnan(value) for value in self.differences)

    def left_out(self, before: str = ": ", after: str = "") -> str:
        """Which cases are not compared, and why; empty when all are."""
        parts = [
            f"{len(ids):,} {what} ({', '.join(ids[:_NAMED])}{', ...' if len(ids) > _NAMED else ''})"
            for ids, what in (
                (self.new, "new"),
                (self.gone, "of the baseline not asked now"),
                (self.changed, "changed since"),
                (self.one_sided, "the metric applies to on one side only"),
                (self.retired, "retired"),
            )
            if ids
        ]
        if self.undrawn:
            parts.append(f"{self.undrawn:,} of the baseline not drawn")
        return f"{before}{', '.join(parts)}{after}" if parts else ""


def pair(
    aggregate: RunAggregate,
    baseline: BaselineLock,
    metric: str,
    slice_: tuple[str, str] | None = None,
    only: Collection[str] | None = None,
    gone: MissingCases | None = None,
    *,
    passes: bool = False,
) -> PairedCases:
    """One metric of a run and its baseline, over one slice of the run's cases (None: all).

    Args:
        only: the cases that were used, where a rule was decided before the last one.
        gone: what is known of the cases that are not paired.
        passes: whether a case counts by whether it passes, and not by its value.
    """
    now, before = aggregate.case_digests(), baseline.results(metric, passes=passes)
    gone = gone or MissingCases()
    retired = tuple(entry.case_id for entry in gone.retired)
    kept, here = baseline.everything(), aggregate.members(slice_)
    results = {result.case_id: result for result in aggregate.results(metric, slice_)}
    same = [name for name in here if kept.get(name) == now[name]]
    both = [
        name
        for name in same
        if name in results and name in before and (only is None or name in only)
    ]
    moved = [(results[name].score(passes) - before[name], name) for name in both]
    gaps = baseline.gaps(metric)
    unsure = any(name in gaps for name in both)
    return PairedCases(
        differences=tuple(difference for difference, _ in moved),
        least=tuple(d - gaps.get(name, 0.0) / 2 for d, name in moved) if unsure else (),
        most=tuple(d + gaps.get(name, 0.0) / 2 for d, name in moved) if unsure else (),
        clusters=tuple(cluster_key(name, results[name].cluster) for name in both),
        fell=_fell(moved),
        rose=sum(difference > SAME for difference, _ in moved),
        new=tuple(name for name in here if name not in kept),
        gone=gone.gone,
        changed=tuple(
            name for name in here if kept.get(name, now[name]) != now[name] and name not in retired
        ),
        one_sided=tuple(name for name in same if (name in results) != (name in before)),
        dropped=tuple(name for name in same if name in before and name not in results),
        cases=tuple(both),
        retired=retired,
        undrawn=gone.undrawn,
    )


def _fell(moved: Sequence[tuple[float, str]]) -> tuple[str, ...]:
    return tuple(name for difference, name in sorted(moved) if difference < -SAME)


def with_attempts(
    pairs: PairedCases,
    aggregate: RunAggregate,
    baseline: BaselineLock,
    metric: str,
    pool: Pool,
    *,
    passes: bool = False,
) -> PairedCases:
    """The pairs with the mean of several attempts in place of this run's values.

    Cases that fell or rose stay those of this run. `passes`: as in `pair`.
    """
    before, digests = baseline.results(metric, passes=passes), aggregate.case_digests()
    gaps = baseline.gaps(metric)
    least, most, middle = [], [], []
    for name, difference in zip(pairs.cases, pairs.differences, strict=True):
        then, half = before[name], gaps.get(name, 0.0) / 2
        own = aggregate.result(metric, name)
        span = pool(name, digests[name], math.nan if own is None else own.score(passes))
        missing = math.isnan(then)
        least.append(-1.0 if missing else span.least - then - half)
        most.append(1.0 if missing else span.most - then + half)
        middle.append(difference if math.isnan(difference) else (span.least + span.most) / 2 - then)
    return pairs._replace(differences=tuple(middle), least=tuple(least), most=tuple(most))
