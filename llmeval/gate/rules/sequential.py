"""A rule of a run that may stop early: fed in the planned order, case by case, until it is decided
or nothing is to come.

The order is fixed before the first answer, and a case counts only when all before it have: the
first answers to arrive are the short ones, and a rule that took them as they come would judge
those. What is decided stays decided, whatever comes after it, so that a run read from its records
comes to the same decision as the run that stopped.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from llmeval.core.formatting import cases_word, percent, percent_of
from llmeval.core.gate_record import GateRecord
from llmeval.core.manifest import Manifest
from llmeval.core.metric_ref import parse_metric_ref, slice_label
from llmeval.core.results import REPRESENTATIVE, Decision, RuleDecision
from llmeval.gate.aggregate import CASES, RunAggregate
from llmeval.gate.rules.floors import MISSING_WORST, between, cases_needed
from llmeval.gate.rules.open_hints import likely_floor_cases, more_sentence
from llmeval.gate.rules.threshold import Threshold
from llmeval.stats.sequential.betting_test import sequential_test
from llmeval.stats.sequential.design import TestDesign, floor
from llmeval.stats.sequential.gate_test import TestVerdict

Value = Callable[[str], float | None]
"""A case's value by its id: NaN when it is missing, None where the rule does not apply to it."""


class RuleWalk:
    """One rule's way through the planned cases.

    Args:
        aggregate: of the run; fed elsewhere.
        groups: ids of the cases the rule is about, in the planned order, those of one cluster
            together.
        value: of a case that is done.
        make: the plan of the test, from units, cases, and cases in the largest unit.
        gaps: of cases whose value is not sure, how far apart the least and the most are that it may
            be; `value` is the middle.
    """

    def __init__(
        self,
        aggregate: RunAggregate,
        groups: list[list[str]],
        value: Value,
        make: Callable[[int, int, int], TestDesign],
        gaps: Mapping[str, float] | None = None,
    ) -> None:
        self._aggregate, self._groups, self._value = aggregate, groups, value
        self._gaps = gaps or {}
        self._at = 0
        self.planned = sum(map(len, groups))
        self.test = (
            sequential_test(make(len(groups), self.planned, max(map(len, groups))))
            if groups
            else None
        )
        self.used: list[str] = []

    @property
    def ended(self) -> bool:
        """Whether no case is to come."""
        return self._at == len(self._groups)

    @property
    def alone(self) -> bool:
        """Whether each case is a separate cluster."""
        return self.planned == len(self._groups)

    @property
    def settled(self) -> bool:
        """Whether more cases would change nothing."""
        return self.ended or (self.test is not None and self.test.decision is not None)

    def advance(self) -> None:
        """Take what is done, up to the first case that is not."""
        least, most, sizes, taken = [], [], [], []
        test = self.test
        while (
            test is not None
            and not self.settled
            and all(map(self._aggregate.done, self._groups[self._at]))
        ):
            names = [(name, self._value(name)) for name in self._groups[self._at]]
            values = np.array([value for _, value in names if value is not None])
            half = np.array(
                [self._gaps.get(name, 0.0) / 2 for name, value in names if value is not None]
            )
            self._at += 1
            if len(values):
                least.append(np.where(np.isnan(values), test.plan.low, values - half).mean())
                most.append(np.where(np.isnan(values), test.plan.high, values + half).mean())
                sizes.append(len(values))
                taken.append([name for name, value in names if value is not None])
        if test is not None and taken:
            before = test.used
            test.update(least, sizes, most)
            self.used += [name for names in taken[: test.used - before] for name in names]

    def verdict(self) -> TestVerdict | None:
        """What it came to; None when it applied to no case so far."""
        if self.test is None or not self.used:
            return None
        return self.test.finish(last=self.ended)


def rules_in(gate: GateRecord) -> int:
    """How many rules share alpha for FAIL."""
    return max(1, len(gate.floors) + len(gate.margins) + len(gate.release_margins))


def decides_early(manifest: Manifest, metric: str, floor: Threshold) -> bool:
    """Whether a floor may be decided before the last case.

    Not one about the human pass rate of a judged metric. Labels correct it, which is read once; and
    where no label does, an UNTRUSTED judge decides nothing, so that its verdicts must not end a run
    either.
    """
    return manifest.may_stop and (floor.judge_scale or not is_judged(manifest, metric))


def is_judged(manifest: Manifest, metric: str) -> bool:
    """Whether a metric rests on a judge's verdicts."""
    return bool(manifest.judges) if metric == CASES else metric in manifest.judges


