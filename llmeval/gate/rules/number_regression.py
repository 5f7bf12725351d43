"""Did a number rise against the baseline: seconds, dollars, tokens, or what the suite measures?

Both sides answered the same cases, so the ratio of the two percentiles or means is tested on pairs
(`stats.tests.number_ratio`): FAIL when the number rose for sure, PASS when a rise of the margin is
ruled out. A missing number is never 0: where more than `max_unscored` are missing on either side,
the rule is INVALID; fewer count as the worst for each claim. A later attempt of a change decides on
its own answers, at the error rates of its attempt.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from llmeval.core.baseline_lock import BaselineLock
from llmeval.core.formatting import percent, percent_of
from llmeval.core.manifest import Manifest
from llmeval.core.metric_ref import Slice, cluster_key, slice_label
from llmeval.core.numbers import NumberRef, show_number
from llmeval.core.results import REPRESENTATIVE, Decision, RuleDecision
from llmeval.gate.aggregate import RunAggregate
from llmeval.gate.missing_cases import MissingCases, sample_note
from llmeval.gate.number_sample import sample_numbers
from llmeval.gate.rules.floors import MISSING_WORST
from llmeval.gate.rules.limits import RARE, seen_at_most, when_numbers_spent, why_missing
from llmeval.gate.rules.named_baseline import approve_command
from llmeval.gate.rules.open_hints import few_note
from llmeval.gate.rules.release import RELEASE, compared_with, name_release
from llmeval.gate.rules.threshold import Threshold
from llmeval.stats.estimation.bounds import Interval
from llmeval.stats.estimation.quantiles import sample_quantile, smallest_sample
from llmeval.stats.estimation.skewed_mean import too_few
from llmeval.stats.tests.fixed_sample import FEW_CLUSTERS
from llmeval.stats.tests.number_ratio import (
    INTERVAL_SHARE,
    PairedNumbers,
    p_smaller,
    ratio_bounds,
    ratio_of,
)

SAME_LOAD = "the machine and the network were as busy as for the baseline"
"""The assumption of every comparison of seconds."""


class NumberRule(NamedTuple):
    """One rule before its data."""

    ref: NumberRef
    where: Slice | None
    threshold: Threshold
    """Its margin is the share by which the number may rise."""
    kind: str = "regression"
    """The rule's name in records."""

    @property
    def slice_(self) -> str | None:
        """The slice as records name it."""
        return None if self.where is None else slice_label(self.where)


