"""A rule on the answers of several attempts of one change: each case counts by its mean over them.

A result that is missing in one attempt may have been anything, as in a single run: each bound takes
the value that hurts its own claim.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from llmeval.core.attempt import AttemptValues
from llmeval.core.formatting import cases_word, percent, percent_of
from llmeval.core.results import REPRESENTATIVE, Decision, RuleDecision
from llmeval.gate.aggregate import RunAggregate
from llmeval.gate.rules.floors import MISSING_WORST
from llmeval.stats.sequential.design import floor as floor_design
from llmeval.stats.sequential.gate_test import TestVerdict, decide


class PooledValue(NamedTuple):
    """A case's mean over the attempts: the least and the most that it may be."""

    least: float
    most: float


Pool = Callable[[str, str, float], PooledValue]
"""By the case's id, its digest, and its value in this run (NaN: missing)."""


def pool_of(earlier: Sequence[AttemptValues], metric: str, *, passed: bool = False) -> Pool:
    """Puts a case's value together with those of earlier attempts.

    Args:
        earlier: the attempts; one that asked the case otherwise adds nothing to it.
        metric: which one.
        passed: whether a case counts by whether it passed, not by its value.
    """
    attempts: list[tuple[dict[str, str], dict[str, float | None]]] = []
    for attempt in earlier:
        column = attempt.metrics.get(metric)
        if column is not None:
            kept = {
                name: {"y": 1.0, "n": 0.0}.get(letter) if passed else value
                for name, value, letter in zip(
                    attempt.cases, column.values, column.passed, strict=True
                )
                if value != "-"
            }
            attempts.append((attempt.cases, kept))

    def pooled(case_id: str, seen: str, own: float) -> PooledValue:
        values = [None if math.isnan(own) else own]
        for cases, kept in attempts:
            if case_id in kept and cases.get(case_id) == seen:
                values.append(kept[case_id])
        least = math.fsum(0.0 if value is None else value for value in values)
        most = math.fsum(1.0 if value is None else value for value in values)
        return PooledValue(least / len(values), most / len(values))

    return pooled


def pooled_note(earlier: Sequence[AttemptValues]) -> str:
    """A sentence that a pooled rule of regression ends with."""
    return f" Each case counts by its mean over {len(earlier) + 1} attempts."


class PooledFloor(NamedTuple):
    """A floor's question to several attempts. `beta`, `alpha`: of a wrong PASS, and of this rule's
    wrong FAIL.
    """

    metric: str
    where: tuple[str, str] | None
    limit: float
    beta: float
    alpha: float
    attempts: int

    @property
    def name(self) -> str:
        """As a sentence begins with it."""
        return self.metric if self.slice_ is None else f"{self.metric} on {self.slice_}"

    @property
    def slice_(self) -> str | None:
        """The slice as records name it."""
        return None if self.where is None else "=".join(self.where)


def pooled_floor(aggregate: RunAggregate, floor: PooledFloor, pool: Pool) -> RuleDecision | None:
    """A floor on the pass rate over all attempts; None where no case has a result.

    The means of several attempts are scores in [0, 1], so the test is the one for scores
    (`stats.tests.fixed_sample`).

    Args:
        aggregate: of this run.
        floor: the floor.
        pool: of its metric, by whether cases passed.
    """
    results = list(aggregate.results(floor.metric, floor.where))
    missing = sum(math.isnan(each.value) for each in results)
    if missing == len(results):
        return None
    spans = [
        pool(each.case_id, each.digest, each.value if math.isnan(each.value) else each.passed)
        for each in results
    ]
    clusters = [f"\0{each.case_id}" if each.cluster is None else each.cluster for each in results]
    sizes = Counter(clusters)
    design = floor_design(
        units=len(sizes),
        cases=len(results),
        largest=max(sizes.values()),
        threshold=min(floor.limit, 1 - 1e-9),
        alpha=floor.alpha,
        beta=floor.beta,
        sequential=False,
    )
    verdict = decide(
        design, [span.least for span in spans], clusters, [span.most for span in spans]
    )
    failed = verdict.decision is Decision.FAIL
    decided = verdict.decision is not Decision.INCONCLUSIVE
    away = max(verdict.low - floor.limit, floor.limit - verdict.high)
    of_units = f"the {len(sizes):,} clusters" if len(sizes) < len(results) else "cases"
    return RuleDecision(
        rule="floor",
        metric=floor.metric,
        slice=floor.slice_,
        decision=verdict.decision,
        estimate=verdict.estimate,
        low=verdict.low,
        high=verdict.high,
        threshold=floor.limit,
        reason=_reason(floor, verdict, len(results), missing),
        level=1 - (floor.alpha if failed else floor.beta),
        n=len(results),
        assumptions=(
            f"{of_units} are independent of each other",
            REPRESENTATIVE,
            *((MISSING_WORST,) if missing else ()),
        ),
        tipping_point=away if decided else None,
    )


def _reason(floor: PooledFloor, verdict: TestVerdict, n: int, missing: int) -> str:
    of_them = f", {missing:,} of them missing in this run" if missing else ""
    seen = (
        f"{floor.name}: {percent(verdict.estimate)} pass over {floor.attempts} attempts"
        f" ({n:,} {cases_word(n)}{of_them})"
    )
    limit = f"the floor is {percent(floor.limit)}"
    if verdict.decision is Decision.PASS:
        sure = percent_of(1 - floor.beta)
        return f"{seen}; at {sure} confidence at least {percent(verdict.low)}, {limit}."
    if verdict.decision is Decision.FAIL:
        sure = percent_of(1 - floor.alpha)
        return f"{seen}; at {sure} confidence at most {percent(verdict.high)}, {limit}."
    return (
        f"{seen}; at {percent_of(1 - floor.beta)} confidence the true rate may lie between"
        f" {percent(verdict.low)} and {percent(verdict.high)}, on both sides of the floor of"
        f" {percent(floor.limit)}."
    )
