"""One simulated change: a run of the whole gate, tried again until it passes."""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from llmeval.core.results import Decision, RuleDecision
from llmeval.gate.attempts import when_alone_fails
from llmeval.gate.holm import Rule, step_down
from llmeval.planning.simulated_rules import ErrorRates, SimulatedFloor, SimulatedRule
from llmeval.planning.simulated_verdicts import PairedVerdicts, VerdictModel
from llmeval.stats.estimation.label_counts import LabelCounts

THRESHOLD = 0.02
"""The usual gate's t."""


class SimulatedChange(NamedTuple):
    """The outcome of one change. `decisions`: by attempt and rule. `used`: cases that the first
    attempt took, by rule. `usual`, `unpaired`: whether other gates FAIL the first attempt, by rule.
    """

    decisions: tuple[tuple[Decision, ...], ...]
    used: tuple[int, ...]
    usual: tuple[bool, ...]
    unpaired: tuple[bool, ...]

    def ever(self, number: int, decision: Decision) -> bool:
        """Whether a rule has this decision in any attempt."""
        return any(rules[number] is decision for rules in self.decisions)

    @property
    def failed(self) -> bool:
        """Whether the gate FAILs in any attempt."""
        return any(Decision.FAIL in rules for rules in self.decisions)

    @property
    def passed(self) -> bool:
        """Whether the gate PASSes in any attempt."""
        return any(set(rules) == {Decision.PASS} for rules in self.decisions)


class SimulatedMetric(NamedTuple):
    """One metric of a change: its attempts, and the labels of its judge."""

    attempts: tuple[PairedVerdicts, ...]
    labels: LabelCounts | None


def simulate_change(
    verdict_models: Mapping[str, VerdictModel],
    rules: tuple[SimulatedRule, ...],
    terms: ErrorRates,
    drops: Mapping[str, float],
    source: np.random.Generator,
) -> SimulatedChange:
    """Draw one change and decide it; without a PASS it is tried again, as often as `terms` says.

    Args:
        verdict_models: by metric.
        rules: of the gate.
        terms: the error rates, and how many attempts there are.
        drops: the planted drop of each metric.
        source: of the random draws.
    """
    metrics = {
        name: SimulatedMetric(
            model.attempts(source, drops[name], 1 + len(terms.later)), model.certificate(source)
        )
        for name, model in verdict_models.items()
    }
    decisions: list[tuple[Decision, ...]] = []
    used: tuple[int, ...] = ()
    for attempt in range(1, 2 + len(terms.later)):
        decided, cases = decide_attempt(metrics, rules, terms, attempt)
        decisions.append(decided)
        used = used or cases
        if set(decided) == {Decision.PASS}:
            break
    usual = [_usual(rule, metrics[rule.metric].attempts[0], terms.alpha) for rule in rules]
    return SimulatedChange(
        tuple(decisions), used, tuple(one for one, _ in usual), tuple(two for _, two in usual)
    )


def decide_attempt(
    metrics: Mapping[str, SimulatedMetric],
    rules: tuple[SimulatedRule, ...],
    terms: ErrorRates,
    number: int = 1,
) -> tuple[tuple[Decision, ...], tuple[int, ...]]:
    """The decisions of one attempt, 1 for the first, and the cases that each rule used."""
    now = terms.at(number)
    if _missing_share(metrics, number) > terms.max_unscored:
        cases = len(next(iter(metrics.values())).attempts[0].baseline[0])
        return (Decision.INVALID,) * len(rules), (cases,) * len(rules)
    all_rules: list[Rule] = []
    used: list[int] = []
    for rule in rules:
        metric = metrics[rule.metric]
        earlier = metric.attempts[: number - 1] if terms.pools else ()
        current = metric.attempts[number - 1]
        result = rule.evaluate(current, metric.labels, now, earlier)
        all_rules.append(result.rule)
        if earlier and terms.whole is not None:
            all_rules[-1] = when_alone_fails(
                result.rule, _alone(rule, current, metric.labels, terms)
            )
        used.append(result.used)
    # a rule that is simulated alone has its share, as in Holm's first step
    decided = step_down(all_rules, now.alpha * len(all_rules) / terms.rules)
    return tuple(each.decision for each in decided), tuple(used)


def _alone(
    rule: SimulatedRule, current: PairedVerdicts, labels: LabelCounts | None, terms: ErrorRates
) -> Callable[[], RuleDecision]:
    """Decides the rule on one attempt's answers, at the whole error rates."""
    alpha, beta = terms.limits
    whole = terms._replace(alpha=alpha, beta=beta, early=False)
    return lambda: rule.evaluate(current, labels, whole).rule(alpha)


def _missing_share(metrics: Mapping[str, SimulatedMetric], number: int) -> float:
    """The share of cases of one attempt that miss a result of any metric."""
    columns = [each.attempts[number - 1].missing for each in metrics.values()]
    present = [column for column in columns if column is not None]
    return float(np.logical_or.reduce(present).mean()) if present else 0.0


def _usual(rule: SimulatedRule, sides: PairedVerdicts, alpha: float) -> tuple[bool, bool]:
    """FAIL of "drop > t" and of the unpaired pooled z test; of a floor, of "the rate is below it",
    twice. Cases without a result are left out.
    """
    rows = rule.members.rows
    if sides.missing is not None:
        rows = rows[~sides.missing[rows]]
    if not len(rows):
        return False, False
    if isinstance(rule, SimulatedFloor):
        below = bool(sides.candidate[:, rows].all(axis=0).mean() < rule.threshold - 1e-9)
        return below, below
    baseline, candidate = (
        float(sides.baseline[:, rows].mean()),
        float(sides.candidate[:, rows].mean()),
    )
    pooled = (baseline + candidate) / 2
    answers = 1 / len(sides.baseline) + 1 / len(sides.candidate)
    se = math.sqrt(max(pooled * (1 - pooled) * answers / len(rows), 1e-12))
    p_value = 0.5 * math.erfc((baseline - candidate) / se / math.sqrt(2))
    return baseline - candidate > THRESHOLD + 1e-9, p_value <= alpha  # exactly t is not a drop