@dataclass(frozen=True)
class NumberComparison:
    """One rule with its data."""

    ref: NumberRef
    slice_: Slice | None
    margin: float
    baseline: str
    """The run id of the baseline."""
    alpha: float
    """Of the lower bound; FAIL is read at the level of all rules together."""
    beta: float
    """Of a wrong PASS."""
    pairs: PairedNumbers
    cases: tuple[str, ...]
    """Id of each pair's case."""
    runs: int
    """The baseline's runs that each answer is paired with."""
    ratio: float
    """This run's value divided by the baseline's."""
    note: str = ""
    """Sentences to end with."""
    kind: str = "regression"
    """The rule's name in records."""
    share: float = 1.0
    """The share of the attempt's error rates that the rule has; 0 where they are used up."""

    def decided(self, level: float) -> RuleDecision:
        """The decision. `level`: of its FAIL."""
        return when_numbers_spent(self._decided(level * (self.share or 1.0)), self.share)

    def _decided(self, level: float) -> RuleDecision:
        q = self.ref.quantile
        decision = Decision.INCONCLUSIVE
        if self.ratio > 1 and p_smaller(self.pairs, q, 1.0, level, reverse=True) <= level:
            decision = Decision.FAIL
        elif (
            self.ratio < 1 + self.margin
            and p_smaller(self.pairs, q, 1 + self.margin, self.beta) <= self.beta
        ):
            decision = Decision.PASS
        bounds = self.bounds
        return RuleDecision(
            rule=self.kind,
            metric=self.ref.label,
            slice=None if self.slice_ is None else slice_label(self.slice_),
            decision=decision,
            estimate=self.ratio - 1,
            low=bounds.low - 1,
            high=bounds.high - 1 if math.isfinite(bounds.high) else None,
            threshold=self.margin,
            baseline=self.baseline,
            reason=self._reason(decision, bounds, level),
            level=1 - (level if decision is Decision.FAIL else self.beta),
            n=len(self.cases) // self.runs,
            assumptions=self._assumptions(),
            fell=self._slower()[:10],
            number=self.ref.name,
        )

    @cached_property
    def bounds(self) -> Interval:
        """Bounds of the ratio. Computed once, as they are the same at every level of FAIL."""
        return ratio_bounds(self.pairs, self.ref.quantile, self.ratio, self.alpha, self.beta)

    @property
    def missing(self) -> int:
        """Pairs without a value on one side or both."""
        return int((np.isnan(self.pairs.before) | np.isnan(self.pairs.now)).sum())

    def _slower(self) -> tuple[str, ...]:
        """Ids of the cases whose number rose by more than the margin, the largest rise first."""
        sums: dict[str, tuple[float, float]] = {}
        for old, new, name in zip(self.pairs.before, self.pairs.now, self.cases, strict=True):
            if not math.isnan(old + new):
                before, now = sums.get(name, (0.0, 0.0))
                sums[name] = before + old, now + new
        rises = ((now / max(before, 1e-12), name) for name, (before, now) in sums.items())
        rose = [(ratio, name) for ratio, name in rises if ratio > 1 + self.margin]
        return tuple(name for _, name in sorted(rose, reverse=True))

    def _values(self) -> tuple[float, float]:
        """The statistic on both sides, over the pairs that have both."""
        both = ~np.isnan(self.pairs.before) & ~np.isnan(self.pairs.now)
        q = self.ref.quantile
        old, new = (
            float(side[both].mean()) if q is None else sample_quantile(side[both].tolist(), q)
            for side in (self.pairs.before, self.pairs.now)
        )
        return old, new

    def _reason(self, decision: Decision, bounds: Interval, level: float) -> str:
        old, new = (show_number(value, self.ref.name) for value in self._values())
        where = "" if self.slice_ is None else f" on {slice_label(self.slice_)}"
        lost = f", {self.missing:,} of them missing" if self.missing else ""
        high = f"{100 * (bounds.high - 1):+.1f}%" if math.isfinite(bounds.high) else "no limit"
        seen = (
            f"{self.ref.label}{where} {_moved(self.ratio)}, from {old} to {new}"
            f" ({percent_of(1 - self.beta)} bounds {100 * (bounds.low - 1):+.1f}% to {high}) on"
            f" {self._paired()}{lost}; the margin is {percent(self.margin)}."
        )
        return f"{seen}{self._follows(decision, bounds, level)}{self.note}"

    def _paired(self) -> str:
        n = f"{len(self.cases) // self.runs:,}"
        if self.runs == 1:
            return f"{n} paired answers"
        return (
            f"{n} answers, each paired with those of {self.runs} runs of the"
            f" {compared_with(self.kind)}: {len(self.cases):,} pairs"
        )

    def _follows(self, decision: Decision, bounds: Interval, level: float) -> str:
        against = compared_with(self.kind)
        if decision is Decision.FAIL:
            sure = percent_of(1 - level)
            return f" At {sure} confidence it is larger than in the {against} {self.baseline}."
        if decision is Decision.PASS:
            return (
                f" A rise of the margin or more from the {against} {self.baseline} is ruled out at"
                f" {percent_of(1 - self.beta)} confidence."
            )
        return f" These answers can't tell. {self._hint(bounds)}"

    def _hint(self, bounds: Interval) -> str:
        units, q = len(set(self.pairs.clusters)), self.ref.quantile
        if q is None and too_few(self.pairs.clusters):
            return f"A mean takes at least {FEW_CLUSTERS} independent cases; here are {units:,}."
        fewest = 0 if q is None else smallest_sample(q, INTERVAL_SHARE * self.beta / 2)
        if units < fewest:
            return (
                f"{self.ref.statistic} takes at least {fewest:,} independent cases on both sides at"
                f" this level; here are {units:,}: add {fewest - units:,} or more."
            )
        note = few_note(self.pairs.clusters)
        if note:
            return f"{note[0].upper()}{note[1:]}."
        middle = math.log(self.ratio)
        gap = math.log(1 + self.margin) - middle
        if middle > gap:
            gap, width = middle, middle - math.log(max(bounds.low, 1e-9))
        else:
            width = math.log(bounds.high) - middle if math.isfinite(bounds.high) else math.inf
        if gap <= 0 or not math.isfinite(width):
            return "It takes more cases."
        more = max(1, math.ceil(units * ((width / gap) ** 2 - 1)))
        return (
            f"About {more:,} more cases decide in about half of the tries, if the ratio stays as it"
            " is."
        )

    def _assumptions(self) -> tuple[str, ...]:
        count = len(set(self.pairs.clusters))
        alone = (
            "cases are independent of each other"
            if self.pairs.alone
            else f"the {count:,} cases or clusters are independent of each other"
        )
        rare = (RARE, *seen_at_most(self.missing)) if self.ref.quantile is None else ()
        load = (SAME_LOAD,) if self.ref.name == "latency" else ()
        lost = (MISSING_WORST,) if self.missing else ()
        return (alone, REPRESENTATIVE, *rare, *load, *lost)