def floor_walk(aggregate: RunAggregate, gate: GateRecord, key: str, threshold: float) -> RuleWalk:
    """A floor's way through the planned cases: 1 for a case that passes, 0 for one that fails."""
    metric, where = parse_metric_ref(key)

    def value(name: str) -> float | None:
        result = aggregate.result(metric, name)
        return (
            None
            if result is None
            else math.nan
            if math.isnan(result.value)
            else float(result.passed)
        )

    def make(units: int, cases: int, largest: int) -> TestDesign:
        alpha, shared = gate.alpha, gate.alpha / rules_in(gate)
        return floor(
            units=units, cases=cases, largest=largest, threshold=threshold, alpha=shared, beta=alpha
        )

    return RuleWalk(aggregate, aggregate.planned(where), value, make)


def early_floor(
    aggregate: RunAggregate,
    gate: GateRecord,
    key: str,
    threshold: float,
    strict: float | None = None,
    note: str = "",
) -> RuleDecision | None:
    """A floor of a run that may stop early, decided; None where no case has a score so far.
    `strict`: for FAIL instead of alpha, where there are more rules. `note`: a sentence to end with.
    """
    walk = floor_walk(aggregate, gate, key, threshold)
    walk.advance()
    verdict, (metric, where) = walk.verdict(), parse_metric_ref(key)
    if verdict is None:
        return None
    slice_ = None if where is None else slice_label(where)
    level = gate.alpha if strict is None else strict
    failed, passed = verdict.p_fail <= level, verdict.p_pass <= gate.alpha
    decision = Decision.FAIL if failed else Decision.PASS if passed else Decision.INCONCLUSIVE
    sure = gate.alpha / rules_in(gate)
    stopped = replace(verdict, decision=decision)
    missing = sum(
        math.isnan(result.value)
        for name in walk.used
        if (result := aggregate.result(metric, name)) is not None
    )
    why = _floor_reason(key, stopped, threshold, (gate.alpha, level, sure), walk, missing) + note
    return RuleDecision(
        rule="floor",
        metric=metric,
        slice=slice_,
        decision=decision,
        estimate=verdict.estimate,
        low=verdict.low,
        high=verdict.high,
        threshold=threshold,
        reason=why,
        level=1 - (sure if decision is Decision.FAIL else gate.alpha),
        n=verdict.cases,
        assumptions=(
            "the cases run in a random order",
            REPRESENTATIVE,
            *((MISSING_WORST,) if missing else ()),
        ),
        tipping_point=(
            max(0.0, verdict.low - threshold, threshold - verdict.high)
            if decision in (Decision.PASS, Decision.FAIL)
            else None
        ),
    )


def _floor_reason(
    key: str,
    verdict: TestVerdict,
    threshold: float,
    rates: tuple[float, float, float],
    walk: RuleWalk,
    missing: int,
) -> str:
    """`rates`: of a wrong PASS, of a wrong FAIL, and of the upper bound, which is the sharper one
    with several rules.
    """
    alpha, level, sharp = rates
    metric, where = parse_metric_ref(key)
    name = metric if where is None else f"{metric} on {'='.join(where)}"
    of_them = f", {missing:,} of them missing, which may have passed or failed" if missing else ""
    cases = f"{verdict.cases:,} {cases_word(verdict.cases)}"
    seen = f"{name}: {percent(verdict.estimate)} pass ({cases}{of_them})"
    stopped = (
        f" Decided early: {walk.planned:,} were planned." if verdict.cases < walk.planned else ""
    )
    limit = f"the floor is {percent(threshold)}"
    if verdict.decision is Decision.PASS:
        return (
            f"{seen}; at {percent_of(1 - alpha)} confidence at least {percent(verdict.low)},"
            f" {limit}.{stopped}"
        )
    if verdict.decision is Decision.FAIL and verdict.high < threshold:
        return (
            f"{seen}; at {percent_of(1 - sharp)} confidence at most {percent(verdict.high)},"
            f" {limit}.{stopped}"
        )
    if verdict.decision is Decision.FAIL:
        return (
            f"{seen}; at {percent_of(1 - level)} confidence below the floor of"
            f" {percent(threshold)}.{stopped}"
        )
    bounds = between(verdict.low, verdict.high, alpha, sharp)
    open_ = f"{seen}; the true rate may lie between {bounds}, on both sides of the floor of"
    open_ = f"{open_} {percent(threshold)}"
    if not walk.ended or not walk.alone or missing:
        return f"{open_}."
    n, halves = verdict.cases, (alpha / 2, sharp / 2)  # half is left to the end
    even = cases_needed(verdict.estimate, n, threshold, *halves)
    likely = likely_floor_cases(round(verdict.estimate * n), n, threshold, *halves)
    return f"{open_}; {more_sentence(even, likely, 'at this rate')}."
