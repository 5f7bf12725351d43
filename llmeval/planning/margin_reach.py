"""Rules that these cases can never decide, whatever is answered: a margin that even an unchanged
candidate can't PASS, and a limit that too few cases can show.
"""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from llmeval.core.formatting import percent, percent_of, points
from llmeval.core.gate_record import GateRecord
from llmeval.core.metric_ref import Slice, cluster_key
from llmeval.core.numbers import UNITS, NumberRef, parse_number
from llmeval.core.records import Case
from llmeval.core.rule_keys import RuleKey, expand_key
from llmeval.gate.rules.expand import ExpandedMargin, expand_margins
from llmeval.gate.rules.threshold import Threshold, limits_in, margins_in
from llmeval.planning.attainability import best_bound
from llmeval.runner.plan import RunPlan
from llmeval.stats.estimation.bounds import smallest_n
from llmeval.stats.estimation.quantiles import smallest_sample
from llmeval.stats.estimation.skewed_mean import too_few
from llmeval.stats.sequential.design import regression
from llmeval.stats.sequential.gate_test import decide
from llmeval.stats.tests.fixed_sample import FEW_CLUSTERS
from llmeval.stats.tests.number_ratio import INTERVAL_SHARE


class StatedRules(NamedTuple):
    """The gate of a suite with what its keys are about."""

    gate: GateRecord
    metrics: tuple[str, ...]
    """Of checks and judges."""
    measured: tuple[str, ...]
    """Numbers of `measure`."""

    @property
    def numbers(self) -> tuple[str, ...]:
        """Every number."""
        return (*UNITS, *self.measured)

    def margins(self, slices: Collection[Slice], *, release: bool = False) -> list[ExpandedMargin]:
        """The rules of regression, against the baseline or the release."""
        stated = self.gate.release_margins if release else self.gate.margins
        return expand_margins(margins_in(stated), self.metrics, slices)[0]

    def count(self, slices: Collection[Slice]) -> int:
        """How many rules share alpha: floors, limits, and the margins of both comparisons."""
        limits = sum(len(expand_key(key, (), slices)) for key in limits_in(self.gate.limits))
        margins = sum(len(self.margins(slices, release=each)) for each in (False, True))
        return len(self.gate.floors) + limits + margins

    def number(self, key: RuleKey) -> NumberRef | None:
        """The number that a margin is about; None for a rate."""
        return None if key.metric in self.metrics else parse_number(key.metric, self.numbers)


def rules_of(planned: RunPlan) -> StatedRules:
    """The rules of a planned run."""
    checked = [name for check in planned.checks for name in check.metrics]
    spec = planned.suite.spec
    return StatedRules(spec.gate.record(), (*checked, *planned.judges), tuple(spec.measure))


def counted(planned: RunPlan) -> list[Case]:
    """The cases of a planned run that are not in quarantine."""
    aside = {entry.case_id for entry in planned.quarantine.cases}
    return [case for case in planned.cases if case.id not in aside]


def rate_margins(
    rules: StatedRules, cases: Iterable[Case], *, release: bool = False
) -> dict[str, Threshold]:
    """The margins of rates by `metric` or `metric @ tag=value`, without `*` and ` pass`."""
    return {
        rule.key._replace(passes=False).text: rule.threshold
        for rule in rules.margins(slices_in(cases), release=release)
        if rules.number(rule.key) is None
    }


def slices_in(cases: Iterable[Case]) -> set[Slice]:
    """(tag, value) of the cases."""
    return {pair for case in cases for pair in case.tags.items()}