def _moved(ratio: float) -> str:
    if abs(ratio - 1) < 0.0005:
        return "did not move"
    return f"{'rose' if ratio > 1 else 'fell'} by {percent(abs(ratio - 1))}"


def compare_numbers(
    aggregate: RunAggregate,
    manifest: Manifest,
    baseline: BaselineLock,
    rule: NumberRule,
    gone: MissingCases,
) -> NumberComparison | str:
    """The rule with its data; or why there is nothing to compare.

    Args:
        aggregate: of the run. manifest: the run's, with the error rates of its attempt.
        baseline: what it is compared with.
        rule: the statistic, the slice and the margin.
        gone: the baseline's cases that are not compared.
    """
    ref, where, margin = rule.ref, rule.where, rule.threshold
    name = ref.label if where is None else f"{ref.label} on {slice_label(where)}"
    again = name_release(aggregate) if rule.kind == RELEASE else approve_command(aggregate)
    against = f"the {compared_with(rule.kind)} {baseline.run_id}"
    approve = f"Approve a new {compared_with(rule.kind)}: {again}"
    kept = baseline.numbers.get(ref.name)
    if kept is None:
        return f"{name}: {against} does not have this number. {approve}"
    if kept.measure != manifest.measure.get(ref.name, ""):
        refusal = f"`measure.{ref.name}` is not what {against} measured"
        return f"{name}: {refusal}, so a difference may be its own. {approve}"
    sides = _sides(aggregate, baseline, ref.name, where)
    if not sides:
        return f"{name}: no case is in both this run and {against}. {approve}"
    before, now, cases, clusters = zip(*sides, strict=True)
    pairs = PairedNumbers(np.array(before), np.array(now), clusters)
    if reason := _lacking(aggregate, pairs, rule, kept.runs, manifest.gate.max_unscored):
        return f"{name}: {reason}"
    ratio = ratio_of(pairs, ref.quantile)
    if ratio is None or ratio <= 0:
        return f"{name}: it is not above 0 on both sides, so there is no ratio."
    return NumberComparison(
        ref=ref,
        slice_=where,
        margin=margin.value,
        baseline=baseline.run_id,
        alpha=manifest.gate.alpha * (aggregate.number_share or 1.0),
        beta=manifest.gate.beta * (aggregate.number_share or 1.0),
        pairs=pairs,
        cases=cases,
        runs=kept.runs,
        ratio=ratio,
        note=sample_note(gone, manifest),
        kind=rule.kind,
        share=aggregate.number_share,
    )


def _sides(
    aggregate: RunAggregate, baseline: BaselineLock, name: str, where: Slice | None
) -> list[tuple[float, float, str, str]]:
    """(before, now, case, cluster) of each answer that both sides have, by its repeat, for each run
    of the baseline.
    """
    before, runs = baseline.numbers_of(name), baseline.numbers[name].runs
    digests, kept = aggregate.case_digests(), baseline.everything()
    sides = []
    for case_id in aggregate.members(where):
        if case_id not in before or kept.get(case_id) != digests[case_id]:
            continue
        row, seen, cluster = aggregate.place(case_id)
        group = cluster_key(case_id, cluster)
        now, olds = aggregate.numbers.values(name, row, seen), before[case_id]
        repeats = len(olds) // runs
        for first in range(0, len(olds), repeats):
            for old, new in zip(olds[first : first + repeats], now, strict=False):
                sides.append((old, new, case_id, group))
    return sides


def _lacking(
    aggregate: RunAggregate, pairs: PairedNumbers, rule: NumberRule, runs: int, most: float
) -> str | None:
    """Why too many values are missing; None where they are not. `runs`: of the baseline."""
    name = rule.ref.name
    failures = sample_numbers(aggregate, name, rule.where).failures
    size = len(pairs.now)
    absent_now = int(np.isnan(pairs.now).sum()) // runs - failures
    absent_before = int(np.isnan(pairs.before).sum())
    for absent, n, side in (
        (absent_now, size // runs, "of this run"),
        (absent_before, size, f"of the {compared_with(rule.kind)}"),
    ):
        if absent / n > most:
            return (
                f"{absent:,} of {n:,} answers {side} have no {name}: {why_missing(name)}. At most"
                f" {percent(most)} of them may be missing (`max_unscored`)."
            )
    return None