def never_decided(rules: StatedRules, cases: Sequence[Case]) -> list[str]:
    """A sentence for each margin and limit that these cases can never PASS, with the fix."""
    gate, sentences = rules.gate, []
    slices = slices_in(cases)
    alpha, beta = gate.first_rates
    stated = [
        *(("margins", rule) for rule in rules.margins(slices)),
        *(("release.margins", rule) for rule in rules.margins(slices, release=True)),
    ]
    for place, rule in stated:
        clusters = _clusters(cases, rule.key.slice_)
        ref = rules.number(rule.key)
        sentence = (
            _rate_margin(rule.threshold.value, clusters, alpha, beta)
            if ref is None
            else _number_margin(ref, clusters, beta)
        )
        if clusters and sentence:
            sentences.append(f"gate.regression.{place}.{rule.key.text}: {sentence}")
    for key in limits_in(gate.limits):
        for expanded in expand_key(key, (), slices):
            limited = parse_number(expanded.metric, rules.numbers)
            clusters = _clusters(cases, expanded.slice_)
            if limited is not None and clusters and (sentence := _limit(limited, clusters, alpha)):
                sentences.append(f"gate.limits.{expanded.text}: {sentence}")
    return sentences


def _clusters(cases: Sequence[Case], where: Slice | None) -> list[str]:
    return [
        cluster_key(case.id, case.cluster)
        for case in cases
        if where is None or case.tags.get(where[0]) == where[1]
    ]


def _of(clusters: Sequence[str]) -> str:
    units = len(set(clusters))
    what = f"{len(clusters):,} case{'' if len(clusters) == 1 else 's'}"
    return what if units == len(clusters) else f"{what} in {units:,} clusters"


def _rate_margin(margin: float, clusters: Sequence[str], alpha: float, beta: float) -> str:
    """Why a margin can't PASS even where no case changes; empty where it can."""
    if not clusters or _passes(margin, clusters, alpha, beta):
        return ""
    low, high = margin, 1.0
    while high - low > 0.0005:
        middle = (low + high) / 2
        low, high = (low, middle) if _passes(middle, clusters, alpha, beta) else (middle, high)
    needed = math.ceil(math.log(beta) / math.log1p(-margin))
    best = f"at best {points(high)}" if high < 0.999 else "no drop at all"
    return (
        f"{_of(clusters)} can't rule out a drop of {points(margin)} even if nothing changes ({best}"
        f" can be): it can never PASS. It takes at least {needed:,} independent cases, or a larger"
        " margin"
    )


def _passes(margin: float, clusters: Sequence[str], alpha: float, beta: float) -> bool:
    """Whether a run that is equal to its baseline passes."""
    sizes = Counter(clusters)
    if margin >= 1:
        return True
    design = regression(
        units=len(sizes),
        cases=len(clusters),
        largest=max(sizes.values()),
        margin=margin,
        alpha=alpha,
        beta=beta,
        sequential=False,
    )
    return decide(design, [0.0] * len(clusters), clusters).p_pass <= design.rates[1]


def _number_margin(ref: NumberRef, clusters: Sequence[str], beta: float) -> str:
    if ref.quantile is None:
        return _mean(clusters)
    fewest = smallest_sample(ref.quantile, INTERVAL_SHARE * beta / 2)
    if len(set(clusters)) >= fewest:
        return ""
    return (
        f"{_of(clusters)} can't compare {ref.statistic} at {percent_of(1 - beta)} confidence: it"
        f" can never PASS. It takes at least {fewest:,} independent cases"
    )


def _limit(ref: NumberRef, clusters: Sequence[str], alpha: float) -> str:
    q = ref.quantile
    if q is None:
        return _mean(clusters)
    best = best_bound(clusters, alpha)
    if best >= q:
        return ""
    return (
        f"{_of(clusters)} can't show {ref.statistic} even if every answer is within the limit (at"
        f" least {percent(best)} would be sure): it can never PASS. It takes at least"
        f" {smallest_n(q, 0, alpha):,} independent cases"
    )


def _mean(clusters: Sequence[str]) -> str:
    if not too_few(clusters):
        return ""
    return (
        f"{_of(clusters)} are too few for a mean: it can never be decided. It takes at least"
        f" {FEW_CLUSTERS} independent cases of like size"
    )
